"""The measures of access to care once more, in plain Python: the truth that models are held to.

Written from the definitions alone; it shares no code, no seed and no query with the warehouse.
Every code list stands here as a constant, and travels as a `Parameters` where a test wants others.

    records = read_records(folders, as_of=as_of, client=pseudonym)
    current = newest(records)
    cases = needs(current, as_of)
    rows = access_measures(cases, as_of, units=units)

Import it as `tests.reference.access` (`python -m pytest` puts the checkout on the path).

Times are naive `datetime`s in UTC, as the marts have them; each stands beside its local date.
"""

from __future__ import annotations

import calendar
import csv
import io
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

HELSINKI = ZoneInfo("Europe/Helsinki")

FIRST_CONTACT = "first_contact_resolution"
URGENT = "urgent_same_or_next_day"
NON_URGENT = "non_urgent_within_10_days"
DENTAL = "dental_within_90_days"
MEASURES = (FIRST_CONTACT, URGENT, NON_URGENT, DENTAL)
WAIT_MEASURES = (URGENT, NON_URGENT, DENTAL)
GRAINS = ("month", "quarter", "year", "rolling_12_months")
SCOPE_TYPES = ("city", "area", "unit", "producer_type")

MET, MISSED, PENDING, EXCLUDED = "met", "missed", "pending", "excluded"
UNKNOWN = "unknown"

# ---------------------------------------------------------------------------------------------
# Parameters of the definitions
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Valid:
    """A code's meaning and the dates it holds for, both inclusive."""

    code: str
    meaning: str
    valid_from: date = date.min
    valid_to: date = date.max

    def holds(self, day: date) -> bool:
        return self.valid_from <= day <= self.valid_to


@dataclass(frozen=True)
class Mode:
    """A contact mode that stops the clock of a measure, until a date (inclusive)."""

    code: str
    visit_date_to: date = date.max


@dataclass(frozen=True)
class LegalLimit:
    """The limit in force for needs that start between two dates, for some ages."""

    measure: str
    valid_from: date
    valid_to: date
    days: int = 0
    months: int = 0
    age_from: int | None = None
    age_to: int | None = None

    @property
    def needs_age(self) -> bool:
        return self.age_from is not None or self.age_to is not None

    def holds_for(self, age: int) -> bool:
        return (self.age_from is None or age >= self.age_from) and (
            self.age_to is None or age <= self.age_to
        )

    def last_day(self, start: date) -> date:
        return add_months(start, self.months) + timedelta(days=self.days)


@dataclass(frozen=True)
class Licence:
    """A code of AMMATTIOIKEUS: the group it names, if any, and whether it is a licence."""

    group: str | None
    is_licensed: bool


_BEFORE_2019 = date(2018, 12, 31)

#: E non-urgent 2007-; K urgent and V immediate -2014; 1 and 2 urgent 2015-2018; 5 and 6 2019-.
URGENCIES = (
    Valid("E", "non_urgent", valid_from=date(2007, 1, 1)),
    Valid("K", "urgent", valid_to=date(2014, 12, 31)),
    Valid("V", "emergency", valid_to=date(2014, 12, 31)),
    Valid("1", "urgent", date(2015, 1, 1), _BEFORE_2019),
    Valid("2", "urgent", date(2015, 1, 1), _BEFORE_2019),
    Valid("5", "urgent", valid_from=date(2019, 1, 1)),
    Valid("6", "emergency", valid_from=date(2019, 1, 1)),
)

_FACE_TO_FACE_AND_REAL_TIME = tuple(Mode(code) for code in ("R10", "R20", "R30", "R41", "R52"))

MODES: Mapping[str, tuple[Mode, ...]] = {
    URGENT: (*_FACE_TO_FACE_AND_REAL_TIME, Mode("R40")),
    NON_URGENT: (
        *_FACE_TO_FACE_AND_REAL_TIME,
        Mode("R56"),
        Mode("R50", _BEFORE_2019),
        Mode("R51", _BEFORE_2019),
    ),
    DENTAL: (Mode("R10"),),
}

LICENCES: Mapping[str, Licence] = {
    "000": Licence("physician", is_licensed=True),
    "001": Licence("physician", is_licensed=True),
    "003": Licence("dentist", is_licensed=True),
    "004": Licence("dentist", is_licensed=True),
    "100": Licence("nurse", is_licensed=True),
    "300": Licence("nurse", is_licensed=True),
    "400": Licence("nurse", is_licensed=True),
    "507": Licence("practical_nurse", is_licensed=False),
}

#: One code means different people in the classifications of 2001 and 2010 (the profession trap):
#: where they clash, the older one held to the end of 2022.
_TO_2022 = date(2022, 12, 31)
_FROM_2023 = date(2023, 1, 1)
_AML_2001 = date(2001, 1, 1)
_TK_2010 = date(2010, 1, 1)
PROFESSIONS = (
    Valid("2221", "physician", _AML_2001, _TO_2022),
    Valid("2222", "dentist", _AML_2001, _TO_2022),
    Valid("3231", "nurse", _AML_2001),
    Valid("3225", "dental_hygienist", _AML_2001),
    Valid("2211", "physician", _TK_2010),
    Valid("2212", "physician", _TK_2010),
    Valid("2261", "dentist", _TK_2010),
    Valid("3251", "dental_hygienist", _TK_2010),
    Valid("2221", "nurse", _FROM_2023),
    Valid("2222", "nurse", _FROM_2023),
)

