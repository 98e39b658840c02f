"""Parts of the bulk way that rows of a delivery alone do not show."""

from __future__ import annotations

import io
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingest import bulk_files
from ingest.bulk_files import TIME_FORMS, BulkFile, Lines, find_lines, open_files, take_rejects
from ingest.casting import time_steps
from ingest.errors import DeliveryRefused
from ingest.landing import LandedFile
from ingest.rows import install_macros
from ingest.spec import Spec

SPEC = Spec.model_validate(
    {
        "source": "tiny",
        "title": "Tiny",
        "description": "Three columns",
        "owner": "nobody",
        "cadence": "once",
        "key": ["a"],
        "bulk": True,
        "columns": {"a": {}, "b": {}, "at": {"type": "timestamp", "optional": True}},
        "forms": [{"name": "long"}],
    }
)


def opened(connection: duckdb.DuckDBPyConnection, path: Path, stack: ExitStack) -> BulkFile:
    landed = LandedFile(path.name, path, "", path.stat().st_size)
    (file,) = open_files(connection, SPEC, [landed], stack)
    return file


def lines_of(path: Path) -> tuple[list[int], list[tuple[int, str]]]:
    """Lines of the rows of a file, and of those that are none."""
    with duckdb.connect() as connection, ExitStack() as stack:
        file = opened(connection, path, stack)
        connection.execute(f"create temp table scanned as select c0 from {file.relation}")
        rows = connection.execute("select rowid + 1, c0 from scanned").fetchall()
        found = find_lines(file, len(rows), take_rejects(connection, file))
        return [found.of(ordinal) for ordinal, _ in rows], list(found.broken)


def test_places_of_good_rows_move_on_by_the_broken_ones_before_them() -> None:
    places = Lines(places=(1, 2, 5, 6, 9), header_lines=3)
    assert [places.of(ordinal) - 3 for ordinal in range(1, 6)] == [3, 4, 7, 8, 10]


@pytest.mark.parametrize("has_breaks", [False, True])
def test_lines_of_a_file_of_many_buffers_are_right(tmp_path: Path, has_breaks: bool) -> None:
    """DuckDB reads such a file on several threads, a buffer each."""
    good, broken, text, line = [], [], io.StringIO(), 2
    text.write("a;b\n")
    for number in range(400_000):
        if number % 1000 == 7:
            text.write("x\n")
            broken.append((line, "too_few_cells"))
            line += 1
        elif has_breaks and number % 5000 == 0:
            text.write(f'{number};"{"y" * 200}\n\n"\n')
            good.append(line)
            line += 3
        else:
            text.write(f"{number};{'z' * 200}\n")
            good.append(line)
            line += 1
    path = tmp_path / "a.csv"
    path.write_text(text.getvalue(), encoding="utf-8")
    assert path.stat().st_size > 64 * 1024 * 1024
    assert lines_of(path) == (good, broken)


@pytest.mark.parametrize(
    ("texts", "encoding"),
    [
        (["a"], "utf-8"),
        (["ä", "\u20ac", "\U0001f600"], "utf-8"),
        (["ä"], "latin-1"),
        (["\u2013"], "cp1252"),
    ],
)
@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 1 << 24])
def test_an_encoding_is_found_wherever_chunks_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, texts: list[str], encoding: str, chunk: int
) -> None:
    monkeypatch.setattr(bulk_files, "_CHUNK_BYTES", chunk)
    path = tmp_path / "a.csv"
    path.write_bytes(("a;b\n" + "".join(f"{text};1\n" for text in texts)).encode(encoding))
    with duckdb.connect() as connection, ExitStack() as stack:
        file = opened(connection, path, stack)
        assert file.csv is not None
        assert (file.csv.encoding, file.csv.lines) == (encoding, len(texts) + 1)
        rows = connection.execute(f"select c0 from {file.relation}").fetchall()
    assert [text for (text,) in rows] == texts


