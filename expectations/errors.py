"""Errors of the expectations package; each names the thing at fault and the fix."""

from __future__ import annotations

from pathlib import Path


class ExpectationsError(Exception):
    """Base of every error that this package raises on purpose."""


class SuiteError(ExpectationsError):
    """A suite file cannot be used.

    Args:
        path: The suite file, or the folder that was searched.
        problem: What is wrong with it and how to mend it.
    """

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"suite {path}: {problem}")
        self.path = path
        self.problem = problem


class DuplicateCheckError(ExpectationsError):
    """Two checks, or two suites, of one run share a name.

    Args:
        names: The names that occur more than once.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(
            f"used more than once: {', '.join(names)}; "
            "a check id, and a table's suite, may occur once in a run"
        )
        self.names = names


class DatabaseError(ExpectationsError):
    """The warehouse database cannot be read.

    Args:
        database: The DuckDB file.
        problem: Why it cannot be read.
    """

    def __init__(self, database: Path, problem: str) -> None:
        super().__init__(f"database {database}: {problem}")
        self.database = database
        self.problem = problem


class FailingKeysError(ExpectationsError):
    """The failing keys of a check cannot be given, or are not those that were counted.

    Args:
        check_id: The check.
        problem: What went wrong.
    """

    def __init__(self, check_id: str, problem: str) -> None:
        super().__init__(f"failing keys of {check_id}: {problem}")
        self.check_id = check_id
        self.problem = problem
