"""Routes of the API about firms: lists of one snapshot, metrics, insight, models, quality and runs."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from include.console.answers import as_json
from include.console.problems import NotFoundError
from include.console.reader import Reader, Row
from include.console.receipts import is_asked, receipt
from include.console.security import PREFIX, Permissions
from include.console.snapshots import Snapshot, listed, of_firm, of_snapshot
from include.metrics import GLOSSARY, Metric
from include.periods import as_of_of_interval
from include.schedule import due_at
from include.shards import start_minute

Language = Annotated[Literal["en", "tr"], Query(description="Language of labels and sentences.")]
AsOf = Annotated[date | None, Query(description="The snapshot's day; the latest one by default.")]

# Path, statement of include/sql/console/, and the module whose rows it shows.
LISTS = (
    ("segments", "segments", "rfm"),
    ("rfm-scores", "rfm_scores", "rfm"),
    ("cohorts", "cohorts", "rfm"),
    ("risk", "risk", "churn"),
    ("factors", "factors", "churn"),
    ("tiers", "tiers", "ltv"),
    ("scorecards", "scorecards", "churn"),
)


def firm_routes(permissions: Permissions, reader: Reader) -> APIRouter:
    """The routes, under the permission of the firm's DAG."""
    router = APIRouter()
    signed_in = [Depends(permissions.signed_in())]
    reads_firm = [Depends(permissions.reads_firm())]

    @router.get("/metrics", dependencies=signed_in)
    def glossary(language: Language = "en") -> Response:
        """Every metric: label, formula, unit, grain."""
        return as_json({"metrics": [described(metric, language) for metric in GLOSSARY]})

    @router.get("/firms")
    def firms(
        request: Request,
        visible: set[str] = Depends(permissions.firms()),  # noqa: B008
    ) -> Response:
        """The user's firms: latest snapshot, freshness, last run, quality, modules."""
        now = datetime.now(UTC)
        with reader.of(visible) as session:
            body: dict[str, Any] = {
                "firms": [operated(row, now) for row in session.rows("firms", firm_keys=sorted(visible))]
            }
            if is_asked(request):
                body["receipt"] = receipt(session, session.statements[:], "", None)
        return as_json(body, headers={"Cache-Control": "no-store"})

    @router.get("/firms/{dag_id}", dependencies=reads_firm)
    def firm(request: Request, dag_id: str) -> Response:
        """One firm, with the days of its snapshots."""

        def found(session: Any, row: Row) -> dict[str, Any]:
            days = session.rows("snapshots", firm_key=row["firm_key"])
            (whole,) = session.rows("firms", firm_keys=[row["firm_key"]])
            return operated(whole, datetime.now(UTC)) | {"snapshots": [day["as_of"] for day in days]}

        return of_firm(reader, request, dag_id, found)

    for path, statement, module in LISTS:
        _add_list(router, reader, reads_firm, path, statement, module)
    _add_snapshots(router, reader, reads_firm)
    return router


