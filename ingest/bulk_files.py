"""Files of a bulk delivery: how each is written, and on which line of it a row stands."""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import groupby, islice
from pathlib import Path
from typing import BinaryIO

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ingest.casting import FINNISH_DATE, ISO_DATE, cleaned, listed, quoted
from ingest.errors import DeliveryRefused, IngestError, refuse
from ingest.landing import LandedFile
from ingest.layout import column_positions
from ingest.reading import SEPARATORS, WINDOWS_MARKS, separator_of
from ingest.spec import Spec


@dataclass(frozen=True)
class TimeForm:
    """A usual way to write a time.

    Attributes:
        pattern: Regular expression of a whole text, the same to Python and to DuckDB.
        sql: Its value over a text `{}`: what the clock showed, or the UTC time of an instant.
        is_instant: The text gives its offset from UTC.
    """

    pattern: str
    sql: str
    is_instant: bool = False


_ISO_MINUTE = rf"{ISO_DATE}[ T]\d{{2}}:\d{{2}}"
_OFFSET = r"(Z|[+-](0\d|1[0-4]):[0-5]\d)"

TIME_FORMS = (
    TimeForm(rf"{FINNISH_DATE} \d{{1,2}}:\d{{2}}", "try_strptime({}, '%d.%m.%Y %H:%M')"),
    TimeForm(rf"{FINNISH_DATE} \d{{1,2}}:\d{{2}}:\d{{2}}", "try_strptime({}, '%d.%m.%Y %H:%M:%S')"),
    TimeForm(rf"{_ISO_MINUTE}(:\d{{2}}(\.\d{{1,6}})?)?", "try_cast({} as timestamp)"),
    TimeForm(
        rf"{_ISO_MINUTE}:\d{{2}}(\.\d{{1,6}})?{_OFFSET}",
        "make_timestamp(epoch_us(try_cast({} as timestamptz)))",
        is_instant=True,
    ),
    TimeForm(
        rf"{_ISO_MINUTE}{_OFFSET}",
        "make_timestamp(epoch_us("
        "try_cast(substr({0}, 1, 16) || ':00' || substr({0}, 17) as timestamptz)))",
        is_instant=True,
    ),
)

_SAMPLE_BYTES = 1 << 16
_SAMPLE_ROWS = 200
_CHUNK_BYTES = 1 << 20
_TAIL_BYTES = 1 << 21
_LINE_END = ord("\n")

#: DuckDB reads decimals of more digits as something else.
_MOST_DIGITS = 38

_BYTE_ORDER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

#: Bytes that Latin-1 gives to control characters and Windows-1252 to marks; and all others.
_CONTROLS = bytes(range(0x7F, 0xA0))
_NO_CONTROLS = bytes(sorted(set(range(256)) - set(_CONTROLS)))

#: DuckDB's errors of rows, from the one that says least: the rule each breaks.
_DEFECTS = {
    "MISSING COLUMNS": "too_few_cells",
    "TOO MANY COLUMNS": "too_many_cells",
    "UNQUOTED VALUE": "broken_quotes",
}

#: Errors of DuckDB that no delivery is to blame for.
_OURS = (
    duckdb.IOException,
    duckdb.OutOfMemoryException,
    duckdb.InternalException,
    duckdb.FatalException,
    duckdb.InterruptException,
)


@dataclass(frozen=True)
class CsvForm:
    """How a csv is written.

    Attributes:
        path: Its bytes as DuckDB reads them: the file, or a copy of it in memory.
        encoding: `utf-8`, `latin-1` or `cp1252`.
        separator: Between its cells.
        header_rows: Rows up to its header and with it, blank ones too.
        header_lines: Lines that these rows take.
        lines: Lines up to the last that is not blank.
    """

    path: Path
    encoding: str
    separator: str
    header_rows: int
    header_lines: int
    lines: int


