"""Loads one delivery: read, lay out, cast, check, account, write.

The accounting is closed here: every row that came in is loaded, a duplicate, quarantined or
refused.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from ingest.bulk import read_bulk
from ingest.casting import quoted
from ingest.codes import CodeTable
from ingest.errors import DeliveryRefused, Finding, refuse, shown
from ingest.files import replaced_folder
from ingest.identity_codes import mask
from ingest.lake import PARQUET
from ingest.landing import Delivery
from ingest.layout import Layout, RawRow, lay_out
from ingest.ledger import FileRecord, FindingRecord, LedgerEntry
from ingest.pseudonyms import PseudonymKey
from ingest.reading import read_file
from ingest.rows import (
    REST_PART,
    count,
    find_duplicates,
    find_violations,
    install_macros,
    lake_folder,
    quarantine_findings,
    too_many_bad_rows,
    type_rows,
    write_quarantine,
)
from ingest.spec import Spec


class Sidecar(BaseModel):
    """`delivery.yml`: where a delivery's figures are printed, and whether it is generated data."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document: str | None = None
    table: str | None = None
    section: str | None = None
    synthetic: bool = False

    @field_validator("document", "table", "section")
    @classmethod
    def _names_nobody(cls, value: str | None) -> str | None:
        if value is not None and mask(value) != value:
            raise ValueError("this has the form of a personal identity code")
        if value is not None and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ValueError("this holds half a character, which no record can keep")
        return value

    @field_validator("table", "section", mode="before")
    @classmethod
    def _number_is_text(cls, value: object) -> object:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


@dataclass(frozen=True)
class Context:
    """What loading a delivery needs besides the delivery.

    Attributes:
        raw_folder: `lake/raw`.
        quarantine_folder: `lake/quarantine`.
        codes: Code tables.
        documents: Known document ids.
        spec_versions: Source -> hash of everything that decides how it is read.
        now: UTC time of the run.
        connection: An in-memory database that every delivery has temporary tables in.
        key: Key of pseudonyms; None when there are no personal data.
        personal_sources: Sources whose deliveries hold personal identifiers.
    """

    raw_folder: Path
    quarantine_folder: Path
    codes: Mapping[str, CodeTable]
    documents: frozenset[str]
    spec_versions: Mapping[str, str]
    now: datetime
    connection: duckdb.DuckDBPyConnection
    key: PseudonymKey | None = None
    personal_sources: frozenset[str] = frozenset()


def load_delivery(spec: Spec, delivery: Delivery, context: Context) -> LedgerEntry:
    """Load one delivery into the lake.

    Returns:
        The ledger entry, not yet recorded; a refused delivery is an entry too.
    """
    sidecar: Sidecar | None = None
    try:
        sidecar = _read_sidecar(delivery, context.documents)
        layouts = [] if spec.bulk else _read_layouts(spec, delivery, context.codes)
        return _load(spec, delivery, sidecar, layouts, context)
    except DeliveryRefused as refusal:
        _clear(delivery, context)
        return _entry(
            delivery,
            context,
            outcome="refused",
            rows_in=refusal.rows_in,
            rows_refused=refusal.rows_in,
            findings=[refusal.finding],
            sidecar=sidecar,
        )


def duplicate_entry(delivery: Delivery, twin: LedgerEntry, context: Context) -> LedgerEntry:
    """The entry of a delivery whose content equals that of the one loaded just before it."""
    _clear(delivery, context)
    rows = (twin.rows_in or 0) - (twin.rows_refused or 0)
    finding = Finding(
        "same_delivery_twice",
        "warning",
        f"the content equals that of {twin.delivery_id}",
        "nothing, unless other figures were meant to be sent",
        row_count=rows,
    )
    return _entry(
        delivery,
        context,
        outcome="duplicate",
        rows_in=rows,
        rows_duplicate=rows,
        findings=[finding],
        sidecar=Sidecar(synthetic=twin.is_synthetic),
    )


# --- reading --------------------------------------------------------------------------------------


