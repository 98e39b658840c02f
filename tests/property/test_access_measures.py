"""The models against an implementation that shares nothing with them, over random events."""

from __future__ import annotations

import random
import shutil
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.access_models import AccessModels, pseudonym_of, rows, write_deliveries
from tests.reference import access
from tests.reference.random_events import random_deliveries

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("access")]

SEEDS = Path(__file__).resolve().parents[2] / "seeds" / "access"

#: First day of needs, days over which they start, and the as-of date: the law of three periods,
#: both clock changes, the turn of the classifications, and open ends.
PERIODS = (
    (date(2018, 11, 20), 60, date(2019, 4, 20)),
    (date(2022, 3, 1), 60, date(2022, 5, 10)),
    (date(2022, 10, 20), 90, date(2023, 2, 1)),
    (date(2023, 8, 10), 40, date(2024, 3, 31)),
    (date(2024, 12, 1), 70, date(2025, 2, 10)),
)

CASES = [(seed, *PERIODS[seed % len(PERIODS)]) for seed in range(10)]

MEASURE_COLUMNS = [field.name for field in fields(access.AccessRow)]
SHARES = {"rate", "rate_low", "rate_high", "realised_rate", "statutory_rate", "gap_share"}


@pytest.fixture(scope="module")
def models(built_home: Path) -> AccessModels:
    return AccessModels(built_home)


@pytest.fixture(scope="module")
def parameters() -> access.Parameters:
    return access.Parameters(
        licences=access.licence_table(SEEDS / "licences.csv"),
        professions=access.profession_table(SEEDS / "professions.csv"),
    )


def by(connection: duckdb.DuckDBPyConnection, table: str, key: list[str]) -> dict[Any, Any]:
    found = rows(connection, f"from main.{table}")
    result = {tuple(row[name] for name in key): row for row in found}
    assert len(result) == len(found)
    return result


@pytest.mark.parametrize(("seed", "first", "days", "as_of"), CASES)
def test_the_marts_equal_the_independent_computation(
    models: AccessModels,
    parameters: access.Parameters,
    tmp_path: Path,
    seed: int,
    first: date,
    days: int,
    as_of: date,
) -> None:
    texts = random_deliveries(seed, 250, first, days)
    landing = write_deliveries(tmp_path / "landing", texts)
    folders = sorted((landing / "care_events").iterdir())
    units = access.unit_table(SEEDS / "units.csv")
    current = access.newest(
        access.read_records(folders, as_of=as_of, client=lambda text: text and pseudonym_of(text))
    )
    needs = access.needs(current, as_of, parameters)
    visits = access.visits(current, as_of, parameters)

    with models.built(landing, tmp_path / "home", as_of) as (connection, ledger):
        assert all(entry.rows_quarantined == 0 for entry in ledger)
        found_needs = by(connection, "fct_waiting_times", ["care_need_id"])
        found_visits = by(connection, "fct_visits", ["record_id"])
        measure_key = [
            "measure_code", "period_grain", "period_start", "period_end", "scope_type", "scope_id",
        ]  # fmt: skip
        found_measures = by(connection, "mart_access_measures", measure_key)
        found_exclusions = by(connection, "mart_access_exclusions", [*measure_key, "reason"])
        found_waits = by(connection, "mart_waiting_time_distribution", [*measure_key, "wait_days"])
        visit_key = [
            "month_start_date", "unit_id", "service_form_code", "contact_mode_code",
            "profession_group", "producer_type",
        ]  # fmt: skip
        found_months = by(connection, "mart_visits_monthly", visit_key)

    assert len(needs) > 100
    assert set(found_needs) == {(need.care_need_id,) for need in needs}
    for need in needs:
        expected = need.row() | {
            "client_age": need.client_age,
            "statutory_state": need.statutory_state,
        }
        row = found_needs[need.care_need_id,]
        assert {name: row[name] for name in expected} == expected

    assert set(found_visits) == {(visit.record_id,) for visit in visits}
    for visit in visits:
        row = found_visits[visit.record_id,]
        assert row | vars(visit) == row

    measures = {
        (*row.key[:3], row.period_end, *row.key[3:]): row
        for row in access.access_measures(needs, as_of, units, parameters)
    }
    assert set(found_measures) == set(measures)
    for key, expected_row in measures.items():
        row = found_measures[key]
        for name in MEASURE_COLUMNS:
            value = getattr(expected_row, name)
            if name in SHARES and value is not None:
                value = pytest.approx(value, abs=1e-12)
            assert row[name] == value, (key, name)

    exclusions = {
        tuple(getattr(row, name) for name in [*measure_key, "reason"]): row.excluded_count
        for row in access.exclusions(needs, as_of, units)
    }
    assert {key: row["excluded_count"] for key, row in found_exclusions.items()} == exclusions
    waits = {
        tuple(getattr(row, name) for name in [*measure_key, "wait_days"]): row.need_count
        for row in access.distribution(needs, as_of, units)
    }
    assert {key: row["need_count"] for key, row in found_waits.items()} == waits
    months = {
        tuple(getattr(row, name.removesuffix("_date")) if name == "month_start_date" else
              getattr(row, name) for name in visit_key): (row.visit_count, row.client_count)
        for row in access.visits_monthly(visits)
    }  # fmt: skip
    assert {
        key: (row["visit_count"], row["client_count"]) for key, row in found_months.items()
    } == months


@pytest.mark.parametrize("seed", range(2))
def test_any_arrival_order_and_split_gives_the_same_content(
    models: AccessModels, tmp_path: Path, seed: int
) -> None:
    """One full delivery, many small ones, and the same rows in another order end alike.

    Ties of versions are broken by the delivery's date, so all of them share one.
    """
    first, days, as_of = date(2023, 8, 10), 40, date(2024, 3, 31)
    rng = random.Random(seed)
    texts = random_deliveries(seed, 150, first, days).values()
    header = next(iter(texts)).splitlines()[0]
    lines = [line for text in texts for line in text.splitlines()[1:]]
    contents = []
    for parts in (1, 2, 6):
        rng.shuffle(lines)
        pieces: list[list[str]] = [[] for _ in range(parts)]
        for line in lines:
            rng.choice(pieces).append(line)
        landing = write_deliveries(
            tmp_path / str(parts),
            {
                f"2024-03-01-{number}" if number > 1 else "2024-03-01": "\n".join([header, *piece])
                for number, piece in enumerate(pieces, start=1)
            },
        )
        with models.built(landing, tmp_path / "home", as_of) as (connection, ledger):
            assert sum(entry.rows_in or 0 for entry in ledger) == len(lines)
            contents.append(
                {
                    table: connection.execute(
                        f"select * exclude ({excluded}) from main.{table} order by all"
                    ).fetchall()
                    for table, excluded in (
                        ("fct_care_events", "delivery_id"),
                        ("fct_waiting_times", "delivery_id"),
                        ("fct_visits", "delivery_id"),
                        ("mart_access_measures", "as_of_date"),
                        ("mart_access_exclusions", "measure_code"),
                        ("mart_waiting_time_distribution", "measure_code"),
                        ("mart_visits_monthly", "unit_id"),
                    )
                }
            )
        shutil.rmtree(tmp_path / "home")
    assert contents[0]["fct_waiting_times"]
    assert contents[1] == contents[0]
    assert contents[2] == contents[0]
