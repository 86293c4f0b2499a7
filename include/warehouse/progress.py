"""Which steps of a firm's snapshots and runs have ended."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from include.warehouse.session import Row, Session


class Ends(NamedTuple):
    """How and when the latest attempt of a step ended."""

    is_well: bool
    ended_at: datetime


class Progress(Session):
    """Which steps ended well, and since when each firm is as it is."""

    def ended_steps(self, firm_key: str, as_of: date) -> set[str]:
        """The steps of a snapshot that ended well at least once."""
        asked = """
            select distinct step
            from control.step_runs
            where
                firm_key = %(firm_key)s
                and as_of = %(as_of)s
                and status <> 'failed'
        """
        return {row["step"] for row in self.rows(asked, {"firm_key": firm_key, "as_of": as_of})}

    def known_steps(self, firm_key: str) -> set[str]:
        """The steps that ended well for any snapshot of a firm."""
        asked = """
            select distinct step
            from control.step_runs
            where
                firm_key = %(firm_key)s
                and status <> 'failed'
        """
        return {row["step"] for row in self.rows(asked, {"firm_key": firm_key})}

    def steps_of_run(self, firm_key: str, as_of: date | str, run_id: str) -> dict[str, Row]:
        """``status`` and ``row_count`` of the latest attempt of each step in an Airflow run."""
        asked = """
            select distinct on (step)
                step,
                status,
                row_count
            from control.step_runs
            where
                firm_key = %(firm_key)s
                and as_of = %(as_of)s
                and airflow_run_id = %(run_id)s
            order by
                step,
                step_run_id desc
        """
        found = self.rows(asked, {"firm_key": firm_key, "as_of": as_of, "run_id": run_id})
        return {row["step"]: row for row in found}

    def step_ends(self, firm_key: str, as_of: date) -> dict[str, Ends]:
        """How the latest attempt of each step of a snapshot ended."""
        asked = """
            select distinct on (step)
                step,
                status <> 'failed' as is_well,
                finished_at
            from control.step_runs
            where
                firm_key = %(firm_key)s
                and as_of = %(as_of)s
            order by
                step,
                step_run_id desc
        """
        found = self.rows(asked, {"firm_key": firm_key, "as_of": as_of})
        return {row["step"]: Ends(row["is_well"], row["finished_at"]) for row in found}

    def latest_as_of(self, firm_key: str) -> date | None:
        """The latest snapshot for which any step of a firm ended well."""
        asked = """
            select max(as_of) as as_of
            from control.step_runs
            where
                firm_key = %(firm_key)s
                and status <> 'failed'
        """
        (row,) = self.rows(asked, {"firm_key": firm_key})
        latest: date | None = row["as_of"]
        return latest

    def changed_at(self) -> dict[str, datetime]:
        """When each firm's row was last saved, in UTC."""
        rows = self.rows("select firm_key, updated_at from control.firms")
        return {row["firm_key"]: row["updated_at"] for row in rows}
