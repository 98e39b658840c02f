"""The ledger: one row a delivery, written last, so that what it does not name was never loaded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from ingest.errors import Finding
from ingest.files import write_atomically
from ingest.landing import DeliveryKey


class FileRecord(BaseModel):
    """A file of a delivery."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    sha256: str
    size: int


class FindingRecord(BaseModel):
    """A finding as the ledger keeps it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    level: str
    message: str
    fix: str
    column: str | None = None
    row_count: int | None = None

    @classmethod
    def of(cls, finding: Finding) -> Self:
        """The record of a finding."""
        return cls(**vars(finding))

    def text(self, delivery_id: str) -> str:
        """The finding as one line."""
        return Finding(**self.model_dump()).text(delivery_id)


class LedgerEntry(BaseModel):
    """What became of one delivery. Rows in = loaded + duplicates + quarantined + refused.

    Attributes:
        outcome: `loaded`, `duplicate` (the same content as the delivery before it) or `refused`.
        spec_version: Hash of everything that decides how a delivery is read.
        rows_in: Rows delivered (a wide form: one a spread cell); None when unreadable.
        refused_change: Content hash of a later, refused change under the same name.
        is_synthetic: The sender says that it is generated data about nobody.
        key_fingerprint: Which key its pseudonyms were made with; None without personal data.
        ingested_at: UTC time of the load: about the run, never in a mart.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    name: str
    content_hash: str
    files: tuple[FileRecord, ...]
    document_id: str | None = None
    document_table: str | None = None
    document_section: str | None = None
    forms: tuple[str, ...] = ()
    spec_version: str
    outcome: Literal["loaded", "duplicate", "refused"]
    rows_in: int | None
    rows_loaded: int = 0
    rows_duplicate: int = 0
    rows_quarantined: int = 0
    rows_refused: int | None = 0
    findings: tuple[FindingRecord, ...] = ()
    refused_change: str | None = None
    is_synthetic: bool = False
    key_fingerprint: str | None = None
    ingested_at: datetime

    @model_validator(mode="after")
    def _closes(self) -> Self:
        if self.rows_in is None:
            if self.rows_refused is not None or self.outcome != "refused":
                raise ValueError("an unreadable delivery is refused, with rows unknown")
            if self.rows_loaded or self.rows_duplicate or self.rows_quarantined:
                raise ValueError("rows of an unreadable delivery cannot be accounted for")
            return self
        accounted = (
            self.rows_loaded
            + self.rows_duplicate
            + self.rows_quarantined
            + (self.rows_refused or 0)
        )
        if accounted != self.rows_in:
            raise ValueError(f"{accounted} rows are accounted for, {self.rows_in} came in")
        return self

    @property
    def delivery_id(self) -> str:
        """`<source>/<name>`."""
        return f"{self.source}/{self.name}"

    @property
    def key(self) -> DeliveryKey:
        """Its place among the deliveries of its source."""
        key = DeliveryKey.parse(self.name)
        assert key is not None, self.name
        return key

    @property
    def delivery_date(self) -> date:
        """The date in its name."""
        return self.key.date


class Ledger:
    """The ledger of a home: a folder with one JSON file a delivery."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._entries: dict[str, LedgerEntry] = {}
        for path in sorted(folder.glob("*/*.json")):
            entry = LedgerEntry.model_validate_json(path.read_text(encoding="utf-8"))
            self._entries[entry.delivery_id] = entry

    def __iter__(self) -> Iterator[LedgerEntry]:
        """Entries by source, then in the order of deliveries."""
        return iter(sorted(self._entries.values(), key=lambda item: (item.source, item.key)))

    def get(self, delivery_id: str) -> LedgerEntry | None:
        """The entry of a delivery, or None."""
        return self._entries.get(delivery_id)

    def record(self, entry: LedgerEntry) -> None:
        """Write an entry: the moment at which a delivery counts as loaded."""
        path = self._folder / entry.source / f"{entry.name}.json"
        write_atomically(path, entry.model_dump_json(indent=1).encode() + b"\n")
        self._entries[entry.delivery_id] = entry
