"""What the generated city is like: its volumes, services, queues, codes and units.

Proportions only. The yearly volumes are the published outputs of the annual report's table 7
(`landing/output_statistics/2022-03-31`, measures of `seeds/outputs/output_measures.csv`); all other
numbers here are made up, plausible at best, and say nothing of the real city.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from functools import cached_property
from pathlib import Path

#: Years of `VOLUMES`. Years before and after them are like the first and the last.
VOLUME_YEARS = (2017, 2018, 2019, 2020, 2021)

#: Reference measure of table 7 -> its published yearly outputs, 2017 to 2021; None: not published.
VOLUMES: Mapping[str, tuple[int | None, ...]] = {
    "physician_reception_visits": (474_953, 466_223, 438_595, 352_358, 256_177),
    "physician_calls_and_contacts": (296_744, 299_402, 305_089, 329_516, 260_823),
    "nurse_reception_visits": (424_640, 427_538, 423_887, 362_933, 1_274_049),
    "nurse_calls_and_contacts": (417_031, 477_876, 529_046, 799_881, 1_186_675),
    "home_care_visits_own": (3_199_027, 3_189_546, 3_131_728, 3_102_241, 3_806_554),
    "home_care_visits_purchased": (51_865, 39_070, 508_436, 597_234, 739_921),
    "dental_care_own": (444_586, 429_319, 410_440, 258_084, 266_460),
    # 2019 is not published: the mean of its neighbours stands in for it (`volume`).
    "dental_care_purchased": (73_154, 99_760, None, 92_982, 139_406),
    "school_health_care": (144_872, 151_932, 148_275, 120_009, 119_470),
    "student_health_care": (62_986, 68_520, 71_112, 61_909, 40_645),
    "maternity_and_child_health_clinics": (343_522, 345_736, 341_423, 355_523, 390_584),
    # In 2017 counted as inpatient care; the service form is valid from 2018.
    "home_hospital_visits": (0, 49_386, 46_279, 38_435, 42_563),
    "substance_abuse_work": (2_443, 13_151, 11_124, 8_501, 9_196),
    "therapy_and_medical_social_work_visits": (255_915, 233_295, 222_379, 179_258, 138_256),
    "psychiatric_clinics": (171_832, 174_528, 173_635, 149_740, 279_719),
    "psychiatric_clinic_calls": (66_558, 75_689, 74_371, 121_516, 68_527),
    "psychiatric_day_hospital": (5_547, 5_857, 5_573, 3_149, 8_565),
}


def volume(measure_code: str, year: int) -> float:
    """Visits of a measure in a year, filled in where nothing is published."""
    values = VOLUMES[measure_code]
    index = min(max(year, VOLUME_YEARS[0]), VOLUME_YEARS[-1]) - VOLUME_YEARS[0]
    value = values[index]
    if value is not None:
        return float(value)
    neighbours = [item for item in (values[index - 1], values[index + 1]) if item is not None]
    return sum(neighbours) / len(neighbours)


# --- records of a need ----------------------------------------------------------------------------


class Role(IntEnum):
    """What a record is in the course of its need."""

    RESOLVED = 1  # contact and assessment, resolved; often the care itself in the same record
    ONLY = 2  # contact and assessment: needs a care event, which other records hold, or none does
    FULL = 3  # contact, assessment, booking and visit in one record
    OTHER = 4  # contact and assessment with another outcome: emergency care, certificate, ...
    BOOKED = 5  # booking and visit
    CANCELLED = 6  # booking and its cancellation
    FOLLOW_UP = 7  # booking and visit after the first visit
    VISIT = 8  # visit only
    GROUP = 9  # group visit
    CONTACT = 10  # contact only


#: Roles whose record is made before its visit, so that a newer version completes it.
BOOKING_ROLES = (Role.FULL, Role.BOOKED, Role.CANCELLED, Role.FOLLOW_UP)

#: Share of contacts resolved at once that hold the care itself (a call with a nurse).
RESOLVED_WITH_CARE = 0.7

#: Records whose needs are laid out together; every group of them has the same service.
GROUP_SIZE = 20

Scenario = tuple[float, tuple[Role, ...]]


@dataclass(frozen=True)
class Flow:
    """How needs of a kind of service run.

    Attributes:
        code: Number in the SQL: 0 health stations, 1 dental care, 2 appointments, 3 visit series.
        shapes: Four ways to cut a group of `GROUP_SIZE` records into needs.
        scenarios: Number of a need's records -> what they are, with weights.
    """

    code: int
    shapes: tuple[tuple[int, ...], ...]
    scenarios: Mapping[int, tuple[Scenario, ...]]

    def expected(self, roles: Mapping[Role, float]) -> float:
        """Sum of the weights of roles that a group of records holds on average."""
        total = 0.0
        for shape in self.shapes:
            for size in shape:
                weights = sum(weight for weight, _ in self.scenarios[size])
                for weight, scenario in self.scenarios[size]:
                    held = sum(roles.get(role, 0.0) for role in scenario)
                    total += weight / weights * held / len(self.shapes)
        return total

    @cached_property
    def visits_per_group(self) -> float:
        """Realised visits among `GROUP_SIZE` records on average."""
        return self.expected(_VISITS)

    @property
    def resolved_share(self) -> float:
        """Share of visits that are care in the contact itself."""
        return self.expected({Role.RESOLVED: RESOLVED_WITH_CARE}) / self.visits_per_group


_VISITS = {
    Role.RESOLVED: RESOLVED_WITH_CARE,
    Role.FULL: 1.0,
    Role.BOOKED: 1.0,
    Role.FOLLOW_UP: 1.0,
    Role.VISIT: 1.0,
    Role.GROUP: 1.0,
}

_R = Role

STATION = Flow(
    0,
    (
        (1, 2, 1, 3, 1, 1, 2, 1, 1, 3, 1, 2, 1),
        (1, 1, 2, 1, 3, 1, 1, 1, 2, 1, 1, 3, 1, 1),
        (2, 1, 3, 1, 2, 1, 1, 2, 1, 3, 1, 2),
        (1, 1, 4, 1, 1, 2, 1, 1, 3, 1, 2, 1, 1),
    ),
    {
        1: (
            (0.49, (_R.RESOLVED,)),
            (0.21, (_R.FULL,)),
            (0.11, (_R.OTHER,)),
            (0.04, (_R.ONLY,)),
            (0.09, (_R.VISIT,)),
            (0.04, (_R.CONTACT,)),
            (0.02, (_R.GROUP,)),
        ),
        2: (
            (0.71, (_R.ONLY, _R.BOOKED)),
            (0.11, (_R.ONLY, _R.CANCELLED)),
            (0.08, (_R.FULL, _R.FOLLOW_UP)),
            (0.05, (_R.RESOLVED, _R.VISIT)),
            (0.05, (_R.ONLY, _R.FULL)),
        ),
        3: (
            (0.45, (_R.ONLY, _R.CANCELLED, _R.BOOKED)),
            (0.34, (_R.ONLY, _R.BOOKED, _R.FOLLOW_UP)),
            (0.09, (_R.ONLY, _R.CANCELLED, _R.CANCELLED)),
            (0.06, (_R.ONLY, _R.GROUP, _R.BOOKED)),
            (0.06, (_R.VISIT, _R.FOLLOW_UP, _R.FOLLOW_UP)),
        ),
        4: (
            (0.5, (_R.ONLY, _R.CANCELLED, _R.BOOKED, _R.FOLLOW_UP)),
            (0.3, (_R.ONLY, _R.BOOKED, _R.FOLLOW_UP, _R.FOLLOW_UP)),
            (0.2, (_R.ONLY, _R.CANCELLED, _R.CANCELLED, _R.BOOKED)),
        ),
    },
)

DENTAL = Flow(
    1,
    (
        (2, 1, 3, 2, 4, 1, 2, 1, 3, 1),
        (1, 2, 2, 3, 1, 2, 1, 4, 1, 2, 1),
        (3, 1, 2, 4, 1, 2, 1, 3, 1, 2),
        (2, 2, 1, 4, 1, 3, 2, 1, 3, 1),
    ),
    {
        1: (
            (0.45, (_R.FULL,)),
            (0.14, (_R.RESOLVED,)),
            (0.08, (_R.OTHER,)),
            (0.12, (_R.ONLY,)),
            (0.15, (_R.VISIT,)),
            (0.06, (_R.CONTACT,)),
        ),
        2: (
            (0.6, (_R.ONLY, _R.BOOKED)),
            (0.2, (_R.ONLY, _R.CANCELLED)),
            (0.2, (_R.FULL, _R.FOLLOW_UP)),
        ),
        3: (
            (0.4, (_R.ONLY, _R.CANCELLED, _R.BOOKED)),
            (0.45, (_R.ONLY, _R.BOOKED, _R.FOLLOW_UP)),
            (0.1, (_R.ONLY, _R.CANCELLED, _R.CANCELLED)),
            (0.05, (_R.VISIT, _R.FOLLOW_UP, _R.FOLLOW_UP)),
        ),
        4: (
            (0.4, (_R.ONLY, _R.CANCELLED, _R.BOOKED, _R.FOLLOW_UP)),
            (0.45, (_R.ONLY, _R.BOOKED, _R.FOLLOW_UP, _R.FOLLOW_UP)),
            (0.15, (_R.ONLY, _R.CANCELLED, _R.CANCELLED, _R.BOOKED)),
        ),
    },
)

APPOINTMENTS = Flow(
    2,
    (
        (1, 2, 1, 1, 2, 1, 1, 1, 2, 1, 1, 2, 1, 1, 1, 1),
        (1, 1, 2, 1, 1, 1, 2, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1),
        (2, 1, 1, 2, 1, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1),
        (1, 1, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1),
    ),
    {
        1: (
            (0.6, (_R.BOOKED,)),
            (0.26, (_R.VISIT,)),
            (0.05, (_R.FULL,)),
            (0.05, (_R.GROUP,)),
            (0.04, (_R.CANCELLED,)),
        ),
        2: (
            (0.6, (_R.BOOKED, _R.FOLLOW_UP)),
            (0.25, (_R.CANCELLED, _R.BOOKED)),
            (0.15, (_R.ONLY, _R.BOOKED)),
        ),
    },
)

SERIES = Flow(
    3,
    ((5, 5, 5, 5), (4, 4, 4, 4, 4), (5, 5, 5, 5), (4, 4, 4, 4, 4)),
    {
        4: (
            (0.9, (_R.VISIT, _R.VISIT, _R.VISIT, _R.VISIT)),
            (0.1, (_R.ONLY, _R.VISIT, _R.VISIT, _R.VISIT)),
        ),
        5: (
            (0.9, (_R.VISIT, _R.VISIT, _R.VISIT, _R.VISIT, _R.VISIT)),
            (0.1, (_R.ONLY, _R.VISIT, _R.VISIT, _R.VISIT, _R.VISIT)),
        ),
    },
)

# --- services -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """Visits of one published measure by one kind of professional in one way.

    Attributes:
        measure_code: Reference measure in `VOLUMES`.
        profession: Key of `PROFESSIONS`.
        family: Key of `MODES`.
        weight: Share of the measure's visits.
    """

    measure_code: str
    profession: str
    family: str
    weight: float = 1.0


@dataclass(frozen=True)
class Stratum:
    """A service of the city.

    Attributes:
        name: For people.
        lines: Its visits; their measures give its volume.
        flow: How its needs run.
        calendar: Key of `CALENDARS`.
        ages: First and last of the twenty age classes (`AGE_CLASSES`) of its clients.
        forms: Service form codes with weights.
        unit_kinds: Kinds of its units (`seeds/access/units.csv`); health stations if there is none.
        producer: Producer type of its units; None: whatever the unit's is.
        specialties: Specialty codes with weights; None for an empty one.
        share: Share of the volume of its measures.
    """

    name: str
    lines: tuple[Line, ...]
    flow: Flow
    calendar: str
    ages: tuple[int, int]
    forms: tuple[tuple[str, float], ...]
    unit_kinds: tuple[str, ...]
    producer: str | None = "own"
    specialties: tuple[tuple[str | None, float], ...] = ((None, 1.0),)
    share: float = 1.0

    def visits(self, year: int) -> float:
        """Realised visits in a year."""
        return self.share * sum(
            volume(line.measure_code, year) * line.weight for line in self.lines
        )

    def records(self, year: int) -> float:
        """Event records in a year: visits, and what comes before them or in place of them."""
        return self.visits(year) * GROUP_SIZE / self.flow.visits_per_group


_DENTAL_OWN = (
    Line("dental_care_own", "dentist", "reception", 0.56),
    Line("dental_care_own", "dental_hygienist", "reception", 0.24),
    Line("dental_care_own", "dental_nurse", "reception", 0.14),
    Line("dental_care_own", "dental_nurse", "remote", 0.06),
)
_DENTAL_PURCHASED = (
    Line("dental_care_purchased", "dentist", "reception", 0.8),
    Line("dental_care_purchased", "dental_hygienist", "reception", 0.2),
)
_CLINIC_LINES = (
    Line("maternity_and_child_health_clinics", "nurse", "reception", 0.75),
    Line("maternity_and_child_health_clinics", "nurse", "remote", 0.12),
    Line("maternity_and_child_health_clinics", "physician", "reception", 0.13),
)
_PSYCHIATRIC = ((("70"), 0.84), ("74", 0.05), ("75", 0.07), ("70X", 0.04))

STRATA = (
    Stratum(
        "health stations",
        (
            Line("physician_reception_visits", "physician", "reception"),
            Line("physician_calls_and_contacts", "physician", "remote"),
            Line("nurse_reception_visits", "nurse", "reception", 0.94),
            Line("nurse_reception_visits", "practical_nurse", "reception", 0.06),
            Line("nurse_calls_and_contacts", "nurse", "remote", 0.95),
            Line("nurse_calls_and_contacts", "practical_nurse", "remote", 0.05),
        ),
        STATION,
        "office",
        (0, 19),
        (("T11", 1.0),),
        ("health_station", "corona_health_station"),
        producer=None,
        specialties=((None, 0.8), ("98", 0.2)),
    ),
    Stratum(
        "dental care, own",
        _DENTAL_OWN,
        DENTAL,
        "office",
        (0, 19),
        (("T60", 1.0),),
        ("dental_clinic",),
    ),
    Stratum(
        "dental care, purchased",
        _DENTAL_PURCHASED,
        DENTAL,
        "office",
        (3, 19),
        (("T60", 1.0),),
        ("dental_clinic",),
        producer="purchased",
        share=0.7,
    ),
    Stratum(
        "dental care, service voucher",
        _DENTAL_PURCHASED,
        DENTAL,
        "office",
        (3, 19),
        (("T60", 1.0),),
        ("dental_clinic",),
        producer="voucher",
        share=0.3,
    ),
    Stratum(
        "home care, own",
        (
            Line("home_care_visits_own", "practical_nurse", "home", 0.8),
            Line("home_care_visits_own", "nurse", "home", 0.2),
        ),
        SERIES,
        "daily",
        (16, 19),
        (("T40", 0.8), ("T41", 0.12), ("T42", 0.08)),
        ("home_care",),
    ),
    Stratum(
        "home care, purchased",
        (Line("home_care_visits_purchased", "practical_nurse", "home"),),
        SERIES,
        "daily",
        (16, 19),
        (("T40", 0.9), ("T42", 0.1)),
        ("home_care",),
        producer="purchased",
    ),
    Stratum(
        "psychiatric clinics",
        (
            Line("psychiatric_clinics", "physician", "talk", 0.3),
            Line("psychiatric_clinics", "nurse", "talk", 0.5),
            Line("psychiatric_clinics", "psychologist", "talk", 0.2),
            Line("psychiatric_clinic_calls", "nurse", "call", 0.8),
            Line("psychiatric_clinic_calls", "physician", "call", 0.2),
        ),
        APPOINTMENTS,
        "office",
        (3, 17),
        (("T71", 1.0),),
        ("psychiatric_clinic",),
        specialties=_PSYCHIATRIC,
    ),
    Stratum(
        "psychiatric day hospital",
        (Line("psychiatric_day_hospital", "nurse", "onsite"),),
        APPOINTMENTS,
        "office",
        (3, 17),
        (("T81", 1.0),),
        ("psychiatric_day_hospital",),
        specialties=_PSYCHIATRIC,
    ),
    Stratum(
        "school health care",
        (
            Line("school_health_care", "nurse", "onsite", 0.8),
            Line("school_health_care", "nurse", "remote", 0.07),
            Line("school_health_care", "physician", "onsite", 0.13),
        ),
        APPOINTMENTS,
        "school",
        (1, 2),
        (("T26", 1.0),),
        ("school_health_care",),
    ),
    Stratum(
        "student health care",
        (
            Line("student_health_care", "nurse", "onsite", 0.65),
            Line("student_health_care", "nurse", "remote", 0.2),
            Line("student_health_care", "physician", "onsite", 0.15),
        ),
        APPOINTMENTS,
        "school",
        (3, 4),
        (("T27", 1.0),),
        ("student_health_care",),
    ),
    Stratum(
        "maternity clinics",
        _CLINIC_LINES,
        APPOINTMENTS,
        "office",
        (5, 8),
        (("T21", 1.0),),
        ("family_centre",),
        share=0.35,
    ),
    Stratum(
        "child health clinics",
        _CLINIC_LINES,
        APPOINTMENTS,
        "office",
        (0, 0),
        (("T22", 1.0),),
        ("family_centre",),
        share=0.65,
    ),
    Stratum(
        "therapy and medical social work",
        (
            Line("therapy_and_medical_social_work_visits", "physiotherapist", "onsite", 0.6),
            Line("therapy_and_medical_social_work_visits", "occupational_therapist", "onsite", 0.2),
            Line("therapy_and_medical_social_work_visits", "speech_therapist", "onsite", 0.1),
            Line("therapy_and_medical_social_work_visits", "social_worker", "onsite", 0.1),
        ),
        APPOINTMENTS,
        "office",
        (0, 19),
        (("T51", 0.6), ("T54", 0.14), ("T53", 0.1), ("T55", 0.05), ("T56", 0.05), ("T58", 0.06)),
        ("therapy",),
    ),
    Stratum(
        "home hospital",
        (
            Line("home_hospital_visits", "nurse", "home", 0.85),
            Line("home_hospital_visits", "physician", "home", 0.15),
        ),
        SERIES,
        "daily",
        (10, 19),
        (("T43", 1.0),),
        ("home_hospital", "home_care"),
    ),
    Stratum(
        "substance abuse work",
        (
            Line("substance_abuse_work", "nurse", "reception", 0.7),
            Line("substance_abuse_work", "social_worker", "reception", 0.3),
        ),
        APPOINTMENTS,
        "office",
        (4, 15),
        (("T73", 1.0),),
        ("substance_abuse",),
    ),
)

# --- codes ----------------------------------------------------------------------------------------

Weighted = tuple[tuple[str | None, float], ...]

#: Group -> licence codes, profession codes of AML 2001, of TK10 (`seeds/access`).
PROFESSIONS: Mapping[str, tuple[Weighted, Weighted, Weighted]] = {
    "physician": (
        (("001", 0.7), ("034", 0.22), ("000", 0.05), (None, 0.03)),
        (("2221", 0.9), ("222", 0.1)),
        (("2211", 0.6), ("2212", 0.37), (None, 0.03)),
    ),
    "nurse": (
        (("100", 0.6), ("300", 0.2), ("400", 0.17), (None, 0.03)),
        (("3231", 0.97), (None, 0.03)),
        (("3221", 0.6), ("32212", 0.37), (None, 0.03)),
    ),
    "practical_nurse": (
        (("506", 0.85), ("507", 0.1), (None, 0.05)),
        (("5132", 1.0),),
        (("5321", 0.7), ("53213", 0.3)),
    ),
    "dentist": (
        (("003", 0.9), ("004", 0.06), (None, 0.04)),
        (("2222", 1.0),),
        (("2261", 0.97), (None, 0.03)),
    ),
    "dental_hygienist": ((("251", 0.95), (None, 0.05)), (("3225", 1.0),), (("3251", 1.0),)),
    "dental_nurse": ((("254", 0.9), (None, 0.1)), (("5132", 1.0),), (("53291", 1.0),)),
    "psychologist": ((("009", 1.0),), (("2445", 1.0),), (("2634", 1.0),)),
    "physiotherapist": ((("600", 1.0),), (("3226", 1.0),), (("2264", 0.5), ("3255", 0.5))),
    "occupational_therapist": ((("610", 1.0),), (("32262", 1.0),), (("22691", 1.0),)),
    "speech_therapist": ((("010", 1.0),), ((None, 1.0),), (("2266", 1.0),)),
    "social_worker": (((None, 1.0),), (("2446", 1.0),), (("2635", 1.0),)),
}

#: Family -> contact mode and channel with weights, of visits before 2019 and from 2019 on.
Mode = tuple[str | None, str | None, float]
MODES: Mapping[str, tuple[tuple[Mode, ...], tuple[Mode, ...]]] = {
    "reception": (
        (
            ("R10", "lasna", 0.93),
            ("R20", "lasna", 0.02),
            ("R30", "lasna", 0.01),
            ("R40", "lasna", 0.015),
            ("R60", None, 0.015),
            (None, "lasna", 0.01),
        ),
        (
            ("R10", "lasna", 0.93),
            ("R20", "lasna", 0.015),
            ("R30", "lasna", 0.005),
            ("R41", "lasna", 0.01),
            ("R60", None, 0.015),
            ("R71", None, 0.01),
            ("R72", None, 0.005),
            (None, "lasna", 0.01),
        ),
    ),
    "onsite": (
        (("R10", "lasna", 0.97), ("R20", "lasna", 0.02), ("R60", None, 0.01)),
        (
            ("R10", "lasna", 0.96),
            ("R41", "lasna", 0.02),
            ("R20", "lasna", 0.01),
            ("R71", None, 0.01),
        ),
    ),
    "remote": (
        (("R50", "puhelin", 0.82), ("R51", "viesti", 0.15), ("R55", None, 0.03)),
        (
            ("R52", "puhelin", 0.66),
            ("R52", "video", 0.08),
            ("R56", "viesti", 0.23),
            ("R52", None, 0.02),
            ("R90", None, 0.01),
        ),
    ),
    "talk": (
        (("R10", "lasna", 0.95), ("R20", "lasna", 0.03), ("R51", "viesti", 0.02)),
        (
            ("R10", "lasna", 0.78),
            ("R52", "video", 0.16),
            ("R20", "lasna", 0.02),
            ("R56", "viesti", 0.04),
        ),
    ),
    "call": ((("R50", "puhelin", 1.0),), (("R52", "puhelin", 1.0),)),
    "home": (
        (("R20", "lasna", 0.97), ("R50", "puhelin", 0.03)),
        (("R20", "lasna", 0.88), ("R52", "video", 0.09), ("R52", "puhelin", 0.03)),
    ),
}

MODES_CHANGED = date(2019, 1, 1)

#: Days from which urgency codes changed; the codes of non-urgent, urgent and emergency care.
URGENCY_ERAS = ((date(2015, 1, 1), "E", "K", "V"), (date(2019, 1, 1), "E", "2", "1"))
URGENCY_NOW = ("E", "5", "6")

CHANNELS = ("puhelin", "takaisinsoitto", "viesti", "vastaanotto", "muu")

PRODUCERS = {"own": "oma", "purchased": "osto", "voucher": "palveluseteli"}

PROVIDERS = {
    "own": "1.2.246.10.2012566.10.0",
    "purchased": "1.2.246.10.9000001.10.0",
    "voucher": "1.2.246.10.9000002.10.0",
}

FREE_TEXTS = (
    "Soitettu takaisin, ei vastannut.",
    "Pyytää aikaa iltapäivälle; ei kiirettä",
    'Kertoi oireista: "päänsärky jatkuu"',
    "Lähete liitteenä",
    "Ohjattu itsehoitoon, ottaa yhteyttä jos ei helpota",
    "Tulkki varattu (sv)",
    "Kontrolli 3 kk",
    "Äiti mukana",
    "Uusitaan resepti; lääke käy hyvin",
    "Tilapäinen osoite Espoossa",
    "Hoitaja Väisänen soittaa huomenna",
    "Ei saapunut, sovittu uusi aika",
)

#: Home municipality codes with weights.
MUNICIPALITIES: Weighted = (
    ("091", 0.935),
    ("049", 0.025),
    ("092", 0.018),
    ("235", 0.004),
    ("245", 0.005),
    ("853", 0.003),
    ("199", 0.002),
    (None, 0.008),
)

# --- calendar -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Calendar:
    """How much happens on a day: weights of months (January first), weekdays and holidays."""

    months: tuple[float, ...]
    weekdays: tuple[float, ...]
    holiday: float


CALENDARS: Mapping[str, Calendar] = {
    "office": Calendar(
        (1.18, 1.08, 1.1, 1.0, 1.02, 0.84, 0.58, 0.94, 1.08, 1.1, 1.12, 0.9),
        (1.22, 1.1, 1.04, 1.02, 0.9, 0.07, 0.05),
        0.05,
    ),
    "school": Calendar(
        (1.15, 0.95, 1.15, 1.05, 1.1, 0.08, 0.01, 0.95, 1.25, 1.1, 1.25, 0.7),
        (1.05, 1.1, 1.1, 1.05, 0.85, 0.003, 0.002),
        0.01,
    ),
    "daily": Calendar(
        (1.0, 0.99, 1.0, 1.0, 1.0, 0.99, 0.98, 0.99, 1.0, 1.0, 1.0, 1.01),
        (1.02, 1.02, 1.02, 1.02, 1.02, 0.96, 0.94),
        0.94,
    ),
}

#: Length of the queues by month, per cent: longest after the summer.
QUEUE_MONTHS = (108, 100, 98, 96, 94, 100, 116, 128, 118, 106, 102, 104)

#: Length of the queues by year, per cent; years outside are like the nearest.
QUEUE_YEARS = {2018: 95, 2019: 100, 2020: 92, 2021: 112, 2022: 135}


def queue_percent(day: date) -> int:
    """How long the queues are on a day compared with an ordinary one."""
    year = min(max(day.year, min(QUEUE_YEARS)), max(QUEUE_YEARS))
    return QUEUE_MONTHS[day.month - 1] * QUEUE_YEARS[year] // 100


# --- units ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unit:
    """A row of the unit list: one unit while one producer ran it.

    Attributes:
        unit_id: Its id.
        kind: What it is.
        producer: `own`, `purchased` or `voucher`.
        since: First day; None: always.
        until: Last day; None: still there.
        successor: Unit that took over.
    """

    unit_id: str
    kind: str
    producer: str
    since: date | None = None
    until: date | None = None
    successor: str | None = None

    def open_on(self, day: date) -> bool:
        """Whether it exists on a day."""
        return (self.since is None or self.since <= day) and (
            self.until is None or day <= self.until
        )


#: Units when there is no unit list.
FALLBACK_UNITS = tuple(
    Unit(f"1.2.246.10.2012566.10.{number}", kind, producer)
    for numbers, kind, producer in (
        (range(90001, 90019), "health_station", "own"),
        (range(90019, 90020), "health_station", "purchased"),
        (range(90020, 90024), "dental_clinic", "own"),
        (range(90024, 90025), "dental_clinic", "purchased"),
        (range(90025, 90026), "dental_clinic", "voucher"),
        (range(90026, 90028), "home_care", "own"),
        (range(90028, 90029), "home_care", "purchased"),
        (range(90029, 90031), "psychiatric_clinic", "own"),
    )
    for number in numbers
)


def read_units(path: Path | None) -> tuple[Unit, ...]:
    """The unit list (`seeds/access/units.csv`), or made-up units when there is none."""
    if path is None or not path.is_file():
        return FALLBACK_UNITS
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    units = [
        Unit(
            row["unit_id"],
            row["unit_kind"],
            row["producer_type"] or "own",
            _latest(row["opened_date"], row["valid_from"]),
            _earliest(row["closed_date"], row["valid_to"]),
            row["successor_unit_id"] or None,
        )
        for row in rows
    ]
    return tuple(sorted(units, key=lambda unit: (unit.unit_id, unit.since or date.min)))


def _dates(texts: Sequence[str]) -> list[date]:
    return [date.fromisoformat(text) for text in texts if text]


def _latest(*texts: str) -> date | None:
    return max(_dates(texts), default=None)


def _earliest(*texts: str) -> date | None:
    return min(_dates(texts), default=None)


@dataclass(frozen=True)
class UnitSlot:
    """A unit as a place to go to: before it opened and after it closed, clients go elsewhere."""

    now: Unit
    before: Unit
    after: Unit
    queue_percent: int


def unit_slots(units: Sequence[Unit], stratum: Stratum, first: date, last: date) -> list[UnitSlot]:
    """Where clients of a service go, one slot a unit; health stations where it has no units."""
    fitting = [
        unit
        for unit in units
        if unit.kind in stratum.unit_kinds
        and stratum.producer in {None, unit.producer}
        and (unit.since is None or unit.since <= last)
        and (unit.until is None or unit.until >= first)
    ]
    always = [unit for unit in fitting if unit.open_on(first) and unit.open_on(last)]
    if not always:
        stations = [unit for unit in units if unit.kind == "health_station"]
        always = [unit for unit in stations if unit.open_on(first) and unit.open_on(last)]
        always = always or stations or list(units)
    fitting = fitting or always
    slots = []
    for index, unit in enumerate(fitting):
        elsewhere = always[index % len(always)]
        after = elsewhere
        if unit.until is not None:
            for other in units:
                takes_over = other.unit_id in {unit.unit_id, unit.successor}
                if takes_over and other.since is not None and other.since > unit.until:
                    after = other
                    break
        if unit.until is None and unit.since is not None and _follows(unit, units):
            # The unit's own earlier row already leads here.
            continue
        queue = 55 + (index * 37) % 110
        slots.append(UnitSlot(unit, elsewhere, after, queue))
    return slots


def _follows(unit: Unit, units: Sequence[Unit]) -> bool:
    return any(
        other.unit_id == unit.unit_id and other.until is not None and other is not unit
        for other in units
    )
