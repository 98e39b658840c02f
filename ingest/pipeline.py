"""Ingest as the build runs it: what is new in `landing/` goes to the lake and into the ledger."""

from __future__ import annotations

import csv
import hashlib
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa

from ingest.casting import quoted
from ingest.codes import SEED_FOLDER, CodeTable, load_code_tables, seed_files
from ingest.errors import Finding, SpecError
from ingest.lake import Lake
from ingest.landing import Delivery, Landing
from ingest.ledger import FindingRecord, Ledger, LedgerEntry
from ingest.loader import Context, duplicate_entry, load_delivery
from ingest.pseudonyms import MissingKey, PseudonymKey
from ingest.rows import lake_folder
from ingest.spec import SPEC_FOLDER, Spec, fingerprint

#: Schema of the views over the lake in the build's database: dbt's sources.
LAKE_SCHEMA = "lake"

_DELIVERY_COLUMNS = (
    ("delivery_id", pa.string()),
    ("source_name", pa.string()),
    ("delivery_date", pa.date32()),
    ("delivery_number", pa.int32()),
    ("outcome", pa.string()),
    ("source_document_id", pa.string()),
    ("source_table", pa.string()),
    ("source_section", pa.string()),
    ("rows_in_count", pa.int64()),
    ("rows_loaded_count", pa.int64()),
    ("rows_duplicate_count", pa.int64()),
    ("rows_quarantined_count", pa.int64()),
    ("rows_refused_count", pa.int64()),
    ("is_new", pa.bool_()),
)


def spec_versions(specs: Mapping[str, Spec], key: PseudonymKey | None) -> dict[str, str]:
    """Source -> hash of its spec, the code tables, the code that reads deliveries and the key.

    A delivery is loaded again when its source's version changes, so that an old home and a fresh
    one agree. The key counts for personal sources: a new key makes new pseudonyms of all.
    """
    shared = fingerprint([*Path(__file__).parent.glob("*.py"), *seed_files(), _documents_file()])
    versions = {}
    for source, spec in sorted(specs.items()):
        version = f"{shared}{fingerprint([SPEC_FOLDER / f'{source}.yml'])}"
        if spec.is_personal and key is not None:
            version += key.fingerprint
        versions[source] = hashlib.sha256(version.encode()).hexdigest()
    return versions


def ingest(
    landing: Landing,
    lake: Lake,
    ledger: Ledger,
    specs: Mapping[str, Spec],
    now: datetime,
    progress: Callable[[LedgerEntry], None],
    key: PseudonymKey | None = None,
    threads: int = 2,
) -> list[LedgerEntry]:
    """Load what is new or changed.

    Args:
        landing: What stands in the landing folder.
        lake: Where rows go.
        ledger: What has been loaded; entries are recorded as they are made.
        specs: Specs by source.
        now: UTC time of the run, for the ledger only.
        progress: Called with each entry as it is recorded.
        key: Key of pseudonyms; needed when a delivery holds personal identifiers.
        threads: Threads to use for bulk sources.

    Returns:
        The entries recorded in this call.

    Raises:
        MissingKey: there are personal identifiers and no key, or rows stay under an earlier key.
    """
    personal = frozenset(source for source, spec in specs.items() if spec.is_personal)
    _require_key(landing, ledger, personal, key)
    codes = load_code_tables()
    _require_code_tables(specs, codes)
    recorded: list[LedgerEntry] = []
    with duckdb.connect() as connection:
        context = Context(
            raw_folder=lake.raw,
            quarantine_folder=lake.quarantine,
            codes=codes,
            documents=_document_ids(),
            spec_versions=spec_versions(specs, key),
            now=now,
            connection=connection,
            key=key,
            personal_sources=personal,
        )
        for delivery, before in _with_predecessor(landing, ledger):
            entry = ledger.get(delivery.delivery_id)
            match _decide(delivery, entry, before, context.spec_versions):
                case "keep":
                    continue
                case "load":
                    spec = specs[delivery.source]
                    # On some hundred rows a second thread costs more than it gives.
                    connection.execute(f"set threads = {threads if spec.bulk else 1}")
                    update = load_delivery(spec, delivery, context)
                case "skip_twin":
                    assert before is not None
                    update = duplicate_entry(delivery, before, context)
                case "refuse_change":
                    assert entry is not None
                    update = _refused_change(entry, delivery, _next_name(entry, landing, ledger))
                case "restore":
                    assert entry is not None
                    update = _without_change(entry)
            ledger.record(update)
            recorded.append(update)
            progress(update)
    return recorded


