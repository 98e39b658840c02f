"""Who a build is: the same inputs, settings, code and date give the same build id."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from ingest.landing import Delivery
from ingest.ledger import LedgerEntry
from ingest.pseudonyms import PseudonymKey
from sotedw.settings import PROJECT

#: What dbt parses.
PARSED_PATTERNS = (
    "dbt_project.yml",
    "profiles.yml",
    "models/**/*",
    "macros/**/*",
    "seeds/**/*",
    "analyses/**/*",
    "tests/data/**/*",
)

#: Everything in the checkout that decides what a build makes.
CODE_PATTERNS = (
    *PARSED_PATTERNS,
    "requirements.lock",
    "ingest/**/*",
    "expectations/**/*",
    "sotedw/**/*",
)


def code_version(project: Path = PROJECT) -> str:
    """SHA-256 over names and contents of the code, seeds, specs and suites."""
    return hash_of_files(CODE_PATTERNS, project)


def hash_of_files(patterns: Iterable[str], project: Path = PROJECT) -> str:
    """SHA-256 over names and contents of the checkout's files that fit the patterns."""
    digest = hashlib.sha256()
    files = {
        path
        for pattern in patterns
        for path in project.glob(pattern)
        if path.is_file() and "__pycache__" not in path.parts
    }
    for path in sorted(files):
        digest.update(path.relative_to(project).as_posix().encode())
        digest.update(b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def build_id(
    entries: Iterable[LedgerEntry],
    landed: Iterable[Delivery],
    as_of_date: date,
    code: str,
    key: PseudonymKey | None = None,
) -> str:
    """The id of the build that these inputs make, `<as-of date>-<12 hex digits>`.

    It is known before anything is loaded: what a delivery becomes follows from its content and the
    code. Deliveries already in the lake count also when they have left the landing folder.

    Args:
        entries: The ledger.
        landed: What stands in the landing folder now.
        as_of_date: The build's date.
        code: `code_version()`.
        key: Key of pseudonyms: another key gives other pseudonyms.
    """
    known = {entry.delivery_id: entry for entry in entries}
    landed_hashes = {delivery.delivery_id: delivery.content_hash for delivery in landed}
    # What was refused counts as it stands in the landing folder now: a corrected delivery is
    # loaded anew. A change of a loaded one is refused, and counts beside what was loaded.
    inputs = {
        (delivery_id, entry.content_hash)
        for delivery_id, entry in known.items()
        if entry.outcome == "loaded" or delivery_id not in landed_hashes
    }
    inputs |= set(landed_hashes.items())
    text = json.dumps(
        {
            "inputs": sorted(inputs),
            "as_of_date": as_of_date.isoformat(),
            "code": code,
            "key": key.fingerprint if key else None,
        },
        sort_keys=True,
    )
    return f"{as_of_date:%Y%m%d}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
