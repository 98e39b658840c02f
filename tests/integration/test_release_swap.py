"""Publishing: one atomic swap, nothing half written, and an id that follows from the inputs."""

from __future__ import annotations

import json
import shutil
import threading
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow.parquet as pq
import pytest

from ingest.files import file_digest
from ingest.landing import scan
from sotedw.build import _as_of_date, run_build
from sotedw.build_state import BuildState, changed_months
from sotedw.dbt_artifacts import Column, Table
from sotedw.errors import BuildRunning, WrongUse
from sotedw.home import DATABASE_NAME
from sotedw.home import Home as Warehouse
from sotedw.identity import build_id, code_version
from sotedw.quality import results_table
from sotedw.release import ReleaseInputs, publish, read_manifest, write_release
from sotedw.settings import PROJECT, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Home

AS_OF = date(2022, 3, 31)
STATE = BuildState(code_version="0", as_of_date=AS_OF, deliveries={})


# --- the swap -------------------------------------------------------------------------------------


def made_release(warehouse: Warehouse, name: str) -> Path:
    """A release with nothing but a manifest and a database that names it."""
    folder = warehouse.releases / name
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"build_id": name}), encoding="utf-8")
    with duckdb.connect(str(folder / DATABASE_NAME)) as connection:
        connection.execute(f"create table about as select '{name}' as build_id")
    return folder


