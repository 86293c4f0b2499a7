"""Run a simulated firm through the steps of ``try``; compare its sentences with sales and simulator."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.statements.firms import YEAR, Simulated, expected
from include import metrics
from include.datasets import Dataset
from include.datasets.actions import ACTIONS
from include.datasets.churn import CHURN_RISK
from include.datasets.insight import FIRM_INSIGHT, FIRM_METRICS
from include.firms import parse_firm
from include.handoff import Slot
from include.models.insight.model import show
from include.models.insight.text import SENTENCES, needs
from include.models.uplift import adjusted, amount_effect, slope_of
from include.run import preview
from include.slices import Slice

KEY = "simulated"
HOLDOUT = 0.3
FACTS = """
with days as (
    select customer_id, cast(occurred_at as date) as day,
        count(*) filter (where net_amount >= 0) as orders,
        coalesce(sum(net_amount) filter (where net_amount >= 0), 0) as sold,
        sum(net_amount) as net
    from lines where occurred_at < $as_of::timestamp group by all
),
customers as (
    select customer_id, min(day) filter (where orders > 0) as first_day,
        max(day) filter (where orders > 0) as last_day, sum(orders) as orders, sum(net) as net,
        count(*) filter (where orders > 0) as sale_days,
        coalesce(sum(net) filter (where day >= $as_of::date - 365), 0) as net_year
    from days group by customer_id having max(orders) > 0
),
known as (
    select *, $as_of::date - last_day as silent, $as_of::date - first_day as age,
        (select min(d.day) from days as d where d.customer_id = customers.customer_id and d.orders > 0
            and d.day > customers.first_day) as second_day,
        exists (select 1 from days as d where d.customer_id = customers.customer_id and d.orders > 0
            and d.day < $as_of::date - $period and d.day >= $as_of::date - 2 * $period) as was_active
    from customers
)
select
    count(*) as customers,
    max(age) as history_days,
    count(*) filter (where silent <= $period) as active_customers,
    sum(orders) as orders,
    (select coalesce(sum(net), 0) from days) as revenue,
    median(net) as median_spend,
    median(silent) as median_days_since_last_order,
    count(*) filter (where orders = 1) as one_time_customers,
    count(*) filter (where age <= $period) as new_customers,
    count(*) filter (where was_active) as earlier_customers,
    count(*) filter (where was_active and silent <= $period) as retained_customers,
    count(*) filter (where age > $period) as matured,
    count(*) filter (where age > $period and second_day - first_day <= $period) as converted,
    (select coalesce(sum(orders), 0) from days where day >= $as_of::date - 365) as orders_year,
    (select coalesce(sum(sold), 0) from days where day >= $as_of::date - 365) as sales_year,
    (select coalesce(sum(net), 0) from days where day >= $as_of::date - 365) as revenue_year,
    (select coalesce(sum(net), 0) from days
        where day >= $as_of::date - 730 and day < $as_of::date - 365) as revenue_before
