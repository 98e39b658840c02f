"""Specs and code tables: contradictions are found before anything is read."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from ingest.codes import load_code_tables
from ingest.errors import SpecError
from ingest.spec import Spec, fingerprint, load_spec, load_specs

GOOD: dict[str, Any] = {
    "source": "tiny",
    "title": "Tiny",
    "description": "Two columns",
    "owner": "nobody",
    "cadence": "once",
    "key": ["period"],
    "columns": {
        "period": {"headers": ["JAKSO"], "type": "period", "required": True},
        "value": {"headers": ["ARVO", "LUKU"], "type": "amount", "status": "why"},
    },
    "forms": [{"name": "long"}],
}

Change = Callable[[dict[str, Any]], object]


def changed(change: Change) -> dict[str, Any]:
    declared = copy.deepcopy(GOOD)
    change(declared)
    return declared


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda spec: spec.update(colour="red"), "Extra inputs are not permitted"),
        (
            lambda spec: spec["columns"]["value"].update(typ="date"),
            "Extra inputs are not permitted",
        ),
        (lambda spec: spec["forms"][0].update(wide=True), "Extra inputs are not permitted"),
        (lambda spec: spec.pop("owner"), "Field required"),
        (lambda spec: spec.update(source="Tiny Spec"), "String should match pattern"),
        (lambda spec: spec.update(cadence="hourly"), "Input should be"),
        (lambda spec: spec.update(max_bad_share=1.5), "less than or equal to 1"),
        (lambda spec: spec["columns"]["value"].update(type="float"), "Input should be"),
        (
            lambda spec: spec.update(key=["period", "unit_id"]),
            "these columns are named but not declared: unit_id",
        ),
        (
            lambda spec: spec["columns"]["value"].update(factor="unit"),
            "these columns are named but not declared: unit",
        ),
        (
            lambda spec: spec["forms"].append({"name": "wide", "cells": {"day": ["PVM"]}}),
            "these columns are named but not declared: day",
        ),
        (
            lambda spec: spec["forms"].append(
                {"name": "wide", "spread": {"names_to": "year", "values_to": "value"}}
            ),
            "these columns are named but not declared: year",
        ),
        (
            lambda spec: spec["columns"]["value"].update(headers=["jak so"]),
            "period and value share a header",
        ),
        (
            lambda spec: spec["columns"]["value"].update(headers=["Period"]),
            "period and value share a header",
        ),
        (
            lambda spec: spec["columns"]["value"].update(codes="groups"),
            "`codes` belongs to columns of type code",
        ),
        (
            lambda spec: spec["columns"]["value"].update(type="code"),
            "`codes` belongs to columns of type code",
        ),
        (
            lambda spec: spec["columns"]["value"].update(type="choice"),
            "`values` belongs to columns of type choice",
        ),
        (
            lambda spec: spec["columns"]["period"].update(factor="value"),
            "`factor` belongs to columns of type amount",
        ),
        (
            lambda spec: spec["columns"]["period"].update(optional=True),
            "a required column is neither optional nor has a status or default",
        ),
        (
            lambda spec: spec["columns"]["period"].update(status="why"),
            "a required column is neither optional nor has a status or default",
        ),
    ],
)
def test_a_spec_that_contradicts_itself_is_refused(change: Change, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Spec.model_validate(changed(change))


BULK: dict[str, Any] = {
    **GOOD,
    "bulk": True,
    "key": ["client", "at"],
    "one_of": ["at"],
    "columns": {
        "client": {"personal": "client", "age_at": ["at"]},
        "at": {"type": "timestamp", "local_date": "at_date", "required": True},
        "text": {"scanned": True, "optional": True},
        "unit": {},
    },
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda spec: spec.update(bulk=False), "only a bulk source can have client, at, text"),
        (
            lambda spec: spec["columns"]["unit"].update(status="why"),
            "columns of a bulk source stand by themselves: unit does not",
        ),
        (
            lambda spec: spec["columns"]["unit"].update(age_at=["at"]),
            "`age_at` belongs to personal",
        ),
        (
            lambda spec: spec["columns"]["client"].update(age_at=["then"]),
            "these columns are named but not declared: then",
        ),
        (lambda spec: spec.update(one_of=["then"]), "named but not declared: then"),
        (
            lambda spec: spec["columns"]["unit"].update(local_date="d"),
            "`local_date` belongs to columns of type timestamp",
        ),
        (
            lambda spec: spec["columns"]["at"].update(personal="client"),
            "`personal` and `scanned` belong to columns of type text",
        ),
        (lambda spec: spec.update(forms=[]), "a bulk source has one long form"),
        (
            lambda spec: spec["forms"][0].update(cells={"unit": ["Y"]}),
            "a bulk source has one long form",
        ),
    ],
)
def test_a_bulk_spec_that_contradicts_itself_is_refused(change: Change, message: str) -> None:
    declared = copy.deepcopy(BULK)
    assert Spec.model_validate(declared).is_personal
    change(declared)
    with pytest.raises(ValidationError, match=message):
        Spec.model_validate(declared)


def test_the_lake_holds_pseudonym_and_age_in_place_of_a_person_and_no_free_text() -> None:
    assert Spec.model_validate(BULK).lake_schema == {
        "client_pseudonym": "varchar",
        "client_age": "integer",
        "at": "timestamp",
        "at_date": "date",
        "unit": "varchar",
        "delivery_id": "varchar",
    }


def test_the_lake_holds_status_precision_and_provenance_beside_the_value() -> None:
    assert Spec.model_validate(GOOD).lake_schema == {
        "period": "varchar",
        "value": "decimal(18,2)",
        "value_precision": "decimal(18,2)",
        "value_reference": "varchar",
        "why": "varchar",
        "delivery_id": "varchar",
        "source_file": "varchar",
        "source_line": "bigint",
        "source_column": "varchar",
    }


def test_an_ignored_column_does_not_reach_the_lake() -> None:
    spec = Spec.model_validate(changed(lambda spec: spec["columns"].update(x={"ignored": True})))
    assert "x" not in spec.lake_schema
    assert spec.column_of("X") == "x"


def test_a_header_is_found_by_its_names_and_shown_by_its_first() -> None:
    spec = Spec.model_validate(changed(lambda spec: spec.update(ignored_headers=["Huom."])))
    assert [spec.column_of(text) for text in ("ARVO", "lu ku", "Value", "arvot")] == [
        "value", "value", "value", None,
    ]  # fmt: skip
    assert spec.header_name("value") == "ARVO"
    assert spec.is_ignored_header("HUOM.")
    assert not spec.is_ignored_header("ARVO")


def test_a_spec_file_names_the_file_in_its_error(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yml"
    path.write_text(yaml.safe_dump(changed(lambda spec: spec.update(colour="red"))))
    with pytest.raises(SpecError, match=r"^spec tiny\.yml is not valid: "):
        load_spec(path)
    path.write_text("source: [")
    with pytest.raises(SpecError, match=r"^spec tiny\.yml is not valid: "):
        load_spec(path)


def test_a_spec_file_is_named_after_its_source(tmp_path: Path) -> None:
    path = tmp_path / "other.yml"
    path.write_text(yaml.safe_dump(GOOD))
    with pytest.raises(SpecError) as error:
        load_spec(path)
    assert str(error.value) == "spec other.yml declares source tiny: the names must agree"


def test_a_pattern_of_spread_headers_needs_the_group_name(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yml"
    spread = {"names_to": "period", "values_to": "value", "also": {"value": "TILA (.+)"}}
    path.write_text(
        yaml.safe_dump(changed(lambda spec: spec["forms"].append({"name": "w", "spread": spread})))
    )
    with pytest.raises(SpecError) as error:
        load_spec(path)
    assert str(error.value) == "spec tiny.yml: 'TILA (.+)' has no group `name`"


def test_a_fingerprint_depends_on_names_and_contents_and_not_on_order(tmp_path: Path) -> None:
    one, two = tmp_path / "one.yml", tmp_path / "two.yml"
    one.write_text("1")
    two.write_text("2")
    before = fingerprint([one, two])
    assert fingerprint([two, one]) == before
    two.write_text("2 ")
    assert fingerprint([one, two]) != before
    assert fingerprint([one]) != fingerprint([two])


# --- code tables ----------------------------------------------------------------------------------


def code_tables(
    folder: Path,
    rows: str,
    aliases: str = "",
    declared: str = "{seed: g.csv, code: c, labels: [n]}",
) -> dict[str, Any]:
    (folder / "tables.yml").write_text(f"groups: {declared}\n", encoding="utf-8")
    (folder / "g.csv").write_text("c,n\n" + rows, encoding="utf-8")
    (folder / "aliases.csv").write_text("code_table,alias,code\n" + aliases, encoding="utf-8")
    tables = load_code_tables(folder / "tables.yml", folder, folder / "aliases.csv")
    return {name: dict(table.by_label) for name, table in tables.items()}


def test_a_code_is_found_by_itself_its_label_and_its_alias(tmp_path: Path) -> None:
    tables = code_tables(tmp_path, "a,Lääkärit\nb,\n", "groups,Lekurit,a\n")
    assert tables == {"groups": {"a": "a", "lääkärit": "a", "lekurit": "a", "b": "b"}}


def test_a_label_of_two_codes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as error:
        code_tables(tmp_path, "a,Lääkärit\nb,LÄÄKÄRIT\n")
    assert str(error.value) == "code table groups: 'LÄÄKÄRIT' stands for both a and b"


def test_a_label_that_is_another_code_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as error:
        code_tables(tmp_path, "a,b\nb,x\n")
    assert str(error.value) == "code table groups: 'b' stands for both a and b"


def test_an_alias_that_is_the_label_of_another_code_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as error:
        code_tables(tmp_path, "a,x\nb,y\n", "groups,X,b\n")
    assert str(error.value) == "code table groups: 'X' stands for both a and b"


def test_an_alias_may_repeat_what_is_already_said(tmp_path: Path) -> None:
    assert code_tables(tmp_path, "a,x\n", "groups,X,a\n") == {"groups": {"a": "a", "x": "a"}}


def test_an_alias_for_no_code_or_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as error:
        code_tables(tmp_path, "a,x\n", "groups,y,b\n")
    assert str(error.value) == "alias 'y' stands for b, not in groups"
    with pytest.raises(SpecError) as error:
        code_tables(tmp_path, "a,x\n", "colours,y,a\n")
    assert str(error.value) == "aliases.csv names code tables that do not exist: ['colours']"


# --- the project's own ----------------------------------------------------------------------------


def test_every_code_table_that_a_spec_names_exists() -> None:
    tables = load_code_tables()
    named = {column.codes for spec in load_specs().values() for column in spec.columns.values()} - {
        None
    }
    assert named <= set(tables)


def test_every_key_column_of_the_project_is_loaded() -> None:
    for spec in load_specs().values():
        assert set(spec.key) <= set(spec.loaded_columns), spec.source
