"""Whether a customer may be contacted, as each kind of source says it; null where it says nothing."""

import pytest

from include.datasets.extracted import CUSTOMERS
from include.sources import open_source
from tests.sources.conftest import everything
from tests.sources.test_auto import AS_OF, Drop
from tests.sources.test_auto import firm_in as auto_firm

HEAD = "transaction_id,occurred_at,customer_id,net_amount,"


def consents(source):
    return {row["customer_id"]: row["may_contact"] for row in everything(source, CUSTOMERS)}


@pytest.fixture
def files(tmp_path):
    """A folder of files that layout auto reads."""
    return Drop(tmp_path)


def read_auto(files):
    firm = auto_firm(files.folder, forms=files.forms)
    source = open_source(firm, str, scratch=files.home / "scratch")
    batches = source.extract(CUSTOMERS, month=None, as_of=AS_OF)
    return {row["customer_id"]: row["may_contact"] for batch in batches for row in batch.to_pylist()}


@pytest.mark.parametrize(
    ("written", "expected"),
    [("yes", True), ("No", False), (" TRUE ", True), ("0", False), ("Unsubscribed", False), ("evet", True),
     ("Hayır", False), ("pending", None), ("", None)],
)  # fmt: skip
def test_words_of_a_file_are_read_as_consent(drop, written, expected):
    drop.write("sales.csv", HEAD + f"may_contact\n1,2026-11-03,a,5,{written}\n")

    assert consents(drop.source("mapped")) == {"a": expected}


def test_the_last_answer_counts_and_of_one_instant_the_refusal(drop):
    drop.write(
        "sales.csv",
        HEAD + "may_contact\n1,2026-11-03,a,5,no\n2,2026-11-05,a,5,yes\n3,2026-11-06,a,5,\n"
        "4,2026-11-03,b,5,yes\n5,2026-11-03,b,5,no\n6,2026-11-25,a,5,no\n",
    )

    assert consents(drop.source("mapped")) == {"a": True, "b": False}


def test_a_column_of_refusals_is_read_the_other_way_round_and_wins(drop):
    drop.write(
        "sales.csv",
        HEAD + "may_contact,do_not_contact\n1,2026-11-03,a,5,,yes\n2,2026-11-03,b,5,,no\n"
        "3,2026-11-03,c,5,yes,yes\n",
    )

    assert consents(drop.source("mapped")) == {"a": False, "b": True, "c": False}


@pytest.mark.parametrize("layout", ["cdnow", "mapped"])
def test_a_file_without_such_a_column_says_nothing(drop, layout):
    head = {"cdnow": "customer_id,date,cds,spend\na,20261103,1,5\n"}
    drop.write("sales.csv", head.get(layout, HEAD + "x\n1,2026-11-03,a,5,\n"))

    assert consents(drop.source(layout)) == {"a": None}


@pytest.mark.parametrize(
    "name",
    [
        "Accepts Marketing",
        "Accepts Email Marketing",
        "Email Marketing Status",
        "Newsletter",
        "Pazarlama izni",
    ],
)
def test_names_of_platforms_are_understood(files, name):
    files.write(
        "orders.csv",
        f"order id,order date,customer id,total,{name}\n1,2025-11-03,a,5,no\n2,2025-11-03,b,5,yes\n",
    )
    files.add()

    assert files.forms[0].columns["may_contact"] == name
    assert read_auto(files) == {"a": False, "b": True}


def test_shopifys_order_has_its_consent_on_the_first_line_only(files):
    files.write(
        "orders.csv",
        "Name,Email,Financial Status,Paid at,Accepts Marketing,Currency,Subtotal,Shipping,Taxes,Total,"
        "Created at,Lineitem quantity,Lineitem name,Lineitem price,Refunded Amount\n"
        "#1,a@x.com,paid,2025-03-05,yes,EUR,25.50,0.00,0.00,25.50,2025-03-05 09:30:00 +0300,2,A,10.00,0.00\n"
        "#1,a@x.com,,,,,,,,,2025-03-05 09:30:00 +0300,1,B,5.50,\n"
        "#2,b@x.com,paid,2025-03-06,no,EUR,10.00,0.00,0.00,10.00,2025-03-06 09:30:00 +0300,1,A,10.00,0.00\n",
    )
    files.add()

    assert files.forms[0].platform == "shopify_orders"
    assert read_auto(files) == {"a@x.com": True, "b@x.com": False}


def test_a_column_that_says_unsubscribed_is_a_refusal(files):
    files.write(
        "orders.csv",
        "order id,order date,customer id,total,Unsubscribed\n1,2025-11-03,a,5,true\n2,2025-11-03,b,5,false\n",
    )
    files.add()

    assert read_auto(files) == {"a": False, "b": True}


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [("boolean", "true", True), ("boolean", "false", False), ("boolean", "null", None),
     ("text", "'Yes'", True), ("text", "'n'", False), ("text", "'maybe'", None),
     ("integer", "1", True), ("integer", "0", False)],
)  # fmt: skip
def test_a_shop_has_a_column_of_any_type(shop, kind, values, expected):
    shop.create()
    shop.run(
        "alter table customers drop column may_contact",
        f"alter table customers add column may_contact {kind}",
        f"insert into customers (customer_id, may_contact) values ('a', {values})",
    )

    assert consents(shop.source()) == {"a": expected}


def test_a_shop_without_the_column_says_nothing(shop):
    shop.create()
    shop.run(
        "alter table customers drop column may_contact", "insert into customers (customer_id) values ('a')"
    )

    assert consents(shop.source()) == {"a": None}


def test_an_address_on_odoos_blacklist_may_not_be_contacted(odoo):
    odoo.run("update res_partner set email = 'Ann@Example.com' where id = 10")
    unknown = consents(odoo.source())
    odoo.run(
        "create table mail_blacklist (id integer, email varchar, active boolean)",
        "insert into mail_blacklist values (1, 'ann@example.com', false)",
    )
    removed = consents(odoo.source())
    odoo.run("update mail_blacklist set active = true")

    assert (unknown, removed, consents(odoo.source())) == ({"10": None}, {"10": None}, {"10": False})
