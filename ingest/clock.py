"""Helsinki's clock in SQL: from local time to UTC and back, without a time zone database.

Summer time runs from the last Sunday of March to the last Sunday of October, 01:00 UTC both
(Directive 2000/84/EC; in Finland so since 1996). The rule is arithmetic on integers here, since
DuckDB's time zone functions cost twenty times as much over millions of rows, and because it says
what a clock change does to a naive time: an hour that occurs twice is its first occurrence, one
that does not exist moves forward. Neither moves an event to another date.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import duckdb

#: Years the rule holds for. A time outside them is no time of a care event.
FIRST_YEAR, LAST_YEAR = 1996, 2099

_HOUR = 3_600_000_000
_WINTER, _SUMMER = 2 * _HOUR, 3 * _HOUR


def install_clock(connection: duckdb.DuckDBPyConnection) -> None:
    """Give a connection the macros `helsinki_to_utc(t)` and `utc_to_helsinki(t)`.

    Both take and give a `timestamp` without zone, and null outside `FIRST_YEAR`..`LAST_YEAR`.
    """
    changes = [
        (_last_sunday(year, 3), _last_sunday(year, 10)) for year in range(FIRST_YEAR, LAST_YEAR + 1)
    ]
    # Local times: clocks go from 03:00 to 04:00 in spring. 03:30 does not exist then; counted as
    # winter time it is 04:30 of summer time, an hour on. In autumn 03:00-04:00 occurs twice, first
    # as summer time, which therefore runs until 04:00.
    local = [(spring + 3 * _HOUR, autumn + 3 * _HOUR) for spring, autumn in changes]
    connection.execute(_macro("helsinki_to_utc", "-", local))
    connection.execute(_macro("utc_to_helsinki", "+", changes))


def _macro(name: str, sign: str, changes: list[tuple[int, int]]) -> str:
    # One constant each: a list of a hundred literals costs more to bind than to search.
    springs = f"cast('{[spring for spring, _ in changes]}' as bigint[])"
    autumns = f"cast('{[autumn for _, autumn in changes]}' as bigint[])"
    year = f"year(t) - {FIRST_YEAR - 1}"
    return f"""
        create or replace macro {name}(t) as
        case when year(t) between {FIRST_YEAR} and {LAST_YEAR} then make_timestamp(
            epoch_us(t) {sign} case
                when epoch_us(t) >= {springs}[{year}] and epoch_us(t) < {autumns}[{year}]
                    then {_SUMMER}
                else {_WINTER}
            end
        ) end
    """


def _last_sunday(year: int, month: int) -> int:
    """01:00 UTC on the last Sunday of a month of 31 days, in microseconds since 1970."""
    day = datetime(year, month, 31, 1, tzinfo=UTC)
    day -= timedelta(days=(day.weekday() + 1) % 7)
    return int(day.timestamp()) * 1_000_000
