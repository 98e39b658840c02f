"""Care events through the door: files of all kinds, people, the key, and what is refused."""

from __future__ import annotations

import io
import os
import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from ingest import bulk
from ingest.bulk_files import reading
from ingest.errors import DeliveryRefused, IngestError
from ingest.identity_codes import check_character
from ingest.landing import LandedFile
from ingest.pseudonyms import MissingKey, PseudonymKey
from ingest.spec import load_specs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conftest import Home

ID = "care_events/2024-01-31"
SECOND = "care_events/2024-02-01"
SPEC = load_specs()["care_events"]
HEADERS = {name: column.headers[0] for name, column in SPEC.columns.items()}
TIME = "31.01.2022 08:15"


def code(day: str = "010150", number: str = "901", separator: str = "-") -> str:
    """A fictitious identity code."""
    return f"{day}{separator}{number}{check_character(day + number)}"


def row(number: int | str = 1, **cells: str) -> dict[str, str]:
    usual = {"record_id": f"R{number}", "record_updated_at": TIME, "contact_at": TIME}
    return {**dict.fromkeys(SPEC.columns, ""), **usual, **cells}


def lines(*rows: Mapping[str, str], separator: str = ";", end: str = "\n") -> str:
    texts = [separator.join(HEADERS.values())]
    texts += [separator.join(item[name] for name in SPEC.columns) for item in rows]
    return end.join(texts) + end


def deliver(home: Home, content: str | bytes, name: str = "a.csv") -> None:
    home.deliver(ID, {name: content})
    home.ingest()


def counts(home: Home, delivery_id: str = ID) -> tuple[Any, ...]:
    """Outcome, and rows in, loaded, duplicate, quarantined and refused."""
    entry = home.entry(delivery_id)
    return (
        entry.outcome, entry.rows_in, entry.rows_loaded, entry.rows_duplicate,
        entry.rows_quarantined, entry.rows_refused,
    )  # fmt: skip


def rejected(home: Home) -> list[tuple[Any, ...]]:
    """Line, column, rule and value of the quarantined rows."""
    return [reject[2:] for reject in home.rejects(ID)]


def records(home: Home, columns: str = "record_id") -> list[Any]:
    found = home.query(f"select {columns} from lake.care_events order by all")
    return [item[0] for item in found] if "," not in columns else found


# --- what a row becomes ---------------------------------------------------------------------------


def test_an_event_is_typed_and_its_local_dates_stand_beside_utc(home: Home) -> None:
    cells = {
        "record_updated_at": "2022-01-31T22:30:00Z",
        "is_deleted": "K",
        "producer_type": "palveluseteli",
        "contact_at": "01.01.2022 00:30",
        "assessed_at": "27.03.2022 03:30",
        "booked_for_at": "30.10.2022 03:30:15",
        "started_at": "2022-07-01T00:15:00+03:00",
        "assessed_urgency_code": "E",
        "is_first_visit": "E",
    }
    deliver(home, lines(row(**cells)))
    columns = (
        "record_updated_at, record_updated_date, is_deleted, producer_type, contact_at,"
        " contact_date, assessed_at, assessed_date, booked_for_at, booked_for_date, started_at,"
        " visit_date, assessed_urgency_code, is_first_visit, delivery_id"
    )
    assert records(home, columns) == [
        (
            datetime(2022, 1, 31, 22, 30), date(2022, 2, 1), True, "voucher",
            datetime(2021, 12, 31, 22, 30), date(2022, 1, 1),
            datetime(2022, 3, 27, 1, 30), date(2022, 3, 27),
            datetime(2022, 10, 30, 0, 30, 15), date(2022, 10, 30),
            datetime(2022, 6, 30, 21, 15), date(2022, 7, 1), "E", False, ID,
        )
    ]  # fmt: skip


def test_is_deleted_is_false_unless_it_is_said_and_the_column_may_be_absent(home: Home) -> None:
    text = lines(row(1), row(2, is_deleted="-"))
    deliver(home, text)
    assert records(home, "record_id, is_deleted") == [("R1", False), ("R2", False)]
    absent = "\n".join(
        ";".join(cells[:2] + cells[3:-1])
        for cells in (line.split(";") for line in text.split("\n"))
    )
    home.deliver(ID, {"a.csv": absent})
    home.withdraw(ID)
    home.deliver(SECOND, {"a.csv": absent})
    home.ingest()
    assert home.query("select distinct is_deleted from lake.care_events") == [(False,)]


def test_a_row_without_any_block_is_quarantined(home: Home) -> None:
    deliver(home, lines(row(1), row(2, contact_at=""), row(3, contact_at="", booked_at=TIME)))
    assert rejected(home) == [(3, None, "nothing_filled", None)]
    assert counts(home) == ("loaded", 3, 2, 0, 1, 0)


# --- people ---------------------------------------------------------------------------------------


def test_a_client_is_one_however_the_code_is_written_and_is_never_seen(home: Home) -> None:
    spellings = [code(), code().lower(), f" {code()} ", code().replace("-", "\u2013")]
    others = [code(separator="Y"), code(separator="A"), code(number="902"), "A-77", "a-77"]
    rows = [row(n, client_id=text) for n, text in enumerate([*spellings, *others])]
    deliver(home, lines(*rows, row(9), row("91", client_id="-")))
    found = dict(records(home, "record_id, client_pseudonym"))
    assert home.key is not None
    assert found["R0"] == home.key.pseudonym("client", code())
    assert {found[f"R{n}"] for n in range(4)} == {found["R0"]}
    assert len({found[f"R{n}"] for n in range(9)}) == 6
    assert (found["R9"], found["R91"]) == (None, None)


