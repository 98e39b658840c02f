"""Loads one delivery: read, lay out, cast, check, account, write.

The accounting is closed here: every row that came in is loaded, a duplicate, quarantined or
refused.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from ingest.casting import (
    casts,
    checks,
    cleaned,
    code_column,
    default_column,
    minimum_column,
    quoted,
)
from ingest.codes import CodeTable
from ingest.errors import DeliveryRefused, Finding, counted, refuse
from ingest.files import replaced_folder
from ingest.landing import Delivery
from ingest.layout import Layout, RawRow, lay_out
from ingest.ledger import FileRecord, FindingRecord, LedgerEntry
from ingest.reading import read_file
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
    "not_yes_or_no": "this is neither K nor E",
    "unexpected_form": "the text is not written as this column asks",
    "unknown_value": "this is none of the values the column may have",
    "unknown_code": "the code table does not know this",
    "too_many_cells": "the row has more cells than the header",
    "too_few_cells": "the row has fewer cells than the header",
    "conflicting_key": "other rows have the same key and other values",
}


class Sidecar(BaseModel):
    """`delivery.yml`: where a delivery's figures are printed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document: str | None = None
    table: str | None = None
    section: str | None = None

    @field_validator("table", "section", mode="before")
    @classmethod
    def _number_is_text(cls, value: object) -> object:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


@dataclass(frozen=True)
class Context:
    """What loading a delivery needs besides the delivery.

    Attributes:
        raw_folder: `lake/raw`.
        quarantine_folder: `lake/quarantine`.
        codes: Code tables.
        documents: Known document ids.
        spec_versions: Source -> hash of everything that decides how it is read.
        now: UTC time of the run.
        connection: An in-memory database that every delivery has temporary tables in.
    """

    raw_folder: Path
    quarantine_folder: Path
    codes: Mapping[str, CodeTable]
    documents: frozenset[str]
    spec_versions: Mapping[str, str]
    now: datetime
    connection: duckdb.DuckDBPyConnection


def delivered(name: str) -> str:
    """Name of the column that keeps a text exactly as it was delivered."""
    return f"{name}__delivered"


def lake_folder(root: Path, source: str, name: str) -> Path:
    """Where a delivery's rows stand under `lake/raw` or `lake/quarantine`."""
    return root / source / f"delivery={name}"


def load_delivery(spec: Spec, delivery: Delivery, context: Context) -> LedgerEntry:
    """Load one delivery into the lake.

    Returns:
        The ledger entry, not yet recorded; a refused delivery is an entry too.
    """
    try:
        sidecar = _read_sidecar(delivery, context.documents)
        layouts = _read_layouts(spec, delivery, context.codes)
        return _load(spec, delivery, sidecar, layouts, context)
    except DeliveryRefused as refusal:
        _clear(delivery, context)
        return _entry(
            delivery,
            context,
            outcome="refused",
            rows_in=refusal.rows_in,
            rows_refused=refusal.rows_in,
            findings=[refusal.finding],
        )


def duplicate_entry(delivery: Delivery, twin: LedgerEntry, context: Context) -> LedgerEntry:
    """The entry of a delivery whose content equals that of the one loaded just before it."""
    _clear(delivery, context)
    rows = (twin.rows_in or 0) - (twin.rows_refused or 0)
    finding = Finding(
        "same_delivery_twice",
        "warning",
        f"the content equals that of {twin.delivery_id}",
        "nothing, unless other figures were meant to be sent",
        row_count=rows,
    )
    return _entry(
        delivery,
        context,
        outcome="duplicate",
        rows_in=rows,
        rows_duplicate=rows,
        findings=[finding],
    )


# --- reading --------------------------------------------------------------------------------------


