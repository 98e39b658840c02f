"""From a sheet of texts to rows of the source's columns: finds the header, picks the form.

A unit's file may be long or wide, may have a title above the table and footnotes below it. Headers
decide: every one must be a column, a spread value or a header that the spec ignores.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from openpyxl.utils import get_column_letter

from ingest.codes import CodeTable
from ingest.errors import DeliveryRefused, Finding, refuse, shown
from ingest.reading import Row, Sheet
from ingest.spec import Form, Spec, Spread
from ingest.text import label_key, one_line

#: Titles and parameter cells stand above the header; further down nothing is taken for one.
HEADER_SEARCH_ROWS = 30

_PERIOD = re.compile(r"^\d{4}(-(0[1-9]|1[0-2])|-?[qQ][1-4])?$")


@dataclass(frozen=True)
class RawRow:
    """One row of the source as text, before any cast.

    Attributes:
        values: Column -> text as delivered.
        file: File it came from.
        line: Line (or sheet row) it stands on.
        column: Header of the spread column it came from, None in a long form.
        defect: Rule it breaks by its mere shape (`too_many_cells`), None for a regular row.
    """

    values: Mapping[str, str]
    file: str
    line: int
    column: str | None = None
    defect: str | None = None


@dataclass(frozen=True)
class Layout:
    """A file's rows and what was noticed while finding them."""

    form: str
    rows: tuple[RawRow, ...]
    findings: tuple[Finding, ...] = ()


