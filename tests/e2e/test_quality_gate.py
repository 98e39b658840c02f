"""The gate and the swap: a blocker, a killed build and a good one, one after another in one home.

Night 1 meets a shortfall of 160 per cent and publishes nothing. Night 2 gets the corrected figure
and is killed at work. Night 3 publishes; a reader who opened the old release notices nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.e2e.conftest import Finished, Sotedw

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("e2e_gate")]

CHECKOUT = Path(__file__).resolve().parents[2]
#: Rows of mart_vacancies: table 4's 9 groups in 3 entities, and table 3's 12 groups at 2 year ends.
VACANCIES = 9 * 3 + 12 * 2
HEADER = "HENKILOSTORYHMA;PALVELUKOKONAISUUS;LASKENTA_PVM;VAJE\n"
ROW = "Hammaslääkärit;Hallinto;31.3.2022;"
#: A share of more than one passes the door, where nobody knows which facts are shares.
FACTS = "ASIA;JAKSO;ARVO;YKSIKKO;TARKKUUS;LAJI;OSIO\nshare_aged_over_65;2022;"
PRINTED = "document: annual_report_2021\n"
CHECK = "fct_published_facts.shares_in_range"
KEY = {"fact_code": "share_aged_over_65", "period_text": "2022", "fact_kind": "actual"}


@dataclass(frozen=True)
class Night:
    """A home after a night's build."""

    home: Path
    landing: Path
    before: str
    code: int
    answer: Finished | None
    run: Path

    @property
    def record(self) -> dict[str, Any]:
        result: dict[str, Any] = json.loads((self.run / "run.json").read_text(encoding="utf-8"))
        return result

    @property
    def current(self) -> str:
        return (self.home / "current").readlink().name

    @property
    def releases(self) -> set[str]:
        return {path.name for path in (self.home / "releases").iterdir()}


def newest_run(home: Path) -> Path:
    return max((home / "runs").iterdir(), key=lambda path: path.stat().st_ctime_ns)