_LAST_OF_OLD_LAW, _NEW_LAW = date(2023, 8, 31), date(2023, 9, 1)
_LAST_OF_ONE_LIMIT, _LIMITS_BY_AGE = date(2024, 12, 31), date(2025, 1, 1)
LEGAL_LIMITS = (
    LegalLimit(NON_URGENT, date.min, _LAST_OF_OLD_LAW, months=3),
    LegalLimit(NON_URGENT, _NEW_LAW, _LAST_OF_ONE_LIMIT, days=14),
    LegalLimit(NON_URGENT, _LIMITS_BY_AGE, date.max, days=14, age_to=22),
    LegalLimit(NON_URGENT, _LIMITS_BY_AGE, date.max, months=3, age_from=23),
    LegalLimit(DENTAL, date.min, _LAST_OF_OLD_LAW, months=6),
    LegalLimit(DENTAL, _NEW_LAW, _LAST_OF_ONE_LIMIT, months=4),
    LegalLimit(DENTAL, _LIMITS_BY_AGE, date.max, months=3, age_to=22),
    LegalLimit(DENTAL, _LIMITS_BY_AGE, date.max, months=6, age_from=23),
)


@dataclass(frozen=True)
class Parameters:
    """What the city, the law or a code register decides; the defaults are the definitions'."""

    limits: Mapping[str, int] = field(
        default_factory=lambda: {FIRST_CONTACT: 7, URGENT: 1, NON_URGENT: 10, DENTAL: 90}
    )
    targets: Mapping[str, float] = field(
        default_factory=lambda: {FIRST_CONTACT: 0.75, URGENT: 0.80, NON_URGENT: 0.70, DENTAL: 1.0}
    )
    urgencies: Sequence[Valid] = URGENCIES
    modes: Mapping[str, Sequence[Mode]] = field(default_factory=lambda: MODES)
    licences: Mapping[str, Licence] = field(default_factory=lambda: LICENCES)
    professions: Sequence[Valid] = PROFESSIONS
    dental_groups: frozenset[str] = frozenset({"dentist", "dental_hygienist"})
    legal_limits: Sequence[LegalLimit] = LEGAL_LIMITS


DEFAULTS = Parameters()


def licence_table(path: Path) -> dict[str, Licence]:
    """The licences of a code table: what the definitions leave to a replaceable list."""
    return {
        row["licence_code"]: Licence(row["profession_group"] or None, row["is_licensed"] == "true")
        for row in _table(path)
    }


def profession_table(path: Path) -> tuple[Valid, ...]:
    """The professions of a code table, of both classifications."""
    return tuple(
        Valid(row["profession_code"], row["profession_group"], *_validity(row))
        for row in _table(path)
    )


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _validity(row: Mapping[str, str]) -> tuple[date, date]:
    valid_from, valid_to = row["valid_from"], row["valid_to"]
    return (
        date.fromisoformat(valid_from) if valid_from else date.min,
        date.fromisoformat(valid_to) if valid_to else date.max,
    )


#: The reason that rule 6 gives for a cancellation on the last booking; `tuottaja` gives none.
RULE_6_REASONS = {
    "asiakas": "client_cancellation",
    "saapumatta": "no_show",
    "kuolema": "death",
    "muutto": "move_away",
}
CONSULTATIONS = frozenset({"R60", "R71"})
_BEFORE_ALL = datetime.fromisoformat("0001-01-01")
WILSON_Z = 1.959963984540054

# ---------------------------------------------------------------------------------------------
# Reading
# ---------------------------------------------------------------------------------------------

HEADERS: Mapping[str, str] = {
    "record_id": "TAPAHTUMA_TUNNUS",
    "record_updated_at": "SEURANTATIETUE_PAIVITETTY",
    "is_deleted": "POISTETTU",
    "care_need_id": "PALVELUTARVE_TUNNUS",
    "client_id": "ASIAKAS_TUNNUS",
    "home_municipality_code": "ASIAKAS_KOTIKUNTA",
    "provider_id": "PALVELUNTUOTTAJA",
    "unit_id": "PALVELUNTUOTTAJA_YKSIKKO",
    "producer_type": "TUOTTAMISTAPA",
    "contact_at": "YHTEYDENOTTO_AJANKOHTA",
    "contact_channel": "YHTEYDENOTTO_KANAVA",
    "contact_service_form_code": "YHTEYDENOTTO_PALVELUMUOTO",
    "assessed_at": "HOIDONTARVE_AJANKOHTA",
    "assessor_licence_code": "HTA_AMMATTIOIKEUS",
    "assessed_urgency_code": "HTA_KIIREELLISYYS",
    "assessed_nature_code": "HTA_LUONNE",
    "assessment_outcome_code": "HTA_TULOS",
    "booked_at": "AJANVARAUS_AJANKOHTA",
    "booked_for_at": "AJANVARAUS_VARATTU",
    "booked_service_form_code": "AJANVARAUS_PALVELUMUOTO",
    "started_at": "KAYNTI_ALKOI",
    "ended_at": "KAYNTI_LOPPUI",
    "service_form_code": "KAYNTI_PALVELUMUOTO",
    "contact_mode_code": "KAYNTI_YHTEYSTAPA",
    "channel": "KAYNTI_KANAVA",
    "urgency_code": "KAYNTI_KIIREELLISYYS",
    "nature_code": "KAYNTI_LUONNE",
    "is_first_visit": "KAYNTI_ENSIKAYNTI",
    "visitor_group_code": "KAYNTI_KAVIJARYHMA",
    "specialty_code": "KAYNTI_ERIKOISALA",
    "licence_code": "KAYNTI_AMMATTIOIKEUS",
    "profession_code": "KAYNTI_AMMATTI",
    "cancelled_at": "PERUUTUS_AJANKOHTA",
    "cancel_reason_code": "PERUUTUS_SYY",
    "note": "LISATIETO",
}

