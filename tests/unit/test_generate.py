"""Synthetic care events: what is promised of their bytes, their form and their faults."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from sotedw.errors import WrongUse
from sotedw.generate import DEFECTS, GenerateOptions, GenerateResult, Shares, city, generate
from sotedw.generate.lookups import AGE_CLASSES, FOREIGN_CLIENTS, Lookups, clock_changes, spread
from sotedw.generate_cli import generate as command

HEADER = (
    "TAPAHTUMA_TUNNUS;SEURANTATIETUE_PAIVITETTY;POISTETTU;PALVELUTARVE_TUNNUS;ASIAKAS_TUNNUS;"
    "ASIAKAS_KOTIKUNTA;PALVELUNTUOTTAJA;PALVELUNTUOTTAJA_YKSIKKO;TUOTTAMISTAPA;"
    "YHTEYDENOTTO_AJANKOHTA;YHTEYDENOTTO_KANAVA;YHTEYDENOTTO_PALVELUMUOTO;"
    "HOIDONTARVE_AJANKOHTA;HTA_AMMATTIOIKEUS;HTA_KIIREELLISYYS;HTA_LUONNE;HTA_TULOS;"
    "AJANVARAUS_AJANKOHTA;AJANVARAUS_VARATTU;AJANVARAUS_PALVELUMUOTO;"
    "KAYNTI_ALKOI;KAYNTI_LOPPUI;KAYNTI_PALVELUMUOTO;KAYNTI_YHTEYSTAPA;KAYNTI_KANAVA;"
    "KAYNTI_KIIREELLISYYS;KAYNTI_LUONNE;KAYNTI_ENSIKAYNTI;KAYNTI_KAVIJARYHMA;"
    "KAYNTI_ERIKOISALA;KAYNTI_AMMATTIOIKEUS;KAYNTI_AMMATTI;"
    "PERUUTUS_AJANKOHTA;PERUUTUS_SYY;LISATIETO"
)

TIMES = (
    "YHTEYDENOTTO_AJANKOHTA",
    "HOIDONTARVE_AJANKOHTA",
    "AJANVARAUS_AJANKOHTA",
    "AJANVARAUS_VARATTU",
    "KAYNTI_ALKOI",
)

#: Everything that can go wrong does so often.
UNTIDY = Shares(
    bad=0.05,
    late=0.1,
    duplicate=0.05,
    resent=0.3,
    superseded=0.3,
    correction=0.2,
    deletion=0.05,
    clock_change=0.1,
)

FORM = re.compile(r"(\d{6})([-+A-FU-Y])(\d{3})([0-9A-Y])")
CENTURIES = {"+": 1800, **dict.fromkeys("-YXWVU", 1900), **dict.fromkeys("ABCDEF", 2000)}

#: Code columns of the seeds, and the headers whose codes they list.
CODE_SEEDS = {
    ("service_forms", "service_form_code"): (
        "YHTEYDENOTTO_PALVELUMUOTO",
        "AJANVARAUS_PALVELUMUOTO",
        "KAYNTI_PALVELUMUOTO",
    ),
    ("contact_modes", "contact_mode_code"): ("KAYNTI_YHTEYSTAPA",),
    ("urgencies", "urgency_code"): ("HTA_KIIREELLISYYS", "KAYNTI_KIIREELLISYYS"),
    ("care_natures", "nature_code"): ("HTA_LUONNE", "KAYNTI_LUONNE"),
    ("licences", "licence_code"): ("HTA_AMMATTIOIKEUS", "KAYNTI_AMMATTIOIKEUS"),
    ("professions", "profession_code"): ("KAYNTI_AMMATTI",),
    ("assessment_outcomes", "outcome_code"): ("HTA_TULOS",),
    ("cancel_reasons", "cancel_reason_code"): ("PERUUTUS_SYY",),
    ("contact_channels", "contact_channel"): ("YHTEYDENOTTO_KANAVA",),
    ("visit_channels", "channel"): ("KAYNTI_KANAVA",),
}

SEEDS = Path(__file__).resolve().parents[2] / "seeds"


class Made:
    """A generation and what it wrote."""

    def __init__(self, options: GenerateOptions) -> None:
        self.options = replace(options, truth=options.out.parent / f"{options.out.name}.parquet")
        self.result: GenerateResult = generate(self.options)
        self.folder = options.out / "care_events"

    def files(self) -> list[Path]:
        return sorted(self.folder.rglob("*.csv"))

    def rows(self, delivery: str | None = None) -> Iterator[dict[str, str]]:
        for path in self.files():
            if delivery is None or path.parent.name == delivery:
                with path.open(encoding=self.options.encoding, newline="") as stream:
                    yield from csv.DictReader(stream, delimiter=";", strict=True)

    @cached_property
    def told(self) -> list[tuple[dict[str, str], dict[str, object]]]:
        """Each row with what the truth file says of its line."""
        truth = {(row["delivery"], row["file"], row["line"]): row for row in self.truth()}
        told = []
        for path in self.files():
            with path.open(encoding=self.options.encoding, newline="") as stream:
                reader = csv.DictReader(stream, delimiter=";", strict=True)
                for row in reader:
                    told.append((row, truth.pop((path.parent.name, path.name, reader.line_num))))
        assert not truth
        return told

    def truth(self) -> list[dict[str, object]]:
        relation = duckdb.sql(f"from read_parquet('{self.options.truth}')")
        return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def birth_date(code: str) -> date | None:
    """The birth date of an identity code; None when it is none."""
    match = FORM.fullmatch(code)
    if match is None:
        return None
    day, separator, number, check = match.groups()
    if "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(day + number) % 31] != check:
        return None
    try:
        return date(CENTURIES[separator] + int(day[4:]), int(day[2:4]), int(day[:2]))
    except ValueError:
        return None


def moment(text: str) -> datetime:
    return datetime.strptime(text[:16], "%d.%m.%Y %H:%M")  # noqa: DTZ007


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """20 000 events, as the command makes them."""
    return Made(GenerateOptions(out=tmp_path_factory.mktemp("usual") / "landing", events=20_000))


@pytest.fixture(scope="module")
def untidy(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Many deliveries of many files with many faults."""
    out = tmp_path_factory.mktemp("untidy") / "landing"
    return Made(
        GenerateOptions(
            out=out, events=6_000, deliveries=4, rows_per_file=3_000, shares=UNTIDY, seed=7
        )
    )


