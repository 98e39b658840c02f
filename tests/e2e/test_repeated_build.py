"""A second build over the same deliveries does nothing, and does it fast."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.e2e.conftest import Finished, Landed, Sotedw

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("e2e_built")]

#: What a build that changes nothing has no need of.
HEAVY = ("dbt", "dbt_common", "great_expectations", "pandas", "sqlalchemy")


def standing(release: Path) -> dict[str, tuple[int, int]]:
    """Every file of a release with its inode and time of change."""
    return {
        str(path): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in sorted(release.rglob("*"))
    }


@pytest.fixture(scope="module")
def before(built_home: Path, release: Path) -> dict[str, tuple[int, int]]:
    return standing(release)


@pytest.fixture(scope="module")
def repeated(sotedw: Sotedw, built_home: Path, before: dict[str, tuple[int, int]]) -> Finished:
    """The second build, with a list of everything it imports on stderr."""
    timed = sotedw.having(python_options=("-X", "importtime"))
    return timed.done("build", "--home", built_home, "--json")


#: On the as-of date the monthly and the quarterly source are late, with figures of December 2021.
REASONS = {
    "budget": "late",
    "output_statistics": None,
    "personnel": None,
    "care_events": None,
    "positions": None,
    "published_facts": None,
    "reported_values": None,
    "service_entity_finance": None,
    "shortfall": "late",
}


def test_it_says_that_nothing_changed(
    repeated: Finished, release: Path, landed: Mapping[str, Landed]
) -> None:
    answer = repeated.json
    assert answer["outcome"] == "unchanged"
    assert answer["build_id"] == release.name
    assert Path(answer["release"]) == release
    assert answer["as_of_date"] == "2022-10-31"
    outcomes = {item["delivery_id"]: item["outcome"] for item in answer["deliveries"]}
    assert outcomes == dict.fromkeys(landed, "loaded")
    assert len(answer["deliveries"]) == len(landed)
    assert {item["source"]: item["reason"] for item in answer["sources"]} == REASONS


def test_it_leaves_the_release_as_it_was(
    repeated: Finished, release: Path, before: dict[str, tuple[int, int]]
) -> None:
    assert [path.name for path in release.parent.iterdir()] == [release.name]
    assert standing(release) == before


def test_it_imports_neither_dbt_nor_great_expectations(repeated: Finished) -> None:
    imported = {line.rsplit("|", 1)[-1].strip() for line in repeated.err.splitlines()}
    assert "sotedw.build" in imported
    heavy = {name for name in imported if any(f"{name}.".startswith(f"{h}.") for h in HEAVY)}
    assert heavy == set()


def test_it_takes_less_than_five_seconds(repeated: Finished) -> None:
    assert repeated.json["seconds"] < 5


def test_it_leaves_a_record_of_the_attempt(repeated: Finished, built_home: Path) -> None:
    folder = built_home / "runs" / repeated.json["run_id"]
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert (record["outcome"], record["message"]) == ("unchanged", None)
    assert (folder / "build.log").is_file()


def test_people_are_told_that_nothing_changed(
    sotedw: Sotedw, built_home: Path, release: Path, landed: Mapping[str, Landed]
) -> None:
    answer = sotedw.done("build", "--home", built_home)
    assert f"release {release.name} unchanged, still up, as of 2022-10-31" in answer.out
    rows = sum(item.rows for item in landed.values())
    assert f"  {len(landed)} loaded; {rows} rows in the lake\n" in answer.out


def test_other_times_of_files_and_folders_that_are_still_arriving_change_nothing(
    sotedw: Sotedw, built_home: Path, release: Path, tmp_path: Path
) -> None:
    landing = tmp_path / "landing"
    for path in (Path(__file__).resolve().parents[2] / "landing").rglob("*"):
        if path.is_file():
            copy = landing / path.relative_to(Path(__file__).resolve().parents[2] / "landing")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
            os.utime(copy, (1_000_000_000, 1_000_000_000))
    for name in ("2022-06-30.part", "_2022-06-30", ".2022-06-30"):
        (landing / "shortfall" / name).mkdir()
    answer = sotedw.done("build", "--home", built_home, "--landing", landing, "--json").json
    assert (answer["outcome"], answer["build_id"]) == ("unchanged", release.name)
    assert answer["left_alone"] == []


def test_what_is_no_delivery_changes_nothing_and_is_told_to_people_and_programs(
    sotedw: Sotedw, built_home: Path, release: Path, tmp_path: Path
) -> None:
    landing = shutil.copytree(Path(__file__).resolve().parents[2] / "landing", tmp_path / "landing")
    for name in ("shortfall/30.6.2022", "shortfall/131052-308T", "shortfal/2022-06-30"):
        (landing / name).mkdir(parents=True)
    answer = sotedw.done("build", "--home", built_home, "--landing", landing, "--json")
    # A night appends the one to build.jsonl and the other to build.err.
    assert (answer.out.count("\n"), answer.err) == (1, "")
    assert "131052" not in answer.out
    assert (answer.json["outcome"], answer.json["build_id"]) == ("unchanged", release.name)
    name = "a delivery is a folder named YYYY-MM-DD or YYYY-MM-DD-n"
    assert answer.json["left_alone"] == [
        {"path": "shortfal", "reason": "no source of this name: add ingest/specs/*.yml"},
        {"path": "shortfall/******-****", "reason": name},
        {"path": "shortfall/30.6.2022", "reason": name},
    ]
    told = sotedw.done("build", "--home", built_home, "--landing", landing).err
    assert [line.strip() for line in told.splitlines() if "left alone" in line] == [
        f"landing/{item['path']} is left alone: {item['reason']}"
        for item in answer.json["left_alone"]
    ]


def test_a_weak_key_is_warned_of_in_the_log_and_on_standard_error(
    sotedw: Sotedw, built_home: Path, release: Path
) -> None:
    said = (
        "the key of pseudonyms has only 5 characters and can be guessed;"
        " make one with openssl rand -hex 32 and load the deliveries again"
    )
    weak = sotedw.having(variables={"SOTEDW_PSEUDONYM_KEY": "avain"})
    answer = weak.done("build", "--home", built_home, "--json")
    assert answer.json["build_id"] == release.name
    assert answer.err == f"sotedw: {said}\n"
    log = built_home / "runs" / answer.json["run_id"] / "build.log"
    assert log.read_text(encoding="utf-8").count(said) == 1
    assert weak.done("build", "--home", built_home).err.count(said) == 1


def test_status_tells_what_is_published(
    sotedw: Sotedw, built_home: Path, release: Path, landed: Mapping[str, Landed]
) -> None:
    answer = sotedw.done("status", "--home", built_home, "--json").json
    assert answer["release"] == release.name
    assert answer["as_of_date"] == "2022-10-31"
    assert {item["delivery_id"]: item["rows_loaded"] for item in answer["deliveries"]} == {
        delivery_id: item.rows for delivery_id, item in landed.items()
    }
    assert {item["source"]: item["reason"] for item in answer["sources"]} == REASONS
    text = sotedw.done("status", "--home", built_home).out
    assert f"release {release.name}, as of 2022-10-31" in text
    stale = [line.split("│")[1].strip() for line in text.splitlines() if "stale" in line]
    assert stale == [source for source, reason in REASONS.items() if reason]


def test_a_build_that_holds_the_home_keeps_others_out(
    sotedw: Sotedw, built_home: Path, release: Path
) -> None:
    runs = sorted((built_home / "runs").iterdir())
    with FileLock(built_home / ".lock"):
        answer = sotedw("build", "--home", built_home)
        asked = sotedw.done("query", "--home", built_home, "select 1 as one", "--format", "csv")
    assert (answer.code, answer.out) == (3, "")
    assert answer.err.strip() == f"sotedw: another build is running in {built_home}"
    assert asked.out == "one\n1\n"
    assert sorted((built_home / "runs").iterdir()) == runs
