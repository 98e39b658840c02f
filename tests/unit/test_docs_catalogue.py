"""The page for units says what the code does: all headers, all findings, and nothing else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ingest.rows import RULE_TEXTS
from ingest.spec import Spec

if TYPE_CHECKING:
    from tests.conftest import Home

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "deliveries.md").read_text(encoding="utf-8")
SOURCES = [path.stem for path in sorted((ROOT / "ingest" / "specs").glob("*.yml"))]


def findings_in_code() -> dict[str, str]:
    """Code -> level of every finding that `ingest/` can make."""
    found = dict.fromkeys(RULE_TEXTS, "quarantined")
    for path in sorted((ROOT / "ingest").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            texts = [
                argument.value if isinstance(argument, ast.Constant) else None
                for argument in node.args[:2]
            ]
            if node.func.id == "refuse" and texts and texts[0]:
                found[texts[0]] = "refused"
            if node.func.id == "Finding" and len(texts) == 2 and texts[0] and texts[1]:
                found[texts[0]] = texts[1]
    return found


def body_of(section: str) -> str:
    """What stands below a heading, up to the next one."""
    _, _, rest = PAGE.partition(f"\n{section}\n")
    assert rest, f"no heading {section}"
    return re.split(r"\n#+ ", rest)[0]


def heading_of(source: str) -> str:
    """The heading of a source's section."""
    heading = next((line for line in PAGE.splitlines() if line.startswith(f"### `{source}`")), None)
    assert heading is not None, f"{source} has no section in docs/deliveries.md"
    return heading


def rows_of(section: str) -> Iterator[list[str]]:
    """Cells of the table rows below a heading, up to the next one."""
    for line in body_of(section).splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def catalogue() -> dict[str, str]:
    """Code -> outcome as the page says."""
    rows = [*rows_of("### Rows"), *rows_of("### Deliveries and files")]
    codes = [cells[0].strip("`") for cells in rows]
    assert len(codes) == len(set(codes)), "a code stands twice in the catalogue"
    return {cells[0].strip("`"): cells[2] for cells in rows}


def test_the_code_is_read_as_it_is_written() -> None:
    found = findings_in_code()

    assert found["missing_column"] == "refused"
    assert found["too_many_bad_rows"] == "refused"
    assert found["footnotes_left_out"] == "info"
    assert found["not_a_number"] == "quarantined"


def test_the_catalogue_names_every_finding_and_its_outcome_and_no_other() -> None:
    assert catalogue() == findings_in_code()


def test_every_finding_of_the_catalogue_has_a_meaning_and_a_fix() -> None:
    rows = [*rows_of("### Rows"), *rows_of("### Deliveries and files")]

    assert [cells[0] for cells in rows if len(cells) != 4 or not all(cells)] == []


@pytest.mark.parametrize("source", SOURCES)
def test_the_page_lists_exactly_the_columns_and_headers_of_a_source(
    source: str, specs: Mapping[str, Spec]
) -> None:
    said = {
        cells[1].strip("[]"): set(re.findall(r"`([^`]+)`", cells[0]))
        for cells in rows_of(heading_of(source))
    }
    declared = {name: set(column.headers) for name, column in specs[source].columns.items()}

    assert said == declared


@pytest.mark.parametrize("source", SOURCES)
def test_the_page_says_which_columns_a_source_requires_and_which_may_be_absent(
    source: str, specs: Mapping[str, Spec]
) -> None:
    said = {
        cells[1].strip("[]"): re.split(r"[^a-z]", cells[2])[0]
        for cells in rows_of(heading_of(source))
    }

    for name, column in specs[source].columns.items():
        assert (said[name] == "required") == column.required, name
        assert (said[name] == "optional") == column.optional, name


@pytest.mark.parametrize("source", SOURCES)
def test_the_example_of_a_source_is_loaded_whole(source: str, home: Home) -> None:
    examples = re.findall(r"\n```csv\n(.*?)```\n", body_of(heading_of(source)), re.DOTALL)
    assert len(examples) == 1
    home.deliver(f"{source}/2023-01-31", {"example.csv": examples[0]})

    entry = home.ingest()[f"{source}/2023-01-31"]

    assert (entry.outcome, home.texts(entry.delivery_id)) == ("loaded", [])
    assert entry.rows_loaded == len(examples[0].splitlines()) - 1
