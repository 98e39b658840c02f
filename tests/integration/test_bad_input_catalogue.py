"""The catalogue of bad input for the recurring sources: each has an outcome and one exact line.

What `test_ingest_refusals.py` shows for one source is not shown again: here every source goes
through the same mistakes.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from openpyxl import Workbook

if TYPE_CHECKING:
    from tests.conftest import Home

DAY = "2022-04-15"
CORRECT_ROWS = "correct the rows and send them as a new delivery"
MONTH_ENDS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def period(number: int) -> str:
    """The month of a row: twelve of 2021, then 2022."""
    return f"{2021 + (number - 1) // 12}-{(number - 1) % 12 + 1:02}"


def month_end(number: int) -> str:
    month = (number - 1) % 12
    return f"{MONTH_ENDS[month]}.{month + 1}.{2021 + (number - 1) // 12}"


@dataclass(frozen=True)
class Sample:
    """Good rows of a source: each number gives a row with a key of its own.

    Attributes:
        row: Header -> text of the row with a number.
        missing: A required header, to be left out or renamed.
        tables: Code tables by header, as the fix for an unknown code names them.
        key: Headers of the key, as a conflict names them.
        value: The header whose text is changed to make two rows of a key conflict, and to what.
        shown: The key of row 1 as a conflict shows it.
    """

    row: Callable[[int], dict[str, str]]
    missing: str
    tables: Mapping[str, str]
    key: str
    value: tuple[str, str]
    shown: str


SAMPLES = {
    "output_statistics": Sample(
        lambda n: {"SUORITE": "Päihdetyö", "JAKSO": period(n), "ARVO": str(n), "HUOMAUTUS": "ä"},
        "JAKSO",
        {"SUORITE": "output_measures"},
        "SUORITE, TUOTTAMISTAPA, YKSIKKO, JAKSO",
        ("ARVO", "77"),
        "substance_abuse_work /  /  / 2021-01",
    ),
    "budget": Sample(
        lambda n: {
            "TALOUSARVIOKOHTA": "HUS-kuntayhtymä",
            "JAKSO": period(n),
            "LAJI": "menot",
            "VAIHE": "toteuma",
            "SUMMA": f"{n},5",
            "YKSIKKOKERROIN": "MEUR",
            "SISAINEN": "E",
        },
        "VAIHE",
        {"TALOUSARVIOKOHTA": "budget_items"},
        "TALOUSARVIOKOHTA, TILIRYHMA, YKSIKKO, SISAINEN, JAKSO, LAJI, VAIHE",
        ("SUMMA", "77"),
        "hus /  /  / false / 2021-01 / expenditure / outturn",
    ),
    "positions": Sample(
        lambda n: {
            "VAKANSSI_TUNNUS": f"V{n}",
            "LASKENTA_PVM": "31.3.2022",
            "HENKILOSTORYHMA": "Lääkärit",
            "PALVELUKOKONAISUUS": "HUS",
            "YKSIKKO": "S1",
            "OSUUS": "0,5",
            "HALTIJA": "K",
            "SIJAINEN": "E",
            "TILA": "voimassa",
        },
        "SIJAINEN",
        {"HENKILOSTORYHMA": "staff_groups", "PALVELUKOKONAISUUS": "service_entities"},
        "VAKANSSI_TUNNUS, LASKENTA_PVM",
        ("HALTIJA", "E"),
        "V1 / 2022-03-31",
    ),
    "personnel": Sample(
        lambda n: {
            "MITTARI": "vakinaiset",
            "HENKILOSTORYHMA": "Lääkärit",
            "PALVELUKOKONAISUUS": "Hallinto",
            "JAKSO": period(n),
            "ARVO": str(n),
            "TILA": "lopullinen",
        },
        "ARVO",
        {"MITTARI": "personnel_measures"},
        "MITTARI, HENKILOSTORYHMA, PALVELUKOKONAISUUS, JAKSO",
        ("ARVO", "77"),
        "permanent_headcount / physicians / administration / 2021-01",
    ),
    "shortfall": Sample(
        lambda n: {
            "HENKILOSTORYHMA": "Lääkärit",
            "PALVELUKOKONAISUUS": "HUS",
            "LASKENTA_PVM": month_end(n),
            "VAJE": f"{n},5",
        },
        "LASKENTA_PVM",
        {"HENKILOSTORYHMA": "staff_groups", "PALVELUKOKONAISUUS": "service_entities"},
        "HENKILOSTORYHMA, PALVELUKOKONAISUUS, LASKENTA_PVM",
        ("VAJE", "77"),
        "physicians / hus / 2021-01-31",
    ),
    "reported_values": Sample(
        lambda n: {
            "TAVOITE_TUNNUS": "T-14",
            "YKSIKKO": "S1",
            "JAKSO": period(n),
            "OSOITTAJA": "1",
            "NIMITTAJA": "2",
            "ARVO": "kyllä",
            "NAYTTO": "pöytäkirja",
        },
        "TAVOITE_TUNNUS",
        {},
        "TAVOITE_TUNNUS, YKSIKKO, JAKSO",
        ("ARVO", "ei"),
        "T-14 / S1 / 2021-01",
    ),
    "published_facts": Sample(
        lambda n: {
            "ASIA": "population",
            "KOHDE": "",
            "JAKSO": period(n),
            "ARVO": str(n),
            "TARKKUUS": "tarkka",
            "LAJI": "toteuma",
            "OSIO": "väestö",
        },
        "TARKKUUS",
        {"ASIA": "published_fact_items"},
        "ASIA, KOHDE, JAKSO, LAJI",
        ("ARVO", "77"),
        "population /  / 2021-01 / actual",
    ),
}
SOURCES = tuple(SAMPLES)
#: The sources that come again every month, quarter or year.
RECURRING = SOURCES[:-1]
#: Those of them whose mistakes are not yet shown elsewhere.
OTHERS = RECURRING[1:]

Rows = list[dict[str, str]]


def good(source: str, count: int = 12) -> Rows:
    return [SAMPLES[source].row(number) for number in range(1, count + 1)]


def text_of(rows: Rows, separator: str = ";") -> str:
    def cell(text: str) -> str:
        return f'"{text}"' if separator in text else text

    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    return "".join(separator.join(map(cell, line)) + "\n" for line in lines)


def workbook(rows: Rows, *, title: str | None = None, right: int = 0, down: int = 0) -> bytes:
    """Rows as xlsx, the header moved to the right and down, on a sheet of a name."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    if title:
        sheet.title = title
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    for number, line in enumerate(lines, start=1 + down):
        for column, text in enumerate(line, start=1 + right):
            sheet.cell(number, column, text)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def renamed(rows: Rows, old: str, new: str | None) -> Rows:
    """The rows with a column renamed, or left out."""
    return [
        {new if name == old else name: text for name, text in row.items() if new or name != old}
        for row in rows  # type: ignore[misc]
    ]


