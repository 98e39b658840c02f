"""What was measured, as a page and a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self
from xml.sax.saxutils import escape

#: The size that the budget speaks of.
FULL_SIZE = 20_000_000

_PHASES = ("ingest", "build", "delta", "unchanged", "checks")
_RATIO_BAR = 1.6
_MEMORY_BAR = 8_000_000_000
_DELTA_BAR, _UNCHANGED_BAR, _CHECKS_BAR = 30, 5, 5
_GROWTH_BAR = 1.2

#: Below this size the seconds that imports take are most of an ingest's.
_SMALLEST_JUDGED = 2_000_000


@dataclass(frozen=True)
class Taken:
    """What one side took in a phase.

    Attributes:
        seconds: Wall time.
        peak_bytes: Peak memory of all its processes together.
        written_bytes: Bytes written.
    """

    seconds: float
    peak_bytes: int
    written_bytes: int


@dataclass(frozen=True)
class Result:
    """One phase at one size.

    Attributes:
        events: Event records of the generated data.
        rows: Rows that the phase reads.
        phase: `ingest`, `build`, `delta`, `unchanged` or `checks`.
        project: What the project took.
        floor: What the floor took; None where the bar is not a ratio.
        stages: Seconds of the build's stages.
        measured_on: Date of the measurement.
    """

    events: int
    rows: int
    phase: str
    project: Taken
    floor: Taken | None = None
    stages: Mapping[str, float] = field(default_factory=dict)
    measured_on: str = ""

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        """Read what `record` wrote."""
        floor = record["floor"]
        return cls(
            **{
                **record,
                "project": Taken(**record["project"]),
                "floor": None if floor is None else Taken(**floor),
            }
        )

    def record(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @property
    def ratio(self) -> float | None:
        """The project's time over the floor's."""
        return None if self.floor is None else self.project.seconds / self.floor.seconds

    @property
    def order(self) -> tuple[int, int]:
        """Place in tables."""
        return self.events, _PHASES.index(self.phase)


def merged(old: Sequence[Result], new: Sequence[Result]) -> list[Result]:
    """Old and new results; a new one takes the place of the old one of its size and phase."""
    by_place = {result.order: result for result in (*old, *new)}
    return [by_place[order] for order in sorted(by_place)]


# --- page -----------------------------------------------------------------------------------------


def page(
    results: Sequence[Result], machine: str, floor_version: int, command: str, picture: str
) -> str:
    """`docs/benchmarks.md`.

    Args:
        results: All of them.
        machine: What it was measured on, one sentence.
        floor_version: Version of the floor.
        command: What repeats it.
        picture: Path of the picture, seen from the page.
    """
    dates = sorted({result.measured_on for result in results})
    return f"""# Benchmarks

Written by `benchmarks/run.py`; not by hand.

The project beside its floor: the same csv deliveries of generated care events, the same machine,
one after the other in one run, each in processes of its own.

- **The floor** is `benchmarks/floor.py`, version {floor_version}: plain DuckDB without checks,
  quarantine, deltas or release. It is frozen: a change is a new version with columns of its own.
- **ingest**: csv to accepted Parquet with checks, pseudonyms and quarantine, beside a typed copy of
  the csv to Parquet in UTC.
- **build**: `sotedw build` on an empty home, from deliveries to a published release with all its
  checks, beside the floor's way to monthly rates and sorted Parquet.
- **delta**: `sotedw build` after one more delivery of 20 000 rows, a day or two later.
- **unchanged**: the same again with nothing new.
- **checks**: forty checks of the rows (nulls, sets, ranges, order, six patterns), imports apart.

Budgets are for {_count(FULL_SIZE)} events. Some of a build's seconds are the same at any size, so
ratios fall as sizes grow.

Memory is the largest sum over a process tree, sampled twenty times a second. Written are all bytes
given to write calls, of temporary files too. The deliveries are in the page cache when a clock
starts.

{table(results)}

![Seconds of floor and project by size]({picture})

{growth(results)}## Where a build's seconds go

{stages(results)}

## Repeat it

Measured {" and ".join(dates)} on {machine}.

