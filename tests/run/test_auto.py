"""A firm of layout ``auto``: its files as exported, from ``firms add`` to facts, and what stops it later."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from include.cli import app
from include.erasure import erase
from include.settings import Settings
from include.source_errors import SourceError
from include.warehouse import Warehouse, migrate
from tests.intake.conftest import EXAMPLES, examples
from tests.run.conftest import Shop

READ = ("extract_customers", "extract_products", "extract_transactions")
LOADED = (*READ, "load_dim_product", "load_dim_customer", "load_fact_sales")
PLATFORMS = {
    "shopify_orders": "shopify_orders",
    "woocommerce": "woocommerce_orders",
    "square_nodollar": "square_transactions",
    "odoo_sale_order": "odoo_sale_orders",
    "uci_ddmm_slash": "uci_online_retail",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory, module_warehouse_dsn):
    migrate(module_warehouse_dsn)
    home = tmp_path_factory.mktemp("auto")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRMAMENT_HOME", str(home / "home"))
        patch.setenv("FIRMAMENT_WAREHOUSE_DSN", module_warehouse_dsn)
        patch.delenv("FIRMAMENT_FAULT", raising=False)
        yield Shop(home, module_warehouse_dsn)


def command(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "400"})


def added(shop: Shop, key: str, *words: object, **changes: object) -> str:
    """Add a firm of layout auto whose files are in its drop folder; what the command printed."""
    row = {
        "firm_key": key,
        "name": key.title(),
        "source": {"kind": "csv", "uri": (shop.home / "drops" / key).as_uri(), "layout": "auto"},
        "timezone": "UTC",
        "currency": "USD",
        "working_day_period": 1,
        "churn_threshold_days": 30,
        "modules": ["rfm"],
    }
    row["source"] |= changes.pop("source", {})
    file = shop.home / f"{key}.yaml"
    file.write_text(yaml.safe_dump(row | changes))
    result = command("firms", "add", "--file", file, *words)
    assert result.exit_code == 0, result.output + result.stderr
    return result.output


def write(shop: Shop, key: str, name: str, text: str) -> Path:
    path = shop.home / "drops" / key / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def orders(first: int, count: int, day: date, *, shown="{:%d/%m/%Y}", amount="{:.2f}", head=None) -> str:
    """A file of ``count`` orders, one a day from ``day`` on, of 1.10, 2.10, ... in some style."""
    lines = [head or "Order;Date;Customer;Total"]
    for n in range(count):
        value = amount.format(1.1 + first + n)
        lines.append(f"o{first + n};{shown.format(day + timedelta(days=n))};c{(first + n) % 7};{value}")
    return "\n".join(lines) + "\n"


def figures(shop: Shop, key: str) -> dict[str, object]:
    """What the facts of a firm come to."""
    ((customers, found, net),) = shop.query(
        "select count(distinct customer_sk) filter (where customer_sk is not null), "
        "count(distinct transaction_id), "
        "sum(net_amount) "
        "from analytics.fact_sales join analytics.dim_firm using (firm_sk) where firm_key = %s",
        key,
    )
    return {"customers": customers, "orders": found, "net": float(round(net, 2))}


@pytest.mark.skipif(not examples(), reason=f"the example files are not in {EXAMPLES}")
@pytest.mark.parametrize("name", PLATFORMS)
def test_the_facts_of_a_platforms_export_are_its_known_figures(shop, name):
    (case,) = [case for case in examples() if case["case"] == name]
    drop = shop.home / "drops" / name
    drop.mkdir(parents=True)
    shutil.copy(EXAMPLES / case["file"], drop)

    printed = added(shop, name, source={"layout": PLATFORMS[name]}, currency=case.get("currency", "USD"))
    shop.run(name, date(2024, 6, 1), only=LOADED)

    expected = {
        figure: case["figures"][figure] for figure in figures(shop, name) if figure in case["figures"]
    }
    found = figures(shop, name)
    assert {figure: found[figure] for figure in expected} == expected
    assert f"{expected['net']:,.2f}" in printed
    with Warehouse(shop.dsn) as warehouse:
        (form,) = warehouse.firms.firm_row(name)["source"]["understood"]
    assert form["platform"] == PLATFORMS[name]


CHANGES = {
    "header": (
        {"head": "Order;Date;Buyer;Total"},
        "the header was with Customer and now is with Buyer",
    ),
    "date order": (
        {"shown": "{:%m/%d/%Y}"},
        r"the date order was dmy \(column Date\) and now is mdy: 02/13/2025",
    ),
    "number style": (
        {"amount": "{:.2f}|"},
        r"the number style was decimal mark \. and now is decimal mark ,",
    ),
    "currency": ({"amount": "€{:.2f}"}, "the currency was USD and now is EUR"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_later_file_that_is_written_in_another_way_stops_the_firm_until_it_is_accepted(shop, what):
    key = what.replace(" ", "_")
    style, message = CHANGES[what]
    write(shop, key, "01.csv", orders(0, 31, date(2025, 1, 1)))
    added(shop, key)
    shop.run(key, date(2025, 2, 1), only=LOADED)
    before = figures(shop, key)
    later = orders(31, 28, date(2025, 2, 1), **style)
    later = re.sub(r"(\d+)\.(\d\d)\|", r"\1,\2", later)
    write(shop, key, "02.csv", later)

    with pytest.raises(SourceError, match=f"02.csv: {message}.*firms accept {key}"):
        shop.run(key, date(2025, 3, 1), only=LOADED)

    assert figures(shop, key) == before
    accepted = command("firms", "accept", key)
    if what == "currency":
        assert accepted.exit_code == 2
        assert "the row says USD, its files say EUR" in accepted.stderr
        return
    assert accepted.exit_code == 0, accepted.stderr
    assert "source.understood[1]" in accepted.output
    shop.run(key, date(2025, 3, 1), only=LOADED)
    assert figures(shop, key) == {
        "customers": 7,
        "orders": 59,
        "net": float(sum(range(59)) + Decimal("64.90")),
    }


def test_a_later_file_without_evidence_is_read_as_the_first_and_an_earlier_day_gives_the_same(shop):
    write(shop, "replay", "01.csv", orders(0, 31, date(2025, 1, 1)))
    added(shop, "replay")
    shop.run("replay", date(2025, 2, 1), only=LOADED)
    before = figures(shop, "replay")
    write(shop, "replay", "02.csv", orders(31, 9, date(2025, 2, 3)))  # 03/02 to 11/02: no day above 12
    write(shop, "replay", "03.csv", "Order;Date;Customer;Total\n")

    shop.run("replay", date(2025, 2, 12), only=LOADED)

    assert figures(shop, "replay") == {"customers": 7, "orders": 40, "net": 824.0}
    days = shop.query(
        "select max(order_date) from analytics.fact_sales join analytics.dim_firm using (firm_sk) "
        "where firm_key = 'replay'"
    )
    assert days == [(date(2025, 2, 11),)]
    with Warehouse(shop.dsn) as warehouse:
        warehouse.firms.save_firm(_renamed(warehouse, "replay", "replay_again"), actor="test")
    shop.run("replay_again", date(2025, 2, 1), only=LOADED)
    assert figures(shop, "replay_again") == before


def _renamed(warehouse: Warehouse, key: str, new: str):
    from include.firms import parse_firm

    return parse_firm(warehouse.firms.firm_row(key) | {"firm_key": new})


def test_a_file_with_many_unreadable_rows_stops_the_firm_with_their_reasons(shop):
    write(shop, "broken", "01.csv", orders(0, 31, date(2025, 1, 1)))
    added(shop, "broken")
    spoilt = orders(31, 28, date(2025, 2, 1))
    write(
        shop,
        "broken",
        "02.csv",
        re.sub(r";(\d+)\.10", lambda m: f";{m[1]}.10" if int(m[1]) % 3 else ";?", spoilt),
    )

    with pytest.raises(SourceError, match=r"02.csv: .*9 of 28 rows cannot be read \(bad_number 9"):
        shop.run("broken", date(2025, 3, 1), only=READ)


def test_the_same_export_twice_is_counted_once_and_the_note_reports_it(shop):
    text = orders(0, 31, date(2025, 1, 1))
    write(shop, "twice", "01.csv", text)
    write(shop, "twice", "01 (1).csv", text)

    printed = added(shop, "twice")
    notes = shop.run("twice", date(2025, 2, 1), only=LOADED)

    assert "left out    31 exact_duplicate" in printed
    assert "left out 31 exact_duplicate" in notes["extract_transactions"]
    assert figures(shop, "twice")["orders"] == 31


def test_an_order_that_differs_between_two_files_stops_the_firm_until_its_row_says_which_is_right(shop):
    text = orders(0, 31, date(2025, 1, 1))
    write(shop, "overlap", "01.csv", text)
    added(shop, "overlap")
    write(shop, "overlap", "02.csv", text.replace(";c3;4.10", ";c3;0.10"))

    with pytest.raises(
        SourceError, match=r"1 orders are in several files and differ, such as o3\..*repeated_orders"
    ):
        shop.run("overlap", date(2025, 2, 1), only=READ)

    printed = added(shop, "overlap", source={"options": {"repeated_orders": "last"}})
    assert "changes     source.options.repeated_orders: nothing -> last" in printed
    shop.run("overlap", date(2025, 2, 1), only=LOADED)
    assert figures(shop, "overlap")["net"] == pytest.approx(sum(range(31)) + 34.1 - 4)


def test_an_erased_customer_does_not_come_back_and_nothing_of_it_is_left(shop):
    head = "Date;E-Mail;Total"  # no order id: an order is a customer's day
    lines = [
        f"{date(2025, 1, 1) + timedelta(days=n):%d/%m/%Y};canan{n % 7}@post.test;{n}.50" for n in range(31)
    ]
    bad = "not a day;CANAN3@post.test;9.50"
    write(shop, "erased", "01.csv", "\n".join([head, *lines, bad]) + "\n")
    added(shop, "erased")
    shop.run("erased", date(2025, 2, 1), only=LOADED)

    erase(Settings.read(), "erased", "canan3@post.test", actor="test")
    shop.run("erased", date(2025, 2, 2), only=LOADED)

    found = shop.query(
        "select customer_id from analytics.dim_customer join analytics.dim_firm using (firm_sk) "
        "where firm_key = 'erased' order by 1"
    )
    named = [row[0] for row in found if row[0] != "(anonymous)"]
    assert named == [f"canan{n}@post.test" for n in range(7) if n != 3]
    kept = [p for p in (shop.home / "home").rglob("*") if p.is_file() and "erased" in str(p)]
    assert not [p for p in kept if b"canan3@" in p.read_bytes().lower()]
    assert not shop.query("select 1 from control.rejections where samples::text ilike '%%canan3@%%'")


def test_add_from_writes_a_file_that_add_reads_and_a_question_is_answered_by_an_option(shop):
    sales = write(shop, "asking", "orders.csv", orders(0, 9, date(2025, 2, 3)))
    out = shop.home / "asking.yaml"

    asks = command("firms", "add", "--from", sales, "--file", out, "--currency", "EUR")
    written = command(
        "firms", "add", "--from", sales, "--file", out, "--currency", "EUR", "--date-order", "dmy",
        "--key", "asking", "--timezone", "Europe/Vienna",
    )  # fmt: skip

    assert asks.exit_code == 3
    assert "--date-order" in asks.stderr
    assert written.exit_code == 0, written.output + written.stderr
    row = yaml.safe_load(out.read_text())
    assert row["source"]["options"] == {"date_order": "dmy"}
    assert row["source"]["understood"][0]["columns"]["customer_id"] == "Customer"
    dry = command("firms", "add", "--file", out, "--dry-run")
    assert "9 rows, 9 used: 7 customers, 9 orders, 45.90 EUR, 2025-02-03 to 2025-02-11" in dry.output
    assert not shop.query("select 1 from control.firms where firm_key = 'asking'")
    assert command("firms", "add", "--file", out).exit_code == 0
    shown = yaml.safe_load(command("firms", "show", "asking").output)
    assert shown["source"] == row["source"]


def test_a_question_at_add_names_the_field_that_answers_it(shop):
    write(shop, "doubt", "orders.csv", orders(0, 9, date(2025, 2, 3)))
    file = shop.home / "doubt.yaml"
    row = {
        "firm_key": "doubt", "name": "D", "timezone": "UTC", "currency": "EUR", "working_day_period": 1,
        "churn_threshold_days": 30,
        "source": {"kind": "csv", "uri": (shop.home / "drops" / "doubt").as_uri(), "layout": "auto"},
    }  # fmt: skip
    file.write_text(json.dumps(row))

    result = command("firms", "add", "--file", file)

    assert result.exit_code == 3
    assert "Answer it in the firm's row: source.options.date_order" in result.stderr
