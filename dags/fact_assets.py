"""The assets of fact tables, and the links of a task: what a firm's DAG shows to the rest of Airflow.

Airflow does not parse this file (``.airflowignore``).
"""

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any

from airflow.sdk import Asset, BaseOperatorLink
from airflow.sdk.configuration import conf

from include.facts import (
    asset_name,
    asset_uri,
    console_url,
    extras_of,
    facts_of,
    partition_key,
    runbook_url,
)
from include.steps import Step

INCIDENT_KIND = "firmament_incident_kind"  # an attribute of a failed task's operator
AS_OF = "firmament_as_of"  # an attribute of a running task's operator


@cache
def fact_asset(table: str) -> Asset:
    """The asset of a fact table: one object for the DAGs of all firms."""
    return Asset(name=asset_name(table), uri=asset_uri(table), group="firmament")


def assets_of(steps: Sequence[Step]) -> list[Asset]:
    """The assets of the facts that these steps write."""
    return [fact_asset(table) for table in facts_of(steps)]


def record_events(
    context: Any, steps: Sequence[Step], outcomes: Sequence[Any], *, firm_key: str, as_of: date
) -> None:
    """Fill the events of a stage's facts; Airflow records them when the task succeeds."""
    extras = extras_of(
        steps,
        outcomes,
        firm_key=firm_key,
        as_of=as_of,
        run_id=context["run_id"],
        url=console_url(base_url(), firm_key, as_of),
    )
    for table, extra in extras.items():
        event = context["outlet_events"][fact_asset(table)]
        event.extra.update(extra)
        if hasattr(event, "add_partitions"):  # since Airflow 3.3
            event.add_partitions(partition_key(firm_key, as_of))


def base_url() -> str:
    """Airflow's address for people; empty where it is not configured, and links are then relative."""
    return str(conf.get("api", "base_url", fallback="") or "")


class RunbookLink(BaseOperatorLink):
    """The runbook: at the section of the incident when the task failed."""

    name = "Runbook"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """The address."""
        return runbook_url(base_url(), getattr(operator, INCIDENT_KIND, ""))


class ReportLink(BaseOperatorLink):
    """The firm's page of the run's day in the console."""

    name = "Report"

    def __init__(self, firm_key: str) -> None:
        self.firm_key = firm_key

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """The address."""
        return console_url(base_url(), self.firm_key, getattr(operator, AS_OF, ""))
