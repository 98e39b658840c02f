"""The quality gate: all checks of a build as one list of facts, and what they stop."""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ingest.files import write_atomically
from sotedw.dbt_artifacts import Column, DataTest, Table
from sotedw.errors import BuildFailed
from sotedw.home import Home
from sotedw.settings import PROJECT, environment_of_tools

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Check:
    """Result of one check, from dbt or from Great Expectations.

    Attributes:
        check_id: Its name, unique in a run.
        table_name: Table it judges.
        tool: `dbt` or `great_expectations`.
        category: OHDSI's class: `completeness`, `conformance`, `plausibility`.
        severity: `blocker` stops publication, `warning` is for the steward.
        outcome: `passed`, `failed`, `error` or `not_applicable`.
        unexpected_count: Rows that break the rule; None when it could not be evaluated.
        element_count: Rows judged.
        threshold: Share of rows that may break the rule.
        owner: Steward who answers for the table.
        description: What it fails on.
        message: Why it could not be evaluated.
    """

    check_id: str
    table_name: str
    tool: str
    category: str
    severity: str
    outcome: str
    unexpected_count: int | None
    element_count: int | None
    threshold: float
    owner: str
    description: str
    message: str | None = None

    @property
    def blocks(self) -> bool:
        """Whether it stops publication. A blocker that cannot be evaluated has not passed."""
        return self.severity == "blocker" and self.outcome in ("failed", "error")


_COLUMNS = (
    ("build_id", pa.string(), "Build whose tables were judged."),
    ("run_id", pa.string(), "Attempt in which the check ran."),
    ("check_id", pa.string(), "Name of the check, unique in a run."),
    ("table_name", pa.string(), "Table it judges."),
    ("tool", pa.string(), "`dbt` or `great_expectations`."),
    ("category", pa.string(), "OHDSI's class: `completeness`, `conformance` or `plausibility`."),
    ("severity", pa.string(), "`blocker` stops publication, `warning` waits for the steward."),
    ("outcome", pa.string(), "`passed`, `failed`, `error` or `not_applicable`."),
    ("unexpected_count", pa.int64(), "Rows that break the rule; null when it did not run."),
    ("element_count", pa.int64(), "Rows judged."),
    ("threshold", pa.float64(), "Share of rows that may break the rule."),
    ("owner", pa.string(), "Steward who answers for the table."),
    ("description", pa.string(), "What the check says."),
    ("message", pa.string(), "Why it did not run."),
)

#: Rows of `fct_quality_results`.
RESULT_SCHEMA = pa.schema([(name, type_) for name, type_, _ in _COLUMNS])

#: Tables that a release gets beside the models': facts about a build, written after its marts.
QUALITY_TABLES = (
    Table(
        name="fct_quality_results",
        description="One row per check and run: what it found in the tables of this build.",
        owner="data_platform",
        sensitivity="internal",
        grain=("build_id", "run_id", "check_id"),
        columns=tuple(Column(name, text) for name, _, text in _COLUMNS),
        schema_version="1",
    ),
    Table(
        name="mart_quality",
        description="One row per table: how many of its checks passed, failed or did not run.",
        owner="data_platform",
        sensitivity="internal",
        grain=("table_name",),
        columns=(
            Column("table_name", "Table judged."),
            Column("owner", "Steward who answers for the table."),
            Column("check_count", "Checks of the table."),
            Column("passed_count", "Checks that passed."),
            Column("failed_blocker_count", "Failed checks that stop publication."),
            Column("failed_warning_count", "Failed checks that wait for the steward."),
            Column("error_count", "Checks that could not be evaluated."),
            Column("not_applicable_count", "Checks without anything to judge."),
            Column("build_id", "Build whose tables were judged."),
        ),
        schema_version="1",
    ),
)

#: Where their rows come from, over a relation `quality_results` of `RESULT_SCHEMA`.
QUALITY_SOURCES = {
    "fct_quality_results": "quality_results",
    "mart_quality": """(
        select
            table_name,
            min(owner) as owner,
            count(*) as check_count,
            count(*) filter (where outcome = 'passed') as passed_count,
            count(*) filter (where outcome = 'failed' and severity = 'blocker')
                as failed_blocker_count,
            count(*) filter (where outcome = 'failed' and severity = 'warning')
                as failed_warning_count,
            count(*) filter (where outcome = 'error') as error_count,
            count(*) filter (where outcome = 'not_applicable') as not_applicable_count,
            min(build_id) as build_id
        from quality_results
        group by table_name
    )""",
}


