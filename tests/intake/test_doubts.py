"""The type of a row, the amount that counts, and warnings with their amounts."""

from decimal import Decimal

import pytest

from include.intake import Options, inspect

ORDERS = "Order ID,Date,Customer,Amount\n" + "".join(
    f"{n},2024-0{n % 5 + 1}-{n % 27 + 1:02},c{n % 7},{n}.50\n" for n in range(1, 61)
)


def table(header: str, *rows: str) -> str:
    return "\n".join([header, *rows]) + "\n"


def codes(answer) -> set[str]:
    return {message.code for message in answer.findings.warnings}


LINES = (
    "1,2024-05-01,a,A,2,10.00",
    "1,2024-05-01,a,B,1,5.00",
    "2,2024-05-02,b,A,3,10.00",
    "3,2024-05-03,a,C,1,2.50",
)


@pytest.mark.parametrize(
    ("header", "rows", "net", "warning"),
    [
        ("Order,Date,Customer,Item,Qty,Price", LINES, "57.50", None),
        (
            "Order,Date,Customer,Item,Qty,Price,Order Total",
            [f"{row},{total}" for row, total in zip(LINES, ("25.00", "25.00", "30.00", "2.50"), strict=True)],
            "57.50",
            None,
        ),
        (
            "Order,Date,Customer,Qty,Price,Order Total",
            ["1,2024-05-01,a,2,20.00,25.00", "1,2024-05-01,a,1,5.00,25.00", "2,2024-05-02,b,3,30.00,30.00"],
            "55.00",
            "price_is_line_total",
        ),
        (
            "Order,Date,Customer,Gross Sales,Discounts",
            ["1,2024-05-01,a,12.00,-2.00", "2,2024-05-02,b,-7.00,1.00", "3,2024-05-03,b,5.00,0.00"],
            "9.00",
            None,
        ),
        (
            "Order,Date,Customer,Qty,Price,Discount",
            ["1,2024-05-01,a,2,10.00,10%", "2,2024-05-02,b,1,5.00,0%", "3,2024-05-03,b,1,4.00,50 %"],
            "25.00",
            "discount_subtracted",
        ),
        ("Order,Date,Customer,Total,Shipping", ["1,2024-05-01,a,15.00,5.00"], "10.00", "shipping_left_out"),
        ("Order,Date,Customer,Subtotal,Shipping,Total", ["1,2024-05-01,a,10.00,5.00,15.00"], "10.00", None),
        (
            "Order,Date,Customer,Total,Status",
            ["1,2024-05-01,a,10.00,Paid", "2,2024-05-02,b,20.00,Cancelled", "3,2024-05-03,c,5.00,Refunded"],
            "10.00",
            "cancelled_orders",
        ),
        (
            "Order,Date,Customer,Total,Refunded Amount",
            ["1,2024-05-01,a,10.00,0.00", "2,2024-05-02,b,20.00,8.00", "3,2024-05-03,c,5.00,9.00"],
            "22.00",
            None,
        ),
        (
            "Order,Date,Customer,Total,Type",
            ["1,2024-05-01,a,10.00,SALE", "2,2024-05-02,b,4.00,Return", "3,2024-05-03,c,-1.00,Refund"],
            "5.00",
            None,
        ),
        (
            "Order,Date,Customer,Total,Type",
            ["1,2024-05-01,a,10.00,Sale", "2,2024-05-02,b,4.00,Swap"],
            "14.00",
            "unknown_words",
        ),
        (
            "Order,Date,First Name,Last Name,Total",
            ["1,2024-05-01,Ann,Ax,10.00", "2,2024-05-02,Ann,Bo,4.00"],
            "14.00",
            "customer_by_name",
        ),
        (
            "Date,Customer,Total",
            ["2024-05-01,a,10.00", "2024-05-01,a,4.00"],
            "14.00",
            "order_is_customer_day",
        ),
    ],
)
def test_the_net_amount_is_derived_from_all_columns(write, header, rows, net, warning):
    answer = inspect(write(table(header, *rows))).answer

    assert answer.outcome == "read", (answer.question, answer.refusal)
    assert answer.net_amount == Decimal(net)
    assert warning is None or warning in codes(answer)


@pytest.mark.parametrize(
    ("header", "row", "code"),
    [
        ("Order,Date,Customer,Amount,Discount", "1,2024-05-01,a,10.00,2.00", "discount_included"),
        ("Order,Date,Customer,Net Sales,Refunds", "1,2024-05-01,a,10.00,2.00", "refund_included"),
        ("Order,Date,Customer,Qty,Price,Order Total", "1,2024-05-01,a,2,10.00,17.00", "which_amount"),
        ("Order,Date,Customer,Amount", "1,2024-05-01,a,10.00\n1,2024-05-01,a,10.00", "which_amount"),
        ("Order,Date,Customer,Item,Qty", "1,2024-05-01,a,A,2", "no_amount"),
        ("Ref,When,Who,Much", "1,2024-05-01,a,2.00", "which_customer"),
    ],
)
def test_two_interpretations_with_different_figures_are_a_question(write, header, row, code):
    second = row.replace("1,", "2,", 1).replace("05-01", "05-02").replace(",a,", ",b,")
    third = row.replace("1,", "3,", 1)
    answer = inspect(write(table(header, row, second, third))).answer

    assert answer.question is not None, answer.refusal
    assert answer.question.code == code
    assert (answer.exit_code, bool(answer.question.choices)) == (3, True)


