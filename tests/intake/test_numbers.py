# ruff: noqa: RUF001 signs of other scripts are what is tested
"""Numbers in many notations, read in the style of their column."""

from decimal import Decimal

import pyarrow as pa
import pytest

from include.intake import Options, inspect
from include.intake.numbers import parse, votes_of


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1'234.50", "1234.5"),
        ("1’234.50", "1234.5"),
        ("1 234,50", "1234.5"),
        ("1\u00a0234,50", "1234.5"),
        ("1\u202f234,50", "1234.5"),
        ("(12.00)", "-12"),
        ("($1,200.00)", "-1200"),
        ("12.00-", "-12"),
        ("−12.5", "-12.5"),
        ("'-70", "-70"),
        ("$1,234.50", "1234.5"),
        ("-$5.00", "-5"),
        ("$-5.00", "-5"),
        ("1.234,50 €", "1234.5"),
        ("EUR 1.234,50", "1234.5"),
        ("R$ 1.234,56", "1234.56"),
        ("234,82 TL", "234.82"),
        ("Rs. 1,234.00", "1234"),
        ("1,23,456.00", "123456"),
        ("٢٣٤٫٨٢", "234.82"),
        ("１２３", "123"),
        ("2.348200E+02", "234.82"),
        ("1e-7", "0"),
        (".5", "0.5"),
        ("0.125", "0.125"),
        ("1,234,567", "1234567"),
        ("1.234.567,89", "1234567.89"),
        ("12.34567", "12.3457"),
    ],
)
@pytest.mark.parametrize("mark", [".", ","])
def test_a_conclusive_number_is_read_alike_whatever_the_columns_mark(written, value, mark):
    (number,) = parse(pa.array([written]), mark).to_pylist()

    assert number == Decimal(value)


@pytest.mark.parametrize(("written", "point", "comma"), [("12,500", "12500", "12.5"), ("1.000", "1", "1000")])
def test_an_ambiguous_number_is_read_by_the_columns_mark(written, point, comma):
    column = pa.array([written])

    assert parse(column, ".").to_pylist() == [Decimal(point)]
    assert parse(column, ",").to_pylist() == [Decimal(comma)]
    assert votes_of(column).ambiguous == 1


@pytest.mark.parametrize(
    "written",
    [
        "abc",
        "12/3",
        "1,2,3",
        "5%",
        "1.2.3",
        "--5",
        "(5",
        "12 34",
        "99999999999999999",
        "1,23,45",
        "USD",
        "5 apples",
    ],
)
def test_a_text_that_is_not_a_number_is_none(written):
    assert parse(pa.array([written]), ".").to_pylist() == [None]


@pytest.mark.parametrize(
    ("amounts", "net"),
    [
        (["12,500", "1,234.50"], "13734.50"),
        (["12,500", "7,5"], "20.000"),
        (["1.234", "12,50"], "1246.50"),
        (["¥12,500", "¥800"], "13300"),
    ],
)
def test_ambiguous_amounts_are_read_by_the_conclusive_ones_of_the_column(write, amounts, net):
    rows = "\n".join(f"{i};2024-05-0{i};c{i};{amount}" for i, amount in enumerate(amounts, 1))

    answer = inspect(write(f"Order ID;Date;Customer;Amount\n{rows}\n")).answer

    assert answer.outcome == "read", answer.question
    assert answer.net_amount == Decimal(net)


def test_an_amount_that_no_value_decides_is_a_question_and_the_option_answers_it(write):
    path = write("Order ID;Date;Customer;Amount\n1;2024-05-01;a;12,500\n2;2024-05-02;b;800\n")

    question = inspect(path).answer.question
    by_comma = inspect(path, Options(decimal_mark=",")).answer
    by_point = inspect(path, Options(decimal_mark=".")).answer

    assert (question.code, question.column, question.option) == ("decimal_mark", "Amount", "--decimal-mark")
    assert (by_comma.net_amount, by_point.net_amount) == (Decimal("812.5"), Decimal(13300))


def test_amounts_of_two_currencies_are_a_question(write):
    path = write("Order ID,Date,Customer,Amount\n1,2024-05-01,a,€10.00\n2,2024-05-02,b,$20.00\n")

    asked, chosen = inspect(path).answer, inspect(path, Options(currency="USD")).answer

    assert asked.question.code == "several_currencies"
    assert (chosen.net_amount, chosen.currency) == (Decimal(20), "USD")
