"""The models: dbt as a subprocess."""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Self

from sotedw.dbt_artifacts import Transformed, read_artifacts
from sotedw.errors import BuildFailed
from sotedw.home import Home
from sotedw.settings import PROJECT, environment_of_tools

_log = logging.getLogger(__name__)


def dbt_options(project: Path, target: Path, log: Path) -> list[str]:
    """Options of every dbt command: where things are, and a log that only a file gets."""
    return [
        "--project-dir", str(project), "--profiles-dir", str(project),
        "--target-path", str(target), "--log-path", str(log),
        "--log-level", "none", "--log-level-file", "info",
        "--no-version-check", "--no-use-colors",
    ]  # fmt: skip


def dbt_environment(database: Path, as_of_date: date, threads: int) -> dict[str, str]:
    """Environment of a dbt process: what profile and macros read, and no telemetry."""
    return {
        **environment_of_tools(),
        "SOTEDW_BUILD_DATABASE": str(database),
        "SOTEDW_BUILD_AS_OF_DATE": as_of_date.isoformat(),
        "SOTEDW_THREADS": str(threads),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "PYTHONHASHSEED": "0",
    }


class Dbt:
    """A dbt process that has begun to parse the project and waits to be told that data is there.

    Parsing takes as long as ingest of the published figures, and neither needs the other.
    """

    def __init__(self, home: Home, run_folder: Path, as_of_date: date, threads: int) -> None:
        self._target = home.target
        self._run_folder = run_folder
        options = dbt_options(PROJECT, self._target, run_folder)
        self._errors = (run_folder / "dbt.stderr.log").open("w", encoding="utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sotedw.dbt_process", *options],
            cwd=PROJECT,
            env=dbt_environment(home.build_database, as_of_date, threads),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()
        self._errors.close()

    def parse(self) -> None:
        """Parse the project and build nothing.

        Raises:
            BuildFailed: dbt could not parse it.
        """
        self._finish("", lambda *_: None, lambda: None)

    def run(
        self,
        progress: Callable[[str, int, int], None],
        readable: Callable[[], None],
        continued_from: date | None = None,
    ) -> Transformed:
        """Build all models, run all data tests, compile the analyses.

        Args:
            progress: Called with phase, nodes done and nodes in all.
            readable: Called when all models are built and other processes may read the database.
            continued_from: As-of date of the tables that are there, when this build may continue
                them; None to compute everything.

        Raises:
            BuildFailed: a model is broken, or dbt could not run.
        """
        told = {"continued_from": continued_from.isoformat() if continued_from else None}
        self._finish(json.dumps(told), progress, readable)
        return read_artifacts(self._target)

    def _finish(
        self, told: str, progress: Callable[[str, int, int], None], readable: Callable[[], None]
    ) -> None:
        """Tell the process what to build, if anything, and follow it to its end."""
        errors: list[str] = []
        phase, done, total = "parse", 0, 0
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # it has failed to parse, and says so below
            self._process.stdin.write(f"{told}\n")
            self._process.stdin.flush()
        for line in self._process.stdout:
            try:
                event = json.loads(line)
            except ValueError:
                _log.info("dbt: %s", line.rstrip())
                continue
            match event["event"]:
                case "phase":
                    phase, done, total = event["name"], 0, 0
                case "start":
                    done, total = 0, event["total"]
                case "node":
                    done += 1
                    if phase == "tests" and done == 1:
                        # It has opened the database anew, only to read.
                        readable()
                    _log.info("dbt %s: %s %s", phase, event["status"], event["name"])
                case "error":
                    node = event.get("node")
                    errors.append(f"{node}: {event['message']}" if node else event["message"])
            progress(phase, done, total)
        code = self._process.wait()
        if code != 0:
            listed = "\n".join(errors) or f"dbt ended with {code}"
            raise BuildFailed(
                f"the models could not be built\n{listed}\nSee {self._run_folder / 'dbt.log'}"
            )
