"""From text to type: SQL expressions, one set of rules for every source.

Each column type gives the value it becomes and the conditions under which a text is no such value.
A text that fails a condition quarantines its row; it never becomes a null. The expressions are
plain DuckDB scalar SQL over one row, so that they run over ten rows or twenty million alike.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ingest.spec import LAKE_TYPES, PRECISION_TYPES, Column, Spec

#: White space that word processors and spreadsheets put between thousands.
_SPACES = r"[\s\x{00A0}\x{2007}\x{2009}\x{202F}\x{FEFF}]+"

#: Texts that stand for a missing value, and the reason they give.
MISSING_TEXTS: Mapping[str, str] = {
    "-": "not_available",
    "–": "not_available",
    "—": "not_available",
    "..": "suppressed",
}

#: A reference to another place of the same table (`Ks. muu avohoito`).
_MOVED = r"(?i)^(ks\.?|katso|se|see)\s"

_GROUPED = r"(\d+|\d{1,3}( \d{3})+)"
_DECIMAL = rf"^-?{_GROUPED}([,.]\d+)?$"

#: A point and three digits may be thousands or decimals: nobody can tell, so nobody guesses.
_AMBIGUOUS = r"^-?\d{1,3}(\.\d{3})+$"

_YEAR = r"(18|19|20)\d\d"

#: Dates as they are written, in figures.
FINNISH_DATE = rf"\d{{1,2}}\.\d{{1,2}}\.{_YEAR}"
ISO_DATE = rf"{_YEAR}-\d\d-\d\d"
_ISO_MONTH = rf"{_YEAR}-\d\d"

_MONTHS = (
    "tammikuu",
    "helmikuu",
    "maaliskuu",
    "huhtikuu",
    "toukokuu",
    "kesäkuu",
    "heinäkuu",
    "elokuu",
    "syyskuu",
    "lokakuu",
    "marraskuu",
    "joulukuu",
)

#: Yes and no as words; where a cell may also hold a number, 1 and 0 are numbers.
_WORDS = (("k", "kyllä", "true"), ("e", "ei", "false"))
_FLAGS = ((*_WORDS[0], "1"), (*_WORDS[1], "0"))

#: What is written -> euros; 1 000 euros is how the annual report prints its tables.
UNIT_FACTORS: Mapping[str, int] = {
    "eur": 1,
    "€": 1,
    "1000 eur": 1_000,
    "1 000 eur": 1_000,
    "teur": 1_000,
    "1000 €": 1_000,
    "1 000 €": 1_000,
    "meur": 1_000_000,
    "milj. eur": 1_000_000,
    "m€": 1_000_000,
}


@dataclass(frozen=True)
class Check:
    """A condition under which a row is quarantined.

    Attributes:
        rule: Name of the rule.
        column: Column of the spec whose text is shown as the value; None for a rule of the row.
        failing: SQL that is true for a failing row, over the cleaned texts.
    """

    rule: str
    column: str | None
    failing: str


@dataclass(frozen=True)
class Cast:
    """One column of the lake.

    Attributes:
        name: Its name.
        type: Its DuckDB type.
        sql: The value, over the cleaned texts.
    """

    name: str
    type: str
    sql: str


def quoted(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def listed(values: Sequence[int | str | None], type_: str) -> str:
    """A SQL list of values.

    One constant, since a long list of literals is slow to bind. Neither Arrow nor a parameter: for
    both pandas is imported, which takes longer than most deliveries.
    """
    return f"cast(cast({quoted(json.dumps(values))} as json) as {type_}[])"


def cleaned(column: str) -> str:
    """A delivered text with its white space folded; null when nothing is left."""
    return f"nullif(trim(regexp_replace({column}, {quoted(_SPACES)}, ' ', 'g')), '')"


def code_column(name: str) -> str:
    """Name of the column in which the code of a label stands after the look-up."""
    return f"{name}__code"


def minimum_column(name: str) -> str:
    """Name of the column in which a row's own minimum stands after the look-up."""
    return f"{name}__minimum"


def default_column(name: str) -> str:
    """Name of the column in which a row's own default stands after the look-up."""
    return f"{name}__default"