@pytest.mark.parametrize(
    ("added", "warning", "reason"),
    [
        ("900,2062-01-01,c1,5.00", "future_date", "future_date"),
        ("900,2025-11-03,c1,5.00", "isolated_late_date", "isolated_late_date"),
        ("1,2024-06-01,c6,5.00", "order_of_two_customers", None),
        ("900,2024-05-01,C1,5.00", "near_twins", None),
        ("900,2024-05-01,6.5E+12,5.00", "ids_shortened", None),
        ("900,2024-13-45,c1,5.00", "rejected_rows", "bad_date"),
        ("900,2024-05-01,c1,five", "rejected_rows", "bad_number"),
        ("900,2024-05-01,c1,5.00,6.00", "ragged_rows", "ragged_row"),
        ("Total,,,1860.00", None, "total_row"),
        ("Total for May,,,100.00", None, "total_row"),
        ("Order ID,Date,Customer,Amount", None, "header_repeated"),
    ],
)
def test_one_odd_row_gives_a_warning_and_changes_no_other_figure(write, added, warning, reason):
    plain, answer = inspect(write(ORDERS)).answer, inspect(write(ORDERS + added + "\n", "odd.csv")).answer

    assert answer.outcome == "read"
    assert warning is None or warning in codes(answer)
    if reason:
        assert answer.rejected[reason].count == 1
        assert (answer.net_amount, answer.last_day) == (plain.net_amount, plain.last_day)


def test_a_file_appended_to_itself_gives_a_warning(write):
    rows = ORDERS.split("\n", 1)[1]

    assert "copies" in codes(inspect(write(ORDERS + rows)).answer)


def test_a_mostly_unreadable_file_is_refused_with_reasons_and_the_option_to_set(write):
    broken = ORDERS.replace("2024-02-", "2024-22-").replace("2024-03-", "2024-33-")

    refusal = inspect(write(broken)).answer.refusal

    assert (refusal.code, "bad_date" in refusal.what) == ("too_many_rejected", True)
    assert "--date-order" in refusal.fix


def test_several_currencies_are_a_question_and_one_may_be_kept(write):
    header, first, second = (
        "Order,Date,Customer,Total,Currency",
        "1,2024-05-01,a,1.00,EUR",
        "2,2024-05-02,b,2.00,USD",
    )
    path = write(table(header, first, second))

    asked, kept = inspect(path).answer, inspect(path, Options(currency="USD")).answer

    assert (asked.question.code, set(asked.question.choices)) == ("several_currencies", {"EUR", "USD"})
    assert (kept.net_amount, kept.currency, kept.rejected["other_currency"].count) == (Decimal(2), "USD", 1)


@pytest.mark.parametrize("cell", ["not a date", ""], ids=["bad_date", "missing_date"])
@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("Order,Date,Customer,Amount", "{n},{date},c{n},12.50"),
        ("Order,Date,Customer,Order Total", "{n},{date},c{n},12.50"),
        ("Order,Date,Customer,Qty,Price", "{n},{date},c{n},5,2.50"),
        ("Order,Date,Customer,Qty,Price,Order Total", "{n},{date},c{n},5,2.50,12.50"),
    ],
    ids=["amount", "order_total", "price", "price_and_total"],
)
def test_a_rejected_row_reports_its_money_if_its_amount_is_readable(write, header, row, cell):
    rows = [row.format(n=n, date=f"2024-05-{n % 27 + 1:02}") for n in range(1, 60)]
    rows += [row.format(n=n, date=cell) for n in (90, 91)]

    answer = inspect(write(table(header, *rows))).answer

    (rejected,) = answer.rejected.values()
    assert (rejected.count, rejected.money) == (2, Decimal(25))
    assert answer.net_amount == Decimal("737.5")


def test_rejected_rows_without_an_order_id_report_the_money_of_each(write):
    rows = [f"{n},2024-05-{n % 27 + 1:02},c{n},{n}.00" for n in range(1, 60)] + [",2024-05-01,a,7.00"] * 2

    answer = inspect(write(table("Order,Date,Customer,Order Total", *rows))).answer

    assert answer.rejected["missing_id"].money == Decimal(14)


def test_a_question_or_a_refusal_comes_with_the_warnings_and_the_rejected_rows_known_so_far(tmp_path):
    header, rows = "Order,Date,Customer,Amount\n", "".join(f"{n},03/04/2024,a,1.50\n" for n in range(1, 9))
    folder = tmp_path / "twice"
    folder.mkdir()
    for name in ("a.csv", "b.csv"):
        (folder / name).write_text(header + rows)
    broken = tmp_path / "broken.csv"
    broken.write_text(ORDERS.replace("2024-02-", "2024-22-").replace("2024-03-", "2024-33-") + "C1\n")

    asked, refused = inspect(folder).answer, inspect(broken).answer

    assert (asked.question.code, codes(asked), asked.rows_read) == ("date_order", {"same_file_twice"}, 8)
    assert refused.refusal.code == "too_many_rejected"
    assert "rejected_rows" in codes(refused)
    assert refused.rejected["bad_date"].count == 24
    assert refused.rejected["bad_date"].money > 0
    assert refused.record()["rows"]["rejected"]["bad_date"]["sample"]
