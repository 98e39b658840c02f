"""Boundary cases of the measures of access to care, with values worked out by hand.

Each scenario is a handful of delivered rows and what must come of them. All of a group share one
as-of date and can be delivered and built together: record, need, client and unit ids begin with the
scenario's name, so that the marts' rows of its unit are the scenario's own.

    for name, text in deliveries(MAIN.scenarios).items():   # landing/care_events/<name>/events.csv
        ...

Times are as delivered: Helsinki time unless they carry an offset. Winter is UTC+2, summer UTC+3.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from tests.reference.access import DENTAL, FIRST_CONTACT, HEADERS, NON_URGENT, URGENT

#: A licence code that the code table knows and does not call licensed.
UNLICENSED = "507"

DELIVERED = "2024-02-29"
UPDATED = "28.02.2024 12:00"

Row = dict[str, str]
MeasureKey = tuple[str, str, date]


@dataclass(frozen=True)
class Scenario:
    """Rows and what they must give.

    Attributes:
        name: What the ids of its rows begin with.
        rows: Delivered rows by canonical column names, and `delivery`, the folder each is in.
        needs: Published need id -> columns of `fct_waiting_times`. There are no other needs.
        visits: Record id -> columns of `fct_visits`; None where the scenario does not say. Where
            it does, there are no other visits.
        measures: (measure, grain, period start) -> columns of `mart_access_measures` for the unit.
        exclusions: (measure, grain, period start, reason) -> count, for the unit.
        waits: (measure, grain, period start, wait days) -> count, for the unit: all there are
            of that measure, grain and start.
        unit_id: The unit of its rows.
    """

    name: str
    rows: tuple[Row, ...]
    needs: Mapping[str, Mapping[str, Any]]
    visits: Mapping[str, Mapping[str, Any]] | None = None
    measures: Mapping[MeasureKey, Mapping[str, Any]] = field(default_factory=dict)
    exclusions: Mapping[tuple[str, str, date, str], int] = field(default_factory=dict)
    waits: Mapping[tuple[str, str, date, int], int] = field(default_factory=dict)

    @property
    def unit_id(self) -> str:
        return f"{self.name}-unit"


@dataclass(frozen=True)
class Group:
    """Scenarios of one build."""

    as_of: date
    scenarios: tuple[Scenario, ...]


# ---------------------------------------------------------------------------------------------
# Words for rows
# ---------------------------------------------------------------------------------------------


def contact(at: str, channel: str = "puhelin", form: str = "T11") -> Row:
    return {"contact_at": at, "contact_channel": channel, "contact_service_form_code": form}


def assessment(at: str, outcome: str = "kaynti", urgency: str = "E", nature: str = "SH") -> Row:
    return {
        "assessed_at": at,
        "assessor_licence_code": "100",
        "assessed_urgency_code": urgency,
        "assessed_nature_code": nature,
        "assessment_outcome_code": outcome,
    }


def call(at: str, outcome: str = "kaynti", urgency: str = "E", nature: str = "SH") -> Row:
    """A call to a health station that is assessed at once."""
    return contact(at) | assessment(at, outcome, urgency, nature)


def dental_call(at: str, outcome: str = "kaynti", urgency: str = "E", nature: str = "SH") -> Row:
    return contact(at, form="T60") | assessment(at, outcome, urgency, nature)


def booking(made: str, slot: str, form: str = "T11") -> Row:
    return {"booked_at": made, "booked_for_at": slot, "booked_service_form_code": form}


def visit(
    at: str,
    mode: str = "R10",
    licence: str = "000",
    *,
    form: str = "T11",
    group: str = "1",
    channel: str = "lasna",
    profession: str = "",
) -> Row:
    return {
        "started_at": at,
        "service_form_code": form,
        "contact_mode_code": mode,
        "channel": channel,
        "visitor_group_code": group,
        "licence_code": licence,
        "profession_code": profession,
    }


def dental_visit(at: str, mode: str = "R10", licence: str = "003", profession: str = "") -> Row:
    return visit(at, mode, licence, form="T60", profession=profession)


def cancelled(at: str, reason: str) -> Row:
    return {"cancelled_at": at, "cancel_reason_code": reason}


def record(
    record_id: str,
    *blocks: Row,
    need: str | None = None,
    client: str | None = None,
    updated: str = UPDATED,
    delivery: str = DELIVERED,
    deleted: str = "",
    producer: str = "oma",
) -> Row:
    """A delivered row; ids are the scenario's own until `scenario` puts its name before them.

    A record `b2` is of need `b` and client `B` unless it says otherwise, `2` of `a` and `A`.
    """
    word = re.match("[a-z]*", record_id)
    letters = (word and word[0]) or "a"
    row = {
        "record_id": record_id,
        "record_updated_at": updated,
        "is_deleted": deleted,
        "care_need_id": letters if need is None else need,
        "client_id": letters.upper() if client is None else client,
        "home_municipality_code": "091",
        "provider_id": "1.2.246.10.2012566.10.0",
        "producer_type": producer,
        "delivery": delivery,
    }
    for block in blocks:
        row |= block
    return row


def scenario(
    name: str,
    rows: Iterable[Row],
    needs: Mapping[str, Mapping[str, Any]],
    *,
    visits: Mapping[str, Mapping[str, Any]] | None = None,
    **more: Any,
) -> Scenario:
    """A scenario whose ids carry its name; an identity code stays as it is."""

    def own(text: str) -> str:
        if text.startswith("record:"):
            return f"record:{name}-{text.removeprefix('record:')}"
        return f"{name}-{text}"

    named = []
    for row in rows:
        client = row["client_id"]
        named.append(
            row
            | {
                "record_id": own(row["record_id"]),
                "care_need_id": own(row["care_need_id"]) if row["care_need_id"] else "",
                "client_id": own(client) if 0 < len(client) < 11 else client,
                "unit_id": f"{name}-unit",
            }
        )
    return Scenario(
        name,
        tuple(named),
        {own(key): value for key, value in needs.items()},
        None if visits is None else {own(key): value for key, value in visits.items()},
        **more,
    )


# ---------------------------------------------------------------------------------------------
# Words for what is expected
# ---------------------------------------------------------------------------------------------


def need(
    start: str | None,
    first_care: str | None = None,
    wait: int | None = None,
    *,
    contact: str | None = None,
    urgent: str | None = None,
    non_urgent: str | None = None,
    dental: str | None = None,
    **columns: Any,
) -> dict[str, Any]:
    """Columns of a need.

    Args:
        start: Its start date.
        first_care: The date of first care.
        wait: Days between them.
        contact: Its state in first-contact resolution: `met`, or `excluded: <reason>`.
        urgent: Its state in the urgent measure.
        non_urgent: Its state in the non-urgent measure.
        dental: Its state in the dental measure.
        columns: Other columns.
    """
    expected: dict[str, Any] = {
        "start_date": start and date.fromisoformat(start),
        "first_care_date": first_care and date.fromisoformat(first_care),
        "wait_days": wait,
        **columns,
    }
    for measure, state in (
        (FIRST_CONTACT, contact),
        (URGENT, urgent),
        (NON_URGENT, non_urgent),
        (DENTAL, dental),
    ):
        name, _, reason = (state or "").partition(": ")
        expected[f"{measure}_state"] = name or None
        expected[f"{measure}_exclusion_reason"] = reason or None
    return expected


def utc(text: str) -> datetime:
    """A naive UTC time."""
    return datetime.fromisoformat(text)


def counts(met: int = 0, missed: int = 0, pending: int = 0, excluded: int = 0) -> dict[str, int]:
    return {
        "met_count": met,
        "missed_count": missed,
        "pending_count": pending,
        "excluded_count": excluded,
    }


# ---------------------------------------------------------------------------------------------
# Files
# ---------------------------------------------------------------------------------------------


def csv_text(rows: Iterable[Mapping[str, str]]) -> str:
    """Rows as a unit delivers them: Finnish headers, `;`."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\n")
    writer.writerow(HEADERS.values())
    for row in rows:
        writer.writerow([row.get(name, "") for name in HEADERS])
    return out.getvalue()


