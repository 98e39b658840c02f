"""The floor: what care events cost in plain DuckDB. FROZEN, version 1.

Budgets of the warehouse are ratios to these two programs, measured in the same run. So that a
ratio of today compares with one of last year, this file is frozen: whoever must change what it does
adds a version beside it, with columns of its own in `docs/benchmarks.md`. It is written from the
definitions alone, imports nothing of the project and reads none of its seeds.

- `ingest`: the csv files, typed, their times in UTC, as one Parquet file. Nothing else.
- `full`: the same files to monthly rates: typed load in UTC with local dates beside it, keyed
  pseudonyms over the distinct clients, the newest version of each record, visits and needs, the
  states of four measures of access, monthly rates of city and units; each step one query and one
  Parquet file, the facts sorted. (Tables in a database file cost nearly twice as much CPU.)

It does the simple thing that is right for clean data, and none of what the project adds:

- A row whose times cannot be read, or without an id or a version time, is skipped
  (`ignore_errors`). There are no code tables, no checks and no quarantine: what is skipped is not
  counted.
- It loads everything each time: no ledger, no deltas, no database, no release.
- Nothing in a delivery is dated on or after the as-of date, so no block has to be left out.
- Among versions of one time and delivery date any wins: they are copies of each other.
- Of an hour that occurs twice, the time zone functions of DuckDB take the second: local dates, and
  the order of a need's events, are the same either way.
- Clients' ages, the statutory limits, areas, quarters and years are left out.

    python -m benchmarks.floor ingest LANDING OUT
    python -m benchmarks.floor full LANDING OUT --as-of 2023-01-01
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from pathlib import Path

import click
import duckdb

VERSION = 1

#: Columns of a delivery, in order: header, name, whether it is a time.
_COLUMNS = (
    ("TAPAHTUMA_TUNNUS", "record_id", False),
    ("SEURANTATIETUE_PAIVITETTY", "record_updated_at", False),
    ("POISTETTU", "is_deleted", False),
    ("PALVELUTARVE_TUNNUS", "care_need_id", False),
    ("ASIAKAS_TUNNUS", "client_id", False),
    ("ASIAKAS_KOTIKUNTA", "home_municipality_code", False),
    ("PALVELUNTUOTTAJA", "provider_id", False),
    ("PALVELUNTUOTTAJA_YKSIKKO", "unit_id", False),
    ("TUOTTAMISTAPA", "producer_type", False),
    ("YHTEYDENOTTO_AJANKOHTA", "contact_at", True),
    ("YHTEYDENOTTO_KANAVA", "contact_channel", False),
    ("YHTEYDENOTTO_PALVELUMUOTO", "contact_service_form_code", False),
    ("HOIDONTARVE_AJANKOHTA", "assessed_at", True),
    ("HTA_AMMATTIOIKEUS", "assessor_licence_code", False),
    ("HTA_KIIREELLISYYS", "assessed_urgency_code", False),
    ("HTA_LUONNE", "assessed_nature_code", False),
    ("HTA_TULOS", "assessment_outcome_code", False),
    ("AJANVARAUS_AJANKOHTA", "booked_at", True),
    ("AJANVARAUS_VARATTU", "booked_for_at", True),
    ("AJANVARAUS_PALVELUMUOTO", "booked_service_form_code", False),
    ("KAYNTI_ALKOI", "started_at", True),
    ("KAYNTI_LOPPUI", "ended_at", True),
    ("KAYNTI_PALVELUMUOTO", "service_form_code", False),
    ("KAYNTI_YHTEYSTAPA", "contact_mode_code", False),
    ("KAYNTI_KANAVA", "channel", False),
    ("KAYNTI_KIIREELLISYYS", "urgency_code", False),
    ("KAYNTI_LUONNE", "nature_code", False),
    ("KAYNTI_ENSIKAYNTI", "is_first_visit", False),
    ("KAYNTI_KAVIJARYHMA", "visitor_group_code", False),
    ("KAYNTI_ERIKOISALA", "specialty_code", False),
    ("KAYNTI_AMMATTIOIKEUS", "licence_code", False),
    ("KAYNTI_AMMATTI", "profession_code", False),
    ("PERUUTUS_AJANKOHTA", "cancelled_at", True),
    ("PERUUTUS_SYY", "cancel_reason_code", False),
    ("LISATIETO", "free_text", False),
)

#: The version time has seconds, and `timestampformat` is one for all columns.
_VERSION_TIME = "strptime(record_updated_at, ['%d.%m.%Y %H:%M:%S', '%d.%m.%Y %H:%M'])"

_DATES = {
    "contact_at": "contact_date",
    "assessed_at": "assessed_date",
    "booked_at": "booked_date",
    "booked_for_at": "booked_for_date",
    "started_at": "visit_date",
    "cancelled_at": "cancelled_date",
}

#: Codes of AMMATTIOIKEUS by group; all but the practical nurses' and dental nurses' are licences.
_LICENCES = {
    "physician": "000 001 002 031 032 034 701 702 717 718 720 724 810 811 812 900 901 910",
    "dentist": "003 004 033 035 333 703 704 713 904 911",
    "dental_hygienist": "251",
    "nurse": "100 300 400 503 508 509 710 727 728 730 740 780 790 800 803 820",
    "psychologist": "009",
    "speech_therapist": "010",
    "physiotherapist": "600",
    "occupational_therapist": "610",
    "practical_nurse": "506 507",
    "dental_nurse": "254",
}
_UNLICENSED = ("practical_nurse", "dental_nurse")

#: Codes of AMMATTI by group, for visits without a licence code.
_PROFESSIONS = {
    "physician": "2211 2212",
    "dentist": "2261",
    "dental_hygienist": "3225 3251",
    "nurse": "3221 32212 3231",
    "practical_nurse": "5132 5321 53213",
    "dental_nurse": "53291",
    "psychologist": "2634",
    "social_worker": "2446 2635",
    "physiotherapist": "2264 3255",
}


def ingest(landing: Path, out: Path, threads: int = 2) -> int:
    """Copy the deliveries to `<out>/events.parquet`, typed, times in UTC.

    Args:
        landing: Folder with `care_events/<delivery>/*.csv`.
        out: Folder to write to.
        threads: Threads of DuckDB.

    Returns:
        Rows written.
    """
    values = ["record_id", f"{_utc(_VERSION_TIME)} as record_updated_at"]
    values += [f"{_utc(name)} as {name}" if is_time else name for _, name, is_time in _COLUMNS[2:]]
    out.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(config={"threads": threads, "temp_directory": str(out)}) as connection:
        return _copy(
            connection,
            f"select {', '.join(values)} from {_deliveries(landing)} {_WITH_VERSION}",
            out / "events.parquet",
        )


def full(
    landing: Path, out: Path, as_of: date, key: bytes = b"key of the floor", threads: int = 2
) -> int:
    """Compute the monthly rates and export the facts.

    Args:
        landing: Folder with `care_events/<delivery>/*.csv`.
        out: Folder to write to: `versions`, `events`, `visits`, `needs`, `rates` as Parquet.
        as_of: Needs whose limit has not run out by then are pending.
        key: Key of the pseudonyms.
        threads: Threads of DuckDB.

    Returns:
        Records in their newest version.
    """
    out.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(config={"threads": threads, "temp_directory": str(out)}) as connection:
        run = connection.execute

        def export(name: str, query: str) -> int:
            rows = _copy(connection, query, out / f"{name}.parquet")
            run(f"create or replace view {name} as from '{out / name}.parquet'")
            return rows

        export("versions", _versions(landing))
        run(f"create table clients as {_clients(key)}")
        rows = export("events", f"{_EVENTS} order by event_date, record_id")
        export("visits", f"{_VISITS} order by visit_date, record_id")
        run(f"create table starts as {_STARTS}")
        export("needs", f"{_needs(as_of)} order by start_date, care_need_id")
        export("rates", f"{_RATES} order by all")
    return rows


def _copy(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    row = connection.execute(
        f"copy ({query}) to '{path}' (format parquet, compression zstd)"
    ).fetchone()
    assert row is not None
    return int(row[0])


# --- load -----------------------------------------------------------------------------------------


def _deliveries(landing: Path) -> str:
    columns = ", ".join(
        f"'{name}': '{'TIMESTAMP' if is_time else 'VARCHAR'}'" for _, name, is_time in _COLUMNS
    )
    return (
        f"read_csv('{landing}/care_events/*/*.csv', auto_detect = false, header = true,"
        f" delim = ';', quote = '\"', escape = '\"', columns = {{{columns}}},"
        " timestampformat = '%d.%m.%Y %H:%M', filename = true, ignore_errors = true)"
    )


_WITH_VERSION = "where record_id is not null and record_updated_at is not null"


def _utc(local: str) -> str:
    return f"timezone('Europe/Helsinki', {local})"


def _versions(landing: Path) -> str:
    values = [
        "record_id",
        f"{_utc(_VERSION_TIME)} as record_updated_at",
        f"cast({_VERSION_TIME} as date) as record_updated_date",
        "coalesce(is_deleted in ('K', '1', 'true'), false) as is_deleted",
    ]
    for _, name, is_time in _COLUMNS[3:-1]:
        if name == "client_id":
            values.append("upper(trim(client_id)) as client_id")
        elif name == "is_first_visit":
            values.append("is_first_visit in ('K', '1', 'true') as is_first_visit")
        elif is_time:
            values.append(f"{_utc(name)} as {name}")
            if name in _DATES:
                values.append(f"cast({name} as date) as {_DATES[name]}")
        else:
            values.append(name)
    values.append("split_part(filename, '/', -2) as delivery_id")
    return f"select {', '.join(values)} from {_deliveries(landing)} {_WITH_VERSION}"


def _clients(key: bytes) -> str:
    """HMAC-SHA-256 (RFC 2104) over the distinct clients."""
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = bytes(byte ^ 0x36 for byte in block).hex()
    outer = bytes(byte ^ 0x5C for byte in block).hex()
    return f"""
        select
            client_id,
            substr(
                sha256(unhex('{outer}') || unhex(sha256(unhex('{inner}') || encode(client_id)))),
                1, 32
            ) as client_pseudonym
        from (select distinct client_id from versions where client_id is not null)
    """


# --- facts ----------------------------------------------------------------------------------------


def _group_of(column: str, codes: dict[str, str]) -> str:
    cases = " ".join(
        f"when {column} in ({_listed(of_group.split())}) then '{group}'"
        for group, of_group in codes.items()
    )
    return f"case {cases} end"


def _listed(codes: list[str]) -> str:
    return ", ".join(f"'{code}'" for code in codes)


_LICENSED = _listed(
    [
        code
        for group, codes in _LICENCES.items()
        if group not in _UNLICENSED
        for code in codes.split()
    ]
)

#: The newest version of each record, unless it is deleted.
_EVENTS = f"""
    with newest as (
        select *
        from versions
        qualify row_number() over (
            partition by record_id
            order by record_updated_at desc, left(delivery_id, 10) desc
        ) = 1
    )
    select
        newest.* exclude (client_id, is_deleted, care_need_id),
        clients.client_pseudonym,
        coalesce(care_need_id, 'record:' || record_id) as care_need_id,
        coalesce(assessed_date, contact_date, visit_date, booked_date, booked_for_date)
            as event_date,
        coalesce(contact_service_form_code, booked_service_form_code, service_form_code)
            as record_service_form_code,
        coalesce(
            {_group_of("licence_code", _LICENCES)}, {_group_of("profession_code", _PROFESSIONS)}
        ) as profession_group,
        coalesce(licence_code in ({_LICENSED}), false) as is_licensed,
        case
            when cancelled_at is not null or cancel_reason_code is not null
                then coalesce(
                    cancelled_date,
                    case when cancel_reason_code = 'saapumatta' then booked_for_date end,
                    record_updated_date
                )
        end as cancellation_date,
        started_at is not null and cancelled_at is null and cancel_reason_code is null
            as is_realised
    from newest
    left join clients on newest.client_id = clients.client_id
    where
        not is_deleted
        and coalesce(contact_at, assessed_at, booked_at, booked_for_at, started_at) is not null