_CANONICAL = {header.casefold(): name for name, header in HEADERS.items()} | {
    name: name for name in HEADERS
}
_PRODUCER_TYPES = {"oma": "own", "osto": "purchased", "palveluseteli": "voucher"}
_FLAGS = {"k": True, "1": True, "true": True, "e": False, "0": False, "false": False}
_WORDS = frozenset({"contact_channel", "assessment_outcome_code", "channel", "cancel_reason_code"})
_FINNISH_TIME = re.compile(
    r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})"
    r"\s+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?"
)

_IDENTITY_CODE = re.compile(
    r"(0[1-9]|[12]\d|3[01])(0[1-9]|1[0-2])(\d{2})([-+A-FU-Y])(\d{3})([0-9A-FHJ-NPR-Y])"
)
_CHECK_CHARACTERS = "0123456789ABCDEFHJKLMNPRSTUVWXY"


def utc_time(text: str) -> datetime:
    """A delivered time as a naive UTC time.

    Without an offset it is Helsinki time. An hour that the spring skips is read with the offset
    before the change, so it moves forward; an hour that the autumn repeats is its first occurrence.
    """
    match = _FINNISH_TIME.fullmatch(text)
    if match is None:
        moment = datetime.fromisoformat(text)
    else:
        parts = {name: int(value or 0) for name, value in match.groupdict().items()}
        moment = datetime(**parts, tzinfo=HELSINKI)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=HELSINKI, fold=0)
    return moment.astimezone(UTC).replace(tzinfo=None)


def local_date(at: datetime) -> date:
    """The date in Helsinki of a naive UTC time."""
    return at.replace(tzinfo=UTC).astimezone(HELSINKI).date()


def birth_date(client_id: str) -> date | None:
    """The date of birth in a personal identity code; None when the id is no such code."""
    match = _IDENTITY_CODE.fullmatch(client_id)
    if match is None:
        return None
    day, month, year, separator, number, check = match.groups()
    if _CHECK_CHARACTERS[int(day + month + year + number) % 31] != check:
        return None
    century = 1800 if separator == "+" else 1900 if separator in "-YXWVU" else 2000
    try:
        return date(century + int(year), int(month), int(day))
    except ValueError:
        return None


def age_on(born: date | None, day: date | None) -> int | None:
    """Whole years on a date; None when either is not known or the birth is still to come."""
    if born is None or day is None or day < born:
        return None
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


@dataclass(frozen=True)
class Record:
    """One version of an event record; the lake's columns in the lake's order, then provenance."""

    record_id: str
    record_updated_at: datetime | None = None
    is_deleted: bool = False
    care_need_id: str | None = None
    client_pseudonym: str | None = None
    client_age: int | None = None
    home_municipality_code: str | None = None
    provider_id: str | None = None
    unit_id: str | None = None
    producer_type: str | None = None
    contact_at: datetime | None = None
    contact_date: date | None = None
    contact_channel: str | None = None
    contact_service_form_code: str | None = None
    assessed_at: datetime | None = None
    assessed_date: date | None = None
    assessor_licence_code: str | None = None
    assessed_urgency_code: str | None = None
    assessed_nature_code: str | None = None
    assessment_outcome_code: str | None = None
    booked_at: datetime | None = None
    booked_date: date | None = None
    booked_for_at: datetime | None = None
    booked_for_date: date | None = None
    booked_service_form_code: str | None = None
    started_at: datetime | None = None
    visit_date: date | None = None
    ended_at: datetime | None = None
    service_form_code: str | None = None
    contact_mode_code: str | None = None
    channel: str | None = None
    urgency_code: str | None = None
    nature_code: str | None = None
    is_first_visit: bool | None = None
    visitor_group_code: str | None = None
    specialty_code: str | None = None
    licence_code: str | None = None
    profession_code: str | None = None
    cancelled_at: datetime | None = None
    cancelled_date: date | None = None
    cancel_reason_code: str | None = None
    # What the lake does not keep, and what decides between versions of one time.
    birth_date: date | None = None
    delivery_date: date = date.min
    delivery_number: int = 1
    # Said without a time; stays said where the cancellation itself is not known yet.
    is_called_off: bool = False

    @property
    def has_contact(self) -> bool:
        return self.contact_at is not None

    @property
    def has_assessment(self) -> bool:
        return self.assessed_at is not None

    @property
    def has_booking(self) -> bool:
        return self.booked_at is not None or self.booked_for_at is not None

    @property
    def has_visit(self) -> bool:
        return self.started_at is not None

    @property
    def is_cancelled(self) -> bool:
        return self.cancelled_at is not None or self.cancel_reason_code is not None

    @property
    def is_realised(self) -> bool:
        """A visit that began; of a record that `known` gave, as far as is known."""
        return self.has_visit and not self.is_cancelled and not self.is_called_off

    @property
    def is_individual(self) -> bool:
        return self.visitor_group_code == "1"

    @property
    def read_service_form(self) -> str | None:
        """The first filled of contact's, booking's and visit's service form."""
        return (
            self.contact_service_form_code
            or self.booked_service_form_code
            or self.service_form_code
        )

    @property
    def need_key(self) -> tuple[str, str]:
        """The need's identity: a delivered one, or the record by itself."""
        if self.care_need_id is not None:
            return ("need", self.care_need_id)
        return ("record", self.record_id)

    @property
    def published_need_id(self) -> str:
        return self.care_need_id or f"record:{self.record_id}"


