"""Lookup tables of a generation: everything that a random number between 0 and 1 is looked up in.

Each has a column `slot`: the whole numbers from 0 on, cut so that a uniform number falls on each
value as often as its weight says.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from sotedw.generate import city
from sotedw.generate.city import Role

#: Slots of each table for one thing to choose.
MIX_SLOTS = 1024
ROLE_SLOTS = 128
LINE_SLOTS = 128
MODE_SLOTS = 128
SMALL_SLOTS = 64

#: Longest scenario, and so the room that each has in the table of roles.
LONGEST_SCENARIO = 5

#: Pieces that the whole period is cut into, of few and of many events; each falls on one day.
FEW_BUCKETS, MANY_BUCKETS = 8_192, 65_536
MANY_EVENTS = 200_000

EPOCH = date(1970, 1, 1)

CALENDAR_NAMES = tuple(city.CALENDARS)
FAMILY_NAMES = tuple(city.MODES)
PROFESSION_NAMES = tuple(city.PROFESSIONS)

#: Ages at the start of the period of clients with `client % 20` = 0, 1, ...: first, number of.
AGE_CLASSES = (
    *((0, 7),),
    *((7, 9),) * 2,
    *((16, 9),) * 2,
    *((25, 15),) * 4,
    *((40, 25),) * 7,
    *((65, 15),) * 3,
    *((80, 15),),
)

#: Clients by `client % 400`: whose id is no identity code, who have none, who are very old (`+`).
CLIENT_CYCLE = 400
FOREIGN_CLIENTS = (7, 207)
NAMELESS_CLIENTS = (133,)
ANCIENT_CLIENTS = (11,)

#: Values of a lookup table by column, all of one length.
Columns = dict[str, list[Any]]

_WHENS = ("now", "before", "after")

#: Types of columns that are not whole numbers.
_TYPES = {
    "leads_on": "boolean",
    **dict.fromkeys(("form", "specialty", "mode", "channel"), "varchar"),
    **dict.fromkeys(("licence", "profession_code"), "varchar"),
    **{f"{column}_{when}": "varchar" for column in ("unit", "producer") for when in _WHENS},
}

T = TypeVar("T")


def day_number(day: date) -> int:
    """Days since 1970."""
    return (day - EPOCH).days


def spread(items: Sequence[tuple[T, float]], slots: int) -> list[T]:
    """As many of each item, in its order, as its weight says; `slots` in all."""
    total = sum(weight for _, weight in items)
    found: list[T] = []
    reached = 0.0
    for item, weight in items:
        reached += weight
        until = round(reached / total * slots)
        found += [item] * (until - len(found))
    return found


def years_of(first: date, last: date) -> list[tuple[int, date, date]]:
    """The calendar years of a period, each with its first and last day in it."""
    return [
        (year, max(first, date(year, 1, 1)), min(last, date(year, 12, 31)))
        for year in range(first.year, last.year + 1)
    ]


def days_of(first: date, last: date) -> list[date]:
    """All days of a period."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def clock_changes(first: date, last: date) -> list[date]:
    """The Sundays of a period on whose nights the clock changes."""
    changes = []
    for year in range(first.year, last.year + 1):
        for month in (3, 10):
            day = date(year, month, 31)
            day -= timedelta(days=(day.weekday() + 1) % 7)
            if first <= day <= last:
                changes.append(day)
    return changes