"""

_VISITS = """
    select
        record_id, client_pseudonym, unit_id, producer_type, service_form_code, contact_mode_code,
        channel, profession_group, specialty_code, visitor_group_code, started_at, visit_date,
        care_need_id, delivery_id
    from events
    where is_realised
"""

#: The first assessment of each need, and the measures that its need is in.
_STARTS = """
    with assessed as (
        select
            care_need_id, client_pseudonym, unit_id, producer_type,
            record_service_form_code as service_form_code, assessed_urgency_code,
            assessed_nature_code, assessment_outcome_code, contact_at, contact_channel,
            contact_mode_code, assessed_at as start_at, assessed_date as start_date,
            case
                when assessed_urgency_code = 'E' then 'non_urgent'
                when
                    assessed_urgency_code = '5' and assessed_date >= date '2019-01-01'
                    or assessed_urgency_code in ('1', '2')
                    and assessed_date between date '2015-01-01' and date '2018-12-31'
                    or assessed_urgency_code = 'K' and assessed_date < date '2015-01-01'
                    then 'urgent'
            end as urgency_class
        from events
        where assessed_at is not null
        qualify row_number() over (partition by care_need_id order by assessed_at, record_id) = 1
    )
    select
        *,
        service_form_code = 'T11' and contact_at is not null as is_first_contact,
        case
            when assessment_outcome_code = 'hallinnollinen' then 'administrative'
            when assessment_outcome_code = 'paivystys' then 'emergency_care'
            when coalesce(contact_channel, 'muu') = 'muu' then 'channel_other_or_unknown'
            when contact_mode_code in ('R60', 'R71') then 'professional_consultation'
        end as first_contact_exclusion_reason,
        case
            when
                service_form_code = 'T11' and urgency_class = 'urgent'
                and assessment_outcome_code in ('kaynti', 'ratkaistu')
                then 'urgent_same_or_next_day'
            when
                service_form_code = 'T11' and urgency_class = 'non_urgent'
                and assessed_nature_code = 'SH' and assessment_outcome_code = 'kaynti'
                then 'non_urgent_within_10_days'
            when
                service_form_code = 'T60' and urgency_class = 'non_urgent'
                and assessment_outcome_code = 'kaynti'
                then 'dental_within_90_days'
        end as measure_code
    from assessed
