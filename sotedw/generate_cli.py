"""The command `sotedw generate`."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from sotedw.json_output import print_json

if TYPE_CHECKING:
    from sotedw.generate import GenerateResult

_DAY = click.DateTime(["%Y-%m-%d"])

#: What `--events` takes in place of a number.
CITY = "city"


class _Events(click.ParamType):  # type: ignore[type-arg]
    """A number of events, or `city`."""

    name = "N|city"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | str:
        """The number, or `city`; underscores and spaces may part the thousands."""
        text = str(value).replace("_", "").replace(" ", "")
        if text == CITY:
            return CITY
        if not text.isdigit() or int(text) == 0:
            self.fail(f"{value!r} is neither a number of events nor '{CITY}'", param, ctx)
        return int(text)


@click.command()
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="A landing folder; deliveries go to OUT/care_events/<date>/.",
)
@click.option(
    "--events",
    type=_Events(),
    default=100_000,
    show_default=True,
    help="Event records in all, or 'city' for as many as the city has in the period.",
)
@click.option("--scale", type=float, default=1.0, help="With --events city: the share to make.")
@click.option("--seed", type=int, default=1, show_default=True, help="Other seed, other data.")
@click.option("--start", type=_DAY, default="2020-01-01", show_default=True, help="First day.")
@click.option(
    "--end",
    type=_DAY,
    default="2022-12-31",
    show_default=True,
    help="Last day known; the last delivery is dated the day after.",
)
@click.option(
    "--deliveries",
    type=click.IntRange(1, 400),
    default=3,
    show_default=True,
    help="Deliveries: a full one, then deltas, a week apart.",
)
@click.option(
    "--delta-events",
    type=click.IntRange(1),
    help="Rows of each delta. [default: what is new or changed since the delivery before]",
)
@click.option(
    "--rows-per-file",
    type=click.IntRange(20, 5_000_000),
    default=480_000,
    show_default=True,
    help="Records of a file. Files are made one by one, in memory.",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["csv", "parquet"]),
    default="csv",
    show_default=True,
    help="Parquet holds the same texts as csv.",
)
@click.option(
    "--encoding",
    type=click.Choice(["utf-8", "latin-1"]),
    default="utf-8",
    show_default=True,
    help="Of csv.",
)
@click.option(
    "--bad-share",
    type=click.FloatRange(0, 1),
    default=0.001,
    show_default=True,
    help="Share of rows that are spoiled: bad dates, unknown codes, false identity codes.",
)
@click.option("--clients", type=click.IntRange(1), help="Clients. [default: one for 12 events]")
@click.option(
    "--units",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The list of units. [default: seeds/access/units.csv]",
)
@click.option("--iso-times", is_flag=True, help="Service voucher producers write ISO 8601 times.")
@click.option(
    "--truth",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this Parquet file what each row is: good, duplicate, or bad and how.",
)
@click.option("--threads", type=click.IntRange(1, 256), default=2, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def generate(as_json: bool, events: int | str, bad_share: float, **given: Any) -> None:
    """Write synthetic care events as units deliver them, of any size.

    Contacts, assessments, bookings, visits and cancellations of made-up clients, with what real
    deliveries bring: corrections, late rows, duplicates, deletions, bad rows. Seasons, stations and
    queues are made up; the services keep the proportions of the annual report's outputs. Identity
    codes are fictitious (individual numbers 900-999), and every delivery says `synthetic: true` in
    its delivery.yml. The same options, and the same list of units, give the same bytes.

    \b
    sotedw generate --out /tmp/landing --events 100000
    sotedw generate --out /tmp/landing --events 20_000_000 --deliveries 2 --delta-events 20000
    sotedw generate --out /tmp/landing --events city --scale 0.01
    sotedw build --home /tmp/home --landing /tmp/landing
    """
    from sotedw.generate import GenerateOptions, Shares
    from sotedw.generate import generate as run

    for day in ("start", "end"):
        moment: datetime = given[day]
        given[day] = moment.date()
    if given["units"] is None:
        del given["units"]
    options = GenerateOptions(
        events=None if isinstance(events, str) else events,
        shares=Shares(bad=bad_share),
        **given,
    )
    console = Console(stderr=True)
    begin = time.perf_counter()
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
        TimeElapsedColumn(),
        console=console,
        disable=as_json or not console.is_terminal,
    ) as progress:
        task = progress.add_task("generating", total=1)

        def moved(text: str, done: int, total: int) -> None:
            progress.update(task, description=text, completed=done, total=total)

        result = run(options, moved)
    _report(result, options.out, time.perf_counter() - begin, as_json=as_json)


def _report(result: GenerateResult, out: Path, seconds: float, *, as_json: bool) -> None:
    if as_json:
        fields = asdict(result) | {
            "out": str(out),
            "rows": result.rows,
            "seconds": round(seconds, 2),
        }
        print_json(fields)
        return
    console = Console()
    console.print(
        f"[bold green]✓[/] {result.rows:,} synthetic rows of {result.events:,} events and"
        f" {result.clients:,} clients ({seconds:.1f} s)",
        highlight=False,
    )
    table = Table("delivery")
    for name in ("files", "rows", "bad", "duplicates", "sent again"):
        table.add_column(name, justify="right")
    for delivery in result.deliveries:
        table.add_row(
            delivery.name,
            str(len(delivery.files)),
            *(
                f"{number:,}"
                for number in (
                    delivery.rows,
                    delivery.quarantined,
                    delivery.duplicates,
                    delivery.resent,
                )
            ),
        )
    console.print(table)
    if result.truth is not None:
        console.print(f"  truth       {result.truth}", highlight=False, soft_wrap=True)
    console.print(f"  next        sotedw build --landing {out}", highlight=False, soft_wrap=True)
