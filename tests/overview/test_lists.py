"""The lists beside the page: complete, safe in a spreadsheet, private, and equal to the page to the cent."""

from __future__ import annotations

import csv
import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
import python_calamine

from include.datasets.actions import ACTIONS
from include.datasets.churn import CHURN_RISK
from include.datasets.extracted import CUSTOMERS
from include.datasets.value import LTV
from include.intake import inspect
from include.overview import lists
from include.overview.result import stem_of
from tests.overview.conftest import HOSTILE
from tests.report.conftest import AS_OF

FORMULAS = (
    "=1+1",
    "+905551234567",
    "-2",
    "@cmd",
    "\t=1",
    "\r=1",
    " =1",
    "\uff1d1",
    "\uff0b1",
    "\uff0d1",
    "\uff201",
)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def page_values(page: Path, cell: str) -> list[Decimal]:
    """The exact values of the figures in a column of the tables."""
    found = re.findall(f'data-label="{cell}"><data value="([^"]*)"', page.read_text())
    return [Decimal(value) for value in found]


def test_the_sums_of_the_list_are_the_figures_of_the_page_to_the_cent(shop, tmp_path):
    customers = [f"c{n:02}" for n in range(20)]
    spends = {name: f"{n + 1}.{n:02}" for n, name in enumerate(customers)}
    shop.with_sales(
        *(shop.sells(name, AS_OF - timedelta(days=9), spend) for name, spend in spends.items()),
        shop.sells(None, AS_OF - timedelta(days=3), "7.77"),
    )
    shop.with_segments(**{name: "loyal" if n % 2 else "lost" for n, name in enumerate(customers)})
    shop.with_value(**{name: f"{n}.33" for n, name in enumerate(customers)})
    shop.with_chances(**{name: n / 20 for n, name in enumerate(customers)})
    shop.with_actions(c01="reminder_email", c03="reminder_email", c05="early_access")

    result = shop.result(tmp_path / "out")

    rows = rows_of(result.lists.csv)
    figures = result.summary.figures
    totals = {
        "net_sales": sum(Decimal(row["total_spend"]) for row in rows),
        "expected_value": sum(Decimal(row["value_1_year"]) for row in rows),
        "expected_spend": sum(Decimal(row["expected_spend_1_year"]) for row in rows),
        "at_risk": sum(Decimal(row["margin_at_risk"]) for row in rows),
    }
    assert len(rows) == figures["customers"].value == 20
    assert totals["net_sales"] == sum(Decimal(spend) for spend in spends.values())
    assert {name: figures[name].value for name in totals} == totals
    assert figures["guest_sales"].value == Decimal("7.77")
    assert figures["file_sales"].value == totals["net_sales"] + Decimal("7.77")
    page = result.page
    assert sum(page_values(page, "customers")) == 20 + 20 + 3  # by segment, by chance, by action
    assert sum(page_values(page, "of that at risk")) == 2 * totals["at_risk"]  # by segment, by chance
    assert sum(page_values(page, "margin in the next year \\(30% assumed\\)")) == 2 * totals["expected_value"]
    emailed = rows_of(result.lists.actions["reminder_email"])
    assert [row["customer_id"] for row in emailed] == ["c03", "c01"]  # the higher spend first
    assert {row["action_reason"] for row in emailed} == {"Because."}
    assert set(result.lists.actions) == {"reminder_email", "early_access"}


def test_the_day_of_the_next_order_is_the_churn_models_where_it_has_chances(shop, tmp_path):
    spends = {"ann": "3", "bob": "2", "cem": "1"}
    shop.with_sales(*(shop.sells(name, AS_OF - timedelta(days=9), spend) for name, spend in spends.items()))
    day, other = AS_OF + timedelta(days=20), AS_OF + timedelta(days=200)
    value = {"predicted_clv_1_year": Decimal(1), "method": "bgnbd", "expected_next_order_date": other}
    shop.put(LTV, *({"customer_id": name, **value} for name in spends))
    chances = {"ann": (0.9, day), "bob": (0.3, None), "cem": (None, None)}
    shop.put(
        CHURN_RISK,
        *(
            {"customer_id": name, "any_order_probability": chance, "next_order_date_50_pct": median}
            for name, (chance, median) in chances.items()
        ),
    )

    rows = rows_of(shop.result(tmp_path / "out").lists.csv)

    assert [row["expected_next_order_date"] for row in rows] == [day.isoformat(), "", other.isoformat()]


def test_a_customer_has_the_likeliest_product_by_name_its_due_date_and_the_likeliest_new_one(shop, tmp_path):
    shop.with_sales(*(shop.sells(name, date(2025, 2, 1), spend) for name, spend in (("a", "9"), ("b", "5"))))
    shop.with_suggestions(
        ("a", 2, "repeat", "p2", date(2025, 4, 1)),
        ("a", 1, "repeat", "p1", date(2025, 3, 9)),
        ("a", 6, "new", "p4", None),
        ("a", 3, "new", "p3", None),
    )

    result = shop.result(tmp_path / "out")

    columns = ("customer_id", "next_product", "next_product_due_date", "new_product")
    assert [tuple(row[name] for name in columns) for row in rows_of(result.lists.csv)] == [
        ("a", "'=Green tea", "2025-03-09", "p3"),
        ("b", "", "", ""),
    ]


