"""Every printed figure is in a mart, and where the city's documents disagree, a check says so.

The figures are as a person typed them from the documents: the annual report 2021 (staff, money,
outputs) and the action plan 2022 (budget). Money is in millions, as printed.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Sotedw

    Deliver = Callable[[Path, str, Mapping[str, str | bytes]], None]

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("e2e_built")]

LANDING = Path(__file__).resolve().parents[2] / "landing"
END_2021, END_2020 = date(2021, 12, 31), date(2020, 12, 31)

# --- annual report 2021, tables 1, 2, 3 and 5 -----------------------------------------------------

#: Table 1, for the two year ends.
TABLE_1 = {
    "permanent_headcount": ("Vakinaiset", 10_445, 11_126),
    "fixed_term_headcount": ("Määräaikaiset", 4_203, 3_476),
    "total_headcount": ("Yhteensä", 14_648, 14_602),
    "subsidised_headcount": ("Työllistetyt", 301, 297),
}

#: Table 2: permanent, fixed-term, subsidised, per cent of the division's permanent staff.
TABLE_2 = {
    "administration": ("Hallinto", 655, 320, 2, 6),
    "family_and_social": ("Perhe- ja sosiaalipalvelut", 2_784, 943, 153, 27),
    "health_and_substance_abuse": ("Terveys- ja päihdepalvelut", 2_489, 1_442, 6, 24),
    "hospital_rehabilitation_care": (
        "Sairaala-, kuntoutus- ja hoivapalvelut", 4_517, 1_498, 140, 43,
    ),
    "ALL": ("Sosiaali- ja terveystoimiala yhteensä", 10_445, 4_203, 301, 100),
}  # fmt: skip

#: Tables 3 and 5: posts at the two year ends; training occasions and participants of 2021 and 2020.
GROUPS: dict[str, tuple[str, tuple[int, int], tuple[int, int, int, int]]] = {
    "specialist_physicians": ("Erikoislääkärit", (274, 267), (556, 183, 683, 190)),
    "health_centre_physicians": ("Terveyskeskuslääkärit", (386, 385), (758, 282, 673, 293)),
    "resident_physicians": ("Erikoistuvat lääkärit", (60, 59), (15, 10, 45, 22)),
    "dentists": ("Hammaslääkärit", (209, 202), (1_906, 225, 1_450, 243)),
    "demanding_nursing": (
        "Vaativat hoitoalan ammattitehtävät", (3_359, 3_414), (10_468, 3_034, 7_772, 2_770),
    ),
    "nursing": ("Hoitoalan ammattitehtävät", (3_977, 3_944), (7_790, 2_991, 5_074, 2_202)),
    "social_workers": ("Sosiaalityöntekijät", (758, 728), (3_790, 675, 2_627, 672)),
    "social_counsellors": ("Sosiaaliohjaajat", (646, 603), (2_786, 618, 2_085, 587)),
    "other_social_and_health": (
        "Muut sosiaali- ja terveydenhuollon ammattitehtävät",
        (1_488, 1_427), (3_426, 1_085, 2_557, 963),
    ),
    "basic_services": ("Peruspalveluhenkilöstö", (91, 101), (129, 59, 86, 50)),
    "other_staff": ("Muu henkilöstö", (1_776, 1_725), (7_736, 1_599, 5_125, 1_437)),
    "ALL": ("Yhteensä", (13_024, 12_855), (39_360, 10_761, 28_177, 9_429)),
}  # fmt: skip

#: Names that a table prints in its own words.
NAMES_IN_TABLE_3 = {
    "nursing": "Hoitoalan ammattitehtävät (sisältää hoiva-avustajat)",
    "social_workers": (
        "Sosiaalityöntekijät (sisältää erityis-, johtavat- ja vastaavat sosiaalityöntekijät)"
    ),
    "other_social_and_health": "Muut sosiaali- / terveydenhuollon ammattitehtävät",
}
NAMES_IN_TABLE_5 = {
    "social_workers": (
        "Sosiaalityöntekijät (myös erityis-, johtavat- ja vastaavat sosiaalityöntekijät)"
    ),
}

#: What the text of section 6 says of the staff: measure, period, value.
STAFF_TEXT = [
    ("permanent_share", "2021-12", 0.71),
    ("permanent_share", "2020-12", 0.75),
    ("foreign_language_headcount", "2021-12", 1_861),
    ("foreign_language_headcount", "2020-12", 1_755),
    ("foreign_language_share", "2021-12", 0.13),
    ("foreign_language_share", "2020-12", 0.12),
    ("swedish_speaking_headcount", "2021-12", 360),
    ("swedish_speaking_headcount", "2020-12", 362),
    ("turnover_rate", "2021", 0.099),
    ("turnover_rate", "2020", 0.075),
    ("retired_count", "2021", 264),
    ("retired_count", "2020", 251),
    ("resigned_count", "2021", 832),
    ("resigned_count", "2020", 654),
    ("other_leavers_count", "2021", 35),
    ("other_leavers_count", "2020", 16),
    ("total_shortfall_change_persons", "2021", 150),
    ("critical_transfers_own", "2021", 207),
    ("critical_transfers_other_divisions", "2021", 163),
    ("sickness_absence_rate", "2021", 0.047),
    ("sickness_absence_days_half_year_change", "2021", 6_500),
    ("one_off_rewards_amount", "2021", 5_300_000),
    ("one_off_rewards_amount", "2020", 4_400_000),
]

# --- the 2021 outturn and the 2022 budget ---------------------------------------------------------

#: What the report prints of 2021: available, outturn, deviation (signed); None where it is silent.
#: Apotti's and the division's income and the investments' deviation are in `FOLLOWING`.
OUTTURN_2021 = {
    ("division_total", "expenditure"): ("2452.4", "2515.9", "63.5"),
    ("social_and_health_services", "expenditure"): ("1679.8", "1756.7", "76.9"),
    ("social_and_health_services", "income"): ("304.8", "330.2", "25.4"),
    ("social_assistance", "expenditure"): ("15.0", "11.6", "-3.4"),
    ("social_assistance", "income"): ("2.6", "1.3", "-1.3"),
    ("immigration_services", "expenditure"): ("13.0", "12.9", None),
    ("immigration_services", "income"): ("14.4", "15.1", "0.7"),
    ("immigration_services", "margin"): ("1.4", None, "0.8"),
    ("apotti", "expenditure"): ("49.3", "45.3", "-4.0"),
    ("apotti", "income"): ("0.5", None, "0.1"),
    ("apotti", "margin"): ("-48.8", None, "4.1"),
    ("hus", "expenditure"): ("695.3", "689.4", "-5.9"),
    ("investments", "expenditure"): ("18.4", "11.1", None),
}

#: Figures that follow from printed ones where the print is silent or contradicts itself.
FOLLOWING = {
    # 0.5 available and 0.1 more came in.
    ("apotti", "income"): ("outturn_amount", "0.6"),
    ("apotti", "margin"): ("outturn_amount", "-44.7"),
    ("immigration_services", "margin"): ("outturn_amount", "2.2"),
    ("immigration_services", "expenditure"): ("deviation_amount", "-0.1"),
    # 330.2 + 1.3 + 15.1 + 0.6; the text prints 347.3.
    ("division_total", "income"): ("outturn_amount", "347.2"),
    # 11.1 - 18.4; the text prints 7.4.
    ("investments", "expenditure"): ("deviation_amount", "-7.3"),
}

#: How the available budget of 2021 comes about: original, granted in the year, carried over.
BRIDGES_2021 = {
    ("social_and_health_services", "expenditure"): ("1533.8", "146.0", None),
    ("social_and_health_services", "income"): ("158.8", "146.0", None),
    ("social_assistance", "expenditure"): ("15.0", None, None),
    ("immigration_services", "expenditure"): ("13.0", None, None),
    ("immigration_services", "income"): ("14.4", None, None),
    ("apotti", "expenditure"): ("41.1", None, "8.2"),
    ("hus", "expenditure"): ("695.3", None, None),
    ("investments", "expenditure"): ("9.0", None, "9.4"),
    ("division_total", "expenditure"): ("2298.2", "146.0", "8.2"),
}

#: Action plan 2022, table 1: budget and change, income first.
BUDGET_2022 = [
    ("Tulot", "division_total", "Sosiaali- ja terveystoimiala yhteensä", "166,8", "-9,5"),
    ("Tulot", "social_and_health_services", "Sosiaali- ja terveystoimialan palvelut", "158,8", "0"),
    ("Tulot", "social_assistance", "Toimeentulotuki", "2,6", "0"),
    ("Tulot", "immigration_services", "Valtion korvaamat maahanmuuttopalvelut", "5,0", "-9,4"),
    ("Tulot", "apotti", "Apotti", "0,4", "-0,1"),
    ("Tulot", "hus", "HUS-kuntayhtymä", "0", "0"),
    ("Menot", "division_total", "Sosiaali- ja terveystoimiala yhteensä", "2 408,3", "+110,0"),
    ("Menot", "social_and_health_services", "Sosiaali- ja terveystoimialan palvelut", "1 597,9",
     "+64,1"),
    ("Menot", "social_assistance", "Toimeentulotuki", "14,0", "-1,0"),
    ("Menot", "immigration_services", "Valtion korvaamat maahanmuuttopalvelut", "5,0", "-8,0"),
    ("Menot", "apotti", "Apotti", "59,6", "+18,5"),
    ("Menot", "hus", "HUS-kuntayhtymä", "731,8", "+36,5"),
]  # fmt: skip


@pytest.fixture(scope="module")
def database(release: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(release / "warehouse.duckdb"), read_only=True) as connection:
        yield connection


def rows(database: duckdb.DuckDBPyConnection, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    return database.execute(sql, list(values)).fetchall()


def printed(sotedw: Sotedw, home: Path, analysis: str) -> list[list[str]]:
    """An analysis as `sotedw query` prints it, header first."""
    answer = sotedw.done("query", "--home", home, "--analysis", analysis, "--format", "csv")
    return list(csv.reader(io.StringIO(answer.out)))


def grouped(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def millions(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text) * 1_000_000


# --- staff ----------------------------------------------------------------------------------------


def test_table_1_is_in_the_mart_for_both_years(database: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        database,
        "select measure_code, count_date, value, value_status, source_document_id"
        " from mart_workforce where service_entity_code = 'ALL' and staff_group_code = 'ALL'"
        " and measure_code in (select unnest(?)) order by all",
        list(TABLE_1),
    )
    assert found == sorted(
        (measure, day, value, "final", "annual_report_2021")
        for measure, (_, now, before) in TABLE_1.items()
        for day, value in ((END_2021, now), (END_2020, before))
    )


def test_table_2_is_in_the_mart(database: duckdb.DuckDBPyConnection) -> None:
    measures = (
        "permanent_headcount",
        "fixed_term_headcount",
        "subsidised_headcount",
        "share_of_division_permanent",
    )
    found = rows(
        database,
        "select service_entity_code, measure_code, value from mart_workforce"
        " where staff_group_code = 'ALL' and count_date = '2021-12-31'"
        " and measure_code in (select unnest(?)) order by all",
        list(measures),
    )
    assert found == sorted(
        (entity, measure, number / 100 if measure.startswith("share") else number)
        for entity, (_, *numbers) in TABLE_2.items()
        for measure, number in zip(measures, numbers, strict=True)
    )


def test_table_3_is_in_the_mart_once_and_never_by_entity(
    database: duckdb.DuckDBPyConnection,
) -> None:
    found = rows(
        database,
        "select staff_group_code, count_date, service_entity_code, posts_count from mart_vacancies"
        " where posts_count is not null order by all",
    )
    assert found == sorted(
        (group, day, "ALL", posts)
        for group, (_, both, _) in GROUPS.items()
        for day, posts in zip((END_2021, END_2020), both, strict=True)
    )
    assert (
        rows(
            database,
            "select staff_group_code, count_date, service_entity_code, cast(value as bigint)"
            " from mart_workforce where measure_code = 'posts' order by all",
        )
        == found
    )


def test_table_5_is_in_the_mart(database: duckdb.DuckDBPyConnection) -> None:
    wanted = [
        (group, measure, period, float(number))
        for group, (_, _, numbers) in GROUPS.items()
        for (period, measure), number in zip(
            [
                ("2021", "training_occasions"),
                ("2021", "training_participants"),
                ("2020", "training_occasions"),
                ("2020", "training_participants"),
            ],
            numbers,
            strict=True,
        )
    ]
    for table in ("fct_training", "mart_workforce"):
        assert rows(
            database,
            f"select staff_group_code, measure_code, period_code, value from {table}"
            " where service_entity_code = 'ALL' and measure_code like 'training%' order by all",
        ) == sorted(wanted), table


@pytest.mark.parametrize(("measure", "period", "value"), STAFF_TEXT)
def test_what_the_text_says_of_the_staff_is_in_the_mart(
    database: duckdb.DuckDBPyConnection, measure: str, period: str, value: float
) -> None:
    assert rows(
        database,
        "select value, source_document_id, source_section from mart_workforce"
        " where measure_code = ? and period_code = ?"
        " and service_entity_code = 'ALL' and staff_group_code = 'ALL'",
        measure,
        period,
    ) == [(value, "annual_report_2021", "6")]


def test_the_staff_mart_holds_what_is_printed_and_nothing_else(
    database: duckdb.DuckDBPyConnection,
) -> None:
    # Table 2's total row repeats three figures of table 1.
    cells = 2 * len(TABLE_1) + 4 * len(TABLE_2) - 3 + (2 + 4) * len(GROUPS) + len(STAFF_TEXT)
    assert rows(database, "select count(*) from mart_workforce") == [(cells,)]


# --- money ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("item", "flow"), OUTTURN_2021)
def test_the_printed_outturn_of_2021_is_in_the_mart(
    database: duckdb.DuckDBPyConnection, item: str, flow: str
) -> None:
    [amounts] = rows(
        database,
        "select available_amount, outturn_amount, deviation_amount from mart_budget_outturn"
        " where fiscal_year = 2021 and budget_item_code = ? and flow = ?",
        item,
        flow,
    )
    for amount, text in zip(amounts, OUTTURN_2021[item, flow], strict=True):
        assert text is None or amount == millions(text)


@pytest.mark.parametrize(("item", "flow"), FOLLOWING)
def test_what_the_print_leaves_open_follows_from_it(
    database: duckdb.DuckDBPyConnection, item: str, flow: str
) -> None:
    column, text = FOLLOWING[item, flow]
    assert rows(
        database,
        f"select {column} from mart_budget_outturn"
        " where fiscal_year = 2021 and budget_item_code = ? and flow = ?",
        item,
        flow,
    ) == [(millions(text),)]


@pytest.mark.parametrize(("item", "flow"), BRIDGES_2021)
def test_available_is_the_original_budget_with_rights_and_carry_over(
    database: duckdb.DuckDBPyConnection, item: str, flow: str
) -> None:
    [(*parts, available)] = rows(
        database,
        "select original_amount, amendment_amount, carry_over_amount, available_amount"
        " from mart_budget_outturn"
        " where fiscal_year = 2021 and budget_item_code = ? and flow = ?",
        item,
        flow,
    )
    assert parts == [millions(text) for text in BRIDGES_2021[item, flow]]
    assert available == sum(part or 0 for part in parts)


def test_the_divisions_outturn_is_the_sum_of_its_items(
    database: duckdb.DuckDBPyConnection,
) -> None:
    items = ("1756.7", "11.6", "12.9", "45.3", "689.4")
    assert sum(map(Decimal, items)) == Decimal("2515.9")
    assert rows(
        database,
        "select sum(outturn_amount) from mart_budget_outturn where fiscal_year = 2021"
        " and flow = 'expenditure' and parent_code = 'division_total'",
    ) == [(millions("2515.9"),)]


def test_the_right_granted_after_the_year_stands_apart(
    database: duckdb.DuckDBPyConnection,
) -> None:
    assert rows(
        database,
        "select budget_item_code, flow, year_end_right_amount from mart_budget_outturn"
        " where year_end_right_amount is not null and flow <> 'margin' order by all",
    ) == [
        ("division_total", "expenditure", millions("79.0")),
        ("social_and_health_services", "expenditure", millions("79.0")),
    ]


def test_what_binds_is_expenditure_gross_and_the_margin_net(
    database: duckdb.DuckDBPyConnection,
) -> None:
    assert rows(
        database,
        "select budget_item_code, flow, is_exceeded from mart_budget_outturn"
        " where fiscal_year = 2021 and is_binding_row order by all",
    ) == [
        ("apotti", "margin", False),
        ("hus", "expenditure", False),
        ("immigration_services", "margin", False),
        ("investments", "expenditure", False),
        ("social_and_health_services", "expenditure", True),
        ("social_assistance", "expenditure", False),
    ]


def test_an_unknown_income_makes_no_margin(database: duckdb.DuckDBPyConnection) -> None:
    assert rows(
        database,
        "select flow, outturn_amount from mart_budget_outturn"
        " where fiscal_year = 2021 and budget_item_code = 'hus' and flow <> 'expenditure'"
        " order by flow",
    ) == [("income", None), ("margin", None)]


def test_the_budget_of_2022_is_in_the_mart(database: duckdb.DuckDBPyConnection) -> None:
    flows = {"Tulot": "income", "Menot": "expenditure"}
    assert rows(
        database,
        "select flow, budget_item_code, original_amount, available_amount, outturn_amount"
        " from mart_budget_outturn where fiscal_year = 2022 and flow <> 'margin' order by 1, 2",
    ) == sorted(
        (flows[part], item, amount, amount, None)
        for part, item, _, text, _ in BUDGET_2022
        for amount in [millions(text.replace(" ", "").replace(",", "."))]
    )


# --- the analyses, cell for cell ------------------------------------------------------------------


def test_table_1_is_printed(sotedw: Sotedw, built_home: Path) -> None:
    assert printed(sotedw, built_home, "table_1") == [
        ["Henkilöstön lukumäärä", "31.12.2021", "31.12.2020"],
        *([label, grouped(now), grouped(before)] for label, now, before in TABLE_1.values()),
    ]


def test_table_2_is_printed(sotedw: Sotedw, built_home: Path) -> None:
    _, *body = printed(sotedw, built_home, "table_2")
    assert body == [[label, *map(grouped, numbers)] for label, *numbers in TABLE_2.values()]


def test_table_3_is_printed(sotedw: Sotedw, built_home: Path) -> None:
    assert printed(sotedw, built_home, "table_3") == [
        ["Henkilöstöryhmät", "31.12.2021", "31.12.2020"],
        *(
            [NAMES_IN_TABLE_3.get(group, label), *map(grouped, posts)]
            for group, (label, posts, _) in GROUPS.items()
        ),
    ]


def test_table_5_is_printed(sotedw: Sotedw, built_home: Path) -> None:
    _, *body = printed(sotedw, built_home, "table_5")
    assert body == [
        [NAMES_IN_TABLE_5.get(group, label), *map(grouped, training)]
        for group, (label, _, training) in GROUPS.items()
    ]


def test_the_budget_of_2022_is_printed(sotedw: Sotedw, built_home: Path) -> None:
    _, *body = printed(sotedw, built_home, "budget_2022")
    assert body == [[part, name, *texts] for part, _, name, *texts in BUDGET_2022]


def test_the_outturn_of_2021_is_printed(sotedw: Sotedw, built_home: Path) -> None:
    """Amounts: original, granted, carried over, available, outturn, deviation, granted later."""
    _, *body = printed(sotedw, built_home, "outturn_2021")
    total, services = "Sosiaali- ja terveystoimiala yhteensä", "Sosiaali- ja terveyspalvelut"
    assistance, immigration = "Toimeentulotuki", "Valtion korvaamat maahanmuuttopalvelut"
    hus = "Helsingin ja Uudenmaan sairaanhoitopiirin kuntayhtymä"
    assert [row[:9] for row in body] == [
        [total, "menot", "2 298,2", "146,0", "8,2", "2 452,4", "2 515,9", "63,5", "79,0"],
        [total, "tulot", "176,3", "146,0", "", "322,3", "347,2", "24,9", ""],
        [total, "toimintakate", "-2 121,9", "0", "-8,2", "-2 130,1", "-2 168,7", "-38,6", "-79,0"],
        [services, "menot", "1 533,8", "146,0", "", "1 679,8", "1 756,7", "76,9", "79,0"],
        [services, "tulot", "158,8", "146,0", "", "304,8", "330,2", "25,4", ""],
        [services, "toimintakate", "-1 375,0", "0", "", "-1 375,0", "-1 426,5", "-51,5", "-79,0"],
        [assistance, "menot", "15,0", "", "", "15,0", "11,6", "-3,4", ""],
        [assistance, "tulot", "2,6", "", "", "2,6", "1,3", "-1,3", ""],
        [assistance, "toimintakate", "-12,4", "", "", "-12,4", "-10,3", "2,1", ""],
        [immigration, "menot", "13,0", "", "", "13,0", "12,9", "-0,1", ""],
        [immigration, "tulot", "14,4", "", "", "14,4", "15,1", "0,7", ""],
        [immigration, "toimintakate", "1,4", "", "", "1,4", "2,2", "0,8", ""],
        ["Apotti", "menot", "41,1", "", "8,2", "49,3", "45,3", "-4,0", ""],
        ["Apotti", "tulot", "0,5", "", "", "0,5", "0,6", "0,1", ""],
        ["Apotti", "toimintakate", "-40,6", "", "-8,2", "-48,8", "-44,7", "4,1", ""],
        [hus, "menot", "695,3", "", "", "695,3", "689,4", "-5,9", ""],
        [hus, "tulot", "0", "", "", "0", "", "", ""],
        [hus, "toimintakate", "-695,3", "", "", "-695,3", "", "", ""],
        ["Investoinnit", "menot", "9,0", "", "9,4", "18,4", "11,1", "-7,3", ""],
    ]


# --- other printed figures ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fact", "scope", "period", "value", "certainty", "document"),
    [
        ("covid_vaccinations", None, "2021", 1_114_126, "exact", "annual_report_2021"),
        ("covid_infections", None, "2021", 52_675, "exact", "annual_report_2021"),
        ("covid_infections_share_of_finland", None, "2021", 0.25, "about", "annual_report_2021"),
        ("maisa_users", None, "2021-12", 300_000, "over", "annual_report_2021"),
        ("pandemic_net_cost", "social_and_health_services", "2021", 193_700_000, "exact",
         "annual_report_2021"),
        ("personnel_deviation", "social_and_health_services", "2021", -22_800_000, "exact",
         "annual_report_2021"),
        ("psychiatric_days_per_outpatient", "psychiatry", "2022", 2.2, "exact", "action_plan_2022"),
        ("mobility_agreement_share", "home_care", "2022", 0.7, "at_least", "action_plan_2022"),
        ("recommendation_index", "home_care", "2019-Q1", 86, "exact", "strategy_measures_2019"),
        ("population", None, "2020", 656_920, "exact", "service_strategy_2023_2025"),
    ],
)  # fmt: skip
def test_a_figure_of_a_text_is_a_fact_with_its_certainty(
    database: duckdb.DuckDBPyConnection,
    fact: str,
    scope: str | None,
    period: str,
    value: float,
    certainty: str,
    document: str,
) -> None:
    assert rows(
        database,
        "select value, certainty, source_document_id from fct_published_facts"
        " where fact_code = ? and scope_code is not distinct from ? and period_text = ?",
        fact,
        scope,
        period,
    ) == [(pytest.approx(value), certainty, document)]


def test_every_delivered_fact_is_published(database: duckdb.DuckDBPyConnection) -> None:
    delivered = []
    for path in sorted((LANDING / "published_facts").glob("*/*.csv")):
        text = path.read_text(encoding="utf-8-sig")
        delivered += [path.name for _ in csv.DictReader(io.StringIO(text), delimiter=";")]
    assert rows(database, "select source_file from fct_published_facts order by 1") == [
        (name,) for name in sorted(delivered)
    ]


def test_an_estimate_between_bounds_keeps_both(database: duckdb.DuckDBPyConnection) -> None:
    assert rows(
        database,
        "select value, lower_bound, upper_bound, value_status from fct_published_facts"
        " where fact_code = 'young_clients_with_many_needs'",
    ) == [(None, 1_000, 2_000, "not_available")]


# --- where the documents disagree -----------------------------------------------------------------

#: Kind, subject, first and second value, which of them is chosen, words of the two sources.
CONFLICTS = [
    ("text_vs_table", "personnel/permanent_headcount/ALL/ALL/2021-12-31", 11_126, 10_445, "second",
     "text of section 6", "table"),
    ("text_vs_table", "personnel/permanent_headcount/ALL/ALL/2020-12-31", 10_979, 11_126, "second",
     "text of section 6", "table 1"),
    ("sum_vs_parts", "personnel/total_headcount/ALL/ALL/2021-12-31", 14_648, 15_329, "first",
     "text of section 6", "parts: annual_report_2021, text of section 6"),
    ("sum_vs_parts", "personnel/total_headcount/ALL/ALL/2020-12-31", 14_602, 14_455, "first",
     "text of section 6", "parts: annual_report_2021, text of section 6"),
    ("sum_vs_parts", "budget/income/outturn/division_total/2021", 347_300_000, 347_200_000,
     "second", "annual_report_2021, text", "sum of the budget items"),
    ("sum_vs_parts", "budget/income/printed_deviation/division_total/2021", 25_000_000, 24_900_000,
     "second", "annual_report_2021, text", "sum of the budget items"),
    ("sum_vs_parts", "budget/expenditure/printed_change/division_total/2022", 110_000_000,
     110_100_000, "second", "action_plan_2022, table 1", "sum of the budget items"),
    ("sum_vs_parts", "budget/expenditure/printed_change/division_total/2022", 110_000_000,
     110_100_000, "second", "action_plan_2022, text of section 1", "sum of the budget items"),
    ("sum_vs_parts", "budget/expenditure/original/division_total/2021", 2_298_300_000,
     2_298_200_000, "second", "action_plan_2022, table 1", "sum of the budget items"),
    ("sum_vs_parts", "budget/expenditure/printed_deviation/investments/2021", -7_400_000,
     -7_300_000, "second", "annual_report_2021, text", "computed"),
    ("sum_vs_parts", "fact/ombudsman_contact_share/actual/ALL/2021", 1, 1.01, "first",
     "100 per cent", "shares: annual_report_2021"),
    # 75 % in print; 11 126 of 14 602 are 76.2 %.
    ("ratio_vs_counts", "personnel/permanent_share/ALL/ALL/2020-12-31", 0.75, 11_126 / 14_602,
     "first", "text of section 6", "computed"),
    # Leavers: 264 + 832 + 35 of the average of 10 445 and 11 126. Of 2020 no document prints the
    # other end of the average.
    ("ratio_vs_counts", "personnel/turnover_rate/ALL/ALL/2021", 0.099, 1_131 / 10_785.5, "first",
     "text of section 6", "computed"),
]  # fmt: skip


@pytest.mark.parametrize("conflict", CONFLICTS, ids=lambda item: f"{item[0]}:{item[1]}:{item[5]}")
def test_a_contradiction_is_a_row_with_both_readings_and_the_choice(
    database: duckdb.DuckDBPyConnection, conflict: tuple[Any, ...]
) -> None:
    kind, subject, first, second, chosen, first_words, second_words = conflict
    found = rows(
        database,
        "select first_value, second_value, difference, chosen, chosen_value, rule is not null"
        " from mart_document_conflicts where kind = ? and subject = ?"
        " and contains(first_source, ?) and contains(second_source, ?)",
        kind,
        subject,
        first_words,
        second_words,
    )
    assert found == [
        (
            pytest.approx(first),
            pytest.approx(second),
            pytest.approx(first - second),
            chosen,
            pytest.approx(first if chosen == "first" else second),
            True,
        )
    ]


def test_the_chosen_reading_is_the_marts(database: duckdb.DuckDBPyConnection) -> None:
    assert rows(
        database,
        "select count_date, value from mart_workforce where measure_code = 'permanent_headcount'"
        " and service_entity_code = 'ALL' order by count_date",
    ) == [(END_2020, 11_126), (END_2021, 10_445)]
    assert rows(
        database,
        "select outturn_amount from mart_budget_outturn where fiscal_year = 2021"
        " and budget_item_code = 'division_total' and flow = 'income'",
    ) == [(millions("347.2"),)]


@pytest.mark.parametrize(
    ("subject", "name", "other"),
    [
        ("budget_items/hus", "HUS-kuntayhtymä", "action_plan_2022, table 1"),
        ("service_entities/hus", "HUS-yhtymä", "service_strategy_2023_2025, text"),
        ("budget_items/social_and_health_services", "Sosiaali- ja terveystoimialan palvelut",
         "action_plan_2022, table 1"),
        ("staff_groups/other_social_and_health",
         "Muut sosiaali- / terveydenhuollon ammattitehtävät", "annual_report_2021, table 3"),
    ],
)  # fmt: skip
def test_one_thing_under_two_names_is_a_row(
    database: duckdb.DuckDBPyConnection, subject: str, name: str, other: str
) -> None:
    assert rows(
        database,
        "select first_source, difference from mart_document_conflicts"
        " where kind = 'two_names' and subject = ? and first_text = ?",
        subject,
        name,
    ) == [(other, None)]


def test_nothing_else_disagrees(database: duckdb.DuckDBPyConnection) -> None:
    """Two readings that agree to their precision are no contradiction.

    So 14 648 in text and table, the four entities' permanent staff and 10 445, posts and their sum
    13 024, new users of the record system (11 200 + 800 + 2 100 and `about 14 000`).
    """
    subjects = {(kind, subject) for kind, subject, *_ in CONFLICTS}
    assert (
        set(
            rows(
                database,
                "select kind, subject from mart_document_conflicts where kind <> 'two_names'",
            )
        )
        == subjects
    )


# --- series breaks --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measure", "year"),
    [
        ("psychiatric_clinics", 2021),
        ("psychiatric_day_hospital", 2021),
        ("physician_reception_visits", 2021),
        ("hus_care_episodes", 2019),
        ("substance_abuse_work", 2018),
    ],
)
def test_a_sudden_change_that_nothing_explains_is_a_suspected_break(
    database: duckdb.DuckDBPyConnection, measure: str, year: int
) -> None:
    assert rows(
        database,
        "select evidence, break_kind, reason_en is not null from dim_series_break"
        " where measure_code = ? and break_date = ?",
        measure,
        date(year, 1, 1),
    ) == [("suspected", "unexplained", True)]
    # The change is shown all the same, and whoever quotes it is warned.
    assert rows(
        database,
        "select has_suspected_break, suspected_break_reason is not null, is_comparable,"
        " change_count is not null from mart_output_statistics"
        " where measure_code = ? and year = ?",
        measure,
        year,
    ) == [(True, True, True, True)]


@pytest.mark.parametrize(
    ("measure", "year"),
    [
        ("nurse_reception_visits", 2021),
        ("home_care_visits_purchased", 2021),
        ("other_specialty_clinics", 2018),
    ],
)
def test_a_documented_break_is_not_suspected_as_well(
    database: duckdb.DuckDBPyConnection, measure: str, year: int
) -> None:
    assert rows(
        database,
        "select evidence from dim_series_break where measure_code = ? and break_date = ?",
        measure,
        date(year, 1, 1),
    ) == [("documented",)]
    assert rows(
        database,
        "select has_suspected_break, is_comparable, change_count, comparability"
        " from mart_output_statistics where measure_code = ? and year = ?",
        measure,
        year,
    ) == [(False, False, None, "series_break")]


def test_nothing_is_suspected_in_the_year_of_the_closures(
    database: duckdb.DuckDBPyConnection,
) -> None:
    assert (
        rows(
            database,
            "select measure_code from dim_series_break where evidence = 'suspected'"
            " and year(break_date) = 2020",
        )
        == []
    )
    assert (
        rows(
            database,
            "select measure_code from mart_output_statistics"
            " where year = 2020 and has_suspected_break",
        )
        == []
    )


def test_a_quiet_series_is_not_suspected(database: duckdb.DuckDBPyConnection) -> None:
    quiet = ["service_housing_days", "child_welfare_notifications", "home_care_visits_own"]
    suspected = (
        "select measure_code from dim_series_break"
        " where evidence = 'suspected' and list_contains(?, measure_code)"
    )
    assert rows(database, suspected, quiet) == []


# --- the next contradiction -----------------------------------------------------------------------

STAFF_HEADER = "MITTARI;HENKILOSTORYHMA;PALVELUKOKONAISUUS;JAKSO;ARVO\n"
#: Up to the amount and its unit.
BUDGET_HEADER = (
    "TALOUSARVIOKOHTA;JAKSO;LAJI;VAIHE;SUMMA;YKSIKKOKERROIN\n"
    "Sosiaali- ja terveyspalvelut;2021;menot;toteuma;"
)


@pytest.fixture(scope="module")
def later_home(
    tmp_path_factory: pytest.TempPathFactory,
    sotedw: Sotedw,
    copied_home: Callable[[Path], Path],
    deliver: Deliver,
) -> Path:
    """A home with deliveries that the repository's landing folder does not have."""
    root = tmp_path_factory.mktemp("contradictions")
    landing = shutil.copytree(LANDING, root / "landing")
    home = copied_home(root)
    # 280 where table 3 says 274; 6.3 per cent where table 2 says 6.
    deliver(
        landing,
        "personnel/2022-03-31-7",
        {
            "delivery.yml": 'document: annual_report_2021\nsection: "9"\n',
            "a.csv": STAFF_HEADER
            + "vakanssit;Erikoislääkärit;;2021-12;280\n"
            + "osuus_toimialan_vakinaisista;;Hallinto;2021-12;6,3 %\n",
        },
    )
    # Typed in a month after the table: 390 where table 3 says 386.
    deliver(
        landing,
        "personnel/2022-05-02",
        {
            "delivery.yml": 'document: annual_report_2021\nsection: "10"\n',
            "a.csv": STAFF_HEADER + "vakanssit;Terveyskeskuslääkärit;;2021-12;390\n",
        },
    )
    # The last quarter's figures end on the year's last day as well.
    deliver(
        landing,
        "personnel/2022-05-03",
        {
            "a.csv": STAFF_HEADER
            + "vakinaiset;;;2021-Q4;99 999\n"
            + "vakinaiset;;Hallinto;2021-Q4;999\n"
            + "koulutuskerrat;;;2021-Q4;99 999\n"
        },
    )
    # The report's 1 756,7 million to the euro, and then in print again, rounded.
    deliver(landing, "budget/2022-05-02", {"a.csv": BUDGET_HEADER + "1 756 712 345;EUR\n"})
    deliver(
        landing,
        "budget/2022-05-03",
        {
            "delivery.yml": 'document: service_strategy_2023_2025\nsection: "1"\n',
            "a.csv": BUDGET_HEADER + "1 757;MEUR\n",
        },
    )
    deliver(
        landing,
        "positions/2022-05-02",
        {
            "a.csv": "VAKANSSI_TUNNUS;LASKENTA_PVM;HENKILOSTORYHMA;PALVELUKOKONAISUUS;YKSIKKO;"
            "OSUUS;HALTIJA;SIJAINEN;TILA\n"
            "V1;31.3.2022;Erikoislääkärit;Perhe- ja sosiaalipalvelut;P1;1;K;E;voimassa\n"
            "V2;31.3.2022;Erikoistuvat lääkärit;Perhe- ja sosiaalipalvelut;P1;0,5;E;E;voimassa\n"
            "V3;31.3.2022;Hammaslääkärit;Perhe- ja sosiaalipalvelut;P1;50 %;E;E;voimassa\n"
        },
    )
    sotedw.done("build", "--home", home, "--landing", landing, "--threads", 2)
    return home


