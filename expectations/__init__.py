"""Checks of the marts: suites of expectations, and the runner that evaluates them.

Importing this package does not import Great Expectations.
"""

from expectations.definitions import Check, Suite, load_suite, load_suites
from expectations.errors import (
    DatabaseError,
    DuplicateCheckError,
    ExpectationsError,
    FailingKeysError,
    SuiteError,
)
from expectations.results import CheckResult
from expectations.runner import blocking, failing_keys, run_suites

__all__ = [
    "Check",
    "CheckResult",
    "DatabaseError",
    "DuplicateCheckError",
    "ExpectationsError",
    "FailingKeysError",
    "Suite",
    "SuiteError",
    "blocking",
    "failing_keys",
    "load_suite",
    "load_suites",
    "run_suites",
]
