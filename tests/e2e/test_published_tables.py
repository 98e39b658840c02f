"""Every printed cell of the annual report's tables 4, 6 and 7 is in the release, where it belongs.

Table 7 is compared with the delivered file, read here by other means than the warehouse's own;
tables 4 and 6 with the figures as a person typed them from the report.
"""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.conftest import Sotedw

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("e2e_built")]

LANDING = Path(__file__).resolve().parents[2] / "landing"
YEARS = ("2017", "2018", "2019", "2020", "2021")

TABLE_4 = [
    ["Henkilöstöryhmä", "Perhe- ja sosiaalipalvelut %", "Terveys- ja päihdepalvelut %",
     "Sairaala-, kuntoutus- ja hoivapalvelut %"],
    ["Lääkärit", "60", "16", "28"],
    ["Hammaslääkärit", "", "11", ""],
    ["Vaativat hoitoalan ammattitehtävät", "11", "10", "12"],
    ["Hoitoalan ammattitehtävät", "10", "6", "13"],
    ["Sosiaalityöntekijät (myös erityis-, johtavat- ja vastaavat sosiaalityöntekijät)",
     "8", "11", "6"],
    ["Sosiaaliohjaajat", "10", "5", "3"],
    ["Muut sosiaali- ja terveydenhuollon ammattitehtävät", "13", "12", "11"],
    ["Peruspalveluhenkilöstö", "19", "67", "4"],
    ["Muu henkilöstö", "10", "13", "7"],
]  # fmt: skip

#: Its rows of mart_vacancies: the whole division's are the posts of table 3.
OF_TABLE_4 = "service_entity_code <> 'ALL'"

#: Staff group -> shares of family_and_social, health_and_substance_abuse and
#: hospital_rehabilitation_care.
SHARES = {
    "physicians": (0.60, 0.16, 0.28),
    "dentists": (None, 0.11, None),
    "demanding_nursing": (0.11, 0.10, 0.12),
    "nursing": (0.10, 0.06, 0.13),
    "social_workers": (0.08, 0.11, 0.06),
    "social_counsellors": (0.10, 0.05, 0.03),
    "other_social_and_health": (0.13, 0.12, 0.11),
    "basic_services": (0.19, 0.67, 0.04),
    "other_staff": (0.10, 0.13, 0.07),
}

TABLE_6 = [
    ["palvelukokonaisuus", "Menot 2021", "Tulot 2021"],
    ["Hallinto", "95 768", "17 681"],
    ["Perhe- ja sosiaalipalvelut", "525 853", "41 788"],
    ["Terveys- ja päihdepalvelut", "534 703", "172 770"],
    ["Sairaala-, kuntoutus- ja hoivapalvelut", "636 264", "95 809"],
    ["Toimialan yhteiset", "237 062", "212 945"],
    ["HUS", "689 441", ""],
]

AMOUNTS = {
    "administration": ("95768000.00", "17681000.00"),
    "family_and_social": ("525853000.00", "41788000.00"),
    "health_and_substance_abuse": ("534703000.00", "172770000.00"),
    "hospital_rehabilitation_care": ("636264000.00", "95809000.00"),
    "division_common": ("237062000.00", "212945000.00"),
    "hus": ("689441000.00", None),
}


@pytest.fixture(scope="module")
def database(release: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(release / "warehouse.duckdb"), read_only=True) as connection:
        yield connection


