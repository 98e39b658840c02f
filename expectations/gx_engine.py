"""Great Expectations on DuckDB. Importing this module imports GX (seconds): import it lazily."""

from __future__ import annotations

import enum
import logging
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

# GX reads its settings while it is imported: no telemetry, whatever the machine says.
os.environ["GX_ANALYTICS_ENABLED"] = "false"

import great_expectations as gx
import great_expectations.expectations as gxe
from great_expectations.compatibility import pydantic
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.datasource.fluent.interfaces import TestConnectionError
from great_expectations.exceptions.exceptions import GreatExpectationsError
from great_expectations.execution_engine import sqlalchemy_execution_engine
from great_expectations.expectations.core.unexpected_rows_expectation import (
    UnexpectedRowsExpectation,
)
from sqlalchemy import URL, event
from sqlalchemy.engine import Engine

from expectations.definitions import ROWS_EXPECTATION, ROWS_QUERY, Check, Suite
from expectations.errors import DatabaseError
from expectations.results import Breakdown, Measurement

_log = logging.getLogger(__name__)

_KEPT_OPEN = "_PERSISTED_CONNECTION_DIALECTS"
_BIND_PARAMETER = re.compile(r"(?<![:\w\\]):(?=\w+(?!:))")


class _DuckDBDialect(enum.StrEnum):
    """The dialect's name, with the `value` that GX asks of its own names."""

    DUCKDB = "duckdb"


def _validate_query(query: str) -> str:
    """Takes the query as it is, in place of GX's validator of the same name, which prints."""
    return query


class _CountedRowsExpectation(UnexpectedRowsExpectation):  # type: ignore[misc, unused-ignore]
    """GX's `UnexpectedRowsExpectation` without its second run of the query for 200 sample rows.

    The table's name is already in the query, so that authors may give it an alias (GX adds one
    of its own to `{batch}`). GX's check that `{batch}` is there prints, so ours takes its place.
    """

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.row_count",)

    _unchecked = pydantic.validator(ROWS_QUERY, allow_reuse=True)(_validate_query)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,  # noqa: ARG002
        execution_engine: Any = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        count = int(metrics["unexpected_rows_query.row_count"])
        return {"success": count == 0, "result": {"unexpected_count": count}}


def register_dialect() -> None:
    """Lets GX keep its connection to DuckDB open until it has fetched.

    GX 1.24 closes the connection of a dialect that it does not know before it fetches the rows,
    and duckdb-engine then has none left (IndexError in every expectation). The dialects of
    `_PERSISTED_CONNECTION_DIALECTS` keep theirs; DuckDB is not among them.
    """
    known = getattr(sqlalchemy_execution_engine, _KEPT_OPEN)
    if _DuckDBDialect.DUCKDB not in known:
        setattr(sqlalchemy_execution_engine, _KEPT_OPEN, (*known, _DuckDBDialect.DUCKDB))


def _draw_no_progress(connection: Any, _record: object) -> None:
    """DuckDB draws bars of its own on long queries, also where nobody sees them but a log."""
    connection.execute("set enable_progress_bar = false")


event.listen(Engine, "connect", _draw_no_progress)


