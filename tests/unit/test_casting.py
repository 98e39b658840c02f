"""Casts at their boundaries: what a text becomes, and by which rule it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from pydantic import ValidationError

from ingest.casting import UNIT_FACTORS, casts, checks, cleaned, code_column
from ingest.rows import RULE_TEXTS, install_macros
from ingest.spec import LAKE_TYPES, Spec

NO_BREAK = "\u00a0"
NARROW = "\u202f"


@dataclass(frozen=True)
class Cell:
    """What became of one row: its lake columns, and the rules it breaks."""

    lake: dict[str, Any]
    rules: list[str]

    @property
    def value(self) -> Any:
        return self.lake["value"]


def bulk_spec(column: dict[str, Any], **others: dict[str, Any]) -> Spec:
    """A spec of a bulk source, which may have times and people."""
    declared = tiny_spec({}).model_dump()
    columns = {"value": column, **others}
    return Spec.model_validate({**declared, "bulk": True, "one_of": ["value"], "columns": columns})


def tiny_spec(column: dict[str, Any], **others: dict[str, Any]) -> Spec:
    """A spec of the column `value` and what goes with it."""
    return Spec.model_validate(
        {
            "source": "tiny",
            "title": "Tiny",
            "description": "One column",
            "owner": "nobody",
            "cadence": "once",
            "key": ["value"],
            "columns": {"value": column, **others},
            "forms": [{"name": "long"}],
        }
    )


CONNECTION = duckdb.connect()
install_macros(CONNECTION)


def read(spec: Spec, code: str | None = None, **texts: str) -> Cell:
    """Cast one row of texts; `code` is what the code table says of the value."""
    given = {name: texts.get(name, "") for name in spec.columns}
    cells = ", ".join(f"${name}::varchar as {name}" for name in given)
    clean = ", ".join(f"{cleaned(name)} as {name}" for name in given)
    values = ", ".join(f"{cast.sql} as {cast.name}" for cast in casts(spec))
    broken = ", ".join(
        f"case when {check.failing} then '{check.rule}' end" for check in checks(spec)
    )
    cursor = CONNECTION.execute(
        f"""
        with raw as (select {cells}, $code::varchar as {code_column("value")}),
        texts as (select {clean}, {code_column("value")} from raw)
        select {values}, list_filter([{broken}]::varchar[], lambda rule: rule is not null) as rules
        from texts
        """,
        {**given, "code": code},
    )
    row = cursor.fetchone()
    assert row is not None
    names = [column[0] for column in cursor.description]
    lake = dict(zip(names, row, strict=True))
    return Cell(lake, lake.pop("rules"))


# --- integers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 274 049", 1_274_049),
        (f"1{NO_BREAK}274{NO_BREAK}049", 1_274_049),
        (f"1{NARROW}274{NARROW}049", 1_274_049),
        ("1\u2009274\u2009049", 1_274_049),
        ("1\u2007274\u2007049", 1_274_049),
        (f"1 {NO_BREAK}274", 1_274),
        ("1274049", 1_274_049),
        ("0", 0),
        (" 7 ", 7),
        ("007", 7),
        ("-5", -5),
        ("–5", -5),
        ("\u22125", -5),
        ("\u20125", -5),
        ("- 5", -5),
        ("–1 274", -1_274),
        ("9 223 372 036 854 775 807", 9_223_372_036_854_775_807),
        ("-9223372036854775808", -9_223_372_036_854_775_808),
        ("+5", 5),
        ("+ 5", 5),
        ("+1 274", 1_274),
    ],
)
def test_a_whole_number_is_read_however_a_unit_groups_it(text: str, value: int) -> None:
    cell = read(tiny_spec({"type": "integer"}), value=text)
    assert (cell.value, cell.rules) == (value, [])


@pytest.mark.parametrize(
    "text",
    ["1 27 4", "1 2345", "1234 567", "12,5", "12.5", "1.234", "1e3", "++5", "+", "--5", "5-",
     "60 %", "x", "#N/A", "\uff15", "1'000", "1;2"],
)  # fmt: skip
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    assert read(tiny_spec({"type": "integer"}), value=text).rules == ["not_an_integer"]


@pytest.mark.parametrize("text", ["9223372036854775808", "-9223372036854775809", "9" * 60])
def test_a_whole_number_beyond_64_bits_is_too_large(text: str) -> None:
    cell = read(tiny_spec({"type": "integer"}), value=text)
    assert (cell.value, cell.rules) == (None, ["too_large"])


def test_a_minimum_allows_itself_and_nothing_below() -> None:
    spec = tiny_spec({"type": "integer", "minimum": 0})
    assert read(spec, value="0").rules == []
    assert read(spec, value="–1").rules == ["below_minimum"]
    assert read(spec, value="-").rules == []
    assert read(spec, value="x").rules == ["not_an_integer"]


# --- amounts --------------------------------------------------------------------------------------

AMOUNT = tiny_spec(
    {"type": "amount", "factor": "unit"}, unit={"type": "unit_factor", "required": True}
)


@pytest.mark.parametrize(
    ("text", "unit", "euros", "precision"),
    [
        ("2 452,4", "MEUR", "2452400000.00", "100000.00"),
        ("2 452", "MEUR", "2452000000.00", "1000000.00"),
        ("2 452,40", "MEUR", "2452400000.00", "10000.00"),
        ("1.5", "MEUR", "1500000.00", "100000.00"),
        ("1234.567", "MEUR", "1234567000.00", "1000.00"),
        (f"95{NO_BREAK}768", "1000 EUR", "95768000.00", "1000.00"),
        ("–12,5", "1000 EUR", "-12500.00", "100.00"),
        ("0", "1000 EUR", "0.00", "1000.00"),
        ("1234,56", "EUR", "1234.56", "0.01"),
        ("1 234,5", "EUR", "1234.50", "0.10"),
        ("9 999 999 999 999 999,99", "EUR", "9999999999999999.99", "0.01"),
        ("1,234", "1000 EUR", "1234.00", "1.00"),
    ],
)
def test_an_amount_becomes_euros_with_its_printed_precision(
    text: str, unit: str, euros: str, precision: str
) -> None:
    cell = read(AMOUNT, value=text, unit=unit)
    assert (cell.value, cell.lake["value_precision"]) == (Decimal(euros), Decimal(precision))
    assert str(cell.value) == euros
    assert cell.rules == []


@pytest.mark.parametrize("text", ["1.234", "12.345.678", "-1.234", "–999.000"])
def test_a_point_before_three_digits_is_ambiguous_and_not_guessed(text: str) -> None:
    assert read(AMOUNT, value=text, unit="MEUR").rules == ["ambiguous_number"]


@pytest.mark.parametrize("text", ["x", "1 27 4,5", "1,2,3", ",5", "5,", "1 000 EUR", "1.234,5"])
def test_what_is_no_decimal_number_is_refused(text: str) -> None:
    assert read(AMOUNT, value=text, unit="EUR").rules == ["not_a_number"]


@pytest.mark.parametrize(
    ("text", "unit"),
    [("10 000 000 000 000 000", "EUR"), ("10 000 000 000", "MEUR"), ("9" * 40, "EUR")],
)
def test_an_amount_beyond_the_lakes_decimal_is_too_large(text: str, unit: str) -> None:
    cell = read(AMOUNT, value=text, unit=unit)
    assert (cell.value, cell.rules) == (None, ["too_large"])


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("EUR", 1),
        ("eur", 1),
        ("€", 1),
        ("1000 EUR", 1_000),
        ("1 000 EUR", 1_000),
        (f"1{NO_BREAK}000 €", 1_000),
        ("1000 €", 1_000),
        ("teur", 1_000),
        ("MEUR", 1_000_000),
        ("milj. EUR", 1_000_000),
        ("M€", 1_000_000),
    ],
)
def test_every_unit_of_money_is_known_in_any_case(unit: str, factor: int) -> None:
    cell = read(AMOUNT, value="1", unit=unit)
    assert (cell.value, cell.lake["unit"], cell.rules) == (Decimal(factor), factor, [])


def test_the_units_of_money_are_written_in_lower_case_where_they_are_looked_up() -> None:
    assert [unit for unit in UNIT_FACTORS if unit != unit.lower()] == []


@pytest.mark.parametrize(
    ("unit", "rule"), [("kEUR", "unknown_value"), ("", "missing_value"), ("-", "missing_value")]
)
def test_a_wrong_unit_of_money_is_the_only_thing_said_about_the_row(unit: str, rule: str) -> None:
    assert read(AMOUNT, value="1", unit=unit).rules == [rule]


@pytest.mark.parametrize("text", ["", "-", "–", "..", "Ks. HUS"])
def test_a_missing_amount_has_no_precision(text: str) -> None:
    spec = tiny_spec({"type": "amount", "status": "why"})
    cell = read(spec, value=text)
    assert (cell.value, cell.lake["value_precision"], cell.rules) == (None, None, [])


# --- numbers --------------------------------------------------------------------------------------

NUMBER_TYPES = ("number", "number_or_yes_no")


@pytest.mark.parametrize("type_", NUMBER_TYPES)
@pytest.mark.parametrize(
    ("text", "value", "precision"),
    [
        ("5", "5", "1"),
        ("0", "0", "1"),
        ("-0", "0", "1"),
        ("0,0", "0", "0.1"),
        ("1 274,5", "1274.5", "0.1"),
        (f"1{NO_BREAK}274,50", "1274.5", "0.01"),
        ("2452.4", "2452.4", "0.1"),
        ("1234.567", "1234.567", "0.001"),
        ("0,000001", "0.000001", "0.000001"),
        ("–22,8", "-22.8", "0.1"),
        ("- 3", "-3", "1"),
        ("+3", "3", "1"),
        ("+ 3,5", "3.5", "0.1"),
        ("999 999 999 999", "999999999999", "1"),
    ],
)
def test_a_number_keeps_what_is_printed_and_how_finely(
    type_: str, text: str, value: str, precision: str
) -> None:
    cell = read(tiny_spec({"type": type_}), value=text)
    assert (cell.value, cell.lake["value_precision"]) == (Decimal(value), Decimal(precision))
    assert cell.rules == []


@pytest.mark.parametrize("type_", NUMBER_TYPES)
@pytest.mark.parametrize(
    ("text", "value", "precision"),
    [
        ("68 %", "0.68", "0.01"),
        ("68%", "0.68", "0.01"),
        (f"4,7{NO_BREAK}%", "0.047", "0.001"),
        ("100 %", "1", "0.01"),
        ("0 %", "0", "0.01"),
        ("–5 %", "-0.05", "0.01"),
        ("+5 %", "0.05", "0.01"),
        ("0,0001 %", "0.000001", "0.000001"),
        ("5,3 MEUR", "5300000", "100000"),
        ("5,3 meur", "5300000", "100000"),
        ("5,3MEUR", "5300000", "100000"),
        ("2 452,4 MEUR", "2452400000", "100000"),
        ("–3,1 MEUR", "-3100000", "100000"),
        ("166 MEUR", "166000000", "1000000"),
        ("12,50 EUR", "12.5", "0.01"),
        ("5 eur", "5", "1"),
    ],
)
def test_a_number_with_its_unit_is_a_share_or_euros(
    type_: str, text: str, value: str, precision: str
) -> None:
    cell = read(tiny_spec({"type": type_}), value=text)
    assert (cell.value, cell.lake["value_precision"]) == (Decimal(value), Decimal(precision))
    assert cell.rules == []


@pytest.mark.parametrize("type_", NUMBER_TYPES)
@pytest.mark.parametrize(
    ("text", "euros"),
    [
        ("1 000 EUR", 1_000),
        ("21 000 EUR", 21_000),
        ("91000 EUR", 91_000),
        ("251 000 EUR", 251_000),
        ("5 301 000 EUR", 5_301_000),
        (f"11{NO_BREAK}000 eur", 11_000),
    ],
)
def test_thousands_before_eur_are_no_unit_of_1000_eur(type_: str, text: str, euros: int) -> None:
    """Read as euros, or set aside; never as 2 x 1 000 euros."""
    cell = read(tiny_spec({"type": type_}), value=text)
    assert cell.rules or cell.value == euros


@pytest.mark.parametrize("type_", NUMBER_TYPES)
@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("x", "not_a_number"),
        ("%", "not_a_number"),
        ("MEUR", "not_a_number"),
        ("5 % %", "not_a_number"),
        ("5 MEUR %", "not_a_number"),
        ("5 ‰", "not_a_number"),
        ("5 kpl", "not_a_number"),
        ("noin 5", "not_a_number"),
        ("10-20", "not_a_number"),
        ("1 27 4", "not_a_number"),
        ("1,2,3", "not_a_number"),
        (",5", "not_a_number"),
        ("5,", "not_a_number"),
        ("1.234,5", "not_a_number"),
        ("++5", "not_a_number"),
        ("5+", "not_a_number"),
        ("+", "not_a_number"),
        ("1.234", "ambiguous_number"),
        ("1.234 MEUR", "ambiguous_number"),
        ("1.234 %", "ambiguous_number"),
        ("1 000 000 000 000", "too_large"),
        ("1 000 000 MEUR", "too_large"),
    ],
)
def test_what_is_no_number_is_refused(type_: str, text: str, rule: str) -> None:
    assert read(tiny_spec({"type": type_}), value=text).rules == [rule]


@pytest.mark.parametrize("type_", ["percent", *NUMBER_TYPES])
@pytest.mark.parametrize("text", ["0,1234567", "12,34567 %", "0,0000001"])
def test_a_number_finer_than_the_lake_is_refused_and_not_rounded(type_: str, text: str) -> None:
    """As an amount finer than a cent is: nothing that was printed is lost in silence."""
    assert read(tiny_spec({"type": type_}), value=text).rules == ["too_many_decimals"]


@pytest.mark.parametrize("type_", ["integer", "amount", "percent", *NUMBER_TYPES])
@pytest.mark.parametrize("text", ["+-5", "+ -5", "+–5", "-+5", "–+5"])
def test_a_number_has_one_sign(type_: str, text: str) -> None:
    wanted = "not_an_integer" if type_ == "integer" else "not_a_number"
    assert read(tiny_spec({"type": type_}), value=text).rules == [wanted]


@pytest.mark.parametrize(
    ("text", "share"), [("+5 %", "0.050000"), ("+ 2,5", "0.025000"), ("+0", "0.000000")]
)
def test_a_plus_says_nothing_in_a_percent(text: str, share: str) -> None:
    cell = read(tiny_spec({"type": "percent"}), value=text)
    assert (str(cell.value), cell.rules) == (share, [])


def test_a_plus_says_nothing_in_an_amount() -> None:
    cell = read(AMOUNT, value="+18,5", unit="MEUR")
    assert (cell.value, cell.rules) == (Decimal(18_500_000), [])
    assert cell.lake["value_precision"] == Decimal(100_000)
    assert read(AMOUNT, value="+1.234", unit="MEUR").rules == ["ambiguous_number"]


@pytest.mark.parametrize("type_", NUMBER_TYPES)
def test_a_minimum_of_a_number_is_judged_in_its_unit(type_: str) -> None:
    spec = tiny_spec({"type": type_, "minimum": 0})
    assert read(spec, value="0").rules == []
    assert read(spec, value="0,000001").rules == []
    for text in ("–0,000001", "–5 %", "–0,1 MEUR"):
        assert read(spec, value=text).rules == ["below_minimum"], text


def test_a_maximum_allows_itself_and_nothing_above() -> None:
    spec = tiny_spec({"type": "integer", "maximum": 100})
    assert read(spec, value="100").rules == []
    assert read(spec, value="-5").rules == []
    assert read(spec, value="101").rules == ["above_maximum"]
    assert read(spec, value="-").rules == []
    assert read(spec, value="x").rules == ["not_an_integer"]


@pytest.mark.parametrize("type_", NUMBER_TYPES)
def test_a_maximum_of_a_number_is_judged_in_its_unit(type_: str) -> None:
    spec = tiny_spec({"type": type_, "maximum": 1})
    for text in ("1", "1,000000", "100 %", "0,999999", "-"):
        assert read(spec, value=text).rules == [], text
    for text in ("1,000001", "100,0001 %", "101", "0,1 MEUR"):
        assert read(spec, value=text).rules == ["above_maximum"], text


def test_a_maximum_of_a_percentage_is_a_share() -> None:
    spec = tiny_spec({"type": "percent", "maximum": 1})
    for text in ("100", "100 %", "99,9", "0", "-"):
        assert read(spec, value=text).rules == [], text
    for text in ("100,1", "100,1 %", "100,0001", "250"):
        assert read(spec, value=text).rules == ["above_maximum"], text


def test_a_bound_of_either_kind_names_its_own_rule() -> None:
    spec = tiny_spec({"type": "percent", "status": "state", "minimum": 0, "maximum": 1})
    assert read(spec, value="-1").rules == ["below_minimum"]
    assert read(spec, value="101").rules == ["above_maximum"]
    assert read(spec, value="Ks. muu").rules == []


@pytest.mark.parametrize("type_", NUMBER_TYPES)
@pytest.mark.parametrize(
    ("text", "status", "reference"),
    [
        ("", "not_available", None),
        ("–", "not_available", None),
        ("..", "suppressed", None),
        ("Ks. HUS", "moved", "Ks. HUS"),
    ],
)
def test_a_missing_number_says_why_and_has_no_precision(
    type_: str, text: str, status: str, reference: str | None
) -> None:
    cell = read(tiny_spec({"type": type_, "status": "why"}), value=text)
    kind = {"value_kind": None} if type_ == "number_or_yes_no" else {}
    assert cell.lake == {
        "value": None,
        "value_precision": None,
        **kind,
        "value_reference": reference,
        "why": status,
    }
    assert cell.rules == []


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        *((text, 1, "yes_no") for text in ("kyllä", "Kyllä", "KYLLÄ", "K", "k", "true")),
        *((text, 0, "yes_no") for text in ("ei", "Ei", "E", "e", "false")),
        # 1 and 0 are numbers here: a count of one is no yes.
        ("1", 1, "number"),
        ("0", 0, "number"),
        ("100 %", 1, "number"),
        ("0 %", 0, "number"),
    ],
)
def test_a_yes_is_told_from_a_number(text: str, value: int, kind: str) -> None:
    cell = read(tiny_spec({"type": "number_or_yes_no"}), value=text)
    assert (cell.value, cell.lake["value_kind"], cell.rules) == (value, kind, [])


@pytest.mark.parametrize("text", ["joo", "kyllä/ei", "ei kyllä", "kyllä 5", "K/E", "osittain"])
def test_what_is_neither_number_nor_yes_or_no_is_refused(text: str) -> None:
    assert read(tiny_spec({"type": "number_or_yes_no"}), value=text).rules == ["not_a_number"]


def test_yes_and_no_are_no_numbers() -> None:
    for text in ("kyllä", "E"):
        assert read(tiny_spec({"type": "number"}), value=text).rules == ["not_a_number"], text


# --- percents -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("60", "0.600000"),
        ("60 %", "0.600000"),
        ("60%", "0.600000"),
        (f"60{NO_BREAK}%", "0.600000"),
        ("12,5 %", "0.125000"),
        ("12.5", "0.125000"),
        ("0", "0.000000"),
        ("100", "1.000000"),
        ("–3", "-0.030000"),
        ("0,0001", "0.000001"),
        ("99 999,9999", "999.999999"),
    ],
)
def test_a_percent_becomes_a_share(text: str, share: str) -> None:
    cell = read(tiny_spec({"type": "percent"}), value=text)
    assert (str(cell.value), cell.rules) == (share, [])


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("abc", "not_a_number"),
        ("%", "not_a_number"),
        ("60 % %", "not_a_number"),
        ("60 ‰", "not_a_number"),
        ("1.234", "ambiguous_number"),
        ("100000", "too_large"),
    ],
)
def test_what_is_no_percent_is_refused(text: str, rule: str) -> None:
    assert read(tiny_spec({"type": "percent"}), value=text).rules == [rule]


# --- dates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("31.12.2021", date(2021, 12, 31)),
        ("2021-12-31", date(2021, 12, 31)),
        ("1.2.2021", date(2021, 2, 1)),
        ("01.02.2021", date(2021, 2, 1)),
        ("29.2.2020", date(2020, 2, 29)),
    ],
)
def test_a_date_is_read_in_finnish_and_iso_order(text: str, day: date) -> None:
    cell = read(tiny_spec({"type": "date"}), value=text)
    assert (cell.value, cell.rules) == (day, [])


@pytest.mark.parametrize(
    "text",
    ["31.2.2021", "29.2.2021", "0.1.2021", "1.13.2021", "2021-02-30", "31.12.", "2021-12",
     "joulukuu 2021", "31/12/2021", "12-31-2021", "44561", "31.12.2021 klo 10"],
)  # fmt: skip
def test_what_is_no_date_is_refused(text: str) -> None:
    cell = read(tiny_spec({"type": "date"}), value=text)
    assert (cell.value, cell.rules) == (None, ["not_a_date"])


@pytest.mark.parametrize("text", ["31.12.21", "31.12.0021", "0021-12-31"])
@pytest.mark.parametrize(
    ("type_", "rule"), [("date", "not_a_date"), ("date_or_month", "not_a_date_or_month")]
)
def test_a_year_of_two_digits_is_refused_and_not_taken_for_the_first_century(
    text: str, type_: str, rule: str
) -> None:
    assert read(tiny_spec({"type": type_}), value=text).rules == [rule]


MONTHS = {
    "tammikuu": 31,
    "helmikuu": 28,
    "maaliskuu": 31,
    "huhtikuu": 30,
    "toukokuu": 31,
    "kesäkuu": 30,
    "heinäkuu": 31,
    "elokuu": 31,
    "syyskuu": 30,
    "lokakuu": 31,
    "marraskuu": 30,
    "joulukuu": 31,
}


@pytest.mark.parametrize("number", range(1, 13))
def test_every_finnish_month_is_its_last_day(number: int) -> None:
    spec = tiny_spec({"type": "date_or_month"})
    name, days = list(MONTHS.items())[number - 1]
    for text in (f"{name} 2021", f"{name}ssa 2021", f"{name.upper()} 2021", f"2021-{number:02}"):
        cell = read(spec, value=text)
        assert (cell.value, cell.rules) == (date(2021, number, days), []), text


def test_a_date_stays_the_day_it_is_and_a_month_is_its_last_day_also_in_a_leap_year() -> None:
    spec = tiny_spec({"type": "date_or_month"})
    assert read(spec, value="31.12.2021").value == date(2021, 12, 31)
    assert read(spec, value="2021-12-31").value == date(2021, 12, 31)
    assert read(spec, value="15.12.2021").value == date(2021, 12, 15)
    assert read(spec, value="helmikuussa 2020").value == date(2020, 2, 29)


@pytest.mark.parametrize(
    "text",
    ["2021-13", "2021-00", "31.2.2021", "joulukuu", "joulukuu 21", "joulu 2021", "december 2021",
     "12/2021", "2021", "joulukuulta 2021"],
)  # fmt: skip
def test_what_is_neither_date_nor_month_is_refused(text: str) -> None:
    cell = read(tiny_spec({"type": "date_or_month"}), value=text)
    assert (cell.value, cell.rules) == (None, ["not_a_date_or_month"])


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("2021", "2021"),
        ("2021-06", "2021-06"),
        ("2021-12", "2021-12"),
        ("2021-Q2", "2021-Q2"),
        ("2021-q2", "2021-Q2"),
        ("2021Q4", "2021-Q4"),
        (" 1999 ", "1999"),
    ],
)
def test_a_period_is_a_year_a_month_or_a_quarter(text: str, period: str) -> None:
    cell = read(tiny_spec({"type": "period"}), value=text)
    assert (cell.value, cell.rules) == (period, [])


@pytest.mark.parametrize(
    "text",
    ["2021-13", "2021-00", "2021-6", "2021-Q0", "2021-Q5", "21", "1899", "2100", "20211",
     "2021/06", "06-2021", "2021-06-30", "kesäkuu 2021", "2021,0"],
)  # fmt: skip
def test_what_is_no_period_is_refused(text: str) -> None:
    assert read(tiny_spec({"type": "period"}), value=text).rules == ["not_a_period"]


def test_a_year_has_four_digits_of_this_or_the_last_century() -> None:
    spec = tiny_spec({"type": "year"})
    assert [read(spec, value=text).value for text in ("1900", "2021", "2099")] == [1900, 2021, 2099]
    for text in ("21", "1899", "2100", "20211", "2021,0", "x"):
        assert read(spec, value=text).rules == ["not_a_year"], text


# --- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [(text, True) for text in ("K", "k", "kyllä", "KYLLÄ", "1", "true", "True")]
    + [(text, False) for text in ("E", "e", "ei", "Ei", "0", "false", "FALSE")],
)
def test_yes_and_no_are_read_in_any_case(text: str, value: bool) -> None:
    cell = read(tiny_spec({"type": "boolean"}), value=text)
    assert (cell.value, cell.rules) == (value, [])


@pytest.mark.parametrize("text", ["x", "joo", "2", "K/E", "kyllä ei"])
def test_what_is_neither_yes_nor_no_is_refused(text: str) -> None:
    cell = read(tiny_spec({"type": "boolean"}), value=text)
    assert (cell.value, cell.rules) == (None, ["not_yes_or_no"])


def test_a_choice_is_one_of_its_values_in_any_case() -> None:
    spec = tiny_spec({"type": "choice", "values": {"Arvio": "estimated", "lopullinen": "final"}})
    assert read(spec, value=" ARVIO ").value == "estimated"
    assert read(spec, value="Lopullinen").value == "final"
    assert read(spec, value="ehkä").rules == ["unknown_value"]
    assert read(spec, value="estimated").rules == ["unknown_value"]
    assert (read(spec, value="").value, read(spec, value="").rules) == (None, [])


def test_a_code_is_what_the_code_table_says_and_else_unknown() -> None:
    spec = tiny_spec({"type": "code", "codes": "groups", "required": True})
    assert read(spec, value="Lääkärit", code="physicians").value == "physicians"
    assert read(spec, value="Lääkärit", code="physicians").rules == []
    assert read(spec, value="Parturit").rules == ["unknown_code"]
    assert read(spec, value="").rules == ["missing_value"]


def test_a_text_has_its_white_space_folded() -> None:
    spec = tiny_spec({})
    assert read(spec, value=f"  Päivä{NO_BREAK}\n toiminta ").value == "Päivä toiminta"
    assert read(spec, value="'; drop table texts; --").value == "'; drop table texts; --"
    assert read(spec, value="-").value is None


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("2021", True),
        ("2021-12", True),
        (" 2021-12 ", True),
        ("2021-13", False),
        ("vuonna 2021", False),
        ("2021, 2022", False),
        ("2021-12-31", False),
    ],
)
def test_a_text_with_a_pattern_fits_it_as_a_whole(text: str, fits: bool) -> None:
    cell = read(tiny_spec({"pattern": r"(19|20)\d\d(-(0[1-9]|1[0-2]))?"}), value=text)
    assert cell.rules == ([] if fits else ["unexpected_form"])


@pytest.mark.parametrize("text", ["", "-", ".."])
def test_a_missing_text_fits_every_pattern(text: str) -> None:
    cell = read(tiny_spec({"pattern": "a+"}), value=text)
    assert (cell.value, cell.rules) == (None, [])
    assert read(tiny_spec({"pattern": "a+", "required": True}), value=text).rules == [
        "missing_value"
    ]


def test_a_pattern_may_hold_a_quote() -> None:
    assert read(tiny_spec({"pattern": "d'or"}), value="d'or").rules == []
    assert read(tiny_spec({"pattern": "d'or"}), value="dor").rules == ["unexpected_form"]


@pytest.mark.parametrize("type_", ["integer", "number", "date", "choice"])
def test_a_pattern_belongs_to_a_text(type_: str) -> None:
    extra = {"values": {"a": "b"}} if type_ == "choice" else {}
    with pytest.raises(ValidationError, match="`pattern` belongs to columns of type text"):
        tiny_spec({"type": type_, "pattern": "a", **extra})


# --- missing values -------------------------------------------------------------------------------

COUNT = tiny_spec(
    {"type": "integer", "status": "state", "minimum": 0},
    state={"type": "choice", "optional": True, "values": {"arvio": "estimated"}},
)


@pytest.mark.parametrize(
    ("text", "status", "reference"),
    [
        ("", "not_available", None),
        ("   ", "not_available", None),
        (NO_BREAK, "not_available", None),
        ("-", "not_available", None),
        ("–", "not_available", None),
        ("—", "not_available", None),
        (" – ", "not_available", None),
        ("..", "suppressed", None),
        ("Ks. muu avohoito", "moved", "Ks. muu avohoito"),
        ("ks muu avohoito", "moved", "ks muu avohoito"),
        ("Katso HUS", "moved", "Katso HUS"),
    ],
)
@pytest.mark.parametrize("said", ["", "arvio"])
def test_a_missing_value_is_null_with_its_reason_whatever_the_state_says(
    text: str, status: str, reference: str | None, said: str
) -> None:
    cell = read(COUNT, value=text, state=said)
    assert cell.lake == {"value": None, "value_reference": reference, "state": status}
    assert cell.rules == []


def test_a_given_value_has_the_state_it_is_given_and_else_is_final() -> None:
    assert read(COUNT, value="5", state="Arvio").lake["state"] == "estimated"
    assert read(COUNT, value="0").lake["state"] == "final"
    assert read(COUNT, value="5", state="ehkä").rules == ["unknown_value"]


def test_a_status_that_no_file_holds_is_derived() -> None:
    spec = tiny_spec({"type": "percent", "status": "why"})
    assert read(spec, value="60").lake["why"] == "final"
    assert read(spec, value="..").lake["why"] == "suppressed"


@pytest.mark.parametrize("text", ["...", "n/a", "--", "Ks.", "Ksenia 5", "ei tietoa"])
def test_what_only_looks_like_a_missing_value_is_refused(text: str) -> None:
    assert read(COUNT, value=text).rules == ["not_an_integer"]


def test_a_reference_elsewhere_needs_a_status_to_be_told_in() -> None:
    spec = tiny_spec({"type": "integer"})
    assert read(spec, value="Ks. muu avohoito").rules == ["not_an_integer"]
    assert (read(spec, value="–").value, read(spec, value="–").rules) == (None, [])


@pytest.mark.parametrize("text", ["", "-", "–", ".."])
def test_a_required_value_may_not_be_missing(text: str) -> None:
    assert read(tiny_spec({"type": "integer", "required": True}), value=text).rules == [
        "missing_value"
    ]


def test_a_default_stands_in_for_an_empty_cell_only() -> None:
    spec = tiny_spec({"default": "ALL"})
    assert read(spec, value="").value == "ALL"
    assert read(spec, value="-").value == "ALL"
    assert read(spec, value="HUS").value == "HUS"


def test_every_rule_has_words_for_a_report() -> None:
    columns: dict[str, dict[str, Any]] = {
        f"c_{type_}": {"type": type_} for type_ in LAKE_TYPES if type_ not in ("choice", "code")
    }
    columns["c_text"] |= {"pattern": "a+"}
    columns["c_person"] = {"personal": "client"}
    columns["c_integer"] |= {"minimum": 0, "maximum": 9}
    columns["c_choice"] = {"type": "choice", "values": {"a": "b"}}
    columns["c_code"] = {"type": "code", "codes": "groups"}
    spec = bulk_spec({"required": True}, **columns)
    assert {check.rule for check in checks(spec)} <= set(RULE_TEXTS)
    assert len({check.rule for check in checks(spec)}) == 21


@pytest.mark.parametrize(
    ("text", "unit", "rule"),
    [
        ("1,23", "EUR", None),
        ("1,234", "EUR", "finer_than_a_cent"),
        ("1,2345", "1000 EUR", None),
        ("1,23456", "1000 EUR", None),
        ("1,234567", "1000 EUR", "finer_than_a_cent"),
    ],
)
def test_an_amount_finer_than_a_cent_is_refused_and_not_rounded(
    text: str, unit: str, rule: str | None
) -> None:
    spec = tiny_spec(
        {"type": "amount", "factor": "unit"}, unit={"type": "unit_factor", "required": True}
    )
    assert read(spec, value=text, unit=unit).rules == ([] if rule is None else [rule])