def lake(home: Home, source: str, name: str = DAY) -> list[tuple[Any, ...]]:
    """What a delivery put into the lake, without where it stood."""
    return home.query(
        "select * exclude (delivery_id, source_file, source_line, source_column)"
        f" from lake.{source} where delivery_id = '{source}/{name}' order by all"
    )


def named(files: dict[str, str | bytes]) -> dict[str, str | bytes]:
    """File names from keywords: `csv` is a.csv, `x__csv` is x.csv."""
    return {
        (name.replace("__", ".") if "__" in name else f"a.{name}"): content
        for name, content in files.items()
    }


def delivered(home: Home, source: str, **files: str | bytes) -> str:
    """Deliver files, named as `named` says, and ingest; the delivery's id."""
    delivery_id = f"{source}/{DAY}"
    home.deliver(delivery_id, named(files))
    home.ingest()
    return delivery_id


def refusal(home: Home, source: str, **files: str | bytes) -> tuple[str, str]:
    """Deliver what is to be refused; its rule and its line."""
    delivery_id = delivered(home, source, **files)
    entry = home.entry(delivery_id)
    assert entry.outcome == "refused"
    assert lake(home, source) == []
    return entry.findings[0].code, home.texts(delivery_id)[0]


def expected_lake(home: Home, source: str) -> list[tuple[Any, ...]]:
    """The lake rows of the good sample."""
    home.deliver(f"{source}/2022-04-14", {"good.csv": text_of(good(source))})
    home.ingest()
    entry = home.entry(f"{source}/2022-04-14")
    assert (entry.outcome, entry.rows_loaded, entry.findings) == ("loaded", 12, ())
    return lake(home, source, "2022-04-14")


