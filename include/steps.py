"""The pipeline, as one tuple of rows: what each step is, what it reads and what it writes.

This is the page to read first. Task order follows from the rows: a step runs after the steps that
write what it reads, after the gate of every dataset it reads, and after the tables named in
``after``. Paths follow from (firm, dataset, slice), so any step can be rerun alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Literal

from include.datasets import Dataset
from include.datasets.actions import ACTION_CANDIDATES, ACTIONS
from include.datasets.churn import CHURN_MODEL, CHURN_RISK, CHURN_TRAINING
from include.datasets.computed import (
    CUSTOMER_DAYS,
    CUSTOMER_SUMMARY,
    RFM,
    RFM_CUTS,
    RFM_VALUES,
    SEGMENTS,
)
from include.datasets.engagement import ACQUISITIONS, DIRECTORY, INTERACTIONS, LEADS
from include.datasets.extracted import CUSTOMERS, LOYALTY_MOVEMENTS, PRODUCTS, TRANSACTIONS
from include.datasets.features import CUSTOMER_FEATURES
from include.datasets.insight import FIRM_INSIGHT, FIRM_METRICS
from include.datasets.value import LTV, VALUE_HISTORIES, VALUE_MODEL

Kind = Literal[
    "extract", "validate", "query", "features", "sample", "fit", "predict", "load", "score", "publish"
]


@dataclass(frozen=True)
class Step:
    """One task of a firm's DAG.

    ``name`` is its task id; ``does`` is the sentence an on-call person reads; ``module`` is the
    firm's module flag that switches it on (None: always on).
    """

    name: str
    kind: Kind
    does: str
    reads: tuple[Dataset, ...] = ()
    writes: Dataset | None = None
    model: str | None = None
    table: str | None = None
    after: tuple[str, ...] = ()
    module: str | None = None
    retries: int = 2
    timeout_minutes: int = 60


def extract(dataset: Dataset, *, module: str | None = None) -> Step:
    """Read ``dataset`` from the firm's own system."""
    return Step(
        name=f"extract_{dataset.name}",
        kind="extract",
        does=f"Reads {dataset.name} from the firm's own system: whole months that may have changed.",
        writes=dataset,
        module=module,
        retries=4,
        timeout_minutes=180,
    )


def validate(dataset: Dataset, *, reads: tuple[Dataset, ...] = (), module: str | None = None) -> Step:
    """Stop the firm when ``dataset`` is bad; every reader of it waits for this."""
    return Step(
        name=f"validate_{dataset.name}",
        kind="validate",
        does=f"Checks {dataset.name} with Great Expectations; a bad batch stops here, for this firm alone.",
        reads=(dataset, *reads),
        module=module,
        retries=4,  # of infrastructure errors; the verdict on bad data is final at once
    )


def query(dataset: Dataset, *, reads: tuple[Dataset, ...], module: str | None = None) -> Step:
    """Compute ``dataset`` by ``sql/query/<dataset>.sql`` on the firm's engine."""
    return Step(
        name=dataset.name,
        kind="query",
        does=f"Computes {dataset.name}: {dataset.about}",
        reads=reads,
        writes=dataset,
        module=module,
    )


def features(dataset: Dataset, *, reads: tuple[Dataset, ...], module: str) -> Step:
    """Compute ``dataset`` by the chain of feature queries that training runs too."""
    return Step(
        name=dataset.name,
        kind="features",
        does=f"Computes {dataset.name}: {dataset.about}",
        reads=reads,
        writes=dataset,
        module=module,
    )


def sample(dataset: Dataset, *, reads: tuple[Dataset, ...], module: str) -> Step:
    """Rows to train on, by ``training/<module>.py``: past cutoffs' features, beside what then happened."""
    return Step(
        name=dataset.name,
        kind="sample",
        does=f"Computes {dataset.name}, once per anchor: {dataset.about}",
        reads=reads,
        writes=dataset,
        module=module,
        timeout_minutes=180,
    )


def fit(model: str, *, reads: tuple[Dataset, ...], writes: Dataset, module: str) -> Step:
    """Fit ``models/<model>`` on small tables; the parameters are the dataset it writes."""
    return Step(
        name=f"fit_{model.replace('.', '_')}",
        kind="fit",
        does=f"Fits {model}: {writes.about}",
        reads=reads,
        writes=writes,
        model=model,
        module=module,
    )


