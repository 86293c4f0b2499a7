"""Metrics of suggested products and of groups of customers: columns that one view or fact computes."""

from __future__ import annotations

from include.metrics.row import Metric

_GROUP, _FORECAST = "mart.cohort_value", "mart.cohort_forecast"

METRICS: tuple[Metric, ...] = (
    Metric(
        "purchase_probability",
        "Chance of buying the product next",
        "Ürünü sonraki siparişte alma olasılığı",
        "Chance that the product is in the customer's next order, if there is one.",
        "ratio",
        "suggested product",
        module="next_product",
        is_prediction=True,
        sql="fact_customer_next_product.purchase_probability",
    ),
    Metric(
        "usual_gap_days",
        "Usual days between purchases of the product",
        "Ürünün iki alışı arasındaki olağan gün",
        "Mean days between a customer's purchases of the product, with all customers' median as one more.",
        "days",
        "suggested product",
        module="next_product",
        sql="fact_customer_next_product.usual_gap_days",
    ),
    Metric(
        "hit_rate_at_5",
        "Next orders with a suggested product",
        "Önerilen ürünü içeren sonraki siparişler",
        "Share of tested customers whose next order has at least one of their five suggested products.",
        "ratio",
        "suggested product",
        history_periods=2,
        module="next_product",
        sql="fact_next_product_test.hit_rate_at_5",
    ),
    Metric(
        "popular_hit_rate_at_5",
        "Next orders with a best-selling product",
        "Çok satan ürünü içeren sonraki siparişler",
        "Share of tested customers whose next order has at least one of the five best-selling products.",
        "ratio",
        "suggested product",
        history_periods=2,
        module="next_product",
        sql="fact_next_product_test.popular_hit_rate_at_5",
    ),
    Metric(
        "cumulative_value_per_customer",
        "Value per acquired customer so far",
        "Kazanılan müşteri başına bugüne kadarki değer",
        "Net spend per customer of the group, summed over the months since the first purchase; in each month "
        "of the customers for whom it has ended.",
        "money",
        "group of customers",
        sql=f"{_GROUP}.cumulative_value_per_customer",
    ),
    Metric(
        "cumulative_return_on_cost",
        "Margin so far less acquisition cost, per customer",
        "Müşteri başına bugüne kadarki kâr marjı eksi kazanım maliyeti",
        "Margin so far per customer with a known acquisition cost, less the mean of those costs.",
        "money",
        "group of customers",
        module="acquisition",
        sql=f"{_GROUP}.cumulative_return_on_cost",
    ),
    Metric(
        "break_even_month",
        "Month of break-even",
        "Başabaş ayı",
        "First month since the first purchase in which cumulative_return_on_cost is not negative.",
        "count",
        "group of customers",
        module="acquisition",
        sql=f"{_FORECAST}.break_even_month",
    ),
    Metric(
        "group_expected_spend_1_year",
        "Expected net spend of the group, next year",
        "Grubun beklenen net harcaması, gelecek yıl",
        "Sum of the customers' net spend expected in the next 365 days; with an 80 percent interval.",
        "money",
        "group of customers",
        module="ltv",
        is_prediction=True,
        sql=f"{_FORECAST}.expected_spend_1_year",
    ),
)