def _read_sidecar(delivery: Delivery, documents: frozenset[str]) -> Sidecar:
    if delivery.sidecar is None:
        return Sidecar()
    fix = "give document, table and section as in docs/deliveries.md"
    try:
        content = yaml.safe_load(delivery.sidecar.path.read_text(encoding="utf-8"))
        sidecar = Sidecar.model_validate(content or {})
    except ValidationError as error:
        reason = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'the file'}: {item['msg']}"
            for item in error.errors()
        )
        raise refuse("bad_sidecar", f"delivery.yml is not valid: {reason}", fix) from error
    except (yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise refuse("bad_sidecar", f"delivery.yml is not valid: {reason}", fix) from error
    if sidecar.document is not None and sidecar.document not in documents:
        raise refuse(
            "unknown_document",
            f'delivery.yml names document "{sidecar.document}", which is unknown',
            "add the document to seeds/core/documents.csv, or correct its id",
        )
    return sidecar


def _read_layouts(spec: Spec, delivery: Delivery, codes: Mapping[str, CodeTable]) -> list[Layout]:
    """All files of a delivery; the first refusal speaks for all, with the rows of all."""
    if not delivery.files:
        raise refuse("empty_delivery", "the folder holds no data files", "send the files again")
    layouts: list[Layout] = []
    refusals: list[DeliveryRefused] = []
    for file in delivery.files:
        try:
            layouts.append(lay_out(spec, read_file(file), codes))
        except DeliveryRefused as refusal:
            refusals.append(refusal)
    if not refusals:
        return layouts
    rows_in: int | None = None
    counts = [refusal.rows_in for refusal in refusals]
    if None not in counts:
        rows_in = sum(count or 0 for count in counts) + sum(len(item.rows) for item in layouts)
    finding = refusals[0].finding
    raise refuse(finding.code, finding.message, finding.fix, column=finding.column, rows_in=rows_in)


# --- casting and checking -------------------------------------------------------------------------


def _load(
    spec: Spec,
    delivery: Delivery,
    sidecar: Sidecar,
    layouts: Sequence[Layout],
    context: Context,
) -> LedgerEntry:
    rows = [row for layout in layouts for row in layout.rows]
    # A cursor of its own: its tables are temporary and go with it.
    with context.connection.cursor() as connection:
        _register_rows(connection, spec, delivery, rows, context.codes)
        _find_violations(connection, spec)
        _find_duplicates(connection, spec)
        rows_in = len(rows)
        quarantined = _count(connection, "select count(distinct row_id) from violations")
        duplicates = _count(connection, "select count(*) from duplicates")
        findings = [finding for layout in layouts for finding in layout.findings]
        findings += _quarantine_findings(connection, spec)
        _write_quarantine(connection, delivery, context, quarantined)
        if rows_in and quarantined / rows_in > spec.max_bad_share:
            shutil.rmtree(
                lake_folder(context.raw_folder, spec.source, delivery.name), ignore_errors=True
            )
            findings.insert(0, _too_many_bad_rows(connection, spec, rows_in, quarantined))
            return _entry(
                delivery,
                context,
                outcome="refused",
                rows_in=rows_in,
                rows_quarantined=quarantined,
                rows_refused=rows_in - quarantined,
                findings=findings,
                sidecar=sidecar,
                forms=[layout.form for layout in layouts],
            )
        _write_rows(connection, spec, delivery, context)
    if duplicates:
        findings.append(
            Finding(
                "duplicate_rows",
                "warning",
                "rows stand more than once with the same values; one of each is loaded",
                "send each row once",
                row_count=duplicates,
            )
        )
    return _entry(
        delivery,
        context,
        outcome="loaded",
        rows_in=rows_in,
        rows_loaded=rows_in - quarantined - duplicates,
        rows_duplicate=duplicates,
        rows_quarantined=quarantined,
        findings=findings,
        sidecar=sidecar,
        forms=[layout.form for layout in layouts],
    )


def _register_rows(
    connection: duckdb.DuckDBPyConnection,
    spec: Spec,
    delivery: Delivery,
    rows: Sequence[RawRow],
    codes: Mapping[str, CodeTable],
) -> None:
    """Make the tables `raw` (texts as delivered), `texts` (cleaned) and `typed` (cast)."""
    columns = list(spec.loaded_columns)
    data: dict[str, pa.Array] = {
        "row_id": pa.array(range(len(rows)), pa.int64()),
        "source_file": pa.array([row.file for row in rows], pa.string()),
        "source_line": pa.array([row.line for row in rows], pa.int64()),
        "source_column": pa.array([row.column for row in rows], pa.string()),
        "defect": pa.array([row.defect for row in rows], pa.string()),
    }
    for name in columns:
        data[name] = pa.array([row.values.get(name, "") for row in rows], pa.string())
    raw = pa.table(data)
    connection.register("raw", raw)
    selected = ", ".join(
        f"{cleaned(name)} as {name}, {name} as {delivered(name)}" for name in columns
    )
    connection.execute(
        f"create temp table cleaned as select row_id, source_file, source_line, source_column,"
        f" defect, {selected} from raw"
    )
    joins = [
        _look_up(connection, spec, name, codes)
        for name in columns
        if spec.columns[name].codes is not None
    ]
    connection.execute(f"create temp table texts as select * from cleaned {' '.join(joins)}")
    values = ", ".join(f"cast({cast.sql} as {cast.type}) as {cast.name}" for cast in casts(spec))
    connection.execute(
        f"create temp table typed as select row_id, {values},"
        f" {quoted(delivery.delivery_id)} as delivery_id,"
        " source_file, source_line, source_column from texts"
    )


def _look_up(
    connection: duckdb.DuckDBPyConnection,
    spec: Spec,
    name: str,
    codes: Mapping[str, CodeTable],
) -> str:
    """The join that gives each row its code, and what other columns take from the code's row."""
    table = codes[str(spec.columns[name].codes)]
    labels = [
        label
        for (label,) in connection.execute(
            f"select distinct {name} from cleaned where {name} is not null"
        ).fetchall()
    ]
    found = [table.code_of(label) for label in labels]
    columns = {f"{name}__label": labels, code_column(name): found}
    for other, column in spec.loaded_columns.items():
        taken = (
            (column.default_of, default_column(other)),
            (column.minimum_of, minimum_column(other)),
        )
        for path, target in taken:
            source, _, attribute = (path or "").partition(".")
            if source == name:
                columns[target] = [
                    table.rows[code][attribute] if code is not None else None for code in found
                ]
    look_up = pa.table({key: pa.array(values, pa.string()) for key, values in columns.items()})
    connection.register(f"codes_{name}", look_up)
    return f"left join codes_{name} on cleaned.{name} = codes_{name}.{name}__label"


def _find_violations(connection: duckdb.DuckDBPyConnection, spec: Spec) -> None:
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
        header = quoted(spec.header_name(check.column))
        if check.column in spread_columns:
            header = f"coalesce(source_column, {header})"
        found.append(
            f"select row_id, {header}, {quoted(check.rule)}, {delivered(check.column)} from texts"
            f" where defect is null and ({check.failing})"
        )
    connection.execute(f"create temp table violations as {' union all '.join(found)}")
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
            'conflicting_key', {shown}
        from clean
        join conflicting
            on {_same_key("clean", "conflicting", spec.key)}
        """
    )


def _same_key(left: str, right: str, key: Sequence[str]) -> str:
    return " and ".join(f"{left}.{name} is not distinct from {right}.{name}" for name in key)


def _find_duplicates(connection: duckdb.DuckDBPyConnection, spec: Spec) -> None:
    """Make the table `duplicates`: the second and later of rows with the same content."""
    content = ", ".join(name for name in spec.lake_schema if name not in PROVENANCE)
    connection.execute(
        f"""
        create temp table duplicates as
        select row_id
        from typed
        where row_id not in (select row_id from violations)
        qualify row_number() over (partition by {content} order by row_id) > 1
        """
    )


# --- findings -------------------------------------------------------------------------------------


def _quarantine_findings(connection: duckdb.DuckDBPyConnection, spec: Spec) -> list[Finding]:
    groups = connection.execute(
        """
        select
            rule,
            column_name,
            count(distinct row_id) as rows,
            arg_min(coalesce(value, ''), row_id) as example,
            arg_min(source_file, row_id) as file,
            arg_min(source_line, row_id) as line
        from violations
        join (select row_id, source_file, source_line from typed) as places using (row_id)
        group by rule, column_name
        order by rule, column_name
        """
    ).fetchall()
    findings = []
    for rule, column, rows, example, file, line in groups:
        where = f'column "{column}"' if column else "the row"
        findings.append(
            Finding(
                rule,
                "quarantined",
                f'{where} of {file}, first on line {line} with "{example}": {RULE_TEXTS[rule]}',
                _fix_of(rule, spec),
                column,
                rows,
            )
        )
    return findings


def _fix_of(rule: str, spec: Spec) -> str:
    if rule == "unknown_code":
        tables = sorted({column.codes for column in spec.columns.values() if column.codes})
        return (
            "correct the text, or add it to the code table"
            f" ({', '.join(tables)}) or to seeds/core/code_aliases.csv"
        )
    return "correct the rows and send them as a new delivery"


def _too_many_bad_rows(
    connection: duckdb.DuckDBPyConnection, spec: Spec, rows_in: int, quarantined: int
) -> Finding:
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
    most = (
        f'column "{column}" ({counted(rows)}, such as "{example}")'
        if column
        else f"({counted(rows)})"
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


# --- writing --------------------------------------------------------------------------------------


def _clear(delivery: Delivery, context: Context) -> None:
    """Remove what an earlier load of the delivery left: it is no longer loaded."""
    for root in (context.raw_folder, context.quarantine_folder):
        shutil.rmtree(lake_folder(root, delivery.source, delivery.name), ignore_errors=True)


def _write_rows(
    connection: duckdb.DuckDBPyConnection, spec: Spec, delivery: Delivery, context: Context
) -> None:
    folder = lake_folder(context.raw_folder, spec.source, delivery.name)
    with replaced_folder(folder) as temporary:
        connection.execute(
            f"""
            copy (
                select {", ".join(spec.lake_schema)}
                from typed
                where row_id not in (select row_id from violations)
                    and row_id not in (select row_id from duplicates)
                order by row_id
            ) to {quoted(str(temporary / "part-0.parquet"))} (format parquet, compression zstd)
            """
        )


def _write_quarantine(
    connection: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    context: Context,
    quarantined: int,
) -> None:
    folder = lake_folder(context.quarantine_folder, delivery.source, delivery.name)
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
            ) to {quoted(str(temporary / "rejects.parquet"))} (format parquet, compression zstd)
            """
        )


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def _entry(
    delivery: Delivery,
    context: Context,
    *,
    outcome: Literal["loaded", "duplicate", "refused"],
    rows_in: int | None,
    rows_loaded: int = 0,
    rows_duplicate: int = 0,
    rows_quarantined: int = 0,
    rows_refused: int | None = 0,
    findings: Sequence[Finding] = (),
    sidecar: Sidecar | None = None,
    forms: Sequence[str] = (),
) -> LedgerEntry:
    sidecar = sidecar or Sidecar()
    return LedgerEntry(
        source=delivery.source,
        name=delivery.name,
        content_hash=delivery.content_hash,
        files=tuple(
            FileRecord(name=file.name, sha256=file.sha256, size=file.size)
            for file in delivery.all_files
        ),
        document_id=sidecar.document,
        document_table=sidecar.table,
        document_section=sidecar.section,
        forms=tuple(forms),
        spec_version=context.spec_versions[delivery.source],
        outcome=outcome,
        rows_in=rows_in,
        rows_loaded=rows_loaded,
        rows_duplicate=rows_duplicate,
        rows_quarantined=rows_quarantined,
        rows_refused=rows_refused,
        findings=tuple(FindingRecord.of(finding) for finding in findings),
        ingested_at=context.now,
    )
