"""Any set of sources builds, also a single one: the others' marts are there, and empty."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Sotedw

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("e2e_single_source")]

CHECKOUT = Path(__file__).resolve().parents[2]
ANALYSES = sorted(path.stem for path in (CHECKOUT / "analyses").glob("*.sql"))
EMPTY = (
    "fct_budget_outturn",
    "fct_headcount",
    "fct_output_statistics",
    "fct_positions",
    "fct_published_facts",
    "fct_reported_values",
    "fct_training",
    "mart_budget_outturn",
    "mart_output_statistics",
    "mart_service_entity_finance",
    "mart_workforce",
)


@pytest.fixture(scope="module")
def home(sotedw: Sotedw, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("single")
    shutil.copytree(CHECKOUT / "landing" / "shortfall", folder / "landing" / "shortfall")
    (folder / "landing" / "README.md").write_text("For people.\n", encoding="utf-8")
    home = folder / "home"
    answer = sotedw.done("build", "--home", home, "--landing", folder / "landing", "--json").json
    assert answer["outcome"] == "published"
    return home


def rows(home: Path, sql: str) -> list[tuple[Any, ...]]:
    path = home / "current" / "warehouse.duckdb"
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_its_own_mart_is_full(home: Path) -> None:
    assert rows(home, "select count(*) from mart_vacancies") == [(27,)]


@pytest.mark.parametrize("table", EMPTY)
def test_the_others_marts_are_empty_and_of_the_same_shape(
    home: Path, release: Path, table: str
) -> None:
    assert rows(home, f"select count(*) from {table}") == [(0,)]
    name = Path("parquet") / "internal" / f"{table}.parquet"
    mine, full = pq.read_schema(home / "current" / name), pq.read_schema(release / name)
    assert mine.equals(full)
    with duckdb.connect(str(release / "warehouse.duckdb"), read_only=True) as connection:
        shape = connection.execute(f"describe {table}").fetchall()
    assert rows(home, f"describe {table}") == shape


def test_code_lists_do_not_depend_on_deliveries(home: Path, release: Path) -> None:
    lists = {path.name for path in (release / "parquet" / "internal").glob("dim_*.parquet")}
    assert "dim_series_break.parquet" in lists
    # A break is suspected where delivered figures jump: that one table is no code list alone.
    for name in lists - {"dim_series_break.parquet"}:
        mine = home / "current" / "parquet" / "internal" / name
        theirs = release / "parquet" / "internal" / name
        assert mine.read_bytes() == theirs.read_bytes(), name


def test_breaks_are_documented_without_deliveries_and_suspected_only_in_their_figures(
    home: Path, release: Path
) -> None:
    alone = rows(home, "select * from dim_series_break order by all")
    assert {row[0] for row in rows(home, "select evidence from dim_series_break")} == {"documented"}
    with duckdb.connect(str(release / "warehouse.duckdb"), read_only=True) as connection:
        documented = connection.execute(
            "select * from dim_series_break where evidence = 'documented' order by all"
        ).fetchall()
        (suspected,) = connection.execute(
            "select count(*) from dim_series_break where evidence = 'suspected'"
        ).fetchall()
    assert alone == documented
    assert len(alone) == 8
    assert suspected == (20,)


def test_sources_without_deliveries_are_neither_fresh_nor_stale(home: Path) -> None:
    manifest = json.loads((home / "current" / "manifest.json").read_text(encoding="utf-8"))
    assert {
        item["source"]: (item["last_delivery"], item["stale_since"], item["reason"])
        for item in manifest["sources"]
    } == {
        "budget": (None, None, None),
        "care_events": (None, None, None),
        "output_statistics": (None, None, None),
        "personnel": (None, None, None),
        "positions": (None, None, None),
        "published_facts": (None, None, None),
        "reported_values": (None, None, None),
        "service_entity_finance": (None, None, None),
        "shortfall": ("2022-03-31", None, None),
    }


def test_no_check_fails_for_want_of_rows(home: Path) -> None:
    assert rows(
        home,
        "select check_id, outcome from fct_quality_results"
        " where outcome not in ('passed', 'not_applicable')",
    ) == []  # fmt: skip


def test_the_analyses_of_the_others_print_their_header_alone(sotedw: Sotedw, home: Path) -> None:
    counted = {
        name: len(
            sotedw.done("query", "--home", home, "--analysis", name, "--format", "csv")
            .out.strip()
            .splitlines()
        )
        for name in ANALYSES
    }
    assert counted == dict.fromkeys(ANALYSES, 1) | {"table_4": 10}