@pytest.mark.parametrize(
    ("cells", "age"),
    [
        # Born 31.1.1950.
        ({"assessed_at": "30.01.2022 23:59"}, 71),
        ({"assessed_at": "31.01.2022 00:00"}, 72),
        # The local date decides: 22:30 UTC on the 30th is the 31st.
        ({"assessed_at": "2022-01-30T22:30:00Z"}, 72),
        # The assessment first, then contact, visit, booked-for, booked.
        ({"assessed_at": "31.01.2000 00:00", "contact_at": "31.01.2010 00:00"}, 50),
        ({"contact_at": "31.01.2010 00:00", "started_at": "31.01.2020 00:00"}, 60),
        ({"started_at": "31.01.2020 00:00", "booked_for_at": "31.01.2021 00:00"}, 70),
        ({"booked_for_at": "31.01.2021 00:00", "booked_at": "31.01.2001 00:00"}, 71),
        ({"booked_at": "31.01.2001 00:00"}, 51),
    ],
)
def test_the_age_is_that_on_the_day_of_the_event(
    home: Home, cells: dict[str, str], age: int
) -> None:
    born = code("310150")
    regular = {"contact_at": "", "client_id": born} | cells
    # The second row goes the slow way for its odd text, the third has no code to derive an age of.
    other = regular | {"client_id": "A-77"}
    deliver(home, lines(row(1, **regular), row(2, **regular, unit_id=" U"), row(3, **other)))
    assert records(home, "record_id, client_age") == [("R1", age), ("R2", age), ("R3", None)]


def test_a_client_born_after_the_event_has_no_age(home: Home) -> None:
    deliver(
        home, lines(row(client_id=code("010122", separator="A"), contact_at="31.12.2021 12:00"))
    )
    assert records(home, "client_age") == [None]


def test_a_wrong_code_is_quarantined_and_not_shown(home: Home) -> None:
    wrong = code()[:-1] + ("A" if code()[-1] != "A" else "B")
    impossible = f"310250-901{check_character('310250901')}"
    rows = [row(n) for n in range(4)]
    beside = f"{code()} (äidin)"
    odd = [row(4 + n, client_id=text) for n, text in enumerate((wrong, impossible, beside), 1)]
    deliver(home, lines(*rows, *odd))
    assert rejected(home) == [
        (6, "ASIAKAS_TUNNUS", "bad_identity_code", "***"),
        (7, "ASIAKAS_TUNNUS", "bad_identity_code", "***"),
        (8, "ASIAKAS_TUNNUS", "bad_identity_code", "***"),
    ]
    assert home.texts(ID) == [
        (
            f'{ID}: quarantined: column "ASIAKAS_TUNNUS" of a.csv, first on line 6 with "***":'
            " this is like an identity code and is none, or has text beside one (3 rows)."
            " Fix: correct the rows and send them as a new delivery"
        )
    ]


def everything_under(home: Home) -> list[str]:
    """All that is written under the lake: bytes of files, and every text of every Parquet."""
    found = []
    for path in home.lake.root.rglob("*"):
        found.append(str(path.relative_to(home.lake.root)))
        if path.suffix == ".parquet":
            table = pq.read_table(path, partitioning=None)
            for column in table.columns:
                if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
                    found += [text for text in column.to_pylist() if text]
        elif path.is_file():
            found.append(path.read_text(encoding="utf-8"))
    return found


def test_no_identity_code_leaves_the_landing_folder(home: Home) -> None:
    people = [code(number=str(number)) for number in range(901, 921)]
    columns = [name for name in SPEC.columns if name != "record_updated_at"]
    rows = [row(n, client_id=people[0]) for n in range(60)]
    rows += [row(100 + n, **{name: people[n % 20]}) for n, name in enumerate(columns)]
    rows += [row(200, free_text=f"soitti {people[3].lower()}", client_id=people[4])]
    rows += [row(201, unit_id=f"x{people[5].replace('-', 'Y')}x")]
    broken = ";".join([people[6]] * 3)
    files = {f"{people[7]}.csv": lines(*rows) + broken + "\n"}
    home.deliver(ID, files)
    home.ingest()
    assert counts(home)[0] == "loaded"
    form = re.compile(r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Z]", re.IGNORECASE)
    digits = {person[:6] + person[7:10] for person in people}
    leaked = [
        match[0]
        for text in everything_under(home)
        for match in form.finditer(text)
        if match[0][:6] + match[0][7:10] in digits
    ]
    assert leaked == []
    texts = "\n".join(home.texts(ID))
    assert "identity codes; the text is not loaded (2 rows)" in texts
    assert "******-****.csv" in texts


def test_files_whose_names_are_identity_codes_are_told_apart(home: Home) -> None:
    first, second = code(number="901"), code(number="902")
    home.deliver(
        ID,
        {
            f"{first}.csv": lines(row(1), row(2, contact_channel="x")),
            f"{second}.csv": lines(row(3, contact_channel="y"), row(4)),
        },
    )
    home.ingest()
    names = ["******-****.csv", "******-**** (2).csv"]
    assert [file.name for file in home.entry(ID).files] == names
    assert [reject[1:3] for reject in home.rejects(ID)] == [(names[1], 2), (names[0], 3)]
    assert "of ******-****.csv, first on line 3" in home.texts(ID)[0]
    assert first not in "".join(everything_under(home))
    home.deliver(ID, {f"{first}.csv": lines(row(1)), f"{second}.csv": lines(row(3), row(4))})
    home.ingest()
    assert "******-**** (2).csv, ******-****.csv changed after" in home.texts(ID)[-1]