# --- bytes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_the_same_options_give_the_same_bytes_on_any_number_of_threads(
    tmp_path: Path, file_format: str
) -> None:
    options = GenerateOptions(
        out=tmp_path / "1", events=3_000, file_format=file_format, shares=UNTIDY
    )
    generate(options)
    generate(replace(options, out=tmp_path / "2", threads=3))
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_another_seed_gives_other_rows(tmp_path: Path) -> None:
    options = GenerateOptions(out=tmp_path / "1", events=500, deliveries=1)
    generate(options)
    generate(replace(options, out=tmp_path / "2", seed=2))
    [first] = (tmp_path / "1").rglob("*.csv")
    [second] = (tmp_path / "2").rglob("*.csv")
    shared = set(first.read_text().splitlines()) & set(second.read_text().splitlines())
    assert shared == {HEADER}


def test_the_size_of_files_changes_no_row(tmp_path: Path) -> None:
    options = GenerateOptions(out=tmp_path / "1", events=2_000, shares=UNTIDY)
    whole = Made(options)
    parts = Made(replace(options, out=tmp_path / "2", rows_per_file=1_200))
    assert len(parts.files()) > len(whole.files())
    for delivery in whole.result.deliveries:
        rows = [
            Counter(tuple(row.values()) for row in made.rows(delivery.name))
            for made in (whole, parts)
        ]
        assert rows[0] == rows[1]


