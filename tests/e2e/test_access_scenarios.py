"""Every rule of the access definitions at its boundaries: scenarios worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.access_models import AccessModels, rows, write_deliveries
from tests.reference.scenarios import GROUPS, Scenario, deliveries

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("access")]

#: An event without a version time is quarantined: the only bad row of the scenarios.
QUARANTINED = {date(2024, 3, 1): 1, date(2025, 8, 1): 0}


@dataclass(frozen=True)
class Built:
    needs: dict[str, dict[str, Any]]
    visits: dict[str, dict[str, Any]]
    measures: dict[tuple[Any, ...], dict[str, Any]]
    exclusions: dict[tuple[Any, ...], int]
    waits: dict[tuple[Any, ...], int]
    quarantined: int


@pytest.fixture(scope="module")
def models(built_home: Path) -> AccessModels:
    return AccessModels(built_home)


@pytest.fixture(scope="module")
def built(models: AccessModels, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Built]]:
    results = []
    for group in GROUPS:
        folder = tmp_path_factory.mktemp("scenarios")
        landing = write_deliveries(folder / "landing", deliveries(group.scenarios))
        with models.built(landing, folder / "home", group.as_of) as (connection, ledger):
            key = ("unit_id", "measure_code", "period_grain", "period_start")
            scoped = "select *, scope_id as unit_id from {} where scope_type = 'unit'"
            results.append(
                Built(
                    needs={
                        row["care_need_id"]: row
                        for row in rows(connection, "from main.fct_waiting_times")
                    },
                    visits={
                        row["record_id"]: row for row in rows(connection, "from main.fct_visits")
                    },
                    measures={
                        tuple(row[name] for name in key): row
                        for row in rows(connection, scoped.format("main.mart_access_measures"))
                    },
                    exclusions={
                        (*(row[name] for name in key), row["reason"]): row["excluded_count"]
                        for row in rows(connection, scoped.format("main.mart_access_exclusions"))
                    },
                    waits={
                        (*(row[name] for name in key), row["wait_days"]): row["need_count"]
                        for row in rows(
                            connection, scoped.format("main.mart_waiting_time_distribution")
                        )
                    },
                    quarantined=sum(entry.rows_quarantined for entry in ledger),
                )
            )
    yield results


CASES = [
    pytest.param(index, scenario, id=scenario.name)
    for index, group in enumerate(GROUPS)
    for scenario in group.scenarios
]


@pytest.mark.parametrize(("index", "scenario"), CASES)
def test_the_models_give_what_was_worked_out_by_hand(
    built: list[Built], index: int, scenario: Scenario
) -> None:
    found = built[index]

    for need_id, expected in scenario.needs.items():
        need = found.needs[need_id]
        assert {name: need[name] for name in expected} == dict(expected), need_id
    if scenario.visits is not None:
        for record_id, expected in scenario.visits.items():
            visit = found.visits[record_id]
            assert {name: visit[name] for name in expected} == dict(expected), record_id
    for key, expected in scenario.measures.items():
        row = found.measures[scenario.unit_id, *key]
        assert {name: row[name] for name in expected} == {
            name: pytest.approx(value, abs=1e-6) if isinstance(value, float) else value
            for name, value in expected.items()
        }
    for key, count in scenario.exclusions.items():
        assert found.exclusions[scenario.unit_id, *key] == count
    for key, count in scenario.waits.items():
        assert found.waits[scenario.unit_id, *key] == count


@pytest.mark.parametrize("index", range(len(GROUPS)))
def test_there_are_no_other_needs_and_one_bad_row(built: list[Built], index: int) -> None:
    group = GROUPS[index]
    expected = {need_id for scenario in group.scenarios for need_id in scenario.needs}

    assert set(built[index].needs) == expected
    assert built[index].quarantined == QUARANTINED[group.as_of]