# --- columns --------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", OTHERS)
def test_an_unknown_column_refuses_the_delivery(home: Home, source: str) -> None:
    rows = [{**row, "VARI": "x"} for row in good(source)]
    assert refusal(home, source, csv=text_of(rows)) == (
        "unknown_column",
        (
            f'{source}/{DAY}: refused: column "VARI" is unknown in a.csv (12 rows).'
            f" Fix: remove the column, or add it to ingest/specs/{source}.yml"
            " (columns, headers or ignored_headers)"
        ),
    )


@pytest.mark.parametrize("source", SOURCES)
def test_a_missing_column_refuses_the_delivery(home: Home, source: str) -> None:
    """Among them a period and a count date that are missing altogether."""
    column = SAMPLES[source].missing
    assert refusal(home, source, csv=text_of(renamed(good(source), column, None))) == (
        "missing_column",
        (
            f'{source}/{DAY}: refused: column "{column}" is missing from a.csv (12 rows).'
            " Fix: add the column and send a new delivery"
        ),
    )


@pytest.mark.parametrize("source", OTHERS)
def test_a_renamed_column_is_told_with_both_names(home: Home, source: str) -> None:
    column = SAMPLES[source].missing
    assert refusal(home, source, csv=text_of(renamed(good(source), column, "UUSI NIMI"))) == (
        "renamed_column",
        (
            f'{source}/{DAY}: refused: column "{column}" is missing from a.csv and column'
            ' "UUSI NIMI" is unknown (12 rows). Fix: rename the column, or add its new header to'
            f" ingest/specs/{source}.yml"
        ),
    )


@pytest.mark.parametrize("source", SOURCES)
def test_the_order_of_columns_does_not_matter(home: Home, source: str) -> None:
    expected = expected_lake(home, source)
    rows = [dict(reversed(row.items())) for row in good(source)]
    delivery_id = delivered(home, source, csv=text_of(rows))
    assert home.texts(delivery_id) == []
    assert lake(home, source) == expected


@pytest.mark.parametrize("source", RECURRING)
def test_the_warehouses_own_names_are_headers_too(home: Home, source: str) -> None:
    expected = expected_lake(home, source)
    spec = home.specs[source]
    rows = [{str(spec.column_of(name)): text for name, text in row.items()} for row in good(source)]
    assert "None" not in rows[0]
    delivery_id = delivered(home, source, csv=text_of(rows))
    assert home.texts(delivery_id) == []
    assert lake(home, source) == expected


# --- rows -----------------------------------------------------------------------------------------

NO_NUMBER = ("not_a_number", "this is not a number")
AMBIGUOUS = (
    "ambiguous_number",
    "the point may be for thousands or decimals: write 1 234 or 1,234",
)
NEGATIVE = ("below_minimum", "the number is smaller than allowed")
ABOVE = ("above_maximum", "the number is larger than allowed")
NO_PERIOD = ("not_a_period", "this is not a period (2021, 2021-06 or 2021-Q2)")
NO_DATE = ("not_a_date", "this is not a date (d.m.yyyy)")
NO_MONTH = (
    "not_a_date_or_month",
    "this is neither a date (d.m.yyyy) nor a month (joulukuu 2021)",
)
NO_VALUE = ("unknown_value", "this is none of the values the column may have")
NO_FLAG = ("not_yes_or_no", "this is neither K nor E")
NO_CODE = ("unknown_code", "the code table does not know this")
MISSING = ("missing_value", "the value is missing")

