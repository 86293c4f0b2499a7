"""What past snapshots of a firm ran under, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from include.warehouse.session import Row, Session


class PastRuns(Session):
    """``control.runs`` and the costs in ``control.step_runs``, for the plan of a backfill."""

    def latest_runs(self, firm_key: str, first: date, last: date) -> dict[date, Row]:
        """What each snapshot in a range last ran under: ``firm_row`` and ``code_version``, by ``as_of``."""
        asked = """
            select distinct on (as_of)
                as_of,
                firm_row,
                code_version
            from control.runs
            where
                firm_key = %(firm_key)s
                and as_of between %(first)s and %(last)s
            order by
                as_of,
                run_id desc
        """
        found = self.rows(asked, {"firm_key": firm_key, "first": first, "last": last})
        return {row["as_of"]: row for row in found}

    def costs(self, firm_key: str, steps: Sequence[str], *, limit: int) -> list[Row]:
        """``row_count`` and ``seconds`` of the latest snapshots in which every one of the steps was done."""
        asked = """
            with latest as (
                select distinct on (as_of, step)
                    as_of,
                    step,
                    coalesce(row_count, 0) as row_count,
                    coalesce(seconds, 0) as seconds
                from control.step_runs
                where
                    firm_key = %(firm_key)s
                    and step = any(%(steps)s::text[])
                    and status = 'done'
                order by
                    as_of,
                    step,
                    step_run_id desc
            )
            select
                as_of,
                sum(row_count) as row_count,
                sum(seconds) as seconds
            from latest
            group by as_of
            having count(*) = cardinality(%(steps)s::text[])
            order by as_of desc
            limit %(limit)s
        """
        return self.rows(asked, {"firm_key": firm_key, "steps": list(steps), "limit": limit})