def rows(database: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return database.execute(sql).fetchall()


def printed(sotedw: Sotedw, home: Path, analysis: str) -> list[list[str]]:
    """An analysis as `sotedw query` prints it, header first."""
    answer = sotedw.done("query", "--home", home, "--analysis", analysis, "--format", "csv")
    return list(csv.reader(io.StringIO(answer.out)))


def delivered_table_7() -> list[dict[str, str]]:
    """The delivered file, in the order of its lines, with plain spaces."""
    path = LANDING / "output_statistics" / "2022-03-31" / "suoritteet_2017-2021.csv"
    text = path.read_text(encoding="utf-8-sig").replace("\N{NO-BREAK SPACE}", " ")
    return list(csv.DictReader(io.StringIO(text), delimiter=";"))


# --- table 7 --------------------------------------------------------------------------------------


def test_table_7_is_printed_as_delivered_row_for_row_and_cell_for_cell(
    sotedw: Sotedw, built_home: Path
) -> None:
    header, *body = printed(sotedw, built_home, "table_7")
    assert header == ["osio", "alaosio", "suorite", *YEARS]
    delivered = [
        [line["OSIO"], line["ALAOSIO"], line["SUORITE"], *(line[year] for year in YEARS)]
        for line in delivered_table_7()
    ]
    assert body == delivered
    cells = [cell for row in body for cell in row[3:]]
    assert (len(body), len(cells)) == (83, 415)
    assert sum(not cell[0].isdigit() for cell in cells) == 21
    assert len({row[0] for row in body}) == 10


def test_every_cell_of_table_7_is_in_the_mart_with_its_status(
    database: duckdb.DuckDBPyConnection,
) -> None:
    statuses = {"": "final", "osittainen": "partial", "arvio": "estimated"}
    expected = []
    for order, line in enumerate(delivered_table_7(), 1):
        for year in YEARS:
            cell = line[year]
            if cell[0].isdigit():
                value, status = int(cell.replace(" ", "")), statuses[line[f"TILA {year}"]]
            else:
                value, status = None, "not_available" if cell == "-" else "moved"
            expected.append((order, int(year), value, status))
    assert expected == rows(
        database,
        "select measure_sort_order, year, value, value_status from mart_output_statistics"
        " order by measure_sort_order, year",
    )
    assert sum(value is None for _, _, value, _ in expected) == 21
    assert [row for row in expected if row[3] in ("moved", "estimated", "partial")] == [
        *[(58, year, value, "partial") for year, value in
          ((2017, 51_865), (2018, 39_070), (2019, 508_436), (2020, 597_234))],
        (58, 2021, 739_921, "estimated"),
        *[(68, year, None, "moved") for year in (2018, 2019, 2020, 2021)],
    ]  # fmt: skip


def test_every_cell_of_table_7_says_where_it_stands(database: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        database,
        "select sort_order, source_line, period_code, source_column, delivery_id, source_file,"
        " source_document_id, source_table, source_section"
        " from fct_output_statistics join dim_output_measure using (measure_code)"
        " order by sort_order, period_code",
    )
    # Line 1 is the header, and no note of the file goes over more than one line.
    assert found == [
        (order, order + 1, year, year, "output_statistics/2022-03-31", "suoritteet_2017-2021.csv",
         "annual_report_2021", "7", "7")
        for order in range(1, 84)
        for year in YEARS
    ]  # fmt: skip
    assert rows(
        database,
        "select distinct delivery_id, source_file, source_document_id, source_table,"
        " source_section, source_line = measure_sort_order + 1, value_basis"
        " from mart_output_statistics",
    ) == [
        ("output_statistics/2022-03-31", "suoritteet_2017-2021.csv", "annual_report_2021", "7",
         "7", True, "reported")
    ]  # fmt: skip


def test_moved_figures_say_where_they_are_counted_now(
    database: duckdb.DuckDBPyConnection,
) -> None:
    assert rows(
        database,
        "select measure_code, year, value, value_reference from mart_output_statistics"
        " where value_status = 'moved' order by year",
    ) == [("home_hospital_inpatient_days", year, None, "Ks. muu avohoito")
          for year in (2018, 2019, 2020, 2021)]  # fmt: skip


#: Year -> measures whose figure jumps there and no document says why.
SUSPECTED = {
    2018: {
        "acute_care_days_purchased",
        "detoxification_ward_days",
        "social_assistance_households",
        "social_assistance_persons",
        "substance_abuse_work",
        "substance_institution_clients",
    },
    2019: {"acute_care_completed_episodes", "hus_care_episodes", "hus_emergency_visits"},
    2021: {
        "acute_care_days_purchased",
        "detoxification_ward_days",
        "internal_medicine_clinics",
        "older_people_day_activity_clients",
        "other_specialty_clinics",
        "physician_reception_visits",
        "psychiatric_clinic_calls",
        "psychiatric_clinics",
        "psychiatric_day_hospital",
        "service_centre_visits",
        "student_health_care",
    },
}


def test_no_change_is_shown_over_the_documented_breaks(
    database: duckdb.DuckDBPyConnection,
) -> None:
    found = rows(
        database,
        "select measure_code, year, change_count, change_share, is_comparable, has_suspected_break,"
        " suspected_break_reason"
        " from mart_output_statistics where comparability = 'series_break' order by all",
    )
    parted = [
        ("child_welfare_clients", 2021),
        ("home_care_visits_purchased", 2021),
        ("home_hospital_inpatient_days", 2018),
        ("home_hospital_visits", 2018),
        ("nurse_reception_visits", 2021),
        ("other_specialty_clinics", 2018),
        ("psychiatric_family_care_days", 2021),
    ]
    assert found == [(*pair, None, None, False, False, None) for pair in parted]
    evidence = rows(
        database,
        "select measure_code, year(break_date) from dim_series_break"
        " where evidence = 'documented' and break_date >= date '2018-01-01' order by all",
    )
    assert evidence == parted
    reasons = rows(
        database,
        "select count(*) from mart_output_statistics where comparability = 'series_break'"
        " and (coalesce(break_reason, '') = '' or coalesce(break_reason_fi, '') = ''"
        " or coalesce(break_reason_sv, '') = '')",
    )
    assert reasons == [(0,)]


def test_a_suspected_break_is_told_beside_the_change_and_hides_nothing(
    database: duckdb.DuckDBPyConnection,
) -> None:
    expected = sorted((measure, year) for year, some in SUSPECTED.items() for measure in some)
    found = rows(
        database,
        "select measure_code, year from mart_output_statistics where has_suspected_break"
        " and comparability = 'comparable' and is_comparable and change_count is not null"
        " and change_share is not null and break_kind is null and break_reason is null"
        " and trim(suspected_break_reason) <> '' order by all",
    )
    assert found == expected
    assert rows(
        database,
        "select measure_code, year(break_date) from dim_series_break"
        " where evidence = 'suspected' order by all",
    ) == expected  # fmt: skip
    assert rows(
        database,
        "select count(*), count(suspected_break_reason) from mart_output_statistics"
        " where not has_suspected_break",
    ) == [(415 - len(expected), 0)]


@pytest.mark.parametrize(
    ("measure", "year", "change_count", "change_share", "comparability"),
    [
        ("physician_reception_visits", 2017, None, None, "no_previous_year"),
        ("physician_reception_visits", 2018, -8_730, -8_730 / 474_953, "comparable"),
        ("physician_reception_visits", 2021, -96_181, -96_181 / 352_358, "comparable"),
        ("nurse_reception_visits", 2020, -60_954, -60_954 / 423_887, "comparable"),
        ("dental_care_purchased", 2019, None, None, "value_missing"),
        ("dental_care_purchased", 2020, None, None, "value_missing"),
        ("dental_care_purchased", 2021, 46_424, 46_424 / 92_982, "comparable"),
        ("home_care_visits_purchased", 2020, None, None, "partial_value"),
        ("home_hospital_visits", 2019, -3_107, -3_107 / 49_386, "comparable"),
        ("intellectual_disability_clients", 2021, None, None, "value_missing"),
    ],
)
def test_a_change_is_the_difference_of_two_printed_figures(
    database: duckdb.DuckDBPyConnection,
    measure: str,
    year: int,
    change_count: int | None,
    change_share: float | None,
    comparability: str,
) -> None:
    assert rows(
        database,
        "select change_count, change_share, comparability from mart_output_statistics"
        f" where measure_code = '{measure}' and year = {year}",
    ) == [(change_count, change_share, comparability)]


# --- table 4 --------------------------------------------------------------------------------------


def test_table_4_is_printed_as_in_the_report(sotedw: Sotedw, built_home: Path) -> None:
    assert printed(sotedw, built_home, "table_4") == TABLE_4


def test_every_cell_of_table_4_is_in_the_mart(database: duckdb.DuckDBPyConnection) -> None:
    entities = ("family_and_social", "health_and_substance_abuse", "hospital_rehabilitation_care")
    expected = sorted(
        (group, entity, share, "final" if share is not None else "not_available")
        for group, shares in SHARES.items()
        for entity, share in zip(entities, shares, strict=True)
    )
    found = rows(
        database,
        "select staff_group_code, service_entity_code, shortfall_share, value_status"
        f" from mart_vacancies where {OF_TABLE_4} order by staff_group_code, service_entity_code",
    )
    assert found == expected
    assert (len(found), sum(row[2] is None for row in found)) == (27, 2)
    # Every other row is one of the whole division's posts, of table 3.
    others = rows(
        database,
        "select cast(count_date as varchar), count(*), count(shortfall_share), count(posts_count),"
        f" min(source_table), max(source_table) from mart_vacancies where not ({OF_TABLE_4})"
        " group by all order by all",
    )
    assert others == [
        ("2020-12-31", 12, 0, 12, "3", "3"),
        ("2021-12-31", 12, 0, 12, "3", "3"),
    ]


def test_table_4_is_counted_on_the_last_day_of_2021_and_says_where_it_stands(
    database: duckdb.DuckDBPyConnection,
) -> None:
    columns = (
        "cast(count_date as varchar), delivery_id, source_file, source_document_id, source_table,"
        " source_section, posts_count"
    )
    found = rows(database, f"select distinct {columns} from mart_vacancies where {OF_TABLE_4}")
    assert found == [
        ("2021-12-31", "shortfall/2022-03-31", "tyovoimavaje_joulukuu_2021.xlsx",
         "annual_report_2021", "4", "6", None)
    ]  # fmt: skip
    lines = rows(
        database,
        "select distinct source_line, staff_group_code from mart_vacancies"
        f" where {OF_TABLE_4} order by source_line",
    )
    assert lines == list(enumerate(SHARES, 7))
    headers = rows(
        database,
        "select distinct service_entity_code, source_column from mart_vacancies"
        f" where {OF_TABLE_4} order by service_entity_code",
    )
    assert headers == [
        ("family_and_social", "Perhe- ja sosiaalipalvelut"),
        ("health_and_substance_abuse", "Terveys- ja päihdepalvelut"),
        ("hospital_rehabilitation_care", "Sairaala-, kuntoutus- ja hoivapalvelut"),
    ]


# --- table 6 --------------------------------------------------------------------------------------


def test_table_6_is_printed_as_in_the_report(sotedw: Sotedw, built_home: Path) -> None:
    assert printed(sotedw, built_home, "table_6") == TABLE_6


def test_every_cell_of_table_6_is_in_the_mart_in_euros(
    database: duckdb.DuckDBPyConnection,
) -> None:
    found = rows(
        database,
        "select service_entity_code, fiscal_year, expenditure_amount, expenditure_status,"
        " income_amount, income_status, amount_precision, includes_internal_items"
        " from mart_service_entity_finance order by source_line",
    )
    assert found == [
        (code, 2021, Decimal(expenditure), "final",
         None if income is None else Decimal(income),
         "not_available" if income is None else "final", Decimal("1000.00"), True)
        for code, (expenditure, income) in AMOUNTS.items()
    ]  # fmt: skip
    assert str(found[0][2]) == "95768000.00"
    types = rows(
        database,
        "select distinct data_type from duckdb_columns()"
        " where table_name = 'mart_service_entity_finance' and column_name like '%_amount'",
    )
    assert types == [("DECIMAL(18,2)",)]


def test_table_6_says_where_it_stands(database: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        database,
        "select source_line, delivery_id, source_file, source_document_id, source_table,"
        " source_section from mart_service_entity_finance order by source_line",
    )
    assert found == [
        (line, "service_entity_finance/2022-03-31", "palvelukokonaisuuksien_talous_2021.csv",
         "annual_report_2021", "6", "6")
        for line in range(2, 8)
    ]  # fmt: skip


# --- all of them ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mart", ["mart_output_statistics", "mart_vacancies", "mart_service_entity_finance"]
)
def test_every_label_is_there_in_finnish_swedish_and_english(
    database: duckdb.DuckDBPyConnection, mart: str
) -> None:
    columns = [row[0] for row in rows(database, f"describe {mart}")]
    labels = [
        name
        for name in columns
        if name.endswith(("_name_fi", "_name_sv", "_name_en"))
        and not name.startswith("subsection_")
    ]
    stems = {name[:-3] for name in labels}
    assert set(labels) == {
        f"{stem}_{language}" for stem in stems for language in ("fi", "sv", "en")
    }
    empty = " or ".join(f"coalesce(trim({name}), '') = ''" for name in labels)
    assert rows(database, f"select count(*) from {mart} where {empty}") == [(0,)]


def test_a_subsection_has_its_label_in_all_languages_or_in_none(
    database: duckdb.DuckDBPyConnection,
) -> None:
    assert rows(
        database,
        "select count(*) from mart_output_statistics where not ("
        " (subsection_name_fi is null and subsection_name_sv is null"
        " and subsection_name_en is null) or (subsection_name_fi is not null"
        " and subsection_name_sv is not null and subsection_name_en is not null))",
    ) == [(0,)]


def test_json_keeps_money_and_dates_as_texts(sotedw: Sotedw, built_home: Path) -> None:
    answer = sotedw.done(
        "query", "--home", built_home, "--json",
        "select f.expenditure_amount, v.count_date, f.income_amount"
        " from mart_service_entity_finance f, mart_vacancies v"
        " where f.service_entity_code = 'hus' and v.staff_group_code = 'physicians' limit 1",
    )  # fmt: skip
    assert answer.json == [
        {"expenditure_amount": "689441000.00", "count_date": "2021-12-31", "income_amount": None}
    ]