def _add_snapshots(router: APIRouter, reader: Reader, reads_firm: list[Any]) -> None:
    @router.get("/firms/{dag_id}/metrics", dependencies=reads_firm)
    def metrics(request: Request, dag_id: str, as_of: AsOf = None, language: Language = "en") -> Response:
        """The firm's metrics: value, interval, change since the snapshot before, label, formula."""

        def valued(shot: Snapshot) -> dict[str, Any]:
            rows = measured(shot.rows("metrics"), language)
            return {"rows": rows} if rows else {"rows": rows, "nothing": shot.nothing("insight")}

        return of_snapshot(reader, request, dag_id, as_of, valued)

    @router.get("/firms/{dag_id}/insight", dependencies=reads_firm)
    def insight(request: Request, dag_id: str, as_of: AsOf = None, language: Language = "en") -> Response:
        """The sentences about the firm."""
        return of_snapshot(
            reader,
            request,
            dag_id,
            as_of,
            lambda shot: listed(shot, "insight", "insight", language=language),
        )

    @router.get("/firms/{dag_id}/migrations", dependencies=reads_firm)
    def migrations(request: Request, dag_id: str, as_of: AsOf = None, since: AsOf = None) -> Response:
        """Customers who changed segment since a snapshot, by default the one before."""

        return of_snapshot(
            reader, request, dag_id, as_of, lambda shot: compared(shot, since, "migrations")
        )  # fmt: skip

    @router.get("/firms/{dag_id}/change", dependencies=reads_firm)
    def change(request: Request, dag_id: str, as_of: AsOf = None, since: AsOf = None) -> Response:
        """Why the customers' spend in 365 days changed since a snapshot: parts that sum to the difference."""
        return of_snapshot(reader, request, dag_id, as_of, lambda shot: compared(shot, since, "change"))

    @router.get("/firms/{dag_id}/modules", dependencies=reads_firm)
    def modules(request: Request, dag_id: str, as_of: AsOf = None) -> Response:
        """Which modules are on, and what each lacks."""
        return of_snapshot(
            reader,
            request,
            dag_id,
            as_of,
            lambda shot: {"modules": shot.firm["modules"], "rows": shot.rows("module_status")},
        )


def _add_list(
    router: APIRouter, reader: Reader, reads_firm: list[Any], path: str, statement: str, module: str
) -> None:
    @router.get(f"/firms/{{dag_id}}/{path}", dependencies=reads_firm, name=statement)
    def rows(request: Request, dag_id: str, as_of: AsOf = None) -> Response:
        return of_snapshot(reader, request, dag_id, as_of, lambda shot: listed(shot, statement, module))


def described(metric: Metric, language: str) -> dict[str, Any]:
    """A metric as the glossary has it."""
    return {
        "metric": metric.name,
        "label": metric.label(language),
        "formula": metric.formula,
        "unit": metric.unit,
        "grain": metric.grain,
        "is_prediction": metric.is_prediction,
        "module": metric.module,
    }


def compared(shot: Snapshot, since: date | None, statement: str) -> dict[str, Any]:
    """The rows of a statement about two snapshots, the earlier one by default the one before."""
    first = since or shot.earlier()
    if first is None:
        reason = "There is no earlier snapshot to compare with."
        return {"rows": [], "nothing": {"reason": reason, "action": "Run the firm for an earlier day."}}
    if first not in shot.days or first >= shot.as_of:
        raise NotFoundError(f"there is no snapshot of {first} before {shot.as_of}", "Choose another day.")
    return {"from_as_of": first} | listed(shot, statement, "rfm", from_as_of=first)


def measured(rows: list[Row], language: str) -> list[dict[str, Any]]:
    """A firm's metrics with the glossary's labels; the metrics that bound another become its interval."""
    by_name = {metric.name: metric for metric in GLOSSARY}
    values = {(row["metric"], row["member"]): row["metric_value"] for row in rows}
    bounds = {f"{name}{end}" for name in by_name for end in ("_low", "_high")}
    return [
        row
        | (described(by_name[row["metric"]], language) if row["metric"] in by_name else {})
        | {
            "low": values.get((f"{row['metric']}_low", row["member"])),
            "high": values.get((f"{row['metric']}_high", row["member"])),
        }
        for row in rows
        if row["metric"] not in bounds
    ]


def operated(row: Row, now: datetime) -> dict[str, Any]:
    """A firm with its DAG, the day it should have a snapshot of, and whether that one is missing."""
    due = None
    if (row["working_day_period"] or 0) > 0 and not row["is_paused"] and row["timezone"]:
        instant = due_at(
            now,
            every_days=row["working_day_period"],
            hour=row["schedule_hour"] or 0,
            minute=start_minute(row["firm_key"], row["schedule_minute"]),
            zone=row["timezone"],
        )
        due = as_of_of_interval(instant, row["timezone"])
    is_late = due is not None and (row["as_of"] is None or row["as_of"] < due)
    return row | {"dag_id": f"{PREFIX}{row['firm_key']}", "due_as_of": due, "is_late": is_late}
