"""The city's published figures in `landing/` reach the lake whole, cell by cell."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ingest.landing import scan
from ingest.ledger import Ledger, LedgerEntry
from ingest.pipeline import ingest

if TYPE_CHECKING:
    from tests.conftest import Home

LANDING = Path(__file__).parents[2] / "landing"
PUBLISHED = {"output_statistics", "service_entity_finance", "shortfall"}
NAME = "2022-03-31"


@pytest.fixture(scope="module")
def loaded(new_home: Callable[[], Home]) -> Home:
    """A home in which the published figures have been loaded."""
    home = new_home()
    for source in sorted(PUBLISHED):
        files = {
            path.relative_to(LANDING / source / NAME).as_posix(): path.read_bytes()
            for path in (LANDING / source / NAME).rglob("*")
            if path.is_file()
        }
        home.deliver(f"{source}/{NAME}", files)
    home.ingest()
    return home


@pytest.mark.parametrize(
    ("source", "form", "rows", "table", "section"),
    [
        ("output_statistics", "annual_report", 83 * 5, "7", "7"),
        ("shortfall", "annual_report", 9 * 3, "4", "6"),
        ("service_entity_finance", "long", 6, "6", "6"),
    ],
)
def test_a_published_table_is_loaded_without_loss(
    loaded: Home, source: str, form: str, rows: int, table: str, section: str
) -> None:
    entry = loaded.entry(f"{source}/{NAME}")
    assert (entry.outcome, entry.forms) == ("loaded", (form,))
    assert (entry.rows_in, entry.rows_loaded) == (rows, rows)
    assert (entry.rows_duplicate, entry.rows_quarantined, entry.rows_refused) == (0, 0, 0)
    assert (entry.document_id, entry.document_table, entry.document_section) == (
        "annual_report_2021",
        table,
        section,
    )
    assert loaded.query(f"select count(*) from lake.{source}") == [(rows,)]


def test_the_landing_folder_holds_nothing_that_is_no_delivery(loaded: Home) -> None:
    assert scan(LANDING, set(loaded.specs)).strays == ()


def test_the_footnotes_of_the_shortfall_table_are_told_and_nothing_else(loaded: Home) -> None:
    assert loaded.texts(f"output_statistics/{NAME}") == []
    assert loaded.texts(f"service_entity_finance/{NAME}") == []
    assert loaded.texts(f"shortfall/{NAME}") == [
        (
            "shortfall/2022-03-31: info: footnotes under the table of"
            " tyovoimavaje_joulukuu_2021.xlsx"
            " on line 17, 18 are not rows (2 rows). Fix: nothing, if they are footnotes"
        )
    ]


def test_every_cell_of_the_finance_table_is_in_euros(loaded: Home) -> None:
    rows = loaded.query(
        """
        select service_entity_code, fiscal_year, expenditure_amount, expenditure_status,
            income_amount, income_status, amount_unit, includes_internal_items, source_line
        from lake.service_entity_finance
        order by source_line
        """
    )
    assert rows == [
        (code, 2021, Decimal(spent) * 1_000, "final", income, status, 1_000, True, line)
        for line, (code, spent, income, status) in enumerate(
            [
                ("administration", "95768", Decimal("17681000.00"), "final"),
                ("family_and_social", "525853", Decimal("41788000.00"), "final"),
                ("health_and_substance_abuse", "534703", Decimal("172770000.00"), "final"),
                ("hospital_rehabilitation_care", "636264", Decimal("95809000.00"), "final"),
                ("division_common", "237062", Decimal("212945000.00"), "final"),
                ("hus", "689441", None, "not_available"),
            ],
            start=2,
        )
    ]
    assert loaded.query(
        "select distinct expenditure_amount_precision from lake.service_entity_finance"
    ) == [(Decimal("1000.00"),)]
    assert loaded.query(
        "select income_amount_precision from lake.service_entity_finance where source_line = 7"
    ) == [(None,)]


def test_every_cell_of_the_shortfall_table_is_a_share_at_the_end_of_2021(loaded: Home) -> None:
    printed: dict[str, tuple[int | None, int | None, int | None]] = {
        "physicians": (60, 16, 28),
        "dentists": (None, 11, None),
        "demanding_nursing": (11, 10, 12),
        "nursing": (10, 6, 13),
        "social_workers": (8, 11, 6),
        "social_advisors": (10, 5, 3),
        "other_health_and_social": (13, 12, 11),
        "basic_services": (19, 67, 4),
        "other_staff": (10, 13, 7),
    }
    entities = ("family_and_social", "health_and_substance_abuse", "hospital_rehabilitation_care")
    rows = loaded.query(
        """
        select source_line, service_entity_code, count_date, shortfall_share, value_status
        from lake.shortfall
        order by source_line, service_entity_code
        """
    )
    assert rows == [
        (
            line,
            entity,
            date(2021, 12, 31),
            None if percent is None else Decimal(percent) / 100,
            "not_available" if percent is None else "final",
        )
        for line, percents in enumerate(printed.values(), start=7)
        for entity, percent in zip(entities, percents, strict=True)
    ]
    groups = loaded.query(
        "select staff_group_code from lake.shortfall group by all order by min(source_line)"
    )
    assert len(groups) == 9
    assert [code for (code,) in groups[:3]] == ["physicians", "dentists", "demanding_nursing"]


@pytest.mark.parametrize(
    ("measure", "period", "value", "status"),
    [
        ("nurse_reception_visits", "2020", 362_933, "final"),
        ("nurse_reception_visits", "2021", 1_274_049, "final"),
        ("home_care_visits_own", "2021", 3_806_554, "final"),
        ("home_care_visits_purchased", "2017", 51_865, "partial"),
        ("home_care_visits_purchased", "2020", 597_234, "partial"),
        ("home_care_visits_purchased", "2021", 739_921, "estimated"),
        ("home_hospital_visits", "2017", None, "not_available"),
        ("home_hospital_visits", "2018", 49_386, "final"),
        ("home_hospital_inpatient_days", "2017", 26_711, "final"),
        ("home_hospital_inpatient_days", "2018", None, "moved"),
        ("home_hospital_inpatient_days", "2021", None, "moved"),
        ("child_welfare_clients", "2021", 6_818, "final"),
        ("substance_abuse_work", "2017", 2_443, "final"),
        ("family_home_service_households", "2017", 1_827, "final"),
    ],
)
def test_a_printed_output_stands_in_the_lake(
    loaded: Home, measure: str, period: str, value: int | None, status: str
) -> None:
    assert loaded.query(
        "select value, value_status from lake.output_statistics"
        f" where measure_code = '{measure}' and period = '{period}'"
    ) == [(value, status)]


def test_each_printed_output_cell_is_found_by_its_line_and_column(loaded: Home) -> None:
    text = (LANDING / "output_statistics" / NAME / "suoritteet_2017-2021.csv").read_bytes()
    table = list(csv.reader(text.decode("utf-8-sig").splitlines(), delimiter=";"))
    header = table[0]
    printed = {}
    for line, cells in enumerate(table[1:], start=2):
        for column in ("2017", "2018", "2019", "2020", "2021"):
            digits = re.sub(r"[\s\u00a0]", "", cells[header.index(column)])
            printed[line, column] = int(digits) if digits.isdigit() else None
    stored = {
        (line, column): value
        for line, column, value in loaded.query(
            "select source_line, source_column, value from lake.output_statistics"
        )
    }
    assert stored == printed


def test_missing_outputs_say_why(loaded: Home) -> None:
    assert loaded.query(
        "select value_status, count(*), count(value) from lake.output_statistics"
        " group by all order by all"
    ) == [
        ("estimated", 1, 1),
        ("final", 389, 389),
        ("moved", 4, 0),
        ("not_available", 17, 0),
        ("partial", 4, 4),
    ]


def test_the_reference_of_a_moved_output_is_kept(loaded: Home) -> None:
    assert loaded.query(
        "select distinct measure_code, value_reference from lake.output_statistics"
        " where value_reference is not null"
    ) == [("home_hospital_inpatient_days", "Ks. muu avohoito")]


def test_every_row_says_where_it_came_from(loaded: Home) -> None:
    assert loaded.query(
        """
        select delivery_id, source_file, source_line, source_column
        from lake.output_statistics
        where measure_code = 'family_home_service_households' and period = '2021'
        union all
        select delivery_id, source_file, source_line, source_column
        from lake.service_entity_finance
        where service_entity_code = 'hus'
        order by 1
        """
    ) == [
        (f"output_statistics/{NAME}", "suoritteet_2017-2021.csv", 2, "2021"),
        (
            f"service_entity_finance/{NAME}",
            "palvelukokonaisuuksien_talous_2021.csv",
            7,
            None,
        ),
    ]


def test_the_keys_of_the_published_tables_are_unique(loaded: Home) -> None:
    for source in sorted(PUBLISHED):
        key = ", ".join(loaded.specs[source].key)
        repeated = loaded.query(
            f"select {key}, count(*) from lake.{source} group by {key} having count(*) > 1"
        )
        assert repeated == [], source


def test_progress_is_told_for_each_delivery_after_it_is_recorded(home: Home, loaded: Home) -> None:
    told: list[tuple[str, bool]] = []

    def tell(entry: LedgerEntry) -> None:
        told.append((entry.delivery_id, Ledger(home.lake.ledger).get(entry.delivery_id) == entry))

    landing = scan(loaded.landing, set(home.specs))
    now = loaded.entry(f"shortfall/{NAME}").ingested_at
    ingest(landing, home.lake, home.ledger, home.specs, now, tell)
    assert told == [(f"{source}/{NAME}", True) for source in sorted(PUBLISHED)]