from known
"""


class Found(NamedTuple):
    """Sentences by kind of fault, and how predictive ones and a null effect came out."""

    sentences: int
    false: tuple[str, ...]  # a number is not that of the sales
    without_evidence: tuple[str, ...]
    predictions: dict[str, bool]  # whether the interval holds the simulator's expectation
    null_effect_found: bool | None  # None: fewer than 30 customers in a group


def check(firm: Simulated, folder: Path, *, modules: tuple[str, ...] = preview.MODULES) -> Found:
    """Compute the firm as of its snapshot, and compare what is said with what is so."""
    tables = _run(firm, folder, modules)
    rows = [row for row in tables[FIRM_INSIGHT.name].to_pylist() if row["language_code"] == "en"]
    values = {
        (row["metric"], row["member"]): row["metric_value"] for row in tables[FIRM_METRICS.name].to_pylist()
    }
    facts = _facts(firm)
    true = _true_metrics(facts)
    wrong, unfounded = [], []
    for row in rows:
        for cited in json.loads(row["cited_metrics"]):
            name = cited["metric"]
            if name in true and not cited["member"] and not _agrees(name, true[name], cited["shown"]):
                wrong.append(f"{row['rule_code']}: {name} is {true[name]}, said {cited['shown']}")
        unfounded += _without_evidence(row, facts, tables[CHURN_RISK.name], firm)
    said = {row["rule_code"] for row in rows}
    return Found(
        len(rows),
        tuple(wrong),
        tuple(unfounded),
        _predictions(firm, said, values),
        _null_effect(firm, tables[ACTIONS.name]),
    )


def _run(firm: Simulated, folder: Path, modules: tuple[str, ...]) -> dict[str, pa.Table]:
    drop = folder / "drop"
    drop.mkdir()
    pq.write_table(firm.lines, drop / "sales.parquet")
    row = parse_firm(
        {
            "firm_key": KEY,
            "name": "Simulated",
            "source": {"kind": "csv", "uri": drop.as_uri(), "layout": "mapped"},
            "timezone": "UTC",
            "currency": "EUR",
            "working_day_period": 0,
            "churn_threshold_days": firm.churn_threshold_days,
            "modules": list(modules),
            "actions": {"holdout_share": HOLDOUT},
        }
    )
    handoff, _ = preview.compute(row, firm.as_of, folder)
    return {
        dataset.name: _read(handoff, dataset, firm) if module in modules else dataset.schema.empty_table()
        for dataset, module in (
            (FIRM_INSIGHT, "insight"),
            (FIRM_METRICS, "insight"),
            (CHURN_RISK, "churn"),
            (ACTIONS, "actions"),
        )
    }


def _read(handoff: Any, dataset: Dataset, firm: Simulated) -> pa.Table:
    return pa.Table.from_batches(handoff.read(Slot(KEY, dataset, Slice(firm.as_of))), dataset.schema)


def _facts(firm: Simulated) -> dict[str, Any]:
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.register("lines", firm.lines)
        table = connection.sql(
            FACTS, params={"as_of": firm.as_of, "period": firm.churn_threshold_days}
        ).to_arrow_table()
    facts: dict[str, Any] = table.to_pylist()[0]
    return facts


def _true_metrics(facts: Mapping[str, Any]) -> dict[str, Decimal]:
    """The values of descriptive metrics, counted from the lines."""
    found = {
        name: Decimal(value)
        for name, value in facts.items()
        if value is not None and name in {metric.name for metric in metrics.GLOSSARY}
    }

    def share(part: str, whole: str) -> Decimal | None:
        return 100 * Decimal(facts[part]) / Decimal(facts[whole]) if facts[whole] else None

    ratios = {
        "active_share": share("active_customers", "customers"),
        "one_time_share": share("one_time_customers", "customers"),
        "new_customer_share": share("new_customers", "active_customers"),
        "retention_rate": share("retained_customers", "earlier_customers"),
        "one_timer_conversion": share("converted", "matured"),
        "avg_order_value": (share("sales_year", "orders_year") or Decimal(0)) / 100,
    }
    if facts["revenue_before"]:
        change = Decimal(facts["revenue_year"]) / Decimal(facts["revenue_before"]) - 1
        ratios["revenue_change"] = abs(100 * change)
    return found | {name: value for name, value in ratios.items() if value is not None}


def _agrees(name: str, value: Decimal, shown: str) -> bool:
    unit = metrics.find(name).unit
    near = (value, value + Decimal("0.0001"), value - Decimal("0.0001"))  # the rounding of stored values
    return shown in {show(number, unit, language="en", currency="EUR") for number in near}


def _without_evidence(
    row: Mapping[str, Any], facts: Mapping[str, Any], risk: pa.Table, firm: Simulated
) -> list[str]:
    (sentence,) = [sentence for sentence in SENTENCES if sentence.rule == row["rule_code"]]
    needed = needs(sentence)
    days = max(needed.history_days, needed.history_periods * firm.churn_threshold_days)
    history = facts["history_days"] or 0
    # A condition such as "less than a year on record" needs no year.
    faults = [f"{sentence.rule}: {history} days of {days}"] if history < days else []
    if "churn" in needed.modules and "rules" in set(risk["method"].to_pylist()):
        faults.append(f"{sentence.rule}: rules score")
    return faults


def _predictions(
    firm: Simulated, said: set[str], values: Mapping[tuple[str, str], Decimal | None]
) -> dict[str, bool]:
    lines = firm.lines.to_pandas()
    at = lines["occurred_at"].dt.tz_convert("UTC").dt.tz_localize(None)
    lines["day"] = (at - np.datetime64(firm.plan.start, "ns")).dt.total_seconds() / 86400
    now = (firm.as_of - firm.plan.start).days
    past = lines[lines["day"] < now]
    orders = past[past["net_amount"] >= 0]
    last = orders.groupby("customer_id")["day"].max().to_dict()
    if not last:
        return {}
    truth = expected(firm, {name: float(np.floor(day)) for name, day in last.items()})
    found = {}
    if "risk" in said:
        year = past[past["day"] >= now - YEAR].groupby("customer_id")["net_amount"].sum().astype(float)
        silent = np.array([now - np.floor(last[name]) for name in truth.customer_id])
        spend = np.array([max(year.get(name, 0.0), 0.0) for name in truth.customer_id])
        is_active = silent <= firm.churn_threshold_days
        total = float((truth.no_purchase * spend)[is_active].sum())
        found["spend_at_risk"] = _holds(values, "spend_at_risk", total)
    if "expected" in said:
        sold = float(orders["net_amount"].sum())
        kept = float(past["net_amount"].sum()) / sold if sold else 1.0
        total = kept * float((truth.orders_year * truth.order_value).sum())
        found["expected_spend_year"] = _holds(values, "expected_spend_year", total)
    return found


def _holds(values: Mapping[tuple[str, str], Decimal | None], name: str, truth: float) -> bool:
    low, high = values[f"{name}_low", ""], values[f"{name}_high", ""]
    return low is not None and high is not None and float(low) <= truth <= float(high)


def _null_effect(firm: Simulated, actions: pa.Table) -> bool | None:
    """Whether an effect is found though no action was carried out: the quarter after the snapshot."""
    lines = firm.lines.to_pandas()
    day = lines["occurred_at"].dt.tz_convert("UTC").dt.date
    end = firm.as_of + timedelta(days=91)
    begin = firm.as_of - timedelta(days=YEAR)
    after = lines[(day >= firm.as_of) & (day < end)].groupby("customer_id")["net_amount"].sum()
    before = lines[(day < firm.as_of) & (day >= begin)].groupby("customer_id")["net_amount"].sum()
    rows = [row for row in actions.to_pylist() if row["is_chosen"] or row["is_holdout"]]
    if not rows:
        return None
    spent = [float(after.get(row["customer_id"], 0)) for row in rows]
    known = [float(before.get(row["customer_id"], 0)) for row in rows]
    found = adjusted(spent, known, slope=slope_of(spent, known), mean_before=sum(known) / len(known))
    treated = [amount for amount, row in zip(found, rows, strict=True) if row["is_chosen"]]
    held_out = [amount for amount, row in zip(found, rows, strict=True) if row["is_holdout"]]
    effect = amount_effect(treated, held_out)
    return None if effect is None else effect.is_beyond_chance
