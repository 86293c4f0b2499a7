"""Firms: the fields of a row of ``control.firms``, with their rules.

The row in the warehouse is authoritative. ``Firm`` validates it; ``FirmShape`` is the part that determines
the DAG, exported to the file that DAG files read (``include/registry.py``).
"""

from __future__ import annotations

import hashlib
from typing import Literal

from pydantic import ConfigDict, Field, ValidationError, model_validator
from pydantic_core import to_json

from include.firm_actions import Actions
from include.firm_scores import Churn, Ltv, Rfm
from include.firm_source import (
    NAME,
    Currency,
    FileOptions,
    Identifier,
    SourceRow,
    Understood,
    Zone,
    is_time_zone,
)
from include.modules import MODULES, NAMES, OPTIONAL_MODULES
from include.row_checks import LARGEST_AMOUNT, Place, Real, Strict, Whole, did_you_mean, faults_in, faults_of
from include.shards import start_minute

__all__ = [
    "MODULES", "NAME", "OPTIONAL_MODULES", "Churn", "FileOptions", "Firm", "FirmError", "FirmShape", "Ltv",
    "Rfm", "SourceRow", "Understood", "is_time_zone", "parse_firm",
]  # fmt: skip

WAREHOUSE_POOL, BACKFILL_POOL = "firmament_warehouse", "firmament_backfill"  # include/pools.py adds them
DagShape = Literal["staged", "compact"]
PUBLISHED = (
    "analytic_customer",
    "analytic_firm_based",
    "churn_performance_metrics",
    "churn_feature_importances",
    "churn_firm_based",
)

# Fields of a firm that change no computed number: name, schedule, and targets of results and messages.
NO_NUMBERS = {
    "firm_key", "name", "working_day_period", "schedule_hour", "schedule_minute", "modules", "engine",
    "owner", "alerts", "publish", "is_benchmarked", "is_paused", "dag_shape",
}  # fmt: skip
FIRST_SETTINGS: dict[str, tuple[str, ...]] = {  # see Firm.first_settings_reference; never change it
    "timezone": (),
    "churn_threshold_days": (),
    "min_spend": (),
    "min_orders": (),
    "rfm": (
        "window_days", "quantiles", "min_customers", "new_days", "active_days", "passive_days", "segments",
    ),
    "churn": (
        "category_bounds", "band_bounds", "decision_threshold", "most_cutoffs", "sample_customers",
        "min_customers", "min_repeat_buyers", "min_events",
    ),
    "ltv": ("annual_discount_rate", "margin_share", "min_customers", "min_repeat_buyers"),
    "retrain_months": (),
}  # fmt: skip


class FirmError(ValueError):
    """A firm's row cannot be used; the message names the firm, the field and the fix."""

    def __init__(self, message: str, faults: tuple[tuple[Place, str], ...] = ()) -> None:
        """Keep each place in the row that is wrong, and why, beside the message."""
        super().__init__(message)
        self.faults = faults


class Alerts(Strict):
    """Airflow connection ids that receive alerts, and how urgent a failure of the firm is."""

    webhook: Identifier | None = None
    slack: Identifier | None = None
    smtp: Identifier | None = None
    email_to: tuple[str, ...] = ()
    tier: Literal["critical", "standard", "low"] = "standard"
    deadline_hours: Whole = Field(default=6, ge=1, le=168)


class Publish(Strict):
    """The target of a firm's results: its own database, a webhook, or both; never a secret."""

    conn_id: Identifier | None = None
    db_schema: Identifier | None = Field(default=None, alias="schema")
    tables: tuple[str, ...] = PUBLISHED
    webhook: Identifier | None = None

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="after")
    def _has_a_target(self) -> Publish:
        if self.conn_id is None and self.webhook is None:
            raise ValueError("publish: give conn_id and schema (its own database), or webhook, or both")
        if (self.conn_id is None) != (self.db_schema is None):
            raise ValueError("publish: conn_id and schema go together")
        if unknown := sorted(set(self.tables) - set(PUBLISHED)):
            raise ValueError(f"publish.tables {unknown} are unknown; there are {list(PUBLISHED)}")
        return self


class FirmShape(Strict):
    """The fields that determine a firm's DAG."""

    firm_key: Identifier
    name: str = Field(min_length=1, max_length=200)
    timezone: Zone
    working_day_period: Whole = Field(ge=0, le=366)
    schedule_hour: Whole = Field(default=5, ge=0, le=23)
    schedule_minute: Whole = Field(default=0, ge=0, le=59)
    source_kind: Identifier
    pool: Identifier
    modules: tuple[str, ...] = MODULES
    owner: str = "firmament"
    alerts: Alerts = Alerts()
    dag_shape: DagShape = "staged"
    is_paused: bool = False


