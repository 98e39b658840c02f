"""From a sheet of texts to rows: which headers are taken, and what is no row."""

from __future__ import annotations

from typing import Any

import pytest

from ingest.codes import CodeTable
from ingest.errors import DeliveryRefused
from ingest.layout import Layout, lay_out
from ingest.reading import Row, Sheet
from ingest.spec import Spec
from ingest.text import label_key

SPEC = Spec.model_validate(
    {
        "source": "tiny",
        "title": "Tiny",
        "description": "Long, by years, or by groups with the day above the table",
        "owner": "nobody",
        "cadence": "once",
        "key": ["group", "period"],
        "ignored_headers": ["Huom."],
        "columns": {
            "group": {"headers": ["RYHMA"], "type": "code", "codes": "groups", "required": True},
            "period": {"headers": ["JAKSO"], "type": "period", "required": True},
            "value": {"headers": ["ARVO"], "type": "integer", "status": "state"},
            "state": {
                "headers": ["TILA"],
                "type": "choice",
                "optional": True,
                "values": {"arvio": "estimated"},
            },
        },
        "forms": [
            {"name": "long"},
            {
                "name": "years",
                "spread": {
                    "names_to": "period",
                    "values_to": "value",
                    "also": {"state": "TILA (?P<name>.+)"},
                    "units": ["kpl"],
                },
            },
            {
                "name": "groups",
                "cells": {"period": ["Vuosi"]},
                "spread": {"names_to": "group", "values_to": "value"},
            },
        ],
    }
)
GROUPS = {
    "groups": CodeTable(
        "groups", "g.csv", {label_key(text): text for text in ("Hoitajat", "Lääkärit")}
    )
}


def sheet(
    *rows: str, depth_at: dict[int, int] | None = None, banners: tuple[int, ...] = ()
) -> Sheet:
    """A sheet of rows written with `|` between cells."""
    cells = [tuple(row.split("|")) if row else () for row in rows]
    return Sheet(
        "a.csv",
        "Taulu",
        tuple(Row(line, texts, line in banners) for line, texts in enumerate(cells, start=1)),
        depth_at or {},
    )


def laid_out(*rows: str, **options: Any) -> Layout:
    return lay_out(SPEC, [sheet(*rows, **options)], GROUPS)


def refusal(*rows: str, **options: Any) -> DeliveryRefused:
    with pytest.raises(DeliveryRefused) as raised:
        laid_out(*rows, **options)
    return raised.value


def values(layout: Layout) -> list[dict[str, str]]:
    return [dict(row.values) for row in layout.rows]


def test_a_long_form_takes_every_header_as_a_column() -> None:
    layout = laid_out("arvo|Huom.|JAKSO|group", "5|x|2021|Hoitajat")
    assert layout.form == "long"
    assert values(layout) == [{"value": "5", "period": "2021", "group": "Hoitajat"}]
    assert (layout.rows[0].line, layout.rows[0].column, layout.rows[0].defect) == (2, None, None)


def test_a_wide_form_gives_a_row_for_each_cell_with_its_header() -> None:
    layout = laid_out("RYHMA|2020|2021-Q2|TILA 2021-Q2", "Hoitajat|1|2|arvio")
    assert layout.form == "years"
    assert [(row.column, dict(row.values)) for row in layout.rows] == [
        ("2020", {"group": "Hoitajat", "period": "2020", "value": "1"}),
        ("2021-Q2", {"group": "Hoitajat", "period": "2021-Q2", "value": "2", "state": "arvio"}),
    ]


def test_headers_may_be_codes_with_the_period_in_a_cell_above() -> None:
    layout = laid_out("Otsikko", "Vuosi:|2021", "", "TILA|Hoitajat|LÄÄKÄRIT", "arvio|3|4")
    assert layout.form == "groups"
    assert values(layout) == [
        {"state": "arvio", "period": "2021", "group": "Hoitajat", "value": "3"},
        {"state": "arvio", "period": "2021", "group": "LÄÄKÄRIT", "value": "4"},
    ]


def test_a_missing_cell_above_the_table_is_a_missing_column() -> None:
    refused = refusal("Vuosi:", "TILA|Hoitajat|LÄÄKÄRIT", "arvio|3|4")
    assert refused.finding.message == 'column "Vuosi" is missing from a.csv'


def test_a_header_below_the_thirtieth_row_is_not_found() -> None:
    above = ["otsikko"] * 29
    assert len(laid_out(*above, "RYHMA|JAKSO|ARVO", "Hoitajat|2021|5").rows) == 1
    refused = refusal(*above, "otsikko", "RYHMA|JAKSO|ARVO", "Hoitajat|2021|5")
    assert refused.finding.message == "no header of tiny is found in a.csv"
    assert refused.finding.fix == "put the column names (RYHMA, JAKSO, ARVO) in the first row"
    assert refused.rows_in == 32


