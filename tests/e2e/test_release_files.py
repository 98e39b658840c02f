"""A release is what its manifest says: sorted, described, hashed, whole and read-only."""

from __future__ import annotations

import hashlib
import json
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.e2e.conftest import Landed, Sotedw

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("e2e_built")]

#: What the interface promises under these names (`marts.md`), and what the marts stand on.
MARTS = {"mart_output_statistics", "mart_vacancies", "mart_service_entity_finance"}

#: Large facts: folders of Parquet files, a file a month, and views over them.
CUT_FACTS = {"fct_care_events", "fct_visits", "fct_waiting_times"}
TABLES = MARTS | {
    "dim_date",
    "dim_document",
    "dim_output_measure",
    "dim_service_entity",
    "dim_staff_group",
    "fct_output_statistics",
    "fct_quality_results",
    "fct_vacancies",
}

#: Analysis -> rows that it prints.
ANALYSES = {
    "budget_2022": 12,
    "outturn_2021": 19,
    "table_1": 4,
    "table_2": 5,
    "table_3": 12,
    "table_4": 9,
    "table_5": 12,
    "table_6": 6,
    "table_7": 83,
}

#: Columns that analysts rely on, with their types.
INTERFACE = {
    "mart_output_statistics": {
        "measure_code": "VARCHAR",
        "section_name_fi": "VARCHAR",
        "subsection_name_fi": "VARCHAR",
        "measure_name_fi": "VARCHAR",
        "measure_name_sv": "VARCHAR",
        "measure_name_en": "VARCHAR",
        "producer_type": "VARCHAR",
        "unit_of_measure": "VARCHAR",
        "year": "INTEGER",
        "value": "BIGINT",
        "value_status": "VARCHAR",
        "change_count": "BIGINT",
        "change_share": "DOUBLE",
        "is_comparable": "BOOLEAN",
        "break_reason": "VARCHAR",
        "source_document_id": "VARCHAR",
        "source_table": "VARCHAR",
    },
    "mart_vacancies": {
        "count_date": "DATE",
        "service_entity_code": "VARCHAR",
        "staff_group_code": "VARCHAR",
        "shortfall_share": "DOUBLE",
        "value_status": "VARCHAR",
        "posts_count": "BIGINT",
    },
    "mart_service_entity_finance": {
        "fiscal_year": "INTEGER",
        "service_entity_code": "VARCHAR",
        "service_entity_name_fi": "VARCHAR",
        "service_entity_name_sv": "VARCHAR",
        "service_entity_name_en": "VARCHAR",
        "expenditure_amount": "DECIMAL(18,2)",
        "income_amount": "DECIMAL(18,2)",
    },
    "fct_waiting_times": {
        "care_need_id": "VARCHAR",
        "client_pseudonym": "VARCHAR",
        "unit_id": "VARCHAR",
        "producer_type": "VARCHAR",
        "service_form_code": "VARCHAR",
        "urgency_class": "VARCHAR",
        "start_at": "TIMESTAMP",
        "start_date": "DATE",
        "first_care_at": "TIMESTAMP",
        "first_care_date": "DATE",
        "wait_days": "INTEGER",
        "first_contact_resolution_state": "VARCHAR",
        "first_contact_resolution_exclusion_reason": "VARCHAR",
        "urgent_same_or_next_day_state": "VARCHAR",
        "urgent_same_or_next_day_exclusion_reason": "VARCHAR",
        "non_urgent_within_10_days_state": "VARCHAR",
        "non_urgent_within_10_days_exclusion_reason": "VARCHAR",
        "dental_within_90_days_state": "VARCHAR",
        "dental_within_90_days_exclusion_reason": "VARCHAR",
    },
    "fct_visits": {
        "record_id": "VARCHAR",
        "client_pseudonym": "VARCHAR",
        "unit_id": "VARCHAR",
        "producer_type": "VARCHAR",
        "service_form_code": "VARCHAR",
        "contact_mode_code": "VARCHAR",
        "channel": "VARCHAR",
        "profession_group": "VARCHAR",
        "started_at": "TIMESTAMP",
        "visit_date": "DATE",
        "care_need_id": "VARCHAR",
    },
    "mart_access_measures": {
        "measure_code": "VARCHAR",
        "period_grain": "VARCHAR",
        "period_start": "DATE",
        "period_end": "DATE",
        "scope_type": "VARCHAR",
        "scope_id": "VARCHAR",
        "met_count": "BIGINT",
        "missed_count": "BIGINT",
        "pending_count": "BIGINT",
        "excluded_count": "BIGINT",
        "rate": "DOUBLE",
        "rate_low": "DOUBLE",
        "rate_high": "DOUBLE",
        "realised_rate": "DOUBLE",
        "statutory_rate": "DOUBLE",
        "target_rate": "DOUBLE",
        "gap_share": "DOUBLE",
        "status": "VARCHAR",
        "is_preliminary": "BOOLEAN",
        "as_of_date": "DATE",
    },
    "mart_access_exclusions": {
        "measure_code": "VARCHAR",
        "period_grain": "VARCHAR",
        "period_start": "DATE",
        "scope_type": "VARCHAR",
        "scope_id": "VARCHAR",
        "reason": "VARCHAR",
        "excluded_count": "BIGINT",
    },
    "mart_waiting_time_distribution": {
        "measure_code": "VARCHAR",
        "period_grain": "VARCHAR",
        "period_start": "DATE",
        "scope_type": "VARCHAR",
        "scope_id": "VARCHAR",
        "wait_days": "INTEGER",
        "need_count": "BIGINT",
    },
    "mart_visits_monthly": {
        "month_start_date": "DATE",
        "unit_id": "VARCHAR",
        "service_form_code": "VARCHAR",
        "contact_mode_code": "VARCHAR",
        "profession_group": "VARCHAR",
        "producer_type": "VARCHAR",
        "visit_count": "BIGINT",
        "client_count": "BIGINT",
    },
    "fct_quality_results": {
        "build_id": "VARCHAR",
        "check_id": "VARCHAR",
        "table_name": "VARCHAR",
        "category": "VARCHAR",
        "severity": "VARCHAR",
        "outcome": "VARCHAR",
        "unexpected_count": "BIGINT",
        "element_count": "BIGINT",
        "threshold": "DOUBLE",
        "owner": "VARCHAR",
    },
}