def pseudonym_column(name: str) -> str:
    """Name of the column in which the pseudonym of an identifier stands after the look-up."""
    return f"{name}__pseudonym"


def birth_date_column(name: str) -> str:
    """Name of the column in which the birth date of an identity code stands after the look-up."""
    return f"{name}__birth_date"


def is_bad_column(name: str) -> str:
    """Name of the column that says after the look-up that an identity code is no real one."""
    return f"{name}__is_bad"


def casts(spec: Spec) -> Iterator[Cast]:
    """The values of the lake's columns (provenance apart), over the cleaned texts."""
    status_of = {column.status: name for name, column in spec.columns.items() if column.status}
    for name, column in spec.loaded_columns.items():
        if column.scanned:
            continue
        if column.personal:
            yield Cast(f"{column.personal}_pseudonym", "varchar", pseudonym_column(name))
            if column.age_at:
                event = f"coalesce({', '.join(map(local_time_column, column.age_at))})"
                yield Cast(f"{column.personal}_age", "integer", age(birth_date_column(name), event))
            continue
        if column.local_date:
            yield Cast(name, "timestamp", utc_time_column(name))
            yield Cast(column.local_date, "date", local_time_column(name))
            continue
        if name in status_of:
            yield Cast(name, "varchar", _status(status_of[name], _value(name, column, spec)))
            continue
        value = _value(name, column, spec)
        if column.default is not None:
            value = f"coalesce({value}, {quoted(column.default)})"
        if column.default_of is not None:
            value = f"coalesce({value}, {default_column(name)})"
        yield Cast(name, LAKE_TYPES[column.type], value)
        if column.type in PRECISION_TYPES:
            type_ = LAKE_TYPES[column.type]
            yield Cast(f"{name}_precision", type_, _precision(name, column, spec))
        if column.type == "number_or_yes_no":
            kind = f"case when {yes_no_value(name, _WORDS)} is null then 'number' else 'yes_no' end"
            present = f"not ({_missing(name)}) and not ({_moved(name)})"
            yield Cast(f"{name}_kind", "varchar", f"case when {present} then {kind} end")
        if column.status:
            reference = f"case when {_moved(name)} then {name} end"
            yield Cast(f"{name}_reference", "varchar", reference)
            if column.status not in spec.columns:
                yield Cast(column.status, "varchar", _status(name, "null"))


def checks(spec: Spec) -> Iterator[Check]:
    """The conditions under which a row is quarantined, over the cleaned texts."""
    if spec.one_of:
        empty = " and ".join(f"({_missing(name)})" for name in spec.one_of)
        yield Check("nothing_filled", None, empty)
    for name, column in spec.loaded_columns.items():
        missing = _missing(name)
        if column.personal:
            yield Check("bad_identity_code", name, f"coalesce({is_bad_column(name)}, false)")
            continue
        if column.scanned:
            continue
        if column.required:
            yield Check("missing_value", name, missing)
        if column.status:
            # A reference elsewhere is kept as it is written.
            yield Check("identity_code", name, f"has_identity_code({name})")
        present = f"not ({missing})"
        if column.status:
            present += f" and not ({_moved(name)})"
        for rule, failing in _type_failures(name, column, spec):
            yield Check(rule, name, f"{present} and ({failing})")
        if column.minimum is not None:
            yield Check(
                "below_minimum",
                name,
                f"{present} and coalesce({_value(name, column, spec)} < {column.minimum}, false)",
            )
        if column.maximum is not None:
            yield Check(
                "above_maximum",
                name,
                f"{present} and coalesce({_value(name, column, spec)} > {column.maximum}, false)",
            )
        if column.minimum_of is not None:
            minimum = f"try_cast({minimum_column(name)} as decimal(18,6))"
            yield Check(
                "below_minimum",
                name,
                f"{present} and coalesce({_value(name, column, spec)} < {minimum}, false)",
            )


# --- missing --------------------------------------------------------------------------------------


def _missing(name: str) -> str:
    texts = ", ".join(quoted(text) for text in MISSING_TEXTS)
    return f"{name} is null or {name} in ({texts})"


def _moved(name: str) -> str:
    return f"regexp_matches(coalesce({name}, ''), {quoted(_MOVED)})"