def test_latin_1_holds_the_same_rows_as_utf_8(tmp_path: Path) -> None:
    options = GenerateOptions(out=tmp_path / "1", events=2_000)
    utf_8 = Made(options)
    latin_1 = Made(replace(options, out=tmp_path / "2", encoding="latin-1"))
    assert list(utf_8.rows()) == list(latin_1.rows())
    assert any("ä" in row["LISATIETO"] for row in latin_1.rows())


def test_parquet_holds_the_same_rows_as_csv(tmp_path: Path) -> None:
    options = GenerateOptions(out=tmp_path / "1", events=2_000, shares=UNTIDY)
    made = Made(options)
    generate(replace(options, out=tmp_path / "2", file_format="parquet"))
    for path in made.files():
        other = tmp_path / "2" / path.relative_to(tmp_path / "1").with_suffix(".parquet")
        with path.open(encoding="utf-8", newline="") as stream:
            delivered = [
                tuple(cell or None for cell in row) for row in csv.reader(stream, delimiter=";")
            ]
        rows = duckdb.sql(f"from read_parquet('{other}')")
        assert [tuple(rows.columns), *rows.fetchall()] == delivered


# --- deliveries -----------------------------------------------------------------------------------


def test_a_file_starts_with_the_headers_that_units_deliver(usual: Made) -> None:
    for path in usual.files():
        with path.open(encoding="utf-8") as stream:
            assert stream.readline() == HEADER + "\n"


def test_every_delivery_says_that_it_is_synthetic(usual: Made) -> None:
    for delivery in usual.result.deliveries:
        assert (usual.folder / delivery.name / "delivery.yml").read_text() == "synthetic: true\n"


def test_results_count_what_is_in_the_files(untidy: Made) -> None:
    for delivery in untidy.result.deliveries:
        assert delivery.rows == sum(1 for _ in untidy.rows(delivery.name))
        found = sorted(path.name for path in (untidy.folder / delivery.name).glob("*.csv"))
        assert list(delivery.files) == found


def test_as_many_records_are_delivered_as_were_asked_for(tmp_path: Path) -> None:
    made = Made(
        GenerateOptions(out=tmp_path / "landing", events=3_001, shares=replace(UNTIDY, bad=0))
    )
    assert len({row["TAPAHTUMA_TUNNUS"] for row in made.rows()}) == 3_001


def test_deliveries_come_weekly_until_the_day_after_the_end(usual: Made) -> None:
    names = [delivery.name for delivery in usual.result.deliveries]
    assert names == ["2022-12-18", "2022-12-25", "2023-01-01"]


def test_more_deliveries_than_days_are_numbered(tmp_path: Path) -> None:
    options = GenerateOptions(
        out=tmp_path / "landing",
        events=2_000,
        start=date(2022, 1, 1),
        end=date(2022, 1, 12),
        deliveries=9,
    )
    names = [delivery.name for delivery in generate(options).deliveries]
    assert len(names) == 9
    assert "2022-01-11-2" in names
    assert names[-1] in {"2022-01-13", "2022-01-13-2"}


@pytest.mark.parametrize("rows_per_file", [480_000, 10_000])
def test_a_delta_has_the_size_that_was_asked_for(tmp_path: Path, rows_per_file: int) -> None:
    options = GenerateOptions(
        out=tmp_path / "landing",
        events=20_000,
        deliveries=3,
        delta_events=100,
        rows_per_file=rows_per_file,
    )
    full, *deltas = generate(options).deliveries
    assert [delta.rows for delta in deltas] == [100, 100]
    assert full.rows > 19_000


def test_nothing_is_dated_after_its_delivery_but_bookings(untidy: Made) -> None:
    for row, truth in untidy.told:
        day = date.fromisoformat(str(truth["delivery"])[:10])
        if truth["is_bad"]:
            continue
        for header in (*TIMES, "SEURANTATIETUE_PAIVITETTY", "KAYNTI_LOPPUI"):
            if row[header] and header != "AJANVARAUS_VARATTU":
                assert moment(row[header]).date() < day, (header, row)


