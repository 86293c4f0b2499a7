"""Write simulated firms where a source reads them: a shop schema in Postgres, or csv files."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
from psycopg import sql

from include import sql_text
from include.simulator.firm import TABLES, generate
from include.simulator.plan import Plan

COPY_ROWS = 100_000
LINE_COLUMNS = (
    "transaction_id",
    "line_id",
    "kind",
    "occurred_at",
    "customer_id",
    "product_id",
    "quantity",
    "gross_amount",
    "discount_amount",
    "net_amount",
    "margin_amount",
    "channel",
    "payment_method",
    "product_name",
    "category",
)


def write_postgres(plan: Plan, dsn: str, *, schema: str = "shop") -> dict[str, int]:
    """Create a schema with the firm's shop and its ``truth``; returns the number of rows by table."""
    with psycopg.connect(dsn) as connection:
        create_shop(connection, schema)
        connection.execute(
            "create table truth (customer_id text primary key, rate_per_week float8,"
            " dropout_probability float8, spend_rate float8, mean_order_value float8,"
            " is_alive bool, orders bigint)"
        )
        rows = fill(connection, generate(plan))
        connection.execute("analyze")
    return rows


def create_shop(connection: psycopg.Connection, schema: str) -> None:
    """Create the empty tables of ``shop.sql`` in ``schema`` and set it as search_path."""
    connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
    connection.execute(sql.SQL("set search_path to {}").format(sql.Identifier(schema)))
    connection.execute(sql_text.read("extract", "postgres", "shop"))


def fill(connection: psycopg.Connection, batches: Iterable[Mapping[str, pa.Table]]) -> dict[str, int]:
    """COPY batches into the tables of the same names; returns the number of rows by table."""
    rows = dict.fromkeys(TABLES, 0)
    for batch in batches:
        for name, table in batch.items():
            copy(connection, name, table)
            rows[name] = rows.get(name, 0) + table.num_rows
    return rows


def copy(connection: psycopg.Connection, name: str, table: pa.Table) -> None:
    """COPY one Arrow table into the table ``name``."""
    statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(
        sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, table.column_names))
    )
    options = pcsv.WriteOptions(include_header=False)
    with connection.cursor() as cursor, cursor.copy(statement) as into:
        for batch in table.to_batches(COPY_ROWS):
            buffer = io.BytesIO()
            pcsv.write_csv(batch, buffer, options)
            into.write(buffer.getvalue())


def write_csv(plan: Plan, folder: Path) -> int:
    """Write ``transactions.csv`` in canonical columns, times in UTC; returns the number of lines.

    A firm reads it with layout ``mapped`` and no mapping. The truth is written to ``truth/part-*.parquet``
    beside it, which the source does not read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "truth").mkdir(exist_ok=True)
    lines, header, products = 0, True, None
    with (folder / "transactions.csv").open("wb") as file:
        for number, batch in enumerate(generate(plan)):
            if "products" in batch:
                products = batch["products"]
                continue
            table = _lines(batch, products)
            pcsv.write_csv(table, file, pcsv.WriteOptions(include_header=header))
            lines, header = lines + table.num_rows, False
            if "truth" in batch:
                pq.write_table(batch["truth"], folder / "truth" / f"part-{number:05d}.parquet")
        if header:
            empty = pa.table({name: pa.array([], pa.string()) for name in LINE_COLUMNS})
            pcsv.write_csv(empty, file)
    return lines


def _lines(batch: Mapping[str, pa.Table], products: pa.Table | None) -> pa.Table:
    """Sale and return lines of one batch in canonical columns."""
    sales = batch["order_lines"].join(batch["orders"], "order_id")
    sales = sales.rename_columns({"order_id": "transaction_id", "ordered_at": "occurred_at"})
    sales = sales.append_column(
        "kind", pc.if_else(pc.equal(sales["status"], "cancelled"), "cancelled", "sale")
    ).append_column("net_amount", pc.subtract(sales["gross_amount"], sales["discount_amount"]))
    back = batch["return_lines"].join(batch["returns"].drop_columns("order_id"), "return_id")
    back = back.rename_columns(
        {"return_id": "transaction_id", "returned_at": "occurred_at", "refund_amount": "gross_amount"}
    )
    back = back.append_column("kind", pa.array(["return"] * back.num_rows, pa.string())).append_column(
        "net_amount", back["gross_amount"]
    )
    both = pa.concat_tables([sales, back], promote_options="permissive")
    both = both.append_column("margin_amount", pc.subtract(both["net_amount"], both["cost_amount"]))
    both = both.set_column(
        both.column_names.index("occurred_at"),
        "occurred_at",
        pc.strftime(both["occurred_at"].cast(pa.timestamp("s", tz="UTC")), "%Y-%m-%dT%H:%M:%SZ"),
    ).rename_columns({"line_no": "line_id"})
    if products is not None:
        both = both.join(products.select(["product_id", "product_name", "category"]), "product_id")
    columns = {
        name: both[name].cast(pa.string())
        if name in both.column_names
        else pa.nulls(both.num_rows, pa.string())
        for name in LINE_COLUMNS
    }
    return pa.table(columns)
