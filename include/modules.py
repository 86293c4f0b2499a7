"""The modules of a firm, one row each. Every list of modules in the code derives from these rows.

A module is a part of the pipeline that a firm's row switches on: the steps in ``steps.py`` that carry its
name. This file imports nothing of ours, so that ``firms.py`` and DAG files may read it; datasets and tables
are named as text, and tests compare the names with ``datasets/``, ``steps.py`` and ``firms.py``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any


@dataclass(frozen=True)
class Training:
    """How a module's model is trained: once per anchor, from training rows of past cutoffs.

    ``rows`` and ``model`` are the datasets written per anchor. ``horizon`` is the days that a prediction
    looks ahead: a number, or the setting that holds it. ``rows_settings`` are the settings of the firm that
    the training rows depend on, ``fit_settings`` those that the fit reads besides; dotted names of fields of
    ``Firm``. A model is trained again when one of these changes, and only then. ``added_settings`` holds
    settings that a later release added, each with its default. A setting at this default is left out of the
    fingerprint, so the upgrade retrains nothing.
    """

    rows: str
    model: str
    horizon: int | str
    rows_settings: tuple[str, ...]
    fit_settings: tuple[str, ...]
    added_settings: Mapping[str, object] = field(default_factory=dict)

    def settings_of(self, dataset: str) -> tuple[str, ...]:
        """The settings that the training rows, or the model made of them, depend on."""
        return self.rows_settings if dataset == self.rows else (*self.rows_settings, *self.fit_settings)

    def fingerprint(self, firm: Any, dataset: str) -> str:
        """Reference to the settings that ``dataset`` depends on, for manifests: ``settings#0#SHA256``."""
        names = [name for name in self.settings_of(dataset) if not self._is_as_before(firm, name)]
        text = json.dumps({name: setting(firm, name) for name in names}, sort_keys=True)
        return f"settings#0#{hashlib.sha256(text.encode()).hexdigest()}"

    def is_as_first_released(self, firm: Any) -> bool:
        """Whether every setting added since the first release has the value that changes nothing."""
        return all(self._is_as_before(firm, name) for name in self.added_settings)

    def horizon_days(self, firm: Any) -> int:
        """Days that a prediction for ``firm`` looks ahead."""
        return self.horizon if isinstance(self.horizon, int) else int(setting(firm, self.horizon))

    def _is_as_before(self, firm: Any, name: str) -> bool:
        return name in self.added_settings and setting(firm, name) == self.added_settings[name]


@dataclass(frozen=True)
class Module:
    """One module: what a firm's row, the CLI and the console call it, and what it works with.

    ``is_optional``: off unless the firm's row lists it. ``needs`` is the dataset its source must offer.
    ``snapshot`` is the customer fact that publishing reads. ``in_preview``: ``try`` runs it.
    """

    name: str
    about: str
    is_optional: bool = False
    needs: str | None = None
    snapshot: str | None = None
    in_preview: bool = False
    training: Training | None = None


ROWS: tuple[Module, ...] = (
    Module("rfm", "RFM scores and segments.", snapshot="fact_customer_rfm", in_preview=True),
    Module(
        "churn",
        "Churn risk.",
        snapshot="fact_customer_churn_risk",
        in_preview=True,
        training=Training(
            rows="churn_training",
            model="churn_model",
            horizon="churn_threshold_days",
            rows_settings=(
                "timezone",
                "churn_threshold_days",
                "churn.most_cutoffs",
                "churn.sample_customers",
            ),
            fit_settings=(
                "churn.decision_threshold",
                "churn.min_customers",
                "churn.min_repeat_buyers",
                "churn.min_events",
            ),
        ),
    ),
    Module(
        "ltv",
        "Customer lifetime value.",
        snapshot="fact_customer_ltv",
        in_preview=True,
        training=Training(
            rows="value_histories",
            model="value_model",
            horizon=180,
            rows_settings=("timezone", "churn_threshold_days", "rfm.window_days"),
            fit_settings=(
                "ltv.annual_discount_rate",
                "ltv.margin_share",
                "ltv.min_customers",
                "ltv.min_repeat_buyers",
            ),
        ),
    ),
    Module(
        "next_product", "What each customer is likely to buy next, and when a repeat is due.", in_preview=True
    ),
    Module("insight", "Metrics of the firm, and sentences about them.", in_preview=True),
    Module("actions", "Recommended actions, within a budget.", in_preview=True),
    Module("publish", "Results written to the firm's own database, and changes to its webhook."),
    Module("engagement", "Interactions, campaigns and channels.", is_optional=True, needs="interactions"),
    Module("acquisition", "Leads, and the customers they become.", is_optional=True, needs="leads"),
    Module("loyalty", "Loyalty points.", is_optional=True, needs="loyalty_movements"),
)

NAMES = tuple(module.name for module in ROWS)
MODULES = tuple(module.name for module in ROWS if not module.is_optional)
OPTIONAL_MODULES = tuple(module.name for module in ROWS if module.is_optional)
TRAINED = {module.name: module.training for module in ROWS if module.training}


def trained_as(dataset: str) -> Training:
    """The training that writes ``dataset`` per anchor."""
    for training in TRAINED.values():
        if dataset in (training.rows, training.model):
            return training
    raise LookupError(
        f"dataset {dataset!r} is kept by anchor, but no module trains it; "
        "name it in the module's Training row in include/modules.py"
    )


def setting(firm: Any, name: str) -> Any:
    """A firm's setting by its dotted name, such as ``churn.min_events``."""
    return attrgetter(name)(firm)