def test_readers_in_a_tight_loop_see_the_old_release_or_the_new_one(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    releases = [made_release(warehouse, name) for name in ("20220331-a", "20220630-b")]
    publish(warehouse, releases[0])
    deadline = time.monotonic() + 1.5
    swaps = 0
    seen: set[str] = set()
    errors: list[Exception] = []

    def read() -> None:
        while time.monotonic() < deadline:
            try:
                release = warehouse.current_release()
                assert release is not None, "there was a moment without a release"
                assert read_manifest(release)["build_id"] == release.name
                # Through the link, as a tool that knows nothing of releases reads.
                text = (warehouse.current / "manifest.json").read_text(encoding="utf-8")
                seen.add(json.loads(text)["build_id"])
            except (OSError, ValueError, AssertionError) as error:
                errors.append(error)
                return

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    while time.monotonic() < deadline:
        swaps += 1
        publish(warehouse, releases[swaps % 2])
    for reader in readers:
        reader.join()
    assert errors == []
    assert swaps > 20
    assert seen == {"20220331-a", "20220630-b"}


def test_an_open_release_stays_readable_when_another_is_published(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    old, new = (made_release(warehouse, name) for name in ("20220331-a", "20220630-b"))
    publish(warehouse, old)
    path = warehouse.current / DATABASE_NAME
    with duckdb.connect(str(path.resolve()), read_only=True) as reader:
        publish(warehouse, new)
        assert reader.execute("select build_id from about").fetchall() == [("20220331-a",)]
    with duckdb.connect(str(path.resolve()), read_only=True) as reader:
        assert reader.execute("select build_id from about").fetchall() == [("20220630-b",)]


def test_a_swap_that_was_cut_short_does_not_hinder_the_next(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    old, new = (made_release(warehouse, name) for name in ("20220331-a", "20220630-b"))
    publish(warehouse, old)
    (tmp_path / ".current.tmp").symlink_to("releases/20220101-never-made")
    publish(warehouse, new)
    assert warehouse.current_release() == new
    assert not (tmp_path / ".current.tmp").is_symlink()


def test_the_link_moves_with_its_home(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "here")
    publish(warehouse, made_release(warehouse, "20220331-a"))
    moved = Warehouse((tmp_path / "here").rename(tmp_path / "there"))
    assert moved.current_release() == tmp_path / "there" / "releases" / "20220331-a"
    assert read_manifest(moved.current)["build_id"] == "20220331-a"


# --- writing --------------------------------------------------------------------------------------


def inputs(*tables: Table) -> ReleaseInputs:
    return ReleaseInputs(
        build_id="20220331-a",
        as_of_date=AS_OF,
        code_version="0",
        tables=tables,
        analyses={},
        entries=(),
        sources=(),
        quality=results_table([], "20220331-a", "run"),
        report="<html></html>",
        state=STATE,
    )


def table(name: str) -> Table:
    columns = (Column("a", 'Letter\'s "own" description; 100 % ä.'), Column("b", "Number."))
    return Table(name, "One row per a.", "steward", "public", ("a",), columns, "1")


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """A home whose build made one table."""
    made = Warehouse(tmp_path)
    made.build.mkdir()
    with duckdb.connect(str(made.build_database)) as connection:
        connection.execute(
            "create table mart_letters as"
            " select * from (values ('b', 2), (null, 3), ('a', 1)) as letters (a, b)"
        )
    return made


def test_a_release_that_cannot_be_written_leaves_nothing(warehouse: Warehouse) -> None:
    with pytest.raises(duckdb.Error):
        write_release(warehouse, inputs(table("mart_letters"), table("mart_absent")), 2)
    assert list(warehouse.releases.iterdir()) == []


def test_what_a_crash_left_of_a_release_is_replaced(warehouse: Warehouse) -> None:
    left = warehouse.releases / ".20220331-a.tmp" / "parquet"
    left.mkdir(parents=True)
    (left / "half.parquet").write_bytes(b"PAR1")
    folder = write_release(warehouse, inputs(table("mart_letters")), 2)
    assert [path.name for path in warehouse.releases.iterdir()] == ["20220331-a"]
    assert not list(folder.rglob("half.parquet"))


def test_rows_are_sorted_by_their_grain_nulls_first(warehouse: Warehouse) -> None:
    folder = write_release(warehouse, inputs(table("mart_letters")), 2)
    path = folder / "parquet" / "internal" / "mart_letters.parquet"
    expected = [(None, 3), ("a", 1), ("b", 2)]
    assert duckdb.sql(f"select * from read_parquet('{path}')").fetchall() == expected
    with duckdb.connect(str(folder / DATABASE_NAME), read_only=True) as connection:
        assert connection.execute("select * from mart_letters").fetchall() == expected
        comments = connection.execute(
            "select comment from duckdb_columns() where table_name = 'mart_letters'"
        ).fetchall()
    assert comments == [(column.description,) for column in table("mart_letters").columns]


# --- files of months that did not change ----------------------------------------------------------


def fact() -> Table:
    columns = (Column("record_id", "Record."), Column("event_date", "Day."))
    return Table("fct_days", "One row per record.", "steward", "internal", ("record_id",), columns,
                 "1", "event_date")  # fmt: skip


def released(
    warehouse: Warehouse, name: str, state: BuildState, table: Table | None = None
) -> Path:
    made = replace(inputs(table or fact()), build_id=name, state=state)
    return write_release(warehouse, made, 2)


@pytest.fixture
def days(tmp_path: Path) -> Warehouse:
    """A home with a release of a fact of two months and a row without a date."""
    made = Warehouse(tmp_path)
    made.build.mkdir()
    change(
        made,
        "create table fct_days as select * from (values ('a', date '2022-01-31'),"
        " ('b', date '2022-02-01'), ('c', null)) as days (record_id, event_date)",
    )
    released(made, "first", STATE)
    return made


def change(warehouse: Warehouse, sql: str) -> None:
    with duckdb.connect(str(warehouse.build_database)) as connection:
        connection.execute(sql)


def state(**changed: list[date | None]) -> BuildState:
    """The state after the first release."""
    return STATE.model_copy(update={"published": "first", "changed": changed})


def shared(folder: Path) -> set[str]:
    parquet = folder / "parquet" / "internal" / "fct_days"
    assert {path.stem for path in parquet.iterdir()} == {"2022-01", "2022-02", "undated"}
    return {path.stem for path in parquet.iterdir() if path.stat().st_nlink > 1}


def test_only_files_of_changed_months_are_written(days: Warehouse) -> None:
    change(days, "update fct_days set record_id = 'bb' where record_id = 'b'")
    folder = released(days, "second", state(fct_days=[date(2022, 2, 1)]))
    assert shared(folder) == {"2022-01", "undated"}
    found = duckdb.sql(f"from read_parquet('{folder}/parquet/internal/fct_days/*.parquet')")
    assert sorted(row[0] for row in found.fetchall()) == ["a", "bb", "c"]
    for item in read_manifest(folder)["files"]:
        assert item["sha256"] == file_digest(folder / item["path"])


def test_rows_without_a_date_are_a_month_of_their_own(days: Warehouse) -> None:
    change(days, "update fct_days set record_id = 'cc' where record_id = 'c'")
    folder = released(days, "second", state(fct_days=[None]))
    assert shared(folder) == {"2022-01", "2022-02"}


def test_a_file_with_another_number_of_rows_is_never_shared(days: Warehouse) -> None:
    """Whatever the state says: a month that was forgotten must not lose a row."""
    change(days, "insert into fct_days values ('d', date '2022-01-01')")
    assert shared(released(days, "second", state())) == {"2022-02", "undated"}


NIGHT = (
    "create schema intermediate",
    "create table intermediate.changed_days as select unnest(['b', 'c', 'd', 'gone']) as record_id",
    "update fct_days set event_date = date '2022-01-15' where record_id = 'c'",
    "delete from fct_days where record_id = 'b'",
    "insert into fct_days values ('d', date '2022-02-28')",
)
UNLISTED = "insert into fct_days values ('e', date '2022-01-01')"
ONE_NIGHT = state(fct_days=[None, date(2022, 1, 1), date(2022, 2, 1)]).model_copy(
    update={"is_one_night": True}
)


def rows_by_file(folder: Path) -> dict[str, list[str]]:
    found = duckdb.sql(
        "select parse_filename(filename, true), list(record_id order by file_row_number)"
        f" from read_parquet('{folder}/parquet/internal/fct_days/*.parquet',"
        " filename = true, file_row_number = true) group by 1"
    )
    return dict(found.fetchall())


def test_a_month_is_its_old_file_without_the_rows_of_the_night_and_with_them_as_they_are_now(
    days: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    """b was removed, c moved from no date to January, d is new; a is read from the old file."""
    for sql in NIGHT:
        change(days, sql)
    listed = replace(fact(), changed_by="changed_days")
    folder = released(days, "second", ONE_NIGHT, listed)
    assert rows_by_file(folder) == {"2022-01": ["a", "c"], "2022-02": ["d"]}
    assert caplog.text == ""
    whole = released(days, "third", STATE)
    for path in (whole / "parquet" / "internal" / "fct_days").iterdir():
        assert file_digest(path) == file_digest(folder / path.relative_to(whole)), path.name


def test_a_file_that_lacks_a_row_which_nobody_listed_is_written_from_the_table(
    days: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    for sql in (*NIGHT, UNLISTED):
        change(days, sql)
    folder = released(days, "second", ONE_NIGHT, replace(fact(), changed_by="changed_days"))
    assert rows_by_file(folder) == {"2022-01": ["a", "c", "e"], "2022-02": ["d"]}
    assert "2022-01.parquet is written from the table" in caplog.text


def test_codes_are_texts_to_readers_however_they_were_written(days: Warehouse) -> None:
    """Of February `old` goes, `new` comes, and one record has no code; January has none at all."""
    change(days, "alter table fct_days add column code varchar")
    change(days, "update fct_days set code = 'old' where record_id = 'b'")
    change(days, "insert into fct_days values ('f', date '2022-02-02', 'it''s ä')")
    coded = replace(fact(), changed_by="changed_days", coded=("code",))
    released(days, "coded", STATE, coded)
    for sql in NIGHT[:-1]:
        change(days, sql)
    change(days, "insert into fct_days values ('d', date '2022-02-28', 'new')")
    change(days, "insert into fct_days values ('g', date '2022-02-01', null)")
    change(days, "insert into intermediate.changed_days values ('g')")
    night = ONE_NIGHT.model_copy(update={"published": "coded"})
    folder = released(days, "second", night, coded)
    path = folder / "parquet" / "internal" / "fct_days" / "2022-02.parquet"
    assert pq.read_table(path).to_pylist() == [
        {"record_id": "d", "event_date": date(2022, 2, 28), "code": "new"},
        {"record_id": "f", "event_date": date(2022, 2, 2), "code": "it's ä"},
        {"record_id": "g", "event_date": date(2022, 2, 1), "code": None},
    ]
    whole = released(days, "third", STATE, coded)
    for path in (whole / "parquet" / "internal" / "fct_days").iterdir():
        assert pq.read_schema(path).field("code").type == "string"
        assert file_digest(path) == file_digest(folder / path.relative_to(whole)), path.name


@pytest.mark.parametrize("kept", [STATE, state().model_copy(update={"published": "gone"})])
def test_without_a_release_before_every_file_is_written(days: Warehouse, kept: BuildState) -> None:
    assert shared(released(days, "second", kept)) == set()


# --- what the tables of the build stand for -------------------------------------------------------

LOADED = {"care_events/2022-01-01": "content spec"}


def test_the_state_is_taken_away_before_a_build_touches_the_tables(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    STATE.save(path)
    assert BuildState.take(path) == STATE
    assert BuildState.take(path) is None
    path.write_text('{"code_version": "0"}', encoding="utf-8")
    assert BuildState.take(path) is None
    assert not path.exists()


@pytest.mark.parametrize(
    ("code", "as_of", "loaded_now", "continues"),
    [
        ("0", AS_OF, LOADED, True),
        ("0", date(2022, 4, 1), {**LOADED, "care_events/2022-03-31": "new spec"}, True),
        ("1", AS_OF, LOADED, False),
        ("0", date(2022, 3, 30), LOADED, False),
        ("0", AS_OF, {"care_events/2022-01-01": "content other_spec"}, False),
        ("0", AS_OF, {}, False),
    ],
)
def test_tables_are_continued_by_the_same_code_from_the_same_deliveries(
    code: str, as_of: date, loaded_now: dict[str, str], *, continues: bool
) -> None:
    kept = STATE.model_copy(update={"deliveries": LOADED})
    assert kept.continues_to(code, as_of, loaded_now) is continues


def test_changed_months_add_up_until_a_release_has_them(tmp_path: Path) -> None:
    database = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema intermediate")
        connection.execute(
            "create table intermediate.int_access__changed_dates as select * from (values"
            " ('fct_visits', date '2022-02-28'),"
            " ('fct_visits', date '2022-01-01'),"
            " ('fct_visits', date '2022-01-31'),"
            " ('fct_care_events', null))"
            " as dates (table_name, changed_date)"
        )
    before = state(fct_visits=[date(2022, 2, 1), date(2021, 12, 1)])
    assert changed_months(database, before) == {
        "fct_care_events": [None],
        "fct_visits": [date(2021, 12, 1), date(2022, 1, 1), date(2022, 2, 1)],
    }
    assert changed_months(database, None) is None
    assert changed_months(database, STATE) is None
    assert before.released("second").months_to_write("fct_visits") == []
    assert before.released("second").published == "second"


# --- who a build is -------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What decides a build, without what does not."""
    copy = tmp_path / "project"
    copy.mkdir()
    for name in ("models", "macros", "seeds", "analyses", "ingest", "expectations", "sotedw"):
        shutil.copytree(PROJECT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(PROJECT / "tests" / "data", copy / "tests" / "data")
    for name in ("dbt_project.yml", "profiles.yml", "requirements.lock"):
        shutil.copy(PROJECT / name, copy)
    return copy


def test_the_code_version_does_not_depend_on_where_the_checkout_stands(project: Path) -> None:
    assert code_version(project) == code_version()


@pytest.mark.parametrize(
    "name",
    [
        "analyses/table_7.sql",
        "dbt_project.yml",
        "expectations/suites/mart_vacancies.yml",
        "ingest/casting.py",
        "ingest/specs/shortfall.yml",
        "macros/newest_version.sql",
        "models/marts/outputs/mart_output_statistics.sql",
        "models/marts/outputs/mart_output_statistics.yml",
        "profiles.yml",
        "requirements.lock",
        "seeds/outputs/series_breaks.csv",
        "sotedw/release.py",
        # A data test gates publication: a release that an older, weaker test let through is not
        # the release that the changed test would let through.
        "tests/data/no_change_is_computed_over_a_series_break.sql",
        "tests/data/_data_tests.yml",
    ],
)
def test_whatever_decides_a_build_is_in_its_code_version(project: Path, name: str) -> None:
    before = code_version(project)
    with (project / name).open("a", encoding="utf-8") as stream:
        stream.write("\n")
    assert code_version(project) != before


def test_what_decides_nothing_is_not_in_the_code_version(project: Path) -> None:
    before = code_version(project)
    (project / "README.md").write_text("For people.\n", encoding="utf-8")
    (project / "sotedw" / "__pycache__").mkdir()
    (project / "sotedw" / "__pycache__" / "x.pyc").write_bytes(b"x")
    (project / "tests" / "unit").mkdir()
    (project / "tests" / "unit" / "test_x.py").write_text("", encoding="utf-8")
    assert code_version(project) == before


HEADER = "SUORITE;JAKSO;ARVO\n"
GOOD = {"a.csv": f"{HEADER}Päihdetyö;2021;9 196\n"}
OTHER = {"a.csv": f"{HEADER}Päihdetyö;2021;9 197\n"}
BAD = {"a.csv": "SUORITE;JAKSO\nPäihdetyö;2021\n"}
FIRST, SECOND = "output_statistics/2022-01-31", "output_statistics/2022-02-28"


def told_before_and_after(home: Home) -> tuple[str, str]:
    """The build id that a build over this home announces, and what it is once it has loaded."""
    landed = scan(home.landing, set(home.specs)).deliveries
    before = build_id(home.ledger, landed, AS_OF, "code")
    home.ingest()
    return before, build_id(home.ledger, landed, AS_OF, "code")


def loaded(home: Home) -> None:
    home.deliver(FIRST, GOOD)


def refused(home: Home) -> None:
    home.deliver(FIRST, BAD)


def changed_after_loading(home: Home) -> None:
    home.deliver(FIRST, GOOD)
    home.ingest()
    home.deliver(FIRST, OTHER)


def restored_after_a_change(home: Home) -> None:
    changed_after_loading(home)
    home.ingest()
    home.deliver(FIRST, GOOD)


def corrected_under_the_refused_name(home: Home) -> None:
    home.deliver(FIRST, BAD)
    home.ingest()
    home.deliver(FIRST, GOOD)


def delivered_twice(home: Home) -> None:
    home.deliver(FIRST, GOOD)
    home.deliver(SECOND, GOOD)


def withdrawn(home: Home) -> None:
    home.deliver(FIRST, GOOD)
    home.ingest()
    home.withdraw(FIRST)


@pytest.mark.parametrize(
    "story",
    [
        loaded,
        refused,
        changed_after_loading,
        restored_after_a_change,
        corrected_under_the_refused_name,
        delivered_twice,
        withdrawn,
    ],
)
def test_loading_does_not_change_who_the_build_is(
    home: Home, story: Callable[[Home], None]
) -> None:
    story(home)
    before, after = told_before_and_after(home)
    # Else the next, unchanged build is another one: built again and published again.
    assert after == before


def test_a_corrected_delivery_makes_the_build_of_a_home_that_never_saw_the_bad_one(
    new_home: Callable[[], Home],
) -> None:
    old, fresh = new_home(), new_home()
    corrected_under_the_refused_name(old)
    loaded(fresh)
    assert told_before_and_after(old)[1] == told_before_and_after(fresh)[1]
    assert told_before_and_after(old)[0] == told_before_and_after(fresh)[0]


def test_another_date_or_code_is_another_build(home: Home) -> None:
    loaded(home)
    landed = scan(home.landing, set(home.specs)).deliveries
    ids = {
        build_id(home.ledger, landed, AS_OF, "code"),
        build_id(home.ledger, landed, date(2022, 4, 1), "code"),
        build_id(home.ledger, landed, AS_OF, "other code"),
        build_id(home.ledger, (), AS_OF, "code"),
    }
    assert len(ids) == 4


# --- the date -------------------------------------------------------------------------------------


def refused_date(home: Home, as_of: date | None, root: Path) -> str:
    """What is said of a date that no build can speak as of."""
    settings = Settings(home=root / "warehouse", landing=home.landing, as_of=as_of)
    with pytest.raises(WrongUse) as caught:
        run_build(settings, _Silent())
    assert not (root / "warehouse" / "runs").exists()
    assert not (root / "warehouse" / "current").exists()
    return str(caught.value)


def test_a_date_before_every_delivery_publishes_nothing(home: Home, tmp_path: Path) -> None:
    for name in ("shortfall/2022-03-31", "budget/2021-06-30"):
        home.deliver(name, {"a.csv": "a\n"})
    assert refused_date(home, date(2021, 6, 29), tmp_path) == (
        "there is no delivery until 2021-06-29: the first is dated 2021-06-30;"
        " give its date or a later one as the as-of date"
    )


def test_a_date_does_not_stand_for_deliveries(home: Home, tmp_path: Path) -> None:
    assert refused_date(home, AS_OF, tmp_path).startswith("there is no delivery under ")


def test_a_date_beyond_the_calendar_publishes_nothing(home: Home, tmp_path: Path) -> None:
    home.deliver("shortfall/2202-03-31", {"a.csv": "a\n"})
    assert refused_date(home, None, tmp_path) == (
        "the as-of date 2202-03-31 is beyond the calendar, which ends on 2040-12-31"
        " (calendar_end in dbt_project.yml); it is that of the newest delivery:"
        " correct its folder's name, or give another"
    )
    home.deliver("shortfall/2022-03-31", {"a.csv": "a\n"})
    assert refused_date(home, date(2041, 1, 1), tmp_path).endswith(
        "beyond the calendar, which ends on 2040-12-31 (calendar_end in dbt_project.yml);"
        " give an earlier one"
    )


@pytest.mark.parametrize("day", [date(2022, 3, 31), date(2040, 12, 31)])
def test_the_first_deliverys_date_and_the_calendars_last_day_are_dates(
    home: Home, tmp_path: Path, day: date
) -> None:
    home.deliver("shortfall/2022-03-31", {"a.csv": "a\n"})
    settings = Settings(home=tmp_path, landing=home.landing, as_of=day)
    assert _as_of_date(settings, scan(home.landing, set(home.specs)), home.ledger) == day


# --- the lock -------------------------------------------------------------------------------------


class _Silent:
    def stage(self, text: str) -> None: ...
    def progress(self, text: str, done: int, total: int) -> None: ...
    def delivery(self, entry: object) -> None: ...
    def stray(self, path: str, reason: str) -> None: ...
    def warning(self, text: str) -> None: ...


def test_a_second_build_in_one_home_is_turned_away(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "home")
    settings = Settings(home=warehouse.root, landing=tmp_path / "landing")
    with warehouse.lock(), pytest.raises(BuildRunning, match="another build is running in"):
        run_build(settings, _Silent())
    with warehouse.lock():
        pass
