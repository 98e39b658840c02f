"""dbt in a process of its own: models, then tests, then analyses, on one parsed project.

Started by `sotedw.transform` as `python -m sotedw.dbt_process`. It parses the project at once,
which needs no data, or takes a saved parse, and waits for a JSON line on standard input before it
builds: the as-of date of the tables that are continued, or null. It prints one JSON line a finished
node, so that the parent can show progress, and leaves dbt's own run results in the target folder.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.artifacts.resources.types import NodeType
from dbt.artifacts.schemas.results import NodeStatus
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.constants import MANIFEST_FILE_NAME, PARTIAL_PARSE_FILE_NAME, RUN_RESULTS_FILE_NAME
from dbt.contracts.graph.manifest import Manifest
from dbt_common.events.base_types import EventMsg

from sotedw import parsed_project

_CONNECTION_KEYS = "_connection_keys"

#: The manifest is read once, after the tests, which leave it beside their results. A night is of
#: the code whose manifest is there: it leaves the results alone, and so half a second sooner.
_NO_ARTIFACTS = "--no-write-json"

#: How templates are told dates; nothing else in them changes from night to night.
_IS_TOLD = "env_var("

#: After the models nothing is written, and nothing asks which tables there are.
_READING = ("--target", "tests", "--no-populate-cache")


def _print(**fields: Any) -> None:
    # One write a line: dbt's threads report at the same time.
    sys.stdout.write(json.dumps(fields, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _on_event(event: EventMsg) -> None:
    name = event.info.name
    if name == "ConcurrencyLine":
        _print(event="start", total=int(event.data.node_count))
    elif name == "NodeFinished":
        _print(
            event="node",
            name=event.data.node_info.node_name,
            status=str(event.data.node_info.node_status),
        )


def _failed(result: dbtRunnerResult) -> bool:
    """Whether dbt itself failed; a failing data test is a result, not a failure."""
    if result.exception is not None:
        _print(event="error", message=str(result.exception))
        return True
    bad = {NodeStatus.Error, NodeStatus.Skipped, NodeStatus.RuntimeErr}
    broken = [node for node in getattr(result.result, "results", []) if node.status in bad]
    for node in broken:
        if node.status != NodeStatus.Skipped:
            _print(event="error", node=node.node.name, message=str(node.message))
    return bool(broken)


def let_homes_share_a_parse() -> None:
    """Leave the database's path out of what dbt compares before it takes a saved parse.

    Templates could read it while they are parsed; none of ours does.
    """
    keys = getattr(DuckDBCredentials, _CONNECTION_KEYS)
    without_path = lambda self: tuple(key for key in keys(self) if key != "path")  # noqa: E731
    setattr(DuckDBCredentials, _CONNECTION_KEYS, without_path)


def _parse(arguments: list[str], target: Path) -> dbtRunnerResult:
    """Parse the project, unless somebody has: see `sotedw.parsed_project`."""
    let_homes_share_a_parse()
    name = parsed_project.parse_name()
    saved = parsed_project.find(name, target, parsed_project.ENVIRONMENT)
    fresh = target / PARTIAL_PARSE_FILE_NAME
    fresh.unlink(missing_ok=True)
    reused = ["--partial-parse-file-path", str(saved)] if saved else []
    parsed = dbtRunner().invoke(["parse", _NO_ARTIFACTS, *reused, *arguments])
    if fresh.is_file():
        parsed_project.keep(fresh, target, name)
    return parsed


def _mode(continued_from: str | None, manifest: Manifest) -> list[str]:
    """Options of `build`: everything anew, or tables that are continued from a date.

    Macros read the date (`macros/nights.sql`). The tables are of this very code, and so are seeds
    and views, but for those that are written with one of the dates.
    """
    if continued_from is None:
        return ["--full-refresh"]
    os.environ["SOTEDW_BUILD_PREVIOUS_AS_OF_DATE"] = continued_from
    return ["--exclude-resource-type", "seed", "--exclude", *_settled_views(manifest)]


def _settled_views(manifest: Manifest) -> list[str]:
    """Views that every night of the same code would make the same: nothing in them is told."""

    def is_told(macro_name: str) -> bool:
        macro = manifest.macros.get(macro_name)
        if macro is None:
            return False
        return _IS_TOLD in macro.macro_sql or any(map(is_told, macro.depends_on.macros))

    return [
        node.name
        for node in manifest.nodes.values()
        if node.resource_type == NodeType.Model
        and node.config.materialized == "view"
        and _IS_TOLD not in node.raw_code
        and not any(map(is_told, node.depends_on.macros))
    ]


def main(arguments: list[str]) -> int:
    """Run dbt.

    Args:
        arguments: Options common to the four commands (`--target-path`, `--log-path`, ...).

    Returns:
        0 when every model was built and every test ran, whatever the tests found, or when nobody
        asked for more than the parse; else 1.
    """
    target = Path(arguments[arguments.index("--target-path") + 1])
    parsed = _parse(arguments, target)
    if not parsed.success or not isinstance(parsed.result, Manifest):
        _print(event="error", message=str(parsed.exception))
        return 1
    told = sys.stdin.readline().strip()
    if not told:
        # Only parsing was asked for, or the parent is gone.
        return 0
    continued_from = json.loads(told)["continued_from"]
    runner = dbtRunner(manifest=parsed.result, callbacks=[_on_event])
    _print(event="phase", name="models")
    models = runner.invoke(
        ["build", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test",
         *_mode(continued_from, parsed.result), _NO_ARTIFACTS, *arguments]
    )  # fmt: skip
    if _failed(models):
        return 1
    reading = [*_READING, *arguments]
    _print(event="phase", name="tests")
    has_manifest = continued_from is not None and (target / MANIFEST_FILE_NAME).is_file()
    tests = runner.invoke(
        ["test", "--exclude-resource-type", "unit_test", *reading] + [_NO_ARTIFACTS] * has_manifest
    )
    if tests.exception is not None:
        return int(_failed(tests))
    if has_manifest and isinstance(tests.result, RunExecutionResult):
        tests.result.write(str(target / RUN_RESULTS_FILE_NAME))
    _print(event="phase", name="analyses")
    analyses = runner.invoke(
        ["compile", "--select", "resource_type:analysis", _NO_ARTIFACTS, *reading]
    )
    return int(_failed(analyses))


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stderr.flush()
    if code == 0:
        # All is written, and the database is only read: to take dbt's objects apart again would
        # take up to a second.
        os._exit(code)
    sys.exit(code)