@dataclass(frozen=True)
class BulkFile:
    """One file as DuckDB reads it: columns `c0`, `c1`, ...

    Attributes:
        landed: The file.
        number: Its place in the delivery, from 1.
        source: SQL of a table function that reads it, without its closing bracket.
        columns: SQL of the columns it has.
        types: DuckDB's type of each.
        positions: Column of the spec -> index of the file's column.
        time_forms: How most times of a column are written.
        csv: Set for a csv.
        ordinals: Rows it is narrowed to (`only`).
        is_sequential: A csv that one thread reads from its start to its end (`in_sequence`).
    """

    landed: LandedFile
    number: int
    source: str
    columns: str
    types: Sequence[str]
    positions: Mapping[str, int]
    time_forms: Mapping[str, TimeForm]
    csv: CsvForm | None = None
    ordinals: Sequence[int] | None = None
    is_sequential: bool = False

    @property
    def relation(self) -> str:
        """SQL of its rows in order; those that are no rows by their mere shape are left out."""
        if self.ordinals is None:
            return f"(select {self.columns} from {self.source}))"
        if self.csv is None:
            numbered = f"file_row_number + 1 as ordinal from {self.source}, file_row_number = true)"
        else:
            # A window without order numbers rows as they stand in the file, on one thread.
            numbered = f"row_number() over () as ordinal from {self.source})"
        ordinals = f"select unnest({listed(self.ordinals, 'bigint')})"
        return (
            f"(select * exclude (ordinal) from (select {self.columns}, {numbered})"
            f" where ordinal in ({ordinals}) order by ordinal)"
        )

    @property
    def in_sequence(self) -> BulkFile:
        """The file, read from its start to its end.

        Threads that start in the middle of a csv guess where they are, and may take a line inside
        quotes for a row.
        """
        if self.csv is None:
            return self
        return replace(self, source=f"{self.source}, parallel = false", is_sequential=True)

    @property
    def form(self) -> object:
        """What its rows are read by; files of one form are read alike."""
        how = None if self.csv is None else (self.csv.encoding, self.csv.separator)
        return how, len(self.types), self.positions, self.time_forms

    def type_of(self, column: str) -> str:
        """DuckDB's type of a column of the spec; one that the file does not have is a text."""
        position = self.positions.get(column)
        return "VARCHAR" if position is None else self.types[position]

    def cell(self, column: str) -> str:
        """A column of the file as it is typed there."""
        position = self.positions.get(column)
        return "cast(null as varchar)" if position is None else f"c{position}"

    def text(self, column: str) -> str:
        """A column of the file as a text that the casts read back without loss."""
        type_, cell = self.type_of(column), self.cell(column)
        if type_ == "VARCHAR":
            # DuckDB makes an empty cell of a csv null by itself.
            return cell if self.csv is not None else f"nullif({cell}, '')"
        if type_.startswith("TIMESTAMP"):
            shown = f"strftime(cast({cell} as timestamp), '%Y-%m-%dT%H:%M:%S.%f')"
            if type_ == "TIMESTAMP WITH TIME ZONE":
                shown = f"strftime(make_timestamp(epoch_us({cell})), '%Y-%m-%dT%H:%M:%S.%fZ')"
            # The largest and smallest numbers mean infinity, which is no time and no empty cell.
            return f"case when isfinite({cell}) then {shown} else cast({cell} as varchar) end"
        if type_ in ("DOUBLE", "FLOAT"):
            # A column of codes with gaps becomes floating point on its way through pandas.
            whole = f"cast(try_cast({cell} as bigint) as varchar)"
            return (
                f"case when not isnan({cell}) then"
                f" case when {cell} = trunc({cell}) and try_cast({cell} as bigint) is not null"
                f" then {whole} else replace(cast({cell} as varchar), '.', ',') end end"
            )
        if type_.startswith("DECIMAL"):
            # As above: a code that some tool made a number is written without decimals.
            whole = f"cast(cast({cell} as decimal(38, 0)) as varchar)"
            text = f"replace(cast({cell} as varchar), '.', ',')"
            return f"case when {cell} = trunc({cell}) then {whole} else {text} end"
        return f"cast({cell} as varchar)"


@dataclass(frozen=True)
class SomeRows:
    """A few rows of a file.

    Attributes:
        file: The file.
        lines: Where its rows stand.
        ordinals: Which rows, from 1 and in order, among those of the file's `relation`.
    """

    file: BulkFile
    lines: Lines
    ordinals: Sequence[int]

    @property
    def csv(self) -> CsvForm | None:
        """The csv that the rows can be copied from as lines, if they can."""
        by_lines = self.lines.starts is None and hasattr(os, "memfd_create")
        return self.file.csv if by_lines else None

    @cached_property
    def line_numbers(self) -> Sequence[int]:
        """The line that each row starts on."""
        return [self.lines.of(ordinal) for ordinal in self.ordinals]


