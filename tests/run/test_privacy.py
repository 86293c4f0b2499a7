"""A canary's personal data and a canary firm's rows, looked for wherever they must not be."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date

import psycopg
import pyarrow.parquet as pq
import pytest
from psycopg import sql

from include.firms import MODULES, OPTIONAL_MODULES
from include.warehouse import Warehouse
from include.warehouse.access import Access
from include.warehouse.summaries import remove_for_erasure
from tests.logins import Logins
from tests.run.conftest import Shop
from tests.run.source import fill

AS_OF = date(2026, 11, 21)
# A part of every name, e-mail, phone, address and birth date that tests.run.source gives to customers.
CANARY = re.compile("Kanarya|@post.test|55547114|555 47114|1911-02-03|Kanarya Street", re.IGNORECASE)
MAY_HOLD = {"pii.customer_contact", "mart.vw_outreach_contact"}
OURS = ("analytics", "mart", "control", "parts", "pii")
KEY = "whsec_AAECAwQFBgcICQoLDA0ODw%3D%3D"
# What has no firm; sums over a trained model or an earlier snapshot, of which a first run has none.
MAY_BE_EMPTY = {
    "analytics.dim_customer_tier",
    "analytics.dim_date",
    "analytics.churn_feature_importances",
    "analytics.churn_performance_metrics",
    "analytics.fact_scorecard",
    "analytics.value_backtest",
    "mart.vw_model_scorecard",
    "mart.vw_segment_migration",
    "model_scorecard",
}
# What thirty customers are too few for: an action on two days, a next product, a customer at high risk.
MADE = """
insert into analytics.fact_action
select
    firm_sk, day, to_char(day, 'YYYYMMDD')::integer, min(customer_sk), 'offer', 1, 2, 1, false, true, 'x', 1
from analytics.fact_customer_rfm join analytics.dim_firm using (firm_sk)
cross join (values (date '2026-11-21'), (date '2026-08-01')) as days (day)
where firm_key = 'canary' group by firm_sk, day;
insert into analytics.fact_customer_next_product
select
    firm_sk, day, to_char(day, 'YYYYMMDD')::integer, min(customer_sk),
    (select min(product_sk) from analytics.dim_product), 1, 'new', 0.5, 'popular', null, 0, null, null,
    null, 1
from analytics.fact_customer_rfm join analytics.dim_firm using (firm_sk)
cross join (values (date '2026-11-21'), (date '2026-08-01')) as days (day)
where firm_key = 'canary' group by firm_sk, day;
insert into analytics.fact_benchmark
select firm_sk, date '2026-06-01', 'retention_rate', 'percent', 1, 10, 20, 30
from analytics.dim_firm where firm_key = 'canary';
update analytics.fact_customer_churn_risk set churn_risk_category = 'High', no_score_reason = null
where firm_sk = (
    select firm_sk from analytics.dim_firm where firm_key = 'canary'
)
"""


class Firms:
    """The firm ``canary`` and the firm ``acme``, after a run each, and logins let in to ``acme``."""

    def __init__(self, shop: Shop, said: str, logins: Logins) -> None:
        self.shop = shop
        self.said = said
        self.logins = logins
        self.dsns: dict[str, str] = {}

    def login(self, role: str) -> str:
        """The URL of acme's analyst or outreach."""
        if role not in self.dsns:
            name = self.logins.name(role)
            with Access(self.shop.dsn) as access:
                access.grant("acme", name, role, actor="test")
            self.dsns[role] = self.logins.dsn_of(name)
        return self.dsns[role]


@pytest.fixture(scope="module")
def firms(tmp_path_factory, module_migrated_dsn) -> Iterator[Firms]:
    shop = Shop(tmp_path_factory.mktemp("canary"), module_migrated_dsn)
    logins = Logins(shop.dsn)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRMAMENT_HOME", str(shop.home / "home"))
        patch.setenv("FIRMAMENT_WAREHOUSE_DSN", shop.dsn)
        patch.delenv("FIRMAMENT_FAULT", raising=False)
        patch.setenv("AIRFLOW_CONN_CANARY_HOOK", f"http://:{KEY}@127.0.0.1:1/in")
        for key, modules in (("acme", ["rfm"]), ("canary", [*MODULES, *OPTIONAL_MODULES])):
            patch.setenv(f"AIRFLOW_CONN_{key.upper()}_SHOP", shop.dsn)
            fill(shop.dsn, f"{key}_shop", customers=30, as_of=AS_OF)
            with psycopg.connect(shop.dsn) as connection:  # what the gate has something to say about
                connection.execute(
                    f"update {key}_shop.customers set email = 'Kanarya at no place', "
                    "birth_date = '2050-01-01' where customer_id = 'C4703'; "
                    f"update {key}_shop.customers set customer_id = '' where customer_id = 'C4704'"
                )
            place = {"conn_id": f"{key}_shop", "schema": f"{key}_shop"}
            publish = place | {"webhook": "canary_hook"} if "publish" in modules else None
            shop.add(key, source={"kind": "postgres", **place}, modules=modules, publish=publish)
        said = [
            f"{step}: {note}" for key in ("acme", "canary") for step, note in shop.run(key, AS_OF).items()
        ]
        with psycopg.connect(shop.dsn) as connection:
            connection.execute(MADE)
        with Warehouse(shop.dsn) as warehouse:
            firm_sk = warehouse.erasures.firm_sk("canary")
            remove_for_erasure(warehouse.session.connection, firm_sk)
            list(warehouse.summaries.fill_missing("canary"))
        yield Firms(shop, "\n".join(said), logins)
        logins.drop()


