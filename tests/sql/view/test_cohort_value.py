"""Value of cohorts: sums to the cent, curves per customer, break-even and forecast, on hand-made shops."""

from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest

from tests.warehouse.engagement_rows import entry, won
from tests.warehouse.shop import returned, sale
from tests.warehouse.value_rows import load, valued

AS_OF = date(2026, 11, 21)
ATTRIBUTES = [
    "acquisition_channel",
    "all",
    "cohort_month",
    "first_channel",
    "first_discount",
    "first_product",
]


def d(number) -> Decimal:
    return Decimal(str(number))


def curve(shop, attribute, member, columns, *, as_of=AS_OF):
    return shop.ask(
        f"select months_since_acquisition, {columns} from mart.cohort_value('acme', %s) "
        "where attribute = %s and member = %s order by 1",
        as_of,
        attribute,
        member,
    )


def test_the_sums_of_each_attribute_are_the_sales_of_known_customers_to_the_cent(shop):
    random = Random(7)
    months: dict[str, list] = {}
    for number in range(400):
        day = date(2026, 6, 1) + timedelta(days=random.randrange(170))
        who = random.choice([*(f"c{n}" for n in range(40)), None])
        kind = returned if random.random() < 0.2 else sale
        amount = d(random.randrange(1, 99_999)) / 100
        row = kind(
            str(number), day, who, amount, channel=random.choice(["web", "store", None]),
            product_id=random.choice([*(f"p{n}" for n in range(30)), None]),
            margin_amount=round(amount / 3, 2),
        )  # fmt: skip
        months.setdefault(f"{day:%Y-%m}", []).append(row)
    for month, rows in sorted(months.items()):
        shop.sales(month, *rows, as_of=AS_OF)

    (facts,) = shop.ask(
        "select sum(net_amount), sum(margin_amount), count(distinct customer_sk) from analytics.fact_sales "
        "join analytics.dim_customer using (firm_sk, customer_sk) where not is_anonymous and order_date < %s",
        AS_OF,
    )
    sums = shop.ask(
        "select attribute, sum(net_amount), sum(margin_amount) from mart.vw_cohort_value "
        "group by 1 order by 1"
    )
    customers = shop.ask(
        "select attribute, sum(customers), sum(net_amount), sum(margin_amount) from mart.vw_cohort_forecast "
        "group by 1 order by 1"
    )

    assert sums == [(name, facts[0], facts[1]) for name in ATTRIBUTES]
    assert customers == [(name, facts[2], facts[0], facts[1]) for name in ATTRIBUTES]
    assert shop.ask(
        "select count(distinct member) from mart.vw_cohort_value where attribute = 'first_product'"
    )[0] <= (22,)


def test_a_curve_counts_the_customers_whose_month_has_ended(shop):
    shop.sales("2026-08", sale("1", date(2026, 8, 5), "ann", 60), sale("2", date(2026, 8, 9), "bob", 20))
    shop.sales("2026-09", sale("3", date(2026, 9, 2), "ann", 30), returned("4", date(2026, 9, 3), "bob", 6))
    shop.sales("2026-10", sale("5", date(2026, 10, 30), "cid", 100))
    shop.sales("2026-11", sale("6", date(2026, 11, 2), "cid", 50), sale("7", date(2026, 11, 2), "dan", 7))

    rows = curve(
        shop, "all", "All customers",
        "net_amount, cumulative_net_amount, observed_customers, value_per_customer, "
        "cumulative_value_per_customer, is_complete",
    )  # fmt: skip

    # cid's second month and dan's first have not ended; so only ann and bob are seen one month on.
    assert rows == [
        (0, d(187), d(187), 3, d("60.00"), d("60.00"), False),
        (1, d(74), d(261), 2, d("12.00"), d("72.00"), False),
        (2, d(0), d(261), 2, d("0.00"), d("72.00"), True),
        (3, d(0), d(261), 0, None, None, False),
    ]
    assert [row[:2] for row in curve(shop, "cohort_month", "2026-10", "net_amount")] == [
        (0, d(100)),
        (1, d(50)),
    ]


def test_a_customer_belongs_to_the_first_orders_product_channel_and_discount(shop):
    shop.customers(AS_OF, {"customer_id": "ann", "acquisition_channel": "fair"}, {"customer_id": "bob"})
    shop.load("dim_product", AS_OF.isoformat(), [{"product_id": "p1", "product_name": "Green tea"}])
    shop.sales(
        "2026-10",
        sale("1", date(2026, 10, 5), "ann", 8, line_id="1", product_id="p2", channel="web",
             gross_amount=10, discount_amount=2),
        sale("1", date(2026, 10, 5), "ann", 10, line_id="2", product_id="p1", channel="web"),
        sale("2", date(2026, 10, 9), "ann", 99, product_id="p3", channel="store",
             gross_amount=200, discount_amount=101),
        sale("3", date(2026, 10, 9), "bob", 5, product_id=None),
        returned("4", date(2026, 10, 10), "eve", 3),
    )  # fmt: skip

    rows = shop.ask(
        "select customer_id, has_bought, first_product_name, first_channel, acquisition_channel, "
        "first_discount from mart.vw_cohort_member order by 1"
    )
    groups = shop.ask(
        "select attribute, member, customers, net_amount from mart.vw_cohort_forecast "
        "where attribute in ('first_product', 'acquisition_channel') order by 1, member collate \"C\""
    )

    assert rows == [
        ("ann", True, "Green tea", "web", "fair", "up to 10 %"),  # 2 of 20
        ("bob", True, None, None, None, "none"),
        ("eve", False, None, None, None, None),
    ]
    assert groups == [
        ("acquisition_channel", "No purchase", 1, d(-3)),
        ("acquisition_channel", "Unknown", 1, d(5)),
        ("acquisition_channel", "fair", 1, d(117)),
        ("first_product", "Green tea", 1, d(117)),
        ("first_product", "No purchase", 1, d(-3)),
        ("first_product", "Unknown", 1, d(5)),
    ]


