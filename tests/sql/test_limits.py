"""Every query of ``include/sql/query`` at the limits of the contracts' types.

Each firm is computed twice by the same chain of queries: with its own amounts, and with all money, units,
points and event counts multiplied by one large number, so that the largest customer reaches the limit of
decimal(18, 4) and the firm's totals exceed it. Nothing may overflow, money must grow by exactly that number,
and every rate must either grow by it or stay as it was. Ids are long texts, days reach from the first to the
last that a source may give.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from include import metrics, sql_text
from include.datasets import AmountError, Dataset, catalogue
from include.datasets.contract import COUNT, MONEY
from include.datasets.features import FEATURE_QUERIES
from include.datasets.next_product import NEXT_PRODUCT_MODEL
from include.engines import open_engine
from include.firms import Rfm
from include.models import rfm, segments
from include.periods import EARLIEST, LATEST

LIMIT = 90_000_000_000_000  # of an amount, of either sign: decimal(18, 4) holds 1.1 times that
AS_OF = LATEST - timedelta(days=1)
CUSTOMERS = [f"{n}{'ü' * 5_000}" for n in range(6)]
EVENTS = ("transactions", "loyalty_movements", "interactions", "leads")
PARAMS = {
    "as_of": AS_OF,
    "until": LATEST,
    "timezone": "Asia/Kathmandu",
    "churn_threshold_days": 90,
    "min_spend": 0,
    "min_orders": 0,
    "rfm_window_days": 365,
    "margin_share": 0.3,
    "below": "g",
}
# One query after another, with what each reads; churn's feature queries come from their own list.
CHAIN: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("customer_days", ("transactions",)),
    ("customer_summary", ("customer_days",)),
    ("rfm_values", ("customer_summary",)),
    ("firm_rhythm", ("customer_summary",)),
    *((written.name, tuple(read.name for read in reads)) for written, reads in FEATURE_QUERIES),
    ("churn_labels", ("customer_features", "customer_days")),
    ("churn_span", ("customer_days",)),
    ("value_holdout", ("customer_days",)),
    ("value_margin", ("transactions",)),
    ("acquisitions", ("leads", "customers", "customer_days")),
    ("firm_measures", ("customer_summary", "customer_days", "rfm", "churn_risk", "ltv", "actions")),
    ("action_candidates", ("rfm", "churn_risk", "ltv", "customers", "interactions", "assignments")),
    ("action_effects", ("past_actions", "customer_days")),
    ("next_product_candidates", ("transactions", "customer_days")),
    ("next_product_tests", ("next_product_candidates",)),
    ("next_product_evidence", ("transactions",)),
    ("next_products", ("next_product_candidates", "next_product_model")),
    *(
        (f"sample_{name}", (name,))
        for name in ("transactions", "customer_days", "loyalty_movements", "interactions")
    ),
)

WEIGHTS = {
    **{field.name: 0.5 for field in NEXT_PRODUCT_MODEL.schema if pa.types.is_float64(field.type)},
    "is_used": True,
}


@dataclass(frozen=True)
class Line:
    """One line of a transaction, one loyalty movement, one event and one lead of a customer and day."""

    customer: int
    days_ago: int
    is_sale: bool
    amount: int
    margin: int
    order: int


LINES = st.lists(
    st.builds(
        Line,
        customer=st.integers(0, len(CUSTOMERS) - 1),
        days_ago=st.one_of(st.integers(1, 800), st.just((AS_OF - EARLIEST).days)),
        is_sale=st.booleans() | st.just(True),
        amount=st.integers(0, 99),
        margin=st.integers(-99, 99),
        order=st.integers(0, 9),
    ),
    min_size=1,
    max_size=24,
)
LARGE_SALES = [Line(n % 6, 1 + 37 * n, True, 99, 99, n % 9) for n in range(18)]
LARGE_RETURNS = [Line(n % 6, 2 + 37 * n, False, 99, -99, n % 9) for n in range(18)]


def given_rows(lines: list[Line], factor: int) -> dict[str, list[dict[str, Any]]]:
    """Rows of what is extracted; money, quantities and event counts are ``factor`` times the lines' own."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in EVENTS}
    for place, line in enumerate(lines):
        day = AS_OF - timedelta(days=line.days_ago)
        amount = factor * line.amount
        about = {
            "order_date": day,
            "occurred_at": datetime.combine(day, time(23, 59, 59, 999_999), tzinfo=UTC),
            "customer_id": CUSTOMERS[line.customer],
        }
        found["transactions"].append(
            about
            | {
                "transaction_id": f"{line.customer}-{line.order}-{line.is_sale}-{'t' * 5_000}",
                "line_id": str(place),
                "kind": "sale" if line.is_sale else "return",
                "product_id": f"{line.order}{'p' * 5_000}",
                "quantity": amount,
                "gross_amount": amount,
                "discount_amount": amount if line.order == 9 else 0,
                "net_amount": 0 if line.order == 9 else amount,
                "margin_amount": factor * line.margin,
                "channel": "web",
                "payment_method": "card",
                "programme_id": "points",
            }
        )
        found["loyalty_movements"].append(
            about
            | {
                "movement_id": str(place),
                "programme_id": "points",
                "points_earned": amount,
                "points_used": amount,
            }
        )
        found["interactions"].append(
            about
            | {
                "interaction_id": str(place),
                "activity_type": ("login", "sent", "opened", "complaint", "redemption", "unsubscribed")[
                    line.order % 6
                ],
                "channel_code": "web",
                "campaign_id": "spring",
                "event_count": amount,
                "cost_amount": amount,
                "pages_viewed": amount,
                "products_viewed": amount,
                "sentiment_score": -1.0,
                "nps_score": line.order,
            }
        )
        found["leads"].append(
            {
                "lead_id": f"{place}{'l' * 5_000}",
                "customer_id": CUSTOMERS[line.customer],
                "created_date": day,
                "marketing_cost": amount,
                "sales_cost": 0,
            }
        )
    found["products"] = [
        {"product_id": f"{n}{'p' * 5_000}", "category": "c" * 5_000, "department": "d", "brand": "b"}
        for n in range(10)
    ]
    found["assignments"] = [
        {"assignment_id": str(n), "customer_id": customer, "order_date": AS_OF - timedelta(days=n)}
        for n, customer in enumerate(CUSTOMERS)
    ]
    found["past_actions"] = [
        {
            "customer_id": customer,
            "action_code": "card",
            "arm": ("action", "holdout")[n % 2],
            "decided_date": AS_OF - timedelta(days=200),
            "value_at_stake": factor,
        }
        for n, customer in enumerate(CUSTOMERS)
    ]
    found["customers"] = [{"customer_id": customer, "acquisition_channel": "web"} for customer in CUSTOMERS]
    return found


