"""Benchmarks in the warehouse: the values that firms share, what was published, and the month's rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from include.warehouse.session import Session

LOCK = 7_309  # advisory lock class: one decision of benchmarks at a time
_ROW = """
insert into analytics.fact_benchmark (
    firm_sk, month_start, metric, unit, own_value, lower_quartile, median, upper_quartile
)
select firm_sk, %s, %s, %s, %s, %s, %s, %s
from analytics.dim_firm
where firm_key = %s
"""


class Decision(NamedTuple):
    """A metric's result of a month: the sharing firms' values, and the quartiles or why there are none."""

    metric: str
    unit: str
    values: Mapping[str, float]
    quartiles: tuple[float, float, float] | None
    reason: str


class Benchmarks(Session):
    """The shared values of a month, and the decisions of all months."""

    def is_decided(self, month: date) -> bool:
        """Whether the month was decided. Each month is decided once."""
        asked = (
            "select exists (select from control.benchmark_decisions where month_start = %(month)s) as found"
        )
        return bool(self.rows(asked, {"month": month})[0]["found"])

    def shared_values(
        self, month: date, metrics: Sequence[str], firm_keys: Sequence[str]
    ) -> dict[str, dict[str, float]]:
        """Values by metric and firm, each of the firm's last snapshot of the month.

        Only values of the whole firm are read; those of a part, such as a channel, have a ``member``.
        """
        asked = """
            select distinct on (fact_firm_metric.metric, dim_firm.firm_key)
                fact_firm_metric.metric,
                dim_firm.firm_key,
                fact_firm_metric.metric_value
            from analytics.dim_firm
            inner join analytics.fact_firm_metric on dim_firm.firm_sk = fact_firm_metric.firm_sk
            where
                dim_firm.firm_key = any(%(firm_keys)s)
                and fact_firm_metric.metric = any(%(metrics)s)
                and fact_firm_metric.member = ''
                and fact_firm_metric.as_of > %(month)s
                and fact_firm_metric.as_of <= (%(month)s + interval '1 month')::date
            order by
                fact_firm_metric.metric,
                dim_firm.firm_key,
                fact_firm_metric.as_of desc
        """
        found: dict[str, dict[str, float]] = {metric: {} for metric in metrics}
        for row in self.rows(asked, {"month": month, "metrics": list(metrics), "firm_keys": list(firm_keys)}):
            if row["metric_value"] is not None:
                found[row["metric"]][row["firm_key"]] = float(row["metric_value"])
        return found

    def published_groups(self) -> dict[str, list[list[str]]]:
        """For each metric, the groups of firms whose values were published, one group per month."""
        asked = (
            "select metric, firm_keys from control.benchmark_decisions where is_published "
            "order by metric, month_start"
        )
        found: dict[str, list[list[str]]] = {}
        for row in self.rows(asked, {}):
            found.setdefault(row["metric"], []).append(row["firm_keys"])
        return found

    def record(self, month: date, decisions: Sequence[Decision]) -> int:
        """Write a month's decisions and rows in one transaction; rows written, 0 if the month was decided."""
        written = 0
        with self.connection.transaction():
            self.connection.execute("select pg_advisory_xact_lock(%s, 0)", [LOCK])
            if self.is_decided(month):
                return 0
            for one in decisions:
                self.connection.execute(
                    "insert into control.benchmark_decisions (month_start, metric, is_published, reason, "
                    "firm_keys) values (%s, %s, %s, %s, %s)",
                    [month, one.metric, one.quartiles is not None, one.reason, sorted(one.values)],
                )
                if one.quartiles is None:
                    continue
                for firm_key, value in sorted(one.values.items()):
                    row = [month, one.metric, one.unit, value, *one.quartiles, firm_key]
                    written += self.connection.execute(_ROW, row).rowcount
        return written
