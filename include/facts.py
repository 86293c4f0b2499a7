"""Facts that have landed: what the events of Airflow's assets say about them.

Each fact table is one Airflow asset of all firms. When a stage has loaded its facts, each of their assets
gets an event. On Airflow 3.3 the event has a partition, ``firm|as_of``, so that a DAG with the schedule
``PartitionedAssetTimetable`` runs once per firm and day. Airflow 3.2 has no partitions of that kind; there
a DAG reads firm and day in the event's ``extra``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Protocol

from include.steps import Step
from include.version import code_version

FACT = "fact_"
Extra = dict[str, Any]


class Landed(Protocol):
    """The part of a step's outcome that an event needs."""

    @property
    def step(self) -> str:
        """The step's name."""

    @property
    def rows(self) -> int:
        """The rows that it wrote."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """References of the manifests that it read."""

    @property
    def quality(self) -> dict[str, Any]:
        """What the quality gate found for the day."""


def facts_of(steps: Iterable[Step]) -> tuple[str, ...]:
    """The fact tables that these steps write, sorted."""
    return tuple(sorted({step.table for step in steps if step.table and step.table.startswith(FACT)}))


def asset_name(table: str) -> str:
    """The name of a fact's asset, such as ``firmament_fact_customer_rfm``."""
    return f"firmament_{table}"


def asset_uri(table: str) -> str:
    """The address of a fact's asset; the same wherever the warehouse is."""
    return f"firmament://warehouse/analytics/{table}"


def partition_key(firm_key: str, as_of: date) -> str:
    """The partition of a firm's snapshot: ``acme|2026-11-20``."""
    return f"{firm_key}|{as_of.isoformat()}"


def extras_of(
    steps: Sequence[Step], outcomes: Sequence[Landed], *, firm_key: str, as_of: date, run_id: str, url: str
) -> dict[str, Extra]:
    """The ``extra`` of each fact's event, by table.

    ``rows`` is what this run wrote: 0 when the warehouse had the same rows already. ``manifest`` is one
    of the ``manifest_count`` references that were loaded: the last in order of their paths, so of the latest
    month. ``inputs_sha256`` is the hash of all of them.
    """
    ended = {outcome.step: outcome for outcome in outcomes}
    extras: dict[str, Extra] = {}
    for table in facts_of(steps):
        loads = [ended[step.name] for step in steps if step.table == table and step.name in ended]
        inputs = sorted({reference for load in loads for reference in load.inputs})
        extras[table] = {
            "firm": firm_key,
            "as_of": as_of.isoformat(),
            "table": f"analytics.{table}",
            "rows": sum(load.rows for load in loads),
            **(loads[-1].quality if loads else {}),
            "manifest": inputs[-1] if inputs else None,
            "manifest_count": len(inputs),
            "inputs_sha256": hashlib.sha256("\n".join(inputs).encode()).hexdigest(),
            "code_version": code_version(),
            "run_id": run_id,
            "url": url,
        }
    return extras


def console_url(base_url: str, firm_key: str, as_of: date | str) -> str:
    """The address of a firm's page of a day in the console."""
    return f"{base_url.rstrip('/')}/plugin/firmament?firm={firm_key}&as_of={as_of}"


def runbook_url(base_url: str, kind: str = "") -> str:
    """The address of the runbook, at the section of a kind of incident."""
    section = f"#{kind.replace('_', '-')}" if kind else ""
    return f"{base_url.rstrip('/')}/firmament/runbook{section}"