def predict(model: str, *, reads: tuple[Dataset, ...], writes: Dataset, module: str) -> Step:
    """Apply ``models/<model>`` batch by batch; the first of ``reads`` is the one streamed."""
    return Step(
        name=f"predict_{model}",
        kind="predict",
        does=f"Applies {model}: {writes.about}",
        reads=reads,
        writes=writes,
        model=model,
        module=module,
    )


def load(dataset: Dataset, table: str, *, after: tuple[str, ...] = (), module: str | None = None) -> Step:
    """Stage ``dataset``, check it, and commit it to ``table`` by ``sql/load/<table>.sql``."""
    return Step(
        name=f"load_{table}",
        kind="load",
        does=f"Loads {table} from {dataset.name}: staged, checked and committed in one transaction.",
        reads=(dataset,),
        table=table,
        after=after,
        module=module,
        retries=4,
    )


FEATURES_READ = (TRANSACTIONS, CUSTOMER_DAYS, LOYALTY_MOVEMENTS, INTERACTIONS, PRODUCTS)


def score(module: str, *, reads: tuple[Dataset, ...], after: tuple[str, ...]) -> Step:
    """Compare what ``module`` predicted with what then happened, by ``sql/score/<module>.sql``."""
    return Step(
        name=f"score_{module}",
        kind="score",
        does=f"Scores {module}: what earlier snapshots predicted against what happened in their windows.",
        reads=reads,
        table="fact_scorecard",
        after=after,
        module=module,
        retries=4,
    )


def publish(*, after: tuple[str, ...]) -> Step:
    """Write results back into the firm's own database, and tell its webhook what changed."""
    return Step(
        name="publish",
        kind="publish",
        does="Writes ANALYTIC_* and CHURN_* tables into the firm's own database, and tells its webhook.",
        after=after,
        module="publish",
        retries=4,
    )


