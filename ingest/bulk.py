"""Reads deliveries of millions of rows: DuckDB scans the files and writes regular rows at once.

A row is regular when every cell is written the usual way, and nearly all are. What such a row
becomes is computed by cheap expressions in one scan. All other rows (odd spellings, bad cells, rows
that stand twice) are read again with their lines and take the same way as rows of small deliveries
(`ingest.rows`), whose rules are the only ones: the cheap expressions give the same value or none.

Two scans: one over keys and people, which counts the rows, and one that writes the regular ones to
Parquet. The others are fetched by their lines. Tables keep the order of what is scanned into them,
on however many threads: the number of a row there is its place in the files. Nothing of a raw row
is written to disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from ingest.bulk_files import (
    BulkFile,
    Lines,
    SomeRows,
    find_lines,
    in_batches,
    only,
    open_files,
    reading,
    take_rejects,
)
from ingest.casting import (
    MISSING_TEXTS,
    age,
    birth_date_column,
    casts,
    checks,
    choice_value,
    cleaned,
    is_bad_column,
    listed,
    local_time_column,
    pseudonym_column,
    quoted,
    utc_time_column,
    yes_no_value,
)
from ingest.clock import FIRST_YEAR, LAST_YEAR
from ingest.codes import CodeTable
from ingest.errors import DeliveryRefused, Finding, refuse
from ingest.identity_codes import MAYBE_CODE
from ingest.lake import PARQUET
from ingest.landing import Delivery
from ingest.pseudonyms import MissingKey, PseudonymKey
from ingest.rows import people_table
from ingest.spec import LAKE_TYPES, PRECISION_TYPES, Column, Spec

#: Stands between cells that are judged in one go; no white space, which may stand inside a code.
_MARK = "\x01"

#: A text that is not plainly a value: white space that would be folded, a mark for missing, the
#: form of an identity code.
_ODD_TEXT = "|".join(
    (
        r"[\t\n\v\f\r\x{00A0}\x{2007}\x{2009}\x{202F}\x{FEFF}]|  ",
        rf"(^|{_MARK}) | ({_MARK}|$)",
        rf"(^|{_MARK})(-|–|—|\.\.)({_MARK}|$)",
        MAYBE_CODE,
    )
)


_NO_KEY_PART = "cast(0 as ubigint)"

#: Rows that are read together with their lines.
_BATCH_ROWS = 200_000


@dataclass(frozen=True)
class BulkRead:
    """What a bulk delivery gave besides the relation `raw`.

    Attributes:
        regular_rows: Rows written to the lake straight away.
        parts: The files they are in.
        findings: What was noticed on the way.
    """

    regular_rows: int
    parts: Sequence[Path]
    findings: Sequence[Finding]


def read_bulk(
    connection: duckdb.DuckDBPyConnection,
    spec: Spec,
    delivery: Delivery,
    codes: Mapping[str, CodeTable],
    key: PseudonymKey | None,
    folder: Path,
) -> BulkRead:
    """Write the regular rows of a delivery to the lake, and leave the others as the table `raw`.

    Args:
        connection: A cursor of the delivery's own, with `ingest.rows.install_macros`.
        spec: A bulk source's spec.
        delivery: The delivery.
        codes: Code tables.
        key: Key of pseudonyms.
        folder: Where `part-<n>.parquet` goes, from 1.

    Raises:
        DeliveryRefused: a file cannot be read, or has an unknown, missing or repeated column.
        MissingKey: the source is personal and there is no key.
        IngestError: memory or disk do not suffice.
    """
    if not delivery.files:
        raise refuse("empty_delivery", "the folder holds no data files", "send the files again")
    # Raw rows hold identities: what does not fit into memory must not spill to disk.
    connection.execute("set temp_directory = ''")
    with ExitStack() as stack:
        files = open_files(connection, spec, delivery.files, stack)
        stack.enter_context(_joins_as_written(connection))
        _make_code_types(connection, spec, codes)
        try:
            places = _scan(connection, spec, files)
        except DeliveryRefused:
            if all(file.csv is None for file in files):
                raise
            files = [file.in_sequence for file in files]
            places = _scan(connection, spec, files)
        # An error names the file; those of the tables between the scans name the last one.
        with reading(files[-1]):
            _make_people(connection, spec, key)
            _make_keys(connection, spec)
        has_repeats = _exist(connection, "repeats")
        parts: list[Path] = []
        regular = 0
        for number, file in enumerate(in_batches(files), start=1):
            part = folder / f"part-{number}.parquet"
            rows = _regular_rows(spec, file, delivery.delivery_id, has_repeats)
            with reading(file):
                regular += _number(
                    connection,
                    f"copy ({rows}) to {quoted(str(part))} ({PARQUET})",
                )
                take_rejects(connection, file)
            parts.append(part)
        with reading(files[-1]):
            _make_rest(connection, spec, parts, regular)
        _make_raw(connection, spec, files, places, stack)
    if not regular and not _exist(connection, "raw"):
        raise refuse(
            "no_rows", "the files have a header and no rows", "send the rows, or no file", rows_in=0
        )
    return BulkRead(regular, parts, _scan_findings(connection, spec))


@contextmanager
def _joins_as_written(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let joins look their right side up, always: here that is the small one.

    DuckDB does not know how many rows a csv has; it guesses few and hashes the wide rows of the
    file instead, for twice the time.
    """
    connection.execute("set disabled_optimizers = 'build_side_probe_side'")
    try:
        yield
    finally:
        connection.execute("reset disabled_optimizers")


