from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.reference import access, scenarios
from tests.reference.access import (
    DENTAL,
    FIRST_CONTACT,
    MEASURES,
    NON_URGENT,
    URGENT,
    WAIT_MEASURES,
    Need,
    Record,
    Unit,
)
from tests.reference.scenarios import GROUPS, Group, Scenario, record, visit


def records_of(rows: list[scenarios.Row]) -> list[Record]:
    return [access.record_of(row, row["delivery"]) for row in rows]


def check(scenario: Scenario, current: list[Record], as_of: date) -> None:
    """Compare what comes of a scenario's records with what was worked out by hand."""
    cases = {case.care_need_id: case for case in access.needs(current, as_of)}
    assert sorted(cases) == sorted(scenario.needs)
    for need_id, expected in scenario.needs.items():
        row = cases[need_id].row()
        assert {name: row[name] for name in expected} == expected, need_id

    if scenario.visits is not None:
        seen = {row.record_id: row for row in access.visits(current, as_of)}
        assert sorted(seen) == sorted(scenario.visits)
        for record_id, expected in scenario.visits.items():
            actual = {name: getattr(seen[record_id], name) for name in expected}
            assert actual == expected, record_id

    own = list(cases.values())
    rows = {
        (row.measure_code, row.period_grain, row.period_start): row
        for row in access.access_measures(own, as_of)
        if (row.scope_type, row.scope_id) == ("unit", scenario.unit_id)
    }
    for key, expected in scenario.measures.items():
        actual = {name: getattr(rows[key], name) for name in expected}
        assert actual == pytest.approx(expected, abs=1e-6), key

    excluded = {
        (row.measure_code, row.period_grain, row.period_start, row.reason): row.excluded_count
        for row in access.exclusions(own, as_of)
        if row.scope_type == "unit"
    }
    for reason_key, count in scenario.exclusions.items():
        assert excluded[reason_key] == count, reason_key

    waited = {
        (row.measure_code, row.period_grain, row.period_start, row.wait_days): row.need_count
        for row in access.distribution(own, as_of)
        if row.scope_type == "unit"
    }
    told = {key[:3] for key in scenario.waits}
    assert {key: waited[key] for key in waited if key[:3] in told} == dict(scenario.waits)


@pytest.mark.parametrize(
    ("group", "scenario"),
    [
        pytest.param(group, scenario, id=scenario.name)
        for group in GROUPS
        for scenario in group.scenarios
    ],
)
def test_a_scenario_gives_what_was_worked_out_by_hand(group: Group, scenario: Scenario) -> None:
    check(scenario, access.newest(records_of(list(scenario.rows))), group.as_of)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: str(group.as_of))
def test_all_scenarios_delivered_together_leave_one_another_alone(
    group: Group, tmp_path: Path
) -> None:
    for folder, text in scenarios.deliveries(group.scenarios).items():
        path = tmp_path / folder / "tapahtumat.csv"
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8")
    current = access.newest(access.read_records(tmp_path.iterdir(), as_of=group.as_of))
    cases = {case.care_need_id: case.row() for case in access.needs(current, group.as_of)}
    told = {key: value for each in group.scenarios for key, value in each.needs.items()}
    assert sorted(cases) == sorted(told)
    for need_id, expected in told.items():
        assert {name: cases[need_id][name] for name in expected} == expected, need_id


def test_scenarios_share_no_record_need_client_or_unit() -> None:
    owners: dict[tuple[str, str], set[str]] = defaultdict(set)
    for group in GROUPS:
        for scenario in group.scenarios:
            for row in scenario.rows:
                for name in ("record_id", "care_need_id", "unit_id"):
                    if row[name]:
                        owners[name, row[name]].add(scenario.name)
                if access.birth_date(row["client_id"]) is None and row["client_id"]:
                    owners["client_id", row["client_id"].upper()].add(scenario.name)
    assert {key: names for key, names in owners.items() if len(names) > 1} == {}


