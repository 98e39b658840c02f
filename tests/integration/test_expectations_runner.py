"""The runner of the expectations on small DuckDB files, with the real Great Expectations."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
import yaml

from expectations import (
    Check,
    CheckResult,
    DatabaseError,
    DuplicateCheckError,
    FailingKeysError,
    Suite,
    SuiteError,
    blocking,
    failing_keys,
    load_suite,
    load_suites,
    run_suites,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuses sockets and name look-ups, and fails the test also when the refusal is swallowed."""
    attempts: list[object] = []

    def refuse(*arguments: object, **_: object) -> None:
        attempts.append(arguments)
        raise OSError("the tests have no network")

    for owner, name in (
        (socket.socket, "connect"),
        (socket.socket, "connect_ex"),
        (socket.socket, "sendto"),
        (socket, "getaddrinfo"),
    ):
        monkeypatch.setattr(owner, name, refuse)
    yield
    assert attempts == []


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A warehouse with `t` (1000 rows), a view of it, and an empty table like it."""
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            """
            create table t as
            select
                i::integer as id,
                (i % 2)::integer as part,
                case when i % 10 = 0 then null else i end as value,
                (i / 1000.0)::double as share,
                'k' || i as name,
                date '2020-01-01' + i::integer as day,
            from range(1000) as numbers (i)
            """
        )
        connection.execute("create view tv as select * from t")
        connection.execute("create table empty_table as select * from t where false")
    return path


def check(name: str, expectation: str, table: str = "t", **changes: Any) -> dict[str, Any]:
    kwargs = changes.pop("kwargs", {})
    return {
        "id": f"{table}.{name}",
        "category": "plausibility",
        "severity": "blocker",
        "description": "Fails on a test row.",
        "expectation": expectation,
        "kwargs": kwargs,
    } | changes


def rows_check(name: str, query: str, table: str = "t", **changes: Any) -> dict[str, Any]:
    kwargs = {"unexpected_rows_query": query}
    return check(name, "UnexpectedRowsExpectation", table, kwargs=kwargs, **changes)


def between(name: str, column: str, table: str = "t", **changes: Any) -> dict[str, Any]:
    limits = {key: changes.pop(key) for key in ("min_value", "max_value") if key in changes}
    kwargs = {"column": column} | limits
    return check(name, "ExpectColumnValuesToBeBetween", table, kwargs=kwargs, **changes)


def suite(*checks: dict[str, Any], table: str = "t", **changes: Any) -> Suite:
    content = {"table": table, "owner": "steward", "key": ["id"], "checks": list(checks)}
    return Suite.model_validate(content | changes)


def run_one(database: Path, wanted: Suite) -> tuple[Check, CheckResult]:
    (result,) = run_suites(database, [wanted])
    return wanted.checks[0], result


def counts(result: CheckResult) -> tuple[str, int | None, int | None]:
    return result.outcome, result.unexpected_count, result.element_count


def test_a_check_that_holds_passes_and_has_no_failing_keys(database: Path) -> None:
    wanted = suite(between("share_in_range", "share", min_value=0, max_value=1))
    checked, result = run_one(database, wanted)
    assert result == CheckResult(
        check_id="t.share_in_range",
        table_name="t",
        category="plausibility",
        severity="blocker",
        outcome="passed",
        unexpected_count=0,
        element_count=1000,
        threshold=0.0,
        owner="steward",
        description="Fails on a test row.",
        tool="great_expectations",
    )
    with pytest.raises(FailingKeysError, match="no failing rows"):
        failing_keys(database, checked, result)


def test_a_failed_check_gives_every_failing_key_and_the_checked_value(database: Path) -> None:
    wanted = suite(between("id_negative", "id", max_value=-1))
    checked, result = run_one(database, wanted)
    assert counts(result) == ("failed", 1000, 1000)
    keys = failing_keys(database, checked, result)
    assert keys.column_names == ["id"]
    assert keys["id"].to_pylist() == list(range(1000))


def test_failing_keys_are_the_suites_key_and_the_checked_column_in_order(database: Path) -> None:
    wanted = suite(between("value_small", "value", max_value=500), key=["part", "id"])
    checked, result = run_one(database, wanted)
    assert counts(result) == ("failed", 450, 1000)
    keys = failing_keys(database, checked, result)
    assert keys.column_names == ["part", "id", "value"]
    expected = [i for i in range(501, 1000) if i % 10]
    assert keys["value"].to_pylist() == sorted(expected, key=lambda i: (i % 2, i))


def test_a_missing_value_fails_only_the_check_for_it(database: Path) -> None:
    wanted = suite(
        check("present", "ExpectColumnValuesToNotBeNull", kwargs={"column": "value"}),
        between("range", "value", min_value=0, max_value=999),
    )
    present, in_range = run_suites(database, [wanted])
    assert counts(present) == ("failed", 100, 1000)
    assert counts(in_range) == ("passed", 0, 1000)


@pytest.mark.parametrize(
    ("threshold", "outcome"),
    [(0.45, "passed"), (0.4501, "passed"), (0.4499, "failed"), (0, "failed"), (1, "passed")],
)
def test_a_check_fails_when_more_than_its_threshold_of_all_rows_fails(
    database: Path, threshold: float, outcome: str
) -> None:
    wanted = suite(between("value_small", "value", max_value=500, threshold=threshold))
    checked, result = run_one(database, wanted)
    assert counts(result) == (outcome, 450, 1000)
    assert failing_keys(database, checked, result).num_rows == 450


@pytest.mark.parametrize(("failing", "outcome"), [(300, "passed"), (301, "failed")])
def test_a_threshold_that_floats_cannot_hold_is_met_exactly(
    database: Path, failing: int, outcome: str
) -> None:
    wanted = suite(rows_check("some", f"from {{batch}} where id < {failing}", threshold=0.3))
    assert counts(run_one(database, wanted)[1]) == (outcome, failing, 1000)


@pytest.mark.parametrize(
    "source",
    ["{batch}", "{batch} as a", "{batch} as a inner join {batch} as b on a.id = b.id"],
)
def test_a_query_of_unexpected_rows_reads_the_table_under_any_alias(
    database: Path, source: str
) -> None:
    columns = "a.id, a.name" if " as a" in source else "id, name"
    where = "a.name" if " as a" in source else "name"
    wanted = suite(rows_check("named", f"select {columns} from {source} where {where} like 'k1%'"))
    checked, result = run_one(database, wanted)
    assert counts(result) == ("failed", 111, 1000)
    keys = failing_keys(database, checked, result)
    assert keys.column_names == ["id", "name"]
    assert keys.num_rows == 111


@pytest.mark.parametrize(
    ("query", "failing"),
    [
        ("select id from {batch} where name like '%9%' and name <> ':a' -- a comment", 271),
        ("select id from {batch} where regexp_matches(name, '^k[0-9]{{3}}$')", 900),
        ("select id, name::varchar as n from {batch} where 'x:1y' <> name;\n", 1000),
        ("select id from {batch} where json_extract('{{\"a\":1}}', '$.a') = 1", 1000),
    ],
)
def test_a_query_may_hold_percent_colon_brace_and_comment(
    database: Path, query: str, failing: int
) -> None:
    checked, result = run_one(database, suite(rows_check("odd", query)))
    assert counts(result) == ("failed", failing, 1000)
    assert failing_keys(database, checked, result).num_rows == failing


def test_a_query_without_the_key_columns_is_an_error(database: Path) -> None:
    _, result = run_one(database, suite(rows_check("keyless", "select name from {batch}")))
    assert counts(result) == ("error", None, None)
    assert result.message == "the query does not select the key column id"


@pytest.mark.parametrize(
    ("expectation", "kwargs", "failing"),
    [
        (
            "ExpectColumnValuesToBeInSet",
            {"column": "name", "value_set": ["k1", "it's", "%a:b"]},
            999,
        ),
        ("ExpectColumnValuesToNotBeInSet", {"column": "name", "value_set": ["k1", "k2"]}, 2),
        ("ExpectColumnValueLengthsToBeBetween", {"column": "name", "max_value": 3}, 900),
        (
            "ExpectColumnPairValuesAToBeGreaterThanB",
            {"column_A": "id", "column_B": "value", "or_equal": False},
            900,
        ),
        ("ExpectColumnValuesToBeBetween", {"column": "day", "min_value": "2020-01-11"}, 10),
    ],
)
def test_row_expectations_count_and_find_the_same_rows(
    database: Path, expectation: str, kwargs: dict[str, Any], failing: int
) -> None:
    checked, result = run_one(database, suite(check("rule", expectation, kwargs=kwargs)))
    assert counts(result) == ("failed", failing, 1000)
    assert failing_keys(database, checked, result).num_rows == failing


def test_a_date_written_as_yaml_date_is_understood(database: Path, tmp_path: Path) -> None:
    path = tmp_path / "t.yml"
    path.write_text(
        VALID.replace("ToNotBeNull", "ToBeBetween").replace(
            "{column: id}", "{column: day, min_value: 2020-01-11}"
        ),
        encoding="utf-8",
    )
    checked, result = run_one(database, load_suite(path))
    assert counts(result) == ("failed", 10, 1000)
    assert failing_keys(database, checked, result).num_rows == 10


def test_a_statement_about_the_table_fails_as_one_and_blames_no_row(database: Path) -> None:
    rule = {"min_value": 1001}
    wanted = suite(check("big", "ExpectTableRowCountToBeBetween", kwargs=rule))
    _, result = run_one(database, wanted)
    assert counts(result) == ("failed", 1, 1)
    assert result.failing_keys_sql is None


def test_a_view_is_checked_like_a_table(database: Path) -> None:
    wanted = suite(between("value_small", "value", "tv", max_value=500), table="tv")
    checked, result = run_one(database, wanted)
    assert counts(result) == ("failed", 450, 1000)
    assert failing_keys(database, checked, result).num_rows == 450


def test_checks_of_a_table_without_rows_are_not_applicable(database: Path) -> None:
    wanted = suite(
        between("range", "value", "empty_table", max_value=500),
        rows_check("rows", "select * from {batch}", "empty_table"),
        table="empty_table",
    )
    assert [counts(r) for r in run_suites(database, [wanted])] == [("not_applicable", 0, 0)] * 2


def test_a_suite_may_ask_for_rows(database: Path) -> None:
    rule = {"min_value": 1}
    wanted = suite(
        check("filled", "ExpectTableRowCountToBeBetween", "empty_table", kwargs=rule),
        between("range", "value", "empty_table", max_value=500),
        table="empty_table",
        when_empty="evaluate",
    )
    filled, in_range = run_suites(database, [wanted])
    assert counts(filled) == ("failed", 1, 1)
    assert counts(in_range) == ("passed", 0, 0)


@pytest.mark.parametrize("table", ["t", "empty_table"])
def test_a_missing_column_is_an_error_of_its_check_alone(database: Path, table: str) -> None:
    wanted = suite(
        between("a_missing", "nope", table, max_value=1),
        rows_check("b_missing", "select id from {batch} where nope > 1", table),
        check("c_present", "ExpectColumnValuesToNotBeNull", table, kwargs={"column": "id"}),
        table=table,
    )
    missing, missing_in_query, present = run_suites(database, [wanted])
    assert counts(missing) == ("error", None, None)
    assert missing.message == f"main.{table} has no column nope"
    assert missing_in_query.outcome == "error"
    assert "nope" in (missing_in_query.message or "")
    assert present.outcome == ("passed" if table == "t" else "not_applicable")


def test_a_missing_table_or_key_column_is_an_error_of_every_check(database: Path) -> None:
    nowhere = suite(between("range", "id", "nowhere", max_value=1), table="nowhere")
    keyless = suite(between("range", "id", max_value=1), key=["id", "nope"])
    first, second = run_suites(database, [nowhere, keyless])
    assert (first.outcome, first.message) == ("error", "table main.nowhere does not exist")
    assert (second.outcome, second.message) == ("error", "main.t has no key column nope")


def test_one_broken_expectation_leaves_the_others_of_its_table_standing(database: Path) -> None:
    in_set = {"column": "id", "value_set": ["not a number"]}
    wanted = suite(
        check("a_types", "ExpectColumnValuesToBeInSet", kwargs=in_set),
        between("b_types", "name", min_value=0, max_value=1),
        check("c_unknown", "ExpectNothingInParticular", kwargs={"column": "id"}),
        check("d_arguments", "ExpectColumnValuesToNotBeNull", kwargs={"columns": "id"}),
        check("e_present", "ExpectColumnValuesToNotBeNull", kwargs={"column": "value"}),
        rows_check("f_rows", "select id from {batch} where id < 3"),
        rows_check("g_fails_late", "select id from {batch} where name::integer > 3"),
    )
    results = run_suites(database, [wanted])
    assert [r.outcome for r in results] == [*["error"] * 4, "failed", "failed", "error"]
    messages = [r.message or "" for r in results]
    assert "not a number" in messages[0]
    assert "k" in messages[1]
    assert "not a number" not in messages[1]
    assert "ExpectNothingInParticular" in messages[2]
    assert all("[SQL" not in message for message in messages)
    assert counts(results[4]) == ("failed", 100, 1000)
    assert counts(results[5]) == ("failed", 3, 1000)


def test_equal_expectations_with_different_thresholds_are_both_evaluated(database: Path) -> None:
    wanted = suite(
        between("a_strict", "value", max_value=500),
        between("b_lenient", "value", max_value=500, threshold=0.5, severity="warning"),
    )
    assert [r.outcome for r in run_suites(database, [wanted])] == ["failed", "passed"]


def test_blocking_are_the_blockers_that_failed_or_broke(database: Path) -> None:
    wanted = suite(
        between("a_failed_blocker", "id", max_value=1),
        between("b_failed_warning", "id", max_value=1, severity="warning"),
        between("c_broken_blocker", "nope", max_value=1),
        between("d_broken_warning", "nope", max_value=1, severity="warning"),
        between("e_passed_blocker", "id", min_value=0),
    )
    results = run_suites(database, [wanted])
    stopping = [result.check_id for result in blocking(results)]
    assert stopping == ["t.a_failed_blocker", "t.c_broken_blocker"]


def test_the_database_is_left_unchanged_and_free_for_writing(database: Path) -> None:
    before = database.read_bytes()
    wanted = suite(between("range", "id", max_value=1))
    checked, result = run_one(database, wanted)
    failing_keys(database, checked, result)
    assert database.read_bytes() == before
    assert [path.name for path in database.parent.iterdir()] == ["warehouse.duckdb"]
    with duckdb.connect(str(database)) as connection:
        connection.execute("delete from t where id = 5")
    with pytest.raises(FailingKeysError, match="997 rows found where 998 were counted"):
        failing_keys(database, checked, result)


def test_a_path_with_odd_characters_is_opened(database: Path) -> None:
    folder = database.parent / "a b#c%20$HOME?å"
    folder.mkdir()
    moved = database.rename(folder / "warehouse.duckdb")
    assert run_one(moved, suite(between("range", "id", min_value=0)))[1].outcome == "passed"


def test_a_database_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    wanted = [suite(between("range", "id", min_value=0))]
    with pytest.raises(DatabaseError, match="no such file"):
        run_suites(tmp_path / "warehouse.duckdb", wanted)
    (tmp_path / "warehouse.duckdb").write_text("not a database", encoding="utf-8")
    with pytest.raises(DatabaseError, match="cannot be opened"):
        run_suites(tmp_path / "warehouse.duckdb", wanted)


def test_a_database_that_this_process_has_open_is_refused(database: Path) -> None:
    wanted = [suite(between("range", "id", min_value=0))]
    with (
        duckdb.connect(str(database), read_only=True),
        pytest.raises(DatabaseError, match="different configuration"),
    ):
        run_suites(database, wanted)


def test_the_shipped_suites_load_and_the_first_release_is_covered() -> None:
    suites = load_suites()
    assert {"mart_output_statistics", "mart_service_entity_finance", "mart_vacancies"} <= {
        loaded.table for loaded in suites
    }
    assert all(6 <= len(loaded.checks) <= 15 for loaded in suites)


VALID = """
table: t
owner: steward
key: [id]
checks:
  - id: t.present
    category: completeness
    severity: blocker
    description: Fails on a test row.
    expectation: ExpectColumnValuesToNotBeNull
    kwargs: {column: id}
