"""Datasets computed from the extracted ones: customer days, summaries, RFM."""

import pyarrow as pa

from include.datasets.contract import (
    COUNT,
    CUSTOMER_ID,
    DAY,
    MONEY,
    QUANTITY,
    RATE,
    TEXT,
    Dataset,
    Earlier,
    column,
)

CUSTOMER_DAYS = Dataset(
    name="customer_days",
    about="One row per identified customer and day with a sale or a return, before as_of.",
    grain=("customer_id", "order_date"),
    schema=pa.schema(
        [
            CUSTOMER_ID,
            column("order_date", DAY, "Day in the firm's time zone.", required=True),
            column("order_count", COUNT, "Distinct sale transactions.", required=True),
            column("line_count", COUNT, "Sale lines.", required=True),
            column("units", QUANTITY, "Units sold.", required=True),
            column("gross_amount", MONEY, "Sales before discounts.", required=True),
            column("discount_amount", MONEY, "Discounts on sales.", required=True),
            column("sale_amount", MONEY, "Sales after discounts.", required=True),
            column("return_count", COUNT, "Distinct return transactions.", required=True),
            column("return_amount", MONEY, "Given back for returns.", required=True),
            column("net_amount", MONEY, "Sales after discounts less returns.", required=True),
            column("margin_amount", MONEY, "Margin on sales less returns; null when unknown."),
        ]
    ),
)


def _windows() -> list[pa.Field]:
    """Order counts and net spend over each window of days that ends at as_of."""
    return [
        column(f"{what}_{days}_days", kind, f"{about} in the last {days} days.", required=True)
        for days in (30, 90, 180, 365)
        for what, kind, about in (
            ("order_count", COUNT, "Orders"),
            ("total_spend", MONEY, "Net spend"),
        )
    ]


CUSTOMER_SUMMARY = Dataset(
    name="customer_summary",
    about="One row per customer with a sale before as_of.",
    grain=("customer_id",),
    schema=pa.schema(
        [
            CUSTOMER_ID,
            column("first_order_date", DAY, "Day of the first sale.", required=True),
            column("last_order_date", DAY, "Day of the last sale.", required=True),
            column(
                "days_since_last_order",
                pa.int32(),
                "Last sale day to as_of (RFM's R).",
                required=True,
            ),
            column(
                "frequency",
                pa.int32(),
                "Repeat purchase days: sale days less one (BTYD x).",
                required=True,
            ),
            column("recency_days", pa.int32(), "First to last sale day (BTYD t_x).", required=True),
            column("age_days", pa.int32(), "First sale day to as_of (BTYD T).", required=True),
            column("mean_repeat_spend", RATE, "Mean net sale amount of repeat days (Gamma-Gamma m)."),
            *_windows(),
            column("order_count", COUNT, "Orders, lifetime.", required=True),
            column("total_spend", MONEY, "Net spend, lifetime.", required=True),
            column("total_margin", MONEY, "Margin, lifetime; null when unknown."),
            column("window_orders", COUNT, "Orders in the firm's RFM window (RFM's F).", required=True),
            column(
                "window_spend",
                MONEY,
                "Net spend in the firm's RFM window (RFM's M).",
                required=True,
            ),
            column("avg_order_value", MONEY, "Sale amount per order, lifetime."),
            column("avg_days_between_orders", RATE, "Mean gap between sale days; null below two."),
            column("return_count", COUNT, "Return transactions, lifetime.", required=True),
        ]
    ),
)

_BEFORE_FLOORS = {  # defaults of columns that older files lack: floors were added later
    "usual_gap_days": None,
    "min_orders": None,
    "min_silent_days": None,
    "max_silent_days": None,
    "next_segment": None,
    "parent_segment": None,
}

RFM_VALUES = Dataset(
    name="rfm_values",
    about="One row per RFM metric and distinct value: number of customers with it, and with a worse value.",
    grain=("metric", "metric_value"),
    schema=pa.schema(
        [
            column("metric", TEXT, "'recency', 'frequency' or 'monetary'.", required=True),
            column("metric_value", MONEY, "Days since the last order, orders or spend.", required=True),
            column("customers", COUNT, "Customers with this value.", required=True),
            column("customers_worse", COUNT, "Customers with a worse value.", required=True),
        ]
    ),
)

RFM_CUTS = Dataset(
    name="rfm_cuts",
    about="One row per RFM metric and interval of values with the same score and percentile.",
    grain=("metric", "lowest_value"),
    schema=pa.schema(
        [
            column("metric", TEXT, "'recency', 'frequency' or 'monetary'.", required=True),
            column("lowest_value", MONEY, "Lowest value of the interval.", required=True),
            column("score", pa.int8(), "1 to 5; 5 is best. Null with too few customers."),
            column(
                "percentile",
                RATE,
                "0 to 100: share of customers with a worse value plus half of those with the same value.",
            ),
        ]
    ),
)

