"""Write `public_holidays.csv`: Finland's public holidays and two eves, 2010-2040.

The `holidays` library lists Midsummer Eve and Christmas Eve among the public holidays. In law they
are not, though no office works on them, so they are kept with `is_public_holiday` false. Holidays
that fall on a Sunday (Easter Sunday, Whit Sunday) are kept, ordinary Sundays are not.

Run from the checkout: `python seeds/core/make_public_holidays.py`
"""

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import holidays

YEARS = range(2010, 2041)
LANGUAGES = ("fi", "sv_FI", "en_US")
EVES_FI = frozenset({"Juhannusaatto", "Jouluaatto"})
HEADER = (
    "holiday_date",
    "holiday_name_fi",
    "holiday_name_sv",
    "holiday_name_en",
    "is_public_holiday",
)
TARGET = Path(__file__).with_name("public_holidays.csv")


def names_by_date(language: str) -> dict[date, str]:
    """Return the name of each holiday of `YEARS` in one of the library's languages."""
    calendar = holidays.country_holidays("FI", years=YEARS, language=language)
    return dict(sorted(calendar.items()))


def rows() -> Iterator[tuple[str, str, str, str, str]]:
    """Yield one row a holiday, oldest first, in the order of `HEADER`.

    Raises:
        ValueError: The library's languages disagree on which dates are holidays.
    """
    names_fi, names_sv, names_en = (names_by_date(language) for language in LANGUAGES)
    if not names_fi.keys() == names_sv.keys() == names_en.keys():
        raise ValueError("The languages of the `holidays` library list different dates.")
    for day, name_fi in names_fi.items():
        is_public_holiday = str(name_fi not in EVES_FI).lower()
        yield day.isoformat(), name_fi, names_sv[day], names_en[day], is_public_holiday


def main() -> None:
    """Replace the seed file as a whole."""
    partial = TARGET.with_suffix(".csv.part")
    with partial.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(rows())
    partial.replace(TARGET)


if __name__ == "__main__":
    main()
