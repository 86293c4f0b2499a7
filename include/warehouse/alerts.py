"""The queue of alerts: each is enqueued before it is sent, and marked when a target has accepted it."""

from __future__ import annotations

from datetime import date, timedelta

from include.warehouse.session import Row, Session

# A claim ends after this time: the process that claimed an alert without sending it is considered dead.
PATIENCE = timedelta(minutes=2)

LATE_ROWS = "late rows"  # the step in alerts about late-arriving rows


class AlertQueue(Session):
    """``control.alerts``: alerts are sent at least once; ``cause`` identifies a repeated one."""

    def claim(self, message: Row) -> bool:
        """Enqueue an alert and claim it; False if it was sent, or claimed by another process."""
        with self.clear_errors("enqueuing an alert"):
            found = self.connection.execute(
                """
                insert into control.alerts (cause, firm_key, step, as_of, error, log_url, rerun)
                values (%(cause)s, %(firm_key)s, %(step)s, %(as_of)s, %(error)s, %(log_url)s, %(rerun)s)
                on conflict (cause) do update set tried_at = clock_timestamp()
                where
                    alerts.sent_at is null
                    and alerts.tried_at < clock_timestamp() - %(patience)s
                returning cause
                """,
                {**message, "patience": PATIENCE},
            )
            return found.fetchone() is not None

    def mark_sent(self, cause: str) -> None:
        """Mark an alert as accepted by a target."""
        with self.clear_errors("marking an alert as sent"):
            self.connection.execute(
                "update control.alerts set sent_at = clock_timestamp() where cause = %(cause)s",
                {"cause": cause},
            )

    def unsent(self, *, younger_than: timedelta) -> list[Row]:
        """Alerts that no target has accepted, oldest first."""
        return self.rows(
            """
            select cause, firm_key, step, as_of, error, log_url, rerun
            from control.alerts
            where
                sent_at is null
                and created_at > clock_timestamp() - %(age)s
            order by created_at, cause
            """,
            {"age": younger_than},
        )

    def is_reported(self, firm_key: str, as_of: date) -> bool:
        """Whether an alert about this snapshot exists, apart from late-arriving rows."""
        query = (
            "select cause from control.alerts "
            "where firm_key = %(firm_key)s and as_of = %(as_of)s and step <> %(late)s limit 1"
        )
        return bool(self.rows(query, {"firm_key": firm_key, "as_of": as_of, "late": LATE_ROWS}))
