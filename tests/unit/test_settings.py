"""Settings of the key: from the variable, from a file, and what is said when it is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.pseudonyms import PseudonymKey
from sotedw.errors import WrongUse
from sotedw.settings import load_settings


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("SOTEDW_PSEUDONYM_KEY", "SOTEDW_PSEUDONYM_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "sotedw.toml").write_text("", encoding="utf-8")
    monkeypatch.setenv("SOTEDW_CONFIG", str(tmp_path / "sotedw.toml"))


def test_there_is_no_key_unless_one_is_given() -> None:
    assert load_settings().key() is None


def test_the_key_comes_from_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOTEDW_PSEUDONYM_KEY", "  avain \n")
    assert load_settings().key() == PseudonymKey(b"avain")


def test_the_key_comes_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("avain\n", encoding="utf-8")
    monkeypatch.setenv("SOTEDW_PSEUDONYM_KEY_FILE", str(tmp_path / "key"))
    assert load_settings().key() == PseudonymKey(b"avain")


def test_a_file_named_in_the_settings_file_stands_beside_it(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("avain", encoding="utf-8")
    (tmp_path / "sotedw.toml").write_text('pseudonym_key_file = "key"\n', encoding="utf-8")
    assert load_settings().key() == PseudonymKey(b"avain")


def test_the_variable_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("of the file", encoding="utf-8")
    monkeypatch.setenv("SOTEDW_PSEUDONYM_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("SOTEDW_PSEUDONYM_KEY", "of the variable")
    assert load_settings().key() == PseudonymKey(b"of the variable")


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_key_is_wrong_use(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    (tmp_path / "key").write_text(text, encoding="utf-8")
    monkeypatch.setenv("SOTEDW_PSEUDONYM_KEY_FILE", str(tmp_path / "key"))
    with pytest.raises(WrongUse, match="key is empty: openssl rand -hex 32 makes a key"):
        load_settings().key()
    monkeypatch.setenv("SOTEDW_PSEUDONYM_KEY", text)
    with pytest.raises(WrongUse, match=r"^SOTEDW_PSEUDONYM_KEY is empty"):
        load_settings().key()


def test_a_key_file_that_cannot_be_read_is_wrong_use(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SOTEDW_PSEUDONYM_KEY_FILE", str(tmp_path / "absent"))
    with pytest.raises(WrongUse, match=r"^the key file .*absent cannot be read: "):
        load_settings().key()
    (tmp_path / "binary").write_bytes(b"\xff\xfe\xfa")
    monkeypatch.setenv("SOTEDW_PSEUDONYM_KEY_FILE", str(tmp_path / "binary"))
    with pytest.raises(WrongUse, match=r"binary cannot be read: "):
        load_settings().key()


def test_settings_do_not_show_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOTEDW_PSEUDONYM_KEY", "avain-avain")
    settings = load_settings()
    assert "avain-avain" not in repr(settings)
    assert "avain-avain" not in str(settings.model_dump())
    assert "avain-avain" not in settings.model_dump_json()
