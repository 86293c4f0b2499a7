"""Publishing to the firm's own Postgres: atomic, and never an older snapshot over a newer one."""

import signal
from decimal import Decimal

import psycopg
import pytest

from include.firms import PUBLISHED, FirmError, parse_firm
from include.publishing import PublishError, open_target
from include.publishing.tables import TABLES
from tests.publishing.conftest import ANCHOR, NEW, OLD, published, snapshot
from tests.things import ended, forked
from tests.warehouse.shop import ACME

POINTS = [
    "publish.after_table:1",
    "publish.after_table:3",
    "publish.after_table:5",
    "publish.before_commit:1",
]


def test_each_table_has_the_values_of_the_warehouse(analysed, crm):
    rows, note = published(analysed, crm.target)

    assert (rows, note) == (7, "")
    assert crm.ask(
        "select firm_id, unique_customer_id, rfm_score, rfm_segment, total_spend, clv_value, "
        "churn_probability, churn_risk_category, top_churn_factor, run_date from analytic_customer "
        "order by 2"
    ) == [
        ("acme", "ann", "555", "Champions", 100, None, Decimal("0.125"), "Low", None, NEW),
        ("acme", "bob", "145", "Lost", 50, None, Decimal("0.875"), "Critical", "overdue", NEW),
    ]
    assert crm.ask(
        "select run_id, run_date, currency_code, customers, revenue_at_risk, active_percent, orders, "
        "smart_insight from analytic_firm_based"
    ) == [("acme/2026-05-10", NEW, "GBP", 2, 50, 50, None, "You have 2 customers. Bob left.")]
    assert crm.ask(
        "select run_id, model_id, candidate, is_champion, run_date, auc, accuracy, precision_score, "
        "f1_score, true_positives, false_positives, false_negatives, true_negatives "
        "from churn_performance_metrics order by candidate"
    ) == [
        ("acme/2026-03-01", analysed.version, name, flag, ANCHOR, auc, *[Decimal("0.75")] * 3, 3, 1, 1, 3)
        for name, flag, auc in (("bgnbd", 1, Decimal("0.75")), ("recency", 0, Decimal("0.5")))
    ]
    assert crm.ask(
        "select run_id, feature_name, churn_factor, importance_rank, importance_score from "
        "churn_feature_importances"
    ) == [("acme/2026-03-01", "days_since_last_order", "overdue", 1, Decimal("0.25"))]
    assert crm.ask(
        "select run_date, scored_count, high_risk_count, high_risk_percent, critical_count, "
        "medium_risk_count, low_risk_count, expected_churners from churn_firm_based"
    ) == [(NEW, 2, 1, 50, 1, 0, 1, 1)]


def test_a_run_published_twice_leaves_the_same(analysed, crm):
    published(analysed, crm.target)
    before = crm.everything()

    published(analysed, crm.target, attempt=2)

    assert len(before) == 6
    assert crm.everything() == before


def test_runs_are_appended_and_customers_show_the_newest(analysed, crm):
    for day in (OLD, NEW):
        published(analysed, crm.target, day)

    assert crm.ask("select run_date from churn_firm_based order by 1") == [(OLD,), (NEW,)]
    assert crm.ask("select run_date from analytic_firm_based order by 1") == [(OLD,), (NEW,)]
    assert crm.ask("select unique_customer_id, run_date from analytic_customer order by 1") == [
        ("ann", NEW),
        ("bob", NEW),
    ]
    assert crm.ask("select count(*) from churn_performance_metrics") == [(2,)]


def test_an_older_run_adds_its_rows_and_does_not_replace_customers(analysed, crm):
    published(analysed, crm.target, NEW)

    _, note = published(analysed, crm.target, OLD, attempt=2)

    assert note == "analytic_customer shows the newer 2026-05-10 and was not changed"
    assert crm.ask(
        "select rfm_segment, run_date from analytic_customer where unique_customer_id = 'bob'"
    ) == [("Lost", NEW)]
    assert crm.ask("select run_date, high_risk_count from churn_firm_based order by 1") == [
        (OLD, 0),
        (NEW, 1),
    ]


def test_an_older_attempt_changes_nothing(analysed, crm):
    published(analysed, crm.target, attempt=8)
    before = crm.everything()
    snapshot(analysed, NEW, bob=("555", "champions", "Low", 0.5))

    with pytest.raises(
        PublishError, match=r"analytic_customer of acme/2026-05-10 was published by the newer attempt 8"
    ):
        published(analysed, crm.target, attempt=7)

    assert crm.everything() == before


