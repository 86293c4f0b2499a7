"""One made-up file per platform: recognised, and read to the cent."""

import re
from decimal import Decimal

import pytest
import yaml

from include.intake import Options, inspect
from include.intake.platforms import PLATFORMS as ROWS
from tests.intake.conftest import PLATFORMS

EXPECTED = yaml.safe_load((PLATFORMS / "expected.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_platforms_export_is_read_to_the_cent(name):
    expected = EXPECTED[name]
    (path,) = PLATFORMS.glob(f"{name}.*")

    answer = inspect(path).answer

    if "refusal" in expected:
        assert (answer.outcome, answer.refusal.code) == ("refused", expected["refusal"])
    else:
        record = answer.record()
        figures = {key: value for key, value in expected.items() if key not in ("source", "platform")}
        assert record["platform"] == expected.get("platform", name)
        assert {key: record[key] for key in figures} == figures, record


def test_every_platform_has_a_file():
    assert {row.name for row in ROWS} == {of.get("platform", name) for name, of in EXPECTED.items()}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_platforms_file_cites_the_source_of_its_header(name):
    assert re.match(r"[a-z.-]+\.[a-z]{2,}\b", EXPECTED[name]["source"])


CHARGES = "id,created,amount,amount_refunded,currency,customer,status\n"


@pytest.mark.parametrize(
    ("currency", "amount", "net"),
    [("usd", "2550", "25.5"), ("jpy", "2550", "2550"), ("kwd", "25500", "25.5"), ("isk", "500", "5"),
     ("usd", "25.50", "25.5"), ("usd", "2550.00", "2550")],
)  # fmt: skip
def test_stripe_api_amounts_are_in_the_smallest_unit_of_their_currency(write, currency, amount, net):
    rows = "".join(
        f"ch_{n},2024-05-{n:02}T10:00:00Z,{amount},0,{currency},cus_{n},succeeded\n" for n in (1, 2)
    )

    answer = inspect(write(CHARGES + rows)).answer

    assert (answer.platform, answer.net_amount) == ("stripe_api", 2 * Decimal(net))
    warned = "minor_units" in {message.code for message in answer.findings.warnings}
    assert warned == ("." not in amount)


def test_charges_in_two_currencies_each_have_their_own_unit(write):
    first = "ch_1,2024-05-01T10:00:00Z,2550,50,usd,cus_1,succeeded\n"
    second = "ch_2,2024-05-02T10:00:00Z,900,0,jpy,cus_2,succeeded\n"
    path = write(CHARGES + first + second)

    asked = inspect(path).answer.question

    assert asked.code == "several_currencies"
    assert [inspect(path, Options(currency=code)).answer.net_amount for code in ("USD", "JPY")] == [25, 900]


def test_payment_intents_count_what_was_received(write):
    header = "id,object,created,amount,amount_received,currency,customer,status\n"
    paid = "pi_1,payment_intent,1709631000,2550,2550,eur,cus_1,succeeded\n"
    open_one = "pi_2,payment_intent,1709631000,9900,0,eur,cus_2,requires_payment_method\n"

    answer = inspect(write(header + paid + open_one)).answer

    assert (answer.platform, answer.net_amount, answer.orders) == ("stripe_api", Decimal("25.5"), 1)


def test_a_dashboard_export_in_whole_units_is_read_as_written(write):
    header = "id,Created (UTC),Amount,Amount Refunded,Currency,Customer ID,Status\n"

    answer = inspect(write(header + "ch_1,2024-05-01 10:00,2550,0,usd,cus_1,Paid\n")).answer

    assert (answer.platform, answer.net_amount) == ("stripe_payments", 2550)