# --- time ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("delivered", "utc", "local"),
    [
        ("02.01.2024 08:15", "2024-01-02T06:15", "2024-01-02"),
        ("2.1.2024 8:15:30", "2024-01-02T06:15:30", "2024-01-02"),
        ("02.06.2024 00:30", "2024-06-01T21:30", "2024-06-02"),
        ("2024-06-02T00:30", "2024-06-01T21:30", "2024-06-02"),
        ("2024-06-02 00:30:00", "2024-06-01T21:30", "2024-06-02"),
        ("2023-06-01T22:30:00Z", "2023-06-01T22:30", "2023-06-02"),
        ("2023-06-03T01:00:00+05:00", "2023-06-02T20:00", "2023-06-02"),
        ("26.03.2023 02:59", "2023-03-26T00:59", "2023-03-26"),
        ("26.03.2023 03:30", "2023-03-26T01:30", "2023-03-26"),
        ("26.03.2023 04:30", "2023-03-26T01:30", "2023-03-26"),
        ("29.10.2023 02:59", "2023-10-28T23:59", "2023-10-29"),
        ("29.10.2023 03:30", "2023-10-29T00:30", "2023-10-29"),
        ("2023-10-29T03:30+02:00", "2023-10-29T01:30", "2023-10-29"),
        ("29.10.2023 04:00", "2023-10-29T02:00", "2023-10-29"),
    ],
)
def test_a_delivered_time_becomes_utc_and_keeps_its_local_date(
    delivered: str, utc: str, local: str
) -> None:
    at = access.utc_time(delivered)
    assert at == datetime.fromisoformat(utc)
    assert access.local_date(at) == date.fromisoformat(local)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2023-11-30", 3, "2024-02-29"),
        ("2022-11-30", 3, "2023-02-28"),
        ("2023-08-31", 6, "2024-02-29"),
        ("2023-09-01", 4, "2024-01-01"),
        ("2024-01-31", -11, "2023-02-28"),
        ("2024-12-01", -11, "2024-01-01"),
        ("2024-05-15", 0, "2024-05-15"),
    ],
)
def test_months_later_is_the_same_day_or_the_last_of_the_month(
    start: str, months: int, end: str
) -> None:
    assert access.add_months(date.fromisoformat(start), months) == date.fromisoformat(end)


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        ("2002-01-02", "2025-01-01", 22),
        ("2002-01-02", "2025-01-02", 23),
        ("2004-02-29", "2025-02-28", 20),
        ("2004-02-29", "2025-03-01", 21),
        ("2025-01-02", "2025-01-01", None),
    ],
)
def test_age_is_in_whole_years(born: str, day: str, age: int | None) -> None:
    assert access.age_on(date.fromisoformat(born), date.fromisoformat(day)) == age


@pytest.mark.parametrize(
    ("client_id", "born"),
    [
        (scenarios.identity_code(date(2002, 1, 4), "901"), date(2002, 1, 4)),
        (scenarios.identity_code(date(1985, 1, 2), "904"), date(1985, 1, 2)),
        # 131052 and 900 give 131052900 = 31 * 4227512 + 28, which is W.
        ("131052-900W", date(1952, 10, 13)),
        ("131052Y900W", date(1952, 10, 13)),
        ("131052+900W", date(1852, 10, 13)),
        ("131052F900W", date(2052, 10, 13)),
        ("131052-900X", None),
        ("131052Z900W", None),
        ("A-1", None),
    ],
)
def test_a_date_of_birth_is_read_only_from_an_identity_code(
    client_id: str, born: date | None
) -> None:
    assert access.birth_date(client_id) == born


# --- reading ---------------------------------------------------------------------------------


def test_reading_takes_finnish_and_english_headers_semicolons_and_commas(tmp_path: Path) -> None:
    (tmp_path / "2024-02-10-2").mkdir()
    (tmp_path / "2024-02-10-2" / "a.csv").write_bytes(
        "tapahtuma_tunnus;ASIAKAS_TUNNUS;TUOTTAMISTAPA;LISATIETO\n"
        "1; ab 1 ;osto;hyvää päivää\n\n".encode("latin-1")
    )
    (tmp_path / "2024-02-10-2" / "b.csv").write_text("record_id,started_at\n2,01.02.2024 10:00\n")
    (tmp_path / "2024-03-02").mkdir()
    (tmp_path / "2024-03-02" / "a.csv").write_text("record_id\n3\n")
    folders = sorted(tmp_path.iterdir())
    first, second = access.read_records(folders, as_of=date(2024, 3, 1), client=str.lower)
    assert (first.record_id, first.client_pseudonym, first.producer_type) == (
        "1",
        "ab1",
        "purchased",
    )
    assert (first.delivery_date, first.delivery_number) == (date(2024, 2, 10), 2)
    assert second.started_at == datetime.fromisoformat("2024-02-01T08:00")


