"""Staff figures and budget rows, good, bad, doubled and contradicting: the accounting closes.

The oracle never parses: each generated cell is a text together with what it means in the lake, and
a delivery's rows are judged from meanings alone. It goes through the same door as a build does.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.conftest import Home


@dataclass(frozen=True)
class Text:
    """A cell: how it is written, and what it says; None for a bad one."""

    written: str
    meant: tuple[Any, ...] | None


Cells = tuple[Text, ...]


@dataclass(frozen=True)
class Source:
    """How to make rows of a source, and what they become.

    Attributes:
        cells: Header -> texts to draw from.
        lake: Columns of the lake, in the order in which `row` gives them.
        row: From what the cells say to the row of the lake.
        key: How many of the first lake columns make the key.
        outside_key: Headers of columns that are no part of it.
    """

    name: str
    cells: dict[str, list[Text]]
    lake: tuple[str, ...]
    row: Callable[[list[tuple[Any, ...]]], tuple[Any, ...]]
    key: int
    outside_key: tuple[str, ...]


def good(*meant: Any, written: Sequence[str]) -> list[Text]:
    return [Text(text, meant) for text in written]


def bad(*written: str) -> list[Text]:
    return [Text(text, None) for text in written]


NO_BREAK = "\u00a0"

STATUS = [
    *good(None, written=["", "-", " "]),
    *good("final", written=["lopullinen", "FINAL"]),
    *good("estimated", written=["arvio", " Arvio "]),
    *bad("ehkä", "final?"),
]
NOTE = [
    *good(None, written=["", "-"] * 2),
    *good("a; b", written=["a; b", "a;  b", "a;\nb", f"a;{NO_BREAK}b"]),
]


def figure(meant: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """A row of staff figures: a missing value gives its own reason, whatever is said beside it."""
    (measure,), (group,), (entity,), (period,), number, (said,), (note,) = meant
    value, precision, reference, reason = number
    status = reason or said or "final"
    return (measure, group, entity, period, value, precision, reference, status, note)


PERSONNEL = Source(
    "personnel",
    {
        "MITTARI": [
            *good("permanent_headcount", written=["vakinaiset", "VAKINAISET"] * 2),
            *good("posts", written=["vakanssit"]),
            *bad("vakituiset", "", "-"),
        ],
        "Henkilöstöryhmä": [
            *good("ALL", written=["", "-", "Yhteensä", "ALL"]),
            *good("physicians", written=["Lääkärit", "LÄÄ KÄRIT"]),
            *bad("Parturit"),
        ],
        "PALVELUKOKONAISUUS": [
            *good("ALL", written=["", "Sosiaali- ja terveystoimiala yhteensä"]),
            *good(
                "family_and_social",
                written=["Perhe-ja sosiaalipalvelut", "Perhe–\nja sosiaalipalvelut"],
            ),
            *bad("Palo"),
        ],
        "JAKSO": [
            *good("2022-03", written=["2022-03", " 2022-03 "]),
            *good("2022-Q1", written=["2022-Q1", "2022q1"]),
            *good("2021", written=["2021"]),
            *bad("2022-3", "2022-13", "maaliskuu 2022", "", "-"),
        ],
        # Value, precision, reference, reason.
        "ARVO": [
            *good(Decimal(1274), Decimal(1), None, None, written=["1 274", f"1{NO_BREAK}274"]),
            *good(Decimal(1274), Decimal(1), None, None, written=["1274", "+1274"]),
            *good(Decimal(1274), Decimal("0.1"), None, None, written=["1 274,0", "1274.0"]),
            *good(Decimal("0.06"), Decimal("0.01"), None, None, written=["6 %", "6%"]),
            *good(Decimal(53_000), Decimal(1_000), None, None, written=["0,053 MEUR"]),
            *good(Decimal(100_000), Decimal(100_000), None, None, written=["0,1 MEUR", "0.1meur"]),
            *good(Decimal(0), Decimal(1), None, None, written=["0", "-0"]),
            *good(None, None, None, "not_available", written=["", "–"]),
            *good(None, None, None, "suppressed", written=[".."]),
            *good(None, None, "Ks. HUS", "moved", written=["Ks. HUS"]),
            *bad("-5", "–1 %", "12 74", "1.274", "n. 5", "1,2,3", "9" * 13, "5 hlö"),
        ],
        "TILA": STATUS,
        "HUOMAUTUS": NOTE,
    },
    (
        "measure_code", "staff_group_code", "service_entity_code", "period",
        "value", "value_precision", "value_reference", "value_status", "note",
    ),
    figure,
    4,
    ("ARVO", "TILA", "HUOMAUTUS"),
)  # fmt: skip


def amount(meant: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """A row of the budget: the amount is the number times its unit, and so is its precision."""
    (item,), (group,), (unit,), (period,), (flow,), (stage,), number, (factor,), *rest = meant
    (internal,), (note,) = rest
    value, step, reference, reason = number
    return (
        *(item, group, unit, internal, period, flow, stage),
        None if value is None else value * factor,
        None if step is None else step * factor,
        reference,
        reason or "final",
        factor,
        note,
    )


BUDGET = Source(
    "budget",
    {
        "TALOUSARVIOKOHTA": [
            *good("hus", written=["HUS", "HUS-kuntayhtymä", "hus–kuntayhtymä"]),
            *good("apotti", written=["Apotti"]),
            *bad("Apotit", "", "-"),
        ],
        "TILIRYHMÄ": [
            *good(None, written=["", "-"] * 2),
            *good("Palvelujen ostot", written=["Palvelujen ostot", "Palvelujen  ostot"]),
        ],
        "YKSIKKO": [*good(None, written=[""] * 3), *good("Töölö", written=["Töölö"])],
        "JAKSO": [
            *good("2022", written=["2022"]),
            *good("2022-02", written=["2022-02", "2022-02 "]),
            *bad("2/2022", "2022-2", ""),
        ],
        "LAJI": [
            *good("expenditure", written=["menot", "MENOT", "expenditure"]),
            *good("income", written=["tulot"]),
            *bad("meno", "-"),
        ],
        "VAIHE": [
            *good("outturn", written=["toteuma", " Toteuma"]),
            *good("original", written=["alkuperäinen", "alkuperainen"]),
            *bad("arvio", ""),
        ],
        "SUMMA": [
            *good(Decimal("12.5"), Decimal("0.1"), None, None, written=["12,5", "+12.5"]),
            *good(Decimal("12.5"), Decimal("0.01"), None, None, written=["12,50"]),
            *good(Decimal(-3), Decimal(1), None, None, written=["-3", "–3", "- 3"]),
            *good(Decimal(1234), Decimal(1), None, None, written=["1 234", f"1{NO_BREAK}234"]),
            *good(Decimal(0), Decimal(1), None, None, written=["0"]),
            *good(None, None, None, "not_available", written=["", "-"]),
            *good(None, None, "Katso HUS", "moved", written=["Katso HUS"]),
            *bad("1.234", "12,5 MEUR", "1 23", "x", "1,234.5"),
        ],
        "YKSIKKOKERROIN": [
            *good(1_000_000, written=["MEUR", "M€", "milj. eur"]),
            *good(1_000, written=["1000 EUR", f"1{NO_BREAK}000 €", "TEUR"]),
            *good(1, written=["EUR", "€"]),
            *bad("kEUR", "", "SEK"),
        ],
        "SISÄINEN": [
            *good(False, written=["", "-", "E", "ei", "0"]),
            *good(True, written=["K"]),
            *bad("ehkä", "2"),
        ],
        "HUOMAUTUS": NOTE,
    },
    (
        "budget_item_code", "account_group", "unit_id", "is_internal", "period", "flow", "stage",
        "amount", "amount_precision", "amount_reference", "amount_status", "amount_unit", "note",
    ),
    amount,
    7,
    ("SUMMA", "YKSIKKOKERROIN", "HUOMAUTUS"),
)  # fmt: skip

SOURCES = {source.name: source for source in (PERSONNEL, BUDGET)}


def meaning(source: Source, row: Cells) -> tuple[Any, ...] | None:
    """The row of the lake, or None when one of the cells is bad."""
    meant = [cell.meant for cell in row if cell.meant is not None]
    return source.row(meant) if len(meant) == len(row) else None


@st.composite
def deliveries(draw: st.DrawFn, source: Source) -> tuple[list[list[Cells]], list[list[int]]]:
    """Rows cut into files, and the order of columns in each.

    Besides rows drawn freely there are rows written again (the same texts, or other texts of the
    same meaning), rows of another one's key with another value, and rows with one bad cell.
    """
    columns = list(source.cells.values())
    sound = st.tuples(
        *(st.sampled_from([text for text in texts if text.meant]) for texts in columns)
    )
    rows: list[Cells] = draw(st.lists(sound, min_size=1, max_size=8))
    for _ in range(draw(st.integers(0, 12))):
        row = list(draw(st.sampled_from(rows)))
        match draw(st.sampled_from(["again", "reworded", "contradicted", "spoilt"])):
            case "reworded":
                for position, texts in enumerate(columns):
                    same = [text for text in texts if text.meant == row[position].meant]
                    row[position] = draw(st.sampled_from(same))
            case "contradicted":
                position = list(source.cells).index(draw(st.sampled_from(source.outside_key)))
                row[position] = draw(st.sampled_from([t for t in columns[position] if t.meant]))
            case "spoilt":
                spoilable = [
                    p for p, texts in enumerate(columns) if not all(t.meant for t in texts)
                ]
                position = draw(st.sampled_from(spoilable))
                row[position] = draw(
                    st.sampled_from([text for text in columns[position] if not text.meant])
                )
            case _:
                pass
        rows.append(tuple(row))
    rows = draw(st.permutations(rows))
    cuts = sorted(draw(st.sets(st.integers(1, len(rows)), max_size=2)) | {len(rows)})
    files = [rows[start:end] for start, end in zip([0, *cuts], cuts, strict=False)]
    order = list(range(len(columns)))
    return files, [draw(st.permutations(order)) for _ in files]


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
    delivery_id = f"{name}/2022-04-15"

    @settings(max_examples=max(1, settings().max_examples // 2))
    @given(deliveries(source), st.sampled_from([0.1, 0.5, 1.0]))
    def check(delivered: tuple[list[list[Cells]], list[list[int]]], allowed: float) -> None:
        files, columns = delivered
        home = new_home()
        spec = home.specs[name].model_copy(update={"max_bad_share": allowed})
        home.specs = {name: spec}
        home.deliver(
            delivery_id,
            {
                f"{number}.csv": as_csv(source, rows, order)
                for number, (rows, order) in enumerate(zip(files, columns, strict=True))
            },
        )
        home.ingest()
        entry = home.entry(delivery_id)

        rows = [row for file in files for row in file]
        said = [meaning(source, row) for row in rows]
        keys = Counter(item[: source.key] for item in {item for item in said if item is not None})
        kept = [item for item in said if item is not None and keys[item[: source.key]] == 1]
        quarantined = len(rows) - len(kept)
        refused = quarantined / len(rows) > allowed
        loaded = [] if refused else list(dict.fromkeys(kept))
        doubled = 0 if refused else len(kept) - len(loaded)

        assert entry.outcome == ("refused" if refused else "loaded")
        assert (
            entry.rows_in,
            entry.rows_loaded,
            entry.rows_duplicate,
            entry.rows_quarantined,
            entry.rows_refused,
        ) == (len(rows), len(loaded), doubled, quarantined, len(kept) if refused else 0)
        # What is set aside are the bad and the contradicting rows, each where it stands.
        places = [(f"{n}.csv", row) for n, file in enumerate(files) for row in file]
        aside = Counter(
            file
            for (file, _), item in zip(places, said, strict=True)
            if item is None or keys[item[: source.key]] > 1
        )
        found = {(file, line) for _, file, line, *_ in home.rejects(delivery_id)}
        assert Counter(file for file, _ in found) == aside
        assert sum(finding.code == "duplicate_rows" for finding in entry.findings) == bool(doubled)
        stored = home.query(
            f"select {', '.join(source.lake)} from lake.{name} order by source_file, source_line"
        )
        assert stored == loaded

    check()
