"""What a row counts for: several states, deals, reversals, subtotals, running totals; who a customer is."""

import json
from decimal import Decimal

import pytest

from include.intake import inspect


def read(write, text, name="orders.csv"):
    answer = inspect(write(text, name)).answer
    assert answer.outcome == "read", (answer.question, answer.refusal)
    return answer


@pytest.mark.parametrize(
    ("first", "second"),
    [("Payment Status", "Order Status"), ("Status", "Fulfilment state"), ("Durum", "Sipariş Statüsü")],
)
def test_all_columns_of_states_count(write, first, second):
    rows = "1,2024-05-01,a,10.00,Paid,Completed\n2,2024-05-02,b,8.00,Paid,Cancelled\n"
    rows += "3,2024-05-03,c,4.00,Refunded,Completed\n4,2024-05-04,d,2.00,Paid,Shipped\n"

    answer = read(write, f"Order ID,Order Date,Customer ID,Total,{first},{second}\n{rows}")

    assert (answer.orders, answer.net_amount) == (3, 12)


def test_the_state_of_a_customer_or_a_place_is_not_the_orders(write):
    rows = "1,2024-05-01,a,10.00,Paid,cancelled\n2,2024-05-02,b,8.00,Paid,active\n"

    answer = read(write, f"Order ID,Order Date,Customer ID,Total,Status,Customer Status\n{rows}")

    assert (answer.orders, answer.net_amount) == (2, 18)


def test_only_deals_that_are_won_are_orders(write):
    stages = ["Closed Won", "Closed Lost", "Proposal", "Closed Won", "Needs something else"]
    rows = "".join(f"{n},2024-05-{n:02},c{n},{n}.00,{stage}\n" for n, stage in enumerate(stages, 1))

    answer = read(write, f"Opportunity ID,Close Date,Account Name,Amount,Stage\n{rows}")

    assert (answer.orders, answer.net_amount) == (2, 5)


def test_the_reversal_of_an_invoice_gives_its_money_back(write):
    rows = "RE1;13.05.2024;K1;10,00;Rechnung\nRE2;14.05.2024;K2;8,00;Rechnung\n"
    rows += "RE2S;15.05.2024;K2;-8,00;Stornorechnung\n"

    header = "Rechnungsnummer;Rechnungsdatum;Kundennummer;Nettobetrag;Rechnungstyp\n"

    assert read(write, header + rows).net_amount == 10


def test_nothing_is_subtracted_from_a_subtotal(write):
    header = "Bestellnummer;Bestelldatum;E-Mail;Zwischensumme der Bestellung;Versandkosten;Gesamtbetrag\n"
    rows = "1;13.05.2024;a@x.org;10,00;4,90;14,90\n2;14.05.2024;b@x.org;8,00;4,90;12,90\n"

    assert read(write, header + rows).net_amount == 18


def test_a_tip_is_not_a_sale(write):
    rows = "1,2024-05-01,a,2.00,1.00,13.00\n2,2024-05-02,b,0.00,0.50,8.50\n"

    assert read(write, f"Check #,Business Date,Guest Name,Tip,Tax,Total\n{rows}").net_amount == 18


@pytest.mark.parametrize("rising", [True, False])
def test_a_running_total_is_not_the_amount(write, rising):
    rows, total = [], Decimal(0)
    for n in range(1, 15):
        amount = Decimal(n % 5 + 1)
        total += amount
        rows.append(f"{n},2024-05-{n:02},c{n},{amount}.00,{total}.00")
    text = "\n".join(["Order No,Date,Customer,Sale,Total", *(rows if rising else reversed(rows))])

    assert read(write, text).net_amount == total


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("Telefon", ["+90 532 111 22 33", "0532 1112233", "905321112233", "(0532) 111 22 33"]),
        ("Customer Name", ["Ada Kaya", "ADA KAYA", " ada  kaya", "Ada Kaya "]),
        ("Email", ["a@x.org", "mailto:a@x.org", "Ada Kaya <A@x.org>", " A@X.ORG"]),
    ],
)
def test_a_customer_is_one_in_every_spelling(write, header, values):
    rows = "".join(f"{n},2024-05-{n:02},{value},1.00\n" for n, value in enumerate([*values, "z"], 1))

    assert read(write, f"Order No,Date,{header},Amount\n{rows}").customers == 2


@pytest.mark.parametrize(
    "header",
    [
        "Name,Email,Sign up,Orders,Total spend,AOV",
        "Contact ID,Email,Date,Number of Orders,Lifetime Value,X",
    ],
)
def test_a_list_of_customers_is_refused_by_its_name(write, header):
    rows = "".join(f"{n},c{n}@x.org,2024-05-{n:02},{n},{n}.50,1.50\n" for n in range(1, 9))

    refusal = inspect(write(f"{header}\n{rows}")).answer.refusal

    assert refusal is not None
    assert refusal.code == "customers_not_orders"


def test_the_orders_of_customers_in_json_are_read(write):
    customers = [
        {"id": f"C{c}", "email": f"c{c}@x.org", "orders": [
            {"id": 10 * c + n, "date": f"2024-05-0{n}", "total": 2.5} for n in range(1, 4)]}
        for c in range(1, 4)
    ]  # fmt: skip

    answer = read(write, json.dumps({"customers": customers}), "customers.json")

    assert (answer.customers, answer.orders, answer.net_amount) == (3, 9, Decimal("22.5"))


def test_the_currency_in_the_name_of_the_amount_is_the_files(write):
    text = "Order,Date,Customer,Amount (USD)\n1,2024-05-01,a,2.00\n2,2024-05-02,b,3.00\n"

    assert read(write, text).currency == "USD"


