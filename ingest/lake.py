"""Where the lake keeps what was delivered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

#: Options of DuckDB's `copy` wherever files stay. The level that DuckDB takes by itself makes files
#: of the same size in an eighth more time.
PARQUET = "format parquet, compression zstd, compression_level 1"


@dataclass(frozen=True)
class Lake:
    """The folders of the lake."""

    root: Path

    @property
    def raw(self) -> Path:
        """Accepted rows."""
        return self.root / "raw"

    @property
    def quarantine(self) -> Path:
        """Rejected rows."""
        return self.root / "quarantine"

    @property
    def ledger(self) -> Path:
        """One file a delivery."""
        return self.root / "ledger"
