"""What the models take for granted of the lake: a key stands once in a delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Home

ID = "output_statistics/2022-01-31"


def test_a_producer_named_and_left_out_is_not_two_values_of_one_figure(home: Home) -> None:
    # The measure's own producer is `all`, so both rows say how much of one and the same figure:
    # `fct_output_statistics` has nothing to choose between them by.
    rows = "Päihdetyö;;2021;1\nPäihdetyö;kaikki;2021;2\n"
    home.deliver(ID, {"a.csv": f"SUORITE;TUOTTAMISTAPA;JAKSO;ARVO\n{rows}"})
    home.ingest()
    found = home.query(
        "select value from lake.output_statistics where coalesce(producer_type, 'all') = 'all'"
    )
    assert len(found) <= 1


def test_a_producer_left_out_is_the_measures_own(home: Home) -> None:
    rows = "Päihdetyö;;2021;1\nHammashoito (ostopalvelut);;2021;2\nPäihdetyö;oma;2021;3\n"
    home.deliver(ID, {"a.csv": f"SUORITE;TUOTTAMISTAPA;JAKSO;ARVO\n{rows}"})
    home.ingest()
    found = home.query("select value, producer_type from lake.output_statistics order by value")
    assert found == [(1, "all"), (2, "purchased"), (3, "own")]
