"""What EXPLAIN shows an analyst: nothing that depends on the rows of another firm.

Partitions of other firms are not in the plan at all. Tables that all firms share are read by an index that
begins with the firm, or as a whole: then the count is the table's size, whatever the query asks for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest

from include.warehouse.access import Access
from tests.sql.view.roles import functions, relations, warehouse

__all__ = ["warehouse"]

ANALYSTS = {"analyst": {"acme"}, "analyst of two firms": {"acme", "mode"}, "outreach": {"acme"}}
EXPLAIN = "explain (analyze, verbose, buffers, timing off, summary off, format json) "
PARTITIONS = (
    "select inhrelid::regclass::text, dim_firm.firm_key from pg_inherits "
    "join analytics.dim_firm on inhrelid::regclass::text ~ ('_f' || firm_sk || '$')"
)
PROBES = [
    "select from analytics.fact_sales where customer_sk = 1 and order_date = '2026-08-20'",
    "select from analytics.fact_customer_ltv where tier_sk = 5",
    "select from analytics.fact_customer_churn_risk where intervention_priority = 1",
    "select from analytics.fact_sales join analytics.dim_firm using (firm_sk) where firm_key = 'zeta'",
    "select from analytics.fact_sales where firm_sk <> 0",
    "select firm_sk, count(*) from analytics.fact_interaction group by firm_sk",
]


def queries(dsn: str, who: str) -> dict[str, str]:
    """A query of every table, view and function that the login may read, and the probes."""
    objects = {
        f"{schema}.{name}": f'select * from "{schema}"."{name}"'
        for schema, name in relations(dsn)
        if schema in ("analytics", "mart") and (name != "vw_outreach_contact" or who == "outreach")
    }
    calls = {f.name: f"select * from {f.call}" for f in functions(dsn) if not f.is_writer}
    return {**objects, **calls, **{probe: probe for probe in PROBES}}


def nodes(plan) -> Iterator[dict]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def explained(connection: psycopg.Connection, query: str) -> dict:
    """The plan without its memory and buffers, which depend on what was read before."""
    (found,) = connection.execute(EXPLAIN + query).fetchone()
    return found[0]["Plan"]


def counts(plan: dict) -> list[dict]:
    """What each node tells of the rows it read."""
    fields = ("Node Type", "Relation Name", "Alias", "Plan Rows", "Actual Rows", "Actual Loops")
    return [
        {name: value for name, value in node.items() if name in fields or "Removed" in name}
        for node in nodes(plan)
    ]


@pytest.mark.parametrize("who", ANALYSTS)
def test_no_plan_names_a_partition_of_another_firm(warehouse, who):
    with psycopg.connect(warehouse.owner) as owner:
        firm_of = dict(owner.execute(PARTITIONS).fetchall())
    asked = queries(warehouse.owner, who)

    with psycopg.connect(warehouse.dsns[who], autocommit=True) as connection:
        plans = {name: explained(connection, query) for name, query in asked.items()}

    named = {
        firm_of[f"parts.{node['Relation Name']}"]
        for plan in plans.values()
        for node in nodes(plan)
        if node.get("Schema") == "parts"
    }
    others = [name for name in firm_of if firm_of[name] not in ANALYSTS[who]]
    assert len(plans) > 70
    assert named == ANALYSTS[who]
    assert [name for name, plan in plans.items() if any(part in json.dumps(plan) for part in others)] == []


@pytest.mark.parametrize("who", ANALYSTS)
def test_no_plan_changes_when_another_firms_facts_are_deleted(warehouse, who):
    asked = queries(warehouse.owner, who)
    with psycopg.connect(warehouse.owner) as owner:
        parts = [name for name, firm in owner.execute(PARTITIONS) if firm == "zeta"]

    with psycopg.connect(warehouse.dsns[who], autocommit=True) as connection:
        before = {name: counts(explained(connection, query)) for name, query in asked.items()}
        with psycopg.connect(warehouse.owner) as owner:
            owner.execute("create schema kept")
            for part in parts:
                owner.execute(f"create table kept.{part.partition('.')[2]} as table {part}")
                owner.execute(f"delete from {part}")
        try:
            after = {name: counts(explained(connection, query)) for name, query in asked.items()}
        finally:
            with psycopg.connect(warehouse.owner) as owner:
                gone = 0
                for part in parts:
                    gone += restored(owner, part)
                owner.execute("drop schema kept cascade")

    assert gone > 50
    assert after == before


def restored(owner: psycopg.Connection, part: str) -> int:
    """Put the rows of a partition back; how many."""
    columns = owner.execute(
        "select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute "
        "where attrelid = %s::regclass and attnum > 0 and not attisdropped and attgenerated = ''",
        [part],
    ).fetchone()[0]
    return owner.execute(
        f"insert into {part} ({columns}) select {columns} from kept.{part.partition('.')[2]}"
    ).rowcount


@pytest.mark.parametrize(
    "query",
    [
        "select from pii.customer_contact where customer_sk = {customer}",
        "select from analytics.fact_campaign_performance where campaign_sk = {campaign}",
        "select from analytics.dim_customer where customer_id = 'ann'",
        "select from analytics.fact_firm_metric where metric = 'customers'",
        "select from control.module_status where firm_key = 'zeta'",
    ],
)
def test_an_index_of_a_shared_table_reads_no_row_of_another_firm(warehouse, query):
    with psycopg.connect(warehouse.owner) as owner:
        customer, campaign = owner.execute(
            "select min(customer_sk), min(campaign_sk) from analytics.dim_firm "
            "join analytics.dim_customer using (firm_sk) join analytics.dim_campaign using (firm_sk) "
            "where firm_key = 'zeta'"
        ).fetchone()

    with psycopg.connect(warehouse.dsns["outreach"], autocommit=True) as connection:
        connection.execute("set enable_seqscan = off; set enable_bitmapscan = off")
        plan = explained(connection, query.format(customer=customer, campaign=campaign))

    assert "Seq Scan" not in json.dumps(plan)
    assert [node for node in nodes(plan) if node.get("Rows Removed by Filter")] == []


def test_every_index_of_a_shared_table_except_the_surrogate_key_begins_with_the_firm(warehouse):
    with psycopg.connect(warehouse.owner) as owner:
        found = owner.execute(
            "select i.indrelid::regclass::text, first_column.attname::text, i.indnatts from pg_index as i "
            "join pg_class as c on c.oid = i.indrelid "
            "join pg_attribute as first_column "
            "on first_column.attrelid = c.oid and first_column.attnum = i.indkey[0] "
            "where c.relkind = 'r' and c.relrowsecurity and not c.relispartition "
            "and c.relnamespace in ('analytics'::regnamespace, 'pii'::regnamespace)"
        ).fetchall()

    others = {(table, column) for table, column, width in found if column != "firm_sk"}

    assert len(found) > 15
    assert others == {
        ("analytics.dim_firm", "firm_key"),
        ("analytics.dim_customer", "customer_sk"),
        ("analytics.dim_product", "product_sk"),
        ("analytics.dim_customer_segment", "segment_sk"),
        ("analytics.dim_campaign", "campaign_sk"),
        ("analytics.dim_program", "program_sk"),
        ("analytics.dim_interaction_channel", "channel_sk"),
    }


def test_rows_are_refused_while_pruning_is_off(warehouse):
    with psycopg.connect(warehouse.dsns["analyst"], autocommit=True) as connection:
        connection.execute("set enable_partition_pruning = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="while partition pruning is on"):
            connection.execute("explain select from analytics.fact_sales")


def test_a_revoked_firm_is_gone_from_prepared_statements_and_a_granted_one_is_there(warehouse):
    login = psycopg.conninfo.conninfo_to_dict(warehouse.dsns["analyst of two firms"])["user"]
    query = "select distinct firm_key from analytics.fact_sales join analytics.dim_firm using (firm_sk)"

    with (
        psycopg.connect(warehouse.dsns["analyst of two firms"], autocommit=True) as connection,
        Access(warehouse.owner) as access,
    ):
        connection.execute("set plan_cache_mode = force_generic_plan")
        connection.execute(f"prepare firms as {query}")
        before = connection.execute("execute firms").fetchall()
        access.revoke("acme", login, actor="test")
        revoked = connection.execute("execute firms").fetchall()
        access.grant("acme", login, "analyst", actor="test")
        again = connection.execute("execute firms").fetchall()
        access.grant("zeta", login, "analyst", actor="test")
        more = connection.execute("execute firms").fetchall()
        access.revoke("zeta", login, actor="test")

    assert sorted(before) == [("acme",), ("mode",)]
    assert revoked == [("mode",)]
    assert sorted(again) == [("acme",), ("mode",)]
    assert sorted(more) == [("acme",), ("mode",), ("zeta",)]
