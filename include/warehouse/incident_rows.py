"""Read incidents and the failures that belong to each."""

from __future__ import annotations

from datetime import datetime

from include.warehouse.session import Row, Session


class IncidentRows(Session):
    """``control.incidents`` and ``control.incident_firms``, as messages and commands show them."""

    def incidents(self, *, is_open: bool, since: datetime | None = None) -> list[Row]:
        """Incidents with their number of firms, newest first: the open ones, or all since an instant."""
        return self.rows(
            """
            select
                incidents.*,
                count(distinct incident_firms.firm_key) filter (where incident_firms.firm_key <> '') as firms
            from control.incidents
            left join control.incident_firms using (incident_id)
            where
                (not %(is_open)s or incidents.closed_at is null)
                and (%(since)s::timestamptz is null or incidents.opened_at >= %(since)s)
            group by incidents.incident_id
            order by incidents.incident_id desc
            """,
            {"is_open": is_open, "since": since},
        )

    def incident(self, number: int) -> Row | None:
        """One incident; None when there is none of that number."""
        found = self.rows("select * from control.incidents where incident_id = %s", [number])
        return found[0] if found else None

    def entries(self, number: int, *, target: str | None = None) -> list[Row]:
        """The failures of an incident in the order in which they came; of a target, those it hears of."""
        return self.rows(
            """
            select *
            from control.incident_firms
            where
                incident_id = %(number)s
                and (%(target)s::text is null or (%(target)s = any(targets) and not is_quiet))
            order by entry_id
            """,
            {"number": number, "target": target},
        )