def _status(value: str, said: str) -> str:
    """Why a value is missing, else what the unit says of it, else final."""
    reasons = " ".join(
        f"when {value} = {quoted(text)} then {quoted(reason)}"
        for text, reason in MISSING_TEXTS.items()
    )
    return (
        f"case when {_moved(value)} then 'moved' when {value} is null then 'not_available'"
        f" {reasons} else coalesce({said}, 'final') end"
    )


# --- types ----------------------------------------------------------------------------------------


def _number(name: str) -> str:
    """A number's text with one kind of minus and no space after it; a plus says nothing."""
    minus = f"regexp_replace({name}, '^[-\u2013\u2212\u2012] ?', '-')"
    return f"regexp_replace({minus}, '^[+] ?(\\d)', '\\1')"


def _decimal(text: str) -> str:
    return f"try_cast(replace(replace({text}, ' ', ''), ',', '.') as decimal(28,10))"


def _percent_text(name: str) -> str:
    return f"regexp_replace({_number(name)}, ' ?%$', '')"


def _factor(name: str, spec: Spec) -> str:
    return _value(name, spec.columns[name], spec)


def _value(name: str, column: Column, spec: Spec) -> str:
    number = _number(name)
    match column.type:
        case "text":
            return f"case when not ({_missing(name)}) then {name} end"
        case "integer":
            return f"try_cast(replace({number}, ' ', '') as bigint)"
        case "amount":
            factor = f" * {_factor(column.factor, spec)}" if column.factor else ""
            return f"try_cast({_decimal(number)}{factor} as decimal(18,2))"
        case "percent":
            # 0.01 and not / 100: a division of decimals goes through floating point.
            return f"try_cast({_decimal(_percent_text(name))} * 0.01 as decimal(9,6))"
        case "number":
            return _number_value(name)
        case "number_or_yes_no":
            yes_no = f"cast(cast({yes_no_value(name, _WORDS)} as integer) as decimal(18,6))"
            return f"coalesce({yes_no}, {_number_value(name)})"
        case "date":
            return _date(name)
        case "date_or_month":
            return f"coalesce({_date(name)}, last_day({_month(name)}))"
        case "year":
            return f"try_cast({name} as integer)"
        case "period":
            return f"regexp_replace(upper({name}), '^(\\d{{4}})Q', '\\1-Q')"
        case "boolean":
            return yes_no_value(name)
        case "choice":
            return choice_value(name, column.values)
        case "code":
            return code_column(name)
        case "timestamp":
            return utc_time_column(name)
        case "unit_factor":
            return choice_value(
                name, {key: str(value) for key, value in UNIT_FACTORS.items()}, "integer"
            )


def _bare_number(name: str) -> str:
    """A number's text without the unit written after it."""
    return f"regexp_replace({_number(name)}, '(?i) ?(%|meur|eur)$', '')"


def _unit_factor(name: str) -> str:
    """What the unit written after a number multiplies it with; a percentage becomes a share."""
    return (
        f"case when regexp_matches({name}, '%$') then 0.01"
        f" when regexp_matches({name}, '(?i)meur$') then 1000000"
        " else 1 end"
    )


def _number_value(name: str) -> str:
    return f"try_cast({_decimal(_bare_number(name))} * {_unit_factor(name)} as decimal(18,6))"


def yes_no_value(name: str, words: tuple[tuple[str, ...], tuple[str, ...]] = _FLAGS) -> str:
    """The flag that a text says; null for any other text."""
    yes, no = words
    return (
        f"case when lower({name}) in {_texts(yes)} then true"
        f" when lower({name}) in {_texts(no)} then false end"
    )


def _precision(name: str, column: Column, spec: Spec) -> str:
    """The unit of the last printed digit: 1 000 euros for `95 768` in 1 000 euros."""
    if column.type == "amount":
        factor = _factor(column.factor, spec) if column.factor else "1"
    else:
        factor = _unit_factor(name)
    decimals = f"length(regexp_extract({_bare_number(name)}, '[,.](\\d+)$', 1))"
    return (
        f"case when not ({_missing(name)}) and not ({_moved(name)})"
        f" then try_cast({factor} / power(10, {decimals}) as {LAKE_TYPES[column.type]}) end"
    )


