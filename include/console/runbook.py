"""The runbook as a page of Airflow, for links of tasks and messages."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from itertools import pairwise
from pathlib import Path

from fastapi import APIRouter, Depends, Response

from include.console.problems import NotFoundError
from include.console.security import Permissions

PAGE = Path(__file__).resolve().parents[2] / "docs" / "runbook.md"
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color-scheme:light dark}pre{overflow-x:auto}h2:target{outline:2px solid}"
)
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; frame-ancestors 'none'; base-uri 'none'"


def runbook_routes(permissions: Permissions) -> APIRouter:
    """The page; any signed-in user may read it. It holds nothing of a firm."""
    router = APIRouter()

    @router.get("/runbook", dependencies=[Depends(permissions.signed_in())], include_in_schema=False)
    def runbook() -> Response:
        """The runbook; each section has its name as anchor."""
        if not PAGE.exists():
            raise NotFoundError(
                "docs/runbook.md is not installed here", "Copy docs/runbook.md beside include/."
            )
        return Response(page(), 200, {"Content-Security-Policy": POLICY}, "text/html; charset=utf-8")

    return router


@cache
def page() -> str:
    """The runbook as HTML."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False})
    tokens = reader.parse(PAGE.read_text(encoding="utf-8"))
    for opening, text in pairwise(tokens):
        if opening.type == "heading_open":
            opening.attrSet("id", text.content)
    body = reader.renderer.render(tokens, reader.options, {})
    head = f'<meta charset="utf-8"><title>Runbook</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>'