def test_an_identity_code_in_any_text_is_quarantined_masked(home: Home) -> None:
    rows = [row(n) for n in range(3)]
    deliver(
        home, lines(*rows, row(4, care_need_id=f"tarve {code().lower()}"), row(5, unit_id=code()))
    )
    assert rejected(home) == [
        (5, "PALVELUTARVE_TUNNUS", "identity_code", "tarve ******-****"),
        (6, "PALVELUNTUOTTAJA_YKSIKKO", "identity_code", "******-****"),
    ]


def test_free_text_is_scanned_and_never_loaded(home: Home) -> None:
    deliver(home, lines(row(1, free_text=f"äiti {code()}"), row(2, free_text="ei mitään"), row(3)))
    assert counts(home) == ("loaded", 3, 3, 0, 0, 0)
    assert home.texts(ID) == [
        (
            f'{ID}: warning: column "LISATIETO" holds personal identity codes; the text is not'
            " loaded (1 row). Fix: write no identity codes into free text"
        )
    ]
    assert "free_text" not in SPEC.lake_schema


@pytest.mark.parametrize(
    ("source", "header", "cells", "column"),
    [
        ("output_statistics", ["SUORITE", "JAKSO", "ARVO", "HUOMAUTUS"],
         ["Päihdetyö", "2021-{n:02}", "5", "{x}"], "HUOMAUTUS"),
        ("reported_values", ["TAVOITE_TUNNUS", "JAKSO", "ARVO", "NAYTTO"],
         ["T-14", "2021-{n:02}", "5", "{x}"], "NAYTTO"),
        # A reference elsewhere is kept as text.
        ("output_statistics", ["SUORITE", "JAKSO", "ARVO"],
         ["Päihdetyö", "2021-{n:02}", "Ks. {x}"], "ARVO"),
    ],
)  # fmt: skip
def test_an_identity_code_in_a_small_source_is_quarantined_masked(
    home: Home, source: str, header: list[str], cells: list[str], column: str
) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(header)
    for n in range(1, 13):
        text = f"nimi {code()}" if n == 7 else "muu"
        sheet.append([cell.format(n=n, x=text) for cell in cells])
    stream = io.BytesIO()
    book.save(stream)
    home.deliver(f"{source}/2022-01-31", {"a.xlsx": stream.getvalue()})
    home.ingest()
    ((_, _, line, where, rule, value),) = home.rejects(f"{source}/2022-01-31")
    assert (line, where, rule) == (8, column, "identity_code")
    assert value.endswith("nimi ******-****")
    assert code() not in "".join(everything_under(home))


# --- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_csv_of_any_separator_line_end_and_encoding(
    home: Home, separator: str, end: str, encoding: str
) -> None:
    rows = [row(1, unit_id="Töölö"), row(2, unit_id="Käpylä", contact_channel="x"), row(3)]
    deliver(home, lines(*rows, separator=separator, end=end).encode(encoding))
    assert records(home, "record_id, unit_id") == [("R1", "Töölö"), ("R3", None)]
    assert rejected(home) == [(3, "YHTEYDENOTTO_KANAVA", "unknown_code", "x")]


def test_windows_1252_is_read_with_its_dashes_and_without_a_copy_on_disk(home: Home) -> None:
    rows = [
        row(1, unit_id="Töölö \u2013 etelä"),
        row(2, care_need_id="\u2013", provider_id="\u20ac"),
    ]
    deliver(home, lines(*rows).encode("cp1252"))
    assert records(home, "record_id, unit_id, care_need_id, provider_id") == [
        ("R1", "Töölö \u2013 etelä", None, None),
        ("R2", None, None, "\u20ac"),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lines(row()).encode("utf-16"), "a.csv is UTF-16"),
        (lines(row(unit_id="ä")).encode("cp850"), "a.csv is neither UTF-8 nor Latin-1"),
    ],
)
def test_another_encoding_is_refused(home: Home, content: bytes, said: str) -> None:
    deliver(home, content)
    assert counts(home) == ("refused", None, 0, 0, 0, None)
    assert said in home.texts(ID)[0]


def test_cells_with_separators_quotes_and_line_breaks_keep_every_line_right(home: Home) -> None:
    text = lines(
        row(1, free_text='"a;b"'),
        row(2, free_text='"kaksi\nriviä"'),
        row(3, contact_channel="x"),
        row(4, unit_id='"U ""1"""'),
        row(5, contact_channel="y"),
    ) + "liian;vähän\n" + lines(
        row(6, contact_channel="z"), row(7), row(8)
    ).split("\n", maxsplit=1)[1]  # fmt: skip
    deliver(home, text)
    assert rejected(home) == [
        (5, "YHTEYDENOTTO_KANAVA", "unknown_code", "x"),
        (7, "YHTEYDENOTTO_KANAVA", "unknown_code", "y"),
        (8, None, "too_few_cells", None),
        (9, "YHTEYDENOTTO_KANAVA", "unknown_code", "z"),
    ]
    assert records(home, "record_id, unit_id")[:3] == [("R1", None), ("R2", None), ("R4", 'U "1"')]
    assert counts(home) == ("loaded", 9, 5, 0, 4, 0)


