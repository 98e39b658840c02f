"""The lake does not depend on when deliveries arrived, only on their names and contents."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.conftest import Home

HEADER = "SUORITE;JAKSO;ARVO\n"
GOOD = "".join(f"Päihdetyö;2020-{month:02};{month}\n" for month in range(1, 11))

#: Few contents, so that twins and restatements meet often.
CONTENTS: tuple[dict[str, str | bytes], ...] = (
    {"a.csv": HEADER + "Päihdetyö;2021;1\n"},
    {"a.csv": HEADER + "Päihdetyö;2021;2\n"},
    {"a.csv": HEADER + GOOD + "Päihdetyö;2021;x\n"},
    {"a.csv": HEADER + GOOD, "b.csv": HEADER + "Päihdetyö;2020-01;1\n"},
    {"a.csv": "SUORITE;JAKSO\nPäihdetyö;2021\n"},
    {"a.csv": ""},
)

NAMES = ("2022-01-31", "2022-01-31-2", "2022-01-31-10", "2022-02-28", "2022-03-31")


@st.composite
def arrivals(draw: st.DrawFn) -> list[list[tuple[str, int]]]:
    """Deliveries (name, content) in the groups in which they arrive."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=4, unique=True))
    # Half of the contents are the first two: A-B-A is what the order could go wrong on.
    which = st.one_of(st.integers(0, 1), st.integers(0, len(CONTENTS) - 1))
    starts_group = st.sampled_from([0, 1])
    groups: list[list[tuple[str, int]]] = [[]]
    for name in names:
        if groups[-1] and draw(starts_group):
            groups.append([])
        groups[-1].append((name, draw(which)))
    return groups


def what_stands(home: Home) -> tuple[list[Any], list[Any]]:
    rows = home.query("select * from lake.output_statistics order by all")
    entries = [entry.model_dump(exclude={"ingested_at"}) for entry in home.ledger]
    return rows, entries


@settings(max_examples=max(1, settings().max_examples // 4))
@given(arrivals())
def test_any_order_of_arrival_gives_the_same_lake(
    new_home: Callable[[], Home], groups: list[list[tuple[str, int]]]
) -> None:
    at_once, one_by_one = new_home(), new_home()
    for group in groups:
        for name, content in group:
            at_once.deliver(f"output_statistics/{name}", CONTENTS[content])
            one_by_one.deliver(f"output_statistics/{name}", CONTENTS[content])
        one_by_one.ingest()
    at_once.ingest()
    assert what_stands(one_by_one) == what_stands(at_once)
    assert one_by_one.is_current()
    assert one_by_one.ingest() == {}