def in_batches(files: Sequence[BulkFile]) -> Iterator[BulkFile]:
    """The files in their order, csv files of one form as one.

    A scan ends on one thread: a single large one leaves less of a machine idle than many small.
    """

    def batch(file: BulkFile) -> object:
        return file.number if file.csv is None else (file.form, file.csv.header_rows)

    for _, alike in groupby(files, batch):
        yield _as_one(list(alike))


def _as_one(files: Sequence[BulkFile]) -> BulkFile:
    first, last = files[0], files[-1]
    if first.csv is None or first is last:
        return first
    paths = [file.csv.path for file in files if file.csv is not None]
    whole = replace(
        first,
        landed=replace(first.landed, name=f"{first.landed.name} to {last.landed.name}"),
        source=_csv_source(first.csv, len(first.types), paths),
    )
    return whole.in_sequence if first.is_sequential else whole


def only(parts: Sequence[SomeRows], stack: ExitStack) -> BulkFile:
    """What reads a few rows of files, in the order of the parts.

    Of a csv whose rows are lines, these are copied, in memory only: another scan of the whole would
    cost many times as much.

    Args:
        parts: One part, or several of files of one form whose rows are lines.
        stack: Closes the copy.
    """
    first, csv_form = parts[0].file, parts[0].csv
    if csv_form is None:
        (part,) = parts
        return replace(first, ordinals=part.ordinals)
    copy = _in_memory(stack)
    # A byte-order mark at the start of a row is no part of it at the start of a file.
    copy.write(b"\n")
    for part in parts:
        assert part.csv is not None
        read = 0
        with part.csv.path.open("rb") as stream:
            for line in part.line_numbers:
                for text in islice(stream, line - read - 1, line - read):
                    # All ends alike: files may have others, and the last line of one has none.
                    copy.write(text.removesuffix(b"\n").removesuffix(b"\r") + b"\n")
                read = line
    copy.flush()
    form = replace(csv_form, path=_path_of(copy), header_rows=1)
    return replace(first, source=_csv_source(form, len(first.types)), csv=form)


@contextmanager
def reading(file: BulkFile | LandedFile) -> Iterator[None]:
    """Turn DuckDB's errors into ours: its texts quote cells, and cells may be anybody's.

    Raises:
        DeliveryRefused: the file cannot be read.
        IngestError: the machine fails (disk, memory) and no delivery is to blame.
    """
    name = file.landed.name if isinstance(file, BulkFile) else file.name
    try:
        yield
    except _OURS as error:
        path = file.landed.path if isinstance(file, BulkFile) else file.path
        if isinstance(error, duckdb.IOException) and _is_damaged_parquet(path):
            raise _unreadable(name, "IOException") from None
        raise IngestError(
            f"{name} cannot be read or its rows cannot be written ({type(error).__name__}):"
            " look for free memory and disk space"
        ) from None
    except (duckdb.InvalidInputException, duckdb.DataError) as error:
        raise _unreadable(name, type(error).__name__) from None
    except duckdb.Error as error:
        # Parts of a damaged Parquet file raise what has no kind. All others are defects of ours.
        if type(error) is not duckdb.Error:
            raise
        raise _unreadable(name, "Error") from None


def _is_damaged_parquet(path: Path) -> bool:
    """Whether another reader fails too: a footer may point beyond its file."""
    if path.suffix.lower() != ".parquet":
        return False
    try:
        with pq.ParquetFile(path) as parquet:
            for _ in parquet.iter_batches():
                pass
    except (pa.ArrowException, OSError):
        return path.is_file()
    return False


def _unreadable(name: str, reason: str) -> DeliveryRefused:
    if Path(name).suffix.lower() == ".parquet":
        return refuse(
            "unreadable_file",
            f"{name} cannot be read as Parquet: the file is truncated or damaged",
            "write it again and send it as a new delivery",
        )
    return refuse(
        "broken_csv",
        f"{name} cannot be read as csv: its quotes or line breaks are mixed up ({reason})",
        "write all rows alike and send the whole file again",
    )


