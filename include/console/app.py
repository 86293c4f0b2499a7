"""The console's FastAPI application: the API, its OpenAPI document, and the files of the pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi

from include.console.answers import as_json
from include.console.customer_routes import customer_routes
from include.console.firm_routes import firm_routes
from include.console.pages import page_routes
from include.console.problems import handle_problems
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
    api = APIRouter(prefix="/api/v1")
    api.include_router(firm_routes(permissions, reader))
    api.include_router(customer_routes(permissions, reader))
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

    @app.middleware("http")
    async def protect(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await answer(request)
        for name, text in HEADERS.items():
            response.headers.setdefault(name, text)
        return response

    return app
