"""Nights that continue the tables end in what a build of everything gives."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from ingest.lake import Lake
from ingest.landing import scan
from ingest.ledger import Ledger
from ingest.pipeline import ingest, register_sources
from ingest.spec import load_specs
from sotedw.build_state import loaded_deliveries
from tests.access_models import KEY, AccessModels, write_deliveries
from tests.reference.random_events import random_deliveries
from tests.reference.scenarios import HEADERS, Row, booking, cancelled, csv_text, visit

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("access")]

#: What continues, and what is made of it.
TABLES = (
    "fct_care_events",
    "fct_visits",
    "fct_waiting_times",
    "mart_access_measures",
    "mart_access_exclusions",
    "mart_waiting_time_distribution",
    "mart_visits_monthly",
    "mart_outputs_from_events",
    "mart_care_event_quality",
    "intermediate.int_access__invalid_codes",
)


@pytest.fixture(scope="module")
def models(built_home: Path, tmp_path_factory: pytest.TempPathFactory) -> AccessModels:
    models = AccessModels(built_home)
    models.compile_nights(tmp_path_factory.mktemp("nights"))
    return models


def contents(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[object, ...]]]:
    return {table: connection.execute(f"from {table} order by all").fetchall() for table in TABLES}


class Nights:
    """A home whose tables are continued from night to night."""

    def __init__(
        self, models: AccessModels, connection: duckdb.DuckDBPyConnection, folder: Path
    ) -> None:
        self.landing = folder / "landing"
        self._models = models
        self.connection = connection
        self._lake = Lake(folder / "lake")
        self._loaded: dict[str, str] | None = None

    def build(self, as_of: date) -> None:
        """One night: what has landed is loaded, and the tables continued."""
        specs = load_specs()
        ledger = Ledger(self._lake.ledger)
        found = scan(self.landing, set(specs))
        ingest(found, self._lake, ledger, specs, datetime(2024, 1, 1, tzinfo=UTC),
               lambda _: None, KEY)  # fmt: skip
        register_sources(self.connection, self._lake, ledger, specs, as_of, self._loaded or ())
        if self._loaded is None:
            self._models.run(self.connection, as_of)
        else:
            self._models.run_night(self.connection, as_of)
        self._loaded = loaded_deliveries(ledger, as_of)

    def listed(self, model: str, column: str = "care_need_id") -> set[object]:
        """Values of a column of an intermediate model."""
        rows = self.connection.execute(f"select {column} from intermediate.{model}").fetchall()
        assert len(rows) == len(set(rows))
        return {value for (value,) in rows}


@pytest.fixture
def nights(models: AccessModels, tmp_path: Path) -> Iterator[Nights]:
    with models.database() as connection:
        yield Nights(models, connection, tmp_path / "nights")


@pytest.mark.parametrize("seed", range(4))
def test_any_nights_end_in_what_one_build_of_everything_gives(
    models: AccessModels, nights: Nights, tmp_path: Path, seed: int
) -> None:
    """Deliveries arrive early, late and out of order, and blocks lie ahead of the date."""
    rng = random.Random(seed)
    first, days = date(2022, 3, 1), 60
    texts = random_deliveries(seed, 120, first, days)
    arrivals: list[str | None] = sorted(texts)
    rng.shuffle(arrivals)
    arrivals.append(None)
    looked_at = {rng.randrange(len(arrivals)), len(arrivals) - 1}
    as_of = first + timedelta(days=days + rng.randrange(40))
    for number, name in enumerate(arrivals):
        if name is not None:
            write_deliveries(nights.landing, {name: texts[name]})
        nights.build(as_of)
        if number in looked_at:
            with models.built(nights.landing, tmp_path / "home", as_of) as (connection, _):
                whole = contents(connection)
            continued = contents(nights.connection)
            for table in TABLES:
                assert continued[table] == whole[table], (table, name, as_of)
        as_of += timedelta(days=rng.choice([0, 1, 1, 2, 7, 30, 95]))
    assert whole["fct_waiting_times"]
    assert whole["intermediate.int_access__invalid_codes"]


def record(need: str, client: str, day: str, **fields: str) -> Row:
    """A call that was assessed at once."""
    contact = {
        "record_id": f"record-{need}", "care_need_id": need, "client_id": client,
        "record_updated_at": f"{day} 12:00", "contact_at": f"{day} 10:00",
        "contact_channel": "puhelin", "contact_service_form_code": "T11",
        "assessed_at": f"{day} 10:05", "assessed_urgency_code": "E",
        "assessed_nature_code": "SH", "assessment_outcome_code": "ratkaistu",
    }  # fmt: skip
    return dict.fromkeys(HEADERS, "") | contact | fields


def test_a_night_computes_what_may_have_changed_and_nothing_else(nights: Nights) -> None:
    """Seven days before a new contact are looked at again, eight are not; nor is another client."""
    settled = {"record_updated_at": "02.01.2022 12:00"}
    records = [
        record("corrected", "A", "10.01.2022"),
        record("seven_days_before", "B", "03.05.2022"),
        record("eight_days_before", "B", "02.05.2022"),
        record("settled", "C", "10.01.2022"),
        record("pending", "D", "06.05.2022"),
        record("run_out", "E", "10.01.2022", assessment_outcome_code="kaynti", **settled),
        record("ahead", "F", "10.01.2022", booked_at="11.05.2022 09:00"),
    ]
    write_deliveries(nights.landing, {"2022-05-09": csv_text(records)})
    nights.build(date(2022, 5, 11))
    assert nights.listed("int_access__changed_needs") == set()

    night = [
        record("corrected", "A", "10.01.2022", record_updated_at="12.05.2022 08:00",
               care_need_id="corrected_to"),
        record("new", "B", "10.05.2022"),
    ]  # fmt: skip
    write_deliveries(nights.landing, {"2022-05-12": csv_text(night)})
    nights.build(date(2022, 5, 12))
    assert nights.listed("int_access__changed_records", "record_id") == {
        "record-corrected", "record-new", "record-ahead",
    }  # fmt: skip
    assert nights.listed("int_access__changed_needs") == {
        "corrected", "corrected_to", "new", "seven_days_before", "pending", "ahead",
    }  # fmt: skip
    assert nights.listed("int_access__changed_dates where table_name = 'fct_care_events'",
                         "changed_date") == {date(2022, 1, 10), date(2022, 5, 10)}  # fmt: skip

    # Nothing arrives, and the seven days of one contact are over.
    nights.build(date(2022, 5, 14))
    assert nights.listed("int_access__changed_records", "record_id") == set()
    assert nights.listed("int_access__changed_needs") == {"pending", "new"}
    nights.build(date(2022, 5, 15))
    assert nights.listed("int_access__changed_needs") == {"new"}


def test_what_a_night_computes_anew_is_counted_once(nights: Nights) -> None:
    """A night adds what it computed to the counts that were there, and takes off what it was.

    A need started in April and was cared for in May. It is told once more as it was, then with a
    visit in June, and last it is deleted: the needs beside it stay as counted.
    """
    seen = {"assessment_outcome_code": "kaynti"}
    april = record("april", "A", "20.04.2022", **seen, **visit("03.05.2022 09:00"))
    records = [
        april,
        record("may", "B", "10.05.2022", **seen, **visit("12.05.2022 09:00")),
        record("left", "C", "11.05.2022", **seen,
               **booking("11.05.2022 12:00", "13.05.2022 09:00"),
               **cancelled("11.05.2022 13:00", "asiakas")),
    ]  # fmt: skip

    def night(day: int, row: Row) -> None:
        told = row | {"record_updated_at": f"{day}.08.2022 08:00"}
        write_deliveries(nights.landing, {f"2022-08-{day}": csv_text([told])})
        nights.build(date(2022, 8, day))
        assert nights.listed("int_access__changed_needs") == {"april"}

    def counted(query: str) -> list[tuple[object, ...]]:
        return nights.connection.execute(query).fetchall()

    waits = """
        select wait_days, need_count
        from mart_waiting_time_distribution
        where period_grain = 'year' and scope_type = 'city'
        order by all
    """
    visits = """
        select month_start_date, sum(visit_count)
        from intermediate.int_access__monthly_visits
        group by all
        order by all
    """
    write_deliveries(nights.landing, {"2022-08-20": csv_text(records)})
    nights.build(date(2022, 8, 20))
    before = contents(nights.connection)
    exclusions = counted("from mart_access_exclusions order by all")
    assert counted(waits) == [(2, 1), (13, 1)]
    assert counted(visits) == [(date(2022, 5, 1), 2)]

    night(21, april)
    after = contents(nights.connection)
    for table in ("mart_waiting_time_distribution", "mart_access_exclusions"):
        assert before[table], table
        assert after[table] == before[table], table
    assert counted(waits) == [(2, 1), (13, 1)]
    assert counted(visits) == [(date(2022, 5, 1), 2)]

    night(22, april | visit("02.06.2022 09:00"))
    assert counted(waits) == [(2, 1), (43, 1)]
    assert counted(visits) == [(date(2022, 5, 1), 1), (date(2022, 6, 1), 1)]

    night(23, april | {"is_deleted": "K"})
    assert counted(waits) == [(2, 1)]
    assert counted(visits) == [(date(2022, 5, 1), 1)]
    assert counted("from mart_access_exclusions order by all") == exclusions
    # A count of nothing is no row, as if it had never been.
    counts = "select min(need_count), sum(need_count) from intermediate.int_access__case_counts"
    assert counted(counts) == [(1, 4)]
