"""Runs a command and says what it took: seconds, memory of its process tree, bytes written."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

_SAMPLE_SECONDS = 0.05
_PAGE = os.sysconf("SC_PAGE_SIZE")


class CommandFailed(click.ClickException):
    """A measured command did not end with 0."""


@dataclass(frozen=True)
class Measured:
    """What a command took.

    Attributes:
        seconds: Wall time.
        peak_bytes: Largest resident memory of all its processes together, sampled.
        written_bytes: Bytes that its processes gave to write calls, also to files that are gone.
        output: What it printed.
    """

    seconds: float
    peak_bytes: int
    written_bytes: int
    output: str


def measure(
    command: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None
) -> Measured:
    """Run a command to its end. Linux only: `/proc` tells of memory and writes.

    Args:
        command: Program and arguments.
        folder: Where it runs.
        variables: Its environment.

    Raises:
        CommandFailed: It did not end with 0; the text is the end of what it printed.
    """
    os.sync()  # what earlier commands wrote is not this one's to wait for
    written_before = _written_by_children()
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=None if variables is None else dict(variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    sampler = _Sampler(process.pid)
    sampler.start()
    output, _ = process.communicate()
    seconds = time.perf_counter() - start
    sampler.stop()
    if process.returncode != 0:
        raise CommandFailed(
            f"{' '.join(command)} ended with {process.returncode}\n{output[-4000:]}"
        )
    return Measured(
        seconds=seconds,
        peak_bytes=sampler.peak_bytes,
        written_bytes=_written_by_children() - written_before,
        output=output,
    )


class _Sampler(threading.Thread):
    """Looks at the memory of a session's processes until it is told to stop."""

    def __init__(self, session: int) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self._session = session
        self._done = threading.Event()

    def run(self) -> None:
        """Sample."""
        while not self._done.is_set():
            self.peak_bytes = max(self.peak_bytes, _memory_of_session(self._session))
            self._done.wait(_SAMPLE_SECONDS)

    def stop(self) -> None:
        """End sampling."""
        self._done.set()
        self.join()


def _memory_of_session(session: int) -> int:
    pages = 0
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            text = (folder / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # it has ended
        # After the name, which may hold anything: state, parent, group, session, ..., 22nd: pages.
        fields = text.rpartition(")")[2].split()
        if int(fields[3]) == session:
            pages += int(fields[21])
    return pages * _PAGE


def _written_by_children() -> int:
    """Bytes written by this process and by those it has waited for, and theirs."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("wchar:"))
