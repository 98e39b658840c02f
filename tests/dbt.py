"""dbt itself over a database of a test's own, for what a build does not run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from sotedw.home import DATABASE_NAME, Home
from sotedw.parsed_project import ENVIRONMENT, find, parse_name
from sotedw.settings import PROJECT
from sotedw.transform import dbt_environment, dbt_options

_COMMAND = """
from dbt.cli.main import cli
from sotedw.dbt_process import let_homes_share_a_parse

let_homes_share_a_parse()
cli()
"""


def saved_parse(home: Path) -> tuple[str, str]:
    """Options with which dbt takes what the build of a home took, or has parsed."""
    saved = find(parse_name(), Home(home).target, ENVIRONMENT)
    assert saved is not None
    return "--partial-parse-file-path", str(saved)


def run_dbt(
    folder: Path,
    *arguments: str,
    project: Path = PROJECT,
    variables: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run dbt over the database of a folder, and have it leave its target and log there.

    Args:
        folder: Where `warehouse.duckdb` is.
        arguments: The command and its options.
        project: The project's folder.
        variables: Environment variables besides those of a build.
    """
    options = dbt_options(project, folder / "target", folder / "log")
    return subprocess.run(
        [sys.executable, "-c", _COMMAND, *arguments, *options],
        cwd=project,
        env={
            **dbt_environment(folder / DATABASE_NAME, date(2022, 3, 31), threads=2),
            "PYTHONPATH": str(PROJECT),
            **(variables or {}),
        },
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
