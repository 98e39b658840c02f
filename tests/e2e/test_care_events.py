"""Care events as a user builds them: generated deliveries, a build, and what is never in it."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from sotedw.generate import GenerateOptions, Shares, generate
from tests.e2e.conftest import Sotedw

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("care_events")]

KEY = "the key of the end-to-end tests, 32 characters"

#: A code as it is written, in either case, anywhere in a text; its check character decides.
CODE = re.compile(rb"(?i)\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]")


def is_code(text: bytes) -> bool:
    digits = text[:6] + text[7:10]
    day, month = int(text[:2]), int(text[2:4])
    check = b"0123456789ABCDEFHJKLMNPRSTUVWXY"[int(digits) % 31]
    return 1 <= day <= 31 and 1 <= month <= 12 and check == text[10:].upper()[0]


def codes_in(data: bytes) -> Iterator[bytes]:
    # Overlapping, so that digits before a code hide nothing.
    for start in re.finditer(rb"(?=\d{6}[-+A-FU-Ya-fu-y]\d{3})", data):
        match = CODE.match(data, start.start())
        if match and is_code(match.group()):
            yield match.group().upper()


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Few events and many defects: codes in ids, in times, in free text, in file names."""
    folder = tmp_path_factory.mktemp("care") / "landing"
    generate(
        GenerateOptions(
            out=folder,
            events=4_000,
            seed=7,
            start=date(2021, 9, 1),
            end=date(2022, 6, 30),
            shares=Shares(bad=0.1, duplicate=0.02, resent=0.03),
            truth=folder.parent / "truth.parquet",
        )
    )
    first = min((folder / "care_events").iterdir())
    name = next(first.glob("*.csv"))
    name.rename(first / "events-010190-900P.csv")
    return folder


@pytest.fixture(scope="module")
def codes(landing: Path) -> set[bytes]:
    found = {code for path in landing.rglob("*.csv") for code in codes_in(path.read_bytes())}
    assert len(found) > 300
    assert all(code[7:8] == b"9" for code in found)
    return found | {b"010190-900P"}


@pytest.fixture(scope="module")
def care(sotedw: Sotedw) -> Sotedw:
    return sotedw.having(variables={"SOTEDW_PSEUDONYM_KEY": KEY})