FIRM_RHYTHM = Dataset(
    name="firm_rhythm",
    about="One row: how many customers the firm has, and the median gap between their orders.",
    grain=("customers",),
    schema=pa.schema(
        [
            column("customers", COUNT, "Customers with a sale before as_of.", required=True),
            column("repeat_customers", COUNT, "Customers with two sale days or more.", required=True),
            column(
                "median_days_between_orders",
                RATE,
                "Median of repeat customers' mean gap; null without one.",
            ),
        ]
    ),
)

SEGMENTS = Dataset(
    name="segments",
    about="One row per RFM segment of the firm's decision table.",
    grain=("segment_code",),
    earlier=(Earlier("5d5ba28f1b4f3f36", added=_BEFORE_FLOORS),),
    schema=pa.schema(
        [
            column("segment_code", TEXT, "Short stable name.", required=True),
            column("segment_name", TEXT, "Display name.", required=True),
            column("segment_description", TEXT, "Description of its customers."),
            column("segment_type", TEXT, "'rfm', or 'parent' for a wider segment.", required=True),
            column(
                "cells",
                TEXT,
                "RFM cells: groups, separated by semicolons, of the allowed R, F and M scores. '45 3 45' is "
                "R 4 or 5, F 3, M 4 or 5.",
                required=True,
            ),
            column("target_marketing_strategy", TEXT, "Recommended marketing action."),
            column("retention_priority", pa.int32(), "1 to 10; 1 is most urgent to keep.", required=True),
            column("value_tier", TEXT, "'High value', 'Growth potential', 'At risk' or 'Recovery'."),
            column(
                "usual_gap_days",
                RATE,
                "The firm's usual gap between orders, in days; floors are multiples of it.",
            ),
            column("min_orders", pa.int32(), "Floor: fewest days with a sale; null: one."),
            column(
                "min_silent_days",
                pa.int32(),
                "Floor: shortest silence required, in days since the last order; null: none.",
            ),
            column(
                "max_silent_days",
                pa.int32(),
                "Floor: longest silence allowed, in days since the last order; null: none.",
            ),
            column("next_segment", TEXT, "Segment of a customer in these cells who does not meet the floor."),
            column("parent_segment", TEXT, "Wider segment that it belongs to."),
        ]
    ),
)

RFM = Dataset(
    name="rfm",
    about="One row per customer with a sale before as_of: scores, percentiles, segment, status.",
    grain=("customer_id",),
    earlier=(Earlier("6520f0eb6f9bf160", added={"segment_of_cell": None}),),
    schema=pa.schema(
        [
            CUSTOMER_ID,
            column(
                "days_since_last_order",
                pa.int32(),
                "Last sale day to as_of (RFM's R).",
                required=True,
            ),
            column("last_order_date", DAY, "Day of the last sale.", required=True),
            *_windows(),
            column("order_count", COUNT, "Orders, lifetime.", required=True),
            column("total_spend", MONEY, "Net spend, lifetime.", required=True),
            column("window_orders", COUNT, "Orders in the firm's RFM window (RFM's F).", required=True),
            column(
                "window_spend",
                MONEY,
                "Net spend in the firm's RFM window (RFM's M).",
                required=True,
            ),
            column("avg_days_between_orders", RATE, "Mean gap between sale days; null below two."),
            column("avg_order_value", MONEY, "Sale amount per order, lifetime."),
            column("recency_score", pa.int8(), "1 to 5; 5 is most recent. Ties share a score."),
            column("frequency_score", pa.int8(), "1 to 5; 5 is most orders."),
            column("monetary_score", pa.int8(), "1 to 5; 5 is most spend."),
            column("rfm_score", TEXT, "The three scores, R F M, as text: '555'."),
            column("recency_percentile", RATE, "0 to 100; higher is more recent."),
            column("frequency_percentile", RATE, "0 to 100; higher is more orders."),
            column("monetary_percentile", RATE, "0 to 100; higher is more spend."),
            column(
                "segment_code",
                TEXT,
                "Segment from the firm's decision table and floors; 'unscored' without scores.",
                required=True,
            ),
            column("segment_of_cell", TEXT, "Segment of the score cell, before the floors."),
            column(
                "activity_status",
                TEXT,
                "'New', 'Active', 'At risk' or 'Passive', by recency.",
                required=True,
            ),
        ]
    ),
)