class Lookups:
    """Makes the lookup tables for a period.

    Attributes:
        buckets: Pieces that the period is cut into.
        year_ends: Bucket after the last one of each year of the period.
        records_per_year: What the city would have, year by year of the period.
        office_days: Days of the period with their shares of the events of office services.
    """

    def __init__(
        self,
        first: date,
        last: date,
        *,
        events: int | None,
        units: Path | None,
        holidays: Path | None,
    ) -> None:
        self._first, self._last = first, last
        is_small = events is not None and events < MANY_EVENTS
        self.buckets = FEW_BUCKETS if is_small else MANY_BUCKETS
        self._years = years_of(first, last)
        self._units = city.read_units(units)
        self._holidays = _read_holidays(holidays)
        self.records_per_year = [
            sum(stratum.records(year) for stratum in city.STRATA) * self._fraction(since, until)
            for year, since, until in self._years
        ]
        total = sum(self.records_per_year)
        reached = 0.0
        self.year_ends: list[int] = []
        for records in self.records_per_year:
            reached += records
            self.year_ends.append(round(reached / total * self.buckets))

    @staticmethod
    def _fraction(since: date, until: date) -> float:
        year_days = (date(since.year, 12, 31) - date(since.year, 1, 1)).days + 1
        return ((until - since).days + 1) / year_days

    def day_shares(self) -> list[tuple[date, float]]:
        """Days of the period, each with its share of all events (as offices work)."""
        shares = []
        total = sum(self.records_per_year)
        for (_, since, until), records in zip(self._years, self.records_per_year, strict=True):
            weights = self._weights("office", since, until)
            in_year = sum(weight for _, weight in weights)
            shares += [(day, weight / in_year * records / total) for day, weight in weights]
        return shares

    def install(self, connection: duckdb.DuckDBPyConnection, work: Path) -> None:
        """Make all tables but that of the clients; `work` is a folder for files on the way."""
        for name, columns in (
            ("gen_mix", self._mix()),
            ("gen_shapes", _shapes()),
            ("gen_roles", _roles()),
            ("gen_calendar", self._calendar()),
            ("gen_forms", _by_stratum("form", [stratum.forms for stratum in city.STRATA])),
            (
                "gen_specialties",
                _by_stratum("specialty", [stratum.specialties for stratum in city.STRATA]),
            ),
            ("gen_units", self._unit_table()),
            ("gen_lines", self._lines()),
            ("gen_modes", _modes()),
            ("gen_professions", _professions()),
        ):
            make_table(connection, name, columns, work)

    def _mix(self) -> Columns:
        """What service a group of records has, by year."""
        chosen: list[int] = []
        for year, _, _ in self._years:
            weights = [(index, item.records(year)) for index, item in enumerate(city.STRATA)]
            chosen += spread(weights, MIX_SLOTS)
        strata = [city.STRATA[index] for index in chosen]
        return {
            "stratum": chosen,
            "flow": [item.flow.code for item in strata],
            "calendar": [CALENDAR_NAMES.index(item.calendar) for item in strata],
            "age_first": [item.ages[0] for item in strata],
            "age_count": [item.ages[1] - item.ages[0] + 1 for item in strata],
        }

    def _weights(self, calendar: str, since: date, until: date) -> list[tuple[date, float]]:
        rule = city.CALENDARS[calendar]
        weights = []
        for day in days_of(since, until):
            usual = rule.weekdays[day.weekday()]
            weekday = min(rule.holiday, usual) if day in self._holidays else usual
            weights.append((day, rule.months[day.month - 1] * weekday))
        return weights

    def _calendar(self) -> Columns:
        """The day that a piece of the period falls on, by calendar."""
        days: list[date] = []
        for calendar in CALENDAR_NAMES:
            begin = 0
            for (_, since, until), end in zip(self._years, self.year_ends, strict=True):
                days += spread(self._weights(calendar, since, until), end - begin)
                begin = end
        changes = clock_changes(self._first, self._last)
        facts: dict[date, tuple[int, int, int | None]] = {}
        for day in days_of(self._first, self._last):
            last_change = max((change for change in changes if change <= day), default=None)
            facts[day] = (
                day_number(day),
                city.queue_percent(day),
                None if last_change is None else day_number(last_change),
            )
        found = [facts[day] for day in days]
        return {
            "day": [item[0] for item in found],
            "queue": [item[1] for item in found],
            "change_day": [item[2] for item in found],
        }

    def _unit_table(self) -> Columns:
        """The unit of a need: where it is now, and where clients went before and go after."""
        columns: Columns = {
            name: []
            for name in (
                "since",
                "until",
                "unit_queue",
                *(f"{column}_{when}" for when in _WHENS for column in ("unit", "producer")),
            )
        }
        for stratum in city.STRATA:
            slots = city.unit_slots(self._units, stratum, self._first, self._last)
            for slot in spread([(slot, 1.0) for slot in slots], SMALL_SLOTS):
                columns["since"].append(None if not slot.now.since else day_number(slot.now.since))
                columns["until"].append(None if not slot.now.until else day_number(slot.now.until))
                columns["unit_queue"].append(slot.queue_percent)
                for when, unit in zip(_WHENS, (slot.now, slot.before, slot.after), strict=True):
                    columns[f"unit_{when}"].append(unit.unit_id)
                    columns[f"producer_{when}"].append(stratum.producer or unit.producer)
        return columns

    def _lines(self) -> Columns:
        """Who sees the client and how: of all visits but those in the contact itself, and of them.

        Care in the contact is a call. Where calls are published on their own, the other visits
        hold so many fewer of them that the published share comes out.
        """
        chosen: list[tuple[int, int]] = []
        for year, _, _ in self._years:
            for stratum in city.STRATA:
                lines = [
                    (line, city.volume(line.measure_code, year) * line.weight)
                    for line in stratum.lines
                ]
                total = sum(weight for _, weight in lines) or 1.0
                calls = sum(weight for line, weight in lines if line.family == "remote") / total
                resolved = min(stratum.flow.resolved_share, calls)
                less = (calls - resolved) / calls if calls else 1.0
                others = [
                    (_line(line), (weight or 1e-9) * (less if line.family == "remote" else 1.0))
                    for line, weight in lines
                ]
                chosen += spread(others, LINE_SLOTS)
                remote = [
                    (_line(line), weight) for line, weight in lines if line.family == "remote"
                ]
                remote = remote or [
                    ((_line(line)[0], FAMILY_NAMES.index("remote")), weight or 1e-9)
                    for line, weight in lines
                ]
                chosen += spread(remote, LINE_SLOTS)
        return {
            "profession": [item[0] for item in chosen],
            "family": [item[1] for item in chosen],
        }


