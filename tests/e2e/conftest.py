"""What the end-to-end tests share: the command line in a process of its own, and built homes."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from filelock import FileLock

CHECKOUT = Path(__file__).resolve().parents[2]

#: Every source that the warehouse knows, with or without deliveries.
SOURCES = (
    "budget",
    "care_events",
    "output_statistics",
    "personnel",
    "positions",
    "published_facts",
    "reported_values",
    "service_entity_finance",
    "shortfall",
)


@dataclass(frozen=True)
class Landed:
    """A delivery of the checkout's own landing folder, counted without the warehouse's reader."""

    delivery_id: str
    rows: int
    document: str
    table: str | None

    @property
    def source(self) -> str:
        return self.delivery_id.split("/")[0]


@dataclass(frozen=True)
class Finished:
    """A finished process."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def json(self) -> Any:
        """Its standard output as JSON, which must be all there is."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Sotedw:
    """`python -m sotedw.cli` as a user runs it, from a checkout.

    Attributes:
        checkout: The project it is run from.
        variables: Environment variables besides the user's own, without settings of the warehouse.
        python_options: Options of the interpreter.
    """

    checkout: Path = CHECKOUT
    variables: Mapping[str, str] = field(default_factory=dict)
    python_options: Sequence[str] = ()

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: text for name, text in os.environ.items() if not name.startswith("SOTEDW_")}
        kept |= {"PYTHONPATH": str(self.checkout), "PYTHONIOENCODING": "utf-8", "COLUMNS": "200"}
        return {**kept, **self.variables}

    def command(self, *arguments: object) -> list[str]:
        """The words of a command line."""
        words = map(str, arguments)
        return [sys.executable, *self.python_options, "-m", "sotedw.cli", *words]

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        """Start it and let it run; what it prints is not kept."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.checkout,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __call__(self, *arguments: object) -> Finished:
        """Run it to its end."""
        start = time.perf_counter()
        finished = subprocess.run(
            self.command(*arguments),
            cwd=self.checkout,
            env=self.environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        seconds = time.perf_counter() - start
        return Finished(finished.returncode, finished.stdout, finished.stderr, seconds)

    def done(self, *arguments: object) -> Finished:
        """Run it and insist that it ends well."""
        finished = self(*arguments)
        assert finished.code == 0, f"{arguments}: {finished.code}\n{finished.out}{finished.err}"
        return finished

    def having(
        self,
        *,
        checkout: Path | None = None,
        variables: Mapping[str, str] | None = None,
        python_options: Sequence[str] = (),
    ) -> Sotedw:
        """The same with other circumstances."""
        return Sotedw(
            checkout or self.checkout, {**self.variables, **(variables or {})}, python_options
        )


def landed_rows(folder: Path) -> int:
    """Rows of a delivery: its lines below the header, or its cells where the figures go across."""
    rows = 0
    for path in folder.glob("*.csv"):
        # Rows and years are the same in every encoding; this one reads any byte.
        with path.open(encoding="latin-1", newline="") as stream:
            header, *lines = csv.reader(stream, delimiter=";")
        # The header has a year over each figure of table 7, and no year in any other file.
        rows += len(lines) * max(1, sum(name.isdecimal() for name in header))
    # Table 4, the one workbook: nine staff groups in three service entities.
    return rows + 9 * 3 * len(list(folder.glob("*.xlsx")))


@pytest.fixture(scope="session")
def landed() -> dict[str, Landed]:
    """Delivery -> what stands in the checkout's landing folder."""
    found = {}
    for folder in (CHECKOUT / "landing").glob("*/*/"):
        sheet = yaml.safe_load((folder / "delivery.yml").read_text(encoding="utf-8"))
        delivery_id = f"{folder.parent.name}/{folder.name}"
        found[delivery_id] = Landed(
            delivery_id, landed_rows(folder), sheet["document"], sheet.get("table")
        )
    assert found
    return found


@pytest.fixture(scope="session")
def newest_landed(landed: Mapping[str, Landed]) -> dict[str, str | None]:
    """Source -> its newest delivery, the last number of the last date; None without deliveries."""

    def place(name: str) -> tuple[str, int]:
        return name[:10], int(name[11:] or 1)

    names = {
        source: [
            item.delivery_id.split("/")[1] for item in landed.values() if item.source == source
        ]
        for source in SOURCES
    }
    assert {item.source for item in landed.values()} <= set(SOURCES)
    return {source: max(own, key=place) if own else None for source, own in names.items()}


@pytest.fixture(scope="session")
def sotedw() -> Sotedw:
    """The command line of this checkout."""
    return Sotedw()


@pytest.fixture(scope="session")
def built_home(tmp_path_factory: pytest.TempPathFactory, sotedw: Sotedw) -> Path:
    """A home built from the checkout's own `landing/`, once for all workers. Only read it.

    Runs of other commands may leave a folder under `runs/`; nothing else in it changes.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    home = shared / "built_home"
    with FileLock(shared / "built_home.lock"):
        if not (home / "current").exists():
            sotedw.done("build", "--home", home, "--threads", 2)
    return home


@pytest.fixture(scope="session")
def release(built_home: Path) -> Path:
    """The release of the built home."""
    return (built_home / "current").resolve()


@pytest.fixture(scope="session")
def copied_home(built_home: Path) -> Callable[[Path], Path]:
    """Copies the built home, so that a test may change it without a build of its own."""

    def copy(folder: Path) -> Path:
        return shutil.copytree(built_home, folder / "home", symlinks=True)

    return copy


@pytest.fixture(scope="session")
def deliver() -> Callable[[Path, str, Mapping[str, str | bytes]], None]:
    """Puts a delivery into a landing folder."""

    def put(landing: Path, delivery_id: str, files: Mapping[str, str | bytes]) -> None:
        folder = landing / delivery_id
        folder.mkdir(parents=True)
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            (folder / name).write_bytes(data)

    return put
