"""A broken model fails the build with its name, and yesterday's release stays up."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import Finished, Sotedw

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("e2e_broken_model")]

CHECKOUT = Path(__file__).resolve().parents[2]
MODEL = "mart_output_statistics"


@dataclass(frozen=True)
class Broken:
    home: Path
    before: Path
    answer: Finished


@pytest.fixture(scope="module")
def broken(
    sotedw: Sotedw,
    copied_home: Callable[[Path], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Broken:
    folder = tmp_path_factory.mktemp("broken")
    checkout = folder / "checkout"
    checkout.mkdir()
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("ingest", "expectations", "sotedw", "models", "macros", "seeds", "analyses"):
        shutil.copytree(CHECKOUT / name, checkout / name, ignore=ignored)
    shutil.copytree(CHECKOUT / "tests" / "data", checkout / "tests" / "data")
    for name in ("dbt_project.yml", "profiles.yml", "requirements.lock"):
        shutil.copy(CHECKOUT / name, checkout)
    model = checkout / "models" / "marts" / "outputs" / f"{MODEL}.sql"
    text = model.read_text(encoding="utf-8")
    assert text.count("measures.unit_of_measure,") == 1
    model.write_text(
        text.replace("measures.unit_of_measure,", "measures.unit_of_pleasure as unit_of_measure,"),
        encoding="utf-8",
    )
    home = copied_home(folder)
    before = (home / "current").readlink()
    elsewhere = sotedw.having(checkout=checkout)
    answer = elsewhere("build", "--home", home, "--landing", CHECKOUT / "landing")
    return Broken(home, before, answer)


def test_the_build_fails_and_names_the_model(broken: Broken) -> None:
    assert broken.answer.code == 1, broken.answer.err
    assert "sotedw: the models could not be built" in broken.answer.err
    assert f"{MODEL}: " in broken.answer.err
    assert "unit_of_pleasure" in broken.answer.err
    assert "Traceback" not in broken.answer.err


def test_the_release_before_stays_up(broken: Broken) -> None:
    assert (broken.home / "current").readlink() == broken.before
    assert [path.name for path in (broken.home / "releases").iterdir()] == [broken.before.name]


def test_the_attempt_is_recorded_with_its_message_and_log(broken: Broken) -> None:
    records = sorted((broken.home / "runs").glob("*/run.json"))
    record = json.loads(records[-1].read_text(encoding="utf-8"))
    assert record["outcome"] == "failed"
    assert MODEL in record["message"]
    assert record["build_id"] != broken.before.name
    assert (records[-1].parent / "dbt.log").is_file()
    assert MODEL in (records[-1].parent / "build.log").read_text(encoding="utf-8")


def test_readers_are_told_that_the_last_run_failed(broken: Broken, sotedw: Sotedw) -> None:
    status = sotedw.done("status", "--home", broken.home, "--json").json
    assert status["release"] == broken.before.name
    assert status["last_run"]["outcome"] == "failed"
    asked = sotedw.done(
        "query", "--home", broken.home, "--format", "csv",
        "select count(*) as n from mart_output_statistics",
    )  # fmt: skip
    assert asked.out == "n\n415\n"