@pytest.fixture(scope="module")
def blocked(
    sotedw: Sotedw,
    copied_home: Callable[[Path], Path],
    deliver: Callable[[Path, str, Mapping[str, str | bytes]], None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Night:
    """Night 1."""
    folder = tmp_path_factory.mktemp("gate")
    home = copied_home(folder)
    landing = shutil.copytree(CHECKOUT / "landing", folder / "landing")
    before = (home / "current").readlink().name
    state = home / "build" / "state.json"
    assert state.is_file()
    deliver(landing, "shortfall/2022-06-30", {"vaje.csv": f"{HEADER}{ROW}95\n"})
    fact = f"{FACTS}160 %;%;tarkka;toteuma;1\n"
    files = {"luvut.csv": fact, "delivery.yml": PRINTED}
    deliver(landing, "published_facts/2022-06-30", files)
    answer = sotedw("build", "--home", home, "--landing", landing)
    run = newest_run(home)
    night = Night(home, landing, before, answer.code, answer, run)
    # The state right after the night, before later nights change the home.
    assert night.current == before, "a blocked build moved `current`"
    assert night.releases == {before}, "a blocked build left a release"
    assert not state.exists(), "the next build would continue tables that were not approved"
    return night


def test_a_blocker_stops_publication_with_its_own_exit_code(blocked: Night) -> None:
    assert blocked.code == 4
    assert blocked.answer is not None
    assert blocked.answer.out == ""
    with duckdb.connect(
        str(blocked.home / "releases" / blocked.before / "warehouse.duckdb"), read_only=True
    ) as connection:
        facts = connection.execute("select count(*) from fct_published_facts").fetchall()[0][0]
    assert (
        f"sotedw: not published, release {blocked.before} stays up:"
        " 1 blocker of the quality gate failed\n"
        f"  {CHECK}: 1 of {facts + 1} rows (Fails on a share below -1 or above 1,"
    ) in blocked.answer.err
    assert f"Report: {blocked.run / 'quality.html'}" in blocked.answer.err
    assert "Traceback" not in blocked.answer.err


def test_a_blocked_run_is_recorded_as_blocked(blocked: Night) -> None:
    record = blocked.record
    assert record["outcome"] == "blocked"
    assert CHECK in record["message"]
    stages = [stage["stage"] for stage in record["stages"]]
    assert stages == ["ingest", "models", "checks", "report"]


def test_the_failing_rows_are_kept_with_their_key(blocked: Night) -> None:
    table = pq.read_table(blocked.run / "failures" / f"{CHECK}.parquet")
    (row,) = table.to_pylist()
    assert {name: str(row[name]) for name in KEY} == KEY


def test_the_report_of_a_blocked_run_shows_what_stopped_it(blocked: Night) -> None:
    page = (blocked.run / "quality.html").read_text(encoding="utf-8")
    assert CHECK in page
    assert "share_aged_over_65" in page
    assert f"{CHECK}.parquet" in page


def test_the_results_of_a_blocked_run_are_kept(blocked: Night) -> None:
    path = blocked.home / "lake" / "quality" / f"{blocked.run.name}.parquet"
    failed = {
        row["check_id"]: row["severity"]
        for row in pq.read_table(path).to_pylist()
        if row["outcome"] == "failed"
    }
    assert failed == {CHECK: "blocker", "mart_vacancies.shortfall_share_believable": "warning"}


# --- a killed build -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def killed(
    sotedw: Sotedw,
    blocked: Night,
    deliver: Callable[[Path, str, Mapping[str, str | bytes]], None],
) -> Night:
    """Night 2: killed (signal 9) when the first models are built."""
    home = blocked.home
    deliver(blocked.landing, "shortfall/2022-07-31", {"vaje.csv": f"{HEADER}{ROW}16\n"})
    fact = f"{FACTS}16 %;%;tarkka;toteuma;1\n"
    files = {"luvut.csv": fact, "delivery.yml": PRINTED}
    deliver(blocked.landing, "published_facts/2022-07-31", files)
    runs = set((home / "runs").iterdir())
    process = sotedw.start("build", "--home", home, "--landing", blocked.landing)
    deadline = time.monotonic() + 120
    try:
        while True:
            assert process.poll() is None, "the build ended before it could be killed"
            assert time.monotonic() < deadline, "the build never came to its models"
            new = set((home / "runs").iterdir()) - runs
            logs = [run / "build.log" for run in new if (run / "build.log").exists()]
            if logs and "dbt models: success" in logs[0].read_text(encoding="utf-8"):
                break
            time.sleep(0.02)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        code = process.wait()
    night = Night(home, blocked.landing, blocked.before, code, None, newest_run(home))
    assert night.current == blocked.before, "a killed build moved `current`"
    assert night.releases == {blocked.before}, "a killed build left a release"
    return night


def test_a_killed_build_leaves_yesterdays_release(killed: Night) -> None:
    assert killed.code == -signal.SIGKILL
    assert killed.record["outcome"] == "running"


# --- the next one ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Swap:
    """Night 3 and what a reader saw who came before it."""

    night: Night
    seen_before: list[tuple[Any, ...]]
    seen_after: list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def swap(sotedw: Sotedw, killed: Night) -> Swap:
    """Night 3, at once after the kill; a reader has the old release open all the while."""
    sql = "select * from mart_vacancies order by all"
    old = (killed.home / "current").resolve()
    with duckdb.connect(str(old / "warehouse.duckdb"), read_only=True) as reader:
        seen_before = reader.execute(sql).fetchall()
        answer = sotedw("build", "--home", killed.home, "--landing", killed.landing)
        seen_after = reader.execute(sql).fetchall()
    night = Night(
        killed.home, killed.landing, killed.before, answer.code, answer, newest_run(killed.home)
    )
    return Swap(night, seen_before, seen_after)


def test_the_build_after_a_killed_one_publishes(swap: Swap) -> None:
    night = swap.night
    assert night.answer is not None
    assert night.code == 0, night.answer.err
    assert night.record["outcome"] == "published"
    assert night.current != night.before
    assert night.releases == {night.before, night.current}


def test_a_restated_figure_lifts_the_blocker(swap: Swap) -> None:
    path = swap.night.home / "current" / "warehouse.duckdb"
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute(
            "select shortfall_share, version_count, delivery_id from fct_vacancies"
            " where service_entity_code = 'administration'"
        ).fetchall()
    assert found == [(0.16, 2, "shortfall/2022-07-31")]


def test_a_reader_of_the_old_release_keeps_it_through_the_swap(swap: Swap) -> None:
    assert len(swap.seen_before) == VACANCIES
    assert swap.seen_after == swap.seen_before


def test_an_old_release_can_still_be_asked_by_its_name(swap: Swap, sotedw: Sotedw) -> None:
    sql = "select count(*) as n from mart_vacancies"
    common = ("query", "--home", swap.night.home, "--format", "csv", sql)
    assert sotedw.done(*common).out == f"n\n{VACANCIES + 1}\n"
    assert sotedw.done(*common, "--release", swap.night.before).out == f"n\n{VACANCIES}\n"


def test_nothing_half_written_is_left(swap: Swap) -> None:
    home = swap.night.home
    left = [path.name for path in home.rglob(".*") if path.name != ".lock"]
    assert left == []


def test_no_process_of_the_killed_build_is_left(swap: Swap) -> None:
    listed = subprocess.run(
        ["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True
    ).stdout
    assert [line for line in listed.splitlines() if str(swap.night.home) in line] == []