BAD_ROWS = [
    # The wrong type.
    ("output_statistics", "ARVO", "12,5", ("not_an_integer", "this is not a whole number")),
    ("budget", "SUMMA", "12,5 milj.", NO_NUMBER),
    ("budget", "LAJI", "meno", NO_VALUE),
    ("budget", "VAIHE", "arvio", NO_VALUE),
    ("budget", "JAKSO", "tammikuu 2022", NO_PERIOD),
    ("budget", "SISAINEN", "ehkä", NO_FLAG),
    ("positions", "LASKENTA_PVM", "2022-03", NO_DATE),
    ("positions", "LASKENTA_PVM", "31.4.2022", NO_DATE),
    ("positions", "OSUUS", "puolikas", NO_NUMBER),
    ("positions", "HALTIJA", "joo", NO_FLAG),
    ("positions", "SIJAINEN", "2", NO_FLAG),
    ("positions", "TILA", "avoin", NO_VALUE),
    ("personnel", "ARVO", "660 hlö", NO_NUMBER),
    ("personnel", "JAKSO", "31.12.2021", NO_PERIOD),
    ("personnel", "TILA", "ehkä", NO_VALUE),
    ("shortfall", "VAJE", "n. 60", NO_NUMBER),
    ("shortfall", "LASKENTA_PVM", "Q1/2022", NO_MONTH),
    ("reported_values", "ARVO", "osittain", NO_NUMBER),
    ("reported_values", "JAKSO", "2022-Q5", NO_PERIOD),
    (
        "published_facts", "JAKSO", "vuonna 2021",
        ("unexpected_form", "the text is not written as this column asks"),
    ),
    # The decimal comma and the thousands in the wrong place.
    ("budget", "SUMMA", "1.234", AMBIGUOUS),
    ("budget", "SUMMA", "1 23,4", NO_NUMBER),
    ("budget", "SUMMA", "1,234.5", NO_NUMBER),
    ("budget", "SUMMA", "1.234,5", NO_NUMBER),
    ("positions", "OSUUS", "0.125", AMBIGUOUS),
    ("positions", "OSUUS", "1,0,0", NO_NUMBER),
    (
        "positions", "OSUUS", "0,3333333",
        ("too_many_decimals", "the number has more decimals than are stored"),
    ),
    ("personnel", "ARVO", "10.445", AMBIGUOUS),
    ("personnel", "ARVO", "104 45", NO_NUMBER),
    ("shortfall", "VAJE", "14.500", AMBIGUOUS),
    ("reported_values", "NIMITTAJA", "1.500", AMBIGUOUS),
    ("reported_values", "ARVO", "1 2", NO_NUMBER),
    # An unknown code.
    ("budget", "TALOUSARVIOKOHTA", "Apotit", NO_CODE),
    ("positions", "HENKILOSTORYHMA", "Parturit", NO_CODE),
    ("positions", "PALVELUKOKONAISUUS", "Rakennusvirasto", NO_CODE),
    ("personnel", "MITTARI", "vakituiset", NO_CODE),
    ("shortfall", "HENKILOSTORYHMA", "Parturit", NO_CODE),
    ("published_facts", "ASIA", "väkiluku?", NO_CODE),
    # A unit of money that nobody knows, or none.
    ("budget", "YKSIKKOKERROIN", "kEUR", NO_VALUE),
    ("budget", "YKSIKKOKERROIN", "", MISSING),
    # Negative counts and shares.
    ("output_statistics", "ARVO", "-5", NEGATIVE),
    ("positions", "OSUUS", "–0,5", NEGATIVE),
    ("personnel", "ARVO", "-5", NEGATIVE),
    ("shortfall", "VAJE", "–1", NEGATIVE),
    ("reported_values", "OSOITTAJA", "-1", NEGATIVE),
    # More than a whole post, or than all of them: a per cent written without its sign.
    ("positions", "OSUUS", "1,000001", ABOVE),
    ("positions", "OSUUS", "50", ABOVE),
    ("positions", "OSUUS", "100,1 %", ABOVE),
    ("shortfall", "VAJE", "100,1", ABOVE),
    ("shortfall", "VAJE", "100,1 %", ABOVE),
    # The period, the date or another part of the key is missing.
    ("output_statistics", "JAKSO", "", MISSING),
    ("budget", "JAKSO", "", MISSING),
    ("positions", "LASKENTA_PVM", "-", MISSING),
    ("positions", "VAKANSSI_TUNNUS", "", MISSING),
    ("personnel", "JAKSO", "", MISSING),
    ("shortfall", "LASKENTA_PVM", "", MISSING),
    ("reported_values", "JAKSO", "–", MISSING),
    ("reported_values", "TAVOITE_TUNNUS", "", MISSING),
]  # fmt: skip