"""
SECOND = VALID[VALID.index("  - id") :]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (VALID + "colour: red\n", "colour: Extra inputs are not permitted"),
        (VALID + "    colour: red\n", "checks.0.colour: Extra inputs are not permitted"),
        (VALID + SECOND, "duplicate id: t.present"),
        (VALID + "owner: other\n", "duplicate key: owner"),
        (VALID.replace("id: t.", "id: u."), "ids must start with 't.'"),
        (VALID.replace("[id]", "[id, id]"), "duplicate key: id"),
        (VALID.replace("[id]", "[]"), "key: List should have at least 1 item"),
        (VALID.replace("blocker", "serious"), "severity: Input should be"),
        (VALID + "    threshold: 1.5\n", "threshold: Input should be less than or equal to 1"),
        (VALID.replace("{column: id}", "{column: id, mostly: 0.9}"), "use the check's threshold"),
        (VALID.replace("ToNotBeNull", "ToMatchRegex"), "use UnexpectedRowsExpectation"),
        (VALID.replace("ToNotBeNull", "ToBeUnique"), "use dbt's unique test"),
        (
            VALID.replace("ExpectColumnValuesToNotBeNull", "UnexpectedRowsExpectation"),
            "unexpected_rows_query is missing",
        ),
        (
            VALID.replace("ExpectColumnValuesToNotBeNull", "UnexpectedRowsExpectation").replace(
                "{column: id}", "{unexpected_rows_query: select id from t}"
            ),
            "must read from {batch}",
        ),
        (VALID.replace("table: t\n", "table: u\n").replace("t.present", "u.present"), "u.yml"),
        ("just text", "suite: Input should be"),
        ("key: [", "cannot be read"),
    ],
)
def test_a_suite_with_a_mistake_is_refused(tmp_path: Path, content: str, problem: str) -> None:
    path = tmp_path / "t.yml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SuiteError) as raised:
        load_suite(path)
    assert problem in str(raised.value)
    assert str(path) in str(raised.value)


def test_a_folder_without_suites_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="holds no"):
        load_suites(tmp_path)


def test_a_table_has_one_suite_in_a_run(database: Path) -> None:
    wanted = suite(between("range", "id", min_value=0))
    with pytest.raises(DuplicateCheckError, match=r"t, t\.range"):
        run_suites(database, [wanted, wanted])


GUARD = """
import runpy, socket, sys

