"""Bad deliveries and bad rows: refused or quarantined, counted, and told in one exact line."""

from __future__ import annotations

import io
import os
import zipfile
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

if TYPE_CHECKING:
    from tests.conftest import Home

ID = "output_statistics/2022-01-31"
HEADER = "SUORITE;JAKSO;ARVO\n"
#: Twelve good rows, one a month: one bad row among them stays below a tenth.
YEAR = "".join(f"Päihdetyö;2021-{month:02};{month * 100}\n" for month in range(1, 13))


def xlsx(*rows: tuple[Any, ...]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def parquet(columns: dict[str, list[Any]]) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream)
    return stream.getvalue()


def refused(home: Home, files: dict[str, str | bytes], delivery_id: str = ID) -> tuple[str, str]:
    """Deliver what is to be refused; its rule and its text."""
    home.deliver(delivery_id, files)
    home.ingest()
    entry = home.entry(delivery_id)
    assert entry.outcome == "refused"
    assert entry.rows_loaded == 0
    source = delivery_id.split("/", maxsplit=1)[0]
    assert home.query(f"select count(*) from lake.{source}") == [(0,)]
    return entry.findings[0].code, home.texts(delivery_id)[0]


# --- columns --------------------------------------------------------------------------------------


def test_an_unknown_column_refuses_the_delivery(home: Home) -> None:
    assert refused(home, {"a.csv": "SUORITE;JAKSO;ARVO;VARI\nPäihdetyö;2021;1;x\n"}) == (
        "unknown_column",
        (
            'output_statistics/2022-01-31: refused: column "VARI" is unknown in a.csv (1 row).'
            " Fix: remove the column, or add it to ingest/specs/output_statistics.yml"
            " (columns, headers or ignored_headers)"
        ),
    )


def test_a_missing_column_refuses_the_delivery(home: Home) -> None:
    assert refused(home, {"a.csv": "SUORITE;JAKSO\nPäihdetyö;2021\nPäihdetyö;2020\n"}) == (
        "missing_column",
        (
            'output_statistics/2022-01-31: refused: column "ARVO" is missing from a.csv (2 rows).'
            " Fix: add the column and send a new delivery"
        ),
    )


def test_a_renamed_column_is_told_with_both_names(home: Home) -> None:
    assert refused(home, {"a.csv": "SUORITE;JAKSO;LKM\nPäihdetyö;2021;1\n"}) == (
        "renamed_column",
        (
            'output_statistics/2022-01-31: refused: column "ARVO" is missing from a.csv and column'
            ' "LKM" is unknown (1 row). Fix: rename the column, or add its new header to'
            " ingest/specs/output_statistics.yml"
        ),
    )


def test_a_repeated_column_refuses_the_delivery(home: Home) -> None:
    assert refused(home, {"a.csv": "SUORITE;JAKSO;ARVO;Arvo\nPäihdetyö;2021;1;2\n"}) == (
        "repeated_column",
        (
            'output_statistics/2022-01-31: refused: column "Arvo" stands twice in a.csv (1 row).'
            " Fix: leave one of the columns out and send a new delivery"
        ),
    )


def test_a_whole_column_of_the_wrong_type_refuses_the_delivery(home: Home) -> None:
    text = HEADER + YEAR.replace("00\n", " kpl\n")
    assert refused(home, {"a.csv": text}) == (
        "too_many_bad_rows",
        (
            "output_statistics/2022-01-31: refused: 12 of 12 rows break a rule, more than the 10%"
            ' allowed; most often column "ARVO" (12 rows, such as "1 kpl"): this is not a'
            " whole number"
            ' (12 rows). Fix: correct column "ARVO" and send a new delivery'
        ),
    )
    entry = home.entry(ID)
    assert (entry.rows_in, entry.rows_quarantined, entry.rows_refused) == (12, 12, 0)


def test_a_file_without_the_sources_header_refuses_the_delivery(home: Home) -> None:
    assert refused(home, {"a.csv": "nimi;luku\nx;1\n"}) == (
        "no_header",
        (
            "output_statistics/2022-01-31: refused: no header of output_statistics is found"
            " in a.csv"
            " (2 rows). Fix: put the column names (SUORITE, JAKSO, ARVO) in the first row"
        ),
    )


