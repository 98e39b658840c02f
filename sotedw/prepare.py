"""`python -m sotedw.prepare`: parse the project into the Python environment.

Part of setting up. The first build of a home then takes what is parsed, as later ones take what the
build before has left. Where this was not run, or the code has changed since, a build parses itself.
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from sotedw.errors import SotedwError
from sotedw.home import Home
from sotedw.parsed_project import ENVIRONMENT, find, keep, parse_name
from sotedw.transform import Dbt


def prepare(environment: Path = ENVIRONMENT) -> Path:
    """Parse the project, unless that is done.

    Args:
        environment: Folder for what is parsed.

    Returns:
        The file that it is in.

    Raises:
        BuildFailed: dbt could not parse the project.
    """
    name = parse_name()
    if find(name, environment) is None:
        environment.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=environment) as folder:
            home = Home(Path(folder))
            with Dbt(home, home.root, as_of_date=date.max, threads=1) as dbt:
                dbt.parse()
            keep(home.target / name, environment, name)
    return environment / name


if __name__ == "__main__":
    try:
        prepare()
    except (SotedwError, OSError) as error:
        sys.exit(f"sotedw: the project was not parsed beforehand: {error}")
