"""What runs leave behind in ``control``: tokens, outcomes, gate results, rejections, module status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from psycopg.types.json import Jsonb

from include.warehouse.erasures import share_with_steps
from include.warehouse.errors import Fenced
from include.warehouse.session import Row, Session

RUN_LOCK = 7_305  # advisory lock class: steps of a day that begin at once record one run

STEP_RUN = (
    "stage", "token", "row_count", "seconds", "cpu_seconds", "peak_mb", "message", "airflow_run_id",
    "attempt", "input_manifests", "output_manifest", "settings_sha256", "code_version", "started_at",
)  # fmt: skip


class Bookkeeping(Session):
    """Tokens, outcomes and what the gate found."""

    def draw_token(self, firm_key: str, step: str, slice_text: str) -> int:
        """A fencing token for an attempt of a step: higher than every one drawn before.

        While the session lives, no customer of the firm is erased: erasing waits, and a step waits for it.
        """
        with self.clear_errors(f"start of {step} of {firm_key}"):
            share_with_steps(self.connection, firm_key)
        query = "insert into control.attempts (firm_key, step, slice) values (%s, %s, %s) returning token"
        return int(self.rows(query, [firm_key, step, slice_text])[0]["token"])

    def start_run(
        self,
        firm_key: str,
        as_of: date,
        firm_row: Mapping[str, Any] | None = None,
        code_version: str | None = None,
    ) -> int:
        """Record what a step of a day runs under, unless the day's steps before it ran under the same.

        The number of that run: one per firm, day, settings and code, in the order in which they came.
        """
        settings = Jsonb(dict(firm_row or {}))
        with self.clear_errors(f"run of {firm_key}"), self.connection.transaction():
            self.connection.execute(
                "select pg_advisory_xact_lock(%s, hashtext(%s))", [RUN_LOCK, f"{firm_key} {as_of}"]
            )
            last = self.rows(
                "select run_id, firm_row = %s and code_version is not distinct from %s as is_same "
                "from control.runs where firm_key = %s and as_of = %s order by run_id desc limit 1",
                [settings, code_version, firm_key, as_of],
            )
            if last and last[0]["is_same"]:
                return int(last[0]["run_id"])
            new = self.rows(
                "insert into control.runs (firm_key, as_of, firm_row, code_version) "
                "values (%s, %s, %s, %s) returning run_id",
                [firm_key, as_of, settings, code_version],
            )
        return int(new[0]["run_id"])

    def finish_step(self, firm_key: str, as_of: date, step: str, *, status: str, **ended: Any) -> None:
        """Record how an attempt of a step ended; ``ended`` names columns of ``control.step_runs``."""
        if unknown := sorted(set(ended) - set(STEP_RUN)):
            raise TypeError(f"control.step_runs has no {unknown}; there are {list(STEP_RUN)}")
        row = {"firm_key": firm_key, "as_of": as_of, "step": step, "status": status, **ended}
        row["message"] = _text(row.get("message"))
        names = ", ".join(row)
        values = ", ".join(f"%({name})s" for name in row)
        with self.clear_errors(f"outcome of {step} of {firm_key}"):
            self.connection.execute(f"insert into control.step_runs ({names}) values ({values})", row)

    def last_done(self, firm_key: str, as_of: date, run_id: str) -> dict[str, Row]:
        """The latest attempt of each step that ended well in a run, by the step's name."""
        found = self.rows(
            "select distinct on (step) step, input_manifests, output_manifest, settings_sha256, "
            "code_version, row_count from control.step_runs "
            "where firm_key = %s and as_of = %s and airflow_run_id = %s and status in ('done', 'skipped') "
            "order by step, step_run_id desc",
            [firm_key, as_of, run_id],
        )
        return {row["step"]: row for row in found}

    def last_run_id(self, firm_key: str, as_of: date) -> str | None:
        """The run in which a step of the day ended last; None where no step has ended."""
        found = self.rows(
            "select airflow_run_id from control.step_runs where firm_key = %s and as_of = %s "
            "and airflow_run_id is not null order by step_run_id desc limit 1",
            [firm_key, as_of],
        )
        return found[0]["airflow_run_id"] if found else None

    def record_rejections(
        self,
        firm_key: str,
        dataset_name: str,
        slice_text: str,
        as_of: date,
        token: int,
        rows: Sequence[Mapping[str, Any]],
    ) -> None:
        """Replace a slice's rejected rows, each ``reason, rows, net_amount, samples``."""
        key = [firm_key, dataset_name, slice_text]
        where = "firm_key = %s and dataset = %s and slice = %s"
        with self.clear_errors(f"rejections of {dataset_name} of {firm_key}"), self.connection.transaction():
            self.connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", ["/".join(key)])
            newer = self.connection.execute(
                f"select max(token) as token from control.rejections where {where}",
                key,
            ).fetchone()
            if newer and (newer["token"] or 0) > token:
                raise Fenced(f"rejections of {'/'.join(key)} are attempt {newer['token']}'s; this is {token}")
            self.connection.execute(f"delete from control.rejections where {where}", key)
            with self.connection.cursor() as cursor:
                cursor.executemany(
                    "insert into control.rejections "
                    "(firm_key, dataset, slice, as_of, token, reason, row_count, net_amount, samples) "
                    "values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                    [
                        [
                            *key,
                            as_of,
                            token,
                            r["reason"],
                            r["rows"],
                            r.get("net_amount"),
                            _json(r.get("samples")),
                        ]
                        for r in rows
                    ],
                )

    def record_quality(
        self, firm_key: str, as_of: date, token: int, results: Sequence[Mapping[str, Any]]
    ) -> None:
        """Record the gate's results; those of the same run's earlier attempt on the slice are replaced.

        Each has ``dataset, slice, sha256, expectation, column, is_critical, passed, observed, expected,
        samples``.
        """
        checked = {(r["dataset"], r.get("slice") or "") for r in results}
        with (
            self.clear_errors(f"gate of {firm_key}"),
            self.connection.transaction(),
            self.connection.cursor() as cursor,
        ):
            cursor.executemany(
                "delete from control.quality "
                "where firm_key = %s and as_of = %s and dataset = %s and slice = %s and token <= %s",
                [[firm_key, as_of, dataset, slice_text, token] for dataset, slice_text in sorted(checked)],
            )
            cursor.executemany(
                "insert into control.quality (firm_key, as_of, token, dataset, slice, manifest_sha256, "
                "expectation, column_name, is_critical, passed, observed, expected, samples) "
                "values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [
                    [
                        firm_key, as_of, token, r["dataset"], r.get("slice") or "", r.get("sha256"),
                        r["expectation"], r.get("column"), r["is_critical"], r["passed"],
                        _text(r.get("observed")), _text(r.get("expected")), _json(r.get("samples")),
                    ]
                    for r in results
                ],
            )  # fmt: skip

    def history(self, firm_key: str, dataset_name: str) -> list[Row]:
        """Volumes of the dataset's slices as they were last loaded: ``slice, rows, as_of, profile``.

        ``profile`` is what the gate last kept of the slice for later checks to compare with, if anything.
        """
        return self.rows(
            "with profiles as (select distinct on (slice) slice, observed from control.quality "
            "where firm_key = %s and dataset = %s and expectation = 'profile' "
            "order by slice asc, quality_id desc) "
            "select loads.slice, max(loads.row_count) as rows, max(loads.as_of) as as_of, "
            "max(profiles.observed) as profile "
            "from control.loads left join profiles on profiles.slice = loads.slice "
            "where loads.firm_key = %s and loads.dataset = %s group by loads.slice order by loads.slice",
            [firm_key, dataset_name, firm_key, dataset_name],
        )

    def passed(self, firm_key: str, dataset_name: str) -> set[tuple[str, str]]:
        """Slices, with the hash of their bytes, that no critical expectation failed when last checked."""
        found = self.rows(
            "with checked as (select *, max(token) over (partition by slice, manifest_sha256) as last_token, "
            # A failure of the dataset as a whole is a failure of every slice it was checked with.
            "bool_or(not passed and is_critical and slice = '') over (partition by token) as failed_whole "
            "from control.quality where firm_key = %s and dataset = %s) "
            "select slice, manifest_sha256 from checked "
            "where token = last_token and manifest_sha256 <> '' and slice <> '' "
            "group by slice, manifest_sha256 "
            "having bool_and(passed or not is_critical) and not bool_or(failed_whole)",
            [firm_key, dataset_name],
        )
        return {(row["slice"], row["manifest_sha256"]) for row in found}

    def set_module_status(
        self, firm_key: str, as_of: date, module: str, is_sufficient: bool, reason: str
    ) -> None:
        """Say whether a module had data enough at a snapshot, and what it did otherwise."""
        with self.clear_errors(f"status of {module} of {firm_key}"):
            self.connection.execute(
                "insert into control.module_status (firm_key, as_of, module, is_sufficient, reason) "
                "values (%s, %s, %s, %s, %s) on conflict (firm_key, as_of, module) do update set "
                "is_sufficient = excluded.is_sufficient, reason = excluded.reason, "
                "decided_at = excluded.decided_at",
                [firm_key, as_of, module, is_sufficient, _text(reason)],
            )


def _text(value: object) -> str | None:
    # PostgreSQL takes no NUL in text, and a source may well have one.
    return None if value is None else str(value).replace("\x00", "\\0")


def _json(value: object) -> Jsonb | None:
    return None if value is None else Jsonb(_plain(value))


def _plain(value: object) -> object:
    """JSON's own types: what a sample holds besides is written out."""
    if isinstance(value, Mapping):
        return {str(name).replace("\x00", "\\0"): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and value == value and abs(value) != float("inf"):
        return value
    return str(value).replace("\x00", "\\0").encode("utf-8", "backslashreplace").decode()
