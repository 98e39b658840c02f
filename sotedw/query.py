"""Queries on a published release."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from sotedw.errors import WrongUse
from sotedw.home import DATABASE_NAME, RELEASE_VARIABLE, Home


@dataclass(frozen=True)
class Answer:
    """Rows of a query.

    Attributes:
        columns: Their names.
        types: DuckDB's types.
        rows: Values as Python objects.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def to_csv(self) -> str:
        """Comma-separated, empty for null."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return stream.getvalue()

    def objects(self) -> list[dict[str, Any]]:
        """A row is an object, as JSON has it."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def pick_release(home: Home, build_id: str | None) -> Path:
    """The folder of a release: the current one unless another is named.

    Raises:
        WrongUse: there is none.
    """
    if build_id is not None:
        release = home.releases / build_id
        if not release.is_dir():
            known = sorted(path.name for path in home.releases.glob("[!.]*"))
            raise WrongUse(f"no release {build_id}; there are: {', '.join(known) or 'none'}")
        return release
    current = home.current_release()
    if current is None:
        raise WrongUse(f"nothing is published in {home.root} yet: run `make build`")
    return current


def analysis_sql(release: Path, name: str) -> str:
    """The SQL of an analysis as the build compiled it into the release.

    Raises:
        WrongUse: the release has no analysis of this name.
    """
    path = release / "analyses" / f"{name}.sql"
    if not path.is_file():
        raise WrongUse(f"no analysis {name}; there are: {', '.join(analyses(release))}")
    return path.read_text(encoding="utf-8")


def analyses(release: Path) -> list[str]:
    """Names of the analyses a release carries."""
    return sorted(path.stem for path in (release / "analyses").glob("*.sql"))


def ask(release: Path, sql: str) -> Answer:
    """Run a query on a release, read-only.

    Raises:
        WrongUse: the query is not valid on this release.
    """
    try:
        with _open(release) as connection:
            relation = connection.sql(sql) if sql.strip() else None
            if relation is None:
                raise WrongUse("this statement gives no rows; a release is only read")
            return Answer(
                tuple(relation.columns),
                tuple(str(type_) for type_ in relation.types),
                tuple(relation.fetchall()),
            )
    except duckdb.Error as error:
        raise WrongUse(f"the query failed on {release.name}: {error}") from error


def _open(release: Path) -> duckdb.DuckDBPyConnection:
    """The database of a release; its views read the release's own files, wherever it stands."""
    connection = duckdb.connect(str(release / DATABASE_NAME), read_only=True)
    folder = str(release.resolve()).replace("'", "''")
    connection.execute(f"set variable {RELEASE_VARIABLE} = '{folder}'")
    return connection


def catalogue(release: Path) -> Sequence[tuple[str, int, str]]:
    """Name, rows and description of every table of a release."""
    with _open(release) as connection:
        found = connection.execute(
            "select table_name, coalesce(comment, '') from duckdb_tables()"
            " where schema_name = 'main'"
            " union all select view_name, coalesce(comment, '') from duckdb_views()"
            " where schema_name = 'main' and not internal"
            " order by table_name"
        ).fetchall()
        rows = []
        for name, comment in found:
            count = connection.execute(f"select count(*) from main.{name}").fetchone()
            assert count is not None
            rows.append((name, int(count[0]), comment))
    return rows