#: Each time, the local date beside it, and the columns of its block.
_DATES = {
    "contact_at": "contact_date",
    "assessed_at": "assessed_date",
    "booked_at": "booked_date",
    "booked_for_at": "booked_for_date",
    "started_at": "visit_date",
    "cancelled_at": "cancelled_date",
}
_TIMES = (*_DATES, "record_updated_at", "ended_at")
_BLOCKS: Mapping[str, tuple[str, ...]] = {
    "contact": ("contact_at", "contact_date", "contact_channel", "contact_service_form_code"),
    "assessment": (
        "assessed_at",
        "assessed_date",
        "assessor_licence_code",
        "assessed_urgency_code",
        "assessed_nature_code",
        "assessment_outcome_code",
    ),
    "booking": (
        "booked_at",
        "booked_date",
        "booked_for_at",
        "booked_for_date",
        "booked_service_form_code",
    ),
    "visit": (
        "started_at",
        "visit_date",
        "ended_at",
        "service_form_code",
        "contact_mode_code",
        "channel",
        "urgency_code",
        "nature_code",
        "is_first_visit",
        "visitor_group_code",
        "specialty_code",
        "licence_code",
        "profession_code",
    ),
    "cancellation": ("cancelled_at", "cancelled_date", "cancel_reason_code"),
}
_CONTENT = tuple(
    column.name
    for column in fields(Record)
    if column.name not in ("birth_date", "delivery_date", "delivery_number", "is_called_off")
)


def record_of(
    row: Mapping[str, str], delivery_id: str, client: Callable[[str], str] = str
) -> Record:
    """A delivered row, by canonical column names, as a record.

    Args:
        row: Texts as delivered; a missing column is an empty one.
        delivery_id: Folder name, `<YYYY-MM-DD>[-<n>]`.
        client: From the normalised client id (no white space, capitals) to what is published.
    """
    values: dict[str, Any] = {}
    for name in HEADERS:
        text = " ".join(row.get(name, "").split())
        values[name] = None if text in ("", "-", "–", "—", "..") else text
    values.pop("note")
    client_id = values.pop("client_id")
    for name in _TIMES:
        if values[name] is not None:
            values[name] = utc_time(values[name])
    for at, day in _DATES.items():
        values[day] = None if values[at] is None else local_date(values[at])
    for name in ("is_deleted", "is_first_visit"):
        if values[name] is not None:
            values[name] = _FLAGS[values[name].casefold()]
    values["is_deleted"] = bool(values["is_deleted"])
    if values["producer_type"] is not None:
        delivered = values["producer_type"].casefold()
        values["producer_type"] = _PRODUCER_TYPES.get(delivered, delivered)
    for name, value in values.items():
        if value is not None and (name.endswith("_code") or name in _WORDS):
            values[name] = value.casefold() if name in _WORDS else value.upper()
    if client_id is not None:
        normal = "".join(client_id.split()).upper()
        values["client_pseudonym"] = client(normal)
        values["birth_date"] = birth_date(normal)
    values["delivery_date"], values["delivery_number"] = delivery_key(delivery_id)
    record = Record(**values)
    return replace(record, client_age=age_on(record.birth_date, event_date(record)))


def event_date(record: Record) -> date | None:
    """The date of the event a record tells of; the assessment's where there is one."""
    return (
        record.assessed_date
        or record.contact_date
        or record.visit_date
        or record.booked_for_date
        or record.booked_date
    )


def delivery_key(delivery_id: str) -> tuple[date, int]:
    """Date and number of a delivery: `2024-03-01` is number 1, `2024-03-01-2` number 2."""
    return date.fromisoformat(delivery_id[:10]), int(delivery_id[11:] or 1)


@dataclass(frozen=True)
class RowPlace:
    """Where a delivered row stands; the first row under the header is row 1."""

    delivery_id: str
    file: str
    row: int


def read_records(
    delivery_folders: Iterable[Path],
    *,
    as_of: date | None = None,
    client: Callable[[str], str] = str,
    is_bad: Callable[[RowPlace, Mapping[str, str]], bool] = lambda place, row: False,
) -> list[Record]:
    """The records of csv deliveries, each folder named after its delivery.

    Args:
        delivery_folders: Folders such as `landing/care_events/2024-03-01-2`.
        as_of: Deliveries dated after it are not read.
        client: From the normalised client id to what is published (a pseudonym).
        is_bad: Tells of a row, by its place and texts, that the door refuses it.
    """
    records = []
    for folder in delivery_folders:
        delivered, _ = delivery_key(folder.name)
        if as_of is not None and delivered > as_of:
            continue
        for path in sorted(folder.rglob("*.csv")):
            for number, row in enumerate(read_rows(path.read_bytes()), start=1):
                place = RowPlace(folder.name, path.name, number)
                if not is_bad(place, row):
                    records.append(record_of(row, folder.name, client))
    return records


def read_rows(content: bytes) -> Iterator[dict[str, str]]:
    """The rows of one csv file, by canonical column names."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    header, _, _ = text.partition("\n")
    delimiter = ";" if ";" in header else ","
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    names = [_CANONICAL[name.strip().casefold()] for name in next(lines)]
    for cells in lines:
        if any(cell.strip() for cell in cells):
            yield dict(zip(names, cells, strict=True))


# ---------------------------------------------------------------------------------------------
# Versions and what is known
# ---------------------------------------------------------------------------------------------


def newest(records: Iterable[Record]) -> list[Record]:
    """The newest version of each record, by record id; then those that are deleted are left out."""
    winners: dict[str, Record] = {}
    for record in records:
        other = winners.get(record.record_id)
        if other is None or _version(record) > _version(other):
            winners[record.record_id] = record
    return [winners[key] for key in sorted(winners, key=_bytes) if not winners[key].is_deleted]


def _version(record: Record) -> tuple[Any, ...]:
    """What orders versions: the time of the version, the delivery's date, the content."""
    content = tuple(_ordered(getattr(record, name)) for name in _CONTENT)
    return (record.record_updated_at or _BEFORE_ALL, record.delivery_date, content)


def _ordered(value: Any) -> tuple[Any, ...]:
    """A value that compares with its like; null is the smallest, texts go by their bytes."""
    if value is None:
        return (False,)
    return (True, _bytes(value) if isinstance(value, str) else value)


def _bytes(text: str) -> bytes:
    return text.encode()


