"""``try`` computes from what ``inspect`` answers: its lines come to the same figures, none rejected."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from include.datasets.extracted import TRANSACTIONS
from include.intake import inspect
from include.periods import months_between
from include.run import preview
from include.simulator.exports import random_file
from include.simulator.exports.workbook import write_xlsx
from include.sources import open_source
from tests.intake.conftest import EXAMPLES, PLATFORMS

RETAIL = EXAMPLES.parent / "online_retail_i" / "online_retail_i.parquet"
FIELDS = {"timezone": "UTC", "churn_threshold_days": 90}
READ = [path for path in sorted(PLATFORMS.glob("*.csv")) if inspect(path).answer.outcome == "read"]
FOLDERS = (
    "arabic_digits",
    "chinese_gbk",
    "footer_full",
    "gz",
    "odoo_sale_order",
    "order_total_repeated",
    "parquet_tz",
    "paypal",
    "placeholder_customer",
    "shopify_offset",
    "uci_cp1252",
    "unit_vs_total",
)


def check(file: Path, folder: Path) -> None:
    """The rows that the steps read of a file come to its figures."""
    folder.mkdir()
    firm, answer = preview.firm_of(file, folder, **FIELDS)
    source = open_source(firm, str, scratch=folder / "cache")
    end = answer.last_day + timedelta(days=1)
    months = months_between(source.first_month(TRANSACTIONS), end)

    rows = pa.Table.from_batches(
        [batch for month in months for batch in source.extract(TRANSACTIONS, month=month, as_of=end)]
    )

    sign = pc.if_else(pc.equal(rows["kind"], "sale"), Decimal(1), Decimal(-1))
    assert rows["rejected_reason"].null_count == rows.num_rows, rows["rejected_reason"].unique()
    assert pc.sum(pc.multiply(rows["net_amount"], sign)).as_py() == answer.net_amount
    assert pc.count_distinct(rows["transaction_id"]).as_py() == answer.orders
    assert pc.count_distinct(rows["customer_id"]).as_py() == answer.customers
    assert pc.min(rows["order_date"]).as_py() >= answer.first_day
    assert pc.max(rows["order_date"]).as_py() <= answer.last_day


@pytest.mark.parametrize("path", READ, ids=lambda path: path.stem)
def test_lines_of_a_platform_come_to_its_figures(path, tmp_path):
    check(path, tmp_path / "firm")


@pytest.mark.parametrize("name", FOLDERS)
def test_lines_of_an_example_come_to_its_figures(name, tmp_path):
    found = list((EXAMPLES / name).glob("*"))
    if not found:
        pytest.skip(f"the example files are not in {EXAMPLES}")

    check(found[0], tmp_path / "firm")


@pytest.mark.parametrize("seed", range(9000, 9012))
def test_lines_of_a_random_file_come_to_its_figures(seed, tmp_path):
    (tmp_path / "made").mkdir()
    made = random_file(seed, tmp_path / "made")
    if inspect(made.path).answer.outcome != "read":
        pytest.skip("the file leaves a question open")

    check(made.path, tmp_path / "firm")


def test_online_retail_gives_one_set_of_figures_in_every_dialect(tmp_path):
    if not RETAIL.is_file():
        pytest.skip(f"Online Retail is not in {RETAIL}")
    table = pq.read_table(RETAIL).slice(0, 30_000)
    frame = table.to_pandas()
    day, price = frame["InvoiceDate"], frame["UnitPrice"]
    frame.to_csv(tmp_path / "plain.csv", index=False)
    german = frame.assign(
        InvoiceDate=day.dt.strftime("%d.%m.%Y %H:%M"),
        UnitPrice=[f"{x:.3f}0".replace(".", ",") for x in price],
    )
    german.to_csv(tmp_path / "german.csv", index=False, sep=";", encoding="cp1252", errors="replace")
    american = frame.assign(
        InvoiceDate=day.dt.strftime("%m/%d/%Y %I:%M %p"), UnitPrice=[f"${x:,.4f}" for x in price]
    ).rename(columns={"InvoiceNo": "Invoice", "UnitPrice": "Price", "CustomerID": "Customer ID"})
    american.to_csv(tmp_path / "american.txt", index=False, sep="\t", encoding="utf-16")
    british = frame.assign(InvoiceDate=day.dt.strftime("%d/%m/%y %H:%M"))
    british.to_csv(tmp_path / "british.csv.gz", index=False, quoting=1)
    pq.write_table(table, tmp_path / "rows.parquet")
    cells = [
        [None if value is None or value != value else value for value in row]
        for row in frame.astype(object).where(frame.notna(), None).itertuples(index=False)
    ]
    cells = [[int(v) if isinstance(v, np.integer) else v for v in row] for row in cells]
    cells = [[v.to_pydatetime() if hasattr(v, "to_pydatetime") else v for v in row] for row in cells]
    write_xlsx(tmp_path / "book.xlsx", {"Online Retail": [list(frame.columns), *cells]})

    answers = [inspect(path).answer for path in sorted(tmp_path.iterdir())]

    figures = {
        (a.outcome, a.customers, a.orders, a.net_amount, a.first_day, a.last_day, a.rows_used)
        for a in answers
    }
    assert len(figures) == 1, [(a.file, a.outcome, a.net_amount, a.question, a.refusal) for a in answers]
