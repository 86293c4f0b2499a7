"""Datasets of the next product: candidates, the test that decides, and each customer's suggestions."""

import pyarrow as pa

from include.datasets.contract import COUNT, CUSTOMER_ID, DAY, RATE, TEXT, Dataset, column

KIND = column(
    "kind",
    TEXT,
    "'repeat': the customer bought the product lately; 'new': the customer never bought it.",
    required=True,
)
PRODUCT_ID = column("product_id", TEXT, "The source's own product key.", required=True)

NEXT_PRODUCT_CANDIDATES = Dataset(
    name="next_product_candidates",
    about="One row per customer and product that may be bought next: at as_of, and at two past cutoffs for a "
    "sample of customers, with what was then bought.",
    grain=("cutoff", "customer_id", "product_id"),
    schema=pa.schema(
        [
            column("cutoff", DAY, "The day before which data is used: as_of, or a past day.", required=True),
            CUSTOMER_ID,
            PRODUCT_ID,
            KIND,
            column(
                "purchase_days",
                COUNT,
                "Days with a purchase of the product in the last 3 * churn_threshold_days; 0 if new.",
                required=True,
            ),
            column("order_days", COUNT, "Days with an order of the customer in that time.", required=True),
            column("first_purchase_date", DAY, "First of the purchase days."),
            column("last_purchase_date", DAY, "Last of the purchase days."),
            column(
                "together_share",
                RATE,
                "Sum over the customer's latest products of the share of their buyers who also bought this "
                "product. 0 if it is a repeat.",
                required=True,
            ),
            column("because_product_id", TEXT, "The one of those products with the largest share."),
            column(
                "popularity",
                RATE,
                "Sale lines of the product in the last 90 days per sale line of the best-selling one.",
                required=True,
            ),
            column("is_bought_next", pa.bool_(), "Past cutoffs: it is in the customer's next order."),
            column(
                "is_popular_bought_next",
                pa.bool_(),
                "Past cutoffs: one of the five best-selling products is in the customer's next order.",
            ),
        ]
    ),
)

NEXT_PRODUCT_TESTS = Dataset(
    name="next_product_tests",
    about="The candidates of the past cutoffs: what the weights are fitted on, and tested on.",
    grain=NEXT_PRODUCT_CANDIDATES.grain,
    schema=NEXT_PRODUCT_CANDIDATES.schema,
)

NEXT_PRODUCT_EVIDENCE = Dataset(
    name="next_product_evidence",
    about="One row: how much the sales say about products, to name the reason for having no suggestions.",
    grain=("product_count",),
    schema=pa.schema(
        [
            column("product_count", COUNT, "Products with a sale before as_of.", required=True),
            column("customer_count", COUNT, "Customers with a sale of a known product.", required=True),
            column("repeat_customer_count", COUNT, "Of them, with sales on two days or more.", required=True),
            column("history_days", COUNT, "First sale to as_of; 0 without a sale.", required=True),
        ]
    ),
)

NEXT_PRODUCT_MODEL = Dataset(
    name="next_product_model",
    about="One row: how suggested products did on the firm's own last window, beside the best-selling ones, "
    "and the weights that make the suggestions.",
    grain=("tested_from",),
    schema=pa.schema(
        [
            column("tested_from", DAY, "First day of the window of the test.", required=True),
            column("horizon_days", pa.int32(), "Days of that window: churn_threshold_days.", required=True),
            column(
                "is_used",
                pa.bool_(),
                "Whether customers get suggestions: they beat the best-selling products in the test.",
                required=True,
            ),
            column("reason", TEXT, "Why, in words.", required=True),
            column("tested_customers", COUNT, "Customers of the test.", required=True),
            column(
                "hit_rate_at_5",
                RATE,
                "Share of them whose next order had at least one of the five suggested products.",
            ),
            column(
                "popular_hit_rate_at_5",
                RATE,
                "Share of them whose next order had at least one of the five best-selling products.",
            ),
            column("hit_rate_difference", RATE, "hit_rate_at_5 less popular_hit_rate_at_5."),
            column(
                "difference_standard_error",
                RATE,
                "Standard error of the difference between the two lists of each customer.",
            ),
            column("fitted_customers", COUNT, "Customers whom the weights are fitted on.", required=True),
            column("repeat_intercept", RATE, "Intercept of the logistic regression of a repeat."),
            column("repeat_rate_weight", RATE, "Weight of ln((purchase_days + 0.5) / (order_days + 1))."),
            column("repeat_once_weight", RATE, "Weight of 1 if the product was bought on one day only."),
            column("repeat_orders_weight", RATE, "Weight of ln(order_days)."),
            column("repeat_popularity_weight", RATE, "Weight of ln(popularity)."),
            column("new_intercept", RATE, "Log-odds of a new product with all terms 0."),
            column("new_together_weight", RATE, "Weight of ln(together_share + 0.01)."),
            column("new_orders_weight", RATE, "Weight of ln(order_days)."),
            column("new_popularity_weight", RATE, "Weight of ln(popularity)."),
        ]
    ),
)

NEXT_PRODUCTS = Dataset(
    name="next_products",
    about="Up to six rows per customer who ordered lately: the five products most likely in the next order, "
    "and the likeliest new one where none of the five is new.",
    grain=("customer_id", "product_id"),
    schema=pa.schema(
        [
            CUSTOMER_ID,
            PRODUCT_ID,
            column(
                "product_rank",
                pa.int8(),
                "1 is the likeliest; 6 is the likeliest new product where the first five are repeats.",
                required=True,
            ),
            KIND,
            column(
                "purchase_probability",
                RATE,
                "Chance that the product is in the customer's next order, if there is one; 0 to 1.",
                required=True,
            ),
            column(
                "reason_code",
                TEXT,
                "'bought_before': the customer's own habit; 'bought_together': customers of "
                "because_product_id buy it too; 'popular': it sells best.",
                required=True,
            ),
            column("because_product_id", TEXT, "Of 'bought_together': the product the customer bought."),
            column(
                "purchase_days",
                COUNT,
                "Days on which the customer bought it in the last 3 * churn_threshold_days; 0 if new.",
                required=True,
            ),
            column("last_purchase_date", DAY, "The last of these days; null if new."),
            column(
                "usual_gap_days",
                RATE,
                "Usual days between two purchases of it: a mix of this customer's gap and that of all "
                "customers. Null if all customers have no usual gap and this customer bought it on fewer "
                "than three days.",
            ),
            column(
                "due_date",
                DAY,
                "A repeat: the last purchase plus the usual gap, but not before as_of. Null if the gap is "
                "unknown, or if three gaps have passed since the last purchase.",
            ),
        ]
    ),
)