@pytest.mark.parametrize(
    ("end", "lines"), [("", 3), ("\n", 3), ("\n\n\n", 3), ("\r\n\r\n", 3), ("\nx;y", 4)]
)
@pytest.mark.parametrize("chunk", [1, 2, 1 << 24])
def test_blank_lines_at_the_end_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, lines: int, chunk: int
) -> None:
    monkeypatch.setattr(bulk_files, "_CHUNK_BYTES", chunk)
    path = tmp_path / "a.csv"
    path.write_text(f"a;b\n1;2\n3;4{end}", encoding="utf-8", newline="")
    with duckdb.connect() as connection, ExitStack() as stack:
        file = opened(connection, path, stack)
    assert file.csv is not None
    assert file.csv.lines == lines


def test_a_wrapped_header_and_blank_lines_above_it_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('\n\n"a\n";b\n1;2\nx\n3;4\n', encoding="utf-8")
    # White space in a header does not matter, so that a wrapped label is its column.
    assert lines_of(path) == ([5, 7], [(6, "too_few_cells")])


def test_a_very_long_cell_refuses_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"a;b\n1;{'x' * 3_000_000}\n2;3\n", encoding="utf-8")
    with pytest.raises(DeliveryRefused, match="cannot be read"):
        lines_of(path)


# --- times ----------------------------------------------------------------------------------------

CONNECTION = duckdb.connect()
install_macros(CONNECTION)

TEXTS = (
    "31.01.2022 08:15", "1.2.2022 8:15", "31.01.2022 08:15:59", "31.01.2022 24:00",
    "29.02.2023 08:15", "31.01.2022 08:60", "2022-01-31 08:15", "2022-01-31T08:15",
    "2022-01-31T08:15:59", "2022-01-31T08:15:59.5", "2022-01-31T08:15:59.123456",
    "2022-01-31 24:00:00", "2022-02-30 08:15", "2022-01-31T08:15:59Z", "2022-01-31 08:15:59+02:00",
    "2022-01-31T08:15:59.25-11:30", "2022-01-31T08:15Z", "2022-01-31T08:15+03:00",
    "2022-01-31 08:15-00:30", "2022-01-31T23:59:59+14:00", "2022-01-31T24:00:00Z",
    "2022-01-31T08:15:59+02:75", "2022-01-31T08:15+99:00", "2022-02-30T08:15:00Z",
)  # fmt: skip


def slow(text: str) -> Any:
    """UTC time by the rules of `ingest.casting`."""
    query = "select $t::varchar as t"
    for step in time_steps("t"):
        columns = ", ".join(f"{sql} as {name}" for name, sql in step.items())
        query = f"select *, {columns} from ({query})"
    row = CONNECTION.execute(f"select t__utc from ({query})", {"t": text}).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("offset", "utc"),
    [("+14:00", "2022-01-30 18:15"), ("-12", "2022-01-31 20:15"), ("+0259", "2022-01-31 05:16"),
     ("+15:00", None), ("+25:00", None), ("-99:00", None), ("+02:60", None), ("+0275", None)],
)  # fmt: skip
def test_no_clock_is_further_from_utc_than_fourteen_hours(offset: str, utc: str | None) -> None:
    expected = None if utc is None else datetime.fromisoformat(utc)
    assert slow(f"2022-01-31T08:15:00{offset}") == expected


def test_every_usual_form_of_a_time_gives_the_same_time_as_the_rules_or_none() -> None:
    taken = set()
    for text in TEXTS:
        for number, form in enumerate(TIME_FORMS):
            value = (
                form.sql.format("t")
                if form.is_instant
                else f"helsinki_to_utc({form.sql.format('t')})"
            )
            row = CONNECTION.execute(
                f"select case when regexp_full_match(t, '{form.pattern}') then {value} end"
                " from (select $t as t)",
                {"t": text},
            ).fetchone()
            assert row is not None
            if row[0] is not None:
                assert row[0] == slow(text), text
                taken.add(number)
    assert taken == set(range(len(TIME_FORMS)))
