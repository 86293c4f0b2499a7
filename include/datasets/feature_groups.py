"""The groups of customer features, one query each; ``features`` joins them."""

import pyarrow as pa

from include.datasets.contract import (
    COUNT,
    CUSTOMER_ID,
    MONEY,
    QUANTITY,
    RATE,
    Dataset,
    column,
)

WINDOWS = (30, 60, 90, 180, 365)
DAYS = pa.int32()

MEASURES = (
    ("order_count", COUNT, "Orders"),
    ("sale_day_count", COUNT, "Days with a sale"),
    ("line_count", COUNT, "Sale lines"),
    ("unit_count", QUANTITY, "Units sold"),
    ("total_spend", MONEY, "Net spend"),
    ("discount_amount", MONEY, "Discounts"),
    ("return_count", COUNT, "Return transactions"),
    ("return_amount", MONEY, "Given back for returns"),
)


def _measures() -> list[pa.Field]:
    """Each measure over each window of days that ends at as_of, then over a lifetime."""
    windows = [
        column(f"{name}_{days}_days", kind, f"{about} in the last {days} days.", required=True)
        for days in WINDOWS
        for name, kind, about in MEASURES
    ]
    return windows + [
        column(name, kind, f"{about}, lifetime.", required=True) for name, kind, about in MEASURES
    ]


def _spans(spans: tuple[tuple[int, int], ...], suffix: str, about: str) -> list[pa.Field]:
    """Orders and net spend of days ``first`` to ``last`` before as_of."""
    return [
        column(
            f"{name}_{suffix.format(first=first, last=last, days=last - first + 1)}",
            kind,
            about.format(what=what, first=first, last=last, days=last - first + 1),
            required=True,
        )
        for first, last in spans
        for name, kind, what in (("order_count", COUNT, "Orders"), ("total_spend", MONEY, "Net spend"))
    ]


PURCHASE_FEATURES = Dataset(
    name="purchase_features",
    about="One row per customer with a sale before as_of: what was bought, in windows and over a lifetime.",
    grain=("customer_id",),
    schema=pa.schema(
        [
            CUSTOMER_ID,
            *_measures(),
            column("sale_amount", MONEY, "Sales after discounts, before returns, lifetime.", required=True),
            column("days_since_last_return", DAYS, "Last return to as_of; null without one."),
            column("total_margin", MONEY, "Margin, lifetime; null when unknown."),
            *_spans(
                ((31, 60), (61, 90), (91, 120), (121, 150), (151, 180)),
                "{first}_to_{last}_days",
                "{what} {first} to {last} days before as_of.",
            ),
            *_spans(
                ((336, 365), (276, 365)),
                "next_{days}_days_year_ago",
                "{what} in the {days} days that begin 365 days before as_of.",
            ),
        ]
    ),
)

RHYTHM_FEATURES = Dataset(
    name="rhythm_features",
    about="One row per customer with a sale before as_of: gaps between sale days, active weeks, usual days.",
    grain=("customer_id",),
    schema=pa.schema(
        [
            CUSTOMER_ID,
            column("days_since_last_order", DAYS, "Last sale day to as_of (RFM's R).", required=True),
            column("recency_days", DAYS, "First to last sale day (BTYD t_x).", required=True),
            column("age_days", DAYS, "First sale day to as_of (BTYD T).", required=True),
            column("frequency", DAYS, "Repeat purchase days: sale days less one (BTYD x).", required=True),
            column("first_day_amount", MONEY, "Sale amount of the first sale day.", required=True),
            column("last_day_amount", MONEY, "Sale amount of the last sale day.", required=True),
            column("avg_days_between_orders", RATE, "Mean gap between sale days; null below two."),
            column("median_days_between_orders", RATE, "Median gap."),
            column(
                "sd_days_between_orders", RATE, "Standard deviation of the gaps; null below three sale days."
            ),
            column("min_days_between_orders", DAYS, "Shortest gap."),
            column("max_days_between_orders", DAYS, "Longest gap."),
            column("max_days_between_orders_365_days", DAYS, "Longest gap that ended in the last 365 days."),
            column("first_days_between_orders", DAYS, "Gap between the first two sale days."),
            column("last_days_between_orders", DAYS, "Gap between the last two sale days."),
            column("previous_days_between_orders", DAYS, "The gap before the last one."),
            column("avg_last_3_days_between_orders", RATE, "Mean of the last three gaps."),
            column("avg_last_6_days_between_orders", RATE, "Mean of the last six gaps."),
            column("longer_gap_count", COUNT, "Gaps longer than the present silence.", required=True),
            column("longer_gap_share", RATE, "Share of gaps longer than the present silence."),
            *(
                column(f"days_since_order_{n}", DAYS, f"Sale day number {n} from the last, to as_of.")
                for n in (2, 3, 5, 10)
            ),
            *(
                column(
                    f"active_weeks_{n}_weeks", COUNT, f"Weeks with a sale, of the last {n}.", required=True
                )
                for n in (4, 8, 13, 26, 52)
            ),
            *(
                column(
                    f"active_months_{n}_months",
                    COUNT,
                    f"Number of the last {n} periods of 30 days that have a sale.",
                )
                for n in (3, 6, 12)
            ),
            *(
                column(f"{day}_share", RATE, f"Share of sale days on a {day.title()}.", required=True)
                for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
            ),
            column("weekend_share", RATE, "Share of sale days on Saturday or Sunday.", required=True),
            column(
                "weekend_share_90_days", RATE, "The same of the last 90 days; null without a sale in them."
            ),
            column("early_month_share", RATE, "Share of sale days on the 1st to 10th.", required=True),
            column("mid_month_share", RATE, "Share of sale days on the 11th to 20th.", required=True),
            column("late_month_share", RATE, "Share of sale days from the 21st on.", required=True),
            *(
                column(f"quarter_{n}_share", RATE, f"Share of sale days in quarter {n}.", required=True)
                for n in (1, 2, 3, 4)
            ),
        ]
    ),
)

