"""The main job: from `landing/` to a published release."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import duckdb
import yaml

from ingest.errors import IngestError
from ingest.landing import Landing, scan
from ingest.landing_hashes import LandingHashes
from ingest.ledger import Ledger, LedgerEntry
from ingest.pipeline import ingest, is_current, register_sources
from ingest.pseudonyms import ADVISED_KEY_LENGTH, MissingKey, PseudonymKey
from ingest.spec import Spec, load_specs
from sotedw.build_state import BuildState, changed_months, loaded_deliveries
from sotedw.errors import BuildFailed, PublicationBlocked, SotedwError, WrongUse
from sotedw.home import Home
from sotedw.identity import build_id, code_version
from sotedw.run import Run
from sotedw.settings import PROJECT, Settings
from sotedw.sources import SourceState, source_states

if TYPE_CHECKING:
    from sotedw.quality import Check

_log = logging.getLogger(__name__)


class Reporter(Protocol):
    """Tells people (or a log) how a build goes."""

    def stage(self, text: str) -> None:
        """A stage has begun."""

    def progress(self, text: str, done: int, total: int) -> None:
        """Part of the stage is done."""

    def delivery(self, entry: LedgerEntry) -> None:
        """A delivery has been dealt with."""

    def stray(self, path: str, reason: str) -> None:
        """Something in the landing folder is no delivery."""

    def warning(self, text: str) -> None:
        """Something about the settings is not as it should be."""


#: The build's database is read by this engine alone: its newest way to store texts is the fastest.
_STORAGE: dict[str, Any] = {"storage_compatibility_version": "latest"}


@dataclass(frozen=True)
class BuildResult:
    """What a build ended with.

    Attributes:
        outcome: `published`, or `unchanged` when the release was already up.
        build_id: Its id.
        run_id: The attempt.
        release: Folder of the published release.
        as_of_date: The date it speaks as of.
        entries: The ledger after ingest.
        sources: State of each source.
        left_alone: Path and reason of what stands in the landing folder and is no delivery.
        checks_passed: Checks that passed.
        checks_failed: Checks that failed or could not be evaluated, all warnings.
    """

    outcome: str
    build_id: str
    run_id: str
    release: Path
    as_of_date: date
    entries: tuple[LedgerEntry, ...]
    sources: tuple[SourceState, ...]
    left_alone: tuple[tuple[str, str], ...] = ()
    checks_passed: int = 0
    checks_failed: int = 0


def run_build(settings: Settings, reporter: Reporter) -> BuildResult:
    """Build and publish, or find that nothing has changed.

    Args:
        settings: Where to build from and to.
        reporter: Told of progress.

    Raises:
        WrongUse: nothing to build from, or a date before all deliveries or beyond the calendar.
        BuildRunning: another build holds the home.
        BuildFailed: something broke; the release before stays up.
        PublicationBlocked: a blocker of the quality gate failed; the release before stays up.
    """
    home = Home(settings.home)
    with home.lock():
        specs = _specs()
        reporter.stage("scan")
        hashes = LandingHashes(home.landing_hashes)
        landing = scan(settings.landing, set(specs), hashes, settings.threads)
        ledger = Ledger(home.lake.ledger)
        as_of_date = _as_of_date(settings, landing, ledger)
        code = code_version()
        key = settings.key()
        personal = {source for source, spec in specs.items() if spec.is_personal}
        has_people = any(item.source in personal for item in (*landing.deliveries, *ledger))
        identity = build_id(
            ledger, landing.deliveries, as_of_date, code, key if has_people else None
        )
        run = Run.start(home.runs, identity, as_of_date.isoformat())
        with run.log():
            _warn_of_weak_key(key, reporter)
            try:
                result = _run(
                    settings, home, specs, landing, ledger, as_of_date, code, run, reporter
                )
            except SotedwError as error:
                blocked = isinstance(error, PublicationBlocked)
                run.finish("blocked" if blocked else "failed", str(error))
                _log.error("%s", error)
                raise
            except BaseException as error:
                _log.exception("the build broke")
                run.finish("failed", f"{type(error).__name__}: {error}")
                raise
            run.finish(result.outcome)
        return result


def _run(
    settings: Settings,
    home: Home,
    specs: dict[str, Spec],
    landing: Landing,
    ledger: Ledger,
    as_of_date: date,
    code: str,
    run: Run,
    reporter: Reporter,
) -> BuildResult:
    def result(outcome: str, release: Path, passed: int = 0, failed: int = 0) -> BuildResult:
        return BuildResult(
            outcome=outcome,
            build_id=run.build_id,
            run_id=run.run_id,
            release=release,
            as_of_date=as_of_date,
            entries=tuple(ledger),
            sources=tuple(source_states(specs, ledger, as_of_date)),
            left_alone=landing.strays,
            checks_passed=passed,
            checks_failed=failed,
        )

    for path, reason in landing.strays:
        _log.warning("landing/%s is left alone: %s", path, reason)
        reporter.stray(path, reason)
    release = home.releases / run.build_id
    if release.is_dir() and is_current(landing, ledger, specs, settings.key()):
        # Nothing to do: not even dbt and Great Expectations are imported.
        if home.current_release() != release:
            _publish(home, release)
            return result("published", release)
        return result("unchanged", release)

    from sotedw import quality
    from sotedw.release import ReleaseInputs, write_release
    from sotedw.report import quality_report
    from sotedw.transform import Dbt

    home.build.mkdir(parents=True, exist_ok=True)
    with Dbt(home, run.folder, as_of_date, settings.threads) as dbt:
        reporter.stage("ingest")
        with run.stage("ingest"):
            _ingest(home, settings, specs, landing, ledger, reporter.delivery)
            state = BuildState.take(home.build_state)
            loaded = loaded_deliveries(ledger, as_of_date)
            if state and not state.continues_to(code, as_of_date, loaded):
                state = None
            state = _prepare_database(home, specs, ledger, as_of_date, settings.threads, state)
            _log.info(
                "tables of care events: %s",
                f"continued from {state.as_of_date}" if state else "computed anew",
            )
        with quality.Expectations(home, run.folder) as expectations:
            reporter.stage("models")
            with run.stage("models"):
                made = dbt.run(
                    reporter.progress, expectations.begin, state.as_of_date if state else None
                )
                state = BuildState(
                    code_version=code,
                    as_of_date=as_of_date,
                    deliveries=loaded,
                    published=state.published if state else None,
                    changed=changed_months(home.build_database, state),
                    is_one_night=state is not None and state.changed == {},
                )
            reporter.stage("checks")
            with run.stage("checks"):
                checks = quality.from_dbt(made.tests, home, run.folder) + expectations.results()
    with run.stage("report"):
        table = quality.results_table(checks, run.build_id, run.run_id)
        quality.keep_results(table, home.quality, run.run_id)
        sources = source_states(specs, ledger, as_of_date)
        report = quality_report(run, checks, tuple(ledger), sources)
        (run.folder / "quality.html").write_text(report, encoding="utf-8")
    blockers = [check for check in checks if check.blocks]
    if blockers:
        # No state is kept: the next build computes and checks everything.
        raise PublicationBlocked(_blocked_text(home, run, blockers))
    state.save(home.build_state)
    reporter.stage("release")
    with run.stage("release"):
        inputs = ReleaseInputs(
            build_id=run.build_id,
            as_of_date=as_of_date,
            code_version=code,
            tables=made.tables,
            analyses=made.analyses,
            entries=tuple(ledger),
            sources=sources,
            quality=table,
            report=report,
            state=state,
        )
        if not release.is_dir():
            write_release(home, inputs, settings.threads)
        _publish(home, release)
        state.released(run.build_id).save(home.build_state)
    passed = sum(check.outcome == "passed" for check in checks)
    failed = sum(check.outcome in ("failed", "error") for check in checks)
    return result("published", release, passed, failed)


def _specs() -> dict[str, Spec]:
    try:
        return load_specs()
    except IngestError as error:
        raise BuildFailed(str(error)) from error


def _as_of_date(settings: Settings, landing: Landing, ledger: Ledger) -> date:
    """The date that was given, or that of the newest delivery.

    Raises:
        WrongUse: there is no delivery, or none until then, or `dim_date` does not reach so far.
    """
    days = [delivery.key.date for delivery in landing.deliveries]
    days += [entry.delivery_date for entry in ledger]
    if not days:
        raise WrongUse(
            f"there is no delivery under {settings.landing}: put one at <source>/<YYYY-MM-DD>/,"
            " or name another folder with --landing"
        )
    as_of_date = settings.as_of or max(days)
    if as_of_date < min(days):
        # Its release would be empty, and `current` would point to it.
        raise WrongUse(
            f"there is no delivery until {as_of_date}: the first is dated {min(days)};"
            " give its date or a later one as the as-of date"
        )
    last = _last_day_of_calendar()
    if as_of_date > last:
        fix = "give an earlier one"
        if settings.as_of is None:
            fix = "it is that of the newest delivery: correct its folder's name, or give another"
        raise WrongUse(
            f"the as-of date {as_of_date} is beyond the calendar, which ends on {last}"
            f" (calendar_end in dbt_project.yml); {fix}"
        )
    return as_of_date


def _last_day_of_calendar() -> date:
    """The last day of `dim_date`: facts of later days would have no date."""
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    return date.fromisoformat(str(project["vars"]["calendar_end"]))


def _warn_of_weak_key(key: PseudonymKey | None, reporter: Reporter) -> None:
    if key is not None and len(key.secret) < ADVISED_KEY_LENGTH:
        text = (
            f"the key of pseudonyms has only {len(key.secret)} characters and can be guessed;"
            " make one with openssl rand -hex 32 and load the deliveries again"
        )
        _log.warning("%s", text)
        reporter.warning(text)


def _ingest(
    home: Home,
    settings: Settings,
    specs: dict[str, Spec],
    landing: Landing,
    ledger: Ledger,
    progress: Callable[[LedgerEntry], None],
) -> None:
    def recorded(entry: LedgerEntry) -> None:
        for finding in entry.findings:
            level = logging.INFO if finding.level == "info" else logging.WARNING
            _log.log(level, "%s", finding.text(entry.delivery_id))
        progress(entry)

    try:
        ingest(
            landing,
            home.lake,
            ledger,
            specs,
            datetime.now(UTC),
            recorded,
            settings.key(),
            settings.threads,
        )
    except MissingKey as error:
        raise WrongUse(str(error)) from error
    except IngestError as error:
        raise BuildFailed(str(error)) from error


def _prepare_database(
    home: Home,
    specs: dict[str, Spec],
    ledger: Ledger,
    as_of_date: date,
    threads: int,
    state: BuildState | None,
) -> BuildState | None:
    """Point the build's database at the lake; a damaged one is made anew.

    Returns:
        The state that its tables can be continued from; none when they are not there.
    """
    if not home.build_database.exists():
        state = None
    for attempt in (1, 2):
        try:
            with duckdb.connect(str(home.build_database), config=_STORAGE) as connection:
                connection.execute(f"set threads = {threads}")
                known = state.deliveries if state else ()
                register_sources(connection, home.lake, ledger, specs, as_of_date, known)
            return state
        except duckdb.Error as error:
            if attempt == 2:
                raise BuildFailed(f"the build's database cannot be written: {error}") from error
            _log.warning("the build's database is made anew: %s", error)
            for path in home.build.glob(f"{home.build_database.name}*"):
                path.unlink()
            state = None
    return None


def _publish(home: Home, release: Path) -> None:
    from sotedw.release import publish

    publish(home, release)


def _blocked_text(home: Home, run: Run, blockers: Sequence[Check]) -> str:
    lines = [
        f"{check.check_id}: {check.message}"
        if check.outcome == "error"
        else f"{check.check_id}: {check.unexpected_count} of {check.element_count} rows"
        f" ({check.description})"
        for check in blockers
    ]
    current = home.current_release()
    standing = f"release {current.name} stays up" if current else "there is no release yet"
    return (
        f"not published, {standing}: {len(blockers)} blocker"
        f"{'' if len(blockers) == 1 else 's'} of the quality gate failed\n"
        + "\n".join(f"  {line}" for line in lines)
        + f"\nReport: {run.folder / 'quality.html'}"
    )
