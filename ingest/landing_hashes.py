"""Hashes of large landed files, kept from night to night: an unchanged file is not read again."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from ingest.files import file_digest, write_atomically

#: Smaller files are hashed every time: that is quick, and nothing has to be remembered.
LARGE = 16 * 1024 * 1024

#: A file changed this lately may change again within the same tick of its clock.
SETTLED_SECONDS = 2


class LandingHashes:
    """What is known of large files, by device, inode, size and times of change, never by name.

    A file's name is its sender's and may name a person. The time of the last change of its inode
    cannot be set by anybody, so that a file with an old date written over another is read again.
    """

    def __init__(self, file: Path) -> None:
        """Read what was kept; a file that cannot be read holds nothing."""
        self._file = file
        self._kept: dict[str, str] = {}
        self._seen: dict[str, str] = {}
        try:
            kept = json.loads(file.read_text(encoding="utf-8"))
            self._kept = {str(key): str(value) for key, value in kept.items()}
        except (OSError, ValueError, AttributeError):
            self._kept = {}

    def digest(self, path: Path) -> str:
        """SHA-256 of a file's bytes, from memory where that is sure."""
        before = path.stat()
        known = self._kept.get(_key(before)) if before.st_size >= LARGE else None
        digest = known or file_digest(path)
        if before.st_size >= LARGE and _key(path.stat()) == _key(before):
            changed = max(before.st_mtime, before.st_ctime)
            if known or changed + SETTLED_SECONDS < time.time():
                self._seen[_key(before)] = digest
        return digest

    def save(self) -> None:
        """Keep what was seen since the last time, and forget what is gone."""
        if self._seen != self._kept:
            write_atomically(self._file, json.dumps(self._seen, indent=1).encode() + b"\n")
            self._kept = dict(self._seen)


def _key(state: os.stat_result) -> str:
    parts = (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
    return ":".join(map(str, parts))