def test_a_unit_row_and_a_group_row_in_the_header_say_nothing() -> None:
    layout = laid_out(
        "RYHMA|JAKSO|JAKSO", "RYHMA|2020|2021", "RYHMA|kpl|kpl", "Hoitajat|1|2", depth_at={1: 3}
    )
    assert [(row.column, row.values["value"]) for row in layout.rows] == [
        ("2020", "1"),
        ("2021", "2"),
    ]


def test_blank_rows_are_no_rows_and_footnotes_are_reported() -> None:
    layout = laid_out(
        "RYHMA|JAKSO|ARVO",
        "Hoitajat|2021|5",
        "||",
        "Lääkärit|2021|6",
        "||",
        "Lähde: HUS||",
        "yhdistetty|yhdistetty|yhdistetty",
        banners=(7,),
    )
    assert [row.line for row in layout.rows] == [2, 4]
    (note,) = layout.findings
    assert note.message == "footnotes under the table of a.csv on line 6, 7 are not rows"
    assert (note.level, note.row_count) == ("info", 2)


def test_a_first_cell_alone_right_under_the_table_is_a_row() -> None:
    layout = laid_out("RYHMA|JAKSO|ARVO", "Hoitajat|2021|5", "Lääkärit||")
    assert [row.values["group"] for row in layout.rows] == ["Hoitajat", "Lääkärit"]


def test_rows_of_another_width_than_the_header_have_a_defect() -> None:
    layout = laid_out(
        "RYHMA|JAKSO|ARVO", "Hoitajat|2021", "Hoitajat|2021|5|9", "Hoitajat|2021|5| ", "a|b|c"
    )
    assert [row.defect for row in layout.rows] == ["too_few_cells", "too_many_cells", None, None]


def test_a_column_of_values_without_a_header_is_unknown_and_an_empty_one_is_nothing() -> None:
    assert len(laid_out("RYHMA|JAKSO|ARVO|", "Hoitajat|2021|5| ").rows) == 1
    refused = refusal("RYHMA|JAKSO|ARVO|", "Hoitajat|2021|5|9")
    assert refused.finding.message == 'column "(no header, column D)" is unknown in a.csv'


@pytest.mark.parametrize(
    ("header", "code", "message"),
    [
        ("RYHMA|JAKSO|ARVO|VARI", "unknown_column", 'column "VARI" is unknown in a.csv'),
        ("RYHMA|JAKSO", "missing_column", 'column "ARVO" is missing from a.csv'),
        (
            "RYHMA|JAKSO|LUKU",
            "renamed_column",
            'column "ARVO" is missing from a.csv and column "LUKU" is unknown',
        ),
        ("RYHMA|JAKSO|ARVO|arvo", "repeated_column", 'column "arvo" stands twice in a.csv'),
        ("RYHMA|JAKSO|ARVO|value", "repeated_column", 'column "value" stands twice in a.csv'),
        ("RYHMA|2020|2021|2020", "repeated_column", 'column "2020" stands twice in a.csv'),
    ],
)
def test_wrong_columns_refuse_the_file_by_name(header: str, code: str, message: str) -> None:
    refused = refusal(header, "|".join(["x"] * (header.count("|") + 1)))
    assert (refused.finding.code, refused.finding.message) == (code, message)


def test_rows_of_a_refused_wide_file_are_its_cells() -> None:
    refused = refusal("RYHMA|2020|2021|VARI", "Hoitajat|1|2|x", "Lääkärit|3|4|y")
    assert refused.rows_in == 4


def test_a_state_column_that_stands_twice_is_refused() -> None:
    refused = refusal("RYHMA|2021|TILA 2021|TILA 2021", "Hoitajat|2|arvio|")
    assert refused.finding.code == "repeated_column"


def test_a_state_column_of_a_period_that_has_no_column_is_refused() -> None:
    refused = refusal("RYHMA|2021|TILA 2019", "Hoitajat|2|arvio")
    assert refused.finding.message == 'column "TILA 2019" is unknown in a.csv'


def test_a_state_column_is_known_in_any_case() -> None:
    layout = laid_out("RYHMA|2021|Tila 2021", "Hoitajat|2|arvio")
    assert layout.rows[0].values["state"] == "arvio"


def test_two_sheets_with_a_table_are_refused_and_a_sheet_of_notes_is_not() -> None:
    table = sheet("RYHMA|JAKSO|ARVO", "Hoitajat|2021|5")
    notes = sheet("Lue minut")
    assert len(lay_out(SPEC, [notes, table], GROUPS).rows) == 1
    with pytest.raises(DeliveryRefused) as raised:
        lay_out(SPEC, [table, table], GROUPS)
    assert (
        raised.value.finding.message == "a.csv holds several tables of tiny (sheets Taulu, Taulu)"
    )


def test_a_header_without_rows_is_refused() -> None:
    refused = refusal("RYHMA|JAKSO|ARVO", "||")
    assert (refused.finding.message, refused.rows_in) == ("a.csv has a header and no rows", 0)
