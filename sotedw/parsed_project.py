"""What dbt has parsed, kept for the builds to come.

Parsing takes dbt longer than building a small warehouse, and its outcome depends on nothing but the
project's files and dbt itself. A saved parse has a hash of both in its name, and is used only where
that is the hash of the checkout: dbt's own way, to parse only what has changed since, has known
errors with macros. It is found in the home, from the build before, or else in the Python
environment, where setting up has left one (`sotedw.prepare`).
"""

from __future__ import annotations

import hashlib
import sys
from importlib.metadata import version
from pathlib import Path

from sotedw.identity import PARSED_PATTERNS, hash_of_files
from sotedw.settings import PROJECT

#: Where setting up the environment leaves what it has parsed.
ENVIRONMENT = Path(sys.prefix) / "share" / "sotedw"

#: What parsing depends on besides the project's files.
_PACKAGES = ("dbt-adapters", "dbt-common", "dbt-core", "dbt-duckdb")

_PREFIX, _SUFFIX = "parsed-", ".msgpack"


def parse_name(project: Path = PROJECT) -> str:
    """Name of the file for a parse of this checkout by this environment's dbt."""
    digest = hashlib.sha256(hash_of_files(PARSED_PATTERNS, project).encode())
    for package in _PACKAGES:
        digest.update(f"{package}=={version(package)}\n".encode())
    return f"{_PREFIX}{digest.hexdigest()[:24]}{_SUFFIX}"


def find(name: str, *folders: Path) -> Path | None:
    """The saved parse in the first of the folders that has it."""
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def keep(parse: Path, folder: Path, name: str) -> None:
    """Move a parse into a folder of the same disk, in place of those of other code."""
    parse.replace(folder / name)
    for other in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
        if other.name != name:
            other.unlink(missing_ok=True)