@contextmanager
def open_source(database: Path) -> Iterator[Any]:
    """Opens a DuckDB file, read-only, as a GX data source of an ephemeral context.

    While it is open, the same process cannot open the file in another way (duckdb-engine sets a
    user agent, and DuckDB wants all connections of a process configured alike).

    Args:
        database: The DuckDB file.

    Yields:
        The GX data source; its connections are closed on leaving.

    Raises:
        DatabaseError: GX cannot open the file.
    """
    register_dialect()
    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(enable=False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    sources: Any = context.data_sources
    try:
        source = sources.add_sql(
            name="warehouse",
            # GX replaces $NAME in a connection string by a setting of that name.
            connection_string=_url(database).replace("$", r"\$"),
            kwargs={"connect_args": {"read_only": True}},
        )
    except TestConnectionError as error:
        raise DatabaseError(database, f"GX cannot open it: {_first_part(str(error))}") from error
    try:
        yield source
    finally:
        source.get_execution_engine().close()
        source.get_engine().dispose()


def measure(
    source: Any, suite: Suite, checks: Sequence[Check], relation: str
) -> dict[str, Measurement | Breakdown]:
    """Evaluates checks of one table in one GX validation, so that GX asks for all counts at once.

    A check that breaks down is asked again alone: GX reports the last exception of a bundle for
    all that failed in it, and may give up the bundle's other checks too.

    Args:
        source: Data source of `open_source`.
        suite: The table's suite.
        checks: Those of its checks to evaluate.
        relation: The table's name as SQL.

    Returns:
        What was found, by check id, for every check.
    """
    found: dict[str, Measurement | Breakdown] = {}
    expectations = []
    for check in checks:
        try:
            expectations.append(_expectation(check, relation))
        except (TypeError, ValueError, LookupError, GreatExpectationsError) as error:
            found[check.id] = Breakdown(_first_part(str(error)))
    if not expectations:
        return found
    asset = source.add_table_asset(name=suite.table, table_name=suite.table)
    batch = asset.add_batch_definition_whole_table(name=suite.table).get_batch()
    found |= _validate(batch, suite, expectations)
    for expectation in expectations:
        check_id = expectation.meta["check_id"]
        if len(expectations) > 1 and not isinstance(found.get(check_id), Measurement):
            found |= _validate(batch, suite, [expectation])
    for check in checks:
        found.setdefault(check.id, Breakdown("Great Expectations gave no result"))
    return found


def _validate(
    batch: Any, suite: Suite, expectations: Sequence[Any]
) -> dict[str, Measurement | Breakdown]:
    gx_suite = gx.ExpectationSuite(name=suite.table, expectations=list(expectations))
    result_format = {
        "result_format": "BASIC",
        "partial_unexpected_count": 0,
        "return_unexpected_index_query": True,
        "unexpected_index_column_names": list(suite.key),
    }
    try:
        outcome = batch.validate(gx_suite, result_format=result_format)
        return {
            result.expectation_config.meta["check_id"]: _read(result) for result in outcome.results
        }
    except Exception as error:
        # Whatever one check's expectation raises must not be the whole run's end.
        _log.debug("validation of %s broke down", suite.table, exc_info=True)
        breakdown = Breakdown(_first_part(str(error)) or type(error).__name__)
        return {expectation.meta["check_id"]: breakdown for expectation in expectations}


def _expectation(check: Check, relation: str) -> Any:
    meta = {"check_id": check.id}
    if check.expectation == ROWS_EXPECTATION:
        return _CountedRowsExpectation(
            unexpected_rows_query=_for_sqlalchemy(check.rows_query(relation) or ""), meta=meta
        )
    factory = getattr(gxe, check.expectation, None)
    if factory is None:
        raise LookupError(f"Great Expectations has no {check.expectation}")
    return factory(**check.kwargs, meta=meta)


def _for_sqlalchemy(query: str) -> str:
    """Escapes what GX and SQLAlchemy would replace: braces and `:names`.

    The line break keeps a closing comment of the query from swallowing what GX puts after it.
    """
    escaped = _BIND_PARAMETER.sub(r"\\:", query)
    return escaped.replace("{", "{{").replace("}", "}}") + "\n"


def _read(result: Any) -> Measurement | Breakdown:
    message = _exception_message(result.exception_info)
    if message is not None:
        return Breakdown(message)
    found = result.result
    if "unexpected_count" in found:
        query = found.get("unexpected_index_query")
        return Measurement(
            unexpected_count=int(found["unexpected_count"] or 0),
            element_count=found.get("element_count"),
            failing_rows_sql=query.strip().rstrip(";") if query else None,
        )
    return Measurement(0 if result.success else 1, element_count=1, failing_rows_sql=None)


def _exception_message(info: dict[str, Any]) -> str | None:
    """Finds the exception's text, which GX gives flat or by metric."""
    entries = [info] if "raised_exception" in info else list(info.values())
    for entry in entries:
        if entry["raised_exception"]:
            return _first_part(entry["exception_message"] or "unknown exception")
    return None


def _first_part(message: str) -> str:
    return re.split(r"\n\[SQL:|Traceback", message, maxsplit=1)[0].strip()


def _url(database: Path) -> str:
    return str(URL.create("duckdb", database=str(database.resolve())))
