"""Airflow's REST API: start and watch runs, note their outcome, read a task's log, make pools."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

TIMEOUT_SECONDS = 30.0
LOOPBACK = ("127.0.0.1", "::1", "localhost")
PAGE = 100  # what Airflow returns at most per call


class AirflowError(RuntimeError):
    """Airflow refused a call; the message has what was asked and what it answered."""

    def __init__(self, message: str, status: int) -> None:
        """``status`` is the HTTP status."""
        super().__init__(message)
        self.status = status


def _is_busy(error: BaseException) -> bool:
    """Whether the server gave no answer, or could not just now."""
    if isinstance(error, AirflowError):
        return error.status >= 500
    return isinstance(error, (TimeoutError, ConnectionError))


PATIENCE = Retrying(
    retry=retry_if_exception(_is_busy),
    stop=stop_after_attempt(6),
    wait=wait_exponential_jitter(initial=1, max=10),
    reraise=True,
)


class AirflowApi:
    """One signed-in user of the API of a running Airflow."""

    def __init__(self, url: str, user: str, password: str, *, timeout: float = TIMEOUT_SECONDS) -> None:
        """Sign in; AirflowError when the password is refused."""
        self._url = url.rstrip("/")
        self._timeout = timeout
        address = urlsplit(self._url)
        # Loading the certificates takes 20 ms, and plain HTTP needs none. Redirects are not followed.
        self._verify: ssl.SSLContext | bool = (
            ssl.create_default_context() if address.scheme == "https" else False
        )
        # A proxy in the environment must not come between us and the loopback address.
        self._trust_env = address.hostname not in LOOPBACK
        self._token = ""
        self._token = self.call("POST", "/auth/token", {"username": user, "password": password})[
            "access_token"
        ]

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One call; the answer's JSON. A question is asked again while the server is too busy to answer."""
        if method == "GET":
            patient: dict[str, Any] = PATIENCE(self._call, method, path)
            return patient
        return self._call(method, path, body)

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        headers = {"Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            with httpx.Client(
                timeout=self._timeout, verify=self._verify, trust_env=self._trust_env
            ) as client:
                answer = client.request(method, self._url + path, json=body, headers=headers)
        except httpx.TimeoutException:
            raise TimeoutError(f"Airflow did not answer {method} {path} in {self._timeout:g} s") from None
        except httpx.TransportError as error:
            raise ConnectionError(
                f"Airflow at {self._url} cannot be reached for {method} {path}: {error}"
            ) from None
        if not answer.is_success:
            raise AirflowError(
                f"{method} {path}: {answer.status_code} {answer.text[:500]}", answer.status_code
            )
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    def has_dag(self, dag_id: str) -> bool:
        """Whether the DAG was parsed and may be run."""
        try:
            return not self.call("GET", f"/api/v2/dags/{quote(dag_id)}")["is_stale"]
        except AirflowError as error:
            if error.status == 404:
                return False
            raise

    def import_errors(self) -> list[str]:
        """Why DAG files could not be read, one text a file."""
        found = self.call("GET", "/api/v2/importErrors")["import_errors"]
        return [f"{error['filename']}: {error['stack_trace'].strip().splitlines()[-1]}" for error in found]

    def save_connection(self, connection_id: str, fields: Mapping[str, Any]) -> None:
        """Add a connection, or change it to what is given."""
        body = {"connection_id": connection_id, **fields}
        try:
            self.call("POST", "/api/v2/connections", body)
        except AirflowError as error:
            if error.status != 409:
                raise
            self.call("PATCH", f"/api/v2/connections/{quote(connection_id)}", body)

    def trigger(self, dag_id: str, run_id: str, conf: Mapping[str, Any]) -> None:
        """Start a run by hand."""
        body = {"dag_run_id": run_id, "logical_date": None, "conf": conf}
        self.call("POST", f"/api/v2/dags/{quote(dag_id)}/dagRuns", body)

    def run_state(self, dag_id: str, run_id: str) -> str:
        """``queued``, ``running``, ``success`` or ``failed``."""
        return str(self.call("GET", _run(dag_id, run_id))["state"])

    def note(self, dag_id: str, run_id: str) -> str:
        """The note of a run; empty when it has none."""
        return str(self.call("GET", _run(dag_id, run_id))["note"] or "")

    def set_note(self, dag_id: str, run_id: str, text: str) -> None:
        """Write the note of a run, which the list of runs shows."""
        self.call("PATCH", f"{_run(dag_id, run_id)}?update_mask=note", {"note": text})

    def pools(self) -> set[str]:
        """The names of all pools."""
        found: set[str] = set()
        while True:
            page = self.call("GET", f"/api/v2/pools?limit={PAGE}&offset={len(found)}&order_by=id")
            found |= {pool["name"] for pool in page["pools"]}
            if not page["pools"] or len(found) >= page["total_entries"]:
                return found

    def add_pool(self, name: str, *, slots: int, description: str) -> bool:
        """Add a pool; False when there is one of that name, which keeps its slots."""
        body = {"name": name, "slots": slots, "description": description}
        try:
            self.call("POST", "/api/v2/pools", body)
        except AirflowError as error:
            if error.status != 409:
                raise
            return False
        return True

    def tasks(self, dag_id: str, run_id: str, *, ended_since: str | None = None) -> list[dict[str, Any]]:
        """The run's task instances; with ``ended_since``, an instant, those alone that ended then or later.

        An instance costs the server milliseconds to describe, which a run of forty has no use for.
        """
        path = f"{_run(dag_id, run_id)}/taskInstances?limit=100"
        if ended_since is not None:
            path += f"&end_date_gte={quote(ended_since, safe='')}"
        found: list[dict[str, Any]] = self.call("GET", path)["task_instances"]
        return found

    def log(self, dag_id: str, run_id: str, task_id: str, attempt: int) -> list[dict[str, Any]]:
        """The entries of a task's log: ``event``, mostly ``level``, and ``error_detail`` of an error."""
        path = f"{_run(dag_id, run_id)}/taskInstances/{quote(task_id)}/logs/{attempt}?full_content=true"
        content = self.call("GET", path)["content"]
        return [entry if isinstance(entry, dict) else {"event": str(entry)} for entry in content]


def _run(dag_id: str, run_id: str) -> str:
    return f"/api/v2/dags/{quote(dag_id)}/dagRuns/{quote(run_id, safe='')}"
