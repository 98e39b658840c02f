"""Runs suites of checks on a warehouse database and gives their failing keys.

Great Expectations is imported only when a check is left for it to evaluate.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from expectations.definitions import Check, Suite, require_unique
from expectations.errors import DatabaseError, FailingKeysError
from expectations.results import Breakdown, CheckResult, Measurement, blocking, exceeds

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["CheckResult", "blocking", "failing_keys", "run_suites"]

_log = logging.getLogger(__name__)

_COLUMNS = """
    select column_name
    from information_schema.columns
    where table_catalog = current_database() and table_schema = 'main' and table_name = ?
    order by ordinal_position
"""


# Lines of their own: a query may end in a comment.
_FAILING_ROWS = """select {columns} from (
{rows}
) order by all"""


@dataclass(frozen=True)
class _Plan:
    """What a look at the table says about its suite, before GX is asked.

    Attributes:
        row_count: Rows of the table; null when it cannot be read.
        problems: Why a check cannot be evaluated, by check id.
        pending: Checks that are left to evaluate.
    """

    row_count: int | None
    problems: Mapping[str, str] = field(default_factory=dict)
    pending: tuple[Check, ...] = ()


def run_suites(database: Path, suites: Sequence[Suite]) -> list[CheckResult]:
    """Evaluates every check of the suites.

    Args:
        database: DuckDB file with the tables in schema `main`; it is opened read-only, and no
            other connection of this process may have it open.
        suites: Suites of different tables.

    Returns:
        One result a check, sorted by check id. What goes wrong with a check is its outcome.

    Raises:
        DuplicateCheckError: A table or a check id occurs twice.
        DatabaseError: The file is not there, no DuckDB database, or open in this process.
    """
    require_unique(suites)
    with _connect(database) as connection:
        plans = [_plan(connection, suite) for suite in suites]
    found = _measure(database, suites, plans)
    results = [
        _result(suite, check, plan, found)
        for suite, plan in zip(suites, plans, strict=True)
        for check in suite.checks
    ]
    _log.info("%d checks of %d tables evaluated", len(results), len(suites))
    return sorted(results, key=lambda result: result.check_id)


def failing_keys(database: Path, check: Check, result: CheckResult) -> pa.Table:
    """Gives every row that breaks the rule, however many.

    Args:
        database: The database that the result is about.
        check: The check.
        result: Its result in that database.

    Returns:
        The suite's key columns and then the checked columns (for a query of unexpected rows, the
        other columns that it selects), sorted by all of them, one row a failing row.

    Raises:
        FailingKeysError: The result is of another check or has no failing rows, or the database
            no longer holds the rows that were counted.
        DatabaseError: The file is not there or no DuckDB database.
    """
    if result.check_id != check.id:
        raise FailingKeysError(check.id, f"the result is of {result.check_id}")
    if result.failing_keys_sql is None:
        raise FailingKeysError(check.id, f"outcome {result.outcome} has no failing rows")
    with _connect(database) as connection:
        try:
            keys = connection.sql(result.failing_keys_sql).to_arrow_table()
        except duckdb.Error as error:
            raise FailingKeysError(check.id, str(error)) from error
    if keys.num_rows != result.unexpected_count:
        raise FailingKeysError(
            check.id,
            f"{keys.num_rows} rows found where {result.unexpected_count} were counted; "
            "run the checks on this database again",
        )
    return keys


@contextmanager
def _connect(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    if not database.is_file():
        raise DatabaseError(database, "there is no such file; build the warehouse first")
    try:
        connection = duckdb.connect(str(database), read_only=True)
    except duckdb.Error as error:
        raise DatabaseError(database, f"cannot be opened: {error}") from error
    with connection:
        yield connection


def _plan(connection: duckdb.DuckDBPyConnection, suite: Suite) -> _Plan:
    columns = [name for (name,) in connection.execute(_COLUMNS, [suite.table]).fetchall()]
    if not columns:
        return _unusable(suite, f"table main.{suite.table} does not exist")
    missing = _missing(suite.key, columns)
    if missing:
        return _unusable(suite, f"main.{suite.table} has no key column {', '.join(missing)}")
    try:
        ((row_count,),) = connection.sql(f"from {_relation(suite)} select count(*)").fetchall()
    except duckdb.Error as error:
        return _unusable(suite, str(error))
    problems = {
        check.id: problem
        for check in suite.checks
        if (problem := _problem(connection, suite, check, columns)) is not None
    }
    pending = tuple(check for check in suite.checks if check.id not in problems)
    if row_count == 0 and suite.when_empty == "not_applicable":
        pending = ()
    return _Plan(row_count, problems, pending)


def _unusable(suite: Suite, problem: str) -> _Plan:
    return _Plan(None, {check.id: problem for check in suite.checks})


def _problem(
    connection: duckdb.DuckDBPyConnection, suite: Suite, check: Check, columns: Sequence[str]
) -> str | None:
    """Tells why a check cannot be evaluated on a table with these columns, if so."""
    query = check.rows_query(_relation(suite))
    if query is None:
        missing = _missing(check.columns, columns)
        return f"main.{suite.table} has no column {', '.join(missing)}" if missing else None
    try:
        selected = [row[0] for row in connection.execute(f"describe {query}").fetchall()]
    except duckdb.Error as error:
        return str(error)
    missing = _missing(suite.key, selected)
    return f"the query does not select the key column {', '.join(missing)}" if missing else None


def _missing(wanted: Sequence[str], present: Sequence[str]) -> list[str]:
    folded = {name.casefold() for name in present}
    return [name for name in wanted if name.casefold() not in folded]


def _measure(
    database: Path, suites: Sequence[Suite], plans: Sequence[_Plan]
) -> dict[str, Measurement | Breakdown]:
    found: dict[str, Measurement | Breakdown] = {}
    if not any(plan.pending for plan in plans):
        return found
    from expectations import gx_engine

    with gx_engine.open_source(database) as source:
        for suite, plan in zip(suites, plans, strict=True):
            if plan.pending:
                found |= gx_engine.measure(source, suite, plan.pending, _relation(suite))
    return found


def _result(
    suite: Suite,
    check: Check,
    plan: _Plan,
    found: Mapping[str, Measurement | Breakdown],
) -> CheckResult:
    blank = CheckResult(
        check_id=check.id,
        table_name=suite.table,
        category=check.category,
        severity=check.severity,
        outcome="not_applicable",
        unexpected_count=0,
        element_count=0,
        threshold=check.threshold,
        owner=suite.owner,
        description=check.description,
    )
    if check.id in plan.problems:
        return _errored(blank, plan.problems[check.id])
    if check.id not in found:
        return blank
    measured = found[check.id]
    if isinstance(measured, Breakdown):
        return _errored(blank, measured.message)
    elements = measured.element_count
    if elements is None:
        elements = plan.row_count or 0
    failed = exceeds(measured.unexpected_count, elements, check.threshold)
    return replace(
        blank,
        outcome="failed" if failed else "passed",
        unexpected_count=measured.unexpected_count,
        element_count=elements,
        failing_keys_sql=_failing_keys_sql(suite, check, measured),
    )


def _errored(blank: CheckResult, message: str) -> CheckResult:
    _log.warning("check %s could not be evaluated", blank.check_id)
    return replace(
        blank, outcome="error", unexpected_count=None, element_count=None, message=message
    )


def _failing_keys_sql(suite: Suite, check: Check, measured: Measurement) -> str | None:
    if measured.unexpected_count == 0:
        return None
    keys = ", ".join(_quoted(name) for name in suite.key)
    query = check.rows_query(_relation(suite))
    if query is not None:
        return _FAILING_ROWS.format(columns=f"{keys}, * exclude ({keys})", rows=query)
    if measured.failing_rows_sql is None:
        return None
    names = dict.fromkeys([*suite.key, *check.columns])
    columns = ", ".join(_quoted(name) for name in names)
    return _FAILING_ROWS.format(columns=columns, rows=measured.failing_rows_sql)


def _relation(suite: Suite) -> str:
    return f"main.{_quoted(suite.table)}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
