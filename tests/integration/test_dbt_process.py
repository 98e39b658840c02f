"""What a night leaves alone is what it would make the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from dbt.contracts.graph.manifest import Manifest

from sotedw.dbt_process import _settled_views
from sotedw.home import DATABASE_NAME, Home
from tests.dbt import run_dbt, saved_parse

pytestmark = pytest.mark.slow

BUILD = {"SOTEDW_BUILD_AS_OF_DATE": "2022-03-31"}
NIGHT = {
    "SOTEDW_BUILD_AS_OF_DATE": "2022-04-01",
    "SOTEDW_BUILD_PREVIOUS_AS_OF_DATE": "2022-03-31",
}


def test_views_that_a_night_leaves_alone_are_written_alike_on_any_day(
    built_home: Path, tmp_path: Path
) -> None:
    option, saved = saved_parse(built_home)
    manifest = Manifest.from_msgpack(Path(saved).read_bytes())
    settled = set(_settled_views(manifest))
    views = {
        node.name
        for node in manifest.nodes.values()
        if node.resource_type == "model" and node.config.materialized == "view"
    }
    compiled = []
    for name, variables in (("build", BUILD), ("night", NIGHT)):
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(Home(built_home).build_database, folder / DATABASE_NAME)
        done = run_dbt(
            folder, "compile", "--select", "config.materialized:view", option, saved,
            variables=variables,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        models = (folder / "target" / "compiled" / "sotedw" / "models").rglob("*.sql")
        compiled.append({path.stem: path.read_text(encoding="utf-8") for path in models})
    build, night = compiled
    assert views <= set(build)
    assert {name for name in views if build[name] != night[name]} == views - settled
    assert {"stg_care_events__records", "fct_visits"} <= settled
