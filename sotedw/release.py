"""Releases: immutable folders, and one atomic swap that publishes one."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Self

import duckdb
import pyarrow as pa

from ingest.casting import quoted
from ingest.files import file_digest, sync_folder, sync_tree
from ingest.lake import PARQUET
from ingest.ledger import LedgerEntry
from sotedw.build_state import BuildState, Month
from sotedw.dbt_artifacts import Table
from sotedw.home import DATABASE_NAME, RELEASE_VARIABLE, Home
from sotedw.quality import QUALITY_SOURCES, QUALITY_TABLES
from sotedw.sources import SourceState, any_synthetic

_log = logging.getLogger(__name__)

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
        state: What the tables stand for, and how they differ from the release before.
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
    state: BuildState


#: How a copied or moved release is opened; views of large facts read its own files then.
_ATTACH = f"""-- Opens this release wherever it stands. Run it in DuckDB from the release's folder,
-- or write the folder's path in place of the dot, in both lines:
--     duckdb -cmd ".read attach.sql"
set variable {RELEASE_VARIABLE} = '.';
attach './{DATABASE_NAME}' as warehouse (read_only);
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
        written = _write_tables(home, temporary, inputs, threads)
        (temporary / "analyses").mkdir()
        for name, path in inputs.analyses.items():
            shutil.copyfile(path, temporary / "analyses" / f"{name}.sql")
        (temporary / "attach.sql").write_text(_ATTACH, encoding="utf-8")
        (temporary / "reports").mkdir()
        (temporary / "reports" / "quality.html").write_text(inputs.report, encoding="utf-8")
        _write_manifest(temporary, inputs, written)
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


@dataclass(frozen=True)
class _Written:
    """A Parquet file of a release; its hash when it is known already."""

    row_count: int
    schema_version: str
    sha256: str | None = None


def _write_tables(
    home: Home, folder: Path, inputs: ReleaseInputs, threads: int
) -> dict[str, _Written]:
    """Write `warehouse.duckdb` and the Parquet files; returns what is known of each file."""
    parquet = folder / "parquet" / "internal"
    parquet.mkdir(parents=True)
    written: dict[str, _Written] = {}
    is_synthetic = any_synthetic(inputs.entries, inputs.as_of_date)
    before = _release_before(home, inputs)
    with duckdb.connect() as connection:
        connection.execute(f"set threads = {threads}")
        # Views are bound while the release still stands under its temporary name.
        connection.execute(f"set variable {RELEASE_VARIABLE} = {quoted(str(folder))}")
        # Under its own name: views of the build name their catalogue.
        connection.execute(f"attach {quoted(str(home.build_database))} as warehouse (read_only)")
        connection.execute(f"attach {quoted(str(folder / DATABASE_NAME))} as released")
        connection.register("quality_results", inputs.quality)
        sources = {table.name: f"warehouse.main.{table.name}" for table in inputs.tables}
        sources |= QUALITY_SOURCES
        for table in (*inputs.tables, *QUALITY_TABLES):
            if table.cut_by is not None:
                old = _MonthsBefore.of(connection, table, sources[table.name], inputs.state, before)
                written |= _write_months(
                    connection, table, sources[table.name], folder, old, is_synthetic, threads
                )
                _view(connection, table, home.releases / inputs.build_id)
                _comment(connection, table)
                continue
            rows_in_order = _in_order(table, sources[table.name])
            connection.execute(f"create table released.main.{table.name} as {rows_in_order}")
            _comment(connection, table)
            path = parquet / f"{table.name}.parquet"
            rows = _copy(connection, table, f"from released.main.{table.name}", path, is_synthetic)
            written[str(path.relative_to(folder))] = _Written(rows, table.schema_version)
        connection.unregister("quality_results")
        connection.execute("checkpoint released")
    return written


@dataclass(frozen=True)
class _Before:
    """The release that the tables were published as last: its folder and its manifest's files."""

    folder: Path
    manifest_files: Mapping[str, Mapping[str, Any]]

    def files(self, table: str) -> dict[str, _Kept]:
        """Files of a large fact: name under the release -> file."""
        return {
            name: _Kept(self.folder / name, item["row_count"], item["sha256"])
            for name, item in self.manifest_files.items()
            if name.startswith(f"{_months_folder(table)}/") and (self.folder / name).is_file()
        }


@dataclass(frozen=True)
class _Kept:
    """A file that a release may take from the one before."""

    path: Path
    row_count: int
    sha256: str