def _line(line: city.Line) -> tuple[int, int]:
    return PROFESSION_NAMES.index(line.profession), FAMILY_NAMES.index(line.family)


def _shapes() -> Columns:
    """A group's records cut into needs: which need of the group, which record of the need."""
    rows: list[tuple[int, int, int]] = []
    for flow in (city.STATION, city.DENTAL, city.APPOINTMENTS, city.SERIES):
        for shape in flow.shapes:
            assert sum(shape) == city.GROUP_SIZE
            for ordinal, size in enumerate(shape):
                rows += [(ordinal, number, size) for number in range(1, size + 1)]
    return {
        name: [row[index] for row in rows]
        for index, name in enumerate(("ordinal", "number", "size"))
    }


def _roles() -> Columns:
    """What a record is: by the number of records of its need, and which of them it is."""
    rows: list[tuple[int, int, bool]] = []
    empty = (int(Role.VISIT), 0, False)
    for flow in (city.STATION, city.DENTAL, city.APPOINTMENTS, city.SERIES):
        for size in range(1, LONGEST_SCENARIO + 1):
            scenarios = flow.scenarios.get(size, ((1.0, (Role.VISIT,) * size),))
            chosen = spread([(roles, weight) for weight, roles in scenarios], ROLE_SLOTS)
            for roles in chosen:
                cancelled = 0
                for index in range(LONGEST_SCENARIO):
                    if index >= len(roles):
                        rows.append(empty)
                        continue
                    leads_on = Role.BOOKED in roles[index + 1 :]
                    rows.append((int(roles[index]), cancelled, leads_on))
                    cancelled += roles[index] is Role.CANCELLED
    return {
        "role": [row[0] for row in rows],
        "cancelled_before": [row[1] for row in rows],
        "leads_on": [row[2] for row in rows],
    }


def _by_stratum(name: str, choices: Sequence[Sequence[tuple[str | None, float]]]) -> Columns:
    values = [value for choice in choices for value in spread(choice, SMALL_SLOTS)]
    return {name: values}


def _modes() -> Columns:
    """Contact mode and channel: by era (before 2019, from 2019) and family."""
    chosen: list[tuple[str | None, str | None]] = []
    for era in (0, 1):
        for eras in city.MODES.values():
            modes = [((mode, channel), weight) for mode, channel, weight in eras[era]]
            chosen += spread(modes, MODE_SLOTS)
    return {
        "mode": [item[0] for item in chosen],
        "channel": [item[1] for item in chosen],
    }


def _professions() -> Columns:
    """Licence and profession code: by group and era (AML 2001, both, TK10)."""
    licences: list[str | None] = []
    professions: list[str | None] = []
    for granted, old, new in city.PROFESSIONS.values():
        # Some systems went on with the old classification until the end of 2022.
        both = [(code, weight * 0.9) for code, weight in new] + [
            (code, weight * 0.1) for code, weight in old
        ]
        for codes in (old, both, new):
            licences += spread(granted, SMALL_SLOTS)
            # Every seventh: a licence code goes with any of the profession codes.
            ordered = spread(codes, SMALL_SLOTS)
            professions += [ordered[index * 7 % SMALL_SLOTS] for index in range(SMALL_SLOTS)]
    return {
        "licence": licences,
        "profession_code": professions,
    }


def sql_text(value: object) -> str:
    """A text, or a path, in quotes."""
    return "'" + str(value).replace("'", "''") + "'"


def make_table(
    connection: duckdb.DuckDBPyConnection, name: str, columns: Columns, work: Path
) -> None:
    """A table of the columns, with `slot` before them: 0, 1, ...

    Through a file: DuckDB imports pandas to take lists from Python, which costs half a second.
    """
    types = {"slot": "integer"} | {column: _TYPES.get(column, "integer") for column in columns}
    path = work / f"{name}.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        rows = zip(itertools.count(), *columns.values(), strict=False)
        csv.writer(stream, delimiter=";").writerows(rows)
    connection.execute(
        f"create temp table {name} as select * from read_csv({sql_text(path)},"
        f" delim = ';', header = false, auto_detect = false, columns = {types})"
    )
    path.unlink()


def _read_holidays(path: Path | None) -> frozenset[date]:
    """Public holidays, Midsummer Eve and Christmas Eve (`seeds/core/public_holidays.csv`)."""
    if path is None or not path.is_file():
        return frozenset()
    with path.open(encoding="utf-8", newline="") as stream:
        return frozenset(date.fromisoformat(row["holiday_date"]) for row in csv.DictReader(stream))
