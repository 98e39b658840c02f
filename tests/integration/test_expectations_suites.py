"""The shipped suites: good rows pass every check, and each check finds the rows it is for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from expectations import failing_keys, load_suite, run_suites
from expectations.definitions import SUITES_FOLDER

Row = dict[str, Any]


@dataclass(frozen=True)
class Mart:
    """A mart as a test builds it: its columns, a good row, further good and bad rows.

    `number` is the column that tells the rows apart; `bad` has the changes to the good row that
    each check, and no other, is to find; `shared` those that several checks are to find.
    """

    table: str
    columns: str
    number: str
    row: Row
    good: Sequence[Row]
    bad: dict[str, Sequence[Row]]
    shared: dict[tuple[str, ...], Sequence[Row]] = field(default_factory=dict)


def missing_labels(*columns: str) -> list[Row]:
    return [{column: value} for column in columns for value in (None, "", " ")]


#: What a row of a suspected break says beside the change that it warns of.
SUSPECTED: Row = {
    "has_suspected_break": True,
    "suspected_break_reason": "Sudden",
    "suspected_break_reason_fi": "Äkillinen",
    "suspected_break_reason_sv": "Plötslig",
}

#: A change over a break that a document states.
BROKEN: Row = {
    "change_count": None,
    "change_share": None,
    "is_comparable": False,
    "comparability": "series_break",
    "break_kind": "system",
    "break_reason": "Apotti",
    "break_reason_fi": "Apotti",
    "break_reason_sv": "Apotti",
}

OUTPUT_STATISTICS = Mart(
    table="mart_output_statistics",
    columns="""
        measure_code varchar, section_name_fi varchar, subsection_name_fi varchar,
        measure_name_fi varchar, measure_name_sv varchar, measure_name_en varchar,
        producer_type varchar, unit_of_measure varchar, year integer, value bigint,
        value_status varchar, change_count bigint, change_share double, is_comparable boolean,
        comparability varchar, break_kind varchar, break_reason varchar, break_reason_fi varchar,
        break_reason_sv varchar, has_suspected_break boolean, suspected_break_reason varchar,
        suspected_break_reason_fi varchar, suspected_break_reason_sv varchar, delivery_id varchar,
        source_document_id varchar, source_table varchar, row_number integer
    """,
    number="row_number",
    row={
        "measure_code": "visits",
        "section_name_fi": "Terveyspalvelut",
        "measure_name_fi": "Käynnit",
        "measure_name_sv": "Besök",
        "measure_name_en": "Visits",
        "producer_type": "own",
        "unit_of_measure": "visits",
        "year": 2021,
        "value": 110,
        "value_status": "final",
        "change_count": 10,
        "change_share": 0.1,
        "is_comparable": True,
        "comparability": "comparable",
        "has_suspected_break": False,
        "delivery_id": "2022-03-01",
        "source_document_id": "report_2021",
        "source_table": "7",
    },
    good=[
        {"subsection_name_fi": None, "source_table": None, "source_document_id": None},
        {"year": 1990},
        {"year": 2100},
        {"value": 0, "change_count": -1, "change_share": -0.89},
        {"value": 5, "change_count": 5, "change_share": None},
        {"change_share": 8.99},
        *(
            {
                "value_status": status,
                "value": None,
                "change_count": None,
                "change_share": None,
                "is_comparable": False,
                "comparability": "value_missing",
            }
            for status in ("not_available", "moved")
        ),
        BROKEN,
        SUSPECTED,
    ],
    bad={
        "measure_code_present": [{"measure_code": None}],
        "labels_present": missing_labels(
            "section_name_fi", "measure_name_fi", "measure_name_sv", "measure_name_en"
        ),
        "unit_of_measure_present": [{"unit_of_measure": None}],
        "delivery_present": [{"delivery_id": None}],
        "source_table_has_document": [{"source_document_id": None}],
        "producer_type_known": [{"producer_type": None}, {"producer_type": "oma"}],
        "value_status_explains_value": [
            {"value_status": None},
            {"value_status": "unknown"},
            {"value_status": "not_available"},
            {"value_status": "moved"},
            *(
                {
                    "value": None,
                    "value_status": status,
                    "change_count": None,
                    "change_share": None,
                    "is_comparable": False,
                    "comparability": "value_missing",
                }
                for status in (None, "final", "estimated", "partial")
            ),
        ],
        "comparability_known": [
            {"comparability": None},
            {"comparability": "unknown"},
            {"comparability": "no_previous_year"},
            {"is_comparable": False, "change_count": None, "change_share": None},
            {"is_comparable": None, "change_count": None, "change_share": None},
        ],
        "series_break_explained": [
            BROKEN | {column: None}
            for column in ("break_kind", "break_reason", "break_reason_fi", "break_reason_sv")
        ],
        "suspected_break_explained": [
            {"has_suspected_break": None},
            {"suspected_break_reason": "Sudden"},
            *(
                SUSPECTED | {column: value}
                for column in (
                    "suspected_break_reason",
                    "suspected_break_reason_fi",
                    "suspected_break_reason_sv",
                )
                for value in (None, " ")
            ),
            SUSPECTED
            | {
                "comparability": "no_previous_year",
                "is_comparable": False,
                "change_count": None,
                "change_share": None,
            },
        ],
        "break_is_suspected_or_documented": [BROKEN | SUSPECTED],
        "change_only_where_comparable": [
            {"is_comparable": False, "comparability": "no_previous_year", "change_share": None},
            {"is_comparable": False, "comparability": "no_previous_year", "change_count": None},
            {"change_count": None},
            {"change_share": None},
            {"value": None, "value_status": "moved"},
        ],
        "year_in_range": [{"year": None}, {"year": 1989}, {"year": 2101}],
        "value_not_negative": [{"value": -1}],
        "change_not_a_digit": [{"change_share": -0.9}, {"change_share": 9}],
    },
)

#: Ten posts of which two and a half full-time equivalents are vacant.
POSTS: Row = {
    "position_count": 10,
    "vacant_position_count": 3,
    "position_fte": 10.0,
    "vacant_fte": 2.5,
    "vacancy_rate": 0.25,
}

VACANCIES = Mart(
    table="mart_vacancies",
    columns="""
        count_date date, service_entity_code varchar, service_entity_name_fi varchar,
        service_entity_name_sv varchar, service_entity_name_en varchar, staff_group_code varchar,
        staff_group_name_fi varchar, staff_group_name_sv varchar, staff_group_name_en varchar,
        shortfall_share double, posts_count integer, value_status varchar, position_count bigint,
        vacant_position_count bigint, position_fte double, vacant_fte double, vacancy_rate double,
        delivery_id varchar, source_document_id varchar, row_number integer
    """,
    number="row_number",
    row={
        "count_date": date(2021, 12, 31),
        "service_entity_code": "health",
        "service_entity_name_fi": "Terveyspalvelut",
        "service_entity_name_sv": "Hälsotjänster",
        "service_entity_name_en": "Health services",
        "staff_group_code": "physicians",
        "staff_group_name_fi": "Lääkärit",
        "staff_group_name_sv": "Läkare",
        "staff_group_name_en": "Physicians",
        "shortfall_share": 0.16,
        "value_status": "final",
        "delivery_id": "2022-03-01",
    },
    good=[
        {"shortfall_share": 0},
        {"shortfall_share": 0.9},
        {"count_date": date(1990, 1, 1)},
        {"count_date": date(2100, 12, 31)},
        {"service_entity_code": "ALL", "shortfall_share": None, "posts_count": 0},
        {
            "service_entity_code": "ALL",
            "shortfall_share": None,
            "posts_count": 7,
            "value_status": "not_applicable",
        },
        *(
            {"shortfall_share": None, "value_status": status}
            for status in ("not_available", "suppressed", "moved", "not_applicable")
        ),
        POSTS,
        POSTS | {"shortfall_share": None, "delivery_id": None},
        POSTS | {"service_entity_code": "ALL", "posts_count": 11},
        POSTS | {"vacant_position_count": 0, "vacant_fte": 0.0, "vacancy_rate": 0.0},
        POSTS | {"vacant_position_count": 10, "vacant_fte": 10.0, "vacancy_rate": 1.0},
        POSTS | {"position_fte": 0.0, "vacant_fte": 0.0, "vacancy_rate": None},
        POSTS | {"position_count": 20, "vacant_fte": 5.0, "vacancy_rate": 0.5},
    ],
    bad={
        "count_date_present": [{"count_date": None}],
        "codes_present": [{"service_entity_code": None}, {"staff_group_code": None}],
        "labels_present": missing_labels(
            *(
                f"{what}_name_{language}"
                for what in ("service_entity", "staff_group")
                for language in ("fi", "sv", "en")
            )
        ),
        "delivery_present": [
            {"delivery_id": None},
            {"delivery_id": None, "shortfall_share": None, "value_status": "not_available"},
            POSTS | {"delivery_id": None},
            POSTS
            | {
                "delivery_id": None,
                "shortfall_share": None,
                "service_entity_code": "ALL",
                "posts_count": 11,
            },
        ],
        "value_status_known": [{"value_status": None}],
        "value_status_explains_value": [
            {"value_status": "not_available"},
            {"value_status": "suppressed"},
            {"shortfall_share": None},
            {"shortfall_share": None, "service_entity_code": "ALL"},
        ],
        "posts_only_for_whole_division": [{"posts_count": 3}],
        "count_date_in_range": [
            {"count_date": date(1989, 12, 31)},
            {"count_date": date(2101, 1, 1)},
        ],
        "shortfall_share_in_range": [{"shortfall_share": -0.01}],
        "shortfall_share_believable": [{"shortfall_share": 0.91}, {"shortfall_share": 1}],
        "posts_count_not_negative": [
            {"service_entity_code": "ALL", "posts_count": -1, "shortfall_share": None}
        ],
        "vacancy_rate_of_its_posts": [
            {"vacancy_rate": 0.25},
            POSTS | {"vacancy_rate": None},
            POSTS | {"vacancy_rate": 0.2},
            POSTS | {"position_fte": 0.0, "vacant_fte": 0.0},
        ],
        "vacant_posts_within_posts": [
            POSTS | {"vacant_position_count": 11},
            POSTS | {"vacant_position_count": -1},
            POSTS | {"vacant_position_count": None},
            POSTS | {"position_count": 0, "vacant_position_count": 0},
            {"position_count": 10},
        ],
        "vacancy_rate_believable": [
            POSTS | {"position_count": 20, "vacant_fte": 5.1, "vacancy_rate": 0.51}
        ],
    },
    shared={
        ("shortfall_share_in_range", "shortfall_share_believable"): [{"shortfall_share": 1.01}],
        ("value_status_known", "value_status_explains_value"): [{"value_status": "unknown"}],
        ("vacancy_rate_in_range", "vacant_posts_within_posts"): [
            POSTS | {"vacant_fte": 10.5, "vacancy_rate": 1.05},
            POSTS | {"vacant_fte": -0.5, "vacancy_rate": -0.05},
        ],
    },
)

FINANCE = Mart(
    table="mart_service_entity_finance",
    columns="""
        fiscal_year integer, service_entity_code varchar, service_entity_name_fi varchar,
        service_entity_name_sv varchar, service_entity_name_en varchar,
        expenditure_amount decimal(18, 2), expenditure_status varchar,
        income_amount decimal(18, 2), income_status varchar, amount_precision integer,
        includes_internal_items boolean, delivery_id varchar, source_document_id varchar,
        source_table varchar, row_number integer
    """,
    number="row_number",
    row={
        "fiscal_year": 2021,
        "service_entity_code": "health",
        "service_entity_name_fi": "Terveyspalvelut",
        "service_entity_name_sv": "Hälsotjänster",
        "service_entity_name_en": "Health services",
        "expenditure_amount": 534_703_000,
        "expenditure_status": "final",
        "income_amount": 172_770_000,
        "income_status": "final",
        "amount_precision": 1000,
        "includes_internal_items": True,
        "delivery_id": "2022-03-01",
        "source_document_id": "report_2021",
        "source_table": "6",
    },
    good=[
        {"fiscal_year": 1990},
        {"fiscal_year": 2100},
        {"income_amount": 0},
        {"income_amount": None, "income_status": "not_available"},
        {"expenditure_amount": 1_000_000},
        {"expenditure_amount": 5_000_000_000},
        {
            "expenditure_amount": None,
            "expenditure_status": "suppressed",
            "income_amount": None,
            "income_status": "not_applicable",
            "amount_precision": None,
        },
        {"source_table": None, "source_document_id": None},
    ],
    bad={
        "service_entity_code_present": [{"service_entity_code": None}],
        "labels_present": missing_labels(
            "service_entity_name_fi", "service_entity_name_sv", "service_entity_name_en"
        ),
        "delivery_present": [{"delivery_id": None}],
        "source_table_has_document": [{"source_document_id": None}],
        "amount_precision_present": [{"amount_precision": None}],
        "expenditure_status_explains_amount": [
            {"expenditure_status": None},
            {"expenditure_status": "moved"},
            {"expenditure_status": "unknown"},
            {"expenditure_amount": None},
        ],
        "income_status_explains_amount": [
            {"income_status": None},
            {"income_status": "moved"},
            {"income_status": "unknown"},
            {"income_amount": None},
        ],
        "fiscal_year_in_range": [
            {"fiscal_year": None},
            {"fiscal_year": 1989},
            {"fiscal_year": 2101},
        ],
        "income_not_negative": [{"income_amount": -1}],
        "amounts_in_euros": [
            {"expenditure_amount": 999_999.99},
            {"expenditure_amount": 5_000_000_001},
            {"expenditure_amount": 0},
        ],
    },
    shared={
        ("expenditure_not_negative", "amounts_in_euros"): [{"expenditure_amount": -0.01}],
    },
)

BUDGET = Mart(
    table="mart_budget_outturn",
    columns="""
        fiscal_year integer, budget_item_code varchar, budget_item_name_fi varchar,
        budget_item_name_sv varchar, budget_item_name_en varchar, flow varchar,
        original_amount decimal(18, 2), amendment_amount decimal(18, 2),
        carry_over_amount decimal(18, 2), available_amount decimal(18, 2),
        outturn_amount decimal(18, 2), deviation_amount decimal(18, 2),
        year_end_right_amount decimal(18, 2), forecast_amount decimal(18, 2),
        deviation_share double, binding_basis varchar, is_binding_row boolean,
        is_exceeded boolean, original_basis varchar, outturn_basis varchar,
        outturn_until_date date, delivery_id varchar, row_number integer
    """,
    number="row_number",
    row={
        "fiscal_year": 2021,
        "budget_item_code": "apotti",
        "budget_item_name_fi": "Apotti",
        "budget_item_name_sv": "Apotti",
        "budget_item_name_en": "Apotti",
        "flow": "expenditure",
        "original_amount": 41_100_000,
        "carry_over_amount": 8_200_000,
        "available_amount": 49_300_000,
        "outturn_amount": 45_300_000,
        "deviation_amount": -4_000_000,
        "deviation_share": -0.081,
        "binding_basis": "gross",
        "is_binding_row": True,
        "is_exceeded": False,
        "original_basis": "delivered",
        "outturn_basis": "delivered",
        "outturn_until_date": date(2021, 12, 31),
        "delivery_id": "2022-03-01",
    },
    good=[
        {"fiscal_year": 1990, "outturn_until_date": date(1990, 12, 31)},
        {"fiscal_year": 2100, "outturn_until_date": None},
        {"year_end_right_amount": 79_000_000},
        NOTHING_BUDGETED := {
            "original_amount": 0,
            "carry_over_amount": None,
            "available_amount": 0,
            "deviation_amount": 45_300_000,
            "deviation_share": None,
            "is_exceeded": True,
        },
        UNKNOWN_OUTTURN := {
            "outturn_amount": None,
            "outturn_basis": "not_available",
            "deviation_amount": None,
            "deviation_share": None,
            "is_exceeded": None,
        },
        UNKNOWN_OUTTURN | {"original_amount": 10_000, "available_amount": 8_210_000},
        EXCEEDED := {
            "outturn_amount": 49_300_000.01,
            "deviation_amount": 0.01,
            "deviation_share": 0.000_000_1,
            "is_exceeded": True,
        },
        {
            "outturn_amount": 49_300_000,
            "deviation_amount": 0,
            "deviation_share": 0.0,
        },
        INCOME := {"flow": "income", "is_binding_row": False, "is_exceeded": None},
        MARGIN := {
            "flow": "margin",
            "binding_basis": "net",
            "original_amount": -40_600_000,
            "carry_over_amount": -8_200_000,
            "available_amount": -48_800_000,
            "outturn_amount": -44_700_000,
            "deviation_amount": 4_100_000,
            "deviation_share": 0.084,
        },
        MARGIN
        | {
            "outturn_amount": -48_800_000.01,
            "deviation_amount": -0.01,
            "deviation_share": -0.000_000_1,
            "is_exceeded": True,
        },
        {"binding_basis": None, "is_binding_row": False},
        {"binding_basis": "net", "is_binding_row": False},
        HALF := {
            "outturn_amount": 25_000_000,
            "deviation_amount": -24_300_000,
            "deviation_share": -0.493,
        },
        # Half a year's expenditure is half of the budget.
        {
            "outturn_amount": 20_000_000,
            "deviation_amount": -29_300_000,
            "deviation_share": -0.594,
            "outturn_until_date": date(2021, 11, 30),
        },
        # A row of nothing but a printed change has nothing to have a delivery for.
        UNKNOWN_OUTTURN
        | {
            "original_amount": None,
            "original_basis": "not_available",
            "carry_over_amount": None,
            "available_amount": None,
            "delivery_id": None,
            "is_binding_row": False,
            "binding_basis": None,
        },
    ],
    bad={
        "labels_present": [
            {"budget_item_code": None},
            *missing_labels("budget_item_name_fi", "budget_item_name_sv", "budget_item_name_en"),
        ],
        "delivery_present": [
            {"delivery_id": None},
            UNKNOWN_OUTTURN
            | {
                "delivery_id": None,
                "original_amount": None,
                "original_basis": "not_available",
                "available_amount": None,
                "binding_basis": None,
                "is_binding_row": False,
            },
        ],
        "binding_row_has_its_budget": [
            {
                "original_amount": None,
                "original_basis": "not_available",
                "available_amount": None,
                "deviation_amount": None,
                "deviation_share": None,
                "is_exceeded": None,
            }
        ],
        "bases_known": [
            {"binding_basis": "brutto", "is_binding_row": False},
            {"original_basis": None},
            {"original_basis": "guessed"},
            {"original_basis": "not_available"},
            UNKNOWN_OUTTURN | {"outturn_basis": "sum_of_items"},
            {"outturn_basis": None},
            {"outturn_basis": "guessed"},
            {"outturn_basis": "not_available"},
        ],
        "available_adds_up": [
            {"available_amount": None} | UNKNOWN_OUTTURN,
            {"amendment_amount": 1_000},
            {"carry_over_amount": None},
            UNKNOWN_OUTTURN | {"available_amount": 49_300_000.01},
        ],
        "deviation_adds_up": [
            {"deviation_amount": -4_000_000.01},
            {"deviation_amount": None, "deviation_share": None, "is_exceeded": None},
            {"deviation_share": 0.081},
            {"deviation_share": None},
            NOTHING_BUDGETED | {"deviation_share": 1.0, "outturn_until_date": None},
        ],
        "exceeded_by_its_flow": [
            {"is_exceeded": True},
            {"is_exceeded": None},
            EXCEEDED | {"is_exceeded": False},
            UNKNOWN_OUTTURN | {"is_exceeded": False},
            INCOME | {"is_exceeded": False},
            MARGIN | {"is_exceeded": True},
        ],
        "binding_row_of_its_basis": [
            {"is_binding_row": None},
            {"is_binding_row": False},
            {"binding_basis": "net"},
            {"binding_basis": None},
            INCOME | {"is_binding_row": True},
            MARGIN | {"is_binding_row": False},
        ],
        "fiscal_year_in_range": [
            {"fiscal_year": None, "outturn_until_date": None},
            {"fiscal_year": 1989, "outturn_until_date": None},
            {"fiscal_year": 2101, "outturn_until_date": None},
            {"outturn_until_date": date(2020, 12, 31)},
            {"outturn_until_date": date(2022, 1, 31)},
        ],
        "amounts_not_negative": [
            {
                "outturn_amount": -1,
                "deviation_amount": -49_300_001,
                "deviation_share": -1.0,
                "outturn_until_date": date(2021, 1, 31),
            },
            UNKNOWN_OUTTURN | {"original_amount": -41_100_000, "available_amount": -32_900_000},
        ],
        "amounts_in_euros": [
            UNKNOWN_OUTTURN | {"original_amount": 9_999.99, "available_amount": 8_209_999.99},
            UNKNOWN_OUTTURN | {"original_amount": 5_000_000_001, "available_amount": 5_008_200_001},
        ],
        "deviation_believable": [
            {
                "outturn_amount": 24_650_000,
                "deviation_amount": -24_650_000,
                "deviation_share": -0.5,
            },
            {
                "outturn_amount": 73_950_000,
                "deviation_amount": 24_650_000,
                "deviation_share": 0.5,
                "is_exceeded": True,
            },
        ],
    },
    shared={
        # A flow that nobody knows binds by nothing and is judged by nothing.
        ("flow_known", "exceeded_by_its_flow", "binding_row_of_its_basis"): [
            {"flow": None},
            {"flow": "menot"},
        ],
    },
)

WORKFORCE = Mart(
    table="mart_workforce",
    columns="""
        count_date date, period_code varchar, service_entity_code varchar,
        service_entity_name_fi varchar, service_entity_name_sv varchar,
        service_entity_name_en varchar, staff_group_code varchar, staff_group_name_fi varchar,
        staff_group_name_sv varchar, staff_group_name_en varchar, measure_code varchar,
        measure_name_fi varchar, measure_name_sv varchar, measure_name_en varchar,
        unit_of_measure varchar, kind varchar, value double, value_status varchar,
        delivery_id varchar, source_document_id varchar, source_table varchar, row_number integer
    """,
    number="row_number",
    row={
        "count_date": date(2021, 12, 31),
        "period_code": "2021-12",
        "service_entity_code": "health",
        "service_entity_name_fi": "Terveyspalvelut",
        "service_entity_name_sv": "Hälsotjänster",
        "service_entity_name_en": "Health services",
        "staff_group_code": "ALL",
        "staff_group_name_fi": "Koko henkilöstö",
        "staff_group_name_sv": "Hela personalen",
        "staff_group_name_en": "All staff",
        "measure_code": "permanent_headcount",
        "measure_name_fi": "Vakinainen henkilöstö",
        "measure_name_sv": "Fast anställda",
        "measure_name_en": "Permanent employees",
        "unit_of_measure": "persons",
        "kind": "stock",
        "value": 2489.0,
        "value_status": "final",
        "delivery_id": "2022-03-01",
        "source_document_id": "report_2021",
        "source_table": "2",
    },
    good=[
        {"service_entity_code": "ALL", "value": 10_445.0},
        {"value": 10_445.0},
        {"value": 0.0},
        {"count_date": date(1990, 1, 1), "period_code": "1990"},
        {"count_date": date(2100, 12, 31), "period_code": "2100-Q4"},
        {"source_document_id": None, "source_table": None},
        {"measure_code": "shortfall_change_persons", "kind": "flow", "value": -150.0},
        RATE := {
            "measure_code": "turnover_rate",
            "unit_of_measure": "share",
            "kind": "flow",
            "value": 0.3,
        },
        RATE | {"measure_code": "permanent_share", "value": 1.0},
        {"measure_code": "one_off_rewards", "unit_of_measure": "eur", "value": -0.5},
        # An entity of another year, group or measure than the division's figure.
        {"value": 20_000.0, "staff_group_code": "nursing"},
        *(
            {"value": None, "value_status": status}
            for status in ("not_available", "suppressed", "moved", "not_applicable")
        ),
    ],
    bad={
        "codes_present": [
            {column: None}
            for column in (
                "measure_code",
                "service_entity_code",
                "staff_group_code",
                "period_code",
                "count_date",
            )
        ],
        "labels_present": missing_labels(
            *(
                f"{what}_name_{language}"
                for what in ("measure", "service_entity", "staff_group")
                for language in ("fi", "sv", "en")
            )
        ),
        "delivery_present": [{"delivery_id": None}],
        "source_table_has_document": [{"source_document_id": None}],
        "kind_and_unit_known": [
            {"kind": None},
            {"kind": "level"},
            *missing_labels("unit_of_measure"),
        ],
        "value_status_explains_value": [
            {"value_status": None},
            {"value_status": "unknown"},
            {"value_status": "moved"},
            {"value": None},
        ],
        "count_date_of_its_period": [
            {"count_date": date(1989, 12, 31), "period_code": "1989"},
            {"count_date": date(2101, 1, 1), "period_code": "2101"},
            {"count_date": date(2022, 1, 1)},
            {"period_code": "2020-12"},
        ],
        "shares_in_range": [
            RATE | {"measure_code": "permanent_share", "value": 1.01},
            RATE | {"value": -0.01},
        ],
        "counts_not_negative": [{"value": -1.0}, {"unit_of_measure": "posts", "value": -2.0}],
        "counts_are_whole": [
            {"value": 2489.5},
            {"measure_code": "shortfall_change_persons", "value": -1.5},
        ],
        "entity_within_division": [
            {"value": 10_446.0},
            {"value": 10_446.0, "service_entity_code": "social"},
        ],
        "rates_believable": [
            RATE | {"value": 0.31},
            RATE | {"measure_code": "sickness_absence_rate", "value": 1.0},
        ],
    },
)

CONFLICTS = Mart(
    table="mart_document_conflicts",
    columns="""
        conflict_id varchar, kind varchar, domain varchar, subject varchar, first_value double,
        first_text varchar, first_source varchar, second_value double, second_text varchar,
        second_source varchar, difference double, chosen varchar, chosen_value double,
        rule varchar, row_number integer
    """,
    number="row_number",
    row={
        "conflict_id": "text_vs_table:permanent",
        "kind": "text_vs_table",
        "domain": "personnel",
        "subject": "permanent",
        "first_value": 11_126.0,
        "first_source": "report_2021, text of section 6",
        "second_value": 10_445.0,
        "second_source": "report_2021, table 2",
        "difference": 681.0,
        "chosen": "second",
        "chosen_value": 10_445.0,
        "rule": "a table before the text around it",
    },
    good=[
        {"chosen": "first", "chosen_value": 11_126.0},
        *(
            {"kind": kind}
            for kind in (
                "place_vs_place",
                "document_vs_document",
                "sum_vs_parts",
                "ratio_vs_counts",
            )
        ),
        {"first_value": 0.5, "second_value": 1.0, "difference": -0.5, "chosen_value": 1.0},
        NAMES := {
            "kind": "two_names",
            "first_value": None,
            "first_text": "HUS",
            "second_value": None,
            "second_text": "Sairaanhoitopiiri",
            "difference": None,
            "chosen_value": None,
        },
    ],
    bad={
        "subject_present": [
            {"conflict_id": None},
            *missing_labels("domain", "subject"),
        ],
        "sources_present": missing_labels("first_source", "second_source"),
        "rule_present": missing_labels("rule"),
        "kind_known": [
            {"kind": None},
            {"kind": "typo"},
            {"kind": "two_names"},
            NAMES | {"kind": "text_vs_table"},
        ],
        "chosen_is_a_reading": [
            {"chosen": None},
            {"chosen": "third"},
            {"chosen": "first"},
            {"chosen_value": None},
            {"chosen_value": 1.0},
        ],
        "readings_differ": [
            {"difference": 680.0},
            {"difference": None},
            {"second_value": 11_126.0, "chosen_value": 11_126.0, "difference": 0.0},
            NAMES | {"second_text": "HUS"},
        ],
        "difference_believable": [
            {"first_value": 0.49, "second_value": 1.0, "difference": -0.51, "chosen_value": 1.0},
            {"first_value": -5.0, "second_value": 5.0, "difference": -10.0, "chosen_value": 5.0},
        ],
        "readings_present": [
            {"first_text": "HUS"},
            {"second_text": "HUS"},
            NAMES | {"second_text": None},
            NAMES | {"first_text": ""},
            {"second_value": None, "difference": None, "chosen_value": None},
        ],
    },
    shared={
        ("readings_present", "kind_known"): [
            {"first_value": None, "difference": None},
        ],
    },
)

FACTS = Mart(
    table="fct_published_facts",
    columns="""
        fact_code varchar, fact_name_fi varchar, fact_name_sv varchar, fact_name_en varchar,
        theme varchar, unit_of_measure varchar, scope_code varchar, scope_name_fi varchar,
        scope_name_sv varchar, scope_name_en varchar, period_text varchar, fact_kind varchar,
        value double, value_precision double, lower_bound double, upper_bound double,
        certainty varchar, value_status varchar, delivery_id varchar, source_document_id varchar,
        source_table varchar, source_section varchar, row_number integer
    """,
    number="row_number",
    row={
        "fact_code": "portal_users",
        "fact_name_fi": "Maisan käyttäjät",
        "fact_name_sv": "Maisas användare",
        "fact_name_en": "Users of Maisa",
        "theme": "access",
        "unit_of_measure": "users",
        "period_text": "2021",
        "fact_kind": "actual",
        "value": 300_000.0,
        "value_precision": 1.0,
        "certainty": "about",
        "value_status": "final",
        "delivery_id": "2022-03-01",
        "source_document_id": "report_2021",
        "source_section": "6",
    },
    good=[
        SCOPE := {
            "scope_code": "aged_18_24",
            "scope_name_fi": "18–24-vuotiaat",
            "scope_name_sv": "18–24-åringar",
            "scope_name_en": "Aged 18 to 24",
        },
        *({"fact_kind": kind} for kind in ("estimate", "forecast", "target")),
        *(
            {"certainty": certainty}
            for certainty in ("exact", "almost", "over", "under", "at_least", "at_most")
        ),
        *({"period_text": text} for text in (None, "1990", "2100-12-31", "2016/2018", "2021/2021")),
        {"source_section": None, "source_table": "1"},
        {"value": 0.0},
        {"unit_of_measure": "euros", "value": -22_800_000.0},
        {"unit_of_measure": "share", "value": -1.0, "value_precision": 0.01},
        {"unit_of_measure": "share", "value": 1.0},
        RANGE := {
            "value": None,
            "value_precision": None,
            "lower_bound": 1000.0,
            "upper_bound": 2000.0,
            "value_status": "not_available",
        },
        {"value": 1000.0, "lower_bound": 1000.0, "upper_bound": 1000.0},
    ],
    bad={
        "labels_present": [
            {"fact_code": None},
            *missing_labels("fact_name_fi", "fact_name_sv", "fact_name_en", "theme"),
            *(
                SCOPE | change
                for change in missing_labels("scope_name_fi", "scope_name_sv", "scope_name_en")
            ),
        ],
        "unit_of_measure_present": [{"unit_of_measure": None}],
        "place_present": [
            {"source_document_id": None},
            *missing_labels("source_section"),
            {"source_section": None, "source_table": " "},
        ],
        "delivery_present": [{"delivery_id": None}],
        "kind_and_certainty_known": [
            {"fact_kind": None},
            {"fact_kind": "toteuma"},
            {"certainty": None},
            {"certainty": "noin"},
        ],
        "value_status_explains_value": [
            {"value_status": None},
            {"value_status": "unknown"},
            {"value_status": "moved"},
            RANGE | {"value_status": "estimated"},
        ],
        "bounds_in_order": [
            {"lower_bound": 300_001.0},
            {"upper_bound": 299_999.0},
            RANGE | {"lower_bound": 2000.5},
        ],
        "value_or_bounds_present": [
            RANGE | {"lower_bound": None, "upper_bound": None},
        ],
        "precision_positive": [{"value_precision": None}, {"value_precision": 0.0}],
        "period_in_range": [
            {"period_text": "1989"},
            {"period_text": "2101-01"},
            {"period_text": "2022/2021"},
        ],
        "shares_in_range": [
            {"unit_of_measure": "share", "value": 1.01},
            {"unit_of_measure": "share", "value": -1.01},
        ],
        "counts_not_negative": [{"value": -1.0}],
    },
)

MARTS = [OUTPUT_STATISTICS, VACANCIES, FINANCE, BUDGET, WORKFORCE, CONFLICTS, FACTS]


def build(database: Path, mart: Mart, rows: Sequence[Row]) -> None:
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"create table {mart.table} ({mart.columns})")
        for number, changes in enumerate(rows):
            row = mart.row | changes | {mart.number: number}
            connection.execute(
                f"insert into {mart.table} ({', '.join(row)}) values ({', '.join('?' * len(row))})",
                list(row.values()),
            )


@pytest.mark.parametrize("mart", MARTS, ids=lambda mart: mart.table)
def test_good_rows_pass_every_check_of_their_suite(mart: Mart, tmp_path: Path) -> None:
    database = tmp_path / "warehouse.duckdb"
    build(database, mart, [{}, *mart.good])
    suite = load_suite(SUITES_FOLDER / f"{mart.table}.yml")
    outcomes = {r.check_id: (r.outcome, r.message) for r in run_suites(database, [suite])}
    assert outcomes == {check.id: ("passed", None) for check in suite.checks}


@pytest.mark.parametrize("mart", MARTS, ids=lambda mart: mart.table)
def test_each_check_finds_its_bad_rows_and_no_others(mart: Mart, tmp_path: Path) -> None:
    database = tmp_path / "warehouse.duckdb"
    suite = load_suite(SUITES_FOLDER / f"{mart.table}.yml")
    # The rows are told apart by a column of the test's own, as the first of the key.
    suite = suite.model_copy(update={"key": [mart.number, *suite.key]})
    suite = suite.model_copy(
        update={
            "checks": [
                check.model_copy(update={"kwargs": _with_column(check.kwargs, mart.number)})
                for check in suite.checks
            ]
        }
    )
    rows: list[Row] = [{}, *mart.good]
    expected: dict[str, list[int]] = {check.id: [] for check in suite.checks}
    cases = {(name,): changes for name, changes in mart.bad.items()} | mart.shared
    for names, changes in cases.items():
        for name in names:
            expected[f"{mart.table}.{name}"] += range(len(rows), len(rows) + len(changes))
        rows.extend(changes)
    assert [check_id for check_id, numbers in expected.items() if not numbers] == []
    build(database, mart, rows)
    results = {result.check_id: result for result in run_suites(database, [suite])}
    found = {
        check.id: failing_keys(database, check, results[check.id])[mart.number].to_pylist()
        if results[check.id].unexpected_count
        else []
        for check in suite.checks
    }
    assert found == expected


def _with_column(kwargs: dict[str, Any], column: str) -> dict[str, Any]:
    query = kwargs.get("unexpected_rows_query")
    if query is None:
        return kwargs
    return {"unexpected_rows_query": query.replace("select", f"select {column},", 1)}
