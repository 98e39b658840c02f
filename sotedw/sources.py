"""How fresh each source is: what a reader must know before trusting a figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from ingest.ledger import LedgerEntry
from ingest.spec import Spec

#: Days after which a source of this cadence is late: its period, and time to compile the figures.
LATE_AFTER_DAYS: Mapping[str, int | None] = {
    "daily": 3,
    "monthly": 31 + 31,
    "quarterly": 92 + 62,
    "yearly": 366 + 183,
    "once": None,
}


@dataclass(frozen=True)
class SourceState:
    """State of a source on the as-of date.

    Attributes:
        source: Its name.
        owner: Steward who answers for it.
        last_delivery: Name of the newest delivery whose rows are in the marts, None without any.
        refused: Names of deliveries refused since then.
        stale_since: Date since which its marts are not renewed: that of the last loaded delivery
            when a later one was refused or the next is late; None when it is fresh or empty.
        reason: `refused`, `late` or None.
    """

    source: str
    owner: str
    last_delivery: str | None
    refused: tuple[str, ...]
    stale_since: date | None
    reason: str | None

    @property
    def text(self) -> str:
        """The state in words."""
        if self.reason is None:
            return "fresh" if self.last_delivery else "no deliveries"
        why = f"refused: {', '.join(self.refused)}" if self.refused else "the next one is late"
        if self.stale_since is None:
            return f"empty ({why})"
        return f"stale since {self.stale_since} ({why})"


def any_synthetic(entries: Iterable[LedgerEntry], as_of_date: date) -> bool:
    """Whether generated data are among the inputs: then nothing built of them is about anybody."""
    return any(entry.is_synthetic and entry.delivery_date <= as_of_date for entry in entries)


def source_states(
    specs: Mapping[str, Spec], entries: Iterable[LedgerEntry], as_of_date: date
) -> list[SourceState]:
    """The state of every source, by name."""
    known = [entry for entry in entries if entry.delivery_date <= as_of_date]
    states = []
    for name, spec in specs.items():
        mine = sorted((entry for entry in known if entry.source == name), key=lambda e: e.key)
        loaded = [entry for entry in mine if entry.outcome != "refused"]
        last = loaded[-1] if loaded else None
        refused = tuple(
            entry.name
            for entry in mine
            if (entry.outcome == "refused" and (last is None or entry.key > last.key))
            or entry.refused_change is not None
        )
        limit = LATE_AFTER_DAYS[spec.cadence]
        reason = None
        if refused:
            reason = "refused"
        elif last is not None and limit is not None:
            reason = "late" if as_of_date - last.delivery_date > timedelta(days=limit) else None
        states.append(
            SourceState(
                source=name,
                owner=spec.owner,
                last_delivery=last.name if last else None,
                refused=refused,
                stale_since=last.delivery_date if last and reason else None,
                reason=reason,
            )
        )
    return states
