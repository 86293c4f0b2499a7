"""The outbox of incidents: claim a message, send it, mark it; none is lost and none is sent twice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from psycopg.types.json import Jsonb

from include.warehouse.session import Row, Session

# A claim of a message ends after this time: the process that claimed it and did not send it is dead.
CLAIM = timedelta(minutes=2)
MOST_BACKOFF = timedelta(minutes=10)


class IncidentMessages(Session):
    """``control.incident_messages``: a message is repeated until its target accepts it."""

    def claim_message(self) -> Row | None:
        """The next message that is due, claimed for this process; None when there is none.

        Messages of one incident to one target are sent in order.
        """
        claimed = self.rows(
            """
            update control.incident_messages set
                tries = tries + 1,
                due_at = clock_timestamp() + %(claim)s
            where message_id = (
                select waiting.message_id
                from control.incident_messages as waiting
                where
                    waiting.sent_at is null
                    and waiting.due_at <= clock_timestamp()
                    and not exists (
                        select 1
                        from control.incident_messages as earlier
                        where
                            earlier.incident_id = waiting.incident_id
                            and earlier.target_name = waiting.target_name
                            and earlier.message_id < waiting.message_id
                            and earlier.sent_at is null
                    )
                order by waiting.message_id
                limit 1
                for update skip locked
            )
            returning message_id, incident_id, message_kind, target_name, body, tries
            """,
            {"claim": CLAIM},
        )
        return claimed[0] if claimed else None

    def keep_body(self, message_id: int, body: Mapping[str, Any], *, firm_count: int) -> None:
        """Keep what is about to be sent, so that a repetition is identical."""
        with self.clear_errors("writing a message"):
            self.connection.execute(
                "update control.incident_messages set body = %s, firm_count = %s where message_id = %s",
                [Jsonb(body), firm_count, message_id],
            )

    def mark_sent(self, message_id: int) -> None:
        """Mark a message as accepted by its target."""
        with self.clear_errors("marking a message as sent"):
            self.connection.execute(
                "update control.incident_messages set sent_at = clock_timestamp() where message_id = %s",
                [message_id],
            )

    def postpone(self, message_id: int, tries: int) -> None:
        """Let a message that its target did not accept wait: longer after each try, never for ever."""
        wait = min(timedelta(seconds=15 * 2 ** min(tries, 10)), MOST_BACKOFF)
        with self.clear_errors("postponing a message"):
            self.connection.execute(
                "update control.incident_messages set due_at = clock_timestamp() + %s where message_id = %s",
                [wait, message_id],
            )

    def unsent(self) -> list[Row]:
        """How many messages each target has not accepted, and since when."""
        return self.rows(
            """
            select target_name, count(*) as messages, min(created_at) as since
            from control.incident_messages
            where
                sent_at is null
                and tries > 0
            group by target_name
            order by target_name
            """
        )