def test_a_delivery_that_is_there_is_never_changed(tmp_path: Path) -> None:
    options = GenerateOptions(out=tmp_path, events=100)
    generate(options)
    before = contents(tmp_path)
    with pytest.raises(WrongUse, match="is there already"):
        generate(options)
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"end": date(2019, 1, 1)}, "ends"),
        ({"start": date(1990, 1, 1)}, "1996"),
        ({"events": 0}, "less than 1"),
        ({"deliveries": 0}, "less than 1"),
        ({"deliveries": 1, "delta_events": 5}, "two deliveries"),
        ({"events": 1_000, "delta_events": 500}, "more than a third"),
        ({"file_format": "xlsx"}, "csv nor parquet"),
        ({"encoding": "utf-16"}, "latin-1"),
        ({"scale": 0.0}, "scale"),
        ({"rows_per_file": 1}, "20 records"),
        ({"shares": Shares(bad=2)}, "bad"),
    ],
)
def test_options_that_fit_nothing_are_refused(
    tmp_path: Path, given: dict[str, object], message: str
) -> None:
    with pytest.raises(WrongUse, match=message):
        generate(GenerateOptions(out=tmp_path, **given))  # type: ignore[arg-type]


# --- persons --------------------------------------------------------------------------------------


def test_identity_codes_are_fictitious_and_real_in_form(usual: Made) -> None:
    separators = set()
    for row, truth in usual.told:
        code = row["ASIAKAS_TUNNUS"].strip().upper()
        if truth["kind"] == "bad_identity_code" or not code or code.startswith("ULKOM-"):
            continue
        assert birth_date(code) is not None, code
        assert 900 <= int(code[7:10]) <= 999
        separators.add(code[6])
    assert separators == set(CENTURIES)


def test_no_text_anywhere_holds_a_code_that_a_person_could_have(untidy: Made) -> None:
    for path in untidy.files():
        for match in FORM.finditer(path.read_text(encoding="utf-8").upper()):
            assert match[3] >= "900"


def test_client_ids_are_spelled_in_several_ways(usual: Made) -> None:
    ids = [row["ASIAKAS_TUNNUS"] for row in usual.rows()]
    assert any(not text for text in ids)
    assert any(text.startswith(" ") and text.endswith(" ") for text in ids)
    assert any(text != text.upper() for text in ids)
    assert any(re.fullmatch(r"ULKOM-\d{6}", text) for text in ids)


def test_ages_are_plausible_and_fit_the_service(usual: Made) -> None:
    ages: dict[str, list[int]] = {}
    for row, truth in usual.told:
        born = birth_date(row["ASIAKAS_TUNNUS"].strip().upper())
        if born is None or truth["is_bad"] or born.year < 1900 or not row["KAYNTI_ALKOI"]:
            continue
        age = (moment(row["KAYNTI_ALKOI"]).date() - born).days // 365
        ages.setdefault(row["KAYNTI_PALVELUMUOTO"], []).append(age)
    assert all(0 <= age <= 100 for found in ages.values() for age in found)
    assert max(ages["T22"]) < 11
    assert min(ages["T40"]) >= 65
    assert len(AGE_CLASSES) == 20
    assert min(ages["T11"]) < 10 < 80 < max(ages["T11"])


# --- faults ---------------------------------------------------------------------------------------


def test_the_truth_says_of_every_line_what_it_is(untidy: Made) -> None:
    told = untidy.told
    kinds = Counter(str(truth["kind"]) for _, truth in told)
    assert sum(kinds.values()) == untidy.result.rows
    for name, number in (
        ("duplicate", sum(delivery.duplicates for delivery in untidy.result.deliveries)),
        ("resent", sum(delivery.resent for delivery in untidy.result.deliveries)),
        ("superseded", sum(delivery.superseded for delivery in untidy.result.deliveries)),
    ):
        assert kinds[name] == number > 0
    for defect in DEFECTS:
        counted = sum(item.bad.get(defect.kind, 0) for item in untidy.result.deliveries)
        assert kinds[defect.kind] == counted > 0
    bad = sum(1 for _, truth in told if truth["is_bad"])
    assert bad == sum(delivery.quarantined for delivery in untidy.result.deliveries)


