"""What counts as a delivery, in which order, and by which hash."""

from __future__ import annotations

import hashlib
import json
import os
import time
from datetime import date
from pathlib import Path

import pytest

from ingest import landing_hashes
from ingest.landing import Delivery, DeliveryKey, scan
from ingest.landing_hashes import LandingHashes


def put(root: Path, path: str, content: str = "x") -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")


def only(root: Path) -> Delivery:
    (delivery,) = scan(root, {"feedback"}).deliveries
    return delivery


def test_a_delivery_is_ordered_by_date_and_then_by_number() -> None:
    names = ["2022-01-31-10", "2022-02-01", "2022-01-31-2", "2022-01-31", "2021-12-31-11"]
    ordered = sorted(names, key=lambda name: DeliveryKey.parse(name) or pytest.fail(name))
    assert ordered == [
        "2021-12-31-11", "2022-01-31", "2022-01-31-2", "2022-01-31-10", "2022-02-01",
    ]  # fmt: skip


def test_a_name_without_a_number_is_number_one() -> None:
    assert DeliveryKey.parse("2022-03-31") == DeliveryKey(date(2022, 3, 31), 1)
    assert DeliveryKey.parse("2022-03-31-1") == DeliveryKey(date(2022, 3, 31), 1)
    assert DeliveryKey.parse("2022-03-31-12") == DeliveryKey(date(2022, 3, 31), 12)


@pytest.mark.parametrize(
    "name",
    ["2022-3-31", "2022-02-30", "2022-13-01", "2022-03-31-0", "2022-03-31-01", "2022-03-31-",
     "2022-03-31-2b", "31.3.2022", "20220331", "maaliskuu", "2022-03-31 ",
     "2022-03-31\n", "2022-03-31-2\n", "2022-03-31-1\u0662"],
)  # fmt: skip
def test_other_names_are_no_delivery(name: str) -> None:
    assert DeliveryKey.parse(name) is None


def test_deliveries_come_by_source_and_then_in_their_order(tmp_path: Path) -> None:
    for name in ("positions/2022-01-01", "feedback/2022-01-31-10", "feedback/2022-01-31-2"):
        put(tmp_path, f"{name}/a.csv")
    found = scan(tmp_path, {"feedback", "positions"})
    assert [delivery.delivery_id for delivery in found.deliveries] == [
        "feedback/2022-01-31-2",
        "feedback/2022-01-31-10",
        "positions/2022-01-01",
    ]
    assert found.strays == ()


@pytest.mark.parametrize(
    "path",
    ["feedback/2022-01-31/.a.csv", "feedback/2022-01-31/_a.csv", "feedback/2022-01-31/a.csv.part",
     "feedback/2022-01-31/_sub/a.csv", "feedback/2022-01-31/sub.part/a.csv",
     "feedback/.2022-02-28/a.csv", "feedback/_2022-02-28/a.csv", "feedback/2022-02-28.part/a.csv",
     "_feedback/2022-02-28/a.csv", ".git/config", "other.part/2022-01-31/a.csv"],
)  # fmt: skip
def test_what_is_still_arriving_is_left_alone(tmp_path: Path, path: str) -> None:
    put(tmp_path, "feedback/2022-01-31/done.csv")
    put(tmp_path, path)
    found = scan(tmp_path, {"feedback"})
    assert found.strays == ()
    assert [file.name for file in only(tmp_path).files] == ["done.csv"]


def test_what_is_no_delivery_is_reported_with_the_reason(tmp_path: Path) -> None:
    put(tmp_path, "README.md")
    put(tmp_path, "parkings/2022-01-31/a.csv")
    put(tmp_path, "feedback/loose.csv")
    put(tmp_path, "feedback/maaliskuu/a.csv")
    put(tmp_path, "feedback/2022-01-31/a.csv")
    found = scan(tmp_path, {"feedback"})
    assert [delivery.name for delivery in found.deliveries] == ["2022-01-31"]
    assert found.strays == (
        ("feedback/loose.csv", "a delivery is a folder named YYYY-MM-DD or YYYY-MM-DD-n"),
        ("feedback/maaliskuu", "a delivery is a folder named YYYY-MM-DD or YYYY-MM-DD-n"),
        ("parkings", "no source of this name: add ingest/specs/*.yml"),
    )


