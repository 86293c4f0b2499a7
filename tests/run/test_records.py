"""Both implementations of ``Records`` give the same answers."""

from datetime import date

import pytest

from include.run.in_memory_records import InMemoryRecords, NoWarehouse
from include.run.records import Records
from include.warehouse import Warehouse

AS_OF = date(2026, 11, 21)
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


def test_an_extracted_month_is_counted_once_and_compared(records):
    records.readings.record("acme", "transactions", "2026-11", AS_OF, 1, 10)
    records.readings.record("acme", "transactions", "2026-11", AS_OF, 2, 12)
    records.readings.record("acme", "transactions", "2026-10", AS_OF, 2, 7)
    records.readings.record("zeta", "transactions", "2026-10", AS_OF, 2, 1)

    records.readings.record_comparison("acme", "transactions", AS_OF, {"2026-11": (12, 13)})
    found = records.readings.of("acme", "transactions")

    assert [(row["slice"], row["row_count"], row["source_row_count"]) for row in found] == [
        ("2026-10", 7, None),
        ("2026-11", 12, 13),
    ]
    assert [row["compared_as_of"] for row in found] == [None, AS_OF]


def test_a_promotion_result_is_read_back(records):
    before = records.models.verdict("acme", "churn", ANCHOR)

    records.models.record_verdict("acme", "churn", ANCHOR, [CANDIDATE])
    (row,) = records.models.verdict("acme", "churn", ANCHOR)

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
