"""Scores: what earlier snapshots predicted against what then happened, once their windows have passed."""

from __future__ import annotations

import hashlib

from include import faults, sql_text
from include.warehouse.loading import FIRM_LOCK
from include.warehouse.session import Session


class Scoring(Session):
    """``fact_scorecard``, from facts that are loaded already."""

    def score(self, module: str, *, firm_key: str, step: str) -> int:
        """Bring a firm's scorecard of a module up to date; rows written, 0 when it was."""
        text = sql_text.read("score", module)
        doing = f"{step}: fact_scorecard of {firm_key}: sql/score/{module}.sql"
        with self.clear_errors(doing), self.transaction(doing) as connection:
            found = connection.execute(
                "select firm_sk from analytics.dim_firm where firm_key = %s", [firm_key]
            ).fetchone()
            if found is None:
                return 0  # nothing of the firm has ever been loaded
            connection.execute("select pg_advisory_xact_lock(%s, %s)", [FIRM_LOCK, found["firm_sk"]])
            params = {
                "firm_key": firm_key,
                "firm_sk": found["firm_sk"],
                "scorer_sha256": hashlib.sha256(text.encode()).hexdigest(),
            }
            answer = connection.execute(*sql_text.for_psycopg(text, params))
            while answer.nextset():
                pass
            faults.point("warehouse.before_commit")
        faults.point("warehouse.after_commit")
        return answer.rowcount
