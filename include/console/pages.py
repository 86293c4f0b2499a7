"""The route of the files of the console's pages."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from include.console.files import FOLDER, version_of
from include.console.problems import NotFoundError

KINDS = {".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
FOREVER = "public, max-age=31536000, immutable"


def page_routes() -> APIRouter:
    """The files; they hold nothing of a firm and need no session."""
    router = APIRouter()
    known = {path.name: path for path in FOLDER.iterdir() if path.suffix in KINDS} if FOLDER.exists() else {}

    @router.get("/static/{name}", include_in_schema=False)
    def file(request: Request, name: str, v: str = "") -> Response:
        """A file of the pages."""
        if name not in known:
            raise NotFoundError("there is no such file of the console", "Reload the page.")
        tag = f'"{version_of(name)}"'
        headers = {"Cache-Control": FOREVER if v == version_of(name) else "no-cache", "ETag": tag}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(known[name].read_bytes(), 200, headers, KINDS[known[name].suffix])

    return router