def relations(dsn: str) -> list[tuple[str, list[str]]]:
    """Every table and view, partitions too, with its columns."""
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            "select n.nspname || '.' || c.relname, array_agg(a.attname::text order by a.attnum) "
            "from pg_class as c join pg_namespace as n on n.oid = c.relnamespace "
            "join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped "
            "where n.nspname = any(%s) and c.relkind in ('r', 'p', 'v', 'm') group by 1 order by 1",
            [list(OURS)],
        ).fetchall()


def functions(dsn: str) -> list[str]:
    """The functions of mart that take a firm and a day."""
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            "select proname from pg_proc where pronamespace = 'mart'::regnamespace "
            "and pg_get_function_identity_arguments(oid) ~ '^[a-z_]+ text, [a-z_]+ date$' order by 1"
        ).fetchall()
    return [name for (name,) in found]


def rows(dsn: str, query: str) -> list[tuple] | None:
    """The rows as this login sees them; None when it may not look."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        return seen_by(connection, query)


def seen_by(connection: psycopg.Connection, query: str) -> list[tuple] | None:
    try:
        return connection.execute(query).fetchall()
    except psycopg.errors.InsufficientPrivilege:
        return None


def personal_data_in_tables(dsn: str) -> set[str]:
    found = set()
    with psycopg.connect(dsn, autocommit=True) as connection:
        for name, _ in relations(dsn):
            texts = seen_by(connection, f"select t::text from {name} as t") or ()
            if any(CANARY.search(text) for (text,) in texts):
                found.add(name)
    return found


def others_rows(dsn: str, firm_sk: int) -> dict[str, int]:
    """How many rows of the canary firm a login sees, by table, view and function."""
    asked = {}
    for name, columns in relations(dsn):
        if "firm_sk" in columns:
            asked[name] = f"select from {name} where firm_sk = {firm_sk}"
        elif "firm_key" in columns:
            asked[name] = f"select from {name} where firm_key = 'canary'"
        else:
            asked[name] = f"select from {name} as t where t::text like '%canary%'"
    for name in functions(dsn):
        asked[name] = f"select from mart.{name}('canary', date '{AS_OF}')"
    with psycopg.connect(dsn, autocommit=True) as connection:
        counts = {name: len(seen_by(connection, query) or ()) for name, query in asked.items()}
    return {name: count for name, count in counts.items() if count}


def canary_sk(firms: Firms) -> int:
    return firms.shop.query("select firm_sk from analytics.dim_firm where firm_key = 'canary'")[0][0]


def test_no_table_or_view_but_contacts_and_outreachs_holds_personal_data(firms):
    assert personal_data_in_tables(firms.shop.dsn) == MAY_HOLD


def test_the_search_for_personal_data_finds_what_is_planted(firms):
    planted = "update control.runs set code_version = %s where run_id = 1 returning 1"
    firms.shop.query(planted, "canan07@post.test")

    found = personal_data_in_tables(firms.shop.dsn)
    firms.shop.query(planted, "x")

    assert found == MAY_HOLD | {"control.runs"}


def test_no_function_gives_personal_data(firms):
    names = functions(firms.shop.dsn)

    told = [
        name
        for name in names
        for row in firms.shop.query(f"select t::text from mart.{name}('canary', date '{AS_OF}') as t")
        if CANARY.search(row[0])
    ]

    assert len(names) >= 10
    assert told == []


def test_what_is_published_holds_no_personal_data(firms):
    names = firms.shop.query(
        "select table_name from information_schema.tables where table_schema = 'canary_shop' "
        "and table_name ~ '^(analytic|churn)_'"
    )
    texts = [
        text
        for (name,) in names
        for (text,) in firms.shop.query(f"select t::text from canary_shop.{name} as t")
    ]

    assert len(names) == 6
    assert any("C4702" in text for text in texts)
    assert not [text for text in texts if CANARY.search(text)]


def test_no_statistics_but_those_of_contacts_hold_personal_data(firms):
    with psycopg.connect(firms.shop.dsn, autocommit=True) as connection:
        connection.execute("analyze")

    found = firms.shop.query(
        "select distinct schemaname || '.' || tablename from pg_stats where schemaname = any(%s) and "
        "concat(most_common_vals::text, histogram_bounds::text) ~* 'kanarya|post.test|47114|1911-02-03'",
        list(OURS),
    )

    assert found == [("pii.customer_contact",)]


def test_no_parquet_file_but_the_customers_holds_personal_data_and_no_address_is_read_at_all(firms):
    files = list((firms.shop.home / "home").rglob("*.parquet"))
    texts = {path: json.dumps(pq.read_table(path).to_pylist(), default=str) for path in files}

    found = {path.parts[-4] for path, text in texts.items() if CANARY.search(text)}

    assert len(files) > 20
    assert found == {"customers"}
    assert not any("Kanarya Street" in text for text in texts.values())


def test_no_log_and_nothing_that_a_run_says_holds_personal_data(firms):
    files = [
        path for path in (firms.shop.home / "home").rglob("*") if path.is_file() and path.suffix != ".parquet"
    ]

    told = [str(path) for path in files if CANARY.search(path.read_bytes().decode("utf-8", "replace"))]

    assert told == []
    assert "extract_customers" in firms.said
    assert not CANARY.search(firms.said)


@pytest.mark.parametrize("role", ["analyst", "outreach"])
def test_no_row_of_another_firm_is_seen(firms, role):
    firm_sk = canary_sk(firms)
    there = others_rows(firms.shop.dsn, firm_sk)

    seen = others_rows(firms.login(role), firm_sk)

    shown = {name for name, _ in relations(firms.shop.dsn) if name.startswith(("analytics.", "mart."))}
    assert (shown | set(functions(firms.shop.dsn))) - set(there) == MAY_BE_EMPTY
    assert seen == {}
    assert rows(firms.login(role), "select count(*) > 0 from analytics.fact_sales") == [(True,)]


def test_the_search_for_anothers_rows_finds_a_table_that_is_opened(firms):
    dsn = firms.login("analyst")
    firms.logins.execute("alter table analytics.fact_sales disable row level security")

    seen = others_rows(dsn, canary_sk(firms))
    firms.logins.execute("alter table analytics.fact_sales enable row level security")

    assert "analytics.fact_sales" in seen
    assert others_rows(dsn, canary_sk(firms)) == {}


def test_the_search_for_anothers_rows_finds_a_policy_that_lets_all_in(firms):
    dsn = firms.login("analyst")
    firms.logins.execute(
        "create policy too_wide on analytics.dim_customer for select to firmament_analyst using (true)"
    )

    seen = others_rows(dsn, canary_sk(firms))
    firms.logins.execute("drop policy too_wide on analytics.dim_customer")

    assert set(seen) == {"analytics.dim_customer"}


def test_outreach_sees_contacts_of_her_firm_alone_and_an_analyst_none(firms):
    asked = "select distinct firm_key from mart.vw_outreach_contact"

    assert rows(firms.login("outreach"), asked) == [("acme",)]
    assert rows(firms.login("analyst"), asked) is None
    assert rows(firms.login("analyst"), "select * from pii.customer_contact") is None


def test_partitions_are_out_of_reach(firms):
    parts = [name for name, _ in relations(firms.shop.dsn) if name.startswith("parts.")]

    assert len(parts) >= 2
    assert {
        name for name in parts if rows(firms.login("analyst"), f"select from {name}") is not None
    } == set()
    assert firms.shop.query(
        "select count(*) from pg_class where relnamespace = 'parts'::regnamespace "
        "and relkind = 'r' and not relrowsecurity"
    ) == [(0,)]


def test_statistics_show_an_analyst_no_value_of_a_firms_table(firms):
    with psycopg.connect(firms.shop.dsn, autocommit=True) as connection:
        connection.execute("analyze")

    shown = rows(
        firms.login("analyst"),
        "select distinct tablename from pg_stats "
        "where schemaname in ('analytics', 'parts', 'pii', 'control')",
    )

    assert {name for (name,) in shown or ()} <= {"dim_date", "dim_customer_tier", "dim_interaction_channel"}


def test_a_leaky_function_gets_no_row_of_another_firm(firms):
    told: list[str] = []
    theirs = "select customer_sk::text from analytics.dim_customer where firm_sk = %s"
    hidden = {key for (key,) in firms.shop.query(theirs, canary_sk(firms))}
    with psycopg.connect(firms.login("analyst")) as connection:
        # Analysts may not create temporary tables. Row-level security must hold even where they may.
        firms.logins.execute(
            sql.SQL("grant temporary on database {} to {}").format(
                sql.Identifier(connection.info.dbname), sql.Identifier(connection.info.user)
            )
        )
        connection.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
        connection.execute(
            "create function pg_temp.spy(bigint) returns boolean language plpgsql cost 0.0000001 as "
            "$$ begin raise notice '%', $1; return true; end $$"
        )
        connection.execute("create temp view mine as select * from analytics.dim_customer")
        for place in ("analytics.dim_customer", "mine", "analytics.fact_sales"):
            connection.execute(f"select * from {place} where pg_temp.spy(customer_sk)").fetchall()

    assert hidden
    assert told
    assert hidden & set(told) == set()


def test_an_error_shows_nothing_of_another_firms_row(firms):
    asked = f"select count(*) from analytics.dim_firm where 1 / (firm_sk - {canary_sk(firms)}) = 0"

    assert rows(firms.login("analyst"), asked) is not None
