"""What a check of the watcher found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from include.firms import FirmShape


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: its kind, the resource at fault, and one line of text."""

    kind: str
    resource: str
    says: str
    where: str = "Airflow"
    firm: FirmShape | None = None
    as_of: date | None = None

    @property
    def key(self) -> str:
        """Identifies the finding from one pass to the next."""
        firm = self.firm.firm_key if self.firm is not None else ""
        return f"{self.kind}/{self.resource}/{firm}"
