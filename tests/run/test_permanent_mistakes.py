"""A mistake in a firm's row that no retry can heal: the step raises what a DAG's task does not retry."""

from __future__ import annotations

import psycopg
import pytest

from include.firms import FirmError, parse_firm
from include.run import run_step
from include.simulator.writing import create_shop
from include.steps import find_step
from include.warehouse import Warehouse
from tests.run.test_pipeline import AS_OF
from tests.test_firms import ROW


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"kind": "postgress", "conn_id": "shop"}, "kind 'postgress' is unknown"),
        (
            {"kind": "csv", "uri": "file:///no/such/folder", "layout": "cdnow"},
            "/no/such/folder is not a folder",
        ),
        ({"kind": "csv", "uri": "file:///tmp", "layout": "cdnoww"}, "layout 'cdnoww' is unknown"),
        ({"kind": "csv", "conn_id": "shop"}, "needs source.uri"),
        ({"kind": "postgres", "uri": "file:///tmp"}, "needs source.conn_id"),
        ({"kind": "postgres", "conn_id": "shop", "schema": "shopp"}, "no such schema"),
        ({"kind": "odoo", "conn_id": "shop", "schema": "shop"}, "missing tables"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_permanent_mistake_is_an_error_of_the_firms_row(shop, monkeypatch, source, said):
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", shop.dsn)
    with psycopg.connect(shop.dsn) as connection:
        create_shop(connection, "shop")
    with Warehouse(shop.dsn) as warehouse:
        warehouse.firms.save_firm(parse_firm(ROW | {"source": source}), actor="test")

    with pytest.raises(FirmError, match=said):
        run_step(find_step("extract_transactions"), "acme", AS_OF)


def test_a_server_that_is_away_is_no_mistake_of_the_row(shop, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_ACME_SHOP", "postgresql://127.0.0.1:1/shop")
    with Warehouse(shop.dsn) as warehouse:
        warehouse.firms.save_firm(parse_firm(ROW), actor="test")

    with pytest.raises(Exception, match="cannot connect") as caught:
        run_step(find_step("extract_transactions"), "acme", AS_OF)

    assert not isinstance(caught.value, FirmError)