@pytest.mark.parametrize(("source", "column", "text", "told"), BAD_ROWS)
def test_a_bad_cell_quarantines_its_row_and_loads_the_others(
    home: Home, source: str, column: str, text: str, told: tuple[str, str]
) -> None:
    rule, words = told
    rows = [*good(source), {**SAMPLES[source].row(13), column: text}]
    delivery_id = delivered(home, source, csv=text_of(rows))
    fix = CORRECT_ROWS
    if rule == "unknown_code":
        fix = (
            f"correct the text, or add it to the code table ({SAMPLES[source].tables[column]})"
            " or to seeds/core/code_aliases.csv"
        )
    assert home.texts(delivery_id) == [
        (
            f'{source}/{DAY}: quarantined: column "{column}" of a.csv, first on line 14'
            f' with "{text}": {words} (1 row). Fix: {fix}'
        )
    ]
    assert home.rejects(delivery_id) == [(delivery_id, "a.csv", 14, column, rule, text)]
    entry = home.entry(delivery_id)
    assert (entry.rows_in, entry.rows_loaded, entry.rows_quarantined) == (13, 12, 1)


@pytest.mark.parametrize("source", OTHERS)
def test_rows_of_one_key_with_other_values_are_all_quarantined(home: Home, source: str) -> None:
    sample = SAMPLES[source]
    column, other = sample.value
    rows = [*good(source, 20), {**sample.row(1), column: other}]
    delivery_id = delivered(home, source, csv=text_of(rows))
    assert home.texts(delivery_id) == [
        (
            f'{source}/{DAY}: quarantined: column "{sample.key}" of a.csv, first on line 2 with'
            f' "{sample.shown}": other rows have the same key and other values (2 rows).'
            f" Fix: {CORRECT_ROWS}"
        )
    ]
    assert [reject[2] for reject in home.rejects(delivery_id)] == [2, 22]
    assert len(lake(home, source)) == 19


@pytest.mark.parametrize("source", RECURRING)
def test_a_column_of_the_wrong_type_refuses_the_delivery(home: Home, source: str) -> None:
    """More than a tenth of bad rows is no slip: nothing of the delivery is loaded."""
    column, words = {
        "positions": ("LASKENTA_PVM", NO_DATE[1]),
        "shortfall": ("LASKENTA_PVM", NO_MONTH[1]),
    }.get(source, ("JAKSO", NO_PERIOD[1]))
    rows = [{**row, column: f"viikko {number}"} for number, row in enumerate(good(source), 1)]
    code, line = refusal(home, source, csv=text_of(rows))
    assert (code, line) == (
        "too_many_bad_rows",
        (
            f"{source}/{DAY}: refused: 12 of 12 rows break a rule, more than the 10% allowed; most"
            f' often column "{column}" (12 rows, such as "viikko 1"): {words} (12 rows).'
            f' Fix: correct column "{column}" and send a new delivery'
        ),
    )


def test_a_measure_of_change_may_fall(home: Home) -> None:
    """A shortfall that shrank by 20 persons is no negative count."""
    rows = [
        *good("personnel"),
        {**SAMPLES["personnel"].row(13), "MITTARI": "kokonaisvajeen_muutos", "ARVO": "–20"},
    ]
    delivery_id = delivered(home, "personnel", csv=text_of(rows))
    assert home.texts(delivery_id) == []
    assert home.query(
        "select value from lake.personnel where measure_code = 'total_shortfall_change_persons'"
    ) == [(Decimal(-20),)]


def test_an_internal_item_stands_beside_the_external_one(home: Home) -> None:
    rows = [{**SAMPLES["budget"].row(1), "SISAINEN": flag} for flag in ("K", "E")]
    delivery_id = delivered(home, "budget", csv=text_of(rows))
    assert home.texts(delivery_id) == []
    assert home.query("select is_internal from lake.budget order by 1") == [(False,), (True,)]