@dataclass(frozen=True)
class _MonthsBefore:
    """What the release before holds of a large fact.

    Attributes:
        files: Its files by name.
        stale: Names of those that differ now.
        changed: Table of the keys that were written anew since, and of their rows as they are now;
            None when nobody has listed them.
    """

    files: Mapping[str, _Kept]
    stale: Collection[str] = ()
    changed: tuple[str, str] | None = None

    @classmethod
    def of(
        cls,
        connection: duckdb.DuckDBPyConnection,
        table: Table,
        source: str,
        state: BuildState,
        before: _Before | None,
    ) -> Self:
        """The months of a table in the release before, and how the table differs from them."""
        months = state.months_to_write(table.name)
        if before is None or months is None:
            return cls({})
        files, stale = before.files(table.name), {_month_path(table.name, m) for m in months}
        if not stale or table.changed_by is None or not state.is_one_night:
            return cls(files, stale)
        (key,) = table.grain
        keys = f"warehouse.intermediate.{table.changed_by}"
        # In memory, where the threads that write the months find it.
        rows = f"memory.main.changed_{table.name}"
        is_changed = f"{key} in (select {key} from {keys})"
        if not table.is_view:
            # What a night writes stands together: the wide scan is kept to where that is.
            is_changed = f"rowid in (select rowid from {source} where {is_changed})"
        connection.execute(f"create table {rows} as from {source} where {is_changed}")
        return cls(files, stale, (keys, rows))

    def unchanged(self, name: str, row_count: int) -> _Kept | None:
        """The file of a month, if it can be shared as it is."""
        old = self.files.get(name)
        if old is None or name in self.stale or old.row_count != row_count:
            return None
        return old

    def continued(self, name: str, key: str, condition: str) -> str | None:
        """Rows of a month by its old file, which is read in a fraction of the table's time."""
        old = self.files.get(name)
        if old is None or self.changed is None:
            return None
        keys, rows = self.changed
        return (
            f"(from read_parquet({quoted(str(old.path))}, hive_partitioning = false)"
            f" anti join {keys} using ({key})"
            f" union all from {rows} where {condition})"
        )


def _release_before(home: Home, inputs: ReleaseInputs) -> _Before | None:
    """The release that the build state's changes are counted from, if its files can be shared."""
    if inputs.state.published is None:
        return None
    folder = home.releases / inputs.state.published
    try:
        manifest = read_manifest(folder)
    except FileNotFoundError:
        return None
    # Whether data are synthetic stands in every file's metadata.
    if manifest["is_synthetic"] != any_synthetic(inputs.entries, inputs.as_of_date):
        return None
    return _Before(folder, {item["path"]: item for item in manifest["files"]})


def _comment(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    kind = "table" if table.cut_by is None else "view"
    name = f"released.main.{table.name}"
    connection.execute(f"comment on {kind} {name} is {quoted(table.description)}")
    for column in table.columns:
        connection.execute(
            f"comment on column {name}.{column.name} is {quoted(column.description)}"
        )


def _in_order(table: Table, source: str, columns: str = "*") -> str:
    order = ", ".join(f"{name} nulls first" for name in table.grain)
    return f"select {columns} from {source} order by {order}"


def _copy(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    rows_in_order: str,
    path: Path,
    is_synthetic: bool,
) -> int:
    """One sorted file; what its columns mean travels in the file's metadata.

    No date and no build id in it: an unchanged table stays the same file from night to night.

    Returns:
        Rows written.
    """
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
        f"copy ({rows_in_order}) to {quoted(str(path))}"
        f" ({PARQUET}, kv_metadata {{sotedw: {quoted(text)}}})"
    ).fetchone()
    assert row is not None
    return int(row[0])


def _months_folder(table: str) -> str:
    return f"parquet/internal/{table}"


def _month_path(table: str, month: Month) -> str:
    name = "undated" if month is None else f"{month:%Y-%m}"
    return f"{_months_folder(table)}/{name}.parquet"


