"""The tables published to a firm's own database, as literal rows.

Names follow the firm's BI tools and are used unchanged in statements. ``sql/publish/<name>.sql`` fills a
table and returns columns of the same names.
"""

from __future__ import annotations

from typing import NamedTuple

TEXT, COUNT, MONEY, FIRM_TOTAL, RATE, DAY, INSTANT, LONG = (
    "varchar(400)",
    "numeric(18)",
    "numeric(18, 4)",
    "numeric(38, 4)",
    "numeric(28, 10)",
    "date",
    "timestamp",
    "long text",  # clob in Oracle, text in Postgres
)


class Table(NamedTuple):
    """One table: its columns and types, its key, and which rows a run replaces.

    A run deletes rows with the same values in the columns of ``replaces``. Without ``replaces`` the table
    holds only the latest snapshot: rows are merged by key, and rows of earlier runs are deleted.
    """

    name: str
    columns: dict[str, str]
    key: tuple[str, ...]
    replaces: tuple[str, ...] = ()

    @property
    def holds_latest(self) -> bool:
        """Whether the table shows only the newest snapshot, which an older run must not replace."""
        return not self.replaces


RUN = {"run_id": TEXT, "run_date": DAY}

TABLES: tuple[Table, ...] = (
    Table(
        "analytic_customer",
        {
            "firm_id": TEXT,
            "unique_customer_id": TEXT,
            "rfm_score": TEXT,
            "rfm_segment": TEXT,
            "activity_status": TEXT,
            "last_order_date": DAY,
            "days_since_last_order": COUNT,
            "order_count": COUNT,
            "total_spend": MONEY,
            "currency_code": TEXT,
            "clv_value": MONEY,
            "clv_1_year": MONEY,
            "historical_clv": MONEY,
            "clv_segment": TEXT,
            "value_tier": TEXT,
            "churn_probability": RATE,
            "churn_risk_score": COUNT,
            "churn_risk_category": TEXT,
            "churn_risk_band": TEXT,
            "top_churn_factor": TEXT,
            "recommended_action": TEXT,
            "clv_model_id": TEXT,
            "churn_model_id": TEXT,
            **RUN,
        },
        key=("firm_id", "unique_customer_id"),
    ),
    Table(
        "analytic_firm_based",
        {
            "firm_id": TEXT,
            **RUN,
            "currency_code": TEXT,
            "customers": COUNT,
            "active_customers": COUNT,
            "inactive_customers": COUNT,
            "new_customers": COUNT,
            "one_time_customers": COUNT,
            "orders": COUNT,
            "orders_year": COUNT,
            "revenue": FIRM_TOTAL,
            "revenue_year": FIRM_TOTAL,
            "revenue_change_percent": FIRM_TOTAL,
            "avg_order_value": MONEY,
            "median_spend": MONEY,
            "median_orders": MONEY,
            "median_days_since_last_order": MONEY,
            "active_percent": MONEY,
            "retention_percent": MONEY,
            "one_timer_conversion_percent": MONEY,
            "new_customer_percent": MONEY,
            "high_risk_customers": COUNT,
            "revenue_at_risk": FIRM_TOTAL,
            "revenue_at_risk_percent": FIRM_TOTAL,
            "expected_margin_year": FIRM_TOTAL,
            "smart_insight": LONG,
        },
        key=("firm_id", "run_id"),
        replaces=("firm_id", "run_id"),
    ),
    Table(
        "churn_performance_metrics",
        {
            "firm_id": TEXT,
            "model_id": TEXT,
            "candidate": TEXT,
            "population": TEXT,
            **RUN,
            "evaluated_from": DAY,
            "horizon_days": COUNT,
            "is_champion": COUNT,
            "customers": COUNT,
            "churned": COUNT,
            "auc": RATE,
            "accuracy": RATE,
            "precision_score": RATE,
            "recall_score": RATE,
            "f1_score": RATE,
            "decision_threshold": RATE,
            "true_positives": COUNT,
            "false_positives": COUNT,
            "false_negatives": COUNT,
            "true_negatives": COUNT,
            "brier_score": RATE,
        },
        key=("firm_id", "model_id", "candidate", "population"),
        replaces=("firm_id", "model_id"),
    ),
    Table(
        "churn_feature_importances",
        {
            "firm_id": TEXT,
            "model_id": TEXT,
            "feature_name": TEXT,
            **RUN,
            "churn_factor": TEXT,
            "importance_rank": COUNT,
            "importance_score": RATE,
            "total_gain": RATE,
            "split_count": COUNT,
        },
        key=("firm_id", "model_id", "feature_name"),
        replaces=("firm_id", "model_id"),
    ),
    Table(
        "churn_firm_based",
        {
            "firm_id": TEXT,
            **RUN,
            "model_id": TEXT,
            "method": TEXT,
            "horizon_days": COUNT,
            "scored_count": COUNT,
            "high_risk_count": COUNT,
            "high_risk_percent": MONEY,
            "critical_count": COUNT,
            "medium_risk_count": COUNT,
            "low_risk_count": COUNT,
            "expected_churners": RATE,
        },
        key=("firm_id", "run_id"),
        replaces=("firm_id", "run_id"),
    ),
)

# The ledger: which run and attempt published which table. A run locks it while it writes.
LEDGER = Table(
    "analytic_publications",
    {
        "firm_id": TEXT,
        "table_name": TEXT,
        **RUN,
        "attempt": COUNT,
        "row_count": COUNT,
        "published_at": INSTANT,
    },
    key=("firm_id", "table_name", "run_id"),
    replaces=("firm_id", "table_name", "run_id"),
)
