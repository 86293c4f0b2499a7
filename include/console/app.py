"""The console's FastAPI application: the API, its OpenAPI document, and the files of the pages."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.openapi.utils import get_openapi
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from include.console.answers import as_json
from include.console.customer_routes import customer_routes
from include.console.export_routes import export_routes
from include.console.firm_routes import firm_routes
from include.console.operation_routes import operation_routes
from include.console.pages import page_routes
from include.console.problems import handle_problems
from include.console.product_routes import product_routes
from include.console.reader import Reader
from include.console.runbook import runbook_routes
from include.console.security import Permissions
from include.version import __version__

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
TITLE = "Firmament console"


def create_app(permissions: Permissions, reader: Reader) -> FastAPI:
    """The application; every route but the files of the pages needs a session of Airflow.

    There is no route that writes. FastAPI's own documentation pages are off: they are open to anyone and load
    scripts of another host.
    """
    app = FastAPI(title=TITLE, version=__version__, openapi_url=None, docs_url=None, redoc_url=None)
    handle_problems(app)
    api = APIRouter(prefix="/api/v1", dependencies=[Depends(receipt_asked)])
    api.include_router(firm_routes(permissions, reader))
    api.include_router(customer_routes(permissions, reader))
    api.include_router(product_routes(permissions, reader))
    api.include_router(operation_routes(permissions, reader))
    api.include_router(export_routes(permissions, reader))
    app.include_router(api)
    app.include_router(page_routes())
    app.include_router(runbook_routes(permissions))

    @app.get("/api/v1/openapi.json", dependencies=[Depends(permissions.signed_in())], include_in_schema=False)
    def document(request: Request) -> Response:
        """The OpenAPI document."""
        root = request.scope.get("root_path", "")
        body: dict[str, Any] = get_openapi(
            title=TITLE, version=__version__, routes=app.routes, servers=[{"url": root or "/"}]
        )
        return as_json(body)

    app.add_middleware(StrictHeaders)
    return app


def receipt_asked(
    receipt: Annotated[bool, Query(description="Also say where the numbers come from.")] = False,
) -> bool:
    """Documents the parameter of every route; include/console/receipts.py reads it."""
    return receipt


class StrictHeaders:
    """Set the headers on every answer.

    It only changes the first message. Starlette's own base class ends a stream that failed as if it were
    complete.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, text in HEADERS.items():
                    headers.setdefault(name, text)
            await send(message)

        await self._app(scope, receive, with_headers)