class Firm(Strict):
    """One valid row of ``control.firms``."""

    firm_key: Identifier
    name: str = Field(min_length=1, max_length=200)
    source: SourceRow
    timezone: Zone
    currency: Currency
    working_day_period: Whole = Field(ge=0, le=366)
    schedule_hour: Whole = Field(default=5, ge=0, le=23)
    schedule_minute: Whole | None = Field(default=None, ge=0, le=59)
    churn_threshold_days: Whole = Field(ge=1, le=3650)
    min_spend: Real = Field(default=0, ge=0, le=LARGEST_AMOUNT)
    min_orders: Whole = Field(default=1, ge=1, le=1_000_000)
    lookback_days: Whole = Field(default=35, ge=0, le=3650)
    modules: tuple[str, ...] = MODULES
    engine: Literal["duckdb"] = "duckdb"
    language: Literal["en", "tr"] = "en"
    owner: str = "firmament"
    alerts: Alerts = Alerts()
    rfm: Rfm = Rfm()
    churn: Churn = Churn()
    ltv: Ltv = Ltv()
    actions: Actions = Actions()
    publish: Publish | None = None
    quality: dict[str, dict[str, dict[str, Real | None]]] = {}  # noqa: RUF012 - pydantic copies it
    retrain_months: Whole = Field(default=3, ge=1, le=12)
    is_benchmarked: bool = False
    dag_shape: DagShape = "staged"
    is_paused: bool = False

    @model_validator(mode="before")
    @classmethod
    def _publish_needs_a_target(cls, row: dict[str, object]) -> dict[str, object]:
        if row.get("publish"):
            return row
        modules = row.get("modules", MODULES)
        if isinstance(modules, list | tuple):
            modules = tuple(module for module in modules if module != "publish")
        return {**row, "modules": modules}

    @model_validator(mode="after")
    def _modules_known(self) -> Firm:
        if unknown := sorted(set(self.modules) - set(NAMES)):
            shown = [name for name in unknown if NAME.fullmatch(name)]
            hint = did_you_mean(shown[0], NAMES) if shown else ""
            raise ValueError(f"modules {shown} are unknown{hint}; there are {list(NAMES)}")
        return self

    @property
    def settings_reference(self) -> str:
        """A hash of every setting that can change a computed number, as manifests refer to it."""
        left_out: dict[str, bool | set[str]] = dict.fromkeys(NO_NUMBERS, True)
        parts: dict[str, SourceRow | Actions | Churn | Rfm | Ltv] = {
            "source": self.source,
            "actions": self.actions,
            "churn": self.churn,
            "rfm": self.rfm,
            "ltv": self.ltv,
        }
        left_out |= {name: unset for name, part in parts.items() if (unset := part.added_and_unset)}
        return _reference(self.model_dump_json(exclude=left_out))

    @property
    def first_settings_reference(self) -> str:
        """The reference of models trained before each model named its settings, for today's row.

        Frozen: the fields that existed then, in their order then. A field added since is no part of it.
        """
        row = self.model_dump()
        fields = {
            name: {inner: row[name][inner] for inner in of} if of else row[name]
            for name, of in FIRST_SETTINGS.items()
        }
        return _reference(to_json(fields).decode())

    @property
    def shape(self) -> FirmShape:
        """The part that the registry file holds."""
        place = self.source.conn_id or self.source.kind
        return FirmShape(
            firm_key=self.firm_key,
            name=self.name,
            timezone=self.timezone,
            working_day_period=self.working_day_period,
            schedule_hour=self.schedule_hour,
            schedule_minute=start_minute(self.firm_key, self.schedule_minute),
            source_kind=self.source.kind,
            pool=f"source_{place}"[:63],
            modules=tuple(name for name in NAMES if name in self.modules),
            owner=self.owner,
            alerts=self.alerts,
            dag_shape=self.dag_shape,
            is_paused=self.is_paused,
        )


def _reference(settings: str) -> str:
    return f"settings#0#{hashlib.sha256(settings.encode()).hexdigest()}"


def parse_firm(row: dict[str, object]) -> Firm:
    """A firm from a row or a YAML mapping; FirmError lists every field that is wrong."""
    faults = tuple(faults_of(row))
    try:
        if not faults:
            return Firm.model_validate({k: v for k, v in row.items() if v is not None})
    except ValidationError as error:
        faults = tuple(faults_in(error, Firm))
    key = str(row.get("firm_key", "?"))
    key = key if NAME.fullmatch(key) else "?"
    text = "; ".join(f"{'.'.join(map(str, place)) or 'row'}: {reason}" for place, reason in faults)
    raise FirmError(f"firm {key}: {text}. Correct its row: python -m include firms add --file F.yaml", faults)
