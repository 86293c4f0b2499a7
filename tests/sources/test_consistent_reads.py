"""A source that changes during a step: all reads of a dataset see one state, if the kind supports it."""

from __future__ import annotations

import pytest

from include.datasets.extracted import CUSTOMERS, TRANSACTIONS
from include.periods import Month
from include.sources import Source, consistent_reads
from tests.sources.conftest import AS_OF, month

OCTOBER, NOVEMBER = month("2026-10"), month("2026-11")


def ids(source: Source, one: Month) -> list[str]:
    batches = source.extract(TRANSACTIONS, month=one, as_of=AS_OF)
    return sorted(key for batch in batches for key in batch.column("transaction_id").to_pylist())


@pytest.fixture
def two_months(shop):
    shop.create()
    shop.run(
        "insert into orders (order_id, ordered_at)"
        " values ('october', '2026-10-05Z'), ('moved', '2026-11-05Z')",
        "insert into order_lines (order_id, line_no, quantity, gross_amount)"
        " values ('october', '1', 1, 5), ('moved', '1', 1, 5)",
    )
    return shop


MOVE = "update orders set ordered_at = '2026-10-06Z' where order_id = 'moved'"


def test_an_order_moved_between_months_during_a_read_occurs_once(two_months):
    source = two_months.source()
    with consistent_reads(source):
        october = ids(source, OCTOBER)
        two_months.run(MOVE)
        november = ids(source, NOVEMBER)
        counted = source.counts(TRANSACTIONS, {OCTOBER: AS_OF, NOVEMBER: AS_OF})

    assert (october, november) == (["october"], ["moved"])
    assert counted == {OCTOBER: 1, NOVEMBER: 1}
    assert ids(source, OCTOBER) == ["moved", "october"]
    assert ids(source, NOVEMBER) == []


def test_a_server_that_ends_idle_sessions_does_not_end_the_snapshot(two_months):
    mark = "&" if "?" in two_months.dsn else "?"
    impatient = f"{two_months.dsn}{mark}options=-c%20idle_in_transaction_session_timeout%3D300"
    source = two_months.source(dsn=impatient)
    with consistent_reads(source):
        october = ids(source, OCTOBER)
        two_months.run("select pg_sleep(0.6)", MOVE)
        november = ids(source, NOVEMBER)

    assert (october, november) == (["october"], ["moved"])


def test_a_file_added_during_a_read_is_left_for_the_next_run(drop):
    header = "transaction_id,occurred_at,customer_id,net_amount\n"
    drop.write("sales.csv", header + "october,2026-10-05,a,5\nmoved,2026-11-05,a,5\n")
    source = drop.source("mapped")
    with consistent_reads(source):
        october = ids(source, OCTOBER)
        drop.write("sales.csv", header + "october,2026-10-05,a,5\nmoved,2026-10-06,a,5\n")
        november = ids(source, NOVEMBER)
        customers = list(source.extract(CUSTOMERS, month=None, as_of=AS_OF))

    assert (october, november) == (["october"], ["moved"])
    assert [batch.num_rows for batch in customers] == [1]
    assert ids(source, OCTOBER) == ["moved", "october"]
