"""What counts as a delivery, in which order, and by which hash."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest

from ingest.landing import Delivery, DeliveryKey, scan


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
     "2022-03-31-2b", "31.3.2022", "20220331", "maaliskuu", "2022-03-31 "],
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
