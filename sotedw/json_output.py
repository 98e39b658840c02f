"""JSON as programs read it."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

import click


def json_text(value: Any, indent: int | None = None) -> str:
    """A value as JSON; dates and decimals are texts, so that nothing is rounded.

    NaN and infinities are null: JSON has no word for them, and its readers stop at Python's.
    """
    return json.dumps(
        _without_non_finite(value), ensure_ascii=False, indent=indent, default=str, allow_nan=False
    )


def print_json(value: Any) -> None:
    """Print a value: on a terminal for the eye, elsewhere on one line, so that lines pile up."""
    click.echo(json_text(value, indent=1 if sys.stdout.isatty() else None))


def _without_non_finite(value: Any) -> Any:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            # Keys of a DuckDB map may be of any type.
            return {
                key if isinstance(key, str) else str(key): _without_non_finite(item)
                for key, item in value.items()
            }
        case list() | tuple():
            return [_without_non_finite(item) for item in value]
        case _:
            return value
