"""Wrong use ends in exit code 2 and a line that says what to do, never in a traceback."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sotedw.settings import Settings

if TYPE_CHECKING:
    from tests.e2e.conftest import Finished, Sotedw

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("e2e_wrong_use")]


def wrong(answer: Finished) -> str:
    """What wrong use says on stderr."""
    assert answer.code == 2, f"{answer.code}\n{answer.err}"
    assert answer.out == ""
    assert "Traceback" not in answer.err
    return answer.err.strip()


# --- build ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["2022-13-45", "31.3.2022", "tomorrow", "2021-02-29", ""])
def test_a_date_that_is_none_is_wrong_use(sotedw: Sotedw, tmp_path: Path, text: str) -> None:
    said = wrong(sotedw("build", "--home", tmp_path / "home", "--as-of", text))
    assert "--as-of" in said
    assert not (tmp_path / "home").exists()


def test_a_landing_folder_without_deliveries_is_wrong_use(sotedw: Sotedw, tmp_path: Path) -> None:
    for landing in (tmp_path / "empty", tmp_path / "absent"):
        (tmp_path / "empty" / "shortfall" / "2022-03-31.part").mkdir(parents=True, exist_ok=True)
        answer = sotedw("build", "--home", tmp_path / "home", "--landing", landing)
        said = wrong_after_stages(answer)
        assert said == (
            f"sotedw: there is no delivery under {landing}: put one at <source>/<YYYY-MM-DD>/,"
            " or name another folder with --landing"
        )
    assert not (tmp_path / "home" / "current").exists()


def wrong_after_stages(answer: Finished) -> str:
    """The last line of wrong use that shows only once a stage has begun."""
    return wrong(answer).splitlines()[-1]


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("SOTEDW_HOEM", "/tmp/x", "unknown variable SOTEDW_HOEM; known are SOTEDW_AS_OF"),
        ("SOTEDW_THREADS", "many", "threads"),
        ("SOTEDW_THREADS", "0", "threads"),
        ("SOTEDW_AS_OF", "31.3.2022", "as_of"),
        ("SOTEDW_CONFIG", "/does/not/exist.toml", "SOTEDW_CONFIG names /does/not/exist.toml"),
    ],
)
def test_a_variable_that_is_unknown_or_does_not_fit_is_wrong_use(
    sotedw: Sotedw, tmp_path: Path, variable: str, value: str, said: str
) -> None:
    answer = sotedw.having(variables={variable: value})("build", "--home", tmp_path / "home")
    assert said in wrong(answer)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('colour = "red"\n', "colour"),
        ('threads = "many"\n', "threads"),
        ("as_of = 31\nthreads = [\n", "settings are not valid"),
    ],
)
def test_a_settings_file_that_does_not_fit_is_wrong_use(
    sotedw: Sotedw, tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "sotedw.toml"
    file.write_text(text, encoding="utf-8")
    configured = sotedw.having(variables={"SOTEDW_CONFIG": str(file)})
    assert said in wrong(configured("build", "--home", tmp_path / "home"))
    assert not (tmp_path / "home").exists()


def test_flags_win_over_variables_and_they_over_the_file(sotedw: Sotedw, tmp_path: Path) -> None:
    file = tmp_path / "sotedw.toml"
    file.write_text(f'home = "{tmp_path / "of_file"}"\n', encoding="utf-8")
    of_file = sotedw.having(variables={"SOTEDW_CONFIG": str(file)})
    of_variable = of_file.having(variables={"SOTEDW_HOME": str(tmp_path / "of_variable")})
    assert of_file.done("status", "--json").json["home"] == str(tmp_path / "of_file")
    assert of_variable.done("status", "--json").json["home"] == str(tmp_path / "of_variable")
    asked = of_variable.done("status", "--json", "--home", tmp_path / "of_flag")
    assert asked.json["home"] == str(tmp_path / "of_flag")


@pytest.mark.parametrize(
    "arguments",
    [
        ("bild",),
        ("build", "--colour", "red"),
        ("build", "--threads", "0"),
        ("build", "--threads", "many"),
        ("query", "--format", "xml", "select 1"),
        ("status", "extra"),
    ],
)
def test_unknown_commands_options_and_values_are_wrong_use(
    sotedw: Sotedw, arguments: tuple[str, ...]
) -> None:
    wrong(sotedw(*arguments))


def test_a_home_that_is_a_file_is_wrong_use(sotedw: Sotedw, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("", encoding="utf-8")
    for home in (tmp_path / "home", tmp_path / "home" / "below"):
        wrong(sotedw("build", "--home", home))


# --- help -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [(), ("build",), ("status",), ("query",)])
def test_every_command_teaches_itself(sotedw: Sotedw, command: tuple[str, ...]) -> None:
    answer = sotedw.done(*command, "--help")
    assert answer.out.startswith("Usage: ")
    assert answer.err == ""
    assert sotedw.done(*command, "-h").out == answer.out


def test_the_help_names_every_variable_and_how_to_make_a_key(sotedw: Sotedw) -> None:
    text = sotedw.done("--help").out
    named = set(re.findall(r"SOTEDW_\w+", text))
    assert named == {f"SOTEDW_{name.upper()}" for name in Settings.model_fields} | {"SOTEDW_CONFIG"}
    text = sotedw.done("build", "--help").out
    assert "SOTEDW_PSEUDONYM_KEY_FILE" in text
    assert "SOTEDW_PSEUDONYM_KEY itself" in " ".join(text.split())
    assert "openssl rand -hex 32" in text


def test_the_version_is_that_of_the_package(sotedw: Sotedw) -> None:
    assert sotedw.done("--version").out == "sotedw, version 0.1.0\n"


# --- status and query -----------------------------------------------------------------------------


def test_a_home_without_a_release_has_a_status(sotedw: Sotedw, tmp_path: Path) -> None:
    answer = sotedw.done("status", "--home", tmp_path / "home", "--json").json
    assert (answer["release"], answer["last_run"], answer["deliveries"]) == (None, None, [])
    text = sotedw.done("status", "--home", tmp_path / "home").out
    assert text == "nothing is published yet: run `make build`\n"
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("arguments", [("select 1",), ("--list",), ("--analysis", "table_7")])
def test_asking_a_home_without_a_release_is_wrong_use(
    sotedw: Sotedw, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    said = wrong(sotedw("query", "--home", tmp_path, *arguments))
    assert said == f"sotedw: nothing is published in {tmp_path} yet: run `make build`"


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select * from mart_outputs", "mart_outputs"),
        ("select valeu from mart_output_statistics", "valeu"),
        ("selec 1", "syntax error"),
        ("delete from mart_vacancies", "read-only"),
        ("create table x as select 1", "read-only"),
    ],
)
def test_a_query_that_fails_is_wrong_use_and_names_the_release(
    sotedw: Sotedw, built_home: Path, release: Path, sql: str, said: str
) -> None:
    text = wrong(sotedw("query", "--home", built_home, sql))
    assert text.startswith(f"sotedw: the query failed on {release.name}: ")
    assert said in text


def test_a_statement_without_rows_is_wrong_use(sotedw: Sotedw, built_home: Path) -> None:
    said = wrong(sotedw("query", "--home", built_home, "set threads = 1"))
    assert said == "sotedw: this statement gives no rows; a release is only read"


@pytest.mark.parametrize("arguments", [("",), ("--analysis", ""), (" ",), ("-- only a comment",)])
def test_an_empty_query_is_wrong_use(
    sotedw: Sotedw, built_home: Path, arguments: tuple[str, ...]
) -> None:
    wrong(sotedw("query", "--home", built_home, *arguments))


@pytest.mark.parametrize("arguments", [(), ("select 1", "--analysis", "table_7")])
def test_none_or_two_queries_are_wrong_use(
    sotedw: Sotedw, built_home: Path, arguments: tuple[str, ...]
) -> None:
    said = wrong(sotedw("query", "--home", built_home, *arguments))
    assert "give one of: a query, --analysis NAME, --file FILE, --list" in said


def test_an_unknown_analysis_or_release_is_told_with_those_that_there_are(
    sotedw: Sotedw, built_home: Path, release: Path
) -> None:
    said = wrong(sotedw("query", "--home", built_home, "--analysis", "table_8"))
    assert said == (
        "sotedw: no analysis table_8; there are: budget_2022, outturn_2021,"
        " table_1, table_2, table_3, table_4, table_5, table_6, table_7"
    )
    said = wrong(sotedw("query", "--home", built_home, "--release", "20200101-x", "select 1"))
    assert said == f"sotedw: no release 20200101-x; there are: {release.name}"


def test_a_query_may_stand_in_a_file(sotedw: Sotedw, built_home: Path, tmp_path: Path) -> None:
    file = tmp_path / "query.sql"
    file.write_text("select 'ä' as letter, null as nothing -- a comment\n", encoding="utf-8")
    asked = sotedw.done("query", "--home", built_home, "--file", file, "--format", "csv")
    assert asked.out == "letter,nothing\nä,\n"
    asked = sotedw.done("query", "--home", built_home, "--file", file, "--format", "json")
    assert json.loads(asked.out) == [{"letter": "ä", "nothing": None}]