class Expectations:
    """Great Expectations in a process of its own.

    It imports while the models are built, and reads while dbt runs the data tests.
    """

    def __init__(self, home: Home, run_folder: Path) -> None:
        self._out = run_folder / "expectations.json"
        command = [
            sys.executable, "-m", "expectations", "--wait",
            "--database", str(home.build_database),
            "--out", str(self._out),
            "--failures", str(failures_folder(run_folder)),
        ]  # fmt: skip
        self._process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env={**environment_of_tools(), "GX_ANALYTICS_ENABLED": "false"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()

    def begin(self) -> None:
        """Let it read the database, to which nobody may be writing."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has failed, and says so below
            self._process.stdin.write("go\n")
            self._process.stdin.flush()

    def results(self) -> list[Check]:
        """Wait for the suites; all failing keys go to `failures/` in the run's folder.

        Raises:
            BuildFailed: the checks could not be run at all.
        """
        output, _ = self._process.communicate()
        if output:
            _log.info("expectations: %s", output.rstrip())
        if self._process.returncode != 0:
            raise BuildFailed(f"the expectations could not be run\n{output}")
        names = set(Check.__dataclass_fields__)
        return [
            Check(**{name: value for name, value in row.items() if name in names})
            for row in json.loads(self._out.read_text(encoding="utf-8"))
        ]


def from_dbt(tests: Collection[DataTest], home: Home, run_folder: Path) -> list[Check]:
    """The data tests as checks, with the size of the table they judge and all failing rows."""
    checks = []
    folder = failures_folder(run_folder)
    with duckdb.connect(str(home.build_database), read_only=True) as connection:
        counts = _row_counts(connection, {test.table_name for test in tests})
        for test in tests:
            if test.failing_sql:
                folder.mkdir(exist_ok=True)
                rows = connection.sql(test.failing_sql).to_arrow_table()
                pq.write_table(rows, folder / f"{test.check_id}.parquet")
            checks.append(
                Check(
                    check_id=test.check_id,
                    table_name=test.table_name,
                    tool="dbt",
                    category=test.category,
                    severity=test.severity,
                    outcome=test.outcome,
                    unexpected_count=test.failures,
                    element_count=counts.get(test.table_name),
                    threshold=0.0,
                    owner=test.owner,
                    description=test.description,
                    message=test.message,
                )
            )
    return checks


def failures_folder(run_folder: Path) -> Path:
    """Where the failing rows of a run stand, one Parquet file a failed check."""
    return run_folder / "failures"


def results_table(checks: Sequence[Check], build_id: str, run_id: str) -> pa.Table:
    """The checks as rows of `fct_quality_results`."""
    ordered = sorted(checks, key=lambda check: check.check_id)
    rows = [{**asdict(check), "build_id": build_id, "run_id": run_id} for check in ordered]
    return pa.Table.from_pylist(rows, schema=RESULT_SCHEMA)


def keep_results(table: pa.Table, folder: Path, run_id: str) -> None:
    """Keep the results from run to run in `lake/quality/`."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    write_atomically(folder / f"{run_id}.parquet", sink.getvalue().to_pybytes())


def _row_counts(
    connection: duckdb.DuckDBPyConnection, judged: Collection[str]
) -> Mapping[str, int]:
    """Rows of the tables that are judged; of others nobody asks, and views can be long to count."""
    rows = connection.execute(
        "select schema_name, table_name from duckdb_tables() where not internal"
        " union all select schema_name, view_name from duckdb_views() where not internal"
        " and schema_name <> 'lake'"
    ).fetchall()
    counts = {}
    for schema, name in rows:
        if name in judged:
            found = connection.execute(f'select count(*) from "{schema}"."{name}"').fetchone()
            assert found is not None
            counts[name] = int(found[0])
    return counts