def open_files(
    connection: duckdb.DuckDBPyConnection,
    spec: Spec,
    files: Sequence[LandedFile],
    stack: ExitStack,
) -> list[BulkFile]:
    """Look at all files of a delivery; the first refusal speaks for all, with the rows of all.

    Args:
        connection: Where they will be read.
        spec: A bulk source's spec.
        files: The files.
        stack: Closes what is held open while they are read.

    Raises:
        DeliveryRefused: a file cannot be read, or has an unknown, missing or repeated column.
    """
    opened: list[BulkFile] = []
    refusals: list[DeliveryRefused] = []
    for number, file in enumerate(files, start=1):
        try:
            opened.append(_open(connection, spec, file, number, stack))
        except DeliveryRefused as refusal:
            refusals.append(refusal)
    if not refusals:
        return opened
    finding = refusals[0].finding
    counts = [refusal.rows_in for refusal in refusals]
    rows_in: int | None = None
    if None not in counts:
        rows_in = sum(count or 0 for count in counts)
        rows_in += sum(_rows_of(connection, file) for file in opened)
    raise refuse(finding.code, finding.message, finding.fix, column=finding.column, rows_in=rows_in)


def _rows_of(connection: duckdb.DuckDBPyConnection, file: BulkFile) -> int:
    if file.csv is not None:
        return _csv_rows(file.landed, file.csv.separator) - 1
    row = connection.execute(f"select count(*) from {file.relation}").fetchone()
    assert row is not None
    return int(row[0])


def _open(
    connection: duckdb.DuckDBPyConnection,
    spec: Spec,
    file: LandedFile,
    number: int,
    stack: ExitStack,
) -> BulkFile:
    if file.size == 0:
        raise refuse("empty_file", f"{file.name} is empty", "send the file again")
    suffix = file.path.suffix.lower()
    file = _speakable(file, stack)
    match suffix:
        case ".csv" | ".txt":
            return _open_csv(connection, spec, file, number, stack)
        case ".parquet":
            with reading(file):
                return _open_parquet(connection, spec, file, number)
    raise refuse(
        "unknown_format",
        f"{file.name} is neither csv nor Parquet",
        "send the rows in one of these formats",
    )


def _speakable(file: LandedFile, stack: ExitStack) -> LandedFile:
    """The file under a path that SQL can hold: on Linux its name may be other bytes than UTF-8."""
    try:
        str(file.path).encode()
    except UnicodeEncodeError:
        return replace(file, path=_path_of(stack.enter_context(file.path.open("rb"))))
    return file


def _is_filled(connection: duckdb.DuckDBPyConnection, file: BulkFile, index: int) -> bool:
    """Whether a column of a file holds anything, on whatever line of it."""
    cell = cleaned(f"cast(c{index} as varchar)")
    with reading(file):
        # Fetched to the end, or the scan has not put its rejects anywhere yet.
        ((filled,),) = connection.execute(f"select count({cell}) from {file.relation}").fetchall()
        take_rejects(connection, file)
    return bool(filled)


# --- csv ------------------------------------------------------------------------------------------


def _open_csv(
    connection: duckdb.DuckDBPyConnection,
    spec: Spec,
    file: LandedFile,
    number: int,
    stack: ExitStack,
) -> BulkFile:
    encoding, lines = _look_through(file)
    with file.path.open("rb") as stream:
        data = stream.read(_SAMPLE_BYTES)
    name = "utf-8-sig" if encoding == "utf-8" else encoding
    sample = data.decode(name, errors="ignore")
    separator = _separator(spec, sample)
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=separator)
    found = _first_filled(reader)
    if found is None:
        raise refuse("empty_file", f"{file.name} holds only blank lines", "send the file again")
    header_rows, header = found
    header_lines = reader.line_num
    path = _recoded(file, stack) if encoding == "cp1252" else file.path
    form = CsvForm(path, encoding, separator, header_rows, header_lines, lines)
    types = ["VARCHAR"] * len(header)
    unnamed = BulkFile(file, number, _csv_source(form, len(header)), "*", types, {}, {}, form)
    is_filled = partial(_is_filled, connection, unnamed)
    try:
        positions = column_positions(spec, file.name, header, None, is_filled)
    except DeliveryRefused as refusal:
        has_header = refusal.finding.code != "no_header"
        rows_in = _csv_rows(file, separator) - has_header
        reason = refusal.finding
        raise refuse(
            reason.code, reason.message, reason.fix, column=reason.column, rows_in=rows_in
        ) from None
    # The sample breaks off anywhere: its last row may be half of one.
    body = [cells for cells in islice(reader, _SAMPLE_ROWS) if len(cells) >= len(header)]
    texts = {
        column: [cells[positions[column]] for cells in body]
        for column in spec.columns
        if column in positions
    }
    return replace(unnamed, positions=positions, time_forms=_time_forms(spec, texts))


