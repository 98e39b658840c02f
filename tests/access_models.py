"""The access models over deliveries of a test, without a dbt run of their own.

The compiled SQL of a built home is executed on a fresh database, with another as-of date and other
deliveries: the models themselves, seconds faster. That dbt builds the same from them is what the
end-to-end tests see.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from ingest.landing import scan
from ingest.ledger import Ledger, LedgerEntry
from ingest.pipeline import Lake, ingest, register_sources
from ingest.pseudonyms import PseudonymKey
from ingest.spec import load_specs

KEY = PseudonymKey(b"a key of the tests, not of anybody else")

_CATALOGUE = "warehouse"


class AccessModels:
    """Compiled models of a built home.

    Args:
        home: A home built from the checkout (`built_home`).
    """

    def __init__(self, home: Path) -> None:
        self._database = home / "build" / "warehouse.duckdb"
        target = home / "build" / "target"
        manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
        run = json.loads((home / "current" / "manifest.json").read_text(encoding="utf-8"))
        self._as_of = str(run["as_of_date"])
        nodes = manifest["nodes"]
        self._models: list[tuple[str, str, str]] = []
        done: set[str] = set()

        def add(name: str) -> None:
            if name in done or not name.startswith("model."):
                return
            done.add(name)
            node = nodes[name]
            for parent in node["depends_on"]["nodes"]:
                add(parent)
            compiled = target / "compiled" / node["package_name"] / node["original_file_path"]
            self._models.append(
                (node["schema"], node["name"], compiled.read_text(encoding="utf-8"))
            )

        for name, node in nodes.items():
            if "access" in node["fqn"] and node["resource_type"] == "model":
                add(name)

    @contextmanager
    def built(
        self, landing: Path, folder: Path, as_of: date
    ) -> Iterator[tuple[duckdb.DuckDBPyConnection, list[LedgerEntry]]]:
        """A database with the models over a landing folder, and the ledger.

        Args:
            landing: Deliveries.
            folder: Where the lake goes; an old one there is emptied.
            as_of: The build's date.
        """
        shutil.rmtree(folder, ignore_errors=True)
        specs = load_specs()
        lake = Lake(folder / "lake")
        ledger = Ledger(lake.ledger)
        found = scan(landing, set(specs))
        ingest(found, lake, ledger, specs, datetime(2024, 1, 1, tzinfo=UTC), lambda _: None, KEY)
        with duckdb.connect() as connection:
            connection.execute(f"attach ':memory:' as {_CATALOGUE}")
            connection.execute(f"use {_CATALOGUE}")
            self._copy_seeds(connection)
            register_sources(connection, lake, ledger, specs, as_of)
            for schema, name, sql in self._models:
                connection.execute(f"create schema if not exists {schema}")
                dated = sql.replace(f"'{self._as_of}'", f"'{as_of.isoformat()}'")
                connection.execute(f"create table {schema}.{name} as {dated}")
            yield connection, list(ledger)

    def _copy_seeds(self, connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute(f"attach '{self._database}' as built (read_only)")
        connection.execute("create schema if not exists seeds")
        for (name,) in connection.execute(
            "select table_name from duckdb_tables()"
            " where database_name = 'built' and schema_name = 'seeds'"
        ).fetchall():
            connection.execute(f"create table seeds.{name} as from built.seeds.{name}")
        connection.execute("detach built")


def rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """Rows of a query as mappings."""
    result = connection.execute(query)
    assert result.description is not None
    names = [column[0] for column in result.description]
    return [dict(zip(names, values, strict=True)) for values in result.fetchall()]


def write_deliveries(landing: Path, texts: Mapping[str, str]) -> Path:
    """Write csv deliveries of care events: folder name -> text."""
    for name, text in texts.items():
        folder = landing / "care_events" / name
        folder.mkdir(parents=True)
        (folder / "events.csv").write_text(text, encoding="utf-8")
    return landing


def pseudonym_of(client: str) -> str:
    """The pseudonym of a normalised client id."""
    return KEY.pseudonym("client", client)
