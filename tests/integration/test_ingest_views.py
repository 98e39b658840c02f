"""What dbt sees of the lake: typed views of every source, and the table of deliveries."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Home

HEADER = "SUORITE;JAKSO;ARVO\n"


def figures(value: int) -> dict[str, str | bytes]:
    return {"a.csv": f"{HEADER}Päihdetyö;2021;{value}\n"}


def described(home: Home, source: str) -> dict[str, str]:
    rows = home.query(f"select column_name, column_type from (describe lake.{source})")
    return {name: type_.lower() for name, type_ in rows}


def test_a_source_without_deliveries_is_an_empty_view_of_its_types(home: Home) -> None:
    for source, spec in home.specs.items():
        assert described(home, source) == spec.lake_schema, source
        assert home.query(f"select count(*) from lake.{source}") == [(0,)]
    assert home.query("select count(*) from lake.deliveries") == [(0,)]


def test_a_loaded_source_has_the_same_columns_and_types_as_an_empty_one(home: Home) -> None:
    home.deliver("output_statistics/2022-01-31", figures(1))
    home.deliver(
        "shortfall/2022-01-31",
        {"a.csv": "HENKILOSTORYHMA;PALVELUKOKONAISUUS;LASKENTA_PVM;VAJE\n"
                  "Lääkärit;Hallinto;joulukuussa 2021;12,5 %\n"},
    )  # fmt: skip
    home.deliver(
        "service_entity_finance/2022-01-31",
        {"a.csv": "PALVELUKOKONAISUUS;VUOSI;MENOT;TULOT;YKSIKKOKERROIN;SISAISET_ERAT\n"
                  "HUS;2021;2 452,4;-;MEUR;E\n"},
    )  # fmt: skip
    home.ingest()
    for source in ("output_statistics", "shortfall", "service_entity_finance"):
        assert home.query(f"select count(*) from lake.{source}") == [(1,)]
        assert described(home, source) == home.specs[source].lake_schema, source


def test_a_source_whose_only_delivery_was_refused_is_empty(home: Home) -> None:
    home.deliver("output_statistics/2022-01-31", {"a.csv": ""})
    home.ingest()
    assert described(home, "output_statistics") == home.specs["output_statistics"].lake_schema
    assert home.query("select count(*) from lake.output_statistics") == [(0,)]


def test_deliveries_after_the_as_of_date_are_not_known_yet(home: Home) -> None:
    for day, value in (("2022-01-30", 1), ("2022-01-31", 2), ("2022-02-01", 3)):
        home.deliver(f"output_statistics/{day}", figures(value))
    home.ingest()
    rows = "select value from lake.output_statistics order by 1"
    names = "select delivery_id from lake.deliveries order by 1"
    assert home.query(rows, as_of=date(2022, 1, 29)) == []
    assert home.query(rows, as_of=date(2022, 1, 31)) == [(1,), (2,)]
    assert home.query(names, as_of=date(2022, 1, 31)) == [
        ("output_statistics/2022-01-30",),
        ("output_statistics/2022-01-31",),
    ]
    assert home.query(rows, as_of=date(2022, 2, 1)) == [(1,), (2,), (3,)]


def test_the_table_of_deliveries_accounts_for_every_row(home: Home) -> None:
    good = "".join(f"Päihdetyö;2021-{month:02};5\n" for month in range(1, 13))
    home.deliver(
        "output_statistics/2022-01-31",
        {
            "a.csv": HEADER + good + "Päihdetyö;2021-01;5\nPäihdetyö;2020;x\n",
            "delivery.yml": "document: annual_report_2021\ntable: '7'\nsection: 7 a\n",
        },
    )
    home.deliver("output_statistics/2022-02-28-3", {"a.csv": ""})
    home.deliver("shortfall/2022-01-31", {"a.csv": "VAJE\n1\n2\n"})
    home.ingest()
    assert home.query(
        """
        select source_name, delivery_date, delivery_number, outcome, source_document_id,
            source_table, source_section, rows_in_count, rows_loaded_count, rows_duplicate_count,
            rows_quarantined_count, rows_refused_count
        from lake.deliveries
        order by delivery_id
        """
    ) == [
        ("output_statistics", date(2022, 1, 31), 1, "loaded", "annual_report_2021", "7", "7 a",
         14, 12, 1, 1, 0),
        ("output_statistics", date(2022, 2, 28), 3, "refused", None, None, None,
         None, 0, 0, 0, None),
        ("shortfall", date(2022, 1, 31), 1, "refused", None, None, None, 2, 0, 0, 0, 2),
    ]  # fmt: skip


def test_the_table_of_deliveries_has_its_types_also_when_it_is_empty(home: Home) -> None:
    empty = described(home, "deliveries")
    home.deliver("output_statistics/2022-01-31", figures(1))
    home.ingest()
    assert described(home, "deliveries") == empty
    assert {
        name: type_ for name, type_ in empty.items() if re.search("date|number|in_c", name)
    } == {
        "delivery_date": "date",
        "delivery_number": "integer",
        "rows_in_count": "bigint",
    }


def test_a_home_whose_path_has_a_quote_is_read(home: Home) -> None:
    home.lake = type(home.lake)(home.lake.root / "O'Hara = 1")
    home.deliver("output_statistics/2022-01-31", figures(1))
    home.ingest()
    assert home.query("select value from lake.output_statistics") == [(1,)]