ORDER_FEATURES = Dataset(
    name="order_features",
    about="One row per customer with a sale before as_of: order values, discounts, channels, hours.",
    grain=("customer_id",),
    schema=pa.schema(
        [
            CUSTOMER_ID,
            column("max_order_value", MONEY, "Largest order."),
            column("min_order_value", MONEY, "Smallest order."),
            column("median_order_value", RATE, "Median order."),
            column("sd_order_value", RATE, "Standard deviation of order values; null below two orders."),
            column("first_order_value", MONEY, "The first order."),
            column("last_order_value", MONEY, "The last order."),
            column("avg_last_3_order_value", RATE, "Mean of the last three orders."),
            column("avg_lines_per_order", RATE, "Lines per order."),
            column("max_lines_per_order", COUNT, "Lines of the longest order."),
            column("last_order_line_count", COUNT, "Lines of the last order."),
            column("avg_units_per_order", RATE, "Units per order."),
            column("single_line_order_share", RATE, "Share of orders with one line."),
            column("discounted_line_share", RATE, "Share of lines with a discount."),
            column("discounted_order_share", RATE, "Share of orders with a discounted line."),
            column(
                "discounted_order_share_90_days", RATE, "The same of the last 90 days; null without an order."
            ),
            column("max_discount_rate", RATE, "Largest discount of an order, over its gross amount."),
            column("last_discount_rate", RATE, "Discount of the last order, over its gross amount."),
            column("programme_count", COUNT, "Loyalty programmes that orders were booked under."),
            column("programme_order_share", RATE, "Share of orders booked under a programme."),
            column("morning_order_share", RATE, "Share of orders from 6 to 12 o'clock, firm's time."),
            column("afternoon_order_share", RATE, "Share of orders from 12 to 17 o'clock."),
            column("evening_order_share", RATE, "Share of orders from 17 to 22 o'clock."),
            column("night_order_share", RATE, "Share of orders from 22 to 6 o'clock."),
            column("channel_count", COUNT, "Channels bought in; null when the source names none."),
            column("top_channel_share", RATE, "Share of orders in the customer's main channel."),
            column("last_channel_share", RATE, "Share of orders in the channel of the last order."),
            column("payment_method_count", COUNT, "Payment methods used; null when the source names none."),
            column("top_payment_method_share", RATE, "Share of orders paid by the customer's main method."),
        ]
    ),
)

ASSORTMENT_FEATURES = Dataset(
    name="assortment_features",
    about="One row per customer with a sale before as_of: breadth and narrowness of what is bought.",
    grain=("customer_id",),
    schema=pa.schema(
        [
            CUSTOMER_ID,
            column("product_count", COUNT, "Distinct products."),
            column("product_count_90_days", COUNT, "Distinct products, last 90 days."),
            column("product_count_365_days", COUNT, "Distinct products, last 365 days."),
            column("repeat_product_share", RATE, "Share of products bought on more than one day."),
            column(
                "new_product_share_90_days", RATE, "Share of the last 90 days' products never bought before."
            ),
            column("days_since_new_product", DAYS, "Days since a product was bought for the first time."),
            column("top_product_share", RATE, "Share of lines of the most bought product."),
            column("known_product_share", RATE, "Share of lines whose product the source names."),
            column("category_count", COUNT, "Distinct categories; null where products have none."),
            column("category_count_90_days", COUNT, "Distinct categories, last 90 days."),
            column("category_count_365_days", COUNT, "Distinct categories, last 365 days."),
            column("dropped_category_count", COUNT, "Categories last bought 91 to 365 days ago."),
            column("top_category_share", RATE, "Share of lines in the main category."),
            column("second_category_share", RATE, "Share of lines in the second category."),
            column("third_category_share", RATE, "Share of lines in the third category."),
            column(
                "top_category_share_90_days", RATE, "Share of the last 90 days' lines in the main category."
            ),
            column("days_since_top_category", DAYS, "Days since the main category was last bought."),
            column("category_concentration", RATE, "Sum of squared category shares: 1 is a single category."),
            column("department_count", COUNT, "Distinct departments; null where products have none."),
            column("department_count_90_days", COUNT, "Distinct departments, last 90 days."),
            column("top_department_share", RATE, "Share of lines in the main department."),
            column("brand_count", COUNT, "Distinct brands; null where products have none."),
            column("top_brand_share", RATE, "Share of lines of the main brand."),
        ]
    ),
)

