"""Settings: where the key comes from, and what is said of values that do not fit."""

from __future__ import annotations

import os
import traceback
from datetime import date
from pathlib import Path

import pytest

from ingest.pseudonyms import PseudonymKey
from sotedw.errors import WrongUse
from sotedw.settings import Settings, load_settings
from sotedw.transform import dbt_environment

SECRET = "avain-avain"


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("SOTEDW_")]:
        monkeypatch.delenv(name)
    (tmp_path / "sotedw.toml").write_text("", encoding="utf-8")
    monkeypatch.setenv("SOTEDW_CONFIG", str(tmp_path / "sotedw.toml"))


def test_there_is_no_key_unless_one_is_given() -> None:
    assert load_settings().key() is None


def test_the_key_comes_from_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOTEDW_PSEUDONYM_KEY", "  avain \n")
    assert load_settings().key() == PseudonymKey(b"avain")


def test_models_and_checks_run_without_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOTEDW_PSEUDONYM_KEY", SECRET)
    monkeypatch.setenv("SOTEDW_HOME", "/srv/home")
    given = dbt_environment(Path("warehouse.duckdb"), date(2022, 12, 31), threads=2)
    assert SECRET not in given.values()
    assert given["SOTEDW_HOME"] == "/srv/home"
    assert given["SOTEDW_BUILD_AS_OF_DATE"] == "2022-12-31"
    assert given["DO_NOT_TRACK"] == "1"


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
    (tmp_path / "binary").write_bytes(b"\xff\xfe\xfa")
    monkeypatch.setenv("SOTEDW_PSEUDONYM_KEY_FILE", str(tmp_path / "binary"))
    with pytest.raises(WrongUse, match=r"^the key file .*binary cannot be read: it is no UTF-8$"):
        load_settings().key()
    monkeypatch.setenv("SOTEDW_PSEUDONYM_KEY_FILE", str(tmp_path))
    with pytest.raises(WrongUse, match=r"^the key file .* cannot be read: Is a directory$"):
        load_settings().key()


@pytest.mark.parametrize("given", ["a-key-in-place-of-its-file", "k" * 5_000])
def test_what_is_no_file_may_be_the_key_and_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("SOTEDW_PSEUDONYM_KEY_FILE", given)
    with pytest.raises(WrongUse, match=r"SOTEDW_PSEUDONYM_KEY_FILE names .* cannot be read: ") as e:
        load_settings().key()
    assert given not in str(e.value)
    assert e.value.__suppress_context__


def test_settings_do_not_show_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOTEDW_PSEUDONYM_KEY", "avain-avain")
    settings = load_settings()
    assert "avain-avain" not in repr(settings)
    assert "avain-avain" not in str(settings.model_dump())
    assert "avain-avain" not in settings.model_dump_json()


# --- what does not fit ----------------------------------------------------------------------------


def said_of(settings_file: bytes | str) -> str:
    """What is said of a settings file that does not fit, and would stand in a traceback."""
    path = Path(os.environ["SOTEDW_CONFIG"])
    path.write_bytes(settings_file.encode() if isinstance(settings_file, str) else settings_file)
    with pytest.raises(WrongUse) as caught:
        load_settings()
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        (f'pseudonym_key = ["{SECRET}"]', "pseudonym_key", "a text"),
        ("pseudonym_key = 5", "pseudonym_key", "a text"),
        (f'as_of = "{SECRET}"', "as_of", "a date as 2022-12-31"),
        ("threads = 257", "threads", "a whole number from 1 to 256"),
        ("home = 5", "home", "the path of a folder"),
    ],
)
def test_a_value_that_does_not_fit_is_told_by_its_setting_and_what_is_expected(
    text: str, name: str, expected: str
) -> None:
    assert said_of(text) == (
        "the settings are not valid\n"
        f"  {name} (SOTEDW_{name.upper()}): the value does not fit; expected is {expected}"
    )


def test_an_unknown_setting_is_told_with_those_that_there_are() -> None:
    assert said_of(f'pseudonym_keey = "{SECRET}"') == (
        "the settings are not valid\n"
        "  pseudonym_keey: unknown setting; known are as_of, home, landing, pseudonym_key,"
        " pseudonym_key_file, threads"
    )


def test_every_problem_has_a_line() -> None:
    lines = said_of(f'threads = "{SECRET}"\ncolour = "red"\nas_of = 31\n').splitlines()
    assert sorted(line.split()[0] for line in lines[1:]) == ["as_of", "colour:", "threads"]


def test_every_setting_says_what_is_expected() -> None:
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize(
    "text",
    [
        f"pseudonym_key = {SECRET}\n",
        f'pseudonym_key = "{SECRET}\n',
        f'pseudonym_key = "{SECRET}" {SECRET}\n',
        f'pseudonym_key = "a"\npseudonym_key = "{SECRET}"\n',
        f'pseudonym_key = "{SECRET}\\q"\n',
        f'pseudonym_key = {{ a = "{SECRET}", a = "{SECRET}" }}\n',
        f'pseudonym_key = "{SECRET}\xff"\n'.encode("latin-1"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_not_quoted(text: bytes | str) -> None:
    file = os.environ["SOTEDW_CONFIG"]
    assert said_of(text).startswith(f"the settings are not valid: {file}")


@pytest.mark.parametrize("other", ["SOTEDW_THREADS", "SOTEDW_AS_OF", "SOTEDW_PSEUDONYM_KEEY"])
def test_a_key_in_the_environment_is_not_quoted_when_another_variable_does_not_fit(
    monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    monkeypatch.setenv("SOTEDW_PSEUDONYM_KEY", SECRET)
    monkeypatch.setenv(other, SECRET)
    assert other in said_of("")


def test_a_key_that_is_no_text_is_wrong_use_and_not_quoted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOTEDW_PSEUDONYM_KEY", f"{SECRET}\udcff")
    with pytest.raises(WrongUse, match=r"^SOTEDW_PSEUDONYM_KEY is no UTF-8") as caught:
        load_settings().key()
    assert SECRET not in "".join(traceback.format_exception(caught.value))