def _type_failures(name: str, column: Column, spec: Spec) -> Iterator[tuple[str, str]]:
    number = _number(name)
    value = _value(name, column, spec)
    match column.type:
        case "text":
            # Whatever a unit writes into a free field: no identity gets past the door.
            yield "identity_code", f"has_identity_code({name})"
            if column.pattern:
                failing = f"not regexp_full_match({name}, {quoted(column.pattern)})"
                yield "unexpected_form", failing
        case "timestamp":
            yield "not_a_time", f"{value} is null"
        case "integer":
            is_integer = f"regexp_matches({number}, '^-?{_GROUPED}$')"
            yield "not_an_integer", f"not {is_integer}"
            yield "too_large", f"{is_integer} and {value} is null"
        case "amount":
            factor = _factor(column.factor, spec) if column.factor else "1"
            has_factor = f"{factor} is not null"
            for rule, failing in _decimal_failures(number, value):
                # An amount without its unit is the unit's fault, not too large.
                yield rule, f"({failing}) and {has_factor}" if rule == "too_large" else failing
            exact = f"{_decimal(number)} * {factor}"
            yield "finer_than_a_cent", f"{value} is not null and {value} <> {exact}"
        case "percent":
            yield from _decimal_failures(_percent_text(name), value)
            exact = f"{_decimal(_percent_text(name))} * 0.01"
            yield "too_many_decimals", f"{value} is not null and {value} <> {exact}"
        case "number":
            yield from _number_failures(name)
        case "number_or_yes_no":
            for rule, failing in _number_failures(name):
                yield rule, f"{yes_no_value(name, _WORDS)} is null and ({failing})"
        case "date":
            yield "not_a_date", f"{value} is null"
        case "date_or_month":
            yield "not_a_date_or_month", f"{value} is null"
        case "year":
            yield "not_a_year", f"not regexp_matches({name}, '^(19|20)\\d\\d$')"
        case "period":
            yield (
                "not_a_period",
                f"not regexp_matches({name}, '^(19|20)\\d\\d(-(0[1-9]|1[0-2])|-?[qQ][1-4])?$')",
            )
        case "boolean":
            yield "not_yes_or_no", f"{value} is null"
        case "choice" | "unit_factor":
            yield "unknown_value", f"{value} is null"
        case "code":
            yield "unknown_code", f"{code_column(name)} is null"


def _number_failures(name: str) -> Iterator[tuple[str, str]]:
    value = _number_value(name)
    yield from _decimal_failures(_bare_number(name), value)
    exact = f"{_decimal(_bare_number(name))} * {_unit_factor(name)}"
    yield "too_many_decimals", f"{value} is not null and {value} <> {exact}"


def _decimal_failures(text: str, value: str) -> Iterator[tuple[str, str]]:
    is_ambiguous = f"regexp_matches({text}, {quoted(_AMBIGUOUS)})"
    is_number = f"regexp_matches({text}, {quoted(_DECIMAL)})"
    yield "ambiguous_number", is_ambiguous
    yield "not_a_number", f"not {is_number} and not {is_ambiguous}"
    yield "too_large", f"{is_number} and not {is_ambiguous} and {value} is null"


def _date(name: str) -> str:
    # One format a call: a list of formats crashed in multi-threaded runs. The form is checked
    # first, since `%Y` would take a two-digit year for one of the first century.
    return (
        f"cast(case when regexp_full_match({name}, {quoted(FINNISH_DATE)})"
        f" then try_strptime({name}, '%d.%m.%Y')"
        f" when regexp_full_match({name}, {quoted(ISO_DATE)})"
        f" then try_strptime({name}, '%Y-%m-%d') end as date)"
    )


#: A local time, and a time with its offset from UTC: an instant.
_FINNISH_TIME = rf"{FINNISH_DATE}[ T]\d{{1,2}}:\d{{2}}(:\d{{2}})?"
_ISO_TIME = rf"{ISO_DATE}[ T]\d{{2}}:\d{{2}}(:\d{{2}}([.,]\d{{1,9}})?)?"
# Offsets in use go from -12:00 to +14:00.
_OFFSET = r"([zZ]|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?)"


