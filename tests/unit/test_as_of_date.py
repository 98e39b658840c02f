"""The macro that tells SQL the date, rendered with stand-ins for what dbt gives it."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import NoReturn

import jinja2
import pytest

from sotedw.settings import PROJECT

VARIABLE = "SOTEDW_BUILD_AS_OF_DATE"


class CompilerError(Exception):
    """In place of dbt's."""


def fail(message: str) -> NoReturn:
    raise CompilerError(message)


def as_of_date(
    variables: Mapping[str, str], environment: Mapping[str, str], *, execute: bool = True
) -> str:
    """What the macro writes, in a dbt with these vars and this environment."""
    template = jinja2.Environment().from_string(
        (PROJECT / "macros" / "dates.sql").read_text(encoding="utf-8"),
        {
            "var": variables.get,
            "env_var": environment.get,
            "execute": execute,
            "exceptions": SimpleNamespace(raise_compiler_error=fail),
        },
    )
    return str(template.module.as_of_date()).strip()


def test_a_build_tells_the_date_by_its_environment() -> None:
    assert as_of_date({}, {VARIABLE: "2022-10-31"}) == "cast('2022-10-31' as date)"


def test_a_var_goes_before_the_environment() -> None:
    date = as_of_date({"as_of_date": "2021-12-31"}, {VARIABLE: "2022-10-31"})
    assert date == "cast('2021-12-31' as date)"


def test_parsing_does_not_look_into_the_environment() -> None:
    """Else the date would be part of the parse, and another date would void it."""
    assert "2022" not in as_of_date({}, {VARIABLE: "2022-10-31"}, execute=False)


def test_without_a_date_nothing_is_compiled() -> None:
    with pytest.raises(CompilerError, match="no as-of date: give --vars"):
        as_of_date({}, {})