def cancellation_date(record: Record) -> date | None:
    """The date of a cancellation: its time, else a no-show's slot, else when it was recorded."""
    if record.cancelled_date is not None:
        return record.cancelled_date
    if record.cancel_reason_code == "saapumatta" and record.booked_for_date is not None:
        return record.booked_for_date
    return None if record.record_updated_at is None else local_date(record.record_updated_at)


def known(record: Record, as_of: date) -> Record | None:
    """The record without the blocks dated on or after the as-of date; None when none is left."""
    dates = {
        "contact": record.contact_date,
        "assessment": record.assessed_date,
        "booking": record.booked_date,
        "visit": record.visit_date,
        "cancellation": cancellation_date(record) if record.is_cancelled else None,
    }
    blanked: dict[str, Any] = {
        column: None
        for block, day in dates.items()
        if day is not None and day >= as_of
        for column in _BLOCKS[block]
    }
    is_called_off = record.cancelled_at is None and record.cancel_reason_code is not None
    left = replace(record, **blanked, is_called_off=is_called_off)
    if left.has_contact or left.has_assessment or left.has_booking or left.has_visit:
        return left
    return None


# ---------------------------------------------------------------------------------------------
# Needs
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Need:
    """One care need, judged.

    Attributes:
        states: Measure -> state, for the measures whose population the need belongs to.
        reasons: Measure -> why it is excluded, for those that exclude it.
        statutory_state: The same order of judgement with the legal limit in place of N; None
            outside the measures that the law limits, and where the age is needed and not known.
    """

    care_need_id: str
    client_pseudonym: str | None = None
    client_age: int | None = None
    unit_id: str | None = None
    producer_type: str | None = None
    service_form_code: str | None = None
    urgency_class: str | None = None
    start_at: datetime | None = None
    start_date: date | None = None
    first_care_at: datetime | None = None
    first_care_date: date | None = None
    wait_days: int | None = None
    states: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    statutory_state: str | None = None

    def row(self) -> dict[str, Any]:
        """The need as a row of `fct_waiting_times`."""
        columns: dict[str, Any] = {
            name: getattr(self, name)
            for name in (
                "care_need_id",
                "client_pseudonym",
                "unit_id",
                "producer_type",
                "service_form_code",
                "urgency_class",
                "start_at",
                "start_date",
                "first_care_at",
                "first_care_date",
                "wait_days",
            )
        }
        for measure in MEASURES:
            columns[f"{measure}_state"] = self.states.get(measure)
            columns[f"{measure}_exclusion_reason"] = self.reasons.get(measure)
        return columns


def needs(records: Iterable[Record], as_of: date, parameters: Parameters = DEFAULTS) -> list[Need]:
    """Every need of the newest records, with its states as they stand on the as-of date."""
    seen = [left for record in records if (left := known(record, as_of)) is not None]
    of_need: dict[tuple[str, str], list[Record]] = defaultdict(list)
    of_client: dict[str, list[Record]] = defaultdict(list)
    for record in seen:
        of_need[record.need_key].append(record)
        if record.client_pseudonym is not None:
            of_client[record.client_pseudonym].append(record)
    cases = []
    for own in of_need.values():
        assessed = [record for record in own if record.has_assessment]
        if not assessed:
            cases.append(Need(own[0].published_need_id))
            continue
        start = min(assessed, key=lambda record: (record.assessed_at, _bytes(record.record_id)))
        cases.append(_judged(start, own, of_client, as_of, parameters))
    return sorted(cases, key=lambda case: _bytes(case.care_need_id))


def _judged(
    start: Record,
    own: Sequence[Record],
    of_client: Mapping[str, Sequence[Record]],
    as_of: date,
    parameters: Parameters,
) -> Need:
    """A need with a start: its place in each measure."""
    day = start.assessed_date
    assert day is not None
    urgency = meaning(parameters.urgencies, start.assessed_urgency_code, day)
    age = age_on(start.birth_date, day)
    states: dict[str, str] = {}
    reasons: dict[str, str] = {}

    if start.read_service_form == "T11" and start.has_contact:
        state, reason = _first_contact(start, own, of_client, as_of, parameters)
        states[FIRST_CONTACT] = state
        if reason is not None:
            reasons[FIRST_CONTACT] = reason

    measure = _wait_measure(start, urgency)
    first_at: datetime | None = None
    first_date: date | None = None
    statutory = None
    if measure is not None:
        if measure == URGENT and start.assessment_outcome_code == "ratkaistu":
            first_at, first_date = start.assessed_at, day
        else:
            visit = _first_care(measure, day, own, parameters)
            if visit is not None:
                first_at, first_date = visit.started_at, visit.visit_date
        limit = day + timedelta(days=parameters.limits[measure])
        state, reason = _waited(first_date, limit, own, as_of)
        states[measure] = state
        if reason is not None:
            reasons[measure] = reason
        last_legal_day = _legal_last_day(measure, day, age, parameters)
        if last_legal_day is not None:
            statutory, _ = _waited(first_date, last_legal_day, own, as_of)

    return Need(
        care_need_id=start.published_need_id,
        client_pseudonym=start.client_pseudonym,
        client_age=age,
        unit_id=start.unit_id,
        producer_type=start.producer_type,
        service_form_code=start.read_service_form,
        urgency_class=urgency,
        start_at=start.assessed_at,
        start_date=day,
        first_care_at=first_at,
        first_care_date=first_date,
        wait_days=None if first_date is None else (first_date - day).days,
        states=states,
        reasons=reasons,
        statutory_state=statutory,
    )


def meaning(table: Sequence[Valid], code: str | None, day: date) -> str | None:
    """What a code means on a date; None for an empty or unknown one, or outside its validity."""
    return next((row.meaning for row in table if row.code == code and row.holds(day)), None)


