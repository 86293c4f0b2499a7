"""Extracted datasets: the canonical tables that every source yields."""

import pyarrow as pa

from include.datasets.contract import (
    COUNT,
    CUSTOMER_ID,
    DAY,
    INSTANT,
    MONEY,
    QUANTITY,
    TEXT,
    Dataset,
    Earlier,
    column,
)

TRANSACTIONS = Dataset(
    name="transactions",
    about="One row per line of a sale or a return.",
    by="month",
    grain=("transaction_id", "line_id", "kind"),  # a return may have the number of a sale
    schema=pa.schema(
        [
            column("transaction_id", TEXT, "Order, basket or invoice.", required=True),
            column("line_id", TEXT, "Line within the transaction.", required=True),
            column("kind", TEXT, "'sale' or 'return'.", required=True),
            column("occurred_at", INSTANT, "When it happened, UTC.", required=True),
            column("order_date", DAY, "Its day in the firm's time zone.", required=True),
            column("customer_id", TEXT, "The buyer; null if not identified."),
            column("product_id", TEXT, "Product; null when the source has none."),
            column("quantity", QUANTITY, "Units; never negative.", required=True),
            column("gross_amount", MONEY, "Before discounts; never negative.", required=True),
            column("discount_amount", MONEY, "Discounts given; never negative.", required=True),
            column(
                "net_amount",
                MONEY,
                "Amount paid (gross less discount), or refunded.",
                required=True,
            ),
            column("margin_amount", MONEY, "Net amount less the cost of the goods; null when unknown."),
            column("channel", TEXT, "Where it was sold: store, web, ..."),
            column("payment_method", TEXT, "Payment method."),
            column("programme_id", TEXT, "Loyalty programme it was booked under."),
        ]
    ),
)

CUSTOMERS = Dataset(
    name="customers",
    about="One row per customer known before as_of. Holds personal data, as customers_rejected does.",
    grain=("customer_id",),
    pii=("full_name", "email", "phone", "birth_date"),
    earlier=(Earlier("433d4e6169368081", added={"may_contact": None}),),
    schema=pa.schema(
        [
            CUSTOMER_ID,
            column("full_name", TEXT, "Name. Personal data."),
            column("email", TEXT, "E-mail. Personal data."),
            column("phone", TEXT, "Telephone. Personal data."),
            column("birth_date", DAY, "Date of birth. Personal data."),
            column("gender", TEXT, "As the source codes it."),
            column("city", TEXT, "City."),
            column("country", TEXT, "Country."),
            column("joined_date", DAY, "First known to the firm."),
            column("acquisition_channel", TEXT, "Channel of acquisition."),
            column("age_band", TEXT, "Age group, where only that is known."),
            column("income_band", TEXT, "Income group."),
            column("household_size", TEXT, "People in the household, as the source codes it."),
            column(
                "may_contact", pa.bool_(), "Whether the firm may send offers; null: the source does not say."
            ),
        ]
    ),
)

PRODUCTS = Dataset(
    name="products",
    about="One row per product.",
    grain=("product_id",),
    schema=pa.schema(
        [
            column("product_id", TEXT, "The source's own product key.", required=True),
            column("product_name", TEXT, "Name or description."),
            column("department", TEXT, "Widest grouping."),
            column("category", TEXT, "Grouping within the department."),
            column("brand", TEXT, "Brand."),
            column("unit_cost", MONEY, "Cost of one unit; null when unknown."),
        ]
    ),
)

LOYALTY_MOVEMENTS = Dataset(
    name="loyalty_movements",
    about="One row per earning or spending of points.",
    by="month",
    grain=("movement_id",),
    schema=pa.schema(
        [
            column("movement_id", TEXT, "The source's own key.", required=True),
            column("occurred_at", INSTANT, "When it happened, UTC.", required=True),
            column("order_date", DAY, "Its day in the firm's time zone.", required=True),
            CUSTOMER_ID,
            column("programme_id", TEXT, "Programme."),
            column("transaction_id", TEXT, "The sale it came from, where known."),
            column("points_earned", QUANTITY, "Never negative.", required=True),
            column("points_used", QUANTITY, "Never negative.", required=True),
        ]
    ),
)


def rejected_of(dataset: Dataset) -> Dataset:
    """The dataset of rejected rows of ``dataset``: each row as the source gave it, with the reason."""
    return Dataset(
        name=f"{dataset.name}_rejected",
        about=f"One row per row of {dataset.name} that was rejected.",
        by=dataset.by,
        grain=("reason", "row_number"),
        pii=("source_row",) if dataset.pii else (),
        schema=pa.schema(
            [
                column("reason", TEXT, "Reason of the rejection.", required=True),
                column("row_number", COUNT, "Within the slice and reason.", required=True),
                column("source_row", TEXT, "The row as JSON."),
            ]
        ),
    )


INTENDED = frozenset(
    {
        "cancelled_order", "counted_with_order", "deleted", "down_payment", "exact_duplicate",
        "header_repeated", "invoice_without_order", "not_a_row", "not_a_sale", "order_not_counted",
        "other_currency", "price_not_positive", "quantity_not_positive", "repeated_order", "total_row",
    }
)  # fmt: skip
"""Reasons of rows that are readable and left out by a rule of their source."""