def deliveries(scenarios: Iterable[Scenario]) -> dict[str, str]:
    """Delivery folder -> the text of its csv, for the rows of several scenarios."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for each in scenarios:
        for row in each.rows:
            rows[row["delivery"]].append(row)
    return {folder: csv_text(rows[folder]) for folder in sorted(rows)}


def identity_code(born: date, number: str) -> str:
    """A fictitious identity code: its individual number is one of 900-999."""
    assert number.startswith("9")
    digits = f"{born:%d%m%y}{number}"
    separator = "A" if born.year >= 2000 else "-"
    check = "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(digits) % 31]
    return f"{digits[:6]}{separator}{number}{check}"


# ---------------------------------------------------------------------------------------------
# Limits: day N and day N + 1
# ---------------------------------------------------------------------------------------------

LIMITS = (
    # A Tuesday, 2 January, is day 0; day 10 is Friday the 12th to its last minute.
    scenario(
        "day-10",
        [record("1", call("02.01.2024 08:15")), record("2", visit("12.01.2024 23:50"))],
        {
            "a": need(
                "2024-01-02",
                "2024-01-12",
                10,
                contact="missed",
                non_urgent="met",
                start_at=utc("2024-01-02T06:15"),
                first_care_at=utc("2024-01-12T21:50"),
                service_form_code="T11",
                urgency_class="non_urgent",
                producer_type="own",
                unit_id="day-10-unit",
            )
        },
        visits={
            "2": {
                "service_form_code": "T11",
                "contact_mode_code": "R10",
                "channel": "lasna",
                "profession_group": "physician",
                "producer_type": "own",
                "unit_id": "day-10-unit",
                "care_need_id": "day-10-a",
                "started_at": utc("2024-01-12T21:50"),
                "visit_date": date(2024, 1, 12),
            }
        },
        measures={
            (NON_URGENT, "month", date(2024, 1, 1)): {
                **counts(met=1),
                "rate": 1.0,
                "realised_rate": 1.0,
                "statutory_rate": 1.0,
                "status": "met",
            }
        },
    ),
    # Five past midnight on the 13th is day 11, though in UTC it is still the 12th.
    scenario(
        "day-11",
        [record("1", call("02.01.2024 08:15")), record("2", visit("13.01.2024 00:05"))],
        {
            "a": need(
                "2024-01-02",
                "2024-01-13",
                11,
                contact="missed",
                non_urgent="missed",
                first_care_at=utc("2024-01-12T22:05"),
            )
        },
    ),
    scenario(
        "urgent-day-1",
        [
            record("1", call("02.01.2024 00:05", urgency="5")),
            record("2", visit("03.01.2024 23:55")),
        ],
        {
            "a": need(
                "2024-01-02",
                "2024-01-03",
                1,
                contact="missed",
                urgent="met",
                urgency_class="urgent",
                start_at=utc("2024-01-01T22:05"),
                first_care_at=utc("2024-01-03T21:55"),
            )
        },
    ),
    scenario(
        "urgent-day-2",
        [
            record("1", call("02.01.2024 23:55", urgency="5")),
            record("2", visit("04.01.2024 00:05")),
        ],
        {"a": need("2024-01-02", "2024-01-04", 2, contact="missed", urgent="missed")},
    ),
    # 1 September + 29 days = 30 September, + 31 = 31 October (day 60), + 30 = 30 November.
    scenario(
        "dental-day-90",
        [
            record("1", dental_call("01.09.2023 09:00")),
            record("2", dental_visit("30.11.2023 10:00")),
        ],
        {
            "a": need(
                "2023-09-01",
                "2023-11-30",
                90,
                dental="met",
                service_form_code="T60",
                start_at=utc("2023-09-01T06:00"),
                first_care_at=utc("2023-11-30T08:00"),
            )
        },
    ),
    scenario(
        "dental-day-91",
        [
            record("1", dental_call("01.09.2023 09:00")),
            record("2", dental_visit("01.12.2023 10:00")),
        ],
        {"a": need("2023-09-01", "2023-12-01", 91, dental="missed")},
    ),
    # 23 June 2023 is Midsummer Eve, a Friday: a wait counts it, and the weekend after it.
    scenario(
        "midsummer-eve",
        [
            record("a1", call("13.06.2023 09:00")),
            record("a2", visit("23.06.2023 10:00")),
            record("b1", call("13.06.2023 09:00")),
            record("b2", visit("26.06.2023 10:00")),
            record("c1", call("22.06.2023 09:00", urgency="5")),
            record("c2", visit("23.06.2023 10:00")),
            record("d1", call("23.06.2023 09:00", urgency="5")),
            record("d2", visit("26.06.2023 10:00")),
        ],
        {
            "a": need("2023-06-13", "2023-06-23", 10, contact="missed", non_urgent="met"),
            "b": need("2023-06-13", "2023-06-26", 13, contact="missed", non_urgent="missed"),
            "c": need("2023-06-22", "2023-06-23", 1, contact="missed", urgent="met"),
            "d": need("2023-06-23", "2023-06-26", 3, contact="missed", urgent="missed"),
        },
    ),
    scenario(
        "visit-before-start",
        [record("1", call("02.01.2024 08:15")), record("2", visit("01.01.2024 23:59"))],
        {"a": need("2024-01-02", contact="missed", non_urgent="missed")},
        visits={"2": {"visit_date": date(2024, 1, 1)}},
    ),
    # Only the dates count: seen at 8, assessed at 9. Nothing is booked onward: also resolved.
    scenario(
        "visit-before-clock-time",
        [record("1", call("02.01.2024 09:00")), record("2", visit("02.01.2024 08:00"))],
        {
            "a": need(
                "2024-01-02",
                "2024-01-02",
                0,
                contact="met",
                non_urgent="met",
                start_at=utc("2024-01-02T07:00"),
                first_care_at=utc("2024-01-02T06:00"),
            )
        },
    ),
    # The earliest of several: a group visit and an unlicensed one come first and do not count.
    scenario(
        "earliest-allowed-visit",
        [
            record("1", call("02.01.2024 09:00")),
            record("2", visit("03.01.2024 09:00", group="2")),
            record("3", visit("04.01.2024 09:00", licence="")),
            record("4", visit("09.01.2024 09:00")),
            record("5", visit("06.01.2024 09:00", "R52", "100", channel="video")),
        ],
        {"a": need("2024-01-02", "2024-01-06", 4, contact="missed", non_urgent="met")},
    ),
)

# ---------------------------------------------------------------------------------------------
# Pending, judged, open
# ---------------------------------------------------------------------------------------------

JUDGEMENT = (
    # 20 February + 10 = 1 March, the as-of date: not judged, though seen on day 1.
    # The 19th + 10 = 29 February: judged.
    scenario(
        "pending-until-limit-passed",
        [
            record("a1", call("20.02.2024 09:00")),
            record("a2", visit("21.02.2024 09:00")),
            record("b1", call("19.02.2024 09:00")),
            record("b2", visit("21.02.2024 09:00")),
            record("c1", call("20.02.2024 09:00")),
            record("d1", call("19.02.2024 09:00")),
        ],
        {
            "a": need("2024-02-20", "2024-02-21", 1, contact="missed", non_urgent="pending"),
            "b": need("2024-02-19", "2024-02-21", 2, contact="missed", non_urgent="met"),
            "c": need("2024-02-20", contact="missed", non_urgent="pending"),
            "d": need("2024-02-19", contact="missed", non_urgent="missed"),
        },
        measures={
            (NON_URGENT, "month", date(2024, 2, 1)): {
                **counts(met=1, missed=1, pending=2),
                "rate": 0.5,
                "realised_rate": 1.0,
                "gap_share": 0.5 - 0.7,
                "status": "not_met",
                "is_preliminary": True,
                "period_end": date(2024, 2, 29),
            },
            (FIRST_CONTACT, "month", date(2024, 2, 1)): {
                **counts(missed=4),
                "rate": 0.0,
                "realised_rate": None,
                "statutory_rate": None,
                "status": "not_met",
                "is_preliminary": False,
            },
        },
    ),
    # 29 February + 1 = 1 March. Resolved on the spot, and still not judged.
    scenario(
        "urgent-pending",
        [
            record("a1", call("29.02.2024 09:00", "ratkaistu", "5")),
            record("b1", call("28.02.2024 09:00", "ratkaistu", "5")),
            record("c1", call("28.02.2024 09:00", "kaynti", "5")),
        ],
        {
            "a": need("2024-02-29", "2024-02-29", 0, contact="pending", urgent="pending"),
            "b": need("2024-02-28", "2024-02-28", 0, contact="pending", urgent="met"),
            "c": need("2024-02-28", contact="pending", urgent="missed"),
        },
    ),
    # 23 February + 7 = 1 March; the 22nd + 7 = 29 February.
    scenario(
        "first-contact-pending",
        [
            record("a1", call("23.02.2024 09:00", "ratkaistu")),
            record("b1", call("22.02.2024 09:00", "ratkaistu")),
        ],
        {"a": need("2024-02-23", contact="pending"), "b": need("2024-02-22", contact="met")},
    ),
    # 2 December + 29 = 31 December, + 31 = 31 January, + 29 = 29 February (day 89): 1 March is 90.
    scenario(
        "dental-pending",
        [
            record("a1", dental_call("02.12.2023 09:00")),
            record("a2", dental_visit("04.12.2023 09:00")),
            record("b1", dental_call("01.12.2023 09:00")),
        ],
        {
            "a": need("2023-12-02", "2023-12-04", 2, dental="pending"),
            "b": need("2023-12-01", dental="missed"),
        },
    ),
    # Booked for the time after the limit and still open: missed when the limit has run out.
    scenario(
        "overdue-and-open",
        [
            record("1", call("02.01.2024 09:00")),
            record("2", booking("02.01.2024 09:10", "20.03.2024 10:00")),
        ],
        {"a": need("2024-01-02", contact="missed", non_urgent="missed")},
        visits={},
    ),
    scenario(
        "pending-and-open",
        [
            record("1", call("27.02.2024 09:00")),
            record("2", booking("27.02.2024 09:10", "20.03.2024 10:00")),
        ],
        {"a": need("2024-02-27", contact="pending", non_urgent="pending")},
        visits={},
    ),
    # What is dated on the as-of date is not known: visit, assessment, contact, booking.
    scenario(
        "dated-on-as-of",
        [
            record("a1", call("20.02.2024 09:00")),
            record("a2", visit("01.03.2024 00:00")),
            record("b1", call("20.02.2024 09:00")),
            record("b2", visit("29.02.2024 23:59")),
            # Neither assessed yet nor in contact: no need at all.
            record("c1", call("01.03.2024 00:00")),
            # The contact is known, its assessment is not: a need without a start.
            record("d1", contact("29.02.2024 23:50"), assessment("01.03.2024 00:10")),
            # 2024-02-29T22:00Z is midnight of 1 March in Helsinki, a minute earlier is not.
            record("e1", call("2024-02-29T22:00:00Z")),
            record("f1", call("2024-02-29T21:59:00Z")),
        ],
        {
            "a": need("2024-02-20", contact="missed", non_urgent="pending"),
            "b": need("2024-02-20", "2024-02-29", 9, contact="missed", non_urgent="pending"),
            "d": need(None, start_at=None),
            "f": need("2024-02-29", contact="pending", non_urgent="pending"),
        },
        visits={"b2": {"visit_date": date(2024, 2, 29)}},
    ),
    # A booking is known from the day it was made, whatever day it is for.
    scenario(
        "booking-known-when-made",
        [
            record("a1", call("02.01.2024 09:00", "ratkaistu")),
            record("a2", booking("29.02.2024 23:59", "20.03.2024 10:00")),
            record("b1", call("02.01.2024 09:00", "ratkaistu")),
            record("b2", booking("01.03.2024 00:00", "20.03.2024 10:00")),
            record("c1", call("02.01.2024 09:00", "ratkaistu")),
            record("c2", booking("", "20.03.2024 10:00")),
        ],
        {
            "a": need("2024-01-02", contact="missed"),
            "b": need("2024-01-02", contact="met"),
            "c": need("2024-01-02", contact="missed"),
        },
    ),
    # A cancellation dated on the as-of date is not known: the visit stands, the need is open.
    scenario(
        "cancelled-on-as-of",
        [
            record("a1", call("20.02.2024 09:00", urgency="5")),
            record("a2", visit("21.02.2024 09:00"), cancelled("01.03.2024 08:00", "tuottaja")),
            record("b1", call("20.02.2024 09:00", urgency="5")),
            record("b2", visit("21.02.2024 09:00"), cancelled("29.02.2024 08:00", "tuottaja")),
        ],
        {
            "a": need("2024-02-20", "2024-02-21", 1, contact="missed", urgent="met"),
            "b": need("2024-02-20", contact="missed", urgent="missed"),
        },
        visits={"a2": {"visit_date": date(2024, 2, 21)}},
    ),
)

# ---------------------------------------------------------------------------------------------
# Clocks: both nights of the change, and UTC dates that are not local ones
# ---------------------------------------------------------------------------------------------

CLOCKS = (
    # 26 March 2023: 03:00-03:59 does not exist. 03:30 moves to 04:30 summer time = 01:30 UTC.
    scenario(
        "dst-spring-skipped-hour",
        [
            record("1", call("26.03.2023 03:30", urgency="5")),
            record("2", visit("26.03.2023 03:59")),
        ],
        {
            "a": need(
                "2023-03-26",
                "2023-03-26",
                0,
                contact="met",
                urgent="met",
                start_at=utc("2023-03-26T01:30"),
                first_care_at=utc("2023-03-26T01:59"),
            )
        },
        visits={"2": {"started_at": utc("2023-03-26T01:59"), "visit_date": date(2023, 3, 26)}},
    ),
    # The short day still is one day: 25th 23:30 (winter time) to 27th 00:10 (summer time) is two.
    scenario(
        "dst-spring-short-day",
        [
            record("1", call("25.03.2023 23:30", urgency="5")),
            record("2", visit("27.03.2023 00:10")),
        ],
        {
            "a": need(
                "2023-03-25",
                "2023-03-27",
                2,
                contact="missed",
                urgent="missed",
                start_at=utc("2023-03-25T21:30"),
                first_care_at=utc("2023-03-26T21:10"),
            )
        },
    ),
    # 29 October 2023: 03:30 happens twice. Without an offset it is the first, 00:30 UTC; the
    # second can be told by its offset, 01:30 UTC.
    scenario(
        "dst-autumn-repeated-hour",
        [
            record("1", call("29.10.2023 03:30", urgency="5")),
            record("2", visit("2023-10-29T03:30:00+02:00")),
            record("3", visit("29.10.2023 03:59")),
            record("4", visit("29.10.2023 04:00")),
            record("5", visit("2023-10-29T03:45:00")),
        ],
        {
            "a": need(
                "2023-10-29",
                "2023-10-29",
                0,
                contact="met",
                urgent="met",
                start_at=utc("2023-10-29T00:30"),
                first_care_at=utc("2023-10-29T00:45"),
            )
        },
        visits={
            "2": {"started_at": utc("2023-10-29T01:30"), "visit_date": date(2023, 10, 29)},
            "3": {"started_at": utc("2023-10-29T00:59"), "visit_date": date(2023, 10, 29)},
            "4": {"started_at": utc("2023-10-29T02:00"), "visit_date": date(2023, 10, 29)},
            "5": {"started_at": utc("2023-10-29T00:45"), "visit_date": date(2023, 10, 29)},
        },
    ),
    # The long day still is one day.
    scenario(
        "dst-autumn-long-day",
        [
            record("1", call("28.10.2023 23:59", urgency="5")),
            record("2", visit("29.10.2023 23:59")),
        ],
        {
            "a": need(
                "2023-10-28",
                "2023-10-29",
                1,
                contact="missed",
                urgent="met",
                start_at=utc("2023-10-28T20:59"),
                first_care_at=utc("2023-10-29T21:59"),
            )
        },
    ),
    # 2023-06-01T22:30Z is 2 June, 01:30. Day 10 is 12 June, whose last minute is 20:59Z.
    scenario(
        "utc-date-is-not-local",
        [
            record("a1", call("2023-06-01T22:30:00Z")),
            record("a2", visit("2023-06-12T20:59:00Z")),
            record("b1", call("2023-06-01T22:30Z")),
            record("b2", visit("2023-06-12T21:00Z")),
        ],
        {
            "a": need(
                "2023-06-02",
                "2023-06-12",
                10,
                contact="missed",
                non_urgent="met",
                start_at=utc("2023-06-01T22:30"),
                first_care_at=utc("2023-06-12T20:59"),
            ),
            "b": need(
                "2023-06-02",
                "2023-06-13",
                11,
                contact="missed",
                non_urgent="missed",
                first_care_at=utc("2023-06-12T21:00"),
            ),
        },
        visits={"a2": {"visit_date": date(2023, 6, 12)}, "b2": {"visit_date": date(2023, 6, 13)}},
    ),
    # The date written may be later than the local one too: 3 June 01:00 at +05:00 is 2 June 23:00.
    # And a naive 2 June 01:30 is 1 June in UTC.
    scenario(
        "offset-date-is-not-local",
        [
            record("a1", call("2023-06-03T01:00:00+05:00", urgency="5")),
            record("a2", visit("2023-06-04T02:30:00+05:00")),
            record("b1", call("02.06.2023 01:30", urgency="5")),
            record("b2", visit("2023-06-03T12:00:00-10:00")),
        ],
        {
            # 4 June 02:30 at +05:00 = 3 June 21:30Z = 4 June 00:30 here: day 2.
            "a": need(
                "2023-06-02",
                "2023-06-04",
                2,
                contact="missed",
                urgent="missed",
                start_at=utc("2023-06-02T20:00"),
                first_care_at=utc("2023-06-03T21:30"),
            ),
            # 3 June 12:00 at -10:00 = 22:00Z = 4 June 01:00 here.
            "b": need(
                "2023-06-02",
                "2023-06-04",
                2,
                contact="missed",
                urgent="missed",
                start_at=utc("2023-06-01T22:30"),
                first_care_at=utc("2023-06-03T22:00"),
            ),
        },
    ),
)

# ---------------------------------------------------------------------------------------------
# Rule 6: cancellations on the last booking
# ---------------------------------------------------------------------------------------------


def _called_off(name: str, when: str, slot: str, reason: str, state: str) -> Scenario:
    """A need of 2 January whose only booking is called off."""
    return scenario(
        name,
        [
            record("1", call("02.01.2024 09:00")),
            record("2", booking("02.01.2024 09:10", slot), cancelled(when, reason)),
        ],
        {"a": need("2024-01-02", contact="missed", non_urgent=state)},
        visits={},
    )


RULE_6 = (
    # Half past eleven at night of day 10, and ten past midnight: both the 12th in UTC.
    _called_off(
        "cancelled-on-day-10",
        "12.01.2024 23:30",
        "20.01.2024 10:00",
        "asiakas",
        "excluded: client_cancellation",
    ),
    _called_off("cancelled-on-day-11", "13.01.2024 00:10", "20.01.2024 10:00", "asiakas", "missed"),
    _called_off(
        "no-show-slot-day-10",
        "12.01.2024 10:30",
        "12.01.2024 10:00",
        "saapumatta",
        "excluded: no_show",
    ),
    _called_off(
        "no-show-slot-day-11", "13.01.2024 10:30", "13.01.2024 10:00", "saapumatta", "missed"
    ),
    # The slot decides, not the day the no-show was written down.
    _called_off(
        "no-show-recorded-late",
        "15.01.2024 10:30",
        "12.01.2024 10:00",
        "saapumatta",
        "excluded: no_show",
    ),
    _called_off(
        "no-show-recorded-early", "12.01.2024 10:30", "13.01.2024 10:00", "saapumatta", "missed"
    ),
    _called_off("no-show-without-time", "", "12.01.2024 10:00", "saapumatta", "excluded: no_show"),
    _called_off(
        "death-on-day-10", "12.01.2024 08:00", "20.01.2024 10:00", "kuolema", "excluded: death"
    ),
    _called_off("death-on-day-11", "13.01.2024 08:00", "20.01.2024 10:00", "kuolema", "missed"),
    _called_off(
        "move-on-day-10", "12.01.2024 08:00", "20.01.2024 10:00", "muutto", "excluded: move_away"
    ),
    _called_off("move-on-day-11", "13.01.2024 08:00", "20.01.2024 10:00", "muutto", "missed"),
    _called_off(
        "provider-never-excludes", "03.01.2024 08:00", "05.01.2024 10:00", "tuottaja", "missed"
    ),
    # A cancellation without a time is dated by its version: 28 February, long after day 10.
    _called_off("cancelled-without-time", "", "05.01.2024 10:00", "asiakas", "missed"),
    # What dates a cancellation without a time: the slot of a no-show, the version of any other.
    # Versions may be written on the as-of date or later; only what they date so is not known. That
    # a visit was cancelled is no date.
    scenario(
        "cancellation-dates",
        [
            record("a1", call("02.01.2024 09:00")),
            record(
                "a2",
                booking("02.01.2024 09:10", "12.01.2024 09:00"),
                {"cancel_reason_code": "saapumatta"},
                updated="01.03.2024 00:30",
            ),
            record("b1", call("02.01.2024 09:00")),
            record(
                "b2",
                booking("02.01.2024 09:10", "20.01.2024 09:00"),
                {"cancel_reason_code": "asiakas"},
                updated="12.01.2024 23:30",
            ),
            record("c1", call("02.01.2024 09:00")),
            record(
                "c2",
                booking("02.01.2024 09:10", "20.01.2024 09:00"),
                {"cancel_reason_code": "asiakas"},
                updated="13.01.2024 00:30",
            ),
            record("d1", call("02.01.2024 09:00")),
            record(
                "d2",
                visit("05.01.2024 09:00"),
                {"cancel_reason_code": "tuottaja"},
                updated="01.03.2024 00:30",
            ),
            record("e1", call("02.01.2024 09:00")),
            record(
                "e2",
                visit("05.01.2024 09:00"),
                {"cancel_reason_code": "tuottaja"},
                updated="29.02.2024 23:30",
            ),
        ],
        {
            "a": need("2024-01-02", contact="missed", non_urgent="excluded: no_show"),
            "b": need("2024-01-02", contact="missed", non_urgent="excluded: client_cancellation"),
            "c": need("2024-01-02", contact="missed", non_urgent="missed"),
            "d": need("2024-01-02", contact="missed", non_urgent="missed"),
            "e": need("2024-01-02", contact="missed", non_urgent="missed"),
        },
        visits={},
    ),
    # Cancelled, nobody says why: no reason of rule 6.
    _called_off("cancelled-without-reason", "03.01.2024 08:00", "05.01.2024 10:00", "", "missed"),
    scenario(
        "urgent-cancelled",
        [
            record("a1", call("02.01.2024 09:00", urgency="5")),
            record(
                "a2",
                booking("02.01.2024 09:10", "04.01.2024 09:00"),
                cancelled("03.01.2024 23:59", "asiakas"),
            ),
            record("b1", call("02.01.2024 09:00", urgency="5")),
            record(
                "b2",
                booking("02.01.2024 09:10", "05.01.2024 09:00"),
                cancelled("04.01.2024 00:00", "asiakas"),
            ),
        ],
        {
            "a": need("2024-01-02", contact="missed", urgent="excluded: client_cancellation"),
            "b": need("2024-01-02", contact="missed", urgent="missed"),
        },
    ),
    # Day 90 of 1 September is 30 November.
    scenario(
        "dental-no-show",
        [
            record("a1", dental_call("01.09.2023 09:00")),
            record(
                "a2",
                booking("01.09.2023 09:10", "30.11.2023 09:00", form="T60"),
                cancelled("30.11.2023 09:30", "saapumatta"),
            ),
            record("b1", dental_call("01.09.2023 09:00")),
            record(
                "b2",
                booking("01.09.2023 09:10", "01.12.2023 09:00", form="T60"),
                cancelled("01.12.2023 09:30", "saapumatta"),
            ),
        ],
        {
            "a": need("2023-09-01", dental="excluded: no_show"),
            "b": need("2023-09-01", dental="missed"),
        },
        exclusions={(DENTAL, "quarter", date(2023, 7, 1), "no_show"): 1},
    ),
    # Pending comes before rule 6.
    scenario(
        "pending-before-rule-6",
        [
            record("1", call("20.02.2024 09:00")),
            record(
                "2",
                booking("20.02.2024 09:10", "25.02.2024 09:00"),
                cancelled("22.02.2024 09:00", "asiakas"),
            ),
        ],
        {"a": need("2024-02-20", contact="missed", non_urgent="pending")},
    ),
    # Re-booking never resets the clock.
    scenario(
        "rebooked",
        [
            record("a1", call("02.01.2024 09:00")),
            record(
                "a2",
                booking("02.01.2024 09:10", "08.01.2024 09:00"),
                cancelled("05.01.2024 09:00", "tuottaja"),
            ),
            record(
                "a3", booking("05.01.2024 09:00", "13.01.2024 09:00"), visit("13.01.2024 09:05")
            ),
            record("b1", call("02.01.2024 09:00")),
            record(
                "b2",
                booking("02.01.2024 09:10", "08.01.2024 09:00"),
                cancelled("05.01.2024 09:00", "asiakas"),
            ),
            record(
                "b3", booking("05.01.2024 09:00", "12.01.2024 09:00"), visit("12.01.2024 09:05")
            ),
        ],
        {
            "a": need("2024-01-02", "2024-01-13", 11, contact="missed", non_urgent="missed"),
            "b": need("2024-01-02", "2024-01-12", 10, contact="missed", non_urgent="met"),
        },
    ),
    # The last booking is the one made last, wherever its slot stands.
    scenario(
        "last-booking-decides",
        [
            # Client's first, provider's last: missed.
            record("a1", call("02.01.2024 09:00")),
            record(
                "a2",
                booking("02.01.2024 09:10", "20.01.2024 09:00"),
                cancelled("03.01.2024 09:00", "asiakas"),
            ),
            record(
                "a3",
                booking("03.01.2024 09:00", "08.01.2024 09:00"),
                cancelled("04.01.2024 09:00", "tuottaja"),
            ),
            # Provider's first, client's last: excluded.
            record("b1", call("02.01.2024 09:00")),
            record(
                "b2",
                booking("02.01.2024 09:10", "20.01.2024 09:00"),
                cancelled("03.01.2024 09:00", "tuottaja"),
            ),
            record(
                "b3",
                booking("03.01.2024 09:00", "08.01.2024 09:00"),
                cancelled("04.01.2024 09:00", "asiakas"),
            ),
            # Client's first, then one that stands: missed.
            record("c1", call("02.01.2024 09:00")),
            record(
                "c2",
                booking("02.01.2024 09:10", "08.01.2024 09:00"),
                cancelled("03.01.2024 09:00", "asiakas"),
            ),
            record("c3", booking("03.01.2024 09:00", "20.03.2024 09:00")),
        ],
        {
            "a": need("2024-01-02", contact="missed", non_urgent="missed"),
            "b": need("2024-01-02", contact="missed", non_urgent="excluded: client_cancellation"),
            "c": need("2024-01-02", contact="missed", non_urgent="missed"),
        },
    ),
    # Made at one time: the later slot is the last; one slot: the greater record id. A booking
    # without the time it was made is the earliest.
    scenario(
        "last-booking-ties",
        [
            record("a1", call("02.01.2024 09:00")),
            record(
                "a2",
                booking("02.01.2024 09:10", "09.01.2024 09:00"),
                cancelled("03.01.2024 09:00", "asiakas"),
            ),
            record(
                "a3",
                booking("02.01.2024 09:10", "08.01.2024 09:00"),
                cancelled("03.01.2024 09:00", "tuottaja"),
            ),
            record("b1", call("02.01.2024 09:00")),
            record(
                "b2",
                booking("02.01.2024 09:10", "08.01.2024 09:00"),
                cancelled("03.01.2024 09:00", "tuottaja"),
            ),
            record(
                "b3",
                booking("02.01.2024 09:10", "08.01.2024 09:00"),
                cancelled("03.01.2024 09:00", "muutto"),
            ),
            record("c1", call("02.01.2024 09:00")),
            record(
                "c2",
                booking("02.01.2024 09:10", "08.01.2024 09:00"),
                cancelled("03.01.2024 09:00", "kuolema"),
            ),
            record(
                "c3", booking("", "09.01.2024 09:00"), cancelled("03.01.2024 09:00", "tuottaja")
            ),
        ],
        {
            "a": need("2024-01-02", contact="missed", non_urgent="excluded: client_cancellation"),
            "b": need("2024-01-02", contact="missed", non_urgent="excluded: move_away"),
            "c": need("2024-01-02", contact="missed", non_urgent="excluded: death"),
        },
    ),
    # Care that the measure allows came after all, late: missed. Care it does not allow is none.
    scenario(
        "cancelled-yet-cared-for",
        [
            record("a1", call("02.01.2024 09:00")),
            record(
                "a2",
                booking("02.01.2024 09:10", "08.01.2024 09:00"),
                cancelled("03.01.2024 09:00", "asiakas"),
            ),
            record("a3", visit("20.01.2024 09:00")),
            record("b1", call("02.01.2024 09:00")),
            record(
                "b2",
                booking("02.01.2024 09:10", "08.01.2024 09:00"),
                cancelled("03.01.2024 09:00", "asiakas"),
            ),
            record("b3", visit("20.01.2024 09:00", group="2")),
            record("c1", call("02.01.2024 09:00")),
            record(
                "c2",
                booking("02.01.2024 09:10", "08.01.2024 09:00"),
                cancelled("03.01.2024 09:00", "asiakas"),
            ),
            record("c3", visit("05.01.2024 09:00")),
        ],
        {
            "a": need("2024-01-02", "2024-01-20", 18, contact="missed", non_urgent="missed"),
            "b": need("2024-01-02", contact="missed", non_urgent="excluded: client_cancellation"),
            "c": need("2024-01-02", "2024-01-05", 3, contact="missed", non_urgent="met"),
        },
    ),
    # A visit that began and was cancelled is not realised, whatever the reason.
    scenario(
        "cancelled-after-it-began",
        [
            record("1", call("02.01.2024 09:00")),
            record(
                "2",
                booking("02.01.2024 09:10", "05.01.2024 09:00"),
                visit("05.01.2024 09:00"),
                cancelled("05.01.2024 09:10", "tuottaja"),
            ),
            record("3", visit("06.01.2024 09:00"), {"cancel_reason_code": "tuottaja"}),
            record("4", visit("07.01.2024 09:00"), {"cancelled_at": "07.01.2024 09:10"}),
        ],
        {"a": need("2024-01-02", contact="missed", non_urgent="missed")},
        visits={},
    ),
)

# ---------------------------------------------------------------------------------------------
# Versions
# ---------------------------------------------------------------------------------------------

VERSIONS = (
    # The third version arrived first. Day 9 is 11 January.
    scenario(
        "superseded-twice",
        [
            record("1", call("02.01.2024 09:00")),
            record(
                "2", visit("11.01.2024 09:00"), updated="07.02.2024 08:00", delivery="2024-02-08"
            ),
            record(
                "2", visit("22.01.2024 09:00"), updated="03.02.2024 08:00", delivery="2024-02-10"
            ),
            record(
                "2", visit("17.01.2024 09:00"), updated="05.02.2024 08:00", delivery="2024-02-29"
            ),
        ],
        {"a": need("2024-01-02", "2024-01-11", 9, contact="missed", non_urgent="met")},
        visits={"2": {"visit_date": date(2024, 1, 11)}},
    ),
    # The assessment itself is corrected twice: urgency, then date.
    scenario(
        "assessment-superseded",
        [
            record(
                "1",
                call("02.01.2024 09:00", urgency="5"),
                updated="2024-01-02T09:00:00+02:00",
                delivery="2024-02-08",
            ),
            record(
                "1", call("03.01.2024 09:00"), updated="2024-01-02T09:00:00Z", delivery="2024-02-08"
            ),
            record(
                "1",
                call("02.01.2024 09:00"),
                updated="2024-01-02T10:00:00+02:00",
                delivery="2024-02-10",
            ),
            record("2", visit("13.01.2024 09:00")),
        ],
        {"a": need("2024-01-03", "2024-01-13", 10, contact="missed", non_urgent="met")},
    ),
    # One version time: the later delivery, though it holds the smaller content.
    scenario(
        "tie-later-delivery",
        [
            record("1", call("02.01.2024 09:00")),
            record("2", visit("20.01.2024 09:00"), delivery="2024-02-08"),
            record("2", visit("05.01.2024 09:00"), delivery="2024-02-10"),
        ],
        {"a": need("2024-01-02", "2024-01-05", 3, contact="missed", non_urgent="met")},
    ),
    # One version time and one delivery date: the greater content, not the delivery's number.
    scenario(
        "tie-content",
        [
            record("1", call("02.01.2024 09:00")),
            record("2", visit("20.01.2024 09:00"), delivery="2024-02-10"),
            record("2", visit("05.01.2024 09:00"), delivery="2024-02-10-2"),
        ],
        {"a": need("2024-01-02", "2024-01-20", 18, contact="missed", non_urgent="missed")},
    ),
    # A version without a time is older than any other.
    scenario(
        "version-without-time",
        [
            record("1", call("02.01.2024 09:00")),
            record("2", visit("05.01.2024 09:00"), updated="", delivery="2024-02-29"),
            record(
                "2", visit("20.01.2024 09:00"), updated="01.02.2024 08:00", delivery="2024-02-08"
            ),
        ],
        {"a": need("2024-01-02", "2024-01-20", 18, contact="missed", non_urgent="missed")},
    ),
    # The newest version is chosen first; then the record drops out. Older versions stay gone.
    scenario(
        "deleted",
        [
            record("a1", call("02.01.2024 09:00")),
            record("a2", visit("05.01.2024 09:00"), updated="06.01.2024 08:00"),
            record("a2", visit("05.01.2024 09:00"), updated="07.01.2024 08:00", deleted="K"),
            # The only record of a need is deleted: no need.
            record("b1", call("02.01.2024 09:00"), updated="03.01.2024 08:00"),
            record("b1", call("02.01.2024 09:00"), updated="04.01.2024 08:00", deleted="1"),
            # Deleted, then restored by a newer version, which came in an earlier delivery.
            record("c1", call("02.01.2024 09:00")),
            record(
                "c2",
                visit("06.01.2024 09:00"),
                updated="09.01.2024 08:00",
                deleted="E",
                delivery="2024-02-08",
            ),
            record("c2", visit("06.01.2024 09:00"), updated="08.01.2024 08:00", deleted="true"),
        ],
        {
            "a": need("2024-01-02", contact="missed", non_urgent="missed"),
            "c": need("2024-01-02", "2024-01-06", 4, contact="missed", non_urgent="met"),
        },
        visits={"c2": {"visit_date": date(2024, 1, 6)}},
    ),
    # A newer version moves the visit to another need and beyond the as-of date.
    scenario(
        "moved-to-another-need",
        [
            record("a1", call("02.01.2024 09:00")),
            record("b1", call("02.01.2024 09:00")),
            record("2", visit("05.01.2024 09:00"), need="a", updated="06.01.2024 08:00"),
            record(
                "2", visit("08.01.2024 09:00"), need="b", client="B", updated="07.01.2024 08:00"
            ),
            # The version is chosen over all versions, also one that tells of what is not known yet.
            record("c1", call("02.01.2024 09:00")),
            record("c2", visit("05.01.2024 09:00"), updated="06.01.2024 08:00"),
            record("c2", visit("05.03.2024 09:00"), updated="07.01.2024 08:00"),
        ],
        {
            "a": need("2024-01-02", contact="missed", non_urgent="missed"),
            "b": need("2024-01-02", "2024-01-08", 6, contact="missed", non_urgent="met"),
            "c": need("2024-01-02", contact="missed", non_urgent="missed"),
        },
        visits={"2": {"visit_date": date(2024, 1, 8), "care_need_id": "moved-to-another-need-b"}},
    ),
)

# ---------------------------------------------------------------------------------------------
# First-contact resolution
# ---------------------------------------------------------------------------------------------


def _returned(name: str, second: Row, state: str) -> Scenario:
    """A need resolved at the first contact on 2 January, and one more record."""
    return scenario(
        name,
        [record("1", call("02.01.2024 09:00", "ratkaistu")), second],
        {"a": need("2024-01-02", contact=state)}
        | ({"b": need(None)} if second["care_need_id"] == "b" else {}),
        visits={},
    )


FIRST_CONTACTS = (
    _returned("repeat-on-day-1", record("2", contact("03.01.2024 00:00")), "missed"),
    _returned("repeat-on-day-7", record("2", contact("09.01.2024 23:59")), "missed"),
    # Half past midnight of day 8 is day 7 in UTC.
    _returned("repeat-on-day-8", record("2", contact("10.01.2024 00:30")), "met"),
    _returned("repeat-same-day", record("2", contact("02.01.2024 23:59")), "met"),
    _returned("contact-the-day-before", record("2", contact("01.01.2024 23:59")), "met"),
    _returned(
        "repeat-by-another-need", record("2", contact("09.01.2024 12:00"), need="b"), "missed"
    ),
    _returned(
        "repeat-by-another-client",
        record("2", contact("04.01.2024 12:00"), need="b", client="B"),
        "met",
    ),
    _returned("repeat-to-dental-care", record("2", contact("04.01.2024 12:00", form="T60")), "met"),
    # The contact names no form, so the booking's is read.
    _returned(
        "repeat-form-of-booking",
        record(
            "2",
            contact("04.01.2024 12:00", form=""),
            booking("04.01.2024 12:10", "05.01.2024 15:00"),
            need="b",
        ),
        "missed",
    ),
    # Deleted: it never was.
    _returned(
        "repeat-deleted",
        record("2", contact("04.01.2024 12:00"), deleted="K"),
        "met",
    ),
    # Any channel, and called off later: still a contact.
    _returned(
        "repeat-of-any-channel",
        record(
            "2",
            contact("04.01.2024 12:00", channel="muu"),
            cancelled("05.01.2024 12:00", "asiakas"),
            need="b",
        ),
        "missed",
    ),
    # Nobody knows who called: contacts of other needs are nobody's, those of the need count.
    scenario(
        "repeat-without-client",
        [
            record("a1", call("02.01.2024 09:00", "ratkaistu"), client=""),
            record("a2", contact("05.01.2024 09:00"), client=""),
            record("b1", call("02.01.2024 09:00", "ratkaistu"), client=""),
            record("c1", contact("05.01.2024 09:00"), client=""),
        ],
        {
            "a": need("2024-01-02", contact="missed", client_pseudonym=None),
            "b": need("2024-01-02", contact="met"),
            "c": need(None),
        },
    ),
    # A second need of the client within the week is itself a repeat; of the two, it may be met.
    scenario(
        "two-needs-in-a-week",
        [
            record("a1", call("02.01.2024 09:00", "ratkaistu")),
            record("b1", call("09.01.2024 09:00", "ratkaistu"), client="A"),
            record("c1", call("17.01.2024 09:00", "ratkaistu"), client="A"),
        ],
        {
            "a": need("2024-01-02", contact="missed"),
            "b": need("2024-01-09", contact="met"),
            "c": need("2024-01-17", contact="met"),
        },
        measures={
            (FIRST_CONTACT, "month", date(2024, 1, 1)): {
                **counts(met=2, missed=1),
                "rate": 2 / 3,
                "realised_rate": None,
                "status": "not_met",
            }
        },
    ),
    # Three of four is 75 %: met, by the unrounded rate. Wilson, n = 4 and p = 3/4: the centre is
    # (0.75 + 3.841459/8) / (1 + 3.841459/4) = 0.627527, the half width 0.326885.
    scenario(
        "three-of-four",
        [
            record("a1", call("02.01.2024 09:00", "ratkaistu")),
            record("b1", call("02.01.2024 09:00", "ratkaistu")),
            record("c1", call("31.01.2024 09:00", "ratkaistu")),
            record("d1", call("31.01.2024 09:00", "kaynti")),
            record("e1", call("31.01.2024 09:00", "hallinnollinen")),
            record("f1", call("28.02.2024 09:00", "ratkaistu")),
        ],
        {
            "a": need("2024-01-02", contact="met"),
            "b": need("2024-01-02", contact="met"),
            "c": need("2024-01-31", contact="met"),
            "d": need("2024-01-31", contact="missed", non_urgent="missed"),
            "e": need("2024-01-31", contact="excluded: administrative"),
            "f": need("2024-02-28", contact="pending"),
        },
        measures={
            (FIRST_CONTACT, "month", date(2024, 1, 1)): {
                **counts(met=3, missed=1, excluded=1),
                "rate": 0.75,
                "rate_low": 0.300642,
                "rate_high": 0.954413,
                "target_rate": 0.75,
                "gap_share": 0.0,
                "status": "met",
                "is_preliminary": False,
                "is_partial": False,
                "period_end": date(2024, 1, 31),
            },
            (FIRST_CONTACT, "month", date(2024, 2, 1)): {
                **counts(pending=1),
                "rate": None,
                "rate_low": None,
                "gap_share": None,
                "status": "no_data",
                "is_preliminary": True,
                "is_partial": False,
            },
            (FIRST_CONTACT, "quarter", date(2024, 1, 1)): {
                **counts(met=3, missed=1, pending=1, excluded=1),
                "rate": 0.75,
                "is_preliminary": True,
                "is_partial": True,
                "period_end": date(2024, 3, 31),
            },
            (FIRST_CONTACT, "year", date(2024, 1, 1)): {
                **counts(met=3, missed=1, pending=1, excluded=1),
                "is_partial": True,
                "period_end": date(2024, 12, 31),
            },
            (FIRST_CONTACT, "rolling_12_months", date(2023, 2, 1)): {
                **counts(met=3, missed=1, excluded=1),
                "period_end": date(2024, 1, 31),
                "is_preliminary": False,
            },
            (FIRST_CONTACT, "rolling_12_months", date(2023, 3, 1)): {
                **counts(met=3, missed=1, pending=1, excluded=1),
                "period_end": date(2024, 2, 29),
            },
        },
        exclusions={(FIRST_CONTACT, "month", date(2024, 1, 1), "administrative"): 1},
    ),
    # Booked onward: whatever became of it, in any record of the need, made at any time.
    scenario(
        "booked-onward",
        [
            record("a1", call("02.01.2024 09:00", "ratkaistu")),
            record(
                "a2",
                booking("02.01.2024 09:10", "03.01.2024 09:00"),
                cancelled("02.01.2024 10:00", "asiakas"),
            ),
            # For the same day: not onward.
            record("b1", call("02.01.2024 09:00", "ratkaistu")),
            record("b2", booking("02.01.2024 09:10", "02.01.2024 23:59")),
            # In the starting record itself.
            record(
                "c1",
                call("02.01.2024 09:00", "ratkaistu"),
                booking("02.01.2024 09:10", "03.01.2024 00:00"),
            ),
            # Of another need of the client: not this need's.
            record("d1", call("02.01.2024 09:00", "ratkaistu")),
            record("d2", booking("02.01.2024 09:10", "05.01.2024 09:00"), need="e"),
        ],
        {
            "a": need("2024-01-02", contact="missed"),
            "b": need("2024-01-02", contact="met"),
            "c": need("2024-01-02", contact="missed"),
            "d": need("2024-01-02", contact="met"),
            "e": need(None),
        },
    ),
    # Care the same date resolves what the contact did not; it is T11, individual and realised, and
    # neither a consultation nor a negotiation.
    scenario(
        "care-same-date",
        [
            record("a1", call("02.01.2024 09:00")),
            record("a2", visit("02.01.2024 15:00")),
            record("b1", call("02.01.2024 09:00")),
            record("b2", visit("02.01.2024 15:00", "R60")),
            record("c1", call("02.01.2024 09:00")),
            record("c2", visit("02.01.2024 15:00", "R71")),
            record("d1", call("02.01.2024 09:00")),
            record("d2", visit("02.01.2024 15:00", form="T60")),
            record("e1", call("02.01.2024 09:00")),
            record("e2", visit("02.01.2024 15:00", group="2")),
            record("f1", call("02.01.2024 09:00")),
            record("f2", visit("03.01.2024 00:05")),
            # The visit names no form: its record's booking does.
            record("g1", call("02.01.2024 09:00")),
            record(
                "g2",
                booking("02.01.2024 09:10", "02.01.2024 15:00"),
                visit("02.01.2024 15:00", form=""),
            ),
            # Any mode else, any professional: a letter counts here, if not for the wait.
            record("h1", call("02.01.2024 09:00")),
            record("h2", visit("02.01.2024 15:00", "R72", "")),
            # A visit of its own form T11 in a record whose contact was T60.
            record("i1", call("02.01.2024 09:00")),
            record("i2", contact("02.01.2024 09:30", form="T60"), visit("02.01.2024 15:00")),
        ],
        {
            "a": need("2024-01-02", "2024-01-02", 0, contact="met", non_urgent="met"),
            "b": need("2024-01-02", contact="missed", non_urgent="missed"),
            "c": need("2024-01-02", contact="missed", non_urgent="missed"),
            "d": need("2024-01-02", "2024-01-02", 0, contact="missed", non_urgent="met"),
            "e": need("2024-01-02", contact="missed", non_urgent="missed"),
            "f": need("2024-01-02", "2024-01-03", 1, contact="missed", non_urgent="met"),
            "g": need("2024-01-02", "2024-01-02", 0, contact="met", non_urgent="met"),
            "h": need("2024-01-02", contact="met", non_urgent="missed"),
            "i": need("2024-01-02", "2024-01-02", 0, contact="met", non_urgent="met"),
        },
    ),
    # Administrative before all others; also an open need is excluded at once.
    scenario(
        "first-contact-exclusions",
        [
            record("a1", call("02.01.2024 09:00", "hallinnollinen")),
            record("b1", call("02.01.2024 09:00", "paivystys", "5")),
            record(
                "c1",
                contact("02.01.2024 09:00", channel="muu"),
                assessment("02.01.2024 09:00", "ratkaistu"),
            ),
            record(
                "d1",
                contact("02.01.2024 09:00", channel=""),
                assessment("02.01.2024 09:00", "ratkaistu"),
            ),
            record("e1", call("02.01.2024 09:00", "ratkaistu"), visit("02.01.2024 09:00", "R60")),
            record("f1", call("02.01.2024 09:00", "ratkaistu"), visit("02.01.2024 09:00", "R71")),
            record(
                "g1",
                contact("02.01.2024 09:00", channel="muu"),
                assessment("02.01.2024 09:00", "hallinnollinen"),
                visit("02.01.2024 09:00", "R60"),
            ),
            record(
                "h1",
                contact("02.01.2024 09:00", channel="muu"),
                assessment("02.01.2024 09:00", "paivystys"),
            ),
            record(
                "i1",
                contact("02.01.2024 09:00", channel="muu"),
                assessment("02.01.2024 09:00", "kaynti"),
                visit("02.01.2024 09:00", "R71"),
            ),
            # On the starting record only; R72 is neither.
            record("j1", call("02.01.2024 09:00", "ratkaistu")),
            record("j2", visit("02.01.2024 09:00", "R60")),
            record("k1", call("02.01.2024 09:00", "ratkaistu"), visit("02.01.2024 09:00", "R72")),
            record("l1", call("28.02.2024 09:00", "hallinnollinen")),
        ],
        {
            "a": need("2024-01-02", contact="excluded: administrative"),
            "b": need("2024-01-02", contact="excluded: emergency_care"),
            "c": need("2024-01-02", contact="excluded: channel_other_or_unknown"),
            "d": need("2024-01-02", contact="excluded: channel_other_or_unknown"),
            "e": need("2024-01-02", contact="excluded: professional_consultation"),
            "f": need("2024-01-02", contact="excluded: professional_consultation"),
            "g": need("2024-01-02", contact="excluded: administrative"),
            "h": need("2024-01-02", contact="excluded: emergency_care"),
            "i": need(
                "2024-01-02", contact="excluded: channel_other_or_unknown", non_urgent="missed"
            ),
            "j": need("2024-01-02", contact="met"),
            "k": need("2024-01-02", contact="met"),
            "l": need("2024-02-28", contact="excluded: administrative"),
        },
        measures={
            (FIRST_CONTACT, "month", date(2024, 1, 1)): {
                **counts(met=2, excluded=9),
                "rate": 1.0,
                "status": "met",
            },
            (FIRST_CONTACT, "month", date(2024, 2, 1)): {
                **counts(excluded=1),
                "rate": None,
                "status": "no_data",
                "is_preliminary": False,
            },
        },
        exclusions={
            (FIRST_CONTACT, "month", date(2024, 1, 1), "administrative"): 2,
            (FIRST_CONTACT, "month", date(2024, 1, 1), "emergency_care"): 2,
            (FIRST_CONTACT, "month", date(2024, 1, 1), "channel_other_or_unknown"): 3,
            (FIRST_CONTACT, "month", date(2024, 1, 1), "professional_consultation"): 2,
            (FIRST_CONTACT, "year", date(2024, 1, 1), "administrative"): 3,
        },
    ),
    # Every channel with a name is in.
    scenario(
        "every-channel",
        [
            record(
                f"{number}",
                contact("02.01.2024 09:00", channel=channel),
                assessment("02.01.2024 09:00", "ratkaistu"),
                need=channel,
                client=channel,
            )
            for number, channel in enumerate(("puhelin", "takaisinsoitto", "viesti", "vastaanotto"))
        ],
        {
            channel: need("2024-01-02", contact="met")
            for channel in ("puhelin", "takaisinsoitto", "viesti", "vastaanotto")
        },
    ),
    # No contact on the starting record: outside, though another record has one.
    scenario(
        "start-without-contact",
        [
            record("1", contact("02.01.2024 08:00")),
            record("2", assessment("02.01.2024 09:00"), visit("02.01.2024 09:00")),
        ],
        {"a": need("2024-01-02", "2024-01-02", 0, non_urgent="met", service_form_code="T11")},
    ),
)

# ---------------------------------------------------------------------------------------------
# Populations, codes and eras
# ---------------------------------------------------------------------------------------------

POPULATIONS = (
    # Outside the wait measures; first-contact resolution takes any outcome.
    scenario(
        "outcomes",
        [
            record("a1", call("02.01.2024 09:00", "suunnitelma")),
            record("b1", call("02.01.2024 09:00", "todistus")),
            record("c1", call("02.01.2024 09:00", "ehkaiseva")),
            record("d1", call("02.01.2024 09:00", "ratkaistu")),
            record("e1", call("02.01.2024 09:00", "")),
            record("f1", call("02.01.2024 09:00", "suunnitelma", "5")),
            record("g1", call("02.01.2024 09:00", "hallinnollinen", "5")),
            record("h1", dental_call("02.09.2023 09:00", "ratkaistu")),
            record("i1", dental_call("02.09.2023 09:00", "suunnitelma")),
            record("j1", call("02.01.2024 09:00", "suunnitelma")),
            record("j2", visit("02.01.2024 10:00")),
        ],
        {
            "a": need("2024-01-02", contact="missed"),
            "b": need("2024-01-02", contact="missed"),
            "c": need("2024-01-02", contact="missed"),
            "d": need("2024-01-02", contact="met"),
            "e": need("2024-01-02", contact="missed"),
            "f": need("2024-01-02", contact="missed"),
            "g": need("2024-01-02", contact="excluded: administrative"),
            "h": need("2023-09-02"),
            "i": need("2023-09-02"),
            "j": need("2024-01-02", contact="met"),
        },
    ),
    # Resolved at the contact: urgent care on the start date, at the time of the assessment.
    scenario(
        "resolved-at-contact",
        [
            record("a1", call("02.01.2024 09:00", "ratkaistu", "5")),
            # A visit later changes neither.
            record("b1", call("02.01.2024 09:00", "ratkaistu", "5")),
            record("b2", visit("05.01.2024 09:00")),
        ],
        {
            "a": need(
                "2024-01-02",
                "2024-01-02",
                0,
                contact="met",
                urgent="met",
                first_care_at=utc("2024-01-02T07:00"),
            ),
            "b": need(
                "2024-01-02",
                "2024-01-02",
                0,
                contact="met",
                urgent="met",
                first_care_at=utc("2024-01-02T07:00"),
            ),
        },
        measures={
            (URGENT, "month", date(2024, 1, 1)): {
                **counts(met=2),
                "rate": 1.0,
                "realised_rate": 1.0,
                "statutory_rate": None,
                "target_rate": 0.8,
            }
        },
        waits={(URGENT, "month", date(2024, 1, 1), 0): 2},
    ),
    # Non-urgent T11 care asks for nature SH; urgent and dental care do not.
    scenario(
        "nature",
        [
            record("a1", call("02.01.2024 09:00", nature="TH")),
            record("b1", call("02.01.2024 09:00", nature="")),
            record("c1", call("02.01.2024 09:00", urgency="5", nature="TH")),
            record("d1", dental_call("01.09.2023 09:00", nature="TH")),
            record("e1", dental_call("01.09.2023 09:00", nature="")),
        ],
        {
            "a": need("2024-01-02", contact="missed", urgency_class="non_urgent"),
            "b": need("2024-01-02", contact="missed"),
            "c": need("2024-01-02", contact="missed", urgent="missed"),
            "d": need("2023-09-01", dental="missed"),
            "e": need("2023-09-01", dental="missed"),
        },
    ),
    # Other service forms belong to no measure; urgent dental care to none either.
    scenario(
        "other-forms",
        [
            record("a1", contact("02.01.2024 09:00", form="T40"), assessment("02.01.2024 09:00")),
            record("b1", contact("02.01.2024 09:00", form=""), assessment("02.01.2024 09:00")),
            record("c1", dental_call("01.09.2023 09:00", urgency="5")),
        ],
        {
            "a": need("2024-01-02", service_form_code="T40"),
            "b": need("2024-01-02", service_form_code=None),
            "c": need("2023-09-01", service_form_code="T60", urgency_class="urgent"),
        },
    ),
    # A code means what it meant on the start date.
    scenario(
        "urgency-codes-by-era",
        [
            record("k14", call("31.12.2014 09:00", urgency="K"), need="k14", client="A"),
            record("k15", call("01.01.2015 09:00", urgency="K"), need="k15", client="B"),
            record("v14", call("31.12.2014 09:00", urgency="V"), need="v14", client="C"),
            record("1-14", call("31.12.2014 09:00", urgency="1"), need="1-14", client="D"),
            record("1-15", call("01.01.2015 09:00", urgency="1"), need="1-15", client="E"),
            record("1-18", call("01.06.2018 09:00", urgency="1"), need="1-18", client="F"),
            record("2-18", call("31.12.2018 23:59", urgency="2"), need="2-18", client="G"),
            record("2-19", call("01.01.2019 00:00", urgency="2"), need="2-19", client="H"),
            record("5-18", call("31.12.2018 23:59", urgency="5"), need="5-18", client="I"),
            record("5-19", call("01.01.2019 00:00", urgency="5"), need="5-19", client="J"),
            record("6-19", call("01.01.2019 00:00", urgency="6"), need="6-19", client="K"),
            record("3-19", call("02.01.2019 00:00", urgency="3"), need="3-19", client="L"),
            record("e14", call("31.12.2014 09:00", urgency="E"), need="e14", client="M"),
            record("none", call("02.01.2024 09:00", urgency=""), need="none", client="N"),
        ],
        {
            "k14": need("2014-12-31", contact="missed", urgent="missed", urgency_class="urgent"),
            "k15": need("2015-01-01", contact="missed", urgency_class=None),
            "v14": need("2014-12-31", contact="missed", urgency_class="emergency"),
            "1-14": need("2014-12-31", contact="missed", urgency_class=None),
            "1-15": need("2015-01-01", contact="missed", urgent="missed", urgency_class="urgent"),
            "1-18": need("2018-06-01", contact="missed", urgent="missed", urgency_class="urgent"),
            "2-18": need("2018-12-31", contact="missed", urgent="missed", urgency_class="urgent"),
            "2-19": need("2019-01-01", contact="missed", urgency_class=None),
            "5-18": need("2018-12-31", contact="missed", urgency_class=None),
            "5-19": need("2019-01-01", contact="missed", urgent="missed", urgency_class="urgent"),
            "6-19": need("2019-01-01", contact="missed", urgency_class="emergency"),
            "3-19": need("2019-01-02", contact="missed", urgency_class=None),
            "e14": need("2014-12-31", contact="missed", non_urgent="missed"),
            "none": need("2024-01-02", contact="missed", urgency_class=None),
        },
    ),
    # No need id: each record is a need of its own, and a visit of another record is another's.
    scenario(
        "without-need-id",
        [
            record("1", call("02.01.2024 09:00"), visit("05.01.2024 09:00"), need=""),
            record("2", call("02.01.2024 09:00"), need="", client="B"),
            record("3", visit("05.01.2024 09:00"), need="", client="B"),
        ],
        {
            "record:1": need("2024-01-02", "2024-01-05", 3, contact="missed", non_urgent="met"),
            "record:2": need("2024-01-02", contact="missed", non_urgent="missed"),
            "record:3": need(None),
        },
        visits={
            "1": {"care_need_id": "record:without-need-id-1"},
            "3": {"care_need_id": "record:without-need-id-3"},
        },
    ),
    # A need that nobody assessed is a need, in no measure.
    scenario(
        "without-assessment",
        [
            record("1", contact("02.01.2024 09:00")),
            record("2", booking("02.01.2024 09:00", "04.01.2024 09:00"), visit("04.01.2024 09:00")),
        ],
        {
            "a": need(
                None, start_at=None, urgency_class=None, service_form_code=None, first_care_at=None
            )
        },
        visits={"2": {"care_need_id": "without-assessment-a"}},
    ),
    # The earliest assessment starts the need and says what it is; the same minute: the record id.
    scenario(
        "earliest-assessment-starts",
        [
            record("a2", call("03.01.2024 09:00", urgency="5")),
            record("a9", call("02.01.2024 09:00")),
            record("a3", visit("12.01.2024 09:00")),
            record("b2", call("02.01.2024 09:00", urgency="5")),
            record("b1", call("02.01.2024 09:00"), producer="osto"),
            record("b3", visit("12.01.2024 09:00")),
        ],
        {
            "a": need("2024-01-02", "2024-01-12", 10, contact="missed", non_urgent="met"),
            "b": need(
                "2024-01-02",
                "2024-01-12",
                10,
                contact="missed",
                non_urgent="met",
                producer_type="purchased",
            ),
        },
    ),
    # The first filled of contact's, booking's and visit's form, on the starting record only.
    scenario(
        "service-form-order",
        [
            record(
                "a1",
                contact("01.09.2023 09:00", form="T60"),
                assessment("01.09.2023 09:00"),
                booking("01.09.2023 09:10", "08.09.2023 09:00", form="T11"),
                visit("08.09.2023 09:00"),
            ),
            record(
                "b1",
                contact("02.01.2024 09:00", form=""),
                assessment("02.01.2024 09:00"),
                booking("02.01.2024 09:10", "03.01.2024 09:00", form="T11"),
                visit("03.01.2024 09:00", form="T60"),
            ),
            record(
                "c1",
                contact("02.01.2024 09:00", form=""),
                assessment("02.01.2024 09:00"),
                visit("03.01.2024 09:00", form="T11"),
            ),
            record("d1", contact("02.01.2024 09:00", form=""), assessment("02.01.2024 09:00")),
            record("d2", contact("02.01.2024 09:00"), visit("03.01.2024 09:00")),
        ],
        {
            # T60: the visit is a physician's, so no first care of the dental measure.
            "a": need("2023-09-01", dental="missed", service_form_code="T60"),
            "b": need(
                "2024-01-02",
                "2024-01-03",
                1,
                contact="missed",
                non_urgent="met",
                service_form_code="T11",
            ),
            "c": need("2024-01-02", "2024-01-03", 1, contact="missed", non_urgent="met"),
            "d": need("2024-01-02", service_form_code=None),
        },
        visits={
            "a1": {"service_form_code": "T11"},
            "b1": {"service_form_code": "T60"},
            "c1": {"service_form_code": "T11"},
            "d2": {"service_form_code": "T11"},
        },
    ),
    # Purchased services and vouchers count like the city's own; care may be given by another.
    scenario(
        "producers",
        [
            record("a1", call("02.01.2024 09:00"), producer="osto"),
            record("a2", visit("05.01.2024 09:00"), producer="palveluseteli"),
            record("b1", call("02.01.2024 09:00"), producer="palveluseteli"),
            record("b2", visit("05.01.2024 09:00"), producer="palveluseteli"),
            record("c1", call("02.01.2024 09:00"), producer="oma"),
        ],
        {
            "a": need(
                "2024-01-02",
                "2024-01-05",
                3,
                contact="missed",
                non_urgent="met",
                producer_type="purchased",
            ),
            "b": need(
                "2024-01-02",
                "2024-01-05",
                3,
                contact="missed",
                non_urgent="met",
                producer_type="voucher",
            ),
            "c": need("2024-01-02", contact="missed", non_urgent="missed", producer_type="own"),
        },
        visits={"a2": {"producer_type": "voucher"}, "b2": {"producer_type": "voucher"}},
        measures={
            (NON_URGENT, "month", date(2024, 1, 1)): {
                **counts(met=2, missed=1),
                "rate": 2 / 3,
                "status": "not_met",
            }
        },
    ),
)

# ---------------------------------------------------------------------------------------------
# Which visits stop the clock
# ---------------------------------------------------------------------------------------------


def _modes(name: str, start: str, urgency: str, day: str, modes: Mapping[str, str]) -> Scenario:
    """A need for each mode, with one visit by it; the state that follows."""
    first_care, start_date = (f"{at[6:10]}-{at[3:5]}-{at[:2]}" for at in (day, start))
    wait = (date.fromisoformat(first_care) - date.fromisoformat(start_date)).days
    measure = "non_urgent" if urgency == "E" else "urgent"
    rows = []
    expected = {}
    for mode, state in modes.items():
        rows.append(record(f"{mode}-1", call(start, urgency=urgency), need=mode, client=mode))
        rows.append(record(f"{mode}-2", visit(day, mode), need=mode, client=mode))
        seen = (first_care, wait) if state == "met" else (None, None)
        states: dict[str, Any] = {measure: state}
        expected[mode] = need(start_date, *seen, contact="missed", **states)
    return scenario(
        name, rows, expected, visits={f"{mode}-2": {"contact_mode_code": mode} for mode in modes}
    )


_NEVER = dict.fromkeys(("R55", "R60", "R70", "R71", "R72", "R80", "R90"), "missed")

CARE = (
    _modes(
        "modes-non-urgent",
        "02.01.2024 09:00",
        "E",
        "05.01.2024 09:00",
        dict.fromkeys(("R10", "R20", "R30", "R41", "R52", "R56"), "met")
        | dict.fromkeys(("R40", "R50", "R51"), "missed")
        | _NEVER,
    ),
    _modes(
        "modes-urgent",
        "02.01.2024 09:00",
        "5",
        "03.01.2024 09:00",
        dict.fromkeys(("R10", "R20", "R30", "R40", "R41", "R52"), "met")
        | dict.fromkeys(("R50", "R51", "R56"), "missed")
        | _NEVER,
    ),
    # R50 and R51 count to the last minute of 2018, by the visit's date.
    _modes(
        "modes-last-day-of-2018",
        "27.12.2018 09:00",
        "E",
        "31.12.2018 23:59",
        dict.fromkeys(("R10", "R41", "R50", "R51"), "met") | {"R40": "missed"},
    ),
    _modes(
        "modes-first-day-of-2019",
        "27.12.2018 09:00",
        "E",
        "01.01.2019 00:00",
        dict.fromkeys(("R10", "R41", "R56"), "met")
        | dict.fromkeys(("R40", "R50", "R51"), "missed"),
    ),
    _modes(
        "modes-urgent-2018",
        "27.12.2018 09:00",
        "2",
        "28.12.2018 09:00",
        dict.fromkeys(("R10", "R40", "R41", "R52"), "met")
        | dict.fromkeys(("R50", "R51", "R56"), "missed"),
    ),
    # A phone call of 2019 is passed over for the visit after it.
    scenario(
        "phone-passed-over",
        [
            record("1", call("27.12.2018 09:00")),
            record("2", visit("01.01.2019 09:00", "R50", channel="puhelin")),
            record("3", visit("03.01.2019 09:00", "R52", channel="puhelin")),
        ],
        {"a": need("2018-12-27", "2019-01-03", 7, contact="missed", non_urgent="met")},
    ),
    # Group visits, and visits nobody says were individual, are visits, but not a first care event.
    scenario(
        "group-visits",
        [
            record("a1", call("02.01.2024 09:00")),
            record("a2", visit("02.01.2024 15:00", group="2")),
            record("b1", call("02.01.2024 09:00", urgency="5")),
            record("b2", visit("02.01.2024 15:00", group="")),
            record("c1", dental_call("01.09.2023 09:00")),
            record("c2", dental_visit("02.09.2023 15:00") | {"visitor_group_code": "2"}),
        ],
        {
            "a": need("2024-01-02", contact="missed", non_urgent="missed"),
            "b": need("2024-01-02", contact="missed", urgent="missed"),
            "c": need("2023-09-01", dental="missed"),
        },
        visits={
            "a2": {"visit_date": date(2024, 1, 2)},
            "b2": {"visit_date": date(2024, 1, 2)},
            "c2": {"profession_group": "dentist"},
        },
    ),
    # Non-urgent care asks for a licensed professional, of any group; urgent care does not.
    scenario(
        "licences",
        [
            record("a1", call("02.01.2024 09:00")),
            record("a2", visit("03.01.2024 09:00", licence=UNLICENSED)),
            record("b1", call("02.01.2024 09:00")),
            record("b2", visit("03.01.2024 09:00", licence="")),
            record("c1", call("02.01.2024 09:00")),
            record("c2", visit("03.01.2024 09:00", licence="100")),
            record("d1", call("02.01.2024 09:00", urgency="5")),
            record("d2", visit("03.01.2024 09:00", licence="")),
            record("e1", call("02.01.2024 09:00", urgency="5")),
            record("e2", visit("03.01.2024 09:00", licence=UNLICENSED)),
            # A profession is no licence.
            record("f1", call("02.01.2024 09:00")),
            record("f2", visit("03.01.2024 09:00", licence="", profession="2211")),
        ],
        {
            "a": need("2024-01-02", contact="missed", non_urgent="missed"),
            "b": need("2024-01-02", contact="missed", non_urgent="missed"),
            "c": need("2024-01-02", "2024-01-03", 1, contact="missed", non_urgent="met"),
            "d": need("2024-01-02", "2024-01-03", 1, contact="missed", urgent="met"),
            "e": need("2024-01-02", "2024-01-03", 1, contact="missed", urgent="met"),
            "f": need("2024-01-02", contact="missed", non_urgent="missed"),
        },
        visits={
            "a2": {},
            "b2": {"profession_group": None},
            "c2": {"profession_group": "nurse"},
            "d2": {"profession_group": None},
            "e2": {},
            "f2": {"profession_group": "physician"},
        },
    ),
    # A dentist or a dental hygienist, face to face. 2222 was a dentist in 2001's classification,
    # 2261 is one in 2010's, where 2221 and 2222 are nurses and midwives; a licence decides first.
    scenario(
        "dental-professions",
        [
            *(
                row
                for name, start, seen in (
                    ("licence", "01.09.2023 09:00", dental_visit("05.09.2023 09:00")),
                    (
                        "specialist",
                        "01.09.2023 09:00",
                        dental_visit("05.09.2023 09:00", licence="004"),
                    ),
                    (
                        "physician",
                        "01.09.2023 09:00",
                        dental_visit("05.09.2023 09:00", licence="000"),
                    ),
                    (
                        "tk10",
                        "01.09.2023 09:00",
                        dental_visit("05.09.2023 09:00", licence="", profession="2261"),
                    ),
                    (
                        "hygienist",
                        "01.09.2023 09:00",
                        dental_visit("05.09.2023 09:00", licence="", profession="3251"),
                    ),
                    (
                        "trap",
                        "01.09.2023 09:00",
                        dental_visit("05.09.2023 09:00", licence="", profession="2222"),
                    ),
                    (
                        "aml",
                        "01.09.2008 09:00",
                        dental_visit("05.09.2008 09:00", licence="", profession="2222"),
                    ),
                    (
                        "contradiction",
                        "01.09.2023 09:00",
                        dental_visit("05.09.2023 09:00", licence="000", profession="2261"),
                    ),
                    ("nobody", "01.09.2023 09:00", dental_visit("05.09.2023 09:00", licence="")),
                    ("remote", "01.09.2023 09:00", dental_visit("05.09.2023 09:00", "R52")),
                    ("home", "01.09.2023 09:00", dental_visit("05.09.2023 09:00", "R20")),
                )
                for row in (
                    record(f"{name}-1", dental_call(start), need=name, client=name[:5]),
                    record(f"{name}-2", seen, need=name, client=name[:5]),
                )
            )
        ],
        {
            **{
                name: need("2023-09-01", "2023-09-05", 4, dental="met")
                for name in ("licence", "specialist", "tk10", "hygienist")
            },
            "aml": need("2008-09-01", "2008-09-05", 4, dental="met"),
            **{
                name: need("2023-09-01", dental="missed")
                for name in ("physician", "trap", "contradiction", "nobody", "remote", "home")
            },
        },
        visits={
            "licence-2": {"profession_group": "dentist"},
            "specialist-2": {"profession_group": "dentist"},
            "physician-2": {"profession_group": "physician"},
            "tk10-2": {"profession_group": "dentist"},
            "hygienist-2": {"profession_group": "dental_hygienist"},
            "trap-2": {"profession_group": "nurse"},
            "aml-2": {"profession_group": "dentist"},
            "contradiction-2": {"profession_group": "physician"},
            "nobody-2": {"profession_group": None},
            "remote-2": {"profession_group": "dentist"},
            "home-2": {"profession_group": "dentist"},
        },
    ),
)

# ---------------------------------------------------------------------------------------------
# The marts' other shares: realised basis and the law
# ---------------------------------------------------------------------------------------------

SHARES = (
    # Started 20 December, seen on day 16, 5 January; started and seen in January, day 2; started
    # 21 February and seen on day 1, not judged yet.
    scenario(
        "realised-basis",
        [
            record("a1", call("20.12.2023 09:00")),
            record("a2", visit("05.01.2024 09:00")),
            record("b1", call("02.01.2024 09:00")),
            record("b2", visit("04.01.2024 09:00")),
            record("c1", call("21.02.2024 09:00")),
            record("c2", visit("22.02.2024 09:00")),
            record("d1", call("02.01.2024 09:00")),
        ],
        {
            "a": need("2023-12-20", "2024-01-05", 16, contact="missed", non_urgent="missed"),
            "b": need("2024-01-02", "2024-01-04", 2, contact="missed", non_urgent="met"),
            "c": need("2024-02-21", "2024-02-22", 1, contact="missed", non_urgent="pending"),
            "d": need("2024-01-02", contact="missed", non_urgent="missed"),
        },
        measures={
            (NON_URGENT, "month", date(2023, 12, 1)): {
                **counts(missed=1),
                "rate": 0.0,
                "realised_rate": None,
                "status": "not_met",
            },
            (NON_URGENT, "month", date(2024, 1, 1)): {
                **counts(met=1, missed=1),
                "rate": 0.5,
                "realised_rate": 0.5,
            },
            (NON_URGENT, "month", date(2024, 2, 1)): {
                **counts(pending=1),
                "rate": None,
                "realised_rate": 1.0,
                "status": "no_data",
                "is_preliminary": True,
            },
            (NON_URGENT, "year", date(2023, 1, 1)): {**counts(missed=1), "realised_rate": None},
            (NON_URGENT, "year", date(2024, 1, 1)): {
                **counts(met=1, missed=1, pending=1),
                "realised_rate": 2 / 3,
            },
            (NON_URGENT, "rolling_12_months", date(2023, 3, 1)): {
                **counts(met=1, missed=2, pending=1),
                "rate": 1 / 3,
                "realised_rate": 2 / 3,
                "period_end": date(2024, 2, 29),
            },
            (NON_URGENT, "rolling_12_months", date(2023, 1, 1)): {
                **counts(missed=1),
                "realised_rate": None,
                "period_end": date(2023, 12, 31),
            },
        },
        waits={
            (NON_URGENT, "month", date(2023, 12, 1), 16): 1,
            (NON_URGENT, "month", date(2024, 1, 1), 2): 1,
            (NON_URGENT, "month", date(2024, 2, 1), 1): 1,
            (NON_URGENT, "quarter", date(2024, 1, 1), 2): 1,
            (NON_URGENT, "quarter", date(2024, 1, 1), 1): 1,
        },
    ),
    # A realised need makes a row of a period in which its unit has no cohort.
    scenario(
        "realised-without-cohort",
        [record("1", call("28.12.2023 09:00")), record("2", visit("02.01.2024 09:00"))],
        {"a": need("2023-12-28", "2024-01-02", 5, contact="missed", non_urgent="met")},
        measures={
            (NON_URGENT, "month", date(2023, 12, 1)): {
                **counts(met=1),
                "rate": 1.0,
                "realised_rate": None,
                "status": "met",
            },
            (NON_URGENT, "month", date(2024, 1, 1)): {
                **counts(),
                "rate": None,
                "realised_rate": 1.0,
                "statutory_rate": None,
                "status": "no_data",
                "is_preliminary": False,
            },
        },
    ),
    # Twelve months, not thirteen: those that end with February 2024 begin on 1 March 2023.
    scenario(
        "rolling-window",
        [
            record("a1", call("28.02.2023 09:00")),
            record("a2", visit("01.03.2023 09:00")),
            record("b1", call("01.03.2023 09:00")),
        ],
        {
            "a": need("2023-02-28", "2023-03-01", 1, contact="missed", non_urgent="met"),
            "b": need("2023-03-01", contact="missed", non_urgent="missed"),
        },
        measures={
            (NON_URGENT, "rolling_12_months", date(2022, 3, 1)): {
                **counts(met=1),
                "realised_rate": None,
                "period_end": date(2023, 2, 28),
            },
            (NON_URGENT, "rolling_12_months", date(2023, 2, 1)): {
                **counts(met=1, missed=1),
                "rate": 0.5,
                "realised_rate": 1.0,
                "period_end": date(2024, 1, 31),
            },
            (NON_URGENT, "rolling_12_months", date(2023, 3, 1)): {
                **counts(missed=1),
                "rate": 0.0,
                "realised_rate": 1.0,
                "period_end": date(2024, 2, 29),
            },
        },
        waits={(NON_URGENT, "rolling_12_months", date(2023, 2, 1), 1): 1},
    ),
    # From 1 September 2023: 14 days. Day 14 of 2 January is the 16th.
    scenario(
        "law-14-days",
        [
            record("a1", call("02.01.2024 09:00")),
            record("a2", visit("16.01.2024 09:00")),
            record("b1", call("02.01.2024 09:00")),
            record("b2", visit("17.01.2024 09:00")),
        ],
        {
            "a": need("2024-01-02", "2024-01-16", 14, contact="missed", non_urgent="missed"),
            "b": need("2024-01-02", "2024-01-17", 15, contact="missed", non_urgent="missed"),
        },
        measures={
            (NON_URGENT, "month", date(2024, 1, 1)): {
                **counts(missed=2),
                "rate": 0.0,
                "statutory_rate": 0.5,
            }
        },
    ),
    # The law by the start date: 31 August 2023 has three months, which end on 30 November; 1
    # September has 14 days, which end on the 15th.
    scenario(
        "law-of-the-start-date",
        [
            record("a1", call("31.08.2023 23:59")),
            record("a2", visit("30.11.2023 09:00")),
            record("b1", call("31.08.2023 09:00")),
            record("b2", visit("01.12.2023 09:00")),
            record("c1", call("01.09.2023 00:00")),
            record("c2", visit("15.09.2023 09:00")),
            record("d1", call("01.09.2023 09:00")),
            record("d2", visit("16.09.2023 09:00")),
            record("e1", call("01.09.2023 09:00")),
        ],
        {
            # August has one more day to go: 30 + 31 + 30 = 91 days to 30 November.
            "a": need("2023-08-31", "2023-11-30", 91, contact="missed", non_urgent="missed"),
            "b": need("2023-08-31", "2023-12-01", 92, contact="missed", non_urgent="missed"),
            "c": need("2023-09-01", "2023-09-15", 14, contact="missed", non_urgent="missed"),
            "d": need("2023-09-01", "2023-09-16", 15, contact="missed", non_urgent="missed"),
            "e": need("2023-09-01", contact="missed", non_urgent="missed"),
        },
        measures={
            (NON_URGENT, "month", date(2023, 8, 1)): {**counts(missed=2), "statutory_rate": 0.5},
            (NON_URGENT, "month", date(2023, 9, 1)): {**counts(missed=3), "statutory_rate": 1 / 3},
        },
    ),
    # Dental care, to 31 August 2023: six months, 29 February 2024 where there is no 31st.
    # From 1 September: four months, 1 January.
    scenario(
        "law-dental",
        [
            record("a1", dental_call("31.08.2023 09:00")),
            record("a2", dental_visit("29.02.2024 09:00")),
            record("b1", dental_call("31.08.2023 09:00")),
            record("c1", dental_call("01.09.2023 09:00")),
            record("c2", dental_visit("01.01.2024 09:00")),
            record("d1", dental_call("01.09.2023 09:00")),
            record("d2", dental_visit("02.01.2024 09:00")),
            record("e1", dental_call("01.11.2023 09:00")),
            record("e2", dental_visit("02.11.2023 09:00")),
            record("f1", dental_call("31.10.2023 09:00")),
        ],
        {
            # 30 September, 61 October, 91 November, 122 December, 153 January, 182 on 29 February.
            "a": need("2023-08-31", "2024-02-29", 182, dental="missed"),
            "b": need("2023-08-31", dental="missed"),
            # 1 September to 1 January: 30 + 31 + 30 + 31.
            "c": need("2023-09-01", "2024-01-01", 122, dental="missed"),
            "d": need("2023-09-01", "2024-01-02", 123, dental="missed"),
            "e": need("2023-11-01", "2023-11-02", 1, dental="met"),
            "f": need("2023-10-31", dental="missed"),
        },
        measures={
            (DENTAL, "month", date(2023, 8, 1)): {
                **counts(missed=2),
                "rate": 0.0,
                "statutory_rate": 0.5,
                "target_rate": 1.0,
            },
            (DENTAL, "month", date(2023, 9, 1)): {**counts(missed=2), "statutory_rate": 0.5},
            # 31 October + 4 months = 29 February: judged. 1 November + 4 = 1 March: not yet.
            (DENTAL, "month", date(2023, 10, 1)): {**counts(missed=1), "statutory_rate": 0.0},
            (DENTAL, "month", date(2023, 11, 1)): {
                **counts(met=1),
                "rate": 1.0,
                "statutory_rate": None,
                "status": "met",
            },
        },
    ),
    # The legal limit has its own pending and its own rule 6: 16 February + 14 = 1 March; the
    # client cancels on day 12, after the city's limit and before the law's.
    scenario(
        "law-order",
        [
            record("a1", call("16.02.2024 09:00")),
            record("a2", visit("19.02.2024 09:00")),
            record("b1", call("02.01.2024 09:00")),
            record(
                "b2",
                booking("02.01.2024 09:10", "20.01.2024 09:00"),
                cancelled("14.01.2024 09:00", "asiakas"),
            ),
            record("c1", call("02.01.2024 09:00")),
            record("c2", visit("03.01.2024 09:00")),
        ],
        {
            "a": need("2024-02-16", "2024-02-19", 3, contact="missed", non_urgent="met"),
            "b": need("2024-01-02", contact="missed", non_urgent="missed"),
            "c": need("2024-01-02", "2024-01-03", 1, contact="missed", non_urgent="met"),
        },
        measures={
            (NON_URGENT, "month", date(2024, 1, 1)): {
                **counts(met=1, missed=1),
                "rate": 0.5,
                "statutory_rate": 1.0,
            },
            (NON_URGENT, "month", date(2024, 2, 1)): {
                **counts(met=1),
                "rate": 1.0,
                "statutory_rate": None,
            },
        },
    ),
    # Needs with no first care are in no distribution; those pending are.
    scenario(
        "distribution",
        [
            record("a1", call("02.01.2024 09:00")),
            record("a2", visit("05.01.2024 09:00")),
            record("b1", call("09.01.2024 09:00")),
            record("b2", visit("12.01.2024 09:00")),
            record("c1", call("10.01.2024 09:00")),
            record("c2", visit("10.02.2024 09:00")),
            record("d1", call("11.01.2024 09:00")),
            record("e1", call("26.02.2024 09:00")),
            record("e2", visit("29.02.2024 09:00")),
        ],
        {
            "a": need("2024-01-02", "2024-01-05", 3, contact="missed", non_urgent="met"),
            "b": need("2024-01-09", "2024-01-12", 3, contact="missed", non_urgent="met"),
            "c": need("2024-01-10", "2024-02-10", 31, contact="missed", non_urgent="missed"),
            "d": need("2024-01-11", contact="missed", non_urgent="missed"),
            "e": need("2024-02-26", "2024-02-29", 3, contact="pending", non_urgent="pending"),
        },
        waits={
            (NON_URGENT, "month", date(2024, 1, 1), 3): 2,
            (NON_URGENT, "month", date(2024, 1, 1), 31): 1,
            (NON_URGENT, "month", date(2024, 2, 1), 3): 1,
            (NON_URGENT, "year", date(2024, 1, 1), 3): 3,
            (NON_URGENT, "year", date(2024, 1, 1), 31): 1,
            (NON_URGENT, "rolling_12_months", date(2023, 2, 1), 3): 2,
            (NON_URGENT, "rolling_12_months", date(2023, 2, 1), 31): 1,
        },
    ),
)

MAIN = Group(
    date(2024, 3, 1),
    (
        *LIMITS,
        *JUDGEMENT,
        *CLOCKS,
        *RULE_6,
        *VERSIONS,
        *FIRST_CONTACTS,
        *POPULATIONS,
        *CARE,
        *SHARES,
    ),
)

# ---------------------------------------------------------------------------------------------
# The law of 2025, by age
# ---------------------------------------------------------------------------------------------

_LATER = "31.07.2025 12:00"
_TWO_DAYS_SHORT_OF_23 = identity_code(date(2002, 1, 4), "901")
_23_TODAY = identity_code(date(2002, 1, 2), "902")
_TWENTY = identity_code(date(2005, 1, 2), "903")
_FORTY = identity_code(date(1985, 1, 2), "904")
_22_DENTAL = identity_code(date(2002, 2, 1), "905")
_23_DENTAL = identity_code(date(2002, 1, 31), "906")
_BORN_1999 = identity_code(date(1999, 12, 31), "907")


def _later(record_id: str, *blocks: Row, client: str | None = None) -> Row:
    return record(record_id, *blocks, client=client, updated=_LATER, delivery="2025-08-01")


LAW_OF_2025 = (
    # Started 2 January 2025 by one who turns 23 two days later: 14 days, seen on day 15.
    scenario(
        "law-2025-under-23",
        [
            _later("a1", call("02.01.2025 09:00"), client=_TWO_DAYS_SHORT_OF_23),
            _later("a2", visit("17.01.2025 09:00"), client=_TWO_DAYS_SHORT_OF_23),
            _later("b1", call("02.01.2025 09:00"), client=_TWENTY),
            _later("b2", visit("16.01.2025 09:00"), client=_TWENTY),
        ],
        {
            "a": need("2025-01-02", "2025-01-17", 15, contact="missed", non_urgent="missed"),
            "b": need("2025-01-02", "2025-01-16", 14, contact="missed", non_urgent="missed"),
        },
        measures={
            (NON_URGENT, "month", date(2025, 1, 1)): {**counts(missed=2), "statutory_rate": 0.5}
        },
    ),
    # Whoever turns 23 on the start date has three months: 2 April.
    scenario(
        "law-2025-from-23",
        [
            _later("a1", call("02.01.2025 09:00"), client=_23_TODAY),
            _later("a2", visit("02.04.2025 09:00"), client=_23_TODAY),
            _later("b1", call("02.01.2025 09:00"), client=_FORTY),
            _later("b2", visit("03.04.2025 09:00"), client=_FORTY),
            _later("c1", call("02.01.2025 09:00"), client=_BORN_1999),
            _later("c2", visit("20.01.2025 09:00"), client=_BORN_1999),
        ],
        {
            "a": need("2025-01-02", "2025-04-02", 90, contact="missed", non_urgent="missed"),
            "b": need("2025-01-02", "2025-04-03", 91, contact="missed", non_urgent="missed"),
            "c": need("2025-01-02", "2025-01-20", 18, contact="missed", non_urgent="missed"),
        },
        measures={
            (NON_URGENT, "month", date(2025, 1, 1)): {**counts(missed=3), "statutory_rate": 2 / 3}
        },
    ),
    # An age that the law asks for and nobody knows: left out. In 2024 it did not ask.
    scenario(
        "law-2025-age-unknown",
        [
            _later("a1", call("02.01.2025 09:00")),
            _later("a2", visit("03.01.2025 09:00")),
            _later("b1", call("02.12.2024 09:00")),
            _later("b2", visit("16.12.2024 09:00")),
            _later("c1", call("31.12.2024 09:00"), client=""),
        ],
        {
            "a": need("2025-01-02", "2025-01-03", 1, contact="missed", non_urgent="met"),
            "b": need("2024-12-02", "2024-12-16", 14, contact="missed", non_urgent="missed"),
            "c": need("2024-12-31", contact="missed", non_urgent="missed"),
        },
        measures={
            (NON_URGENT, "month", date(2025, 1, 1)): {
                **counts(met=1),
                "rate": 1.0,
                "statutory_rate": None,
            },
            (NON_URGENT, "month", date(2024, 12, 1)): {
                **counts(missed=2),
                "rate": 0.0,
                "statutory_rate": 0.5,
            },
        },
    ),
    # Dental care of 31 January 2025: under 23 three months, to 30 April; others six, to 31 July.
    scenario(
        "law-2025-dental",
        [
            _later("a1", dental_call("31.01.2025 09:00"), client=_22_DENTAL),
            _later("a2", dental_visit("30.04.2025 09:00"), client=_22_DENTAL),
            _later("b1", dental_call("31.01.2025 09:00"), client=_TWENTY),
            _later("b2", dental_visit("02.05.2025 09:00"), client=_TWENTY),
            _later("c1", dental_call("31.01.2025 09:00"), client=_23_DENTAL),
            _later("c2", dental_visit("31.07.2025 09:00"), client=_23_DENTAL),
            _later("d1", dental_call("31.01.2025 09:00"), client=_FORTY),
            # 1 February + 6 months = 1 August, the as-of date: not judged by the law.
            _later("e1", dental_call("01.02.2025 09:00"), client=_FORTY),
            # 1 February + 3 months: judged.
            _later("f1", dental_call("01.02.2025 09:00"), client=_TWENTY),
        ],
        {
            # February 28, March 59, April 89.
            "a": need("2025-01-31", "2025-04-30", 89, dental="met"),
            "b": need("2025-01-31", "2025-05-02", 91, dental="missed"),
            # May 120, June 150, July 181.
            "c": need("2025-01-31", "2025-07-31", 181, dental="missed"),
            "d": need("2025-01-31", dental="missed"),
            "e": need("2025-02-01", dental="missed"),
            "f": need("2025-02-01", dental="missed"),
        },
        measures={
            (DENTAL, "month", date(2025, 1, 1)): {
                **counts(met=1, missed=3),
                "rate": 0.25,
                "statutory_rate": 0.5,
            },
            (DENTAL, "month", date(2025, 2, 1)): {
                **counts(missed=2),
                "rate": 0.0,
                "statutory_rate": 0.0,
            },
        },
    ),
)

LATER = Group(date(2025, 8, 1), LAW_OF_2025)

GROUPS = (MAIN, LATER)