"""


def _needs(as_of: date) -> str:
    """Every need with its states."""
    return f"""
        with needs as (
            select care_need_id, count(*) as record_count from events group by all
        ),
        care as (
            select
                care_need_id,
                min(events.started_at) as first_care_at,
                min(events.visit_date) as first_care_date
            from starts
            join events using (care_need_id)
            where
                events.is_realised
                and events.visitor_group_code = '1'
                and events.visit_date >= starts.start_date
                and case starts.measure_code
                    when 'urgent_same_or_next_day' then
                        events.contact_mode_code in ('R10', 'R20', 'R30', 'R40', 'R41', 'R52')
                    when 'non_urgent_within_10_days' then
                        events.is_licensed
                        and (
                            events.contact_mode_code in ('R10', 'R20', 'R30', 'R41', 'R52', 'R56')
                            or events.contact_mode_code in ('R50', 'R51')
                            and events.visit_date < date '2019-01-01'
                        )
                    when 'dental_within_90_days' then
                        events.contact_mode_code = 'R10'
                        and events.profession_group in ('dentist', 'dental_hygienist')
                end
            group by all
        ),
        last_bookings as (
            select care_need_id, cancel_reason_code, cancellation_date, booked_for_date
            from events
            where booked_at is not null or booked_for_at is not null
            qualify row_number() over (
                partition by care_need_id
                order by
                    booked_at desc nulls last, booked_for_at desc nulls last, record_id desc
            ) = 1
        ),
        cancelled as (
            select
                care_need_id,
                case cancel_reason_code
                    when 'asiakas' then 'client_cancellation'
                    when 'saapumatta' then 'no_show'
                    when 'kuolema' then 'death'
                    else 'move_away'
                end as reason,
                case
                    when cancel_reason_code = 'saapumatta'
                        then coalesce(booked_for_date, cancellation_date)
                    else cancellation_date
                end as reason_date
            from last_bookings
            where cancel_reason_code in ('asiakas', 'saapumatta', 'kuolema', 'muutto')
        ),
        own as (
            select
                care_need_id,
                bool_or(events.booked_for_date > starts.start_date) as is_booked_onward,
                bool_or(
                    events.is_realised
                    and events.visitor_group_code = '1'
                    and events.visit_date = starts.start_date
                    and coalesce(events.service_form_code, events.record_service_form_code) = 'T11'
                    and coalesce(events.contact_mode_code, '') not in ('R60', 'R71')
                ) as has_care_same_date,
                bool_or(
                    events.record_service_form_code = 'T11'
                    and events.contact_date > starts.start_date
                    and events.contact_date <= starts.start_date + 7
                    and (events.client_pseudonym is null or starts.client_pseudonym is null)
                ) as is_contacted_again
            from starts
            join events using (care_need_id)
            where starts.is_first_contact
            group by all
        ),
        again as (
            select distinct starts.care_need_id
            from starts
            join events
                on starts.client_pseudonym = events.client_pseudonym
                and events.contact_date > starts.start_date
                and events.contact_date <= starts.start_date + 7
            where starts.is_first_contact and events.record_service_form_code = 'T11'
        ),
        waits as (
            select
                starts.*,
                starts.start_date
                + case measure_code
                    when 'urgent_same_or_next_day' then 1
                    when 'non_urgent_within_10_days' then 10
                    when 'dental_within_90_days' then 90
                end as limit_date,
                measure_code = 'urgent_same_or_next_day'
                and assessment_outcome_code = 'ratkaistu' as is_resolved
            from starts
        ),
        judged as (
            select
                waits.*,
                case when is_resolved then start_at else first_care_at end as care_at,
                case when is_resolved then start_date else first_care_date end as care_date,
                reason,
                reason_date
            from waits
            left join care using (care_need_id)
            left join cancelled using (care_need_id)
        )
        select
            care_need_id,
            judged.client_pseudonym,
            judged.unit_id,
            judged.producer_type,
            judged.service_form_code,
            judged.urgency_class,
            judged.start_at,
            judged.start_date,
            care_at as first_care_at,
            care_date as first_care_date,
            care_date - judged.start_date as wait_days,
            judged.measure_code,
            case
                when judged.measure_code is null then null
                when date '{as_of}' <= limit_date then 'pending'
                when care_date <= limit_date then 'met'
                when care_date is null and reason_date <= limit_date then 'excluded'
                else 'missed'
            end as state,
            case
                when
                    date '{as_of}' > limit_date and care_date is null
                    and reason_date <= limit_date
                    then reason
            end as exclusion_reason,
            case
                when not coalesce(judged.is_first_contact, false) then null
                when judged.first_contact_exclusion_reason is not null then 'excluded'
                when date '{as_of}' <= judged.start_date + 7 then 'pending'
                when
                    (judged.assessment_outcome_code = 'ratkaistu' or own.has_care_same_date)
                    and not coalesce(own.is_booked_onward, false)
                    and not coalesce(own.is_contacted_again, false)
                    and again.care_need_id is null
                    then 'met'
                else 'missed'
            end as first_contact_state,
            judged.first_contact_exclusion_reason,
            record_count
        from needs
        left join judged using (care_need_id)
        left join own using (care_need_id)
        left join again using (care_need_id)
    """


#: By month of the start; a row without a unit is the city's.
_RATES = """
    with cases as (
        select measure_code, state, start_date, unit_id
        from needs
        where state is not null
        union all
        select 'first_contact_resolution', first_contact_state, start_date, unit_id
        from needs
        where first_contact_state is not null
    )
    select
        measure_code,
        cast(date_trunc('month', start_date) as date) as month_start_date,
        grouping(unit_id) = 1 as is_city,
        unit_id,
        count(*) filter (state = 'met') as met_count,
        count(*) filter (state = 'missed') as missed_count,
        count(*) filter (state = 'pending') as pending_count,
        count(*) filter (state = 'excluded') as excluded_count,
        met_count / nullif(met_count + missed_count, 0) as rate
    from cases
    group by grouping sets ((1, 2), (1, 2, unit_id))
"""


# --- command line ---------------------------------------------------------------------------------


@click.group()
def main() -> None:
    """What care events cost in plain DuckDB."""


_LANDING = click.argument("landing", type=click.Path(path_type=Path, exists=True))
_OUT = click.argument("out", type=click.Path(path_type=Path))
_THREADS = click.option("--threads", type=int, default=2, show_default=True)


@main.command("ingest")
@_LANDING
@_OUT
@_THREADS
def _ingest_command(landing: Path, out: Path, threads: int) -> None:
    """A typed copy of the csv files to Parquet, in UTC."""
    click.echo(f"{ingest(landing, out, threads)} rows")


@main.command("full")
@_LANDING
@_OUT
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), required=True)
@_THREADS
def _full_command(landing: Path, out: Path, as_of: datetime, threads: int) -> None:
    """From the csv files to monthly rates and sorted Parquet."""
    click.echo(f"{full(landing, out, as_of.date(), threads=threads)} records")


if __name__ == "__main__":
    main()
