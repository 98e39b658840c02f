"""What dbt leaves in its target folder: tables with descriptions, test results, compiled SQL."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Where dbt's tests stand in OHDSI's classes, unless a test's own `meta.category` says otherwise.
_CATEGORIES = {"not_null": "completeness", "accepted_values": "conformance",
               "unique": "conformance", "unique_grain": "conformance",
               "rows_of_the_ledger": "completeness",
               "references": "conformance"}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A column of a published table."""

    name: str
    description: str


@dataclass(frozen=True)
class Table:
    """A table that the models make and a release publishes.

    Attributes:
        name: Its name.
        description: What one row is.
        owner: Steward who answers for it.
        sensitivity: `public` or `internal`.
        grain: Columns that identify a row; exports are sorted by them.
        columns: Its columns in order.
        schema_version: Hash of names and types, so that readers notice a change.
        cut_by: Date column by whose month the export is cut into files; None for one file.
        changed_by: Model that lists the keys of the rows that a night writes anew, if one does.
        coded: Text columns with few values: all but its identifiers, when it is cut into files.
        is_view: It is no table in the build's database.
    """

    name: str
    description: str
    owner: str
    sensitivity: str
    grain: tuple[str, ...]
    columns: tuple[Column, ...]
    schema_version: str
    cut_by: str | None = None
    changed_by: str | None = None
    coded: tuple[str, ...] = ()
    is_view: bool = False


@dataclass(frozen=True)
class DataTest:
    """A dbt test that ran.

    Attributes:
        check_id: Its name.
        table_name: Table it judges.
        severity: `blocker` or `warning`.
        outcome: `passed`, `failed`, `error`.
        failures: Rows it found; None when it could not run.
        failing_sql: Query for all of them, for the build's database.
    """

    check_id: str
    table_name: str
    category: str
    severity: str
    outcome: str
    failures: int | None
    owner: str
    description: str
    message: str | None
    failing_sql: str | None


@dataclass(frozen=True)
class Transformed:
    """What dbt left: published tables, data tests, compiled analyses (name -> file)."""

    tables: tuple[Table, ...]
    tests: tuple[DataTest, ...]
    analyses: Mapping[str, Path]


def read_artifacts(target: Path) -> Transformed:
    """Read manifest, test results and compiled analyses of the last `sotedw.dbt_process`."""
    manifest: dict[str, Any] = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    results: dict[str, Any] = json.loads((target / "run_results.json").read_text(encoding="utf-8"))
    return Transformed(
        _tables(manifest), _tests(manifest, results["results"]), _analyses(manifest, target)
    )


def _tables(manifest: Mapping[str, Any]) -> tuple[Table, ...]:
    tables = []
    for node in manifest["nodes"].values():
        if node["resource_type"] != "model" or node["fqn"][1] != "marts":
            continue
        meta = node["config"]["meta"]
        shape = [(name, column["data_type"]) for name, column in node["columns"].items()]
        cut_by = meta.get("cut_by")
        identifiers = meta["identifiers"] if cut_by else ()
        tables.append(
            Table(
                name=node["name"],
                description=_one_line(node["description"]),
                owner=meta["owner"],
                sensitivity=meta["sensitivity"],
                grain=tuple(meta["grain"]),
                columns=tuple(
                    Column(name, _one_line(column["description"]))
                    for name, column in node["columns"].items()
                ),
                schema_version=hashlib.sha256(json.dumps(shape).encode()).hexdigest()[:12],
                cut_by=cut_by,
                changed_by=meta.get("changed_by"),
                coded=tuple(
                    name
                    for name, type_ in shape
                    if cut_by and type_ == "varchar" and name not in identifiers
                ),
                is_view=node["config"]["materialized"] == "view",
            )
        )
    return tuple(sorted(tables, key=lambda table: table.name))


def _tests(manifest: Mapping[str, Any], results: list[Mapping[str, Any]]) -> tuple[DataTest, ...]:
    tests = []
    for result in results:
        node = manifest["nodes"][result["unique_id"]]
        table = _tested_table(manifest, node)
        kind = (node.get("test_metadata") or {}).get("name", "singular")
        meta = node["config"].get("meta") or {}
        outcome = {"pass": "passed", "fail": "failed", "warn": "failed"}.get(
            result["status"], "error"
        )
        tests.append(
            DataTest(
                check_id=node["name"],
                table_name=table["name"] if table else "",
                category=meta.get("category", _CATEGORIES.get(kind, "conformance")),
                severity="warning" if node["config"]["severity"].lower() == "warn" else "blocker",
                outcome=outcome,
                failures=None if outcome == "error" else int(result["failures"] or 0),
                owner=meta.get("owner") or _owner(table),
                description=_one_line(node.get("description") or "") or _describe(node, kind),
                message=result["message"] if outcome == "error" else None,
                failing_sql=result.get("compiled_code") if outcome == "failed" else None,
            )
        )
    return tuple(sorted(tests, key=lambda test: test.check_id))


def _tested_table(manifest: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The table a test is about: the one it is attached to, else the first it reads."""
    names = [node.get("attached_node"), *node["depends_on"]["nodes"]]
    for name in names:
        if name in manifest["nodes"]:
            table: Mapping[str, Any] = manifest["nodes"][name]
            return table
    return None


def _owner(table: Mapping[str, Any] | None) -> str:
    meta = (table or {}).get("config", {}).get("meta") or {}
    return str(meta.get("owner", "data_platform"))


def _describe(node: Mapping[str, Any], kind: str) -> str:
    arguments = (node.get("test_metadata") or {}).get("kwargs", {})
    inner = arguments.get("arguments", arguments)
    column = node.get("column_name") or ", ".join(inner.get("columns", []))
    match kind:
        case "unique" | "unique_grain":
            return f"No two rows have the same {column}."
        case "not_null":
            return f"Every row has {column}."
        case "rows_of_the_ledger":
            return "Each delivery has the rows that its ledger entry says are loaded."
        case "references":
            pointing = ", ".join(
                f"{name} in {target['to']}" for name, target in inner["columns"].items()
            )
            return f"What the columns point to exists: {pointing}."
        case _:
            return str(node["name"]).replace("_", " ")


def _analyses(manifest: Mapping[str, Any], target: Path) -> dict[str, Path]:
    return {
        node["name"]: target / "compiled" / node["package_name"] / node["original_file_path"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "analysis"
    }


def _one_line(text: str) -> str:
    return " ".join(text.split())
