"""The page: true for every shop, in both languages, and without markup of the file."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from html import unescape

import pytest

from include.intake import inspect
from include.overview.grids import _style, contrast
from include.overview.sentences import SENTENCES
from include.overview.words import slots, texts
from tests.overview.conftest import HOSTILE
from tests.report.conftest import AS_OF

MARGIN_MONEY = {"expected_value", "at_risk", "planned_benefit", "horizon_value"}


def text_of(html: str) -> str:
    """What a reader sees of a page."""
    html = re.sub(r"<style>.*?</style>", "", html, flags=re.S)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", "", html))).replace("\u00a0", " ")


def days_ago(days: int) -> date:
    return AS_OF - timedelta(days=days)


def test_a_shop_of_one_order_has_no_sentence_without_evidence(shop, tmp_path):
    shop.with_sales(shop.sells("a", days_ago(1), "5"))

    text = text_of(shop.result(tmp_path).page.read_text())

    assert "1 customer placed 1 order on February 28, 2025 and brought £5.00 after returns." in text
    for word in (
        "Half of the customers",
        "of them",
        "more than in",
        "less than in",
        "best month",
        "{",
        "None",
    ):
        assert word not in text, word
    assert "At least 28 are needed to compare two periods" in text
    assert "There is no picture: the file has sales in fewer than three calendar months" in text
    for reason in ("the scores were not computed", "No value is predicted: this was not computed",
                   "Nothing is said about leaving", "No action is proposed"):  # fmt: skip
        assert reason in text


def test_a_file_of_45_days_says_nothing_about_years(shop, tmp_path):
    shop.with_sales(*(shop.sells(f"c{n}", days_ago(n), "10") for n in range(1, 46)))
    shop.with_value(**{f"c{n}": "5" for n in range(1, 46)})

    text = text_of(shop.result(tmp_path).page.read_text())

    assert "In the last 14 days sales were £140.00, about as much as in the 14 days before." in text
    assert "The season may be a reason: the file is too short" in text
    assert "a year earlier they were" not in text
    assert "The file covers 45 days. A whole year ahead is an extrapolation" in text
    assert "What belongs to the season: that takes more than a year" in text


def test_a_change_is_against_the_days_before_and_the_same_days_a_year_earlier(shop, tmp_path):
    shop.with_sales(
        shop.sells("a", days_ago(10), "300"),
        shop.sells("b", days_ago(100), "400"),
        shop.sells("a", days_ago(370), "200"),
        shop.sells("a", days_ago(800), "50"),
    )

    result = shop.result(tmp_path)
    text = text_of(result.page.read_text())

    assert "In the last 90 days sales were £300.00: 25% less than in the 90 days before." in text
    assert "Against the same 90 days a year earlier they were 50% higher" in text
    assert [(period.name, period.net_sales) for period in result.summary.periods] == [
        ("now", Decimal(300)), ("before", Decimal(400)), ("year_ago", Decimal(200)),
    ]  # fmt: skip
    assert [period.new_customers for period in result.summary.periods] == [0, 1, 0]


def test_a_shop_of_one_order_each_is_described_as_such(shop, tmp_path):
    shop.with_sales(*(shop.sells(f"c{n}", days_ago(n + 40), "10") for n in range(30)))

    text = text_of(shop.result(tmp_path).page.read_text())

    assert "Every customer has ordered once so far; none has ordered again." in text
    assert "Customers who come back" not in text


def test_guests_are_in_no_figure_of_customers(shop, tmp_path):
    shop.with_sales(shop.sells("a", days_ago(2), "5"), shop.sells(None, days_ago(1), "15"))

    result = shop.result(tmp_path)

    assert result.summary.figures["net_sales"].value == Decimal(5)
    assert "Orders without a customer (guests): 1, worth £15.00." in text_of(result.page.read_text())
    assert "Who the guests are: 75% of the sales have no customer." in text_of(result.page.read_text())


def test_a_score_by_rules_is_never_shown_as_a_chance(shop, tmp_path):
    shop.with_sales(*(shop.sells(f"c{n}", days_ago(n + 1), "10") for n in range(5)))
    shop.with_value(**{f"c{n}": "5" for n in range(5)})
    shop.with_chances(**{f"c{n}": None for n in range(5)})

    result = shop.result(tmp_path)

    text = text_of(result.page.read_text())
    assert "No chance of leaving is given" in text
    assert "The names below are ranks, not chances." in text
    assert "at risk" not in text
    assert "expected to order nothing" not in text
    header, row, *_ = result.lists.csv.read_text(encoding="utf-8-sig").splitlines()
    assert (
        dict(zip(header.replace('"', "").split(","), row.split(","), strict=True))["chance_of_leaving"] == ""
    )


def test_money_at_risk_is_the_sum_of_chance_times_value_with_its_interval(shop, tmp_path):
    shop.with_sales(*(shop.sells(f"c{n}", days_ago(n + 1), "10") for n in range(4)))
    shop.with_value(c0="100", c1="50", c2="10", c3="0")
    shop.with_chances(c0=0.5, c1=0.1, c2=1.0, c3=0.9)

    figures = shop.result(tmp_path).summary.figures

    assert figures["at_risk"].value == Decimal(65)
    # Deviation 1 of each customer's spend, half of it margin; parameters are off by a tenth; z is 1.5.
    deviation = ((0.25 + 0.01 + 1.0 + 0.81) * 0.5**2 + (0.1 * 65) ** 2) ** 0.5
    assert figures["at_risk_low"].number == pytest.approx(65 - 1.5 * deviation)
    assert figures["at_risk_high"].number == pytest.approx(65 + 1.5 * deviation)
    assert figures["expected_leavers"].value == round(0.5 + 0.1 + 1.0 + 0.9)


def test_a_part_of_the_sales_is_no_share_where_returns_outweigh_another_part(shop, tmp_path):
    amounts = {f"c{n}": "100" if n < 4 else "-5" for n in range(40)}
    shop.with_sales(*(shop.sells(name, days_ago(9), amount) for name, amount in amounts.items()))
    shop.with_segments(
        spend=amounts,
        **{name: "loyal" if amount == "-5" else "champions" for name, amount in amounts.items()},
    )

    result = shop.result(tmp_path)

    text = text_of(result.page.read_text())
    assert "Loyal Customers is the largest group: 90% of the customers." in text
    assert "of the sales" not in text
    assert "top_net_sales" not in result.summary.figures  # 400 of 220 is no share


@pytest.mark.parametrize(("horizon", "is_said"), [("90", True), ("110", False)])
def test_a_nearer_horizon_is_left_out_where_it_contradicts_the_year(shop, tmp_path, horizon, is_said):
    shop.with_sales(*(shop.sells(f"c{n}", days_ago(n + 1), "10") for n in range(4)))
    shop.with_value(horizon=horizon, c0="50")

    result = shop.result(tmp_path)

    assert result.summary.figures["expected_spend"].value == Decimal(100)
    assert ("horizon_spend" in result.summary.figures) is is_said
    assert ("Nearer ahead, which is surer" in text_of(result.page.read_text())) is is_said


def test_a_mean_outside_its_range_is_explained(shop, tmp_path):
    shop.with_sales(shop.sells("a", days_ago(2), "5"), shop.sells("b", days_ago(2), "5"))
    shop.with_value(a="5", b="0")

    text = text_of(shop.result(tmp_path).page.read_text())

    assert "For 1 of 2 customers the average lies outside the range." in text


def test_every_text_with_an_amount_of_margin_names_the_margin():
    unnamed = {
        sentence.key
        for sentence in SENTENCES
        for cited in [slots(texts("en")[f"sentence.{sentence.key}"])]
        if cited & MARGIN_MONEY and "assumed_margin" not in cited and not sentence.key.endswith("_source")
    }

    # The plan's sentence is followed by the one about what it assumes, wherever the first is shown.
    assert unnamed == {"actions"}
    assert (
        next(s for s in SENTENCES if s.key == "actions_assumed").when
        == next(s for s in SENTENCES if s.key == "actions").when
    )


def test_a_sentence_without_its_evidence_is_left_out(shop, tmp_path):
    shop.with_sales(shop.sells("a", days_ago(2), "5"))
    shop.with_segments(a="loyal")

    text = text_of(shop.result(tmp_path).page.read_text())

    assert "Each customer is in one group" in text
    assert "Tested on the past" not in text
    assert "In 8 of 10 cases" not in text.partition("Words used here")[0].partition("Who is likely")[0]


def test_the_turkish_page_has_no_english_text(shop, tmp_path):
    shop.with_sales(*(shop.sells(f"c{n:02}", days_ago(1 + 17 * n), f"{n + 1}") for n in range(60)))
    shop.with_segments(**{f"c{n:02}": ("loyal", "lost", "champions")[n % 3] for n in range(60)})
    shop.with_value(**{f"c{n:02}": f"{n + 1}" for n in range(60)})
    shop.with_chances(**{f"c{n:02}": n / 60 for n in range(60)})

    text = text_of(shop.result(tmp_path, language="tr", data_page="sales-data.html").page.read_text())

    english, turkish = texts("en"), texts("tr")
    for key, value in english.items():
        longest = max(re.split(r"\{[^}]*\}", value), key=len).strip(" .,;:()")
        if len(longest.split()) > 1 and longest not in turkish[key]:
            assert longest not in text, key
    for word in (" the ", " and ", " customers", "Loyal Customers", "Bought lately", "Feb 2025", "February"):
        assert word not in text, word
    assert "28 Şubat 2025" in text
    assert "Sadık Müşteriler" in text


@pytest.mark.parametrize("language", ["en", "tr"])
def test_names_from_the_file_are_text_and_never_markup(shop, tmp_path, language):
    shop.with_sales(shop.sells(HOSTILE, days_ago(2), "5"), shop.sells("b", days_ago(40), "5"))
    shop.with_segments(b="loyal")
    (tmp_path / "in").mkdir()
    file = tmp_path / "in" / "sales.csv"
    file.write_text(
        "Order No,Date,Client,Total,Status\n"
        + "".join(f"{n},2025-01-{n:02},c{n},{n}.50,paid\n" for n in range(1, 29))
        + f'99,never,"{HOSTILE.replace(chr(34), chr(34) * 2)}",5,paid\n'
    )

    html = shop.result(
        tmp_path / "out", language=language, name=HOSTILE, answer=inspect(file).answer
    ).page.read_text()

    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    assert "<script" not in html
    assert HOSTILE in text_of(html)


@pytest.mark.parametrize(
    ("language", "reason", "rejected"),
    [
        ("en", "The order is cancelled, failed or unpaid.", "Rows left out"),
        ("tr", "Sipariş iptal edilmiş, başarısız veya ödenmemiş.", "Dışarıda bırakılan satır"),
    ],
)
def test_the_page_says_how_the_file_was_read(shop, tmp_path, language, reason, rejected):
    shop.with_sales(shop.sells("a", days_ago(2), "5"))
    file = tmp_path / "till.csv"
    lines = [f"{n},2025-01-{n:02},c{n},{n}.50,paid" for n in range(1, 29)]
    cancelled = "99,2025-01-28,c9,12.25,cancelled"
    file.write_text("\n".join(["Order No,Date,Client,Total,Status", *lines, cancelled, ""]))

    html = shop.result(tmp_path / "out", language=language, answer=inspect(file).answer).page.read_text()

    text = text_of(html)
    assert reason in text
    assert rejected in text
    assert '<data value="12.25"' in html  # the money of the rejected row
    assert "99 | 2025-01-28 | c9" in text  # the sample
    assert '<data value="29">' in html  # rows read


def test_text_on_every_shade_has_enough_contrast():
    for step in range(101):
        style = _style(step / 100)
        background = [int(part) for part in re.search(r"rgb\((\d+),(\d+),(\d+)\)", style).groups()]
        ink = (255, 255, 255) if "#fff" in style else (0, 0, 0)
        assert contrast(background, ink) >= 4.5, style


def test_a_turkish_page_has_no_english_message(shop, tmp_path):
    sales = tmp_path / "sales.csv"
    rows = [f"{n},2024-0{n % 5 + 1}-{n % 27 + 1:02},c{n % 7},{n}.50,Paid,10%" for n in range(1, 61)]
    rows += ["70,2062-01-01,c1,5.00,Paid,", "71,2024-13-45,c1,1250.00,Paid,", "72,2024-05-01,,5.00,Swap,"]
    rows += ["73,2024-05-01,c1,5.00,Cancelled,", "74,2024-05-01,C1,5.00,Refunded,", "Total,,,99.00,,"]
    sales.write_text("\n".join(["Order ID,Date,Customer,Amount,Status,Note", *rows, "1,2,3,4,5,6,7"]) + "\n")
    shop.with_sales(shop.sells("c1", date(2025, 1, 1), "10"))
    answer = inspect(sales).answer

    page = shop.result(tmp_path / "out", language="tr", answer=answer).page.read_text(encoding="utf-8")

    given = {message.code for message in (*answer.findings.warnings, *answer.findings.notes)}
    assert given >= {"future_date", "rejected_rows", "ragged_rows", "cancelled_orders", "refunds", "guests"}
    for message in (*answer.findings.warnings, *answer.findings.notes):
        assert message.text not in page
    section = unescape(page[page.index("Lütfen denetleyin") :])
    assert "1 satır kullanılamıyor: okunamayan tarih (1)." in section
    assert not re.search(r">[^<]*\b(rows|the|are|was|were|counted)\b[^<]*<", section.partition("<table")[0])
