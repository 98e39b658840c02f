"""Helsinki's clock: every change of summer time, against the time zone database of Python."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest

from ingest.clock import FIRST_YEAR, LAST_YEAR, install_clock

HELSINKI = ZoneInfo("Europe/Helsinki")
CONNECTION = duckdb.connect()
install_clock(CONNECTION)


def converted(macro: str, times: list[datetime]) -> list[datetime | None]:
    """A macro over a column of times."""
    rows = CONNECTION.execute(
        f"select {macro}(t) from (select unnest($times::timestamp[]) as t)", {"times": times}
    ).fetchall()
    return [value for (value,) in rows]


def hours(first: datetime, last: datetime, step: timedelta) -> Iterator[datetime]:
    while first < last:
        yield first
        first += step


def utc_of(local: datetime) -> datetime:
    """The first occurrence of a clock time; one that is skipped moves forward."""
    return local.replace(tzinfo=HELSINKI, fold=0).astimezone(UTC).replace(tzinfo=None)


def local_of(utc: datetime) -> datetime:
    return utc.replace(tzinfo=UTC).astimezone(HELSINKI).replace(tzinfo=None)


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        # 27.3.2022: clocks go from 03:00 to 04:00.
        ("2022-03-27 02:59:59", "2022-03-27 00:59:59"),
        ("2022-03-27 03:00:00", "2022-03-27 01:00:00"),
        ("2022-03-27 03:30:00", "2022-03-27 01:30:00"),
        ("2022-03-27 03:59:59", "2022-03-27 01:59:59"),
        ("2022-03-27 04:00:00", "2022-03-27 01:00:00"),
        ("2022-03-27 04:30:00", "2022-03-27 01:30:00"),
        # 30.10.2022: clocks go from 04:00 back to 03:00.
        ("2022-10-30 02:59:59", "2022-10-29 23:59:59"),
        ("2022-10-30 03:00:00", "2022-10-30 00:00:00"),
        ("2022-10-30 03:30:00", "2022-10-30 00:30:00"),
        ("2022-10-30 03:59:59", "2022-10-30 00:59:59"),
        ("2022-10-30 04:00:00", "2022-10-30 02:00:00"),
        # A UTC date that is not the local date.
        ("2022-01-01 00:30:00", "2021-12-31 22:30:00"),
        ("2022-07-01 00:30:00", "2022-06-30 21:30:00"),
    ],
)
def test_local_time_becomes_utc(local: str, utc: str) -> None:
    assert converted("helsinki_to_utc", [datetime.fromisoformat(local)]) == [
        datetime.fromisoformat(utc)
    ]


@pytest.mark.parametrize(
    ("utc", "local"),
    [
        ("2022-03-27 00:59:59", "2022-03-27 02:59:59"),
        ("2022-03-27 01:00:00", "2022-03-27 04:00:00"),
        ("2022-10-30 00:59:59", "2022-10-30 03:59:59"),
        ("2022-10-30 01:00:00", "2022-10-30 03:00:00"),
        ("2022-10-30 01:59:59", "2022-10-30 03:59:59"),
        ("2022-10-30 02:00:00", "2022-10-30 04:00:00"),
    ],
)
def test_utc_becomes_local_time(utc: str, local: str) -> None:
    assert converted("utc_to_helsinki", [datetime.fromisoformat(utc)]) == [
        datetime.fromisoformat(local)
    ]


def test_every_quarter_of_an_hour_of_some_years_agrees_with_the_time_zone_database() -> None:
    for year in (1996, 1999, 2000, 2011, 2022, 2024):
        times = list(hours(datetime(year, 1, 1), datetime(year + 1, 1, 1), timedelta(minutes=15)))
        assert converted("helsinki_to_utc", times) == [utc_of(time) for time in times]
        assert converted("utc_to_helsinki", times) == [local_of(time) for time in times]


def test_every_change_of_every_year_agrees_with_the_time_zone_database() -> None:
    edges: list[datetime] = []
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        for month in (3, 10):
            night = max(datetime(year, month, day) for day in range(25, 32)
                        if datetime(year, month, day).weekday() == 6)  # fmt: skip
            last = night + timedelta(hours=12)
            for time in hours(night - timedelta(hours=6), last, timedelta(minutes=30)):
                edges += [time - timedelta(microseconds=1), time]
    assert converted("helsinki_to_utc", edges) == [utc_of(time) for time in edges]
    assert converted("utc_to_helsinki", edges) == [local_of(time) for time in edges]


def test_a_time_outside_the_years_of_the_rule_is_none() -> None:
    times = [datetime(FIRST_YEAR, 1, 1) - timedelta(seconds=1), datetime(LAST_YEAR + 1, 1, 1)]
    assert converted("helsinki_to_utc", times) == [None, None]
    assert converted("utc_to_helsinki", times) == [None, None]
    for macro in ("helsinki_to_utc", "utc_to_helsinki"):
        query = f"select {macro}(cast(null as timestamp))"
        assert CONNECTION.execute(query).fetchall() == [(None,)]


def test_a_clock_change_moves_no_event_to_another_date() -> None:
    nights = [datetime(2022, 3, 27), datetime(2022, 10, 30)]
    times = [night + timedelta(minutes=minute) for night in nights for minute in range(24 * 60)]
    there = converted("helsinki_to_utc", times)
    back = converted("utc_to_helsinki", [time for time in there if time is not None])
    assert [time.date() for time in back if time is not None] == [time.date() for time in times]