def test_blank_lines_are_no_rows_and_move_no_line(home: Home) -> None:
    header, first, second, _ = lines(row(1), row(2, contact_channel="x")).split("\n")
    deliver(home, f"\n\n{header}\n{first}\n\n{';' * (len(HEADERS) - 1)}\n{second}\n{first}\n\n\n")
    assert rejected(home) == [(7, "YHTEYDENOTTO_KANAVA", "unknown_code", "x")]
    assert counts(home) == ("loaded", 3, 1, 1, 1, 0)


@pytest.mark.parametrize(("separator", "other"), [(";", ","), (",", ";"), ("\t", ","), (",", "\t")])
def test_notes_of_several_lines_do_not_choose_the_separator(
    home: Home, separator: str, other: str
) -> None:
    note = f'"eka{other} rivi\ntoka{other} rivi\nkolmas{other} rivi"'
    rows = [row(n, free_text=note) for n in range(1, 4)]
    deliver(home, "\n" + lines(*rows, row(4, contact_channel="x"), separator=separator))
    assert counts(home) == ("loaded", 4, 3, 0, 1, 0)
    assert rejected(home) == [(12, "YHTEYDENOTTO_KANAVA", "unknown_code", "x")]


def test_a_tab_is_a_blank_first_row_and_no_separator(home: Home) -> None:
    deliver(home, "\t\n" + lines(row(1)))
    assert counts(home) == ("loaded", 1, 1, 0, 0, 0)


def test_rows_of_the_wrong_width_are_quarantined_on_their_lines(home: Home) -> None:
    header, *rows = lines(*(row(n) for n in range(1, 8))).rstrip("\n").split("\n")
    rows[1] = ";".join(rows[1].split(";")[:-2])
    rows[3] += ";x"
    rows[5] += ";"  # a separator at the end of a row says nothing
    deliver(home, "\n".join([header, *rows]))
    assert rejected(home) == [(3, None, "too_few_cells", None), (5, None, "too_many_cells", None)]
    assert records(home) == ["R1", "R3", "R5", "R6", "R7"]


def test_a_quote_in_a_cell_breaks_its_row_and_no_other(home: Home) -> None:
    rows = [row(1), row(2, free_text='"sanoi "ei" ja lähti"'), row(3, free_text='5" putki'), row(4)]
    deliver(home, lines(*rows))
    assert rejected(home) == [(3, None, "broken_quotes", None)]
    assert records(home) == ["R1", "R3", "R4"]
    assert counts(home) == ("loaded", 4, 3, 0, 1, 0)


@pytest.mark.parametrize("after", [0, 1, 5])
def test_a_quote_that_never_closes_refuses_the_delivery(home: Home, after: int) -> None:
    rows = [row(1), row(2, unit_id='"U'), *(row(3 + n) for n in range(after))]
    deliver(home, lines(*rows))
    assert counts(home) == ("refused", None, 0, 0, 0, None)
    assert home.entry(ID).findings[0].code == "broken_csv"
    assert not list(home.lake.raw.rglob("*.parquet"))


def test_a_quote_that_closes_rows_later_refuses_the_delivery(home: Home) -> None:
    rows = [row(1), row(2, unit_id='"U'), row(3), row(4, unit_id='"U'), row(5)]
    deliver(home, lines(*rows))
    assert counts(home) == ("refused", None, 0, 0, 0, None)
    assert "a quote that does not close swallows the rows after it" in home.texts(ID)[0]


def test_parquet_keeps_its_types(home: Home) -> None:
    utc = pa.timestamp("us", tz="UTC")
    columns: dict[str, pa.Array] = {
        HEADERS[name]: pa.array([None] * 3, pa.string()) for name in SPEC.columns
    }
    columns["TAPAHTUMA_TUNNUS"] = pa.array(["R1", "R2", "R3"])
    columns["SEURANTATIETUE_PAIVITETTY"] = pa.array([datetime(2022, 7, 1, 21, 30)] * 3, utc)
    columns["YHTEYDENOTTO_AJANKOHTA"] = pa.array(
        [datetime(2022, 7, 2, 0, 30)] * 3, pa.timestamp("ns")
    )
    columns["POISTETTU"] = pa.array([True, False, None])
    columns["KAYNTI_AMMATTI"] = pa.array([2211.0, None, float("nan")])
    columns["KAYNTI_KAVIJARYHMA"] = pa.array([1, 2, None])
    columns["KAYNTI_KIIREELLISYYS"] = pa.array([1, 99, None])
    columns["TUOTTAMISTAPA"] = pa.array([b"oma", None, b"osto"])
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream)
    deliver(home, stream.getvalue(), "a.parquet")
    found = records(
        home,
        "record_id, record_updated_at, record_updated_date, contact_at, contact_date, is_deleted,"
        " profession_code, visitor_group_code, urgency_code, producer_type",
    )
    times = (datetime(2022, 7, 1, 21, 30), date(2022, 7, 2))
    assert found == [
        ("R1", *times, *times, True, "2211", "1", "1", "own"),
        ("R3", *times, *times, False, None, None, None, "purchased"),
    ]
    assert rejected(home) == [(3, "KAYNTI_KIIREELLISYYS", "unknown_code", "99")]


