"""A report of handoffs that were written by hand: what it counts, what it keeps to itself, what it lacks."""

import json
import re
from datetime import date

import pytest

from include.datasets.churn import CHURN_RISK, CHURN_TRAINING
from include.datasets.computed import CUSTOMER_DAYS, CUSTOMER_SUMMARY, RFM
from include.datasets.extracted import CUSTOMERS, TRANSACTIONS, rejected_of
from include.datasets.features import CUSTOMER_FEATURES
from include.periods import Month
from include.report import charts, write
from include.version import __version__

FEBRUARY = Month(2025, 2)
CANARY = {
    "customer_id": "canary-4711",
    "full_name": "Quetzal Canary",
    "email": "quetzal@canary.example",
    "phone": "+44 7700 900123",
    "birth_date": date(1987, 6, 5),
}


def test_a_month_counts_its_customers_its_orders_and_who_is_new(left):
    left.put(
        CUSTOMER_DAYS,
        {
            "customer_id": "a",
            "order_date": date(2025, 1, 5),
            "order_count": 2,
            "sale_amount": 10,
            "net_amount": 10,
        },
        {
            "customer_id": "a",
            "order_date": date(2025, 2, 5),
            "order_count": 1,
            "sale_amount": 7,
            "net_amount": 7,
        },
        {
            "customer_id": "b",
            "order_date": date(2025, 2, 6),
            "order_count": 1,
            "sale_amount": 5,
            "net_amount": 5,
        },
        {
            "customer_id": "b",
            "order_date": date(2025, 2, 9),
            "return_count": 1,
            "return_amount": 2,
            "net_amount": -2,
        },
    )

    january, february = left.profile()["months"]

    assert (january["customers"], january["new_customers"], january["order_count"]) == (1, 1, 2)
    assert (february["customers"], february["new_customers"], february["order_count"]) == (2, 1, 2)
    assert (february["sale_amount"], february["return_amount"], february["net_amount"]) == (12.0, 2.0, 10.0)


def test_events_on_or_after_as_of_are_not_counted(left):
    march = Month(2025, 3)
    left.put(
        TRANSACTIONS,
        {"transaction_id": "1", "order_date": date(2025, 2, 28), "kind": "sale", "customer_id": "a"},
        {"transaction_id": "2", "order_date": date(2025, 3, 1), "kind": "sale"},
        month=march,
    )

    (transactions,) = left.profile()["datasets"]

    assert (transactions["rows"], transactions["last_date"]) == (1, "2025-02-28")
    missing = {column["name"]: column["missing"] for column in transactions["columns"]}
    assert (missing["customer_id"], missing["product_id"]) == (0, 1)


def test_rows_that_could_not_be_used_are_counted_by_reason(left):
    left.put(TRANSACTIONS, {"transaction_id": "1", "kind": "sale"}, month=FEBRUARY)
    refused = [
        {"reason": reason, "row_number": n} for n, reason in enumerate(("bad_date", "bad_date", "no_id"))
    ]
    left.put(rejected_of(TRANSACTIONS), *refused, month=FEBRUARY)

    (transactions,) = left.profile()["datasets"]

    assert transactions["rejected"] == {"bad_date": 2, "no_id": 1}


def test_churn_is_shown_by_cutoff_and_band_and_the_blind_control_is_not_counted(left):
    cutoff = date(2025, 1, 1)
    seen = [
        {
            "cutoff": cutoff,
            "customer_id": f"c{n}",
            "is_churned": n < 3,
            "days_since_last_order": 14 if n < 12 else 200,
            "order_count": 1,
        }
        for n in range(13)
    ]
    blind = [{**row, "is_blind": True, "is_churned": True} for row in seen]
    left.put(CUSTOMER_FEATURES, {"customer_id": "c1"})
    left.put(CHURN_TRAINING, *seen, *blind)

    target = left.profile()["target"]

    assert target["cutoffs"] == [{"cutoff": "2025-01-01", "customers": 13, "churn_rate": 3 / 13}]
    assert target["bands"] == [
        {"silence_band": 1, "order_band": 1, "customers": 12, "churn_rate": 3 / 12},
        {"silence_band": 5, "order_band": 1, "customers": 1, "churn_rate": None},
    ]


def test_a_feature_says_what_is_missing_and_how_it_went_with_churn(left):
    left.put(
        CUSTOMER_FEATURES,
        *({"customer_id": f"c{n}", "last_days_between_orders": n or None} for n in range(4)),
    )
    left.put(
        CHURN_TRAINING,
        *({"customer_id": f"c{n}", "last_days_between_orders": n, "is_churned": n >= 20} for n in range(40)),
    )

    profile = left.profile()
    feature = next(f for f in profile["features"] if f["name"] == "last_days_between_orders")

    assert (feature["missing"], feature["p50"]) == (1, 2.0)
    assert feature["correlation"] == pytest.approx(0.866, abs=0.001)  # of ranks 0 to 39 with a half of ones


