"""Both implementations of ``Records`` give the same answers."""

from datetime import date

import pytest

from include.periods import Month
from include.run.in_memory_records import InMemoryRecords, NoWarehouse
from include.run.records import Records
from include.slices import Slice
from include.warehouse import Warehouse
from include.warehouse.slices import Recorded, Written

AS_OF = date(2026, 11, 21)
OCTOBER, NOVEMBER = Slice(Month(2026, 10)), Slice(Month(2026, 11))
ANCHOR = date(2026, 10, 1)
CANDIDATE = {
    "contender_anchor": ANCHOR, "model_version": "v1", "method": "rules", "is_scoring": True, "error": None,
    "error_name": "log_loss", "margin": 0.0, "cutoff": None, "reason": "it has no predecessor",
}  # fmt: skip


@pytest.fixture(params=["in memory", "in Postgres"])
def records(request) -> Records:
    if request.param == "in memory":
        yield InMemoryRecords()
        return
    with Warehouse(request.getfixturevalue("migrated_dsn")) as warehouse:
        yield warehouse.records


def written(part: Slice, token: int, rows: int) -> Written:
    return Written(part, AS_OF, token, rows, f"sha {token}", "contract")


def test_a_month_is_in_the_ledger_with_its_manifest_and_counts(records):
    slices = records.slices
    slices.begin("acme", "transactions", NOVEMBER, AS_OF, 1, 10)
    slices.record("acme", "transactions", [written(NOVEMBER, 1, 9)])
    slices.begin("acme", "transactions", NOVEMBER, AS_OF, 2, 12)
    slices.record("acme", "transactions", [written(NOVEMBER, 2, 11)])
    slices.begin("zeta", "transactions", OCTOBER, AS_OF, 2, 1)

    slices.record_comparison("acme", "transactions", AS_OF, {NOVEMBER: (12, 13)})
    found = slices.of("acme", "transactions")

    assert found == [Recorded(NOVEMBER, AS_OF, 2, written(NOVEMBER, 2, 11), 12, AS_OF, 13)]


def test_while_a_month_is_being_replaced_the_ledger_knows_no_manifest_of_it(records):
    records.slices.record("acme", "transactions", [written(NOVEMBER, 1, 9), written(OCTOBER, 1, 7)])

    records.slices.begin("acme", "transactions", NOVEMBER, AS_OF, 3, 12)
    records.slices.record("acme", "transactions", [written(NOVEMBER, 2, 11)])
    october, november = records.slices.of("acme", "transactions")

    assert (october.written, october.source_rows) == (written(OCTOBER, 1, 7), None)
    assert (november.written, november.token, november.source_rows) == (None, 3, 12)


def test_a_promotion_result_is_read_back(records):
    before = records.models.promotion_result("acme", "churn", ANCHOR)

    records.models.record_promotion_result("acme", "churn", ANCHOR, [CANDIDATE])
    (row,) = records.models.promotion_result("acme", "churn", ANCHOR)

    assert before == []
    assert (row["contender_anchor"], row["model_version"], row["is_scoring"]) == (ANCHOR, "v1", True)
    assert records.models.decision("acme", "churn", as_of=AS_OF, anchor=ANCHOR) is None


def test_a_firm_without_a_past_has_no_history_no_passed_slice_and_no_erased_customer(records):
    records.quality.record_rejections("acme", "transactions", "2026-11", AS_OF, 1, [])
    records.set_module_status("acme", AS_OF, "rfm", True, "20 customers")

    assert records.quality.history("acme", "transactions") == []
    assert records.quality.passed("acme", "transactions") == set()
    assert records.erased("acme") is None


def test_a_load_without_a_warehouse_is_refused():
    with pytest.raises(TypeError, match="load_dim_product: there is no warehouse to load dim_product into"):
        NoWarehouse().load(
            "dim_product",
            firm_key="a",
            as_of=AS_OF,
            dataset=None,
            slices=(),
            token=1,
            step="load_dim_product",
        )