def _read_sidecar(delivery: Delivery, documents: frozenset[str]) -> Sidecar:
    if delivery.sidecar is None:
        return Sidecar()
    fix = "give document, table and section as in docs/deliveries.md"
    try:
        content = yaml.safe_load(delivery.sidecar.path.read_text(encoding="utf-8"))
        sidecar = Sidecar.model_validate(content or {})
    except ValidationError as error:
        reason = "; ".join(
            f"{shown('.'.join(map(str, item['loc']))) or 'the file'}: {item['msg']}"
            for item in error.errors()
        )
        raise refuse("bad_sidecar", f"delivery.yml is not valid: {reason}", fix) from error
    except (yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise refuse("bad_sidecar", f"delivery.yml is not valid: {reason}", fix) from error
    except OSError:
        # The machine's fault, and no delivery's.
        raise
    except Exception as error:
        # Whatever the YAML parser raises on a wrong tag or on brackets without end. Its text may
        # be anything of the file, and is not quoted.
        reason = f"it cannot be read as YAML ({type(error).__name__})"
        raise refuse("bad_sidecar", f"delivery.yml is not valid: {reason}", fix) from error
    if sidecar.document is not None and sidecar.document not in documents:
        raise refuse(
            "unknown_document",
            f'delivery.yml names document "{shown(sidecar.document)}", which is unknown',
            "add the document to seeds/core/documents.csv, or correct its id",
        )
    return sidecar


def _read_layouts(spec: Spec, delivery: Delivery, codes: Mapping[str, CodeTable]) -> list[Layout]:
    """All files of a delivery; the first refusal speaks for all, with the rows of all."""
    if not delivery.files:
        raise refuse("empty_delivery", "the folder holds no data files", "send the files again")
    layouts: list[Layout] = []
    refusals: list[DeliveryRefused] = []
    for file in delivery.files:
        try:
            layouts.append(lay_out(spec, read_file(file), codes))
        except DeliveryRefused as refusal:
            refusals.append(refusal)
    if not refusals:
        return layouts
    rows_in: int | None = None
    counts = [refusal.rows_in for refusal in refusals]
    if None not in counts:
        rows_in = sum(count or 0 for count in counts) + sum(len(item.rows) for item in layouts)
    finding = refusals[0].finding
    raise refuse(finding.code, finding.message, finding.fix, column=finding.column, rows_in=rows_in)


# --- casting and checking -------------------------------------------------------------------------


def _load(
    spec: Spec,
    delivery: Delivery,
    sidecar: Sidecar,
    layouts: Sequence[Layout],
    context: Context,
) -> LedgerEntry:
    folder = lake_folder(context.raw_folder, spec.source, delivery.name)
    findings = [finding for layout in layouts for finding in layout.findings]
    too_bad: Finding | None = None
    # A cursor of its own: its tables are temporary and go with it.
    with context.connection.cursor() as connection, replaced_folder(folder) as temporary:
        install_macros(connection)
        regular: int = 0
        parts: Sequence[Path] = ()
        if spec.bulk:
            read = read_bulk(connection, spec, delivery, context.codes, context.key, temporary)
            regular, parts = read.regular_rows, read.parts
            findings += read.findings
        else:
            _register_rows(connection, spec, [row for layout in layouts for row in layout.rows])
        type_rows(connection, spec, delivery.delivery_id, context.codes)
        find_violations(connection, spec)
        find_duplicates(connection, spec, parts)
        rows_in = regular + count(connection, "select count(*) from raw")
        quarantined = count(connection, "select count(distinct row_id) from violations")
        duplicates = count(connection, "select count(*) from duplicates")
        findings += quarantine_findings(connection, spec)
        write_quarantine(
            connection,
            lake_folder(context.quarantine_folder, spec.source, delivery.name),
            quarantined,
        )
        if rows_in and quarantined / rows_in > spec.max_bad_share:
            too_bad = too_many_bad_rows(connection, spec, rows_in, quarantined)
        else:
            _write_rows(connection, spec, temporary)
    if too_bad is not None:
        shutil.rmtree(folder, ignore_errors=True)
        return _entry(
            delivery,
            context,
            outcome="refused",
            rows_in=rows_in,
            rows_quarantined=quarantined,
            rows_refused=rows_in - quarantined,
            findings=[too_bad, *findings],
            sidecar=sidecar,
            forms=[layout.form for layout in layouts],
        )
    if duplicates:
        findings.append(
            Finding(
                "duplicate_rows",
                "warning",
                "rows stand more than once with the same values; one of each is loaded",
                "send each row once",
                row_count=duplicates,
            )
        )
    return _entry(
        delivery,
        context,
        outcome="loaded",
        rows_in=rows_in,
        rows_loaded=rows_in - quarantined - duplicates,
        rows_duplicate=duplicates,
        rows_quarantined=quarantined,
        findings=findings,
        sidecar=sidecar,
        forms=[layout.form for layout in layouts],
    )


def _register_rows(
    connection: duckdb.DuckDBPyConnection, spec: Spec, rows: Sequence[RawRow]
) -> None:
    """Register the relation `raw`: texts as delivered."""
    data: dict[str, pa.Array] = {
        "row_id": pa.array(range(len(rows)), pa.int64()),
        "source_file": pa.array([row.file for row in rows], pa.string()),
        "source_line": pa.array([row.line for row in rows], pa.int64()),
        "source_column": pa.array([row.column for row in rows], pa.string()),
        "defect": pa.array([row.defect for row in rows], pa.string()),
    }
    for name in spec.loaded_columns:
        data[name] = pa.array([row.values.get(name, "") for row in rows], pa.string())
    connection.register("raw", pa.table(data))


# --- writing --------------------------------------------------------------------------------------


def _clear(delivery: Delivery, context: Context) -> None:
    """Remove what an earlier load of the delivery left: it is no longer loaded."""
    for root in (context.raw_folder, context.quarantine_folder):
        shutil.rmtree(lake_folder(root, delivery.source, delivery.name), ignore_errors=True)


def _write_rows(connection: duckdb.DuckDBPyConnection, spec: Spec, folder: Path) -> None:
    connection.execute(
        f"""
        copy (
            select {", ".join(spec.lake_schema)}
            from typed
            where row_id not in (select row_id from violations)
                and row_id not in (select row_id from duplicates)
            order by row_id
        ) to {quoted(str(folder / REST_PART))} ({PARQUET})
        """
    )


def _entry(
    delivery: Delivery,
    context: Context,
    *,
    outcome: Literal["loaded", "duplicate", "refused"],
    rows_in: int | None,
    rows_loaded: int = 0,
    rows_duplicate: int = 0,
    rows_quarantined: int = 0,
    rows_refused: int | None = 0,
    findings: Sequence[Finding] = (),
    sidecar: Sidecar | None = None,
    forms: Sequence[str] = (),
) -> LedgerEntry:
    sidecar = sidecar or Sidecar()
    has_pseudonyms = outcome == "loaded" and delivery.source in context.personal_sources
    return LedgerEntry(
        source=delivery.source,
        name=delivery.name,
        content_hash=delivery.content_hash,
        files=tuple(
            FileRecord(name=file.name, sha256=file.sha256, size=file.size)
            for file in delivery.all_files
        ),
        document_id=sidecar.document,
        document_table=sidecar.table,
        document_section=sidecar.section,
        forms=tuple(forms),
        spec_version=context.spec_versions[delivery.source],
        outcome=outcome,
        rows_in=rows_in,
        rows_loaded=rows_loaded,
        rows_duplicate=rows_duplicate,
        rows_quarantined=rows_quarantined,
        rows_refused=rows_refused,
        findings=tuple(FindingRecord.of(finding) for finding in findings),
        is_synthetic=sidecar.synthetic,
        key_fingerprint=context.key.fingerprint if has_pseudonyms and context.key else None,
        ingested_at=context.now,
    )
