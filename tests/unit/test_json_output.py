"""JSON that is printed is JSON, whatever the values."""

from __future__ import annotations

import json
import sys
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from sotedw.json_output import json_text, print_json
from sotedw.query import Answer


def answer_to(sql: str) -> Answer:
    relation = duckdb.sql(sql)
    types = tuple(str(type_) for type_ in relation.types)
    return Answer(tuple(relation.columns), types, tuple(relation.fetchall()))


def strictly(text: str) -> Any:
    """What a reader gets who knows no NaN."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select {} as a", None),
        ("select [1.5, {}] as a", [1.5, None]),
        ("select array_value({}, 1) as a", [None, 1.0]),
        ("select {{'b': [{}], 'c': date '2022-12-31'}} as a", {"b": [None], "c": "2022-12-31"}),
        ("select map {{'b': {}}} as a", {"b": None}),
    ],
)
def test_numbers_that_are_not_finite_are_null_wherever_they_stand(
    sql: str, expected: object, number: str
) -> None:
    asked = answer_to(sql.format(f"'{number}'::double"))
    assert strictly(json_text(asked.objects())) == [{"a": expected}]


def test_keys_of_a_map_are_texts() -> None:
    asked = answer_to("select map {date '2022-12-31': 1} as a, map {'nan'::double: 2} as b")
    assert strictly(json_text(asked.objects())) == [{"a": {"2022-12-31": 1}, "b": {"nan": 2}}]


def test_other_values_stay_what_they_are() -> None:
    values = [1, 0.1, True, None, "ä", Decimal("0.10"), date(2022, 12, 31)]
    assert strictly(json_text(values)) == [1, 0.1, True, None, "ä", "0.10", "2022-12-31"]
    assert "ä" in json_text(values)


@pytest.mark.parametrize(("is_terminal", "lines"), [(False, 1), (True, 4)])
def test_a_line_is_a_whole_object_unless_a_person_looks(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    lines: int,
    *,
    is_terminal: bool,
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal)
    value = {"message": "two\nlines", "rows": 1}
    print_json(value)
    said = capsys.readouterr().out
    assert strictly(said) == value
    assert said.endswith("\n")
    assert said.count("\n") == lines