def test_a_damaged_parquet_file_is_refused(home: Home) -> None:
    stream = io.BytesIO()
    columns = {HEADERS[name]: [f"{name}{n}" for n in range(5000)] for name in SPEC.columns}
    pq.write_table(pa.table(columns), stream, compression="zstd")
    whole = stream.getvalue()
    middle = len(whole) // 3
    damaged = whole[:middle] + b"\0" * 2000 + whole[middle + 2000 :]
    for content in (whole[: len(whole) // 2], damaged):
        home.withdraw(ID)
        deliver(home, content, "a.parquet")
        assert counts(home) == ("refused", None, 0, 0, 0, None)
        assert home.texts(ID)[0].startswith(
            f"{ID}: refused: a.parquet cannot be read as Parquet: the file is truncated or damaged"
        )


def parquet(columns: Mapping[str, pa.Array]) -> bytes:
    """A file of rows R1, R2, ... with a contact, and other columns by the spec's names."""
    rows = len(next(iter(columns.values())))
    usual = {
        "record_id": pa.array([f"R{number + 1}" for number in range(rows)]),
        "record_updated_at": pa.array([TIME] * rows),
        "contact_at": pa.array([TIME] * rows),
    }
    empty = dict.fromkeys(SPEC.columns, pa.nulls(rows, pa.string()))
    named = {HEADERS[name]: column for name, column in {**empty, **usual, **columns}.items()}
    stream = io.BytesIO()
    pq.write_table(pa.table(named), stream)
    return stream.getvalue()


def test_a_code_that_became_a_decimal_is_the_code(home: Home) -> None:
    columns = {
        "visitor_group_code": pa.array([Decimal("1.00"), Decimal("1.50")], pa.decimal128(10, 2)),
        "profession_code": pa.array([Decimal("2211.0"), None], pa.decimal128(10, 1)),
        "is_first_visit": pa.array([Decimal("1.0"), Decimal("0.0")], pa.decimal128(3, 1)),
    }
    deliver(home, parquet(columns), "a.parquet")
    assert records(home, "visitor_group_code, profession_code, is_first_visit") == [
        ("1", "2211", True),
        ("1,50", None, False),
    ]


@pytest.mark.parametrize("kind", [pa.timestamp("us"), pa.timestamp("us", tz="UTC")])
def test_a_typed_time_without_end_is_no_empty_cell(home: Home, kind: pa.DataType) -> None:
    largest = 2**63 - 1
    times = pa.array([largest, -largest, 0, *[None] * 3], pa.int64()).cast(kind)
    deliver(home, parquet({"booked_for_at": times}), "a.parquet")
    column = HEADERS["booked_for_at"]
    assert rejected(home) == [
        (2, column, "not_a_time", "infinity"),
        (3, column, "not_a_time", "-infinity"),
        (4, column, "not_a_time", "1970-01-01T00:00:00.000000" + ("Z" if kind.tz else "")),
    ]
    assert records(home) == ["R4", "R5", "R6"]


def test_decimals_that_the_engine_cannot_hold_refuse_the_file(home: Home) -> None:
    wide = pa.array([Decimal(1), Decimal(2)], pa.decimal256(39, 0))
    deliver(home, parquet({"specialty_code": wide}), "a.parquet")
    assert counts(home) == ("refused", 2, 0, 0, 0, 2)
    assert "more than 38 digits" in home.texts(ID)[0]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_file_named_like_a_pattern_is_that_file(home: Home, suffix: str) -> None:
    def rows(*numbers: int) -> bytes:
        if suffix == "csv":
            return lines(*(row(number) for number in numbers)).encode()
        return parquet({"record_id": pa.array([f"R{number}" for number in numbers])})

    home.deliver(
        ID,
        {
            f"a[1].{suffix}": rows(1, 2), f"a1.{suffix}": rows(3),
            f"b*.{suffix}": rows(4, 5), f"bb.{suffix}": rows(6),
        },
    )  # fmt: skip
    home.ingest()
    assert records(home) == ["R1", "R2", "R3", "R4", "R5", "R6"]


def test_folders_above_a_parquet_file_are_no_columns(home: Home, tmp_path: Path) -> None:
    landing = tmp_path / "env=prod"
    landing.mkdir()
    home.landing = landing
    deliver(home, parquet({"unit_id": pa.array(["U"])}), "a.parquet")
    assert counts(home) == ("loaded", 1, 1, 0, 0, 0)


def test_an_error_of_a_disk_is_a_damaged_file_where_another_reader_fails_too(
    tmp_path: Path,
) -> None:
    whole = parquet({"unit_id": pa.array(["U"] * 1000)})
    (tmp_path / "whole.parquet").write_bytes(whole)
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "a.csv").write_bytes(b"")
    cut = LandedFile("cut.parquet", tmp_path / "cut.parquet", "", 1)
    with pytest.raises(DeliveryRefused, match="truncated or damaged"), reading(cut):
        raise duckdb.IOException("Could not read enough bytes")
    for name in ("whole.parquet", "a.csv", "gone.parquet"):
        landed = LandedFile(name, tmp_path / name, "", 1)
        with pytest.raises(IngestError, match="free memory and disk space"), reading(landed):
            raise duckdb.IOException("No space left on device")


def test_a_mark_at_the_start_of_a_row_is_white_space(home: Home) -> None:
    # Files that begin with a byte-order mark, written one after the other.
    odd = row("2", contact_at="31.02.2022 08:15", record_id="\ufeffR2")
    deliver(home, lines(row(1), odd, row("3", record_id="\ufeffR3")))
    assert rejected(home) == [(3, HEADERS["contact_at"], "not_a_time", "31.02.2022 08:15")]
    assert records(home) == ["R1", "R3"]


def test_another_format_is_refused(home: Home) -> None:
    deliver(home, b"x", "a.xlsx")
    assert "a.xlsx is neither csv nor Parquet" in home.texts(ID)[0]


def test_all_files_of_a_delivery_count_and_a_bad_one_refuses_all(home: Home) -> None:
    good = lines(row(1), row(2))
    home.deliver(ID, {"a.csv": good, "b.csv": good.replace("POISTETTU", "POISTO", 1) + "\n\n"})
    home.ingest()
    assert counts(home) == ("refused", 4, 0, 0, 0, 4)
    assert 'column "POISTO" is unknown in b.csv' in home.texts(ID)[0]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1252"])
def test_a_file_name_of_other_bytes_than_utf8_is_read_and_escaped(
    home: Home, encoding: str
) -> None:
    name = os.fsdecode("Töölö".encode("latin-1"))
    rows = [row(1, unit_id="Töölö \u2013" if encoding != "latin-1" else "Töölö")]
    rows += [row(2, contact_channel="x"), row(3, free_text='"a\n;b"'), row(4, contact_at="x")]
    columns = {HEADERS[column]: [text] for column, text in row(5, contact_channel="y").items()}
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream)
    home.deliver(
        ID,
        {
            f"{name}.csv": lines(*rows).encode(encoding),
            f"{name}/a.csv": lines(row(6)),
            f"{name}.parquet": stream.getvalue(),
        },
    )
    home.ingest()
    assert counts(home) == ("loaded", 6, 3, 0, 3, 0)
    shown = r"T\xf6\xf6l\xf6"
    assert [reject[1:3] for reject in home.rejects(ID)] == [
        (f"{shown}.csv", 3), (f"{shown}.csv", 6), (f"{shown}.parquet", 2),
    ]  # fmt: skip
    names = {file.name for file in home.entry(ID).files}
    assert names == {f"{shown}.csv", f"{shown}/a.csv", f"{shown}.parquet"}


