"""Deliveries over time: twins, restatements, changes in place, new specs, crashes, late ones."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ingest import pipeline
from ingest.ledger import Ledger
from ingest.spec import SPEC_FOLDER, load_specs

if TYPE_CHECKING:
    from tests.conftest import Home

FIRST = "output_statistics/2022-01-31"
SECOND = "output_statistics/2022-02-28"
THIRD = "output_statistics/2022-03-31"
HEADER = "SUORITE;JAKSO;ARVO\n"
#: Twelve good rows and a bad one.
YEAR = HEADER + "".join(f"Päihdetyö;2020-{n:02};{n}\n" for n in range(1, 13)) + "Päihdetyö;2019;x\n"


def figures(value: int) -> dict[str, str | bytes]:
    return {"a.csv": f"{HEADER}Päihdetyö;2021;{value}\n"}


def newest(home: Home) -> list[tuple[Any, ...]]:
    """The values of 2021 with their deliveries, in the order in which they restate one another."""
    return home.query(
        """
        select delivery_id, value
        from lake.output_statistics
        left join lake.deliveries using (delivery_id)
        order by delivery_date, delivery_number, delivery_id
        """
    )


def outcomes(home: Home) -> dict[str, str]:
    return {entry.name: entry.outcome for entry in home.ledger}


# --- again and again ------------------------------------------------------------------------------


def test_a_second_run_does_nothing(home: Home) -> None:
    home.deliver(FIRST, {"a.csv": YEAR})
    home.deliver(SECOND, {"a.csv": ""})
    home.deliver(THIRD, {"a.csv": YEAR})
    assert not home.is_current()
    assert len(home.ingest()) == 3
    assert home.is_current()
    files = {path: path.stat().st_mtime_ns for path in home.lake.root.rglob("*")}
    assert home.ingest() == {}
    assert {path: path.stat().st_mtime_ns for path in home.lake.root.rglob("*")} == files


def test_the_same_delivery_twice_is_a_duplicate(home: Home) -> None:
    home.deliver(FIRST, {"a.csv": YEAR})
    home.deliver(SECOND, {"renamed.csv": YEAR})
    home.ingest()
    entry = home.entry(SECOND)
    assert (entry.outcome, entry.rows_in, entry.rows_duplicate) == ("duplicate", 13, 13)
    assert (entry.rows_loaded, entry.rows_quarantined, entry.rows_refused) == (0, 0, 0)
    assert home.texts(SECOND) == [
        (
            "output_statistics/2022-02-28: warning: the content equals that of"
            " output_statistics/2022-01-31 (13 rows)."
            " Fix: nothing, unless other figures were meant to be sent"
        )
    ]
    assert home.query("select distinct delivery_id from lake.output_statistics") == [(FIRST,)]


def test_a_third_delivery_of_the_same_content_is_a_duplicate_too(home: Home) -> None:
    for delivery_id in (FIRST, SECOND, THIRD):
        home.deliver(delivery_id, figures(1))
    home.ingest()
    assert list(outcomes(home).values()) == ["loaded", "duplicate", "duplicate"]


def test_the_twin_of_a_refused_delivery_is_refused_and_not_a_duplicate(home: Home) -> None:
    home.deliver(FIRST, {"a.csv": "SUORITE\nx\n"})
    home.deliver(SECOND, {"a.csv": "SUORITE\nx\n"})
    home.ingest()
    assert list(outcomes(home).values()) == ["refused", "refused"]


def test_a_refused_delivery_between_twins_does_not_part_them(home: Home) -> None:
    home.deliver(FIRST, figures(1))
    home.deliver(SECOND, {"a.csv": ""})
    home.deliver(THIRD, figures(1))
    home.ingest()
    assert list(outcomes(home).values()) == ["loaded", "refused", "duplicate"]


def test_the_same_content_in_two_sources_is_no_duplicate(home: Home) -> None:
    home.deliver(FIRST, {"a.csv": "x"})
    home.deliver("shortfall/2022-02-28", {"a.csv": "x"})
    home.ingest()
    assert [entry.outcome for entry in home.ledger] == ["refused", "refused"]


def test_a_value_restated_and_restated_back_is_loaded_three_times(home: Home) -> None:
    home.deliver(FIRST, figures(1))
    home.deliver(SECOND, figures(2))
    home.deliver(THIRD, figures(1))
    home.ingest()
    assert newest(home) == [(FIRST, 1), (SECOND, 2), (THIRD, 1)]


def test_deliveries_of_one_day_restate_by_number_and_not_by_name(home: Home) -> None:
    for number, value in (("-10", 10), ("-2", 2), ("", 1)):
        home.deliver(f"{FIRST}{number}", figures(value))
    home.ingest()
    assert [value for _, value in newest(home)] == [1, 2, 10]


# --- late arrivals --------------------------------------------------------------------------------


def test_a_late_delivery_between_twins_makes_the_second_a_restatement(home: Home) -> None:
    home.deliver(FIRST, figures(1))
    home.deliver(THIRD, figures(1))
    home.ingest()
    assert outcomes(home)["2022-03-31"] == "duplicate"
    home.deliver(SECOND, figures(2))
    assert set(home.ingest()) == {SECOND, THIRD}
    assert newest(home) == [(FIRST, 1), (SECOND, 2), (THIRD, 1)]
    assert home.texts(THIRD) == []


def test_a_late_twin_before_a_loaded_delivery_takes_its_place(home: Home) -> None:
    home.deliver(SECOND, figures(1))
    home.ingest()
    home.deliver(FIRST, figures(1))
    home.ingest()
    assert outcomes(home) == {"2022-01-31": "loaded", "2022-02-28": "duplicate"}
    assert newest(home) == [(FIRST, 1)]


def test_quarantined_rows_of_a_delivery_that_becomes_a_duplicate_are_gone(home: Home) -> None:
    home.deliver(SECOND, {"a.csv": YEAR})
    home.ingest()
    assert len(home.rejects(SECOND)) == 1
    home.deliver(FIRST, {"a.csv": YEAR})
    home.ingest()
    assert len(home.rejects(FIRST)) == 1
    assert home.entry(SECOND).rows_quarantined == 0
    assert home.rejects(SECOND) == []


def test_a_delivery_cleared_from_landing_keeps_its_rows_and_the_ones_after_it(home: Home) -> None:
    home.deliver(FIRST, figures(1))
    home.deliver(SECOND, figures(2))
    home.deliver(THIRD, figures(1))
    home.ingest()
    home.withdraw(SECOND)
    home.ingest()
    assert newest(home) == [(FIRST, 1), (SECOND, 2), (THIRD, 1)]


# --- changes in place -----------------------------------------------------------------------------


def test_a_delivery_changed_after_loading_is_refused_and_its_rows_stand(home: Home) -> None:
    home.deliver(FIRST, figures(1))
    home.ingest()
    home.deliver(FIRST, figures(2))
    assert not home.is_current()
    home.ingest()
    entry = home.entry(FIRST)
    assert (entry.outcome, entry.rows_in, entry.rows_loaded) == ("loaded", 1, 1)
    assert newest(home) == [(FIRST, 1)]
    assert home.texts(FIRST) == [
        (
            "output_statistics/2022-01-31: refused: a.csv changed after the delivery was loaded;"
            " the loaded rows stand (1 row)."
            " Fix: put the old files back, and send the new figures as 2022-01-31-2"
        )
    ]
    assert home.is_current()
    assert home.ingest() == {}


def test_a_second_change_is_told_anew_and_once(home: Home) -> None:
    home.deliver(FIRST, figures(1))
    home.ingest()
    home.deliver(FIRST, figures(2))
    home.ingest()
    home.deliver(FIRST, {**figures(1), "b.csv": "new"})
    home.ingest()
    assert home.texts(FIRST) == [
        (
            "output_statistics/2022-01-31: refused: b.csv changed after the delivery was loaded;"
            " the loaded rows stand (1 row)."
            " Fix: put the old files back, and send the new figures as 2022-01-31-2"
        )
    ]


def test_the_entry_is_restored_when_the_change_is_taken_back(home: Home) -> None:
    home.deliver(FIRST, {"a.csv": YEAR})
    home.ingest()
    before = home.entry(FIRST)
    home.deliver(FIRST, figures(2))
    home.ingest()
    home.deliver(FIRST, {"a.csv": YEAR})
    assert not home.is_current()
    home.ingest()
    assert home.entry(FIRST) == before
    assert home.is_current()


def test_a_changed_delivery_is_still_the_predecessor_with_its_loaded_content(home: Home) -> None:
    home.deliver(FIRST, figures(1))
    home.ingest()
    home.deliver(FIRST, figures(2))
    home.deliver(SECOND, figures(2))
    home.ingest()
    assert newest(home) == [(FIRST, 1), (SECOND, 2)]


def test_a_changed_duplicate_does_not_claim_that_rows_were_loaded(home: Home) -> None:
    home.deliver(FIRST, figures(1))
    home.deliver(SECOND, figures(1))
    home.ingest()
    home.deliver(SECOND, figures(2))
    home.ingest()
    # Either the new figures are loaded, as nothing stood under this name, or the text says so.
    assert newest(home) == [(FIRST, 1), (SECOND, 2)] or not any(
        "the loaded rows stand" in text for text in home.texts(SECOND)
    )


def test_the_name_proposed_for_changed_figures_is_not_taken(home: Home) -> None:
    home.deliver(FIRST, figures(1))
    home.deliver(f"{FIRST}-2", figures(2))
    home.ingest()
    home.deliver(FIRST, figures(3))
    home.ingest()
    assert home.texts(FIRST)[0].endswith("send the new figures as 2022-01-31-3")


# --- changed specs --------------------------------------------------------------------------------


def with_spec(
    home: Home, monkeypatch: pytest.MonkeyPatch, folder: Path, old: str, new: str
) -> None:
    """Let the home run with a changed spec of output_statistics."""
    shutil.copytree(SPEC_FOLDER, folder)
    path = folder / "output_statistics.yml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    monkeypatch.setattr(pipeline, "SPEC_FOLDER", folder)
    home.specs = load_specs(folder)


NEW_COLUMN = ("forms:\n", "  audit_note:\n    headers: [TARKASTUS]\n    optional: true\nforms:\n")


def test_a_changed_spec_loads_its_deliveries_again_and_no_others(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finance = "service_entity_finance/2022-01-31"
    home.deliver(FIRST, {"a.csv": HEADER + "Päihdetyö;2021;1\nPäihdetyö;2020;x\n"})
    home.deliver(SECOND, {"a.csv": HEADER + "Päihdetyö;2021;1\nPäihdetyö;2020;x\n"})
    home.deliver(finance, {"a.csv": "x"})
    home.ingest()
    assert outcomes(home)["2022-01-31"] == "refused"
    before = home.entry(FIRST).spec_version
    with_spec(
        home, monkeypatch, tmp_path / "specs", "owner: outputs-steward",
        "owner: outputs-steward\nmax_bad_share: 0.5",
    )  # fmt: skip
    assert not home.is_current()
    assert set(home.ingest()) == {FIRST, SECOND}
    assert home.entry(FIRST).spec_version != before
    assert (home.entry(FIRST).outcome, home.entry(SECOND).outcome) == ("loaded", "duplicate")
    assert newest(home) == [(FIRST, 1)]
    assert home.is_current()


def test_a_column_added_to_a_spec_is_there_for_old_deliveries_too(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.deliver(FIRST, figures(1))
    home.ingest()
    with_spec(home, monkeypatch, tmp_path / "specs", *NEW_COLUMN)
    home.deliver(SECOND, {"a.csv": "SUORITE;JAKSO;ARVO;TARKASTUS\nPäihdetyö;2021;2;ok\n"})
    home.ingest()
    assert home.query("select delivery_id, audit_note from lake.output_statistics order by 1") == [
        (FIRST, None),
        (SECOND, "ok"),
    ]


@pytest.mark.parametrize("left", ["changed in place", "cleared from landing"])
def test_a_column_added_to_a_spec_does_not_break_rows_that_cannot_be_loaded_again(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    home.deliver(FIRST, figures(1))
    home.ingest()
    if left == "changed in place":
        home.deliver(FIRST, figures(2))
        home.ingest()
    else:
        home.withdraw(FIRST)
    with_spec(home, monkeypatch, tmp_path / "specs", *NEW_COLUMN)
    home.deliver(SECOND, {"a.csv": "SUORITE;JAKSO;ARVO;TARKASTUS\nPäihdetyö;2021;3;ok\n"})
    home.ingest()
    assert home.query(
        "select delivery_id, value, audit_note from lake.output_statistics order by 1"
    ) == [(FIRST, 1, None), (SECOND, 3, "ok")]


# --- crashes --------------------------------------------------------------------------------------


def test_a_crash_before_the_ledger_leaves_nothing_to_see_and_the_next_run_loads(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.deliver(FIRST, {"a.csv": YEAR})

    def crash(*_: Any) -> None:
        raise OSError("the disk is gone")

    with monkeypatch.context() as broken:
        broken.setattr(Ledger, "record", crash)
        with pytest.raises(OSError, match="the disk is gone"):
            home.ingest()
    assert list(home.lake.raw.rglob("*.parquet"))
    assert home.query("select count(*) from lake.output_statistics") == [(0,)]
    assert home.query("select count(*) from lake.deliveries") == [(0,)]
    assert not home.is_current()
    assert home.ingest()[FIRST].rows_loaded == 12
    assert home.query("select count(*) from lake.output_statistics") == [(12,)]
    assert len(home.rejects(FIRST)) == 1


def test_a_crash_in_the_second_delivery_keeps_the_first(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.deliver(FIRST, figures(1))
    home.deliver(SECOND, figures(2))
    record = Ledger.record

    def crash_on_second(ledger: Ledger, entry: Any) -> None:
        if entry.delivery_id == SECOND:
            raise OSError("the disk is gone")
        record(ledger, entry)

    with monkeypatch.context() as broken:
        broken.setattr(Ledger, "record", crash_on_second)
        with pytest.raises(OSError, match="the disk is gone"):
            home.ingest()
    assert newest(home) == [(FIRST, 1)]
    assert set(home.ingest()) == {SECOND}
    assert newest(home) == [(FIRST, 1), (SECOND, 2)]


def test_what_a_crash_left_half_written_is_cleared_by_the_next_run(home: Home) -> None:
    folder = home.lake.raw / "output_statistics"
    leftover = folder / ".delivery=2022-01-31.tmp"
    leftover.mkdir(parents=True)
    (leftover / "part-0.parquet").write_bytes(b"PAR1")
    home.deliver(FIRST, figures(1))
    home.ingest()
    assert [path.name for path in folder.iterdir()] == ["delivery=2022-01-31"]
    assert newest(home) == [(FIRST, 1)]
