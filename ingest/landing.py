"""What stands under `landing/`: deliveries, their order, their files and hashes."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Container, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import chain, count
from pathlib import Path, PurePosixPath

from ingest.files import file_digest
from ingest.identity_codes import mask
from ingest.landing_hashes import LandingHashes

SIDECAR = "delivery.yml"

_FOLDER = re.compile(r"^(?P<date>\d{4}-\d{2}-\d{2})(?:-(?P<number>[1-9]\d*))?\Z", re.ASCII)


@dataclass(frozen=True, order=True)
class DeliveryKey:
    """Place of a delivery in its source: by date, then by number (`-2` before `-10`)."""

    date: date
    number: int = 1

    @classmethod
    def parse(cls, folder: str) -> DeliveryKey | None:
        """The key a folder name stands for, or None when it is no delivery's name."""
        match = _FOLDER.match(folder)
        if match is None:
            return None
        try:
            day = date.fromisoformat(match["date"])
        except ValueError:
            return None
        return cls(day, int(match["number"] or 1))


@dataclass(frozen=True)
class LandedFile:
    """A file of a delivery with the hash of its bytes.

    Attributes:
        name: Its path in the delivery; a sender may put an identity code into it, so it is masked.
            Bytes that are not UTF-8 are escaped (`T\\xf6\\xf6l\\xf6.csv`). No two files of a
            delivery have the same: `******-**** (2).csv`.
    """

    name: str
    path: Path
    sha256: str
    size: int


@dataclass(frozen=True)
class Delivery:
    """A delivery as it stands in the landing folder.

    Attributes:
        source: Name of the source.
        name: Folder name, `<YYYY-MM-DD>[-<n>]`.
        key: Its place among the deliveries of the source.
        files: Its data files, sorted by name; the sidecar is not among them.
        sidecar: `delivery.yml`, which names the document and table it comes from, if there is one.
    """

    source: str
    name: str
    key: DeliveryKey
    files: tuple[LandedFile, ...]
    sidecar: LandedFile | None

    @property
    def delivery_id(self) -> str:
        """`<source>/<name>`, the name under which the warehouse knows it."""
        return f"{self.source}/{self.name}"

    @property
    def all_files(self) -> tuple[LandedFile, ...]:
        """Its data files, and the sidecar if there is one."""
        return self.files if self.sidecar is None else (*self.files, self.sidecar)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over contents and formats of all files: renaming alone changes nothing.

        The ending counts, since it decides how a file is read.
        """
        parts = sorted(f"{file.sha256}{Path(file.name).suffix.lower()}" for file in self.all_files)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Landing:
    """Everything found under the landing folder.

    Attributes:
        deliveries: Deliveries of the known sources in the order they are loaded.
        strays: Paths that are no delivery, with the reason; reported, never silently passed over.
    """

    deliveries: tuple[Delivery, ...]
    strays: tuple[tuple[str, str], ...]


def is_arriving(name: str) -> bool:
    """Whether a file or folder is still being written by its sender and left alone."""
    return name.startswith((".", "_")) or name.endswith(".part")


def scan(
    landing: Path, sources: set[str], hashes: LandingHashes | None = None, threads: int = 1
) -> Landing:
    """Find and hash all deliveries.

    Args:
        landing: The landing folder; an absent one holds nothing.
        sources: Names of the sources that have a spec.
        hashes: Hashes of large files as they are known; kept up to date.
        threads: Files hashed at the same time.
    """
    deliveries: list[Delivery] = []
    strays: list[tuple[str, str]] = []
    for source_folder in _entries(landing):
        if not source_folder.is_dir():
            # README and the like beside the sources are for people.
            continue
        if source_folder.name not in sources:
            strays.append(
                (_shown(Path(source_folder.name)), "no source of this name: add ingest/specs/*.yml")
            )
            continue
        for folder in _entries(source_folder):
            key = DeliveryKey.parse(folder.name) if folder.is_dir() else None
            if key is None:
                strays.append(
                    (
                        _shown(folder.relative_to(landing)),
                        "a delivery is a folder named YYYY-MM-DD or YYYY-MM-DD-n",
                    )
                )
                continue
            deliveries.append(_delivery(source_folder.name, folder, key, hashes, threads))
    if hashes is not None:
        hashes.save()
    deliveries.sort(key=lambda item: (item.source, item.key, item.name))
    return Landing(tuple(deliveries), tuple(strays))


def _entries(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        return
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if not is_arriving(entry.name):
            yield entry


def _shown(path: Path) -> str:
    """A path as records show it. Linux lets names be of any bytes; a record is UTF-8."""
    return mask(os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace"))


def _free(name: str, taken: Container[str]) -> str:
    """The name, or the first numbered one that no other file has: masked names may be equal."""
    path = PurePosixPath(name)
    numbered = (str(path.with_stem(f"{path.stem} ({number})")) for number in count(2))
    return next(free for free in chain((name,), numbered) if free not in taken)


def _delivery(
    source: str, folder: Path, key: DeliveryKey, hashes: LandingHashes | None, threads: int
) -> Delivery:
    files: list[LandedFile] = []
    sidecar: LandedFile | None = None
    names: set[str] = set()
    paths = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(is_arriving(part) for part in path.relative_to(folder).parts)
    ]
    with ThreadPoolExecutor(threads) as pool:
        digests = pool.map(file_digest if hashes is None else hashes.digest, paths)
    for path, digest in zip(paths, digests, strict=True):
        name = _free(_shown(path.relative_to(folder)), names)
        landed = LandedFile(name, path, digest, path.stat().st_size)
        names.add(landed.name)
        if landed.name == SIDECAR:
            sidecar = landed
        else:
            files.append(landed)
    return Delivery(source, folder.name, key, tuple(files), sidecar)
