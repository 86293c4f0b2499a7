"""Scores: what earlier snapshots predicted against what then happened, once their windows have passed."""

from __future__ import annotations

import hashlib

from include import faults, sql_text
from include.warehouse.session import Session

FIRM_LOCK = 7_301  # advisory lock class: loads of one firm follow one another


def score(session: Session, module: str, *, firm_key: str, step: str) -> int:
    """Bring a firm's ``fact_scorecard`` of a module up to date; rows written, 0 when it was."""
    text = sql_text.read("score", module)
    doing = f"{step}: fact_scorecard of {firm_key}: sql/score/{module}.sql"
    with session.clear_errors(doing), session.transaction(doing) as connection:
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
