"""The access models over deliveries of a test, without a dbt run of their own.

The compiled SQL of a built home is executed on a fresh database, with another as-of date and other
deliveries: the models themselves, seconds faster. That dbt builds the same from them is what the
end-to-end tests see.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from ingest.lake import Lake
from ingest.landing import scan
from ingest.ledger import Ledger, LedgerEntry
from ingest.pipeline import ingest, register_sources
from ingest.pseudonyms import PseudonymKey
from ingest.spec import load_specs
from tests.dbt import run_dbt, saved_parse

KEY = PseudonymKey(b"a key of the tests, not of anybody else")

_CATALOGUE = "warehouse"


@dataclass(frozen=True)
class _Model:
    """A model as dbt compiled it.

    Attributes:
        relation: Schema and name.
        sql: Its query.
        forgets: What a night removes from it: condition of `delete`; None when it is no
            incremental model.
    """

    relation: str
    sql: str
    forgets: str | None


class AccessModels:
    """Compiled models of a built home.

    Args:
        home: A home built from the checkout (`built_home`).
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._database = home / "build" / "warehouse.duckdb"
        target = home / "build" / "target"
        run = json.loads((home / "current" / "manifest.json").read_text(encoding="utf-8"))
        self._as_of = str(run["as_of_date"])
        self._models = _compiled(target)
        self._night_models: list[_Model] = []

    def compile_nights(self, folder: Path) -> None:
        """Have dbt compile the models as a night that continues tables runs them.

        Args:
            folder: A folder for what dbt writes.
        """
        # A copy: dbt locks it, and other tests read the home.
        shutil.copy(self._database, folder / self._database.name)
        compiled = run_dbt(
            folder, "compile",
            "--select", "+path:models/intermediate/access", "+path:models/marts/access",
            *saved_parse(self._home),
            variables={
                "SOTEDW_BUILD_AS_OF_DATE": self._as_of,
                "SOTEDW_BUILD_PREVIOUS_AS_OF_DATE": self._as_of,
            },
        )  # fmt: skip
        assert compiled.returncode == 0, compiled.stdout + compiled.stderr
        self._night_models = _compiled(folder / "target")

    def run(self, connection: duckdb.DuckDBPyConnection, as_of: date) -> None:
        """Compute everything, over the schema `lake`."""
        for model in self._models:
            connection.execute(
                f"create or replace table {model.relation} as {self._dated(model, as_of)}"
            )

    def run_night(self, connection: duckdb.DuckDBPyConnection, as_of: date) -> None:
        """Continue the tables that `run` or a night before has left."""
        assert self._night_models, "compile_nights first"
        for model in self._night_models:
            sql = self._dated(model, as_of)
            if model.forgets is None:
                connection.execute(f"create or replace table {model.relation} as {sql}")
            else:
                connection.execute(f"delete from {model.relation} where {model.forgets}")
                connection.execute(f"insert into {model.relation} {sql}")

    def _dated(self, model: _Model, as_of: date) -> str:
        return model.sql.replace(f"'{self._as_of}'", f"'{as_of.isoformat()}'")

    @contextmanager
    def database(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A fresh database in memory, with the seeds and the schemas of the models."""
        with duckdb.connect() as connection:
            connection.execute(f"attach ':memory:' as {_CATALOGUE}")
            connection.execute(f"use {_CATALOGUE}")
            self._copy_seeds(connection)
            for schema in {model.relation.split(".")[0] for model in self._models}:
                connection.execute(f"create schema if not exists {schema}")
            yield connection

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
        with self.database() as connection:
            register_sources(connection, lake, ledger, specs, as_of)
            self.run(connection, as_of)
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


def _compiled(target: Path) -> list[_Model]:
    """The access models and those they need, parents first."""
    nodes = json.loads((target / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    models: dict[str, _Model] = {}

    def add(name: str) -> None:
        if name in models or not name.startswith("model."):
            return
        node = nodes[name]
        for parent in node["depends_on"]["nodes"]:
            add(parent)
        compiled = target / "compiled" / node["package_name"] / node["original_file_path"]
        models[name] = _Model(
            f"{node['schema']}.{node['name']}",
            compiled.read_text(encoding="utf-8"),
            _forgets(node, nodes) if node["config"]["materialized"] == "incremental" else None,
        )

    for name, node in nodes.items():
        if "access" in node["fqn"] and node["resource_type"] == "model":
            add(name)
    return list(models.values())


def _forgets(node: Mapping[str, Any], nodes: Mapping[str, Any]) -> str:
    """What the hook of an incremental model removes: `forget(key, listed_by)`."""
    (hook,) = node["config"]["pre-hook"]
    call = re.fullmatch(r"\{\{ forget\('(\w+)', '(\w+)'\) \}\}", hook["sql"].strip())
    assert call, hook
    key, listed_by = call.groups()
    (schema,) = {item["schema"] for item in nodes.values() if item["name"] == listed_by}
    return f"{key} in (select {key} from {schema}.{listed_by})"


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