STEPS: tuple[Step, ...] = (
    extract(TRANSACTIONS),
    extract(CUSTOMERS),
    extract(PRODUCTS),
    extract(LOYALTY_MOVEMENTS),
    validate(CUSTOMERS),
    validate(PRODUCTS),
    validate(TRANSACTIONS, reads=(CUSTOMERS, PRODUCTS)),
    validate(LOYALTY_MOVEMENTS, reads=(CUSTOMERS,)),
    extract(DIRECTORY, module="engagement"),
    extract(INTERACTIONS, module="engagement"),
    extract(LEADS, module="acquisition"),
    validate(DIRECTORY, module="engagement"),
    validate(INTERACTIONS, reads=(CUSTOMERS,), module="engagement"),
    validate(LEADS, reads=(CUSTOMERS,), module="acquisition"),
    query(CUSTOMER_DAYS, reads=(TRANSACTIONS,)),
    query(CUSTOMER_SUMMARY, reads=(CUSTOMER_DAYS,)),
    query(ACQUISITIONS, reads=(LEADS, CUSTOMERS, CUSTOMER_DAYS), module="acquisition"),
    query(RFM_VALUES, reads=(CUSTOMER_SUMMARY,), module="rfm"),
    fit("segments", reads=(), writes=SEGMENTS, module="rfm"),
    fit("rfm", reads=(RFM_VALUES,), writes=RFM_CUTS, module="rfm"),
    predict("rfm", reads=(CUSTOMER_SUMMARY, RFM_CUTS, SEGMENTS), writes=RFM, module="rfm"),
    features(CUSTOMER_FEATURES, reads=FEATURES_READ, module="churn"),
    sample(CHURN_TRAINING, reads=FEATURES_READ, module="churn"),
    fit("churn", reads=(CHURN_TRAINING,), writes=CHURN_MODEL, module="churn"),
    predict("churn", reads=(CUSTOMER_FEATURES, CHURN_MODEL), writes=CHURN_RISK, module="churn"),
    sample(VALUE_HISTORIES, reads=(TRANSACTIONS, CUSTOMER_DAYS), module="ltv"),
    fit("ltv", reads=(VALUE_HISTORIES,), writes=VALUE_MODEL, module="ltv"),
    predict("ltv", reads=(CUSTOMER_SUMMARY, VALUE_MODEL), writes=LTV, module="ltv"),
    query(FIRM_METRICS, reads=(CUSTOMER_SUMMARY, CUSTOMER_DAYS, RFM, CHURN_RISK, LTV), module="insight"),
    fit("insight", reads=(FIRM_METRICS,), writes=FIRM_INSIGHT, module="insight"),
    query(ACTION_CANDIDATES, reads=(RFM, CHURN_RISK, LTV), module="actions"),
    fit("actions", reads=(ACTION_CANDIDATES,), writes=ACTIONS, module="actions"),
    load(PRODUCTS, "dim_product"),
    load(CUSTOMERS, "dim_customer"),
    load(TRANSACTIONS, "fact_sales", after=("dim_customer", "dim_product")),
    load(DIRECTORY, "dim_campaign", module="engagement"),
    load(INTERACTIONS, "fact_interaction", after=("dim_customer", "dim_campaign"), module="engagement"),
    load(
        ACQUISITIONS,
        "fact_customer_acquisition",
        after=("dim_customer", "dim_campaign"),
        module="acquisition",
    ),
    load(
        LOYALTY_MOVEMENTS,
        "fact_loyalty_movement",
        after=("dim_customer", "dim_campaign"),
        module="loyalty",
    ),
    load(SEGMENTS, "dim_customer_segment", module="rfm"),
    load(RFM, "fact_customer_rfm", after=("dim_customer", "dim_customer_segment"), module="rfm"),
    load(FIRM_METRICS, "fact_firm_metric", module="insight"),
    load(FIRM_INSIGHT, "fact_firm_insight", after=("fact_firm_metric",), module="insight"),
    load(ACTIONS, "fact_action", after=("dim_customer",), module="actions"),
    load(VALUE_MODEL, "ltv_models", module="ltv"),
    load(LTV, "fact_customer_ltv", after=("dim_customer", "ltv_models"), module="ltv"),
    load(CHURN_MODEL, "churn_models", module="churn"),
    load(
        CHURN_RISK,
        "fact_customer_churn_risk",
        after=("dim_customer", "churn_models"),
        module="churn",
    ),
    score("churn", reads=(CHURN_RISK,), after=("fact_customer_churn_risk", "fact_sales")),
    score("ltv", reads=(LTV,), after=("fact_customer_ltv", "fact_sales")),
    publish(
        after=(
            "fact_customer_rfm",
            "fact_customer_ltv",
            "fact_customer_churn_risk",
            "fact_firm_insight",
            "churn_models",
        )
    ),
)


def steps_for(modules: tuple[str, ...], steps: tuple[Step, ...] = STEPS) -> tuple[Step, ...]:
    """The steps of a firm with these modules, in an order in which they can run."""
    wanted = {s.name: s for s in steps if s.module is None or s.module in modules}
    order = TopologicalSorter({name: upstream(s, tuple(wanted.values())) for name, s in wanted.items()})
    try:
        return tuple(wanted[name] for name in order.static_order())
    except CycleError as error:
        raise ValueError(f"steps.py: these steps wait for one another: {error.args[1]}") from None


def upstream(step: Step, steps: tuple[Step, ...]) -> tuple[str, ...]:
    """Names of the steps that ``step`` waits for, from what it reads, their gates and ``after``."""
    wanted = {d.name for d in step.reads}
    names = []
    for other in steps:
        if other is step:
            continue
        writes_it = other.writes is not None and other.writes.name in wanted
        guards_it = (
            other.kind == "validate"
            and other.reads[0].name in wanted
            and not (step.kind == "validate" and step.reads[0] is other.reads[0])
        )
        if writes_it or guards_it or other.table in step.after:
            names.append(other.name)
    return tuple(sorted(names))


def find_step(name: str, steps: tuple[Step, ...] = STEPS) -> Step:
    """The step of that name; KeyError lists what there is."""
    for step in steps:
        if step.name == name:
            return step
    raise KeyError(f"no step {name!r}; there are {', '.join(s.name for s in steps)}")
