"""Orders that several files contain: the same rule as for the files of a firm."""

from decimal import Decimal

import pytest

from include.intake import Options, inspect
from tests.intake.test_doubts import codes

LINES = "Order,Date,Customer,Item,Qty,Line Total,Status,Note\n"
FIRST = [f"{n},2024-05-{n:02},c{n % 4},A,1,10.00,paid,x" for n in range(1, 21)]


@pytest.fixture
def exports(tmp_path):
    """Write files of lines to a folder and give its path."""

    def written(*files: list[str], header: str = LINES):
        folder = tmp_path / "exports"
        folder.mkdir()
        for number, rows in enumerate(files, 1):
            (folder / f"{number}.csv").write_text(header + "".join(f"{row}\n" for row in rows))
        return folder

    return written


def changed(rows: list[str], old: str, new: str) -> list[str]:
    (found,) = [row for row in rows if old in row]
    return [row.replace(old, new) if row == found else row for row in rows]


@pytest.mark.parametrize(
    ("old", "new", "last", "every"),
    [
        ("20,2024-05-20,c0,A,1,10.00", "20,2024-05-20,c0,A,1,7.00", "197", "207"),
        ("20,2024-05-20,c0,A,1,10.00,paid", "20,2024-05-20,c0,A,1,10.00,cancelled", "190", "200"),
        ("20,2024-05-20,c0", "20,2024-05-20,c1", "200", "210"),
        ("20,2024-05-20", "20,2024-05-21", "200", "210"),
    ],
    ids=["amount", "cancelled", "customer", "day"],
)
def test_an_order_that_differs_between_two_files_is_a_question(exports, old, new, last, every):
    folder = exports(FIRST, changed(FIRST, old, new))

    asked = inspect(folder).answer
    found = [inspect(folder, Options(repeated_orders=value)).answer for value in ("last", "all")]

    assert (asked.question.code, asked.exit_code) == ("repeated_orders", 3)
    assert "1 orders are in several files and differ, such as 20" in asked.question.text
    assert asked.question.option == "--repeated-orders"
    assert set(asked.question.choices) == {"last", "all"}
    assert [answer.net_amount for answer in found] == [Decimal(last), Decimal(every)]
    assert all("differing_orders" in codes(answer) for answer in found if answer.net_amount == Decimal(last))


@pytest.mark.parametrize(
    ("old", "new"),
    [("20,2024-05-20,c0,A,1,10.00,paid,x", "20,2024-05-20,c0,A,1,10.00,paid,y"),
     ("20,2024-05-20,c0,A,1,10.00,paid,x", "20,2024-05-20,c0,A,1,10.00,completed,x")],
    ids=["a column that is not used", "a status with the same effect"],
)  # fmt: skip
def test_an_order_that_differs_in_nothing_that_counts_is_read_once(exports, old, new):
    answer = inspect(exports(FIRST, changed(FIRST, old, new))).answer

    assert (answer.outcome, answer.net_amount, answer.orders) == ("read", Decimal(200), 20)
    assert "same_orders" in codes(answer)


def test_the_last_file_has_the_lines_that_both_files_have(exports):
    two = ["30,2024-05-30,c1,A,1,10.00,paid,x", "30,2024-05-30,c1,B,1,5.00,paid,x"]
    folder = exports(FIRST + two, [two[0], two[1].replace("5.00", "6.00")])

    answer = inspect(folder, Options(repeated_orders="last")).answer

    assert (answer.net_amount, answer.orders) == (Decimal(216), 21)


def test_a_copy_of_the_first_file_is_the_last_file(exports):
    folder = exports(FIRST, changed(FIRST, "20,2024-05-20,c0,A,1,10.00", "20,2024-05-20,c0,A,1,7.00"), FIRST)

    assert inspect(folder, Options(repeated_orders="last")).answer.net_amount == Decimal(200)


def test_two_readings_with_the_same_figures_are_no_question(exports):
    header = "Order,Date,Customer,Order Total,Item\n"
    rows = [f"{n},2024-05-{n:02},c{n % 4},10.00,A" for n in range(1, 21)]

    answer = inspect(exports(rows, [*rows[:-1], rows[-1][:-1] + "B"], header=header)).answer

    assert (answer.outcome, answer.net_amount, answer.orders) == ("read", Decimal(200), 20)


def test_files_of_different_orders_are_read_together(exports):
    answer = inspect(exports(FIRST[:10], FIRST[8:])).answer

    assert (answer.outcome, answer.net_amount) == ("read", Decimal(200))
    assert codes(answer) == {"overlapping_files"}


def test_the_purchases_of_a_customer_on_a_day_are_an_order_too(exports):
    rows = [f"2024-05-{n:02},c{n % 4},{n}.00" for n in range(1, 21)]
    folder = exports(rows, [*rows[:-1], "2024-05-20,c0,25.00"], header="Date,Customer,Amount\n")

    assert inspect(folder).answer.question.code == "repeated_orders"
    assert inspect(folder, Options(repeated_orders="last")).answer.net_amount == Decimal(215)


def test_an_order_of_which_a_file_lacks_a_line_is_a_question(exports):
    two = ["30,2024-05-30,c1,A,1,10.00,paid,x", "30,2024-05-30,c1,B,1,5.00,paid,x"]
    folder = exports(FIRST + two, [*FIRST, two[0]])

    assert inspect(folder).answer.question.code == "repeated_orders"
    assert inspect(folder, Options(repeated_orders="last")).answer.net_amount == Decimal(210)
    assert inspect(folder, Options(repeated_orders="all")).answer.net_amount == Decimal(215)