def test_one_bad_file_refuses_the_whole_delivery_with_the_rows_of_all(home: Home) -> None:
    files: dict[str, str | bytes] = {
        "a.csv": HEADER + YEAR,
        "b.csv": "SUORITE;JAKSO\nPäihdetyö;2020\n",
        "c.csv": "SUORITE;JAKSO;LKM\nPäihdetyö;2019;1\n",
    }
    assert refused(home, files)[1] == (
        'output_statistics/2022-01-31: refused: column "ARVO" is missing from b.csv (14 rows).'
        " Fix: add the column and send a new delivery"
    )
    assert (home.entry(ID).rows_in, home.entry(ID).rows_refused) == (14, 14)


# --- files that cannot be read --------------------------------------------------------------------

EXCEL_ROWS = [("SUORITE", "JAKSO", "ARVO"), *[("Päihdetyö", "2021", n) for n in range(300)]]


def test_a_truncated_workbook_refuses_the_delivery(home: Home) -> None:
    whole = xlsx(*EXCEL_ROWS)
    expected = (
        "unreadable_file",
        (
            "output_statistics/2022-01-31: refused: a.xlsx cannot be read as xlsx: the file is"
            " truncated or damaged (rows unknown). Fix: open it in Excel, save it again and send it"
            " as a new delivery"
        ),
    )
    for length in (1, len(whole) // 2, len(whole) - 10):
        assert refused(home, {"a.xlsx": whole[:length]}) == expected, length
    entry = home.entry(ID)
    assert (entry.rows_in, entry.rows_refused) == (None, None)


def test_a_workbook_damaged_in_the_middle_refuses_the_delivery(home: Home) -> None:
    data = bytearray(xlsx(*EXCEL_ROWS))
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        start = archive.getinfo("xl/worksheets/sheet1.xml").header_offset + 160
    data[start : start + 20] = bytes(byte ^ 0xFF for byte in data[start : start + 20])
    assert refused(home, {"a.xlsx": bytes(data)})[0] == "unreadable_file"


def test_a_workbook_without_worksheets_refuses_the_delivery(home: Home) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(xlsx(("x",)))) as whole, zipfile.ZipFile(stream, "w") as cut:
        for name in whole.namelist():
            if name != "xl/worksheets/sheet1.xml":
                cut.writestr(name, whole.read(name))
    assert refused(home, {"a.xlsx": stream.getvalue()})[0] == "unreadable_file"


def test_a_formula_without_a_stored_result_is_not_taken_for_a_missing_value(home: Home) -> None:
    home.deliver(ID, {"a.xlsx": xlsx(("SUORITE", "JAKSO", "ARVO"), ("Päihdetyö", "2021", "=1+1"))})
    home.ingest()
    assert home.query("select value_status from lake.output_statistics") == []