def _wait_measure(start: Record, urgency: str | None) -> str | None:
    """The wait measure whose population a need belongs to: never more than one."""
    form, outcome = start.read_service_form, start.assessment_outcome_code
    if form == "T11" and urgency == "urgent" and outcome in ("kaynti", "ratkaistu"):
        return URGENT
    if urgency != "non_urgent" or outcome != "kaynti":
        return None
    if form == "T11" and start.assessed_nature_code == "SH":
        return NON_URGENT
    return DENTAL if form == "T60" else None


def _first_care(
    measure: str, start_date: date, own: Sequence[Record], parameters: Parameters
) -> Record | None:
    """The earliest realised individual visit that the measure allows, from the start date on."""
    allowed = [
        record
        for record in own
        if record.is_realised
        and record.is_individual
        and record.visit_date is not None
        and record.visit_date >= start_date
        and _mode_counts(measure, record, parameters)
        and _professional_counts(measure, record, parameters)
    ]
    return min(allowed, key=lambda visit: visit.started_at or _BEFORE_ALL, default=None)


def _mode_counts(measure: str, visit: Record, parameters: Parameters) -> bool:
    assert visit.visit_date is not None
    return any(
        mode.code == visit.contact_mode_code and visit.visit_date <= mode.visit_date_to
        for mode in parameters.modes[measure]
    )


def _professional_counts(measure: str, visit: Record, parameters: Parameters) -> bool:
    if measure == NON_URGENT:
        licence = parameters.licences.get(visit.licence_code or "")
        return licence is not None and licence.is_licensed
    if measure == DENTAL:
        return profession_group(visit, parameters) in parameters.dental_groups
    return True


def profession_group(visit: Record, parameters: Parameters = DEFAULTS) -> str | None:
    """Who met the client: what the licence names, else the profession in that day's classes."""
    licence = parameters.licences.get(visit.licence_code or "")
    if licence is not None and licence.group not in (None, "", "other"):
        return licence.group
    if visit.visit_date is None:
        return None
    return meaning(parameters.professions, visit.profession_code, visit.visit_date)


def _waited(
    first_care: date | None, limit: date, own: Sequence[Record], as_of: date
) -> tuple[str, str | None]:
    """The cohort order of a measure with a wait: pending, met, excluded by rule 6, missed."""
    if as_of <= limit:
        return PENDING, None
    if first_care is not None:
        return (MET if first_care <= limit else MISSED), None
    reason, day = _last_cancellation(own)
    if reason is not None and day is not None and day <= limit:
        return EXCLUDED, reason
    return MISSED, None


def _last_cancellation(own: Sequence[Record]) -> tuple[str | None, date | None]:
    """Rule 6's reason and date on the last booking of a need; a no-show's date is its slot's."""
    bookings = [record for record in own if record.has_booking]
    if not bookings:
        return None, None
    last = max(
        bookings,
        key=lambda record: (
            record.booked_at or _BEFORE_ALL,
            record.booked_for_at or _BEFORE_ALL,
            _bytes(record.record_id),
        ),
    )
    reason = RULE_6_REASONS.get(last.cancel_reason_code or "")
    if reason == "no_show" and last.booked_for_date is not None:
        return reason, last.booked_for_date
    return reason, cancellation_date(last)


def _first_contact(
    start: Record,
    own: Sequence[Record],
    of_client: Mapping[str, Sequence[Record]],
    as_of: date,
    parameters: Parameters,
) -> tuple[str, str | None]:
    """The state of a need in first-contact resolution; rule 6 does not apply to it."""
    reason = _first_contact_exclusion(start)
    if reason is not None:
        return EXCLUDED, reason
    day = start.assessed_date
    assert day is not None
    last_day = day + timedelta(days=parameters.limits[FIRST_CONTACT])
    if as_of <= last_day:
        return PENDING, None
    booked_onward = any(
        record.booked_for_date is not None and record.booked_for_date > day for record in own
    )
    solved = start.assessment_outcome_code == "ratkaistu" or any(
        record.is_realised
        and record.is_individual
        and (record.service_form_code or record.read_service_form) == "T11"
        and record.visit_date == day
        and record.contact_mode_code not in CONSULTATIONS
        for record in own
    )
    came_back = any(
        record.read_service_form == "T11"
        and record.contact_date is not None
        and day < record.contact_date <= last_day
        for record in _records_of_same_person(start, own, of_client)
    )
    return (MET if solved and not booked_onward and not came_back else MISSED), None


def _first_contact_exclusion(start: Record) -> str | None:
    """Why the row of the measure excludes a need; the first that holds is shown."""
    if start.assessment_outcome_code == "hallinnollinen":
        return "administrative"
    if start.assessment_outcome_code == "paivystys":
        return "emergency_care"
    if start.contact_channel in (None, "muu"):
        return "channel_other_or_unknown"
    if start.contact_mode_code in CONSULTATIONS:
        return "professional_consultation"
    return None


def _records_of_same_person(
    start: Record, own: Sequence[Record], of_client: Mapping[str, Sequence[Record]]
) -> Iterator[Record]:
    """The client's records, of any need; where either client is not known, those of the need."""
    if start.client_pseudonym is None:
        yield from own
        return
    yield from of_client[start.client_pseudonym]
    yield from (record for record in own if record.client_pseudonym is None)


def _legal_last_day(
    measure: str, start_date: date, age: int | None, parameters: Parameters
) -> date | None:
    """The last day the law allows; None without a limit, or when it asks for an unknown age."""
    for limit in parameters.legal_limits:
        if limit.measure != measure or not limit.valid_from <= start_date <= limit.valid_to:
            continue
        if not limit.needs_age or (age is not None and limit.holds_for(age)):
            return limit.last_day(start_date)
    return None


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