def test_duplicates_and_only_they_stand_earlier_in_the_delivery(untidy: Made) -> None:
    seen: set[tuple[object, ...]] = set()
    for row, truth in untidy.told:
        if truth["is_bad"]:
            continue
        key = (truth["delivery"], *row.values())
        assert (key in seen) == (truth["is_duplicate"] is True)
        seen.add(key)


def test_resent_versions_stand_in_an_earlier_delivery(untidy: Made) -> None:
    names = [delivery.name for delivery in untidy.result.deliveries]
    earlier: dict[tuple[str, ...], int] = {}
    told = sorted(untidy.told, key=lambda item: names.index(str(item[1]["delivery"])))
    resent = 0
    for row, truth in told:
        key = tuple(row.values())
        place = names.index(str(truth["delivery"]))
        if truth["kind"] == "resent":
            resent += 1
            # A version whose first row was bad is right the second time.
            assert earlier.get(key, -1) < place
        earlier.setdefault(key, place)
    assert resent > 0


def test_bad_rows_break_the_rule_that_the_truth_names(untidy: Made) -> None:
    broken = {
        "missing_record_id": lambda row: row["TAPAHTUMA_TUNNUS"] == "",
        "missing_update_time": lambda row: row["SEURANTATIETUE_PAIVITETTY"] == "",
        "bad_date": lambda row: not is_time(row["YHTEYDENOTTO_AJANKOHTA"]),
        "text_in_time_column": lambda row: not is_time(row["HOIDONTARVE_AJANKOHTA"]),
        "unknown_service_form": lambda row: row["YHTEYDENOTTO_PALVELUMUOTO"] == "T99",
        "unknown_contact_mode": lambda row: row["KAYNTI_YHTEYSTAPA"] == "R99",
        "unknown_urgency": lambda row: row["HTA_KIIREELLISYYS"] not in {"", "E", "5", "6", "2"},
        "unknown_outcome": lambda row: row["HTA_TULOS"] == "tuntematon",
        "unknown_cancel_reason": lambda row: row["PERUUTUS_SYY"] == "muu syy",
        "unknown_producer_type": lambda row: row["TUOTTAMISTAPA"] == "lahjoitus",
        "bad_flag": lambda row: row["POISTETTU"] == "ehkä",
        "no_block": lambda row: not any(list(row.values())[9:34]),
        "bad_identity_code": lambda row: (
            re.fullmatch(r"\d{6}[-+A-Z]\d{3}[0-9A-Z]", row["ASIAKAS_TUNNUS"]) is not None
            and birth_date(row["ASIAKAS_TUNNUS"]) is None
        ),
        "identity_code_in_record_id": lambda row: has_code(row["TAPAHTUMA_TUNNUS"]),
        "identity_code_in_need_id": lambda row: has_code(row["PALVELUTARVE_TUNNUS"]),
        "identity_code_in_free_text": lambda row: has_code(row["LISATIETO"]),
    }
    assert set(broken) == {defect.kind for defect in DEFECTS}
    for row, truth in untidy.told:
        found = {kind for kind, is_broken in broken.items() if is_broken(row)}
        expected = {truth["kind"]} & set(broken)
        assert found == expected, row


def is_time(text: str) -> bool:
    try:
        return text == "" or moment(text) is not None
    except ValueError:
        return False


def has_code(text: str) -> bool:
    return any(birth_date(match[0]) for match in FORM.finditer(text.upper()))


def test_codes_of_good_rows_are_those_of_the_code_tables(usual: Made) -> None:
    rows = [row for row, truth in usual.told if not truth["is_bad"]]
    for (seed, column), headers in CODE_SEEDS.items():
        with (SEEDS / "access" / f"{seed}.csv").open(encoding="utf-8", newline="") as stream:
            known = {row[column] for row in csv.DictReader(stream)} | {""}
        for header in headers:
            assert {row[header] for row in rows} <= known, header


