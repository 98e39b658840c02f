"""Bulk deliveries: the quick way of regular rows and the slow way of all others agree, always.

Every row of a delivery is sent the slow way by calling none of them regular. Lake, quarantine and
accounting must be those of the quick way.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import bulk
from ingest.spec import load_specs

if TYPE_CHECKING:
    from tests.conftest import Home

ID = "care_events/2024-01-31"
SPEC = load_specs()["care_events"]
HEADERS = {name: column.headers[0] for name, column in SPEC.columns.items()}

TIMES = (
    "", "31.01.2022 08:15", "1.2.2022 8:15", "01.02.2022 8:05", "31.01.2022 08:15:30",
    "2022-01-31 08:15", "2022-01-31T08:15:30", "2022-01-31T08:15:30.123456", "2022-01-31T08:15Z",
    "2022-01-31T06:15:00Z", "2022-01-31T08:15:00+02:00", "2022-07-31T08:15+03:00",
    "2022-01-31T08:15:00,5", "27.03.2022 03:30", "30.10.2022 03:30", "2022-10-30T00:30:00Z",
    "2022-10-30T01:30:00Z", "31.01.2022  08:15", " 31.01.2022 08:15", "31.01.2022 08:15 ",
    "31.01.2022 08:5", "31.01.2022 08:5 ", " 31.01.2022 08:5", "31.02.2022 08:15", "31.01.22 08:15",
    "31.01.2022", "2022-01-31", "31.01.2022 24:00", "2022-01-31 24:00", "31.01.1995 08:15",
    "1996-01-01 00:00", "31.12.2099 23:59", "2099-12-31T23:00:00Z", "1995-12-31T23:30:00Z",
    "2100-01-01 00:00", "-", "..", "huomenna", "2022-1-31 08:15", "31/01/2022 08:15",
    "2022-01-31T08:15:00+2:00", "2022-01-31T08:15:00z", "2022-01-31T08:15:00-0330",
    "2022-01-31T08:15:00+14:00", "2022-01-31T08:15+25:00", "2022-01-31T08:15:00+02:60",
)  # fmt: skip
PEOPLE = (
    "", "010150-901D", "010150-901d", " 010150-901D", "010150\u2013901D", "010150A901D",
    "010150-901X", "310250-901A", "asiakas 7", "A-77", "-", "..", "010150+901D", "010150Y901D",
    "010150 - 901D", "010150\u00ad901d", "0101 50-901\u00a0D", "\ufeff010150-901D",
    "010150-901D (äidin)", "010150-901X (äidin)",
)  # fmt: skip
TEXTS = (
    "", "N-1", " N-1", "N  1", "N 1", "N\u00a01", "N\t1", "-", "\u2013", "..", "010150-901D",
    "x010150A901Dx", "010150-901X", "131052\u2013308T", "ä\u20ac", "N\n1", 'N"1', "N;1", "N,1",
    "010150-90", "\x01", "\x1f", "010122-010150-901D", "010150 - 901D", "010150-\u200b901D",
    "\ufeffN-1",
)  # fmt: skip
CHOICES = {
    "boolean": ("", "K", "e", "kyllä", "1", "0", "true", "FALSE", " K", "x", "-"),
    "choice": ("", "oma", "OSTO", "palveluseteli ", "own", "muu", "-"),
    "contact_channels": ("", "puhelin", "PUHELIN", "muu", "faksi", "-"),
    "service_forms": ("", "T11", "t11", "T 11", "T60", "T99x", "..", "010150-901D"),
    "licences": ("", "000", "100", " 100", "x"),
    "urgencies": ("", "E", "e", "K", "1", "Z"),
    "care_natures": ("", "SH", "sh", "TH", "?"),
    "assessment_outcomes": ("", "ratkaistu", "kaynti", "KAYNTI", "ei"),
    "contact_modes": ("", "R10", "r10", "R56", "R1 0"),
    "visit_channels": ("", "lasna", "video", "Video", "kirje"),
    "professions": ("", "2211", "22 11", "x"),
    "cancel_reasons": ("", "asiakas", "saapumatta", "Kuolema", "xx"),
}


def usual(name: str) -> tuple[str, ...]:
    """Cells as most are written."""
    column = SPEC.columns[name]
    if name == "record_id":
        return ("R1", "R2", "R3")
    if column.type == "timestamp":
        return ("31.01.2022 08:15", "27.03.2022 03:30")
    if column.personal:
        return ("", "010150-901D", "A-77")
    if column.type == "text":
        return ("", "N-1")
    return CHOICES[column.codes or column.type][:2]


def odd(name: str) -> tuple[str, ...]:
    """Cells as they may be written too."""
    column = SPEC.columns[name]
    if column.type == "timestamp":
        return TIMES
    if column.personal:
        return PEOPLE
    if column.type == "text":
        return TEXTS
    return CHOICES[column.codes or column.type]


USUAL_ROW = st.fixed_dictionaries({name: st.sampled_from(usual(name)) for name in SPEC.columns})


@st.composite
def rows(draw: st.DrawFn) -> list[dict[str, str]]:
    found = []
    for row in draw(st.lists(USUAL_ROW, min_size=1, max_size=12)):
        changed = draw(st.lists(st.sampled_from(sorted(SPEC.columns)), max_size=3))
        found.append(row | {name: draw(st.sampled_from(odd(name))) for name in changed})
    # Rows that stand twice, as they are or written another way.
    again = draw(st.lists(st.sampled_from(found), max_size=3))
    respelt = draw(st.booleans())
    return found + [
        row | ({"record_id": f" {row['record_id']}"} if respelt else {}) for row in again
    ]


@st.composite
def files(draw: st.DrawFn) -> dict[str, bytes]:
    """One or two csv files of rows, with separators, line ends, encodings and faults."""
    delivered = {}
    for number in range(draw(st.integers(1, 2))):
        separator = draw(st.sampled_from(";,"))
        end = draw(st.sampled_from(["\n", "\r\n"]))
        names = draw(st.permutations(sorted(SPEC.columns)))
        stream = io.StringIO()
        writer = csv.writer(
            stream,
            delimiter=separator,
            lineterminator=end,
            quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        )
        writer.writerow([HEADERS[name] for name in names])
        for row in draw(rows()):
            writer.writerow([row[name] for name in names])
            match draw(st.integers(0, 19)):
                case 0:
                    stream.write(end)
                case 1:
                    writer.writerow(["x"] * draw(st.integers(2, len(names) - 1)))
                case 2:
                    writer.writerow(["x"] * (len(names) + draw(st.integers(1, 3))))
                case 3:
                    writer.writerow([""] * len(names))
                case 4:
                    cells = ['"x"y', *["x"] * (len(names) - 1)]
                    stream.write(separator.join(cells) + end)
        text = stream.getvalue()
        encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "cp1252"]))
        try:
            delivered[f"{number}.csv"] = text.encode(encoding)
        except UnicodeEncodeError:
            delivered[f"{number}.csv"] = text.encode()
    return delivered


def outcome(home: Home, delivered: dict[str, bytes], condition: str | None) -> dict[str, Any]:
    """What became of a delivery; `condition` replaces that of regular rows."""
    home.deliver(ID, delivered)
    with pytest.MonkeyPatch.context() as patch:
        if condition is not None:
            patch.setattr(bulk, "_condition", lambda spec, file: condition)
        home.ingest()
    entry = home.entry(ID)
    return {
        "outcome": entry.outcome,
        "counts": (
            entry.rows_in, entry.rows_loaded, entry.rows_duplicate, entry.rows_quarantined,
            entry.rows_refused,
        ),
        "findings": sorted(home.texts(ID)),
        "rejects": home.rejects(ID),
        "lake": Counter(home.query("select * from lake.care_events")),
    }  # fmt: skip


def assert_closed(found: dict[str, Any]) -> None:
    rows_in, *others, refused = found["counts"]
    if found["outcome"] == "loaded":
        assert rows_in == sum(others)
    assert (rows_in is None) == (refused is None)


def test_both_ways_of_csv_rows_lead_to_the_same(new_home: Callable[[], Home]) -> None:
    @settings(max_examples=max(1, settings().max_examples // 3))
    @given(files())
    def check(delivered: dict[str, bytes]) -> None:
        quick = outcome(new_home(), delivered, None)
        slow = outcome(new_home(), delivered, "random() < 0")
        assert quick == slow
        assert_closed(quick)

    check()


# --- Parquet --------------------------------------------------------------------------------------

HELSINKI_WINTER = timezone(timedelta(hours=2))
INSTANTS = (
    None,
    datetime(2022, 1, 31, 6, 15, tzinfo=UTC),
    datetime(2022, 10, 30, 0, 30, tzinfo=UTC),
)
CLOCKS = (None, datetime(2022, 1, 31, 8, 15), datetime(2022, 3, 27, 3, 30), datetime(1990, 1, 1))
TYPED: dict[str, tuple[pa.DataType, tuple[Any, ...]]] = {
    "record_updated_at": (pa.timestamp("us", tz="UTC"), INSTANTS),
    "contact_at": (pa.timestamp("ms"), CLOCKS),
    "assessed_at": (pa.timestamp("ns"), CLOCKS),
    "started_at": (pa.timestamp("us", tz="Europe/Helsinki"), INSTANTS),
    "is_deleted": (pa.bool_(), (None, True, False)),
    "is_first_visit": (pa.bool_(), (None, True, False)),
    "visitor_group_code": (pa.int32(), (None, 1, 2)),
    "profession_code": (pa.float64(), (None, 2211.0, float("nan"), 1.5)),
    "urgency_code": (pa.int8(), (None, 1, 5, 99)),
    "care_need_id": (pa.int64(), (None, 7, 10**15)),
    "record_id": (pa.binary(), (b"R1", b"R2", None)),
}


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    typed = draw(st.sets(st.sampled_from(sorted(TYPED))))
    count = draw(st.integers(1, 8))
    columns = {}
    for name in draw(st.permutations(sorted(SPEC.columns))):
        if name in typed:
            type_, values = TYPED[name]
            cells = [draw(st.sampled_from(values)) for _ in range(count)]
            columns[HEADERS[name]] = pa.array(cells, type_)
        else:
            cells = [
                draw(st.sampled_from(usual(name) if draw(st.integers(0, 9)) else odd(name)))
                for _ in range(count)
            ]
            columns[HEADERS[name]] = pa.array(cells, pa.string())
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream, row_group_size=draw(st.integers(1, 8)))
    return stream.getvalue()


def test_both_ways_of_parquet_rows_lead_to_the_same(new_home: Callable[[], Home]) -> None:
    @settings(max_examples=max(1, settings().max_examples // 3))
    @given(tables())
    def check(table: bytes) -> None:
        quick = outcome(new_home(), {"a.parquet": table}, None)
        slow = outcome(new_home(), {"a.parquet": table}, "random() < 0")
        assert quick == slow
        assert_closed(quick)

    check()


def test_regular_rows_do_go_the_quick_way(new_home: Callable[[], Home]) -> None:
    """Else the two ways would agree for nothing."""
    home = new_home()
    row = {name: usual(name)[-1] for name in SPEC.columns}
    lines = [";".join(HEADERS.values())]
    lines += [";".join((row | {"record_id": f"R{n}"}).values()) for n in range(20)]
    home.deliver(ID, {"a.csv": "\n".join(lines)})
    home.ingest()
    folder = home.lake.raw / "care_events" / "delivery=2024-01-31"
    counts = {
        path.name: duckdb.sql(f"select count(*) from '{path}'").fetchone()
        for path in folder.glob("*.parquet")
    }
    assert counts == {"part-0.parquet": (0,), "part-1.parquet": (20,)}
