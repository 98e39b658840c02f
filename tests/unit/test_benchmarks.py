from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb

from benchmarks import floor
from benchmarks.project import suite
from benchmarks.report import Result, Taken, growth, merged, plot, stages, table
from sotedw.generate import GenerateOptions, Shares, generate
from tests.reference import access

GB = 1_000_000_000
AS_OF = date(2023, 1, 1)
SEEDS = Path(__file__).parents[2] / "seeds" / "access"

#: Hash of `floor.py` by its version: it is frozen, and a change of it is a new version.
FROZEN = {1: "2624e7f4ffecab2571416b75d20142a4281e789f08efb20ec81ac50e20e643d6"}


def taken(seconds: float, peak: float, written: float) -> Taken:
    return Taken(seconds, round(peak * GB), round(written * GB))


INGEST = Result(20_000_000, 19_980_000, "ingest", taken(58.04, 3.1, 0.9), taken(40.0, 1.5, 0.61))
BUILD = Result(
    20_000_000,
    19_980_000,
    "build",
    taken(400.0, 8.4, 9.0),
    taken(250.0, 9.0, 2.5),
    {"ingest": 60.0, "models": 200.0},
)
DELTAS = [
    Result(10_000_000, 20_000, "delta", taken(20.0, 2.0, 1.0), stages={"ingest": 2.0}),
    Result(20_000_000, 20_000, "delta", taken(25.0, 3.0, 1.5), stages={"release": 6.0}),
]


def test_the_floor_counts_what_the_reference_counts(tmp_path: Path) -> None:
    generate(
        GenerateOptions(out=tmp_path / "landing", events=2_000, deliveries=2, shares=Shares(bad=0))
    )

    floor.full(tmp_path / "landing", tmp_path / "floor", AS_OF)

    counted = duckdb.sql(
        "select measure_code, month_start_date, unit_id, met_count, missed_count, pending_count,"
        f" excluded_count from '{tmp_path}/floor/rates.parquet' where is_city"
    ).fetchall()
    folders = sorted((tmp_path / "landing" / "care_events").iterdir())
    parameters = access.Parameters(
        licences=access.licence_table(SEEDS / "licences.csv"),
        professions=access.profession_table(SEEDS / "professions.csv"),
    )
    cases = access.needs(access.newest(access.read_records(folders)), AS_OF, parameters)
    expected = [
        (row.measure_code, row.period_start, None, *counts)
        for row in access.access_measures(cases, AS_OF, parameters=parameters)
        if (row.period_grain, row.scope_type) == ("month", "city")
        and any(counts := (row.met_count, row.missed_count, row.pending_count, row.excluded_count))
    ]
    assert {row[0] for row in counted} == set(access.MEASURES)
    assert sorted(counted) == sorted(expected)


def test_the_floor_copies_every_row_with_its_times_in_utc(tmp_path: Path) -> None:
    folder = tmp_path / "landing" / "care_events" / "2021-07-02"
    folder.mkdir(parents=True)
    headers = [header for header, _, _ in floor._COLUMNS]
    row = dict.fromkeys(headers, "") | {
        "TAPAHTUMA_TUNNUS": "A1",
        "SEURANTATIETUE_PAIVITETTY": "01.07.2021 09:00:30",
        "KAYNTI_ALKOI": "01.01.2021 00:30",
    }
    unreadable = row | {"TAPAHTUMA_TUNNUS": "A2", "KAYNTI_ALKOI": "klo 9"}
    lines = [headers, list(row.values()), list(unreadable.values())]
    (folder / "events.csv").write_text("".join(";".join(line) + "\n" for line in lines))

    assert floor.ingest(tmp_path / "landing", tmp_path / "floor") == 1

    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        found = connection.execute(
            "select record_id, strftime(record_updated_at, '%x %X'), strftime(started_at, '%x %X')"
            f" from '{tmp_path}/floor/events.parquet'"
        ).fetchall()
    assert found == [("A1", "2021-07-01 06:00:30", "2020-12-31 22:30:00")]


