"""Products, row for row on a hand-made shop."""

from datetime import date, timedelta
from decimal import Decimal

from tests.warehouse.shop import returned, sale

AS_OF = date(2026, 11, 21)
N = Decimal


def ago(days: int) -> date:
    return AS_OF - timedelta(days=days)


def sell(shop, *lines):
    """Load lines, each in its own month."""
    for month in sorted({line["order_date"].strftime("%Y-%m") for line in lines}):
        rows = [line for line in lines if line["order_date"].strftime("%Y-%m") == month]
        shop.sales(month, *rows, as_of=AS_OF)


def test_a_products_sales_buyers_and_margin_are_counted(shop):
    sell(
        shop,
        sale("1", ago(400), "ann", 40, quantity=4, gross_amount=50, discount_amount=10, margin_amount=8),
        sale("2", ago(30), "ann", 20, quantity=2, margin_amount=4),
        sale("2", ago(30), "ann", 10, line_id="2", quantity=1),
        sale("3", ago(30), "bob", 15),
        sale("3", ago(30), "bob", 5, line_id="2"),
        sale("4", ago(1), None, 30, quantity=3),
        returned("5", ago(2), "bob", 10, quantity=1),
        sale("6", ago(5), "bob", 30, product_id="jam"),
        sale("8", ago(365), "bob", 6, product_id="jam"),
        sale("7", ago(0), "cid", 99),
    )

    rows = shop.ask(
        "select product_id, first_sale_date, last_sale_date, days_since_last_sale, order_count, "
        "customer_count, repeat_customer_count, repeat_customer_pct, units_sold, units_returned, return_pct, "
        "discount_amount, net_amount, net_amount_365_days, share_pct, place_in_firm, margin_amount, "
        "margin_pct from mart.vw_product_performance order by 1"
    )

    # Tea: 40 + 20 + 10 + 20 + 30 - 10 = 110, of which 70 in the year; margin 12 of 60.
    assert rows == [
        (
            "jam", ago(365), ago(5), 5, 2, 1, 1, N("100.0"), 2, 0, N("0.0"),
            0, 36, 36, N("34.0"), 2, None, None,
        ),
        (
            "tea", ago(400), ago(1), 1, 4, 2, 1, N("50.0"), 12, 1, N("8.3"),
            10, 110, 70, N("66.0"), 1, 12, N("20.0"),
        ),
    ]  # fmt: skip


def test_lines_without_a_product_have_a_row_so_shares_add_up(shop):
    sell(shop, sale("1", ago(9), amount=30), sale("2", ago(8), amount=10, product_id=None))

    rows = shop.ask(
        "select product_id, share_pct from mart.product_performance('acme', %s) order by 1", AS_OF
    )

    assert rows == [("(unknown)", N("25.0")), ("tea", N("75.0"))]


def test_each_stage_of_a_products_life(shop):
    def two(product, earlier, recent):
        return (
            sale(f"{product}1", ago(150), product_id=product, quantity=earlier, amount=earlier),
            sale(f"{product}2", ago(50), product_id=product, quantity=recent, amount=recent),
        )

    sell(
        shop,
        sale("e", ago(366), product_id="ended"),
        sale("d", ago(91), product_id="dormant"),
        sale("s", ago(365), product_id="asleep"),
        sale("p", ago(180), product_id="paused", quantity=2),
        sale("q", ago(181), product_id="paused", quantity=7),
        sale("i", ago(90), product_id="introduced", quantity=5),
        *two("grown", 4, 6),
        *two("steady_high", 4, 5),
        *two("steady_low", 4, 3),
        *two("shrunk", 5, 3),
        sale("u", ago(10), product_id=None),
    )

    rows = shop.ask(
        "select product_id, stage, age_days, days_since_last_sale, units_90_days, units_previous_90_days, "
        "units_change_pct, net_amount_90_days, net_amount_previous_90_days from mart.vw_product_lifecycle "
        "order by 1"
    )

    assert rows == [
        ("asleep", "dormant", 365, 365, 0, 0, None, 0, 0),
        ("dormant", "dormant", 91, 91, 0, 1, N("-100.0"), 0, 10),
        ("ended", "ended", 366, 366, 0, 0, None, 0, 0),
        ("grown", "growth", 150, 50, 6, 4, N("50.0"), 6, 4),
        ("introduced", "introduction", 90, 90, 5, 0, None, 10, 0),
        ("paused", "dormant", 181, 180, 0, 2, N("-100.0"), 0, 10),
        ("shrunk", "decline", 150, 50, 3, 5, N("-40.0"), 3, 5),
        ("steady_high", "maturity", 150, 50, 5, 4, N("25.0"), 5, 4),
        ("steady_low", "maturity", 150, 50, 3, 4, N("-25.0"), 3, 4),
    ]


def test_a_product_is_compared_with_the_firm_and_its_peak_month(shop):
    sell(
        shop,
        sale("1", date(2026, 3, 1), quantity=7),
        sale("2", date(2026, 6, 1), quantity=9),
        sale("3", date(2026, 6, 2), quantity=1),
        sale("4", date(2026, 10, 1), quantity=10),
        sale("5", date(2026, 10, 2), quantity=5, product_id="jam"),
    )

    rows = shop.ask(
        "select product_id, firm_units_change_pct, peak_month, peak_month_units "
        "from mart.vw_product_lifecycle order by 1"
    )

    assert rows == [
        ("jam", N("50.0"), date(2026, 10, 1), 5),
        ("tea", N("50.0"), date(2026, 6, 1), 10),
    ]


def test_the_stage_is_unknown_before_two_windows_of_history(shop):
    sell(shop, sale("1", ago(100), quantity=1), sale("2", ago(10), quantity=9))

    early = shop.ask("select stage from mart.product_lifecycle('acme', %s)", AS_OF)
    late = shop.ask("select stage from mart.product_lifecycle('acme', %s)", ago(-80))
    just = shop.ask("select stage from mart.product_lifecycle('acme', %s)", ago(-79))

    assert (early, just, late) == ([("unknown",)], [("unknown",)], [("growth",)])