def test_the_workbook_has_the_rows_of_the_csv_and_says_what_its_columns_are(shop, tmp_path):
    shop.with_sales(shop.sells("a", date(2025, 2, 1), "12.50"), shop.sells("b", date(2025, 2, 2), "3"))
    shop.with_segments(a="loyal", b="lost")

    result = shop.result(tmp_path / "out", language="tr")

    book = python_calamine.CalamineWorkbook.from_path(str(result.lists.xlsx))
    header, *rows = book.get_sheet_by_index(0).to_python()
    columns = book.get_sheet_by_index(1).to_python()
    assert book.sheet_names == ["Müşteriler", "Sütunlar"]
    assert tuple(header) == lists.COLUMNS
    assert [row[header.index("total_spend")] for row in rows] == [12.5, 3.0]
    assert rows[0][header.index("first_order_date")] == date(2025, 2, 1)
    assert rows[0][header.index("segment")] == "Sadık Müşteriler"
    assert [row[0] for row in columns] == list(lists.COLUMNS)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_a_spreadsheet_would_run_is_escaped(text):
    assert lists.safe(pa.array([text, "plain", None])).to_pylist() == [f"'{text}", "plain", None]


def test_ids_that_look_like_formulas_are_texts_in_both_files(shop, tmp_path):
    ids = ("=1+1", "@cmd", HOSTILE, "17850")
    shop.with_sales(*(shop.sells(name, date(2025, 2, 1), "-4") for name in ids))

    result = shop.result(tmp_path / "out")

    rows = rows_of(result.lists.csv)
    assert {row["customer_id"] for row in rows} == {"'=1+1", "'@cmd", HOSTILE, "17850"}
    assert {row["total_spend"] for row in rows} == {"-4.0000"}  # a number is no formula
    book = python_calamine.CalamineWorkbook.from_path(str(result.lists.xlsx))
    assert {row[0] for row in book.get_sheet_by_index(0).to_python()[1:]} == set(ids)


def test_only_the_owner_may_read_the_files(shop, tmp_path):
    shop.with_sales(shop.sells("a", date(2025, 2, 1), "5"))

    shop.result(tmp_path / "reports")

    assert (tmp_path / "reports").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "reports").iterdir()} == {0o600}


def test_a_list_of_an_earlier_run_is_removed_and_nothing_else(shop, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    for name in ("sales-reminder_email.csv", "sales-notes.csv", "other-reminder_email.csv"):
        (out / name).write_text("old")
    shop.with_sales(shop.sells("a", date(2025, 2, 1), "5"))

    shop.result(out)

    assert {path.name for path in out.glob("*.csv")} == {
        "sales-customers.csv", "sales-notes.csv", "other-reminder_email.csv",
    }  # fmt: skip


def test_a_workbook_longer_than_its_limit_is_left_out_and_the_page_says_so(shop, tmp_path, monkeypatch):
    monkeypatch.setattr(lists, "MOST_XLSX_ROWS", 1)
    shop.with_sales(shop.sells("a", date(2025, 2, 1), "5"), shop.sells("b", date(2025, 2, 1), "5"))

    result = shop.result(tmp_path / "out")

    assert result.lists.xlsx is None
    assert "There is no xlsx of all customers" in result.page.read_text()
    assert len(rows_of(result.lists.csv)) == 2


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("sales.csv", "sales"),
        ("orders export (3).csv.gz", "orders export (3)"),
        ("Satış 2024.v2.xlsx", "Satış 2024.v2"),
        ("a;b$(x).csv", "a_b_(x)"),
        (".csv", "sales"),
        ("x" * 300 + ".csv", "x" * 80),
    ],
)
def test_files_are_named_after_the_input(name, stem):
    assert stem_of(Path("/data") / name) == stem


def test_our_own_intake_reads_a_list_back(shop, tmp_path):
    shop.with_sales(shop.sells("a", date(2025, 2, 1), "5"))

    result = shop.result(tmp_path / "out")

    assert inspect(result.lists.csv).answer.outcome in ("asks", "refused")  # customers are no orders


@pytest.mark.parametrize("language", ["en", "tr"])
def test_a_customer_who_may_not_be_contacted_is_on_no_list_of_an_action(shop, tmp_path, language):
    shop.with_sales(*(shop.sells(name, AS_OF - timedelta(days=9), "5.00") for name in ("ann", "bob", "cid")))
    shop.put(
        CUSTOMERS,
        {"customer_id": "ann", "may_contact": True},
        {"customer_id": "bob", "may_contact": False},
        {"customer_id": "cid", "may_contact": None},
    )
    shop.put(
        ACTIONS,
        *(
            {
                "customer_id": name,
                "action_code": "reminder_email",
                "is_chosen": why is None,
                "exclusion": why,
                "explanation": "Because.",
            }
            for name, why in (("ann", None), ("bob", "unsubscribed"), ("cid", None))
        ),
    )

    result = shop.result(tmp_path / "out", language=language)

    everyone = {row["customer_id"]: row for row in rows_of(result.lists.csv)}
    told = [row["customer_id"] for row in rows_of(result.lists.actions["reminder_email"])]
    sentence = {"en": "may not be contacted", "tr": "ulaşılamayacağını"}[language]
    assert sorted(told) == ["ann", "cid"]
    assert everyone["bob"]["action"] == everyone["bob"]["action_reason"] == ""
    assert [everyone[name]["may_contact"] for name in ("ann", "bob", "cid")] == ["true", "false", ""]
    assert sentence in result.page.read_text()