def test_reading_leaves_out_the_rows_that_the_caller_calls_bad(tmp_path: Path) -> None:
    (tmp_path / "2024-02-10").mkdir()
    (tmp_path / "2024-02-10" / "a.csv").write_text("record_id\n1\n2\n3\n")
    kept = access.read_records(
        [tmp_path / "2024-02-10"],
        is_bad=lambda place, row: place.row == 1 or row["record_id"] == "3",
    )
    assert [each.record_id for each in kept] == ["2"]


# --- shares ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [
        # Wilson (1927) by hand, z = 1.96: 0 of 10 is z²/(10 + z²) at most, 10 of 10 its mirror.
        (0, 10, 0.0, 0.277533),
        (10, 10, 0.722467, 1.0),
        (5, 10, 0.236593, 0.763407),
        (3, 4, 0.300642, 0.954413),
        (1, 1, 0.206549, 1.0),
        (750, 1000, 0.722239, 0.775847),
    ],
)
def test_the_interval_is_wilsons(part: int, whole: int, low: float, high: float) -> None:
    assert access.wilson(part, whole) == pytest.approx((low, high), abs=1e-6)


def test_the_bounds_are_the_shares_that_a_score_test_just_does_not_reject() -> None:
    for part, whole in ((1, 2), (3, 4), (7, 9), (70, 100), (1, 1000)):
        rate = part / whole
        for bound in access.wilson(part, whole):
            assert bound is not None
            error = (bound * (1 - bound) / whole) ** 0.5
            assert abs(rate - bound) == pytest.approx(1.959963984540054 * error)


def test_a_share_of_nothing_is_none() -> None:
    assert access.share(0, 0) is None
    assert access.wilson(0, 0) == (None, None)


def test_a_target_is_compared_with_the_unrounded_rate() -> None:
    def of(met: int, missed: int) -> str:
        cases = [
            Need(f"{n}", start_date=date(2024, 1, 1), states={FIRST_CONTACT: state})
            for n, state in enumerate(["met"] * met + ["missed"] * missed)
        ]
        rows = access.access_measures(cases, date(2024, 2, 1))
        return next(
            row.status
            for row in rows
            if row.key == (FIRST_CONTACT, "month", date(2024, 1, 1), "city", "ALL")
        )

    assert of(750, 250) == "met"
    assert of(7499, 2501) == "not_met"


# --- periods and scopes ----------------------------------------------------------------------


def measured(cases: list[Need], as_of: date, *units: Unit) -> dict[tuple[Any, ...], Any]:
    return {row.key: row for row in access.access_measures(cases, as_of, units)}


def test_the_city_has_every_period_also_empty_ones() -> None:
    case = Need("1", start_date=date(2023, 11, 30), states={URGENT: "met"})
    rows = measured([case], date(2024, 3, 1))
    city = [key for key in rows if key[3] == "city" and key[0] == DENTAL]
    assert sorted(key[1:3] for key in city) == [
        ("month", date(2023, 11, 1)),
        ("month", date(2023, 12, 1)),
        ("month", date(2024, 1, 1)),
        ("month", date(2024, 2, 1)),
        ("quarter", date(2023, 10, 1)),
        ("quarter", date(2024, 1, 1)),
        ("rolling_12_months", date(2022, 12, 1)),
        ("rolling_12_months", date(2023, 1, 1)),
        ("rolling_12_months", date(2023, 2, 1)),
        ("rolling_12_months", date(2023, 3, 1)),
        ("year", date(2023, 1, 1)),
        ("year", date(2024, 1, 1)),
    ]
    assert all((rows[key].rate, rows[key].status) == (None, "no_data") for key in city)
    assert (DENTAL, "month", date(2023, 11, 1), "unit", "unknown") not in rows


def test_a_month_that_begins_on_the_as_of_date_is_no_period_yet() -> None:
    case = Need("1", start_date=date(2024, 1, 31), states={URGENT: "met"})
    starts = {
        as_of: {key[2] for key in measured([case], as_of) if key[1] == "month"}
        for as_of in (date(2024, 2, 1), date(2024, 2, 2))
    }
    assert starts[date(2024, 2, 1)] == {date(2024, 1, 1)}
    assert starts[date(2024, 2, 2)] == {date(2024, 1, 1), date(2024, 2, 1)}


