"""Incidents in the warehouse: open one per cause, enqueue its messages, close it when it is over."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from include.warehouse.session import Row, Session

GROWTH = 10  # one more message when an incident hits this many times the firms of its last message
GROWTH_PAUSE = timedelta(minutes=15)  # and not sooner than this after that message
REMIND = timedelta(hours=20)  # one more message when an incident that is still open hits something after this
# The first message of an incident waits for more firms to fail, if the watcher is there to send it.
SETTLE = timedelta(seconds=20)
WATCHED = timedelta(minutes=3)
DUE_FIRST = """
    clock_timestamp() + case
        when exists (
            select 1 from control.heartbeats
            where name = 'watcher' and beat_at > clock_timestamp() - %(watched)s
        ) then %(settle)s
        else interval '0'
    end
"""


class Incidents(Session):
    """``control.incidents`` with the firms that each hits, and the outbox of their messages.

    At most one incident of a cause is open. A unique index decides which of many processes opens it, and the
    row's lock lets them record their firms one after another.
    """

    def record(self, cause: Row, entry: Row, *, sent: Collection[str] = ()) -> int:
        """Record a failure under its cause, and enqueue the messages it calls for; the incident's number.

        ``cause`` has place, kind, resource_name, severity and error; ``entry`` the columns of
        ``control.incident_firms``. Targets in ``sent`` have had the opening message already.
        """
        with self.clear_errors("recording an incident"), self.transaction("recording an incident") as session:
            found = session.execute(
                """
                insert into control.incidents (place, kind, resource_name, severity, error)
                values (%(place)s, %(kind)s, %(resource_name)s, %(severity)s, %(error)s)
                on conflict (place, kind, resource_name) where closed_at is null do update set
                    changed_at = clock_timestamp(),
                    severity = case
                        when 'critical' in (incidents.severity, excluded.severity) then 'critical'
                        when 'error' in (incidents.severity, excluded.severity) then 'error'
                        else 'warning'
                    end
                returning incident_id
                """,
                cause,
            ).fetchone()
            assert found is not None
            number = int(found["incident_id"])
            session.execute(
                """
                insert into control.incident_firms
                (incident_id, firm_key, as_of, task_id, run_id, error, log_url, targets, is_quiet)
                values (
                    %(incident_id)s, %(firm_key)s, %(as_of)s, %(task_id)s, %(run_id)s, %(error)s, %(log_url)s,
                    %(targets)s, %(is_quiet)s
                )
                on conflict (incident_id, firm_key, as_of, task_id) do update set
                    run_id = excluded.run_id,
                    error = excluded.error,
                    log_url = excluded.log_url,
                    targets = excluded.targets,
                    is_quiet = incident_firms.is_quiet and excluded.is_quiet,
                    failed_at = clock_timestamp(),
                    gone_at = null,
                    is_snapshot_missing = false
                """,
                {**entry, "incident_id": number},
            )
            if not entry["is_quiet"]:
                for target in entry["targets"]:
                    self._enqueue(number, target, is_sent=target in sent)
        return number

    def _enqueue(self, number: int, target: str, *, is_sent: bool) -> None:
        """Enqueue the opening message for a target, or one more when the incident has grown tenfold."""
        keys: Row = {
            "number": number, "target": target, "settle": SETTLE, "watched": WATCHED, "pause": GROWTH_PAUSE,
            "remind": REMIND,
        }  # fmt: skip
        (last,) = self.connection.execute(
            """
            select
                max(firm_count) as firms,
                max(coalesce(sent_at, due_at)) as at,
                bool_or(sent_at is null and body is null) as is_waiting,
                max(coalesce(sent_at, due_at)) < clock_timestamp() - %(remind)s as is_old
            from control.incident_messages
            where
                incident_id = %(number)s
                and target_name = %(target)s
            """,
            keys,
        ).fetchall()
        if last["firms"] is None:
            self._insert_message("opened", 1, DUE_FIRST, keys, is_sent=is_sent)
            return
        if last["is_waiting"]:  # it will name all firms of that moment
            return
        (now,) = self.connection.execute(
            """
            select count(distinct firm_key) as firms
            from control.incident_firms
            where
                incident_id = %(number)s
                and %(target)s = any(targets)
                and not is_quiet
            """,
            keys,
        ).fetchall()
        if last["is_old"] or now["firms"] >= GROWTH * last["firms"]:
            due = "greatest(clock_timestamp(), %(last)s + %(pause)s)"
            self._insert_message("grown", last["firms"], due, {**keys, "last": last["at"]})

    def _insert_message(
        self, message_kind: str, firms: int, due: str, keys: Row, *, is_sent: bool = False
    ) -> None:
        self.connection.execute(
            f"""
            insert into control.incident_messages
            (incident_id, message_kind, target_name, firm_count, due_at, sent_at)
            values (
                %(number)s, %(message_kind)s, %(target)s, %(firms)s, {due},
                case when %(is_sent)s then clock_timestamp() end
            )
            on conflict do nothing
            """,
            {**keys, "message_kind": message_kind, "firms": firms, "is_sent": is_sent},
        )

    def open_entries(self, kinds: Collection[str] | None = None) -> list[Row]:
        """The failures of open incidents that are not gone; of the named kinds."""
        return self.rows(
            """
            select
                incident_firms.*,
                incidents.kind,
                incidents.resource_name
            from control.incident_firms
            inner join control.incidents using (incident_id)
            where
                incidents.closed_at is null
                and incident_firms.gone_at is null
                and (%(kinds)s::text[] is null or incidents.kind = any(%(kinds)s))
            order by incident_firms.entry_id
            """,
            {"kinds": None if kinds is None else list(kinds)},
        )

    def mark_gone(
        self, entry_ids: Sequence[int], *, before: datetime, is_snapshot_missing: bool = False
    ) -> None:
        """Mark failures as gone, unless they have failed again since ``before``."""
        with self.clear_errors("marking failures as gone"):
            self.connection.execute(
                """
                update control.incident_firms set
                    gone_at = clock_timestamp(),
                    is_snapshot_missing = %(missing)s
                where
                    entry_id = any(%(ids)s)
                    and failed_at < %(before)s
                """,
                {"ids": list(entry_ids), "before": before, "missing": is_snapshot_missing},
            )

    def close_finished(self, *, closed_by: str) -> list[int]:
        """Close the open incidents whose failures are all gone, and enqueue their closing messages."""
        rows = self.rows("select incident_id from control.incidents where closed_at is null order by 1")
        return [
            row["incident_id"] for row in rows if self.close_incident(row["incident_id"], closed_by=closed_by)
        ]

    def close_incident(self, number: int, *, closed_by: str, is_forced: bool = False) -> bool:
        """Close an incident if all its failures are gone, or by force; False when it stays open."""
        keys = {"number": number, "by": closed_by}
        with self.clear_errors("closing an incident"), self.transaction("closing an incident") as session:
            # Lock the incident first: record() does too, so no failure can come in between.
            open_now = session.execute(
                "select 1 as found from control.incidents "
                "where incident_id = %(number)s and closed_at is null for update",
                keys,
            ).fetchone()
            left = session.execute(
                "select 1 as found from control.incident_firms "
                "where incident_id = %(number)s and gone_at is null limit 1",
                keys,
            ).fetchone()
            if open_now is None or (left is not None and not is_forced):
                return False
            session.execute(
                "update control.incidents set closed_at = clock_timestamp(), closed_by = %(by)s "
                "where incident_id = %(number)s",
                keys,
            )
            session.execute(
                "delete from control.incident_messages "
                "where incident_id = %(number)s and message_kind = 'grown' and tries = 0",
                keys,
            )
            session.execute(
                """
                insert into control.incident_messages
                (incident_id, message_kind, target_name, firm_count, due_at)
                select incident_id, 'closed', target_name, max(firm_count), clock_timestamp()
                from control.incident_messages
                where incident_id = %(number)s
                group by incident_id, target_name
                on conflict do nothing
                """,
                keys,
            )
        return True

    def now(self) -> datetime:
        """The warehouse's clock, which all instants of incidents are of."""
        (row,) = self.rows("select clock_timestamp() as at")
        at: datetime = row["at"]
        return at
