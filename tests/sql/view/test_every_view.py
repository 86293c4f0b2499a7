"""Every view: rows of one firm, of days before as_of, and of the latest snapshot."""

from collections.abc import Iterator
from datetime import date, timedelta
from types import SimpleNamespace

import psycopg
import pytest
from psycopg import sql

from include.datasets.actions import ACTIONS
from include.datasets.insight import FIRM_INSIGHT, FIRM_METRICS
from include.datasets.next_product import NEXT_PRODUCT_MODEL, NEXT_PRODUCTS
from tests.warehouse.churn_rows import at_risk, model
from tests.warehouse.engagement_rows import entry, event, lead, points, won
from tests.warehouse.shop import TABLES, Shop, returned, sale, scored
from tests.warehouse.value_rows import load, valued

TABLES.update(
    {
        "fact_action": ACTIONS,
        "fact_customer_next_product": NEXT_PRODUCTS,
        "fact_firm_insight": FIRM_INSIGHT,
        "fact_firm_metric": FIRM_METRICS,
        "fact_next_product_test": NEXT_PRODUCT_MODEL,
    }
)
SUMMER, OLD, NEW = date(2026, 8, 20), date(2026, 10, 15), date(2026, 11, 21)
FIRST = date(2026, 7, 1)
DAYS = (FIRST, SUMMER, date(2026, 9, 10), OLD, date(2026, 11, 2))
OF_ANOTHER_SHAPE = {"vw_customer_activity_timeline", "vw_segment_migration"}  # of one customer, of two days
PEOPLE = ("ann", "bob", "cid", "dan", "eve", "fay")


def buy(shop, as_of):
    """Sales and a return of each day before ``as_of``, in whole months."""
    for month, days in before(as_of):
        lines = [
            sale(f"{who} {day}", day, who, shop.amount, channel="web", product_id=product, margin_amount=1)
            for day in days
            for who, product in zip(PEOPLE, ("tea", "jam") * 3, strict=True)
        ]
        back = [returned(f"back {day}", day, "ann", 1) for day in days]
        shop.sales(month, *lines, *back, *(sale(f"x {day}", day, None, 1) for day in days), as_of=as_of)


def happen(shop, as_of):
    """Events and points of each day before ``as_of``, leads and the directory."""
    kinds = ("targeted", "sent", "opened", "clicked", "redemption", "complaint", "nps")
    for month, days in before(as_of):
        events = [
            event(f"{kind} {day}", day, kind, campaign_id="spring", cost_amount=shop.amount,
                  nps_score=shop.amount if kind == "nps" else None)
            for day in days
            for kind in kinds
        ]  # fmt: skip
        shop.load("fact_interaction", month, events, as_of=as_of)
        moved = [points(f"{day}", day, earned=shop.amount) for day in days]
        shop.load("fact_loyalty_movement", month, moved, as_of=as_of)
    shop.load("dim_campaign", as_of.isoformat(), [entry("campaign", "spring"), entry("channel", "mail")])
    known = {"lead_created_date": as_of - timedelta(days=60), "days_to_convert": 51}
    leads = [
        won("l1", as_of - timedelta(days=9), "ann", channel_code="mail", acquisition_cost=shop.amount)
        | known,
        lead("l2", as_of - timedelta(days=9), campaign_id="spring", acquisition_cost=shop.amount),
    ]
    shop.load("fact_customer_acquisition", as_of.isoformat(), leads)


def before(as_of) -> list[tuple[str, list[date]]]:
    known = [day for day in DAYS if day < as_of]
    return [
        (month, [d for d in known if f"{d:%Y-%m}" == month])
        for month in sorted({f"{d:%Y-%m}" for d in known})
    ]


def analyse(shop, as_of, number, segment):
    """What the models of a snapshot say; sixteenths add up to the same in any order."""
    version = model(shop, as_of - timedelta(days=5))
    shop.rfm(as_of, *(scored(who, as_of, segment=segment, spend=number) for who in (*PEOPLE, f"rfm {as_of}")))
    worth = [valued(who, year=number + place) for place, who in enumerate((*PEOPLE, f"worth {as_of}"))]
    load(shop, as_of, *worth)
    risk = {"category": "High", "factors": ["overdue"], "probability": number / 16}
    fading = [at_risk(who, as_of, version, **risk) for who in (*PEOPLE, f"risk {as_of}")]
    shop.load("fact_customer_churn_risk", as_of.isoformat(), fading)
    act = {"action_code": "call", "cost_amount": number, "expected_benefit_amount": 50, "explanation": "Why."}
    shop.load(
        "fact_action",
        as_of.isoformat(),
        [
            act | {"customer_id": "ann", "is_holdout": False, "is_chosen": True},
            act | {"customer_id": "bob", "is_holdout": True, "is_chosen": False},
        ],
    )
    suggested = {"product_rank": 1, "kind": "repeat", "purchase_probability": number / 16, "purchase_days": 2,
                 "reason_code": "bought_before", "last_purchase_date": FIRST}  # fmt: skip
    new = {"product_rank": 2, "kind": "new", "purchase_probability": number / 32, "purchase_days": 0,
           "reason_code": "bought_together", "because_product_id": "tea"}  # fmt: skip
    shop.load(
        "fact_customer_next_product",
        as_of.isoformat(),
        [
            suggested | {"customer_id": "ann", "product_id": "tea"},
            new | {"customer_id": "ann", "product_id": "jam"},
        ],
    )
    tested = {
        "tested_from": as_of - timedelta(days=30),
        "horizon_days": 30,
        "is_used": True,
        "reason": "Won.",
    }
    shop.load(
        "fact_next_product_test",
        as_of.isoformat(),
        [tested | {"tested_customers": 200, "fitted_customers": 200, "hit_rate_at_5": number / 10,
                   "popular_hit_rate_at_5": 0.0, "hit_rate_difference": number / 10,
                   "difference_standard_error": 0.01}],
    )  # fmt: skip
    month = (as_of.replace(day=1) - timedelta(days=1)).replace(day=1)
    shop.warehouse.session.connection.execute(
        "insert into analytics.fact_benchmark "
        "select firm_sk, %s, 'retention_rate', 'percent', %s, 10, 20, 30 "
        "from analytics.dim_firm where firm_key = %s",
        [month, number, shop.firm_key],
    )
    metric = {"metric": "customers", "member": "", "unit": "count", "definition": "Counted."}
    shop.load("fact_firm_metric", as_of.isoformat(), [metric | {"metric_value": number}])
    message = {"language_code": "en", "place": 1, "is_firm_language": True, "kind": "fact", "rule_code": "r"}
    shop.load(
        "fact_firm_insight", as_of.isoformat(), [message | {"sentence": f"{number}.", "cited_metrics": "[]"}]
    )
    drifted = {"is_score": True, "psi": number / 10, "training_customers": 9, "customers": 9}
    shop.warehouse.records.models.record_drift(
        shop.firm_key, "churn", as_of, version, [drifted | {"variable_name": "chance"}]
    )


