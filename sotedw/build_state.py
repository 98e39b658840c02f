"""What the tables of the build's database stand for, so that a night computes only what changed.

The tables of care events are kept from build to build (`macros/nights.sql`). They can be continued
when the same code made them from deliveries that are all still what they were. The note of that is
taken away before a build touches them and written when it is done with them: a build that breaks
on the way leaves none, and the next one computes everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Self

import duckdb
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingest.files import write_atomically
from ingest.ledger import LedgerEntry

#: A month by its first day; None for rows without a date.
Month = date | None


class BuildState(BaseModel):
    """The state of the build's database.

    Attributes:
        code_version: Code that made the tables.
        as_of_date: The date they speak as of.
        deliveries: Loaded deliveries they hold -> what was loaded.
        published: Release that was made of them, or of tables before them.
        changed: Large fact -> months that may differ from that release; None when any month may.
        is_one_night: Whether the last build's lists of changes tell all of that; of the build that
            is running alone, and not in the note.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    code_version: str
    as_of_date: date
    deliveries: dict[str, str]
    published: str | None = None
    changed: dict[str, list[Month]] | None = None
    is_one_night: bool = Field(default=False, exclude=True)

    @classmethod
    def take(cls, path: Path) -> Self | None:
        """Read the note and take it away; None when there is none that can be read."""
        try:
            state = cls.model_validate_json(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValidationError):
            return None
        finally:
            path.unlink(missing_ok=True)
        return state

    def save(self, path: Path) -> None:
        """Write the note."""
        write_atomically(path, self.model_dump_json(indent=1).encode() + b"\n")

    def continues_to(self, code_version: str, as_of_date: date, loaded: Mapping[str, str]) -> bool:
        """Whether a build of that code, date and deliveries may continue these tables."""
        return (
            code_version == self.code_version
            and as_of_date >= self.as_of_date
            and all(loaded.get(name) == content for name, content in self.deliveries.items())
        )

    def months_to_write(self, table: str) -> list[Month] | None:
        """Months of a table whose files the release before does not have; None: of any."""
        return None if self.changed is None else self.changed.get(table, [])

    def released(self, build_id: str) -> Self:
        """The state when a release has been made of the tables."""
        return self.model_copy(update={"published": build_id, "changed": {}})


def loaded_deliveries(ledger: Iterable[LedgerEntry], as_of_date: date) -> dict[str, str]:
    """Deliveries that the models read -> what was loaded of each."""
    return {
        entry.delivery_id: f"{entry.content_hash} {entry.spec_version}"
        for entry in ledger
        if entry.outcome == "loaded" and entry.delivery_date <= as_of_date
    }


def changed_months(database: Path, before: BuildState | None) -> dict[str, list[Month]] | None:
    """Months that the tables may have changed since the release before.

    Args:
        database: The build's database, after the models ran.
        before: The state they continued; None when everything was computed.
    """
    if before is None or before.changed is None:
        return None
    months = {name: set(dates) for name, dates in before.changed.items()}
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(
            "select distinct table_name, cast(date_trunc('month', changed_date) as date)"
            " from intermediate.int_access__changed_dates"
        ).fetchall()
    for name, month in rows:
        months.setdefault(name, set()).add(month)
    return {
        name: sorted(dates, key=lambda month: month or date.min)
        for name, dates in sorted(months.items())
    }
