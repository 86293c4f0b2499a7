"""Datasets of lifetime value: histories, the model of an anchor (training date), each customer's value.

In training a cutoff, a past day, takes the place of as_of. A history is a customer's purchases before it. The
holdout is the days after the cutoff: the model does not see them, and its predictions are compared with them.
"""

import pyarrow as pa

from include.datasets.computed import CUSTOMER_SUMMARY
from include.datasets.contract import COUNT, CUSTOMER_ID, DAY, MONEY, RATE, TEXT, Dataset, Earlier, column

LATER_DAYS = (30, 60, 90)
"""Days after a cutoff at which further windows start, for the season between two cutoffs."""

VALUE_HISTORIES = Dataset(
    name="value_histories",
    about="One row per cutoff, horizon and sampled customer: customer_summary before it, the spend after it.",
    by="anchor",
    grain=("cutoff", "horizon_days", "customer_id"),
    earlier=(Earlier("c3bfebd6267dc2a8", added={f"spend_{days}_days_later": None for days in LATER_DAYS}),),
    schema=pa.schema(
        [
            column(
                "cutoff", DAY, "Histories end before this day; the last one is the anchor.", required=True
            ),
            column(
                "horizon_days",
                pa.int32(),
                "Days of the window after the cutoff; 0 at the anchor.",
                required=True,
            ),
            column("holdout_orders", COUNT, "Orders in those days; null at the anchor."),
            column("holdout_spend", MONEY, "Net spend in those days; null at the anchor."),
            *(
                column(
                    f"spend_{days}_days_later",
                    MONEY,
                    f"Net spend in a window of horizon_days that starts {days} days after the cutoff. Null "
                    "if it ends after the anchor, or if horizon_days is 365.",
                )
                for days in LATER_DAYS
            ),
            column(
                "firm_margin_share",
                RATE,
                "Margin on net sales of the firm's last year; null where too few lines have a margin.",
            ),
            *CUSTOMER_SUMMARY.schema,
        ]
    ),
)

VALUE_MODEL = Dataset(
    name="value_model",
    about="One row per part of an anchor's value model: fitted parameters, trees, limits of tiers, metrics.",
    by="anchor",
    grain=("part",),
    schema=pa.schema(
        [
            column("part", TEXT, "'header', 'bgnbd', 'gammagamma', 'trees', 'cuts', ...", required=True),
            column("body", TEXT, "LightGBM's text for 'trees', JSON for the others.", required=True),
            column(
                "sha256", TEXT, "Hash of part and body; a part with another hash is rejected.", required=True
            ),
        ]
    ),
)

LTV = Dataset(
    name="ltv",
    about="One row per customer with a sale before as_of: value so far and predicted value.",
    grain=("customer_id",),
    earlier=(
        Earlier(
            "837bda0c7b450804",
            added={"expected_spend_90_days": None, "expected_spend_180_days": None},
        ),
    ),
    schema=pa.schema(
        [
            CUSTOMER_ID,
            column("tenure_days", pa.int32(), "First sale day to as_of.", required=True),
            column("tenure_months", pa.int32(), "Whole months of tenure, of 30.4375 days.", required=True),
            column("total_historical_revenue", MONEY, "Net spend, lifetime.", required=True),
            column("total_historical_orders", COUNT, "Orders, lifetime.", required=True),
            column(
                "total_historical_profit",
                MONEY,
                "Margin, lifetime: the source's own, or net spend times the firm's margin share.",
                required=True,
            ),
            column("avg_order_value", MONEY, "Sale amount per order, lifetime."),
            column(
                "avg_orders_per_month",
                RATE,
                "Orders divided by months of tenure; a tenure below one month counts as one.",
                required=True,
            ),
            column("avg_margin_percentage", RATE, "Profit in percent of revenue; null without revenue."),
            column(
                "avg_monthly_revenue",
                MONEY,
                "Net spend divided by months of tenure; a tenure below one month counts as one.",
                required=True,
            ),
            column("historical_clv", MONEY, "Value so far: margin, like the predictions.", required=True),
            column("expected_orders_1_year", RATE, "Days with a purchase expected in the next 365 days."),
            column("probability_alive", RATE, "P(still a customer); not a churn probability."),
            *(
                column(f"predicted_clv_{name}", MONEY, f"Discounted margin of orders in {words}.")
                for name, words in (
                    ("1_year", "the next 365 days"),
                    ("3_year", "the next 1,095 days"),
                    ("lifetime", "the whole future"),
                )
            ),
            column("predicted_clv_1_year_low", MONEY, "Lower bound of its 80 percent interval."),
            column("predicted_clv_1_year_high", MONEY, "Upper bound of its 80 percent interval."),
            column(
                "clv_confidence_score",
                RATE,
                "Certainty of next year's spend, 0 to 100: 100 / (1 + standard deviation / mean).",
            ),
            column(
                "expected_next_order_date",
                DAY,
                "Median day of the next order by the purchase model alone; null if one is unlikely. If "
                "churn_risk has a next_order_date_50_pct, use that: it agrees with churn_probability. "
                "Customer lists use it too.",
            ),
            column(
                "clv_segment",
                TEXT,
                "'VIP', 'Loyal', 'Potential growth', 'One-timer' or 'Risky'.",
                required=True,
            ),
            column("tier_code", TEXT, "Value tier: row of dim_customer_tier.", required=True),
            column("tier_level", pa.int8(), "1 to 5; 5 is most valuable.", required=True),
            column(
                "value_percentile",
                RATE,
                "0 to 100 among the customers at the anchor: share with a lower value plus half of those "
                "with the same value.",
                required=True,
            ),
            column(
                "lifecycle_stage",
                TEXT,
                "'New', 'Active', 'Cooling' or 'Lapsed': days since the last order, in churn thresholds.",
                required=True,
            ),
            column(
                "cluster_code", TEXT, "Behavioural cluster, named by its description; null without clusters."
            ),
            column(
                "cluster_description",
                TEXT,
                "Order count, order value and recency of its customers, in words.",
            ),
            column(
                "spend_horizon_days",
                pa.int32(),
                "Days of the backtest window; null without a backtest.",
            ),
            *(
                field
                for name, words in (("1_year", "365 days"), ("horizon", "spend_horizon_days"))
                for field in (
                    column(
                        f"expected_spend_{name}",
                        MONEY,
                        f"Net spend expected in the next {words}: revenue, not discounted.",
                    ),
                    column(
                        f"spend_deviation_{name}",
                        RATE,
                        "Standard deviation of expected_spend, if the model's parameters were exact.",
                    ),
                    column(
                        f"total_doubt_{name}",
                        RATE,
                        "Relative standard error of the firm's total that comes from estimating the "
                        "parameters.",
                    ),
                )
            ),
            *(
                column(
                    f"expected_spend_{days}_days",
                    MONEY,
                    f"Net spend expected in the next {days} days: revenue, not discounted.",
                )
                for days in (90, 180)
            ),
            column(
                "total_reach",
                RATE,
                "Number of standard deviations on each side of the firm's total that gives its 80 percent "
                "interval.",
            ),
            column("margin_source", TEXT, "'source' or 'setting': origin of the margin.", required=True),
            column(
                "method",
                TEXT,
                "'bgnbd', 'mbgnbd', 'paretonbd' (purchase models, see README), 'trees', 'own_rate' (the "
                "customer's own past rate) or 'none'.",
                required=True,
            ),
            column("model_version", TEXT, "Version of the model that predicted.", required=True),
        ]
    ),
)
