"""Customers who may not be contacted get no action."""

import random
from datetime import date, timedelta

import pytest

from include.models.actions import Customer
from include.models.contact import ContactRule, exclusion_of
from tests.models.test_actions import AS_OF, decided, rule

STRICT = ContactRule(require_consent=True, contact_gap_days=7)
LAX = ContactRule(contact_gap_days=7)


@pytest.mark.parametrize(
    ("contact", "may_contact", "days_ago", "why"),
    [
        (LAX, True, None, None),
        (LAX, None, None, None),
        (LAX, False, None, "unsubscribed"),
        (STRICT, None, None, "consent_unknown"),
        (STRICT, True, None, None),
        (LAX, True, 7, "recently_contacted"),
        (LAX, True, 8, None),
        (ContactRule(), True, 1, None),
        (STRICT, False, 1, "unsubscribed"),
        (STRICT, None, 1, "consent_unknown"),
    ],
)
def test_a_customer_has_at_most_one_reason(contact, may_contact, days_ago, why):
    last = None if days_ago is None else AS_OF - timedelta(days=days_ago)

    assert exclusion_of(contact, may_contact=may_contact, last_contact=last, as_of=AS_OF) == why


def test_who_may_not_be_contacted_is_neither_chosen_nor_held_out_nor_paid_for():
    rng = random.Random(4)
    customers = [
        Customer(
            f"c{n:04}", "recent", "High", 100, 1, rng.choice((True, False, None)),
            rng.choice((None, date(2025, 6, 28), date(2025, 1, 1))),
        )
        for n in range(1_000)
    ]  # fmt: skip

    rows = decided(customers, rules=[rule("card", 1, 0.1)], holdout_share=0.3, contact=STRICT)

    allowed = {c.customer_id for c in customers if c.may_contact and c.last_contact != date(2025, 6, 28)}
    assert {key for key, row in rows.items() if row.is_chosen or row.is_holdout} == allowed
    assert {key for key, row in rows.items() if row.exclusion is None} == allowed
    assert 0 < sum(row.is_holdout for row in rows.values()) < len(allowed) / 2


def test_the_budget_goes_to_customers_who_may_be_contacted():
    customers = [Customer("best", "s", "Low", 900, 1, False), Customer("next", "s", "Low", 100, 1, True)]

    rows = decided(customers, rules=[rule("card", 1, 0.1)], budget=1, contact=LAX)

    assert [key for key, row in rows.items() if row.is_chosen] == ["next"]
    assert rows["best"].exclusion == "unsubscribed"
