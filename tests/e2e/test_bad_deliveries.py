"""Bad deliveries are refused whole and told in exact words; the build goes on with the others.

One build meets four of them beside a good one; afterwards every line, mart and state is looked at.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.e2e.conftest import Finished, Landed, Sotedw

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("e2e_bad_deliveries")]

CHECKOUT = Path(__file__).resolve().parents[2]
WORKBOOK = CHECKOUT / "landing" / "shortfall" / "2022-03-31" / "tyovoimavaje_joulukuu_2021.xlsx"
FINANCE_HEADER = "PALVELUKOKONAISUUS;VUOSI;MENOT;TULOT;YKSIKKOKERROIN;SISAISET_ERAT"

#: The line that each refused delivery must get.
LINES = {
    "unknown column": (
        'output_statistics/2022-04-30: refused: column "VARI" is unknown in suoritteet.csv'
        " (2 rows). Fix: remove the column, or add it to ingest/specs/output_statistics.yml"
        " (columns, headers or ignored_headers)"
    ),
    "missing column": (
        'output_statistics/2022-05-31: refused: column "ARVO" is missing from suoritteet.csv'
        " (1 row). Fix: add the column and send a new delivery"
    ),
    "wrong type": (
        "output_statistics/2022-06-30: refused: 3 of 3 rows break a rule, more than the 10%"
        ' allowed; most often column "ARVO" (3 rows, such as "sata"): this is not a whole number'
        ' (3 rows). Fix: correct column "ARVO" and send a new delivery'
    ),
    "truncated workbook": (
        "shortfall/2022-06-30: refused: tyovoimavaje.xlsx cannot be read as xlsx: the file is"
        " truncated or damaged (rows unknown). Fix: open it in Excel, save it again and send it"
        " as a new delivery"
    ),
}


@dataclass(frozen=True)
class Night:
    """The build that met them."""

    home: Path
    answer: Finished

    @property
    def release(self) -> Path:
        return (self.home / "current").resolve()

    @property
    def manifest(self) -> dict[str, Any]:
        text = (self.release / "manifest.json").read_text(encoding="utf-8")
        result: dict[str, Any] = json.loads(text)
        return result

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        path = self.release / "warehouse.duckdb"
        with duckdb.connect(str(path), read_only=True) as connection:
            return connection.execute(sql).fetchall()


#: A model that could have been a view once.
HIDDEN = "intermediate.int_access__hidden_records"


def leave_as_older_code_did(home: Path) -> None:
    """A view where a table stands now, in a home whose tables cannot be continued."""
    (home / "build" / "state.json").unlink()
    with duckdb.connect(str(home / "build" / "warehouse.duckdb")) as connection:
        connection.execute(f"drop table {HIDDEN}")
        connection.execute(f"create view {HIDDEN} as select 'a' as record_id")


@pytest.fixture(scope="module")
def night(
    sotedw: Sotedw,
    copied_home: Callable[[Path], Path],
    deliver: Callable[[Path, str, Mapping[str, str | bytes]], None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Night:
    folder = tmp_path_factory.mktemp("night")
    home = copied_home(folder)
    leave_as_older_code_did(home)
    landing = shutil.copytree(CHECKOUT / "landing", folder / "landing")
    deliver(
        landing,
        "output_statistics/2022-04-30",
        {"suoritteet.csv": "SUORITE;JAKSO;ARVO;VARI\nPäihdetyö;2021;1;x\nPäihdetyö;2020;1;x\n"},
    )
    deliver(
        landing,
        "output_statistics/2022-05-31",
        {"suoritteet.csv": "SUORITE;JAKSO\nPäihdetyö;2021\n"},
    )
    deliver(
        landing,
        "output_statistics/2022-06-30",
        {
            "suoritteet.csv": "SUORITE;JAKSO;ARVO\nPäihdetyö;2021;sata\n"
            "Päihdetyö;2020;kaksi\nPäihdetyö;2019;3 kpl\n"
        },
    )
    cut = WORKBOOK.read_bytes()
    deliver(landing, "shortfall/2022-06-30", {"tyovoimavaje.xlsx": cut[: len(cut) // 2]})
    deliver(
        landing,
        "service_entity_finance/2022-06-30",
        {
            "talous.csv": f"{FINANCE_HEADER}\nHallinto;2021;96\N{NO-BREAK SPACE}000,5;17;"
            "1000 EUR;K\nHUS;2022;7,25;-;MEUR;E\n",
            "delivery.yml": "document: annual_report_2021\ntable: 6\n",
        },
    )
    return Night(home, sotedw("build", "--home", home, "--landing", landing))


def test_refused_deliveries_are_a_warning_and_no_failure(
    night: Night, landed: Mapping[str, Landed]
) -> None:
    assert night.answer.code == 0, night.answer.err
    assert night.manifest["as_of_date"] == "2022-10-31"
    # The good one beside them has two rows.
    loaded, rows = len(landed) + 1, sum(item.rows for item in landed.values()) + 2
    assert f"  {loaded} loaded, 4 refused; {rows} rows in the lake\n" in night.answer.out


@pytest.mark.parametrize("kind", sorted(LINES))
def test_a_bad_delivery_is_told_in_one_exact_line(night: Night, kind: str) -> None:
    lines = [line.strip() for line in night.answer.err.splitlines()]
    assert lines.count(LINES[kind]) == 1, night.answer.err
    delivery_id = LINES[kind].split(":")[0]
    told = {item["delivery_id"]: item for item in night.manifest["deliveries"]}[delivery_id]
    assert told["findings"][0] == LINES[kind]
    assert (told["outcome"], told["rows_loaded"]) == ("refused", 0)


def test_nothing_else_is_said_to_be_wrong(night: Night) -> None:
    refused = [line for line in night.answer.err.splitlines() if ": refused: " in line]
    assert len(refused) == len(LINES)


def test_rows_of_refused_deliveries_are_all_accounted_for(night: Night) -> None:
    found = {
        item["delivery_id"]: (item["rows_in"], item["rows_quarantined"], item["rows_refused"])
        for item in night.manifest["deliveries"]
        if item["outcome"] == "refused"
    }
    assert found == {
        "output_statistics/2022-04-30": (2, 0, 2),
        "output_statistics/2022-05-31": (1, 0, 1),
        "output_statistics/2022-06-30": (3, 3, 0),
        "shortfall/2022-06-30": (None, 0, None),
    }


def test_the_good_delivery_beside_them_is_in_its_mart(night: Night) -> None:
    assert night.rows(
        "select fiscal_year, service_entity_code, expenditure_amount, income_amount,"
        " income_status, amount_precision, includes_internal_items, delivery_id"
        " from mart_service_entity_finance"
        " where delivery_id = 'service_entity_finance/2022-06-30' order by fiscal_year"
    ) == [
        (2021, "administration", Decimal("96000500.00"), Decimal("17000.00"), "final",
         Decimal("100.00"), True, "service_entity_finance/2022-06-30"),
        (2022, "hus", Decimal("7250000.00"), None, "not_available",
         Decimal("10000.00"), False, "service_entity_finance/2022-06-30"),
    ]  # fmt: skip
    assert night.rows("select count(*) from mart_service_entity_finance") == [(7,)]


def test_the_last_good_figures_of_the_others_stay_as_they_were(night: Night, release: Path) -> None:
    for mart in ("mart_output_statistics", "mart_vacancies"):
        before = (release / "parquet" / "internal" / f"{mart}.parquet").read_bytes()
        after = (night.release / "parquet" / "internal" / f"{mart}.parquet").read_bytes()
        assert after == before, mart


def test_the_manifest_says_since_when_each_source_is_stale(
    night: Night, newest_landed: Mapping[str, str | None]
) -> None:
    found = {
        item["source"]: (
            item["last_delivery"],
            item["refused"],
            item["stale_since"],
            item["reason"],
        )
        for item in night.manifest["sources"]
    }
    assert found == {
        "budget": (newest_landed["budget"], [], "2022-03-31", "late"),
        "care_events": (None, [], None, None),
        "output_statistics": (
            "2022-03-31",
            ["2022-04-30", "2022-05-31", "2022-06-30"],
            "2022-03-31",
            "refused",
        ),
        "personnel": (newest_landed["personnel"], [], None, None),
        "positions": (None, [], None, None),
        "published_facts": ("2022-10-31", [], None, None),
        "reported_values": (None, [], None, None),
        "service_entity_finance": ("2022-06-30", [], None, None),
        "shortfall": ("2022-03-31", ["2022-06-30"], "2022-03-31", "refused"),
    }


def test_people_are_told_what_is_stale(night: Night, sotedw: Sotedw) -> None:
    for text in (
        night.answer.out,
        sotedw.done("status", "--home", night.home).out,
        (night.release / "reports" / "quality.html").read_text(encoding="utf-8"),
    ):
        for line in text.splitlines():
            assert not ("service_entity_finance" in line and "stale" in line)
        assert "stale" in text
        assert "2022-03-31" in text
    for words in (
        "output_statistics: stale since 2022-03-31 (refused: 2022-04-30, 2022-05-31, 2022-06-30)",
        "shortfall: stale since 2022-03-31 (refused: 2022-06-30)",
    ):
        assert words in night.answer.out


def test_status_repeats_the_lines(night: Night, sotedw: Sotedw) -> None:
    text = sotedw.done("status", "--home", night.home).out
    assert all(line in text for line in LINES.values())


def test_files_that_did_not_change_are_shared_with_the_release_before(night: Night) -> None:
    releases = sorted(path for path in (night.home / "releases").iterdir())
    assert len(releases) == 2
    for name in ("dim_date", "mart_output_statistics", "mart_vacancies"):
        inodes = {
            (path / "parquet" / "internal" / f"{name}.parquet").stat().st_ino for path in releases
        }
        assert len(inodes) == 1, name


def test_a_view_of_older_code_gives_way_to_a_table(night: Night) -> None:
    path = night.home / "build" / "warehouse.duckdb"
    with duckdb.connect(str(path), read_only=True) as connection:
        kinds = connection.execute(
            "select table_type from information_schema.tables"
            f" where table_schema || '.' || table_name = '{HIDDEN}'"
        ).fetchall()
    assert kinds == [("BASE TABLE",)]
