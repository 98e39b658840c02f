"""Rows of one delivery as tables: typed, checked and accounted for, in SQL.

The tables stand on a cursor of their own: `raw` (texts as delivered), `cleaned`, `texts` (with what
code tables and keys say), `typed`, `violations` and `duplicates`, all joined by `row_id`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import duckdb

from ingest.casting import (
    casts,
    checks,
    cleaned,
    code_column,
    default_column,
    listed,
    minimum_column,
    quoted,
    time_steps,
)
from ingest.clock import install_clock
from ingest.codes import CodeTable
from ingest.errors import Finding, counted, shown
from ingest.files import replaced_folder
from ingest.identity_codes import install_identity_codes
from ingest.lake import PARQUET
from ingest.spec import PROVENANCE, Spec

#: Reasons why a row is quarantined, in the words of a report.
RULE_TEXTS: Mapping[str, str] = {
    "missing_value": "the value is missing",
    "not_an_integer": "this is not a whole number",
    "not_a_number": "this is not a number",
    "ambiguous_number": "the point may be for thousands or decimals: write 1 234 or 1,234",
    "too_large": "the number is too large",
    "finer_than_a_cent": "the amount is finer than a cent",
    "too_many_decimals": "the number has more decimals than are stored",
    "below_minimum": "the number is smaller than allowed",
    "above_maximum": "the number is larger than allowed",
    "not_a_date": "this is not a date (d.m.yyyy)",
    "not_a_date_or_month": "this is neither a date (d.m.yyyy) nor a month (joulukuu 2021)",
    "not_a_period": "this is not a period (2021, 2021-06 or 2021-Q2)",
    "not_a_year": "this is not a year",
    "not_a_time": "this is not a time (dd.mm.yyyy HH:MM or ISO 8601)",
    "nothing_filled": "neither contact, assessment, booking nor visit is filled",
    "bad_identity_code": "this is like an identity code and is none, or has text beside one",
    "identity_code": "the text holds a personal identity code",
    "broken_quotes": "the quotes of a cell do not close",
    "not_yes_or_no": "this is neither K nor E",
    "unexpected_form": "the text is not written as this column asks",
    "unknown_value": "this is none of the values the column may have",
    "unknown_code": "the code table does not know this",
    "too_many_cells": "the row has more cells than the header",
    "too_few_cells": "the row has fewer cells than the header",
    "conflicting_key": "other rows have the same key and other values",
}

#: File of a delivery's rows in the lake; a bulk delivery has `part-<n>.parquet` beside it.
REST_PART = "part-0.parquet"

#: What a quarantined identifier is shown as: a wrong one is a person's still.
MASKED_IDENTIFIER = "***"


def delivered(name: str) -> str:
    """Name of the column that keeps a text exactly as it was delivered."""
    return f"{name}__delivered"


def lake_folder(root: Path, source: str, name: str) -> Path:
    """Where a delivery's rows stand under `lake/raw` or `lake/quarantine`."""
    return root / source / f"delivery={name}"


def people_table(column: str) -> str:
    """Table of what the identifiers of a personal column become, by the text as delivered.

    Columns: `delivered`, and those named by `ingest.casting` for the pseudonym, the birth date and
    whether it is a bad identity code.
    """
    return f"people_{column}"


def install_macros(connection: duckdb.DuckDBPyConnection) -> None:
    """Give a database the SQL macros that casts and checks are written with."""
    install_clock(connection)
    install_identity_codes(connection)


def type_rows(
    connection: duckdb.DuckDBPyConnection,
    spec: Spec,
    delivery_id: str,
    codes: Mapping[str, CodeTable],
) -> None:
    """Make the tables `cleaned`, `texts` and `typed` from `raw`.

    `raw` has row_id, source_file, source_line, source_column, defect and a `varchar` for each
    loaded column. Personal columns need their `people_table`.
    """
    columns = list(spec.loaded_columns)
    selected = ", ".join(
        f"{cleaned(name)} as {name}, {name} as {delivered(name)}" for name in columns
    )
    connection.execute(
        f"create temp table cleaned as select row_id, source_file, source_line, source_column,"
        f" defect, {selected} from raw"
    )
    joins = " ".join(
        f"left join {people_table(name)}"
        f" on cleaned.{delivered(name)} = {people_table(name)}.delivered"
        for name in columns
        if spec.columns[name].personal
    )
    found = "".join(
        f", {sql} as {name}" for name, sql in _look_ups(connection, spec, codes).items()
    )
    times = [time_steps(name) for name in columns if spec.columns[name].type == "timestamp"]
    query = f"select *{found} from cleaned {joins}"
    for steps in zip(*times, strict=True):
        added = ", ".join(f"{sql} as {name}" for step in steps for name, sql in step.items())
        query = f"select *, {added} from ({query})"
    connection.execute(f"create temp table texts as {query}")
    values = ", ".join(f"cast({cast.sql} as {cast.type}) as {cast.name}" for cast in casts(spec))
    connection.execute(
        f"create temp table typed as select row_id, {values},"
        f" {quoted(delivery_id)} as delivery_id,"
        " source_file, source_line, source_column from texts"
    )


