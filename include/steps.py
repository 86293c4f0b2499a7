"""The pipeline as one tuple of stages: what each step is, what it reads and what it writes.

This is the page to read first. A *step* is one unit of work. A *stage* is the steps that belong together: one
task of a firm's DAG, run in one process, in which each step commits and is recorded by itself.

The order of steps follows from what each step reads and writes. A step runs after

- the steps that write the datasets it reads,
- the quality gate of each of these datasets, and
- the loads of the tables named in ``after``.

A stage runs after the stages that its steps wait for. The stage ``extract`` is split (``is_split``): it has
one task per step. A dataset whose module the firm has not switched on is read as an empty table.

A *slice* is the part of a dataset that is written at once: a month, or a snapshot. Storage paths follow from
(firm, dataset, slice), so any step can be rerun alone. ``pipeline.py`` has the types and the ordering,
``kinds.py`` what each kind of step does. The README's *Words* explains the other terms.
"""

from __future__ import annotations

from include.datasets.actions import ACTION_CANDIDATES, ACTION_EFFECTS, ACTIONS
from include.datasets.churn import CHURN_MODEL, CHURN_RISK, CHURN_TRAINING
from include.datasets.computed import (
    CUSTOMER_DAYS,
    CUSTOMER_SUMMARY,
    FIRM_RHYTHM,
    RFM,
    RFM_CUTS,
    RFM_VALUES,
    SEGMENTS,
)
from include.datasets.engagement import ACQUISITIONS, ASSIGNMENTS, DIRECTORY, INTERACTIONS, LEADS
from include.datasets.extracted import CUSTOMERS, LOYALTY_MOVEMENTS, PRODUCTS, TRANSACTIONS
from include.datasets.features import CUSTOMER_FEATURES
from include.datasets.insight import FIRM_INSIGHT, FIRM_MEASURES, FIRM_METRICS
from include.datasets.next_product import (
    NEXT_PRODUCT_CANDIDATES,
    NEXT_PRODUCT_EVIDENCE,
    NEXT_PRODUCT_MODEL,
    NEXT_PRODUCT_TESTS,
    NEXT_PRODUCTS,
)
from include.datasets.value import LTV, VALUE_HISTORIES, VALUE_MODEL
from include.pipeline import (
    Stage,
    Step,
    compact,
    compute,
    extract,
    features,
    fit,
    load,
    predict,
    publish,
    query,
    sample,
    score,
    stage,
    stage_upstream,
    stages_of,
    steps_of,
    upstream,
    validate,
)

__all__ = [
    "STAGES",
    "STEPS",
    "Stage",
    "Step",
    "find_step",
    "stage_upstream",
    "stages_for",
    "steps_for",
    "tasks_for",
    "upstream",
]

FEATURES_READ = (TRANSACTIONS, CUSTOMER_DAYS, LOYALTY_MOVEMENTS, INTERACTIONS, PRODUCTS)