def test_the_floor_is_frozen() -> None:
    content = Path(floor.__file__).read_bytes()

    assert hashlib.sha256(content).hexdigest() == FROZEN[floor.VERSION], (
        "the floor is frozen: put it back, or add a version beside it"
    )


def test_results_are_one_table() -> None:
    small = Result(2_000_000, 1_980_000, "build", taken(60.0, 1.0, 0.5), taken(20.0, 1.0, 0.25))
    unchanged = Result(20_000_000, 0, "unchanged", taken(5.4, 0.1, 0.0))
    checks = Result(20_000_000, 19_900_000, "checks", taken(4.96, 2.0, 0.0))

    assert table([checks, unchanged, *DELTAS, BUILD, INGEST, small]) == (
        "| Events | Phase | Floor, s | Project, s | Ratio | Bar"
        " | Peak memory, GB (floor / project) | Written, GB (floor / project) |\n"
        "| ---: | --- | ---: | ---: | ---: | --- | ---: | ---: |\n"
        "| 2 000 000 | build | 20.0 | 60.0 | 3.00 |  | 1.00 / 1.00 | 0.25 / 0.50 |\n"
        "| 10 000 000 | delta |  | 20.0 |  |  | 2.00 | 1.00 |\n"
        "| 20 000 000 | ingest | 40.0 | 58.0 | 1.45 | ≤ 1.6 × floor: kept"
        " | 1.50 / 3.10 | 0.61 / 0.90 |\n"
        "| 20 000 000 | build | 250.0 | 400.0 | 1.60 | ≤ 1.6 × floor, ≤ 8 GB: missed"
        " | 9.00 / 8.40 | 2.50 / 9.00 |\n"
        "| 20 000 000 | delta |  | 25.0 |  | ≤ 30 s: kept | 3.00 | 1.50 |\n"
        "| 20 000 000 | unchanged |  | 5.4 |  | ≤ 5 s: missed | 0.10 | 0.00 |\n"
        "| 20 000 000 | checks |  | 5.0 |  | ≤ 5 s: kept | 2.00 | 0.00 |"
    )


def test_growth_is_told_where_one_history_is_twice_another() -> None:
    assert growth(DELTAS) == (
        "## When the history doubles\n\n"
        "- From 10 000 000 to 20 000 000 events a delta takes 1.25 times as long"
        " (≤ 1.2: missed).\n\n"
    )
    assert growth(DELTAS[:1]) == ""
    # Seconds of two days do not compare.
    assert growth([replace(DELTAS[0], measured_on="2022-12-31"), DELTAS[1]]) == ""


def test_stages_stand_beside_each_other_and_may_be_missing() -> None:
    assert stages([BUILD, *DELTAS]) == (
        "| Events | Phase | ingest | models | release |\n"
        "| ---: | --- | ---: | ---: | ---: |\n"
        "| 10 000 000 | delta | 2.0 |  |  |\n"
        "| 20 000 000 | build | 60.0 | 200.0 |  |\n"
        "| 20 000 000 | delta |  |  | 6.0 |"
    )


def test_a_new_result_takes_the_place_of_the_old_one() -> None:
    again = Result(20_000_000, 1, "ingest", taken(50.0, 1, 1), taken(40.0, 1, 1))

    assert merged([INGEST, BUILD], [again, DELTAS[0]]) == [DELTAS[0], again, BUILD]
    assert [Result.of(result.record()) for result in (BUILD, *DELTAS)] == [BUILD, *DELTAS]


def test_the_picture_has_two_bars_and_a_budget_for_each_pair() -> None:
    drawn = plot([INGEST, BUILD, *DELTAS])

    assert drawn.count('class="number"') == 4
    assert "build, 20 million" in drawn
    assert drawn.count("<line") == 3  # the legend's too


def test_forty_checks_are_measured() -> None:
    assert len(suite().checks) == 40
