"""Reports as programs write them: flags, fees, groups, sums of orders, ids used again, pivot tables."""

import datetime
from decimal import Decimal

import pytest

from include.intake import Options, inspect
from include.intake.concepts import says_gross, says_net
from include.intake.period_columns import period_columns
from include.intake.tables import compact, last_of_path


def read(write, text, options=None, name="orders.csv"):
    answer = inspect(write(text, name), options or Options()).answer
    assert answer.outcome == "read", (answer.question, answer.refusal)
    return answer


def codes(answer):
    return {message.code for message in (*answer.findings.warnings, *answer.findings.notes)}


@pytest.mark.parametrize(
    ("column", "yes", "no", "net"),
    [
        ("Cancelled", "Yes", "No", "30.00"), ("is_void", "1", "0", "30.00"),
        ("Test", "true", "false", "30.00"),
        ("İptal", "Evet", "Hayır", "30.00"), ("Storniert", "ja", "nein", "30.00"),
        ("Cancelled at", "2024-05-02", "", "30.00"), ("İptal Tarihi", "02.05.2024", "", "30.00"),
        ("Refunded", "yes", "no", "30.00"), ("Fully Refunded?", "1", "0", "30.00"),
    ],
)  # fmt: skip
def test_a_flag_or_a_date_takes_an_order_out(write, column, yes, no, net):
    rows = "".join(f"{n},2024-05-{n:02},c{n},10.00,{yes if n == 2 else no}\n" for n in range(1, 5))

    answer = read(write, f"Order ID,Order Date,Customer ID,Amount,{column}\n{rows}")

    assert answer.net_amount == Decimal(net)
    assert codes(answer) & {"cancelled_orders", "refunds"}


def test_a_column_of_amounts_called_refunded_is_a_refund(write):
    text = "Order ID,Date,Customer ID,Amount,Refunded\n1,2024-05-01,a,10.00,0\n2,2024-05-02,b,8.00,3.50\n"

    assert read(write, text).net_amount == Decimal("14.50")


def test_what_is_left_after_a_fee_is_not_what_customers_paid(write):
    rows = "".join(f"{n},2024-05-{n:02},c{n},{n}.00,-0.30,{n - 1}.70\n" for n in range(1, 9))

    answer = read(write, f"Order ID,Date,Customer,Gross,Processing fee,Net\n{rows}")

    assert answer.net_amount == 36


def test_a_discount_that_another_column_subtracts_is_subtracted(write):
    header = "Order ID,Date,Customer,Qty,Unit Price,Line Total,Discount,Invoiced\n"
    rows = "".join(f"{n},2024-05-{n:02},c{n},2,{n}.00,{2 * n}.00,0.50,{2 * n - 1}.50\n" for n in range(1, 9))

    assert read(write, header + rows).net_amount == 68


def test_the_row_of_an_order_that_sums_up_its_lines_counts_once(write):
    text = (
        "Order Number,Sale Date,Buyer,Item,Qty,Price\n"
        "1,2024-05-01,a,,3,25.50\n1,2024-05-01,a,Mug,2,10.00\n1,2024-05-01,a,Tote,1,5.50\n"
        "2,2024-05-02,b,Mug,1,10.00\n"
    )

    answer = read(write, text)

    assert (answer.orders, answer.net_amount) == (2, Decimal("35.50"))
    assert answer.rejected["total_row"].count == 1


def test_a_delivery_line_without_a_product_still_counts(write):
    text = (
        "Order Number,Sale Date,Buyer,Item,Qty,Price\n"
        "1,2024-05-01,a,Mug,2,10.00\n1,2024-05-01,a,,1,4.00\n2,2024-05-02,b,Mug,1,10.00\n"
    )

    assert read(write, text).net_amount == 34


@pytest.mark.parametrize(
    ("extra", "dates", "variant"),
    [("Store", ("2024-05", "2024-05"), "stores"), ("", ("2023-05", "2024-05"), "years")],
)
def test_order_ids_that_are_used_again_are_other_orders(write, extra, dates, variant):
    rows = "".join(
        f"{n},{day}-{n:02},c{n + 30 * i},10.00{',S' + str(i) if extra else ''}\n"
        for i, day in enumerate(dates)
        for n in range(1, 21)
    )
    header = "Receipt No,Date,Customer ID,Total" + (f",{extra}" if extra else "")

    answer = read(write, f"{header}\n{rows}")

    assert (answer.orders, answer.net_amount) == (40, 400)
    (text,) = [m.text for m in answer.findings.warnings if m.code == "order_ids_reused"]
    assert variant in text


def test_a_report_grouped_by_customer_is_read(write):
    text = (
        "Acme Inc.,,,\nSales by Customer Detail,,,\n\nCustomer,Date,Transaction Type,Num,Amount,Balance\n"
        "Ann Ax,,,,,\n,05/13/2024,Invoice,1,10.00,10.00\n,05/20/2024,Invoice,2,5.50,15.50\n"
        "Total for Ann Ax,,,,15.50,\nBo Berg,,,,,\n,05/21/2024,Invoice,3,4.00,4.00\n"
        "Total for Bo Berg,,,,4.00,\n"
        "TOTAL,,,,19.50,\n"
    )

    answer = read(write, text)

    assert (answer.customers, answer.orders, answer.net_amount) == (2, 3, Decimal("19.50"))
    assert "group_rows" in codes(answer)


def test_a_subtotal_in_the_column_of_dates_is_a_total(write):
    rows = "".join(f"2024-05-{n:02},I{n},c{n},2.50\n" for n in range(1, 5))
    text = f"Date,Invoice No,Customer,Net Amount\n{rows}Subtotal 05/2024,,,10.00\nGRAND TOTAL,,,10.00\n"

    answer = read(write, text)

    assert (answer.net_amount, answer.rejected["total_row"].count) == (10, 2)