def _look_ups(
    connection: duckdb.DuckDBPyConnection, spec: Spec, codes: Mapping[str, CodeTable]
) -> dict[str, str]:
    """What rows of `cleaned` find in code tables: name of a column -> SQL over their texts.

    That is each row's codes, and what other columns take from the rows of the codes.
    """
    coded = [name for name, column in spec.loaded_columns.items() if column.codes is not None]
    if not coded:
        return {}
    distinct = ", ".join(f"list(distinct {name}) filter ({name} is not null)" for name in coded)
    delivered_labels = connection.execute(f"select {distinct} from cleaned").fetchone()
    assert delivered_labels is not None
    found: dict[str, str] = {}
    for name, labels in zip(coded, delivered_labels, strict=True):
        table = codes[str(spec.columns[name].codes)]
        # As few as there are ways to write a code, however many texts are none.
        code_of = {
            label: code for label in labels or () if (code := table.code_of(label)) is not None
        }
        place = f"list_position({listed(list(code_of), 'varchar')}, {name})"
        found[code_column(name)] = _at(place, code_of.values())
        for other, column in spec.loaded_columns.items():
            taken = (
                (column.default_of, default_column(other)),
                (column.minimum_of, minimum_column(other)),
            )
            for path, target in taken:
                source, _, attribute = (path or "").partition(".")
                if source == name:
                    attributes = (table.rows[code][attribute] for code in code_of.values())
                    found[target] = _at(place, attributes)
    return found


def _at(place: str, values: Iterable[str | None]) -> str:
    return f"{listed(list(values), 'varchar')}[{place}]"


def find_violations(connection: duckdb.DuckDBPyConnection, spec: Spec) -> None:
    """Make the table `violations`: one row a broken rule, with the text as it was delivered."""
    spread_columns = {
        name
        for form in spec.forms
        if form.spread
        for name in (form.spread.names_to, form.spread.values_to, *form.spread.also)
    }
    found = [
        (
            "select row_id, cast(null as varchar) as column_name, defect as rule,"
            " cast(null as varchar) as value from texts where defect is not null"
        )
    ]
    for check in checks(spec):
        header, value = "null", "null"
        if check.column is not None:
            header = quoted(spec.header_name(check.column))
            if check.column in spread_columns:
                header = f"coalesce(source_column, {header})"
            is_personal = spec.columns[check.column].personal
            value = (
                quoted(MASKED_IDENTIFIER) if is_personal else f"masked({delivered(check.column)})"
            )
        found.append(
            f"select row_id, {header}, {quoted(check.rule)}, {value} from texts"
            f" where defect is null and ({check.failing})"
        )
    connection.execute(f"create temp table violations as {' union all '.join(found)}")
    if not spec.bulk:
        _find_conflicting_keys(connection, spec)


def _find_conflicting_keys(connection: duckdb.DuckDBPyConnection, spec: Spec) -> None:
    """Rows of one key that say different things: nobody can tell which is right, so none is."""
    key = ", ".join(spec.key)
    content = ", ".join(name for name in spec.lake_schema if name not in PROVENANCE)
    shown = " || ' / ' || ".join(
        f"coalesce(cast(clean.{name} as varchar), '')" for name in spec.key
    )
    connection.execute(
        f"""
        insert into violations
        with clean as (
            select * from typed where row_id not in (select row_id from violations)
        ),
        conflicting as (
            select {key}
            from (select distinct {content} from clean)
            group by {key}
            having count(*) > 1
        )
        select clean.row_id, {quoted(", ".join(map(spec.header_name, spec.key)))},
            'conflicting_key', masked({shown})
        from clean
        join conflicting
            on {_same_key("clean", "conflicting", spec.key)}
        """
    )


def _same_key(left: str, right: str, key: Sequence[str]) -> str:
    return " and ".join(f"{left}.{name} is not distinct from {right}.{name}" for name in key)


