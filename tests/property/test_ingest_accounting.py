"""Whatever a delivery mixes, every row is accounted for, and what is loaded is what should be.

The oracle never parses: each generated cell is a text together with what it means, and a row is
judged from meanings alone.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.codes import load_code_tables
from ingest.landing import scan
from ingest.loader import Context, lake_folder, load_delivery

if TYPE_CHECKING:
    from tests.conftest import Home

#: One engine for all examples: every load has temporary tables of its own.
CONNECTION = duckdb.connect()


@dataclass(frozen=True)
class Text:
    """A cell: how it is written, and the lake columns it becomes; None for a bad one."""

    written: str
    meant: tuple[Any, ...] | None


@dataclass(frozen=True)
class Source:
    """How to make rows of a source.

    Attributes:
        cells: Header -> texts to draw from, good ones first and more often.
        lake: Lake columns that the cells' meanings fill, in order.
        key: Positions in a row's meanings that make its key.
    """

    name: str
    cells: dict[str, list[Text]]
    lake: tuple[str, ...]
    key: tuple[int, ...]


def good(*meant: Any, written: Sequence[str]) -> list[Text]:
    return [Text(text, meant) for text in written]


def bad(*written: str) -> list[Text]:
    return [Text(text, None) for text in written]


OUTPUTS = Source(
    "output_statistics",
    {
        "SUORITE": [
            *good("substance_abuse_work", written=["Päihdetyö", "päihde työ"] * 3),
            *good("nurse_reception_visits", written=["Käynnit hoitajan vastaanotolla"] * 3),
            *bad("Parturi", "-"),
        ],
        "TUOTTAMISTAPA": [
            # Both measures name all producers together where the row names none.
            *good("all", written=["", "-", "kaikki"] * 2),
            *good("own", written=["oma", "OMA", " own"]),
            *good("purchased", written=["osto"]),
            *bad("laina"),
        ],
        "JAKSO": [
            *good("2021", written=["2021", " 2021 "] * 3),
            *good("2021-Q2", written=["2021-Q2", "2021Q2", "2021-q2"]),
            *good("2021-06", written=["2021-06"]),
            *bad("2021-13", "kesä"),
        ],
        # The value, what it refers to, and its status when the unit says nothing else.
        "ARVO": [
            *good(0, None, None, written=["0", "-0"] * 3),
            *good(1_274_049, None, None, written=["1 274 049", "1\u00a0274\u202f049", "1274049"]),
            *good(5, None, None, written=["5", "005"]),
            *good(None, None, "not_available", written=["", "–"]),
            *good(None, None, "suppressed", written=[".."]),
            *good(None, "Ks. HUS", "moved", written=["Ks. HUS"]),
            *bad("1 27 4", "12,5", "–5", "x", "1.234", "99999999999999999999"),
        ],
        "TILA": [
            *good("final", written=["", "lopullinen", "FINAL", "-"] * 2),
            *good("estimated", written=["arvio"]),
            *bad("ehkä"),
        ],
        "HUOMAUTUS": [
            *good(None, written=["", " ", "-"] * 2),
            *good('a; "b" c', written=['a; "b" c', 'a;\n"b"  c']),
        ],
    },
    ("measure_code", "producer_type", "period", "value", "value_reference", "value_status", "note"),
    (0, 1, 2),
)

SHORTFALL = Source(
    "shortfall",
    {
        "HENKILOSTORYHMA": [
            *good("physicians", written=["Lääkärit", "LÄÄKÄRIT"] * 3),
            *good("dentists", written=["Hammaslääkärit"]),
            *bad("Parturit", ""),
        ],
        "PALVELUKOKONAISUUS": [
            *good("hus", written=["HUS", "hus"] * 3),
            *good("family_and_social", written=["Perhe- ja\nsosiaalipalvelut"]),
            *bad("Palo"),
        ],
        "LASKENTA_PVM": [
            *good(
                date(2021, 12, 31),
                written=["31.12.2021", "2021-12-31", "joulukuu 2021", "Joulukuussa 2021"],
            ),
            *good(date(2020, 2, 29), written=["29.2.2020", "helmikuu 2020"]),
            *bad("31.2.2021", "2021"),
        ],
        "VAJE": [
            *good(Decimal("0.6"), None, "final", written=["60", "60 %", "60,0", "60.00 %"]),
            *good(Decimal("0.125"), None, "final", written=["12,5%"]),
            *good(Decimal(0), None, "final", written=["0"]),
            *good(None, None, "not_available", written=["", "-"]),
            *bad("abc", "–1", "1.234"),
        ],
    },
    ("staff_group_code", "service_entity_code", "count_date", "shortfall_share",
     "shortfall_share_reference", "value_status"),
    (0, 1, 2),
)  # fmt: skip

SOURCES = {source.name: source for source in (OUTPUTS, SHORTFALL)}
Cells = tuple[Text, ...]


def meaning(source: Source, row: Cells) -> tuple[Any, ...] | None:
    """What a row says, or None when one of its cells is bad."""
    meant: list[Any] = []
    for cell in row:
        if cell.meant is None:
            return None
        meant += cell.meant
    if source is OUTPUTS:
        # A missing value says why it is missing, whatever state is written beside it.
        reason, said = meant[5], meant.pop(6)
        meant[5] = reason or said
    return tuple(meant)


@st.composite
def deliveries(draw: st.DrawFn, source: Source) -> tuple[list[list[Cells]], list[list[int]]]:
    """Rows of a delivery cut into files, and the order of columns in each file."""
    sound = st.tuples(
        *(
            st.sampled_from([text for text in texts if text.meant])
            for texts in source.cells.values()
        )
    )
    any_row = st.tuples(*(st.sampled_from(texts) for texts in source.cells.values()))
    rows = draw(st.lists(st.one_of(sound, sound, sound, any_row), min_size=1, max_size=25))
    cuts = sorted(draw(st.sets(st.integers(1, len(rows)), max_size=2)) | {len(rows)})
    files = [rows[start:end] for start, end in zip([0, *cuts], cuts, strict=False)]
    columns = list(range(len(source.cells)))
    return files, [draw(st.permutations(columns)) for _ in files]


def as_csv(source: Source, rows: list[Cells], columns: list[int]) -> str:
    headers = list(source.cells)
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=";", lineterminator="\n")
    writer.writerow([headers[column] for column in columns])
    for row in rows:
        writer.writerow([row[column].written for column in columns])
    return stream.getvalue()


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_every_row_is_accounted_for_and_the_right_ones_are_loaded(
    name: str, new_home: Callable[[], Home]
) -> None:
    source = SOURCES[name]
    codes = load_code_tables()

    @settings(max_examples=max(1, settings().max_examples // 2))
    @given(deliveries(source), st.sampled_from([0.1, 0.5, 1.0]))
    def check(delivered: tuple[list[list[Cells]], list[list[int]]], allowed: float) -> None:
        files, columns = delivered
        home = new_home()
        home.deliver(
            f"{name}/2022-01-31",
            {
                f"{number}.csv": as_csv(source, rows, order)
                for number, (rows, order) in enumerate(zip(files, columns, strict=True))
            },
        )
        (delivery,) = scan(home.landing, {name}).deliveries
        spec = home.specs[name].model_copy(update={"max_bad_share": allowed})
        context = Context(
            raw_folder=home.lake.raw,
            quarantine_folder=home.lake.quarantine,
            codes=codes,
            documents=frozenset(),
            spec_versions={name: "v1"},
            now=datetime(2022, 2, 1, tzinfo=UTC),
            connection=CONNECTION,
        )
        entry = load_delivery(spec, delivery, context)

        rows = [row for file in files for row in file]
        said = [meaning(source, row) for row in rows]
        contents = [item for item in said if item is not None]
        keys = [tuple(item[position] for position in source.key) for item in set(contents)]
        clashing = {key for key in keys if keys.count(key) > 1}
        kept = [
            item
            for item in contents
            if tuple(item[position] for position in source.key) not in clashing
        ]
        quarantined = len(rows) - len(kept)
        expected = list(dict.fromkeys(kept))

        assert entry.rows_in == len(rows)
        assert entry.rows_in == (
            entry.rows_loaded
            + entry.rows_duplicate
            + entry.rows_quarantined
            + (entry.rows_refused or 0)
        )
        assert entry.rows_quarantined == quarantined
        rejects = home.rejects(f"{name}/2022-01-31")
        assert len({(file, line) for _, file, line, *_ in rejects}) == quarantined
        path = lake_folder(home.lake.raw, name, "2022-01-31") / "part-0.parquet"
        if quarantined / len(rows) > allowed:
            assert (entry.outcome, entry.rows_loaded) == ("refused", 0)
            assert not path.exists()
            return
        assert entry.outcome == "loaded"
        assert (entry.rows_loaded, entry.rows_duplicate) == (
            len(expected),
            len(kept) - len(expected),
        )
        with duckdb.connect() as connection:
            stored = connection.execute(
                f"select {', '.join(source.lake)} from read_parquet(?, hive_partitioning = false)",
                [str(path)],
            ).fetchall()
        assert stored == expected

    check()