def test_payments_beside_invoices_are_no_sales(write):
    rows = "".join(
        f"2024-05-{n:02},Invoice,{n},c{n},10.00\n2024-06-{n:02},Payment,P{n},c{n},10.00\n"
        for n in range(1, 5)
    )
    answer = read(write, f"Date,Transaction Type,Num,Customer,Amount\n{rows}")
    alone = read(write, "Date,Type,No,Customer,Amount\n2024-05-01,Payment,1,a,3.00\n", name="alone.csv")

    assert (answer.net_amount, alone.net_amount) == (40, 3)
    assert "not_sales" in codes(answer)


def test_a_ledgers_account_is_not_the_customer(write):
    rows = "".join(f"I{n},13/05/2024,c{n}@x.org,200,10.00\n" for n in range(1, 9))

    assert (
        read(write, f"InvoiceNumber,InvoiceDate,EmailAddress,AccountCode,LineAmount\n{rows}").customers == 8
    )


@pytest.mark.parametrize(
    "header",
    [("Customer", "Jan 2025", "Feb 2025", "Mar 2025"), ("Client", "2023-01", "2023-02", "2023-03"),
     ("Müşteri", "Ocak", "Şubat", "Mart", "Nisan"), ("Customer", "Q1 2025", "Q2 2025", "Q3 2025")],
)  # fmt: skip
def test_a_pivot_table_is_refused_by_its_name(write, header):
    rows = "\n".join(
        f"c{n}," + ",".join(str(n * 10 + i) for i in range(len(header) - 1)) for n in range(1, 9)
    )

    refusal = inspect(write(",".join(header) + "\n" + rows)).answer.refusal

    assert refusal is not None
    assert refusal.code == "columns_are_periods"
    assert period_columns(("Order", "Date", "May", "Total")) == []


def test_the_fields_of_a_path_are_known(write):
    text = (
        "Order Lines/Order Ref,Order Lines/Order Ref/Date,Order Lines/Order Ref/Customer,"
        "Order Lines/Subtotal,"
        "Order Lines/Subtotal excl. tax\nS1,2024-05-13,Ann,12.00,10.00\nS2,2024-05-14,Bo,6.00,5.00\n"
    )

    answer = read(write, text)

    assert (answer.orders, answer.customers, answer.net_amount) == (2, 2, 15)
    assert last_of_path("Order Lines/Product/Name") == "Product Name"
    assert last_of_path("Subtotal w/o Tax") == ""


@pytest.mark.parametrize(
    "net", ["Total (excl. VAT)", "Total ex. tax", "Tutar (KDV hariç)", "Total without GST"]
)
def test_of_two_totals_the_one_without_tax_counts(write, net):
    gross = net.replace("excl.", "incl.").replace("ex.", "incl.").replace("hariç", "dahil")
    gross = gross.replace("without", "with")
    rows = "".join(f"{n},2024-05-{n:02},c{n},12.00,10.00\n" for n in range(1, 5))

    assert read(write, f"Order No,Date,Customer,{gross},{net}\n{rows}").net_amount == 40
    assert says_net(net)
    assert says_gross(gross)


def test_only_large_values_with_a_mark_are_thousands(write):
    amounts = ["950", "12", "30", "415", "7", "1,290", "2,050"]
    rows = "".join(f'{n},2024-05-{n:02},c{n},"{amount}"\n' for n, amount in enumerate(amounts, 1))

    assert read(write, f"Order No,Date,Customer,Amount\n{rows}").net_amount == 4754


def test_a_row_below_the_header_that_explains_the_columns_is_left_out(write):
    text = (
        "Order ID,Created Time,Buyer,Amount\nThe order,When it was made,Who bought,What was paid\n"
        "1,2024-05-13,a,3.00\n2,2024-05-14,b,4.00\n"
    )

    answer = read(write, text)

    assert (answer.net_amount, answer.rejected["not_a_row"].count) == (7, 1)


def test_hidden_sheets_are_not_read(tmp_path):
    import xlsxwriter

    path = tmp_path / "orders.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name, first in (("Orders", 1), ("backup", 100)):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, ["Order", "Date", "Customer", "Amount"])
            for i in range(4):
                day = datetime.date(2024, 5, 13 + i).isoformat()
                sheet.write_row(i + 1, 0, [first + i, day, f"c{i}", 2.5])
        sheet.hide()

    answer, other = inspect(path).answer, inspect(path, Options(sheet="backup")).answer

    assert (answer.net_amount, other.net_amount) == (10, 10)
    assert answer.orders == 4
    assert "hidden_sheets" in codes(answer)


def test_letters_without_accents_are_compared_as_their_base():
    assert compact("Koszt wysyłki") == compact("koszt wysylki")
    assert compact("Beløb") == compact("belob")


def test_a_footer_does_not_hide_a_flag(write):
    rows = "".join(f"{n},2024-05-{n:02},c{n},10.00,{'Yes' if n == 2 else 'No'}\n" for n in range(1, 9))
    text = f"Order ID,Order Date,Customer ID,Amount,Cancelled\n{rows}Total,,,80.00,8 rows\n"

    assert read(write, text).net_amount == 70


def test_the_sample_of_a_total_shows_its_values(write):
    rows = "".join(f"{n},2024-05-{n:02},c{n},10.00\n" for n in range(1, 5))

    answer = read(write, f"Order ID,Order Date,Customer ID,Amount\n{rows}Total,,,40.00\n")

    assert "40.00" in answer.rejected["total_row"].sample[0]
