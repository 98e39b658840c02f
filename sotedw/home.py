"""Where things stand under the home."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from ingest.lake import Lake
from sotedw.errors import BuildRunning, WrongUse

#: Name of the database file, and so of the catalogue that compiled queries name.
DATABASE_NAME = "warehouse.duckdb"

#: DuckDB variable that names the folder of a release which has been copied or moved.
RELEASE_VARIABLE = "release"


@dataclass(frozen=True)
class Home:
    """The folders of one warehouse."""

    root: Path

    @property
    def lake(self) -> Lake:
        """Accepted and rejected rows, and the ledger."""
        return Lake(self.root / "lake")

    @property
    def quality(self) -> Path:
        """Results of all checks, one Parquet file a run."""
        return self.root / "lake" / "quality"

    @property
    def landing_hashes(self) -> Path:
        """Hashes of large landed files; losing it costs reading them again."""
        return self.root / "lake" / "landing_hashes.json"

    @property
    def build(self) -> Path:
        """The build's own database and dbt's target folder; losing it costs a full rebuild."""
        return self.root / "build"

    @property
    def build_database(self) -> Path:
        """The database dbt builds in."""
        return self.build / DATABASE_NAME

    @property
    def build_state(self) -> Path:
        """What the tables of that database stand for; without it they are all computed anew."""
        return self.build / "state.json"

    @property
    def target(self) -> Path:
        """What dbt leaves: the parsed project, compiled queries, results."""
        return self.build / "target"

    @property
    def runs(self) -> Path:
        """One folder an attempt."""
        return self.root / "runs"

    @property
    def releases(self) -> Path:
        """One folder a release, never changed once it is there."""
        return self.root / "releases"

    @property
    def current(self) -> Path:
        """Symbolic link to the published release."""
        return self.root / "current"

    def current_release(self) -> Path | None:
        """The published release, resolved: a reader that opens it keeps it, whatever comes."""
        try:
            target = self.current.readlink()
        except FileNotFoundError:
            return None
        return self.root / target

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the home for one build.

        Raises:
            BuildRunning: another process holds it. The lock goes with its process, so a killed
                build leaves none behind.
            WrongUse: the home cannot be written.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WrongUse(f"the home {self.root} cannot be made: {error}") from error
        lock = FileLock(self.root / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise BuildRunning(f"another build is running in {self.root}") from error
        try:
            yield
        finally:
            lock.release()
