"""The data tests (`tests/data/*.sql`) can fail: each finds the defect it is there for.

What dbt compiled is run as it stands on a copy of the build's database, after one thing in it was
made wrong. So that every source has rows to go wrong, the build is of the checkout's own landing
folder with a delivery each of the three sources that it has none of.
"""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from tests.reference import scenarios

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.e2e.conftest import Sotedw

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("e2e_built")]

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDER = CHECKOUT / "tests" / "data"

#: What is delivered besides: one vacant post of 0.5 among three that count, an abolished one, and
#: two reported values.
POSITIONS = """\
VAKANSSI_TUNNUS;LASKENTA_PVM;HENKILOSTORYHMA;PALVELUKOKONAISUUS;YKSIKKO;OSUUS;HALTIJA;SIJAINEN;TILA
V1;31.3.2022;Hoitoalan ammattitehtävät;Hallinto;S1;1;K;E;voimassa
V2;31.3.2022;Hoitoalan ammattitehtävät;Hallinto;S1;1;E;K;voimassa
V3;31.3.2022;Hoitoalan ammattitehtävät;Hallinto;S1;0,5;E;E;voimassa
V4;31.3.2022;Hoitoalan ammattitehtävät;Hallinto;S1;1;E;E;lakkautettu
"""
REPORTED = """\
TAVOITE_TUNNUS;YKSIKKO;JAKSO;OSOITTAJA;NIMITTAJA;ARVO;NAYTTO
T-14;;2022-Q1;34;50;68 %;Liikkumissopimukset 31.3.2022
T-30;;2022-03;;;1 274,5;Toimitilojen neliöt
"""
#: One non-urgent need of April at a listed station, the visit that met it five days later, and
#: another visit of that day.
NEED = {
    "record_updated_at": "10.04.2022 09:00",
    "care_need_id": "N1",
    "client_id": scenarios.identity_code(date(1990, 5, 1), "905"),
    "unit_id": "1.2.246.10.2012566.10.90001",
    "producer_type": "oma",
}
EVENTS = scenarios.csv_text(
    [
        {
            "record_id": "E1",
            **NEED,
            **scenarios.call("04.04.2022 09:00"),
            **scenarios.visit("09.04.2022 09:00"),
        },
        {"record_id": "E2", **NEED, **scenarios.visit("09.04.2022 13:00")},
    ]
)
EVENTS_ID = "care_events/2022-04-15"
BESIDES = {
    EVENTS_ID: {"tapahtumat.csv": EVENTS},
    "positions/2022-04-15": {"vakanssit.csv": POSITIONS},
    "reported_values/2022-04-15": {"raportoidut.csv": REPORTED},
}
DELIVERED_IDS = [
    *(f"{folder.parent.name}/{folder.name}" for folder in (CHECKOUT / "landing").glob("*/*/")),
    *BESIDES,
]
DELIVERED = len(DELIVERED_IDS)

FIGURE = "measure_code = 'substance_abuse_work'"
GUINEA_PIG = f"{FIGURE} and period_code = '2021'"
SHARE = "staff_group_code = 'physicians' and service_entity_code = 'family_and_social'"
HUS = "service_entity_code = 'hus'"
FACT = "main.fct_output_statistics"
MART = "main.mart_output_statistics"
VACANCIES = "main.fct_vacancies"
FINANCE = "main.mart_service_entity_finance"
DELIVERIES = "lake.deliveries"
BUDGET_FACT = "main.fct_budget_outturn"
BUDGET = "main.mart_budget_outturn"
APOTTI = "budget_item_code = 'apotti' and fiscal_year = 2021"
HUS_ITEM = "budget_item_code = 'hus' and fiscal_year = 2021"
FACTS = "main.fct_published_facts"
POSTS = "main.fct_positions"
VALUES = "main.fct_reported_values"
STAFF = "main.mart_workforce"
NURSES_POSTS = "measure_code = 'posts' and staff_group_code = 'nursing'"
CONFLICTS = "main.mart_document_conflicts"
BREAKS = "main.dim_series_break"
OWN_POSTS = "position_count is not null"

