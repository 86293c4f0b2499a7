"""Customer features: seven groups, each computed by its own query, and all of them joined.

Every feature is a function of one customer's own history before ``as_of``. So the same queries serve scoring
(as_of of the run) and training (as_of is a past cutoff), and a feature does not depend on the sample of
customers. ``docs/features.md`` is generated from these rows.
"""

import pyarrow as pa

from include.datasets.computed import CUSTOMER_DAYS
from include.datasets.contract import CUSTOMER_ID, RATE, Dataset, column
from include.datasets.engagement import INTERACTIONS
from include.datasets.extracted import LOYALTY_MOVEMENTS, PRODUCTS, TRANSACTIONS
from include.datasets.feature_groups import (
    ASSORTMENT_FEATURES,
    ENGAGEMENT_FEATURES,
    LOYALTY_FEATURES,
    ORDER_FEATURES,
    PURCHASE_FEATURES,
    RHYTHM_FEATURES,
    WINDOWS,
)

RATIO_FEATURES = Dataset(
    name="ratio_features",
    about="One row per customer with a sale before as_of: trends, overdue ratios, shares, engagement.",
    grain=("customer_id",),
    schema=pa.schema(
        [
            CUSTOMER_ID,
            *(
                column(
                    f"avg_order_value_{days}_days", RATE, f"Sale amount per order of the last {days} days."
                )
                for days in WINDOWS
            ),
            *(
                column(
                    f"{name}_trend_{recent}_of_{whole}_days",
                    RATE,
                    f"{what} a day in the last {recent} days over that of the last {whole}: 1 is steady.",
                )
                for name, what in (
                    ("order_count", "Orders"),
                    ("total_spend", "Net spend"),
                    ("sale_day_count", "Sale days"),
                )
                for recent, whole in ((30, 60), (30, 90), (60, 180), (90, 180), (90, 365))
            ),
            column(
                "line_count_trend_90_of_365_days",
                RATE,
                "Lines a day in the last 90 days over that of the last 365.",
            ),
            column(
                "unit_count_trend_90_of_365_days",
                RATE,
                "Units a day in the last 90 days over that of the last 365.",
            ),
            column("orders_per_30_days", RATE, "Orders per 30 days since the first sale."),
            column("spend_per_30_days", RATE, "Net spend per 30 days since the first sale."),
            column(
                "order_pace_90_of_lifetime",
                RATE,
                "Orders a day in the last 90 days over that since the first sale.",
            ),
            column(
                "order_count_slope_180_days",
                RATE,
                "Slope of a least-squares line through the orders of the last six periods of 30 days.",
            ),
            column(
                "total_spend_slope_180_days",
                RATE,
                "Slope of a least-squares line through the net spend of the last six periods of 30 days.",
            ),
            column(
                "decayed_order_count",
                RATE,
                "Orders of the last 180 days, weighted: the weight halves with every 30 days of age.",
            ),
            column(
                "decayed_total_spend",
                RATE,
                "Net spend of the last 180 days, weighted: the weight halves with every 30 days of age.",
            ),
            *(
                column(f"discount_share_{days}_days", RATE, f"Discounts over gross sales, last {days} days.")
                for days in (30, 90, 365)
            ),
            column("discount_share", RATE, "Discounts over gross sales, lifetime."),
            column("return_rate_90_days", RATE, "Returns per order, last 90 days."),
            column("return_rate_365_days", RATE, "Returns per order, last 365 days."),
            column("return_rate", RATE, "Returns per order, lifetime."),
            column("return_amount_share", RATE, "Amount given back over sale amount, lifetime."),
            column("margin_rate", RATE, "Margin over net spend, lifetime; null when margin is unknown."),
            column(
                "silence_over_avg_gap",
                RATE,
                "Days since the last order over the customer's mean gap: above 1 is overdue.",
            ),
            column("silence_over_median_gap", RATE, "Days since the last order over the median gap."),
            column("silence_over_max_gap", RATE, "Days since the last order over the longest gap so far."),
            column(
                "silence_z", RATE, "Days since the last order, in standard deviations above the mean gap."
            ),
            column("silence_over_age", RATE, "Days since the last order over days since the first."),
            column(
                "recency_share", RATE, "First to last sale day over first sale day to as_of (BTYD t_x / T)."
            ),
            column("gap_cv", RATE, "Standard deviation of gaps over their mean: 0 is perfectly regular."),
            column(
                "avg_order_interval_change_pct",
                RATE,
                "Change of the order interval in percent: the mean of the last three gaps between sale days, "
                "compared with the mean of all gaps.",
            ),
            column("last_gap_over_avg_gap", RATE, "The last gap over the mean gap."),
            column(
                "active_week_share_13_weeks",
                RATE,
                "Share of the last 13 weeks (or of those since the first sale) with a sale.",
            ),
            column(
                "active_week_share_26_weeks",
                RATE,
                "Share of the last 26 weeks (or of those since the first sale) with a sale.",
            ),
            column(
                "active_week_share_52_weeks",
                RATE,
                "Share of the last 52 weeks (or of those since the first sale) with a sale.",
            ),
            column(
                "sale_day_share_90_days",
                RATE,
                "Share of the last 90 days (or of those since the first sale) with a sale.",
            ),
            column(
                "sale_day_share_365_days",
                RATE,
                "Share of the last 365 days (or of those since the first sale) with a sale.",
            ),
            column("order_value_cv", RATE, "Standard deviation of order values over their mean."),
            column("last_order_value_ratio", RATE, "The last order's value over the mean order's."),
            column(
                "last_3_order_value_ratio", RATE, "Mean value of the last three orders over the mean of all."
            ),
            column(
                "last_over_first_day_amount", RATE, "Sale amount of the last sale day over that of the first."
            ),
            column("avg_unit_price", RATE, "Sale amount per unit, lifetime."),
            column("products_per_order", RATE, "Distinct products per order, lifetime."),
            column(
                "categories_per_order",
                RATE,
                "Distinct categories per order, lifetime; null without categories.",
            ),
            column(
                "category_breadth_90_of_365_days",
                RATE,
                "Categories bought in the last 90 days over those of the last 365.",
            ),
            column(
                "order_share_next_30_days_year_ago",
                RATE,
                "Share of the orders of the last 365 days that fall in the first 30 of these days.",
            ),
            column("points_used_per_order", RATE, "Points used per order; null without loyalty data."),
            column(
                "engagement_score",
                RATE,
                "0 to 100: 40 for recency, 30 for active weeks, 20 for breadth, 10 for points in 90 days.",
                required=True,
            ),
            column("is_one_timer", pa.bool_(), "Has one sale day so far.", required=True),
            column("is_loyalty_member", pa.bool_(), "Has ever earned or used points.", required=True),
            column("as_of_month", pa.int8(), "Month of as_of, 1 to 12.", required=True),
            column("as_of_quarter", pa.int8(), "Quarter of as_of, 1 to 4.", required=True),
            column("as_of_month_day", pa.int8(), "Day of the month of as_of.", required=True),
        ]
    ),
)

