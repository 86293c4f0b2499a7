"""Summaries: results of functions of ``mart``, stored per firm and snapshot when a load has ended.

``mart.<name>(firm, as_of)`` returns the rows of ``analytics.summary_<name>`` where ``analytics.dim_summary``
lists that day, else the result of ``mart.<name>_from_facts``, computed from the facts. So a missing summary
makes a query slow, never wrong. A load removes, in its own transaction, the summaries that its rows change.
When it has committed, the summaries of its as_of are filled.

A snapshot removed by retention keeps its summaries: nothing could compute them again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg import sql

from include.warehouse.scoring import FIRM_LOCK
from include.warehouse.session import Part, Row

SALES = "fact_sales"


@dataclass(frozen=True)
class Summary:
    """A function whose results are stored.

    ``snapshot_of`` is the fact whose snapshots it is stored for. It is filled by the last of ``reads`` that
    the firm loads. ``dimensions`` are those whose attributes it stores. ``keeps`` says for which snapshots it
    is stored: ``all``; ``month``, the latest and the first days of months; or ``latest`` only. The results of
    other days are computed from the facts.
    """

    name: str
    snapshot_of: str
    reads: tuple[str, ...]
    dimensions: tuple[str, ...] = ()
    keeps: str = "all"

    def is_kept(self, as_of: date, latest: date) -> bool:
        """Whether it is stored for ``as_of``, when ``latest`` is the fact's latest snapshot."""
        is_month = self.keeps == "month" and as_of.day == 1
        return self.keeps == "all" or as_of == latest or is_month

    @property
    def table(self) -> sql.Identifier:
        """The table that stores it."""
        return sql.Identifier("analytics", f"summary_{self.name}")


RFM, LTV, CHURN = "fact_customer_rfm", "fact_customer_ltv", "fact_customer_churn_risk"
ACQUISITION = "fact_customer_acquisition"
COHORTS = (SALES, ACQUISITION, LTV)

# In the order in which they are filled: cohort_forecast reads cohort_value.
SUMMARIES = (
    Summary("rfm_segment_summary", RFM, (RFM,), ("dim_customer_segment",)),
    Summary("rfm_score_distribution", RFM, (RFM,), ("dim_customer_segment",)),
    Summary("clv_tier_summary", LTV, (LTV,)),
    Summary("clv_distribution", LTV, (LTV,)),
    Summary("churn_risk_overview", CHURN, (RFM, LTV, CHURN)),
    Summary("churn_factor_analysis", CHURN, (RFM, LTV, CHURN)),
    Summary("customer_cohort_analysis", SALES, (SALES,), ("dim_customer",)),
    Summary("cohort_member", SALES, (SALES,), ("dim_customer", "dim_product"), keeps="latest"),
    Summary("cohort_value", SALES, COHORTS, ("dim_customer", "dim_product")),
    Summary("cohort_forecast", SALES, COHORTS, ("dim_customer", "dim_product")),
    Summary("product_performance", SALES, (SALES,), ("dim_product",), keeps="month"),
    Summary("product_lifecycle", SALES, (SALES,), ("dim_product",), keeps="month"),
    Summary("action_effect", SALES, (SALES, "fact_assignment", "fact_action")),
    Summary("acquisition_channel_performance", ACQUISITION, (ACQUISITION,), ("dim_campaign",)),
)

# Rows of a day, in any order: the sum of their hashes. Equal days have equal sums.
DAYS = """
    select
        order_date,
        sum(
            hash_record_extended(
                row(
                    customer_sk, product_sk, transaction_id, line_id, kind, quantity, gross_amount,
                    discount_amount, net_amount, margin_amount, channel
                ),
                0
            )
        ) as hashed
    from analytics.fact_sales
    where
        firm_sk = %(firm_sk)s
        and order_date >= %(first_day)s
        and order_date < %(end_day)s
        and date_trunc('month', order_date)::date = any(%(months)s)
    group by order_date
"""


