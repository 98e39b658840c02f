"""Personal identity codes: which are real, where they are found, and what a mask leaves."""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.identity_codes import (
    CHECK_CHARACTERS,
    MASK,
    check_character,
    install_identity_codes,
    mask,
)

CONNECTION = duckdb.connect()
install_identity_codes(CONNECTION)


def value(expression: str, text: str) -> Any:
    """An SQL expression over the text `$x`."""
    row = CONNECTION.execute(f"select {expression}", {"x": text}).fetchone()
    assert row is not None
    return row[0]


def born(code: str) -> date | None:
    found: date | None = value("identity_birth_date($x::varchar)", code)
    return found


@pytest.mark.parametrize(
    ("digits", "remainder", "character"),
    [
        # 131052308 = 31 * 4227493 + 25: the example of the Digital and Population Data Agency.
        ("131052308", 25, "T"),
        # 10190900 = 31 * 328738 + 22
        ("010190900", 22, "P"),
        # 10150901 = 31 * 327448 + 13
        ("010150901", 13, "D"),
        # 311299999 = 31 * 10041935 + 14
        ("311299999", 14, "E"),
        # 290200900 = 31 * 9361319 + 11
        ("290200900", 11, "B"),
    ],
)
def test_the_check_character_is_the_remainder_by_31(
    digits: str, remainder: int, character: str
) -> None:
    assert CHECK_CHARACTERS[remainder] == character
    assert check_character(digits) == character


def test_letters_that_look_like_digits_are_no_check_characters() -> None:
    assert len(CHECK_CHARACTERS) == 31
    assert not set("GIOQZ") & set(CHECK_CHARACTERS)


@pytest.mark.parametrize(
    ("separator", "century"),
    [("+", 1800)] + [(mark, 1900) for mark in "-YXWVU"] + [(mark, 2000) for mark in "ABCDEF"],
)
def test_every_separator_gives_its_century(separator: str, century: int) -> None:
    assert born(f"131052{separator}308T") == date(century + 52, 10, 13)


@pytest.mark.parametrize(
    "code",
    [
        "131052-308U",  # another check character
        "131052-309T",  # another number
        "131053-308T",  # another year
        "131052-308t",  # as it stands; callers write it in upper case
        "131052-308",
        "1310523308T",
        "131052G308T", "131052Z308T", "131052 308T",  # no separators
        " 131052-308T", "131052-308T ", "x131052-308T",
        "13l052-308T", "131052-3o8T",
        "",
    ],
)  # fmt: skip
def test_what_is_no_code_has_no_birth_date(code: str) -> None:
    assert born(code) is None


def with_check(digits: str, separator: str = "-") -> str:
    return f"{digits[:6]}{separator}{digits[6:]}{check_character(digits)}"


@pytest.mark.parametrize(
    "day", ["310250", "300250", "290223", "310450", "000150", "011350", "010050"]
)
def test_a_date_that_does_not_exist_is_no_code(day: str) -> None:
    assert born(with_check(f"{day}900")) is None


def test_a_leap_day_depends_on_the_century() -> None:
    # 1900 had no 29 February, 2000 had; the check character does not know.
    assert born(with_check("290200900", "-")) is None
    assert born(with_check("290200900", "A")) == date(2000, 2, 29)


@pytest.mark.parametrize("number", ["002", "899", "900", "999"])
def test_individual_numbers_are_all_accepted(number: str) -> None:
    assert born(with_check(f"010150{number}")) == date(1950, 1, 1)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("131052-308T", True),
        ("131052-308t", True),
        ("131052a308t", True),
        ("potilas 131052-308T soitti", True),
        ("N131052-308T7", True),
        ("131052\u2013308T", True),  # en dash
        ("131052\u2011308T", True),  # no-break hyphen
        ("131052\u2212308T", True),  # minus
        ("131052\u00ad308T", True),  # soft hyphen
        ("131052\uff0d308T", True),  # full-width hyphen
        ("131052 - 308T", True),
        ("131052-308 T", True),
        ("131052\u00a0-\u00a0308T", True),  # no-break spaces
        ("13 10 52-308T", True),
        ("131052-\n308T", True),
        ("131\u200b052-308T", True),  # a space of no width
        ("131052\ufeff-308T", True),
        # A date before a code: its first digits would make one with the date's separator.
        ("010122-131052-308T", True),
        ("R1 240131-131052-308T", True),
        ("310122-131052-308T-1", True),
        ("010122-010122-131052-308T", True),
        ("131052-308T-010122", True),
        ("010122-131052-308U", False),
        ("131052-308U", False),
        ("131052-308U ja 131052-308T", True),
        ("310250-901A", False),
        ("20220131-123", False),
        ("1.2.246.10.2012566.10.90001", False),
        ("", False),
    ],
)
def test_a_code_is_found_anywhere_in_a_text(text: str, holds: bool) -> None:
    assert value("has_identity_code($x)", text) is holds


