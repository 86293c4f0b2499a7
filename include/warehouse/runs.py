"""Runs and their steps in ``control``: fencing tokens, what each run used, how each attempt ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from psycopg.types.json import Jsonb

from include.warehouse.erased_ids import share_with_steps
from include.warehouse.plain import text_of
from include.warehouse.session import Part, Row

RUN_LOCK = 7_305  # advisory lock class: steps of a day that begin at once record one run

STEP_RUN = (
    "stage", "token", "row_count", "seconds", "cpu_seconds", "peak_mb", "message", "airflow_run_id",
    "attempt", "input_manifests", "output_manifest", "settings_sha256", "code_version", "started_at",
)  # fmt: skip


class Runs(Part):
    """``control.runs``, ``control.attempts`` and ``control.step_runs``."""

    def draw_token(self, firm_key: str, step: str, slice_text: str) -> int:
        """A fencing token for an attempt of a step: higher than every one drawn before.

        While the session lives, no customer of the firm is erased: erasing waits, and a step waits for it.
        """
        with self._session.clear_errors(f"start of {step} of {firm_key}"):
            share_with_steps(self._session.connection, firm_key)
        query = "insert into control.attempts (firm_key, step, slice) values (%s, %s, %s) returning token"
        return int(self._session.rows(query, [firm_key, step, slice_text])[0]["token"])

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
        with self._session.clear_errors(f"run of {firm_key}"), self._session.connection.transaction():
            self._session.connection.execute(
                "select pg_advisory_xact_lock(%s, hashtext(%s))", [RUN_LOCK, f"{firm_key} {as_of}"]
            )
            last = self._session.rows(
                "select run_id, firm_row = %s and code_version is not distinct from %s as is_same "
                "from control.runs where firm_key = %s and as_of = %s order by run_id desc limit 1",
                [settings, code_version, firm_key, as_of],
            )
            if last and last[0]["is_same"]:
                return int(last[0]["run_id"])
            new = self._session.rows(
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
        row["message"] = text_of(row.get("message"))
        names = ", ".join(row)
        values = ", ".join(f"%({name})s" for name in row)
        with self._session.clear_errors(f"outcome of {step} of {firm_key}"):
            self._session.connection.execute(
                f"insert into control.step_runs ({names}) values ({values})", row
            )

    def last_done(self, firm_key: str, as_of: date, run_id: str) -> dict[str, Row]:
        """The latest attempt of each step that ended well in a run, by the step's name."""
        found = self._session.rows(
            "select distinct on (step) step, input_manifests, output_manifest, settings_sha256, "
            "code_version, row_count from control.step_runs "
            "where firm_key = %s and as_of = %s and airflow_run_id = %s and status in ('done', 'skipped') "
            "order by step, step_run_id desc",
            [firm_key, as_of, run_id],
        )
        return {row["step"]: row for row in found}

    def last_run_id(self, firm_key: str, as_of: date) -> str | None:
        """The run in which a step of the day ended last; None where no step has ended."""
        found = self._session.rows(
            "select airflow_run_id from control.step_runs where firm_key = %s and as_of = %s "
            "and airflow_run_id is not null order by step_run_id desc limit 1",
            [firm_key, as_of],
        )
        return found[0]["airflow_run_id"] if found else None