def _separator(spec: Spec, sample: str) -> str:
    """The separator under which the first row has most of the source's headers.

    Rows do not tell: notes of several lines may hold more commas than there are semicolons.
    """
    found = {mark: _known_headers(spec, sample, mark) for mark in SEPARATORS}
    best = [mark for mark in SEPARATORS if found[mark] == max(found.values())]
    return best[0] if len(best) == 1 else separator_of(sample)


def _known_headers(spec: Spec, sample: str, separator: str) -> int:
    found = _first_filled(csv.reader(io.StringIO(sample, newline=""), delimiter=separator))
    return 0 if found is None else len({spec.column_of(cell) for cell in found[1]} - {None})


def _first_filled(rows: Iterator[list[str]]) -> tuple[int, list[str]] | None:
    """Number and cells of the first row that is not blank."""
    filled = ((n, cells) for n, cells in enumerate(rows, 1) if any(cell.strip() for cell in cells))
    return next(filled, None)


def _csv_source(form: CsvForm, width: int, paths: Sequence[Path] = ()) -> str:
    """SQL that reads a csv, or several of its form, without its closing bracket."""
    read = ", ".join(_quoted_path(path) for path in paths or (form.path,))
    names = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(width))
    encoded = ", encoding = 'latin-1'" if form.encoding == "latin-1" else ""
    return (
        f"read_csv([{read}], auto_detect = false, header = false,"
        f" skip = {form.header_rows}, delim = {quoted(form.separator)}, quote = '\"',"
        " escape = '\"',"
        # Not `ignore_errors`, which loses the row after one with broken quotes (DuckDB 1.5).
        f" columns = {{{names}}}{encoded}, store_rejects = true"
    )


def _quoted_path(path: Path) -> str:
    """A path as SQL that stands for this file alone: brackets and stars are patterns to DuckDB."""
    return quoted(re.sub(r"([\[*?])", r"[\1]", str(path)))


def _look_through(file: LandedFile) -> tuple[str, int]:
    """Encoding of a csv, and its lines up to the last that is not blank."""
    lines = trailing = 0
    decoder: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()
    with file.path.open("rb") as stream:
        if stream.read(2) in _BYTE_ORDER_MARKS:
            raise _not_accepted(file, "is UTF-16")
        stream.seek(0)
        while chunk := stream.read(_CHUNK_BYTES):
            # `bytes.count` looks for one line end after the other: four times as long.
            lines += int(np.count_nonzero(np.frombuffer(chunk, np.uint8) == _LINE_END))
            content = chunk.rstrip(b"\r\n")
            trailing = chunk[len(content) :].count(b"\n") + (0 if content else trailing)
            if decoder is not None and not (chunk.isascii() and not decoder.getstate()[0]):
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError:
                    decoder = None
    lines += 1 - trailing
    if decoder is not None and not decoder.getstate()[0]:
        return "utf-8", lines
    controls = _control_bytes(file)
    if controls - WINDOWS_MARKS:
        raise _not_accepted(file, "is neither UTF-8 nor Latin-1")
    return "cp1252" if controls else "latin-1", lines


def _control_bytes(file: LandedFile) -> set[int]:
    found: set[int] = set()
    with file.path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            found |= set(chunk.translate(None, _NO_CONTROLS))
    return found


def _not_accepted(file: LandedFile, what: str) -> DeliveryRefused:
    return refuse(
        "broken_encoding",
        f"{file.name} {what}",
        "save the file as CSV UTF-8 and send it as a new delivery",
    )


