"""Time each view, function and console query of one firm, and list what its plan reads of other firms."""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from bench.views.generate import BIG
from include import sql_text
from include.console.reader import Reader
from include.warehouse.access import Access
from include.warehouse.session import Row
from include.warehouse.summaries import SUMMARIES

PAGE_ROWS = 1_000  # of a history, or a view with one row per customer: the first rows
SLOW_SECONDS = 5.0  # a slower query runs once
TIMEOUT = "300s"
EXPLAIN = "explain (analyze, verbose, timing off, summary off, format json) "
PER_CUSTOMER = {
    "analytic_customer", "at_risk_customers", "cohort_group", "cohort_member", "customer_360",
    "customer_engagement", "customer_journey", "customer_next_product", "customer_profitability",
    "shared_customer_group", "top_customers_clv",
}  # fmt: skip
CONSOLE: dict[str, dict[str, object]] = {
    "action_effects": {}, "action_plan": {}, "at_risk": {"after_place": None, "page_rows": 51},
    "cohorts": {}, "customer": {}, "customer_history": {}, "factors": {}, "migrations": {},
    "rfm_scores": {}, "risk": {}, "segments": {}, "tiers": {}, "metrics": {}, "snapshots": {},
    "customer_list": {"sort": "total_spend_365_days", "direction": 1, "page_rows": 51,
                      "after_key": None, "after_id": None},
    "customer_count": {}, "timeline": {"before": None, "page_rows": 50},
}  # fmt: skip
FILTERS = ("search", "segment", "tier", "risk", "activity", "recency", "frequency")


@dataclass(frozen=True)
class Timed:
    """One query: seconds at the 95th percentile of its runs, its rows, and what it read of other firms."""

    name: str
    p95_s: float
    runs: int
    rows: int
    other_firms: tuple[str, ...] = ()
    error: str | None = None


def login(dsn: str, name: str) -> str:
    """The URL of ``name``, which gets a new password here."""
    password = secrets.token_hex(8)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            sql.SQL("alter role {} password {}").format(sql.Identifier(name), sql.Literal(password))
        )
    parts = urlsplit(dsn)
    return urlunsplit(parts._replace(netloc=f"{name}:{password}@{parts.hostname}:{parts.port}"))


def measure(dsn: str, as_of: date, earlier: date, oldest: date, rounds: int) -> Iterator[Timed]:
    """Views and functions as an analyst of the firm, then the console's queries as the console's login.

    A function is called for ``as_of``, and for ``earlier``; for ``oldest`` if all its days are stored.
    """
    stored = {summary.name for summary in SUMMARIES if summary.keeps == "all"}
    analyst = f"analyst_{secrets.token_hex(3)}"
    with Access(dsn) as access:
        access.grant(BIG, analyst, "analyst", actor="bench")
    with psycopg.connect(dsn) as owner:
        own = owner.execute("select firm_sk from analytics.dim_firm where firm_key = %s", [BIG]).fetchone()
        customer = owner.execute(
            "select max(customer_id) from analytics.dim_customer where firm_sk = %s", own
        ).fetchone()
        names = owner.execute(
            "select viewname from pg_views where schemaname = 'mart' and viewname <> 'vw_outreach_contact' "
            "order by 1"
        ).fetchall()
        calls = owner.execute(
            "select proname, proargnames[1:pronargs] from pg_proc where pronamespace = 'mart'::regnamespace "
            "and proname !~ '_from_facts$' and pronargs > 0 order by 1"
        ).fetchall()
    assert own
    assert customer
    firm_sk, customer_id = int(own[0]), str(customer[0])
    given = {"firm": BIG, "as_of": as_of, "customer": customer_id, "from_as_of": earlier, "to_as_of": as_of}
    with psycopg.connect(login(dsn, analyst), autocommit=True, row_factory=dict_row) as connection:
        connection.execute(f"set statement_timeout = '{TIMEOUT}'")
        for (view,) in names:
            name = view.removeprefix("vw_")
            where = f" where firm_key = '{BIG}'" if name != "benchmark" else ""
            query = f"select * from mart.{view}{where}"
            yield _timed(connection, view, _paged(query, name), rounds, firm_sk)
            if name in PER_CUSTOMER and name != "shared_customer_group":
                one = query + f" and customer_id = '{customer_id}'"
                yield _timed(connection, f"{view}, one customer", one, rounds, firm_sk)
        for name, arguments in calls:
            for day in [as_of, oldest if name in stored else earlier]:
                shown = ", ".join(f"'{(given | {'as_of': day})[argument]}'" for argument in arguments)
                query = _paged(f"select * from mart.{name}({shown})", name)
                yield _timed(connection, f"{name}, {day}", query, rounds, firm_sk)
    yield from _console(dsn, as_of, earlier, customer_id, rounds)


def _paged(query: str, name: str) -> str:
    is_long = name in PER_CUSTOMER or name.endswith("_history")
    return f"{query} limit {PAGE_ROWS}" if is_long else query


def _timed(connection: psycopg.Connection[Row], name: str, query: str, rounds: int, firm_sk: int) -> Timed:
    found = _rounds(name, lambda: connection.execute(query).fetchall(), rounds)
    if found.error:
        return found
    plan: Any = connection.execute(EXPLAIN + query).fetchone()
    others = {
        node["Relation Name"]
        for node in _nodes(plan["QUERY PLAN"][0]["Plan"])
        if node.get("Schema") == "parts" and not node["Relation Name"].endswith(f"_f{firm_sk}")
    }
    return Timed(name, found.p95_s, found.runs, found.rows, tuple(sorted(others)))


def _rounds(name: str, act: Callable[[], list[Row]], rounds: int) -> Timed:
    seconds: list[float] = []
    rows = 0
    while len(seconds) < rounds + 1:
        began = time.perf_counter()
        try:
            rows = len(act())
        except psycopg.Error as error:
            return Timed(name, time.perf_counter() - began, 1, 0, error=str(error).split("\n")[0])
        seconds.append(time.perf_counter() - began)
        if seconds[-1] > SLOW_SECONDS:
            break
    counted = sorted(seconds[1:] or seconds)  # the first run reads from disk
    return Timed(name, counted[math.ceil(0.95 * len(counted)) - 1], len(counted), rows)


def _console(dsn: str, as_of: date, earlier: date, customer_id: str, rounds: int) -> Iterator[Timed]:
    with psycopg.connect(dsn) as owner:
        name = psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]
        owner.execute(
            sql.SQL("grant connect on database {} to firmament_console").format(sql.Identifier(str(name)))
        )
    address = login(dsn, "firmament_console")
    reader = Reader(lambda: address)
    given = {"firm_key": BIG, "as_of": as_of, "customer_id": customer_id, "language": "en",
             "from_as_of": earlier, "since": earlier, **dict.fromkeys(FILTERS)}  # fmt: skip
    try:
        for statement, params in CONSOLE.items():
            asked = sql_text.parameters(sql_text.read("console", statement))
            values = {key: value for key, value in {**given, **params}.items() if key in asked}

            def act(statement: str = statement, values: dict[str, object] = values) -> list[Row]:
                with reader.of({BIG}) as session:
                    return session.rows(statement, **values)

            yield _rounds(f"console: {statement}", act, rounds)
    finally:
        reader.close()


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)