LOYALTY_FEATURES = Dataset(
    name="loyalty_features",
    about="One row per customer with a loyalty movement before as_of: points earned and used.",
    grain=("customer_id",),
    schema=pa.schema(
        [
            CUSTOMER_ID,
            column("movement_count", COUNT, "Loyalty movements, lifetime.", required=True),
            column("points_earned", QUANTITY, "Points earned, lifetime.", required=True),
            column("points_used", QUANTITY, "Points used, lifetime.", required=True),
            column("points_balance", QUANTITY, "Points earned less used.", required=True),
            column("points_used_share", RATE, "Points used over points earned."),
            *(
                column(f"{name}_{days}_days", kind, f"{about}, last {days} days.", required=True)
                for days in (30, 90, 365)
                for name, kind, about in (
                    ("movement_count", COUNT, "Loyalty movements"),
                    ("points_earned", QUANTITY, "Points earned"),
                    ("points_used", QUANTITY, "Points used"),
                )
            ),
            column("days_since_last_movement", DAYS, "Last movement to as_of."),
            column("days_since_points_earned", DAYS, "Last earning to as_of."),
            column("days_since_points_used", DAYS, "Last spending of points to as_of."),
            column("days_since_first_movement", DAYS, "First movement to as_of."),
            column("loyalty_programme_count", COUNT, "Programmes with a movement.", required=True),
        ]
    ),
)


ENGAGEMENT_FEATURES = Dataset(
    name="engagement_features",
    about="One row per customer with an event beside its sales before as_of: visits, messages, service.",
    grain=("customer_id",),
    schema=pa.schema(
        [
            CUSTOMER_ID,
            *(
                column(f"{name}_{days}_days", COUNT, f"{about}, last {days} days.", required=True)
                for days in (30, 90, 365)
                for name, about in (
                    ("visit_count", "Sessions, logins and browsing"),
                    ("message_count", "Messages and campaigns that reached the customer"),
                    ("response_count", "Openings, clicks, redemptions and conversions"),
                    ("service_day_count", "Days with an inquiry, complaint, ticket or feedback"),
                )
            ),
            *(
                column(f"complaint_count_{days}_days", COUNT, f"Complaints, last {days} days.", required=True)
                for days in (90, 365)
            ),
            column("redemption_count_365_days", COUNT, "Redemptions, last 365 days.", required=True),
            column("campaign_count_365_days", COUNT, "Campaigns met, last 365 days.", required=True),
            column("unsubscribe_count", COUNT, "Times unsubscribed, lifetime.", required=True),
            column("interaction_channel_count", COUNT, "Channels of the events, lifetime.", required=True),
            *(
                column(f"responses_per_message_{days}_days", RATE, f"Responses a message, last {days} days.")
                for days in (90, 365)
            ),
            column(
                "visit_count_trend_30_of_90_days",
                RATE,
                "Visits a day in the last 30 days over that of the last 90: 1 is steady.",
            ),
            column("avg_session_mins_90_days", RATE, "Mean length of a session, last 90 days."),
            column("pages_viewed_90_days", COUNT, "Pages seen, last 90 days; null if not counted."),
            column("products_viewed_90_days", COUNT, "Products seen, last 90 days; null if not counted."),
            column("last_nps_score", pa.int16(), "Latest answer, 0 to 10: would they recommend the firm."),
            column("last_satisfaction_score", RATE, "Latest satisfaction score, as the source scales it."),
            column("avg_sentiment_365_days", RATE, "Mean sentiment, -1 to 1, last 365 days."),
            *(
                column(f"days_since_last_{name}", DAYS, f"Last {about} to as_of.")
                for name, about in (
                    ("visit", "session, login or browsing"),
                    ("message", "message or campaign"),
                    ("response", "opening, click, redemption or conversion"),
                    ("service", "inquiry, complaint, ticket or feedback"),
                    ("complaint", "complaint"),
                )
            ),
            column("days_since_first_interaction", DAYS, "First event to as_of."),
        ]
    ),
)