def test_an_absent_landing_folder_holds_nothing(tmp_path: Path) -> None:
    found = scan(tmp_path / "nowhere", {"feedback"})
    assert (found.deliveries, found.strays) == ((), ())


def test_files_in_subfolders_belong_to_the_delivery_and_the_sidecar_is_no_data(
    tmp_path: Path,
) -> None:
    put(tmp_path, "feedback/2022-01-31/b/2.csv", "two")
    put(tmp_path, "feedback/2022-01-31/a.csv", "one")
    put(tmp_path, "feedback/2022-01-31/delivery.yml", "table: '7'")
    delivery = only(tmp_path)
    assert [(file.name, file.size) for file in delivery.files] == [("a.csv", 3), ("b/2.csv", 3)]
    assert delivery.files[0].sha256 == hashlib.sha256(b"one").hexdigest()
    assert delivery.sidecar is not None
    assert delivery.sidecar.name == "delivery.yml"


def test_the_hash_of_a_delivery_depends_on_contents_and_not_on_names(tmp_path: Path) -> None:
    hashes = []
    for number, files in enumerate(
        [
            {"a.csv": "one", "b.csv": "two"},
            {"b.csv": "one", "a.csv": "two"},
            {"sub/x.csv": "two", "y.csv": "one"},
            {"a.csv": "one", "b.csv": "three"},
            {"a.csv": "one"},
            {"a.csv": "one", "b.csv": "one"},
            {"a.csv": "one", "b.csv": "two", "delivery.yml": "table: '7'"},
        ]
    ):
        root = tmp_path / str(number)
        for name, content in files.items():
            put(root, f"feedback/2022-01-31/{name}", content)
        hashes.append(only(root).content_hash)
    assert hashes[0] == hashes[1] == hashes[2]
    assert len(set(hashes)) == 5


def test_names_that_hold_an_identity_code_are_masked(tmp_path: Path) -> None:
    put(tmp_path, "feedback/2022-01-31/131052-308T.csv")
    put(tmp_path, "feedback/131052-308T/a.csv")
    put(tmp_path, "131052-308t/2022-01-31/a.csv")
    found = scan(tmp_path, {"feedback"})
    assert [file.name for file in found.deliveries[0].files] == ["******-****.csv"]
    assert [path for path, _ in found.strays] == ["******-****", "feedback/******-****"]


def test_masked_names_of_a_delivery_are_told_apart(tmp_path: Path) -> None:
    for name in ("131052-308T", "150352-308T"):
        put(tmp_path, f"feedback/2022-01-31/{name}/a.csv", name)
        put(tmp_path, f"feedback/2022-01-31/{name}.csv", name)
    put(tmp_path, "feedback/2022-01-31/******-**** (2).csv", "own")
    files = {file.name: file.path.read_text() for file in only(tmp_path).files}
    assert files == {
        "******-**** (2).csv": "own",
        "******-****/a.csv": "131052-308T",
        "******-****.csv": "131052-308T",
        "******-****/a (2).csv": "150352-308T",
        "******-**** (3).csv": "150352-308T",
    }


def test_names_that_are_not_utf8_are_escaped(tmp_path: Path) -> None:
    name = os.fsdecode("Töölö".encode("latin-1"))
    put(tmp_path, f"feedback/2022-01-31/{name}/a.csv")
    put(tmp_path, f"feedback/{name}/a.csv")
    put(tmp_path, f"{name}/2022-01-31/a.csv")
    found = scan(tmp_path, {"feedback"})
    shown = r"T\xf6\xf6l\xf6"
    assert [file.name for file in found.deliveries[0].files] == [f"{shown}/a.csv"]
    assert [path for path, _ in found.strays] == [shown, f"feedback/{shown}"]


# --- hashes kept from night to night --------------------------------------------------------------


