"""The benchmark: the project beside its floor, in one run.

    python -m benchmarks.run --events 2000000 --events 10000000 --events 20000000 --date 2026-11-22

Each size has its generated deliveries (kept in `<home>/data`) and a home of its own. Results go to
`benchmarks/results.json`, where a size and phase measured anew takes the place of the old one, and
from there to `docs/benchmarks.md` and its picture when the date of the measurement is given.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

import click
import duckdb

from benchmarks import floor
from benchmarks.measure import Measured, measure
from benchmarks.report import FULL_SIZE, Result, Taken, merged, page, plot
from sotedw.generate import GenerateOptions, generate
from sotedw.generate.lookups import Lookups
from sotedw.settings import PROJECT

PHASES = ("ingest", "build", "delta", "checks")
DELTA_ROWS = 20_000
RESULTS = PROJECT / "benchmarks" / "results.json"
PAGE = PROJECT / "docs" / "benchmarks.md"
PICTURE = PROJECT / "docs" / "images" / "benchmark.svg"

#: Generated data end here. A history of the budget's size is three years, and a smaller one its
#: end: a history that doubles has more years, not more events a day. None is shorter than a year.
LAST_DAY = date(2022, 12, 31)
FULL_DAYS, FEWEST_DAYS = 1095, 365

_KEY = "key of the benchmark, whose persons are fictitious"
_SOTEDW = (sys.executable, "-c", "from sotedw.cli import main; main()")


@dataclass(frozen=True)
class Data:
    """Generated deliveries.

    Attributes:
        landing: Their landing folder.
        names: Folder names: a full delivery, then a delta.
        rows: Rows of each.
    """

    landing: Path
    names: tuple[str, ...]
    rows: tuple[int, ...]


def generated(home: Path, events: int) -> Data:
    """Deliveries of a size; made once for each state of the generator."""
    sources = sorted((PROJECT / "sotedw" / "generate").glob("*.py"))
    sources += [PROJECT / "seeds" / "access" / "units.csv"]
    state = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:8]
    folder = home / "data" / f"{events}-{state}"
    note = folder / "data.json"
    if not note.is_file():
        for old in (home / "data").glob(f"{events}-*"):
            shutil.rmtree(old)
        made = generate(
            GenerateOptions(
                out=folder / "landing",
                events=events,
                start=_first_day(events),
                end=LAST_DAY,
                deliveries=2,
                delta_events=min(DELTA_ROWS, events // 10),
            )
        )
        text = json.dumps([(delivery.name, delivery.rows) for delivery in made.deliveries])
        note.write_text(text, encoding="utf-8")
    names, rows = zip(*json.loads(note.read_text(encoding="utf-8")), strict=True)
    return Data(folder / "landing", names, rows)


def _first_day(events: int) -> date:
    """First day of the last so many events of the full history, whose years are not alike."""
    days = round(FULL_DAYS * max(1, events / FULL_SIZE))
    start = LAST_DAY - timedelta(days=days - 1)
    if events >= FULL_SIZE:
        return start
    full = Lookups(start, LAST_DAY, events=FULL_SIZE, units=None, holidays=None)
    held = accumulate(share for _, share in reversed(full.day_shares()))
    days = 1 + sum(share < events / FULL_SIZE for share in held)
    return LAST_DAY - timedelta(days=max(days, FEWEST_DAYS) - 1)


class Bench:
    """The phases at one size.

    Args:
        folder: Folder of the size; it is emptied.
        data: Its deliveries.
        events: The size.
        threads: Threads of both sides.
        day: Date of the measurement.
    """

    def __init__(self, folder: Path, data: Data, events: int, threads: int, day: str) -> None:
        self._folder = folder
        self._data = data
        self._events = events
        self._threads = threads
        self._day = day
        self._is_built = False
        shutil.rmtree(folder, ignore_errors=True)
        self._deliver(self._data.names[0])

    def measure(self, phase: str) -> list[Result]:
        """One of `PHASES`; `delta` brings `unchanged` with it."""
        match phase:
            case "ingest":
                return [self._ingest()]
            case "build":
                return [self._build()]
            case "delta":
                self._require_build()
                self._deliver(self._data.names[1])
                delta = self._sotedw_build("delta", rows=self._data.rows[1])
                return [delta, self._sotedw_build("unchanged", rows=0)]
        self._require_build()
        return [self._checks()]

    def _ingest(self) -> Result:
        plain = self._run_floor("ingest", "floor-ingest")
        home = self._folder / "ingest"
        project = self._run(
            "benchmarks.project", "ingest", str(self._landing), str(home),
            "--threads", str(self._threads),
        )  # fmt: skip
        shutil.rmtree(home)
        return self._result("ingest", self._data.rows[0], project, plain)

    def _build(self) -> Result:
        plain = self._run_floor("full", "floor", "--as-of", self._data.names[0][:10])
        built = self._sotedw_build("build", rows=self._data.rows[0], plain=plain)
        self._is_built = True
        return built

    def _require_build(self) -> None:
        if not self._is_built:
            self._sotedw_build("build", rows=0)
            self._is_built = True

    def _checks(self) -> Result:
        measured = self._run("benchmarks.project", "checks", str(self._home))
        told = json.loads(measured.output.splitlines()[-1])
        apart = Measured(
            told["seconds"], measured.peak_bytes, measured.written_bytes, measured.output
        )
        return self._result("checks", told["rows"], apart)

    def _sotedw_build(self, phase: str, rows: int, plain: Measured | None = None) -> Result:
        self._warm_up()
        measured = measure(
            [*_SOTEDW, "build", "--home", str(self._home), "--landing", str(self._landing),
             "--threads", str(self._threads), "--json"],
            PROJECT,
            _environment(),
        )  # fmt: skip
        return self._result(phase, rows, measured, plain, self._stages())

    def _stages(self) -> dict[str, float]:
        newest = max((self._home / "runs").iterdir(), key=lambda path: path.stat().st_mtime)
        record = json.loads((newest / "run.json").read_text(encoding="utf-8"))
        return {item["stage"]: item["seconds"] for item in record["stages"]}

    def _run_floor(self, way: str, name: str, *options: str) -> Measured:
        out = self._folder / name
        measured = self._run(
            "benchmarks.floor", way, str(self._landing), str(out),
            "--threads", str(self._threads), *options,
        )  # fmt: skip
        shutil.rmtree(out)
        return measured

    def _run(self, module: str, *arguments: str) -> Measured:
        self._warm_up()
        return measure([sys.executable, "-m", module, *arguments], PROJECT, _environment())

    def _result(
        self,
        phase: str,
        rows: int,
        project: Measured,
        plain: Measured | None = None,
        stages: dict[str, float] | None = None,
    ) -> Result:
        return Result(
            events=self._events,
            rows=rows,
            phase=phase,
            project=_taken(project),
            floor=None if plain is None else _taken(plain),
            stages=stages or {},
            measured_on=self._day,
        )

    def _deliver(self, name: str) -> None:
        """Hard links: a delivery is the same bytes for everybody."""
        shutil.copytree(
            self._data.landing / "care_events" / name,
            self._landing / "care_events" / name,
            copy_function=os.link,
        )

    def _warm_up(self) -> None:
        """Read the deliveries, so that neither side waits for the disk alone."""
        for path in sorted(self._landing.rglob("*")):
            if path.is_file():
                with path.open("rb") as stream:
                    while stream.read(1 << 24):
                        pass

    @property
    def _landing(self) -> Path:
        return self._folder / "landing"

    @property
    def _home(self) -> Path:
        return self._folder / "home"


def _taken(measured: Measured) -> Taken:
    return Taken(round(measured.seconds, 3), measured.peak_bytes, measured.written_bytes)


def _environment() -> dict[str, str]:
    """No setting of the shell's reaches a build, but for the key."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SOTEDW_")}
    return {**kept, "SOTEDW_PSEUDONYM_KEY": _KEY}


