"""Firms with files and shops that the tests fill."""

from datetime import date
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest

from include import sql_text
from include.datasets import Dataset
from include.firms import Firm, parse_firm
from include.periods import Month, months_between
from include.sources import Source, extracted_schema, open_source
from tests.sources.odoo import PARTNER

AS_OF = date(2026, 11, 21)


def firm(source: dict, timezone: str = "Europe/London") -> Firm:
    return parse_firm(
        {
            "firm_key": "acme",
            "name": "Acme",
            "source": source,
            "timezone": timezone,
            "currency": "GBP",
            "working_day_period": 1,
            "churn_threshold_days": 90,
        }
    )


def everything(source: Source, dataset: Dataset, as_of: date = AS_OF) -> list[dict]:
    """Every row that a run as of a day is given, month after month."""
    batches: list[pa.RecordBatch] = []
    if dataset.by == "month":
        first = source.first_month(dataset)
        for month in months_between(first, as_of) if first else ():
            batches += source.extract(dataset, month=month, as_of=as_of)
    else:
        batches += source.extract(dataset, month=None, as_of=as_of)
    return pa.Table.from_batches(batches, schema=extracted_schema(dataset)).to_pylist()


def usable(rows: list[dict]) -> list[dict]:
    return [row for row in rows if row["rejected_reason"] is None]


def reasons(rows: list[dict]) -> list[str]:
    return sorted(row["rejected_reason"] for row in rows if row["rejected_reason"])


@pytest.fixture
def drop(tmp_path):
    """A folder that files are dropped into, and the source that reads it."""

    class Drop:
        folder = tmp_path / "drop"

        def write(self, name: str, content: str | bytes) -> Path:
            self.folder.mkdir(exist_ok=True)
            path = self.folder / name
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            return path

        def source(self, layout: str, mapping: dict | None = None, timezone: str = "Europe/London") -> Source:
            self.folder.mkdir(exist_ok=True)
            row = {"kind": "csv", "uri": self.folder.as_uri(), "layout": layout, "mapping": mapping}
            return open_source(firm(row, timezone), lambda conn_id: "", scratch=tmp_path / "scratch")

    return Drop()


@pytest.fixture
def shop(module_warehouse_dsn):
    """A shop's empty tables in a schema, statements to fill them, and the source that reads it."""

    class Shop:
        dsn = module_warehouse_dsn

        def __init__(self) -> None:
            self.schema = "shop"

        def create(self, schema: str = "shop") -> None:
            self.schema = schema
            with psycopg.connect(module_warehouse_dsn) as connection:
                connection.execute(f'create schema "{schema}"')
                connection.execute(f'set search_path to "{schema}"')
                connection.execute(sql_text.read("extract", "postgres", "shop"))

        def run(self, *statements: str) -> None:
            with psycopg.connect(module_warehouse_dsn) as connection:
                connection.execute(f'set search_path to "{self.schema}"')
                for statement in statements:
                    connection.execute(statement)

        def source(self, timezone: str = "Europe/London", *, schema: str = "", dsn: str = "") -> Source:
            row = {"kind": "postgres", "conn_id": "shop", "schema": schema or self.schema}
            return open_source(firm(row, timezone), lambda conn_id: dsn or module_warehouse_dsn)

    made = Shop()
    yield made
    with psycopg.connect(module_warehouse_dsn) as connection:
        connection.execute(f'drop schema if exists "{made.schema}" cascade')


@pytest.fixture
def odoo(module_warehouse_dsn):
    """An Odoo database with one customer, statements to fill it, and the source that reads it."""

    class Database:
        def run(self, *statements: str) -> None:
            with psycopg.connect(module_warehouse_dsn) as connection:
                connection.execute("set search_path to erp")
                for statement in statements:
                    connection.execute(statement)

        def source(self, timezone: str = "Europe/Istanbul", **mapping: str):
            row = {"kind": "odoo", "conn_id": "erp", "schema": "erp", "mapping": mapping or None}
            return open_source(firm(row, timezone), lambda conn_id: module_warehouse_dsn)

    with psycopg.connect(module_warehouse_dsn) as connection:
        connection.execute("create schema erp")
    made = Database()
    made.run(
        Path(__file__).with_name("odoo.sql").read_text(), PARTNER + "(10, 'Ann', 10, 1, '2026-01-05 22:30')"
    )
    yield made
    with psycopg.connect(module_warehouse_dsn) as connection:
        connection.execute("drop schema erp cascade")


def month(text: str) -> Month:
    return Month.parse(text)
