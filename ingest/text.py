"""How texts of units are compared: one rule for headers, labels and codes."""

from __future__ import annotations

import re
import unicodedata

#: Dashes and minus signs that units and word processors use for one another.
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2212"

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
