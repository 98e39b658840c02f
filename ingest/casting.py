"""From text to type: SQL expressions, one set of rules for every source.

Each column type gives the value it becomes and the conditions under which a text is no such value.
A text that fails a condition quarantines its row; it never becomes a null. The expressions are
plain DuckDB scalar SQL over one row, so that they run over ten rows or twenty million alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ingest.spec import LAKE_TYPES, PRECISION_TYPES, Column, Spec

#: White space that word processors and spreadsheets put between thousands.
_SPACES = r"[\s\x{00A0}\x{2007}\x{2009}\x{202F}]+"

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
_FINNISH_DATE = rf"\d{{1,2}}\.\d{{1,2}}\.{_YEAR}"
_ISO_DATE = rf"{_YEAR}-\d\d-\d\d"
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
        column: Column of the spec whose text is shown as the value.
        failing: SQL that is true for a failing row, over the cleaned texts.
    """

    rule: str
    column: str
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


def casts(spec: Spec) -> Iterator[Cast]:
    """The values of the lake's columns (provenance apart), over the cleaned texts."""
    status_of = {column.status: name for name, column in spec.columns.items() if column.status}
    for name, column in spec.loaded_columns.items():
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
            kind = f"case when {_yes_no(name, _WORDS)} is null then 'number' else 'yes_no' end"
            present = f"not ({_missing(name)}) and not ({_moved(name)})"
            yield Cast(f"{name}_kind", "varchar", f"case when {present} then {kind} end")
        if column.status:
            reference = f"case when {_moved(name)} then {name} end"
            yield Cast(f"{name}_reference", "varchar", reference)
            if column.status not in spec.columns:
                yield Cast(column.status, "varchar", _status(name, "null"))


def checks(spec: Spec) -> Iterator[Check]:
    """The conditions under which a row is quarantined, over the cleaned texts."""
    for name, column in spec.loaded_columns.items():
        missing = _missing(name)
        if column.required:
            yield Check("missing_value", name, missing)
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
            yes_no = f"cast(cast({_yes_no(name, _WORDS)} as integer) as decimal(18,6))"
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
            return _yes_no(name)
        case "choice":
            return _choice(name, column.values)
        case "code":
            return code_column(name)
        case "unit_factor":
            return _choice(
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


def _yes_no(name: str, words: tuple[tuple[str, ...], tuple[str, ...]] = _FLAGS) -> str:
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
            if column.pattern:
                failing = f"not regexp_full_match({name}, {quoted(column.pattern)})"
                yield "unexpected_form", failing
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
                yield rule, f"{_yes_no(name, _WORDS)} is null and ({failing})"
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
        f"cast(case when regexp_full_match({name}, {quoted(_FINNISH_DATE)})"
        f" then try_strptime({name}, '%d.%m.%Y')"
        f" when regexp_full_match({name}, {quoted(_ISO_DATE)})"
        f" then try_strptime({name}, '%Y-%m-%d') end as date)"
    )


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


def _choice(name: str, values: Mapping[str, str], type_: str = "varchar") -> str:
    branches = " ".join(
        f"when {quoted(written.lower())} then cast({quoted(stored)} as {type_})"
        for written, stored in values.items()
    )
    return f"case lower({name}) {branches} end"


def _texts(texts: tuple[str, ...]) -> str:
    return "(" + ", ".join(quoted(text) for text in texts) + ")"
