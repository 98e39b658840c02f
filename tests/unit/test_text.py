"""How labels of units are compared."""

from __future__ import annotations

import pytest

from ingest.text import label_key, one_line


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("SAIRAALA-, kuntoutus- ja hoivapalvelut", "Sairaala-, kuntoutus- ja\nhoivapalvelut"),
        ("Perhe-ja sosiaalipalvelut", "Perhe- ja sosiaalipalvelut"),
        ("0–21-vuotiaat", "0-21-vuotiaat"),
        ("0\u221221\u2010vuotiaat", "0-21-vuotiaat"),
        ("Kuntou\n  tus", "Kuntoutus"),
        ("LÄÄKÄRIT", "lääkärit"),
        ("La\u0308a\u0308ka\u0308rit", "Lääkärit"),
        ("Tupa\u00a0nuotta", "Tupa nuotta"),
        ("ﬁnanssit", "finanssit"),
    ],
)
def test_case_wraps_dashes_and_compatibility_characters_do_not_count(
    written: str, printed: str
) -> None:
    assert label_key(written) == label_key(printed)


@pytest.mark.parametrize(
    ("one", "other"),
    [("lääkärit", "laakarit"), ("HUS", "HUS:"), ("65 v +", "65 v"), ("(oma)", "oma")],
)
def test_letters_and_signs_count(one: str, other: str) -> None:
    assert label_key(one) != label_key(other)


def test_a_label_of_spaces_has_an_empty_key() -> None:
    assert label_key(" \n\u00a0\t") == ""


def test_a_message_shows_a_wrapped_label_on_one_line() -> None:
    assert one_line("  Perhe- ja\n  sosiaalipalvelut ") == "Perhe- ja sosiaalipalvelut"