def test_urgency_codes_are_those_of_their_time(tmp_path: Path) -> None:
    options = GenerateOptions(
        out=tmp_path / "landing", events=6_000, start=date(2013, 1, 1), end=date(2019, 12, 31)
    )
    found: dict[str, set[str]] = {"-2014": set(), "2015-2018": set(), "2019-": set()}
    for row, truth in Made(options).told:
        if truth["is_bad"] or not row["HOIDONTARVE_AJANKOHTA"]:
            continue
        year = moment(row["HOIDONTARVE_AJANKOHTA"]).year
        era = "-2014" if year < 2015 else "2015-2018" if year < 2019 else "2019-"
        found[era].add(row["HTA_KIIREELLISYYS"])
    assert found["-2014"] - {"2"} == {"E", "K", "V"}
    assert found["2015-2018"] == {"E", "1", "2"}
    assert found["2019-"] - {"2"} == {"E", "5", "6"}


# --- content --------------------------------------------------------------------------------------


def test_the_courses_of_needs_that_the_definitions_speak_of_all_occur(untidy: Made) -> None:
    needs: dict[str, list[dict[str, str]]] = {}
    newest: dict[str, dict[str, str]] = {}
    for row, truth in untidy.told:
        if truth["kind"] == "good":
            newest[row["TAPAHTUMA_TUNNUS"]] = row
    for row in newest.values():
        needs.setdefault(row["PALVELUTARVE_TUNNUS"], []).append(row)
    assert len(needs.pop("")) > 0
    courses = {
        "no assessment": lambda rows: not any(row["HOIDONTARVE_AJANKOHTA"] for row in rows),
        "two assessments": lambda rows: sum(bool(r["HOIDONTARVE_AJANKOHTA"]) for r in rows) > 1,
        "re-booked": lambda rows: (
            any(row["PERUUTUS_SYY"] for row in rows) and any(row["KAYNTI_ALKOI"] for row in rows)
        ),
        "cancelled": lambda rows: (
            any(row["PERUUTUS_SYY"] for row in rows)
            and not any(row["KAYNTI_ALKOI"] for row in rows)
        ),
        "group": lambda rows: any(row["KAYNTI_KAVIJARYHMA"] not in {"", "1"} for row in rows),
        "still open": lambda rows: any(
            row["AJANVARAUS_VARATTU"] and not row["KAYNTI_ALKOI"] and not row["PERUUTUS_SYY"]
            for row in rows
        ),
        "visit before its assessment on the clock": lambda rows: any(
            row["KAYNTI_ALKOI"]
            and row["HOIDONTARVE_AJANKOHTA"]
            and moment(row["KAYNTI_ALKOI"]).date() == moment(row["HOIDONTARVE_AJANKOHTA"]).date()
            and moment(row["KAYNTI_ALKOI"]) < moment(row["HOIDONTARVE_AJANKOHTA"])
            for row in rows
        ),
    }
    for course, has in courses.items():
        assert any(has(rows) for rows in needs.values()), course
    reasons = {row["PERUUTUS_SYY"] for row in newest.values()}
    assert reasons >= {"asiakas", "tuottaja", "saapumatta", "kuolema", "muutto"}
    flags = {row["POISTETTU"] for row in newest.values()}
    assert flags >= {"", "K", "E"}


def test_corrections_say_something_else_and_now_and_then_at_the_same_time(untidy: Made) -> None:
    versions: dict[str, dict[int, dict[str, str]]] = {}
    for row, truth in untidy.told:
        if not truth["is_bad"]:
            versions.setdefault(str(truth["record_id"]), {})[int(str(truth["version"]))] = row
    changed: Counter[str] = Counter()
    ties = 0
    for found in versions.values():
        for older, newer in zip(sorted(found), sorted(found)[1:], strict=False):
            if newer == 2:
                ties += (
                    found[older]["SEURANTATIETUE_PAIVITETTY"]
                    == found[newer]["SEURANTATIETUE_PAIVITETTY"]
                )
                changed.update(
                    header
                    for header in found[newer]
                    if found[older][header] != found[newer][header]
                )
    assert ties > 0
    for header in ("ASIAKAS_TUNNUS", "PALVELUTARVE_TUNNUS", "KAYNTI_ALKOI", "HTA_KIIREELLISYYS"):
        assert changed[header] > 0


