"""Messages about failures: written down before they are sent, and marked when a target took them."""

from __future__ import annotations

from datetime import date, timedelta

from include.warehouse.session import Row, Session

# Whoever undertook to send a message and has not marked it by then is taken for dead.
PATIENCE = timedelta(minutes=2)

LATE_ROWS = "late rows"  # the step that a message about them names


class Outbox(Session):
    """``control.alerts``: at least once, with an id by which a reader knows a repeated message."""

    def undertake(self, message: Row) -> bool:
        """Write a message down; whether it is the caller's to send, and nobody else's."""
        with self.clear_errors("writing an alert down"):
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

    def sent(self, cause: str) -> None:
        """A target took the message."""
        with self.clear_errors("marking an alert as sent"):
            self.connection.execute(
                "update control.alerts set sent_at = clock_timestamp() where cause = %(cause)s",
                {"cause": cause},
            )

    def unsent(self, *, younger_than: timedelta) -> list[Row]:
        """Messages that no target has taken, oldest first."""
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

    def was_told(self, firm_key: str, as_of: date) -> bool:
        """Whether a failure of this snapshot is known already. Rows that came late are no failure of it."""
        asked = (
            "select cause from control.alerts "
            "where firm_key = %(firm_key)s and as_of = %(as_of)s and step <> %(late)s limit 1"
        )
        return bool(self.rows(asked, {"firm_key": firm_key, "as_of": as_of, "late": LATE_ROWS}))
