"""Single stages of the project, each to be measured in a process of its own.

python -m benchmarks.project ingest LANDING HOME     key of pseudonyms in SOTEDW_PSEUDONYM_KEY
python -m benchmarks.project checks HOME             a home that has been built
"""

from __future__ import annotations

import json
import time
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from expectations.definitions import Check, Suite
from ingest.landing import scan
from ingest.ledger import Ledger
from ingest.pipeline import ingest
from ingest.spec import load_specs
from sotedw.home import Home
from sotedw.settings import load_settings

TABLE = "fct_care_events"

_FILLED = (
    "record_id", "record_updated_at", "event_date", "care_need_id", "has_care_need_id",
    "client_pseudonym", "unit_id", "producer_type", "is_licensed", "is_realised",
)  # fmt: skip
_SETS = {
    "producer_type": "own purchased voucher",
    "contact_channel": "puhelin takaisinsoitto viesti vastaanotto muu",
    "assessed_urgency_code": "E K V 1 2 3 4 5 6",
    "assessed_nature_code": "SH TH",
    "assessment_outcome_code": (
        "ratkaistu kaynti paivystys hallinnollinen suunnitelma todistus ehkaiseva"
    ),
    "channel": "lasna puhelin video viesti",
    "urgency_code": "E K V 1 2 3 4 5 6",
    "nature_code": "SH TH",
    "visitor_group_code": "1 2 3 4 5",
    "cancel_reason_code": "asiakas tuottaja saapumatta kuolema muutto",
}
_RANGES: dict[str, tuple[Any, Any]] = {
    "client_age": (0, 120),
    **dict.fromkeys(
        ("event_date", "contact_date", "assessed_date", "booked_date", "booked_for_date",
         "visit_date", "cancellation_date"),
        (date(1996, 1, 1), date(2099, 12, 31)),
    ),
}  # fmt: skip
_ORDERS = (
    ("contact_at", "assessed_at"),
    ("booked_at", "booked_for_at"),
    ("booked_at", "started_at"),
    ("started_at", "ended_at"),
    ("contact_date", "visit_date"),
    ("booked_date", "cancellation_date"),
)
_PATTERNS = {
    "record_id": "^[A-Z0-9-]+$",
    "client_pseudonym": "^[a-p]{32}$",
    "unit_id": r"^1(\.[0-9]+)+$",
    "provider_id": r"^1(\.[0-9]+)+$",
    "record_service_form_code": "^[A-Z][0-9]{2,3}$",
    "contact_mode_code": "^R[0-9]{2}$",
}


def suite() -> Suite:
    """Forty checks of the rows of care events: nulls, sets, ranges, order, six patterns."""
    checks = [
        *(_check(f"{column}_filled", "ExpectColumnValuesToNotBeNull", column=column)
          for column in _FILLED),
        *(_check(f"{column}_known", "ExpectColumnValuesToBeInSet", column=column,
                 value_set=values.split())
          for column, values in _SETS.items()),
        *(_check(f"{column}_in_range", "ExpectColumnValuesToBeBetween", column=column,
                 min_value=low, max_value=high)
          for column, (low, high) in _RANGES.items()),
        *(_rows(f"{later}_not_before_{earlier}", f"{later} < {earlier}", later, earlier)
          for earlier, later in _ORDERS),
        *(_rows(f"{column}_form", f"not regexp_matches({column}, '{pattern}')", column)
          for column, pattern in _PATTERNS.items()),
    ]  # fmt: skip
    return Suite(table=TABLE, owner="benchmark", key=["record_id"], checks=checks)


def _check(name: str, expectation: str, **kwargs: Any) -> Check:
    return Check(
        id=f"{TABLE}.{name}",
        category="conformance",
        severity="warning",
        description="One of the benchmark's forty.",
        expectation=expectation,
        kwargs=kwargs,
    )


def _rows(name: str, condition: str, *columns: str) -> Check:
    listed = ", ".join(dict.fromkeys(("record_id", *columns)))
    condition = condition.replace("{", "{{").replace("}", "}}")
    return _check(
        name,
        "UnexpectedRowsExpectation",
        unexpected_rows_query=f"select {listed} from {{batch}} where {condition}",
    )


@click.group()
def main() -> None:
    """Single stages of the project."""


@main.command("ingest")
@click.argument("landing", type=click.Path(path_type=Path, exists=True))
@click.argument("home", type=click.Path(path_type=Path))
@click.option("--threads", type=int, default=2, show_default=True)
def _ingest(landing: Path, home: Path, threads: int) -> None:
    """Deliveries to lake, quarantine and ledger; prints what the ledger says of their rows."""
    settings = load_settings(home=home, landing=landing, threads=threads)
    specs = load_specs()
    lake = Home(home).lake
    found = scan(landing, set(specs), threads=threads)
    entries = ingest(
        found,
        lake,
        Ledger(lake.ledger),
        specs,
        datetime.now(UTC),
        lambda _entry: None,
        settings.key(),
        threads,
    )
    click.echo(
        json.dumps(
            {
                "rows_in": sum(entry.rows_in or 0 for entry in entries),
                "rows_loaded": sum(entry.rows_loaded or 0 for entry in entries),
                "rows_quarantined": sum(entry.rows_quarantined or 0 for entry in entries),
            }
        )
    )


@main.command("checks")
@click.argument("home", type=click.Path(path_type=Path, exists=True))
def _checks(home: Path) -> None:
    """The forty checks on a built home; prints the seconds without the imports."""
    from expectations import gx_engine, runner

    assert gx_engine.__name__, "the import is what the clock leaves out"
    start = time.perf_counter()
    results = runner.run_suites(Home(home).build_database, [suite()])
    seconds = time.perf_counter() - start
    click.echo(
        json.dumps(
            {
                "seconds": seconds,
                "checks": len(results),
                "rows": max(result.element_count or 0 for result in results),
                **Counter(str(result.outcome) for result in results),
            }
        )
    )


if __name__ == "__main__":
    main()