def find_duplicates(
    connection: duckdb.DuckDBPyConnection, spec: Spec, parts: Sequence[Path] = ()
) -> None:
    """Make the table `duplicates`: the second and later of rows with the same content.

    Args:
        connection: Where `typed` and `violations` are.
        spec: The source's spec.
        parts: Files of the delivery's rows that are in the lake already, each content once.
    """
    columns = [name for name in spec.lake_schema if name not in PROVENANCE]
    connection.execute(
        f"""
        create temp table duplicates as
        select row_id
        from typed
        where row_id not in (select row_id from violations)
        qualify row_number() over (partition by {", ".join(columns)} order by row_id) > 1
        """
    )
    if not parts or not count(connection, "select count(*) from typed"):
        return
    files = ", ".join(quoted(str(path)) for path in parts)
    written = f"read_parquet([{files}], hive_partitioning = false)"
    connection.execute(
        """
        create temp table clean as
        select *
        from typed
        where row_id not in (select row_id from violations)
            and row_id not in (select row_id from duplicates)
        """
    )
    # Hardly ever is one of them written already: a few columns say so, which are quickly read.
    names = _always_filled(spec)
    again = f"select {', '.join(names)} from {written} semi join clean using ({', '.join(names)})"
    connection.execute(f"create temp table again as {again}")
    if not count(connection, "select count(*) from again"):
        return
    connection.execute(
        f"""
        insert into duplicates
        with written as (
            select {", ".join(columns)} from {written} semi join again using ({", ".join(names)})
        )
        select clean.row_id from clean join written on {_same_key("clean", "written", columns)}
        """
    )


def _always_filled(spec: Spec) -> list[str]:
    """Lake columns that tell rows apart and are never null: the required ones, else the key."""
    required = [
        name for name, column in spec.columns.items() if column.required and not column.personal
    ]
    return required or lake_key(spec)[:1]


def lake_key(spec: Spec) -> list[str]:
    """The key as it stands in the lake, with pseudonyms in place of identifiers."""
    return [
        f"{kind}_pseudonym" if (kind := spec.columns[name].personal) else name for name in spec.key
    ]


def quarantine_findings(connection: duckdb.DuckDBPyConnection, spec: Spec) -> list[Finding]:
    """A finding for each rule and column that quarantined rows, with the first of them."""
    groups = connection.execute(
        """
        select
            rule,
            column_name,
            count(distinct row_id) as rows,
            arg_min(coalesce(value, ''), row_id) as value,
            arg_min(source_file, row_id) as file,
            arg_min(source_line, row_id) as line
        from violations
        join (select row_id, source_file, source_line from typed) as places using (row_id)
        group by rule, column_name
        order by rule, column_name
        """
    ).fetchall()
    findings = []
    for rule, column, rows, value, file, line in groups:
        where = f'column "{column}"' if column else "the row"
        example = f' with "{shown(value)}"' if column else ""
        findings.append(
            Finding(
                rule,
                "quarantined",
                f"{where} of {file}, first on line {line}{example}: {RULE_TEXTS[rule]}",
                _fix_of(rule, spec, column),
                column,
                rows,
            )
        )
    return findings


def _fix_of(rule: str, spec: Spec, header: str | None) -> str:
    if rule == "unknown_code":
        name = spec.column_of(header or "")
        # A spread header is no column: it is any of the tables then.
        asked = [spec.columns[name]] if name else spec.columns.values()
        tables = sorted({column.codes for column in asked if column.codes})
        return (
            "correct the text, or add it to the code table"
            f" ({', '.join(tables)}) or to seeds/core/code_aliases.csv"
        )
    return "correct the rows and send them as a new delivery"


def too_many_bad_rows(
    connection: duckdb.DuckDBPyConnection, spec: Spec, rows_in: int, quarantined: int
) -> Finding:
    """Why a delivery is refused whole: so many bad rows are a fault of the file, not of rows."""
    row = connection.execute(
        """
        select rule, column_name, count(distinct row_id) as rows, arg_min(value, row_id)
        from violations
        group by rule, column_name
        order by rows desc, rule, column_name
        limit 1
        """
    ).fetchone()
    assert row is not None
    rule, column, rows, example = row
    what = f'column "{column}"' if column else "the rows"
    cell = f'"{shown(example)}"' if (example or "").strip() else "an empty cell"
    most = (
        f'column "{column}" ({counted(rows)}, such as {cell})' if column else f"({counted(rows)})"
    )
    return Finding(
        "too_many_bad_rows",
        "refused",
        f"{quarantined} of {rows_in} rows break a rule, more than the"
        f" {spec.max_bad_share:.0%} allowed; most often {most}: {RULE_TEXTS[rule]}",
        f"correct {what} and send a new delivery",
        column,
        rows_in,
    )


def write_quarantine(connection: duckdb.DuckDBPyConnection, folder: Path, quarantined: int) -> None:
    """Write the rejected rows: file, line, column, rule and value, identity codes masked."""
    if not quarantined:
        shutil.rmtree(folder, ignore_errors=True)
        return
    with replaced_folder(folder) as temporary:
        connection.execute(
            f"""
            copy (
                select
                    typed.delivery_id,
                    typed.source_file,
                    typed.source_line,
                    violations.column_name as source_column,
                    violations.rule,
                    violations.value,
                    violations.row_id
                from violations
                join typed on typed.row_id = violations.row_id
                order by row_id, column_name, rule
            ) to {quoted(str(temporary / "rejects.parquet"))} ({PARQUET})
            """
        )


def count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    """The one number that a query gives."""
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])
