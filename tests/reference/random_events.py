"""Seeded random care events, dense at the boundaries of the definitions.

Few clients, few needs and times near the limits of the measures: in a few hundred rows everything
happens that the definitions speak of, and much that they did not think of.
"""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta

from tests.reference.scenarios import HEADERS, Row, csv_text, identity_code

UNITS = (
    *(f"1.2.246.10.2012566.10.{number}" for number in (90001, 90005, 90011)),
    "unlisted",
    "",
)


def random_deliveries(seed: int, needs: int, first: date, days: int) -> dict[str, str]:
    """Deliveries of events, folder -> csv.

    Args:
        seed: The same seed gives the same deliveries.
        needs: Care needs to make; each has one to five records, some in several versions.
        first: First day of a need.
        days: Days over which needs start.
    """
    rng = random.Random(seed)
    clients = [identity_code(_birth_date(rng), f"9{rng.randrange(100):02}") for _ in range(12)]
    clients += ["ULKOM-1", "ULKOM-2", ""]
    folders = [
        (first + timedelta(days=days + 40 * number)).isoformat() + suffix
        for number in range(3)
        for suffix in ("", "-2")
    ]
    rows: dict[str, list[Row]] = {folder: [] for folder in folders}
    for need in range(needs):
        start = datetime.combine(first + timedelta(days=rng.randrange(days)), datetime.min.time())
        client = rng.choice(clients)
        form = rng.choice(["T11"] * 6 + ["T60"] * 3 + ["T71"])
        for number in range(rng.choice([1, 1, 2, 2, 3, 4, 5])):
            record_id = f"r{seed}-{need}-{number}"
            for version in range(rng.choice([1, 1, 1, 1, 2, 3])):
                row = _row(rng, start, form, is_first=number == 0)
                row["record_id"] = record_id
                row["care_need_id"] = "" if rng.random() < 0.05 else f"n{seed}-{need}"
                row["client_id"] = client if rng.random() < 0.95 else rng.choice(clients)
                made = start + timedelta(days=rng.choice([0, 0, 5, 60]), hours=version)
                row["record_updated_at"] = _text(made)
                row["is_deleted"] = rng.choice(["", "", "E", "E", "E", "E", "E", "K"])
                for folder in rng.sample(folders, rng.choice([1, 1, 1, 2])):
                    rows[folder].append(row)
    for texts in rows.values():
        rng.shuffle(texts)
    return {folder: csv_text(texts) for folder, texts in rows.items() if texts}


def _birth_date(rng: random.Random) -> date:
    return date(1935, 1, 1) + timedelta(days=rng.randrange(85 * 365))


def _text(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%d.%m.%Y %H:%M}"


def _row(rng: random.Random, start: datetime, form: str, *, is_first: bool) -> dict[str, str]:
    row = dict.fromkeys(HEADERS, "")
    row["unit_id"] = rng.choice(UNITS)
    row["producer_type"] = rng.choice(["oma", "oma", "osto", "palveluseteli", ""])

    def near(*offsets: int) -> datetime:
        day = start + timedelta(days=rng.choice(offsets))
        return day + timedelta(minutes=rng.choice([0, 1, 210, 480, 600, 601, 900, 1439]))

    def form_code() -> str:
        return rng.choice([form, form, form, "", "T11"])

    if rng.random() < 0.6 or is_first:
        row["contact_at"] = _text(near(0, 0, 0, 1, 6, 7, 8))
        row["contact_channel"] = rng.choice(["puhelin", "viesti", "takaisinsoitto", "muu", ""])
        row["contact_service_form_code"] = form_code()
    if is_first or rng.random() < 0.2:
        row["assessed_at"] = _text(near(0, 0, 0, 0, 1))
        row["assessed_urgency_code"] = rng.choice(["E", "E", "E", "5", "5", "6", "2", ""])
        row["assessed_nature_code"] = rng.choice(["SH", "SH", "SH", "TH", ""])
        row["assessment_outcome_code"] = rng.choice(
            ["kaynti"] * 6 + ["ratkaistu"] * 2 + ["paivystys", "hallinnollinen", "todistus", ""]
        )
    if rng.random() < 0.5:
        row["booked_at"] = _text(near(0, 0, 1, 5)) if rng.random() < 0.9 else ""
        row["booked_for_at"] = _text(near(0, 1, 2, 9, 10, 11, 89, 90, 91))
        row["booked_service_form_code"] = form_code()
    if rng.random() < 0.55:
        begun = near(-1, 0, 0, 0, 1, 1, 2, 9, 10, 11, 14, 15, 89, 90, 91)
        row["started_at"] = _text(begun)
        row["ended_at"] = _text(begun + timedelta(minutes=20))
        row["service_form_code"] = form_code()
        row["contact_mode_code"] = rng.choice(
            ["R10"] * 5 + ["R20", "R41", "R40", "R50", "R52", "R52", "R56", "R60", "R71", "R80", ""]
        )
        row["channel"] = rng.choice(["lasna", "puhelin", "video", "viesti", ""])
        row["visitor_group_code"] = rng.choice(["1"] * 8 + ["2", ""])
        row["licence_code"] = rng.choice(
            ["000", "001", "003", "004", "100", "300", "400", "507", ""]
        )
        row["profession_code"] = rng.choice(["", "", "2221", "2222", "2261", "3251", "2211"])
    if rng.random() < 0.15:
        row["cancelled_at"] = _text(near(0, 1, 2, 9, 10, 11, 90, 91)) if rng.random() < 0.8 else ""
        row["cancel_reason_code"] = rng.choice(
            ["asiakas", "tuottaja", "saapumatta", "saapumatta", "kuolema", "muutto", ""]
        )
    if not any(row[name] for name in ("contact_at", "assessed_at", "booked_for_at", "started_at")):
        row["contact_at"] = _text(near(0, 7, 8))
    return row
