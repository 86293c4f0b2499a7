"""Files as people have them: forms of JSON, archives, quotes and statuses that give the same figures."""

import json
import zipfile
from datetime import UTC, datetime

import pytest

from include.intake import Options, inspect
from include.simulator.exports.workbook import write_xlsx

HEADER = ["Order No", "Date", "Customer", "Amount"]
ROWS = [[f"A{i}", f"{i + 12}/01/2024", f"k{i % 3}", f"{i}.50"] for i in range(1, 9)]
FIGURES = ("read", 3, 8, 40.0, "2024-01-20")


def figures(path, options=None):
    answer = inspect(path, options or Options()).answer
    net = answer.net_amount
    return answer.outcome, answer.customers, answer.orders, net and float(net), str(answer.last_day)


def csv_of(rows, header=HEADER):
    return "\n".join(",".join(row) for row in [header, *rows]) + "\n"


RECORDS = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
JSON_FORMS = {
    "records": RECORDS,
    "a list in an object": {"data": {"orders": RECORDS}},
    "columns and data": {"columns": HEADER, "data": ROWS},
    "rows below a header": [HEADER, *ROWS],
    "columns by index": {h: {str(i): row[j] for i, row in enumerate(ROWS)} for j, h in enumerate(HEADER)},
    "columns as lists": {h: [row[j] for row in ROWS] for j, h in enumerate(HEADER)},
}


@pytest.mark.parametrize("form", JSON_FORMS)
def test_every_form_of_json_is_read(write, form):
    assert figures(write(json.dumps(JSON_FORMS[form]), "orders.json")) == FIGURES


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_json_is_read_in_its_encoding(write, encoding):
    assert figures(write(json.dumps(RECORDS), "orders.json", encoding)) == FIGURES


def test_an_id_beside_a_customers_address_is_the_orders(write):
    orders = [
        {"id": 7, "date": "2024-01-05", "customer_email": "a@x.org", "line_items": [
            {"sku": "s", "quantity": 2, "price": "1.50"}, {"sku": "t", "quantity": 1, "price": "4.00"}]},
        {"id": 8, "date": "2024-01-06", "customer_email": "a@x.org", "line_items": [
            {"sku": "s", "quantity": 1, "price": "1.50"}]},
    ]  # fmt: skip

    answer = inspect(write(json.dumps(orders), "orders.json")).answer

    assert (answer.customers, answer.orders, float(answer.net_amount)) == (1, 2, 8.5)


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        (["Customer", "Amount", "Order No", "Date"], [[r[2], r[3], r[0], r[1]] for r in ROWS[4:]]),
        ([*HEADER, "Channel"], [[*r, "web"] for r in ROWS[4:]]),
    ],
    ids=["another order of columns", "a column more"],
)
def test_files_of_one_archive_are_joined_by_the_names_of_their_columns(tmp_path, header, rows):
    path = tmp_path / "orders.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", csv_of(ROWS[:4]))
        archive.writestr("b.csv", csv_of(rows, header))

    assert figures(path) == FIGURES


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(",".join(f"'{cell}'" for cell in row) for row in [HEADER, *ROWS]),
        csv_of([[row[0], row[1], row[2], f'="{row[3]}"'] for row in ROWS]),
        "\n".join("\x01".join(row) for row in [HEADER, *ROWS]),
        "\n".join("".join(f"{cell:<14}" for cell in row) for row in [HEADER, *ROWS]),
        csv_of([[row[0], "", row[1], "", row[2], "", row[3], "", ""] for row in ROWS],
               ["Order No", "", "Date", "", "Customer", "", "Amount", "", ""]),
    ],
    ids=["single quotes", "formulas", "character 1", "columns of blanks", "columns without a name"],
)  # fmt: skip
def test_unusual_text_is_read(write, text):
    assert figures(write(text)) == FIGURES


@pytest.mark.parametrize(
    ("paid", "cancelled", "refunded"),
    [("Terminée", "Annulée", "Remboursée"), ("Abgeschlossene", "Stornierte", "Rückerstattet"),
     ("Completada", "Anulada", "Devuelta"), ("Afgerond", "Geannuleerde", "Terugbetaald")],
)  # fmt: skip
def test_forms_of_status_words_have_their_effect(write, paid, cancelled, refunded):
    rows = [["1", "13/01/2024", "a", "10.00", paid], ["2", "14/01/2024", "a", "5.00", cancelled],
            ["3", "15/01/2024", "b", "2.00", refunded]]  # fmt: skip

    answer = inspect(write(csv_of(rows, [*HEADER, "Status"]))).answer

    assert (answer.orders, float(answer.net_amount)) == (2, 10.0)