def refuse(*arguments, **_):
    print("network:", arguments[-1], file=sys.stderr)
    raise OSError("the tests have no network")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
runpy.run_module("expectations", run_name="__main__", alter_sys=True)
"""


def run_module(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    home.mkdir(exist_ok=True)
    variables = os.environ | {"HOME": str(home), "TMPDIR": str(home), "GX_ANALYTICS_ENABLED": "1"}
    command = [sys.executable, "-c", GUARD, *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    assert "network:" not in done.stderr
    return done


def test_the_command_writes_results_and_all_failing_keys(database: Path, tmp_path: Path) -> None:
    folder = tmp_path / "suites"
    folder.mkdir()
    checks = [
        between("z_failed", "id", max_value=-1),
        between("a_passed", "id", min_value=0),
        between("m_error", "nope", min_value=0),
        check("t_table", "ExpectTableRowCountToBeBetween", kwargs={"min_value": 1001}),
    ]
    content = {"table": "t", "owner": "steward", "key": ["id"], "checks": checks}
    (folder / "t.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    failures = tmp_path / "failures"
    failures.mkdir()
    (failures / "t.a_passed.parquet").touch()
    out = tmp_path / "results" / "results.json"
    done = run_module(
        *("--database", str(database), "--out", str(out)),
        *("--failures", str(failures), "--suites", str(folder)),
        home=tmp_path / "home",
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert done.stderr.splitlines() == [
        "expectations.runner: check t.m_error could not be evaluated",
        "expectations.runner: 4 checks of 1 tables evaluated",
    ]
    written = json.loads(out.read_text(encoding="utf-8"))
    assert [(row["check_id"], row["outcome"], row["unexpected_count"]) for row in written] == [
        ("t.a_passed", "passed", 0),
        ("t.m_error", "error", None),
        ("t.t_table", "failed", 1),
        ("t.z_failed", "failed", 1000),
    ]
    assert [path.name for path in failures.iterdir()] == ["t.z_failed.parquet"]
    assert pq.read_table(failures / "t.z_failed.parquet")["id"].to_pylist() == list(range(1000))
    assert list((tmp_path / "home").rglob("*")) == []


def test_the_command_exits_with_1_when_it_cannot_run(tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    done = run_module(
        *("--database", str(tmp_path / "none.duckdb"), "--out", str(out)), home=tmp_path / "home"
    )
    assert done.returncode == 1
    assert "there is no such file" in done.stderr
    assert not out.exists()


def test_the_command_exits_with_2_on_wrong_use(tmp_path: Path) -> None:
    assert run_module("--out", "x", home=tmp_path / "home").returncode == 2


def test_importing_the_package_does_not_import_great_expectations() -> None:
    code = (
        "import sys, expectations, expectations.__main__\n"
        "expectations.load_suites()\n"
        "assert not {'great_expectations', 'pandas', 'sqlalchemy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