# --- money and its unit ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "unit"),
    [
        ("2,5", "MEUR"),
        ("2,500", "M€"),
        ("2 500", "1000 EUR"),
        ("2500,0", "1 000 €"),
        ("2 500", "TEUR"),
        ("2 500 000", "EUR"),
        ("+2 500 000,00", "€"),
    ],
)
def test_a_changed_unit_factor_gives_the_same_euros(home: Home, amount: str, unit: str) -> None:
    row = {**SAMPLES["budget"].row(1), "SUMMA": amount, "YKSIKKOKERROIN": unit}
    delivery_id = delivered(home, "budget", csv=text_of([row]))
    assert home.texts(delivery_id) == []
    assert home.query("select amount from lake.budget") == [(Decimal(2_500_000),)]


def test_a_unit_factor_that_changes_within_a_delivery_counts_row_by_row(home: Home) -> None:
    units = ("MEUR", "1000 EUR", "EUR")
    rows = [
        {**SAMPLES["budget"].row(number), "SUMMA": "3", "YKSIKKOKERROIN": unit}
        for number, unit in enumerate(units, 1)
    ]
    delivered(home, "budget", csv=text_of(rows))
    assert home.query("select amount, amount_precision from lake.budget order by period") == [
        (Decimal(3_000_000), Decimal(1_000_000)),
        (Decimal(3_000), Decimal(1_000)),
        (Decimal(3), Decimal(1)),
    ]


def test_an_amount_finer_than_a_cent_is_quarantined(home: Home) -> None:
    rows = [
        *good("budget"),
        {**SAMPLES["budget"].row(13), "SUMMA": "0,001", "YKSIKKOKERROIN": "EUR"},
    ]
    delivery_id = delivered(home, "budget", csv=text_of(rows))
    assert home.texts(delivery_id) == [
        (
            f'budget/{DAY}: quarantined: column "SUMMA" of a.csv, first on line 14 with "0,001":'
            f" the amount is finer than a cent (1 row). Fix: {CORRECT_ROWS}"
        )
    ]


# --- files ----------------------------------------------------------------------------------------

WRITTEN: dict[str, Callable[[Rows], dict[str, str | bytes]]] = {
    "byte-order mark": lambda rows: {"csv": text_of(rows).encode("utf-8-sig")},
    "latin-1": lambda rows: {"csv": text_of(rows).encode("latin-1")},
    "comma": lambda rows: {"csv": text_of(rows, ",")},
    "tab": lambda rows: {"csv": text_of(rows, "\t")},
    "windows lines": lambda rows: {"csv": text_of(rows).replace("\n", "\r\n")},
    "no last line end": lambda rows: {"csv": text_of(rows).rstrip("\n")},
    "upper-case ending": lambda rows: {"CSV": text_of(rows)},
    "two files": lambda rows: {"x__csv": text_of(rows[:5]), "y__txt": text_of(rows[5:])},
    "sheet renamed": lambda rows: {"xlsx": workbook(rows, title="Kopio (2)")},
    "header shifted down": lambda rows: {"xlsx": workbook(rows, down=4)},
    "header shifted right": lambda rows: {"xlsx": workbook(rows, right=2)},
    "title above": lambda rows: {"csv": "Sosiaali- ja terveystoimiala\n\n" + text_of(rows)},
    "empty column before": lambda rows: {
        "csv": "".join(";" + line for line in text_of(rows).splitlines(keepends=True))
    },
}


@pytest.mark.parametrize("source", ["budget", "positions"])
def test_a_file_written_another_way_gives_the_same_rows(home: Home, source: str) -> None:
    expected = expected_lake(home, source)
    days = {name: f"2022-05-{day}" for day, name in enumerate(WRITTEN, start=10)}
    for name, write in WRITTEN.items():
        home.deliver(f"{source}/{days[name]}", named(write(good(source))))
    home.ingest()
    for name, day in days.items():
        assert home.texts(f"{source}/{day}") == [], name
        assert lake(home, source, day) == expected, name


