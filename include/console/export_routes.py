"""Routes of the API that give a whole list as a file. No list has a contact: the console cannot read them."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from itertools import chain
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from include.console.answers import PRIVATE
from include.console.customer_routes import AsOf, Chosen, CustomerId, Text
from include.console.export_files import MEDIA_TYPES, write_file
from include.console.problems import NotFoundError, ProblemError
from include.console.reader import Reader
from include.console.security import Permissions
from include.console.snapshots import Snapshot, firm_key_of, snapshot_of

EXPORT_SECONDS = 600  # of one statement: the first rows of a million customers take the longest
EXPORTS_AT_ONCE = 2
ALL: dict[str, object] = {"after_key": None, "after_id": None, "after_place": None, "page_rows": None}

# The lists by the name of their route, with the statement of include/sql/console/.
LISTS = {
    "segments": "segments", "rfm-scores": "rfm_scores", "cohorts": "cohorts", "risk": "risk",
    "factors": "factors", "tiers": "tiers", "scorecards": "scorecards", "metrics": "metrics",
    "insight": "insight", "migrations": "migrations", "change": "change", "customers": "customer_list",
    "at-risk": "at_risk",
    "actions": "action_plan", "actions-effects": "action_effects", "actions-customers": "action_list",
    "timeline": "timeline", "history": "customer_history", "modules": "module_status", "models": "models",
    "drift": "drift", "quality": "quality", "rejections": "rejections", "runs": "runs",
    "products": "products", "product-stages": "product_stages", "next-products": "next_products",
    "customer-next": "customer_next", "incidents": "incidents", "quality-history": "quality_history",
    "backtests": "backtests", "pipeline": "pipeline",
}  # fmt: skip


class Transfer(StreamingResponse):
    """The pieces of a file; what they hold is given back when the client leaves, too."""

    def __init__(self, first: bytes, rest: Generator[bytes], headers: dict[str, str], kind: str) -> None:
        super().__init__(chain([first], rest), 200, headers, kind)
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._rest.close()


OF_A_CUSTOMER = ("timeline", "history", "customer-next")
Named = Annotated[str, Path(json_schema_extra={"enum": list(LISTS)})]
Kind = Literal["csv", "xlsx", "parquet"]


def export_routes(permissions: Permissions, reader: Reader) -> APIRouter:
    """The route, under the permission of the firm's DAG."""
    router = APIRouter(dependencies=[Depends(permissions.reads_firm())])
    running = threading.BoundedSemaphore(EXPORTS_AT_ONCE)

    @router.get("/firms/{dag_id}/exports/{name}.{kind}", response_class=StreamingResponse)
    def export(
        request: Request, dag_id: str, name: Named, kind: Kind, chosen: Chosen, as_of: AsOf = None,
        since: AsOf = None, language: Literal["en", "tr"] = "en", action: Text = None,
        customer_id: CustomerId | None = None,
    ) -> StreamingResponse:  # fmt: skip
        """Every row of a list as a file, with the filters of the list's own route."""
        if name not in LISTS:
            raise NotFoundError(f"there is no list {name!r}", f"The lists: {', '.join(LISTS)}.")
        if name in OF_A_CUSTOMER and customer_id is None:
            raise ProblemError(422, "customer_id: missing", "Name the customer whose rows you want.")
        asked = {
            "action_code": action or None, "customer_id": customer_id, "language": language, "before": None,
        }  # fmt: skip
        with ExitStack() as stack:
            _take(stack, running)
            session = stack.enter_context(reader.of({firm_key_of(dag_id)}, seconds=EXPORT_SECONDS))
            shot = snapshot_of(session, firm_key_of(dag_id), as_of)
            asked["from_as_of"] = _since(shot, since) if name in ("migrations", "change") else None
            about = {
                "firm": shot.firm_key, "as_of": shot.as_of.isoformat(), "list": name,
                "currency": shot.firm["currency"],
            }  # fmt: skip
            about |= {key: str(one) for key, one in request.query_params.items() if key != "as_of"}
            batches = session.batches(
                LISTS[name], firm_key=shot.firm_key, as_of=shot.as_of, **ALL, **chosen, **asked
            )
            body = _pieces(stack.pop_all(), write_file(kind, batches, about))
        first = next(body)  # so that an error is still a problem with its status
        filename = f"{shot.firm_key}-{name}-{shot.as_of}.{kind}"
        headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{filename}"'}
        return Transfer(first, body, {**PRIVATE, **headers}, MEDIA_TYPES[kind])

    return router


def _take(stack: ExitStack, running: threading.BoundedSemaphore) -> None:
    if not running.acquire(blocking=False):
        raise ProblemError(
            429, f"{EXPORTS_AT_ONCE} exports are running in this process", "Try again in a minute."
        )
    stack.callback(running.release)


def _since(shot: Snapshot, since: Any) -> Any:
    first = since or shot.earlier()
    if first is None:
        raise NotFoundError(
            "there is no earlier snapshot to compare with", "Run the firm for an earlier day."
        )
    return first


def _pieces(held: ExitStack, file: Iterator[bytes]) -> Generator[bytes]:
    """The file; its connection and its place are given back when the file ends or the client leaves."""
    with held:
        yield from file
