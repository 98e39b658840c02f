"""From a file to a sheet of text cells: csv, xlsx and Parquet as units hand them over.

Everything stays text here. What a text means is decided once, by the casts, so that a number typed
in a csv and a number formatted in Excel obey the same rules.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell, MergedCell

from ingest.errors import refuse
from ingest.landing import LandedFile

SEPARATORS = ";,\t"

#: Lines that show which separator a csv has.
SNIFFED_LINES = 30


@dataclass(frozen=True)
class Row:
    """One row of a sheet.

    Attributes:
        line: Line of the file (csv: the line on which the record starts) or row of the sheet.
        cells: Its texts; empty string for an empty cell. Merged cells repeat their text.
        is_banner: It holds nothing but one cell merged across the sheet: a title or a footnote.
    """

    line: int
    cells: tuple[str, ...]
    is_banner: bool = False

    @property
    def is_blank(self) -> bool:
        """Nothing in it but white space."""
        return not any(cell.strip() for cell in self.cells)


@dataclass(frozen=True)
class Sheet:
    """A table of texts.

    Attributes:
        file: Name of the file in its delivery.
        name: Name of the worksheet, None for files that have none.
        rows: All rows in order, blank ones too.
        depth_at: Line -> rows that a header starting on this line spans by its merged cells.
    """

    file: str
    name: str | None
    rows: tuple[Row, ...]
    depth_at: Mapping[int, int]


def read_file(file: LandedFile) -> tuple[Sheet, ...]:
    """Read all sheets of a file.

    Raises:
        DeliveryRefused: the file is empty, truncated, damaged, in an encoding or format that is
            not accepted. Rows are then unknown.
    """
    if file.size == 0:
        raise refuse("empty_file", f"{file.name} is empty", "send the file again")
    readers: Mapping[str, Callable[[LandedFile], tuple[Sheet, ...]]] = {
        ".csv": _read_csv,
        ".txt": _read_csv,
        ".xlsx": _read_xlsx,
        ".parquet": _read_parquet,
    }
    reader = readers.get(Path(file.name).suffix.lower())
    if reader is None:
        raise refuse(
            "unknown_format",
            f"{file.name} is neither csv, xlsx nor Parquet",
            "send the figures in one of these formats",
        )
    return reader(file)


# --- csv ------------------------------------------------------------------------------------------


#: € … Š Ž ‘ ’ – — š ž: what spreadsheets write where Latin-1 has control characters.
WINDOWS_MARKS = frozenset(b"\x80\x85\x8a\x8e\x91\x92\x96\x97\x9a\x9e")


def decode(data: bytes, name: str) -> str:
    """The text of a csv: UTF-8 with or without byte-order mark, else Latin-1.

    Latin-1 is read as Windows-1252, which is what spreadsheets write under its name: the same
    letters, and a dash and a euro sign where Latin-1 has control characters. The other codes there
    are refused: they are the letters of an old DOS code page.

    Raises:
        DeliveryRefused: UTF-16, or bytes that are neither, or letters lost in a conversion.
    """
    fix = "save the file as CSV UTF-8 and send it as a new delivery"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise refuse("broken_encoding", f"{name} is UTF-16", fix)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        if any(0x7F <= byte <= 0x9F and byte not in WINDOWS_MARKS for byte in data):
            raise refuse("broken_encoding", f"{name} is neither UTF-8 nor Latin-1", fix) from None
        text = data.decode("cp1252")
    if "\ufffd" in text or "\u00c3\u00a4" in text or "\u00c3\u00b6" in text:
        raise refuse(
            "broken_encoding", f"{name} was converted with a wrong encoding: ä or ö is lost", fix
        )
    return text


def separator_of(text: str) -> str:
    """The separator that cuts most lines at the start of a csv into the same number of fields.

    Most lines, and not the first: a title may hold a comma, and so may every decimal number. Of
    equals the one with more fields, and of these the semicolon.
    """
    lines = [line for line in text.splitlines() if line.strip()][:SNIFFED_LINES]

    def score(mark: str) -> tuple[int, int, bool]:
        counts = Counter(width for width in _widths(lines, mark) if width > 1)
        width, agreeing = max(counts.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
        return agreeing, width, mark == ";"

    return max(SEPARATORS, key=score)


def _widths(lines: Sequence[str], separator: str) -> Iterator[int]:
    """Cells of each row, up to one that is too long to be read."""
    try:
        for row in csv.reader(lines, delimiter=separator):
            yield len(row)
    except csv.Error:
        return


def _read_csv(file: LandedFile) -> tuple[Sheet, ...]:
    text = decode(file.path.read_bytes(), file.name)
    if not text.strip():
        raise refuse("empty_file", f"{file.name} holds only blank lines", "send the file again")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator_of(text), strict=True)
    rows = []
    line = 1
    try:
        for cells in reader:
            rows.append(Row(line, tuple(cells)))
            line = reader.line_num + 1
    except csv.Error as error:
        if "field limit" in str(error):
            raise refuse(
                "broken_csv",
                f"{file.name} cannot be read from line {line} on: a cell is too long, or a quote"
                " that does not close swallows the rows after it",
                "correct the quotes and send the whole file again",
            ) from error
        raise refuse(
            "broken_csv",
            f"{file.name} breaks off in a quoted field that starts on line {line} ({error})",
            "send the whole file again",
        ) from error
    return (Sheet(file.name, None, tuple(rows), {}),)


# --- xlsx -----------------------------------------------------------------------------------------


def _read_xlsx(file: LandedFile) -> tuple[Sheet, ...]:
    try:
        book = load_workbook(file.path, data_only=True)
        formulas = load_workbook(file.path, data_only=False)
    except Exception as error:
        # Whatever the zip and XML parsers below openpyxl raise on a damaged file: it is damaged.
        raise refuse(
            "unreadable_file",
            f"{file.name} cannot be read as xlsx: the file is truncated or damaged",
            "open it in Excel, save it again and send it as a new delivery",
        ) from error
    if not book.worksheets:
        raise refuse(
            "unreadable_file", f"{file.name} holds no worksheet", "send the file with its table"
        )
    _refuse_unstored_formulas(file.name, book, formulas)
    sheets = []
    for worksheet in book.worksheets:
        texts: dict[tuple[int, int], str] = {}
        for cells in worksheet.iter_rows():
            for cell in cells:
                assert cell.row is not None
                assert cell.column is not None
                texts[cell.row, cell.column] = _cell_text(cell)
        banners: set[int] = set()
        depth_at: dict[int, int] = {}
        for area in worksheet.merged_cells.ranges:
            text = texts.get((area.min_row, area.min_col), "")
            for row in range(area.min_row, area.max_row + 1):
                for column in range(area.min_col, area.max_col + 1):
                    texts[row, column] = text
            if area.min_col == 1 and area.max_col >= worksheet.max_column > 1:
                banners.update(range(area.min_row, area.max_row + 1))
            depth = area.max_row - area.min_row + 1
            depth_at[area.min_row] = max(depth, depth_at.get(area.min_row, 1))
        rows = tuple(
            Row(
                line,
                tuple(texts.get((line, j), "") for j in range(1, worksheet.max_column + 1)),
                line in banners,
            )
            for line in range(1, worksheet.max_row + 1)
        )
        sheets.append(Sheet(file.name, worksheet.title, rows, depth_at))
    return tuple(sheets)


def _refuse_unstored_formulas(name: str, book: Workbook, formulas: Workbook) -> None:
    """A formula whose result the file does not hold would read as an empty cell: as missing."""
    for worksheet in formulas.worksheets:
        values = book[worksheet.title]
        for cells in worksheet.iter_rows():
            for cell in cells:
                if cell.data_type == "f" and values[cell.coordinate].value is None:
                    raise refuse(
                        "formula_without_value",
                        f"cell {cell.coordinate} of {name} is a formula without a stored result",
                        "open the file in Excel, save it and send it as a new delivery",
                    )


def _cell_text(cell: Cell | MergedCell) -> str:
    value = cell.value
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = Decimal(repr(value))
        if "%" in str(cell.number_format or ""):
            return f"{number_text(number * 100)} %"
        return number_text(number)
    return value_text(value)


# --- Parquet --------------------------------------------------------------------------------------


def _read_parquet(file: LandedFile) -> tuple[Sheet, ...]:
    try:
        # Opened here: Arrow takes no path that is not UTF-8.
        with file.path.open("rb") as stream:
            table = pq.read_table(stream)
    except (pa.ArrowException, OSError) as error:
        raise refuse(
            "unreadable_file",
            f"{file.name} cannot be read as Parquet: the file is truncated or damaged",
            "write it again and send it as a new delivery",
        ) from error
    return (Sheet(file.name, None, tuple(_parquet_rows(table)), {}),)


def _parquet_rows(table: pa.Table) -> Iterator[Row]:
    # Row 1 is the header, as in the other formats, so that line numbers mean the same.
    yield Row(1, tuple(table.column_names))
    columns = [table.column(index).to_pylist() for index in range(table.num_columns)]
    for line, values in enumerate(zip(*columns, strict=True), start=2):
        yield Row(line, tuple(value_text(value) for value in values))


# --- native values --------------------------------------------------------------------------------


def number_text(number: Decimal) -> str:
    """A number of a typed file the way a Finnish unit writes it: decimal comma, no grouping.

    The comma matters: `1.234` in a csv is ambiguous, a typed 1.234 is not.
    """
    normal = number.normalize()
    return f"{normal:f}".replace(".", ",")


def value_text(value: Any) -> str:
    """A typed value as text that the casts read back without loss."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return number_text(Decimal(repr(value)) if isinstance(value, float) else Decimal(value))
    if isinstance(value, datetime):
        midnight = value.hour == value.minute == value.second == value.microsecond == 0
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