def _require_key(
    landing: Landing, ledger: Ledger, personal: frozenset[str], key: PseudonymKey | None
) -> None:
    """One key for all rows, or a person would be two."""
    landed = {
        item.delivery_id: item.content_hash
        for item in landing.deliveries
        if item.source in personal
    }
    if key is None:
        if landed:
            raise MissingKey(
                f"{len(landed)} deliveries hold personal identifiers (first {min(landed)}) and"
                " there is no key to make pseudonyms with: set SOTEDW_PSEUDONYM_KEY, or"
                " SOTEDW_PSEUDONYM_KEY_FILE to a file that holds it (openssl rand -hex 32)"
            )
        return
    left = [
        entry.delivery_id
        for entry in ledger
        if entry.key_fingerprint not in (None, key.fingerprint)
        and landed.get(entry.delivery_id) != entry.content_hash
    ]
    if left:
        raise MissingKey(
            f"{len(left)} deliveries (first {min(left)}) were loaded with another key and have left"
            " the landing folder or changed in it: set the key they were loaded with, or put their"
            " files back, so that they are loaded again with the new key"
        )


def _require_code_tables(specs: Mapping[str, Spec], codes: Mapping[str, CodeTable]) -> None:
    for source, spec in specs.items():
        for name, column in spec.columns.items():
            if column.codes is not None and column.codes not in codes:
                raise SpecError(f"spec {source}: column {name} names no code table {column.codes}")


def is_current(
    landing: Landing,
    ledger: Ledger,
    specs: Mapping[str, Spec],
    key: PseudonymKey | None = None,
) -> bool:
    """Whether the ledger already knows everything that stands in the landing folder."""
    versions = spec_versions(specs, key)
    return all(
        _decide(delivery, ledger.get(delivery.delivery_id), before, versions) == "keep"
        for delivery, before in _with_predecessor(landing, ledger)
    )


def _with_predecessor(
    landing: Landing, ledger: Ledger
) -> Iterator[tuple[Delivery, LedgerEntry | None]]:
    """Each delivery with the loaded one just before it in its source.

    The predecessor may have left the landing folder: the ledger knows it still.
    """
    loaded: dict[str, list[LedgerEntry]] = {}
    for entry in ledger:
        if entry.outcome == "loaded":
            loaded.setdefault(entry.source, []).append(entry)
    for delivery in landing.deliveries:
        # What was loaded a moment ago is in the ledger, and not among those listed above.
        known = loaded.setdefault(delivery.source, [])
        keys = [entry.key for entry in known]
        position = bisect_left(keys, delivery.key)
        yield delivery, (known[position - 1] if position else None)
        update = ledger.get(delivery.delivery_id)
        is_listed = position < len(known) and known[position].key == delivery.key
        if update is not None and update.outcome == "loaded":
            known[position : position + is_listed] = [update]
        elif is_listed:
            del known[position]


def _decide(
    delivery: Delivery,
    entry: LedgerEntry | None,
    before: LedgerEntry | None,
    versions: Mapping[str, str],
) -> Literal["keep", "load", "skip_twin", "refuse_change", "restore"]:
    """What is to be done with a delivery.

    A delivery whose content equals its predecessor's is a twin and not loaded: it would restate
    the same values. The predecessor, and not any earlier one, because figures between them may
    have been restated and restated back.
    """
    is_twin = before is not None and before.content_hash == delivery.content_hash
    if entry is not None and delivery.content_hash != entry.content_hash:
        if entry.outcome == "loaded":
            is_known = delivery.content_hash == entry.refused_change
            return "keep" if is_known else "refuse_change"
    elif (
        entry is not None
        and entry.spec_version == versions[delivery.source]
        and (entry.outcome == "duplicate") == is_twin
    ):
        return "keep" if entry.refused_change is None else "restore"
    return "skip_twin" if is_twin else "load"


