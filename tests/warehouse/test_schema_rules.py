"""What the schema itself holds to, whoever writes: ranges, and indexes that analysts' questions need."""

import psycopg
import pytest

RANGES = [
    *(
        ("fact_customer_rfm", f"{what}_score", (1, 5), (0, 6))
        for what in ("recency", "frequency", "monetary")
    ),
    ("fact_customer_rfm", "rfm_score", ("155",), ("655", "15")),
    ("fact_customer_rfm", "recency_percentile", (0, 100), (-1, 101)),
    ("fact_customer_churn_risk", "churn_risk_score", (0, 100), (-1, 101)),
    ("fact_customer_churn_risk", "churn_probability", (0, 1), (-0.1, 1.1)),
    ("fact_customer_churn_risk", "churn_risk_category", ("Critical",), ("critical",)),
    ("fact_customer_churn_risk", "intervention_priority", (1, 5), (0, 6)),
    ("fact_customer_ltv", "clv_confidence_score", (0, 100), (-1, 101)),
    ("fact_customer_ltv", "value_percentile", (0, 100), (-1, 101)),
    ("fact_interaction", "nps_score", (0, 10), (-1, 11)),
    ("fact_interaction", "sentiment_score", (-1, 1), (-1.1, 1.1)),
    ("dim_customer_segment", "retention_priority", (1, 10), (0, 11)),
    ("dim_customer_tier", "tier_level", (1, 5), (0, 6)),
]


@pytest.fixture(scope="module")
def database(module_migrated_dsn):
    with psycopg.connect(module_migrated_dsn, autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize(("table", "column", "right", "wrong"), RANGES, ids=lambda value: str(value))
def test_a_value_out_of_range_is_refused_by_the_table(database, table, column, right, wrong):
    database.execute("drop table if exists alike")
    database.execute(f"create temp table alike (like analytics.{table} including constraints)")
    required = database.execute(
        "select attname from pg_attribute where attrelid = 'alike'::regclass and attnum > 0 and attnotnull"
    ).fetchall()
    for (name,) in required:
        database.execute(f"alter table alike alter column {name} drop not null")
    of_several_columns = database.execute(
        "select conname from pg_constraint where conrelid = 'alike'::regclass and cardinality(conkey) > 1"
    ).fetchall()
    for (name,) in of_several_columns:
        database.execute(f"alter table alike drop constraint {name}")

    for value in right:
        database.execute(f"insert into alike ({column}) values (%s)", [value])

    for value in wrong:
        with pytest.raises(psycopg.errors.CheckViolation):
            database.execute(f"insert into alike ({column}) values (%s)", [value])


def test_every_fact_is_found_by_day_and_by_customer(database):
    facts = database.execute(
        """
        select
            c.relname::text,
            array_agg(distinct first_column.attname::text),
            exists (select from pg_attribute as a where a.attrelid = c.oid and a.attname = 'customer_sk')
        from pg_class as c
        join pg_index as i on i.indrelid = c.oid
        join pg_attribute as first_column
            on first_column.attrelid = c.oid and first_column.attnum = i.indkey[0]
        where c.relnamespace = 'analytics'::regnamespace and c.relkind = 'p'
        group by c.oid, c.relname
        """
    ).fetchall()

    by_day = {name for name, leading, _ in facts if {"date_sk", "order_date"} & set(leading)}
    by_customer = {name for name, leading, _ in facts if "customer_sk" in leading}

    assert len(facts) >= 8
    assert {name for name, _, _ in facts} - by_day == set()
    assert {name for name, _, has_customer in facts if has_customer} - by_customer == {
        "fact_sales"  # of each partition, made after its first rows: tests/warehouse/test_loading.py
    }


@pytest.mark.parametrize(
    "row",
    [
        {"churn_risk_score": 10, "method": "rules"},
        {"churn_risk_score": 10, "churn_risk_category": "Low", "method": "lightgbm"},
        {"churn_risk_score": 10, "method": "rules", "no_score_reason": "too_new"},
        {"churn_risk_category": "Low", "method": "rules", "no_score_reason": "no_known_outcome"},
    ],
    ids=["no category without a reason", "trees without a probability", "too new with a score", "no outcome"],
)
def test_a_churn_row_without_score_or_category_needs_its_reason(database, row):
    database.execute("drop table if exists alike")
    database.execute(
        "create temp table alike (like analytics.fact_customer_churn_risk including constraints)"
    )
    required = database.execute(
        "select attname from pg_attribute where attrelid = 'alike'::regclass and attnum > 0 and attnotnull"
    ).fetchall()
    for (name,) in required:
        database.execute(f"alter table alike alter column {name} drop not null")
    marks = ", ".join(["%s"] * len(row))
    right = {"churn_risk_score": 10, "method": "rules", "no_score_reason": "no_known_outcome"}
    database.execute(f"insert into alike ({', '.join(right)}) values (%s, %s, %s)", list(right.values()))

    with pytest.raises(psycopg.errors.CheckViolation):
        database.execute(f"insert into alike ({', '.join(row)}) values ({marks})", list(row.values()))


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("fact_customer_rfm", "rfm_segment_sk"),
        ("fact_customer_ltv", "tier_sk"),
        ("fact_customer_churn_risk", "intervention_priority"),
        ("fact_action", "action_code"),
        ("fact_customer_acquisition", "channel_sk"),
    ],
)
def test_a_fact_is_found_by_what_it_is_grouped_by(database, table, column):
    (found,) = database.execute(
        "select count(*) from pg_indexes where schemaname = 'analytics' and tablename = %s and indexdef ~ %s",
        [table, rf"\m{column}\M"],
    ).fetchone()

    assert found >= 1