# ---------------------------------------------------------------------------------------------
# Visits
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Visit:
    """A row of `fct_visits`."""

    record_id: str
    client_pseudonym: str | None
    unit_id: str | None
    producer_type: str | None
    service_form_code: str | None
    contact_mode_code: str | None
    channel: str | None
    profession_group: str | None
    started_at: datetime
    visit_date: date
    care_need_id: str


def visits(
    records: Iterable[Record], as_of: date, parameters: Parameters = DEFAULTS
) -> list[Visit]:
    """Every realised event of the newest records, group visits among them."""
    realised = []
    for record in records:
        left = known(record, as_of)
        if left is None or not left.is_realised:
            continue
        assert left.started_at is not None
        assert left.visit_date is not None
        realised.append(
            Visit(
                record_id=left.record_id,
                client_pseudonym=left.client_pseudonym,
                unit_id=left.unit_id,
                producer_type=left.producer_type,
                service_form_code=left.service_form_code,
                contact_mode_code=left.contact_mode_code,
                channel=left.channel,
                profession_group=profession_group(left, parameters),
                started_at=left.started_at,
                visit_date=left.visit_date,
                care_need_id=left.published_need_id,
            )
        )
    return sorted(realised, key=lambda visit: _bytes(visit.record_id))


@dataclass(frozen=True)
class VisitCount:
    """A row of `mart_visits_monthly`."""

    month_start: date
    unit_id: str | None
    service_form_code: str | None
    contact_mode_code: str | None
    profession_group: str | None
    producer_type: str | None
    visit_count: int
    client_count: int


def visits_monthly(realised: Iterable[Visit]) -> list[VisitCount]:
    """Visits and different known clients by month, unit, form, mode, profession and producer."""
    groups: dict[tuple[Any, ...], list[Visit]] = defaultdict(list)
    for visit in realised:
        groups[
            visit.visit_date.replace(day=1),
            visit.unit_id,
            visit.service_form_code,
            visit.contact_mode_code,
            visit.profession_group,
            visit.producer_type,
        ].append(visit)
    rows = [
        VisitCount(*(*key, len(group), len({visit.client_pseudonym for visit in group} - {None})))
        for key, group in groups.items()
    ]
    return sorted(rows, key=lambda row: tuple(_ordered(getattr(row, f.name)) for f in fields(row)))


# ---------------------------------------------------------------------------------------------
# Marts of the measures
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, order=True)
class Period:
    """A period of one grain; both dates inclusive."""

    grain: str
    start: date
    end: date


@dataclass(frozen=True)
class Unit:
    """A unit's area for the dates it holds, both inclusive; a unit with a history has several."""

    unit_id: str
    area_code: str | None
    valid_from: date = date.min
    valid_to: date = date.max


def unit_table(path: Path) -> tuple[Unit, ...]:
    """The units of a code table, a row for each period of a unit's life."""
    return tuple(
        Unit(row["unit_id"], row["area_code"] or None, *_validity(row)) for row in _table(path)
    )


@dataclass(frozen=True)
class AccessRow:
    """A row of `mart_access_measures`, with the numerators and denominators of its shares."""

    measure_code: str
    period_grain: str
    period_start: date
    period_end: date
    scope_type: str
    scope_id: str
    met_count: int
    missed_count: int
    pending_count: int
    excluded_count: int
    rate: float | None
    rate_low: float | None
    rate_high: float | None
    realised_within_count: int
    realised_count: int
    realised_rate: float | None
    statutory_met_count: int
    statutory_judged_count: int
    statutory_rate: float | None
    target_rate: float
    gap_share: float | None
    status: str
    is_preliminary: bool
    is_partial: bool
    as_of_date: date

    @property
    def key(self) -> tuple[str, str, date, str, str]:
        return (
            self.measure_code,
            self.period_grain,
            self.period_start,
            self.scope_type,
            self.scope_id,
        )


@dataclass(frozen=True, order=True)
class ExclusionRow:
    """A row of `mart_access_exclusions`."""

    measure_code: str
    period_grain: str
    period_start: date
    period_end: date
    scope_type: str
    scope_id: str
    reason: str
    excluded_count: int


@dataclass(frozen=True, order=True)
class DistributionRow:
    """A row of `mart_waiting_time_distribution`."""

    measure_code: str
    period_grain: str
    period_start: date
    period_end: date
    scope_type: str
    scope_id: str
    wait_days: int
    need_count: int


def months_between(first: date, last: date) -> Iterator[date]:
    """The first days of the months from one date's to another's."""
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = add_months(month, 1)


def last_month(as_of: date) -> date:
    """The first day of the last month that begins before the as-of date."""
    return (as_of - timedelta(days=1)).replace(day=1)


def _last_of_month(month: date) -> date:
    return add_months(month, 1) - timedelta(days=1)


def periods_of(day: date, until: date) -> list[Period]:
    """The periods that hold a date; windows of 12 months end with a month no later than `until`.

    Args:
        day: The date.
        until: First day of the last month there is a window for.
    """
    month = day.replace(day=1)
    quarter = month.replace(month=month.month - (month.month - 1) % 3)
    year = month.replace(month=1)
    return [
        Period("month", month, _last_of_month(month)),
        Period("quarter", quarter, _last_of_month(add_months(quarter, 2))),
        Period("year", year, year.replace(month=12, day=31)),
        *(
            Period("rolling_12_months", add_months(end, -11), _last_of_month(end))
            for end in months_between(month, min(until, add_months(month, 11)))
        ),
    ]


def _city_periods(cases: Iterable[Need], as_of: date) -> set[Period]:
    """Every period from the first need's month to the last month that begins before as-of."""
    starts = [case.start_date for case in cases if case.start_date is not None]
    if not starts:
        return set()
    until = last_month(as_of)
    return {
        period
        for month in months_between(min(starts), until)
        for period in periods_of(month, until)
        if period.grain != "rolling_12_months" or period.end == _last_of_month(month)
    }


