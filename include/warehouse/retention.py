"""Delete old snapshots and closed incidents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from include.warehouse.erased_ids import STEP_LOCK
from include.warehouse.session import Part, Row

# Snapshots with a row per customer. What is kept for ever is small, or is needed to measure effects: firm
# metrics, sentences, scorecards, actions.
SNAPSHOTS = (
    "fact_customer_acquisition",
    "fact_customer_churn_risk",
    "fact_customer_ltv",
    "fact_customer_next_product",
    "fact_customer_rfm",
)


class Retention(Part):
    """Old rows: which there are, and their deletion."""

    def snapshots(self) -> list[Row]:
        """The days of which each firm has customer-level facts: firm_key, firm_sk, days in order."""
        return self._session.rows(
            "select firm_key, firm_sk, array_agg(distinct as_of order by as_of) as days "
            "from analytics.dim_snapshot inner join analytics.dim_firm using (firm_sk) "
            "where fact_name = any(%s) group by firm_key, firm_sk order by firm_key",
            [list(SNAPSHOTS)],
        )

    def remove_days(self, firm_key: str, firm_sk: int, days: Sequence[date]) -> int | None:
        """Delete the firm's facts of these days, in one transaction; rows of facts, None while a step runs.

        The records that the days were computed and loaded go too, so that a backfill computes them again.
        """
        chosen = list(days)
        connection = self._session.connection
        with self._session.clear_errors(f"old snapshots of {firm_key}"), connection.transaction():
            asked = "select pg_try_advisory_xact_lock(%s, hashtext(%s)) as is_free"
            free = connection.execute(asked, [STEP_LOCK, firm_key]).fetchone()
            if free is None or not free["is_free"]:
                return None
            rows = sum(
                connection.execute(
                    f"delete from analytics.{table} where firm_sk = %s and as_of = any(%s)",
                    [firm_sk, chosen],
                ).rowcount
                for table in SNAPSHOTS
            )
            tables = list(SNAPSHOTS)
            connection.execute(
                "delete from analytics.dim_snapshot where firm_sk = %s and as_of = any(%s) "
                "and fact_name = any(%s)",
                [firm_sk, chosen, tables],
            )
            connection.execute(
                "delete from control.loads where firm_key = %s and table_name = any(%s) and slice = any(%s)",
                [firm_key, tables, [str(day) for day in chosen]],
            )
            for table in ("step_runs", "runs"):
                connection.execute(
                    f"delete from control.{table} where firm_key = %s and as_of = any(%s)",
                    [firm_key, chosen],
                )
            return rows

    def old_incidents(self, before: datetime) -> int:
        """How many incidents were closed before an instant."""
        (row,) = self._session.rows(
            "select count(*) as found from control.incidents where closed_at < %s", [before]
        )
        return int(row["found"])

    def remove_incidents(self, before: datetime) -> int:
        """Delete the incidents that were closed before an instant, with their failures and messages."""
        with self._session.clear_errors("old incidents"), self._session.connection.transaction():
            return self._session.connection.execute(
                "delete from control.incidents where closed_at < %s", [before]
            ).rowcount
