import dataclasses
from datetime import date
from decimal import Decimal

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from include.datasets.extracted import CUSTOMERS, LOYALTY_MOVEMENTS, PRODUCTS, TRANSACTIONS
from include.periods import months_between
from include.simulator import TABLES, Plan, generate, write_csv, write_postgres
from include.simulator.behaviour import Season, split
from include.sources import open_source
from tests.sources.conftest import firm

PLAN = Plan(
    customers=400,
    start=date(2025, 1, 1),
    end=date(2026, 1, 1),
    seed=3,
    timezone="Europe/Istanbul",
    batch_customers=150,
)


def whole(plan: Plan) -> dict[str, pa.Table]:
    batches = list(generate(plan))
    return {
        name: pa.concat_tables([b[name] for b in batches if name in b])
        for name in TABLES
        if any(name in b for b in batches)
    }


def by_customer(tables: dict[str, pa.Table]) -> dict[str, list[float]]:
    """Days of each identified customer's real orders, from the plan's start."""
    orders = tables["orders"]
    real = orders.filter(pc.and_(pc.equal(orders["status"], "completed"), pc.is_valid(orders["customer_id"])))
    found: dict[str, list[float]] = {}
    for customer, at in zip(real["customer_id"].to_pylist(), real["ordered_at"].to_pylist(), strict=True):
        found.setdefault(customer, []).append(at.timestamp() / 86_400)
    return found


def test_the_same_plan_gives_the_same_rows_and_another_seed_others():
    first, again, other = whole(PLAN), whole(PLAN), whole(dataclasses.replace(PLAN, seed=4))

    assert first == again
    assert first["orders"] != other["orders"]


@pytest.mark.parametrize("customers", [0, 1, 2, 20])
def test_a_firm_may_be_of_any_size(customers):
    tables = whole(dataclasses.replace(PLAN, customers=customers))

    assert tables["products"].num_rows == PLAN.products
    assert ("truth" in tables) == (customers > 0)
    assert sum(t.num_rows for name, t in tables.items() if name == "customers") == customers


def test_keys_are_unique_across_batches():
    tables = whole(PLAN)

    for name, key in [
        ("customers", ["customer_id"]),
        ("orders", ["order_id"]),
        ("order_lines", ["order_id", "line_no"]),
        ("returns", ["return_id"]),
        ("loyalty_movements", ["movement_id"]),
        ("truth", ["customer_id"]),
    ]:
        keys = tables[name].select(key)
        assert keys.group_by(key).aggregate([]).num_rows == keys.num_rows > 100, name


def test_every_customer_buys_first_and_within_the_time():
    orders = whole(PLAN)["orders"]

    assert pc.min(orders["ordered_at"]).as_py().date() >= PLAN.start
    assert pc.max(orders["ordered_at"]).as_py().date() < PLAN.end
    known = pc.unique(pc.drop_null(orders["customer_id"]))
    assert len(known) == PLAN.customers


def test_truth_counts_the_orders_there_are():
    tables = whole(PLAN)

    counted = {customer: len(days) for customer, days in by_customer(tables).items()}

    truth = tables["truth"]
    assert dict(zip(truth["customer_id"].to_pylist(), truth["orders"].to_pylist(), strict=True)) == counted


def test_purchases_follow_bg_nbd():
    """P(no repeat at all) of a customer whose rate and drop-out are known, against what happened.

    Over an age of T weeks: p + (1 - p) * exp(-lambda * T), from the model's own assumptions.
    """
    plan = dataclasses.replace(
        PLAN, customers=20_000, anonymous_share=0.0, joining_share=1e-9, cancelled_share=0
    )
    tables = whole(plan)
    rate = tables["truth"]["rate_per_week"].to_numpy()
    dropout = tables["truth"]["dropout_probability"].to_numpy()
    weeks = plan.days / 7

    expected = float(np.mean(dropout + (1 - dropout) * np.exp(-rate * weeks)))
    found = float(np.mean(tables["truth"]["orders"].to_numpy() == 1))

    assert found == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / plan.customers))


def test_order_values_follow_gamma_gamma():
    plan = dataclasses.replace(PLAN, customers=5_000, anonymous_share=0.0, cancelled_share=0)
    tables = whole(plan)
    lines, orders = tables["order_lines"], tables["orders"]
    net = pc.subtract(lines["gross_amount"], lines["discount_amount"])
    value = lines.append_column("net", net).group_by("order_id").aggregate([("net", "sum")])
    joined = value.join(orders, "order_id").join(tables["truth"], "customer_id")

    ratio = joined["net_sum"].cast(pa.float64()).to_numpy() / joined["mean_order_value"].to_numpy()

    assert ratio.mean() == pytest.approx(1, abs=5 / np.sqrt(len(ratio) * plan.spend[0]))
    assert ratio.var() == pytest.approx(1 / plan.spend[0], rel=0.1)


def test_one_timers_never_come_back():
    tables = whole(dataclasses.replace(PLAN, one_timer_share=1.0))

    assert tables["truth"]["orders"].to_pylist() == [1] * PLAN.customers
    assert not any(tables["truth"]["is_alive"].to_pylist())