@pytest.mark.parametrize(
    ("header", "values"),
    [("Discount %", ["10", "0", "50"]), ("İskonto (%)", ["10", "0", "50"]),
     ("Discount Rate", ["0.10", "0", "0.50"]), ("Discount", ["10%", "0%", "50%"])],
)  # fmt: skip
def test_a_discount_in_percent_is_one_by_its_header(write, header, values):
    rows = "".join(f"{n},2024-05-{n:02},c{n},2,10.00,{value}\n" for n, value in enumerate(values, 1))

    assert read(write, f"Order No,Date,Customer ID,Quantity,Unit Price,{header}\n{rows}").net_amount == 48


def test_a_negative_quantity_makes_a_positive_amount_a_return(write):
    header = "Receipt No,Date,Customer ID,SKU,Qty,Unit Price,Line Total\n"
    rows = "".join(f"{n},2024-05-{n:02},c{n},A,2,5.00,10.00\n" for n in range(1, 15))

    assert read(write, f"{header}{rows}15,2024-05-20,c1,A,-1,5.00,5.00\n").net_amount == 135


def test_what_was_returned_of_a_line_is_not_sold(write):
    header = "Order No,Date,Customer ID,SKU,Quantity,Returned Quantity,Unit Price\n"
    rows = "1,2024-05-01,a,A,3,1,10.00\n2,2024-05-02,b,A,2,0,10.00\n3,2024-05-03,b,A,1,,4.00\n"

    assert read(write, header + rows).net_amount == 44


def test_a_quantity_may_have_a_unit(write):
    rows = "1,2024-05-01,a,2 Stk,10.00\n2,2024-05-02,b,3 pcs,1.00\n3,2024-05-03,b,1 x,4.00\n"

    assert read(write, f"Order No,Date,Customer ID,Quantity,Unit Price\n{rows}").net_amount == 27


@pytest.mark.parametrize(
    ("gross", "tax", "net"),
    [("Brutto", "MwSt", "Netto"), ("Importe total", "IVA", "Base imponible"), ("Total", "VAT", "Before tax")],
)
def test_an_amount_less_its_tax_counts_if_a_column_has_it(write, gross, tax, net):
    rows = "".join(f"{n};{n + 12}.05.2024;K{n};12,00;2,00;10,00\n" for n in range(1, 9))

    assert read(write, f"Rechnung;Datum;Kunde;{gross};{tax};{net}\n{rows}").net_amount == 80


@pytest.mark.parametrize(
    "word", ["PERAKENDE SATIŞ", "Diverse Kunden", "Nakit Müşteri", "Counter Sale", "Varios"]
)
def test_words_for_any_customer_are_placeholders(write, word):
    rows = "".join(f"{n},2024-05-{n:02},{word if n % 4 == 0 else f'K{n}'},1.00\n" for n in range(1, 9))

    answer = read(write, f"Order No,Date,Customer,Amount\n{rows}")

    assert (answer.customers, answer.guest_rows, answer.orders) == (6, 2, 8)


def test_the_firms_own_account_is_not_a_customer(write):
    header = "Transaction Date,Account Number,Transaction Description,Credit Amount,Balance\n"
    rows = "".join(f"{n + 12}/05/2024,12345678,A. N. OTHER REF {n},{n}.00,10.00\n" for n in range(1, 12))

    answer = inspect(write(header + rows)).answer

    assert answer.outcome != "read"
    assert (answer.question or answer.refusal).code in ("which_customer", "no_customer")


def test_an_ordinal_sign_does_not_change_the_encoding(write):
    rows = "".join(f"{n};{n + 12}/05/2024;García;10,00\n" for n in range(1, 9))
    path = write(f"Nº Factura;Fecha;Cliente;Importe\n{rows}", encoding="cp1252")

    answer = inspect(path).answer

    assert answer.mapping["transaction_id"] == "Nº Factura"
    assert (answer.orders, answer.net_amount) == (8, 80)


def test_of_customer_ids_the_one_that_recurs_is_the_customer(write):
    rows = "".join(f"o{n},c{n},u{n % 4},2024-05-{n:02},2.00\n" for n in range(1, 13))

    answer = read(write, f"order_id,customer_id,customer_unique_id,order_purchase_timestamp,amount\n{rows}")

    assert (answer.customers, answer.orders) == (4, 12)


def test_an_amount_with_shipping_is_not_used_if_a_column_is_without_it(write):
    rows = "".join(f"{n},2024-05-{n:02},c{n},{n}.00,4.00,{n + 4}.00\n" for n in range(1, 9))

    assert (
        read(write, f"order_id,date,customer_id,price,freight_value,payment_value\n{rows}").net_amount == 36
    )


def test_a_column_called_payment_without_numbers_is_not_an_amount(write):
    rows = "".join(f"{n},2024-05-{n:02},c{n},Card,{n}.00\n" for n in range(1, 9))

    assert read(write, f"order_id,date,customer_id,payment,total_paid\n{rows}").net_amount == 36


def test_events_before_a_purchase_are_no_sales(write):
    rows = "".join(
        f"2024-05-{n:02},{event},c{n},{n}.00\n" for n in range(1, 9) for event in ("view", "cart", "purchase")
    )

    assert read(write, f"event_time,event_type,user_id,amount\n{rows}").net_amount == 36


@pytest.mark.parametrize(("net", "total"), [("8.00", "24.00"), ("10.00", "24.00")])
def test_gross_sales_show_whether_net_sales_are_after_refunds(write, net, total):
    rows = "".join(f"{n},2024-05-{n:02},c{n},12.00,2.00,2.00,{net}\n" for n in range(1, 4))
    header = "Order,Date,Customer,Gross sales,Discounts,Returns,Net sales\n"

    assert read(write, header + rows).net_amount == Decimal(total)
