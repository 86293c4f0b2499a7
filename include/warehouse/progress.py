"""Which steps of a firm's snapshots and runs have ended."""

from __future__ import annotations

from datetime import date, datetime

from include.warehouse.session import Row, Session


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

    def changed_at(self) -> dict[str, datetime]:
        """When each firm's row was last saved, in UTC."""
        rows = self.rows("select firm_key, updated_at from control.firms")
        return {row["firm_key"]: row["updated_at"] for row in rows}
