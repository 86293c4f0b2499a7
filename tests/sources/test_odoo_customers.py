"""Odoo's customers, products and points, in every version."""

from datetime import date
from decimal import Decimal

import pytest

from include.datasets.extracted import CUSTOMERS, LOYALTY_MOVEMENTS, PRODUCTS, TRANSACTIONS
from tests.sources.conftest import everything, reasons, usable
from tests.sources.odoo import LINE, ORDER, PARTNER


def test_contacts_of_a_company_are_the_company(odoo):
    odoo.run(
        PARTNER + "(11, 'Firm', 11, 0, '2026-01-01'), (12, 'Clerk', 11, 0, '2026-01-01'),"
        " (13, 'Supplier', 13, 0, '2026-01-01'), (14, 'Office', 11, 2, '2026-01-01')",
        ORDER + "(1, 'S1', 1, 12, 'sale', '2026-11-03', 1), (2, 'S2', 1, 11, 'sale', '2026-11-03', 1)",
        LINE + "(7, 1, 5, 1, 5, 0, null, null), (8, 2, 5, 1, 5, 0, null, null)",
    )
    source = odoo.source()

    assert {row["customer_id"] for row in everything(source, TRANSACTIONS)} == {"11"}
    assert {row["customer_id"]: row["full_name"] for row in everything(source, CUSTOMERS)} == {
        "10": "Ann",
        "11": "Firm",
    }


def test_an_order_of_the_websites_public_user_has_no_customer(odoo):
    odoo.run(
        "alter table sale_order add column website_id integer",
        ORDER + "(1, 'S1', 1, 3, 'sale', '2026-11-03', 1)",
        LINE + "(7, 1, 5, 1, 5, 0, null, null)",
        "update sale_order set website_id = 1",
    )
    source = odoo.source()

    (row,) = everything(source, TRANSACTIONS)

    assert (row["customer_id"], row["channel"]) == (None, "web")
    assert [row["customer_id"] for row in everything(source, CUSTOMERS)] == ["10"]


@pytest.mark.parametrize(
    "version",
    [
        ["alter table res_partner add column mobile varchar", "update res_partner set mobile = '07'"],
        [
            "alter table res_partner add column email_normalized varchar",
            "update res_partner set phone = '07', email_normalized = 'ann@example.com'",
        ],
    ],
    ids=["16 to 18, mobile apart", "19, no mobile"],
)
def test_a_customer_of_any_version_has_a_telephone_and_an_address(odoo, version):
    odoo.run(
        "update res_partner set email = 'ann@example.com', city = 'York', country_id = 1 where id = 10",
        *version,
    )

    (row,) = everything(odoo.source(), CUSTOMERS)

    assert (row["full_name"], row["email"], row["phone"]) == ("Ann", "ann@example.com", "07")
    assert (row["city"], row["country"], row["joined_date"]) == ("York", "GB", date(2026, 1, 6))


def test_products_are_named_in_the_firms_language(odoo):
    odoo.run(
        "insert into product_category values (1, 'Drinks', 'Food / Drinks')",
        """insert into product_template values (1, '{"en_US": "Tea", "tr_TR": "Çay"}', 1, false)""",
        "insert into product_product values (5, 1, false)",
    )

    (row,) = everything(odoo.source(), PRODUCTS)
    odoo.run("alter table product_template alter column name type varchar using name ->> 'tr_TR'")
    (older,) = everything(odoo.source(), PRODUCTS)

    assert (row["product_id"], row["product_name"]) == ("5", "Tea")
    assert (row["department"], row["category"], row["unit_cost"]) == ("Food", "Drinks", None)
    assert older["product_name"] == "Çay"


def test_points_are_read_where_the_version_keeps_their_history(odoo):
    before = odoo.source().offers(LOYALTY_MOVEMENTS)
    odoo.run(
        "create table loyalty_card (id integer, program_id integer, partner_id integer, company_id integer)",
        "create table loyalty_history (id integer, card_id integer, issued float8, used float8,"
        " order_model varchar, order_id integer, create_date timestamp)",
        "insert into loyalty_card values (1, 4, 10, null), (2, 4, null, 1), (3, 4, 10, 2)",
        "insert into loyalty_history values (1, 1, 10.5, null, 'sale.order', 1, '2026-10-31 21:30'),"
        " (2, 2, 1, 0, null, null, '2026-11-03'), (3, 3, 1, 0, null, null, '2026-11-03'),"
        " (4, 1, -1, 0, null, null, '2026-11-03'), (5, 1, 'NaN', 0, null, null, '2026-11-03'),"
        " (6, 1, 1, 0, null, null, null)",
    )
    source = odoo.source()

    rows = everything(source, LOYALTY_MOVEMENTS)

    assert (before, source.offers(LOYALTY_MOVEMENTS)) == (False, True)
    (row,) = usable(rows)
    assert (row["movement_id"], row["transaction_id"], row["order_date"]) == (
        "1",
        "sale.order,1",
        date(2026, 11, 1),
    )
    assert (row["points_earned"], row["points_used"], row["programme_id"]) == (Decimal("10.5"), 0, "4")
    assert reasons(rows) == ["bad_date", "bad_number", "missing_customer", "negative_points"]
