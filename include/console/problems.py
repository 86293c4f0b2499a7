"""Errors of the API as problem+json (RFC 9457), each with what to do."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"

log = logging.getLogger(__name__)


class ProblemError(Exception):
    """A request that cannot be answered: the HTTP status, what is wrong, and what to do about it."""

    def __init__(self, status: int, detail: str, action: str = "") -> None:
        super().__init__(detail)
        self.status, self.detail, self.action = status, detail, action


class NotFoundError(ProblemError):
    """What was asked for does not exist, or the user may not see it: the answer does not tell which."""

    def __init__(self, detail: str, action: str = "") -> None:
        super().__init__(404, detail, action)


class WarehouseDownError(ProblemError):
    """The warehouse cannot be reached or took too long."""

    def __init__(self, detail: str, action: str) -> None:
        super().__init__(503, detail, action)


def answer(status: int, detail: str, action: str = "") -> Response:
    """A problem as a response."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    if action:
        body["action"] = action
    headers = {"Retry-After": "10"} if status == 503 else {}
    return Response(json.dumps(body), status, headers, MEDIA_TYPE)


def handle_problems(app: FastAPI) -> None:
    """Answer every error of the application as a problem."""

    @app.exception_handler(ProblemError)
    def problem(_: Request, error: ProblemError) -> Response:
        return answer(error.status, error.detail, error.action)

    @app.exception_handler(HTTPException)
    def refused(_: Request, error: HTTPException) -> Response:
        action = {
            401: "Sign in to Airflow, and open the page again.",
            403: "Ask an administrator of Airflow for the right to read this firm's DAG.",
        }.get(error.status_code, "")
        return answer(error.status_code, str(error.detail), action)

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> Response:
        # The value is left out: it comes from the URL, and may be a customer's id.
        found = [f"{one['loc'][-1]}: {one['msg']}" for one in error.errors()]
        return answer(422, "; ".join(found), "Correct the parameters of the address.")

    @app.exception_handler(Exception)
    def failed(request: Request, error: Exception) -> Response:
        log.error("console: %s failed: %s", request.scope.get("path"), type(error).__name__, exc_info=error)
        return answer(500, "the console failed", "The log of Airflow's API server has the error.")