def test_a_broken_file_whose_name_is_not_utf8_is_refused(home: Home) -> None:
    name = os.fsdecode(b"\xe4")
    for file, content in ((".csv", b"x;y\n1;2\n"), (".parquet", b"x"), (".xlsx", b"x"), ("", b"x")):
        home.withdraw(ID)
        deliver(home, content, f"{name}{file}")
        assert counts(home)[0] == "refused"
        assert f"\\xe4{file}" in home.texts(ID)[0]


def test_rows_that_are_read_together_keep_their_files_and_lines(home: Home) -> None:
    """Rows written otherwise are fetched in one go from files alike; each ends lines its way."""

    def rows(number: int) -> list[dict[str, str]]:
        return [
            row(number),
            row(number + 1, contact_at=f"31.02.2022 08:{number}"),
            row(number + 2, started_at="01.02.2022  08:05"),
            row(number + 3, contact_at=f"30.02.2022 08:{number}", unit_id="Ä"),
        ]

    home.deliver(
        ID,
        {
            "a.csv": lines(*rows(10)).removesuffix("\n"),
            "b.csv": lines(*rows(20), end="\r\n").removesuffix("\r\n"),
            "c.csv": lines(*rows(30)).encode("latin-1"),
            "d.csv": lines(*rows(40)).replace("\n", "\n\n", 1),
            "e.csv": lines(*rows(50)[:1]),
            "f.csv": lines(*rows(60), separator=","),
            "g.csv": lines(*rows(70)),
        },
    )
    home.ingest()
    column = HEADERS["contact_at"]
    expected = []
    for name, number, line in (
        ("a", 10, 3), ("b", 20, 3), ("c", 30, 3), ("d", 40, 4), ("f", 60, 3), ("g", 70, 3)
    ):  # fmt: skip
        expected += [
            (ID, f"{name}.csv", line, column, "not_a_time", f"31.02.2022 08:{number}"),
            (ID, f"{name}.csv", line + 2, column, "not_a_time", f"30.02.2022 08:{number}"),
        ]
    assert home.rejects(ID) == expected
    assert counts(home) == ("loaded", 25, 13, 0, 12, 0)
    late = {f"R{number}": datetime(2022, 2, 1, 6, 5) for number in (12, 22, 32, 42, 62, 72)}
    usual = dict.fromkeys(f"R{number}" for number in (10, 20, 30, 40, 50, 60, 70))
    assert dict(records(home, "record_id, started_at")) == late | usual
    # a and b, c, d and e, f, g; the others are in part-0.
    parts = home.lake.raw.glob("care_events/*/part-[1-9].parquet")
    assert [pq.read_metadata(part).num_rows for part in sorted(parts)] == [2, 1, 2, 1, 1]


def test_lines_of_notes_that_look_like_rows_are_none_in_a_file_of_many_buffers(home: Home) -> None:
    # A thread that starts within these notes takes their lines for rows with as many cells.
    like_row = "a;" * (len(SPEC.columns) - 1) + "b"
    note = '"' + "\n".join([like_row] * 10) + '"'
    rows = [row(number, free_text=note if number % 2 else "") for number in range(40_000)]
    text = lines(*rows)
    assert len(text) > 16_000_000
    deliver(home, text)
    assert counts(home) == ("loaded", 40_000, 40_000, 0, 0, 0)


def test_a_file_without_header_is_refused_and_shows_nobody(home: Home) -> None:
    text = lines(row(1, client_id=code()), row(2)).split("\n", maxsplit=1)[1]
    deliver(home, text)
    assert counts(home) == ("refused", 2, 0, 0, 0, 2)
    assert "no header of care_events is found in a.csv" in home.texts(ID)[0]
    named = lines(row()).replace("LISATIETO", code(), 1)
    home.deliver(SECOND, {"a.csv": named})
    home.ingest()
    assert 'column "******-****" is unknown in a.csv' in home.texts(SECOND)[0]
    assert code() not in "".join(everything_under(home))


