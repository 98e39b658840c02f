"""Numbers survive being written the way Finnish units write them."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from ingest.casting import casts, checks, cleaned
from ingest.reading import value_text
from ingest.spec import Spec

CONNECTION = duckdb.connect()
GAPS = st.sampled_from(["", " ", "\u00a0", "\u202f", "\u2009", " \u00a0"])
MINUS = st.sampled_from(["-", "–", "\u2212", "– "])
BIGINTS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-10_000_000, 10_000_000),
    st.sampled_from([0, 999, 1_000, -1_000, 999_999, 1_000_000, 2**63 - 1, -(2**63)]),
)
CENTS = st.integers(-(10**18) + 1, 10**18 - 1)


def spec_of(type_: str) -> Spec:
    return Spec.model_validate(
        {
            "source": "tiny",
            "title": "Tiny",
            "description": "One column",
            "owner": "nobody",
            "cadence": "once",
            "key": ["value"],
            "columns": {"value": {"type": type_}},
            "forms": [{"name": "long"}],
        }
    )


def read(spec: Spec, texts: list[str]) -> list[tuple[object, bool]]:
    """Each text's value, and whether it breaks a rule."""
    CONNECTION.register(
        "raw", pa.table({"row_id": range(len(texts)), "value": pa.array(texts, pa.string())})
    )
    value = next(cast.sql for cast in casts(spec) if cast.name == "value")
    broken = " or ".join(f"({check.failing})" for check in checks(spec))
    rows: list[tuple[object, bool]] = CONNECTION.execute(
        f"""
        with texts as (select row_id, {cleaned("value")} as value from raw)
        select {value}, coalesce({broken}, false) from texts order by row_id
        """
    ).fetchall()
    return rows


def grouped(digits: str, gap: str) -> str:
    """Digits in groups of three from the right."""
    head = len(digits) % 3
    groups = [digits[:head], *(digits[at : at + 3] for at in range(head, len(digits), 3))]
    return gap.join(group for group in groups if group)


@given(st.lists(st.tuples(BIGINTS, GAPS, MINUS), min_size=1, max_size=40))
def test_any_whole_number_with_finnish_thousands_is_read_back(
    numbers: list[tuple[int, str, str]],
) -> None:
    texts = [
        (minus if number < 0 else "") + grouped(str(abs(number)), gap)
        for number, gap, minus in numbers
    ]
    assert read(spec_of("integer"), texts) == [(number, False) for number, _, _ in numbers]


@given(st.lists(st.tuples(CENTS, GAPS, MINUS), min_size=1, max_size=40))
def test_any_amount_in_cents_with_a_decimal_comma_is_read_back(
    amounts: list[tuple[int, str, str]],
) -> None:
    texts = [
        (minus if cents < 0 else "")
        + grouped(str(abs(cents) // 100), gap)
        + f",{abs(cents) % 100:02}"
        for cents, gap, minus in amounts
    ]
    assert read(spec_of("amount"), texts) == [
        (Decimal(cents) / 100, False) for cents, _, _ in amounts
    ]


@given(st.lists(st.one_of(BIGINTS, BIGINTS.map(Decimal)), min_size=1, max_size=40))
def test_a_whole_number_typed_in_a_file_is_read_back(numbers: list[int | Decimal]) -> None:
    assert read(spec_of("integer"), [value_text(number) for number in numbers]) == [
        (int(number), False) for number in numbers
    ]


@given(st.lists(st.integers(-(10**11), 10**11), min_size=1, max_size=40))
def test_an_amount_typed_as_a_float_is_read_back_to_the_cent(cents: list[int]) -> None:
    assert read(spec_of("amount"), [value_text(cent / 100) for cent in cents]) == [
        (Decimal(cent) / 100, False) for cent in cents
    ]


@given(st.lists(st.text(alphabet="0123456789 ,.-–%x", max_size=8), min_size=1, max_size=40))
def test_a_text_is_a_number_or_missing_or_refused_and_never_lost(texts: list[str]) -> None:
    for type_ in ("integer", "amount", "percent"):
        for text, (value, is_refused) in zip(texts, read(spec_of(type_), texts), strict=True):
            is_missing = " ".join(text.split()) in ("", "-", "–", "..")
            assert is_refused or is_missing == (value is None), (type_, text)
