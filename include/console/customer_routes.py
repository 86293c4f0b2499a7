"""Routes of the API about customers: the list, one customer, the customers at risk, and the actions.

Ids of customers are parameters of the address, so that any id can be asked for. No route gives a contact: the
role of the console cannot read them.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from include.console.answers import cursor, read_cursor
from include.console.problems import NotFoundError
from include.console.reader import Reader
from include.console.security import Permissions
from include.console.snapshots import Snapshot, of_snapshot

AsOf = Annotated[date | None, Query(description="The snapshot's day; the latest one by default.")]
Text = Annotated[str | None, Query(max_length=200, pattern="^[^\\x00]*$")]
Digit = Annotated[str | None, Query(pattern="^[1-5]$")]
CustomerId = Annotated[str, Query(max_length=500, pattern="^[^\\x00]+$")]
After = Annotated[str | None, Query(max_length=2000, description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=500)]
Sort = Literal[
    "total_spend_365_days", "total_spend", "predicted_clv_lifetime", "churn_probability",
    "days_since_last_order", "order_count", "customer_id",
]  # fmt: skip


def customer_filter(
    search: Text = None, segment: Text = None, tier: Text = None, risk: Text = None, activity: Text = None,
    recency: Digit = None, frequency: Digit = None, sort: Sort = "total_spend_365_days",
    order: Literal["desc", "asc"] = "desc",
) -> dict[str, Any]:  # fmt: skip
    """The filters and the order of a list of customers, as parameters of customer_list."""
    return {
        "search": search or None, "segment": segment or None, "tier": tier or None, "risk": risk or None,
        "activity": activity or None, "recency": recency, "frequency": frequency, "sort": sort,
        "direction": 1 if order == "desc" else -1,
    }  # fmt: skip


Chosen = Annotated[dict[str, Any], Depends(customer_filter)]


def customer_routes(permissions: Permissions, reader: Reader) -> APIRouter:
    """The routes, under the permission of the firm's DAG."""
    router = APIRouter(dependencies=[Depends(permissions.reads_firm())])
    _add_customers(router, reader)
    _add_at_risk(router, reader)
    _add_actions(router, reader)
    return router


def _add_customers(router: APIRouter, reader: Reader) -> None:
    @router.get("/firms/{dag_id}/customers")
    def customers(
        request: Request, dag_id: str, chosen: Chosen, as_of: AsOf = None, after: After = None,
        limit: Limit = 50,
    ) -> Response:  # fmt: skip
        """One page of the customers of a filter; the first page has their number, spend and value."""
        key, last = read_cursor(after, float, str)
        paging = {"after_key": key, "after_id": last, "page_rows": limit + 1}

        def listed(shot: Snapshot) -> dict[str, Any]:
            page = page_of(shot.rows("customer_list", **chosen, **paging), limit, "sort_key", "customer_id")
            if after is None:
                page["total"] = shot.rows("customer_count", **chosen)[0]
            return page

        return of_snapshot(reader, request, dag_id, as_of, listed)

    @router.get("/firms/{dag_id}/customer")
    def customer(request: Request, dag_id: str, customer_id: CustomerId, as_of: AsOf = None) -> Response:
        """Everything known of one customer, and its scores at earlier snapshots."""

        def found(shot: Snapshot) -> dict[str, Any]:
            rows = shot.rows("customer", customer_id=customer_id)
            if not rows:
                raise NotFoundError(
                    f"no such customer as of {shot.as_of}", "Search in the list of customers."
                )
            return {"customer": rows[0], "history": shot.rows("customer_history", customer_id=customer_id)}

        return of_snapshot(reader, request, dag_id, as_of, found)

    @router.get("/firms/{dag_id}/timeline")
    def timeline(
        request: Request, dag_id: str, customer_id: CustomerId, as_of: AsOf = None,
        before: datetime | None = None, limit: Limit = 50,
    ) -> Response:  # fmt: skip
        """One customer's orders, returns and events, latest first; ``before`` asks for earlier ones."""
        return of_snapshot(
            reader, request, dag_id, as_of,
            lambda shot: {
                "rows": shot.rows("timeline", customer_id=customer_id, before=before, page_rows=limit)
            },
        )  # fmt: skip


def _add_at_risk(router: APIRouter, reader: Reader) -> None:
    @router.get("/firms/{dag_id}/at-risk")
    def at_risk(
        request: Request, dag_id: str, as_of: AsOf = None, after: After = None, limit: Limit = 50
    ) -> Response:
        """One page of the customers at high and critical risk, most urgent first."""
        (place,) = read_cursor(after, int)

        def listed(shot: Snapshot) -> dict[str, Any]:
            rows = shot.rows("at_risk", after_place=place, page_rows=limit + 1)
            page = page_of(rows, limit, "place")
            return page if rows or after else page | {"nothing": shot.nothing("churn")}

        return of_snapshot(reader, request, dag_id, as_of, listed)


def _add_actions(router: APIRouter, reader: Reader) -> None:
    @router.get("/firms/{dag_id}/actions")
    def actions(request: Request, dag_id: str, as_of: AsOf = None) -> Response:
        """The latest plan's actions: customers, cost, expected benefit, holdout."""

        def planned(shot: Snapshot) -> dict[str, Any]:
            rows = shot.session.rows("action_plan", firm_key=shot.firm_key)
            return {"rows": rows} if rows else {"rows": rows, "nothing": shot.nothing("actions")}

        return of_snapshot(reader, request, dag_id, as_of, planned)

    @router.get("/firms/{dag_id}/actions/effects")
    def effects(request: Request, dag_id: str, as_of: AsOf = None) -> Response:
        """What each action achieved in a completed quarter, measured against its holdout."""

        def measured(shot: Snapshot) -> dict[str, Any]:
            rows = shot.session.rows("action_effects", firm_key=shot.firm_key)
            reason = "No quarter with actions is complete yet."
            return {"rows": rows} if rows else {"rows": rows, "nothing": {"reason": reason, "action": ""}}

        return of_snapshot(reader, request, dag_id, as_of, measured)

    @router.get("/firms/{dag_id}/actions/customers")
    def action_list(
        request: Request, dag_id: str, as_of: AsOf = None, action: Text = None, after: After = None,
        limit: Limit = 50,
    ) -> Response:  # fmt: skip
        """One page of the customers chosen for an action, by expected benefit."""
        key, last = read_cursor(after, float, str)
        asked = {"action_code": action or None, "after_key": key, "after_id": last, "page_rows": limit + 1}

        def listed(shot: Snapshot) -> dict[str, Any]:
            rows = shot.rows("action_list", **asked)
            page = page_of(rows, limit, "sort_key", "customer_id")
            return page if rows or after else page | {"nothing": shot.nothing("actions")}

        return of_snapshot(reader, request, dag_id, as_of, listed)


def page_of(rows: list[dict[str, Any]], limit: int, *keys: str) -> dict[str, Any]:
    """The first ``limit`` rows, and the cursor of the next page where there are more."""
    more = len(rows) > limit
    rows = rows[:limit]
    after = cursor(*(rows[-1][key] for key in keys)) if more else None
    shown = [{name: value for name, value in row.items() if name != "sort_key"} for row in rows]
    return {"rows": shown, "next": after}
