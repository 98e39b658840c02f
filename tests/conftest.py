"""What the tests share: a home of their own for ingest, and repeatable random input."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, settings

from ingest.lake import Lake
from ingest.landing import scan
from ingest.ledger import Ledger, LedgerEntry
from ingest.pipeline import ingest, is_current, register_sources
from ingest.pseudonyms import PseudonymKey
from ingest.spec import Spec, load_specs

_COMMON = settings(
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("repeatable", _COMMON, derandomize=True, max_examples=60)
settings.register_profile("torture", _COMMON, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


#: The key of homes in tests.
KEY = PseudonymKey(b"key-of-the-tests-and-of-nothing-else")


class Home:
    """A landing folder and a lake; the ledger is read from disk at every step, as a build does."""

    def __init__(self, root: Path, specs: Mapping[str, Spec]) -> None:
        self.landing = root / "landing"
        self.lake = Lake(root / "lake")
        self.specs = specs
        self.key: PseudonymKey | None = KEY

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.lake.ledger)

    def deliver(self, delivery_id: str, files: Mapping[str, str | bytes]) -> None:
        """Put a delivery into the landing folder in place of what stood under its name."""
        self.withdraw(delivery_id)
        folder = self.landing / delivery_id
        folder.mkdir(parents=True)
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def withdraw(self, delivery_id: str) -> None:
        shutil.rmtree(self.landing / delivery_id, ignore_errors=True)

    def ingest(self) -> dict[str, LedgerEntry]:
        """Run ingest once; the entries it recorded, by delivery."""
        landing = scan(self.landing, set(self.specs))
        now = datetime.now(UTC)
        recorded = ingest(
            landing, self.lake, self.ledger, self.specs, now, lambda entry: None, self.key
        )
        return {entry.delivery_id: entry for entry in recorded}

    def is_current(self) -> bool:
        landing = scan(self.landing, set(self.specs))
        return is_current(landing, self.ledger, self.specs, self.key)

    def entry(self, delivery_id: str) -> LedgerEntry:
        entry = self.ledger.get(delivery_id)
        assert entry is not None, f"{delivery_id} is not in the ledger"
        return entry

    def texts(self, delivery_id: str) -> list[str]:
        """The findings of a delivery as people read them."""
        return [finding.text(delivery_id) for finding in self.entry(delivery_id).findings]

    def query(self, sql: str, as_of: date = date.max) -> list[tuple[Any, ...]]:
        """Run SQL over the views that dbt reads."""
        with duckdb.connect() as connection:
            register_sources(connection, self.lake, self.ledger, self.specs, as_of)
            rows: list[tuple[Any, ...]] = connection.execute(sql).fetchall()
        return rows

    def rejects(self, delivery_id: str) -> list[tuple[Any, ...]]:
        """Quarantined rows: delivery, file, line, column, rule, value."""
        source, name = delivery_id.split("/")
        path = self.lake.quarantine / source / f"delivery={name}" / "rejects.parquet"
        if not path.exists():
            return []
        rows: list[tuple[Any, ...]] = duckdb.sql(
            "select delivery_id, source_file, source_line, source_column, rule, value"
            f" from read_parquet('{path}', hive_partitioning = false) order by all"
        ).fetchall()
        return rows


@pytest.fixture(scope="session")
def specs() -> dict[str, Spec]:
    """The project's own specs."""
    return load_specs()


@pytest.fixture(scope="session")
def new_home(
    tmp_path_factory: pytest.TempPathFactory, specs: dict[str, Spec]
) -> Callable[[], Home]:
    """Makes homes, for tests that need one an example."""
    return lambda: Home(tmp_path_factory.mktemp("home"), specs)


@pytest.fixture
def home(tmp_path: Path, specs: dict[str, Spec]) -> Home:
    """An empty home."""
    return Home(tmp_path, specs)
