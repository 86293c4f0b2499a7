"""Fill a migrated warehouse with generated firms: sales, and snapshots in detail and in summary only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import psycopg
from psycopg import sql

from include import sql_text
from include.warehouse import Warehouse
from include.warehouse.partitions import ensure_partition, index_partition
from include.warehouse.session import Row
from include.warehouse.summaries import SUMMARIES

HERE = Path(__file__).parent
FIRST_DAY, AS_OF = date(2023, 1, 1), date(2026, 1, 1)
BIG = "big"
PARTITIONED = (
    "fact_sales",
    "fact_customer_rfm",
    "fact_customer_ltv",
    "fact_customer_churn_risk",
    "fact_action",
)
PRODUCTS = 2_000


@dataclass(frozen=True)
class Scale:
    """How much is generated: for the measured firm, and a tenth of it for each other firm."""

    customers: int = 20_000
    lines: int = 1_000_000
    firms: int = 3
    detailed: int = 4
    summarised: int = 12

    def days(self, number: int) -> list[date]:
        """The latest ``number`` snapshots, one a day, oldest first."""
        return [AS_OF - timedelta(days=back) for back in reversed(range(number))]


def fill(dsn: str, scale: Scale) -> None:
    """Generate all firms, store their summaries, and repeat those for days without detail."""
    with Warehouse(dsn) as warehouse:
        _fill_facts(warehouse.session.connection, scale)
        list(warehouse.summaries.fill_firms())
        _repeat_summaries(warehouse.session.connection, scale)
        warehouse.session.connection.execute("vacuum analyze")


def _repeat_summaries(connection: psycopg.Connection[Row], scale: Scale) -> None:
    """Copy the summaries of the oldest day in detail to the days before it."""
    (source, *_), past = scale.days(scale.detailed), scale.days(scale.summarised)[: -scale.detailed]
    for summary in SUMMARIES:
        if summary.keeps != "all":
            continue
        columns = [
            row["attname"]
            for row in connection.execute(
                "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 "
                "and attname not in ('firm_sk', 'as_of') order by attnum",
                [f"analytics.summary_{summary.name}"],
            )
        ]
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        connection.execute(
            sql.SQL(
                "insert into {0} (firm_sk, as_of, {1}) select firm_sk, day, {1} "
                "from unnest(%s::date[]) as day cross join {0} where as_of = %s"
            ).format(summary.table, names),
            [past, source],
        )
        connection.execute(
            "insert into analytics.dim_summary (firm_sk, summary_name, as_of) "
            "select firm_sk, summary_name, day from unnest(%s::date[]) as day "
            "cross join analytics.dim_summary "
            "where as_of = %s and summary_name = %s",
            [past, source, summary.name],
        )


def _fill_facts(connection: psycopg.Connection[Row], scale: Scale) -> None:
    keys = [BIG, *(f"other_{number}" for number in range(1, scale.firms))]
    for key in keys:
        part = 1 if key == BIG else 10
        _run(
            connection,
            "firm",
            firm_key=key,
            customers=scale.customers // part,
            products=PRODUCTS // part,
            lines=scale.lines // part,
            first_day=FIRST_DAY,
            as_of=AS_OF,
        )
        for day in scale.days(scale.detailed if key == BIG else 1):
            _run(connection, "snapshot", firm_key=key, as_of=day)


def _run(connection: psycopg.Connection[Row], name: str, **params: object) -> None:
    """Run the statements of a file of this folder, each partition made before its table is filled."""
    file = HERE / f"{name}.sql"
    text = file.read_text()
    for statement in text.split(";\n"):
        if not statement.strip():
            continue
        table = next((t for t in PARTITIONED if f"insert into analytics.{t} " in statement), None)
        if table:
            firm_sk = connection.execute(
                "select firm_sk from analytics.dim_firm where firm_key = %s", [params["firm_key"]]
            ).fetchone()["firm_sk"]  # type: ignore[index]
            ensure_partition(connection, table, firm_sk)
        connection.execute(*sql_text.for_psycopg(statement, params))
        if table:
            index_partition(connection, table, firm_sk)
            connection.execute("analyze analytics.dim_customer; analyze analytics.dim_product")
            connection.execute(f"analyze parts.{table}_f{firm_sk}")
