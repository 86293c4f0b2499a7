"""A firm in a warehouse of its own, and short ways to load a few written-out rows into it."""

import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal

import psycopg
import pyarrow as pa
import pytest

from include.datasets.computed import RFM, SEGMENTS
from include.datasets.extracted import CUSTOMERS, PRODUCTS, TRANSACTIONS
from include.firms import parse_firm
from include.slices import Slice
from include.warehouse import Loaded, LoadSlice, Warehouse

ACME = {
    "firm_key": "acme",
    "name": "Acme",
    "source": {"kind": "csv", "uri": "file:///drop", "layout": "cdnow"},
    "timezone": "Europe/London",
    "currency": "GBP",
    "working_day_period": 1,
    "churn_threshold_days": 90,
}
TABLES = {
    "fact_sales": TRANSACTIONS,
    "dim_customer": CUSTOMERS,
    "dim_product": PRODUCTS,
    "dim_customer_segment": SEGMENTS,
    "fact_customer_rfm": RFM,
}


def batch(dataset, rows) -> pa.RecordBatch:
    """Rows with the dataset's types; numbers become decimals where the dataset has them."""
    decimals = {f.name for f in dataset.schema if pa.types.is_decimal(f.type)}
    plain = [
        {name: Decimal(str(v)) if name in decimals and v is not None else v for name, v in row.items()}
        for row in rows
    ]
    return pa.RecordBatch.from_pylist(plain, schema=dataset.schema)


def sale(transaction, day, customer="ann", amount=10, **more) -> dict:
    """One line of a sale, at noon UTC."""
    return {
        "transaction_id": transaction,
        "line_id": "1",
        "kind": "sale",
        "occurred_at": datetime.combine(day, time(12), tzinfo=UTC),
        "order_date": day,
        "customer_id": customer,
        "product_id": "tea",
        "quantity": 1,
        "gross_amount": amount,
        "discount_amount": 0,
        "net_amount": amount,
    } | more


def returned(transaction, day, customer="ann", amount=10, **more) -> dict:
    """One line of a return."""
    return sale(transaction, day, customer, amount, kind="return", **more)


def scored(customer, as_of, *, score="555", segment="champions", days=1, orders=1, spend=10, **more) -> dict:
    """One customer's RFM row at a snapshot."""
    windows = {
        f"{what}_{window}_days": (value if days <= window else 0)
        for window in (30, 90, 180, 365)
        for what, value in (("order_count", orders), ("total_spend", spend))
    }
    digits = [int(d) for d in score] if score else [None] * 3
    return {
        "customer_id": customer,
        "days_since_last_order": days,
        "last_order_date": date.fromordinal(as_of.toordinal() - days),
        **windows,
        "order_count": orders,
        "total_spend": spend,
        "window_orders": orders,
        "window_spend": spend,
        "avg_order_value": Decimal(spend) / orders,
        **dict(zip(("recency_score", "frequency_score", "monetary_score"), digits, strict=True)),
        "rfm_score": score,
        "segment_code": segment,
        "activity_status": "Active",
    } | more


class Shop:
    """A firm, ``acme`` unless told otherwise, and its warehouse."""

    def __init__(self, dsn: str, firm_key: str = "acme") -> None:
        self.dsn, self.firm_key = dsn, firm_key
        self.warehouse = Warehouse(dsn)
        self.warehouse.firms.save_firm(parse_firm(ACME | {"firm_key": firm_key}), actor="test")
        self.hashes = itertools.count(1)

    def load(self, table, slice_text, rows, *, as_of=None, token=None, manifest=None, sha256=None) -> Loaded:
        """Load one slice; each call is a new attempt with new bytes unless told otherwise."""
        dataset = TABLES[table]
        drawn = self.warehouse.runs.draw_token(self.firm_key, f"load_{table}", slice_text)
        part = LoadSlice(
            Slice.parse(slice_text),
            manifest or token or drawn,
            sha256 or f"sha {next(self.hashes)}",
            [batch(dataset, rows)] if rows else [],
        )
        return self.warehouse.loader.load(
            table,
            firm_key=self.firm_key,
            as_of=as_of or Slice.parse(slice_text).first_day,
            dataset=dataset,
            slices=[part],
            token=token or drawn,
            step=f"load_{table}",
        )

    def sales(self, month, *rows, as_of=date(2026, 11, 21), **more) -> Loaded:
        """Load one month of sales."""
        return self.load("fact_sales", month, rows, as_of=as_of, **more)

    def rfm(self, as_of, *rows, **more) -> Loaded:
        """Load one RFM snapshot."""
        return self.load("fact_customer_rfm", as_of.isoformat(), rows, **more)

    def customers(self, as_of, *rows, **more) -> Loaded:
        """Load one snapshot of customers."""
        return self.load("dim_customer", as_of.isoformat(), rows, **more)

    def ask(self, query, *params) -> list[tuple]:
        """Rows of a query, as tuples."""
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(query, params or None).fetchall()


@pytest.fixture
def shop(migrated_dsn) -> Iterator[Shop]:
    """A migrated warehouse with one firm, this test's alone."""
    shop = Shop(migrated_dsn)
    yield shop
    shop.warehouse.close()