@pytest.mark.parametrize(
    ("text", "looks"),
    [
        ("131052-308T", True), ("131052-308U", True), ("990052-3080", True), ("131052Z308O", True),
        ("131052-308", False), ("A131052-308T", False), ("131052.308T", False), ("A-77", False),
    ],
)  # fmt: skip
def test_what_has_the_form_of_a_code_looks_like_one(text: str, looks: bool) -> None:
    assert value("looks_like_identity_code($x)", text) is looks


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("131052-308t", "131052-308T"),
        ("131052a308t", "131052A308T"),
        ("131052\u2013308T", "131052-308T"),
        ("asiakas 7", "asiakas 7"),
        ("a\u20137", "a\u20137"),
        ("131052 - 308t", "131052-308T"),
        ("131052\u00ad308T", "131052-308T"),
        ("13 10 52-308 T", "131052-308T"),
        ("asiakas  7", "asiakas  7"),
    ],
)
def test_a_code_is_one_however_it_is_written_and_another_id_is_left_alone(
    text: str, normal: str
) -> None:
    assert value("normal_identifier($x)", text) == normal


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("131052-308T", MASK),
        ("131052-308t", MASK),
        ("131052+308T", MASK),
        ("131052\u2013308T", MASK),
        ("a 131052A308T, b 010190Y900P.", f"a {MASK}, b {MASK}."),
        ("131052-308U", MASK),  # a wrong one may be a person's still
        ("x131052-308Ty", f"x{MASK}y"),
        ("20131052-308T", f"20{MASK}"),
        ("010122-131052-308T", MASK),
        ("R1 240131-131052-308T.", f"R1 {MASK}."),
        ("010122-010122-131052-308T", MASK),
        ("131052 - 308T soitti", f"{MASK} soitti"),
        ("131052-\n308T", MASK),
        ("131\u200b052\u00ad308\u00a0T", MASK),
        ("2022-01-31-2", "2022-01-31-2"),
        ("20221031-0123456789ab", "20221031-0123456789ab"),
        # A build id that holds the form of a code, and one whose code has its check character.
        ("20311222-901c23456789", "20311222-901c23456789"),
        ("20311222-901d23456789", f"20{MASK}23456789"),
        # On the 52nd of a month nothing is built.
        ("20131052-308d23456789", f"20{MASK}23456789"),
        ("20221031-0123456789abT", f"20{MASK}456789abT"),
        ("20221031T020304Z-0123abcd", "20221031T020304Z-0123abcd"),
        ("nobody", "nobody"),
        ("", ""),
    ],
)
def test_a_mask_leaves_nothing_of_a_code_and_all_of_a_build_id(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_the_mask_of_sql_is_that_of_python() -> None:
    texts = [
        "131052-308T", "a131052b308tx", "131052\u2013308T 010190+900P", "x", "310250-901A",
        "010122-131052-308T", "131052 -\u00a0308 T", "13\u200b1052\u00ad308T", "131052-30\x1f8T",
    ]  # fmt: skip
    assert [value("masked($x)", text) for text in texts] == [mask(text) for text in texts]


#: Pieces of codes, of what stands before and between them, and of what looks like them.
PIECES = st.lists(
    st.sampled_from([
        "131052-308T", "131052", "-", "308T", "308", "T", "010190", "+900P", "010122-", "010150",
        "-901D", "0101", "22", "3", "9", "a", " ", "\u00a0", "\u2013", "\u200b", "x", ".",
        "310250-901A",
    ]),
    max_size=12,
).map("".join)  # fmt: skip


@given(PIECES)
def test_sql_and_python_mask_alike(text: str) -> None:
    assert value("masked($x)", text) == mask(text)


@given(PIECES)
def test_a_code_is_found_at_every_place_where_one_stands(text: str) -> None:
    """The second way: every eleven characters of the text without gaps, by the rule of one code."""
    bare = text.upper().replace("\u2013", "-")
    bare = "".join(letter for letter in bare if letter not in " \u00a0\u200b")
    windows = [bare[place : place + 11] for place in range(len(bare) - 10)]
    holds = any(born(window) is not None for window in windows)
    assert value("has_identity_code($x)", text) is holds


@given(PIECES)
def test_a_mask_leaves_no_code(text: str) -> None:
    assert value("has_identity_code($x)", mask(text)) is False