def zero(kind: pa.DataType) -> object:
    if pa.types.is_string(kind):
        return ""
    if pa.types.is_date(kind):
        return EARLIEST
    return Decimal(0) if pa.types.is_decimal(kind) else pa.scalar(0).cast(kind).as_py()


def input_of(name: str) -> Dataset:
    """The dataset that a query names so: ``past_actions`` are earlier snapshots of actions."""
    return replace(catalogue()[name.removeprefix("past_")], name=name)


def written(name: str, rows: list[dict[str, Any]], folder: Path) -> Path:
    dataset = input_of(name)
    full = [
        {
            field.name: row.get(field.name, None if field.nullable else zero(field.type))
            for field in dataset.schema
        }
        for row in rows
    ]
    path = folder / f"{name}.parquet"
    pq.write_table(pa.Table.from_pylist(full, schema=dataset.schema), path)
    return path


def computed(lines: list[Line], factor: int, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of every query, each run on what the ones before it gave."""
    folder.mkdir()
    engine = open_engine("duckdb", memory_mb=256, threads=1, scratch=folder)
    files = {name: written(name, rows, folder) for name, rows in given_rows(lines, factor).items()}
    found: dict[str, list[dict[str, Any]]] = {}
    for query, reads in CHAIN:
        if query == "churn_labels":
            files |= scored(
                *(pq.read_table(files[name]) for name in ("customer_summary", "rfm_values", "firm_rhythm")),
                folder,
            )
        if query == "next_products":
            files["next_product_model"] = written("next_product_model", [WEIGHTS], folder)
        sql = sql_text.read("query", query)
        params = PARAMS | ({"as_of": AS_OF - timedelta(days=400)} if query == "value_holdout" else {})
        table = engine.table(sql, [(input_of(name), [files[name]]) for name in reads], params)
        if dataset := catalogue().get(query):
            batches = [dataset.conform(batch) for batch in table.combine_chunks().to_batches()]
            table = pa.Table.from_batches(batches, schema=dataset.schema)
            files[query] = folder / f"{query}.parquet"
            pq.write_table(table, files[query])
        found[query] = table.to_pylist()
    return found


def scored(summary: pa.Table, values: pa.Table, rhythm: pa.Table, folder: Path) -> dict[str, Path]:
    """Segments by the RFM model; a risk and a value of every customer: high, and what it has spent."""
    firm = SimpleFirm()
    tables = [rfm.fit(values, firm=firm, as_of=AS_OF), segments.compute(rhythm, firm=firm, as_of=AS_OF)]
    params = rfm.prepare(*tables, firm=firm, as_of=AS_OF)
    rows = [
        row
        for batch in summary.to_batches()
        for row in rfm.predict(batch, params, firm=firm, as_of=AS_OF).to_pylist()
    ]
    spend = {row["customer_id"]: row["total_spend"] for row in rows}
    risks = [{"customer_id": who, "churn_risk_category": "High", "churn_probability": 0.5} for who in spend]
    worth = [
        {
            "customer_id": who,
            "predicted_clv_1_year": amount,
            "expected_spend_1_year": amount,
            "spend_deviation_1_year": abs(float(amount)),
            "total_doubt_1_year": 0.1,
            "total_reach": 1.3,
        }
        for who, amount in spend.items()
    ]
    planned = [
        {"customer_id": who, "action_code": "call", "cost_amount": amount,
         "expected_benefit_amount": amount, "is_chosen": True}
        for who, amount in spend.items()
    ]  # fmt: skip
    return {
        "rfm": written("rfm", rows, folder),
        "churn_risk": written("churn_risk", risks, folder),
        "ltv": written("ltv", worth, folder),
        "actions": written("actions", planned, folder),
    }


class SimpleFirm:
    """The settings that RFM reads."""

    rfm = Rfm(min_customers=5)
    min_spend = min_orders = 0
    churn_threshold_days = 90


def grows(query: str, row: Mapping[str, Any], column: str, kind: pa.DataType | None) -> bool | None:
    """Whether a value of a column must grow with the amounts; None when it may do either."""
    if query == "rfm_values":
        return column == "metric_value" and row["metric"] == "monetary"
    if query == "firm_measures":
        known = {metric.name: metric for metric in metrics.GLOSSARY}
        name = row["metric"]
        is_of_money = name not in known or known[name].unit == "money" or name in OF_MONEY
        return is_of_money and (column == "numerator" or name in OF_MONEY)
    if kind == MONEY:
        return True
    if kind == COUNT and any(word in column for word in OF_EVENTS):
        return True
    return None if isinstance(row[column], float | Decimal) else False


OF_MONEY = {"discount_share", "return_share", "revenue_change", "top_tenth_share"}
OF_EVENTS = (
    "visit_count", "message_count", "response_count", "complaint_count", "redemption_count",
    "unsubscribe_count", "pages_viewed", "products_viewed", "event_count",
)  # fmt: skip


def test_every_query_is_in_the_chain():
    assert sorted(name for name, _ in CHAIN) == sql_text.names("query")


@given(lines=LINES)
@example(lines=LARGE_SALES)
@example(lines=LARGE_RETURNS)
@example(lines=[*LARGE_SALES, *LARGE_RETURNS])
@settings(max_examples=3, derandomize=True, deadline=None, database=None)
def test_amounts_at_the_limit_of_the_contract_give_what_small_ones_give(lines):
    by_customer = [sum(max(x.amount, abs(x.margin)) for x in lines if x.customer == n) for n in range(6)]
    factor = LIMIT // max(*by_customer, 1)

    with tempfile.TemporaryDirectory() as folder:
        small = computed(lines, 1, Path(folder) / "small")
        large = computed(lines, factor, Path(folder) / "large")

    faults = [
        f"{query}.{column}: {row[column]} became {other[column]}, amounts are {factor} times as large"
        for query, rows in small.items()
        for row, other in zip(rows, large[query], strict=True)
        for column in row
        if not agrees(query, row, other, column, factor)
    ]
    assert faults == []


def agrees(query: str, row: Mapping[str, Any], other: Mapping[str, Any], column: str, factor: int) -> bool:
    dataset = catalogue().get(query.removeprefix("sample_"))
    kind = dataset.schema.field(column).type if dataset else None
    was, now = row[column], other[column]
    must_grow = grows(query, row, column, kind)
    if was is None or now is None or isinstance(was, str | date | bool):
        return was == now
    # A mean is rounded to the fourth decimal, and a deviation is a difference of sums of squares.
    scaled = abs(float(now) - factor * float(was)) <= factor * 2e-4 + 1e-9 * abs(float(now))
    same = abs(float(now) - float(was)) <= 1e-9 * abs(float(was)) + 1e-6
    return {True: scaled, False: same, None: scaled or same}[must_grow]


def merged(path: Path, name: str, folder: Path) -> Path:
    """The rows of a file; those of events and days all belong to one customer, and sales to one order."""
    table = pq.read_table(path)
    for column in ("customer_id", "transaction_id") if name in (*EVENTS, "customer_days") else ():
        if (place := table.schema.get_field_index(column)) >= 0:
            one = pa.array([CUSTOMERS[0]] * table.num_rows, pa.string())
            table = table.set_column(place, table.schema.field(place), one)
    target = folder / f"merged_{name}.parquet"
    pq.write_table(table, target)
    return target


def test_a_total_above_the_limit_is_an_error_that_names_the_customer_and_the_amount(tmp_path):
    lines = [Line(n % 6, 1 + n % 3, n % 4 < 3, 99, 99, n % 9) for n in range(200)]
    computed(lines, LIMIT // (99 * 34), tmp_path / "each")
    engine = open_engine("duckdb", memory_mb=256, threads=1, scratch=tmp_path)

    refused = {}
    for query, reads in CHAIN:
        files = [
            (input_of(name), [merged(tmp_path / "each" / f"{name}.parquet", name, tmp_path)])
            for name in reads
        ]
        table = engine.table(sql_text.read("query", query), files, PARAMS)  # no query may overflow by itself
        if dataset := catalogue().get(query.removeprefix("sample_")):
            try:
                for batch in table.to_batches():
                    dataset.conform(batch)
            except AmountError as error:
                refused[query] = str(error)

    assert {"customer_days", "customer_summary", "purchase_features", "order_features"} <= set(refused)
    for message in refused.values():
        assert re.search(r"[\d,]{19,}\.\d{4} of .*is larger than 99,999,999,999,999\.9999", message), message
        assert "customer_id '0ü" in message


def test_the_costs_of_a_lead_together_above_the_limit_are_an_error_that_names_the_lead(tmp_path):
    rows = given_rows([Line(0, 9, True, 9, 9, 0)], LIMIT // 9)
    rows["leads"][0]["sales_cost"] = LIMIT
    reads = ("leads", "customers", "customer_days")
    engine = open_engine("duckdb", memory_mb=256, threads=1, scratch=tmp_path)
    files = [(catalogue()[name], [written(name, rows.get(name, []), tmp_path)]) for name in reads]

    table = engine.table(sql_text.read("query", "acquisitions"), files, PARAMS)

    with pytest.raises(
        AmountError, match=r"acquisition_cost: 180,000,000,000,000\.0000 of acquisition_id 'lead 0l"
    ):
        catalogue()["acquisitions"].conform(table.to_batches()[0])
