"""``control.firms``: the rows that say which firms there are, and who changed them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Protocol

from psycopg.types.json import Jsonb

from include.warehouse.errors import UnknownFirm
from include.warehouse.session import Part, Row

FIELDS = (
    "firm_key", "name", "source", "timezone", "currency", "working_day_period", "schedule_hour",
    "schedule_minute", "churn_threshold_days", "min_spend", "min_orders", "lookback_days", "modules",
    "engine", "language", "owner", "alerts", "rfm", "churn", "ltv", "actions", "publish", "quality",
    "retrain_months", "is_benchmarked", "dag_shape", "is_paused",
)  # fmt: skip
NESTED = ("source", "alerts", "rfm", "churn", "ltv", "actions", "publish", "quality")


class FirmLike(Protocol):
    """What is saved: ``include.firms.Firm``."""

    firm_key: str

    def model_dump(self, *, mode: str, by_alias: bool, exclude_none: bool) -> dict[str, Any]:
        """The firm as plain values."""


class FirmRows(Part):
    """Reading and changing the firms' rows; every change leaves a row in ``control.audit``."""

    def firm_rows(self, include_removed: bool = False) -> list[Row]:
        """Every firm's row as ``parse_firm`` takes it, valid or not; removed ones have ``removed_at`` too."""
        found = self._session.rows(
            f"select {', '.join(FIELDS)}, removed_at from control.firms "
            "where removed_at is null or %s order by firm_key",
            [include_removed],
        )
        return [_as_people_write(row) for row in found]

    def firm_row(self, firm_key: str) -> Row:
        """One firm's row as ``parse_firm`` takes it; UnknownFirm when there is none."""
        found = self._session.rows(
            f"select {', '.join(FIELDS)}, removed_at from control.firms "
            "where firm_key = %s and removed_at is null",
            [firm_key],
        )
        if found:
            return _as_people_write(found[0])
        raise UnknownFirm(f"no firm {firm_key!r}; see them: python -m include firms list")

    def save_firm(self, firm: FirmLike, actor: str) -> None:
        """Add a firm, or change it to what ``firm`` says. A removed one comes back."""
        plain = firm.model_dump(mode="json", by_alias=True, exclude_none=True)
        values = {
            field: Jsonb(plain[field]) if field in NESTED and field in plain else plain.get(field)
            for field in FIELDS
        }
        columns = ", ".join(FIELDS)
        with self._session.clear_errors(f"firm {firm.firm_key}"), self._session.connection.transaction():
            self._session.connection.execute(
                f"insert into control.firms ({columns}) "
                f"values ({', '.join(f'%({field})s' for field in FIELDS)}) "
                "on conflict (firm_key) do update set removed_at = null, updated_at = clock_timestamp(), "
                + ", ".join(f"{field} = excluded.{field}" for field in FIELDS[1:]),
                values,
            )
            self._audit(actor, "save", firm.firm_key, plain)

    def pause_firm(self, firm_key: str, paused: bool, actor: str) -> None:
        """Stop a firm's runs, or let them go on."""
        self._change(firm_key, "is_paused = %s", [paused], actor, "pause" if paused else "resume")

    def remove_firm(self, firm_key: str, actor: str) -> None:
        """Take a firm out of the registry; its facts stay until erased."""
        self._change(firm_key, "removed_at = clock_timestamp()", [], actor, "remove")

    def _change(self, firm_key: str, assignment: str, values: list[Any], actor: str, change: str) -> None:
        with self._session.clear_errors(f"firm {firm_key}"), self._session.connection.transaction():
            changed = self._session.connection.execute(
                f"update control.firms set {assignment}, updated_at = clock_timestamp() "
                "where firm_key = %s and removed_at is null",
                [*values, firm_key],
            ).rowcount
            if not changed:
                raise UnknownFirm(f"no firm {firm_key!r}; see them: python -m include firms list")
            self._audit(actor, change, firm_key, None)

    def _audit(self, actor: str, change: str, firm_key: str, changed_to: dict[str, Any] | None) -> None:
        self._session.connection.execute(
            "insert into control.audit (actor, change_made, firm_key, changed_to) values (%s, %s, %s, %s)",
            [actor, change, firm_key, None if changed_to is None else Jsonb(changed_to)],
        )


def _as_people_write(row: Row) -> Row:
    plain = {name: float(value) if isinstance(value, Decimal) else value for name, value in row.items()}
    if plain["removed_at"] is None:
        del plain["removed_at"]
    return plain