def parquet_files(release: Path) -> dict[str, Path]:
    return {path.stem: path for path in (release / "parquet" / "internal").glob("*.parquet")}


def described(path: Path) -> dict[str, Any]:
    """What a Parquet file says of itself."""
    metadata = pq.read_metadata(path).metadata
    result: dict[str, Any] = json.loads(metadata[b"sotedw"])
    return result


def read(release: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(release / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


# --- the interface --------------------------------------------------------------------------------


@pytest.mark.parametrize("mart", sorted(INTERFACE))
def test_a_mart_has_the_columns_of_the_interface(release: Path, mart: str) -> None:
    columns = {row[0]: row[1] for row in read(release, f"describe main.{mart}")}
    assert {name: columns.get(name) for name in INTERFACE[mart]} == INTERFACE[mart]


def test_every_table_is_in_the_database_and_a_parquet_file(release: Path) -> None:
    tables = {row[0] for row in read(release, "select table_name from duckdb_tables()")}
    assert tables >= TABLES
    assert set(parquet_files(release)) == tables


def test_a_large_fact_is_a_view_over_a_folder_of_files(release: Path) -> None:
    views = {
        row[0] for row in read(release, "select view_name from duckdb_views() where not internal")
    }
    folders = {path.name for path in (release / "parquet" / "internal").iterdir() if path.is_dir()}
    assert views == folders == CUT_FACTS
    for name in CUT_FACTS:
        assert read(release, f"select count(*) from main.{name}") == [(0,)], name
        path = release / "parquet" / "internal" / name / "undated.parquet"
        assert list(described(path)["columns"]) == sorted(pq.read_schema(path).names), name


def test_the_database_holds_nothing_but_the_main_schema(release: Path) -> None:
    assert read(
        release,
        "select distinct schema_name from duckdb_tables() union"
        " select distinct schema_name from duckdb_views() where not internal",
    ) == [("main",)]


def test_database_and_parquet_hold_the_same_rows_in_the_same_order(release: Path) -> None:
    for name, path in parquet_files(release).items():
        stored = read(release, f"select * from main.{name}")
        assert duckdb.sql(f"select * from read_parquet('{path}')").fetchall() == stored, name


def test_database_and_parquet_have_the_same_columns_of_the_same_types(release: Path) -> None:
    for name, path in parquet_files(release).items():
        stored = read(release, f"select column_name, column_type from (describe main.{name})")
        filed = f"select column_name, column_type from (describe from read_parquet('{path}'))"
        assert duckdb.sql(filed).fetchall() == stored, name


# --- Parquet --------------------------------------------------------------------------------------


def test_every_parquet_file_is_sorted_by_its_grain_which_is_unique(release: Path) -> None:
    for name, path in parquet_files(release).items():
        grain = described(path)["grain"]
        assert grain, name
        keys = [tuple(row.values()) for row in pq.read_table(path, columns=grain).to_pylist()]
        # Nulls first: a row for the whole city stands before its units.
        assert keys == sorted(keys, key=lambda key: [(part is not None, part) for part in key]), (
            name
        )
        assert len(set(keys)) == len(keys), name


def test_every_parquet_file_is_compressed_with_zstd(release: Path) -> None:
    for name, path in parquet_files(release).items():
        metadata = pq.read_metadata(path)
        codecs = {
            metadata.row_group(group).column(column).compression
            for group in range(metadata.num_row_groups)
            for column in range(metadata.num_columns)
        }
        assert codecs <= {"ZSTD"}, name
        assert codecs or not metadata.num_rows, name


def test_every_parquet_file_describes_itself_and_every_column(release: Path) -> None:
    for name, path in parquet_files(release).items():
        about = described(path)
        assert list(about["columns"]) == sorted(pq.read_schema(path).names), name
        assert all(text.strip() for text in about["columns"].values()), name
        assert about["description"].startswith("One row per "), name
        assert about["owner"], name
        assert about["sensitivity"] in ("public", "internal"), name
        assert set(about["grain"]) <= set(about["columns"]), name
        assert "{{" not in json.dumps(about), name


def test_no_parquet_file_of_figures_holds_the_build_or_a_date_of_the_run(release: Path) -> None:
    for name, path in parquet_files(release).items():
        if name not in ("fct_quality_results", "mart_quality"):
            data = path.read_bytes()
            assert release.name.encode() not in data, name
            assert "build_id" not in pq.read_schema(path).names, name


# --- the database ---------------------------------------------------------------------------------


def test_every_table_and_column_of_the_database_has_the_comment_of_its_file(
    release: Path,
) -> None:
    tables = dict(read(release, "select table_name, comment from duckdb_tables()"))
    columns = read(release, "select table_name, column_name, comment from duckdb_columns()")
    for name, path in parquet_files(release).items():
        about = described(path)
        assert tables[name] == about["description"], name
        mine = {column: comment for table, column, comment in columns if table == name}
        assert mine == about["columns"], name


def test_the_compiled_analyses_run_in_duckdb_alone(release: Path) -> None:
    counted = {}
    for path in (release / "analyses").glob("*.sql"):
        sql = path.read_text(encoding="utf-8")
        assert "{{" not in sql
        assert "{%" not in sql
        counted[path.stem] = len(read(release, sql))
    assert counted == ANALYSES


def test_the_checkouts_analyses_are_all_in_the_release(release: Path) -> None:
    checkout = Path(__file__).resolve().parents[2] / "analyses"
    names = {path.name for path in checkout.glob("*.sql")}
    assert {path.name for path in (release / "analyses").iterdir()} == names


def test_no_file_of_a_release_names_the_home_it_was_built_in(
    release: Path, built_home: Path
) -> None:
    for path in (release / "analyses").glob("*.sql"):
        assert str(built_home) not in path.read_text(encoding="utf-8"), path.name


# --- the manifest ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def manifest(release: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads((release / "manifest.json").read_text(encoding="utf-8"))
    return result


def test_the_manifest_lists_every_file_with_its_hash_and_size(
    release: Path, manifest: dict[str, Any]
) -> None:
    listed = {
        item["path"]: (item["sha256"], item["bytes"])
        for item in manifest["files"]
    }  # fmt: skip
    standing = {
        str(path.relative_to(release)): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_size,
        )
        for path in release.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    assert listed == standing


def test_the_manifest_counts_the_rows_of_every_parquet_file(
    release: Path, manifest: dict[str, Any]
) -> None:
    files = {item["path"]: item for item in manifest["files"]}
    for name, path in parquet_files(release).items():
        item = files[f"parquet/internal/{name}.parquet"]
        assert item["row_count"] == pq.read_metadata(path).num_rows, name
        assert item["schema_version"] == described(path)["schema_version"], name


def test_the_manifest_says_what_the_release_is_made_of(
    release: Path,
    manifest: dict[str, Any],
    landed: Mapping[str, Landed],
    newest_landed: Mapping[str, str | None],
) -> None:
    assert manifest["build_id"] == release.name
    assert re.fullmatch(r"20221031-[0-9a-f]{12}", release.name)
    assert manifest["as_of_date"] == "2022-10-31"
    assert re.fullmatch(r"[0-9a-f]{64}", manifest["code_version"])
    assert manifest["is_synthetic"] is False
    deliveries = {
        item["delivery_id"]: (item["outcome"], item["rows_in"], item["rows_loaded"],
                              item["source_document_id"], item["source_table"])
        for item in manifest["deliveries"]
    }  # fmt: skip
    assert deliveries == {
        delivery_id: ("loaded", item.rows, item.rows, item.document, item.table)
        for delivery_id, item in landed.items()
    }
    # Those of the annual report's tables, as a person counts them in it.
    counted = {
        item["source_table"]: item["rows_in"]
        for item in manifest["deliveries"]
        if item["source_document_id"] == "annual_report_2021" and item["source_table"]
    }
    assert counted == {"1": 8, "2": 20, "3": 24, "4": 27, "5": 48, "6": 6, "7": 415}
    assert all(re.fullmatch(r"[0-9a-f]{64}", d["content_hash"]) for d in manifest["deliveries"])
    assert {
        item["source"]: (
            item["last_delivery"],
            item["refused"],
            item["stale_since"],
            item["reason"],
        )
        for item in manifest["sources"]
    } == {
        "budget": (newest_landed["budget"], [], "2022-03-31", "late"),
        "care_events": (None, [], None, None),
        "output_statistics": ("2022-03-31", [], None, None),
        "personnel": (newest_landed["personnel"], [], None, None),
        "positions": (None, [], None, None),
        "published_facts": ("2022-10-31", [], None, None),
        "reported_values": (None, [], None, None),
        "service_entity_finance": ("2022-03-31", [], None, None),
        "shortfall": ("2022-03-31", [], "2022-03-31", "late"),
    }


def test_files_of_a_release_are_read_only(release: Path) -> None:
    for path in release.rglob("*"):
        if path.is_file():
            assert stat.S_IMODE(path.stat().st_mode) == 0o444, path


def test_nothing_half_written_stands_beside_the_release(release: Path, built_home: Path) -> None:
    assert [path.name for path in release.parent.iterdir()] == [release.name]
    assert not list(built_home.glob(".current*"))


# --- checks ---------------------------------------------------------------------------------------


def test_all_checks_passed_and_each_says_what_it_judges_and_who_answers(release: Path) -> None:
    assert read(
        release,
        "select distinct outcome from fct_quality_results where outcome <> 'not_applicable'",
    ) == [("passed",)]
    assert (
        read(
            release,
            "select check_id from fct_quality_results where coalesce(table_name, '') = ''"
            " or coalesce(owner, '') = '' or coalesce(description, '') = ''"
            " or element_count is null"
            " or category not in ('completeness', 'conformance', 'plausibility')"
            " or severity not in ('blocker', 'warning')",
        )
        == []
    )
    tools = {row[0] for row in read(release, "select distinct tool from fct_quality_results")}
    assert tools == {"dbt", "great_expectations"}
    judged = {row[0] for row in read(release, "select table_name from mart_quality")}
    assert judged >= MARTS


def test_every_data_test_of_the_checkout_ran(release: Path) -> None:
    folder = Path(__file__).resolve().parents[1] / "data"
    names = {path.stem for path in folder.glob("*.sql")}
    assert names
    ran = {row[0] for row in read(release, "select check_id from fct_quality_results")}
    assert names <= ran


def test_the_quality_report_needs_nothing_from_outside(release: Path) -> None:
    page = (release / "reports" / "quality.html").read_text(encoding="utf-8")
    assert "<html" in page
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", page)
    assert not re.search(r"@import|url\(\s*['\"]?http", page)


def test_nothing_is_said_to_be_synthetic_without_generated_deliveries(
    sotedw: Sotedw, built_home: Path, release: Path
) -> None:
    page = (release / "reports" / "quality.html").read_text(encoding="utf-8")
    assert "ynthetic" not in page
    assert "ynthetic" not in sotedw.done("status", "--home", built_home).out
    status = sotedw.done("status", "--home", built_home, "--json").json
    assert status["is_synthetic"] is False


def test_the_catalogue_lists_every_table_with_rows_and_description(
    sotedw: Sotedw, built_home: Path, release: Path
) -> None:
    listed = sotedw.done("query", "--home", built_home, "--list", "--json").json
    tables = {row["name"]: row for row in listed if not row["name"].startswith("--analysis ")}
    assert set(tables) == set(parquet_files(release)) | CUT_FACTS
    for name, path in parquet_files(release).items():
        assert tables[name]["rows"] == pq.read_metadata(path).num_rows, name
        assert tables[name]["description"] == described(path)["description"], name
    analyses = [row["name"] for row in listed if row["name"].startswith("--analysis ")]
    assert analyses == [f"--analysis {name}" for name in ANALYSES]