def _number(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = connection.execute(sql).fetchone()
    assert row is not None
    return int(row[0])


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    return _number(connection, f"select count(*) from {table}")


def _exist(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    return connection.execute(f"select 1 from {table} limit 1").fetchone() is not None


# --- the first scan: keys and people --------------------------------------------------------------


def _make_code_types(
    connection: duckdb.DuckDBPyConnection, spec: Spec, codes: Mapping[str, CodeTable]
) -> None:
    """An enumeration a code table: a look-up of a code is then one hash."""
    for table in sorted({column.codes for column in spec.columns.values() if column.codes}):
        values = ", ".join(quoted(code) for code in codes[table].rows)
        connection.execute(f"create or replace temp type {_code_type(table)} as enum ({values})")


def _code_type(table: str) -> str:
    return f"code_of_{table}"


def _personal(spec: Spec) -> list[str]:
    return [name for name, column in spec.columns.items() if column.personal]


def _key_columns(spec: Spec) -> list[str]:
    """Columns that rows are told apart by: the key, and what else every row has."""
    required = [name for name, column in spec.columns.items() if column.required]
    return list(dict.fromkeys([*spec.key, *required]))


def _key_part(spec: Spec, file: BulkFile) -> str:
    """Hash of a row's key columns, personal ones apart, over the columns of `_parsed`."""
    values = [
        f"cast({_regular(spec, name, file).values[name]} as {spec.lake_schema[name]})"
        for name in _own_keys(spec)
    ]
    return f"hash({', '.join(values)})" if values else _NO_KEY_PART


def _own_keys(spec: Spec) -> list[str]:
    return [name for name in _key_columns(spec) if not spec.columns[name].personal]


def _personal_keys(spec: Spec) -> list[str]:
    return [name for name in _key_columns(spec) if spec.columns[name].personal]


def _hashed(part: str, others: Iterable[str]) -> str:
    return f"hash({', '.join([part, *others])})"


@dataclass(frozen=True)
class _Places:
    """Where the rows of a file stand.

    Attributes:
        before: Rows of the files before it: place in the table `scanned`, of its first row.
        lines: Where each row stands in the file.
    """

    before: int
    lines: Lines


def _scan(
    connection: duckdb.DuckDBPyConnection, spec: Spec, files: Sequence[BulkFile]
) -> dict[int, _Places]:
    """Make the table `scanned`: each row's file, key hash and people, in the order of the files.

    Returns:
        File number -> where its rows stand.
    """
    personal = _personal(spec)
    columns = "".join(f", {name} varchar" for name in personal)
    connection.execute(
        f"create or replace temp table scanned (file integer, key_part ubigint{columns})"
    )
    places = {}
    before = 0
    for file in files:
        names = [*_key_columns(spec), *personal]
        parsed = _with_helpers(spec, file, _own_keys(spec), _texts(spec, file, names))
        taken = "".join(f", {name}" for name in personal)
        with reading(file):
            rows = _number(
                connection,
                f"insert into scanned select {file.number}, {_key_part(spec, file)}{taken}"
                f" from ({parsed})",
            )
        lines = find_lines(file, rows, take_rejects(connection, file))
        places[file.number] = _Places(before, lines)
        before += rows
    return places


def _make_people(
    connection: duckdb.DuckDBPyConnection, spec: Spec, key: PseudonymKey | None
) -> None:
    """Make the `people_table` of each personal column, over the distinct identifiers."""
    missing = ", ".join(quoted(text) for text in MISSING_TEXTS)
    for name in _personal(spec):
        kind = spec.columns[name].personal
        if key is None or kind is None:
            raise MissingKey(
                f"deliveries of {spec.source} hold personal identifiers ({spec.header_name(name)})"
                " and there is no key to make pseudonyms with"
            )
        connection.execute(
            f"""
            create temp table {people_table(name)} as
            with distinct_texts as (
                select distinct {name} as delivered from scanned where {name} is not null
            ),
            identifiers as (
                select delivered, normal_identifier({cleaned("delivered")}) as identifier
                from distinct_texts
            ),
            judged as (
                select
                    delivered,
                    case when identifier not in ({missing}) then identifier end as identifier,
                    identity_birth_date(identifier) as birth_date
                from identifiers
            )
            select
                delivered,
                {key.sql(kind, "identifier")} as {pseudonym_column(name)},
                birth_date as {birth_date_column(name)},
                case
                    when birth_date is null
                        then looks_like_identity_code(identifier) or has_identity_code(identifier)
                end as {is_bad_column(name)}
            from judged
            """
        )


def _people_joins(names: Iterable[str], table: str) -> str:
    return "".join(
        f" left join {people_table(name)} on {table}.{name} = {people_table(name)}.delivered"
        for name in names
    )


def _identity(spec: Spec, part: str) -> str:
    """Hash that tells rows apart by what they become: over `key_part` and pseudonyms."""
    people = [pseudonym_column(name) for name in _personal_keys(spec)]
    return _hashed(part, people)


def _make_keys(connection: duckdb.DuckDBPyConnection, spec: Spec) -> None:
    """Make the tables `keys` and `repeats`: rows by identity, identities that stand twice.

    `place` is a row's number in `scanned`, from 0. Rows of one identity are only suspected of
    being duplicates; all their cells decide.
    """
    joins = _people_joins(_personal_keys(spec), "scanned")
    connection.execute(
        f"create temp view keys as select file, scanned.rowid as place, key_part,"
        f" {_identity(spec, 'key_part')} as identity from scanned{joins}"
    )
    connection.execute(
        "create temp table repeats as select identity from keys group by identity"
        " having count(*) > 1"
    )


# --- the second scan: regular rows ----------------------------------------------------------------


@dataclass(frozen=True)
class _Regular:
    """How a column's cells become values when they are written the usual way.

    Attributes:
        helpers: Columns to add: name -> SQL over the texts.
        values: Lake columns: name -> SQL over texts and helpers.
        condition: SQL: the cell is empty or written the usual way; None when nothing is odd but
            what `_ODD_TEXT` finds.
        is_plain: `_ODD_TEXT` judges it.
    """

    helpers: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    condition: str | None = None
    is_plain: bool = False


def _regular_rows(spec: Spec, file: BulkFile, delivery_id: str, has_repeats: bool) -> str:
    """Query of a file's regular rows, typed, with the columns of the lake."""
    names = list(spec.loaded_columns)
    values: dict[str, str] = {"delivery_id": quoted(delivery_id)}
    for name in names:
        values |= _regular(spec, name, file).values
    selected = ", ".join(f"{values[name]} as {name}" for name in spec.lake_schema)
    condition = _condition(spec, file)
    if has_repeats:
        identity = _identity(spec, _key_part(spec, file))
        condition += f" and {identity} not in (select identity from repeats)"
    parsed = _with_helpers(spec, file, names, _texts(spec, file, names))
    # A condition that may change from row to row stays where it is. Pushed down, it would take all
    # expressions with it, to be computed once for the condition and once more for the values.
    return (
        f"select {selected} from ("
        f"select *, ({condition}) and random() >= 0 as is_regular from ({parsed})"
        ") where is_regular"
    )


def _texts(spec: Spec, file: BulkFile, names: Iterable[str]) -> str:
    """Query of cells as texts under the spec's names; of typed times, the times beside them."""
    selected = [f"{file.text(name)} as {name}" for name in dict.fromkeys(names)]
    selected += [
        f"{file.cell(name)} as {_typed(name)}"
        for name in dict.fromkeys(names)
        if _is_typed_time(spec, name, file)
    ]
    return f"select {', '.join(selected)} from {file.relation}"


def _with_helpers(spec: Spec, file: BulkFile, names: Iterable[str], texts: str) -> str:
    """Query that adds people and parsed values to `_texts`."""
    names = list(dict.fromkeys(names))
    people = [name for name in names if spec.columns[name].personal]
    looked_up = "".join(f", {people_table(name)}.* exclude (delivered)" for name in people)
    helpers = "".join(
        f", {sql} as {helper}"
        for name in names
        for helper, sql in _regular(spec, name, file).helpers.items()
    )
    joins = _people_joins(people, "texts")
    return f"select texts.*{looked_up}{helpers} from ({texts}) as texts{joins}"


def _condition(spec: Spec, file: BulkFile) -> str:
    """Whether a row is regular, over the columns of `_with_helpers`."""
    columns = {name: _regular(spec, name, file) for name in spec.loaded_columns}
    conditions = [regular.condition for regular in columns.values() if regular.condition]
    conditions += [
        f"{_cell(spec, name, file)} is not null"
        for name, column in spec.columns.items()
        if column.required
    ]
    plain = [name for name, regular in columns.items() if regular.is_plain]
    if plain:
        joined = f"concat_ws('{_MARK}', {', '.join(plain)})"
        conditions.append(f"not regexp_matches({joined}, {quoted(_ODD_TEXT)})")
    if spec.one_of:
        filled = [f"{_cell(spec, name, file)} is not null" for name in spec.one_of]
        conditions.append(" or ".join(filled))
    return " and ".join(f"({condition})" for condition in conditions)


def _regular(spec: Spec, name: str, file: BulkFile) -> _Regular:
    column = spec.columns[name]
    if column.personal:
        values = {f"{column.personal}_pseudonym": pseudonym_column(name)}
        if column.age_at:
            event = f"coalesce({', '.join(map(local_time_column, column.age_at))})"
            values[f"{column.personal}_age"] = (
                f"cast({age(birth_date_column(name), event)} as integer)"
            )
        return _Regular(values=values, condition=f"not coalesce({is_bad_column(name)}, false)")
    if column.scanned:
        is_odd = f"regexp_matches({name}, {quoted(MAYBE_CODE)})"
        return _Regular(condition=f"{name} is null or not {is_odd}")
    parsed = f"{name}__value"
    match column.type:
        case "timestamp":
            return _regular_time(spec, name, file)
        case "code":
            found = f"try_cast({name} as {_code_type(str(column.codes))})"
        case "boolean":
            found = yes_no_value(name)
        case "choice":
            found = choice_value(name, column.values)
        case _:
            return _regular_text(spec, name)
    return _Regular(
        {parsed: found},
        {name: _or_default(parsed, column)},
        f"{name} is null or {parsed} is not null",
    )


def _or_default(value: str, column: Column) -> str:
    if column.default is None:
        return value
    return f"coalesce({value}, cast({quoted(column.default)} as {LAKE_TYPES[column.type]}))"


def _regular_text(spec: Spec, name: str) -> _Regular:
    """A text that is no odd one is cast by the rules of `ingest.casting`; mostly to itself."""
    column = spec.columns[name]
    if column.type == "text":
        pattern = f"{name} is null or regexp_full_match({name}, {quoted(column.pattern or '')})"
        value = _or_default(name, column)
        return _Regular({}, {name: value}, pattern if column.pattern else None, is_plain=True)
    lake = {name}
    if column.type in PRECISION_TYPES:
        lake |= {f"{name}_precision", f"{name}_kind"}
    values = {
        cast.name: f"cast({cast.sql} as {cast.type})" for cast in casts(spec) if cast.name in lake
    }
    failing = " or ".join(f"({check.failing})" for check in checks(spec) if check.column == name)
    return _Regular({}, values, f"not coalesce({failing}, false)", is_plain=True)


def _typed(name: str) -> str:
    return f"{name}__typed"


def _is_typed_time(spec: Spec, name: str, file: BulkFile) -> bool:
    return spec.columns[name].type == "timestamp" and file.type_of(name).startswith("TIMESTAMP")


def _cell(spec: Spec, name: str, file: BulkFile) -> str:
    """What says whether a cell is empty: a typed time is not made a text for that."""
    return _typed(name) if _is_typed_time(spec, name, file) else name


def _regular_time(spec: Spec, name: str, file: BulkFile) -> _Regular:
    column, form, cell = spec.columns[name], file.time_forms[name], _cell(spec, name, file)
    usual = f"regexp_full_match({name}, {quoted(form.pattern)})"
    parsed, is_instant = form.sql.format(name), form.is_instant
    if cell != name:
        is_instant = file.type_of(name) == "TIMESTAMP WITH TIME ZONE"
        parsed = f"make_timestamp(epoch_us({cell}))" if is_instant else f"cast({cell} as timestamp)"
        usual = "true"
    local, utc = local_time_column(name), utc_time_column(name)
    if is_instant:
        helpers = {utc: parsed, local: f"utc_to_helsinki({utc})"}
        values = {name: utc}
    else:
        helpers = {local: parsed}
        values = {name: f"helsinki_to_utc({local})"}
    if column.local_date:
        values[column.local_date] = f"cast({local} as date)"
    known = (
        f"{local} between timestamp '{FIRST_YEAR}-01-01' and timestamp '{LAST_YEAR}-12-31 23:59:59'"
    )
    return _Regular(helpers, values, f"{cell} is null or coalesce({usual} and {known}, false)")


# --- the rest -------------------------------------------------------------------------------------


def _make_rest(
    connection: duckdb.DuckDBPyConnection, spec: Spec, parts: Sequence[Path], regular: int
) -> None:
    """Make the table `rest`: the rows that are not in the files written."""
    own = _own_keys(spec)
    part = f"hash({', '.join(own)})" if own else _NO_KEY_PART
    people = [f"{spec.columns[name].personal}_pseudonym" for name in _personal_keys(spec)]
    paths = ", ".join(quoted(str(path)) for path in parts)
    is_written = (
        f"identity in (select {_hashed(part, people)}"
        f" from read_parquet([{paths}], hive_partitioning = false))"
    )
    total = _count(connection, "scanned")
    connection.execute(
        "create temp table rest as select file, place, key_part from keys"
        f" where {'false' if regular == total else f'not ({is_written})'}"
    )
    if regular + _count(connection, "rest") != total:
        raise _changed()


def _changed() -> DeliveryRefused:
    return refuse(
        "unreadable_file",
        "the files changed while they were read",
        "let the folder's name end in .part until its files are complete",
    )


def _make_raw(
    connection: duckdb.DuckDBPyConnection,
    spec: Spec,
    files: Sequence[BulkFile],
    places: Mapping[int, _Places],
    stack: ExitStack,
) -> None:
    """Make the table `raw`: the other rows of all files, each with its line."""
    columns = ", ".join(spec.loaded_columns)
    typed = ", ".join(f"{name} varchar" for name in spec.loaded_columns)
    connection.execute(f"create temp table placed (file integer, source_line bigint, {typed})")
    for parts in _batches(connection, files, places):
        with reading(parts[-1].file):
            _place_rest(connection, spec, parts, stack)
    broken = [
        (file.number, line, rule)
        for file in files
        for line, rule in places[file.number].lines.broken
    ]
    names = [file.landed.name for file in files]
    # A row with nothing in it is no row, as in a spreadsheet.
    everything = f"concat_ws('', {columns})"
    connection.execute(
        f"""
        create temp table raw as
        select
            row_number() over (order by file, source_line) - 1 as row_id,
            {listed(names, "varchar")}[file] as source_file,
            cast(null as varchar) as source_column,
            * exclude (file)
        from (
            select file, source_line, cast(null as varchar) as defect, {columns}
            from placed
            where {cleaned(everything)} is not null
            union all by name
            select
                unnest({listed([number for number, _, _ in broken], "integer")}) as file,
                unnest({listed([line for _, line, _ in broken], "bigint")}) as source_line,
                unnest({listed([rule for _, _, rule in broken], "varchar")}) as defect
        )
        """
    )


def _batches(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[BulkFile],
    places: Mapping[int, _Places],
) -> Iterator[list[SomeRows]]:
    """The rows of `rest`, in parts that can be read together."""
    batch: list[SomeRows] = []
    for file in files:
        found = connection.execute(
            f"select place - {places[file.number].before} + 1 from rest"
            f" where file = {file.number} order by place"
        ).fetchall()
        if not found:
            continue
        part = SomeRows(file, places[file.number].lines, [ordinal for (ordinal,) in found])
        if batch and not _fits(batch, part):
            yield batch
            batch = []
        batch.append(part)
    if batch:
        yield batch


def _fits(batch: Sequence[SomeRows], part: SomeRows) -> bool:
    rows = sum(len(other.ordinals) for other in (*batch, part))
    is_alike = batch[0].file.form == part.file.form
    are_copied = batch[0].csv is not None and part.csv is not None
    return are_copied and is_alike and rows <= _BATCH_ROWS


def _place_rest(
    connection: duckdb.DuckDBPyConnection,
    spec: Spec,
    parts: Sequence[SomeRows],
    stack: ExitStack,
) -> None:
    """Read rows into the table `placed`; they must be the rows that were seen in the first scan."""
    columns = ", ".join(spec.loaded_columns)
    lines = [line for part in parts for line in part.line_numbers]
    numbers = ", ".join(str(part.file.number) for part in parts)
    connection.execute(
        "create or replace temp table wanted as select file, key_part,"
        f" {listed(lines, 'bigint')}[row_number() over (order by place)] as source_line"
        f" from rest where file in ({numbers}) order by place"
    )
    few = only(parts, stack)
    keyed = _with_helpers(spec, few, _own_keys(spec), _texts(spec, few, spec.loaded_columns))
    connection.execute(
        "create or replace temp table found as"
        f" select {columns}, {_key_part(spec, few)} as key_part from ({keyed})"
    )
    placed = _number(
        connection,
        f"insert into placed select file, source_line, {columns} from found"
        " join wanted on found.rowid = wanted.rowid and found.key_part = wanted.key_part",
    )
    if not len(lines) == _count(connection, "found") == placed:
        raise _changed()


def _scan_findings(connection: duckdb.DuckDBPyConnection, spec: Spec) -> list[Finding]:
    """What the free text says that it should not."""
    findings = []
    for name, column in spec.columns.items():
        if not column.scanned:
            continue
        rows = _number(connection, f"select count(*) from raw where has_identity_code({name})")
        if rows:
            findings.append(
                Finding(
                    "identity_code_in_text",
                    "warning",
                    f'column "{spec.header_name(name)}" holds personal identity codes;'
                    " the text is not loaded",
                    "write no identity codes into free text",
                    spec.header_name(name),
                    rows,
                )
            )
    return findings