def fill(shop, as_of, number, segment="champions"):
    """Rows in every fact that a view reads, as of one day."""
    contact = {"email": f"{shop.firm_key}@example.com", "city": "Izmir"}
    shop.customers(as_of, *({"customer_id": who} | contact for who in PEOPLE))
    shop.load("dim_product", as_of.isoformat(), [{"product_id": "tea"}, {"product_id": "jam"}])
    buy(shop, as_of)
    happen(shop, as_of)
    analyse(shop, as_of, number, segment)
    shop.warehouse.loader.score("churn", firm_key=shop.firm_key, step="score_churn")


def views(shop) -> dict[str, list]:
    """Rows of every view of ``acme``."""
    query = "select to_jsonb(v) - 'firm_key' - 'firm_sk' from mart.{} as v where firm_key = 'acme'"
    with psycopg.connect(shop.dsn) as connection:
        names = connection.execute(
            "select table_name from information_schema.views where table_schema = 'mart'"
        ).fetchall()
        return {name: rows(connection, sql.SQL(query).format(sql.Identifier(name))) for (name,) in names}


def functions(shop, as_of) -> dict[str, list]:
    """Rows that every view's function has of ``acme`` as of a day, named as the view."""
    given = {"firm": "acme", "as_of": as_of, "customer": "ann", "from_as_of": SUMMER, "to_as_of": as_of}
    query = "select to_jsonb(f) - 'customer_sk' from mart.{}({}) as f"
    with psycopg.connect(shop.dsn) as connection:
        found = connection.execute(
            "select proname, proargnames[1:pronargs] from pg_proc "
            "where pronamespace = 'mart'::regnamespace and 'firm' = any(proargnames) "
            "and proname !~ '_from_facts$'"
        ).fetchall()
        return {
            f"vw_{name}": rows(
                connection,
                sql.SQL(query).format(
                    sql.Identifier(name), sql.SQL(", ").join(sql.Literal(given[a]) for a in arguments)
                ),
            )
            for name, arguments in found
        }


def rows(connection, query) -> list:
    return sorted((row for (row,) in connection.execute(query)), key=repr)


@pytest.fixture(scope="module")
def firms(module_migrated_dsn) -> Iterator[SimpleNamespace]:
    """What the views say of acme as its own days and another firm's are loaded, one after another."""
    shop, other = Shop(module_migrated_dsn), Shop(module_migrated_dsn, "zeta")
    shop.amount, other.amount = 4, 9
    fill(shop, SUMMER, 3, segment="lost")
    fill(shop, OLD, 5)
    then = functions(shop, OLD), views(shop)
    for day, number in ((SUMMER, 6), (OLD, 7)):
        fill(other, day, number, segment="loyal_customers")
    beside = functions(shop, OLD), views(shop)
    fill(shop, NEW, 9, segment="at_risk")
    later = functions(shop, OLD)
    yield SimpleNamespace(then=then, beside=beside, later=later, now=functions(shop, NEW), latest=views(shop))
    other.warehouse.close()
    shop.warehouse.close()


def test_every_view_has_rows_in_the_fixture(firms):
    asked, shown = firms.then

    assert [name for name, found in {**asked, **shown}.items() if not found] == []


def test_loads_of_another_firm_change_no_view_of_this_firm(firms):
    assert firms.beside == firms.then


def test_loads_of_later_days_change_no_view_of_an_earlier_snapshot(firms):
    assert firms.later == firms.then[0]


def test_a_view_equals_its_function_at_the_latest_snapshot(firms):
    names = sorted(set(firms.now) - OF_ANOTHER_SHAPE)

    shown = {name: shared(firms.latest[name], firms.now[name]) for name in names}

    assert {row["as_of"] for name in names for row in firms.latest[name]} == {NEW.isoformat()}
    assert shown == {name: shared(firms.now[name], firms.latest[name]) for name in names}


def shared(rows, others) -> list:
    """Rows, with the columns alone that the others have too."""
    return sorted(({key: row[key] for key in row if key in others[0]} for row in rows), key=repr)
