"""The view made for sharing: no group of fewer than five customers, also not by subtraction."""

from datetime import date
from decimal import Decimal

from tests.warehouse.shop import scored

DAY = date(2026, 11, 21)
QUERY = (
    "select member, group_count, customers, customer_count, total_spend_365_days, avg_spend_365_days, "
    "active_pct from mart.vw_shared_customer_group where attribute = %s"
)


def living_in(shop, **cities: int) -> None:
    """So many customers in each city, each with one order of 10; the first is a day too long away."""
    people = [(f"{city}{n}", city, n) for city, count in cities.items() for n in range(count)]
    shop.customers(DAY, *({"customer_id": who, "city": city.title()} for who, city, _ in people))
    shop.rfm(DAY, *(scored(who, DAY, days=31 if n == 0 else 30, spend=10) for who, _, n in sorted(people)))


def d(number) -> Decimal:
    return Decimal(number)


def test_groups_of_five_and_more_are_shown(shop):
    living_in(shop, izmir=5, ankara=8)

    rows = shop.ask(QUERY, "city")

    assert rows == [
        ("Ankara", 1, "8", 8, d(80), d(10), d(88)),
        ("Izmir", 1, "5", 5, d(50), d(10), d(80)),
    ]


def test_small_groups_are_merged(shop):
    living_in(shop, izmir=9, kars=4, mus=3)

    rows = shop.ask(QUERY, "city")

    assert rows == [
        ("Izmir", 1, "9", 9, d(90), d(10), d(89)),
        ("Other", 2, "7", 7, d(70), d(10), d(71)),
    ]


def test_a_single_small_group_is_merged_with_the_next_larger_one(shop):
    living_in(shop, izmir=9, bursa=6, kars=4)

    rows = shop.ask(QUERY, "city")

    assert rows == [
        ("Izmir", 1, "9", 9, d(90), d(10), d(89)),
        ("Other", 2, "10", 10, d(100), d(10), d(80)),
    ]


def test_fewer_than_five_customers_in_all_are_not_shown(shop):
    living_in(shop, izmir=3, kars=1)

    rows = shop.ask(QUERY, "city")

    assert rows == [("Other", 2, "fewer than 5", None, None, None, None)]


def test_unknown_is_a_group_and_segments_are_shown_by_name(shop):
    living_in(shop, izmir=6)

    assert shop.ask(QUERY, "gender") == [("Unknown", 1, "6", 6, d(60), d(10), d(83))]
    assert shop.ask(QUERY, "rfm_segment") == [("Champions", 1, "6", 6, d(60), d(10), d(83))]


def test_any_snapshot_can_be_selected(shop):
    living_in(shop, izmir=6)

    rows = shop.ask(
        "select member, customer_count from mart.shared_customer_group('acme', %s) where attribute = 'city'",
        DAY,
    )

    assert rows == [("Izmir", 6)]
