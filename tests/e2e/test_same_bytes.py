"""Two builds in two homes give the same bytes, and no build needs the network.

The second home is built from a copy of the landing folder at another path, with other times on its
files, one thread in place of two, another time zone and hash seed, in an empty user's home, and
with every socket that leaves the machine shut.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.e2e.conftest import Finished, Landed, Sotedw

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("e2e_same_bytes")]

CHECKOUT = Path(__file__).resolve().parents[2]

#: Holds the run's own id (an attempt has a time), so its bytes differ from run to run by design.
ABOUT_THE_RUN = "parquet/internal/fct_quality_results.parquet"

#: Loaded by every Python process below the build; writes down who asked for the network.
SHUT_NETWORK = """
import os, socket

LOG = os.environ["NETWORK_LOG"]
LOCAL = ("127.", "::1", "localhost", "0.0.0.0")


def note(text):
    with open(LOG, "a") as stream:
        stream.write(f"{os.getpid()} {text}\\n")


def shut(name, where):
    note(f"blocked {name} {where!r}")
    raise OSError(f"the network is shut: {name} {where!r}")


def guard(owner, name, address_of):
    real = getattr(owner, name)

    def guarded(*arguments, **options):
        where = address_of(arguments)
        host = where[0] if isinstance(where, tuple) else where
        if isinstance(host, bytes):
            host = host.decode()
        if isinstance(host, str) and not host.startswith(("/",) + LOCAL):
            shut(name, where)
        return real(*arguments, **options)

    setattr(owner, name, guarded)


guard(socket.socket, "connect", lambda arguments: arguments[1])
guard(socket.socket, "connect_ex", lambda arguments: arguments[1])
guard(socket.socket, "sendto", lambda arguments: arguments[-1])
guard(socket, "getaddrinfo", lambda arguments: arguments[0])
guard(socket, "gethostbyname", lambda arguments: arguments[0])
note("guarded")
"""


@dataclass(frozen=True)
class Second:
    """The second build."""

    home: Path
    user: Path
    network_log: list[str]
    answer: Finished

    @property
    def release(self) -> Path:
        return (self.home / "current").resolve()


@pytest.fixture(scope="module")
def second(sotedw: Sotedw, tmp_path_factory: pytest.TempPathFactory) -> Second:
    folder = tmp_path_factory.mktemp("second home of other name")
    landing = shutil.copytree(CHECKOUT / "landing", folder / "in")
    for number, path in enumerate(sorted(landing.rglob("*"))):
        os.utime(path, (1_600_000_000 + number, 1_500_000_000 - number))
    site = folder / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(SHUT_NETWORK, encoding="utf-8")
    log = folder / "network.log"
    user = folder / "user"
    user.mkdir()
    elsewhere = sotedw.having(
        variables={
            "PYTHONPATH": f"{site}{os.pathsep}{CHECKOUT}",
            "NETWORK_LOG": str(log),
            "HOME": str(user),
            "TZ": "Pacific/Auckland",
            "PYTHONHASHSEED": "4711",
        }
    )
    home = folder / "warehouse"
    answer = elsewhere(
        "build", "--home", home, "--landing", landing, "--threads", 1, "--json",
    )  # fmt: skip
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return Second(home, user, lines, answer)


# --- no network -----------------------------------------------------------------------------------


def test_a_build_without_network_ends_well(second: Second) -> None:
    assert second.answer.code == 0, second.answer.err
    assert second.answer.json["outcome"] == "published"


def test_no_process_of_a_build_asks_for_the_network(second: Second) -> None:
    guarded = [line for line in second.network_log if line.endswith(" guarded")]
    # The command line, dbt and the expectations at least: the guard was really there.
    assert len(guarded) >= 3, second.network_log
    assert [line for line in second.network_log if line not in guarded] == []


def test_a_build_leaves_nothing_in_the_users_home_or_the_checkout(second: Second) -> None:
    # A database extension fetched, a telemetry cookie, a configuration: none of them.
    assert sorted(path.name for path in second.user.iterdir()) == []
    for name in (".user.yml", "target", "logs", "dbt_packages", "gx", "great_expectations"):
        assert not (CHECKOUT / name).exists(), name


# --- same bytes -----------------------------------------------------------------------------------


def test_the_same_inputs_have_the_same_build_id(second: Second, release: Path) -> None:
    assert second.release.name == release.name


def test_all_parquet_files_of_two_homes_are_the_same_bytes(second: Second, release: Path) -> None:
    def files(folder: Path) -> dict[str, bytes]:
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*.parquet")
        }  # fmt: skip

    mine, theirs = files(second.release), files(release)
    assert set(mine) == set(theirs)
    differing = {name for name in mine if mine[name] != theirs[name]}
    assert differing == {ABOUT_THE_RUN}


def test_the_checks_of_two_homes_found_the_same(second: Second, release: Path) -> None:
    def checks(folder: Path) -> list[tuple[object, ...]]:
        return duckdb.sql(
            f"select * exclude (run_id) from read_parquet('{folder / ABOUT_THE_RUN}')"
            " order by check_id"
        ).fetchall()

    assert checks(second.release) == checks(release)


def test_the_compiled_analyses_of_two_homes_are_the_same_bytes(
    second: Second, release: Path
) -> None:
    for path in (release / "analyses").iterdir():
        assert (second.release / "analyses" / path.name).read_bytes() == path.read_bytes()


def test_the_manifests_of_two_homes_agree_on_everything_but_the_run(
    second: Second, release: Path
) -> None:
    def manifest(folder: Path) -> dict[str, object]:
        read: dict[str, object] = json.loads((folder / "manifest.json").read_text("utf-8"))
        files = read["files"]
        assert isinstance(files, list)
        read["files"] = [
            item
            for item in files
            if item["path"].startswith("parquet/") and item["path"] != ABOUT_THE_RUN
        ]
        return read

    assert manifest(second.release) == manifest(release)


def test_the_lakes_of_two_homes_are_the_same_bytes(
    second: Second, built_home: Path, landed: Mapping[str, Landed]
) -> None:
    raw = built_home / "lake" / "raw"
    names = {path.relative_to(raw) for path in raw.rglob("*.parquet")}
    assert {str(path) for path in names} == {
        f"{source}/delivery={name}/part-0.parquet"
        for source, name in (delivery_id.split("/") for delivery_id in landed)
    }
    theirs = second.home / "lake" / "raw"
    assert {path.relative_to(theirs) for path in theirs.rglob("*.parquet")} == names
    for name in names:
        assert (theirs / name).read_bytes() == (raw / name).read_bytes(), name