def with_column(text: str, header: str, cells: Mapping[int, str], separator: str = ";") -> str:
    """The file with a last column, whose cells are given by their line."""
    first, *rest = text.splitlines()
    rows = [f"{line}{separator}{cells.get(n, '')}" for n, line in enumerate(rest, start=2)]
    return "\n".join([f"{first}{separator}{header}", *rows]) + "\n"


@pytest.mark.parametrize("filled", [2, 700])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_a_column_without_header_is_refused_wherever_it_holds_something(
    home: Home, filled: int, encoding: str
) -> None:
    """Also on lines far below those that the form of a file is told from."""
    rows = [row(n, unit_id="Etelä \u2013 pohjoinen") for n in range(2, 801)]
    deliver(home, with_column(lines(*rows), " ", {filled: "salaisuus"}).encode(encoding))
    assert counts(home) == ("refused", 799, 0, 0, 0, 799)
    (text,) = home.texts(ID)
    assert text == (
        f'{ID}: refused: column "(no header, column AJ)" is unknown in a.csv (799 rows).'
        " Fix: remove the column, or add it to ingest/specs/care_events.yml (columns, headers or"
        " ignored_headers)"
    )


def test_the_index_of_a_data_frame_is_refused(home: Home) -> None:
    text = lines(row(1), row(2))
    indexed = "".join(
        f"{'' if n < 0 else n},{line}\n".replace(";", ",")
        for n, line in enumerate(text.splitlines(), start=-1)
    )
    deliver(home, indexed)
    assert counts(home) == ("refused", 2, 0, 0, 0, 2)
    assert home.entry(ID).findings[0].column == "(no header, column A)"


def test_a_lost_header_is_told_beside_the_column_without_one(home: Home) -> None:
    deliver(home, lines(row(1, unit_id="U")).replace(HEADERS["unit_id"], "", 1))
    assert home.entry(ID).findings[0].code == "renamed_column"
    assert (
        f'column "{HEADERS["unit_id"]}" is missing from a.csv and column "(no header, column H)"'
        " is unknown"
    ) in home.texts(ID)[0]


def test_separators_at_the_end_of_every_line_are_no_column(home: Home) -> None:
    text = with_column(lines(row(1), row(2, contact_channel="x"), row(3)), "", {3: "  "})
    deliver(home, with_column(text, "", {}) + "liian;lyhyt\n")
    assert counts(home) == ("loaded", 4, 2, 0, 2, 0)
    assert rejected(home) == [
        (3, "YHTEYDENOTTO_KANAVA", "unknown_code", "x"), (5, None, "too_few_cells", None),
    ]  # fmt: skip


@pytest.mark.parametrize(("cell", "outcome"), [("x", "refused"), (1, "refused"), (None, "loaded")])
def test_a_column_of_parquet_whose_name_is_blank_is_refused_if_it_holds_something(
    home: Home, cell: str | int | None, outcome: str
) -> None:
    columns = {HEADERS[name]: [text, text] for name, text in row(1).items()} | {" ": [None, cell]}
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream)
    deliver(home, stream.getvalue(), "a.parquet")
    assert counts(home)[:2] == (outcome, 2)
    if outcome == "refused":
        assert (
            'column "(no header, column AJ)" is unknown in a.parquet (2 rows)' in home.texts(ID)[0]
        )


def test_a_header_without_rows_is_refused(home: Home) -> None:
    deliver(home, lines())
    assert counts(home) == ("refused", 0, 0, 0, 0, 0)


def test_half_of_the_rows_may_be_bad_and_no_more(home: Home) -> None:
    bad = [row(n, contact_channel="x") for n in range(3)]
    deliver(home, lines(*(row(10 + n) for n in range(3)), *bad))
    assert counts(home) == ("loaded", 6, 3, 0, 3, 0)
    home.deliver(SECOND, {"a.csv": lines(*(row(10 + n) for n in range(2)), *bad)})
    home.ingest()
    assert counts(home, SECOND) == ("refused", 5, 0, 0, 3, 2)
    assert not list(home.lake.raw.rglob("delivery=2024-02-01/*"))


def test_empty_cells_of_a_required_column_are_told_as_such(home: Home) -> None:
    deliver(home, lines(*(row(n, record_updated_at="") for n in range(3))))
    assert counts(home) == ("refused", 3, 0, 0, 3, 0)
    assert (
        'most often column "SEURANTATIETUE_PAIVITETTY" (3 rows, such as an empty cell): the value'
        " is missing"
    ) in home.texts(ID)[0]


# --- duplicates -----------------------------------------------------------------------------------


def test_the_same_row_counts_once_however_it_is_written(home: Home) -> None:
    same = [row(1), row(1), row(" 1".strip(), record_updated_at="2022-01-31T06:15:00Z")]
    same += [row(1) | {"record_id": " R1 "}, row(1, is_deleted="E"), row(1, free_text="muu")]
    versions = [row(1, unit_id="U"), row(1, record_updated_at="31.01.2022 08:16")]
    home.deliver(ID, {"a.csv": lines(*same, *versions), "b.csv": lines(row(1), row(2))})
    home.ingest()
    assert counts(home) == ("loaded", 10, 4, 6, 0, 0)
    assert records(home, "record_id, unit_id") == [
        ("R1", "U"), ("R1", None), ("R1", None), ("R2", None),
    ]  # fmt: skip