def test_unknown_status_words_are_reported_with_their_money(write):
    rows = [[str(i), f"{i + 12}/01/2024", "a", "10.00", "xyz" if i % 2 else "abc"] for i in range(1, 5)]

    answer = inspect(write(csv_of(rows, [*HEADER, "Status"]))).answer

    assert "unknown_words" in [message.code for message in answer.findings.warnings]


def test_days_that_a_spreadsheet_swapped_are_a_question(tmp_path):
    path = tmp_path / "orders.xlsx"
    days = [datetime(2024, 1, day, tzinfo=UTC).replace(tzinfo=None) for day in (*range(2, 9), *range(20, 27))]
    cells = [d.replace(day=d.month, month=d.day) if d.day <= 12 else d.strftime("%d/%m/%Y") for d in days]
    write_xlsx(path, {"S": [HEADER, *[[f"A{i}", cell, "k", 2.5] for i, cell in enumerate(cells)]]})

    question = inspect(path).answer.question
    back = inspect(path, Options(date_order="dmy")).answer

    assert question.code == "date_order"
    assert set(question.choices) == {"dmy", "ymd"}
    assert (str(back.first_day), str(back.last_day)) == ("2024-01-02", "2024-01-26")


def test_one_address_with_most_orders_is_reported(write):
    rows = [[f"A{i}", f"{i + 12}/01/2024", "noreply@shop.com" if i % 2 else f"c{i}@x.org", "1.00"]
            for i in range(1, 15)]  # fmt: skip

    answer = inspect(write(csv_of(rows, ["Order No", "Date", "Email", "Amount"]))).answer

    assert "one_large_customer" in [message.code for message in answer.findings.warnings]


def test_a_column_of_cents_is_divided(write):
    rows = [[f"A{i}", f"{i + 12}/01/2024", f"k{i % 3}", f"{i}50"] for i in range(1, 9)]

    answer = inspect(write(csv_of(rows, ["Order No", "Date", "Customer", "amount_cents"]))).answer

    assert float(answer.net_amount) == 40.0
    assert "cents" in [message.code for message in answer.findings.notes]


def test_a_price_beside_an_unknown_small_number_is_a_question(write):
    rows = [[f"A{i}", f"{i + 12}/01/2024", f"k{i % 3}", "2.50", str(i % 3 + 1)] for i in range(1, 9)]
    path = write(csv_of(rows, ["Order No", "Date", "Customer", "Unit Price", "Stck."]))

    question = inspect(path).answer.question
    with_quantity = inspect(path, Options(mapping={"quantity": "Stck."})).answer
    as_total = inspect(path, Options(price="total")).answer

    assert question.code == "which_quantity"
    assert set(question.choices) == {"quantity=Stck.", "--price total"}
    assert float(with_quantity.net_amount) == 2.5 * sum(i % 3 + 1 for i in range(1, 9))
    assert float(as_total.net_amount) == 20.0


def test_an_order_total_with_tax_on_each_line_is_not_the_amount_of_the_goods(write):
    header = ["Order No", "Date", "Email", "Qty", "Price", "Taxes", "Net amount"]
    rows = [[f"A{i}", f"{i + 12}/01/2024", "a@x.org", "1", price, "1.00", "6.00"]
            for i in range(1, 9) for price in (f"{i % 4 + 0.5}", f"{4.5 - i % 4}")]  # fmt: skip

    answer = inspect(write(csv_of(rows, header))).answer

    assert (answer.orders, float(answer.net_amount)) == (8, 40.0)


@pytest.mark.parametrize(
    ("second", "code", "money"),
    [(ROWS, "same_file_twice", "40.00"), (ROWS[:4], "overlapping_files", "12.00")],
    ids=["the same file", "an overlap"],
)
def test_rows_of_two_files_are_reported_with_their_money(tmp_path, second, code, money):
    path = tmp_path / "orders.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", csv_of(ROWS))
        archive.writestr("b.csv", csv_of(second))

    answer = inspect(path).answer

    assert figures(path) == FIGURES
    (text,) = [message.text for message in answer.findings.warnings if message.code == code]
    assert f"{money} would count twice" in text


def test_lines_without_the_fields_of_their_order_are_reported_with_their_money(write):
    rows = [["A1", "13/01/2024", "k", "1.50"], ["", "", "", "2.00"], ["A2", "14/01/2024", "k", "4.00"]]

    answer = inspect(write(csv_of(rows))).answer

    assert (answer.orders, float(answer.net_amount)) == (2, 7.5)
    (text,) = [m.text for m in answer.findings.notes if m.code == "head_on_first_line"]
    assert "2.00" in text