def scopes_of(case: Need, units: Sequence[Unit]) -> list[tuple[str, str]]:
    """The scopes a need counts in; the area is the unit's on the start date."""
    area = next(
        (
            unit.area_code
            for unit in units
            if unit.unit_id == case.unit_id
            and case.start_date is not None
            and unit.valid_from <= case.start_date <= unit.valid_to
        ),
        None,
    )
    return [
        ("city", "ALL"),
        ("area", area or UNKNOWN),
        ("unit", case.unit_id or UNKNOWN),
        ("producer_type", case.producer_type or UNKNOWN),
    ]


def access_measures(
    cases: Sequence[Need],
    as_of: date,
    units: Sequence[Unit] = (),
    parameters: Parameters = DEFAULTS,
) -> list[AccessRow]:
    """Every measure in every period and scope: official and realised basis, and the law's."""
    until = last_month(as_of)
    city = [(period, "city", "ALL") for period in _city_periods(cases, as_of)]
    first = min((period.start for period, _, _ in city if period.grain == "month"), default=as_of)
    rows = []
    for measure in MEASURES:
        cohort: dict[tuple[Period, str, str], list[Need]] = defaultdict(list)
        realised: dict[tuple[Period, str, str], list[Need]] = defaultdict(list)
        for case in cases:
            if measure not in case.states:
                continue
            assert case.start_date is not None
            for scope in scopes_of(case, units):
                for period in periods_of(case.start_date, until):
                    cohort[period, *scope].append(case)
                if measure in WAIT_MEASURES and case.first_care_date is not None:
                    for period in periods_of(case.first_care_date, until):
                        realised[period, *scope].append(case)
        for key in {*city, *cohort, *realised}:
            rows.append(
                _access_row(
                    measure,
                    key,
                    cohort.get(key, []),
                    realised.get(key, []),
                    first,
                    as_of,
                    parameters,
                )
            )
    return sorted(rows, key=lambda row: row.key)


def _access_row(
    measure: str,
    key: tuple[Period, str, str],
    cohort: Sequence[Need],
    realised: Sequence[Need],
    first_month: date,
    as_of: date,
    parameters: Parameters,
) -> AccessRow:
    period, scope_type, scope_id = key
    states = Counter(case.states[measure] for case in cohort)
    judged = states[MET] + states[MISSED]
    rate = share(states[MET], judged)
    low, high = wilson(states[MET], judged)
    limit = parameters.limits[measure]
    within = sum(case.wait_days is not None and case.wait_days <= limit for case in realised)
    legal = Counter(case.statutory_state for case in cohort if measure in (NON_URGENT, DENTAL))
    legally_judged = legal[MET] + legal[MISSED]
    target = parameters.targets[measure]
    return AccessRow(
        measure_code=measure,
        period_grain=period.grain,
        period_start=period.start,
        period_end=period.end,
        scope_type=scope_type,
        scope_id=scope_id,
        met_count=states[MET],
        missed_count=states[MISSED],
        pending_count=states[PENDING],
        excluded_count=states[EXCLUDED],
        rate=rate,
        rate_low=low,
        rate_high=high,
        realised_within_count=within,
        realised_count=len(realised),
        realised_rate=share(within, len(realised)),
        statutory_met_count=legal[MET],
        statutory_judged_count=legally_judged,
        statutory_rate=share(legal[MET], legally_judged),
        target_rate=target,
        gap_share=None if rate is None else rate - target,
        status="no_data" if rate is None else "met" if rate >= target else "not_met",
        is_preliminary=states[PENDING] > 0,
        is_partial=period.start < first_month or as_of <= period.end,
        as_of_date=as_of,
    )


def share(part: int, whole: int) -> float | None:
    """A share; None of nothing."""
    return part / whole if whole else None


def wilson(part: int, whole: int) -> tuple[float | None, float | None]:
    """The 95 % Wilson interval of a share; nothing for a share of nothing."""
    if not whole:
        return None, None
    square = WILSON_Z**2
    rate = part / whole
    centre = rate + square / (2 * whole)
    margin = WILSON_Z * math.sqrt(rate * (1 - rate) / whole + square / (4 * whole**2))
    scale = 1 + square / whole
    # A share lies within its interval, also where rounding puts a bound of 0 a hair above it.
    return (
        max(0.0, min(rate, (centre - margin) / scale)),
        min(1.0, max(rate, (centre + margin) / scale)),
    )


def exclusions(
    cases: Sequence[Need], as_of: date, units: Sequence[Unit] = ()
) -> list[ExclusionRow]:
    """How many needs each reason excludes, by measure, period of the start, and scope."""
    until = last_month(as_of)
    counts: Counter[tuple[Any, ...]] = Counter()
    for case in cases:
        for measure, reason in case.reasons.items():
            assert case.start_date is not None
            for period in periods_of(case.start_date, until):
                for scope in scopes_of(case, units):
                    counts[measure, period.grain, period.start, period.end, *scope, reason] += 1
    return sorted(ExclusionRow(*(*key, count)) for key, count in counts.items())


def distribution(
    cases: Sequence[Need], as_of: date, units: Sequence[Unit] = ()
) -> list[DistributionRow]:
    """How many needs waited how many days: those with known first care, by period of the start."""
    until = last_month(as_of)
    counts: Counter[tuple[Any, ...]] = Counter()
    for case in cases:
        for measure in WAIT_MEASURES:
            if measure not in case.states or case.wait_days is None:
                continue
            assert case.start_date is not None
            for period in periods_of(case.start_date, until):
                for scope in scopes_of(case, units):
                    counts[
                        measure, period.grain, period.start, period.end, *scope, case.wait_days
                    ] += 1
    return sorted(DistributionRow(*(*key, count)) for key, count in counts.items())
