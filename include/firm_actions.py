"""A firm's settings of actions, as fields of its row."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from include.firm_source import Identifier
from include.row_checks import LARGEST_AMOUNT, Real, Strict, Whole

ADDED = ("require_consent", "contact_gap_days", "usual_share")


class ActionRule(Strict):
    """A rule: which customers get which action. Empty segments or risks mean all."""

    action_code: Identifier
    segments: tuple[Identifier, ...] = ()
    risks: tuple[Literal["Low", "Medium", "High", "Critical"], ...] = ()
    least_value: Real = Field(default=0, ge=0, le=LARGEST_AMOUNT)
    max_orders: Whole | None = Field(default=None, ge=1)
    unit_cost: Real | None = Field(default=None, ge=0, le=LARGEST_AMOUNT)
    unit_cost_in_orders: Real | None = Field(default=None, ge=0, le=1000)
    expected_lift: Real = Field(gt=0, le=1)
    explanation: str = Field(min_length=1, max_length=500)

    @model_validator(mode="after")
    def _one_cost(self) -> ActionRule:
        if (self.unit_cost is None) == (self.unit_cost_in_orders is None):
            raise ValueError("give either unit_cost (currency) or unit_cost_in_orders (average orders)")
        return self


class Actions(Strict):
    """A firm's settings of actions: budget of a quarter (None: no limit), groups, contact, rules.

    ``usual_share``: customers for whom the firm does what it would do without the plan.
    ``require_consent``: only customers who agreed are contacted. ``contact_gap_days``: days without a
    campaign message before an action. Rules given here replace the standard rules.
    """

    budget: Real | None = Field(default=None, ge=0, le=LARGEST_AMOUNT)
    holdout_share: Real = Field(default=0.1, ge=0, le=0.5)
    usual_share: Real = Field(default=0.0, ge=0, le=0.5)
    require_consent: bool = False
    contact_gap_days: Whole = Field(default=7, ge=0, le=365)
    rules: tuple[ActionRule, ...] = ()

    @property
    def added_and_unset(self) -> set[str]:
        """Fields of later releases that are at their default: no part of a hash of the firm's settings."""
        fields = type(self).model_fields
        return {name for name in ADDED if getattr(self, name) == fields[name].default}

    @model_validator(mode="after")
    def _one_rule_each(self) -> Actions:
        codes = [rule.action_code for rule in self.rules]
        if twice := sorted({code for code in codes if codes.count(code) > 1}):
            raise ValueError(f"actions.rules: {twice} have two rules each")
        return self
