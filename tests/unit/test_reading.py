"""From bytes to texts: encodings, separators, line numbers and typed values."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import DeliveryRefused
from ingest.landing import LandedFile
from ingest.reading import Sheet, decode, number_text, read_file, separator_of, value_text

TEXT = "Päihdetyö; 1\u00a0234"


def sheet_of(folder: Path, text: str | bytes, name: str = "a.csv") -> Sheet:
    data = text.encode() if isinstance(text, str) else text
    path = folder / name
    path.write_bytes(data)
    (sheet,) = read_file(LandedFile(name, path, "", len(data)))
    return sheet


@pytest.mark.parametrize(
    "data",
    [TEXT.encode("utf-8"), TEXT.encode("utf-8-sig"), TEXT.encode("latin-1")],
    ids=["utf-8", "utf-8 with byte-order mark", "latin-1"],
)
def test_utf8_and_latin1_are_read_alike(data: bytes) -> None:
    assert decode(data, "a.csv") == TEXT


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (TEXT.encode("utf-16"), "a.csv is UTF-16"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "a.csv is UTF-16"),
        (b"P\x84ihdety\x94", "a.csv is neither UTF-8 nor Latin-1"),
        (b"P\xe4ihde\x81", "a.csv is neither UTF-8 nor Latin-1"),
        (b"P\xe4ihde\x9f", "a.csv is neither UTF-8 nor Latin-1"),
        (b"P\xe4ihde\x7f", "a.csv is neither UTF-8 nor Latin-1"),
        (
            TEXT.encode().decode("latin-1").encode(),
            "a.csv was converted with a wrong encoding: ä or ö is lost",
        ),
        (
            "P\ufffdihdety\ufffd".encode(),
            "a.csv was converted with a wrong encoding: ä or ö is lost",
        ),
    ],
)
def test_a_broken_encoding_is_refused_with_what_is_wrong(data: bytes, message: str) -> None:
    with pytest.raises(DeliveryRefused) as refusal:
        decode(data, "a.csv")
    finding = refusal.value.finding
    assert (finding.code, finding.message) == ("broken_encoding", message)
    assert finding.fix == "save the file as CSV UTF-8 and send it as a new delivery"
    assert refusal.value.rows_in is None


@pytest.mark.parametrize("edge", ["~", "\u00a0", "ÿ"])
def test_characters_next_to_the_control_characters_are_latin1(edge: str) -> None:
    assert decode(f"ä{edge}".encode("latin-1"), "a.csv") == f"ä{edge}"


@pytest.mark.parametrize(
    ("header", "mark"),
    [
        ("A;B;C", ";"),
        ("A,B,C", ","),
        ("A\tB\tC", "\t"),
        ("A;B, C", ";"),
        ("A, B;C;D", ";"),
        ("A", ";"),
        ("", ";"),
    ],
)
def test_the_separator_is_the_one_that_cuts_the_header_most(header: str, mark: str) -> None:
    assert separator_of(header) == mark


def test_a_comma_inside_a_quoted_header_does_not_choose_the_separator(tmp_path: Path) -> None:
    sheet = sheet_of(tmp_path, 'RYHMA;"Sairaala-, kuntoutus-, hoiva-, muut"\nx;1\n')
    assert [row.cells for row in sheet.rows] == [
        ("RYHMA", "Sairaala-, kuntoutus-, hoiva-, muut"),
        ("x", "1"),
    ]


@pytest.mark.parametrize("mark", [";", ",", "\t"])
def test_a_title_above_the_header_does_not_choose_the_separator(tmp_path: Path, mark: str) -> None:
    sheet = sheet_of(tmp_path, f"Suoritteet, vuosi 2021\n\nA{mark}B{mark}C\n1{mark}2{mark}3\n")
    assert [row.cells for row in sheet.rows[2:]] == [("A", "B", "C"), ("1", "2", "3")]


def test_a_row_has_the_line_on_which_its_record_starts(tmp_path: Path) -> None:
    sheet = sheet_of(tmp_path, 'A;B\r\n1;"two\r\nlines"\r\n\r\n2;x\r\n')
    assert [(row.line, row.cells) for row in sheet.rows] == [
        (1, ("A", "B")),
        (2, ("1", "two\r\nlines")),
        (4, ()),
        (5, ("2", "x")),
    ]
    assert [row.is_blank for row in sheet.rows] == [False, False, True, False]


def test_doubled_quotes_are_one_quote(tmp_path: Path) -> None:
    assert sheet_of(tmp_path, 'A;B\n"sanoi ""ei""";2\n').rows[1].cells == ('sanoi "ei"', "2")


def test_a_csv_that_breaks_off_in_a_quoted_field_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeliveryRefused) as refusal:
        sheet_of(tmp_path, 'A;B\n1;2\n3;"brok')
    assert refusal.value.finding.message == (
        "a.csv breaks off in a quoted field that starts on line 3 (unexpected end of data)"
    )


@pytest.mark.parametrize("text", ["\n", " \n\t\n", "\ufeff\r\n"])
def test_a_file_of_blank_lines_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DeliveryRefused) as refusal:
        sheet_of(tmp_path, text)
    assert refusal.value.finding.message == "a.csv holds only blank lines"


def test_the_ending_of_a_file_name_may_be_in_capitals(tmp_path: Path) -> None:
    assert sheet_of(tmp_path, "A;B\n", "RAPORTTI.CSV").rows[0].cells == ("A", "B")
    assert sheet_of(tmp_path, "A;B\n", "raportti.txt").rows[0].cells == ("A", "B")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (60, "60"),
        (60.0, "60"),
        (1_274_049, "1274049"),
        (1.234, "1,234"),
        (0.1, "0,1"),
        (1e15, "1000000000000000"),
        (1e-7, "0,0000001"),
        (-5, "-5"),
        (Decimal("2452.40"), "2452,4"),
        (Decimal(100), "100"),
        (date(2021, 12, 31), "2021-12-31"),
        (datetime(2021, 12, 31, tzinfo=UTC), "2021-12-31"),
        (datetime.fromisoformat("2021-12-31T08:05"), "2021-12-31 08:05:00"),
        ("Ks. muu avohoito", "Ks. muu avohoito"),
    ],
)
def test_a_typed_value_is_written_as_a_finnish_unit_would(value: Any, text: str) -> None:
    assert value_text(value) == text


def test_a_number_has_a_decimal_comma_and_no_grouping() -> None:
    assert number_text(Decimal("1274049.50")) == "1274049,5"
    assert number_text(Decimal("1E+3")) == "1000"
