"""The texts of churn factors are true of every customer who has the factor."""

import re

import pytest

from include.models.churn.factors import FACTORS

CLAIMS = re.compile(
    r"\b(no|long|later|late|less|more|fewer|little|low|small|seldom|narrow|often than|young|falling)\b", re.I
)


@pytest.mark.parametrize("factor", FACTORS, ids=lambda factor: factor.code)
def test_a_text_names_what_raises_the_score_and_claims_no_value_of_it(factor):
    # A contribution above zero compares a customer with others or with a fresh order, not with a bound.
    assert CLAIMS.findall(factor.text["en"]) == []
    assert factor.text["tr"]


def test_a_claim_is_found():
    assert CLAIMS.findall("No order for a long time") == ["No", "long"]
