"""Rows of earlier releases, which named one slice in two ways, are valid under the one name."""

from datetime import date

from include.warehouse import migrate
from tests.warehouse.shop import sale

NOV = date(2026, 11, 3)
AS_OF = date(2026, 11, 21)
SLICES = "select table_name, slice, token from control.loads order by table_name, slice"


def migrate_again(shop) -> None:
    """Apply the migration as an upgrade does: to rows of an earlier release."""
    connection = shop.warehouse.session.connection
    connection.execute("delete from control.migrations where file_name = '025_slice_texts'")
    assert migrate(shop.dsn) == ["025_slice_texts"]


def test_a_slice_loaded_under_its_earlier_name_is_not_loaded_again(shop):
    shop.customers(AS_OF, {"customer_id": "1"}, token=1, sha256="same")
    shop.sales("2026-11", sale("1", NOV), token=2, sha256="same")
    connection = shop.warehouse.session.connection
    connection.execute("update control.loads set slice = 'month=' || slice where slice = '2026-11'")
    connection.execute("update control.loads set slice = 'as_of=' || slice where slice = '2026-11-21'")

    migrate_again(shop)
    again = shop.sales("2026-11", sale("1", NOV), token=3, manifest=2, sha256="same")

    assert again.skipped_slices == 1
    assert shop.ask(SLICES) == [("dim_customer", "2026-11-21", 1), ("fact_sales", "2026-11", 3)]


def test_of_two_names_of_one_slice_the_later_load_stays(shop):
    shop.sales("2026-11", sale("1", NOV), token=2, sha256="old")
    connection = shop.warehouse.session.connection
    connection.execute("update control.loads set slice = 'month=' || slice")
    shop.sales("2026-11", sale("2", NOV), token=5, sha256="new")

    migrate_again(shop)

    assert shop.ask("select slice, manifest_sha256 from control.loads") == [("2026-11", "new")]


def test_what_passed_the_gate_under_its_earlier_name_has_passed(shop):
    passed = {
        "dataset": "transactions", "slice": "month=2026-11", "sha256": "abc", "expectation": "not_null",
        "is_critical": True, "passed": True,
    }  # fmt: skip
    shop.warehouse.records.quality.record("acme", AS_OF, 1, [passed])

    migrate_again(shop)

    assert shop.warehouse.records.quality.passed("acme", "transactions") == {("2026-11", "abc")}


def test_the_ledger_begins_with_the_row_counts_of_earlier_releases(shop):
    connection = shop.warehouse.session.connection
    connection.execute("drop table control.slices")
    later = ["026_slices", "032_slice_amounts"]
    connection.execute("delete from control.migrations where file_name = any(%s)", [later])
    connection.execute(
        "insert into control.readings values "
        "('acme', 'transactions', '2026-10', '2026-11-15', 7, 20, '2026-11-22', 21), "
        "('acme', 'transactions', '2026-11', '2026-11-21', 8, 5, null, null)"
    )

    applied = migrate(shop.dsn)
    found = shop.warehouse.records.slices.of("acme", "transactions")
    late = shop.warehouse.records.slices.late("acme")

    assert applied == later
    assert [
        (str(row.slice), row.token, row.source_rows, row.compared_rows, row.written) for row in found
    ] == [
        ("2026-10", 7, 20, 21, None),
        ("2026-11", 8, 5, None, None),
    ]
    assert late == {"transactions": found[:1]}
