"""What the pages tell a reader to type works, and gives what the pages show.

Fenced `console` blocks hold commands after `$ ` (continued after `> `) and, below a command, lines
of its output. Fenced `python` blocks are run as they stand. Everything runs in order, from the
checkout, against a home that is built once.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

ROOT = Path(__file__).resolve().parents[2]

PAGES = ("README.md", "docs/marts.md", "docs/stewards.md", "docs/operations.md")

#: Set up environments, which a test has no business to do: what they run is tested elsewhere.
NOT_RUN = ("make build", "make test")

#: What a copy of the checkout needs to build.
CODE = ("ingest", "expectations", "sotedw", "models", "macros", "seeds", "analyses", "tests/data",
        "dbt_project.yml", "profiles.yml", "requirements.lock")  # fmt: skip

_FENCE = re.compile(r"^```(?P<language>[a-z]+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_NAMED_FENCE = re.compile(
    r"^`(?P<path>[\w./-]+)` [^`]*?(?:`[^`\n]*`[^`]*?)*\n\n```[a-z]+\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("readme")]


@dataclass(frozen=True)
class Command:
    """A command of a page and the lines of output that the page shows below it."""

    text: str
    shown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Script:
    """A Python block of a page."""

    text: str


@dataclass(frozen=True)
class Place:
    """Where the commands of the pages run: a home with a release, a folder to practise in."""

    home: Path
    practice: Path

    def put(self, text: str) -> str:
        """A command or script with the reader's paths replaced by those of the test."""
        text = text.replace("/tmp/practice", str(self.practice))
        text = re.sub(r"(?<![\w./-])warehouse/", f"{self.home}/", text)
        return re.sub(r"(?<![\w./-])\.venv/bin/", f"{Path(sys.executable).parent}/", text)

    @property
    def environment(self) -> dict[str, str]:
        """The settings of a reader who has none but a home, on a terminal of 80 columns."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith("SOTEDW_")}
        return {
            **kept,
            "SOTEDW_HOME": str(self.home),
            "PYTHONPATH": str(ROOT),
            "PYTHONIOENCODING": "utf-8",
            "COLUMNS": "80",
        }


def steps_of(page: str) -> list[Command | Script]:
    """The commands and scripts of a page, in order."""
    steps: list[Command | Script] = []
    for fence in _FENCE.finditer((ROOT / page).read_text(encoding="utf-8")):
        if fence["language"] == "python":
            steps.append(Script(fence["body"]))
        elif fence["language"] == "console":
            steps += commands_of(fence["body"])
    return steps


def commands_of(block: str) -> list[Command]:
    """The commands of a console block."""
    commands: list[Command] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            commands.append(Command(line.removeprefix("$ ")))
        elif line == ">" or line.startswith("> "):
            last = commands.pop()
            assert not last.shown, f"output before the end of a command: {line}"
            commands.append(Command(f"{last.text}\n{line[2:]}"))
        elif line.strip():
            last = commands.pop()
            commands.append(Command(last.text, (*last.shown, line.rstrip())))
    return commands


def run(arguments: Sequence[str], environment: Mapping[str, str], folder: Path = ROOT) -> str:
    """Run a command; what it prints on both streams."""
    done = subprocess.run(
        arguments,
        cwd=folder,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, f"{arguments} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


@pytest.fixture(scope="session")
def place(copied_home: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A home with a release of the checkout's own deliveries."""
    folder = tmp_path_factory.mktemp("readme")
    return Place(copied_home(folder), folder / "practice")


def test_a_console_block_is_read_as_a_reader_reads_it() -> None:
    block = '$ first\n$ second "a\n>     b"\nout 1\n\n  out 2 \n$ third\n'

    assert commands_of(block) == [
        Command("first"),
        Command('second "a\n    b"', ("out 1", "  out 2")),
        Command("third"),
    ]


def test_the_readme_has_the_two_commands_first() -> None:
    commands = [step for step in steps_of("README.md") if isinstance(step, Command)]

    assert [command.text for command in commands[:2]] == ["make build", "make test"]


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_work_and_give_what_it_shows(page: str, place: Place) -> None:
    steps = steps_of(page)
    assert len(steps) > 1
    for step in steps:
        if isinstance(step, Script):
            run([sys.executable, "-c", place.put(step.text)], place.environment)
        elif step.text not in NOT_RUN:
            printed = run(["bash", "-euo", "pipefail", "-c", place.put(step.text)],
                          place.environment)  # fmt: skip
            lines = {line.rstrip() for line in printed.splitlines()}
            missing = [line for line in step.shown if place.put(line) not in lines]
            assert not missing, f"{page}: $ {step.text}\ndoes not print {missing}:\n{printed}"


def test_a_source_added_as_the_readme_tells_is_loaded(place: Place, tmp_path: Path) -> None:
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Add a source\n")[2]
    files = {match["path"]: match["body"] for match in _NAMED_FENCE.finditer(section)}
    assert [Path(name).suffix for name in files] == [".yml", ".csv", ".sql", ".yml"]
    checkout = tmp_path / "checkout"
    for name in CODE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.is_file():
            checkout.mkdir(exist_ok=True)
            shutil.copyfile(source, checkout / name)
    for name, body in files.items():
        path = checkout / name
        assert not path.exists(), f"{name} is there already"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body, encoding="utf-8")

    home = tmp_path / "home"
    environment = {**place.environment, "PYTHONPATH": str(checkout), "SOTEDW_HOME": str(home)}
    run([sys.executable, "-m", "sotedw.cli", "build"], environment, checkout)

    assert (home / "current" / "manifest.json").is_file()
    with duckdb.connect(str(home / "build" / "warehouse.duckdb"), read_only=True) as connection:
        rows = connection.sql(
            "select station_name, period_code, mission_count, value_status"
            " from staging.stg_ambulance_missions__missions order by station_name"
        ).fetchall()
    assert rows == [
        ("Kallio", "2022-03", 1204, "final"),
        ("Malmi", "2022-03", None, "not_available"),
    ]


def test_the_picture_of_the_series_break_is_what_the_command_line_prints(place: Place) -> None:
    spec = importlib.util.spec_from_file_location("pictures", ROOT / "docs" / "make_pictures.py")
    assert spec is not None
    assert spec.loader is not None
    pictures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pictures)

    drawn = (ROOT / "docs" / "images" / pictures.SERIES_BREAK_PICTURE).read_text(encoding="utf-8")

    assert drawn == pictures.draw_series_break(place.home), "make docs draws it anew"


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md",
             *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))],
)  # fmt: skip
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    path = ROOT / page
    for match in _LINK.finditer(path.read_text(encoding="utf-8")):
        target, _, anchor = match["target"].partition("#")
        if "://" in target:
            continue
        other = (path.parent / target) if target else path
        assert other.exists(), f"{page} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", other.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {anchor_of(heading) for heading in headings}, f"{page}: #{anchor}"


def anchor_of(heading: str) -> str:
    """The anchor that a heading gets."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