def machine(threads: int) -> str:
    """The machine and the engine, in one sentence."""
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    return (
        f"{os.cpu_count()} cores ({model}), {memory:.0f} GB of memory, {platform.system()},"
        f" Python {platform.python_version()}, DuckDB {duckdb.__version__}, {threads} threads"
    )


def load(path: Path) -> dict[str, Any]:
    """The results so far."""
    if path.is_file():
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if record["floor_version"] == floor.VERSION:
            return record
    return {"floor_version": floor.VERSION, "machine": "", "results": []}


def write_page(record: dict[str, Any]) -> None:
    """Write the page and its picture from the results."""
    results = [Result.of(item) for item in record["results"]]
    sizes = " ".join(f"--events {events}" for events in sorted({item.events for item in results}))
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(plot(results), encoding="utf-8")
    text = page(
        results,
        record["machine"],
        record["floor_version"],
        f"make bench\n.venv/bin/python -m benchmarks.run {sizes} --date <today>",
        f"{PICTURE.parent.name}/{PICTURE.name}",
    )
    PAGE.write_text(text, encoding="utf-8")


def _phases(_context: click.Context, _option: click.Parameter, value: str) -> Sequence[str]:
    names = [name.strip() for name in value.split(",")]
    unknown = sorted(set(names) - set(PHASES))
    if unknown:
        raise click.BadParameter(f"{', '.join(unknown)} is none of {', '.join(PHASES)}")
    return [name for name in PHASES if name in names]


