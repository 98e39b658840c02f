"""Specs: what a source delivers, declared in YAML and validated before anything is read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ingest.errors import SpecError
from ingest.text import label_key

SPEC_FOLDER = Path(__file__).parent / "specs"

ColumnType = Literal[
    "text",
    "integer",
    "amount",
    "percent",
    "number",
    "number_or_yes_no",
    "date",
    "date_or_month",
    "year",
    "period",
    "boolean",
    "choice",
    "code",
    "unit_factor",
    "timestamp",
]

#: The lake's type of each kind of column (DuckDB's names).
LAKE_TYPES: Mapping[str, str] = {
    "text": "varchar",
    "integer": "bigint",
    "amount": "decimal(18,2)",
    "percent": "decimal(9,6)",
    "number": "decimal(18,6)",
    "number_or_yes_no": "decimal(18,6)",
    "date": "date",
    "date_or_month": "date",
    "year": "integer",
    "period": "varchar",
    "boolean": "boolean",
    "choice": "varchar",
    "code": "varchar",
    "unit_factor": "integer",
    "timestamp": "timestamp",
}

#: Types whose printed precision is kept beside the value, as `<column>_precision`.
PRECISION_TYPES = frozenset({"amount", "number", "number_or_yes_no"})

#: Columns the loader adds to every row: which delivery, which file, which line, which column.
PROVENANCE: Mapping[str, str] = {
    "delivery_id": "varchar",
    "source_file": "varchar",
    "source_line": "bigint",
    "source_column": "varchar",
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(_Strict):
    """One column of a source.

    Attributes:
        headers: Header texts accepted for it; the column's own name is always accepted.
        type: How its cells are written and what they become (`LAKE_TYPES`).
        optional: The column may be absent from a file.
        required: Every row must have a value.
        status: Name of a status column. A missing value is then no error: the value becomes null
            and the status says why (`not_available`, or `moved` for a reference elsewhere; the
            reference itself is kept as `<column>_reference`).
        codes: Code table of a `code` column (`code_tables.yml`).
        values: What is written -> what is stored, for a `choice` column.
        minimum: Smallest value allowed in a row.
        maximum: Largest value allowed in a row, as it is stored: 1 for 100 per cent.
        minimum_of: `<code column>.<attribute>`: the smallest value is this attribute of the row's
            code; empty, there is none.
        pattern: Regular expression that a whole `text` must match.
        factor: The `unit_factor` column that an `amount` is multiplied with.
        default: Value when the column or the cell is empty.
        default_of: `<code column>.<attribute>`: an empty cell takes this attribute of the row's
            code from the code table.
        ignored: Accepted in a file and not loaded (its meaning stands elsewhere).
        local_date: Column that keeps the local date of a `timestamp` beside its UTC time.
        personal: Kind of identifier the column holds (`client`). It never reaches the lake: its
            place is taken by `<kind>_pseudonym`.
        age_at: `timestamp` columns of which the first filled one is the date of the event; the age
            on it is `<kind>_age`, for a `personal` column that holds identity codes.
        scanned: Free text: looked through for identity codes, never loaded.
    """

    headers: tuple[str, ...] = ()
    type: ColumnType = "text"
    optional: bool = False
    required: bool = False
    status: str | None = None
    codes: str | None = None
    values: Mapping[str, str] = Field(default_factory=dict)
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    minimum_of: str | None = None
    pattern: str | None = None
    factor: str | None = None
    default: str | None = None
    default_of: str | None = None
    ignored: bool = False
    local_date: str | None = None
    personal: str | None = None
    age_at: tuple[str, ...] = ()
    scanned: bool = False

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        if (self.type == "code") != (self.codes is not None):
            raise ValueError("`codes` belongs to columns of type code, and they need it")
        if (self.type == "choice") != bool(self.values):
            raise ValueError("`values` belongs to columns of type choice, and they need it")
        if self.pattern and self.type != "text":
            raise ValueError("`pattern` belongs to columns of type text")
        if self.factor and self.type != "amount":
            raise ValueError("`factor` belongs to columns of type amount")
        if self.required and (self.optional or self.status or self.default):
            raise ValueError("a required column is neither optional nor has a status or default")
        if self.local_date and self.type != "timestamp":
            raise ValueError("`local_date` belongs to columns of type timestamp")
        if (self.personal or self.scanned) and self.type != "text":
            raise ValueError("`personal` and `scanned` belong to columns of type text")
        if self.age_at and not self.personal:
            raise ValueError("`age_at` belongs to personal columns")
        return self


class Spread(_Strict):
    """The wide part of a form: headers that are values of one column.

    Attributes:
        names_to: The column whose values the headers are (a `period`, a `code`).
        values_to: The column that the cells below them hold.
        also: Other columns spread the same way: column -> pattern of its headers, with the group
            `name` standing for the header it goes with (`TILA (?P<name>.+)`).
        units: Header texts that only repeat a unit and say nothing else.
    """

    names_to: str
    values_to: str
    also: Mapping[str, str] = Field(default_factory=dict)
    units: tuple[str, ...] = ()


class Form(_Strict):
    """One way in which a file of the source may be laid out.

    Attributes:
        name: Its name in messages and in the ledger.
        spread: Set for a wide form; absent for a long one, where every header is a column.
        cells: Columns that stand in a labelled cell above the table: column -> labels.
    """

    name: str
    spread: Spread | None = None
    cells: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)


class Spec(_Strict):
    """A source: its columns, the forms its files come in, and what makes a delivery bad.

    Attributes:
        source: Name of the folder under `landing/`, of the lake table and of the dbt source.
        key: Columns that identify a row; a later delivery restates the same key.
        max_bad_share: Share of quarantined rows above which the whole delivery is refused.
        cadence: How often it is expected; staleness is judged by it.
        owner: The steward who answers for it.
        bulk: Deliveries may hold millions of rows: csv and Parquet are then read by DuckDB itself.
            Its rows have versions, so one key may stand several times in a delivery.
        one_of: Columns of which a row must have at least one filled.
    """

    source: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    title: str
    description: str
    owner: str
    cadence: Literal["daily", "monthly", "quarterly", "yearly", "once"]
    key: tuple[str, ...]
    max_bad_share: Annotated[float, Field(ge=0, le=1)] = 0.1
    ignored_headers: tuple[str, ...] = ()
    bulk: bool = False
    one_of: tuple[str, ...] = ()
    columns: Mapping[str, Column]
    forms: tuple[Form, ...]

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        named = {*self.key, *self.one_of}
        for column in self.columns.values():
            named |= set(column.age_at)
            named |= {name for name in (column.factor,) if name}
            named |= {name.split(".")[0] for name in (column.default_of, column.minimum_of) if name}
        for form in self.forms:
            named |= set(form.cells)
            if form.spread:
                named |= {form.spread.names_to, form.spread.values_to, *form.spread.also}
        unknown = sorted(named - set(self.columns))
        if unknown:
            raise ValueError(f"these columns are named but not declared: {', '.join(unknown)}")
        for name, column in self.columns.items():
            taken = {label_key(name), *map(label_key, column.headers)}
            for other_name, other in self.columns.items():
                if other_name != name and taken & {
                    label_key(other_name),
                    *map(label_key, other.headers),
                }:
                    raise ValueError(f"{name} and {other_name} share a header")
        needs_bulk = [
            name
            for name, column in self.columns.items()
            if column.type == "timestamp" or column.personal or column.scanned
        ]
        if not self.bulk and (needs_bulk or self.one_of):
            raise ValueError(f"only a bulk source can have {', '.join(needs_bulk) or '`one_of`'}")
        looks_beside = [
            name
            for name, column in self.columns.items()
            if column.status or column.factor or column.default_of or column.minimum_of
        ]
        if self.bulk and looks_beside:
            raise ValueError(
                f"columns of a bulk source stand by themselves: {', '.join(looks_beside)} does not"
            )
        spread = [form.name for form in self.forms if form.spread or form.cells]
        if self.bulk and (spread or not self.forms):
            raise ValueError("a bulk source has one long form")
        return self

    @cached_property
    def loaded_columns(self) -> dict[str, Column]:
        """The columns that reach the lake, in the order of the spec."""
        return {name: column for name, column in self.columns.items() if not column.ignored}

    @cached_property
    def lake_schema(self) -> dict[str, str]:
        """Name -> DuckDB type of every column in the lake, provenance last."""
        schema: dict[str, str] = {}
        for name, column in self.loaded_columns.items():
            if column.scanned:
                continue
            if column.personal:
                schema[f"{column.personal}_pseudonym"] = "varchar"
                if column.age_at:
                    schema[f"{column.personal}_age"] = "integer"
                continue
            schema[name] = LAKE_TYPES[column.type]
            if column.local_date:
                schema[column.local_date] = "date"
            if column.type in PRECISION_TYPES:
                schema[f"{name}_precision"] = LAKE_TYPES[column.type]
            if column.type == "number_or_yes_no":
                schema[f"{name}_kind"] = "varchar"
            if column.status:
                schema[f"{name}_reference"] = "varchar"
                if column.status not in self.columns:
                    schema[column.status] = "varchar"
        # Of millions of events the delivery is provenance enough; rejects have file and line.
        return {**schema, **({"delivery_id": "varchar"} if self.bulk else PROVENANCE)}

    @cached_property
    def is_personal(self) -> bool:
        """Whether its deliveries hold personal identifiers."""
        return any(column.personal for column in self.columns.values())

    def column_of(self, header: str) -> str | None:
        """The column a header names, or None. Case, spaces, wraps and dash styles do not matter."""
        return self._header_index.get(label_key(header))

    def is_ignored_header(self, header: str) -> bool:
        """Whether the spec accepts this header without loading it."""
        return label_key(header) in {label_key(text) for text in self.ignored_headers}

    def header_name(self, column: str) -> str:
        """The header a unit would recognise for a column, for messages."""
        headers = self.columns[column].headers
        return headers[0] if headers else column

    @cached_property
    def _header_index(self) -> dict[str, str]:
        index: dict[str, str] = {}
        for name, column in self.columns.items():
            for header in (name, *column.headers):
                index[label_key(header)] = name
        return index


def load_spec(path: Path) -> Spec:
    """Read one spec.

    Raises:
        SpecError: the file is no YAML, has unknown keys, or contradicts itself.
    """
    try:
        spec = Spec.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise SpecError(f"spec {path.name} is not valid: {error}") from error
    if spec.source != path.stem:
        raise SpecError(f"spec {path.name} declares source {spec.source}: the names must agree")
    for form in spec.forms:
        if form.spread:
            for pattern in form.spread.also.values():
                if "name" not in re.compile(pattern).groupindex:
                    raise SpecError(f"spec {path.name}: {pattern!r} has no group `name`")
    return spec


def load_specs(folder: Path = SPEC_FOLDER) -> dict[str, Spec]:
    """All specs by source name, sorted."""
    return {path.stem: load_spec(path) for path in sorted(folder.glob("*.yml"))}


def fingerprint(paths: list[Path]) -> str:
    """SHA-256 over names and contents: what a spec version is made of."""
    digest = hashlib.sha256()
    for path in sorted(paths, key=lambda item: item.name):
        digest.update(path.name.encode())
        digest.update(b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