#: Staging model, its source, deliveries of it.
STAGED = [
    (model, source, len([name for name in DELIVERED_IDS if name.startswith(f"{source}/")]))
    for model, source in (
        ("stg_budget__amounts", "budget"),
        ("stg_care_events__records", "care_events"),
        ("stg_output_statistics__figures", "output_statistics"),
        ("stg_personnel__figures", "personnel"),
        ("stg_positions__posts", "positions"),
        ("stg_published_facts__facts", "published_facts"),
        ("stg_reported_values__values", "reported_values"),
        ("stg_service_entity_finance__amounts", "service_entity_finance"),
        ("stg_shortfall__shares", "shortfall"),
    )
]

#: Data test, what is made wrong, rows it must find.
DEFECTS = [
    ("delivered_figures_are_in_their_fact", f"delete from {FACT} where {GUINEA_PIG}", 1),
    (
        "delivered_figures_are_in_their_fact",
        f"update {FACT} set value = value + 1 where {GUINEA_PIG}",
        1,
    ),
    (
        "delivered_figures_are_in_their_fact",
        f"update {FACT} set value = 0 where {FIGURE} and value is not null",
        5,
    ),
    (
        "delivered_figures_are_in_their_fact",
        f"update {FACT} set producer_type = 'own' where {GUINEA_PIG}",
        1,
    ),
    ("delivered_shares_are_in_their_fact", f"delete from {VACANCIES} where {SHARE}", 1),
    (
        "delivered_shares_are_in_their_fact",
        f"update {VACANCIES} set shortfall_share = 0 where shortfall_share is null",
        2,
    ),
    ("delivered_amounts_are_in_their_mart", f"delete from {FINANCE} where {HUS}", 1),
    (
        "delivered_amounts_are_in_their_mart",
        f"update {FINANCE} set income_amount = 0 where {HUS}",
        1,
    ),
    *(
        (f"rows_of_the_ledger[{model}]", f"{defect} where source_name = '{source}'", deliveries)
        for model, source, deliveries in STAGED
        for defect in (
            f"update {DELIVERIES} set rows_loaded_count = rows_loaded_count + 1",
            f"delete from {DELIVERIES}",
            f"update {DELIVERIES} set rows_loaded_count = null",
        )
    ),
    (
        "rows_of_the_ledger[stg_shortfall__shares]",
        (
            f"insert into {DELIVERIES} by name select * replace"
            " ('shortfall/2022-03-30' as delivery_id)"
            f" from {DELIVERIES} where source_name = 'shortfall'"
        ),
        1,
    ),
    (
        "rows_delivered_are_accounted_for",
        f"update {DELIVERIES} set rows_quarantined_count = 1 where source_name = 'shortfall'",
        1,
    ),
    (
        "rows_delivered_are_accounted_for",
        f"update {DELIVERIES} set rows_in_count = null, rows_refused_count = null",
        DELIVERED,
    ),
    ("reported_years_are_in_the_mart", f"delete from {MART} where {FIGURE} and year = 2021", 1),
    (
        "reported_years_are_in_the_mart",
        f"update {MART} set value = value + 1 where {FIGURE} and year = 2021",
        1,
    ),
    ("reported_years_are_in_the_mart", f"delete from {FACT} where {GUINEA_PIG}", 1),
    (
        "reported_years_are_in_the_mart",
        f"update {MART} set value_status = 'final' where value_status = 'estimated'",
        1,
    ),
    ("vacancies_of_the_mart_are_the_facts", f"delete from main.mart_vacancies where {SHARE}", 1),
    (
        "vacancies_of_the_mart_are_the_facts",
        (
            "insert into main.mart_vacancies by name"
            " select * replace ('hus' as service_entity_code)"
            f" from main.mart_vacancies where {SHARE}"
        ),
        1,
    ),
    (
        "vacancies_of_the_mart_are_the_facts",
        (
            "update main.mart_vacancies set shortfall_share = 0"
            " where shortfall_share is null and source_table = '4'"
        ),
        2,
    ),
    # Published posts have no shortfall: 12 groups at 2 year ends.
    (
        "vacancies_of_the_mart_are_the_facts",
        "update main.mart_vacancies set shortfall_share = 0 where source_table = '3'",
        24,
    ),
    (
        "parts_stay_within_their_printed_total",
        (
            f"update {MART} set value = 102931 where measure_code = 'hus_outpatient_visits'"
            " and year = 2021"
        ),
        0,
    ),
    (
        "parts_stay_within_their_printed_total",
        (
            f"update {MART} set value = 102929 where measure_code = 'hus_outpatient_visits'"
            " and year = 2021"
        ),
        1,
    ),
    (
        "producers_add_up_to_their_printed_total",
        (
            f"update {MART} set value = 3180 where measure_code = 'service_housing_places_total'"
            " and year = 2021"
        ),
        1,
    ),
    (
        "producers_add_up_to_their_printed_total",
        f"update {MART} set value = value + 1 where measure_code = 'service_housing_places_own'",
        5,
    ),
    (
        "producers_add_up_to_their_printed_total",
        (
            f"update {MART} set value = null, value_status = 'not_available'"
            " where measure_code = 'service_housing_places_own'"
        ),
        0,
    ),
    (
        "no_change_is_computed_over_a_series_break",
        (
            f"update {MART} set change_count = 911116"
            " where measure_code = 'nurse_reception_visits' and year = 2021"
        ),
        1,
    ),
    (
        "no_change_is_computed_over_a_series_break",
        f"update {MART} set is_comparable = true where break_kind is not null",
        7,
    ),
    (
        "no_change_is_computed_over_a_series_break",
        (
            "update seeds.series_breaks set break_date = '2020-07-01'"
            " where measure_code = 'nurse_reception_visits'"
        ),
        1,
    ),
    (
        "every_change_is_that_of_two_complete_years",
        f"update {MART} set change_count = change_count + 1 where {FIGURE} and year = 2021",
        1,
    ),
    (
        "every_change_is_that_of_two_complete_years",
        f"update {MART} set change_share = 0.0 where year = 2017 and {FIGURE}",
        1,
    ),
    (
        "every_change_is_that_of_two_complete_years",
        f"update {MART} set value_status = 'partial' where {FIGURE} and year = 2020",
        2,
    ),
    (
        "figures_carry_their_provenance",
        f"update {FACT} set source_line = null where {GUINEA_PIG}",
        1,
    ),
    (
        "figures_carry_their_provenance",
        f"update {FACT} set source_document_id = null where {FIGURE}",
        5,
    ),
    (
        "figures_carry_their_provenance",
        f"update {FACT} set delivery_id = 'output_statistics/2021-03-31' where {GUINEA_PIG}",
        1,
    ),
    (
        "vacancies_carry_their_provenance",
        f"update {VACANCIES} set source_table = '5' where {SHARE}",
        1,
    ),
    ("amounts_carry_their_provenance", f"update {FINANCE} set source_file = null where {HUS}", 1),
    (
        "amounts_carry_their_provenance",
        (
            f"update {DELIVERIES} set outcome = 'refused'"
            " where source_name = 'service_entity_finance'"
        ),
        6,
    ),
    (
        "periods_begin_and_end_where_their_code_says",
        f"update {FACT} set period_end_date = '2021-12-30' where {GUINEA_PIG}",
        1,
    ),
    (
        "periods_begin_and_end_where_their_code_says",
        f"update {FACT} set period_grain = 'quarter' where {GUINEA_PIG}",
        1,
    ),
    (
        "periods_begin_and_end_where_their_code_says",
        f"update {FACT} set period_end_date = period_start_date - 1 where {FIGURE}",
        5,
    ),
    (
        "periods_begin_and_end_where_their_code_says",
        (
            f"update {FACT} set period_start_date = '2020-01-01', period_end_date = '2020-12-31'"
            f" where {GUINEA_PIG}"
        ),
        1,
    ),
    # --- access
    (
        "access_states_add_up_to_their_population",
        (
            "update main.mart_access_measures set met_count = met_count + 1"
            " where measure_code = 'non_urgent_within_10_days' and period_grain = 'month'"
            " and scope_type = 'city' and period_start = '2022-04-01'"
        ),
        1,
    ),
    (
        "access_states_add_up_to_their_population",
        "update main.fct_waiting_times set non_urgent_within_10_days_state = null",
        3,
    ),
    (
        "units_of_events_are_in_the_unit_list",
        "update main.fct_care_events set unit_id = 'nowhere'",
        2,
    ),
    ("units_of_events_are_in_the_unit_list", "update main.fct_care_events set unit_id = null", 0),
    (
        "codes_of_events_are_valid_on_their_date",
        (
            "insert into intermediate.int_access__invalid_codes"
            " select record_id, delivery_id, 'contact_mode_code', 'R50', visit_date"
            " from main.fct_care_events"
        ),
        2,
    ),
    # --- budget
    (
        "an_item_binds_by_one_row_a_year",
        f"update {BUDGET} set is_binding_row = true where {HUS_ITEM} and flow = 'income'",
        1,
    ),
    (
        "an_item_binds_by_one_row_a_year",
        f"update {BUDGET} set is_binding_row = false where {APOTTI}",
        1,
    ),
    (
        "an_item_binds_by_one_row_a_year",
        f"update {BUDGET} set is_binding_row = (flow = 'income') where {HUS_ITEM}",
        1,
    ),
    (
        "an_item_binds_by_one_row_a_year",
        (
            f"update {BUDGET} set is_binding_row = true"
            " where budget_item_code = 'division_total' and flow = 'margin'"
        ),
        2,
    ),
    (
        "budget_amounts_carry_their_provenance",
        f"update {BUDGET_FACT} set source_section = null where {APOTTI}",
        8,
    ),
    (
        "budget_amounts_carry_their_provenance",
        f"update {BUDGET_FACT} set source_table = '2' where source_table = '1'",
        24,
    ),
    (
        "budget_amounts_carry_their_provenance",
        f"update {DELIVERIES} set outcome = 'refused' where delivery_id = 'budget/2022-03-31-6'",
        3,
    ),
    (
        "budget_deviations_follow_from_their_stages",
        (
            f"update {BUDGET} set available_amount = available_amount + year_end_right_amount"
            " where year_end_right_amount <> 0"
        ),
        4,
    ),
    (
        "budget_deviations_follow_from_their_stages",
        (
            f"update {BUDGET} set deviation_amount = -deviation_amount"
            f" where {HUS_ITEM} and flow = 'expenditure'"
        ),
        1,
    ),
    (
        "budget_deviations_follow_from_their_stages",
        f"update {BUDGET} set is_exceeded = not is_exceeded where {APOTTI}",
        2,
    ),
    (
        "budget_deviations_follow_from_their_stages",
        f"update {BUDGET} set is_exceeded = false where {APOTTI} and flow = 'income'",
        1,
    ),
    (
        "budget_totals_are_the_sums_of_their_items",
        (
            f"update {BUDGET} set outturn_amount = outturn_amount + 0.01"
            f" where {APOTTI} and flow = 'expenditure'"
        ),
        1,
    ),
    (
        "budget_totals_are_the_sums_of_their_items",
        (f"delete from {BUDGET} where budget_item_code = 'division_total' and fiscal_year = 2022"),
        2,
    ),
    (
        "budget_totals_are_the_sums_of_their_items",
        (
            f"update {BUDGET} set outturn_amount = 0"
            " where budget_item_code = 'division_total' and outturn_amount is null"
        ),
        2,
    ),
    (
        "margins_are_income_less_expenditure",
        (
            f"update {BUDGET} set outturn_amount = -outturn_amount"
            f" where {APOTTI} and flow = 'margin'"
        ),
        1,
    ),
    (
        "margins_are_income_less_expenditure",
        f"update {BUDGET} set outturn_amount = 0 where {HUS_ITEM} and flow = 'margin'",
        1,
    ),
    ("margins_are_income_less_expenditure", f"delete from {BUDGET} where flow = 'margin'", 12),
    (
        "delivered_budget_amounts_are_in_their_fact",
        f"delete from {BUDGET_FACT} where {HUS_ITEM} and stage = 'outturn'",
        1,
    ),
    (
        "delivered_budget_amounts_are_in_their_fact",
        f"update {BUDGET_FACT} set amount = amount + 0.01 where {HUS_ITEM} and stage = 'outturn'",
        1,
    ),
    (
        "delivered_budget_amounts_are_in_their_fact",
        f"update {BUDGET_FACT} set amount_status = 'estimated' where {HUS_ITEM}",
        3,
    ),
    # Four rows of a text in force where 24 of its table must be: the figures of both are told.
    (
        "delivered_budget_amounts_are_in_their_fact",
        (
            f"update {BUDGET_FACT} set delivery_id = 'budget/2022-01-31', source_table = null"
            " where delivery_id = 'budget/2022-01-31-2'"
        ),
        28,
    ),
    # --- published facts
    (
        "delivered_facts_are_in_their_fact",
        f"delete from {FACTS} where delivery_id = 'published_facts/2022-10-31'",
        7,
    ),
    (
        "delivered_facts_are_in_their_fact",
        (
            f"update {FACTS} set value = value + 1"
            " where delivery_id = 'published_facts/2022-06-15' and source_line = 2"
        ),
        1,
    ),
    (
        "delivered_facts_are_in_their_fact",
        (
            f"update {FACTS} set source_line = source_line + 1"
            " where delivery_id = 'published_facts/2022-03-31-2'"
        ),
        18,
    ),
    (
        "facts_carry_their_provenance",
        (
            f"update {FACTS} set source_section = null"
            " where delivery_id = 'published_facts/2019-12-31'"
        ),
        15,
    ),
    (
        "facts_carry_their_provenance",
        (
            f"update {FACTS} set source_document_id = 'action_plan_2022'"
            " where delivery_id = 'published_facts/2022-10-31'"
        ),
        7,
    ),
    # --- posts
    ("delivered_posts_are_in_their_fact", f"delete from {POSTS} where post_id = 'V3'", 1),
    (
        "delivered_posts_are_in_their_fact",
        f"update {POSTS} set has_substitute = not has_substitute",
        4,
    ),
    (
        "delivered_posts_are_in_their_fact",
        f"update {POSTS} set count_date = '2022-04-30' where post_id = 'V1'",
        1,
    ),
    ("posts_carry_their_provenance", f"update {POSTS} set source_file = null", 4),
    (
        "posts_carry_their_provenance",
        f"update {POSTS} set source_table = '3' where post_id = 'V1'",
        1,
    ),
    # The group in its entity, the entity, the group and the whole division.
    (
        "vacancy_rates_are_those_of_the_posts",
        f"update main.mart_vacancies set vacancy_rate = 0 where {OWN_POSTS}",
        4,
    ),
    (
        "vacancy_rates_are_those_of_the_posts",
        (
            f"delete from main.mart_vacancies where {OWN_POSTS}"
            " and service_entity_code = 'ALL' and staff_group_code = 'ALL'"
        ),
        1,
    ),
    (
        "vacancy_rates_are_those_of_the_posts",
        f"update {POSTS} set post_status = 'active' where post_status = 'abolished'",
        4,
    ),
    (
        "vacancy_rates_are_those_of_the_posts",
        f"update main.mart_vacancies set vacancy_rate = 0.2 where {SHARE}",
        1,
    ),
    # --- staff
    (
        "published_posts_stand_on_the_whole_division",
        (
            "update main.mart_vacancies set posts_count = posts_count + 1"
            " where service_entity_code = 'ALL' and staff_group_code = 'dentists'"
        ),
        2,
    ),
    (
        "published_posts_stand_on_the_whole_division",
        (
            "update main.mart_vacancies set posts_count = null"
            " where service_entity_code = 'ALL' and staff_group_code = 'ALL'"
        ),
        2,
    ),
    (
        "published_posts_stand_on_the_whole_division",
        f"update main.mart_vacancies set posts_count = 91 where {SHARE}",
        1,
    ),
    (
        "delivered_staff_figures_are_in_their_mart",
        f"delete from {STAFF} where {NURSES_POSTS}",
        2,
    ),
    (
        "delivered_staff_figures_are_in_their_mart",
        f"update {STAFF} set value = value + 1 where {NURSES_POSTS} and period_code = '2021-12'",
        1,
    ),
    (
        "delivered_staff_figures_are_in_their_mart",
        f"update {STAFF} set value_status = 'estimated' where source_table = '5'",
        48,
    ),
    ("staff_facts_are_in_the_mart", "delete from main.fct_training", 48),
    (
        "staff_facts_are_in_the_mart",
        "update main.fct_headcount set value = value + 1 where measure_code = 'total_headcount'",
        2,
    ),
    (
        "staff_facts_are_in_the_mart",
        f"delete from {STAFF} where measure_code = 'permanent_headcount'",
        6,
    ),
    (
        "staff_figures_carry_their_provenance",
        f"update {STAFF} set source_line = null where {NURSES_POSTS}",
        2,
    ),
    (
        "staff_figures_carry_their_provenance",
        f"update {STAFF} set source_section = '7' where source_table = '5'",
        48,
    ),
    # --- reported values
    ("delivered_reports_are_in_their_fact", f"delete from {VALUES} where target_id = 'T-14'", 1),
    (
        "delivered_reports_are_in_their_fact",
        f"update {VALUES} set numerator = 35 where target_id = 'T-14'",
        1,
    ),
    ("delivered_reports_are_in_their_fact", f"update {VALUES} set value = 0", 2),
    ("reports_carry_their_provenance", f"update {VALUES} set source_line = null", 2),
    (
        "reports_carry_their_provenance",
        f"update {VALUES} set source_document_id = 'annual_report_2021' where target_id = 'T-30'",
        1,
    ),
    # --- readings that differ
    (
        "every_conflict_has_two_readings_and_a_rule",
        f"update {CONFLICTS} set rule = '' where kind = 'ratio_vs_counts'",
        2,
    ),
    (
        "every_conflict_has_two_readings_and_a_rule",
        (f"update {CONFLICTS} set chosen = 'first' where kind = 'text_vs_table'"),
        2,
    ),
    (
        "every_conflict_has_two_readings_and_a_rule",
        (
            f"update {CONFLICTS} set second_value = first_value, chosen_value = first_value"
            " where kind = 'ratio_vs_counts'"
        ),
        2,
    ),
    (
        "every_conflict_has_two_readings_and_a_rule",
        f"update {CONFLICTS} set second_text = null where subject = 'service_entities/hus'",
        3,
    ),
    (
        "suspected_breaks_are_not_documented_ones",
        (
            f"update {BREAKS} set evidence = 'suspected'"
            " where measure_code = 'nurse_reception_visits'"
        ),
        1,
    ),
    (
        "suspected_breaks_are_not_documented_ones",
        (f"insert into {BREAKS} select * from {BREAKS} where measure_code = 'psychiatric_clinics'"),
        1,
    ),
]