def test_twelve_months_hold_a_need_twelve_times_and_no_more() -> None:
    case = Need("1", start_date=date(2022, 5, 31), states={URGENT: "met"})
    ends = [
        row.period_end
        for row in access.access_measures([case], date(2024, 3, 1))
        if row.period_grain == "rolling_12_months" and row.scope_type == "unit"
    ]
    assert (min(ends), max(ends), len(ends)) == (date(2022, 5, 31), date(2023, 4, 30), 12)


def test_a_need_counts_in_the_area_its_unit_had_on_the_start_date() -> None:
    units = (
        Unit("U", "north", valid_to=date(2023, 12, 31)),
        Unit("U", "south", valid_from=date(2024, 1, 1)),
    )
    cases = [
        Need("1", unit_id="U", start_date=date(2023, 12, 31), states={URGENT: "met"}),
        Need("2", unit_id="U", start_date=date(2024, 1, 1), states={URGENT: "missed"}),
        Need("3", unit_id="V", start_date=date(2024, 1, 1), states={URGENT: "missed"}),
        Need("4", start_date=date(2024, 1, 1), states={URGENT: "missed"}),
    ]
    rows = measured(cases, date(2024, 3, 1), *units)

    def judged(month: date, scope_type: str, scope_id: str) -> tuple[int, int]:
        row = rows[URGENT, "month", month, scope_type, scope_id]
        return row.met_count, row.missed_count

    assert judged(date(2023, 12, 1), "area", "north") == (1, 0)
    assert judged(date(2024, 1, 1), "area", "south") == (0, 1)
    assert judged(date(2024, 1, 1), "area", "unknown") == (0, 2)
    assert judged(date(2024, 1, 1), "unit", "V") == (0, 1)
    assert judged(date(2024, 1, 1), "unit", "unknown") == (0, 1)
    assert judged(date(2024, 1, 1), "producer_type", "unknown") == (0, 3)
    assert judged(date(2024, 1, 1), "city", "ALL") == (0, 3)
    assert (URGENT, "month", date(2024, 1, 1), "area", "north") not in rows


def test_visits_are_counted_by_month_and_clients_once() -> None:
    rows = [
        record("1", visit("31.01.2024 10:00"), client="A"),
        record("2", visit("01.01.2024 00:00"), client="A"),
        record("3", visit("05.01.2024 10:00"), client="B"),
        record("4", visit("05.01.2024 10:00"), client=""),
        record("5", visit("05.01.2024 10:00", "R52"), client="A"),
        record("6", visit("01.02.2024 00:00"), client="A"),
    ]
    current = access.newest(records_of(rows))
    counted = access.visits_monthly(access.visits(current, date(2024, 3, 1)))
    assert [
        (row.month_start, row.contact_mode_code, row.visit_count, row.client_count)
        for row in counted
    ] == [
        (date(2024, 1, 1), "R10", 4, 2),
        (date(2024, 1, 1), "R52", 1, 1),
        (date(2024, 2, 1), "R10", 1, 1),
    ]


# --- invariants over random data -------------------------------------------------------------

_AS_OF = date(2024, 3, 1)


def random_rows(seed: int, count: int) -> list[scenarios.Row]:
    """Rows without rhyme or reason, dense enough that everything happens."""
    rng = random.Random(seed)
    first = datetime.fromisoformat("2023-09-01")

    def at(likely: float) -> str:
        if rng.random() > likely:
            return ""
        moment = first + timedelta(minutes=rng.randrange(190 * 24 * 60))
        return f"{moment:%d.%m.%Y %H:%M}"

    rows = []
    for number in range(count):
        blocks = (
            scenarios.contact(at(0.6), rng.choice(["puhelin", "muu", ""]), rng.choice(["T11", ""])),
            scenarios.assessment(
                at(0.6),
                rng.choice(["kaynti", "kaynti", "ratkaistu", "paivystys", "hallinnollinen"]),
                rng.choice("EE56"),
                rng.choice(["SH", "SH", "TH"]),
            ),
            scenarios.booking(at(0.5), at(0.5), rng.choice(["T11", "T60", ""])),
            visit(
                at(0.5),
                rng.choice(["R10", "R52", "R56", "R60"]),
                rng.choice(["000", "003", ""]),
                form=rng.choice(["T11", "T60", ""]),
                group=rng.choice(["1", "1", "1", "2"]),
            ),
            scenarios.cancelled(at(0.1), rng.choice(["asiakas", "saapumatta", "tuottaja", "", ""])),
        )
        rows.append(
            record(
                f"{number % (count * 2 // 3)}",
                *blocks,
                need=rng.choice(["", f"n{rng.randrange(count // 3)}"]),
                client=rng.choice(["", f"c{rng.randrange(count // 4)}"]),
                updated=at(0.9),
                delivery=rng.choice(["2024-02-01", "2024-02-10", "2024-02-10-2"]),
                deleted=rng.choice(["", "", "", "K"]),
                producer=rng.choice(["oma", "osto", "palveluseteli"]),
            )
            | {"unit_id": rng.choice(["U1", "U2", "U3", ""])}
        )
    return rows