def _recoded(file: LandedFile, stack: ExitStack) -> Path:
    """A copy in UTF-8 of a file in Windows-1252, which DuckDB does not read; in memory only."""
    if not hasattr(os, "memfd_create"):
        raise _not_accepted(file, "holds characters of Windows-1252")
    copy = _in_memory(stack)
    with file.path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            copy.write(chunk.decode("cp1252").encode())
    copy.flush()
    return _path_of(copy)


def _in_memory(stack: ExitStack) -> BinaryIO:
    return stack.enter_context(os.fdopen(os.memfd_create("delivery"), "wb"))


def _path_of(copy: BinaryIO) -> Path:
    return Path(f"/proc/self/fd/{copy.fileno()}")


def _csv_rows(file: LandedFile, separator: str) -> int:
    """Rows of a csv, its header among them, blank lines apart."""
    return sum(1 for start, _ in _row_lines(file, separator) if start)


def _row_lines(file: LandedFile, separator: str) -> Iterator[tuple[int, int]]:
    """First and last line of each row of a csv; (0, 0) for a blank line."""
    with file.path.open(encoding="latin-1", newline="") as stream:
        reader = csv.reader(stream, delimiter=separator)
        line = 1
        try:
            for cells in reader:
                yield (line, reader.line_num) if cells else (0, 0)
                line = reader.line_num + 1
        except csv.Error:
            raise _swallowed(file, line) from None


# --- Parquet --------------------------------------------------------------------------------------


def _open_parquet(
    connection: duckdb.DuckDBPyConnection, spec: Spec, file: LandedFile, number: int
) -> BulkFile:
    path = _quoted_path(file.path)
    # Names of folders are ours and the machine's, and no columns.
    source = f"read_parquet({path}, binary_as_string = true, hive_partitioning = false"
    columns = connection.execute(
        f"select column_name, column_type from (describe select * from {source}))"
    ).fetchall()
    rows = connection.execute(f"select count(*) from {source})").fetchone()
    assert rows is not None
    header = [name for name, _ in columns]
    types = [str(type_) for _, type_ in columns]
    selected = ", ".join(
        f'"{name.replace(chr(34), chr(34) * 2)}" as c{index}' for index, name in enumerate(header)
    )
    unnamed = BulkFile(file, number, source, selected, types, {}, {})
    # White space alone is no header; a column without any name gets one from DuckDB.
    is_filled = partial(_is_filled, connection, unnamed)
    positions = column_positions(spec, file.name, header, rows[0], is_filled)
    wide = connection.execute(
        f"select 1 from parquet_schema({path}) where precision > {_MOST_DIGITS}"
    ).fetchone()
    if wide is not None:
        raise refuse(
            "unreadable_file",
            f"{file.name} has a column of numbers with more than {_MOST_DIGITS} digits",
            "write its values as text and send the file as a new delivery",
            rows_in=rows[0],
        )
    texts = {
        column: [
            text
            for (text,) in connection.execute(
                f"select c{position} from (select {selected} from {source}))"
                f" where c{position} is not null limit {_SAMPLE_ROWS}"
            ).fetchall()
        ]
        for column, position in positions.items()
        if spec.columns[column].type == "timestamp" and types[position] == "VARCHAR"
    }
    return replace(unnamed, positions=positions, time_forms=_time_forms(spec, texts))


def _time_forms(spec: Spec, texts: Mapping[str, Sequence[str]]) -> dict[str, TimeForm]:
    """The form that most of a column's first times have."""
    return {
        name: max(
            TIME_FORMS,
            key=lambda form: sum(
                re.fullmatch(form.pattern, text) is not None for text in texts.get(name, ())
            ),
        )
        for name, column in spec.columns.items()
        if column.type == "timestamp"
    }


# --- lines ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lines:
    """Where the rows of a file stand.

    Attributes:
        broken: Line and rule of those that are no rows by their mere shape.
        header_lines: Lines up to the header and with it.
        places: Places of the broken rows among all rows, when each row is a line.
        starts: First lines of the other rows, when some row is not a line.
    """

    broken: Sequence[tuple[int, str]] = ()
    header_lines: int = 1
    places: Sequence[int] = ()
    starts: Sequence[int] | None = None

    def of(self, ordinal: int) -> int:
        """Line on which a row starts, given its ordinal among those that are not broken."""
        if self.starts is not None:
            return self.starts[ordinal - 1]
        place = ordinal
        while (moved := ordinal + bisect_right(self.places, place)) != place:
            place = moved
        return self.header_lines + place


