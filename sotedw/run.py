"""The record of one attempt: log, timings, outcome; kept also when nothing was published."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ingest.files import write_atomically
from ingest.identity_codes import mask


class _Masked(logging.Formatter):
    """Whatever is logged, by whomever: no identity code gets into a log, nor with a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))


@dataclass
class Run:
    """One attempt to build.

    Attributes:
        run_id: UTC start and the first digits of the build id.
        folder: `runs/<run_id>`.
        build_id: The build it attempts.
        started_at: UTC; about the run, never in a mart.
        stages: Name and seconds of each finished stage.
    """

    run_id: str
    folder: Path
    build_id: str
    as_of_date: str
    started_at: datetime
    stages: list[tuple[str, float]] = field(default_factory=list)

    @classmethod
    def start(cls, runs: Path, build_id: str, as_of_date: str) -> Run:
        """Make the folder of a new attempt."""
        started_at = datetime.now(UTC)
        stem = f"{started_at:%Y%m%dT%H%M%SZ}-{build_id.rsplit('-', 1)[-1][:8]}"
        run_id, number = stem, 1
        while (runs / run_id).exists():
            number += 1
            run_id = f"{stem}-{number}"
        folder = runs / run_id
        folder.mkdir(parents=True)
        run = cls(run_id, folder, build_id, as_of_date, started_at)
        run.finish("running")
        return run

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage and log its end."""
        start = time.perf_counter()
        try:
            yield
        finally:
            seconds = round(time.perf_counter() - start, 3)
            self.stages.append((name, seconds))
            logging.getLogger(__name__).info("stage %s took %.3f s", name, seconds)

    @contextmanager
    def log(self) -> Iterator[None]:
        """Write the log of everything below to `build.log`."""
        handler = logging.FileHandler(self.folder / "build.log", encoding="utf-8")
        handler.setFormatter(_Masked("%(asctime)s %(levelname)s %(name)s %(message)s"))
        root = logging.getLogger()
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.INFO)
        try:
            yield
        finally:
            root.removeHandler(handler)
            root.setLevel(level)
            handler.close()

    def finish(self, outcome: str, message: str | None = None) -> None:
        """Write `run.json`: `published`, `unchanged`, `blocked`, `failed` or (so far) `running`."""
        record = {
            "run_id": self.run_id,
            "build_id": self.build_id,
            "as_of_date": self.as_of_date,
            "started_at": self.started_at.isoformat(timespec="seconds"),
            "outcome": outcome,
            "message": None if message is None else mask(message),
            "stages": [{"stage": name, "seconds": seconds} for name, seconds in self.stages],
        }
        data = json.dumps(record, indent=1, ensure_ascii=False).encode() + b"\n"
        write_atomically(self.folder / "run.json", data)
