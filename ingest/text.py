"""How texts of units are compared: one rule for headers, labels and codes."""

from __future__ import annotations

import re
import unicodedata

#: Dashes and minus signs that units and word processors use for one another.
DASHES = "\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u207b\u208b\u2212\ufe58\ufe63\uff0d"

#: White space of any kind, and characters that nobody sees: the inside of a class of characters, to
#: Python's regular expressions and to DuckDB's.
UNSEEN = (
    r"\s\x00\x1c-\x1f"
    "\u0085\u00a0\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff"
)

_DASH_TABLE = {ord(dash): "-" for dash in DASHES}
_SPACE = re.compile(r"\s+")


def label_key(text: str) -> str:
    """A label reduced to what identifies it.

    Case, white space (also line wraps in the middle of a word, as narrow table columns make them),
    dash style and compatibility characters do not count: `Sairaala-,  Kuntoutus` equals
    `sairaala-, kuntoutus`.
    """
    normal = unicodedata.normalize("NFKC", text).translate(_DASH_TABLE).casefold()
    return _SPACE.sub("", normal)


def one_line(text: str) -> str:
    """A cell's text with wraps and repeated spaces folded, for messages."""
    return _SPACE.sub(" ", text).strip()