@pytest.mark.parametrize("source", OTHERS)
def test_a_sheet_beside_the_table_does_not_matter_and_a_second_table_does(
    home: Home, source: str
) -> None:
    def book(second: list[list[str]]) -> bytes:
        made = Workbook()
        sheet = made.active
        assert sheet is not None
        for line in [list(good(source)[0]), *(list(row.values()) for row in good(source))]:
            sheet.append(line)
        other = made.create_sheet("Liite")
        for line in second:
            other.append(line)
        stream = io.BytesIO()
        made.save(stream)
        return stream.getvalue()

    expected = expected_lake(home, source)
    delivery_id = delivered(home, source, xlsx=book([["Laatija", "tilastotiimi"]]))
    assert home.texts(delivery_id) == []
    assert lake(home, source) == expected

    again = [list(good(source)[0]), list(good(source)[0].values())]
    home.deliver(f"{source}/2022-06-01", {"a.xlsx": book(again)})
    home.ingest()
    assert home.texts(f"{source}/2022-06-01") == [
        (
            f"{source}/2022-06-01: refused: a.xlsx holds several tables of {source} (sheets Sheet,"
            " Liite) (rows unknown). Fix: send one table a file"
        )
    ]


@pytest.mark.parametrize("source", ["positions", "shortfall"])
def test_a_header_that_lost_its_last_column_refuses_the_delivery(home: Home, source: str) -> None:
    """The values stand without a name: nobody guesses whose they are."""
    rows = good(source)
    last = list(rows[0])[-1]
    letter = chr(ord("A") + len(rows[0]) - 1)
    text = text_of(rows).replace(f";{last}\n", ";\n", 1)
    assert refusal(home, source, csv=text) == (
        "renamed_column",
        (
            f'{source}/{DAY}: refused: column "{last}" is missing from a.csv and column'
            f' "(no header, column {letter})" is unknown (12 rows).'
            f" Fix: rename the column, or add its new header to ingest/specs/{source}.yml"
        ),
    )


@pytest.mark.parametrize("source", OTHERS)
def test_rows_shifted_by_a_column_are_not_read_as_other_columns(home: Home, source: str) -> None:
    header, *lines = text_of(good(source)).splitlines(keepends=True)
    code, line = refusal(home, source, csv=header + "".join(f"x;{text}" for text in lines))
    assert (code, line) == (
        "too_many_bad_rows",
        (
            f"{source}/{DAY}: refused: 12 of 12 rows break a rule, more than the 10% allowed; most"
            " often (12 rows): the row has more cells than the header (12 rows)."
            " Fix: correct the rows and send a new delivery"
        ),
    )


BROKEN: list[tuple[str, bytes, str, str]] = [
    (
        "broken_encoding",
        text_of(good("budget")).encode("cp437"),
        "a.csv is neither UTF-8 nor Latin-1",
        "save the file as CSV UTF-8 and send it as a new delivery",
    ),
    (
        "broken_encoding",
        text_of(good("budget")).encode("utf-16"),
        "a.csv is UTF-16",
        "save the file as CSV UTF-8 and send it as a new delivery",
    ),
    (
        "broken_encoding",
        text_of(good("budget")).encode().decode("latin-1").encode(),
        "a.csv was converted with a wrong encoding: ä or ö is lost",
        "save the file as CSV UTF-8 and send it as a new delivery",
    ),
    ("empty_file", b"", "a.csv is empty", "send the file again"),
    ("empty_file", b"\r\n \r\n", "a.csv holds only blank lines", "send the file again"),
    (
        "empty_file",
        b"\xef\xbb\xbf\r\n",
        "a.csv holds only blank lines",
        "send the file again",
    ),
    (
        "broken_csv",
        (text_of(good("budget")) + '"HUS-kuntayhtymä;2022-05;menot\n').encode(),
        "a.csv breaks off in a quoted field that starts on line 14 (unexpected end of data)",
        "send the whole file again",
    ),
]


