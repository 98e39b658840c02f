"""`python -m expectations`: runs the checks in a process of their own."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from expectations.definitions import SUITES_FOLDER, Suite, load_suites
from expectations.errors import ExpectationsError
from expectations.results import CheckResult, write_results
from expectations.runner import failing_keys, run_suites
from ingest.files import write_atomically

_log = logging.getLogger("expectations")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs every check of the suites and writes what they found.

    Args:
        arguments: Command line without the program's name; default: that of the process.

    Returns:
        0 when the checks were run, whatever they say; 1 when they could not be. Wrong use exits
        with 2.
    """
    options = _parser().parse_args(arguments)
    _log_to_stderr()
    try:
        suites = load_suites(options.suites)
        if options.wait:
            from expectations import gx_engine  # noqa: F401 - the import is what takes long

            if not sys.stdin.readline():
                _log.error("nobody waits for the checks any more")
                return 1
        results = run_suites(options.database, suites)
        if options.failures is not None:
            write_failures(options.database, suites, results, options.failures)
        write_results(results, options.out)
    except ExpectationsError as error:
        _log.error("%s", error)
        return 1
    return 0


def write_failures(
    database: Path, suites: Sequence[Suite], results: Sequence[CheckResult], folder: Path
) -> None:
    """Writes `<check_id>.parquet` with all failing keys for each failed check of rows.

    A file that an earlier run left for a check that no longer fails is removed.

    Args:
        database: The database that the results are about.
        suites: The suites that were run.
        results: Their results.
        folder: Folder to write to; it is made when it is not there.

    Raises:
        FailingKeysError: The database no longer holds the rows that were counted.
    """
    import pyarrow.parquet as pq

    checks = {check.id: check for suite in suites for check in suite.checks}
    folder.mkdir(parents=True, exist_ok=True)
    for result in results:
        path = folder / f"{result.check_id}.parquet"
        if result.outcome != "failed" or result.failing_keys_sql is None:
            path.unlink(missing_ok=True)
            continue
        keys = BytesIO()
        pq.write_table(failing_keys(database, checks[result.check_id], result), keys)
        write_atomically(path, keys.getvalue())


def _log_to_stderr() -> None:
    """Shows our own messages only: a handler of the root logger would show GX's as well."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    _log.handlers = [handler]
    _log.propagate = False
    _log.setLevel(logging.INFO)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m expectations",
        description="Run the checks of the marts on a warehouse database, which is only read.",
        epilog="Exit codes: 0 done, whatever the checks say; 1 they could not be run; 2 wrong use.",
    )
    parser.add_argument("--database", type=Path, required=True, help="the warehouse's DuckDB file")
    parser.add_argument("--out", type=Path, required=True, help="JSON file for the results")
    parser.add_argument(
        "--failures", type=Path, help="folder for one Parquet file a failed check of rows"
    )
    parser.add_argument(
        "--wait",
        action="store_true",
        help="get ready, then wait for a line on standard input before opening the database",
    )
    parser.add_argument(
        "--suites", type=Path, default=SUITES_FOLDER, help="folder of the suites (ours by default)"
    )
    return parser


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # All is written: to take all that GX has imported apart again would take another half second.
    os._exit(code)