@pytest.fixture(scope="module")
def found_later(later_home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    path = (later_home / "current" / "warehouse.duckdb").resolve()
    with duckdb.connect(str(path), read_only=True) as connection:
        yield connection


def test_a_new_contradiction_is_found_and_an_agreement_is_none(
    database: duckdb.DuckDBPyConnection, found_later: duckdb.DuckDBPyConnection
) -> None:
    every = (
        "select kind, subject, first_value, first_source, second_value, second_source, chosen,"
        " chosen_value from mart_document_conflicts where subject not like '%health_centre%'"
    )
    before, after = set(rows(database, every)), set(rows(found_later, every))
    assert before - after == set()
    assert after - before == {
        (
            "text_vs_table",
            "personnel/posts/ALL/specialist_physicians/2021-12-31",
            280.0,
            "annual_report_2021, text of section 9",
            274.0,
            "annual_report_2021, table 3",
            "second",
            274.0,
        )
    }


def test_a_table_goes_before_the_text_around_it(found_later: duckdb.DuckDBPyConnection) -> None:
    assert rows(
        found_later,
        "select staff_group_code, posts_count from mart_vacancies"
        " where count_date = '2021-12-31' and staff_group_code = 'specialist_physicians'",
    ) == [("specialist_physicians", 274)]
    assert rows(
        found_later,
        "select value from mart_workforce where measure_code = 'share_of_division_permanent'"
        " and service_entity_code = 'administration'",
    ) == [(0.06,)]


def test_a_table_goes_before_the_text_around_it_also_when_the_text_is_delivered_later(
    found_later: duckdb.DuckDBPyConnection,
) -> None:
    """386 in table 3; 390 in a section of the same document, typed in a month later."""
    assert rows(
        found_later,
        "select posts_count from mart_vacancies where count_date = '2021-12-31'"
        " and staff_group_code = 'health_centre_physicians'",
    ) == [(386,)]
    assert rows(
        found_later,
        "select kind, first_value, first_source, second_value, second_source, chosen, chosen_value,"
        " rule from mart_document_conflicts where subject like '%health_centre%'",
    ) == [
        (
            "text_vs_table",
            390.0,
            "annual_report_2021, text of section 10",
            386.0,
            "annual_report_2021, table 3",
            "second",
            386.0,
            "a table before the text around it",
        )
    ]


@pytest.mark.parametrize("table", ["table_1", "table_2", "table_3", "table_5"])
def test_a_printed_table_is_not_moved_by_figures_of_another_period(
    sotedw: Sotedw, built_home: Path, later_home: Path, table: str
) -> None:
    assert printed(sotedw, later_home, table) == printed(sotedw, built_home, table)


def test_a_coarser_print_of_an_amount_does_not_replace_it(
    found_later: duckdb.DuckDBPyConnection,
) -> None:
    assert rows(
        found_later,
        "select amount, amount_precision, delivery_id, version_count from fct_budget_outturn"
        " where budget_item_code = 'social_and_health_services' and period_code = '2021'"
        " and flow = 'expenditure' and stage = 'outturn'",
    ) == [(Decimal(1_756_712_345), Decimal(1), "budget/2022-05-02", 3)]


def test_a_group_of_groups_has_the_vacancy_rate_of_their_posts(
    found_later: duckdb.DuckDBPyConnection,
) -> None:
    """Half a post of the physicians' one and a half is vacant, and so is the dentists' half."""
    assert rows(
        found_later,
        "select service_entity_code, staff_group_code, position_count, vacancy_rate"
        " from mart_vacancies where count_date = '2022-03-31' and position_count is not null"
        " and service_entity_code = 'ALL' order by staff_group_code",
    ) == [
        ("ALL", "ALL", 3, 0.5),
        ("ALL", "dentists", 1, 1.0),
        ("ALL", "physicians", 2, pytest.approx(1 / 3)),
        ("ALL", "resident_physicians", 1, 1.0),
        ("ALL", "specialist_physicians", 1, 0.0),
    ]
