"""Code tables: from the labels that units write to the codes that the warehouse stores.

The tables themselves are dbt seeds, so that ingest and models read the same file.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from ingest.errors import SpecError
from ingest.text import label_key

SEED_FOLDER = Path(__file__).parent.parent / "seeds"
TABLES_FILE = Path(__file__).parent / "code_tables.yml"
ALIASES_FILE = SEED_FOLDER / "core" / "code_aliases.csv"


class _Declaration(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: str
    code: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class CodeTable:
    """One code table.

    Attributes:
        name: Its name in specs.
        seed: The seed file it stands in, for messages.
        by_label: Normalised label (or code) -> code.
        rows: Code -> its row in the seed.
    """

    name: str
    seed: str
    by_label: Mapping[str, str]
    rows: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def code_of(self, label: str) -> str | None:
        """The code a label or code stands for, or None when the table does not know it."""
        return self.by_label.get(label_key(label))


def load_code_tables(
    declarations: Path = TABLES_FILE,
    seeds: Path = SEED_FOLDER,
    aliases: Path = ALIASES_FILE,
) -> dict[str, CodeTable]:
    """Read every declared code table with its labels and aliases.

    Raises:
        SpecError: one label would stand for two codes of a table, or an alias for no code.
    """
    adapter = TypeAdapter(dict[str, _Declaration])
    declared = adapter.validate_python(yaml.safe_load(declarations.read_text(encoding="utf-8")))
    alias_rows = _rows(aliases)
    unknown = sorted({row["code_table"] for row in alias_rows} - set(declared))
    if unknown:
        raise SpecError(f"{aliases.name} names code tables that do not exist: {unknown}")
    return {
        name: _table(name, declaration, _rows(seeds / declaration.seed), alias_rows)
        for name, declaration in declared.items()
    }


def seed_files(declarations: Path = TABLES_FILE, seeds: Path = SEED_FOLDER) -> list[Path]:
    """The files that code tables are made of: a change in one is a change of every spec."""
    declared = yaml.safe_load(declarations.read_text(encoding="utf-8"))
    return [declarations, ALIASES_FILE, *(seeds / entry["seed"] for entry in declared.values())]


def _table(
    name: str,
    declaration: _Declaration,
    rows: list[dict[str, str]],
    alias_rows: list[dict[str, str]],
) -> CodeTable:
    by_label: dict[str, str] = {}

    def add(label: str, code: str) -> None:
        key = label_key(label)
        if key and by_label.setdefault(key, code) != code:
            raise SpecError(
                f"code table {name}: {label!r} stands for both {by_label[key]} and {code}"
            )

    by_code: dict[str, Mapping[str, str]] = {}
    for row in rows:
        code = row[declaration.code]
        by_code[code] = row
        add(code, code)
        for column in declaration.labels:
            add(row[column], code)
    for row in alias_rows:
        if row["code_table"] != name:
            continue
        if row["code"] not in by_code:
            raise SpecError(f"alias {row['alias']!r} stands for {row['code']}, not in {name}")
        add(row["alias"], row["code"])
    return CodeTable(name, declaration.seed, by_label, by_code)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