@pytest.fixture(scope="module")
def home(landing: Path, care: Sotedw, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("care_home")
    finished = care.done("build", "--home", folder, "--landing", landing)
    (folder / "printed.txt").write_text(finished.out + finished.err, encoding="utf-8")
    return folder


# --- identities -----------------------------------------------------------------------------------


def test_no_byte_outside_parquet_holds_an_identity_code(home: Path, codes: set[bytes]) -> None:
    looked_at = 0
    for path in home.rglob("*"):
        if not path.is_file() or path.is_symlink() or path.suffix == ".parquet":
            continue
        data = path.read_bytes().upper()
        looked_at += len(data)
        found = {code for code in codes if code in data}
        assert not found, path
        if path.suffix != ".duckdb":  # its bytes are numbers too, which may look like anything
            assert not list(codes_in(data)), path
        assert not [part for part in path.parts if list(codes_in(part.encode()))]
    assert looked_at > 1_000_000


def test_no_text_column_of_any_table_holds_an_identity_code(home: Path) -> None:
    looked_at: Counter[str] = Counter()
    with duckdb.connect() as connection:
        for path in home.rglob("*.parquet"):
            _scan(connection, f"read_parquet('{path}', hive_partitioning = false)", looked_at)
        for database in (
            home / "build" / "warehouse.duckdb",
            home / "current" / "warehouse.duckdb",
        ):
            connection.execute(f"attach '{database}' as looked_at (read_only)")
            for schema, table in connection.execute(
                "select schema_name, table_name from duckdb_tables()"
                " where database_name = 'looked_at'"
            ).fetchall():
                _scan(connection, f'looked_at."{schema}"."{table}"', looked_at)
            connection.execute("detach looked_at")
    assert looked_at["client_pseudonym"] > 3_000
    assert looked_at["value"] > 100  # of the quarantine


def _scan(connection: duckdb.DuckDBPyConnection, relation: str, looked_at: Counter[str]) -> None:
    relation_rows = connection.sql(f"from {relation}")
    for name, type_ in zip(relation_rows.columns, relation_rows.types, strict=True):
        if "VARCHAR" not in str(type_):
            continue
        texts = connection.execute(
            f'select cast("{name}" as varchar) from {relation} where "{name}" is not null'
        ).fetchall()
        looked_at[name] += len(texts)
        for (text,) in texts:
            assert not list(codes_in(text.encode())), (relation, name)


def test_a_pseudonym_is_keyed_and_the_same_for_every_spelling(home: Path) -> None:
    with duckdb.connect(str(home / "current" / "warehouse.duckdb"), read_only=True) as connection:
        pseudonyms = [
            text
            for (text,) in connection.execute(
                "select distinct client_pseudonym from fct_care_events"
                " where client_pseudonym is not null"
            ).fetchall()
        ]
    assert len(pseudonyms) > 100
    assert all(re.fullmatch("[a-p]{32}", text) for text in pseudonyms)


def test_without_a_key_nothing_is_loaded_and_the_error_says_how_to_make_one(
    landing: Path, sotedw: Sotedw, tmp_path: Path
) -> None:
    finished = sotedw("build", "--home", tmp_path, "--landing", landing)
    assert finished.code == 2
    assert "SOTEDW_PSEUDONYM_KEY" in finished.err
    assert "openssl rand -hex 32" in finished.err
    assert "care_events/" in finished.err
    assert not list(tmp_path.rglob("*.parquet"))


# --- accounting -----------------------------------------------------------------------------------


def test_every_row_is_loaded_a_duplicate_or_quarantined(home: Path, landing: Path) -> None:
    entries = [json.loads(path.read_text()) for path in (home / "lake" / "ledger").rglob("*.json")]
    assert len(entries) == 3
    for entry in entries:
        folder = landing / "care_events" / entry["name"]
        lines = sum(
            len(path.read_text(encoding="utf-8").splitlines()) - 1 for path in folder.glob("*.csv")
        )
        assert entry["rows_in"] == lines
        assert lines == (entry["rows_loaded"] + entry["rows_duplicate"] + entry["rows_quarantined"])
        lake = home / "lake" / "raw" / "care_events" / f"delivery={entry['name']}"
        stored = sum(pq.read_metadata(path).num_rows for path in lake.glob("*.parquet"))
        assert stored == entry["rows_loaded"]
    assert sum(entry["rows_quarantined"] for entry in entries) > 100
    assert sum(entry["rows_duplicate"] for entry in entries) > 0


def test_exactly_the_spoiled_rows_are_quarantined_and_the_repeated_ones_duplicates(
    home: Path, landing: Path
) -> None:
    """What the generator spoiled, by file, line and rule."""
    with duckdb.connect() as connection:
        truth = connection.execute(
            "select delivery, file, line, rule"
            f" from '{landing.parent / 'truth.parquet'}' where is_bad"
        ).fetchall()
        rejects = connection.execute(
            "select distinct replace(delivery_id, 'care_events/', ''),"
            " source_file, source_line, rule"
            f" from read_parquet('{home}/lake/quarantine/care_events/*/*.parquet',"
            " hive_partitioning = false)"
        ).fetchall()
        repeated = dict(
            connection.execute(
                f"select delivery, count(*) from '{landing.parent / 'truth.parquet'}'"
                " where is_duplicate group by delivery"
            ).fetchall()
        )
    renamed = min(path.name for path in (landing / "care_events").iterdir())
    truth = [
        (delivery, "events-******-****.csv" if delivery == renamed else file, line, rule)
        for delivery, file, line, rule in truth
    ]
    assert len(truth) > 100
    assert sorted(rejects) == sorted(truth)
    entries = [json.loads(path.read_text()) for path in (home / "lake" / "ledger").rglob("*.json")]
    assert {
        entry["name"]: entry["rows_duplicate"] for entry in entries if entry["rows_duplicate"]
    } == repeated


# --- the release ----------------------------------------------------------------------------------


def test_everything_built_from_generated_data_says_so(home: Path, care: Sotedw) -> None:
    release = home / "current"
    manifest = json.loads((release / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["is_synthetic"] is True
    files = [path for path in release.rglob("*.parquet") if "quality" not in path.name]
    assert len(files) > 60
    for path in files:
        about = json.loads(pq.read_metadata(path).metadata[b"sotedw"])
        assert about["is_synthetic"] is True, path
    page = (release / "reports" / "quality.html").read_text(encoding="utf-8")
    assert page.count("Synthetic: generated data are among the deliveries") == 1
    assert page.count(">loaded</span>, synthetic</td>") == 3
    told = care.done("status", "--home", home).out
    assert told.count("synthetic: generated data are among the deliveries") == 1
    assert told.count(" loaded, synthetic ") == 3
    assert care.done("status", "--home", home, "--json").json["is_synthetic"] is True


def test_large_facts_are_cut_by_month_sorted_and_shown_by_views(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = (home / "current").resolve()
    folder = release / "parquet" / "internal" / "fct_waiting_times"
    months = sorted(path.stem for path in folder.glob("*.parquet"))
    assert months[0] == "2021-09"
    assert months[-2:] == ["2022-06", "undated"]
    for path in folder.glob("2*.parquet"):
        table = pq.read_table(path)
        assert {f"{day:%Y-%m}" for day in table["first_event_date"].to_pylist()} == {path.stem}
        needs = table["care_need_id"].to_pylist()
        assert needs == sorted(needs, key=str.encode)

    counted = "select count(*), count(start_date) from main.fct_waiting_times"
    with duckdb.connect(str(release / "warehouse.duckdb"), read_only=True) as connection:
        stands = connection.execute(counted).fetchone()
    copy = shutil.copytree(release, tmp_path / "copied")
    script = (copy / "attach.sql").read_text(encoding="utf-8")
    # As its comment says: from the release's folder as it is, from another with the folder's path.
    for where, text in ((copy, script), (tmp_path, script.replace("'.", f"'{copy}"))):
        monkeypatch.chdir(where)
        with duckdb.connect() as connection:
            connection.execute(text)
            assert connection.execute(counted).fetchone() == stands


def test_a_second_build_finds_nothing_new(home: Path, landing: Path, care: Sotedw) -> None:
    finished = care.done("build", "--home", home, "--landing", landing, "--json")
    assert finished.json["outcome"] == "unchanged"


def test_nights_end_in_the_files_of_one_build(
    home: Path, landing: Path, care: Sotedw, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The first delivery, a night with the others; files of other months are shared."""
    folder = tmp_path_factory.mktemp("nights")
    deliveries = sorted((landing / "care_events").iterdir())
    for night in (deliveries[:1], deliveries[1:]):
        for delivery in night:
            shutil.copytree(delivery, folder / "landing" / "care_events" / delivery.name)
        care.done("build", "--home", folder / "home", "--landing", folder / "landing")

    with duckdb.connect(str(folder / "home" / "build" / "warehouse.duckdb")) as connection:
        (changed,) = connection.execute(
            "select count(*) from intermediate.int_access__changed_records"
        ).fetchone() or (0,)
    with duckdb.connect(str(home / "build" / "warehouse.duckdb")) as connection:
        (computed,) = connection.execute(
            "select count(*) from intermediate.int_access__changed_records"
        ).fetchone() or (0,)
    assert changed > 100
    assert computed == 0  # this home has known one build, of everything

    files, others = (
        {
            item["path"]: item["sha256"]
            for item in json.loads((root / "current" / "manifest.json").read_text())["files"]
            if item["path"].endswith(".parquet") and "quality" not in item["path"]
        }
        for root in (folder / "home", home)
    )
    assert files == others
    facts = (folder / "home" / "current").resolve() / "parquet" / "internal" / "fct_care_events"
    shared = {path.stem for path in facts.iterdir() if path.stat().st_nlink > 1}
    assert "2021-09" in shared
    assert "2022-06" not in shared


def measures(home: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home / "current" / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(
            "select measure_code, period_grain, period_start, scope_type, scope_id, met_count,"
            " missed_count, pending_count, excluded_count, rate, realised_rate, statutory_rate"
            " from mart_access_measures order by all"
        ).fetchall()


def test_the_steward_sees_what_a_unit_cannot_be_blamed_for(home: Path) -> None:
    with duckdb.connect(str(home / "current" / "warehouse.duckdb"), read_only=True) as connection:
        figures = dict(
            connection.execute("select figure_code, share from mart_care_event_quality").fetchall()
        )
    assert set(figures) == {
        "needs_without_assessment",
        "records_of_unknown_units",
        "records_without_client",
        "records_without_need_id",
    }
    assert all(0 < share < 1 for share in figures.values())
    assert measures(home)
