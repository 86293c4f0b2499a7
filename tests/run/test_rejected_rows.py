"""The gate stops a firm whose source has many rows that cannot be used, until they are corrected."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from include.quality import QualityError
from include.sources import SourceError

FIRST = date(2025, 1, 1)
GATED = ("extract_customers", "extract_products", "extract_transactions", "validate_transactions")
LOADED = (*GATED, "load_dim_product", "load_dim_customer", "load_fact_sales")


def days(last: date, *, first: date = FIRST, amount=lambda n: 5) -> list[tuple]:
    """Three sales a day up to and with ``last``; ``amount`` by the number of the sale."""
    count = ((last - first).days + 1) * 3
    return [(f"o{n:04}", first + timedelta(days=n // 3), f"c{n % 20:03}", amount(n)) for n in range(count)]


def test_a_first_extraction_with_a_quarter_of_its_rows_unusable_stops_the_firm(shop):
    shop.add("acme")
    shop.sell("acme", days(date(2025, 2, 20), amount=lambda n: 5 if n % 4 else "five"))

    with pytest.raises(QualityError, match=r"rejected_rows: 24 of 93 rows cannot be used: bad_number 24"):
        shop.run("acme", date(2025, 2, 21), only=LOADED)

    assert shop.query("select count(*) from analytics.fact_sales") == [(0,)]


def test_money_that_cannot_be_used_stops_the_firm_though_its_rows_are_few(shop):
    shop.add("acme")
    shop.sell("acme", [*days(date(2025, 2, 20)), ("big", "31.02.2025", "c001", 900)])

    with pytest.raises(QualityError, match=r"rejected_money on net_amount: 900\.00 of 1,665\.00"):
        shop.run("acme", date(2025, 2, 21), only=GATED)


def test_a_firm_moves_the_limit_and_the_note_lists_what_was_left_out(shop):
    limits = {"transactions": {name: {"fail_above": 0.5} for name in ("rejected_rows", "rejected_money")}}
    shop.add("acme", quality=limits)
    shop.sell("acme", days(date(2025, 2, 20), amount=lambda n: 5 if n % 4 else "five"))

    notes = shop.run("acme", date(2025, 2, 21), only=GATED)

    assert notes["extract_transactions"] == "read 2 of 2 months; left out 39 bad_number"
    assert "warnings" in notes["validate_transactions"]
    (sample,) = shop.query(
        "select samples -> 0 from control.rejections where firm_key = 'acme' and slice = '2025-01'"
    )
    assert json.loads(sample[0])["net_amount"] == "five"


def test_rows_left_out_on_purpose_do_not_count(shop):
    mapping = {
        "transaction_id": "order",
        "occurred_at": "at",
        "customer_id": "customer",
        "net_amount": "amount",
    }
    folder = shop.add("acme", source={
        "kind": "csv", "uri": (shop.home / "drops" / "acme").as_uri(), "layout": "mapped",
        "mapping": {**mapping, "kind": "kind"},
    })  # fmt: skip
    lines = [
        f"o{n},{FIRST + timedelta(days=n // 3)},c{n % 9},5,{'cancelled' if n % 2 else 'sale'}"
        for n in range(90)
    ]
    (folder / "sales.csv").write_text("\n".join(["order,at,customer,amount,kind", *lines]) + "\n")

    notes = shop.run("acme", date(2025, 1, 31), only=GATED)

    assert notes["extract_transactions"] == "read 1 of 1 months; left out 45 cancelled_order (225.00)"


def test_a_closed_month_that_stopped_the_firm_is_read_again_once_its_source_is_corrected(shop):
    shop.add("acme")
    bad = days(date(2025, 4, 9), amount=lambda n: 5 if n >= 90 or n % 2 else "five")
    shop.sell("acme", bad)
    with pytest.raises(QualityError, match="2025-01: rejected_rows"):
        shop.run("acme", date(2025, 4, 10), only=LOADED)
    shop.sell("acme", days(date(2025, 5, 9)))

    notes = shop.run("acme", date(2025, 5, 10), only=LOADED)

    assert notes["extract_transactions"] == "read 4 of 5 months"  # January, and those not closed
    assert shop.query("select count(*) from analytics.fact_sales") == [(3 * 129,)]


def test_silence_is_measured_on_the_months_that_a_run_uses_and_not_on_those_loaded_before(shop):
    shop.add("acme")
    shop.sell("acme", days(date(2025, 2, 28)))
    shop.run("acme", date(2025, 3, 1), only=LOADED)
    shop.sell("acme", days(date(2025, 3, 20)))
    shop.run("acme", date(2025, 3, 21), only=GATED)  # passes and is not loaded

    notes = shop.run("acme", date(2025, 3, 18), only=GATED)

    assert notes["extract_transactions"] == "read 0 of 3 months"
    assert notes["validate_transactions"] == "checked 0 slices"


def test_a_folder_without_a_file_stops_the_firm_and_a_file_without_sales_does_not(shop):
    folder = shop.add("acme")
    with pytest.raises(SourceError, match=r"has no file that ends with .*\.csv"):
        shop.run("acme", date(2025, 3, 1), only=GATED)
    shop.sell("acme", [])

    notes = shop.run("acme", date(2025, 3, 1), only=GATED)

    assert notes["extract_transactions"] == "read 0 of 0 months"
    assert [path.name for path in folder.iterdir()] == ["sales.csv"]
