"""Suites of checks, one YAML file a table, read and validated.

Nothing here imports Great Expectations: a build that runs no check still may list them.
"""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from expectations.errors import DuplicateCheckError, SuiteError

SUITES_FOLDER = Path(__file__).parent / "suites"

Category = Literal["completeness", "conformance", "plausibility"]
Severity = Literal["blocker", "warning"]
WhenEmpty = Literal["not_applicable", "evaluate"]

ROWS_EXPECTATION = "UnexpectedRowsExpectation"
ROWS_QUERY = "unexpected_rows_query"

_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
_CheckId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]
_Text = Annotated[str, Field(min_length=1)]

_USE_ROWS_QUERY = f"use {ROWS_EXPECTATION}"
_REFUSED_EXPECTATIONS = {
    "ExpectColumnValuesToMatchRegex": f"GX has no regex for DuckDB: {_USE_ROWS_QUERY}",
    "ExpectColumnValuesToNotMatchRegex": f"GX has no regex for DuckDB: {_USE_ROWS_QUERY}",
    "ExpectColumnValuesToMatchRegexList": f"GX has no regex for DuckDB: {_USE_ROWS_QUERY}",
    "ExpectColumnValuesToNotMatchRegexList": f"GX has no regex for DuckDB: {_USE_ROWS_QUERY}",
    "ExpectColumnValuesToBeUnique": "costs seconds in GX: use dbt's unique test",
    "ExpectCompoundColumnsToBeUnique": "costs seconds in GX: use dbt's unique test",
    "ExpectColumnQuantileValuesToBeBetween": f"GX cannot write its result: {_USE_ROWS_QUERY}",
}
_REFUSED_KWARGS = {
    "mostly": "GX leaves nulls out of its denominator: use the check's threshold",
    "row_condition": f"GX leaves it out of the failing keys: {_USE_ROWS_QUERY}",
    "condition_parser": f"GX leaves it out of the failing keys: {_USE_ROWS_QUERY}",
    "ignore_row_if": f"GX leaves it out of the failing keys: {_USE_ROWS_QUERY}",
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Check(_Strict):
    """One statement about a table and what follows when it does not hold.

    Attributes:
        id: `<table>.<name>`, unique in a run.
        category: OHDSI's class of the check.
        severity: Whether a failure stops publication or asks a steward to look.
        description: What the check fails on and who fixes it.
        threshold: Share (0..1) of the table's rows, nulls included, that may fail.
        expectation: Name of the GX expectation class.
        kwargs: Arguments of the expectation. In an `unexpected_rows_query`, `{batch}` stands for
            the table, an alias may follow it, and other braces are doubled.
    """

    id: _CheckId
    category: Category
    severity: Severity
    description: _Text
    threshold: Annotated[float, Field(ge=0, le=1, strict=False)] = 0.0
    expectation: Annotated[str, Field(pattern=rf"^(Expect[A-Za-z]+|{ROWS_EXPECTATION})$")]
    kwargs: dict[str, Any] = Field(default_factory=dict)

    @field_validator("expectation")
    @classmethod
    def _works_on_duckdb(cls, value: str) -> str:
        if value in _REFUSED_EXPECTATIONS:
            raise ValueError(f"{value} is refused; {_REFUSED_EXPECTATIONS[value]}")
        return value

    @field_validator("kwargs")
    @classmethod
    def _leaves_counting_to_us(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in value:
            if name in _REFUSED_KWARGS:
                raise ValueError(f"kwargs.{name} is refused; {_REFUSED_KWARGS[name]}")
        return value

    @model_validator(mode="after")
    def _query_is_about_the_table(self) -> Self:
        if self.expectation == ROWS_EXPECTATION:
            _require_batch(self.kwargs)
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the kwargs name, in order; empty for a query or a table check."""
        single = [
            self.kwargs[name] for name in ("column", "column_A", "column_B") if name in self.kwargs
        ]
        return tuple(dict.fromkeys([*single, *self.kwargs.get("column_list", [])]))

    def rows_query(self, relation: str) -> str | None:
        """Returns the SQL that selects unexpected rows of `relation`, if the check is a query."""
        if self.expectation != ROWS_EXPECTATION:
            return None
        query: str = self.kwargs[ROWS_QUERY].format(batch=relation)
        return query.rstrip("; \t\r\n")


class Suite(_Strict):
    """The checks of one table.

    Attributes:
        table: Table or view of schema `main`.
        owner: Steward who answers for the table.
        key: Columns that identify a row; they name the failing rows.
        when_empty: What a table without rows gives: `not_applicable`, or `evaluate` the checks.
        checks: At least one check.
    """

    table: _Name
    owner: _Text
    key: Annotated[list[str], Field(min_length=1)]
    when_empty: WhenEmpty = "not_applicable"
    checks: Annotated[list[Check], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_are_consistent(self) -> Self:
        strangers = [check.id for check in self.checks if check.id.split(".")[0] != self.table]
        if strangers:
            raise ValueError(f"ids must start with '{self.table}.': {', '.join(strangers)}")
        for what, names in (("id", [c.id for c in self.checks]), ("key", self.key)):
            repeated = _repeated(names)
            if repeated:
                raise ValueError(f"duplicate {what}: {', '.join(repeated)}")
        return self


class _UniqueKeyLoader(yaml.SafeLoader):
    """Safe loader that refuses a key given twice, where YAML would keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Builds a mapping.

        Raises:
            yaml.constructor.ConstructorError: A key occurs twice.
        """
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        repeated = _repeated(names)
        if repeated:
            raise yaml.constructor.ConstructorError(
                None, None, f"duplicate key: {', '.join(repeated)}", node.start_mark
            )
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return mapping


def load_suite(path: Path) -> Suite:
    """Reads one suite file.

    Args:
        path: YAML file, named after its table.

    Returns:
        The validated suite.

    Raises:
        SuiteError: The file is not there, not YAML, not a suite, or named after another table.
    """
    try:
        content = _UniqueKeyLoader(path.read_text(encoding="utf-8")).get_single_data()
        suite = Suite.model_validate(content)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SuiteError(path, f"cannot be read: {error}") from error
    except ValidationError as error:
        raise SuiteError(path, _explain(error)) from error
    if path.stem != suite.table:
        raise SuiteError(path, f"is about {suite.table}; name the file {suite.table}.yml")
    return suite


def load_suites(folder: Path = SUITES_FOLDER) -> list[Suite]:
    """Reads every suite (`*.yml`) of a folder, in the order of the tables' names.

    Raises:
        SuiteError: The folder holds no suite, or one of them cannot be used.
        DuplicateCheckError: An id occurs twice.
    """
    suites = [load_suite(path) for path in sorted(folder.glob("*.yml"))]
    if not suites:
        raise SuiteError(folder, "holds no *.yml file")
    require_unique(suites)
    return suites


def require_unique(suites: Iterable[Suite]) -> None:
    """Makes sure that no table has two suites and no check id occurs twice.

    Raises:
        DuplicateCheckError: One does.
    """
    suites = list(suites)
    names = [s.table for s in suites] + [check.id for s in suites for check in s.checks]
    repeated = _repeated(names)
    if repeated:
        raise DuplicateCheckError(tuple(repeated))


def _require_batch(kwargs: dict[str, Any]) -> None:
    query = kwargs.get(ROWS_QUERY)
    if not isinstance(query, str):
        raise ValueError(f"kwargs.{ROWS_QUERY} is missing")  # noqa: TRY004 - pydantic's contract
    try:
        fields = {field for _, field, _, _ in string.Formatter().parse(query) if field is not None}
    except ValueError as error:
        raise ValueError(f"kwargs.{ROWS_QUERY}: {error}; double literal braces") from error
    if fields != {"batch"}:
        raise ValueError(
            f"kwargs.{ROWS_QUERY} must read from {{batch}} and have no other placeholder; "
            "double literal braces"
        )


def _repeated(names: Iterable[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)


def _explain(error: ValidationError) -> str:
    parts = []
    for item in error.errors(include_url=False, include_context=False):
        place = ".".join(str(step) for step in item["loc"]) or "suite"
        parts.append(f"{place}: {item['msg']}")
    return "; ".join(parts)