@click.command()
@click.option(
    "--events",
    "sizes",
    type=click.IntRange(1_000),
    multiple=True,
    help="Size; several may be given.",
)
@click.option(
    "--only",
    "phases",
    default=",".join(PHASES),
    show_default=True,
    callback=_phases,
    help="Phases to measure. Delta and checks make their build when it is not among them.",
)
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    default=PROJECT / "warehouse" / "benchmarks",
    show_default="warehouse/benchmarks",
    help="Where data and homes go; allow 1 GB for each million events.",
)
@click.option("--keep", is_flag=True, help="Leave the homes that were built.")
@click.option("--threads", type=click.IntRange(1, 256), default=2, show_default=True)
@click.option(
    "--results",
    type=click.Path(path_type=Path, dir_okay=False),
    default=RESULTS,
    show_default="benchmarks/results.json",
    help="Results so far, and where new ones go.",
)
@click.option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Date of the measurement: the page is written too.",
)
def main(
    sizes: Sequence[int],
    phases: Sequence[str],
    home: Path,
    keep: bool,
    threads: int,
    results: Path,
    day: Any,
) -> None:
    """Measure the project beside its floor. Without --events only the page is written."""
    record = load(results)
    home = home.absolute()
    today = "" if day is None else day.date().isoformat()
    for events in sizes:
        click.echo(f"{events} events: data")
        bench = Bench(home / f"{events}", generated(home, events), events, threads, today)
        for phase in phases:
            click.echo(f"{events} events: {phase}")
            for found in bench.measure(phase):
                old = [Result.of(item) for item in record["results"]]
                record["results"] = [item.record() for item in merged(old, [found])]
                record["machine"] = machine(threads)
                results.parent.mkdir(parents=True, exist_ok=True)
                results.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
                ratio = "" if found.ratio is None else f", {found.ratio:.2f} x the floor"
                click.echo(
                    f"  {found.phase}: {found.project.seconds:.1f} s{ratio},"
                    f" {found.project.peak_bytes / 1e9:.2f} GB"
                )
        if not keep:
            shutil.rmtree(home / f"{events}")
    if today or not sizes:
        write_page(record)
        click.echo(f"{PAGE.relative_to(PROJECT)}, {PICTURE.relative_to(PROJECT)}")


if __name__ == "__main__":
    main()
