"""The command line `sotedw`: parses, calls, prints. What it calls stands in other modules."""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from functools import wraps
from pathlib import Path
from typing import Any, Self, TypeVar

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ingest.errors import counted
from ingest.identity_codes import mask
from ingest.ledger import Ledger, LedgerEntry
from sotedw import __version__
from sotedw.errors import SotedwError
from sotedw.generate_cli import generate
from sotedw.home import Home
from sotedw.json_output import print_json
from sotedw.settings import Settings, load_settings

#: Rows that a table on the terminal shows before it says that there are more.
SHOWN_ROWS = 200

#: Characters after which a text is folded in a table.
FOLDED_TEXT_WIDTH = 60

#: Wider than any table: what a table would take if it could.
UNLIMITED_WIDTH = 10_000

_NUMERIC = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DOUBLE", "FLOAT", "DECIMAL")

F = TypeVar("F", bound=Callable[..., Any])


def main() -> None:
    """Entry point: errors of ours end in their exit code, without a traceback."""
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        raise SystemExit(130) from None
    except click.ClickException as error:
        error.show()
        raise SystemExit(2) from error
    except SotedwError as error:
        text = mask(f"sotedw: {error}")
        Console(stderr=True).print(Text(text, style="bold red"), soft_wrap=True)
        raise SystemExit(error.exit_code) from error
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None
    except Exception:
        # A defect of ours: its traceback is wanted, what it quotes of a person is not.
        sys.stderr.write(mask(traceback.format_exc()))
        raise SystemExit(1) from None


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="sotedw")
def cli() -> None:
    """Data warehouse of Helsinki's social, health and rescue services.

    \b
    sotedw build                          deliveries in landing/ become a published release
    sotedw status                         what is published, how fresh, what was refused
    sotedw query "select ..."             ask the published release
    sotedw query --analysis table_7       a table of the annual report as printed

    Settings come from flags, then variables (SOTEDW_HOME, SOTEDW_LANDING, SOTEDW_AS_OF,
    SOTEDW_THREADS, SOTEDW_PSEUDONYM_KEY_FILE, SOTEDW_PSEUDONYM_KEY), then sotedw.toml in the
    checkout, or the file that SOTEDW_CONFIG names.

    \b
    Exit codes: 0 done (a refused delivery is a warning), 1 the build failed, 2 wrong use,
    3 another build holds the lock, 4 the quality gate stopped publication.
    """