class Changes:
    """What a load changes, and so which summaries it removes. Use both calls in the load's transaction."""

    def __init__(
        self,
        connection: psycopg.Connection[Row],
        table: str,
        firm_sk: int,
        as_of: date,
        months: Sequence[date],
    ) -> None:
        """Before the load: remember the days of sales, if a summary depends on them."""
        self._connection, self._table, self._firm_sk = connection, table, firm_sk
        self._as_of, self._months = as_of, months
        self._before = self._days()

    def remove(self) -> int:
        """After the load: remove what it made wrong; how many summaries."""
        conditions = self._conditions()
        return sum(
            _remove(self._connection, summary, self._firm_sk, condition, [day])
            for summary in SUMMARIES
            for tables, condition, day in conditions
            if self._table in getattr(summary, tables)
        )

    def _conditions(self) -> list[tuple[str, str, date]]:
        """Where the loaded table counts, and which days of a summary it changes."""
        if self._table == SALES:
            changed = {day for day, _ in self._before.items() ^ self._days().items()}
            return [("reads", "as_of > %s", min(changed))] if changed else []
        if self._table == "fact_assignment":
            return [("reads", "as_of > %s", min(self._months))]
        if self._table == "fact_action":
            return [("reads", "as_of >= %s", self._as_of)]
        return [("dimensions", "as_of >= %s", self._as_of), ("reads", "as_of = %s", self._as_of)]

    def _days(self) -> dict[date, Any]:
        if self._table != SALES or not self._months:
            return {}
        first, last = min(self._months), max(self._months)
        waiting = self._connection.execute(
            "select exists(select from analytics.dim_summary where firm_sk = %s and as_of > %s) as found",
            [self._firm_sk, first],
        ).fetchone()
        if not waiting or not waiting["found"]:
            return {}
        found = self._connection.execute(
            DAYS,
            {
                "firm_sk": self._firm_sk,
                "first_day": first,
                "end_day": date(last.year + last.month // 12, last.month % 12 + 1, 1),
                "months": list(self._months),
            },
        )
        return {row["order_date"]: row["hashed"] for row in found.fetchall()}


class Summaries(Part):
    """Fills the summaries of a firm."""

    def fill(self, table: str, *, firm_key: str, firm_sk: int, as_of: date) -> list[str]:
        """Store the missing summaries that a load of ``table`` at ``as_of`` completes; their names.

        A summary waits for the later tables of its ``reads`` that the firm's previous snapshot had, and that
        this one does not have yet.
        """
        return [
            summary.name
            for summary in SUMMARIES
            if table in summary.reads
            and not self._comes_later(summary, table, firm_sk, as_of)
            and self._store(summary, firm_key, firm_sk, as_of)
        ]

    def fill_firms(self) -> Iterator[tuple[str, int]]:
        """Store every missing summary of every firm: each firm's key, and how many were stored."""
        for row in self._session.rows("select firm_key from analytics.dim_firm order by firm_key"):
            yield row["firm_key"], sum(1 for _ in self.fill_missing(row["firm_key"]))

    def fill_missing(self, firm_key: str) -> Iterator[tuple[str, date]]:
        """Store every missing summary of the firm's snapshots, the latest first: name and day of each."""
        found = self._session.rows(
            "select firm_sk, fact_name, as_of from analytics.dim_snapshot join analytics.dim_firm "
            "using (firm_sk) where firm_key = %s order by as_of desc",
            [firm_key],
        )
        latest: dict[str, date] = {}
        for row in found:
            newest = latest.setdefault(row["fact_name"], row["as_of"])
            for summary in SUMMARIES:
                if summary.snapshot_of != row["fact_name"]:
                    continue
                if not summary.is_kept(row["as_of"], newest):
                    continue
                if self._store(summary, firm_key, row["firm_sk"], row["as_of"]):
                    yield summary.name, row["as_of"]

    def _comes_later(self, summary: Summary, table: str, firm_sk: int, as_of: date) -> bool:
        later = list(summary.reads[summary.reads.index(table) + 1 :])
        found = self._session.rows(
            "select exists(select from analytics.dim_snapshot where firm_sk = %(firm_sk)s "
            "and fact_name = any(%(later)s) and as_of = (select max(as_of) from analytics.dim_snapshot "
            "where firm_sk = %(firm_sk)s and fact_name = %(table)s and as_of < %(as_of)s) "
            "and not exists(select from analytics.dim_snapshot as present "
            "where present.firm_sk = %(firm_sk)s "
            "and present.fact_name = dim_snapshot.fact_name and present.as_of = %(as_of)s)) as found",
            {"firm_sk": firm_sk, "later": later, "table": table, "as_of": as_of},
        )
        return bool(found[0]["found"])

    def _store(self, summary: Summary, firm_key: str, firm_sk: int, as_of: date) -> bool:
        """Store one summary; False when it is stored already or its fact has no such snapshot."""
        doing = f"filling the summary {summary.name} of {firm_key} at {as_of}"
        with self._session.clear_errors(doing), self._session.transaction(doing) as connection:
            connection.execute(
                # Each reads a firm's rows once: a scan of the partition is faster than its index.
                "set local work_mem = '128MB'; set local enable_nestloop = off; "
                "set local enable_mergejoin = off; "
                "set local lock_timeout = '5min'"
            )
            connection.execute("select pg_advisory_xact_lock(%s, %s)", [FIRM_LOCK, firm_sk])
            noted = connection.execute(
                "insert into analytics.dim_summary (firm_sk, summary_name, as_of) "
                "select firm_sk, %(name)s, as_of from analytics.dim_snapshot where firm_sk = %(firm_sk)s "
                "and fact_name = %(fact)s and as_of = %(as_of)s on conflict do nothing",
                {"name": summary.name, "firm_sk": firm_sk, "fact": summary.snapshot_of, "as_of": as_of},
            )
            if noted.rowcount == 0:
                return False
            connection.execute(
                sql.SQL("insert into {} select %s, %s::date, made.* from {}(%s, %s) as made").format(
                    summary.table, sql.Identifier("mart", f"{summary.name}_from_facts")
                ),
                [firm_sk, as_of, firm_key, as_of],
            )
            if summary.keeps != "all":
                others = "and extract(day from as_of) <> 1" if summary.keeps == "month" else ""
                _remove(
                    connection,
                    summary,
                    firm_sk,
                    "as_of < (select max(as_of) from analytics.dim_snapshot as latest "
                    f"where latest.firm_sk = %s and latest.fact_name = %s) {others}",
                    [firm_sk, summary.snapshot_of],
                )
        return True


def remove_for_erasure(connection: psycopg.Connection[Row], firm_sk: int) -> None:
    """Remove the firm's summaries that can be computed again without the erased customer.

    Those of snapshots that retention has removed stay: they are sums over customers, without any id.
    """
    for summary in SUMMARIES:
        _remove(connection, summary, firm_sk, "true", [])


def _remove(
    connection: psycopg.Connection[Row],
    summary: Summary,
    firm_sk: int,
    condition: str,
    values: Collection[Any],
) -> int:
    """Remove a firm's summaries of days that meet the condition and whose snapshot the fact still has."""
    days = [
        row["as_of"]
        for row in connection.execute(
            sql.SQL(
                "delete from analytics.dim_summary where firm_sk = %s and summary_name = %s and ({}) "
                "and exists(select from analytics.dim_snapshot as snapshot "
                "where snapshot.firm_sk = dim_summary.firm_sk and snapshot.fact_name = %s "
                "and snapshot.as_of = dim_summary.as_of) returning as_of"
            ).format(sql.SQL(condition)),
            [firm_sk, summary.name, *values, summary.snapshot_of],
        ).fetchall()
    ]
    if days:
        connection.execute(
            sql.SQL("delete from {} where firm_sk = %s and as_of = any(%s)").format(summary.table),
            [firm_sk, days],
        )
    return len(days)
