"""When each part of the upkeep last did its work."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from psycopg.types.json import Jsonb

from include.warehouse.session import Session


class Heartbeats(Session):
    """``control.heartbeats``."""

    def beat(self, name: str, detail: Mapping[str, Any] | None = None) -> None:
        """Record that a part of the upkeep has done its work."""
        with self.clear_errors("writing a heartbeat"):
            self.connection.execute(
                """
                insert into control.heartbeats (name, detail)
                values (%(name)s, %(detail)s)
                on conflict (name) do update set
                    beat_at = clock_timestamp(),
                    detail = excluded.detail
                """,
                {"name": name, "detail": Jsonb(dict(detail or {}))},
            )

    def detail(self, name: str) -> dict[str, Any]:
        """What a part of the upkeep found when it last did its work; empty when it never did."""
        rows = self.rows("select detail from control.heartbeats where name = %s", [name])
        return dict(rows[0]["detail"]) if rows else {}

    def ages(self) -> dict[str, timedelta]:
        """How long ago each part of the upkeep last did its work."""
        rows = self.rows("select name, clock_timestamp() - beat_at as age from control.heartbeats")
        return {row["name"]: row["age"] for row in rows}
