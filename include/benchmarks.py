"""Benchmarks among the firms that share their ratios: decide the last month once, a week after it ended.

``models/benchmarks.py`` says what may be published, ``warehouse/benchmarks.py`` reads and writes.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from include.firms import FirmError, parse_firm
from include.metrics import GLOSSARY
from include.models.benchmarks import quartiles, why_not
from include.periods import Month
from include.settings import Settings
from include.warehouse import Warehouse
from include.warehouse.benchmarks import Benchmarks, Decision

WAIT = timedelta(days=7)  # for the last snapshots of the month


def publish_benchmarks(settings: Settings, *, at: datetime) -> int:
    """Decide the latest month that ended a week before ``at``; rows written, 0 if it was decided before."""
    month = Month.of(Month.of((at - WAIT).date()).first - timedelta(days=1)).first
    metrics = {metric.name: metric for metric in GLOSSARY if metric.is_benchmark}
    with Benchmarks(settings.warehouse_dsn()) as benchmarks:
        if benchmarks.is_decided(month):
            return 0
        published = benchmarks.published_groups()
        decisions = []
        shared = benchmarks.shared_values(month, list(metrics), sharing(settings))
        for name, values in shared.items():
            reason = why_not(values, published.get(name, []))
            found = None if reason else quartiles(values, metrics[name].unit)
            decisions.append(Decision(name, metrics[name].unit, values, found, reason))
        return benchmarks.record(month, decisions)


def sharing(settings: Settings) -> list[str]:
    """Keys of the firms that share; a firm whose row is not valid does not."""
    found = []
    with Warehouse(settings.warehouse_dsn()) as warehouse:
        for row in warehouse.firms.firm_rows():
            try:
                firm = parse_firm(row)
            except FirmError:
                continue
            if firm.is_benchmarked:
                found.append(firm.firm_key)
    return found
