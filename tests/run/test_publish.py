"""A firm's whole run ends in its own database."""

import psycopg

from include import postgres
from tests.run.test_pipeline import AS_OF, sales


def test_a_run_ends_with_the_firms_own_tables(shop, postgres_server, monkeypatch):
    dsn = postgres.create_database(postgres_server, "acme_own")
    with psycopg.connect(dsn) as connection:
        connection.execute("create schema crm")
    monkeypatch.setenv("AIRFLOW_CONN_ACME_CRM", dsn)
    place = {"conn_id": "acme_crm", "schema": "crm"}
    shop.add("acme", modules=["rfm", "publish"], publish=place)
    shop.add("quiet", modules=["rfm", "publish"])
    for key in ("acme", "quiet"):
        shop.sell(key, sales(25))

    notes = shop.run("acme", AS_OF)
    quiet = shop.run("quiet", AS_OF)

    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "select unique_customer_id, rfm_score, total_spend from crm.analytic_customer order by 1"
        ).fetchall()
    postgres.drop_database(postgres_server, "acme_own")
    assert list(notes)[-1] == "publish"
    assert "publish" not in quiet
    assert rows == [(row[1], row[2], row[4]) for row in shop.facts("acme")["rfm"]]
    assert len(rows) == 25