def test_averages_of_a_small_segment_are_left_out(left):
    small = [{"customer_id": f"s{n}", "segment_code": "lost", "total_spend": 5} for n in range(9)]
    large = [{"customer_id": f"l{n}", "segment_code": "loyal", "total_spend": 5} for n in range(10)]
    left.put(RFM, *small, *large)
    left.put(CHURN_RISK, *({"customer_id": row["customer_id"], "churn_risk_score": 40} for row in large))

    profile = left.profile()
    loyal, lost = profile["segments"]

    assert (loyal["segment_name"], loyal["avg_churn_risk_score"], loyal["total_spend"]) == (
        "Loyal Customers",
        40.0,
        50.0,
    )
    assert (lost["customers"], lost["total_spend"], lost["avg_order_count"]) == (9, None, None)
    scored, unscored = charts.segments(profile)["data"]
    assert (list(scored["y"]), list(scored["marker"]["color"])) == (["Loyal Customers"], [40.0])
    assert (list(unscored["y"]), unscored["marker"]["color"]) == (["Lost"], charts.GREY)


def test_what_was_not_run_is_reported_and_the_rest_is_shown(left):
    left.put(CUSTOMER_SUMMARY, {"customer_id": "a", "age_days": 30})

    profile = left.profile()

    lacking = {item["what"] for item in profile["not_computed"]}
    assert lacking >= {
        "transactions",
        "rfm",
        "customer_features",
        "churn_training",
        "model churn",
        "model ltv",
    }
    assert profile["described"] == "customer_summary"
    assert profile["target"] is None


def test_no_customer_and_no_contact_detail_reaches_the_page_or_the_json(left, tmp_path):
    left.put(CUSTOMERS, CANARY)
    mine = {"customer_id": CANARY["customer_id"]}
    left.put(TRANSACTIONS, {**mine, "transaction_id": "canary-4711-order", "kind": "sale"}, month=FEBRUARY)
    left.put(
        rejected_of(CUSTOMERS),
        {"reason": "bad_date", "row_number": 1, "source_row": json.dumps(CANARY, default=str)},
    )
    for dataset in (CUSTOMER_DAYS, CUSTOMER_SUMMARY, RFM, CUSTOMER_FEATURES, CHURN_TRAINING, CHURN_RISK):
        left.put(dataset, mine)

    written = write(left.profile(), tmp_path / "out")

    for path in (written.html, written.json):
        text = path.read_text(encoding="utf-8").casefold()
        assert not [value for value in CANARY.values() if str(value).casefold() in text]


def test_the_page_loads_nothing_and_sends_nothing(left, tmp_path):
    left.put(CUSTOMER_SUMMARY, {"customer_id": "a"})

    html = write(left.profile(), tmp_path).html.read_text(encoding="utf-8")

    markup = re.sub(r"<script.*?</script>", "", html, flags=re.S)
    assert not re.findall(r"""(?:src|href|action)\s*=\s*(?!["']?#)|url\(|@import""", markup)
    assert "default-src 'none'" in markup
    assert "showSendToCloud: false" in html


def test_a_page_and_its_json_name_the_version(left, tmp_path):
    left.put(CUSTOMER_SUMMARY, {"customer_id": "a"})

    written = write(left.profile(), tmp_path)

    assert f"Made by Firmament {__version__} " in written.html.read_text(encoding="utf-8")
    assert json.loads(written.json.read_text())["version"] == __version__


def test_a_text_of_the_firm_cannot_become_markup(left, tmp_path):
    left.put(CUSTOMER_SUMMARY, {"customer_id": "a"})
    profile = left.profile()
    profile["features"][0]["about"] = "</script><img src=x>"

    html = write(profile, tmp_path).html.read_text(encoding="utf-8")

    assert "<b>& Sons" not in html
    assert "</script><img" not in html
    carried = re.search(r'id="report">(.*?)</script>', html, re.S)
    assert json.loads(carried.group(1))["features"][0]["about"] == "</script><img src=x>"


def test_the_same_handoffs_give_the_same_page(left, tmp_path):
    left.put(CUSTOMER_FEATURES, *({"customer_id": f"c{n}", "age_days": n % 17} for n in range(300)))

    first = write(left.profile(), tmp_path / "first")
    second = write(left.profile(), tmp_path / "second")

    assert first.html.read_bytes() == second.html.read_bytes()
    assert first.json.read_bytes() == second.json.read_bytes()
