"""The SQL of generated records: what happened when, when it was delivered, and how it is written.

A record is a function of its number `record` alone (and of the options), so that any part of the
data can be made at any time, in any order and on any number of threads: `record // 20` is its
group, the lookup tables say which need of the group it belongs to and what it is there, and every
choice is a 16-bit piece of `hash(number xor salt)`, DuckDB's hash of integers. All arithmetic on
times is on whole minutes and days since 1970, in local time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sotedw.generate import city
from sotedw.generate.city import GROUP_SIZE, Role
from sotedw.generate.lookups import (
    AGE_CLASSES,
    ANCIENT_CLIENTS,
    CLIENT_CYCLE,
    FAMILY_NAMES,
    FOREIGN_CLIENTS,
    LINE_SLOTS,
    LONGEST_SCENARIO,
    MIX_SLOTS,
    MODE_SLOTS,
    NAMELESS_CLIENTS,
    ROLE_SLOTS,
    SMALL_SLOTS,
    clock_changes,
    day_number,
    sql_text,
)

#: Headers of a delivery, in the order of the hand-over page.
HEADERS = (
    "TAPAHTUMA_TUNNUS",
    "SEURANTATIETUE_PAIVITETTY",
    "POISTETTU",
    "PALVELUTARVE_TUNNUS",
    "ASIAKAS_TUNNUS",
    "ASIAKAS_KOTIKUNTA",
    "PALVELUNTUOTTAJA",
    "PALVELUNTUOTTAJA_YKSIKKO",
    "TUOTTAMISTAPA",
    "YHTEYDENOTTO_AJANKOHTA",
    "YHTEYDENOTTO_KANAVA",
    "YHTEYDENOTTO_PALVELUMUOTO",
    "HOIDONTARVE_AJANKOHTA",
    "HTA_AMMATTIOIKEUS",
    "HTA_KIIREELLISYYS",
    "HTA_LUONNE",
    "HTA_TULOS",
    "AJANVARAUS_AJANKOHTA",
    "AJANVARAUS_VARATTU",
    "AJANVARAUS_PALVELUMUOTO",
    "KAYNTI_ALKOI",
    "KAYNTI_LOPPUI",
    "KAYNTI_PALVELUMUOTO",
    "KAYNTI_YHTEYSTAPA",
    "KAYNTI_KANAVA",
    "KAYNTI_KIIREELLISYYS",
    "KAYNTI_LUONNE",
    "KAYNTI_ENSIKAYNTI",
    "KAYNTI_KAVIJARYHMA",
    "KAYNTI_ERIKOISALA",
    "KAYNTI_AMMATTIOIKEUS",
    "KAYNTI_AMMATTI",
    "PERUUTUS_AJANKOHTA",
    "PERUUTUS_SYY",
    "LISATIETO",
)

#: The first line of a csv file.
HEADER_LINE = ";".join(HEADERS)

#: Columns of the timeline that rows are made of. Times are minutes since 1970, local; made_0 to
#: made_3 when the record's versions were made.
KEPT = (
    "record",
    "need",
    "stratum",
    "flow",
    "year_number",
    "role",
    "channel_number",
    "urgency",
    "client",
    "client_kind",
    "unit_slot",
    "made_day",
    "contacted",
    "assessed",
    "booked",
    "booked_for",
    "started",
    "ended",
    "reason",
    "cancelled",
    "is_nameless",
    "made_0",
    "made_1",
    "made_2",
    "made_3",
)

#: Headers in order, in pieces that are empty together: the column that says so, None for never.
_BLOCKS: tuple[tuple[str | None, tuple[str, ...]], ...] = (
    (None, HEADERS[:9]),
    ("contacted", HEADERS[9:12]),
    ("assessed", HEADERS[12:17]),
    ("booked_for", HEADERS[17:20]),
    ("visit_started", HEADERS[20:32]),
    ("shown_reason", HEADERS[32:34]),
    ("free_text", HEADERS[34:]),
)

#: Place of a row in its file, as one number: DuckDB's joins keep no order, and so it is sorted.
_PLACE = "(part * 1000000000000000::bigint + record * 16 + version * 4 + copy)"

CHECK_CHARACTERS = "0123456789ABCDEFHJKLMNPRSTUVWXY"


@dataclass(frozen=True)
class Defect:
    """A way in which a row is bad.

    Attributes:
        kind: Its name in results and in the truth file.
        rule: The door's rule that it breaks.
        header: Column it is in; None: the row.
        quarantined: Whether the row does not get past the door. Free text is never loaded, so that
            an identity code in it keeps no row out.
        weight: How often, among the bad rows.
    """

    kind: str
    rule: str
    header: str | None
    quarantined: bool = True
    weight: int = 2


DEFECTS = (
    Defect("missing_record_id", "missing_value", "TAPAHTUMA_TUNNUS"),
    Defect("missing_update_time", "missing_value", "SEURANTATIETUE_PAIVITETTY", weight=1),
    Defect("bad_date", "not_a_time", "YHTEYDENOTTO_AJANKOHTA", weight=3),
    Defect("text_in_time_column", "not_a_time", "HOIDONTARVE_AJANKOHTA", weight=3),
    Defect("unknown_service_form", "unknown_code", "YHTEYDENOTTO_PALVELUMUOTO"),
    Defect("unknown_contact_mode", "unknown_code", "KAYNTI_YHTEYSTAPA"),
    Defect("unknown_urgency", "unknown_code", "HTA_KIIREELLISYYS"),
    Defect("unknown_outcome", "unknown_code", "HTA_TULOS", weight=1),
    Defect("unknown_cancel_reason", "unknown_code", "PERUUTUS_SYY", weight=1),
    Defect("unknown_producer_type", "unknown_value", "TUOTTAMISTAPA", weight=1),
    Defect("bad_flag", "not_yes_or_no", "POISTETTU", weight=1),
    Defect("no_block", "nothing_filled", None, weight=3),
    Defect("bad_identity_code", "bad_identity_code", "ASIAKAS_TUNNUS", weight=4),
    Defect("identity_code_in_record_id", "identity_code", "TAPAHTUMA_TUNNUS"),
    Defect("identity_code_in_need_id", "identity_code", "PALVELUTARVE_TUNNUS", weight=1),
    Defect("identity_code_in_free_text", "identity_code", "LISATIETO", False, weight=4),
)

#: Number of a defect in the SQL; 0 is a good row.
DEFECT_NUMBERS: Mapping[str, int] = {
    defect.kind: number for number, defect in enumerate(DEFECTS, start=1)
}

_BAD_TIMES = ("31.02.2021 10:15", "29.02.2021 9:00", "12.13.2021 12:00", "05.05.2021 25:61", "0")
_TEXTS_IN_TIME_COLUMNS = ("huomenna klo 9", "ei tiedossa", "klo 10.15")
_UNKNOWN_UNIT = "1.2.246.10.2012566.10.99999"


@dataclass(frozen=True)
class Shares:
    """How often things happen that make the data of a unit's system untidy; all 0..1.

    Attributes:
        bad: Rows that are spoiled.
        late: Record versions delivered 5 to 154 days after they were made.
        duplicate: Rows delivered twice in one delivery.
        resent: Versions of the last 30 days that a later delivery holds again.
        superseded: Older versions that are delivered beside the newest.
        correction: Records corrected by a newer version with other content.
        deletion: Records marked deleted later.
        clock_change: Needs of health stations and dental care that start in the hour that a clock
            change skips or repeats.
    """

    bad: float = 0.001
    late: float = 0.01
    duplicate: float = 0.002
    resent: float = 0.01
    superseded: float = 0.01
    correction: float = 0.015
    deletion: float = 0.003
    clock_change: float = 0.002


@dataclass(frozen=True)
class DeliveryDay:
    """Deliveries of one day.

    Attributes:
        day: Their date.
        first: Number of the first of them among all, from 1.
        count: How many.
    """

    day: date
    first: int
    count: int


_FIELDS: Mapping[str, tuple[str, ...]] = {
    "group": ("mix", "shape"),
    "need": (
        "repeat",
        "repeat_gap",
        "scenario",
        "unit",
        "form",
        "specialty",
        "nameless",
        "delay",
        "channel",
        "urgency",
        "contact_a",
        "contact_b",
        "assess",
        "wait_a",
        "gap",
        "split",
        "trim",
    ),
    "base": ("bucket", "client_a", "client_b", "client_age", "clock"),
    "record": (
        "no_contact",
        "booking",
        "no_booking_time",
        "later_booking",
        "slot",
        "start",
        "length",
        "no_end",
        "rebook",
        "reason",
        "cancel_day",
        "cancel_time",
        "no_cancel_time",
        "both",
        "with_care",
        "correction",
        "correction_day",
        "correction_kind",
        "deletion",
        "deletion_day",
        "version_time",
        "resent",
        "resent_later",
        "superseded",
        "duplicate",
        "line",
        "mode",
        "profession",
        "assessor",
        "outcome",
        "nature",
        "forms",
        "visit_urgency",
        "visit_flags",
        "second_assessment",
        "out_of_validity",
        "text",
    ),
    "version": ("late", "late_days", "bad", "bad_kind", "bad_value", "spelling"),
}

_KEYS = {
    "group": f"(record // {GROUP_SIZE})",
    "need": "need",
    "base": "base_need",
    "record": "record",
    "version": "(record * 4 + version)",
}

_PLACES = {
    name: (level, index) for level, names in _FIELDS.items() for index, name in enumerate(names)
}


class Sql:
    """Writes the SQL for one set of options.

    Args:
        seed: Whatever else is equal, another seed makes other data.
        events: Records.
        clients: Clients, a multiple of `CLIENT_CYCLE`.
        first: First day on which needs start.
        last: Last day on which anything is known.
        buckets: From `Lookups`, like `year_ends`: pieces that the period is cut into.
        year_ends: Bucket after the last one of each year.
        days: When deliveries come, in order.
        shares: How untidy the data are.
        iso_times: Whether service voucher producers write ISO 8601 times, some with an offset.
    """

    def __init__(
        self,
        *,
        seed: int,
        events: int,
        clients: int,
        first: date,
        last: date,
        buckets: int,
        year_ends: Sequence[int],
        days: Sequence[DeliveryDay],
        shares: Shares,
        iso_times: bool,
    ) -> None:
        self._seed = seed
        self._groups = -(-events // GROUP_SIZE)
        self._clients = clients
        self._first, self._last = first, last
        self._buckets = buckets
        self._year_ends = year_ends
        self._days = days
        self._shares = shares
        self._iso_times = iso_times

    # --- random numbers ---------------------------------------------------------------------------

    def _word(self, purpose: str, key: str) -> str:
        """A hash of 64 bits; of another purpose, an independent one."""
        salt = hashlib.blake2b(f"{self._seed}/{purpose}".encode(), digest_size=8).digest()
        return f"hash(xor({key}, {int.from_bytes(salt, 'big') >> 3}))"

    def _draw(self, name: str, version: str | None = None) -> str:
        """A uniform whole number of 16 bits; the columns its level needs must be there."""
        level, index = _PLACES[name]
        key = _KEYS[level] if version is None else f"(record * 4 + {version})"
        word = self._word(f"{level} {index // 4}", key)
        return f"cast(({word} >> {index % 4 * 16}) & 65535 as integer)"

    def _below(self, name: str, share: float, version: str | None = None) -> str:
        return f"({self._draw(name, version)} < {round(share * 65536)})"

    def _pick(self, name: str, count: int) -> str:
        """A whole number from 0 up to but not including `count`."""
        return f"(({self._draw(name)} * {count}) >> 16)"

    def _one_of(self, name: str, texts: Sequence[str], version: str | None = None) -> str:
        drawn = self._draw(name, version)
        whens = " ".join(f"when {index} then {sql_text(text)}" for index, text in enumerate(texts))
        return f"case {drawn} % {len(texts)} {whens} end"

    def _weighted(self, name: str, choices: Sequence[tuple[str | None, float]]) -> str:
        """One of some codes; null for None."""
        total = sum(weight for _, weight in choices)
        reached = 0.0
        whens = []
        for code, weight in choices:
            reached += weight / total
            value = "null" if code is None else sql_text(code)
            whens.append(f"when {self._draw(name)} < {round(reached * 65536)} then {value}")
        return f"case {' '.join(whens)} end"

    # --- what happened when -----------------------------------------------------------------------

    def timeline(self, source: str) -> str:
        """Columns of `source` and all numbers of their records.

        Args:
            source: A relation with a column `record` (bigint); its other columns go along.
        """
        steps = []
        before = "placed"
        for last, columns in enumerate(self._steps()):
            added = ", ".join(f"{expression} as {name}" for name, expression in columns.items())
            steps.append(f"step_{last} as (select *, {added} from {before})")
            before = f"step_{last}"
        bucket = f"((record // {GROUP_SIZE}) * {self._buckets}) // {self._groups}"
        return f"""
            (
                with grouped as (
                    select
                        source.*,
                        record // {GROUP_SIZE} as group_number,
                        cast(record % {GROUP_SIZE} as integer) as place,
                        {self._year(bucket)} as year_number,
                        {self._draw("mix")} % {MIX_SLOTS} as mix_slot,
                        {self._draw("shape")} % 4 as shape
                    from {source} as source
                ),
                mixed as (
                    select grouped.*, mix.* exclude (slot)
                    from grouped
                    inner join gen_mix as mix on mix.slot = year_number * {MIX_SLOTS} + mix_slot
                ),
                cut as (
                    select
                        mixed.*,
                        shapes.ordinal,
                        shapes.number,
                        shapes.size,
                        group_number * {GROUP_SIZE} + shapes.ordinal as need
                    from mixed
                    inner join gen_shapes as shapes
                        on shapes.slot = (flow * 4 + shape) * {GROUP_SIZE} + place
                ),
                based as (
                    select
                        *,
                        flow = 0 and ordinal > 0 and {self._below("repeat", 0.09)} as is_repeat,
                        need - case when is_repeat then 1 else 0 end as base_need,
                        {self._draw("scenario")} % {ROLE_SLOTS} as scenario
                    from cut
                ),
                clients as (
                    select
                        *,
                        cast(
                            (
                                {self._draw("client_a")} * 65536::bigint + {self._draw("client_b")}
                            ) % {self._clients // 20} * 20
                            + age_first + {self._draw("client_age")} % age_count
                            as integer
                        ) as client,
                        cast(
                            (
                                group_number * {self._buckets}
                                + {self._draw("bucket")} % {self._buckets}
                            ) // {self._groups}
                            as integer
                        ) as bucket,
                        stratum * {SMALL_SLOTS} + {self._draw("unit")} % {SMALL_SLOTS} as unit_slot
                    from based
                ),
                placed as (
                    select
                        clients.*,
                        calendar.day as calendar_day,
                        calendar.queue,
                        calendar.change_day,
                        roles.role as planned_role,
                        roles.cancelled_before,
                        roles.leads_on,
                        units.unit_queue
                    from clients
                    inner join gen_calendar as calendar
                        on calendar.slot
                        = clients.calendar * {self._buckets} + least(bucket, {self._buckets - 1})
                    inner join gen_roles as roles
                        on roles.slot = (
                            (flow * {LONGEST_SCENARIO} + size - 1) * {ROLE_SLOTS} + scenario
                        ) * {LONGEST_SCENARIO} + number - 1
                    inner join gen_units as units on units.slot = unit_slot
                ),
                {", ".join(steps)}
                select * from {before}
            )
        """

    def _year(self, bucket: str) -> str:
        whens = " ".join(
            f"when {bucket} < {end} then {index}" for index, end in enumerate(self._year_ends[:-1])
        )
        last = len(self._year_ends) - 1
        return f"case {whens} else {last} end" if whens else "0"

    def _steps(self) -> list[dict[str, str]]:
        """Columns to add, step by step; a step reads what the ones before it have added.

        (An alias that the same `select` reads again would be written out each time it is read.)
        """
        return [
            *self._start_steps(),
            *self._wait_steps(),
            *self._day_steps(),
            *self._booking_steps(),
            *self._visit_steps(),
            *self._version_steps(),
        ]

    def _start_steps(self) -> list[dict[str, str]]:
        """When the need starts: the day, the contact, how urgent, through which channel."""
        draw = self._draw
        channels = (
            f"case when flow = 0 then case when {draw('channel')} < 31000 then 0"
            f" when {draw('channel')} < 46000 then 1 when {draw('channel')} < 56000 then 2"
            f" when {draw('channel')} < 64000 then 3 else 4 end"
            f" else case when {draw('channel')} < 48000 then 0"
            f" when {draw('channel')} < 60000 then 1"
            f" when {draw('channel')} < 63000 then 2 else 3 end end"
        )
        urgencies = (
            f"case when flow = 0 then case when {draw('urgency')} < 44500 then 0"
            f" when {draw('urgency')} < 62500 then 1 else 2 end"
            f" when flow = 1 then case when {draw('urgency')} < 55500 then 0"
            f" when {draw('urgency')} < 64500 then 1 else 2 end else 0 end"
        )
        repeat_day = _weekday_from(f"calendar_day + 1 + {self._pick('repeat_gap', 9)}")
        return [
            {
                "at_clock_change": (
                    "change_day is not null and flow < 2 and not is_repeat and"
                    f" {self._below('clock', self._shares.clock_change)}"
                ),
            },
            {
                "contact_day": (
                    "case when at_clock_change then change_day"
                    f" when is_repeat then {repeat_day} else calendar_day end"
                ),
                "channel_number": channels,
                "urgency": (
                    f"case when at_clock_change then 1 + {self._pick('urgency', 2)}"
                    f" else {urgencies} end"
                ),
            },
            {
                "delay": (
                    "case when channel_number = 2 and not at_clock_change"
                    f" then {self._pick('delay', 3)} else 0 end"
                ),
                "contact_minutes": (
                    "contact_day * 1440 + case"
                    f" when at_clock_change then 180 + {self._pick('contact_a', 60)}"
                    f" when urgency = 2 then {self._pick('contact_a', 1440)}"
                    f" else {self._office('contact_a', 'contact_b')} end"
                ),
            },
        ]

    def _office(self, first: str, second: str) -> str:
        """A minute of the day in office hours, most often in the morning."""
        return (
            f"(480 + ((({self._draw(first)} >> 4) * (({self._draw(second)} >> 5) + 1024) * 5)"
            " >> 17))"
        )

    def _wait_steps(self) -> list[dict[str, str]]:
        """The need's first assessment, and how long the queue is."""
        wait = self._draw("wait_a")
        # Squared: most waits are short, and some are long.
        squared = f"(({wait}::bigint * {wait}) >> 16)"
        queue = f"(unit_queue * queue) * {squared}) // 655360000"
        return [
            {
                "first_assessed_day": (
                    f"case when delay > 0 then {_weekday_from('contact_day + delay')}"
                    " else contact_day end"
                ),
                "wait": (
                    "cast(case when flow = 3 or urgency = 2 or at_clock_change then 0"
                    f" when flow = 1 and urgency = 1 then {self._pick('wait_a', 4)}"
                    f" when urgency = 1 then case when {wait} < 41000 then 0"
                    f" when {wait} < 57000 then 1 else 2 + {wait} % 6 end"
                    f" when flow = 0 then (19 * {queue} when flow = 1 then (150 * {queue}"
                    f" else (45 * {queue} end as integer)"
                ),
            },
            {
                "first_assessed_minutes": (
                    "case when delay > 0"
                    f" then first_assessed_day * 1440 + {self._office('contact_b', 'assess')}"
                    " else least(contact_minutes + 2 + case when channel_number = 1"
                    f" then {self._pick('assess', 240)} else {self._pick('assess', 13)} end,"
                    " contact_day * 1440 + 1439) end"
                ),
            },
        ]

    def _day_steps(self) -> list[dict[str, str]]:
        """The record's own days, and what becomes of it when it would be made after the end."""

        def slot(cancelled: str) -> str:
            return _weekday_from(
                f"assessed_day + 1 + (wait * ({cancelled} + 1) * 5) // 8 + {cancelled} * 3"
            )

        second = f"first_assessed_day + 1 + {self._pick('second_assessment', 12)}"
        rebooked = f"greatest(assessed_day + wait, last_slot_day + 1 + {self._pick('rebook', 10)})"
        is_booked = f"planned_role in ({_roles(Role.BOOKED, Role.CANCELLED)})"
        last = day_number(self._last)
        return [
            {"is_second": f"planned_role = {Role.FULL} and number > 1"},
            {
                "assessed_day": (
                    f"case when is_second then {_weekday_from(second)} else first_assessed_day end"
                ),
            },
            {
                "assessed_minutes": (
                    "case when is_second"
                    f" then assessed_day * 1440 + {self._office('booking', 'second_assessment')}"
                    " else first_assessed_minutes end"
                ),
                "slot_day": slot("cancelled_before"),
                "last_slot_day": slot("(cancelled_before - 1)"),
            },
            {
                "care_day": (
                    "case when wait = 0 and cancelled_before = 0 then assessed_day"
                    f" when cancelled_before = 0 then {_weekday_from('assessed_day + wait')}"
                    f" else {_weekday_from(rebooked)} end"
                ),
            },
            {
                "planned_day": (
                    f"case when {is_booked} and cancelled_before > 0 then last_slot_day"
                    f" when {is_booked} and {self._below('later_booking', 0.2)}"
                    f" then least(assessed_day + {self._pick('booking', 4)},"
                    f" case when planned_role = {Role.BOOKED} then care_day else slot_day end)"
                    f" when planned_role = {Role.FOLLOW_UP} then care_day"
                    f" when planned_role = {Role.GROUP}"
                    f" then {_weekday_from('care_day + 7 + ' + self._pick('rebook', 30))}"
                    f" when planned_role = {Role.CONTACT} then contact_day"
                    f" when planned_role = {Role.VISIT} and flow = 3"
                    f" then contact_day + (number - 1) * (1 + {self._pick('gap', 3)})"
                    " else assessed_day end"
                ),
            },
            {
                "is_folded": f"planned_day > {last}",
                "role": f"case when planned_day > {last} then {Role.VISIT} else planned_role end",
                "made_day": (
                    f"case when planned_day > {last} then least(contact_day, {last})"
                    " else planned_day end"
                ),
            },
            {
                "made_day_end": "made_day * 1440 + 1439",
                "is_assessed": (
                    f"role in ({_roles(Role.RESOLVED, Role.ONLY, Role.FULL, Role.OTHER)})"
                ),
                "is_walk_in": (
                    f"role in ({_roles(Role.FULL, Role.BOOKED)}) and urgency = 2"
                    " and not at_clock_change"
                ),
            },
        ]

    def _booking_steps(self) -> list[dict[str, str]]:
        """Contact, assessment and booking."""
        slot_minute = f"(480 + 10 * {self._pick('slot', 48)})"
        follow_up = _weekday_from(f"care_day + 7 * number + {self._pick('rebook', 45)}")
        return [
            {
                "contacted": (
                    f"case when role = {Role.CONTACT} then contact_minutes"
                    " when not is_assessed then null when is_second then assessed_minutes - 5"
                    f" when {self._below('no_contact', 0.94)} then contact_minutes end"
                ),
                "assessed": "case when is_assessed then assessed_minutes end",
                "booking_made": (
                    f"case when role in ({_roles(Role.FULL, Role.BOOKED, Role.CANCELLED)})"
                    " and made_day = assessed_day and cancelled_before = 0"
                    f" then least(assessed_minutes + 1 + {self._pick('booking', 20)}, made_day_end)"
                    f" when role in ({_roles(Role.BOOKED, Role.CANCELLED)})"
                    f" then made_day * 1440 + {self._office('booking', 'later_booking')}"
                    f" when role = {Role.FOLLOW_UP} then made_day * 1440 + 960 end"
                ),
                "free_slot": (
                    "case when is_walk_in then null"
                    f" when role in ({_roles(Role.FULL, Role.BOOKED)})"
                    " then case when at_clock_change"
                    f" then care_day * 1440 + 180 + {self._pick('slot', 12)} * 5"
                    f" else care_day * 1440 + {slot_minute} end"
                    f" when role = {Role.CANCELLED} then slot_day * 1440 + {slot_minute}"
                    f" when role = {Role.FOLLOW_UP} then {follow_up} * 1440 + {slot_minute}"
                    f" when role = {Role.VISIT} and flow = 3"
                    f" and {self._below('no_booking_time', 0.4)} then made_day * 1440 + 480 end"
                ),
            },
            {
                "booked": (
                    f"case when not is_walk_in and not {self._below('no_booking_time', 0.03)}"
                    " then booking_made end"
                ),
                # Of the day of the booking only what is left of it can be booked.
                "booked_for": (
                    "case when free_slot < booking_made + 10 and not at_clock_change"
                    " then booking_made // 10 * 10 + 20 else free_slot end"
                ),
            },
        ]

    def _visit_steps(self) -> list[dict[str, str]]:
        """Visit and cancellation."""
        changes = [day_number(day) for day in clock_changes(self._first, self._last)]
        is_change = f"made_day in ({_numbers(changes)})" if changes else "false"
        minute = (
            f"case when flow < 3 then 480 + {self._pick('start', 470)}"
            f" when {is_change} and {self._below('slot', 0.5)} then 170 + {self._pick('start', 90)}"
            f" else 420 + {self._pick('start', 880)} end"
        )
        cancel_day = (
            f"(made_day + (((slot_day - made_day) * ({self._draw('cancel_day')} >> 4)) >> 12))"
        )
        cycle = f"client % {CLIENT_CYCLE}"
        return [
            {
                "started": (
                    "case when is_walk_in then least(greatest(assessed_minutes, made_day * 1440)"
                    f" + 20 + {self._pick('start', 160)}, made_day_end)"
                    f" when role in ({_roles(Role.FULL, Role.BOOKED, Role.FOLLOW_UP)})"
                    f" then booked_for + {self._pick('start', 32)} - 4"
                    f" when role = {Role.RESOLVED}"
                    f" and {self._below('with_care', city.RESOLVED_WITH_CARE)}"
                    " then case when delay > 0 then assessed_minutes - 1"
                    " else contact_minutes + 1 end"
                    f" when role = {Role.VISIT} then made_day * 1440 + {minute}"
                    f" when role = {Role.GROUP}"
                    f" then made_day * 1440 + 540 + 30 * {self._pick('slot', 12)} end"
                ),
                "reason": (
                    f"case when role = {Role.CANCELLED} then case"
                    f" when leads_on then {self._place_of('reason', (48, 30, 22))}"
                    f" else {self._place_of('reason', (44, 27, 20, 4, 5))} end"
                    f" when role = {Role.BOOKED} and {self._below('both', 0.002)} then 0 end"
                ),
                "is_nameless": (
                    f"is_folded or {self._draw('nameless')} < case"
                    " when flow = 3 then 6500 when flow = 2 then 13000"
                    " when size = 1 then 2600 else 0 end"
                ),
                "client_kind": (
                    f"case when {cycle} in ({_numbers(FOREIGN_CLIENTS)}) then 1"
                    f" when {cycle} in ({_numbers(NAMELESS_CLIENTS)}) then 2 else 0 end"
                ),
            },
            {
                "ended": (
                    f"case when role = {Role.RESOLVED} and started is not null"
                    " then greatest(assessed_minutes, started)"
                    f" when {self._below('no_end', 0.97)}"
                    f" then least(started + 5 + {self._pick('length', 45)},"
                    " (started // 1440) * 1440 + 1439) end"
                ),
            },
            {
                "cancelled": (
                    "case when reason is null then null"
                    f" when role = {Role.BOOKED} then coalesce(ended, started)"
                    " when reason = 1 then booked_for + 15"
                    f" else least(greatest({cancel_day} * 1440"
                    f" + {self._office('cancel_time', 'cancel_day')},"
                    " coalesce(booking_made, 0) + 2),"
                    f" {cancel_day} * 1440 + 1439) end"
                ),
            },
        ]

    def _place_of(self, name: str, weights: Sequence[int]) -> str:
        """The place of one of some weights."""
        total = sum(weights)
        reached = 0
        whens = []
        for place, weight in enumerate(weights):
            reached += weight
            whens.append(f"when {self._draw(name)} < {round(reached / total * 65536)} then {place}")
        return f"case {' '.join(whens)} end"

    # --- versions and deliveries ------------------------------------------------------------------

    def _version_steps(self) -> list[dict[str, str]]:
        """When the record's versions were made, and in which delivery each comes.

        0: as first made. 1: completed by its visit or cancellation. 2: corrected (versions before
        are wrong), now and then at the very same time. 3: deleted.
        """
        shares = self._shares
        corrected = (
            f"case when {self._is_tie('is_assessed')} then 0"
            f" else 1440 * (1 + {self._pick('correction_day', 20)})"
            f" + {self._pick('version_time', 300)} end"
        )
        return [
            {
                "is_booking": (
                    f"role in ({_roles(*city.BOOKING_ROLES)})"
                    f" and not (is_walk_in and role = {Role.BOOKED})"
                ),
            },
            {
                "made_0": (
                    "least(case when is_booking then coalesce(booking_made, made_day * 1440) + 1"
                    f" when role = {Role.CONTACT} then contact_minutes + 1"
                    " when not is_assessed then coalesce(ended, started)"
                    " else greatest(assessed_minutes, coalesce(ended, 0)) + 2 end, made_day_end)"
                ),
            },
            {
                "made_1": (
                    "case when is_booking then greatest(made_0 + 1,"
                    " greatest(coalesce(ended, started, 0), coalesce(cancelled, 0))"
                    f" + {self._pick('version_time', 30)}) end"
                ),
            },
            {
                "made_2": (
                    f"case when {self._below('correction', shares.correction)}"
                    f" then coalesce(made_1, made_0) + {corrected} end"
                ),
            },
            {
                "made_3": (
                    f"case when {self._below('deletion', shares.deletion)}"
                    " then coalesce(made_2, made_1, made_0)"
                    f" + 1440 * (1 + {self._pick('deletion_day', 40)}) end"
                ),
            },
            {
                f"delivery_{version}": self._delivery(f"made_{version}", version)
                for version in range(4)
            },
        ]

    def _is_tie(self, is_assessed: str) -> str:
        """Whether a correction has the same time as what it corrects: it then has other content."""
        return f"{is_assessed} and {self._draw('correction_kind')} < 6500"

    def _delivery(self, made: str, version: int) -> str:
        """The first delivery dated after the day on which the version reached the sender."""
        late = (
            f"case when {self._below('late', self._shares.late, str(version))}"
            f" then 5 + {self._draw('late_days', str(version))} % 150 else 0 end"
        )
        reached = f"({made} // 1440 + {late})"
        whens = []
        for item in self._days:
            split = f" + {self._pick('split', item.count)}" if item.count > 1 else ""
            whens.append(f"when {reached} < {day_number(item.day)} then {item.first}{split}")
        last = self._days[-1]
        # What is late at the end comes with the last delivery.
        whens.append(f"when {made} // 1440 < {day_number(last.day)} then {last.first}")
        return f"cast(case when {made} is null then null {' '.join(whens)} end as integer)"

    def records(self, source: str) -> str:
        """Everything that rows are made of, for each record, and in which deliveries they come."""
        newest = "case " + " ".join(
            f"when delivery_{version} is not null then {version}" for version in (3, 2, 1, 0)
        )
        times = " ".join(f"when {version} then made_{version}" for version in range(4))
        deliveries = " ".join(f"when {version} then delivery_{version}" for version in range(4))
        before = " ".join(
            f"when {number} then {day_number(item.day)}"
            for item in self._days
            for number in range(item.first, item.first + item.count)
        )
        last = self._days[-1].first + self._days[-1].count - 1
        return f"""
            with dated as (
                select *, {newest} end as newest from {self.timeline(source)}
            ),
            timeline as (
                select
                    *,
                    case newest {deliveries} end as newest_delivery,
                    case newest {times} end // 1440 as newest_day
                from dated
            )
            select
                {", ".join(KEPT)},
                delivery_0, delivery_1, delivery_2, delivery_3,
                newest,
                {self._below("superseded", self._shares.superseded)} as keeps_superseded,
                {self._below("duplicate", self._shares.duplicate)} as is_twice,
                case
                    when newest_delivery < {last}
                        and newest_day >= case newest_delivery {before} end - 30
                        and {self._below("resent", self._shares.resent)}
                        then least(newest_delivery + 1 + {self._pick("resent_later", 2)}, {last})
                end as resent_in
            from timeline
        """

    def newest_rows(self, records: str) -> str:
        """The newest version of each record in the first delivery: what most of its rows are."""
        version = "case " + " ".join(
            f"when delivery_{version} = 1 then {version}" for version in (3, 2, 1, 0)
        )
        return f"""
            select {", ".join(KEPT)}, version, 0 as copy, {self._defect("version")} as defect
            from (select *, {version} end as version from {records})
            where version is not null
        """

    @staticmethod
    def unusual(records: str) -> str:
        """Records that have other rows than those."""
        return (
            f"select * from {records} where keeps_superseded or is_twice or resent_in is not null"
            " or greatest(delivery_0, delivery_1, delivery_2, delivery_3) > 1"
        )

    def other_rows(self, unusual: str) -> str:
        """All other rows, of all deliveries.

        Part 0 is the newest versions of the later deliveries, part 1 what stands at the end of a
        file: versions that are superseded in the same delivery, the second of two equal rows
        (copy 1), and versions that an earlier delivery held already (copy 2).
        """
        selects = []
        for version in range(4):
            delivery = f"delivery_{version}"
            newer = " or ".join(
                f"coalesce(delivery_{other} = {delivery}, false)" for other in range(version + 1, 4)
            )
            is_old = f"({newer})" if newer else "false"
            defect = self._defect(str(version))
            columns = f"{version} as version, {self._draw('trim')} as trim_order, {', '.join(KEPT)}"
            selects += [
                (
                    f"select {delivery} as delivery, 0 as part, 0 as copy, {defect} as defect,"
                    f" {columns} from {unusual} where {delivery} > 1 and not {is_old}"
                ),
                (
                    f"select {delivery}, 1, 0, 0, {columns} from {unusual}"
                    f" where {delivery} is not null and {is_old} and keeps_superseded"
                ),
                (
                    f"select {delivery}, 1, 1, 0, {columns} from {unusual}"
                    f" where {delivery} is not null and not {is_old} and is_twice and {defect} = 0"
                ),
                (
                    f"select resent_in, 1, 2, 0, {columns} from {unusual}"
                    f" where newest = {version} and resent_in is not null"
                ),
            ]
        return " union all ".join(selects)

    def _defect(self, version: str) -> str:
        total = sum(defect.weight for defect in DEFECTS)
        reached = 0
        whens = []
        for number, defect in enumerate(DEFECTS, start=1):
            reached += defect.weight
            limit = round(reached / total * 65536)
            whens.append(f"when {self._draw('bad_kind', version)} < {limit} then {number}")
        return (
            f"case when {self._below('bad', self._shares.bad, version)}"
            f" then case {' '.join(whens)} end else 0 end"
        )

    # --- clients ----------------------------------------------------------------------------------

    def clients(self) -> str:
        """The table of clients: id as delivered, an identity code, one that is none, municipality.

        All identity codes are fictitious: individual numbers 900-999 are given to nobody.
        """
        cycle = f"client % {CLIENT_CYCLE}"
        firsts = " ".join(
            f"when {index} then {first}" for index, (first, _) in enumerate(AGE_CLASSES)
        )
        counts = " ".join(
            f"when {index} then {count}" for index, (_, count) in enumerate(AGE_CLASSES)
        )

        def drawn(purpose: str, count: int) -> str:
            return f"cast({self._word(f'client {purpose}', 'client')} % {count} as integer)"

        municipality = self._spread(drawn("municipality", 1000), city.MUNICIPALITIES)
        return f"""
            create temp table gen_clients as
            with numbered as (
                select cast(range as bigint) as client from range({self._clients})
            ),
            born as (
                select
                    client,
                    date '{self._first}' - case
                        when {cycle} in ({_numbers(ANCIENT_CLIENTS)})
                            then cast(date '{self._first}' - date '1881-01-01' as integer)
                            - {drawn("ancient", 6900)}
                        else (case client % 20 {firsts} end) * 366 + 1
                            + {drawn("birth", 1_000_000)}
                            % ((case client % 20 {counts} end) * 365)
                    end as birth_date
                from numbered
            ),
            parts as (
                select
                    client,
                    strftime(birth_date, '%d%m%y') as day,
                    case
                        when birth_date < date '1900-01-01' then '+'
                        when birth_date < date '2000-01-01'
                            then substr('----------YXWVU', 1 + {drawn("separator", 15)}, 1)
                        else substr('AAAAAAABCDEF', 1 + {drawn("separator", 12)}, 1)
                    end as separator,
                    cast(900 + {drawn("number", 100)} as varchar) as number,
                    {drawn("bad", 4)} as bad_way,
                    1 + {drawn("bad check", 30)} as bad_step
                from born
            ),
            checked as (
                select
                    *,
                    cast((day || number)::bigint % 31 as integer) as check_index,
                    cast(('3102' || day[5:6] || number)::bigint % 31 as integer) as february_index
                from parts
            )
            select
                cast(client as integer) as slot,
                day || separator || number
                    || substr('{CHECK_CHARACTERS}', check_index + 1, 1) as code,
                case
                    when {cycle} in ({_numbers(FOREIGN_CLIENTS)})
                        then 'ULKOM-' || lpad(cast(client as varchar), 6, '0')
                    when {cycle} in ({_numbers(NAMELESS_CLIENTS)}) then null
                    else code
                end as client_id,
                case bad_way
                    when 0 then day || 'G' || number
                        || substr('{CHECK_CHARACTERS}', check_index + 1, 1)
                    when 1 then '3102' || day[5:6] || separator || number
                        || substr('{CHECK_CHARACTERS}', february_index + 1, 1)
                    else day || separator || number
                        || substr('{CHECK_CHARACTERS}', (check_index + bad_step) % 31 + 1, 1)
                end as bad_code,
                {municipality} as municipality
            from checked
            order by client
        """

    @staticmethod
    def _spread(drawn: str, choices: city.Weighted) -> str:
        """One of some codes by a number of 0..999."""
        reached = 0.0
        whens = []
        for code, weight in choices:
            reached += weight * 1000
            value = "null" if code is None else sql_text(code)
            whens.append(f"when {drawn} < {round(reached)} then {value}")
        return f"case {' '.join(whens)} end"

    # --- as written -------------------------------------------------------------------------------

    def texts(self, rows: str, also: str = "") -> str:
        """Rows as they are written, a column a header, and their `place` in the file.

        Args:
            rows: A relation with the columns `KEPT`, part, version, copy and defect.
            also: A column of it to have beside them.
        """
        columns = ",\n".join(f"{self._cell(header)} as {header}" for header in HEADERS)
        return self._placed(rows, columns, also)

    def lines(self, rows: str, also: str = "") -> str:
        """The same as lines of a csv file, in one column with the headers as its name.

        Faster than to have DuckDB write 35 columns: an empty block is written at once.
        """
        parts = []
        for condition, headers in _BLOCKS:
            cells = []
            for header in headers:
                cell = self._cell(header)
                cells.append(_in_quotes(cell) if header == "LISATIETO" else cell)
            joined = _joined(cells)
            if condition:
                empty = sql_text(";" * (len(headers) - 1))
                joined = (
                    f"case when {condition} is null and defect = 0 then {empty} else {joined} end"
                )
            parts.append(joined)
        return self._placed(rows, f'{_joined(parts)} as "{HEADER_LINE}"', also)

    def _placed(self, rows: str, columns: str, also: str) -> str:
        kept = f"{also}, " if also else ""
        return f"select {kept}{_PLACE} as place, {columns} from ({self._chosen(rows)}) as chosen"

    def _chosen(self, rows: str) -> str:
        """Everything that a row's texts are made of, for its version, looked up."""
        tie = self._is_tie("assessed is not null")
        error = (
            "case when made_2 is null or version > 1 then -1"
            f" when {tie} then 3 else {self._draw('correction_kind')} % 8 end"
        )
        modes_changed = day_number(city.MODES_CHANGED)
        tk10_only = day_number(date(2023, 1, 1))
        strata = len(city.STRATA)
        no_block = DEFECT_NUMBERS["no_block"]
        return f"""
            with delivered as (
                select
                    rows.* exclude (contacted, assessed, booked, booked_for),
                    {error} as error,
                    case version
                        when 0 then made_0 when 1 then made_1 when 2 then made_2 else made_3
                    end as updated,
                    version = 0 and made_1 is not null or defect = {no_block} as is_open,
                    case when defect <> {no_block} then contacted end as contacted,
                    case when defect <> {no_block} then assessed end as assessed,
                    case when defect <> {no_block} then booked end as booked,
                    case when defect <> {no_block} then booked_for end as booked_for
                from {rows} as rows
            ),
            shown as (
                select
                    *,
                    case
                        when error = 5 then (client + {CLIENT_CYCLE}) % {self._clients}
                        else client
                    end as client_slot,
                    case
                        when error = 0 then unit_slot // {SMALL_SLOTS} * {SMALL_SLOTS}
                            + (unit_slot + 7) % {SMALL_SLOTS}
                        else unit_slot
                    end as shown_unit,
                    case
                        when is_nameless then null
                        when error = 4 then need - need % {GROUP_SIZE}
                            + case when need % {GROUP_SIZE} = 0 then 1 else 0 end
                        else need
                    end as shown_need,
                    case
                        when not is_open then started - case when error = 2 then 1440 else 0 end
                    end as visit_started,
                    case
                        when not is_open then ended - case when error = 2 then 1440 else 0 end
                    end as visit_ended,
                    case when not is_open then reason end as shown_reason,
                    case
                        when not is_open and not {self._below("no_cancel_time", 0.04)}
                            then cancelled
                    end as shown_cancelled,
                    case when {self._below("text", 0.04)} then true end as free_text,
                    case when error = 3 then (urgency + 1) % 3 else urgency end as shown_urgency,
                    {self._draw("line")} % {LINE_SLOTS}
                    + (
                        (year_number * {strata} + stratum) * 2
                        + case
                            when role = {Role.RESOLVED} and channel_number <> 3 then 1 else 0
                        end
                    ) * {LINE_SLOTS} as line_slot
                from delivered
            ),
            looked_up as (
                select
                    shown.*,
                    coalesce(visit_started // 1440, made_day) as visit_day,
                    clients.code,
                    clients.client_id,
                    clients.bad_code,
                    clients.municipality,
                    case
                        when made_day < units.since then units.unit_before
                        when made_day > units.until then units.unit_after
                        else units.unit_now
                    end as unit,
                    case
                        when made_day < units.since then units.producer_before
                        when made_day > units.until then units.producer_after
                        else units.producer_now
                    end as producer,
                    forms.form,
                    specialties.specialty,
                    lines.profession,
                    case
                        when error = 1 then (lines.family + 2) % {len(FAMILY_NAMES)}
                        when role = {Role.GROUP} then 0
                        else lines.family
                    end as shown_family
                from shown
                inner join gen_clients as clients on clients.slot = client_slot
                inner join gen_units as units on units.slot = shown_unit
                inner join gen_forms as forms
                    on forms.slot = stratum * {SMALL_SLOTS} + {self._draw("form")} % {SMALL_SLOTS}
                inner join gen_specialties as specialties
                    on specialties.slot
                    = stratum * {SMALL_SLOTS} + {self._draw("specialty")} % {SMALL_SLOTS}
                inner join gen_lines as lines on lines.slot = line_slot
            )
            select
                looked_up.*,
                modes.mode,
                modes.channel,
                professions.licence,
                professions.profession_code
            from looked_up
            inner join gen_modes as modes
                on modes.slot = (
                    case when visit_day < {modes_changed} then 0 else {len(FAMILY_NAMES)} end
                    + shown_family
                ) * {MODE_SLOTS} + {self._draw("mode")} % {MODE_SLOTS}
            inner join gen_professions as professions
                on professions.slot = (
                    profession * 3
                    + case
                        when visit_day < {modes_changed} then 0
                        when visit_day < {tk10_only} then 1
                        else 2
                    end
                ) * {SMALL_SLOTS} + {self._draw("profession")} % {SMALL_SLOTS}
        """

    def _cell(self, header: str) -> str:
        """What stands in a column, also in bad rows."""
        good = self._good(header)
        spoiled = self._spoiled(header)
        if not spoiled:
            return good
        whens = " ".join(f"when {number} then {value}" for number, value in spoiled.items())
        return f"case defect {whens} else {good} end"

    def _spoiled(self, header: str) -> dict[int, str]:
        number = DEFECT_NUMBERS
        found: dict[str, dict[int, str]] = {
            "TAPAHTUMA_TUNNUS": {
                number["missing_record_id"]: "null",
                number["identity_code_in_record_id"]: "'TAP-' || code",
            },
            "SEURANTATIETUE_PAIVITETTY": {number["missing_update_time"]: "null"},
            "POISTETTU": {number["bad_flag"]: "'ehkä'"},
            "PALVELUTARVE_TUNNUS": {number["identity_code_in_need_id"]: "'tarve ' || lower(code)"},
            "ASIAKAS_TUNNUS": {number["bad_identity_code"]: "bad_code"},
            "TUOTTAMISTAPA": {number["unknown_producer_type"]: "'lahjoitus'"},
            "YHTEYDENOTTO_AJANKOHTA": {number["bad_date"]: self._one_of("bad_value", _BAD_TIMES)},
            "YHTEYDENOTTO_PALVELUMUOTO": {number["unknown_service_form"]: "'T99'"},
            "HOIDONTARVE_AJANKOHTA": {
                number["text_in_time_column"]: (
                    f"case when {self._draw('bad_value')} % 5 = 0 then code else"
                    f" {self._one_of('bad_value', _TEXTS_IN_TIME_COLUMNS)} end"
                )
            },
            "HTA_KIIREELLISYYS": {
                number["unknown_urgency"]: (
                    f"case when {self._draw('bad_value')} % 4 = 0 then code else '9' end"
                )
            },
            "HTA_TULOS": {number["unknown_outcome"]: "'tuntematon'"},
            "KAYNTI_YHTEYSTAPA": {number["unknown_contact_mode"]: "'R99'"},
            "PERUUTUS_SYY": {number["unknown_cancel_reason"]: "'muu syy'"},
            "LISATIETO": {
                number["identity_code_in_free_text"]: (
                    "'Potilas ' || case when "
                    + self._draw("bad_value")
                    + " % 2 = 0 then code else lower(code) end || ' soitti; äiti mukana'"
                )
            },
        }
        return found.get(header, {})

    def _good(self, header: str) -> str:
        draw, below = self._draw, self._below
        is_visit = "visit_started is not null"
        yes_no = {"own": ("K", "E"), "purchased": ("1", "0"), "voucher": ("true", "false")}
        flags = " ".join(
            f"when '{producer}' then case when {{0}} then '{yes}' else '{no}' end"
            for producer, (yes, no) in yes_no.items()
        )
        natures = (
            f"case when flow < 2 then case when {draw('nature')} < 61500 then 'SH'"
            f" when {draw('nature')} < 63600 then 'TH' end"
            " when form in ('T21', 'T22', 'T26', 'T27') then 'TH' else 'SH' end"
        )
        cells = {
            "TAPAHTUMA_TUNNUS": "'TAP' || cast(1000000000 + record as varchar)",
            "SEURANTATIETUE_PAIVITETTY": self._time("updated", seconds=True),
            "POISTETTU": (
                f"case when version < 3 and {below('visit_flags', 0.3)} then null"
                f" else case producer {flags.format('version = 3')} end end"
            ),
            "PALVELUTARVE_TUNNUS": "'PTR' || cast(1000000000 + shown_need as varchar)",
            "ASIAKAS_TUNNUS": (
                f"case when {below('spelling', 0.02)} then lower(client_id)"
                f" when {below('spelling', 0.035)} then ' ' || client_id || ' '"
                " else client_id end"
            ),
            "ASIAKAS_KOTIKUNTA": "municipality",
            "PALVELUNTUOTTAJA": _mapped("producer", city.PROVIDERS),
            "PALVELUNTUOTTAJA_YKSIKKO": (
                f"case when {draw('out_of_validity')} between 100 and 132"
                f" then '{_UNKNOWN_UNIT}' else unit end"
            ),
            "TUOTTAMISTAPA": _mapped("producer", city.PRODUCERS),
            "YHTEYDENOTTO_AJANKOHTA": self._time("contacted"),
            "YHTEYDENOTTO_KANAVA": (
                "case when contacted is null then null"
                f" {_places('channel_number', city.CHANNELS)} end"
            ),
            "YHTEYDENOTTO_PALVELUMUOTO": (
                f"case when contacted is not null and {below('forms', 0.9)} then form end"
            ),
            "HOIDONTARVE_AJANKOHTA": self._time("assessed"),
            "HTA_AMMATTIOIKEUS": (
                "case when assessed is null then null when flow = 1 then "
                + self._weighted("assessor", (("254", 5), ("251", 3), ("003", 1), (None, 1)))
                + " else "
                + self._weighted(
                    "assessor", (("100", 6), ("300", 2), ("400", 1), ("001", 1), (None, 0.4))
                )
                + " end"
            ),
            "HTA_KIIREELLISYYS": self._urgency("assessed // 1440"),
            "HTA_LUONNE": f"case when assessed is not null then {natures} end",
            "HTA_TULOS": self._outcome(),
            "AJANVARAUS_AJANKOHTA": self._time("booked"),
            "AJANVARAUS_VARATTU": self._time("booked_for"),
            "AJANVARAUS_PALVELUMUOTO": (
                f"case when booked_for is not null and {draw('forms')} >= 3200 then form end"
            ),
            "KAYNTI_ALKOI": self._time("visit_started"),
            "KAYNTI_LOPPUI": self._time("visit_ended"),
            "KAYNTI_PALVELUMUOTO": (
                f"case when not ({is_visit}) then null when {draw('forms')} between 4000 and 6600"
                f" then null when flow = 0 and {draw('forms')} between 6600 and 7200 then 'T51'"
                " when error = 7 then 'T90' else form end"
            ),
            "KAYNTI_YHTEYSTAPA": (
                f"case when {is_visit} then case when {draw('out_of_validity')} < 60 then 'R50'"
                " else mode end end"
            ),
            "KAYNTI_KANAVA": f"case when {is_visit} then channel end",
            "KAYNTI_KIIREELLISYYS": (
                f"case when {is_visit} and {below('visit_urgency', 0.95)}"
                f" then {self._urgency('visit_day')} end"
            ),
            "KAYNTI_LUONNE": f"case when {is_visit} then {natures} end",
            "KAYNTI_ENSIKAYNTI": (
                f"case when {is_visit} and {draw('visit_flags')} >= 6000 then case producer "
                + flags.format(f"role in ({_roles(Role.FULL, Role.BOOKED)})")
                + " end end"
            ),
            "KAYNTI_KAVIJARYHMA": (
                f"case when not ({is_visit}) or {draw('visit_flags')} between 5000 and 5500"
                f" then null when role = {Role.GROUP}"
                f" then case when {below('slot', 0.6)} then '2' else '3' end else '1' end"
            ),
            "KAYNTI_ERIKOISALA": f"case when {is_visit} then specialty end",
            "KAYNTI_AMMATTIOIKEUS": f"case when {is_visit} then licence end",
            "KAYNTI_AMMATTI": f"case when {is_visit} then profession_code end",
            "PERUUTUS_AJANKOHTA": self._time("shown_cancelled"),
            "PERUUTUS_SYY": (
                f"case when {draw('no_cancel_time')} >= 64000 then null else case shown_reason"
                " when 0 then 'asiakas' when 1 then 'saapumatta' when 2 then 'tuottaja'"
                " when 3 then 'kuolema' when 4 then 'muutto' end end"
            ),
            "LISATIETO": f"case when free_text then {self._one_of('text', city.FREE_TEXTS)} end",
        }
        return cells[header]

    def _outcome(self) -> str:
        other = self._weighted(
            "outcome",
            (
                ("paivystys", 34),
                ("hallinnollinen", 30),
                ("todistus", 13),
                ("suunnitelma", 12),
                ("ehkaiseva", 11),
            ),
        )
        return (
            "case when assessed is null then null"
            f" when error = 6 then 'hallinnollinen' when {self._draw('outcome')} < 500 then null"
            f" when role = {Role.RESOLVED} then 'ratkaistu'"
            f" when role = {Role.OTHER} then {other} else 'kaynti' end"
        )

    def _urgency(self, day: str) -> str:
        """The code of the urgency on a day; now and then one that is no longer valid."""
        whens = []
        for until, *codes in city.URGENCY_ERAS:
            shown = _places("shown_urgency", codes)
            whens.append(f"when {day} < {day_number(until)} then case {shown} end")
        now = _places("shown_urgency", city.URGENCY_NOW)
        return (
            f"case when {day} is null then null {' '.join(whens)}"
            f" when shown_urgency = 1 and {self._draw('out_of_validity')} > 65400 then '2'"
            f" else case {now} end end"
        )

    def _time(self, minutes: str, *, seconds: bool = False) -> str:
        """Minutes since 1970 as a unit writes them."""
        pattern = "%d.%m.%Y %H:%M:%S" if seconds else "%d.%m.%Y %H:%M"
        micros = f"{minutes}::bigint * 60000000"
        if seconds:
            micros += f" + {self._pick('version_time', 60)} * 1000000"
        stamp = f"make_timestamp({micros})"
        finnish = f"strftime({stamp}, '{pattern}')"
        if not self._iso_times:
            return finnish
        month = f"month({stamp})"
        offset = (
            f"case when {month} between 4 and 9 then '+03:00'"
            f" when {month} in (3, 10) then '' else '+02:00' end"
        )
        iso = f"strftime({stamp}, '%Y-%m-%dT%H:%M:%S') || {offset}"
        return f"case when producer = 'voucher' then {iso} else {finnish} end"


def _weekday_from(day: str) -> str:
    """The day, or the Monday after it when it is at a weekend (1.1.1970 was a Thursday)."""
    return f"(({day}) + case (({day}) + 3) % 7 when 5 then 2 when 6 then 1 else 0 end)"


def _roles(*roles: Role) -> str:
    return _numbers(roles)


def _numbers(numbers: Sequence[int]) -> str:
    return ", ".join(str(int(number)) for number in numbers)


def _joined(cells: Sequence[str]) -> str:
    """Cells with semicolons between them; null is an empty one."""
    return "concat(" + ", ';', ".join(cells) + ")"


def _in_quotes(cell: str) -> str:
    """A cell in quotes where csv needs them."""
    quoted = f"'\"' || replace({cell}, '\"', '\"\"') || '\"'"
    return f"case when regexp_matches({cell}, '[;\"]') then {quoted} else {cell} end"


def _mapped(column: str, values: Mapping[str, str]) -> str:
    whens = " ".join(
        f"when {sql_text(key)} then {sql_text(value)}" for key, value in values.items()
    )
    return f"case {column} {whens} end"


def _places(column: str, texts: Sequence[str]) -> str:
    return " ".join(
        f"when {column} = {index} then {sql_text(text)}" for index, text in enumerate(texts)
    )
