"""Finnish personal identity codes: what one looks like, whether one is real, how it is masked.

`DDMMYY` + separator + individual number + check character (Väestötietoasetus 128/2010 and the
separators added on 1.1.2023): `+` for the 1800s, `-YXWVU` for the 1900s, `ABCDEF` for the 2000s.
The separator is part of the identity: two persons may differ in nothing else. Each rule stands once
in Python, for single texts, and once in SQL, for columns.
"""

from __future__ import annotations

import re

import duckdb

from ingest.text import DASHES, UNSEEN

CHECK_CHARACTERS = "0123456789ABCDEFHJKLMNPRSTUVWXY"

_CENTURIES = {"+": 1800, **dict.fromkeys("-YXWVU", 1900), **dict.fromkeys("ABCDEF", 2000)}

#: A code as its keeper writes it, a capital letter at its end.
_CODE = r"(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])[0-9]{2}[-+A-FU-Y][0-9]{3}[0-9A-FHJ-NPR-Y]"

# The same anywhere in a text, however it is written: in either case, with any dash, and with white
# space or characters that nobody sees between those of the code.
_GAP = f"[{UNSEEN}]*"
_SIX_DIGITS = f"[0-9]({_GAP}[0-9]){{5}}"
_SEPARATOR = f"{_GAP}[-+A-FU-Ya-fu-y{DASHES}]"
_DAY = f"(0{_GAP}[1-9]|[12]{_GAP}[0-9]|3{_GAP}[01])"
_MONTH = f"{_GAP}(0{_GAP}[1-9]|1{_GAP}[0-2])"

#: What every text with a code in it has, and hardly any other: a quick look.
MAYBE_CODE = f"{_SIX_DIGITS}{_SEPARATOR}({_GAP}[0-9]){{3}}"

# A date and its separator, and the whole of a code.
_HEAD = f"{_DAY}{_MONTH}({_GAP}[0-9]){{2}}{_SEPARATOR}"
_FORM = f"{_HEAD}({_GAP}[0-9]){{3}}{_GAP}[0-9A-FHJ-NPR-Ya-fhj-npr-y]"

#: What stands in place of a masked code.
MASK = "******-****"

# A build id (`20221031-0123456789ab`) holds what looks like a code and hardly ever is one.
_BUILD_ID = re.compile(
    r"((?<![0-9A-Za-z])20[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])-[0-9a-f]{12}"
    r"(?![0-9A-Za-z]))"
)
_ANYWHERE = re.compile(f"(?=({_FORM}))")


def mask(text: str) -> str:
    """The text with everything that has the form of an identity code masked.

    Build ids are left, unless one holds a code with its check character: that may be a person's.
    """
    parts = _BUILD_ID.split(text)
    return "".join(
        part if place % 2 and not _holds_checked_code(part) else _masked(part)
        for place, part in enumerate(parts)
    )


def _holds_checked_code(build_id: str) -> bool:
    date, number, character = build_id[2:8], build_id[9:12], build_id[12]
    return number.isdigit() and check_character(date + number) == character.upper()


def _masked(text: str) -> str:
    """The text with every form masked; codes that share digits leave one mask."""
    parts, end = [], 0
    for match in _ANYWHERE.finditer(text):
        start, stop = match.span(1)
        if start >= end:
            parts += [text[end:start], MASK]
        end = max(end, stop)
    return "".join([*parts, text[end:]])


def check_character(digits: str) -> str:
    """Check character of `DDMMYY` and the individual number, nine digits."""
    return CHECK_CHARACTERS[int(digits) % 31]


def install_identity_codes(connection: duckdb.DuckDBPyConnection) -> None:
    """Give a connection the macros below; each takes a `varchar`.

    - `identity_birth_date(x)`: the birth date of an upper-case code of eleven characters; null when
      it is no code: the form, the date or the check character is wrong.
    - `normal_identifier(x)`: a code as its keeper writes it; any other text as it is.
    - `has_identity_code(x)`: whether a text holds a real code anywhere, however it is written.
    - `looks_like_identity_code(x)`: whether an upper-case text as a whole has the form of one, real
      or not, also with separators and check characters that no code has.
    - `masked(x)`: the text with everything that has the form of a code masked.
    """
    centuries = " ".join(
        f"when '{separator}' then '{century // 100}'" for separator, century in _CENTURIES.items()
    )
    connection.execute(
        f"""
        create or replace macro identity_birth_date(x) as
        case
            when
                regexp_full_match(x, '{_CODE}')
                and substr(
                    '{CHECK_CHARACTERS}',
                    1 + cast(
                        try_cast(substr(x, 1, 6) || substr(x, 8, 3) as bigint) % 31 as integer
                    ),
                    1
                ) = substr(x, 11, 1)
                then cast(try_strptime(
                    case substr(x, 7, 1) {centuries} end
                    || substr(x, 5, 2) || substr(x, 3, 2) || substr(x, 1, 2),
                    '%Y%m%d'
                ) as date)
        end
        """
    )
    connection.execute(
        f"""
        create or replace macro bare(x) as
        regexp_replace(
            translate(upper(x), '{DASHES}', '{"-" * len(DASHES)}'), '[{UNSEEN}]', '', 'g'
        )
        """
    )
    # The last digits of one may be the first of another, which is found where the one is cut apart:
    # both texts are looked through.
    head, tail = "[0-9]{6}[-+A-FU-Y]", "[0-9]{3}[0-9A-Y]"
    connection.execute(
        f"""
        create or replace macro has_identity_code(x) as
        case
            when regexp_matches(x, '{MAYBE_CODE}') then len(list_filter(
                regexp_extract_all(
                    bare(x) || ' ' || regexp_replace(bare(x), '({head})({tail})', '\\1 \\2', 'g'),
                    '{head}{tail}'
                ),
                lambda code: identity_birth_date(code) is not null
            )) > 0
            when x is not null then false
        end
        """
    )
    connection.execute(
        """
        create or replace macro looks_like_identity_code(x) as
        regexp_full_match(x, '[0-9]{6}[-+A-Z][0-9]{3}[0-9A-Z]')
        """
    )
    connection.execute(
        """
        create or replace macro normal_identifier(x) as
        case when looks_like_identity_code(bare(x)) then bare(x) else x end
        """
    )
    # The last digits of one may be the first of another: both go.
    chain = f"({_HEAD}({_GAP}[0-9]){{0,3}}{_GAP})*"
    connection.execute(
        f"""
        create or replace macro masked(x) as regexp_replace(x, '{chain}{_FORM}', '{MASK}', 'g')
        """
    )