@dataclass
class _Plan:
    """How the columns of one sheet are read under one form."""

    form: Form
    direct: dict[str, int] = field(default_factory=dict)
    spread: dict[str, int] = field(default_factory=dict)
    also: dict[str, dict[str, int]] = field(default_factory=dict)
    labels: dict[int, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    cells: dict[str, str] = field(default_factory=dict)

    @property
    def problems(self) -> int:
        return len(self.unknown) + len(self.missing) + len(self.repeated)


def lay_out(spec: Spec, sheets: Sequence[Sheet], codes: Mapping[str, CodeTable]) -> Layout:
    """Find the table in a file and read its rows as texts.

    Args:
        spec: The source's spec.
        sheets: The file's sheets; exactly one of them must hold a table of the source.
        codes: Code tables, for headers that are codes.

    Raises:
        DeliveryRefused: no header, several tables, or an unknown, missing or repeated column.
    """
    found = [(sheet, header) for sheet in sheets if (header := _find_header(spec, sheet))]
    file = sheets[0].file
    if not found:
        rows = sum(1 for sheet in sheets for row in sheet.rows if not row.is_blank)
        raise _no_header(spec, file, rows)
    if len(found) > 1:
        names = ", ".join(str(sheet.name) for sheet, _ in found)
        raise refuse(
            "several_tables",
            f"{file} holds several tables of {spec.source} (sheets {names})",
            "send one table a file",
        )
    sheet, (start, depth) = found[0]
    labels = _labels(sheet.rows[start : start + depth])
    body, notes = _split_body(sheet.rows[start + depth :], len(labels))

    def is_filled(index: int) -> bool:
        return any(index < len(row.cells) and row.cells[index].strip() for row in body)

    plans = [_plan(spec, form, labels, sheet.rows[:start], is_filled, codes) for form in spec.forms]
    plan = min(plans, key=lambda item: item.problems)
    if plan.problems:
        raise _refused_columns(spec, file, plan, len(body) * max(1, len(plan.spread)))
    if not body:
        raise refuse(
            "no_rows", f"{file} has a header and no rows", "send the rows, or no file", rows_in=0
        )
    return Layout(plan.form.name, _raw_rows(plan, sheet.file, body), _note(file, notes))


def column_positions(
    spec: Spec,
    file: str,
    header: Sequence[str],
    rows_in: int | None,
    is_filled: Callable[[int], bool] = lambda _: False,
) -> dict[str, int]:
    """Which column of a file holds which column of the source, for a file with its header first.

    Args:
        spec: The source's spec.
        file: Name of the file, for messages.
        header: Texts of its first row.
        rows_in: Rows below it.
        is_filled: Whether a column, given its index, holds anything below the header. Asked only of
            columns without a header: an empty one is no column.

    Raises:
        DeliveryRefused: no header, or an unknown, missing or repeated column.
    """
    labels = [(one_line(cell),) if cell.strip() else () for cell in header]
    if not any(spec.column_of(text) for texts in labels for text in texts):
        raise _no_header(spec, file, rows_in)
    plan = _plan(spec, spec.forms[0], labels, (), is_filled, {})
    if plan.problems:
        raise _refused_columns(spec, file, plan, rows_in)
    return plan.direct


def _no_header(spec: Spec, file: str, rows_in: int | None) -> DeliveryRefused:
    expected = ", ".join(
        spec.header_name(name) for name, column in spec.columns.items() if not column.optional
    )
    return refuse(
        "no_header",
        f"no header of {spec.source} is found in {file}",
        f"put the column names ({expected}) in the first row",
        rows_in=rows_in,
    )


# --- header ---------------------------------------------------------------------------------------


def _find_header(spec: Spec, sheet: Sheet) -> tuple[int, int] | None:
    """Index of the header's first row and how many rows it spans."""
    best: tuple[int, int] | None = None
    best_score = 0
    for index, row in enumerate(sheet.rows[:HEADER_SEARCH_ROWS]):
        if row.is_banner:
            continue
        score = len({spec.column_of(cell) for cell in row.cells} - {None})
        if score > best_score:
            best, best_score = (index, sheet.depth_at.get(row.line, 1)), score
    return best


def _labels(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """The distinct texts above each column, from top to bottom."""
    width = max(len(row.cells) for row in rows)
    labels: list[tuple[str, ...]] = []
    for index in range(width):
        texts = [one_line(row.cells[index]) for row in rows if index < len(row.cells)]
        labels.append(tuple(dict.fromkeys(text for text in texts if text)))
    return labels


def _split_body(rows: Sequence[Row], width: int) -> tuple[list[Row], list[Row]]:
    """The table's rows, and the footnotes under it.

    A footnote is a row merged across the sheet, or one that stands after a blank row and has
    nothing but its first cell.
    """
    body: list[Row] = []
    notes: list[Row] = []
    after_blank = False
    for row in rows:
        if row.is_blank:
            after_blank = bool(body)
            continue
        only_first = len([cell for cell in row.cells if cell.strip()]) == 1 and row.cells[0].strip()
        if row.is_banner or (after_blank and only_first and width > 1):
            notes.append(row)
        else:
            body.append(row)
            after_blank = False
    return body, notes


# --- forms ----------------------------------------------------------------------------------------


def _plan(
    spec: Spec,
    form: Form,
    labels: Sequence[tuple[str, ...]],
    above: Sequence[Row],
    is_filled: Callable[[int], bool],
    codes: Mapping[str, CodeTable],
) -> _Plan:
    plan = _Plan(form)
    for index, texts in enumerate(labels):
        label = _label(spec, form.spread, texts)
        plan.labels[index] = label
        if not label:
            if is_filled(index):
                plan.unknown.append(f"(no header, column {get_column_letter(index + 1)})")
        elif form.spread and _take_spread(spec, form.spread, plan, label, index, codes):
            pass
        elif (column := spec.column_of(label)) is not None and _is_direct(form, column):
            if column in plan.direct:
                plan.repeated.append(label)
            plan.direct[column] = index
        elif not spec.is_ignored_header(label):
            plan.unknown.append(label)
    for column, names in form.cells.items():
        value = _labelled_cell(above, names)
        if value:
            plan.cells[column] = value
        elif column not in plan.direct:
            plan.missing.append(names[0])
    taken = {label_key(label) for label in plan.spread}
    for name, columns in plan.also.items():
        if name not in taken:
            # It says something of a column that is not there.
            plan.unknown += [plan.labels[index] for index in columns.values()]
    if form.spread and not plan.spread:
        plan.missing.append(f"one column for each {spec.header_name(form.spread.names_to)}")
    for name, declared in spec.columns.items():
        given = name in plan.direct or name in form.cells
        if form.spread and name in (form.spread.names_to, form.spread.values_to):
            given = True
        if not (given or declared.optional):
            plan.missing.append(spec.header_name(name))
    return plan


def _label(spec: Spec, spread: Spread | None, texts: tuple[str, ...]) -> str:
    """What a column is called, without the group header above it and the unit below it."""
    if spread is None or len(texts) == 1:
        return " ".join(texts)
    units = {label_key(unit) for unit in spread.units}
    kept = [
        text
        for text in texts
        if label_key(text) not in units and spec.column_of(text) != spread.names_to
    ]
    return " ".join(kept or texts)


def _is_direct(form: Form, column: str) -> bool:
    return form.spread is None or column not in (form.spread.names_to, form.spread.values_to)


def _take_spread(
    spec: Spec,
    spread: Spread,
    plan: _Plan,
    label: str,
    index: int,
    codes: Mapping[str, CodeTable],
) -> bool:
    """Take a header as a value of the spread column; False when it is none."""
    for column, pattern in spread.also.items():
        match = re.fullmatch(pattern, label, re.IGNORECASE)
        if match:
            columns = plan.also.setdefault(label_key(match["name"]), {})
            if column in columns:
                plan.repeated.append(label)
            columns[column] = index
            return True
    names = spec.columns[spread.names_to]
    if names.codes:
        is_value = codes[names.codes].code_of(label) is not None
    else:
        is_value = bool(_PERIOD.match(label))
    if is_value:
        if label_key(label) in map(label_key, plan.spread):
            plan.repeated.append(label)
        plan.spread[label] = index
    return is_value


def _labelled_cell(above: Sequence[Row], names: Sequence[str]) -> str | None:
    wanted = {label_key(name) for name in names}
    for row in above:
        texts = [cell for cell in row.cells if cell.strip()]
        if len(texts) > 1 and label_key(texts[0].rstrip(": ")) in wanted:
            return texts[1]
    return None


def _refused_columns(spec: Spec, file: str, plan: _Plan, rows_in: int | None) -> DeliveryRefused:
    def listed(names: Sequence[str]) -> str:
        return ", ".join(f'"{shown(name)}"' for name in dict.fromkeys(names))

    if plan.repeated:
        return refuse(
            "repeated_column",
            f"column {listed(plan.repeated)} stands twice in {file}",
            "leave one of the columns out and send a new delivery",
            column=shown(plan.repeated[0]),
            rows_in=rows_in,
        )
    if plan.missing and plan.unknown:
        return refuse(
            "renamed_column",
            f"column {listed(plan.missing)} is missing from {file}"
            f" and column {listed(plan.unknown)} is unknown",
            f"rename the column, or add its new header to ingest/specs/{spec.source}.yml",
            column=plan.missing[0],
            rows_in=rows_in,
        )
    if plan.missing:
        return refuse(
            "missing_column",
            f"column {listed(plan.missing)} is missing from {file}",
            "add the column and send a new delivery",
            column=plan.missing[0],
            rows_in=rows_in,
        )
    return refuse(
        "unknown_column",
        f"column {listed(plan.unknown)} is unknown in {file}",
        f"remove the column, or add it to ingest/specs/{spec.source}.yml"
        " (columns, headers or ignored_headers)",
        column=shown(plan.unknown[0]),
        rows_in=rows_in,
    )


# --- rows -----------------------------------------------------------------------------------------


def _raw_rows(plan: _Plan, file: str, body: Sequence[Row]) -> tuple[RawRow, ...]:
    width = max(plan.labels) + 1
    rows: list[RawRow] = []
    for row in body:
        defect = None
        if any(cell.strip() for cell in row.cells[width:]):
            defect = "too_many_cells"
        elif len(row.cells) < width:
            defect = "too_few_cells"
        cells = (*row.cells, *[""] * (width - len(row.cells)))
        values = {name: cells[index] for name, index in plan.direct.items()}
        values |= plan.cells
        spread = plan.form.spread
        if spread is None:
            rows.append(RawRow(values, file, row.line, None, defect))
            continue
        for label, index in plan.spread.items():
            also = plan.also.get(label_key(label), {})
            rows.append(
                RawRow(
                    {
                        **values,
                        spread.names_to: label,
                        spread.values_to: cells[index],
                        **{name: cells[position] for name, position in also.items()},
                    },
                    file,
                    row.line,
                    label,
                    defect,
                )
            )
    return tuple(rows)


def _note(file: str, notes: Sequence[Row]) -> tuple[Finding, ...]:
    if not notes:
        return ()
    lines = ", ".join(str(row.line) for row in notes)
    return (
        Finding(
            "footnotes_left_out",
            "info",
            f"footnotes under the table of {file} on line {lines} are not rows",
            "nothing, if they are footnotes",
            row_count=len(notes),
        ),
    )
