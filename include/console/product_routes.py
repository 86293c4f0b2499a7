"""Routes of the API about products: sales, stages of life, and what customers are likely to buy next."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from include.console.answers import read_cursor
from include.console.customer_routes import After, AsOf, CustomerId, Limit, Text, page_of
from include.console.reader import Reader
from include.console.security import Permissions
from include.console.snapshots import Snapshot, listed, of_snapshot

MOST_SUGGESTED = 50


def product_routes(permissions: Permissions, reader: Reader) -> APIRouter:
    """The routes, under the permission of the firm's DAG."""
    router = APIRouter(dependencies=[Depends(permissions.reads_firm())])

    @router.get("/firms/{dag_id}/products")
    def products(
        request: Request, dag_id: str, as_of: AsOf = None, search: Text = None, after: After = None,
        limit: Limit = 50,
    ) -> Response:  # fmt: skip
        """One page of the products, best selling of the last 365 days first."""
        (place,) = read_cursor(after, int)

        def sold(shot: Snapshot) -> dict[str, Any]:
            rows = shot.rows("products", search=search or None, after_place=place, page_rows=limit + 1)
            page = page_of(rows, limit, "place")
            return page if rows or after or search else page | {"nothing": _no_products(shot)}

        return of_snapshot(reader, request, dag_id, as_of, sold)

    @router.get("/firms/{dag_id}/product-stages")
    def stages(request: Request, dag_id: str, as_of: AsOf = None) -> Response:
        """Products and sales by stage of life."""

        def staged(shot: Snapshot) -> dict[str, Any]:
            rows = shot.rows("product_stages")
            return {"rows": rows} if rows else {"rows": rows, "nothing": _no_products(shot)}

        return of_snapshot(reader, request, dag_id, as_of, staged)

    @router.get("/firms/{dag_id}/next-products")
    def next_products(request: Request, dag_id: str, as_of: AsOf = None) -> Response:
        """The products suggested to most customers, and whether a test shows that suggestions help."""

        def suggested(shot: Snapshot) -> dict[str, Any]:
            found = listed(shot, "next_products", "next_product", page_rows=MOST_SUGGESTED)
            tested = shot.rows("next_product_test")
            return found | {"test": tested[0] if tested else None}

        return of_snapshot(reader, request, dag_id, as_of, suggested)

    @router.get("/firms/{dag_id}/customer-next")
    def customer_next(request: Request, dag_id: str, customer_id: CustomerId, as_of: AsOf = None) -> Response:
        """What one customer is likely to buy next, and why."""
        return of_snapshot(
            reader, request, dag_id, as_of,
            lambda shot: listed(shot, "customer_next", "next_product", customer_id=customer_id),
        )  # fmt: skip

    return router


def _no_products(shot: Snapshot) -> dict[str, Any]:
    return {
        "reason": f"No sale before {shot.as_of} names a product.",
        "action": "See docs/sources.md for the columns that name one.",
    }