def _write_months(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    source: str,
    folder: Path,
    before: _MonthsBefore,
    is_synthetic: bool,
    threads: int,
) -> dict[str, _Written]:
    """A folder of sorted files, one a month; rows without a date have a file of their own.

    `COPY ... PARTITION_BY` on several threads is neither sorted nor repeatable. Files of months
    that have not changed are hard links to those of the release before.
    """
    (folder / _months_folder(table.name)).mkdir()
    column = table.cut_by
    # By day first: days are few, and rows are many.
    counts: dict[Month, int] = dict(
        connection.execute(
            "select cast(date_trunc('month', day) as date), cast(sum(row_count) as bigint)"
            f" from (select {column} as day, count(*) as row_count from {source} group by day)"
            " group by 1"
        ).fetchall()
    )
    # Always there, so that a table without rows still has a file with its columns.
    counts.setdefault(None, 0)

    def write(month: Month) -> tuple[str, _Written]:
        name = _month_path(table.name, month)
        old = before.unchanged(name, counts[month])
        if old is not None:
            os.link(old.path, folder / name)
            return name, _Written(old.row_count, table.schema_version, old.sha256)
        condition = f"{column} is null"
        if month is not None:
            first = f"date {quoted(month.isoformat())}"
            condition = f"{column} >= {first} and {column} < {first} + interval 1 month"
        rows = f"(from {source} where {condition})"
        continued = before.continued(name, table.grain[0], condition)
        with connection.cursor() as cursor:
            row_count = _copy_month(cursor, table, continued or rows, folder / name, is_synthetic)
            if row_count != counts[month]:
                _log.warning("%s is written from the table: the old file did not fit", name)
                row_count = _copy_month(cursor, table, rows, folder / name, is_synthetic)
        return name, _Written(row_count, table.schema_version, file_digest(folder / name))

    # A file's sort and its last pages are one thread's work: another file fills the others.
    with ThreadPoolExecutor(threads) as pool:
        return dict(pool.map(write, sorted(counts, key=lambda month: month or date.max)))


def _copy_month(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    source: str,
    path: Path,
    is_synthetic: bool,
) -> int:
    """A sorted file of a large fact, its codes as enumerations of those that it holds.

    They are texts to whoever reads the file, while the sort carries a byte in place of each text,
    which takes a quarter less time.

    Returns:
        Rows written.
    """
    distinct = [f"list(distinct {name})" for name in table.coded]
    selected = ", ".join(["count(*)", *distinct])
    row = connection.execute(f"select {selected} from {source}").fetchone()
    assert row is not None
    codes = ", ".join(
        f"cast({name} as enum ({', '.join(map(quoted, sorted(values)))})) as {name}"
        for name, found in zip(table.coded, row[1:], strict=True)
        if (values := set(found or ()) - {None})
    )
    in_order = _in_order(table, source, f"* replace ({codes})" if codes else "*")
    return _copy(connection, table, in_order, path, is_synthetic)


def _view(connection: duckdb.DuckDBPyConnection, table: Table, release: Path) -> None:
    """A view over the files of a large fact, where they stand or where `attach.sql` says."""
    connection.execute(
        f"create view released.main.{table.name} as select * from read_parquet("
        f"coalesce(getvariable('{RELEASE_VARIABLE}'), {quoted(str(release))})"
        f" || '/{_months_folder(table.name)}/*.parquet')"
    )


# --- manifest -------------------------------------------------------------------------------------


def _write_manifest(folder: Path, inputs: ReleaseInputs, written: Mapping[str, _Written]) -> None:
    files = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        name = str(path.relative_to(folder))
        parquet = written.get(name)
        files.append(
            {
                "path": name,
                "sha256": (parquet and parquet.sha256) or file_digest(path),
                "bytes": path.stat().st_size,
                "row_count": parquet and parquet.row_count,
                "schema_version": parquet and parquet.schema_version,
            }
        )
    manifest = {
        "manifest_version": MANIFEST_VERSION,
        "build_id": inputs.build_id,
        "as_of_date": inputs.as_of_date.isoformat(),
        "code_version": inputs.code_version,
        "is_synthetic": any_synthetic(inputs.entries, inputs.as_of_date),
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


def _share_unchanged_files(folder: Path, previous: Path) -> None:
    """Hard-link files that the release before holds with the same bytes."""
    hashes = {item["path"]: item["sha256"] for item in read_manifest(folder)["files"]}
    known = {item["path"]: item["sha256"] for item in read_manifest(previous)["files"]}
    for path in sorted(folder.rglob("*.parquet")):
        name = str(path.relative_to(folder))
        twin = previous / name
        if path.stat().st_nlink > 1:
            continue
        if known.get(name) == hashes[name] and twin.is_file():
            path.unlink()
            os.link(twin, path)
