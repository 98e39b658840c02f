"""The quality report: one HTML page that works offline, for stewards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from ingest.ledger import LedgerEntry
from sotedw.quality import Check, failures_folder
from sotedw.sources import SourceState, any_synthetic

if TYPE_CHECKING:
    from sotedw.run import Run

#: Failing rows shown on the page; all of them stand in the Parquet file it names.
SHOWN_FAILURES = 20

_OUTCOMES = ("failed", "error", "passed", "not_applicable")


def quality_report(
    run: Run,
    checks: Sequence[Check],
    entries: Sequence[LedgerEntry],
    sources: Sequence[SourceState],
) -> str:
    """Render the report of a run.

    Args:
        run: The attempt; failing rows are read from its folder.
        checks: Every check that ran.
        entries: The ledger.
        sources: State of each source.

    Returns:
        A page of HTML with its style inside and nothing from outside.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    tables = sorted({check.table_name for check in checks})
    return environment.get_template("quality.html.j2").render(
        run=run,
        outcomes=_OUTCOMES,
        counts=Counter(check.outcome for check in checks),
        is_synthetic=any_synthetic(entries, date.fromisoformat(run.as_of_date)),
        is_blocked=any(check.blocks for check in checks),
        tables=[(name, _of_table(checks, name)) for name in tables],
        failures={
            check.check_id: _failures(run, check) for check in checks if check.outcome == "failed"
        },
        shown_failures=SHOWN_FAILURES,
        entries=entries,
        sources=sources,
    )


def _of_table(checks: Sequence[Check], table: str) -> list[Check]:
    mine = [check for check in checks if check.table_name == table]
    return sorted(mine, key=lambda check: (_OUTCOMES.index(check.outcome), check.check_id))


def _failures(run: Run, check: Check) -> Mapping[str, Any] | None:
    path = failures_folder(run.folder) / f"{check.check_id}.parquet"
    if not path.is_file():
        return None
    table = pq.read_table(path)
    return {
        "columns": table.column_names,
        "rows": [list(row.values()) for row in table.slice(0, SHOWN_FAILURES).to_pylist()],
        "row_count": table.num_rows,
        "file": f"runs/{run.run_id}/failures/{path.name}",
    }
