"""A whole installation for a test: a warehouse, a handoff folder, and firms whose sales are plain CSV."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import psycopg
import pytest

from include.firms import parse_firm
from include.run import run_step
from include.steps import steps_for
from include.warehouse import Warehouse

COLUMNS = ("order", "line", "at", "customer", "product", "quantity", "amount")
MAPPING = {
    "transaction_id": "order",
    "line_id": "line",
    "occurred_at": "at",
    "customer_id": "customer",
    "product_id": "product",
    "quantity": "quantity",
    "net_amount": "amount",
}


class Shop:
    """One installation. ``sell`` writes a firm's sales, ``run`` runs its steps in this process."""

    def __init__(self, home: Path, dsn: str) -> None:
        self.home = home
        self.dsn = dsn

    def add(self, key: str, **changes: object) -> Path:
        """Register a firm that reads a folder of CSV files; the folder."""
        folder = self.home / "drops" / key
        folder.mkdir(parents=True, exist_ok=True)
        row = {
            "firm_key": key,
            "name": key.title(),
            "source": {"kind": "csv", "uri": folder.as_uri(), "layout": "mapped", "mapping": MAPPING},
            "timezone": "UTC",
            "currency": "EUR",
            "working_day_period": 1,
            "churn_threshold_days": 30,
            "lookback_days": 10,
            "modules": ["rfm"],
        } | changes
        with Warehouse(self.dsn) as warehouse:
            warehouse.firms.save_firm(parse_firm(row), actor="test")
        return folder

    def sell(self, key: str, sales: Iterable[tuple], *, name: str = "sales.csv") -> None:
        """Sales as (order, day, customer, amount), one line each."""
        folder = self.home / "drops" / key
        with (folder / name).open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            for order, day, customer, amount in sales:
                writer.writerow([order, 1, f"{day} 12:00:00", customer, "p1", 1, amount])

    def run(self, key: str, as_of: date, *, full: bool = False, only: Iterable[str] = ()) -> dict[str, str]:
        """Run the firm's steps; the note of each."""
        with Warehouse(self.dsn) as warehouse:
            modules = parse_firm(warehouse.firms.firm_row(key)).modules
        steps = [step for step in steps_for(modules) if not only or step.name in only]
        return {step.name: run_step(step, key, as_of, full=full).note for step in steps}

    def query(self, sql: str, *params: object) -> list[tuple]:
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(sql, params).fetchall()

    def facts(self, key: str) -> dict[str, list[tuple]]:
        """Everything an analyst can see of a firm, by business key."""
        return {
            "sales": self.query(
                "select transaction_id, line_id, customer_id, order_date, kind, quantity, net_amount "
                "from analytics.fact_sales join analytics.dim_firm using (firm_sk) "
                "join analytics.dim_customer using (firm_sk, customer_sk) where firm_key = %s order by 1, 2",
                key,
            ),
            "rfm": self.query(
                "select rfm.as_of, customer_id, rfm_score, segment_code, total_spend, order_count, "
                "window_orders, recency_percentile, activity_status, rfm_score_change, segment_changed "
                "from analytics.fact_customer_rfm as rfm join analytics.dim_firm using (firm_sk) "
                "join analytics.dim_customer using (firm_sk, customer_sk) "
                "join analytics.dim_customer_segment as s on s.segment_sk = rfm.rfm_segment_sk "
                "where firm_key = %s order by 1, 2",
                key,
            ),
        }


@pytest.fixture
def shop(tmp_path, migrated_dsn, monkeypatch):
    monkeypatch.setenv("FIRMAMENT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FIRMAMENT_WAREHOUSE_DSN", migrated_dsn)
    monkeypatch.delenv("FIRMAMENT_FAULT", raising=False)
    assert "FIRMAMENT_ROOT" not in os.environ
    return Shop(tmp_path, migrated_dsn)
