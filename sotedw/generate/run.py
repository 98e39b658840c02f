"""Generating deliveries: options, the run over all records, files, and what came of it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import duckdb

from sotedw.errors import WrongUse
from sotedw.generate.city import GROUP_SIZE
from sotedw.generate.lookups import CLIENT_CYCLE, Lookups, sql_text
from sotedw.generate.timeline import (
    DEFECTS,
    HEADER_LINE,
    HEADERS,
    KEPT,
    DeliveryDay,
    Shares,
    Sql,
)
from sotedw.settings import PROJECT

SOURCE = "care_events"

#: Days between two deliveries, when the period is long enough for it.
USUAL_GAP_DAYS = 7

#: The deltas hold at most this share of the period.
LARGEST_DELTA_SHARE = 1 / 3

#: Records a client has, unless the number of clients is given; and how many clients there can be.
RECORDS_PER_CLIENT = 12
FEWEST_CLIENTS, MOST_CLIENTS = 2 * CLIENT_CYCLE, 700_000

#: Columns that a row's texts are made of.
_ROW_COLUMNS = ", ".join((*KEPT, "version", "copy", "defect"))

#: `Progress(what, done, total)`, in records.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class GenerateOptions:
    """What to generate. The same options, and the same unit list, give the same bytes.

    Attributes:
        out: A landing folder; deliveries go to `<out>/care_events/<date>[-<n>]/`.
        events: Event records, each with an id of its own; None: as many as the city has. Rows are
            a few more: corrections, duplicates and versions that come again are rows of their own.
        seed: Whatever else is equal, another seed makes other data.
        start: First day on which needs start.
        end: Last day of which anything is known; the last delivery is dated the day after.
        scale: With `events` None: the share of the city's records to make.
        deliveries: How many: a full one, then deltas.
        delta_events: Rows of each delta; None: what is new and changed since the one before. The
            dates are then so close that a delta holds as many; what would be too much is not
            delivered.
        rows_per_file: Records of a file.
        file_format: `csv` or `parquet`.
        encoding: `utf-8` or `latin-1`, of csv.
        shares: How untidy the data are.
        clients: Clients; None: one for every twelve records.
        units: The unit list.
        holidays: The list of public holidays.
        iso_times: Whether service voucher producers write ISO 8601 times, some with an offset.
        truth: A Parquet file for what each row is, to test with; it belongs to no delivery.
        threads: Threads of DuckDB; they do not change a byte.
    """

    out: Path
    events: int | None = 100_000
    seed: int = 1
    start: date = date(2020, 1, 1)
    end: date = date(2022, 12, 31)
    scale: float = 1.0
    deliveries: int = 3
    delta_events: int | None = None
    rows_per_file: int = 480_000
    file_format: str = "csv"
    encoding: str = "utf-8"
    shares: Shares = field(default_factory=Shares)
    clients: int | None = None
    units: Path | None = PROJECT / "seeds" / "access" / "units.csv"
    holidays: Path | None = PROJECT / "seeds" / "core" / "public_holidays.csv"
    iso_times: bool = False
    truth: Path | None = None
    threads: int = 2


@dataclass(frozen=True)
class GeneratedDelivery:
    """A delivery that was written.

    Attributes:
        name: Its folder.
        files: Names of its data files.
        rows: Its rows, in all.
        bad: Rows by defect (`sotedw.generate.DEFECTS`), also those that are not quarantined.
        duplicates: Rows that stand earlier in the same file.
        resent: Versions that an earlier delivery held already.
        superseded: Versions that the delivery holds a newer one of.
        identity_codes: Rows whose client is given by an identity code.
    """

    name: str
    files: tuple[str, ...]
    rows: int
    bad: dict[str, int]
    duplicates: int
    resent: int
    superseded: int
    identity_codes: int

    @property
    def quarantined(self) -> int:
        """Rows that should not get past the door."""
        return sum(self.bad.get(item.kind, 0) for item in DEFECTS if item.quarantined)


@dataclass(frozen=True)
class GenerateResult:
    """What was generated.

    Attributes:
        events: Event records.
        clients: Clients.
        deliveries: The deliveries, in their order.
        truth: The truth file, if one was asked for.
    """

    events: int
    clients: int
    deliveries: tuple[GeneratedDelivery, ...]
    truth: Path | None

    @property
    def rows(self) -> int:
        """Rows of all deliveries."""
        return sum(delivery.rows for delivery in self.deliveries)


def generate(options: GenerateOptions, progress: Progress | None = None) -> GenerateResult:
    """Write the deliveries.

    Raises:
        WrongUse: Options that fit nothing, or a delivery that is there already.
    """
    _check(options)
    return _Run(options, progress or (lambda _text, _done, _total: None)).write()


def _check(options: GenerateOptions) -> None:
    if options.end < options.start:
        raise WrongUse(f"the period ends ({options.end}) before it starts ({options.start})")
    if options.start.year < 1996 or options.end.year > 2099:
        raise WrongUse("the period is outside the years 1996 to 2099")
    if options.events is not None and options.events < 1:
        raise WrongUse("the number of events is less than 1")
    if options.scale <= 0:
        raise WrongUse("the scale is not more than 0")
    if options.deliveries < 1:
        raise WrongUse("the number of deliveries is less than 1")
    if options.delta_events is not None and options.deliveries < 2:
        raise WrongUse("a size of the deltas needs two deliveries or more")
    if options.rows_per_file < GROUP_SIZE:
        raise WrongUse(f"a file holds fewer than {GROUP_SIZE} records")
    if options.file_format not in {"csv", "parquet"}:
        raise WrongUse("the format is neither csv nor parquet")
    if options.encoding not in {"utf-8", "latin-1"}:
        raise WrongUse("the encoding is neither utf-8 nor latin-1")
    for name in Shares.__dataclass_fields__:
        if not 0 <= getattr(options.shares, name) <= 1:
            raise WrongUse(f"the share of {name} is not between 0 and 1")


class _Run:
    """One run: the connection, the SQL, and what is counted on the way."""

    def __init__(self, options: GenerateOptions, progress: Progress) -> None:
        self._options = options
        self._progress = progress
        self._lookups = Lookups(
            options.start,
            options.end,
            events=options.events,
            units=options.units,
            holidays=options.holidays,
        )
        self._events = options.events or max(
            1, round(sum(self._lookups.records_per_year) * options.scale)
        )
        wanted = options.clients or self._events // RECORDS_PER_CLIENT
        wanted = min(max(wanted, FEWEST_CLIENTS), MOST_CLIENTS)
        self._clients = -(-wanted // CLIENT_CYCLE) * CLIENT_CYCLE
        self._dates = self._delivery_dates()
        self._days = _days(self._dates)
        self._names = [
            f"{item.day}" if number == 1 else f"{item.day}-{number}"
            for item in self._days
            for number in range(1, item.count + 1)
        ]
        self._sql = Sql(
            seed=options.seed,
            events=self._events,
            clients=self._clients,
            first=options.start,
            last=options.end,
            buckets=self._lookups.buckets,
            year_ends=self._lookups.year_ends,
            days=self._days,
            shares=options.shares,
            iso_times=options.iso_times,
        )
        self._connection = duckdb.connect()
        self._truth_parts: list[Path] = []

    def _delivery_dates(self) -> list[date]:
        """The dates of all deliveries; several may come on one day."""
        options = self._options
        last = options.end + timedelta(days=1)
        deltas = options.deliveries - 1
        period = (options.end - options.start).days + 1
        if options.delta_events is None:
            span = min(USUAL_GAP_DAYS * deltas, int(period * LARGEST_DELTA_SHARE))
            return [
                last - timedelta(days=round(span * left / deltas) if deltas else 0)
                for left in range(deltas, -1, -1)
            ]
        shares = dict(self._lookups.day_shares())
        dates = [last]
        for _ in range(deltas):
            day, expected = dates[0], 0.0
            while expected < options.delta_events * 1.15 + 10:
                day -= timedelta(days=1)
                if (last - day).days > period * LARGEST_DELTA_SHARE:
                    raise WrongUse(
                        f"{deltas} deltas of {options.delta_events} events are more than a third"
                        f" of {self._events} events: ask for fewer, or for more events in all"
                    )
                expected += shares[day] * self._events
            dates.insert(0, day)
        return dates

    # --- the run ----------------------------------------------------------------------------------

    def write(self) -> GenerateResult:
        folder = self._options.out / SOURCE
        for name in self._names:
            if (folder / name).exists():
                raise WrongUse(
                    f"{folder / name} is there already, and a delivery is never changed:"
                    " give another --out, or remove it"
                )
        folder.mkdir(parents=True, exist_ok=True)
        with self._connection, tempfile.TemporaryDirectory(dir=folder, prefix=".work-") as work:
            self._prepare(Path(work))
            if self._events <= self._options.rows_per_file:
                deliveries = self._write_small(folder)
            else:
                deliveries = self._write_large(folder)
            self._write_truth()
        return GenerateResult(self._events, self._clients, tuple(deliveries), self._options.truth)

    def _prepare(self, work: Path) -> None:
        run = self._connection.execute
        run(f"set threads = {self._options.threads}")
        run(f"set temp_directory = {sql_text(work)}")
        # The large table is always the one that is scanned, the lookup tables are the hashed ones.
        run("set disabled_optimizers = 'join_order,build_side_probe_side'")
        self._work = work
        self._lookups.install(self._connection, work)
        run(self._sql.clients())
        run(
            "create temp table later (delivery integer, part integer, copy integer, defect integer,"
            " version integer, trim_order integer, record bigint)"
        )
        chunk = min(self._options.rows_per_file, self._events)
        run(f"create temp table places as select range as place from range({chunk})")

    def _make_records(self, begin: int, end: int) -> None:
        """The table `records`, the view `newest` and the table `others` of some records."""
        run = self._connection.execute
        sql = self._sql
        numbers = f"(select {begin} + place as record from places where place < {end - begin})"
        run(f"create or replace temp table records as {sql.records(numbers)}")
        run(f"create or replace temp table unusual as {sql.unusual('records')}")
        run(f"create or replace temp table others as {sql.other_rows('unusual')}")
        run(f"create or replace temp view newest as {sql.newest_rows('records')}")
        self._progress("generating", end, self._events)

    def _write_small(self, folder: Path) -> list[GeneratedDelivery]:
        """All deliveries at once: they fit into memory, and it is planning that takes the time."""
        run = self._connection.execute
        self._make_records(0, self._events)
        self._trim("others")
        run(
            "create temp table rows as"
            f" select 1 as delivery, 0 as part, {_ROW_COLUMNS} from newest"
            f" union all select delivery, part, {_ROW_COLUMNS} from others"
        )
        run(f"create temp table written as {self._texts('rows', 'delivery')}")
        deliveries = []
        for number in range(1, len(self._names) + 1):
            with self._delivery(folder, number) as writer:
                writer.write(
                    f"(select * from rows where delivery = {number})",
                    f"(select * from written where delivery = {number})",
                )
            deliveries.append(writer.result())
        return deliveries

    def _write_large(self, folder: Path) -> list[GeneratedDelivery]:
        """The first delivery file by file; the others from the keys put by on the way."""
        run = self._connection.execute
        size = self._options.rows_per_file
        with self._delivery(folder, 1) as writer:
            for begin in range(0, self._events, size):
                self._make_records(begin, min(begin + size, self._events))
                run(
                    "insert into later select delivery, part, copy, defect, version, trim_order,"
                    " record from others where delivery > 1"
                )
                rows = (
                    f"(select 0 as part, {_ROW_COLUMNS} from newest union all"
                    f" select part, {_ROW_COLUMNS} from others where delivery = 1)"
                )
                writer.write(rows, f"({self._texts(rows)})")
        deliveries = [writer.result()]
        self._trim("later")
        for number in range(2, len(self._names) + 1):
            deliveries.append(self._write_delta(folder, number))
            self._progress("writing deltas", number - 1, len(self._names) - 1)
        return deliveries

    def _write_delta(self, folder: Path, number: int) -> GeneratedDelivery:
        run = self._connection.execute
        size = self._options.rows_per_file
        run(
            f"""
            create or replace temp table changed as
            select *, row_number() over (order by part, record, version, copy) - 1 as position
            from later
            where delivery = {number}
            """
        )
        rows = _count(self._connection, "select count(*) from changed")
        with self._delivery(folder, number) as writer:
            for begin in range(0, rows, size):
                chosen = f"(select * from changed where position // {size} = {begin // size})"
                run(
                    "create or replace temp table arrived as"
                    f" select * from {self._sql.timeline(chosen)}"
                )
                writer.write("arrived", f"({self._texts('arrived')})")
        return writer.result()

    def _trim(self, table: str) -> None:
        """Leave as many rows of each delta as were asked for, those of a need together."""
        limit = self._options.delta_events
        if limit is None:
            return
        self._connection.execute(
            f"""
            create or replace temp table {table} as
            select *
            from {table}
            qualify delivery = 1 or row_number() over (
                partition by delivery order by trim_order, record, part, version, copy
            ) <= {limit}
            """
        )

    def _texts(self, rows: str, also: str = "") -> str:
        if self._options.file_format == "parquet":
            return self._sql.texts(rows, also)
        return self._sql.lines(rows, also)

    @contextmanager
    def _delivery(self, folder: Path, number: int) -> Iterator[_Writer]:
        """A delivery that appears whole, or not at all."""
        name = self._names[number - 1]
        arriving = folder / f".{name}.part"
        shutil.rmtree(arriving, ignore_errors=True)
        arriving.mkdir()
        try:
            (arriving / "delivery.yml").write_text("synthetic: true\n", encoding="utf-8")
            yield _Writer(self._connection, self._sql, self._options, name, arriving, self._work)
            arriving.rename(folder / name)
        finally:
            shutil.rmtree(arriving, ignore_errors=True)

    def _write_truth(self) -> None:
        truth = self._options.truth
        if truth is None:
            return
        truth.parent.mkdir(parents=True, exist_ok=True)
        parts = sorted(self._work.glob("truth-*.parquet"))
        files = ", ".join(f"{sql_text(part)}" for part in parts)
        source = f"read_parquet([{files}])" if parts else "(select 1 limit 0)"
        self._connection.execute(
            f"copy (select * from {source} order by delivery, file, line)"
            f" to {sql_text(truth)} (format parquet, compression zstd)"
        )


class _Writer:
    """Writes the files of one delivery and counts what is in them."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        sql: Sql,
        options: GenerateOptions,
        name: str,
        folder: Path,
        work: Path,
    ) -> None:
        self._connection = connection
        self._sql = sql
        self._options = options
        self._name = name
        self._folder = folder
        self._work = work
        self._files: list[str] = []
        self._counts: dict[tuple[int, int, int], int] = {}
        self._identity_codes = 0

    def write(self, rows: str, texts: str) -> None:
        """One file of the rows of a relation; none when there are none.

        Args:
            rows: What the rows are.
            texts: How they are written, and their `place` in the file.
        """
        counted = self._connection.execute(
            "select part, copy, defect, count(*), count(*) filter (where client_kind = 0)"
            f" from {rows} as rows group by all order by all"
        ).fetchall()
        if not counted:
            return
        for part, copy, defect, number, with_code in counted:
            key = (part, copy, defect)
            self._counts[key] = self._counts.get(key, 0) + number
            if not defect or DEFECTS[defect - 1].header != "ASIAKAS_TUNNUS":
                self._identity_codes += with_code
        number = len(self._files) + 1
        file = f"{SOURCE}-{number:04d}.{self._options.file_format}"
        self._copy(texts, self._folder / file)
        self._files.append(file)
        if self._options.truth is not None:
            self._note_truth(rows, file, number)

    def _copy(self, texts: str, path: Path) -> None:
        if self._options.file_format == "parquet":
            columns = ", ".join(HEADERS)
            how = "format parquet, compression zstd, row_group_size 122880"
        else:
            columns = f'"{HEADER_LINE}"'
            # Lines are written as they are: they hold no such character, and their own quotes.
            how = "format csv, header, delimiter '\x01', quote '', escape ''"
        self._connection.execute(
            f"copy (select {columns} from {texts} as texts order by place)"
            f" to {sql_text(path)} ({how})"
        )
        if self._options.file_format == "csv" and self._options.encoding == "latin-1":
            _to_latin_1(path)

    def _note_truth(self, rows: str, file: str, number: int) -> None:
        kinds = " ".join(
            f"when {number} then '{defect.kind}'" for number, defect in enumerate(DEFECTS, start=1)
        )
        rules = " ".join(
            f"when {number} then '{defect.rule}'" for number, defect in enumerate(DEFECTS, start=1)
        )
        kept = ", ".join(
            str(number) for number, defect in enumerate(DEFECTS, start=1) if not defect.quarantined
        )
        path = self._work / f"truth-{self._name}-{number:04d}.parquet"
        self._connection.execute(
            f"""
            copy (
                select
                    '{self._name}' as delivery,
                    '{file}' as file,
                    row_number() over (order by part, record, version, copy) + 1 as line,
                    case
                        when copy = 1 then 'duplicate'
                        when copy = 2 then 'resent'
                        when part = 1 then 'superseded'
                        else case defect when 0 then 'good' {kinds} end
                    end as kind,
                    case defect when 0 then null {rules} end as rule,
                    defect > 0 and defect not in ({kept}) as is_bad,
                    copy = 1 as is_duplicate,
                    'TAP' || cast(1000000000 + record as varchar) as record_id,
                    version
                from {rows} as rows
                order by line
            ) to {sql_text(path)} (format parquet)
            """
        )

    def result(self) -> GeneratedDelivery:
        """What was written."""
        bad: dict[str, int] = {}
        for (_, _, defect), rows in self._counts.items():
            if defect:
                kind = DEFECTS[defect - 1].kind
                bad[kind] = bad.get(kind, 0) + rows
        counts = self._counts.items()
        return GeneratedDelivery(
            name=self._name,
            files=tuple(self._files),
            rows=sum(self._counts.values()),
            bad=dict(sorted(bad.items())),
            duplicates=sum(rows for (_, copy, _), rows in counts if copy == 1),
            resent=sum(rows for (_, copy, _), rows in counts if copy == 2),
            superseded=sum(rows for (part, copy, _), rows in counts if part == 1 and copy == 0),
            identity_codes=self._identity_codes,
        )


def _days(dates: list[date]) -> list[DeliveryDay]:
    """Deliveries by day, in order."""
    days: list[DeliveryDay] = []
    for number, day in enumerate(dates, start=1):
        if days and days[-1].day == day:
            days[-1] = DeliveryDay(day, days[-1].first, days[-1].count + 1)
        else:
            days.append(DeliveryDay(day, number, 1))
    return days


def _to_latin_1(path: Path) -> None:
    """Write a UTF-8 file anew in Latin-1."""
    temporary = path.with_name(f".{path.name}.tmp")
    with (
        path.open(encoding="utf-8", newline="") as source,
        temporary.open("w", encoding="latin-1", newline="") as target,
    ):
        shutil.copyfileobj(source, target, 1 << 20)
    temporary.replace(path)


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])
