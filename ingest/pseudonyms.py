"""Keyed pseudonyms: what the warehouse knows of a person in place of an identifier.

A pseudonym is HMAC-SHA-256 (RFC 2104) over the kind of identifier and the normalised identifier,
with a key that is kept outside the warehouse; the first 128 bits, written in the letters `a`-`p`.
Letters and no digits: no pseudonym can look like an identity code. One kind of identifier is one
key domain for all sources, so that a client of one source is the same client in another.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from ingest.errors import IngestError

#: Characters of a pseudonym: 128 bits, four a character.
LENGTH = 32

#: A key shorter than this can be guessed; `openssl rand -hex 32` makes one of 64.
ADVISED_KEY_LENGTH = 32

_HEX, _LETTERS = "0123456789abcdef", "abcdefghijklmnop"
_BLOCK = 64


class MissingKey(IngestError):
    """A delivery holds personal identifiers and there is no key to make pseudonyms with."""


@dataclass(frozen=True)
class PseudonymKey:
    """The key. It is never printed, logged or stored.

    Attributes:
        secret: Its bytes.
    """

    secret: bytes = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """What tells two keys apart without telling anything of either."""
        return self._digest("fingerprint", "")[:16]

    def pseudonym(self, kind: str, identifier: str) -> str:
        """The pseudonym of a normalised identifier.

        Args:
            kind: Kind of identifier (`client`), the key domain.
            identifier: Its normalised text.
        """
        return self._digest(kind, identifier)[:LENGTH].translate(str.maketrans(_HEX, _LETTERS))

    def sql(self, kind: str, identifier: str) -> str:
        """`pseudonym` as a SQL expression over a `varchar` expression, for distinct identifiers."""
        secret = self.secret if len(self.secret) <= _BLOCK else hashlib.sha256(self.secret).digest()
        secret = secret.ljust(_BLOCK, b"\0")
        inner = bytes(byte ^ 0x36 for byte in secret) + _prefix(kind)
        outer = bytes(byte ^ 0x5C for byte in secret)
        return (
            f"translate(substr(sha256(unhex('{outer.hex()}')"
            f" || unhex(sha256(unhex('{inner.hex()}') || encode({identifier})))), 1, {LENGTH}),"
            f" '{_HEX}', '{_LETTERS}')"
        )

    def _digest(self, kind: str, identifier: str) -> str:
        message = _prefix(kind) + identifier.encode()
        return hmac.new(self.secret, message, hashlib.sha256).hexdigest()


def _prefix(kind: str) -> bytes:
    return kind.encode() + b":"
