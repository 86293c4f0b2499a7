"""``try``: a report from a sales file, by the steps that a firm runs, with nothing else there."""

from __future__ import annotations

import csv
import json
import random
import re
import tempfile
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from include.cli import app
from include.intake import Options
from include.run import preview

LAST = date(2025, 2, 28)
CANARY = "canary-4711@post.test"


@pytest.fixture
def try_file(tmp_path, monkeypatch):
    """The command as people give it, where no warehouse is configured; exit code, what it said."""
    for name in ("FIRMAMENT_HOME", "FIRMAMENT_WAREHOUSE_DSN", "FIRMAMENT_ROOT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()

    def run(file: Path, *words: str) -> tuple[int, str]:
        arguments = ["try", str(file), "--out", str(tmp_path / "out"), *words]
        result = CliRunner().invoke(app, arguments, env={"COLUMNS": "400"})
        assert list((tmp_path / "tmp").iterdir()) == []
        return result.exit_code, result.output

    return run


def write(path: Path, header: tuple[str, ...], *, customers: int = 40) -> Path:
    """Some sales of each customer in the two months before ``LAST``, one by a canary on that day."""
    rng = random.Random(3)
    rows = [
        (f"o{n}-{k}", LAST - timedelta(days=rng.randint(0, 60)), f"c{n:03}", rng.randint(1, 90))
        for n in range(customers)
        for k in range(rng.randint(1, 5))
    ]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows, ("last", LAST, CANARY, 5)])
    return path


def profile_of(tmp_path: Path) -> dict:
    (found,) = (tmp_path / "out").glob("*-data.json")
    return json.loads(found.read_text())


def test_a_file_with_canonical_columns_needs_no_options(try_file, tmp_path):
    file = write(tmp_path / "sales.csv", ("transaction_id", "occurred_at", "customer_id", "net_amount"))

    code, message = try_file(file)

    profile = profile_of(tmp_path)
    html = tmp_path / "out" / "sales.html"
    assert code == 0, message
    assert profile["as_of"] == "2025-03-01"  # the day after the last sale: all of the file is known
    assert sum(row["customers"] for row in profile["segments"]) == 41
    assert "41 customers placed" in message
    assert "Your customers in groups" in html.read_text()
    assert "No chance of leaving is given" in html.read_text()
    assert "churn: rules are used" in message
    for path in (tmp_path / "out").iterdir():
        is_list = "customers" in path.name or path.suffix == ".csv"
        assert is_list or CANARY not in path.read_text(), f"{path.name} names a customer"
    assert CANARY in (tmp_path / "out" / "sales-customers.csv").read_text()


def test_json_begins_with_what_was_understood_and_names_the_report(try_file, tmp_path):
    file = write(tmp_path / "sales.csv", ("Order No", "Date", "Client", "Total"))

    code, said = try_file(file, "--json")

    answer = json.loads(said)
    assert (code, answer["outcome"], answer["customers"], answer["last_day"]) == (0, "read", 41, str(LAST))
    assert answer["report"]["as_of"] == "2025-03-01"
    assert Path(answer["report"]["html"]).is_file()


def test_the_margin_of_the_option_is_on_the_page_and_in_the_values(try_file, tmp_path):
    rng = random.Random(5)
    file = tmp_path / "sales.csv"
    days = [LAST - timedelta(days=n) for n in range(0, 500, 5)]
    with file.open("w", newline="") as out:
        csv.writer(out).writerows(
            [
                ("Order No", "Date", "Client", "Total"),
                *((n, rng.choice(days), f"c{n % 40:02}", rng.randint(5, 90)) for n in range(400)),
            ]
        )

    assert try_file(file)[0] == 0
    page = (tmp_path / "out" / "sales.html").read_text()
    assert try_file(file, "--margin", "0.6", "--language", "tr")[0] == 0

    turkish = (tmp_path / "out" / "sales.html").read_text()
    assert "margin in the next year (30% assumed)" in page
    assert "gelecek yılki kâr (varsayılan oran %60)" in turkish
    assert 'lang="tr"' in turkish
    assert _value_of(turkish) == pytest.approx(2 * _value_of(page), rel=1e-3)


def _value_of(page: str) -> float:
    """The expected value of the first cards: the margin of the next year."""
    cards = page.partition('<dl class="cards">')[2].partition("</dl>")[0]
    return float(re.findall(r'<dd><data value="([^"]*)"', cards)[5])


@pytest.mark.parametrize("margin", ["0", "-0.1", "35", "nan"])
def test_a_margin_that_is_no_share_is_refused_before_the_sales_are_read(try_file, tmp_path, margin):
    (tmp_path / "sales.csv").write_text("not read")

    code, said = try_file(tmp_path / "sales.csv", "--margin", margin)

    assert code == 2
    assert "is not a share of sales; give one from 0 to 1" in said


