"""Run a simulated firm through the steps of ``try``; compare its sentences with sales and simulator."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from bench.statements import page, promises
from bench.statements.facts import Facts, customer_days, facts_of, true_metrics
from bench.statements.firms import Simulated
from bench.statements.predictions import Said, null_effect, outcomes
from include import metrics
from include.datasets import Dataset
from include.datasets.actions import ACTIONS
from include.datasets.churn import CHURN_RISK
from include.datasets.computed import RFM, SEGMENTS
from include.datasets.insight import FIRM_INSIGHT, FIRM_METRICS
from include.firms import Firm, parse_firm
from include.handoff import Handoff, Slot
from include.models.insight.model import show
from include.models.insight.text import SENTENCES, needs
from include.run import preview
from include.slices import Slice

KEY = "simulated"
HOLDOUT = 0.3
NEAR_HALF = 0.02  # the median day is a whole day
READ = ((FIRM_INSIGHT, "insight"), (FIRM_METRICS, "insight"), (CHURN_RISK, "churn"), (ACTIONS, "actions"))


class Found(NamedTuple):
    """Sentences by kind of fault, and how predictive ones and a null effect came out."""

    kind: str
    sentences: int
    false: tuple[str, ...]  # a number is not that of the sales
    without_evidence: tuple[str, ...]
    predictions: dict[str, bool]  # whether the interval holds the simulator's expectation
    null_effect_found: bool | None  # None: fewer than 30 customers in a group


def check(firm: Simulated, folder: Path, *, modules: tuple[str, ...] = preview.MODULES) -> Found:
    """Compute the firm as of its snapshot, and compare what is said with what is so."""
    row = _row(firm, folder, modules)
    handoff, _ = preview.compute(row, firm.as_of, folder)
    tables = {
        dataset.name: _read(handoff, dataset, firm) if module in modules else dataset.schema.empty_table()
        for dataset, module in READ
    }
    summary = page.summary_of(handoff, row, firm, folder)
    facts = facts_of(firm)
    rows = tables[FIRM_INSIGHT.name].to_pylist()
    keys = page.shown(summary)
    values = {
        (row["metric"], row["member"]): row["metric_value"] for row in tables[FIRM_METRICS.name].to_pylist()
    }
    said = Said(
        {row["rule_code"] for row in rows},
        values,
        keys,
        {name: page.number(figure) for name, figure in summary.figures.items()},
        tables[CHURN_RISK.name],
    )
    return Found(
        firm.case.kind,
        len(rows) + len(keys),
        (
            *wrong_numbers(rows, true_metrics(facts)),
            *page.wrong_figures(firm, summary),
            *page.contacted_against_consent(firm, tables),
            *_broken_promises(firm, handoff),
            *contradictory_dates(tables[CHURN_RISK.name].to_pylist(), firm),
        ),
        (
            *(
                fault
                for row in rows
                for fault in _without_evidence(row, facts, tables[CHURN_RISK.name], firm)
            ),
            *page.without_evidence(firm, summary, facts),
        ),
        outcomes(firm, said),
        null_effect(firm, tables[ACTIONS.name]),
    )


def _row(firm: Simulated, folder: Path, modules: tuple[str, ...]) -> Firm:
    drop = folder / "drop"
    drop.mkdir()
    optional = {"margin_amount": firm.case.has_costs, "may_contact": firm.case.has_consent}
    lines = firm.lines.drop_columns([name for name, has in optional.items() if not has])
    pq.write_table(lines, drop / "sales.parquet")
    return parse_firm(
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


def _read(handoff: Handoff, dataset: Dataset, firm: Simulated) -> pa.Table:
    return pa.Table.from_batches(handoff.read(Slot(KEY, dataset, Slice(firm.as_of))), dataset.schema)


def wrong_numbers(rows: list[dict[str, Any]], true: Mapping[str, Decimal]) -> list[str]:
    """Numbers of sentences, in every language, that are not those of the lines."""
    return [
        f"{row['rule_code']}: {name} is {true[name]}, said {cited['shown']} ({row['language_code']})"
        for row in rows
        for cited in json.loads(row["cited_metrics"])
        if (name := cited["metric"]) in true
        and not cited["member"]
        and not _agrees(name, true[name], cited["shown"], row["language_code"])
    ]


def _agrees(name: str, value: Decimal, shown: str, language: str) -> bool:
    unit = metrics.find(name).unit
    near = (value, value + Decimal("0.0001"), value - Decimal("0.0001"))  # the rounding of stored values
    return shown in {show(number, unit, language=language, currency="EUR") for number in near}


def _without_evidence(row: Mapping[str, Any], facts: Facts, risk: pa.Table, firm: Simulated) -> list[str]:
    (sentence,) = [sentence for sentence in SENTENCES if sentence.rule == row["rule_code"]]
    needed = needs(sentence)
    days = max(needed.history_days, needed.history_periods * firm.churn_threshold_days)
    history = facts["history_days"] or 0
    # A condition such as "less than a year on record" needs no year.
    faults = [f"{sentence.rule}: {history} days of {days}"] if history < days else []
    if "churn" in needed.modules and "rules" in set(risk["method"].to_pylist()):
        faults.append(f"{sentence.rule}: rules score")
    if sentence.rule == "expected_margin" and firm.case.has_costs:
        faults.append(f"{sentence.rule}: a margin is assumed though the file has costs")
    return faults


def _broken_promises(firm: Simulated, handoff: Handoff) -> list[str]:
    """Segments with a customer for whom the segment's name is not so."""
    scored = promises.Scored(_read(handoff, RFM, firm), _read(handoff, SEGMENTS, firm))
    broken = promises.broken(
        customer_days(firm), scored, as_of=firm.as_of, churn_threshold_days=firm.churn_threshold_days
    )
    return [f"segment {code}: {wrong} of {count}" for code, (count, wrong) in broken.items() if wrong]


def contradictory_dates(risk: list[dict[str, Any]], firm: Simulated) -> list[str]:
    """Customers whose median next order date says another thing than their churn probability."""
    end = firm.as_of + timedelta(days=firm.churn_threshold_days)
    found = []
    for row in risk:
        chance, day = row["churn_probability"], row["next_order_date_50_pct"]
        if chance is None or row["any_order_probability"] is None or abs(chance - 0.5) < NEAR_HALF:
            continue
        if (chance < 0.5) != (day is not None and day <= end):
            found.append(f"next order: {row['customer_id']} {day} beside a churn probability of {chance:.3f}")
    return found