def _common(function: F) -> F:
    """Options that every command has."""

    @click.option(
        "--home",
        type=click.Path(path_type=Path, file_okay=False),
        help="Where the warehouse keeps everything. [default: warehouse/ in the checkout]",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapped  # type: ignore[return-value]


# --- build ----------------------------------------------------------------------------------------


@cli.command()
@_common
@click.option(
    "--landing",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where deliveries stand. [default: landing/ in the checkout]",
)
@click.option(
    "--as-of",
    "as_of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The date the build speaks as of; a nightly job passes its own. "
    "[default: the date of the newest delivery]",
)
@click.option("--threads", type=click.IntRange(1, 256), help="Threads to use. [default: 2]")
def build(
    home: Path | None, landing: Path | None, as_of: Any, threads: int | None, as_json: bool
) -> None:
    """Load what is new in landing/, build, check and publish.

    A build that finds nothing new leaves the release as it is. A delivery that cannot be loaded is
    refused and reported, and the build goes on with the others. When a blocker of the quality gate
    fails, nothing is published and the last release stays up (exit code 4).

    Deliveries of care events need a key, which makes pseudonyms of identity codes: a secret text in
    the file that SOTEDW_PSEUDONYM_KEY_FILE names, or in SOTEDW_PSEUDONYM_KEY itself.

    \b
    openssl rand -hex 32 > /etc/sotedw/pseudonym.key      makes one; only once, and back it up
    """
    from sotedw.build import run_build

    settings = load_settings(
        home=home, landing=landing, as_of=as_of.date() if as_of else None, threads=threads
    )
    start = time.perf_counter()
    reporter = _QuietReporter() if as_json else _ConsoleReporter()
    with reporter:
        result = run_build(settings, reporter)
    seconds = time.perf_counter() - start
    if as_json:
        print_json(
            {
                "outcome": result.outcome,
                "build_id": result.build_id,
                "run_id": result.run_id,
                "release": str(result.release),
                "as_of_date": result.as_of_date.isoformat(),
                "deliveries": [_entry_fields(entry) for entry in result.entries],
                "sources": [asdict(state) for state in result.sources],
                "left_alone": [
                    {"path": path, "reason": reason} for path, reason in result.left_alone
                ],
                "checks_passed": result.checks_passed,
                "checks_failed": result.checks_failed,
                "seconds": round(seconds, 2),
            }
        )
        return
    console = Console()
    word = "published" if result.outcome == "published" else "unchanged, still up"
    console.print(
        f"[bold green]✓[/] release [bold]{result.build_id}[/] {word},"
        f" as of {result.as_of_date} ({seconds:.1f} s)",
        highlight=False,
    )
    counts = _outcomes(result.entries)
    rows = sum(entry.rows_loaded for entry in result.entries)
    console.print(f"  deliveries  {counts}; {rows} rows in the lake", highlight=False)
    if result.checks_passed:
        console.print(
            f"  checks      {result.checks_passed} passed, {result.checks_failed} to review",
            highlight=False,
        )
    for state in result.sources:
        if state.reason:
            console.print(f"  [yellow]stale[/]       {state.source}: {state.text}", highlight=False)
    _print_path(console, "release", Home(settings.home).current)
    _print_path(console, "report", Home(settings.home).current / "reports" / "quality.html")
    console.print("  next        sotedw query --analysis table_7", highlight=False)


def _outcomes(entries: tuple[LedgerEntry, ...]) -> str:
    counts = {"loaded": 0, "duplicate": 0, "refused": 0}
    for entry in entries:
        counts[entry.outcome] += 1
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def _print_path(console: Console, name: str, path: Path) -> None:
    try:
        shown = path.relative_to(Path.cwd())
    except ValueError:
        shown = path
    console.print(f"  {name:<11} {shown}", highlight=False, soft_wrap=True)


class _QuietReporter:
    """Says next to nothing: for JSON and for nights without an audience (the log has it all)."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def stage(self, text: str) -> None:
        """Nothing."""

    def progress(self, text: str, done: int, total: int) -> None:
        """Nothing."""

    def delivery(self, entry: LedgerEntry) -> None:
        """Nothing."""

    def stray(self, path: str, reason: str) -> None:
        """Nothing."""

    def warning(self, text: str) -> None:
        """One line on stderr: whoever looks after the settings sees it every night."""
        click.echo(f"sotedw: {text}", err=True)


class _ConsoleReporter(_QuietReporter):
    """A moving line a stage on a terminal, plain lines elsewhere; findings in full on stderr."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end_task()
        self._progress.stop()

    def stage(self, text: str) -> None:
        """Start a line."""
        self._end_task()
        self._task = self._progress.add_task(text, total=None, note="")
        if not self._console.is_terminal:
            self._console.print(f"{text} ...", highlight=False)

    def progress(self, text: str, done: int, total: int) -> None:
        """Move the bar."""
        if self._task is not None:
            note = f"{text} {done}/{total}" if total else text
            self._progress.update(self._task, completed=done, total=total or None, note=note)

    def delivery(self, entry: LedgerEntry) -> None:
        """One line a delivery, one a finding."""
        rows = counted(entry.rows_in)
        self._print(f"  {entry.delivery_id}: {entry.outcome}, {rows}", None)
        for finding in entry.findings:
            style = {"refused": "red", "quarantined": "yellow", "warning": "yellow"}
            self._print(f"  {finding.text(entry.delivery_id)}", style.get(finding.level, "dim"))

    def stray(self, path: str, reason: str) -> None:
        """One line."""
        self._print(f"  landing/{path} is left alone: {reason}", "yellow")

    def warning(self, text: str) -> None:
        """One line."""
        self._print(f"  {text}", "yellow")

    def _print(self, text: str, style: str | None) -> None:
        self._console.print(Text(text, style=style or ""), soft_wrap=True)

    def _end_task(self) -> None:
        if self._task is not None:
            self._progress.update(self._task, completed=1, total=1, note="")
            self._task = None


# --- status ---------------------------------------------------------------------------------------


@cli.command()
@_common
def status(home: Path | None, as_json: bool) -> None:
    """Show what is published, how fresh each source is, and what was refused or quarantined."""
    from ingest.spec import load_specs
    from sotedw.release import read_manifest
    from sotedw.sources import source_states

    place = Home(load_settings(home=home).home)
    release = place.current_release()
    manifest = read_manifest(release) if release else None
    entries = tuple(Ledger(place.lake.ledger))
    as_of_date = date.fromisoformat(manifest["as_of_date"]) if manifest else date.max
    states = source_states(load_specs(), entries, as_of_date) if manifest else []
    last_run = _last_run(place)
    if as_json:
        print_json(
            {
                "home": str(place.root),
                "release": release.name if release else None,
                "as_of_date": manifest["as_of_date"] if manifest else None,
                "is_synthetic": manifest["is_synthetic"] if manifest else None,
                "last_run": last_run,
                "sources": [asdict(state) for state in states],
                "deliveries": [_entry_fields(entry) for entry in entries],
            }
        )
        return
    console = Console()
    if manifest is None:
        console.print("nothing is published yet: run `make build`", highlight=False)
    else:
        console.print(
            f"release [bold]{manifest['build_id']}[/], as of {manifest['as_of_date']},"
            f" {len(manifest['files'])} files",
            highlight=False,
        )
        if manifest["is_synthetic"]:
            console.print(
                "[yellow]synthetic[/]: generated data are among the deliveries, and nothing built"
                " from them is about anybody",
                highlight=False,
                soft_wrap=True,
            )
    if last_run:
        console.print(f"last run {last_run['run_id']}: {last_run['outcome']}", highlight=False)
        if last_run["message"]:
            console.print(Text(str(last_run["message"]), style="red"), soft_wrap=True)
    if states:
        table = Table("source", "newest delivery", "state", "steward")
        for state in states:
            table.add_row(state.source, state.last_delivery or "", state.text, state.owner)
        console.print(table)
    if entries:
        table = Table("delivery", "outcome", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for name in ("in", "loaded", "dupl.", "quarant.", "refused"):
            table.add_column(name, justify="right")
        for entry in entries:
            numbers = (
                entry.rows_in,
                entry.rows_loaded,
                entry.rows_duplicate,
                entry.rows_quarantined,
                entry.rows_refused,
            )
            shown_numbers = ("?" if number is None else str(number) for number in numbers)
            outcome = f"{entry.outcome}, synthetic" if entry.is_synthetic else entry.outcome
            table.add_row(entry.delivery_id, outcome, *shown_numbers)
        _print_whole(console, table)
    for entry in entries:
        for finding in entry.findings:
            if finding.level != "info":
                console.print(Text(finding.text(entry.delivery_id)), soft_wrap=True)


def _last_run(home: Home) -> dict[str, Any] | None:
    records = sorted(home.runs.glob("*/run.json"))
    if not records:
        return None
    record: dict[str, Any] = json.loads(records[-1].read_text(encoding="utf-8"))
    return record


def _entry_fields(entry: LedgerEntry) -> dict[str, Any]:
    fields = entry.model_dump(mode="json", exclude={"files", "findings", "source", "name"})
    findings = [finding.text(entry.delivery_id) for finding in entry.findings]
    return {"delivery_id": entry.delivery_id, **fields, "findings": findings}


# --- query ----------------------------------------------------------------------------------------


@cli.command()
@_common
@click.argument("sql", required=False)
@click.option("--analysis", metavar="NAME", help="Run an analysis that the release carries.")
@click.option(
    "--file",
    "file",
    type=click.File(encoding="utf-8"),
    help="Read the query from a file (- for standard input).",
)
@click.option("--list", "listing", is_flag=True, help="List tables and analyses of the release.")
@click.option("--release", "release_id", metavar="ID", help="Ask this release, not the current.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "csv", "json"]),
    default=None,
    help="How to print rows. [default: table]",
)
@click.option(
    "--limit",
    type=click.IntRange(0),
    default=SHOWN_ROWS,
    show_default=True,
    help="Rows a table shows; 0 shows all. csv and json always give all.",
)
def query(
    sql: str | None,
    analysis: str | None,
    file: Any,
    listing: bool,
    release_id: str | None,
    format_: str | None,
    limit: int,
    home: Path | None,
    as_json: bool,
) -> None:
    """Ask a published release in SQL (DuckDB's).

    \b
    sotedw query "select year, value from mart_output_statistics
                  where measure_code = 'nurse_reception_visits' order by year"
    sotedw query --analysis table_7
    sotedw query --list
    """
    from sotedw.query import Answer, analyses, analysis_sql, ask, catalogue, pick_release

    settings: Settings = load_settings(home=home)
    release = pick_release(Home(settings.home), release_id)
    if listing:
        rows = tuple((name, count, text) for name, count, text in catalogue(release))
        rows += tuple((f"--analysis {name}", None, "") for name in analyses(release))  # type: ignore[misc]
        answer = Answer(("name", "rows", "description"), ("VARCHAR", "BIGINT", "VARCHAR"), rows)
    else:
        given = [item for item in (sql, analysis, file) if item is not None]
        if len(given) != 1:
            raise click.UsageError("give one of: a query, --analysis NAME, --file FILE, --list")
        if analysis is not None:
            text = analysis_sql(release, analysis)
        else:
            text = file.read() if sql is None else sql
        answer = ask(release, text)
    chosen = format_ or ("json" if as_json else "table")
    if chosen == "csv":
        click.echo(answer.to_csv(), nl=False)
    elif chosen == "json":
        print_json(answer.objects())
    else:
        _print_table(answer.columns, answer.types, answer.rows, limit)


def _print_table(
    columns: tuple[str, ...], types: tuple[str, ...], rows: tuple[tuple[Any, ...], ...], limit: int
) -> None:
    console = Console()
    table = Table()
    for index, (name, type_) in enumerate(zip(columns, types, strict=True)):
        is_number = type_.startswith(_NUMERIC) or _holds_printed_numbers(rows, index)
        table.add_column(
            Text(name),
            justify="right" if is_number else "left",
            no_wrap=is_number,
            max_width=None if is_number else FOLDED_TEXT_WIDTH,
        )
    shown = rows[:limit] if limit else rows
    for row in shown:
        table.add_row(*(Text("" if value is None else str(value)) for value in row))
    _print_whole(console, table)
    if len(shown) < len(rows):
        console.print(f"{len(rows) - len(shown)} more rows: --limit 0 or --format csv shows all")


def _print_whole(console: Console, table: Table) -> None:
    """Print a table uncut: one wider than the terminal runs over its edge, as in psql."""
    wide = console.options.update(max_width=UNLIMITED_WIDTH)
    console.width = max(console.width, Measurement.get(console, wide, table).maximum)
    console.print(table, crop=False, no_wrap=True)


def _holds_printed_numbers(rows: tuple[tuple[Any, ...], ...], index: int) -> bool:
    """Whether most texts of a column are numbers as reports print them (`1 274 049`, `2,3 %`)."""
    texts = [row[index] for row in rows if isinstance(row[index], str)]
    numbers = sum(text[:1].isdigit() and not text[-1:].isalpha() for text in texts)
    return len(texts) > 0 and numbers * 2 > len(texts)


cli.add_command(generate)


if __name__ == "__main__":
    main()