@pytest.mark.parametrize("seed", range(6))
def test_the_accounting_closes_over_random_data(seed: int) -> None:
    current = access.newest(records_of(random_rows(seed, 400)))
    cases = access.needs(current, _AS_OF)
    units = [Unit("U1", "north"), Unit("U2", "south")]
    rows = access.access_measures(cases, _AS_OF, units)
    reasons = access.exclusions(cases, _AS_OF, units)
    waited = access.distribution(cases, _AS_OF, units)

    keys = {record.need_key for record in current if access.known(record, _AS_OF) is not None}
    assert len(cases) == len(keys)
    for case in cases:
        assert len(set(case.states) & set(WAIT_MEASURES)) <= 1
        assert set(case.reasons) == {
            measure for measure, state in case.states.items() if state == "excluded"
        }
        assert case.start_date is not None or not case.states
        assert (case.wait_days is None) == (case.first_care_date is None)
        assert case.wait_days is None or case.wait_days >= 0
    assert len({row.key for row in rows}) == len(rows)
    excluded: Counter[tuple[Any, ...]] = Counter()
    for reason in reasons:
        key = (reason.measure_code, reason.period_grain, reason.period_start)
        excluded[*key, reason.scope_type, reason.scope_id] += reason.excluded_count
    for measure in MEASURES:
        population = Counter(
            case.start_date.replace(day=1)
            for case in cases
            if measure in case.states and case.start_date is not None
        )
        of_measure = [row for row in rows if row.measure_code == measure]
        for row in of_measure:
            total = row.met_count + row.missed_count + row.pending_count + row.excluded_count
            if row.period_grain == "month" and row.scope_type == "city":
                assert total == population[row.period_start]
            assert row.excluded_count == excluded[row.key]
            if row.rate is not None:
                assert row.rate_low is not None
                assert row.rate_high is not None
                assert 0 <= row.rate_low <= row.rate <= row.rate_high <= 1
        # The parts of every period add up to the city.
        sums: Counter[tuple[Any, ...]] = Counter()
        for row in of_measure:
            for name in ("met_count", "missed_count", "pending_count", "realised_count"):
                count = getattr(row, name)
                sums[row.scope_type, row.period_grain, row.period_start, name] += count
        for _, grain, start, name in list(sums):
            for scope_type in access.SCOPE_TYPES:
                assert sums[scope_type, grain, start, name] == sums["city", grain, start, name]
    assert sum(
        row.need_count for row in waited if row.period_grain == "month" and row.scope_type == "city"
    ) == sum(case.wait_days is not None for case in cases)
    # The data is no good for this test unless everything happens in it.
    assert {state for case in cases for state in case.states.values()} == {
        "met",
        "missed",
        "pending",
        "excluded",
    }


@pytest.mark.parametrize("seed", range(3))
def test_arrival_order_and_repeated_deliveries_do_not_matter(seed: int) -> None:
    rows = random_rows(seed, 200)
    one = access.newest(records_of(rows))
    shuffled = rows + random.Random(seed).sample(rows, 50)
    random.Random(seed).shuffle(shuffled)
    assert access.newest(records_of(shuffled)) == one


def test_a_later_as_of_date_never_makes_judged_needs_pending() -> None:
    current = access.newest(records_of(random_rows(7, 300)))
    before = {case.care_need_id: case for case in access.needs(current, date(2024, 1, 15))}
    after = {case.care_need_id: case for case in access.needs(current, _AS_OF)}
    for need_id, case in before.items():
        later = after[need_id]
        if case.start_date != later.start_date:
            continue
        for measure, state in case.states.items():
            if state not in ("pending", "excluded") and measure in later.states:
                assert later.states[measure] != "pending"


def test_no_wait_measure_but_non_urgent_and_dental_care_has_a_legal_limit() -> None:
    assert {limit.measure for limit in access.LEGAL_LIMITS} == {NON_URGENT, DENTAL}