def test_the_hours_that_clock_changes_skip_and_repeat_hold_events(untidy: Made) -> None:
    changes = clock_changes(date(2020, 1, 1), date(2022, 12, 31))
    assert changes[:2] == [date(2020, 3, 29), date(2020, 10, 25)]
    found = {
        moment(row[header]).date()
        for row, truth in untidy.told
        for header in ("HOIDONTARVE_AJANKOHTA", "KAYNTI_ALKOI")
        if not truth["is_bad"] and row[header] and moment(row[header]).hour == 3
    }
    assert found >= set(changes)


def test_offices_are_busy_in_january_and_quiet_in_july_and_at_weekends(usual: Made) -> None:
    visits = [
        moment(row["KAYNTI_ALKOI"])
        for row, truth in usual.told
        if row["KAYNTI_ALKOI"] and row["KAYNTI_PALVELUMUOTO"] == "T11" and not truth["is_bad"]
    ]
    months = Counter(visit.month for visit in visits)
    assert months[7] < 0.75 * months[1]
    assert sum(visit.weekday() > 4 for visit in visits) < 0.05 * len(visits)
    in_office_hours = sum(8 <= visit.hour < 17 for visit in visits)
    assert in_office_hours > 0.9 * len(visits)


def test_services_keep_the_proportions_of_the_published_outputs(tmp_path: Path) -> None:
    made = Made(
        GenerateOptions(
            out=tmp_path / "landing",
            events=20_000,
            start=date(2021, 1, 1),
            end=date(2021, 12, 31),
            deliveries=1,
            shares=Shares(bad=0, duplicate=0, superseded=0, deletion=0, correction=0),
        )
    )
    forms = Counter(row["KAYNTI_PALVELUMUOTO"] for row in made.rows() if row["KAYNTI_ALKOI"])
    published: Counter[str] = Counter()
    for stratum in city.STRATA:
        total = sum(weight for _, weight in stratum.forms)
        for form, weight in stratum.forms:
            published[form] += stratum.visits(2021) * weight / total
    del forms[""]
    for form in ("T11", "T40", "T60", "T71", "T22", "T26"):
        share = forms[form] / forms.total()
        assert share == pytest.approx(published[form] / published.total(), rel=0.15), form


def test_reference_measures_are_measures_of_the_annual_report() -> None:
    with (SEEDS / "outputs" / "output_measures.csv").open(encoding="utf-8") as stream:
        known = {row["measure_code"] for row in csv.DictReader(stream)}
    assert set(city.VOLUMES) <= known
    assert {line.measure_code for item in city.STRATA for line in item.lines} == set(city.VOLUMES)
    for code in city.VOLUMES:
        shares = sum(
            line.weight * item.share
            for item in city.STRATA
            for line in item.lines
            if line.measure_code == code
        )
        assert shares == pytest.approx(1.0), code
    assert city.volume("dental_care_purchased", 2019) == (99_760 + 92_982) / 2


def test_the_city_itself_is_a_number_of_events(tmp_path: Path) -> None:
    options = GenerateOptions(
        out=tmp_path, events=None, scale=0.0002, start=date(2021, 1, 1), end=date(2021, 12, 31)
    )
    result = generate(options)
    visits = sum(stratum.visits(2021) for stratum in city.STRATA)
    assert visits * 0.0002 < result.events < 2 * visits * 0.0002