_SALES_AND_POINTS = (
    PURCHASE_FEATURES,
    RHYTHM_FEATURES,
    ORDER_FEATURES,
    ASSORTMENT_FEATURES,
    LOYALTY_FEATURES,
)
GROUPS = (*_SALES_AND_POINTS, RATIO_FEATURES, ENGAGEMENT_FEATURES)


def _side_by_side() -> list[pa.Field]:
    """The features of all groups. A group's features are nullable here: a customer may have no row in it."""
    loose = (ORDER_FEATURES, ASSORTMENT_FEATURES, LOYALTY_FEATURES, ENGAGEMENT_FEATURES)
    return [
        field.with_nullable(True) if group in loose else field
        for group in GROUPS
        for field in group.schema
        if field.name != "customer_id"
    ]


CUSTOMER_FEATURES = Dataset(
    name="customer_features",
    about="One row per customer with a sale before as_of: every feature of the groups.",
    grain=("customer_id",),
    schema=pa.schema([CUSTOMER_ID, *_side_by_side()]),
)

FEATURE_QUERIES: tuple[tuple[Dataset, tuple[Dataset, ...]], ...] = (
    (PURCHASE_FEATURES, (CUSTOMER_DAYS,)),
    (RHYTHM_FEATURES, (CUSTOMER_DAYS,)),
    (ORDER_FEATURES, (TRANSACTIONS,)),
    (ASSORTMENT_FEATURES, (TRANSACTIONS, PRODUCTS)),
    (LOYALTY_FEATURES, (LOYALTY_MOVEMENTS,)),
    (ENGAGEMENT_FEATURES, (INTERACTIONS,)),
    (RATIO_FEATURES, _SALES_AND_POINTS),
    (CUSTOMER_FEATURES, GROUPS),
)
"""What each feature query reads, in an order in which they can run."""