def test_break_even_is_the_month_in_which_the_margin_covers_the_known_costs(shop):
    for month, day, amount in (("2026-08", 5, 30), ("2026-09", 6, 10), ("2026-10", 7, 40)):
        at = date.fromisoformat(f"{month}-{day:02}")
        shop.sales(
            month,
            sale(f"a{month}", at, "ann", amount, margin_amount=amount / 2),
            sale(f"b{month}", at, "bob", 1000, margin_amount=900),  # no cost is known
        )
    shop.load("dim_campaign", AS_OF.isoformat(), [entry("channel", "mail")])
    shop.load(
        "fact_customer_acquisition",
        AS_OF.isoformat(),
        [
            won(
                "l1",
                date(2026, 8, 5),
                "ann",
                acquisition_cost=20,
                channel_code="mail",
                revenue_30_days=30,
                revenue_90_days=80,
            )
        ],
    )

    rows = curve(
        shop, "all", "All customers",
        "customers_with_cost, cost_per_customer, cumulative_return_on_cost, cumulative_margin_per_customer",
    )  # fmt: skip
    (group,) = shop.ask(
        "select break_even_month, margin_source, margin_amount from mart.vw_cohort_forecast "
        "where attribute = 'all'"
    )

    # ann's margins are 15, 5 and 20: 20 is covered in the second month.
    assert rows == [
        (0, 1, d("20.00"), d("-5.00"), d("457.50")),
        (1, 1, d("20.00"), d("0.00"), d("910.00")),
        (2, 1, d("20.00"), d("20.00"), d("1370.00")),
        (3, 1, d("20.00"), None, None),
    ]
    assert group == (1, "source", d(2740))


def test_without_a_margin_the_assumed_one_is_used_and_named_and_else_it_is_null(shop):
    shop.sales("2026-10", sale("1", date(2026, 10, 5), "ann", 50), sale("2", date(2026, 10, 5), "bob", 50))
    query = (
        "select margin_source, margin_amount, break_even_month from mart.vw_cohort_forecast "
        "where attribute = 'all'"
    )

    before = shop.ask(query)
    load(shop, AS_OF, valued("ann"), valued("bob"))  # 15 of 50 each
    shop.sales("2026-11", sale("3", date(2026, 11, 20), "ann", 10), as_of=AS_OF)

    assert before == [(None, None, None)]
    assert shop.ask(query) == [("setting", d(33), None)]


def test_the_forecast_is_the_value_models_own_with_the_interval_of_a_total(shop):
    known = {"spend_deviation_1_year": 30.0, "total_doubt_1_year": 0.1, "total_reach": 1.5}
    shop.sales("2026-09", sale("1", date(2026, 9, 5), "ann", 50), as_of=AS_OF)
    shop.sales(
        "2026-10",
        sale("2", date(2026, 10, 5), "bob", 50),
        sale("3", date(2026, 10, 6), "cid", 50),
        as_of=AS_OF,
    )
    load(
        shop,
        AS_OF,
        valued("ann", year=20, expected_spend_1_year=300, **known),
        valued("bob", year=20, expected_spend_1_year=100, **(known | {"spend_deviation_1_year": 40.0})),
        valued("cid", year=None, expected_spend_1_year=None),
    )

    rows = shop.ask(
        "select member, expected_spend_1_year, expected_spend_1_year_low, expected_spend_1_year_high, "
        "expected_spend_per_customer, predicted_clv_1_year from mart.vw_cohort_forecast "
        "where attribute in ('all', 'cohort_month') order by attribute, member"
    )

    half = d(1.5 * (30**2 + (0.1 * 300) ** 2) ** 0.5)  # of ann's month
    low, high = (round(300 + sign * half, 4) for sign in (-1, 1))
    assert rows == [
        ("All customers", None, None, None, None, None),
        ("2026-09", d(300), low, high, d("300.00"), d(20)),
        ("2026-10", None, None, None, None, None),
    ]


@pytest.mark.parametrize("attribute", ["first_product", "first_channel"])
def test_beyond_the_twenty_largest_groups_are_one(shop, attribute):
    column = {"first_product": "product_id", "first_channel": "channel"}[attribute]
    shop.sales(
        "2026-10",
        *(
            sale(f"{group}-{n}", date(2026, 10, 5), f"c{group}-{n}", 1, **{column: f"g{group:02}"})
            for group in range(23)
            for n in range(2 if group < 20 else 1)
        ),
    )

    rows = shop.ask(
        "select member, customers from mart.vw_cohort_forecast where attribute = %s "
        'order by member collate "C"',
        attribute,
    )

    assert rows == [("Other", 3), *((f"g{n:02}", 2) for n in range(20))]


def test_nothing_on_or_after_as_of_is_seen(shop):
    shop.sales("2026-10", sale("1", date(2026, 10, 5), "ann", 10), sale("2", date(2026, 10, 6), "bob", 5))

    rows = curve(shop, "all", "All customers", "net_amount, customers", as_of=date(2026, 10, 6))

    assert rows == [(0, d(10), 1)]