def _refused_change(entry: LedgerEntry, delivery: Delivery, next_name: str) -> LedgerEntry:
    loaded = {file.name: file.sha256 for file in entry.files}
    landed = {file.name: file.sha256 for file in delivery.all_files}
    changed = sorted(
        name for name in loaded.keys() | landed.keys() if loaded.get(name) != landed.get(name)
    )
    finding = Finding(
        "changed_delivery",
        "refused",
        f"{', '.join(changed)} changed after the delivery was loaded; the loaded rows stand",
        f"put the old files back, and send the new figures as {next_name}",
        row_count=entry.rows_loaded,
    )
    kept = [item for item in entry.findings if item.code != finding.code]
    return entry.model_copy(
        update={
            "refused_change": delivery.content_hash,
            "findings": (*kept, FindingRecord.of(finding)),
        }
    )


def _without_change(entry: LedgerEntry) -> LedgerEntry:
    kept = tuple(item for item in entry.findings if item.code != "changed_delivery")
    return entry.model_copy(update={"refused_change": None, "findings": kept})


def _next_name(entry: LedgerEntry, landing: Landing, ledger: Ledger) -> str:
    """The first free name after every delivery of the source on that date."""
    keys = [item.key for item in landing.deliveries if item.source == entry.source]
    keys += [item.key for item in ledger if item.source == entry.source]
    number = max(key.number for key in keys if key.date == entry.delivery_date)
    return f"{entry.delivery_date.isoformat()}-{number + 1}"


def _documents_file() -> Path:
    return SEED_FOLDER / "core" / "documents.csv"


def _document_ids() -> frozenset[str]:
    with _documents_file().open(encoding="utf-8", newline="") as stream:
        return frozenset(row["document_id"] for row in csv.DictReader(stream))


# --- what dbt reads -------------------------------------------------------------------------------


def register_sources(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    ledger: Iterable[LedgerEntry],
    specs: Mapping[str, Spec],
    as_of_date: date,
    known_before: Collection[str] = (),
) -> None:
    """Make the schema `lake`: a view a source over its loaded files, and the table `deliveries`.

    Only files that the ledger names are read, so half-written ones do not exist for the models. A
    source without deliveries is an empty view of the same columns. Deliveries dated after the
    as-of date are not known yet.

    Args:
        connection: The database.
        lake: Where the files are.
        ledger: All entries.
        specs: All sources.
        as_of_date: The build's date.
        known_before: Loaded deliveries that the tables of the database hold: all others are new.
    """
    known = [entry for entry in ledger if entry.delivery_date <= as_of_date]
    connection.execute(f"create schema if not exists {LAKE_SCHEMA}")
    for source, spec in specs.items():
        files = [
            str(lake_folder(lake.raw, source, entry.name) / "*.parquet")
            for entry in known
            if entry.source == source and entry.outcome == "loaded"
        ]
        columns = ", ".join(
            f"cast(null as {type_}) as {name}" for name, type_ in spec.lake_schema.items()
        )
        body = f"select {columns} where false"
        if files:
            # By name, and with the empty relation for the types: a file written before the spec
            # got a column has nulls there.
            listed = ", ".join(quoted(file) for file in files)
            body = (
                f"select {', '.join(spec.lake_schema)} from ({body} union all by name select *"
                f" from read_parquet([{listed}], hive_partitioning = false, union_by_name = true))"
            )
        connection.execute(f"create or replace view {LAKE_SCHEMA}.{source} as {body}")
    rows = [
        (
            entry.delivery_id,
            entry.source,
            entry.delivery_date,
            entry.key.number,
            entry.outcome,
            entry.document_id,
            entry.document_table,
            entry.document_section,
            entry.rows_in,
            entry.rows_loaded,
            entry.rows_duplicate,
            entry.rows_quarantined,
            entry.rows_refused,
            entry.outcome == "loaded" and entry.delivery_id not in known_before,
        )
        for entry in known
    ]
    columns_of_rows = list(zip(*rows, strict=True)) if rows else [()] * len(_DELIVERY_COLUMNS)
    table = pa.table(
        {
            name: pa.array(values, type_)
            for (name, type_), values in zip(_DELIVERY_COLUMNS, columns_of_rows, strict=True)
        }
    )
    connection.register("deliveries_now", table)
    connection.execute(
        f"create or replace table {LAKE_SCHEMA}.deliveries as select * from deliveries_now"
    )
    connection.unregister("deliveries_now")