def test_a_season_moves_sales_and_leaves_their_number():
    season = Season(days=730, strength=0.5, start_day=1)
    days = np.linspace(0, 730, 1000)

    pace = np.diff(season.to_operational(days))

    assert np.allclose(season.to_days(season.to_operational(days)), days)
    assert pace.max() / pace.min() == pytest.approx(3, rel=0.05)
    assert season.to_operational(np.array([730.0]))[0] == pytest.approx(730, rel=0.02)


def test_lines_of_an_order_add_up_to_the_cent():
    cents, lines = np.array([1, 7, 10_000, 3]), np.array([1, 3, 5, 2])

    order, number, part = split(np.random.default_rng(1), cents, lines)

    assert np.bincount(order, weights=part).tolist() == cents.tolist()
    assert number.tolist() == [1, 1, 2, 3, 1, 2, 3, 4, 5, 1, 2]
    assert part.min() >= 0


def test_returns_come_after_their_order_and_never_of_a_cancelled_one():
    tables = whole(PLAN)

    both = tables["returns"].join(tables["orders"].select(["order_id", "ordered_at", "status"]), "order_id")

    assert both.num_rows > 20
    assert set(both["status"].to_pylist()) == {"completed"}
    assert pc.all(pc.greater(both["returned_at"], both["ordered_at"])).as_py()


def read(source, plan: Plan, dataset) -> pa.Table:
    if dataset.by == "month":
        months = list(months_between(source.first_month(dataset), plan.end))
        return pa.Table.from_batches(
            [b for m in months for b in source.extract(dataset, month=m, as_of=plan.end)]
        )
    return pa.Table.from_batches(source.extract(dataset, month=None, as_of=plan.end))


def totals(table: pa.Table) -> dict[tuple, tuple[int, Decimal]]:
    grouped = table.group_by(["kind", "rejected_reason"]).aggregate(
        [([], "count_all"), ("net_amount", "sum")]
    )
    return {
        (row["kind"] if row["rejected_reason"] is None else "", row["rejected_reason"]): (
            row["count_all"],
            row["net_amount_sum"],
        )
        for row in grouped.to_pylist()
    }


def test_a_shop_in_postgres_and_files_say_the_same(module_warehouse_dsn, tmp_path):
    write_postgres(PLAN, module_warehouse_dsn, schema="simulated")
    write_csv(PLAN, tmp_path / "files")
    shop = open_source(
        firm({"kind": "postgres", "conn_id": "x", "schema": "simulated"}, PLAN.timezone),
        lambda conn_id: module_warehouse_dsn,
    )
    files = open_source(
        firm(
            {
                "kind": "csv",
                "uri": (tmp_path / "files").as_uri(),
                "layout": "mapped",
            },
            PLAN.timezone,
        ),
        lambda conn_id: "",
        scratch=tmp_path / "scratch",
    )

    from_shop, from_files = (read(source, PLAN, TRANSACTIONS) for source in (shop, files))

    assert totals(from_shop) == totals(from_files)
    assert set(totals(from_shop)) == {("sale", None), ("return", None), ("", "cancelled_order")}
    key = [("transaction_id", "ascending"), ("line_id", "ascending")]
    columns = ["transaction_id", "line_id", "kind", "occurred_at", "order_date", "customer_id", "product_id"]
    columns += ["quantity", "gross_amount", "discount_amount", "net_amount", "margin_amount", "channel"]
    usable = [t.filter(pc.is_null(t["rejected_reason"])) for t in (from_shop, from_files)]
    assert usable[0].select(columns).sort_by(key) == usable[1].select(columns).sort_by(key)
    assert read(shop, PLAN, CUSTOMERS).num_rows == PLAN.customers
    assert read(shop, PLAN, PRODUCTS).num_rows == PLAN.products
    assert read(shop, PLAN, LOYALTY_MOVEMENTS).num_rows > 50
    with psycopg.connect(module_warehouse_dsn) as connection:
        assert connection.execute("select count(*) from simulated.truth").fetchone() == (PLAN.customers,)


ENGAGED = dataclasses.replace(PLAN, interactions_per_customer=2.0, campaigns=3)


def test_interactions_and_campaigns_do_not_change_the_orders():
    plain, engaged = whole(PLAN), whole(ENGAGED)

    assert plain["orders"] == engaged["orders"]
    assert engaged["campaigns"].num_rows == 3
    kinds = set(engaged["interactions"]["activity_type"].to_pylist())
    assert {"session", "ticket", "nps", "sent", "opened", "clicked"} <= kinds


def test_a_message_is_opened_after_it_was_sent():
    rows = whole(ENGAGED)["interactions"].filter(pc.field("campaign_id") == "CAMPAIGN0001").to_pylist()
    sent = {row["customer_id"] for row in rows if row["activity_type"] == "sent"}

    opened = {row["customer_id"] for row in rows if row["activity_type"] == "opened"}

    assert opened < sent
    assert min(r["occurred_at"] for r in rows if r["activity_type"] == "opened") > min(
        r["occurred_at"] for r in rows if r["activity_type"] == "sent"
    )
