"""Headers in many languages are understood by the words they are made of."""

import pytest

from include.intake import inspect
from include.intake.concepts import role_of

ROLES = {
    "Bestelldatum": "occurred_at", "Datum objednávky": "occurred_at", "Rendelés dátuma": "occurred_at",
    "Data comenzii": "occurred_at", "order_dt": "occurred_at", "Código do cliente": "customer_id",
    "Číslo zákazníka": "customer_id", "Vevőkód": "customer_id", "Κωδικός πελάτη": "customer_id",
    "dim_customer_id": "customer_id", "CustID": "customer_id", "Müşteri Adı Soyadı": "customer_name",
    "Auftragsreferenz": "transaction_id", "Αριθμός παραγγελίας": "transaction_id",
    "Belegnr.": "transaction_id",
    "Wartość brutto": "net_amount", "Beløb": "net_amount", "Celková cena": "net_amount",
    "Sipariş Toplam Tutarı": "order_amount", "VK-Preis": "unit_price", "P.U. HT": "unit_price",
    "Uds.": "quantity", "Qté": "quantity", "Number of items": "quantity", "Ürün Kodu": "product_id",
}  # fmt: skip
NOT_OURS = (
    "Ship Date", "Last order date", "Total tax", "Discount code", "Order Notes", "unit cost", "Customer Type",
    "Store ID", "Account Manager", "Lieferdatum", "Versandkosten Gesamt", "Order Line ID",
)  # fmt: skip


@pytest.mark.parametrize("header", ROLES)
def test_the_words_of_a_header_give_our_column(header):
    assert role_of(header) == ROLES[header]


@pytest.mark.parametrize("header", NOT_OURS)
def test_a_header_of_something_else_gives_no_column(header):
    assert role_of(header) is None


def test_the_words_of_headers_read_a_file(write):
    path = write(
        "Číslo objednávky;Datum objednávky;Číslo zákazníka;Celková cena\n"
        "7;31.01.2024;K1;1 234,50\n8;01.02.2024;K2;20,00\n",
        encoding="cp1250",
    )

    answer = inspect(path).answer

    assert (answer.outcome, answer.orders, answer.customers) == ("read", 2, 2)
    assert (float(answer.net_amount), answer.last_day.isoformat()) == (1254.5, "2024-02-01")


def test_two_amounts_of_which_none_is_net_are_a_question(write):
    path = write(
        "Order,Date,Client,Amount charged,Wert brutto\n1,2024-01-05,a,10.50,12.50\n2,2024-01-06,b,4,5\n"
    )

    answer = inspect(path).answer

    assert answer.outcome == "asks"
    assert answer.question.code == "no_amount"