def test_customers_missing_from_the_snapshot_are_deleted_and_other_firms_rows_stay(analysed, crm):
    published(analysed, crm.target)
    with psycopg.connect(crm.dsn) as connection:
        connection.execute(
            "insert into crm.analytic_customer (firm_id, unique_customer_id) values ('other', 'x')"
        )
        connection.execute(
            "insert into crm.analytic_customer (firm_id, unique_customer_id, run_id) "
            "values ('acme', 'gone', 'acme/2026-05-09')"
        )

    published(analysed, crm.target, attempt=2)

    assert crm.ask("select firm_id, unique_customer_id from analytic_customer order by 1, 2") == [
        ("acme", "ann"),
        ("acme", "bob"),
        ("other", "x"),
    ]


def test_a_killed_writer_leaves_the_tables_as_they_were(analysed, crm):
    published(analysed, crm.target, OLD)
    before = crm.everything()

    for point in POINTS:
        status = ended(forked(lambda: published(analysed, crm.target, attempt=2), fault=f"{point}:kill9"))

        assert status == -signal.SIGKILL, point
        assert crm.everything() == before, point
    published(analysed, crm.target, attempt=3)
    assert len(crm.everything()["churn_firm_based"]) == 2


def test_a_killed_first_writer_leaves_no_table(analysed, crm):
    status = ended(forked(lambda: published(analysed, crm.target), fault="publish.before_commit:1:kill9"))

    assert status == -signal.SIGKILL
    assert crm.everything() == {}


def test_a_writer_killed_after_its_commit_has_published_all(analysed, crm):
    status = ended(forked(lambda: published(analysed, crm.target), fault="publish.after_commit:1:kill9"))
    first = crm.everything()

    published(analysed, crm.target, attempt=2)

    assert status == -signal.SIGKILL
    assert crm.everything() == first
    assert len(first["analytic_customer"]) == 2


def test_only_the_tables_that_the_firm_names_are_made(analysed, crm):
    published(analysed, crm.target, names=("churn_firm_based",))

    assert set(crm.everything()) == {"analytic_publications", "churn_firm_based"}


def test_a_table_of_the_firms_own_that_lacks_columns_is_named(analysed, crm):
    with psycopg.connect(crm.dsn) as connection:
        connection.execute("create table crm.analytic_customer (firm_id text, unique_customer_id text)")

    with pytest.raises(PublishError, match=r"analytic_customer has no columns \['activity_status'"):
        published(analysed, crm.target)

    assert set(crm.everything()) == {"analytic_customer"}


def test_a_schema_that_is_not_there_is_named(analysed, crm):
    with psycopg.connect(crm.dsn) as connection:
        connection.execute("drop schema crm")

    with pytest.raises(PublishError, match="schema 'crm' of connection acme_crm: no such schema"):
        published(analysed, crm.target)


def test_an_erased_customer_is_deleted_from_the_firms_table(analysed, crm):
    never = crm.target.delete_customer("acme", "ann")
    published(analysed, crm.target)

    found = crm.target.delete_customer("acme", "ann")

    assert (never, found) == (0, 1)
    assert crm.ask("select unique_customer_id from analytic_customer") == [("bob",)]


def test_the_names_a_firm_may_give_are_those_of_the_tables():
    assert {table.name for table in TABLES} == set(PUBLISHED)
    with pytest.raises(FirmError, match=r"publish.*tables \['customers; drop'\] are unknown"):
        parse_firm(ACME | {"publish": {"conn_id": "crm", "schema": "crm", "tables": ["customers; drop"]}})
    with pytest.raises(FirmError, match=r"publish.schema: must be lower case letters"):
        parse_firm(ACME | {"publish": {"conn_id": "crm", "schema": "crm; drop"}})
    with pytest.raises(FirmError, match="conn_id and schema go together"):
        parse_firm(ACME | {"publish": {"conn_id": "crm"}})


def test_a_firm_publishes_only_where_its_row_says_so():
    quiet = parse_firm(ACME)
    told = parse_firm(ACME | {"publish": {"conn_id": "crm", "schema": "crm"}})

    assert "publish" not in quiet.shape.modules
    assert "publish" in told.shape.modules


def test_a_connection_of_another_kind_is_refused():
    firm = parse_firm(ACME | {"publish": {"conn_id": "crm", "schema": "crm"}})

    with pytest.raises(PublishError, match="connection crm is of type 'mysql'"):
        open_target(firm, lambda conn_id: "mysql://host/db")
