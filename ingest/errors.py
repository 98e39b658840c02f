"""Errors of ingest: each names the delivery, the column, how many rows, and the fix."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.identity_codes import mask

#: Letters of a cell that a message shows: enough to find it by.
SHOWN_LETTERS = 80


class IngestError(Exception):
    """Base of everything this package raises on purpose."""


class SpecError(IngestError):
    """A spec or a code table of the project itself is wrong: a defect of ours, not of a unit."""


@dataclass(frozen=True)
class Finding:
    """One thing found wrong (or worth knowing) in a delivery.

    What it quotes of the delivery may hold an identity code: every text is masked here, once for
    the ledger, logs, reports and the terminal.

    Attributes:
        code: The rule, from the catalogue in `docs/deliveries.md`.
        level: `refused` (the whole delivery), `quarantined` (rows), `warning` or `info`.
        message: What is wrong, naming file and column.
        fix: What the sender, or the steward, does about it.
        column: The column concerned, as delivered, where there is one.
        row_count: Rows concerned; None when the file cannot be read far enough to count.
    """

    code: str
    level: str
    message: str
    fix: str
    column: str | None = None
    row_count: int | None = None

    def __post_init__(self) -> None:
        for name in ("message", "fix", "column"):
            text = getattr(self, name)
            if text is not None:
                object.__setattr__(self, name, mask(text))

    def text(self, delivery_id: str) -> str:
        """The finding as one line for logs, terminals and reports."""
        rows = counted(self.row_count)
        return f"{delivery_id}: {self.level}: {self.message} ({rows}). Fix: {self.fix}"


def shown(text: str) -> str:
    """A cell or a header as a message shows it: a long one is cut.

    It is masked before that: of an identity code at the cut, a part would be left that has no form.
    """
    masked = mask(text)
    return masked if len(masked) <= SHOWN_LETTERS else f"{masked[:SHOWN_LETTERS]}…"


def counted(rows: int | None) -> str:
    """A number of rows in words."""
    if rows is None:
        return "rows unknown"
    return f"{rows} row{'' if rows == 1 else 's'}"


class DeliveryRefused(IngestError):
    """A delivery cannot be loaded at all; the build goes on with the others.

    Attributes:
        finding: Why, and what to do.
        rows_in: Rows the delivery holds; None when it cannot be read that far.
    """

    def __init__(self, finding: Finding, rows_in: int | None = None) -> None:
        super().__init__(finding.message)
        self.finding = finding
        self.rows_in = rows_in


def refuse(
    code: str,
    message: str,
    fix: str,
    *,
    column: str | None = None,
    rows_in: int | None = None,
) -> DeliveryRefused:
    """A `DeliveryRefused` in one line, for the many places that raise one."""
    return DeliveryRefused(Finding(code, "refused", message, fix, column, rows_in), rows_in)
