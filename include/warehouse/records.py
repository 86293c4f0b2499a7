"""What the steps of a run record, and what they ask of earlier records, in ``control``."""

from __future__ import annotations

from datetime import date

from include.warehouse.erased_ids import ErasedIds, erased_ids
from include.warehouse.models import Models
from include.warehouse.plain import text_of
from include.warehouse.quality import Quality
from include.warehouse.session import Part, Session
from include.warehouse.slices import Slices


class StepRecords(Part):
    """The records of the steps, by subject. ``include.run.records.Records`` is its protocol."""

    def __init__(self, session: Session) -> None:
        """Read and write through ``session``."""
        super().__init__(session)
        self.slices = Slices(session)
        self.quality = Quality(session)
        self.models = Models(session)

    def erased(self, firm_key: str) -> ErasedIds | None:
        """The erased customers of the firm, as hashes; None where there are none."""
        return erased_ids(self._session, firm_key)

    def set_module_status(
        self, firm_key: str, as_of: date, module: str, is_sufficient: bool, reason: str
    ) -> None:
        """Say whether a module had data enough at a snapshot, and what it did otherwise."""
        with self._session.clear_errors(f"status of {module} of {firm_key}"):
            self._session.connection.execute(
                "insert into control.module_status (firm_key, as_of, module, is_sufficient, reason) "
                "values (%s, %s, %s, %s, %s) on conflict (firm_key, as_of, module) do update set "
                "is_sufficient = excluded.is_sufficient, reason = excluded.reason, "
                "decided_at = excluded.decided_at",
                [firm_key, as_of, module, is_sufficient, text_of(reason)],
            )
