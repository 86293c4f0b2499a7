"""Ids are normalised: placeholders become null, and all spellings of an id are one customer."""

import pyarrow as pa
import pytest

from include.intake import inspect
from include.intake.customers import ids_of, near_twins, unified


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("17850", "17850"),
        ("17850.0", "17850"),
        ("17850.00", "17850"),
        (" 17850 ", "17850"),
        ("\u00a017850", "17850"),
        ("17850\u200b", "17850"),
        ("'17850", "17850"),
        ("1.785E+04", "17850"),
        ("00017850", "00017850"),
        ("C12009@Example.com ", "c12009@example.com"),
        ("Jose\u0301", "José"),
        ("AB  12", "AB 12"),
        ("٣٤٥", "345"),
    ],
)
def test_an_id_is_normalised(written, expected):
    assert ids_of(pa.array([written]))[0].to_pylist() == [expected]


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "0",
        "0.0",
        "00",
        "-",
        "nan",
        "NaN",
        "NULL",
        "None",
        "N/A",
        "n/a",
        "#N/A",
        "guest",
        "Guest",
        "GAST",
        "misafir",
        "(blank)",
    ],
)
def test_a_placeholder_becomes_null(written):
    assert ids_of(pa.array([written]))[0].to_pylist() == [None]


def test_ids_that_lost_digits_are_counted():
    ids, lost = ids_of(pa.array(["6.5E+12", "6.5E+12", "12"]))

    assert (ids.to_pylist(), lost) == (["6.5E+12", "6.5E+12", "12"], 2)


def test_an_order_may_be_number_0(write):
    path = write("order_id,date,customer_id,amount\n0,2024-05-01,7,10.00\n1,2024-05-02,7,5.00\n")

    assert inspect(path).answer.orders == 2


def test_similar_ids_are_found():
    assert near_twins(["abc-1", "ABC 1", "0042", "42", "x"]) == [("0042", "42"), ("ABC 1", "abc-1")]


def test_a_row_without_an_id_takes_the_id_of_its_e_mail():
    ids = pa.array(["7", None, None])
    mails = pa.array(["a@b.c", "a@b.c", "d@e.f"])

    assert unified(ids, [mails]).to_pylist() == ["7", "7", "d@e.f"]


def test_sales_without_a_customer_count_as_sales(write):
    path = write(
        "order_id,date,customer_id,amount\n1,2024-05-01,7,10.00\n2,2024-05-02,guest,5.00\n3,2024-05-03,,2.00\n"
    )

    answer = inspect(path).answer

    assert (answer.customers, answer.orders, answer.guest_rows, float(answer.net_amount)) == (1, 3, 2, 17.0)
