"""A simulated firm, written as the export of platforms in random dialects, is read to the cent."""

from datetime import date

import pytest

from include.intake import Options, inspect
from include.simulator import Plan
from include.simulator.exports import shop_of, write_file
from tests.intake.random_files import differs

PLAN = Plan(customers=150, start=date(2024, 1, 1), end=date(2025, 1, 1), seed=5, cancelled_share=0.05)


@pytest.mark.parametrize("layout", ["shopify", "stripe", "woocommerce_export", "refund_column"])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_simulated_firms_export_is_read_to_the_cent(tmp_path, layout, seed):
    shop = shop_of(PLAN)

    answer = inspect(write_file(shop, layout, tmp_path, seed=seed)).answer

    assert answer.outcome == "read", answer.record()
    assert differs(answer, shop) == ""


def test_a_firm_of_two_currencies_is_a_question_with_the_figures_of_each(tmp_path):
    shop = shop_of(PLAN, currencies=("EUR", "USD"))
    path = write_file(shop, "refund_column", tmp_path, seed=3)

    question = inspect(path).answer.question

    assert question.code == "several_currencies"
    for currency in ("EUR", "USD"):
        answer = inspect(path, Options(currency=currency)).answer
        only = shop.only(currency).figures()
        assert (answer.net_amount, answer.customers) == (only["net_amount"], only["customers"])
