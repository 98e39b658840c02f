"""Ledger entries: the accounting closes, or there is no entry."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ingest.errors import Finding
from ingest.ledger import Ledger, LedgerEntry


def entry(name: str = "2022-01-31", source: str = "feedback", **values: Any) -> LedgerEntry:
    return LedgerEntry.model_validate(
        {
            "source": source,
            "name": name,
            "content_hash": "00",
            "files": [{"name": "a.csv", "sha256": "00", "size": 1}],
            "spec_version": "v1",
            "outcome": "loaded",
            "rows_in": 10,
            "rows_loaded": 10,
            "ingested_at": datetime(2022, 2, 1, 2, 30, tzinfo=UTC),
            **values,
        }
    )


@pytest.mark.parametrize(
    "counts",
    [
        {"rows_loaded": 7, "rows_duplicate": 2, "rows_quarantined": 1},
        {"outcome": "refused", "rows_loaded": 0, "rows_quarantined": 4, "rows_refused": 6},
        {"outcome": "duplicate", "rows_loaded": 0, "rows_duplicate": 10},
        {"outcome": "refused", "rows_in": None, "rows_loaded": 0, "rows_refused": None},
    ],
)
def test_an_entry_that_closes_is_accepted(counts: dict[str, Any]) -> None:
    assert entry(**counts).rows_in == counts.get("rows_in", 10)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"rows_loaded": 9}, "9 rows are accounted for, 10 came in"),
        ({"rows_loaded": 11}, "11 rows are accounted for, 10 came in"),
        ({"rows_quarantined": 1}, "11 rows are accounted for, 10 came in"),
        ({"rows_duplicate": 1}, "11 rows are accounted for, 10 came in"),
        ({"rows_refused": 1}, "11 rows are accounted for, 10 came in"),
        ({"rows_in": None}, "an unreadable delivery is refused, with rows unknown"),
        (
            {"rows_in": None, "rows_refused": None},
            "an unreadable delivery is refused, with rows unknown",
        ),
        (
            {"rows_in": None, "outcome": "refused", "rows_refused": 0},
            "an unreadable delivery is refused, with rows unknown",
        ),
    ],
)
def test_an_entry_that_does_not_close_is_refused(counts: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        entry(**counts)


def test_an_unreadable_delivery_has_no_rows_of_any_kind() -> None:
    with pytest.raises(ValidationError):
        entry(outcome="refused", rows_in=None, rows_refused=None, rows_loaded=10)


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        entry(colour="red")


def test_what_is_recorded_is_there_after_a_restart(tmp_path: Path) -> None:
    recorded = entry(findings=[vars(Finding("x", "info", "Päihdetyö", "nothing", "ARVO", 1))])
    Ledger(tmp_path).record(recorded)
    assert list(Ledger(tmp_path)) == [recorded]
    assert Ledger(tmp_path).get("feedback/2022-01-31") == recorded
    assert Ledger(tmp_path).get("feedback/2022-02-28") is None


def test_an_entry_recorded_again_replaces_the_one_before(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.record(entry())
    ledger.record(entry(spec_version="v2"))
    assert [item.spec_version for item in Ledger(tmp_path)] == ["v2"]
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["2022-01-31.json"]


def test_a_half_written_entry_of_a_crash_is_not_read(tmp_path: Path) -> None:
    Ledger(tmp_path).record(entry())
    (tmp_path / "feedback" / ".2022-02-28.json.tmp").write_text('{"source": "feed')
    assert [item.name for item in Ledger(tmp_path)] == ["2022-01-31"]


def test_entries_come_by_source_and_then_in_the_order_of_deliveries(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    for source, name in [
        ("positions", "2021-01-01"),
        ("feedback", "2022-01-31-10"),
        ("feedback", "2022-01-31-2"),
        ("feedback", "2022-01-31"),
    ]:
        ledger.record(entry(name, source))
    expected = ["feedback/2022-01-31", "feedback/2022-01-31-2", "feedback/2022-01-31-10",
                "positions/2021-01-01"]  # fmt: skip
    assert [item.delivery_id for item in ledger] == expected
    assert [item.delivery_id for item in Ledger(tmp_path)] == expected


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (None, "feedback/2022-01-31: refused: a.csv is empty (rows unknown). Fix: send it again"),
        (0, "feedback/2022-01-31: refused: a.csv is empty (0 rows). Fix: send it again"),
        (1, "feedback/2022-01-31: refused: a.csv is empty (1 row). Fix: send it again"),
        (2, "feedback/2022-01-31: refused: a.csv is empty (2 rows). Fix: send it again"),
    ],
)
def test_a_finding_is_one_line_that_ends_in_the_fix(rows: int | None, text: str) -> None:
    finding = Finding("empty_file", "refused", "a.csv is empty", "send it again", None, rows)
    assert finding.text("feedback/2022-01-31") == text
    assert entry(findings=[vars(finding)]).findings[0].text("feedback/2022-01-31") == text
