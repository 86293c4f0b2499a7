"""Odoo's orders and credit notes become sales and returns."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from include.datasets.extracted import CUSTOMERS, TRANSACTIONS
from include.sources import BATCH_ROWS, SourceError
from tests.sources.conftest import AS_OF, everything, month, reasons, usable
from tests.sources.odoo import LINE, LINK, NOTE, NOTE_LINE, ORDER, PARTNER


def test_a_confirmed_line_is_canonical_untaxed_and_in_the_companys_currency(odoo):
    odoo.run(
        ORDER + "(1, 'S1', 1, 10, 'sale', '2026-11-03 22:30', 1.25)",
        LINE + "(7, 1, 5, 2, 90.00, 10, null, false)",
    )

    (row,) = everything(odoo.source(), TRANSACTIONS)

    assert row == {
        "transaction_id": "sale.order,1",
        "line_id": "7",
        "kind": "sale",
        "occurred_at": datetime(2026, 11, 3, 22, 30, tzinfo=UTC),
        "order_date": date(2026, 11, 4),
        "customer_id": "10",
        "product_id": "5",
        "quantity": Decimal(2),
        "gross_amount": Decimal(80),
        "discount_amount": Decimal(8),
        "net_amount": Decimal(72),
        "margin_amount": None,
        "channel": "sales",
        "payment_method": None,
        "programme_id": None,
        "rejected_reason": None,
        "source_row": None,
    }


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ("sale", [None]),
        ("done", [None]),
        ("cancel", ["cancelled_order"]),
        ("draft", []),
        ("sent", []),
    ],
)
def test_an_orders_state_decides(odoo, state, found):
    odoo.run(
        ORDER + f"(1, 'S1', 1, 10, '{state}', '2026-11-03', null)",
        LINE + "(7, 1, 5, 1, 5, 0, null, null)",
    )

    assert [row["rejected_reason"] for row in everything(odoo.source(), TRANSACTIONS)] == found


@pytest.mark.parametrize("rate", ["null", "0", "1"])
def test_an_empty_currency_rate_counts_as_one(odoo, rate):
    odoo.run(
        ORDER + f"(1, 'S1', 1, 10, 'sale', '2026-11-03', {rate})",
        LINE + "(7, 1, 5, 1, 90071992547409.9301, 0, null, null)",
    )

    (row,) = everything(odoo.source(), TRANSACTIONS)

    assert row["net_amount"] == Decimal("90071992547409.9301")


def test_sections_notes_and_down_payments_are_not_sales(odoo):
    odoo.run(
        ORDER + "(1, 'S1', 1, 10, 'sale', '2026-11-03', 1)",
        LINE + "(7, 1, null, 0, 0, 0, 'line_section', null), (8, 1, null, 0, 0, 0, 'line_note', null),"
        " (9, 1, null, 0, 0, 0, 'line_subsection', null), (10, 1, 6, 0, 0, 0, null, true),"
        " (11, 1, 5, 1, 5, 0, null, false)",
    )

    rows = everything(odoo.source(), TRANSACTIONS)

    assert [row["line_id"] for row in usable(rows)] == ["11"]
    assert reasons(rows) == ["down_payment"]


def test_a_line_of_negative_price_is_a_discount_spread_to_the_last_fraction(odoo):
    odoo.run(
        ORDER + "(1, 'S1', 1, 10, 'sale', '2026-11-03', 1), (2, 'S2', 1, 10, 'sale', '2026-11-03', 1)",
        LINE + "(7, 1, 5, 1, 10, 0, null, null), (8, 1, 5, 1, 10, 0, null, null),"
        " (9, 1, 5, 1, 10, 0, null, null), (10, 1, 6, 1, -10, 0, null, null),"
        " (11, 2, 5, 1, 4, 0, null, null)",
    )

    rows = everything(odoo.source(), TRANSACTIONS)

    assert {row["line_id"]: row["discount_amount"] for row in rows} == {
        "7": Decimal("3.3333"),
        "8": Decimal("3.3334"),
        "9": Decimal("3.3333"),
        "11": Decimal(0),
    }
    assert sum(row["net_amount"] for row in rows) == 24


def test_an_order_with_a_negative_total_is_rejected(odoo):
    odoo.run(
        ORDER + "(1, 'S1', 1, 10, 'sale', '2026-11-03', 1), (2, 'S2', 1, 10, 'sale', '2026-11-03', 1)",
        LINE + "(7, 1, 5, 1, 10, 0, null, null), (8, 1, 6, 1, -11, 0, null, null),"
        " (9, 2, 6, 1, -1, 0, null, null)",
    )

    assert reasons(everything(odoo.source(), TRANSACTIONS)) == ["discount_over_gross"] * 3


def test_a_line_of_negative_quantity_is_a_return(odoo):
    odoo.run(
        ORDER + "(1, 'S1', 1, 10, 'sale', '2026-11-03', 1)",
        LINE + "(7, 1, 5, 3, 30, 0, null, null), (8, 1, 5, -1, -10, 0, null, null)",
    )

    rows = {row["line_id"]: row for row in everything(odoo.source(), TRANSACTIONS)}

    assert (rows["7"]["kind"], rows["7"]["net_amount"]) == ("sale", 30)
    assert (rows["8"]["kind"], rows["8"]["quantity"], rows["8"]["net_amount"]) == ("return", 1, 10)


def test_a_posted_credit_note_is_a_return_on_its_own_day(odoo):
    odoo.run(
        ORDER + "(1, 'S1', 1, 10, 'sale', '2026-09-03', 1.25)",
        LINE + "(7, 1, 5, 2, 100, 0, null, null)",
        NOTE + "(20, 1, 10, 'out_refund', 'posted', '2026-11-05', null),"
        " (21, 1, 10, 'out_refund', 'draft', null, null),"
        " (22, 1, 10, 'out_refund', 'cancel', '2026-11-05', null),"
        " (23, 1, 10, 'in_refund', 'posted', '2026-11-05', null),"
        " (24, 1, 10, 'out_invoice', 'posted', '2026-11-05', null)",
        NOTE_LINE + "(30, 20, 5, 1, 40, 'product'), (31, 20, null, 0, 8, 'tax'),"
        " (32, 20, null, 0, -48, 'payment_term'), (33, 21, 5, 1, 40, 'product'),"
        " (34, 22, 5, 1, 40, 'product'), (35, 23, 5, 1, -40, 'product'), (36, 24, 5, 1, -40, 'product')",
        LINK + "(7, 30), (7, 36)",
    )

    _, row = everything(odoo.source(), TRANSACTIONS)

    assert (row["transaction_id"], row["line_id"], row["kind"]) == ("account.move,20", "30", "return")
    assert (row["order_date"], row["occurred_at"]) == (
        date(2026, 11, 5),
        datetime(2026, 11, 4, 21, tzinfo=UTC),
    )
    assert (row["quantity"], row["net_amount"], row["rejected_reason"]) == (1, 40, None)


@pytest.mark.parametrize(
    ("state", "quantity", "is_downpayment", "reason"),
    [
        ("sale", 1, "false", None),
        ("cancel", 1, "false", "order_not_counted"),
        ("draft", 1, "false", "order_not_counted"),
        ("sale", 1, "true", "down_payment"),
        ("sale", -1, "false", "counted_with_order"),
    ],
)
def test_a_credit_note_returns_only_counted_lines(odoo, state, quantity, is_downpayment, reason):
    odoo.run(
        ORDER + f"(1, 'S1', 1, 10, '{state}', '2026-09-03', 1)",
        LINE + f"(7, 1, 5, {quantity}, {10 * quantity}, 0, null, {is_downpayment})",
        NOTE + "(20, 1, 10, 'out_refund', 'posted', '2026-11-05', null)",
        NOTE_LINE + "(30, 20, 5, 1, 10, 'product')",
        LINK + "(7, 30)",
    )

    rows = everything(odoo.source(), TRANSACTIONS)
    (note,) = [row for row in rows if row["line_id"] == "30"]

    assert note["rejected_reason"] == reason


def test_a_credit_note_of_an_invoice_without_an_order_is_rejected(odoo):
    odoo.run(
        ORDER + "(1, 'S1', 1, 10, 'sale', '2026-09-03', 1)",
        LINE + "(7, 1, 5, 1, 10, 0, null, null)",
        NOTE + "(18, 1, 10, 'out_invoice', 'posted', '2026-10-05', null),"
        " (19, 1, 10, 'out_invoice', 'posted', '2026-10-05', null),"
        " (20, 1, 10, 'out_refund', 'posted', '2026-11-05', 18),"
        " (21, 1, 10, 'out_refund', 'posted', '2026-11-05', 19),"
        " (22, 1, 10, 'out_refund', 'posted', '2026-11-05', null)",
        NOTE_LINE + "(28, 18, 5, 1, -10, 'product'), (29, 19, 5, 1, -10, 'product'),"
        " (30, 20, 5, 1, 10, 'product'), (31, 21, 5, 1, 10, 'product'), (32, 22, 5, 1, 10, 'product')",
        LINK + "(7, 29)",
    )

    rows = {row["line_id"]: row["rejected_reason"] for row in everything(odoo.source(), TRANSACTIONS)}

    assert rows == {"7": None, "30": "invoice_without_order", "31": None, "32": None}


def test_margin_is_read_where_the_module_keeps_it(odoo):
    odoo.run(
        "alter table sale_order_line add column margin numeric",
        ORDER + "(1, 'S1', 1, 10, 'sale', '2026-11-03', 2)",
        LINE + "(7, 1, 5, 1, 100, 0, null, null), (8, 1, 6, 1, -10, 0, null, null),"
        " (9, 1, 5, -1, -50, 0, null, null)",
        "update sale_order_line set margin = case id when 7 then 40 when 8 then -10 else -20 end",
    )

    rows = {row["line_id"]: row for row in everything(odoo.source(), TRANSACTIONS)}

    assert (rows["7"]["net_amount"], rows["7"]["margin_amount"]) == (45, 15)
    assert (rows["9"]["net_amount"], rows["9"]["margin_amount"]) == (25, 10)


def test_nothing_on_or_after_as_of_is_seen(odoo):
    odoo.run(
        PARTNER + "(11, 'Early', 11, 1, '2026-11-20 20:59:59'), (12, 'Late', 12, 1, '2026-11-20 21:00')",
        ORDER + "(1, 'S1', 1, 10, 'sale', '2026-11-20 20:59:59', 1), (2, 'S2', 1, 12, 'sale',"
        " '2026-11-20 21:00', 1)",
        LINE + "(7, 1, 5, 1, 5, 0, null, null), (8, 2, 5, 1, 5, 0, null, null)",
        NOTE + "(20, 1, 10, 'out_refund', 'posted', '2026-11-20', null),"
        " (21, 1, 10, 'out_refund', 'posted', '2026-11-21', null)",
        NOTE_LINE + "(30, 20, 5, 1, 1, 'product'), (31, 21, 5, 1, 1, 'product')",
    )
    source = odoo.source()

    assert {row["line_id"] for row in everything(source, TRANSACTIONS)} == {"7", "30"}
    assert {row["customer_id"] for row in everything(source, CUSTOMERS)} == {"10", "11"}


def test_months_share_no_row_and_lose_none(odoo):
    hours = "generate_series(timestamp '2026-03-25', '2026-04-03', interval '15 minutes') with ordinality"
    odoo.run(
        "insert into sale_order (id, name, company_id, partner_id, state, date_order)"
        f" select n, n::text, 1, 10, 'sale', at from {hours} as t (at, n)",
        "insert into sale_order_line (id, order_id, product_uom_qty, price_subtotal)"
        " select id, id, 1, 1 from sale_order",
    )

    rows = everything(odoo.source("Europe/London"), TRANSACTIONS)

    assert len(rows) == len({row["transaction_id"] for row in rows}) == 9 * 96 + 1
    assert sum(row["order_date"] == date(2026, 3, 29) for row in rows) == 23 * 4


def test_orders_without_a_usable_date_are_counted_once(odoo):
    odoo.run(
        ORDER + "(1, 'S1', 1, 10, 'sale', '2026-09-03', 1), (2, 'S2', 1, 10, 'sale', null, 1),"
        " (3, 'S3', 1, 10, 'sale', '1980-01-01', 1)",
        LINE
        + "(7, 1, 5, 1, 5, 0, null, null), (8, 2, 5, 1, 5, 0, null, null), (9, 3, 5, 1, 5, 0, null, null)",
    )

    rows = everything(odoo.source(), TRANSACTIONS)

    assert reasons(rows) == ["bad_date"] * 2
    assert json.loads(rows[-1]["source_row"])["transaction_id"] in ("sale.order,2", "sale.order,3")


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        ("null, 5, 0", "missing_number"),
        ("1, null, 0", "missing_number"),
        ("'NaN', 5, 0", "bad_number"),
        ("1, 'NaN', 0", "bad_number"),
        ("1, 1e14, 0", "bad_number"),
        ("1, 5, 'NaN'", "bad_number"),
    ],
)
def test_a_number_that_cannot_be_used_is_rejected_with_its_reason(odoo, numbers, reason):
    odoo.run(
        ORDER + "(1, 'S1', 1, 10, 'sale', '2026-11-03', 1)",
        LINE + f"(7, 1, 5, {numbers}, null, null), (8, 1, 5, 1, 5, 0, null, null)",
    )

    rows = everything(odoo.source(), TRANSACTIONS)

    assert reasons(rows) == [reason]
    assert [row["net_amount"] for row in usable(rows)] == [5]


def test_one_company_is_read_and_the_currency_must_be_its_own(odoo):
    odoo.run(
        "insert into res_company values (2, 'Acme BV', 2)",
        ORDER + "(1, 'S1', 1, 10, 'sale', '2026-11-03', 1), (2, 'S2', 2, 10, 'sale', '2026-11-03', 1)",
        LINE + "(7, 1, 5, 1, 5, 0, null, null), (8, 2, 5, 1, 5, 0, null, null)",
    )

    assert [row["line_id"] for row in everything(odoo.source(company="Acme"), TRANSACTIONS)] == ["7"]
    assert [row["line_id"] for row in everything(odoo.source(company="1"), TRANSACTIONS)] == ["7"]
    with pytest.raises(SourceError, match=r"must name the firm's company; .*\{1: 'Acme', 2: 'Acme BV'\}"):
        odoo.source().first_month(TRANSACTIONS)
    with pytest.raises(SourceError, match=r"keeps its books in EUR, but the firm's row has GBP"):
        odoo.source(company="2").first_month(TRANSACTIONS)
    with pytest.raises(SourceError, match=r"unknown options \['firm'\]"):
        odoo.source(firm="1")


def test_an_empty_database_is_no_error_and_a_missing_table_is(odoo):
    assert odoo.source().first_month(TRANSACTIONS) is None
    odoo.run("drop table sale_order_line_invoice_rel")

    with pytest.raises(SourceError, match=r"missing tables \['sale_order_line_invoice_rel'\]; see .*'odoo'"):
        odoo.source().first_month(TRANSACTIONS)


def test_batches_are_bounded(odoo):
    odoo.run(
        ORDER + "(1, 'S1', 1, 10, 'sale', '2026-11-03', 1)",
        "insert into sale_order_line (id, order_id, product_uom_qty, price_subtotal)"
        f" select n, 1, 1, 1 from generate_series(1, {256 + 4096 + BATCH_ROWS + 10}) as n",
    )

    batches = list(odoo.source().extract(TRANSACTIONS, month=month("2026-11"), as_of=AS_OF))

    assert [batch.num_rows for batch in batches] == [256, 4096, BATCH_ROWS, 10]
