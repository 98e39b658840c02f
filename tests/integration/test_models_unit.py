"""The models' unit tests (`unit_tests:` beside each model) run, and are proven able to fail."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest
import yaml

from ingest.lake import Lake
from ingest.ledger import Ledger
from ingest.pipeline import register_sources
from sotedw.home import DATABASE_NAME
from sotedw.settings import PROJECT
from tests.dbt import run_dbt, saved_parse

if TYPE_CHECKING:
    from ingest.spec import Spec

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("dbt_unit")]

#: Models with a business rule: each has unit tests of its own.
RULES = {
    "dim_date",
    "dim_series_break",
    "fct_budget_outturn",
    "fct_output_statistics",
    "fct_positions",
    "fct_published_facts",
    "fct_reported_values",
    "fct_vacancies",
    "int_finance__budget_items_yearly",
    "int_finance__service_entity_amounts",
    "int_finance__yearly_stages",
    "int_outputs__suspected_breaks",
    "int_outputs__yearly_figures",
    "int_quality__budget_identities",
    "int_quality__names",
    "int_quality__ratios",
    "int_quality__readings",
    "int_quality__sums",
    "int_quality__two_places",
    "int_workforce__figures",
    "int_workforce__vacancy_rates",
    "mart_budget_outturn",
    "mart_document_conflicts",
    "mart_output_statistics",
    "mart_outputs_from_events",
    "mart_service_entity_finance",
    "mart_vacancies",
    "stg_ledger__deliveries",
}

#: Mutations of the models: file, text, what takes its place, unit tests that must notice.
MUTATIONS = {
    "models/marts/outputs/mart_output_statistics.sql": (
        "            when breaks_between.break_kind is not null then 'series_break'\n",
        "",
        {
            "a_break_on_new_years_day_parts_one_pair_of_years",
            "a_break_in_the_middle_of_a_year_parts_it_from_both_neighbours",
            "a_break_on_the_second_of_january_parts_both_years_too",
            "a_break_on_new_years_eve_parts_both_years_too",
            "a_break_is_told_before_a_missing_or_partial_value",
            "two_breaks_in_a_year_are_one_row",
            "a_suspected_break_warns_and_parts_nothing",
        },
    ),
    "macros/newest_version.sql": (
        "            delivery_number desc,\n",
        "",
        {
            "deliveries_of_a_day_are_ordered_by_their_number",
            "a_share_of_a_later_delivery_is_in_force",
            "amounts_of_a_later_delivery_are_in_force",
            "a_table_comes_before_the_text_of_its_document",
        },
    ),
    "models/staging/ledger/stg_ledger__deliveries.sql": (
        "when rows_loaded_count > 0 then",
        "when rows_loaded_count >= 0 then",
        {"a_document_is_as_old_as_its_first_delivery_to_the_source"},
    ),
    "models/marts/finance/fct_budget_outturn.sql": (
        "            and amount <= newer_ceiling\n",
        "",
        {"a_coarser_print_of_the_same_amount_restates_nothing"},
    ),
    "models/marts/workforce/fct_vacancies.sql": (
        "where count_date < {{ as_of_date() }}",
        "where count_date <= {{ as_of_date() }}",
        {
            "a_count_on_the_as_of_date_is_not_known_yet",
            "on_the_count_date_itself_nothing_is_known",
        },
    ),
    "models/marts/outputs/fct_output_statistics.sql": (
        "where period_start_date < {{ as_of_date() }}",
        "where period_start_date <= {{ as_of_date() }}",
        {"a_period_that_begins_on_the_as_of_date_is_not_known_yet"},
    ),
    "models/intermediate/outputs/int_outputs__yearly_figures.sql": (
        "        and is_additive\n",
        "",
        {"months_of_people_are_never_summed"},
    ),
    "models/intermediate/outputs/int_outputs__suspected_breaks.sql": (
        "unexplained.log_change >= rules",
        "unexplained.log_change > rules",
        {"a_change_must_be_three_times_the_usual"},
    ),
    "models/intermediate/finance/int_finance__yearly_stages.sql": (
        "        not is_internal\n        and stage",
        "        stage",
        {"internal_items_and_the_printed_available_are_left_out"},
    ),
    "models/intermediate/finance/int_finance__budget_items_yearly.sql": (
        "    where of_parents.budget_item_code is null\n",
        "",
        {"a_total_is_the_sum_of_its_items"},
    ),
    "models/marts/finance/mart_budget_outturn.sql": (
        "+ coalesce(carry_over_amount, 0) as available_amount",
        "+ coalesce(carry_over_amount, 0) + coalesce(year_end_right_amount, 0) as available_amount",
        {"a_right_granted_after_the_year_stands_apart", "margins_are_signed"},
    ),
    "models/intermediate/workforce/int_workforce__figures.sql": (
        "when 'stock' then figures.period_end_date else figures",
        "when 'stock' then figures.period_start_date else figures",
        {"a_stock_dated_on_the_as_of_date_is_not_known_yet"},
    ),
    "models/intermediate/workforce/int_workforce__vacancy_rates.sql": (
        "    where is_counted\n",
        "",
        {
            "posts_count_once_in_their_scope_and_in_each_total_over_it",
            "count_dates_are_counted_apart",
        },
    ),
    "models/marts/workforce/fct_positions.sql": (
        " and not has_substitute as is_vacant",
        " as is_vacant",
        {"a_post_is_vacant_with_neither_holder_nor_substitute"},
    ),
    "models/marts/workforce/mart_vacancies.sql": (
        "        vacancies.shortfall_share,\n",
        "        coalesce(vacancies.shortfall_share, vacant_fte) as shortfall_share,\n",
        {"a_vacancy_rate_stands_alone_where_nothing_is_published"},
    ),
    "models/marts/access/mart_outputs_from_events.sql": (
        "    cross join covered_years\n    left join counted\n",
        "    cross join covered_years\n    inner join counted\n",
        {"a_measure_without_an_event_keeps_its_published_figure"},
    ),
    "models/marts/core/fct_published_facts.sql": (
        "'fact_kind', 'source_document_id',",
        "'fact_kind',",
        {"every_document_keeps_its_own_reading"},
    ),
    "models/intermediate/quality/int_quality__two_places.sql": (
        "greatest(others.value_precision",
        "least(others.value_precision",
        {
            "two_places_agree_to_the_coarser_of_their_precisions",
            "half_a_unit_agrees_whatever_its_binary_fraction",
        },
    ),
    "models/intermediate/quality/int_quality__sums.sql": (
        "        and parents.subject is null\n",
        "",
        {"a_group_and_its_parent_are_not_counted_twice"},
    ),
    "models/intermediate/quality/int_quality__ratios.sql": (
        "numerators.denominator_basis = 'average_of_year'",
        "numerators.denominator_basis = 'never'",
        {"leavers_are_compared_with_the_average_of_the_year"},
    ),
    "models/intermediate/quality/int_quality__budget_identities.sql": (
        "and abs(first_value - second_value)",
        "and (first_value - second_value)",
        {
            "a_printed_change_is_the_sum_of_the_changes_of_its_items",
            "a_printed_deviation_is_outturn_less_available",
        },
    ),
}

#: Rows of (a, b) -> groups of them that `unique_grain` on both columns must find.
GRAINS = {
    "probe_unique": ("(1, 1), (1, 2), (2, 1), (1, null), (null, 1), (null, null)", 0),
    "probe_repeated": ("(1, 1), (1, 1), (1, 1), (2, 2), (2, 2), (3, 3)", 2),
    "probe_repeated_with_null": ("(1, null), (1, null), (2, null), (null, 2)", 1),
    "probe_repeated_all_null": ("(null, null), (null, null), (1, 1)", 1),
}


@dataclass(frozen=True)
class Result:
    """What dbt said of one node."""

    kind: str
    model: str
    name: str
    status: str
    failures: int | None
    message: str


@dataclass(frozen=True)
class DbtRun:
    """A finished run of dbt."""

    database: Path
    results: tuple[Result, ...]

    @property
    def unit_tests(self) -> dict[str, Result]:
        return {item.name: item for item in self.results if item.kind == "unit_test"}

    @property
    def data_tests(self) -> dict[str, Result]:
        return {item.name: item for item in self.results if item.kind == "test"}


def finished_run(folder: Path, process: subprocess.CompletedProcess[str]) -> DbtRun:
    """What a run of dbt over the database of a folder has left."""
    path = folder / "target" / "run_results.json"
    log = folder / "log" / "dbt.log"
    assert path.is_file(), process.stderr + (log.read_text("utf-8") if log.is_file() else "")
    results = []
    for item in json.loads(path.read_text(encoding="utf-8"))["results"]:
        # unit_test.<package>.<model>.<name>, test.<package>.<name>.<hash>, model.<package>.<name>
        kind, _, name, *rest = item["unique_id"].split(".")
        results.append(
            Result(
                kind,
                name,
                rest[0] if kind == "unit_test" else name,
                item["status"],
                item["failures"],
                item["message"] or "",
            )
        )
    return DbtRun(folder / DATABASE_NAME, tuple(results))


@pytest.fixture(scope="module")
def unit_run(
    built_home: Path, tmp_path_factory: pytest.TempPathFactory, specs: dict[str, Spec]
) -> DbtRun:
    """Every seed, every model over an empty lake, every unit test."""
    folder = tmp_path_factory.mktemp("unit")
    lake = Lake(folder / "lake")
    with duckdb.connect(str(folder / DATABASE_NAME)) as connection:
        register_sources(connection, lake, Ledger(lake.ledger), specs, date(2022, 3, 31))
    kinds = [("--resource-type", kind) for kind in ("seed", "model", "unit_test")]
    words = (word for kind in kinds for word in kind)
    return finished_run(folder, run_dbt(folder, "build", *words, *saved_parse(built_home)))


@pytest.fixture(scope="module")
def mutated_run(unit_run: DbtRun, tmp_path_factory: pytest.TempPathFactory) -> DbtRun:
    """The unit tests over a copy of the project with wrong rules, and probes of `unique_grain`."""
    folder = tmp_path_factory.mktemp("mutated")
    project = folder / "project"
    project.mkdir()
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(PROJECT / name, project)
    for name in ("models", "macros", "seeds"):
        shutil.copytree(PROJECT / name, project / name)
    for name, (text, replacement, _) in MUTATIONS.items():
        path = project / name
        old = path.read_text(encoding="utf-8")
        assert old.count(text) == 1, f"{name} no longer holds the text to mutate: {text!r}"
        path.write_text(old.replace(text, replacement), encoding="utf-8")
    shutil.copyfile(unit_run.database, folder / DATABASE_NAME)
    probes = []
    with duckdb.connect(str(folder / DATABASE_NAME)) as connection:
        connection.execute("create schema probes")
        for name, (rows, _) in GRAINS.items():
            connection.execute(
                f"create table probes.{name} as select * from (values {rows}) as probe (a, b)"
            )
            test = {"name": f"grain_of_{name}", "arguments": {"columns": ["a", "b"]}}
            probes.append({"name": name, "data_tests": [{"unique_grain": test}]})
    declared = {"version": 2, "sources": [{"name": "probes", "tables": probes}]}
    (project / "models" / "_probes.yml").write_text(yaml.safe_dump(declared), encoding="utf-8")
    run = run_dbt(folder, "test", "--select", "test_type:unit", "source:probes", project=project)
    return finished_run(folder, run)


def test_every_unit_test_of_the_models_passes(unit_run: DbtRun) -> None:
    bad = [item for item in unit_run.results if item.status not in ("pass", "success")]
    assert not bad, "\n".join(f"{item.model}.{item.name}: {item.message}" for item in bad)


def test_every_model_with_a_business_rule_has_unit_tests(unit_run: DbtRun) -> None:
    assert {item.model for item in unit_run.unit_tests.values()} >= RULES


@pytest.mark.parametrize("mutated", sorted(MUTATIONS))
def test_a_wrong_rule_is_noticed_by_its_unit_tests(mutated_run: DbtRun, mutated: str) -> None:
    status = {name: mutated_run.unit_tests[name].status for name in MUTATIONS[mutated][2]}
    assert set(status.values()) == {"fail"}, status


def test_no_other_unit_test_notices_a_wrong_rule(unit_run: DbtRun, mutated_run: DbtRun) -> None:
    def failing(run: DbtRun) -> set[str]:
        return {name for name, item in run.unit_tests.items() if item.status != "pass"}

    noticing = {name for _, _, names in MUTATIONS.values() for name in names}
    assert failing(mutated_run) - failing(unit_run) == noticing


@pytest.mark.parametrize("probe", sorted(GRAINS))
def test_unique_grain_finds_rows_that_share_a_grain_also_a_null_one(
    mutated_run: DbtRun, probe: str
) -> None:
    groups = GRAINS[probe][1]
    result = mutated_run.data_tests[f"grain_of_{probe}"]
    assert (result.failures, result.status) == (groups, "fail" if groups else "pass")
