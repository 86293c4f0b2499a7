"""Next products of firms that were really run: suggestions, the reasons of firms without, and replays."""

import csv
from datetime import date, timedelta

import pytest

from tests.run.conftest import COLUMNS

AS_OF = date(2026, 6, 1)
MODULES = ["rfm", "next_product"]
STAPLES = ("tea", "jam", "rye", "oat", "ham", "egg", "fig", "nut")
SUGGESTED = (
    "select customer_id, product_rank, product_id, kind, purchase_days, due_date, reason, "
    "round(purchase_probability::numeric, 3) from mart.customer_next_product('acme', %s) order by 1, 2"
)


def lines(customers: int = 150, *, days: int = 108) -> list[tuple]:
    """Customers who come every twelfth day, each with a staple of its own, and once with another product."""
    found = []
    for customer in range(customers):
        staple, other = STAPLES[customer % 8], STAPLES[(customer + 3) % 8]
        for visit in range(days // 12):
            day = AS_OF - timedelta(days=1 + customer % 12 + 12 * visit)
            found.append((f"{customer}-{visit}", day, f"c{customer:03}", staple, 1))
            if visit % 6 == customer % 6:
                found.append((f"{customer}-{visit}", day, f"c{customer:03}", other, 1))
    return found


def write(folder, rows, *, name: str = "sales.csv") -> None:
    with (folder / name).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number, (order, day, customer, product, quantity) in enumerate(rows):
            writer.writerow([order, number, f"{day} 12:00:00", customer, product, quantity, 10 * quantity])


def status(shop, key: str = "acme") -> tuple:
    (row,) = shop.query(
        "select is_sufficient, reason from control.module_status "
        "where firm_key = %s and module = 'next_product'",
        key,
    )
    return row


def test_each_customer_is_suggested_its_own_staple_with_the_day_on_which_it_is_due(shop):
    folder = shop.add("acme", modules=MODULES)
    returned = [("r1", AS_OF - timedelta(days=1), "c001", "jam", -15)]  # all that c001 ever bought of it
    write(folder, lines() + returned)

    shop.run("acme", AS_OF)

    is_used, reason = status(shop)
    rows = shop.query(SUGGESTED, AS_OF)
    first = {row[0]: row for row in rows if row[1] == 1}
    assert is_used, reason
    assert len(first) == 150
    assert {first[f"c{n:03}"][2] for n in range(0, 150, 8)} == {"tea"}
    last = AS_OF - timedelta(days=1 + 8 % 12)
    assert first["c008"][3:7] == (
        "repeat",
        7,
        max(AS_OF, last + timedelta(days=12)),
        f"Bought on 7 days, last on {last}",
    )
    assert "jam" not in {row[2] for row in rows if row[0] == "c001"}
    assert {row[1] for row in rows} == set(range(1, 6))
    assert shop.query("select is_used, tested_customers, reason from mart.vw_next_product_test") == [
        (True, 150, reason)
    ]


def test_a_day_gives_the_same_rows_whatever_was_sold_since_and_run_before(shop):
    folder = shop.add("acme", modules=MODULES)
    early = AS_OF - timedelta(days=14)
    write(folder, [line for line in lines() if line[1] < early])
    shop.run("acme", early)
    before = shop.query(SUGGESTED, early)

    write(folder, lines())
    shop.run("acme", AS_OF)
    shop.run("acme", early, full=True)

    assert shop.query(SUGGESTED, early) == before
    assert before
    assert shop.query(SUGGESTED, AS_OF) != before


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([(o, d, c, "tea", q) for o, d, c, _, q in lines(9)], "number of products sold so far: 1;"),
        (lines(9), "too few customers ordered again"),
    ],
    ids=["one product", "few customers"],
)
def test_a_firm_without_evidence_gets_no_suggestion_and_the_reason(shop, rows, reason):
    folder = shop.add("acme", modules=MODULES)
    write(folder, rows)

    shop.run("acme", AS_OF)

    is_sufficient, said = status(shop)
    assert not is_sufficient
    assert said.startswith(f"no suggestions: {reason}")
    assert shop.query("select count(*) from mart.vw_customer_next_product") == [(0,)]
    assert shop.query("select is_used, reason from mart.vw_next_product_test") == [(False, said)]
