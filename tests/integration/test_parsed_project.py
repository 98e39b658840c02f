"""A saved parse serves where only the home or the as-of date is another, and nowhere else."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from sotedw import prepare, transform
from sotedw.errors import BuildFailed
from sotedw.home import Home
from sotedw.parsed_project import find, keep, parse_name
from sotedw.settings import PROJECT
from sotedw.transform import Dbt

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("integration_parsed_project")]

MODEL = "select {{ as_of_date() }} as as_of_date"


@dataclass(frozen=True)
class Parsed:
    """What a dbt process left that parsed and did nothing else.

    Attributes:
        target: Its target folder.
        count: Files that it parsed, and did not take from a saved parse.
    """

    target: Path
    count: int

    @property
    def saved(self) -> list[str]:
        """Names of the saved parses."""
        return [path.name for path in self.target.glob("parsed-*")]


def parse(project: Path, root: Path, as_of_date: date) -> Parsed:
    """Parse a checkout for a home."""
    home = Home(root)
    log = root / "runs"
    log.mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transform, "PROJECT", project)
        patch.setenv("PYTHONPATH", str(project))
        with Dbt(home, log, as_of_date, threads=1) as dbt:
            dbt.parse()
    figures = json.loads((home.target / "perf_info.json").read_text(encoding="utf-8"))
    return Parsed(home.target, int(figures["parsed_path_count"]))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with one model."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("models", "macros", "seeds", "analyses", "tests/data"):
        (folder / name).mkdir(parents=True)
    for name in ("dbt_project.yml", "profiles.yml", "macros/dates.sql"):
        shutil.copy(PROJECT / name, folder / name)
    for name in ("ingest", "sotedw"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PROJECT / name, folder / name, ignore=ignored)
    (folder / "models" / "only.sql").write_text(MODEL, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def first(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Parsed:
    """The first parse of that checkout, in a home with a saved parse that is damaged."""
    root = tmp_path_factory.mktemp("first")
    target = Home(root).target
    target.mkdir(parents=True)
    (target / parse_name(project)).write_bytes(b"half of it")
    return parse(project, root, date(2022, 10, 31))


@pytest.fixture
def second(first: Parsed, tmp_path: Path) -> Path:
    """Another home, with what the first has saved."""
    shutil.copytree(first.target, Home(tmp_path / "second").target)
    return tmp_path / "second"


@pytest.fixture
def other_project(project: Path, tmp_path: Path) -> Path:
    """A copy of the checkout that stands elsewhere."""
    return shutil.copytree(project, tmp_path / "other")


def test_a_damaged_parse_is_made_anew(first: Parsed, project: Path) -> None:
    assert first.count > 0
    assert first.saved == [parse_name(project)]


def test_a_parse_serves_another_home_date_and_place_of_the_checkout(
    other_project: Path, second: Path
) -> None:
    assert parse(other_project, second, date(2022, 11, 30)).count == 0


def test_other_code_is_parsed_as_a_whole_and_kept_in_its_place(
    first: Parsed, other_project: Path, second: Path
) -> None:
    (other_project / "models" / "only.sql").write_text(f"{MODEL}, 1 as one", encoding="utf-8")
    parsed = parse(other_project, second, date(2022, 10, 31))
    assert parsed.count == first.count
    assert parsed.saved == [parse_name(other_project)]
    assert parsed.saved != first.saved


def test_a_project_that_does_not_parse_fails_with_the_reason(
    other_project: Path, tmp_path: Path
) -> None:
    (other_project / "models" / "only.sql").write_text("select {{ ref('none') }}", encoding="utf-8")
    with pytest.raises(BuildFailed, match="depends on a node named 'none' which was not found"):
        parse(other_project, tmp_path, date(2022, 10, 31))
    assert list(Home(tmp_path).target.glob("parsed-*")) == []


def test_setting_up_parses_once(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transform, "PROJECT", project)
    monkeypatch.setenv("PYTHONPATH", str(project))
    monkeypatch.setattr(prepare, "parse_name", lambda: parse_name(project))
    folder = tmp_path / "environment"
    made = prepare.prepare(folder)
    assert [path.name for path in folder.iterdir()] == [made.name] == [parse_name(project)]
    before = made.stat().st_mtime_ns
    assert prepare.prepare(folder) == made
    assert made.stat().st_mtime_ns == before


def test_a_saved_parse_is_found_in_the_home_first(tmp_path: Path) -> None:
    home, environment, name = tmp_path / "home", tmp_path / "environment", "parsed-1.msgpack"
    assert find(name, home, environment) is None
    environment.mkdir()
    (environment / name).touch()
    assert find(name, home, environment) == environment / name
    home.mkdir()
    (home / "made").touch()
    (home / "parsed-0.msgpack").touch()
    keep(home / "made", home, name)
    assert [path.name for path in home.iterdir()] == [name]
    assert find(name, home, environment) == home / name