STAGES: tuple[Stage, ...] = (
    stage(
        "extract",
        "Reads the firm's own system: whole months that may have changed.",
        extract(TRANSACTIONS),
        extract(CUSTOMERS),
        extract(PRODUCTS),
        extract(LOYALTY_MOVEMENTS),
        extract(DIRECTORY, module="engagement"),
        extract(INTERACTIONS, module="engagement"),
        extract(ASSIGNMENTS, module="engagement"),
        extract(LEADS, module="acquisition"),
        is_split=True,
    ),
    stage(
        "validate",
        "The quality gate: bad data stops this firm, and its last good snapshot stays.",
        validate(CUSTOMERS),
        validate(PRODUCTS),
        validate(TRANSACTIONS, reads=(CUSTOMERS, PRODUCTS)),
        validate(LOYALTY_MOVEMENTS, reads=(CUSTOMERS,)),
        validate(DIRECTORY, module="engagement"),
        validate(INTERACTIONS, reads=(CUSTOMERS,), module="engagement"),
        validate(ASSIGNMENTS, reads=(CUSTOMERS,), module="engagement"),
        validate(LEADS, reads=(CUSTOMERS,), module="acquisition"),
    ),
    stage(
        "warehouse",
        "Loads the dimensions and the events: sales, interactions, loyalty movements.",
        load(PRODUCTS, "dim_product"),
        load(CUSTOMERS, "dim_customer"),
        load(TRANSACTIONS, "fact_sales", after=("dim_customer", "dim_product")),
        load(DIRECTORY, "dim_campaign", module="engagement"),
        load(INTERACTIONS, "fact_interaction", after=("dim_customer", "dim_campaign"), module="engagement"),
        load(ASSIGNMENTS, "fact_assignment", after=("dim_customer", "dim_campaign"), module="engagement"),
        load(
            LOYALTY_MOVEMENTS,
            "fact_loyalty_movement",
            after=("dim_customer", "dim_campaign"),
            module="loyalty",
        ),
    ),
    stage(
        "features",
        "Computes what each customer bought, by day and in all, and the features that models use.",
        query(CUSTOMER_DAYS, reads=(TRANSACTIONS,)),
        query(CUSTOMER_SUMMARY, reads=(CUSTOMER_DAYS,)),
        features(CUSTOMER_FEATURES, reads=FEATURES_READ, module="churn"),
    ),
    stage(
        "acquisition",
        "Computes and loads where each customer came from, and at what cost.",
        query(ACQUISITIONS, reads=(LEADS, CUSTOMERS, CUSTOMER_DAYS), module="acquisition"),
        load(
            ACQUISITIONS,
            "fact_customer_acquisition",
            after=("dim_customer", "dim_campaign"),
            module="acquisition",
        ),
    ),
    stage(
        "rfm",
        "Scores recency, frequency and monetary value, names each customer's segment, and loads both.",
        query(RFM_VALUES, reads=(CUSTOMER_SUMMARY,), module="rfm"),
        query(FIRM_RHYTHM, reads=(CUSTOMER_SUMMARY,), module="rfm"),
        compute("segments", reads=(FIRM_RHYTHM,), writes=SEGMENTS, module="rfm"),
        fit("rfm", reads=(RFM_VALUES,), writes=RFM_CUTS, module="rfm"),
        predict("rfm", reads=(CUSTOMER_SUMMARY, RFM_CUTS, SEGMENTS), writes=RFM, module="rfm"),
        load(SEGMENTS, "dim_customer_segment", module="rfm"),
        load(RFM, "fact_customer_rfm", after=("dim_customer", "dim_customer_segment"), module="rfm"),
    ),
    stage(
        "value",
        "Trains the value model once per training date, predicts each customer's value, and loads both.",
        sample(VALUE_HISTORIES, reads=(TRANSACTIONS, CUSTOMER_DAYS), module="ltv"),
        fit("ltv", reads=(VALUE_HISTORIES,), writes=VALUE_MODEL, module="ltv"),
        predict("ltv", reads=(CUSTOMER_SUMMARY, VALUE_MODEL), writes=LTV, module="ltv"),
        load(VALUE_MODEL, "ltv_models", module="ltv"),
        load(LTV, "fact_customer_ltv", after=("dim_customer", "ltv_models"), module="ltv"),
    ),
    stage(
        "churn_train",
        "Trains the churn model once per training date, evaluates its promotion, and loads it.",
        sample(CHURN_TRAINING, reads=FEATURES_READ, module="churn"),
        fit("churn", reads=(CHURN_TRAINING,), writes=CHURN_MODEL, module="churn"),
        load(CHURN_MODEL, "churn_models", module="churn"),
    ),
    stage(
        "churn_predict",
        "Predicts each customer's churn risk, and loads it.",
        predict("churn", reads=(CUSTOMER_FEATURES, CHURN_MODEL), writes=CHURN_RISK, module="churn"),
        load(CHURN_RISK, "fact_customer_churn_risk", after=("dim_customer", "churn_models"), module="churn"),
    ),
    stage(
        "next_product",
        "Suggests each customer's next products if a test shows them better than the best-selling ones.",
        query(NEXT_PRODUCT_CANDIDATES, reads=(TRANSACTIONS, CUSTOMER_DAYS), module="next_product"),
        query(NEXT_PRODUCT_TESTS, reads=(NEXT_PRODUCT_CANDIDATES,), module="next_product"),
        query(NEXT_PRODUCT_EVIDENCE, reads=(TRANSACTIONS,), module="next_product"),
        fit(
            "next_product",
            reads=(NEXT_PRODUCT_TESTS, NEXT_PRODUCT_EVIDENCE),
            writes=NEXT_PRODUCT_MODEL,
            module="next_product",
        ),
        query(NEXT_PRODUCTS, reads=(NEXT_PRODUCT_CANDIDATES, NEXT_PRODUCT_MODEL), module="next_product"),
        load(NEXT_PRODUCT_MODEL, "fact_next_product_test", module="next_product"),
        load(
            NEXT_PRODUCTS,
            "fact_customer_next_product",
            after=("dim_customer", "dim_product", "fact_sales"),
            module="next_product",
        ),
    ),
    stage(
        "actions",
        "Chooses an action for each customer whom a rule names, within the budget, and loads them.",
        query(
            ACTION_CANDIDATES,
            reads=(RFM, CHURN_RISK, LTV, CUSTOMERS, INTERACTIONS, ASSIGNMENTS),
            module="actions",
        ),
        query(ACTION_EFFECTS, reads=(CUSTOMER_DAYS,), remembers=ACTIONS, module="actions"),
        compute(
            "actions",
            reads=(ACTION_CANDIDATES, ACTION_EFFECTS),
            writes=ACTIONS,
            remembers=ACTIONS,
            module="actions",
        ),
        load(ACTIONS, "fact_action", after=("dim_customer",), module="actions"),
    ),
    stage(
        "insight",
        "Computes the firm's metrics, writes the sentences about them, and loads both.",
        query(
            FIRM_MEASURES,
            reads=(CUSTOMER_SUMMARY, CUSTOMER_DAYS, RFM, CHURN_RISK, LTV, ACTIONS),
            module="insight",
        ),
        compute("metrics", reads=(FIRM_MEASURES, CHURN_MODEL), writes=FIRM_METRICS, module="insight"),
        compute("insight", reads=(FIRM_METRICS,), writes=FIRM_INSIGHT, module="insight"),
        load(FIRM_METRICS, "fact_firm_metric", module="insight"),
        load(FIRM_INSIGHT, "fact_firm_insight", after=("fact_firm_metric",), module="insight"),
    ),
    stage(
        "score",
        "Compares earlier predictions with what happened.",
        score("churn", reads=(CHURN_RISK,), after=("fact_customer_churn_risk", "fact_sales")),
        score("ltv", reads=(LTV,), after=("fact_customer_ltv", "fact_sales")),
    ),
    stage(
        "publish",
        "Writes the results back into the firm's own database, and calls its webhook.",
        publish(
            after=(
                "fact_customer_rfm",
                "fact_customer_ltv",
                "fact_customer_churn_risk",
                "fact_firm_insight",
                "churn_models",
            )
        ),
    ),
)

STEPS: tuple[Step, ...] = tuple(step for stage in STAGES for step in stage.steps)


def steps_for(modules: tuple[str, ...], stages: tuple[Stage, ...] = STAGES) -> tuple[Step, ...]:
    """The steps of a firm with these modules, stage by stage, in an order in which they can run."""
    return steps_of(modules, stages)


def stages_for(modules: tuple[str, ...], stages: tuple[Stage, ...] = STAGES) -> tuple[Stage, ...]:
    """The stages of a firm with these modules, in an order in which they can run; none is empty."""
    return stages_of(modules, stages)


def tasks_for(modules: tuple[str, ...], dag_shape: str) -> tuple[Stage, ...]:
    """The stages that become tasks of a firm's DAG: its own (``staged``), or three (``compact``)."""
    stages = stages_for(modules)
    return compact(stages) if dag_shape == "compact" else stages


def find_step(name: str, steps: tuple[Step, ...] = STEPS) -> Step:
    """The step of that name; KeyError lists what there is."""
    for step in steps:
        if step.name == name:
            return step
    raise KeyError(f"no step {name!r}; there are {', '.join(s.name for s in steps)}")