# --- the key --------------------------------------------------------------------------------------


def test_without_a_key_nothing_is_loaded_and_the_error_says_what_to_do(home: Home) -> None:
    home.key = None
    home.deliver(ID, {"a.csv": lines(row(client_id=code()))})
    home.deliver(
        "output_statistics/2022-01-31", {"a.csv": "SUORITE;JAKSO;ARVO\nPäihdetyö;2021;1\n"}
    )
    with pytest.raises(MissingKey) as raised:
        home.ingest()
    assert str(raised.value) == (
        f"1 deliveries hold personal identifiers (first {ID}) and there is no key to make"
        " pseudonyms with: set SOTEDW_PSEUDONYM_KEY, or SOTEDW_PSEUDONYM_KEY_FILE to a file that"
        " holds it (openssl rand -hex 32)"
    )
    assert list(home.ledger) == []


def test_published_figures_need_no_key(home: Home) -> None:
    home.key = None
    home.deliver(
        "output_statistics/2022-01-31", {"a.csv": "SUORITE;JAKSO;ARVO\nPäihdetyö;2021;1\n"}
    )
    home.ingest()
    assert home.entry("output_statistics/2022-01-31").key_fingerprint is None


def test_another_key_loads_all_personal_deliveries_again_and_no_other(home: Home) -> None:
    home.deliver(ID, {"a.csv": lines(row(client_id=code()))})
    home.deliver(SECOND, {"a.csv": lines(row(2, client_id=code()))})
    home.deliver(
        "output_statistics/2022-01-31", {"a.csv": "SUORITE;JAKSO;ARVO\nPäihdetyö;2021;1\n"}
    )
    home.ingest()
    old = records(home, "client_pseudonym")
    home.key = PseudonymKey(b"another" * 8)
    assert not home.is_current()
    assert set(home.ingest()) == {ID, SECOND}
    assert home.is_current()
    assert set(records(home, "client_pseudonym")) == {home.key.pseudonym("client", code())}
    assert not set(records(home, "client_pseudonym")) & set(old)
    assert {home.entry(item).key_fingerprint for item in (ID, SECOND)} == {home.key.fingerprint}


@pytest.mark.parametrize("change", ["withdrawn", "changed"])
def test_another_key_is_refused_while_rows_would_stay_under_the_old_one(
    home: Home, change: str
) -> None:
    home.deliver(ID, {"a.csv": lines(row(client_id=code()))})
    home.deliver(SECOND, {"a.csv": lines(row(2, client_id=code()))})
    home.ingest()
    home.withdraw(ID)
    if change == "changed":
        home.deliver(ID, {"a.csv": lines(row(3, client_id=code()))})
    before = records(home, "record_id, client_pseudonym")
    home.key = PseudonymKey(b"another" * 8)
    with pytest.raises(MissingKey, match=rf"^1 deliveries \(first {ID}\) were loaded with another"):
        home.ingest()
    assert records(home, "record_id, client_pseudonym") == before


def test_a_withdrawn_delivery_does_not_hinder_its_own_key(home: Home) -> None:
    deliver(home, lines(row(client_id=code())))
    home.withdraw(ID)
    assert home.ingest() == {}


# --- sidecars and errors --------------------------------------------------------------------------


@pytest.mark.parametrize("content", [lines(row()), "x"])
def test_generated_deliveries_are_marked_in_the_ledger_also_when_refused(
    home: Home, content: str
) -> None:
    home.deliver(ID, {"a.csv": content, "delivery.yml": "synthetic: true\n"})
    home.deliver(SECOND, {"a.csv": content, "delivery.yml": "synthetic: true\n"})
    home.ingest()
    assert home.entry(ID).is_synthetic
    assert home.entry(SECOND).is_synthetic


@pytest.mark.parametrize(
    "sidecar", ["document: {x}\n", "table: '{x}'\n", "{x}: 1\n", "section: [{x}\n", "{x}"]
)
def test_a_sidecar_that_names_a_person_is_refused_without_the_name(
    home: Home, sidecar: str
) -> None:
    home.deliver(ID, {"a.csv": lines(row()), "delivery.yml": sidecar.format(x=code())})
    home.ingest()
    assert counts(home)[0] == "refused"
    assert code() not in "".join(everything_under(home))


def test_errors_of_duckdb_are_not_quoted() -> None:
    text = "Could not convert string 'Matti Meikäläinen' to INT32"
    landed = LandedFile("a.csv", Path("a.csv"), "", 1)
    with pytest.raises(DeliveryRefused) as refused, reading(landed):
        raise duckdb.ConversionException(text)
    assert "Matti" not in refused.value.finding.message
    assert refused.value.__cause__ is None
    with pytest.raises(IngestError, match="look for free memory") as failed, reading(landed):
        raise duckdb.OutOfMemoryException(text)
    assert "Matti" not in str(failed.value)


def test_a_file_that_changes_while_it_is_read_is_refused(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.deliver(ID, {"a.csv": lines(row(1), row(2), row(3, contact_channel="x"))})
    find = bulk.find_lines

    def change(*args: Any) -> Any:
        file = home.landing / ID / "a.csv"
        file.write_text(lines(row(1)), encoding="utf-8")
        return find(*args)

    monkeypatch.setattr(bulk, "find_lines", change)
    home.ingest()
    assert counts(home) == ("refused", None, 0, 0, 0, None)
    assert "changed while they were read" in home.texts(ID)[0]
