"""What a run of the checks gives, and how it is judged and written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal

from expectations.definitions import Category, Severity
from ingest.files import write_atomically

Outcome = Literal["passed", "failed", "error", "not_applicable"]
TOOL: Literal["great_expectations"] = "great_expectations"


@dataclass(frozen=True)
class CheckResult:
    """Outcome of one check in one run.

    Attributes:
        check_id: The check.
        table_name: Table that it judges.
        category: OHDSI's class of the check.
        severity: `blocker` or `warning`.
        outcome: `passed`, `failed`, `error` (could not be evaluated) or `not_applicable`.
        unexpected_count: Rows that break the rule; for a statement about the table as a whole, 1
            when it does not hold. Null when the outcome is `error`.
        element_count: Rows judged, nulls included; 1 for a statement about the table as a whole.
            Null when the outcome is `error`.
        threshold: Share of rows (0..1) that may break the rule.
        owner: Steward who answers for the table.
        description: What the check fails on and who fixes it.
        failing_keys_sql: DuckDB query for all rows that break the rule, in a total order; null
            when there are none or no row is to blame.
        message: Why the check could not be evaluated; null otherwise.
        tool: Always `great_expectations`.
    """

    check_id: str
    table_name: str
    category: Category
    severity: Severity
    outcome: Outcome
    unexpected_count: int | None
    element_count: int | None
    threshold: float
    owner: str
    description: str
    failing_keys_sql: str | None = None
    message: str | None = None
    tool: Literal["great_expectations"] = TOOL


@dataclass(frozen=True)
class Measurement:
    """What GX found for one check.

    Attributes:
        unexpected_count: Rows that break the rule; 0 or 1 for a check of the table as a whole.
        element_count: Rows judged; null when GX does not say (a query of unexpected rows).
        failing_rows_sql: Query of the failing rows that GX built, if it did.
    """

    unexpected_count: int
    element_count: int | None
    failing_rows_sql: str | None


@dataclass(frozen=True)
class Breakdown:
    """Why GX could not evaluate one check.

    Attributes:
        message: First part of the exception's text, without SQL and traceback.
    """

    message: str


def exceeds(unexpected_count: int, element_count: int, threshold: float) -> bool:
    """Tells whether more than the allowed share of rows is unexpected.

    Decimal, since in floats 3 of 10 rows exceed a threshold of 0.1 + 0.2 or not by accident.

    Args:
        unexpected_count: Rows that break the rule.
        element_count: Rows judged.
        threshold: Share of rows (0..1) that may break the rule, as written in the suite.
    """
    return unexpected_count > Decimal(str(threshold)) * element_count


def blocking(results: Iterable[CheckResult]) -> list[CheckResult]:
    """Returns the results that stop publication: blockers that failed or could not be evaluated."""
    return [
        result
        for result in results
        if result.severity == "blocker" and result.outcome in ("failed", "error")
    ]


def write_results(results: Sequence[CheckResult], path: Path) -> None:
    """Writes the results as a JSON list sorted by check id; the file appears whole or not at all.

    Args:
        results: Results of a run.
        path: File to write; its folder is made when it is not there.
    """
    rows = [asdict(result) for result in sorted(results, key=lambda result: result.check_id)]
    text = json.dumps(rows, ensure_ascii=False, indent=2) + "\n"
    write_atomically(path, text.encode())
