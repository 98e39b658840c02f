"""Releases: immutable folders, and one atomic swap that publishes one."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ingest.casting import quoted
from ingest.files import sync_folder, sync_tree
from ingest.ledger import LedgerEntry
from sotedw.dbt_artifacts import Table
from sotedw.home import DATABASE_NAME, RELEASE_VARIABLE, Home
from sotedw.quality import QUALITY_SOURCES, QUALITY_TABLES
from sotedw.sources import SourceState

#: Layout of `manifest.json`; raised when a reader would have to change.
MANIFEST_VERSION = 1


@dataclass(frozen=True)
class ReleaseInputs:
    """What a release is made of besides the build's database.

    Attributes:
        build_id: Its id.
        as_of_date: The date it speaks as of.
        code_version: Hash of the code that built it.
        tables: Tables to publish.
        analyses: Name -> compiled SQL file.
        entries: The ledger.
        sources: State of each source.
        quality: Rows of `fct_quality_results`.
        report: The quality report, HTML.
    """

    build_id: str
    as_of_date: date
    code_version: str
    tables: Sequence[Table]
    analyses: Mapping[str, Path]
    entries: Iterable[LedgerEntry]
    sources: Sequence[SourceState]
    quality: pa.Table
    report: str


#: How a copied or moved release is opened; views of large facts read its own files then.
_ATTACH = f"""-- Opens this release wherever it stands. Run it in DuckDB from the release's folder,
-- or write the folder's path in place of the dot:
--     duckdb -cmd ".read attach.sql"
set variable {RELEASE_VARIABLE} = '.';
attach '{DATABASE_NAME}' as warehouse (read_only);
use warehouse;
"""


def write_release(home: Home, inputs: ReleaseInputs, threads: int) -> Path:
    """Write a whole release beside the others; it is not published yet.

    Returns:
        Its folder, complete and flushed to disk.
    """
    folder = home.releases / inputs.build_id
    temporary = home.releases / f".{inputs.build_id}.tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        rows = _write_tables(home, temporary, inputs, threads)
        (temporary / "analyses").mkdir()
        for name, path in inputs.analyses.items():
            shutil.copyfile(path, temporary / "analyses" / f"{name}.sql")
        (temporary / "attach.sql").write_text(_ATTACH, encoding="utf-8")
        (temporary / "reports").mkdir()
        (temporary / "reports" / "quality.html").write_text(inputs.report, encoding="utf-8")
        _write_manifest(temporary, inputs, rows)
        previous = home.current_release()
        if previous is not None:
            _share_unchanged_files(temporary, previous)
        for path in temporary.rglob("*"):
            if path.is_file():
                path.chmod(0o444)
        sync_tree(temporary)
        temporary.rename(folder)
        sync_folder(home.releases)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def publish(home: Home, release: Path) -> None:
    """Point `current` to a release: one rename, so a reader sees the old one or the new one."""
    link = home.root / ".current.tmp"
    link.unlink(missing_ok=True)
    link.symlink_to(release.relative_to(home.root))
    link.replace(home.current)
    sync_folder(home.root)


def read_manifest(release: Path) -> dict[str, Any]:
    """The manifest of a release."""
    manifest: dict[str, Any] = json.loads((release / "manifest.json").read_text(encoding="utf-8"))
    return manifest


# --- tables ---------------------------------------------------------------------------------------


def _write_tables(
    home: Home, folder: Path, inputs: ReleaseInputs, threads: int
) -> dict[str, tuple[int, str]]:
    """Write `warehouse.duckdb` and the Parquet files; returns rows and schema version by file."""
    parquet = folder / "parquet" / "internal"
    parquet.mkdir(parents=True)
    written: dict[str, tuple[int, str]] = {}
    is_synthetic = _is_synthetic(inputs)
    with duckdb.connect(str(folder / DATABASE_NAME)) as connection:
        connection.execute(f"set threads = {threads}")
        # Views are bound while the release still stands under its temporary name.
        connection.execute(f"set variable {RELEASE_VARIABLE} = {quoted(str(folder))}")
        connection.execute(f"attach {quoted(str(home.build_database))} as build (read_only)")
        connection.register("quality_results", inputs.quality)
        sources = {table.name: f"build.main.{table.name}" for table in inputs.tables}
        sources |= QUALITY_SOURCES
        for table in (*inputs.tables, *QUALITY_TABLES):
            if table.cut_by is not None:
                source = sources[table.name]
                for path, rows in _copy_months(connection, table, source, parquet, is_synthetic):
                    written[str(path.relative_to(folder))] = (rows, table.schema_version)
                _view(connection, table, home.releases / inputs.build_id)
                _comment(connection, table)
                continue
            order = ", ".join(f"{name} nulls first" for name in table.grain)
            connection.execute(
                f"create table main.{table.name} as"
                f" select * from {sources[table.name]} order by {order}"
            )
            _comment(connection, table)
            path = parquet / f"{table.name}.parquet"
            _copy(connection, table, f"main.{table.name}", path, is_synthetic)
            written[str(path.relative_to(folder))] = (
                _count(connection, table.name),
                table.schema_version,
            )
        connection.unregister("quality_results")
        connection.execute("detach build")
        connection.execute("checkpoint")
    return written


def _is_synthetic(inputs: ReleaseInputs) -> bool:
    """Whether generated data are among the inputs: then nothing of the release is about anybody."""
    return any(
        entry.is_synthetic and entry.delivery_date <= inputs.as_of_date for entry in inputs.entries
    )


def _comment(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    kind = "table" if table.cut_by is None else "view"
    connection.execute(f"comment on {kind} main.{table.name} is {quoted(table.description)}")
    for column in table.columns:
        connection.execute(
            f"comment on column main.{table.name}.{column.name} is {quoted(column.description)}"
        )


def _copy(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    source: str,
    path: Path,
    is_synthetic: bool,
) -> int:
    """One sorted file; what its columns mean travels in the file's metadata.

    No date and no build id in it: an unchanged table stays the same file from night to night.

    Returns:
        Rows written.
    """
    order = ", ".join(f"{name} nulls first" for name in table.grain)
    metadata: dict[str, Any] = {
        "description": table.description,
        "owner": table.owner,
        "sensitivity": table.sensitivity,
        "grain": list(table.grain),
        "schema_version": table.schema_version,
        "columns": {column.name: column.description for column in table.columns},
    }
    if is_synthetic:
        metadata["is_synthetic"] = True
    text = json.dumps(metadata, ensure_ascii=False, sort_keys=True)
    row = connection.execute(
        f"copy (select * from {source} order by {order}) to {quoted(str(path))}"
        f" (format parquet, compression zstd, kv_metadata {{sotedw: {quoted(text)}}})"
    ).fetchone()
    assert row is not None
    return int(row[0])


def _copy_months(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    source: str,
    parquet: Path,
    is_synthetic: bool,
) -> Iterator[tuple[Path, int]]:
    """A folder of sorted files, one a month; rows without a date have a file of their own.

    `COPY ... PARTITION_BY` on several threads is neither sorted nor repeatable.
    """
    folder = parquet / table.name
    folder.mkdir()
    column = table.cut_by
    months = [
        month
        for (month,) in connection.execute(
            f"select distinct date_trunc('month', {column}) from {source}"
            f" where {column} is not null order by 1"
        ).fetchall()
    ]
    for month in months:
        path = folder / f"{month:%Y-%m}.parquet"
        first = f"date {quoted(f'{month:%Y-%m-%d}')}"
        rows = (
            f"(from {source} where {column} >= {first} and {column} < {first} + interval 1 month)"
        )
        yield path, _copy(connection, table, rows, path, is_synthetic)
    # Always there, so that a table without rows still has a file with its columns.
    path = folder / "undated.parquet"
    rows = f"(from {source} where {column} is null)"
    yield path, _copy(connection, table, rows, path, is_synthetic)


def _view(connection: duckdb.DuckDBPyConnection, table: Table, release: Path) -> None:
    """A view over the files of a large fact, where they stand or where `attach.sql` says."""
    connection.execute(
        f"create view main.{table.name} as select * from read_parquet("
        f"coalesce(getvariable('{RELEASE_VARIABLE}'), {quoted(str(release))})"
        f" || '/parquet/internal/{table.name}/*.parquet')"
    )


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"select count(*) from main.{table}").fetchone()
    assert row is not None
    return int(row[0])


# --- manifest -------------------------------------------------------------------------------------


def _write_manifest(
    folder: Path, inputs: ReleaseInputs, rows: Mapping[str, tuple[int, str]]
) -> None:
    files = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        name = str(path.relative_to(folder))
        row_count, schema_version = rows.get(name, (None, None))
        files.append(
            {
                "path": name,
                "sha256": file_hash(path),
                "bytes": path.stat().st_size,
                "row_count": row_count,
                "schema_version": schema_version,
            }
        )
    manifest = {
        "manifest_version": MANIFEST_VERSION,
        "build_id": inputs.build_id,
        "as_of_date": inputs.as_of_date.isoformat(),
        "code_version": inputs.code_version,
        "is_synthetic": _is_synthetic(inputs),
        "deliveries": [
            {
                "delivery_id": entry.delivery_id,
                "content_hash": entry.content_hash,
                "outcome": entry.outcome,
                "source_document_id": entry.document_id,
                "source_table": entry.document_table,
                "rows_in": entry.rows_in,
                "rows_loaded": entry.rows_loaded,
                "rows_duplicate": entry.rows_duplicate,
                "rows_quarantined": entry.rows_quarantined,
                "rows_refused": entry.rows_refused,
                "findings": [finding.text(entry.delivery_id) for finding in entry.findings],
            }
            for entry in inputs.entries
            if entry.delivery_date <= inputs.as_of_date
        ],
        "sources": [
            {**asdict(state), "stale_since": _iso(state.stale_since)} for state in inputs.sources
        ],
        "files": files,
    }
    text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
    (folder / "manifest.json").write_text(text, encoding="utf-8")


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _share_unchanged_files(folder: Path, previous: Path) -> None:
    """Hard-link files that the release before holds with the same bytes."""
    hashes = {item["path"]: item["sha256"] for item in read_manifest(folder)["files"]}
    known = {item["path"]: item["sha256"] for item in read_manifest(previous)["files"]}
    for path in sorted(folder.rglob("*.parquet")):
        name = str(path.relative_to(folder))
        twin = previous / name
        if known.get(name) == hashes[name] and twin.is_file():
            path.unlink()
            os.link(twin, path)