def local_time_column(name: str) -> str:
    """Name of the column with the Helsinki time of a `timestamp`'s text (`time_steps`)."""
    return f"{name}__local"


def utc_time_column(name: str) -> str:
    """Name of the column with the UTC time of a `timestamp`'s text (`time_steps`)."""
    return f"{name}__utc"


def time_steps(name: str) -> tuple[dict[str, str], ...]:
    """How a text becomes a time, in steps: columns to add, each step over those before it.

    Steps, since the clock's rules name a time several times: nested expressions would grow without
    bound.
    """
    naive, instant = f"{name}__naive", f"{name}__instant"
    naive_utc, instant_local = f"{name}__naive_utc", f"{name}__instant_local"
    return (
        {naive: _naive_time(name), instant: _instant(name)},
        {naive_utc: f"helsinki_to_utc({naive})", instant_local: f"utc_to_helsinki({instant})"},
        {
            utc_time_column(name): (
                f"coalesce({naive_utc}, case when {instant_local} is not null then {instant} end)"
            ),
            local_time_column(name): (
                f"coalesce(case when {naive_utc} is not null then {naive} end, {instant_local})"
            ),
        },
    )


def _naive_time(name: str) -> str:
    """What the clock showed, of a text without offset."""
    finnish = (
        f"try_strptime(replace({name}, 'T', ' ') || case when {name} like '%:%:%' then '' else"
        " ':00' end, '%d.%m.%Y %H:%M:%S')"
    )
    return (
        f"case when regexp_full_match({name}, {quoted(_FINNISH_TIME)}) then {finnish}"
        f" when regexp_full_match({name}, {quoted(_ISO_TIME)})"
        f" then try_cast(replace({name}, ',', '.') as timestamp) end"
    )


def _instant(name: str) -> str:
    """UTC time of a text that gives its offset; null for any other."""
    offset = f"upper(regexp_extract({name}, {quoted(_OFFSET + '$')}, 1))"
    local = (
        f"try_cast(replace(regexp_extract({name}, {quoted('^' + _ISO_TIME)}), ',', '.')"
        " as timestamp)"
    )
    digits = f"rpad(regexp_replace({offset}, '[^0-9]', '', 'g'), 4, '0')"
    minutes = (
        f"case when {offset} = 'Z' then 0 else (case when {offset} like '-%' then -1 else 1 end)"
        f" * (cast(substr({digits}, 1, 2) as integer) * 60"
        f" + cast(substr({digits}, 3, 2) as integer))"
        " end"
    )
    is_instant = f"regexp_full_match({name}, {quoted(_ISO_TIME + _OFFSET)})"
    return f"case when {is_instant} then {local} - to_minutes({minutes}) end"


def age(birth_date: str, event: str) -> str:
    """Whole years from a birth date to an event; null when the event comes first."""
    whole = f"datesub('year', {birth_date}, cast({event} as date))"
    return f"case when cast({event} as date) >= {birth_date} then {whole} end"


def _month(name: str) -> str:
    branches = " ".join(
        f"when {quoted(month)} then {number}" for number, month in enumerate(_MONTHS, start=1)
    )
    word = f"regexp_extract(lower({name}), '^([a-zäö]+?)(ssa)? (\\d{{4}})$', 1)"
    year = f"regexp_extract({name}, ' (\\d{{4}})$', 1)"
    named = f"try_cast({year} as integer) * 100 + case {word} {branches} end"
    iso = (
        f"case when regexp_full_match({name}, {quoted(_ISO_MONTH)})"
        f" then try_strptime({name}, '%Y-%m') end"
    )
    return f"cast(coalesce({iso}, try_strptime(cast({named} as varchar), '%Y%m')) as date)"


def choice_value(name: str, values: Mapping[str, str], type_: str = "varchar") -> str:
    """What is stored for a text; null for a text that is no choice."""
    branches = " ".join(
        f"when {quoted(written.lower())} then cast({quoted(stored)} as {type_})"
        for written, stored in values.items()
    )
    return f"case lower({name}) {branches} end"


def _texts(texts: tuple[str, ...]) -> str:
    return "(" + ", ".join(quoted(text) for text in texts) + ")"