#: Data test, what is made wrong, the rows that stewards get to see.
SHOWN = [
    (
        "units_of_events_are_in_the_unit_list",
        "update main.fct_care_events set unit_id = 'nowhere'",
        [("E1", EVENTS_ID, "nowhere"), ("E2", EVENTS_ID, "nowhere")],
    ),
    (
        "units_of_events_are_in_the_unit_list",
        "update main.fct_care_events set unit_id = 'nowhere' where record_id = 'E2'",
        [("E2", EVENTS_ID, "nowhere")],
    ),
]


@pytest.fixture(scope="module")
def home(
    sotedw: Sotedw,
    copied_home: Callable[[Path], Path],
    deliver: Callable[[Path, str, Mapping[str, str | bytes]], None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A home with a delivery of every source at least."""
    folder = tmp_path_factory.mktemp("all_sources")
    home = copied_home(folder)
    landing = shutil.copytree(CHECKOUT / "landing", folder / "landing")
    for delivery_id, files in BESIDES.items():
        deliver(landing, delivery_id, files)
    keyed = sotedw.having(variables={"SOTEDW_PSEUDONYM_KEY": "key-of-the-tests-of-data-tests"})
    answer = keyed.done("build", "--home", home, "--landing", landing, "--json").json
    assert {item["outcome"] for item in answer["deliveries"]} == {"loaded"}
    assert len(answer["deliveries"]) == DELIVERED
    return home


@pytest.fixture(scope="module")
def compiled(home: Path) -> dict[str, str]:
    """Data test -> the SQL that the build ran; that of the ledger has its model in brackets."""
    folder = home / "build" / "target" / "compiled" / "sotedw"
    paths = {path.stem: path for path in (folder / "tests" / "data").glob("*.sql")}
    for path in (folder / "models" / "staging").rglob("rows_of_the_ledger_*.sql"):
        # dbt shortens long names of tests, but keeps each below the model's file.
        name = f"rows_of_the_ledger[{path.parent.stem}]"
        assert name not in paths
        paths[name] = path
    return {name: path.read_text(encoding="utf-8") for name, path in paths.items()}


@pytest.fixture(scope="module")
def copy_of_build(
    home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    path = tmp_path_factory.mktemp("defects") / "warehouse.duckdb"
    shutil.copyfile(home / "build" / "warehouse.duckdb", path)
    with duckdb.connect(str(path)) as connection:
        yield connection


@pytest.fixture
def database(copy_of_build: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """The copy, in a transaction that is taken back."""
    copy_of_build.begin()
    yield copy_of_build
    copy_of_build.rollback()


def found(database: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return database.execute(sql).fetchall()


def test_every_data_test_has_a_defect_to_find() -> None:
    staging = (CHECKOUT / "models" / "staging").glob("*/stg_*.sql")
    assert {name for name, _, _ in DEFECTS} == {
        *(path.stem for path in FOLDER.glob("*.sql")),
        # The ledger is not held against itself.
        *(
            f"rows_of_the_ledger[{path.stem}]"
            for path in staging
            if path.stem != "stg_ledger__deliveries"
        ),
    }


@pytest.mark.parametrize("name", sorted({name for name, _, _ in DEFECTS}))
def test_a_data_test_finds_nothing_in_a_good_build(
    database: duckdb.DuckDBPyConnection, compiled: dict[str, str], name: str
) -> None:
    assert found(database, compiled[name]) == []


@pytest.mark.parametrize(
    ("name", "defect", "count"), DEFECTS, ids=[f"{d[0]}-{i}" for i, d in enumerate(DEFECTS)]
)
def test_a_data_test_finds_its_defect(
    database: duckdb.DuckDBPyConnection,
    compiled: dict[str, str],
    name: str,
    defect: str,
    count: int,
) -> None:
    changed = found(database, defect)[0][0]
    assert changed, "nothing was made wrong"
    assert len(found(database, compiled[name])) == count


@pytest.mark.parametrize(
    ("name", "defect", "rows"), SHOWN, ids=[f"{d[0]}-{i}" for i, d in enumerate(SHOWN)]
)
def test_a_data_test_of_events_shows_every_failing_record(
    database: duckdb.DuckDBPyConnection,
    compiled: dict[str, str],
    name: str,
    defect: str,
    rows: list[tuple[Any, ...]],
) -> None:
    database.execute(defect)
    assert sorted(found(database, compiled[name])) == rows


def test_a_data_test_of_events_counts_its_rows_against_the_events(home: Path) -> None:
    with duckdb.connect(str(home / "current" / "warehouse.duckdb"), read_only=True) as connection:
        checks = connection.execute(
            "select check_id, table_name, unexpected_count, element_count"
            " from main.fct_quality_results where list_contains(?, check_id) order by check_id",
            [["codes_of_events_are_valid_on_their_date", "units_of_events_are_in_the_unit_list"]],
        ).fetchall()
    assert checks == [
        ("codes_of_events_are_valid_on_their_date", "fct_care_events", 0, 2),
        ("units_of_events_are_in_the_unit_list", "fct_care_events", 0, 2),
    ]
