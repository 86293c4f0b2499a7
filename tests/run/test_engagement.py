"""Optional modules of firms that were really run: what their source has, and what it has not."""

from datetime import date

import psycopg
import pytest

from include.datasets.features import CUSTOMER_FEATURES
from include.demo.data import campaign_tables
from include.quality import QualityError
from include.run import run_step
from include.simulator.writing import create_shop, fill
from include.steps import find_step
from include.warehouse import Warehouse
from tests.run.modelled import read
from tests.run.test_pipeline import AS_OF, sales

FACTS = ("interaction", "customer_acquisition", "loyalty_movement", "campaign_performance")
JOURNEY_AS_OF = date(2018, 1, 1)
MODULES = ("engagement", "acquisition", "loyalty")
SOURCE = {"kind": "postgres", "conn_id": "acme_shop", "schema": "shop"}


def told(shop, key):
    rows = shop.query(
        "select module, is_sufficient, reason from control.module_status "
        "where firm_key = %s and module = any(%s)",
        key,
        list(MODULES),
    )
    return {module: (is_sufficient, reason) for module, is_sufficient, reason in rows}


@pytest.fixture
def database(shop, monkeypatch):
    """A firm ``acme`` whose source is a shop in Postgres; runs statements in it."""
    monkeypatch.setenv("AIRFLOW_CONN_ACME_SHOP", shop.dsn)

    def run(*statements):
        with psycopg.connect(shop.dsn) as connection:
            create_shop(connection, "shop")
            for statement in statements:
                connection.execute(statement)

    shop.add("acme", source=SOURCE, modules=MODULES)
    run(
        "insert into customers (customer_id) values ('ann'), ('bob')",
        "insert into orders (order_id, customer_id, ordered_at) values ('o1', 'ann', '2025-02-10Z')",
        "insert into order_lines (order_id, line_no, quantity, gross_amount) values ('o1', '1', 1, 50)",
        "insert into interactions (interaction_id, activity_type, occurred_at, customer_id, campaign_id)"
        " values ('e1', 'sent', '2025-02-08Z', 'ann', 'spring')",
        "insert into campaigns (campaign_id, campaign_name) values ('spring', 'Spring')",
        "insert into leads (lead_id, customer_id, created_at, marketing_cost)"
        " values ('l1', 'ann', '2025-02-01Z', 30), ('l2', null, '2025-02-01Z', 5)",
        "insert into loyalty_movements (movement_id, customer_id, occurred_at, points_earned)"
        " values ('m1', 'ann', '2025-02-10Z', 7)",
    )
    return run


def test_a_firm_that_has_all_of_it_has_facts_of_all_of_it_and_the_same_after_another_run(shop, database):
    facts = [f"fact_{name}" for name in FACTS]
    shop.run("acme", AS_OF)
    before = [shop.query(f"select * from analytics.{fact} order by 1, 2, 3") for fact in facts]

    shop.run("acme", AS_OF, full=True)

    assert {
        module: is_sufficient for module, (is_sufficient, _) in told(shop, "acme").items()
    } == dict.fromkeys(MODULES, True)
    assert shop.query("select campaign_name, sends from mart.vw_campaign_performance") == [("Spring", 1)]
    assert shop.query(
        "select sum(leads), sum(customers_acquired), sum(total_acquisition_cost)::int, "
        "max(median_cac_payback_days) from mart.vw_acquisition_channel_performance"
    ) == [(2, 1, 35, 0)]
    assert shop.query("select sum(points_outstanding)::int from mart.vw_loyalty_programme") == [(7,)]
    assert [shop.query(f"select * from analytics.{fact} order by 1, 2, 3") for fact in facts] == before
    # What the gate compares later months with.
    with Warehouse(shop.dsn) as warehouse:
        past = warehouse.records.quality.history("acme", "loyalty_movements")
    assert [(row["slice"], row["rows"]) for row in past] == [("2025-02", 1)]

    shop.add("acme", source=SOURCE, modules=[*MODULES, "churn"])
    run_step(find_step("customer_features"), "acme", AS_OF)

    (features,) = read("acme", CUSTOMER_FEATURES, AS_OF).to_pylist()
    assert (features["message_count_30_days"], features["points_earned_30_days"]) == (1, 7)


def test_events_of_strangers_stop_the_firm(shop, database):
    database("update interactions set customer_id = 'nobody we know'")

    with pytest.raises(QualityError, match="customer_known"):
        shop.run("acme", AS_OF, only=("extract_customers", "extract_interactions", "validate_interactions"))


def test_a_firm_whose_source_lacks_the_data_says_so_and_runs(shop):
    shop.add("plain", modules=["engagement", "acquisition", "loyalty"])
    shop.sell("plain", sales(3))

    shop.run("plain", AS_OF)

    assert told(shop, "plain") == {
        "engagement": (False, "the source has no interactions"),
        "acquisition": (False, "the source has no leads"),
        "loyalty": (False, "the source has no loyalty_movements"),
    }
    assert shop.query("select count(*), count(lead_id) from analytics.fact_customer_acquisition") == [(3, 0)]


def test_a_firm_with_a_module_off_reads_that_its_source_has_the_data(shop, database):
    shop.add("acme", source=SOURCE, modules=())

    shop.run("acme", AS_OF, only=("extract_customers",))

    assert told(shop, "acme")["loyalty"] == (
        False,
        "off: the source has loyalty_movements; add 'loyalty' to the firm's modules to load them",
    )


def test_the_complete_journeys_redemption_is_the_published_one(shop, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_ACME_SHOP", shop.dsn)
    with psycopg.connect(shop.dsn) as connection:
        create_shop(connection, "shop")
        fill(connection, [campaign_tables()])
        connection.execute(
            "insert into customers (customer_id) select distinct customer_id from interactions"
        )
    shop.add("journey", source=SOURCE, modules=["engagement"], timezone="America/New_York", lookback_days=0)
    steps = (
        "extract_customers", "extract_directory", "extract_interactions", "load_dim_customer",
        "load_dim_campaign", "load_fact_interaction",
    )  # fmt: skip

    shop.run("journey", JOURNEY_AS_OF, only=steps)

    assert shop.query(
        "select campaign_type, campaigns, targeted, redeeming from mart.vw_campaign_redemption order by 1"
    ) == [("Type A", 4, 3647, 604), ("Type B", 17, 2368, 154), ("Type C", 6, 574, 34)]
    assert shop.query("select sum(redemptions)::int from mart.vw_campaign_performance") == [(2102,)]
