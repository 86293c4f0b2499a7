from decimal import Decimal

import psycopg
import pytest

from include.demo.data import firm_rows, load_journey, write_cdnow
from include.firms import parse_firm
from include.sources import SOURCES


def test_the_demo_firms_are_valid_and_nothing_schedules_them(tmp_path):
    firms = [parse_firm(row) for row in firm_rows(tmp_path)]

    assert [(firm.firm_key, firm.source.kind) for firm in firms] == [
        ("journey", "postgres"),
        ("cdnow", "csv"),
    ]
    assert all(firm.working_day_period == 0 and firm.source.kind in SOURCES for firm in firms)


def test_cdnow_is_written_once_and_restored_after_a_change(tmp_path):
    assert write_cdnow(tmp_path)
    assert not write_cdnow(tmp_path)

    path = tmp_path / "cdnow.csv"
    whole = path.read_bytes()
    path.write_bytes(whole[:1000])

    assert write_cdnow(tmp_path)
    assert path.read_bytes() == whole
    assert [p.name for p in tmp_path.iterdir()] == ["cdnow.csv"]


@pytest.fixture(scope="module")
def journey(module_warehouse_dsn):
    load_journey(module_warehouse_dsn)
    return module_warehouse_dsn


def test_the_complete_journey_is_loaded_once(journey):
    with psycopg.connect(journey) as connection:
        connection.execute("insert into shop.customers (customer_id) values ('mine')")
    again = load_journey(journey)

    with psycopg.connect(journey) as connection:
        found = connection.execute(
            "select count(*) from shop.customers where customer_id = 'mine'"
        ).fetchone()

    assert again is False
    assert found == (1,)


def test_an_interrupted_load_starts_over(journey):
    with psycopg.connect(journey) as connection:
        connection.execute("comment on schema shop is null")
        connection.execute("delete from shop.orders where order_id like '3%'")

    assert load_journey(journey) is True

    with psycopg.connect(journey) as connection:
        assert connection.execute("select count(*) from shop.orders").fetchone() == (155848,)


def test_the_complete_journey_keeps_its_coupon_amounts(journey):
    with psycopg.connect(journey) as connection:
        found = connection.execute(
            "select sum(gross_amount - discount_amount), sum(coupon_amount), max(line_no::int),"
            " count(*) filter (where discount_amount > 0) > 0 from shop.order_lines"
        ).fetchone()
        described = connection.execute(
            "select count(*) from shop.customers where age_band is not null"
        ).fetchone()

    assert found[0] == Decimal("4596039.58")
    assert found[1] > 0
    assert found[2] > 1
    assert found[3]
    assert described == (801,)


def test_the_complete_journeys_campaigns_match_published_counts(journey):
    with psycopg.connect(journey) as connection:
        campaigns = connection.execute("select count(*) from shop.campaigns").fetchone()
        pairs = connection.execute(
            "with pairs as (select distinct activity_type, campaign_id, customer_id from shop.interactions) "
            "select campaign_type, count(*) filter (where activity_type = 'targeted'), "
            "count(*) filter (where activity_type = 'redemption') "
            "from pairs join shop.campaigns using (campaign_id) group by 1 order by 1"
        ).fetchall()
        strangers = connection.execute(
            "select count(*) from shop.interactions left join shop.customers using (customer_id) "
            "where customers.customer_id is null"
        ).fetchone()

    assert campaigns == (27,)
    assert pairs == [("Type A", 3647, 604), ("Type B", 2368, 154), ("Type C", 574, 34)]
    assert strangers == (0,)
