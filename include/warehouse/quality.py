"""What the quality gate and the extraction found in each slice: results, rejections, earlier volumes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from include.datasets.extracted import INTENDED
from include.warehouse.errors import Fenced
from include.warehouse.plain import json_of, text_of
from include.warehouse.session import Part, Row


class Quality(Part):
    """``control.quality`` and ``control.rejections``."""

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
        with (
            self._session.clear_errors(f"rejections of {dataset_name} of {firm_key}"),
            self._session.connection.transaction(),
        ):
            self._session.connection.execute(
                "select pg_advisory_xact_lock(hashtextextended(%s, 0))", ["/".join(key)]
            )
            newer = self._session.connection.execute(
                f"select max(token) as token from control.rejections where {where}",
                key,
            ).fetchone()
            if newer and (newer["token"] or 0) > token:
                raise Fenced(f"rejections of {'/'.join(key)} are attempt {newer['token']}'s; this is {token}")
            self._session.connection.execute(f"delete from control.rejections where {where}", key)
            with self._session.connection.cursor() as cursor:
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
                            json_of(r.get("samples")),
                        ]
                        for r in rows
                    ],
                )

    def record(self, firm_key: str, as_of: date, token: int, results: Sequence[Mapping[str, Any]]) -> None:
        """Record the gate's results; those of the same run's earlier attempt on the slice are replaced.

        Each has ``dataset, slice, sha256, expectation, column, is_critical, passed, observed, expected,
        samples``.
        """
        checked = {(r["dataset"], r.get("slice") or "") for r in results}
        with (
            self._session.clear_errors(f"gate of {firm_key}"),
            self._session.connection.transaction(),
            self._session.connection.cursor() as cursor,
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
                        text_of(r.get("observed")), text_of(r.get("expected")), json_of(r.get("samples")),
                    ]
                    for r in results
                ],
            )  # fmt: skip

    def result_of_day(self, firm_key: str, as_of: date) -> dict[str, Any]:
        """What the gate found for a day: ``quality``, and how many ``checks`` ran, with ``warnings``.

        ``quality`` is failed when a rule that stops the firm did not pass, warnings when another did not,
        else passed. Slices that had passed before are not checked again, so ``checks`` may be 0.
        """
        (found,) = self._session.rows(
            """
            select
                count(*) as checks,
                count(*) filter (where not passed and not is_critical) as warnings,
                count(*) filter (where not passed and is_critical) as failures
            from control.quality
            where firm_key = %s and as_of = %s
            """,
            [firm_key, as_of],
        )
        quality = "failed" if found["failures"] else "warnings" if found["warnings"] else "passed"
        return {"quality": quality, "checks": found["checks"], "warnings": found["warnings"]}

    def history(self, firm_key: str, dataset_name: str) -> list[Row]:
        """Volumes of the dataset's slices as they were last loaded: ``slice, rows, as_of, profile``.

        ``profile`` is what the gate last kept of the slice for later checks to compare with, if anything.
        """
        return self._session.rows(
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
        found = self._session.rows(
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

    def failed(self, firm_key: str, dataset_name: str) -> set[tuple[str, str]]:
        """Slices, with the hash of their bytes, of which a rule that stops the firm failed last.

        If the share of rejected rows of the whole dataset failed, these are the slices that have some.
        """
        found = self._session.rows(
            "with checked as (select *, max(token) over (partition by slice, manifest_sha256) as last_token, "
            "max(token) over () as last_check from control.quality where firm_key = %s and dataset = %s), "
            "failed as (select * from checked where token = last_token and not passed and is_critical) "
            "select distinct slice, manifest_sha256 from failed where slice <> '' union "
            "select distinct checked.slice, checked.manifest_sha256 from checked inner join "
            "control.rejections as r on r.firm_key = %s and r.dataset = %s and r.slice = checked.slice "
            "where r.reason <> all(%s) and exists (select from failed where failed.slice = '' "
            "and failed.token = failed.last_check and failed.expectation like 'rejected%%')",
            [firm_key, dataset_name, firm_key, dataset_name, sorted(INTENDED)],
        )
        return {(row["slice"], row["manifest_sha256"]) for row in found}

    def profiles(self, firm_key: str, dataset_name: str) -> dict[tuple[str, str], str]:
        """What the gate kept of each slice that it checked, by slice and hash of its bytes."""
        found = self._session.rows(
            "select distinct on (slice, manifest_sha256) slice, manifest_sha256, observed "
            "from control.quality where firm_key = %s and dataset = %s and expectation = 'profile' "
            "order by slice asc, manifest_sha256 asc, quality_id desc",
            [firm_key, dataset_name],
        )
        return {(row["slice"], row["manifest_sha256"] or ""): row["observed"] for row in found}

    def rejections(self, firm_key: str, dataset_name: str) -> list[Row]:
        """Rejected rows as last extracted: ``slice, reason, rows, net_amount, samples``."""
        return self._session.rows(
            "select slice, reason, row_count as rows, net_amount, samples from control.rejections "
            "where firm_key = %s and dataset = %s order by slice, reason",
            [firm_key, dataset_name],
        )
