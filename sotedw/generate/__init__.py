"""Synthetic care events: deliveries of any size, seeded, with fictitious persons only.

`generate(GenerateOptions(...))` writes them; `sotedw generate` is its command.
"""

from __future__ import annotations

from sotedw.generate.run import (
    GeneratedDelivery,
    GenerateOptions,
    GenerateResult,
    generate,
)
from sotedw.generate.timeline import DEFECTS, HEADERS, Defect, Shares

__all__ = [
    "DEFECTS",
    "HEADERS",
    "Defect",
    "GenerateOptions",
    "GenerateResult",
    "GeneratedDelivery",
    "Shares",
    "generate",
]