def take_rejects(connection: duckdb.DuckDBPyConnection, file: BulkFile) -> list[tuple[int, str]]:
    """Number and error of the rows that the scan before left out; raw rows, they are forgotten."""
    if file.csv is None:
        return []
    found = connection.execute(
        "select line, list(distinct cast(error_type as varchar)) from reject_errors"
        " group by line order by line"
    ).fetchall()
    connection.execute("drop table reject_errors; drop table reject_scans")
    return [(int(line), max(kinds, key=_severity)) for line, kinds in found]


def _severity(kind: str) -> int:
    known = list(_DEFECTS)
    return known.index(kind) if kind in known else len(known)


def find_lines(file: BulkFile, rows: int, rejects: Sequence[tuple[int, str]]) -> Lines:
    """Account for every line of a file.

    Args:
        file: The file.
        rows: Rows that DuckDB reads in it.
        rejects: Number (blank lines and the header count) and DuckDB's error of those it does not.

    Raises:
        DeliveryRefused: rows are swallowed by a quote that does not close.
    """
    form = file.csv
    if form is None:
        return Lines()
    for number, kind in rejects:
        if kind not in _DEFECTS:
            raise _swallowed(file.landed, number)
    broken = [(number, _DEFECTS[kind]) for number, kind in rejects]
    if rows + len(broken) == form.lines - form.header_lines:
        # As many rows as lines: each line is a row, and a broken one ends with its line.
        _refuse_open_end(file, broken, form.header_rows + rows + len(broken))
        places = [number - form.header_rows for number, _ in broken]
        lines = [
            (form.header_lines + place, rule)
            for place, (_, rule) in zip(places, broken, strict=True)
        ]
        return Lines(lines, form.header_lines, places)
    return _exact_lines(file, form, rows, broken)


def _exact_lines(
    file: BulkFile, form: CsvForm, rows: int, broken: Sequence[tuple[int, str]]
) -> Lines:
    """Lines in a file with blank ones, or with cells that hold line breaks."""
    rules = dict(broken)
    starts = array("q")
    lines: list[tuple[int, str]] = []
    last = 0
    for number, (start, end) in enumerate(_row_lines(file.landed, form.separator), start=1):
        if number <= form.header_rows or not start:
            continue
        last = number
        rule = rules.get(number)
        if rule is None:
            starts.append(start)
            continue
        if rule == "broken_quotes" and end > start:
            raise _swallowed(file.landed, start)
        lines.append((start, rule))
    if len(starts) != rows or len(lines) != len(broken):
        raise _swallowed(file.landed, lines[0][0] if lines else form.header_lines + 1)
    _refuse_open_end(file, broken, last)
    return Lines(lines, form.header_lines, starts=starts)


def _refuse_open_end(file: BulkFile, broken: Sequence[tuple[int, str]], last: int) -> None:
    """Refuse a file that ends in a quoted cell: who knows how many rows are lost."""
    if not broken or broken[-1] != (last, "broken_quotes"):
        return
    assert file.csv is not None
    with file.landed.path.open("rb") as stream:
        stream.seek(max(0, file.landed.size - _TAIL_BYTES))
        line = stream.read().rstrip(b"\r\n").rpartition(b"\n")[2].decode("latin-1")
    try:
        list(csv.reader([line], delimiter=file.csv.separator, strict=True))
    except csv.Error as error:
        if "unexpected end" not in str(error):
            return
    raise refuse(
        "broken_csv",
        f"{file.landed.name} breaks off in a quoted cell on line {file.csv.lines}",
        "send the whole file again",
    )


def _swallowed(file: LandedFile, line: int) -> DeliveryRefused:
    return refuse(
        "broken_csv",
        f"{file.name} cannot be read from line {line} on:"
        " a cell is too long, or a quote that does not close swallows the rows after it",
        "correct the quotes and send the whole file again",
    )
