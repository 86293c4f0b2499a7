"""Which snapshot a request is about, and what to say where a firm or a module has nothing to show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import Request, Response

from include.console.answers import as_json, etag, is_known, unchanged
from include.console.problems import NotFoundError
from include.console.reader import Reader, Row, Session
from include.console.receipts import is_asked, receipt
from include.console.security import PREFIX


@dataclass(frozen=True)
class Snapshot:
    """One snapshot of one firm, with the session that reads it."""

    session: Session
    firm: Row
    as_of: date
    days: list[date]  # every snapshot of the firm, latest first

    @property
    def firm_key(self) -> str:
        """The firm's key."""
        return str(self.firm["firm_key"])

    def rows(self, name: str, **params: object) -> list[Row]:
        """The rows of a statement of this firm and day."""
        return self.session.rows(name, firm_key=self.firm_key, as_of=self.as_of, **params)

    def earlier(self) -> date | None:
        """The snapshot before this one."""
        return next((day for day in self.days if day < self.as_of), None)

    def nothing(self, module: str) -> Row:
        """Why there are no rows of a module, and what to do: ``reason`` and ``action``."""
        if module not in (self.firm["modules"] or []):
            return {
                "module": module,
                "reason": f"The module {module} is off for this firm.",
                "action": f"Add {module} to `modules` in the firm's row, and run the firm.",
            }
        status = {row["module"]: row for row in self.rows("module_status")}.get(module)
        if status is not None and not status["is_sufficient"]:
            return {"module": module, "reason": status["reason"], "action": "More history will fill it."}
        return {
            "module": module,
            "reason": f"The snapshot of {self.as_of} has no rows of this kind.",
            "action": "Choose another day.",
        }


def listed(shot: Snapshot, statement: str, module: str, **params: object) -> dict[str, Any]:
    """The rows of a statement; without any, why there are none."""
    rows = shot.rows(statement, **params)
    return {"rows": rows} if rows else {"rows": rows, "nothing": shot.nothing(module)}


Answer = Callable[[Snapshot], dict[str, Any]]


def firm_key_of(dag_id: str) -> str:
    """The firm of a DAG; NotFoundError for the id of another DAG."""
    if not dag_id.startswith(PREFIX):
        raise NotFoundError(f"{dag_id} is not the DAG of a firm", "Firms' DAGs are named firm_<key>.")
    return dag_id.removeprefix(PREFIX)


def known_firm(session: Session, firm_key: str) -> Row:
    """The firm's row; NotFoundError where there is none."""
    row = session.row("firm", firm_key=firm_key)
    if row is not None:
        return row
    raise NotFoundError(f"there is no firm {firm_key}", "See the firms: python -m include firms list")


def snapshot_of(session: Session, key: str, as_of: date | None) -> Snapshot:
    """The firm's snapshot of a day, or its latest one; NotFoundError where there is none."""
    firm = known_firm(session, key)
    days = [row["as_of"] for row in session.rows("snapshots", firm_key=key)]
    return Snapshot(session, firm, _chosen(key, days, as_of), days)


def of_snapshot(
    reader: Reader, request: Request, dag_id: str, as_of: date | None, answer: Answer
) -> Response:
    """Answer about a firm's snapshot, the latest unless ``as_of`` is given; 304 when it is unchanged."""
    key = firm_key_of(dag_id)
    with reader.of({key}) as session:
        shot = snapshot_of(session, key, as_of)
        loaded = session.row("loaded", firm_key=key) or {}
        tag = etag(request, key, shot.as_of, loaded)
        if is_known(request, tag):
            return unchanged(tag)
        if kept := reader.answers.find(tag):
            return kept
        body = {"firm_key": key, "as_of": shot.as_of, "currency": shot.firm["currency"]}
        first = len(session.statements)
        body |= answer(shot)
        if is_asked(request):
            body["receipt"] = receipt(session, session.statements[first:], key, shot.as_of)
    answered = as_json(body, headers={"ETag": tag})
    reader.answers.keep(tag, answered)
    return answered


def of_firm(
    reader: Reader, request: Request, dag_id: str, answer: Callable[[Session, Row], dict[str, Any]]
) -> Response:
    """Answer a request about a firm's operation: runs, quality, models. It is never cached."""
    key = firm_key_of(dag_id)
    with reader.of({key}) as session:
        firm = known_firm(session, key)
        first = len(session.statements)
        body = {"firm_key": key, "currency": firm["currency"]} | answer(session, firm)
        if is_asked(request):
            body["receipt"] = receipt(session, session.statements[first:], key, None)
    return as_json(body, headers={"Cache-Control": "no-store"})


def _chosen(key: str, days: list[date], as_of: date | None) -> date:
    if not days:
        raise NotFoundError(
            f"the firm {key} has no snapshot yet",
            f"Start its DAG {PREFIX}{key}, or run: python -m include run {key} --as-of DAY",
        )
    if as_of is not None and as_of not in days:
        nearest = next((day for day in days if day <= as_of), days[-1])
        raise NotFoundError(f"the firm {key} has no snapshot as of {as_of}", f"The nearest one is {nearest}.")
    return as_of or days[0]
