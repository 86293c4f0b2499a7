"""Tokens, outcomes, gate results and rejections, as runs leave them."""

import threading
from datetime import date, timedelta
from decimal import Decimal

import pytest

from include.warehouse import Fenced, Warehouse, WarehouseError
from tests.warehouse.shop import sale

AS_OF = date(2026, 11, 21)


def result(**more) -> dict:
    return {
        "dataset": "transactions",
        "slice": "2026-11",
        "sha256": "abc",
        "expectation": "not null",
        "column": "net_amount",
        "is_critical": True,
        "passed": True,
        "observed": "0",
        "expected": "0",
        "samples": [],
    } | more


def test_a_later_token_is_higher_even_when_many_draw_at_once(shop):
    drawn = [[] for _ in range(4)]

    def draw(mine):
        with Warehouse(shop.dsn) as warehouse:
            mine.extend(warehouse.runs.draw_token("acme", "rfm", "2026-11-21") for _ in range(25))

    threads = [threading.Thread(target=draw, args=[mine]) for mine in drawn]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert all(mine == sorted(mine) for mine in drawn)
    assert len({token for mine in drawn for token in mine}) == 100


def test_a_slice_has_passed_when_no_critical_expectation_failed(shop):
    shop.warehouse.records.quality.record(
        "acme", AS_OF, 1,
        [
            result(),
            result(passed=False, is_critical=False),
            result(slice="2026-10", sha256="def", passed=False),
        ],
    )  # fmt: skip

    assert shop.warehouse.records.quality.passed("acme", "transactions") == {("2026-11", "abc")}


def test_a_failure_of_the_whole_dataset_passes_no_slice(shop):
    shop.warehouse.records.quality.record(
        "acme", AS_OF, 1, [result(), result(slice=None, sha256=None, passed=False)]
    )

    assert shop.warehouse.records.quality.passed("acme", "transactions") == set()


def test_the_latest_check_of_the_same_bytes_decides(shop):
    shop.warehouse.records.quality.record("acme", AS_OF, 1, [result(passed=False)])
    shop.warehouse.records.quality.record("acme", date(2026, 11, 22), 2, [result()])

    assert shop.warehouse.records.quality.passed("acme", "transactions") == {("2026-11", "abc")}
    assert shop.warehouse.records.quality.passed("other", "transactions") == set()


def test_a_gate_that_runs_again_replaces_its_results(shop):
    shop.warehouse.records.quality.record("acme", AS_OF, 1, [result(), result(expectation="unique")])

    shop.warehouse.records.quality.record("acme", AS_OF, 2, [result()])

    assert shop.ask("select token, expectation from control.quality") == [(2, "not null")]


def test_samples_of_any_kind_are_kept_as_json(shop):
    samples = [Decimal("1.50"), date(2026, 1, 1), float("nan"), "a\x00b", None, {"x": float("inf")}]

    shop.warehouse.records.quality.record("acme", AS_OF, 1, [result(samples=samples, observed="a\x00b")])

    kept = shop.ask("select samples from control.quality")
    assert kept == [(["1.50", "2026-01-01", "nan", "a\\0b", None, {"x": "inf"}],)]


def test_rejections_of_a_slice_are_replaced(shop):
    first = [{"reason": "no_price", "rows": 3, "net_amount": Decimal("1.5"), "samples": [{"id": 1}]}]
    shop.warehouse.records.quality.record_rejections("acme", "transactions", "2026-11", AS_OF, 1, first)

    shop.warehouse.records.quality.record_rejections(
        "acme", "transactions", "2026-11", AS_OF, 2, [{"reason": "no_date", "rows": 1, "net_amount": None}]
    )

    assert shop.ask("select reason, row_count, token from control.rejections") == [("no_date", 1, 2)]


def test_rejections_of_an_older_attempt_are_fenced(shop):
    shop.warehouse.records.quality.record_rejections(
        "acme", "transactions", "2026-11", AS_OF, 5, [{"reason": "x", "rows": 1}]
    )

    with pytest.raises(Fenced):
        shop.warehouse.records.quality.record_rejections("acme", "transactions", "2026-11", AS_OF, 4, [])

    assert shop.ask("select token from control.rejections") == [(5,)]


def test_history_is_the_volume_of_what_was_loaded(shop):
    shop.sales("2026-10", sale("1", date(2026, 10, 1)), sale("2", date(2026, 10, 2)))
    shop.sales("2026-11")

    found = shop.warehouse.records.quality.history("acme", "transactions")

    assert [(row["slice"], row["rows"], row["as_of"]) for row in found] == [
        ("2026-10", 2, AS_OF),
        ("2026-11", 0, AS_OF),
    ]


def test_history_hands_back_the_profile_that_the_gate_kept_last(shop):
    shop.sales("2026-10", sale("1", date(2026, 10, 1)))
    for token, profile in ((1, '{"days": []}'), (2, '{"days": ["2026-10-01"]}')):
        kept = result(slice="2026-10", expectation="profile", observed=profile)
        shop.warehouse.records.quality.record("acme", AS_OF, token, [kept])

    (row,) = shop.warehouse.records.quality.history("acme", "transactions")

    assert row["profile"] == '{"days": ["2026-10-01"]}'


def test_runs_steps_and_module_status_are_recorded(shop):
    run = shop.warehouse.runs.start_run("acme", AS_OF, {"min_orders": 2}, "v1")
    shop.warehouse.runs.finish_step(
        "acme", AS_OF, "rfm", status="failed", token=7, row_count=10, seconds=1.5, message="bad\x00byte"
    )
    shop.warehouse.records.set_module_status("acme", AS_OF, "rfm", False, "12 customers")
    shop.warehouse.records.set_module_status("acme", AS_OF, "rfm", True, "20 customers")

    assert shop.ask("select run_id, firm_row, code_version from control.runs") == [
        (run, {"min_orders": 2}, "v1")
    ]
    assert shop.ask("select step, status, message from control.step_runs") == [
        ("rfm", "failed", "bad\\0byte")
    ]
    assert shop.ask("select is_sufficient, reason from control.module_status") == [(True, "20 customers")]


def test_steps_of_a_day_are_one_run_until_settings_or_code_change(shop):
    begun = [
        shop.warehouse.runs.start_run("acme", AS_OF, {"min_orders": orders}, code)
        for orders, code in ((1, "v1"), (1, "v1"), (2, "v1"), (2, "v2"), (1, "v1"))
    ]
    other = shop.warehouse.runs.start_run("acme", AS_OF + timedelta(days=1), {"min_orders": 1}, "v1")

    assert begun[0] == begun[1]
    assert begun[1] < begun[2] < begun[3] < begun[4] < other
    assert shop.ask("select firm_row ->> 'min_orders', code_version from control.runs order by run_id") == [
        ("1", "v1"), ("2", "v1"), ("2", "v2"), ("1", "v1"), ("1", "v1"),
    ]  # fmt: skip


def test_an_unreachable_warehouse_says_what_to_do_and_hides_the_password():
    warehouse = Warehouse("postgresql://someone:s3cret@127.0.0.1:1/nowhere")

    with pytest.raises(WarehouseError, match="make up") as caught:
        warehouse.runs.draw_token("acme", "rfm", "x")

    assert "s3cret" not in str(caught.value) + repr(warehouse)