class Large:
    """A landing folder with one file that counts as large, and what is read of it."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(landing_hashes, "LARGE", 10)
        digest = landing_hashes.file_digest
        self.read: list[str] = []

        def counted(path: Path) -> str:
            self.read.append(path.name)
            return digest(path)

        monkeypatch.setattr(landing_hashes, "file_digest", counted)
        self.root = root
        self.file = root / "landing" / "feedback" / "2022-01-31" / "131052-308T.csv"
        self.kept = root / "home" / "lake" / "landing_hashes.json"

    def write(self, text: str, *, settled: bool = True) -> None:
        put(self.root / "landing", "feedback/2022-01-31/131052-308T.csv", text)
        if settled:
            old = time.time() - 100
            os.utime(self.file, (old, old))

    def scan(self) -> tuple[str, list[str]]:
        """The file's hash, and the files read for it."""
        self.read.clear()
        found = scan(self.root / "landing", {"feedback"}, LandingHashes(self.kept))
        return found.deliveries[0].files[0].sha256, list(self.read)


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Large:
    # Times of change come from the file system, so waiting is what a test can do about them.
    monkeypatch.setattr(landing_hashes, "SETTLED_SECONDS", -1)
    return Large(tmp_path, monkeypatch)


def test_an_unchanged_large_file_is_hashed_once(large: Large) -> None:
    large.write("large enough")
    expected = hashlib.sha256(b"large enough").hexdigest()
    assert large.scan() == (expected, ["131052-308T.csv"])
    assert large.scan() == (expected, [])
    assert large.scan() == (expected, [])


def test_what_is_kept_names_no_file(large: Large) -> None:
    large.write("large enough")
    large.scan()
    assert "131052" not in large.kept.read_text(encoding="utf-8")


def test_a_changed_file_is_hashed_again_also_with_its_old_size_and_date(large: Large) -> None:
    large.write("large enough")
    state = large.file.stat()
    large.scan()
    large.file.write_text("LARGE ENOUGH", encoding="utf-8")
    os.utime(large.file, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert large.file.stat().st_mtime_ns == state.st_mtime_ns
    assert large.scan() == (hashlib.sha256(b"LARGE ENOUGH").hexdigest(), ["131052-308T.csv"])
    replaced = large.root / "other"
    replaced.write_text("large again!", encoding="utf-8")
    replaced.replace(large.file)
    assert large.scan() == (hashlib.sha256(b"large again!").hexdigest(), ["131052-308T.csv"])


def test_a_file_that_was_changed_a_moment_ago_is_not_remembered(
    large: Large, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing_hashes, "SETTLED_SECONDS", 2)
    large.write("large enough", settled=False)
    assert large.scan()[1] == large.scan()[1] == ["131052-308T.csv"]
    assert not large.kept.exists()


def test_a_file_with_an_old_date_that_arrived_a_moment_ago_is_not_remembered(
    large: Large, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing_hashes, "SETTLED_SECONDS", 2)
    large.write("large enough")
    assert large.scan()[1] == large.scan()[1] == ["131052-308T.csv"]


def test_small_files_and_files_that_are_gone_are_not_kept(large: Large) -> None:
    large.write("large enough")
    large.scan()
    assert len(json.loads(large.kept.read_text(encoding="utf-8"))) == 1
    large.write("small")
    assert large.scan()[1] == ["131052-308T.csv"]
    assert json.loads(large.kept.read_text(encoding="utf-8")) == {}
    assert large.scan()[1] == ["131052-308T.csv"]


@pytest.mark.parametrize("text", ["", "[1]", "{", "null", '"x"', "\x00"])
def test_what_was_kept_may_be_damaged(large: Large, text: str) -> None:
    large.write("large enough")
    large.kept.parent.mkdir(parents=True)
    large.kept.write_text(text, encoding="utf-8")
    expected = hashlib.sha256(b"large enough").hexdigest()
    assert large.scan() == (expected, ["131052-308T.csv"])
    assert large.scan() == (expected, [])
