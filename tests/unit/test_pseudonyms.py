"""Pseudonyms: HMAC as the standard says, the same in SQL, and nothing that looks like a code."""

from __future__ import annotations

import hashlib
import hmac
import re

import duckdb
import pytest

from ingest.identity_codes import MAYBE_CODE, mask
from ingest.pseudonyms import LENGTH, PseudonymKey

KEYS = [b"k", b"0123456789abcdef" * 2, b"x" * 64, b"y" * 65, b"z" * 200, "avain-ä".encode()]


def by_hand(key: bytes, message: bytes) -> str:
    """RFC 2104 written out: H(K xor opad, H(K xor ipad, text))."""
    if len(key) > 64:
        key = hashlib.sha256(key).digest()
    key = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + message).digest()
    digest = hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).hexdigest()
    return "".join(chr(ord("a") + int(letter, 16)) for letter in digest[:32])


@pytest.mark.parametrize("secret", KEYS)
def test_a_pseudonym_is_the_hmac_of_kind_and_identifier(secret: bytes) -> None:
    key = PseudonymKey(secret)
    for identifier in ("131052-308T", "A-77", "ääkkönen", ""):
        message = b"client:" + identifier.encode()
        assert key.pseudonym("client", identifier) == by_hand(secret, message)
        digest = hmac.digest(secret, message, "sha256").hex()[:32]
        assert key.pseudonym("client", identifier) == digest.translate(
            str.maketrans("0123456789abcdef", "abcdefghijklmnop")
        )


def test_the_hmac_is_that_of_the_standard() -> None:
    # RFC 4231, test case 2: 5bdcc146bf60754e6a042426089575c7...
    letters = by_hand(b"Jefe", b"what do ya want for nothing?")
    assert letters == "flnmmbeglpgahfeogkaececgaijfhfmh"


@pytest.mark.parametrize("secret", KEYS)
def test_sql_makes_the_same_pseudonyms(secret: bytes) -> None:
    key = PseudonymKey(secret)
    for identifier in ("131052-308T", "A-77", "ääkkönen", "o'hara", "x" * 300):
        row = duckdb.execute(
            f"select {key.sql('client', 'identifier')} from (select $x as identifier)",
            {"x": identifier},
        ).fetchone()
        assert row == (key.pseudonym("client", identifier),)


def test_no_identifier_has_no_pseudonym() -> None:
    key = PseudonymKey(b"k" * 32)
    assert duckdb.execute(f"select {key.sql('client', 'cast(null as varchar)')}").fetchone() == (
        None,
    )


def test_a_pseudonym_is_letters_and_never_has_the_form_of_a_code() -> None:
    key = PseudonymKey(b"k" * 32)
    for number in range(500):
        pseudonym = key.pseudonym("client", str(number))
        assert re.fullmatch(r"[a-p]{32}", pseudonym)
        assert len(pseudonym) == LENGTH
        assert re.search(MAYBE_CODE, pseudonym) is None
        assert mask(pseudonym) == pseudonym


def test_kinds_identifiers_and_keys_are_all_told_apart() -> None:
    one, other = PseudonymKey(b"k" * 32), PseudonymKey(b"l" * 32)
    made = {
        one.pseudonym("client", "7"),
        one.pseudonym("client", "8"),
        one.pseudonym("professional", "7"),
        other.pseudonym("client", "7"),
    }
    assert len(made) == 4


def test_a_fingerprint_tells_keys_apart_and_nothing_of_them() -> None:
    one, other = PseudonymKey(b"k" * 32), PseudonymKey(b"l" * 32)
    assert one.fingerprint == PseudonymKey(b"k" * 32).fingerprint != other.fingerprint
    assert re.fullmatch(r"[0-9a-f]{16}", one.fingerprint)
    assert one.fingerprint not in hashlib.sha256(one.secret).hexdigest()
    assert one.fingerprint not in one.secret.hex()


def test_a_key_is_not_shown() -> None:
    assert "secret" not in repr(PseudonymKey(b"secret-of-the-city"))
