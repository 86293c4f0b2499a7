"""Routes of the API about a firm's operation: runs, pipeline, quality, models, incidents. None is cached."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from include.console.reader import Reader, Row
from include.console.security import Permissions
from include.console.snapshots import of_firm
from include.incidents.kinds import kind_named

MOST_CHECKS = 1000  # of a page, failed ones first; the export has all
MOST_DAYS = 60
Days = Annotated[int, Query(ge=1, le=400, description="Rows at most, latest first.")]

# Path, statement of include/sql/console/, and what a row is.
HISTORIES = (
    ("quality-history", "quality_history", "Checks and rejected rows of each day."),
    ("backtests", "backtests", "The candidates of each training date, tested on a window that had passed."),
    ("pipeline", "pipeline", "What each stage of each snapshot took."),
)


def operation_routes(permissions: Permissions, reader: Reader) -> APIRouter:
    """The routes, under the permission of the firm's DAG."""
    router = APIRouter(dependencies=[Depends(permissions.reads_firm())])

    @router.get("/firms/{dag_id}/models")
    def models(request: Request, dag_id: str) -> Response:
        """The firm's models, which of them score, and the drift of each snapshot."""
        return of_firm(
            reader, request, dag_id,
            lambda session, row: {
                "rows": session.rows("models", firm_key=row["firm_key"]),
                "drift": session.rows("drift", firm_key=row["firm_key"]),
            },
        )  # fmt: skip

    @router.get("/firms/{dag_id}/quality")
    def quality(request: Request, dag_id: str) -> Response:
        """The last checks of the quality gate, and rejected rows by reason."""
        return of_firm(
            reader, request, dag_id,
            lambda session, row: {
                "rows": session.rows("quality", firm_key=row["firm_key"], page_rows=MOST_CHECKS),
                "rejections": session.rows("rejections", firm_key=row["firm_key"]),
            },
        )  # fmt: skip

    @router.get("/firms/{dag_id}/runs")
    def runs(request: Request, dag_id: str, limit: Annotated[int, Query(ge=1, le=50)] = 10) -> Response:
        """The stages of the firm's latest runs."""
        return of_firm(
            reader, request, dag_id,
            lambda session, row: {"rows": session.rows("runs", firm_key=row["firm_key"], page_rows=limit)},
        )  # fmt: skip

    @router.get("/firms/{dag_id}/incidents")
    def incidents(request: Request, dag_id: str, limit: Days = MOST_DAYS) -> Response:
        """The failures that hit the firm, by cause, and what fixes each."""
        return of_firm(
            reader, request, dag_id,
            lambda session, row: {
                "rows": [
                    explained(one, row["firm_key"])
                    for one in session.rows("incidents", firm_key=row["firm_key"], page_rows=limit)
                ]
            },
        )  # fmt: skip

    for path, statement, text in HISTORIES:
        _add_history(router, reader, path, statement, text)
    return router


def _add_history(router: APIRouter, reader: Reader, path: str, statement: str, text: str) -> None:
    @router.get(f"/firms/{{dag_id}}/{path}", name=statement, description=text)
    def history(request: Request, dag_id: str, limit: Days = MOST_DAYS) -> Response:
        return of_firm(
            reader, request, dag_id,
            lambda session, row: {
                "rows": session.rows(statement, firm_key=row["firm_key"], page_rows=limit)
            },
        )  # fmt: skip


def explained(row: Row, firm_key: str) -> dict[str, Any]:
    """An incident with its title, what to do first, and the command that fixes it."""
    kind = kind_named(row["kind"])
    slots = {
        "id": row["incident_id"], "firm": firm_key, "as_of": row["first_as_of"],
        "resource": row["resource_name"],
    }  # fmt: skip
    return row | {
        "title": kind.title.format(**slots),
        "advice": kind.advice.format(**slots),
        "command": kind.command.format(**slots),
        "section": kind.section,
    }