@pytest.mark.parametrize(("code", "data", "message", "fix"), BROKEN)
def test_a_file_that_cannot_be_read_refuses_the_delivery(
    home: Home, code: str, data: bytes, message: str, fix: str
) -> None:
    assert refusal(home, "budget", csv=data) == (
        code,
        f"budget/{DAY}: refused: {message} (rows unknown). Fix: {fix}",
    )


@pytest.mark.parametrize("source", OTHERS)
def test_a_header_without_rows_refuses_the_delivery(home: Home, source: str) -> None:
    header = text_of(good(source)).splitlines(keepends=True)[0]
    assert refusal(home, source, csv=header) == (
        "no_rows",
        (
            f"{source}/{DAY}: refused: a.csv has a header and no rows (0 rows)."
            " Fix: send the rows, or no file"
        ),
    )


@pytest.mark.parametrize("source", ["positions", "budget"])
@pytest.mark.parametrize("part", [0.5, 0.99])
def test_a_truncated_workbook_refuses_the_delivery(home: Home, source: str, part: float) -> None:
    whole = workbook(good(source))
    assert refusal(home, source, xlsx=whole[: int(len(whole) * part)]) == (
        "unreadable_file",
        (
            f"{source}/{DAY}: refused: a.xlsx cannot be read as xlsx: the file is truncated"
            " or damaged (rows unknown). Fix: open it in Excel, save it again and send it as a new"
            " delivery"
        ),
    )


@pytest.mark.parametrize("source", OTHERS)
def test_a_file_of_another_source_refuses_the_delivery(home: Home, source: str) -> None:
    spec = home.specs[source]
    expected = ", ".join(
        spec.header_name(name) for name, column in spec.columns.items() if not column.optional
    )
    assert refusal(home, source, csv="nimi;luku\nx;1\n") == (
        "no_header",
        (
            f"{source}/{DAY}: refused: no header of {source} is found in a.csv (2 rows)."
            f" Fix: put the column names ({expected}) in the first row"
        ),
    )


# --- the same again -------------------------------------------------------------------------------


@pytest.mark.parametrize("source", RECURRING)
def test_the_same_file_twice_in_a_delivery_is_loaded_once(home: Home, source: str) -> None:
    text = text_of(good(source))
    delivery_id = delivered(home, source, a__csv=text, b__csv=text)
    entry = home.entry(delivery_id)
    assert (entry.rows_in, entry.rows_loaded, entry.rows_duplicate) == (24, 12, 12)
    assert home.texts(delivery_id) == [
        (
            f"{source}/{DAY}: warning: rows stand more than once with the same values; one of each"
            " is loaded (12 rows). Fix: send each row once"
        )
    ]


@pytest.mark.parametrize("source", OTHERS)
def test_the_same_file_in_two_deliveries_is_a_duplicate(home: Home, source: str) -> None:
    text = text_of(good(source))
    delivered(home, source, csv=text)
    home.deliver(f"{source}/2022-05-15", {"renamed.csv": text})
    home.ingest()
    entry = home.entry(f"{source}/2022-05-15")
    assert (entry.outcome, entry.rows_loaded, entry.rows_duplicate) == ("duplicate", 0, 12)
    assert home.texts(f"{source}/2022-05-15") == [
        (
            f"{source}/2022-05-15: warning: the content equals that of {source}/{DAY} (12 rows)."
            " Fix: nothing, unless other figures were meant to be sent"
        )
    ]
    assert lake(home, source, "2022-05-15") == []


@pytest.mark.parametrize("source", OTHERS)
def test_a_changed_delivery_is_refused_and_its_loaded_rows_stand(home: Home, source: str) -> None:
    delivery_id = delivered(home, source, csv=text_of(good(source)))
    before = lake(home, source)
    column, other = SAMPLES[source].value
    changed = [{**SAMPLES[source].row(1), column: other}, *good(source)[1:]]
    delivered(home, source, csv=text_of(changed))
    assert home.texts(delivery_id) == [
        (
            f"{source}/{DAY}: refused: a.csv changed after the delivery was loaded; the loaded rows"
            f" stand (12 rows). Fix: put the old files back, and send the new figures as {DAY}-2"
        )
    ]
    assert lake(home, source) == before
