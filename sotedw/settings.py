"""Settings: one file (`sotedw.toml`) and environment variables, validated at start."""

from __future__ import annotations

import os
import tomllib
from datetime import date
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from ingest.pseudonyms import PseudonymKey
from sotedw.errors import WrongUse

#: The checkout: the project is run from it (editable install).
PROJECT = Path(__file__).resolve().parent.parent

_PREFIX = "SOTEDW_"
_CONFIG_VARIABLE = "SOTEDW_CONFIG"


class Settings(BaseSettings):
    """What a build is told. Flags of the command line win over variables, they over the file.

    Attributes:
        home: Where the warehouse keeps everything it makes.
        landing: Where units put their deliveries.
        as_of: The date the build speaks as of; default: the date of the newest delivery.
        threads: Threads of DuckDB and dbt.
        pseudonym_key: Key that pseudonyms are made with; never printed or stored.
        pseudonym_key_file: A file that holds the key, in place of the variable.
    """

    # Values may be secrets, also those of misspelt names: no error shows any.
    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    # Descriptions say what is expected; errors quote them.
    home: Path = Field(default=PROJECT / "warehouse", description="the path of a folder")
    landing: Path = Field(default=PROJECT / "landing", description="the path of a folder")
    as_of: date | None = Field(default=None, description="a date as 2022-12-31")
    threads: int = Field(default=2, ge=1, le=256, description="a whole number from 1 to 256")
    pseudonym_key: SecretStr | None = Field(default=None, description="a text")
    pseudonym_key_file: Path | None = Field(default=None, description="the path of a file")

    def key(self) -> PseudonymKey | None:
        """The key of pseudonyms, or None when none is set.

        Raises:
            WrongUse: the key file cannot be read, or the key is empty or no text.
        """
        if self.pseudonym_key is not None:
            text = self.pseudonym_key.get_secret_value().strip()
            where = "SOTEDW_PSEUDONYM_KEY"
        elif self.pseudonym_key_file is not None:
            where = _shown(self.pseudonym_key_file)
            try:
                text = self.pseudonym_key_file.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
                raise WrongUse(f"{where} cannot be read: {reason}") from None
        else:
            return None
        if not text:
            raise WrongUse(f"{where} is empty: openssl rand -hex 32 makes a key")
        try:
            return PseudonymKey(text.encode())
        except UnicodeEncodeError:
            # Its own text and its cause quote the key.
            raise WrongUse(f"{where} is no UTF-8: openssl rand -hex 32 makes a key") from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then the environment, then the file; no dotenv, no secrets folder."""
        file = _ConfigFile(settings_cls, toml_file=_config_file())
        return init_settings, env_settings, file


class _ConfigFile(TomlConfigSettingsSource):
    """The settings file; relative paths in it start from its own folder, not from a shell's."""

    def __call__(self) -> dict[str, object]:
        values: dict[str, object] = super().__call__()
        for name in ("home", "landing", "pseudonym_key_file"):
            if isinstance(values.get(name), str):
                values[name] = _config_file().parent / str(values[name])
        return values


def load_settings(**flags: object) -> Settings:
    """Read and validate the settings.

    Args:
        **flags: Values given on the command line; None stands for not given.

    Raises:
        WrongUse: a value does not fit, the file cannot be read or has unknown keys, or a variable
            is misspelt. No value is quoted.
    """
    known = {_variable(name) for name in Settings.model_fields} | {_CONFIG_VARIABLE}
    strange = sorted(name for name in os.environ if name.startswith(_PREFIX) and name not in known)
    if strange:
        raise WrongUse(
            f"unknown variable {', '.join(strange)}; known are {', '.join(sorted(known))}"
        )
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        settings = Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        raise WrongUse(f"the settings are not valid\n{_problems(error)}") from None
    except tomllib.TOMLDecodeError as error:
        # Its text names places, characters and keys, and never a value.
        raise WrongUse(f"the settings are not valid: {_config_file()}: {error}") from None
    except UnicodeDecodeError:
        raise WrongUse(f"the settings are not valid: {_config_file()} is no UTF-8") from None
    return settings.model_copy(
        update={"home": settings.home.absolute(), "landing": settings.landing.absolute()}
    )


def environment_of_tools() -> dict[str, str]:
    """Environment of the processes that models and checks run in.

    Without the key, which none of them needs, and with no telemetry.
    """
    kept = {name: text for name, text in os.environ.items() if name != _variable("pseudonym_key")}
    return {**kept, "DO_NOT_TRACK": "1"}


def _shown(key_file: Path) -> str:
    """How errors name the file of the key; what is no file may be the key, given in its place."""
    if os.path.lexists(key_file):
        return f"the key file {key_file}"
    return f"what {_variable('pseudonym_key_file')} names (not shown: it may be the key)"


def _variable(name: str) -> str:
    """The variable of a setting."""
    return f"{_PREFIX}{name.upper()}"


def _problems(error: ValidationError) -> str:
    """One line a problem, of names and expectations alone."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return "\n".join(f"  {_problem(str(item['loc'][0]))}" for item in found)


def _problem(name: str) -> str:
    field = Settings.model_fields.get(name)
    if field is None:
        return f"{name}: unknown setting; known are {', '.join(sorted(Settings.model_fields))}"
    return f"{name} ({_variable(name)}): the value does not fit; expected is {field.description}"


def _config_file() -> Path:
    given = os.environ.get(_CONFIG_VARIABLE)
    if given is None:
        return PROJECT / "sotedw.toml"
    if not Path(given).is_file():
        raise WrongUse(f"{_CONFIG_VARIABLE} names {given}, which is no file")
    return Path(given)