```text
{command}
```
"""


def table(results: Sequence[Result]) -> str:
    """All phases at all sizes."""
    head = (
        "| Events | Phase | Floor, s | Project, s | Ratio | Bar | Peak memory, GB"
        " (floor / project) | Written, GB (floor / project) |\n"
        "| ---: | --- | ---: | ---: | ---: | --- | ---: | ---: |\n"
    )
    lines = []
    for result in sorted(results, key=lambda item: item.order):
        floor, project = result.floor, result.project
        sides = [project] if floor is None else [floor, project]
        ratio = result.ratio
        cells = (
            _count(result.events),
            result.phase,
            "" if floor is None else _seconds(floor.seconds),
            _seconds(project.seconds),
            "" if ratio is None else f"{ratio:.2f}",
            bar(result),
            _pair(*(side.peak_bytes for side in sides)),
            _pair(*(side.written_bytes for side in sides)),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return head + "\n".join(lines)


def bar(result: Result) -> str:
    """The budget of a phase and whether it is kept; empty where there is none at this size."""
    is_full = result.events == FULL_SIZE
    seconds = result.project.seconds
    match result.phase:
        case "ingest" if result.ratio is not None and result.events >= _SMALLEST_JUDGED:
            text, kept = f"≤ {_RATIO_BAR} × floor", result.ratio <= _RATIO_BAR
        case "build" if result.ratio is not None and is_full:
            text = f"≤ {_RATIO_BAR} × floor, ≤ {_MEMORY_BAR // 10**9} GB"
            kept = result.ratio <= _RATIO_BAR and result.project.peak_bytes <= _MEMORY_BAR
        case "delta" if is_full:
            text, kept = f"≤ {_DELTA_BAR} s", seconds <= _DELTA_BAR
        case "unchanged":
            text, kept = f"≤ {_UNCHANGED_BAR} s", seconds <= _UNCHANGED_BAR
        case "checks" if is_full:
            text, kept = f"≤ {_CHECKS_BAR} s", seconds <= _CHECKS_BAR
        case _:
            return ""
    return f"{text}: {'kept' if kept else 'missed'}"


def growth(results: Sequence[Result]) -> str:
    """What a doubled history does to a delta; empty when no size is twice another of its day."""
    deltas = {
        (result.measured_on, result.events): result.project.seconds
        for result in results
        if result.phase == "delta"
    }
    lines = []
    for day, events in sorted(deltas):
        if (day, events * 2) in deltas:
            ratio = deltas[day, events * 2] / deltas[day, events]
            kept = "kept" if ratio <= _GROWTH_BAR else "missed"
            lines.append(
                f"- From {_count(events)} to {_count(events * 2)} events a delta takes"
                f" {ratio:.2f} times as long (≤ {_GROWTH_BAR}: {kept})."
            )
    if not lines:
        return ""
    return "## When the history doubles\n\n" + "\n".join(lines) + "\n\n"


def stages(results: Sequence[Result]) -> str:
    """Seconds of each stage of the builds."""
    staged = [item for item in sorted(results, key=lambda item: item.order) if item.stages]
    names = list(dict.fromkeys(name for result in staged for name in result.stages))
    lines = [
        f"| Events | Phase | {' | '.join(names)} |",
        f"| ---: | --- |{' ---: |' * len(names)}",
    ]
    for result in staged:
        cells = [_seconds(result.stages[name]) if name in result.stages else "" for name in names]
        lines.append(f"| {_count(result.events)} | {result.phase} | {' | '.join(cells)} |")
    return "\n".join(lines) if staged else "No build was measured."


def _count(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f}"


def _pair(*sides: int) -> str:
    return " / ".join(f"{number / 1e9:.2f}" for number in sides)


# --- picture --------------------------------------------------------------------------------------

_WIDTH, _LEFT, _RIGHT = 760, 170, 70
_BAR_HEIGHT, _GAP, _TOP = 16, 18, 64
_COLOURS = {"floor": "#8a8f98", "project": "#1f6feb"}


def plot(results: Sequence[Result]) -> str:
    """Bars of floor and project for `ingest` and `build` by size, and where the budget ends."""
    pairs = [
        (result, result.floor)
        for result in sorted(results, key=lambda item: (_PHASES.index(item.phase), item.events))
        if result.floor is not None and result.phase in ("ingest", "build")
    ]
    longest = max(
        (max(result.project.seconds, floor.seconds * _RATIO_BAR) for result, floor in pairs),
        default=1.0,
    )
    scale = (_WIDTH - _LEFT - _RIGHT) / longest
    parts = []
    y = _TOP
    for result, floor in pairs:
        name = f"{result.phase}, {result.events / 1e6:g} million"
        middle = y + _BAR_HEIGHT + 5
        parts.append(f'<text x="{_LEFT - 10}" y="{middle}" text-anchor="end">{escape(name)}</text>')
        for side, seconds in (("floor", floor.seconds), ("project", result.project.seconds)):
            width = seconds * scale
            parts.append(
                f'<rect x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR_HEIGHT}"'
                f' fill="{_COLOURS[side]}"/>'
            )
            parts.append(
                f'<text x="{_LEFT + width + 6:.1f}" y="{y + 13}" class="number">'
                f"{seconds:.0f} s</text>"
            )
            y += _BAR_HEIGHT
        limit = _LEFT + floor.seconds * _RATIO_BAR * scale
        parts.append(
            f'<line x1="{limit:.1f}" y1="{y - 2 * _BAR_HEIGHT - 3}" x2="{limit:.1f}" y2="{y + 3}"/>'
        )
        y += _GAP
    legend = (
        f'<rect x="{_LEFT}" y="34" width="12" height="12" fill="{_COLOURS["floor"]}"/>'
        f'<text x="{_LEFT + 18}" y="44">floor</text>'
        f'<rect x="{_LEFT + 80}" y="34" width="12" height="12" fill="{_COLOURS["project"]}"/>'
        f'<text x="{_LEFT + 98}" y="44">project</text>'
        f'<line x1="{_LEFT + 186}" y1="32" x2="{_LEFT + 186}" y2="48"/>'
        f'<text x="{_LEFT + 194}" y="44">budget: 1.6 times the floor</text>'
    )
    body = "\n".join(parts)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}" role="img">
<title>Seconds of floor and project by number of care events</title>
<style>
text {{ font: 13px sans-serif; fill: #24292f; }}
.number {{ font-size: 12px; }}
line {{ stroke: #cf222e; stroke-width: 2; }}
</style>
<rect width="{_WIDTH}" height="{y}" fill="#ffffff"/>
<text x="{_LEFT}" y="20" font-weight="bold">Seconds, wall time</text>
{legend}
{body}
</svg>
"""