def test_a_truncated_parquet_file_refuses_the_delivery(home: Home) -> None:
    whole = parquet({"SUORITE": ["Päihdetyö"], "JAKSO": ["2021"], "ARVO": [1]})
    expected = (
        "unreadable_file",
        (
            "output_statistics/2022-01-31: refused: a.parquet cannot be read as Parquet: the"
            " file is"
            " truncated or damaged (rows unknown). Fix: write it again and send it as a new"
            " delivery"
        ),
    )
    for length in (3, len(whole) // 2, len(whole) - 1):
        assert refused(home, {"a.parquet": whole[:length]}) == expected, length


def test_an_empty_file_refuses_the_delivery(home: Home) -> None:
    assert refused(home, {"a.csv": ""}) == (
        "empty_file",
        (
            "output_statistics/2022-01-31: refused: a.csv is empty (rows unknown)."
            " Fix: send the file again"
        ),
    )


def test_an_empty_folder_refuses_the_delivery(home: Home) -> None:
    assert refused(home, {}) == (
        "empty_delivery",
        (
            "output_statistics/2022-01-31: refused: the folder holds no data files (rows unknown)."
            " Fix: send the files again"
        ),
    )


def test_a_header_without_rows_refuses_the_delivery(home: Home) -> None:
    assert refused(home, {"a.csv": HEADER}) == (
        "no_rows",
        (
            "output_statistics/2022-01-31: refused: a.csv has a header and no rows (0 rows)."
            " Fix: send the rows, or no file"
        ),
    )


def test_an_unknown_format_refuses_the_delivery(home: Home) -> None:
    assert refused(home, {"a.pdf": "%PDF-1.7"}) == (
        "unknown_format",
        (
            "output_statistics/2022-01-31: refused: a.pdf is neither csv, xlsx nor Parquet"
            " (rows unknown). Fix: send the figures in one of these formats"
        ),
    )


def test_a_file_renamed_to_a_known_format_is_read(home: Home) -> None:
    assert refused(home, {"a.dat": HEADER + YEAR})[0] == "unknown_format"
    home.deliver(ID, {"a.csv": HEADER + YEAR})
    assert not home.is_current()
    home.ingest()
    assert home.entry(ID).rows_loaded == 12


def test_a_broken_encoding_refuses_the_delivery(home: Home) -> None:
    assert refused(home, {"a.csv": (HEADER + YEAR).encode("cp437")}) == (
        "broken_encoding",
        (
            "output_statistics/2022-01-31: refused: a.csv is neither UTF-8 nor Latin-1 (rows"
            " unknown)."
            " Fix: save the file as CSV UTF-8 and send it as a new delivery"
        ),
    )


def test_a_long_header_is_cut_in_the_message(home: Home) -> None:
    _, text = refused(home, {"a.csv": f"SUORITE;JAKSO;ARVO;{'x' * 3000}\nPäihdetyö;2021;1;x\n"})
    assert f'column "{"x" * 80}…" is unknown in a.csv' in text
    assert home.entry(ID).findings[0].column == f"{'x' * 80}…"


def test_a_cell_too_long_to_be_read_refuses_the_delivery(home: Home) -> None:
    content = f"{HEADER}Päihdetyö;2021;1\nPäihdetyö;2022;{'x' * 140_000}\n"
    assert refused(home, {"a.csv": content}) == (
        "broken_csv",
        (
            "output_statistics/2022-01-31: refused: a.csv cannot be read from line 3 on: a cell is"
            " too long, or a quote that does not close swallows the rows after it (rows unknown)."
            " Fix: correct the quotes and send the whole file again"
        ),
    )


# --- the sidecar ----------------------------------------------------------------------------------


def test_a_sidecar_that_is_no_yaml_refuses_the_delivery(home: Home) -> None:
    code, text = refused(home, {"a.csv": HEADER + YEAR, "delivery.yml": "document: ["})
    assert code == "bad_sidecar"
    assert text == (
        "output_statistics/2022-01-31: refused: delivery.yml is not valid: while parsing a flow"
        " node expected the node content, but found '<stream end>' in \"<unicode string>\", line 1,"
        " column 12: document: [ ^ (rows unknown)."
        " Fix: give document, table and section as in docs/deliveries.md"
    )


@pytest.mark.parametrize(
    "sidecar",
    ["docu: x", "table: [7]", "- x", "just text", "document: {a: b}", "table: 2021-13-45"],
)
def test_a_sidecar_of_other_keys_or_types_refuses_the_delivery(home: Home, sidecar: str) -> None:
    code, text = refused(home, {"a.csv": HEADER + YEAR, "delivery.yml": sidecar})
    assert code == "bad_sidecar"
    assert text.startswith("output_statistics/2022-01-31: refused: delivery.yml is not valid: ")
    assert text.endswith("Fix: give document, table and section as in docs/deliveries.md")
    assert "\n" not in text


@pytest.mark.parametrize(
    ("sidecar", "kind"),
    [
        ("synthetic: !!bool ehka", "KeyError"),
        ('table: !!int ""', "IndexError"),
        ("table: !!timestamp foo", "AttributeError"),
        ("[" * 3000, "RecursionError"),
    ],
)
def test_a_sidecar_that_the_parser_fails_on_refuses_its_delivery_and_no_other(
    home: Home, sidecar: str, kind: str
) -> None:
    home.deliver("output_statistics/2022-02-28", {"a.csv": HEADER + YEAR})
    home.deliver(ID, {"a.csv": HEADER + YEAR, "delivery.yml": sidecar})
    home.ingest()
    assert home.texts(ID) == [
        (
            "output_statistics/2022-01-31: refused: delivery.yml is not valid: it cannot be read as"
            f" YAML ({kind}) (rows unknown). Fix: give document, table and section as in"
            " docs/deliveries.md"
        )
    ]
    assert home.entry("output_statistics/2022-02-28").rows_loaded == 12


def test_a_sidecar_with_half_a_character_refuses_the_delivery(home: Home) -> None:
    code, text = refused(home, {"a.csv": HEADER + YEAR, "delivery.yml": 'table: "\\ud800"'})
    assert code == "bad_sidecar"
    assert "table: Value error, this holds half a character" in text


@pytest.mark.parametrize("sidecar", ["document: {x}", "{x}: 1"])
def test_what_a_sidecar_says_is_cut_in_the_message(home: Home, sidecar: str) -> None:
    content = sidecar.format(x="x" * 100)
    _, text = refused(home, {"a.csv": HEADER + YEAR, "delivery.yml": content})
    assert "x" * 80 + "…" in text


def test_an_unknown_document_refuses_the_delivery(home: Home) -> None:
    assert refused(
        home, {"a.csv": HEADER + YEAR, "delivery.yml": "document: annual_report_1921"}
    ) == (
        "unknown_document",
        (
            "output_statistics/2022-01-31: refused: delivery.yml names document"
            ' "annual_report_1921", which is unknown (rows unknown). Fix: add the document to'
            " seeds/core/documents.csv, or correct its id"
        ),
    )


def test_an_empty_sidecar_says_nothing(home: Home) -> None:
    home.deliver(ID, {"a.csv": HEADER + YEAR, "delivery.yml": ""})
    home.ingest()
    assert (home.entry(ID).outcome, home.entry(ID).document_id) == ("loaded", None)


# --- rows -----------------------------------------------------------------------------------------


def test_one_bad_cell_quarantines_its_row_and_loads_the_others(home: Home) -> None:
    home.deliver(ID, {"a.csv": HEADER + YEAR + "Päihdetyö;2020;1 27 4\n"})
    home.ingest()
    entry = home.entry(ID)
    assert (entry.outcome, entry.rows_in) == ("loaded", 13)
    assert (entry.rows_loaded, entry.rows_quarantined) == (12, 1)
    assert home.rejects(ID) == [(ID, "a.csv", 14, "ARVO", "not_an_integer", "1 27 4")]
    assert home.texts(ID) == [
        (
            'output_statistics/2022-01-31: quarantined: column "ARVO" of a.csv, first on'
            " line 14 with"
            ' "1 27 4": this is not a whole number (1 row).'
            " Fix: correct the rows and send them as a new delivery"
        )
    ]
    assert home.query("select count(*) from lake.output_statistics where period = '2020'") == [(0,)]


def test_a_long_cell_is_cut_in_the_message_and_whole_in_the_quarantine(home: Home) -> None:
    cell = f"{'x' * 75}131052-308T{'y' * 100_000}"
    masked = cell.replace("131052-308T", "******-****")
    home.deliver(ID, {"a.csv": HEADER + YEAR + f"Päihdetyö;2022;{cell}\n"})
    home.ingest()
    texts = home.texts(ID)
    assert all(f'first on line 14 with "{masked[:80]}…": ' in text for text in texts)
    assert all(len(text) < 500 for text in texts)
    assert {reject[-1] for reject in home.rejects(ID)} == {masked}


def test_a_long_cell_is_cut_where_it_refuses_the_delivery(home: Home) -> None:
    _, text = refused(home, {"a.csv": f"{HEADER}Päihdetyö;2022;{'x' * 3000}\n"})
    assert f'such as "{"x" * 80}…")' in text


def test_a_bad_cell_of_a_wide_form_is_found_by_the_header_above_it(home: Home) -> None:
    years = "SUORITE;2017;2018;2019;2020;2021;TILA 2021\n"
    home.deliver(
        ID, {"a.csv": years + "Päihdetyö;1;2;3;4;viisi;\nKouluterveydenhuolto;1;2;3;4;5;arvio\n"}
    )
    home.ingest()
    assert home.rejects(ID) == [(ID, "a.csv", 2, "2021", "not_an_integer", "viisi")]
    assert home.entry(ID).rows_loaded == 9


def test_a_row_that_breaks_two_rules_is_one_row_with_two_reasons(home: Home) -> None:
    home.deliver(ID, {"a.csv": HEADER + YEAR + "Parturi;kesä;1\n"})
    home.ingest()
    assert home.entry(ID).rows_quarantined == 1
    assert home.rejects(ID) == [
        (ID, "a.csv", 14, "JAKSO", "not_a_period", "kesä"),
        (ID, "a.csv", 14, "SUORITE", "unknown_code", "Parturi"),
    ]


def test_an_unknown_code_quarantines_its_row(home: Home) -> None:
    home.deliver(ID, {"a.csv": HEADER + YEAR + "Parturikäynnit;2021;5\n"})
    home.ingest()
    assert home.rejects(ID) == [(ID, "a.csv", 14, "SUORITE", "unknown_code", "Parturikäynnit")]
    assert home.texts(ID) == [
        (
            'output_statistics/2022-01-31: quarantined: column "SUORITE" of a.csv, first on line 14'
            ' with "Parturikäynnit": the code table does not know this (1 row). Fix: correct'
            " the text,"
            " or add it to the code table (output_measures) or to seeds/core/code_aliases.csv"
        )
    ]


def test_a_negative_count_quarantines_its_row(home: Home) -> None:
    home.deliver(ID, {"a.csv": HEADER + YEAR + "Päihdetyö;2020;–5\n"})
    home.ingest()
    assert home.texts(ID) == [
        (
            'output_statistics/2022-01-31: quarantined: column "ARVO" of a.csv, first on'
            " line 14 with"
            ' "–5": the number is smaller than allowed (1 row).'
            " Fix: correct the rows and send them as a new delivery"
        )
    ]
    assert home.rejects(ID) == [(ID, "a.csv", 14, "ARVO", "below_minimum", "–5")]


def test_rows_of_the_wrong_width_are_quarantined(home: Home) -> None:
    text = HEADER + YEAR + YEAR.replace("2021", "2020") + "Päihdetyö;2019\nPäihdetyö;2018;5;6\n"
    home.deliver(ID, {"a.csv": text})
    home.ingest()
    assert home.rejects(ID) == [
        (ID, "a.csv", 26, None, "too_few_cells", None),
        (ID, "a.csv", 27, None, "too_many_cells", None),
    ]
    assert home.texts(ID) == [
        (
            "output_statistics/2022-01-31: quarantined: the row of a.csv, first on line 26:"
            " the row has fewer cells than the header (1 row)."
            " Fix: correct the rows and send them as a new delivery"
        ),
        (
            "output_statistics/2022-01-31: quarantined: the row of a.csv, first on line 27:"
            " the row has more cells than the header (1 row)."
            " Fix: correct the rows and send them as a new delivery"
        ),
    ]


def test_a_delivery_of_rows_of_the_wrong_width_does_not_speak_of_a_column(home: Home) -> None:
    code, text = refused(home, {"a.csv": HEADER + "Päihdetyö;2021\n"})
    assert code == "too_many_bad_rows"
    assert "None" not in text


def test_the_line_in_a_message_is_a_line_of_the_file_in_it(home: Home) -> None:
    first = HEADER + YEAR + "Päihdetyö;2018;x\n"
    second = HEADER + "Päihdetyö;2019;y\n" + YEAR.replace("2021", "2020")
    home.deliver(ID, {"a.csv": first, "b.csv": second})
    home.ingest()
    assert home.texts(ID) == [
        (
            'output_statistics/2022-01-31: quarantined: column "ARVO" of a.csv, first on'
            " line 14 with"
            ' "x": this is not a whole number (2 rows).'
            " Fix: correct the rows and send them as a new delivery"
        )
    ]


@pytest.mark.parametrize(("good", "outcome"), [(9, "loaded"), (8, "refused")])
def test_a_tenth_of_bad_rows_is_allowed_and_more_is_not(
    home: Home, good: int, outcome: str
) -> None:
    rows = "".join(YEAR.splitlines(keepends=True)[:good])
    home.deliver(ID, {"a.csv": HEADER + rows + "Päihdetyö;2020;x\n"})
    home.ingest()
    assert home.entry(ID).outcome == outcome
    assert home.query("select count(*) from lake.output_statistics") == [
        (good if outcome == "loaded" else 0,)
    ]


@pytest.mark.parametrize("cell", ["", " "])
def test_a_column_of_empty_cells_is_told_as_such(home: Home, cell: str) -> None:
    code, text = refused(home, {"a.csv": HEADER + YEAR.replace("Päihdetyö", cell)})
    assert code == "too_many_bad_rows"
    assert (
        'most often column "SUORITE" (12 rows, such as an empty cell): the value is missing' in text
    )


def test_the_good_rows_of_a_refused_delivery_are_counted_as_refused(home: Home) -> None:
    text = HEADER + "Päihdetyö;2021;5\nPäihdetyö;2020;x\nPäihdetyö;2021;5\nPäihdetyö;2019;y\n"
    code, line = refused(home, {"a.csv": text})
    assert code == "too_many_bad_rows"
    assert line == (
        "output_statistics/2022-01-31: refused: 2 of 4 rows break a rule, more than the 10%"
        ' allowed; most often column "ARVO" (2 rows, such as "x"): this is not a whole number'
        ' (4 rows). Fix: correct column "ARVO" and send a new delivery'
    )
    entry = home.entry(ID)
    assert (entry.rows_in, entry.rows_quarantined, entry.rows_refused) == (4, 2, 2)
    assert home.rejects(ID) == [
        (ID, "a.csv", 3, "ARVO", "not_an_integer", "x"),
        (ID, "a.csv", 5, "ARVO", "not_an_integer", "y"),
    ]


def test_rows_that_stand_twice_are_loaded_once(home: Home) -> None:
    home.deliver(ID, {"a.csv": HEADER + YEAR + "PÄIHDE TYÖ;2021-01; 100\nPäihdetyö;2021-02;200\n"})
    home.ingest()
    entry = home.entry(ID)
    assert (entry.rows_in, entry.rows_loaded, entry.rows_duplicate) == (14, 12, 2)
    assert home.texts(ID) == [
        (
            "output_statistics/2022-01-31: warning: rows stand more than once with the same values;"
            " one of each is loaded (2 rows). Fix: send each row once"
        )
    ]
    assert home.query(
        "select source_line from lake.output_statistics where period in ('2021-01', '2021-02')"
        " order by 1"
    ) == [(2,), (3,)]


def test_rows_of_one_key_with_other_values_are_all_quarantined(home: Home) -> None:
    years = YEAR + YEAR.replace("2021", "2020")
    clash = "Päihdetyö;2019;5\nPäihdetyö;2019;6\n"
    home.deliver(ID, {"a.csv": HEADER + years, "b.csv": HEADER + clash})
    home.ingest()
    entry = home.entry(ID)
    assert (entry.rows_in, entry.rows_loaded, entry.rows_quarantined) == (26, 24, 2)
    column = "SUORITE, TUOTTAMISTAPA, YKSIKKO, JAKSO"
    value = "substance_abuse_work / all /  / 2019"
    assert home.rejects(ID) == [
        (ID, "b.csv", 2, column, "conflicting_key", value),
        (ID, "b.csv", 3, column, "conflicting_key", value),
    ]
    assert home.texts(ID) == [
        (
            f'output_statistics/2022-01-31: quarantined: column "{column}" of b.csv, first on'
            " line 2"
            f' with "{value}": other rows have the same key and other values (2 rows).'
            " Fix: correct the rows and send them as a new delivery"
        )
    ]


def test_a_bad_row_does_not_make_a_good_one_of_its_key_conflict(home: Home) -> None:
    home.deliver(ID, {"a.csv": HEADER + YEAR + "Päihdetyö;2021-01;x\n"})
    home.ingest()
    assert (home.entry(ID).rows_loaded, home.entry(ID).rows_quarantined) == (12, 1)


# --- what is accepted -----------------------------------------------------------------------------


def test_every_format_and_separator_gives_the_same_rows(home: Home) -> None:
    lists: dict[str, list[Any]] = {
        "SUORITE": ["Päihdetyö"] * 12,
        "JAKSO": [f"2021-{month:02}" for month in range(1, 13)],
        "ARVO": [month * 100 for month in range(1, 13)],
    }
    deliveries: dict[str, dict[str, str | bytes]] = {
        "semicolon": {"a.csv": HEADER + YEAR},
        "tab": {"a.csv": (HEADER + YEAR).replace(";", "\t")},
        "comma": {"a.csv": (HEADER + YEAR).replace(";", ",")},
        "latin-1": {"a.csv": (HEADER + YEAR).encode("latin-1")},
        "byte-order mark": {"a.csv": (HEADER + YEAR).encode("utf-8-sig")},
        "windows lines": {"a.csv": (HEADER + YEAR).replace("\n", "\r\n")},
        "xlsx": {"a.xlsx": xlsx(tuple(lists), *zip(*lists.values(), strict=True))},
        "parquet": {"a.parquet": parquet(lists)},
    }
    for number, files in enumerate(deliveries.values(), start=1):
        home.deliver(f"output_statistics/2022-01-31-{number}", files)
    home.ingest()
    expected = [("substance_abuse_work", f"2021-{n:02}", n * 100, n + 1) for n in range(1, 13)]
    for number, name in enumerate(deliveries, start=1):
        rows = home.query(
            "select measure_code, period, value, source_line from lake.output_statistics"
            f" where delivery_id = 'output_statistics/2022-01-31-{number}' order by source_line"
        )
        assert rows == expected, name


def test_files_whose_names_are_not_utf8_are_read_in_every_format(home: Home) -> None:
    name = os.fsdecode(b"T\xf6\xf6l\xf6")
    home.deliver(
        ID,
        {
            f"{name}.csv": HEADER + "Päihdetyö;2017;1\n",
            f"{name}.xlsx": xlsx(("SUORITE", "JAKSO", "ARVO"), ("Päihdetyö", "2018", 2)),
            f"{name}.parquet": parquet({"SUORITE": ["Päihdetyö"], "JAKSO": ["2019"], "ARVO": [3]}),
        },
    )
    home.ingest()
    shown = r"T\xf6\xf6l\xf6"
    assert home.query("select value, source_file from lake.output_statistics order by all") == [
        (1, f"{shown}.csv"), (2, f"{shown}.xlsx"), (3, f"{shown}.parquet"),
    ]  # fmt: skip


def test_a_header_under_title_rows_is_found_and_lines_are_those_of_the_file(home: Home) -> None:
    text = "Suoritteet vuonna 2021\n\nLaatija: tilastotiimi\n" + HEADER + "Päihdetyö;2021;5\n"
    home.deliver(ID, {"a.csv": text})
    home.ingest()
    assert home.query("select period, value, source_line from lake.output_statistics") == [
        ("2021", 5, 5)
    ]


def test_a_refused_delivery_does_not_stop_the_others(home: Home) -> None:
    home.deliver(ID, {"a.csv": ""})
    home.deliver("output_statistics/2022-02-28", {"a.csv": HEADER + YEAR})
    recorded = home.ingest()
    assert [(entry.name, entry.outcome) for entry in recorded.values()] == [
        ("2022-01-31", "refused"),
        ("2022-02-28", "loaded"),
    ]


def test_a_refused_delivery_is_read_again_when_its_files_are_corrected(home: Home) -> None:
    refused(home, {"a.csv": "SUORITE;JAKSO\nPäihdetyö;2021\n"})
    assert home.ingest() == {}
    home.deliver(ID, {"a.csv": HEADER + YEAR})
    home.ingest()
    assert (home.entry(ID).outcome, home.texts(ID)) == ("loaded", [])


def test_typed_cells_of_a_workbook_are_read_for_what_they_are(home: Home) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Vaje toimialalla"])
    sheet.append(["HENKILOSTORYHMA", "PALVELUKOKONAISUUS", "LASKENTA_PVM", "VAJE"])
    sheet.append(["Lääkärit", "HUS", date(2021, 12, 31), 0.6])
    sheet.append([None, "Hallinto", "joulukuu 2021", 1.234])
    sheet.append(["Hammaslääkärit", "HUS", datetime.fromisoformat("2021-12-31"), None])
    sheet.append(["Hammaslääkärit", "Hallinto", "31.12.2021", "12,5 %"])
    sheet["D3"].number_format = "0%"
    sheet.merge_cells("A1:D1")
    sheet.merge_cells("A3:A4")
    stream = io.BytesIO()
    book.save(stream)
    home.deliver("shortfall/2022-01-31", {"a.xlsx": stream.getvalue()})
    home.ingest()
    assert home.texts("shortfall/2022-01-31") == []
    assert home.query(
        "select staff_group_code, service_entity_code, count_date, shortfall_share, source_line"
        " from lake.shortfall order by source_line"
    ) == [
        ("physicians", "hus", date(2021, 12, 31), Decimal("0.6"), 3),
        ("physicians", "administration", date(2021, 12, 31), Decimal("0.01234"), 4),
        ("dentists", "hus", date(2021, 12, 31), None, 5),
        ("dentists", "administration", date(2021, 12, 31), Decimal("0.125"), 6),
    ]