def test_a_question_ends_with_exit_code_3_and_its_choices(try_file, tmp_path):
    file = tmp_path / "sales.csv"
    file.write_text("Order No,Date,Client,Total\n1,03/04/2025,a,5\n2,05/06/2025,b,5\n")

    code, said = try_file(file)

    assert code == 3
    assert "--date-order" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("dates", "code", "message"),
    [(("03/04/2025", "05/06/2025"), 3, "--date-order"), (("2025-13-01", "2025-01-05"), 2, "bad_date 2")],
    ids=["question", "refusal"],
)
def test_the_warnings_are_shown_before_a_file_that_is_not_read(try_file, tmp_path, dates, code, message):
    folder = tmp_path / "exports"
    folder.mkdir()
    for name in ("a.csv", "b.csv"):
        rows = "".join(f"{n},{dates[n % 2]},a,5\n" for n in range(4))
        (folder / name).write_text(f"Order No,Date,Client,Total\n{rows}")

    found, said = try_file(folder)

    assert found == code
    assert message in said
    assert "! b.csv has the same rows as a.csv and was read once" in said


def test_columns_of_any_name_are_mapped(tmp_path):
    file = write(tmp_path / "till.csv", ("Bon", "When", "Client", "Total"))
    mapping = {"transaction_id": "Bon", "occurred_at": "When", "customer_id": "Client", "net_amount": "Total"}
    about = {"timezone": "UTC", "currency": "TRY", "churn_threshold_days": 60}

    firm, _ = preview.firm_of(file, tmp_path, options=Options(mapping=mapping), **about)

    assert (firm.name, firm.source.layout, firm.currency) == ("till.csv", "mapped", "TRY")
    assert preview.usable_day(firm, tmp_path) == LAST + timedelta(days=1)


def test_a_file_without_order_ids_is_read_by_customer_and_day(tmp_path):
    file = write(tmp_path / "sales.CSV", ("cds", "date", "customer_id", "spend"))

    firm, answer = preview.firm_of(file, tmp_path, timezone="UTC", currency="USD", churn_threshold_days=60)

    assert (firm.source.layout, answer.customers) == ("mapped", 41)


@pytest.mark.parametrize(
    ("name", "text", "words", "reason"),
    [
        ("sales.csv", "Bon;Total\n1;2\n", (), "no column contains the date of an order"),
        ("sales.xlsx", "PK\x03\x04x", (), "is a workbook that cannot be opened"),
        ("sales.csv", "x", ("--map", "customer_id"), "write OURS=THEIRS"),
        (
            "sales.csv",
            "Bon,When,Total\n1,2025-01-01,5\n",
            ("--map", "transaction_id=Bon", "--map", "occurred_at=When", "--map", "net_amount=Total"),
            "no column identifies the customer",
        ),
        (
            "sales.csv",
            "transaction_id,occurred_at,customer_id,net_amount\n1,2025-01-01,,5\n",
            (),
            "no column identifies the customer",
        ),
        (
            "sales.csv",
            "transaction_id,occurred_at,customer_id,net_amount\n1,2025-01-01,,5\n2,2025-02-01,a,5\n",
            ("--as-of", "2025-02-01"),
            "the first sale of sales.csv with a customer is of 2025-02-01, so --as-of must be 2025-02-02",
        ),
        (
            "sales.csv",
            "transaction_id,occurred_at,customer_id,net_amount\n",
            (),
            "has a header and no rows",
        ),
        (
            "sales.csv",
            "transaction_id,occurred_at,customer_id,net_amount\n1,2025-01-01,a,5\n",
            ("--currency", "dollars"),
            "currency",
        ),
    ],
)
def test_an_unusable_file_is_refused_with_the_reason(try_file, tmp_path, name, text, words, reason):
    (tmp_path / name).write_text(text)

    code, message = try_file(tmp_path / name, *words)

    assert code == 2
    assert reason in " ".join(message.split())
    assert len(message.splitlines()) <= 5
    assert not (tmp_path / "out").exists()


def test_an_out_that_is_a_file_is_refused_before_the_sales_are_read(try_file, tmp_path):
    (tmp_path / "out").write_text("a file")

    code, message = try_file(tmp_path / "nothing.csv")
    (tmp_path / "sales.csv").write_text("not read")
    again, told = try_file(tmp_path / "sales.csv")

    assert (code, again) == (2, 2)
    assert "nothing.csv: No such file" in message
    assert "out is not a folder" in told