def test_clients_go_elsewhere_before_a_unit_opens_and_after_it_closes(tmp_path: Path) -> None:
    units = tmp_path / "units.csv"
    units.write_text(
        "unit_id,unit_kind,producer_type,opened_date,closed_date,successor_unit_id,valid_from,"
        "valid_to\n"
        "1.1,health_station,own,,,,,\n"
        "1.2,health_station,own,,2021-06-30,1.3,,\n"
        "1.3,health_station,purchased,2021-07-01,,,,\n",
        encoding="utf-8",
    )
    options = GenerateOptions(out=tmp_path / "landing", events=5_000, units=units, deliveries=1)
    found: dict[tuple[str, str], set[int]] = {}
    for row, truth in Made(options).told:
        if row["HOIDONTARVE_AJANKOHTA"] and not truth["is_bad"] and truth["version"] == 0:
            key = (row["PALVELUNTUOTTAJA_YKSIKKO"], row["TUOTTAMISTAPA"])
            found.setdefault(key, set()).add(moment(row["HOIDONTARVE_AJANKOHTA"]).year)
    assert found["1.1", "oma"] == {2020, 2021, 2022}
    assert found["1.2", "oma"] == {2020, 2021}
    assert found["1.3", "osto"] == {2021, 2022}


def test_without_a_unit_list_there_are_thirty_units(tmp_path: Path) -> None:
    made = Made(GenerateOptions(out=tmp_path / "landing", events=5_000, units=None))
    units = {row["PALVELUNTUOTTAJA_YKSIKKO"] for row in made.rows()}
    assert 25 <= len(units - {"1.2.246.10.2012566.10.99999"}) <= 30


def test_voucher_producers_may_write_iso_times(tmp_path: Path) -> None:
    made = Made(GenerateOptions(out=tmp_path / "landing", events=8_000, iso_times=True))
    times = [
        row["SEURANTATIETUE_PAIVITETTY"]
        for row in made.rows()
        if row["TUOTTAMISTAPA"] == "palveluseteli" and row["SEURANTATIETUE_PAIVITETTY"]
    ]
    assert times
    pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\+0[23]:00)?"
    assert all(re.fullmatch(pattern, text) for text in times)


def test_weights_are_cut_into_slots() -> None:
    assert spread([("a", 1.0), ("b", 2.0), ("c", 1.0)], 8) == list("aabbbbcc")
    assert spread([("a", 1.0), ("b", 0.0)], 2) == ["a", "a"]


def test_every_piece_of_the_period_falls_into_its_year() -> None:
    lookups = Lookups(date(2020, 7, 1), date(2021, 6, 30), events=10, units=None, holidays=None)
    assert lookups.year_ends[-1] == lookups.buckets
    shares = dict(lookups.day_shares())
    assert sum(shares.values()) == pytest.approx(1.0)
    assert min(shares) == date(2020, 7, 1)
    assert len(FOREIGN_CLIENTS) == 2


# --- the command ----------------------------------------------------------------------------------


def test_the_command_writes_and_reports(tmp_path: Path) -> None:
    given = ["--out", str(tmp_path / "landing"), "--events", "1_000", "--json"]
    run = CliRunner().invoke(command, given, catch_exceptions=False)
    assert run.exit_code == 0
    report = json.loads(run.stdout)
    assert report["events"] == 1_000
    assert sum(delivery["rows"] for delivery in report["deliveries"]) == report["rows"]
    assert (tmp_path / "landing" / "care_events" / "2023-01-01").is_dir()


def test_the_command_tells_people_what_is_next(tmp_path: Path) -> None:
    given = ["--out", str(tmp_path), "--events", "city", "--scale", "0.0001"]
    run = CliRunner().invoke(command, given, catch_exceptions=False)
    assert "synthetic rows" in run.stdout
    assert "sotedw build --landing" in run.stdout.replace("\n", " ")


def test_the_command_refuses_what_is_no_number(tmp_path: Path) -> None:
    run = CliRunner().invoke(command, ["--out", str(tmp_path), "--events", "many"])
    assert run.exit_code == 2
    assert "neither a number of events" in run.output
