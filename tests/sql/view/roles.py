"""Three firms with rows in every fact, a login for each role, and what the catalogue lists for them."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from include.warehouse.access import Access
from tests.logins import Logins
from tests.sql.view.test_every_view import OLD, SUMMER, fill
from tests.warehouse.shop import Shop

SCHEMAS = ["analytics", "mart", "control", "pii", "parts"]
GRANTS = {
    "analyst": [("acme", "analyst")],
    "analyst of two firms": [("acme", "analyst"), ("mode", "analyst")],
    "outreach": [("acme", "outreach")],
    "platform": [("*", "platform")],
    "login without a grant": [],
}


@pytest.fixture(scope="module")
def warehouse(module_migrated_dsn) -> Iterator[SimpleNamespace]:
    """Three firms with rows in every fact, and a login for each entry of GRANTS."""
    shops = [Shop(module_migrated_dsn, key) for key in ("acme", "zeta", "mode")]
    for number, shop in enumerate(shops, start=3):
        shop.amount = number
        fill(shop, SUMMER, number)
        fill(shop, OLD, number + 1, segment="lost")
    logins = Logins(module_migrated_dsn)
    dsns = {}
    with Access(module_migrated_dsn) as access:
        for who, grants in GRANTS.items():
            name = logins.make("login")
            for firm_key, role in grants:
                access.grant(firm_key, name, role, actor="test")
            dsns[who] = logins.dsn_of(name)
            # A login without a grant may not even connect; here it does, to be refused by each object.
            logins.execute(
                sql.SQL("grant connect on database {} to {}").format(
                    sql.Identifier(urlsplit(module_migrated_dsn).path[1:]), sql.Identifier(name)
                )
            )
    yield SimpleNamespace(owner=module_migrated_dsn, dsns=dsns)
    for shop in shops:
        shop.warehouse.close()
    logins.drop()


def relations(dsn: str) -> list[tuple[str, str]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            "select relnamespace::regnamespace::text, relname from pg_class "
            "where relnamespace = any(%s::regnamespace[]) and relkind in ('r', 'p', 'v', 'm', 'f') "
            "order by 1, 2",
            [SCHEMAS],
        ).fetchall()


def functions(dsn: str) -> list[SimpleNamespace]:
    """Each function of mart and analytics, with a call of it; an unknown argument is null."""
    given = {
        "firm": "acme", "as_of": OLD, "customer": "ann", "from_as_of": SUMMER, "to_as_of": OLD,
        "customer_ids": ["new"], "product_ids": ["new"], "channel_codes": ["new"],
        "programme_ids": ["new"], "campaign_ids": ["new"],
    }  # fmt: skip
    with psycopg.connect(dsn) as connection:
        given["firm_sk"] = connection.execute(
            "select firm_sk from analytics.dim_firm where firm_key = 'acme'"
        ).fetchone()[0]
        found = connection.execute(
            "select pronamespace::regnamespace::text, proname, provolatile = 'v', "
            "coalesce(proargnames[1:pronargs], '{}'), proargtypes::regtype[]::text[] from pg_proc "
            "where pronamespace in ('mart'::regnamespace, 'analytics'::regnamespace) order by 1, 2"
        ).fetchall()
        return [
            SimpleNamespace(
                name=f"{schema}.{name}",
                is_writer=is_writer,
                call=sql.SQL("{}({})")
                .format(
                    sql.Identifier(schema, name),
                    sql.SQL(", ").join(
                        sql.SQL("{}::" + kind).format(sql.Literal(given.get(argument)))
                        for argument, kind in zip(arguments, kinds, strict=True)
                    ),
                )
                .as_string(connection),
            )
            for schema, name, is_writer, arguments, kinds in found
        ]
