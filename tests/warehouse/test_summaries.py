"""Stored summaries equal what the facts say, after any order of loads, reruns, erasures and retention."""

from __future__ import annotations

import random
from datetime import date, timedelta

import psycopg
import pytest

from include.warehouse.summaries import SUMMARIES, Summaries
from tests.sql.view.test_every_view import TABLES
from tests.warehouse.churn_rows import at_risk, model
from tests.warehouse.engagement_rows import won
from tests.warehouse.shop import Shop, returned, sale, scored
from tests.warehouse.value_rows import load as load_values
from tests.warehouse.value_rows import valued

__all__ = ["TABLES"]

DAYS = [date(2026, month, day) for month in (8, 9, 10) for day in (1, 10, 20)]
MONTHS = ("2026-07", "2026-08", "2026-09", "2026-10")
PEOPLE = ("ann", "bob", "cid", "dan")


class History:
    """Random loads of one firm. A load never repeats: each has other rows."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self.shop, self.dice = shop, random.Random(seed)
        shop.customers(DAYS[0], *({"customer_id": who} for who in PEOPLE))
        self.version = model(shop, date(2026, 7, 1))
        self.sold: dict[str, list[dict]] = {month: [] for month in MONTHS}
        self.people, self.number = list(PEOPLE), 0
        self.products(DAYS[0])

    def step(self) -> str:
        """One random load; what it was."""
        name = self.dice.choice(("sales", "sales", "rfm", "values", "risk", "actions", "leads", "products"))
        getattr(self, name)(self.dice.choice(DAYS))
        return name

    def sales(self, as_of: date) -> None:
        """A month again, with one more sale or return on any of its days: often a late one."""
        month = self.dice.choice([m for m in MONTHS if m <= f"{as_of:%Y-%m}"])
        day = date.fromisoformat(f"{month}-{self.dice.randint(1, 28):02d}")
        make = self.dice.choice((sale, sale, sale, returned))
        self.number += 1
        more = {"product_id": self.dice.choice(("tea", "jam")), "channel": self.dice.choice(("web", None))}
        who = self.dice.choice([*self.people, None])
        self.sold[month].append(make(f"t{self.number}", day, who, self.dice.randint(1, 50), **more))
        if self.dice.random() < 0.2:
            self.sold[month].pop(0)
        self.shop.sales(month, *self.sold[month], as_of=as_of)

    def rfm(self, as_of: date) -> None:
        """An RFM snapshot, or a rerun of it."""
        segments = ("champions", "lost")
        self.shop.rfm(
            as_of,
            *(
                scored(who, as_of, segment=self.dice.choice(segments), spend=self.dice.randint(1, 9))
                for who in self.people
            ),
        )

    def values(self, as_of: date) -> None:
        """A snapshot of values."""
        load_values(self.shop, as_of, *(valued(who, year=self.dice.randint(1, 99)) for who in self.people))

    def risk(self, as_of: date) -> None:
        """A snapshot of churn risks."""
        risks = [
            at_risk(who, as_of, self.version, category="High", factors=["overdue"], probability=0.5)
            for who in self.people
            if self.dice.random() < 0.8
        ]
        self.shop.load("fact_customer_churn_risk", as_of.isoformat(), risks)

    def actions(self, as_of: date) -> None:
        """A plan."""
        planned = {"action_code": "call", "expected_benefit_amount": 50, "explanation": "Why."}
        rows = [
            planned
            | {"customer_id": who, "cost_amount": self.dice.randint(1, 9)}
            | {"is_holdout": number % 2 == 1, "is_chosen": number % 2 == 0}
            for number, who in enumerate(self.people)
        ]
        self.shop.load("fact_action", as_of.isoformat(), rows)

    def leads(self, as_of: date) -> None:
        """A snapshot of acquisitions."""
        day = as_of - timedelta(days=9)
        cost = self.dice.randint(1, 9)
        rows = [won("l1", day, self.people[0], channel_code="mail", acquisition_cost=cost)]
        self.shop.load("fact_customer_acquisition", as_of.isoformat(), rows)

    def products(self, as_of: date) -> None:
        """Products whose names never change."""
        names = [{"product_id": "tea", "product_name": "Tea"}, {"product_id": "jam", "product_name": "Jam"}]
        self.shop.load("dim_product", as_of.isoformat(), names)

    def erase(self, who: str) -> None:
        """Forget one customer in the warehouse and in what the source yields."""
        self.people.remove(who)
        self.shop.warehouse.erasures.forget_rows(
            self.shop.firm_key, who, [], lambda column, kind: False, lambda held: held, [who]
        )
        for lines in self.sold.values():
            for line in lines:
                line["customer_id"] = None if line["customer_id"] == who else line["customer_id"]


def differing(shop: Shop) -> tuple[list[str], int]:
    """Summaries and days whose stored rows are not those of the facts; how many are stored."""
    wrong, stored = [], 0
    rows = "(select jsonb_agg(to_jsonb(f) order by to_jsonb(f)) from mart.{0}%s('{1}', date '{2}') as f), "
    query = "select " + rows % "" + rows % "_from_facts" + "analytics.has_summary('{0}', '{1}', date '{2}')"
    with psycopg.connect(shop.dsn) as connection:
        for summary in SUMMARIES:
            for day in DAYS:
                asked = query.format(summary.name, shop.firm_key, day)
                shown, computed, is_stored = connection.execute(asked).fetchone()
                stored += is_stored
                if shown != computed:
                    wrong.append(f"{summary.name} {day}: {shown} {computed}")
    return wrong, stored


@pytest.mark.parametrize("seed", range(4))
def test_a_summary_equals_the_facts_after_any_order_of_loads(shop, seed):
    history = History(shop, seed)
    done, counted = [], 0

    for number in range(24):
        done.append(history.step())
        if number == 12:
            history.erase("bob")
            done.append("erase")
        if number % 6 == 5:
            wrong, stored = differing(shop)
            assert (wrong, done) == ([], done)
            counted += stored

    assert counted > 20


def test_the_command_fills_what_is_missing_and_changes_no_result(shop):
    history = History(shop, 7)
    for _ in range(20):
        history.step()
    shop.warehouse.session.connection.execute(
        "truncate analytics.dim_summary; truncate analytics.summary_cohort_value"
    )
    for summary in SUMMARIES:
        shop.warehouse.session.connection.execute(f"truncate analytics.summary_{summary.name}")
    _, before = differing(shop)

    filled = list(Summaries(shop.warehouse.session).fill_missing("acme"))
    again = list(Summaries(shop.warehouse.session).fill_missing("acme"))

    wrong, after = differing(shop)
    assert (before, wrong, again) == (0, [], [])
    assert after > 10
    assert len(filled) >= after


def test_a_summary_survives_the_removal_of_its_snapshot_and_an_erasure_after_it(shop):
    day, later = DAYS[0], DAYS[1]
    history = History(shop, 1)
    history.rfm(day)
    history.rfm(later)
    before = shop.ask("select * from mart.vw_rfm_segment_summary_history where as_of = %s order by 3", day)

    shop.warehouse.session.connection.execute(
        "delete from analytics.fact_customer_rfm where as_of = %s", [day]
    )
    shop.warehouse.session.connection.execute("delete from analytics.dim_snapshot where as_of = %s", [day])
    history.erase("bob")

    after = shop.ask("select * from mart.vw_rfm_segment_summary_history where as_of = %s order by 3", day)
    kept = shop.ask("select sum(customer_count) from mart.rfm_segment_summary('acme', %s)", day)
    renewed = shop.ask("select sum(customer_count) from mart.rfm_segment_summary('acme', %s)", later)
    assert len(before) > 0
    assert after == before
    assert (kept, renewed) == ([(4,)], [(3,)])

    shop.rfm(day, scored("ann", day))

    assert shop.ask("select sum(customer_count) from mart.rfm_segment_summary('acme', %s)", day) == [(1,)]


def test_a_load_of_new_days_keeps_the_summaries_of_earlier_days(shop):
    lines = [sale("a", date(2026, 8, 5)), sale("b", date(2026, 8, 15))]
    shop.sales("2026-08", *lines[:1], as_of=date(2026, 8, 10))
    stored = "select as_of, filled_at from analytics.dim_summary where summary_name = 'cohort_value'"
    (first,) = shop.ask(stored)

    shop.sales("2026-08", *lines, as_of=date(2026, 8, 20))
    kept = shop.ask(stored + " order by as_of")
    shop.sales("2026-08", sale("late", date(2026, 8, 9)), *lines, as_of=date(2026, 8, 20))
    left = shop.ask(stored)

    assert kept[0] == first
    assert [day for day, _ in kept] == [date(2026, 8, 10), date(2026, 8, 20)]
    assert [day for day, _ in left] == [date(2026, 8, 20)]


def test_an_attribute_that_changes_later_does_not_change_an_earlier_summary(shop):
    early, later = date(2026, 8, 10), date(2026, 8, 20)
    for as_of, name in ((early, "Tea"), (later, "Green tea")):
        shop.load("dim_product", as_of.isoformat(), [{"product_id": "tea", "product_name": name}])
        shop.sales("2026-08", sale("a", date(2026, 8, 5)), as_of=as_of)

    named = shop.ask(
        "select member from mart.cohort_value('acme', %s) where attribute = 'first_product'", early
    )
    now = shop.ask(
        "select member from mart.cohort_value('acme', %s) where attribute = 'first_product'", later
    )

    assert (named, now) == ([("Tea",)], [("Green tea",)])


def test_a_summary_has_the_columns_of_its_function_in_their_order(module_migrated_dsn):
    columns = (
        "select array(select format_type(atttypid, null) from pg_attribute where attrelid = %s::regclass "
        "and attnum > 0 and not attisdropped and attname not in ('firm_sk', 'as_of') order by attnum), "
        "array(select type from unnest(proallargtypes::regtype[]::text[], proargmodes) as a (type, mode) "
        "where mode = 't') from pg_proc where pronamespace = 'mart'::regnamespace and proname = %s"
    )
    with psycopg.connect(module_migrated_dsn) as connection:
        for summary in SUMMARIES:
            for function in (summary.name, f"{summary.name}_from_facts"):
                stored, returned_ = connection.execute(
                    columns, [f"analytics.summary_{summary.name}", function]
                ).fetchone()
                assert stored == returned_, f"change the table of {function} in a migration of its own"
