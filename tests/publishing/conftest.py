"""A firm with known results, and a database of its own to publish them to."""

from collections.abc import Iterator
from datetime import date

import psycopg
import pytest
from psycopg import sql

from include import postgres
from include.datasets.insight import FIRM_INSIGHT, FIRM_METRICS
from include.datasets.value import LTV
from include.publishing import Run
from include.publishing.postgres import Postgres
from include.publishing.results import Results
from include.publishing.tables import TABLES
from tests.warehouse.churn_rows import at_risk, model
from tests.warehouse.shop import TABLES as LOADED
from tests.warehouse.shop import Shop, scored, shop

__all__ = ["shop"]
LOADED.update({"fact_firm_metric": FIRM_METRICS, "fact_firm_insight": FIRM_INSIGHT, "fact_customer_ltv": LTV})

ANCHOR, OLD, NEW = date(2026, 3, 1), date(2026, 5, 9), date(2026, 5, 10)
ALL = tuple(table.name for table in TABLES)


def metric(name, value, unit="count", **more) -> dict:
    return {
        "metric": name,
        "member": "",
        "unit": unit,
        "metric_value": value,
        **more,
        "definition": "As defined.",
    }


def sentence(place, text, *, language="en") -> dict:
    return {
        "language_code": language,
        "place": place,
        "is_firm_language": language == "en",
        "kind": "fact",
        "rule_code": f"rule_{place}",
        "sentence": text,
        "cited_metrics": "[]",
    }


def candidate(name, *, champion=False, auc=0.75) -> dict:
    """A model's numbers on 8 customers: 3 true and 1 false positives, 1 false and 3 true negatives."""
    return {
        "candidate": name,
        "population": "all",
        "is_champion": champion,
        "cutoff": "2026-02-01",
        "customers": 8,
        "churned": 4,
        "auc": auc,
        "threshold": 0.5,
        "accuracy": 0.75,
        "precision": 0.75,
        "recall": 0.75,
        "f1": 0.75,
        "true_positives": 3,
        "false_positives": 1,
        "false_negatives": 1,
        "true_negatives": 3,
    }


@pytest.fixture(scope="session")
def analysed_once(postgres_server, migrated) -> Iterator[tuple[str, str]]:
    """A database to copy from, and the model's version: bob moves from loyal to lost, and to Critical."""
    name = "analysed_template"
    shop = Shop(postgres.create_database(postgres_server, name, template=migrated))
    shop.version = model(
        shop,
        ANCHOR,
        metrics=[candidate("bgnbd", champion=True), candidate("recency", auc=0.5)],
        importances=[
            {
                "feature": "days_since_last_order",
                "factor": "overdue",
                "gain": 12.5,
                "splits": 3,
                "mean_contribution": 0.25,
            }
        ],
    )
    snapshot(shop, OLD, bob=("445", "loyal", "Low", 0.25))
    snapshot(shop, NEW, bob=("145", "lost", "Critical", 0.875))
    shop.warehouse.close()
    yield name, shop.version
    postgres.drop_database(postgres_server, name)


@pytest.fixture
def analysed(postgres_server, analysed_once, request) -> Iterator[Shop]:
    """The analysed shop, this test's alone."""
    name = f"analysed_{abs(hash(request.node.nodeid))}"
    shop = Shop(postgres.create_database(postgres_server, name, template=analysed_once[0]))
    shop.version = analysed_once[1]
    yield shop
    shop.warehouse.close()
    postgres.drop_database(postgres_server, name)


def snapshot(shop, day, *, bob, ann="champions"):
    """Ann and bob at a day."""
    score, segment, category, probability = bob
    shop.rfm(
        day,
        scored("ann", day, segment=ann, spend=100),
        scored("bob", day, score=score, segment=segment, spend=50),
    )
    shop.load(
        "fact_customer_churn_risk",
        str(day),
        [
            at_risk("ann", day, shop.version, probability=0.125),
            at_risk(
                "bob", day, shop.version, probability=probability, category=category, factors=["overdue"]
            ),
        ],
    )
    shop.load(
        "fact_firm_metric",
        str(day),
        [
            metric("customers", 2),
            metric("spend_at_risk", 50, "money"),
            metric("active_share", 50, "percent", numerator=1, denominator=2),
        ],
    )
    shop.load(
        "fact_firm_insight",
        str(day),
        [
            sentence(2, "Bob left."),
            sentence(1, "You have 2 customers."),
            sentence(1, "2 müşteri.", language="tr"),
        ],
    )


class Crm:
    """The firm's own database, with a schema ``crm`` and nothing in it."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    @property
    def target(self) -> Postgres:
        return Postgres(self.dsn, "crm", "acme_crm")

    def ask(self, query) -> list[tuple]:
        with psycopg.connect(self.dsn) as connection:
            connection.execute("set search_path to crm")
            return connection.execute(query).fetchall()

    def everything(self) -> dict[str, list[tuple]]:
        """Every row of every table, but for when it was published and by which attempt."""
        tables = self.ask(
            "select relname from pg_class where relkind = 'r' and relnamespace = 'crm'::regnamespace"
        )
        ledger = "firm_id, table_name, run_id, run_date, row_count"
        return {
            name: self.ask(
                sql.SQL("select {} from {} order by 1, 2").format(
                    sql.SQL(ledger if name == "analytic_publications" else "*"), sql.Identifier(name)
                )
            )
            for (name,) in tables
        }


@pytest.fixture
def crm(postgres_server, request) -> Iterator[Crm]:
    name = f"crm_{abs(hash(request.node.nodeid))}"
    dsn = postgres.create_database(postgres_server, name)
    with psycopg.connect(dsn) as connection:
        connection.execute("create schema crm")
    yield Crm(dsn)
    postgres.drop_database(postgres_server, name)


def published(shop, target, as_of=NEW, *, attempt=1, names=ALL):
    """Publish a snapshot; rows and the note."""
    from include.publishing import publish

    run = Run("acme", as_of, attempt)
    with Results(shop.dsn) as results, results.of(run) as read:
        return publish(target, names, run, read)
