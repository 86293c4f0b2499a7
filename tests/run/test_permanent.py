"""Which errors end a task at once: a login that a real server refuses, and no server that is away."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import oracledb
import psycopg
import pytest
from psycopg import sql

from include import postgres
from include.connections import MissingConnectionError, UnansweredConnectionError
from include.datasets import AmountError
from include.firms import FirmError, parse_firm
from include.publishing import open_target
from include.publishing.tables import TABLES
from include.quality import QualityError
from include.run.permanent import is_permanent
from include.schedule import AsOfError
from include.sources import open_source
from include.warehouse import Warehouse
from tests.test_firms import ROW

DATABASE = "logins"


@pytest.fixture(scope="module")
def logins(postgres_server) -> Iterator[str]:
    """A database, and roles that may not use it, each for another reason."""
    dsn = postgres.create_database(postgres_server, DATABASE)
    roles = ("nologin", "connection limit 0 login password 'right'", "login password 'right'")
    with psycopg.connect(dsn, autocommit=True) as connection:
        for name, options in zip(("no_login", "crowded", "usual"), roles, strict=True):
            connection.execute(f"create role {name} {options}")
        connection.execute(
            sql.SQL("revoke connect on database {} from public").format(sql.Identifier(DATABASE))
        )
        connection.execute(
            sql.SQL("grant connect on database {} to crowded, no_login").format(sql.Identifier(DATABASE))
        )
    yield dsn
    postgres.drop_database(postgres_server, DATABASE)
    with psycopg.connect(postgres_server.dsn("postgres"), autocommit=True) as connection:
        connection.execute("drop role no_login, crowded, usual")


def given(
    dsn: str, *, user: str = "", password: str = "right", database: str = DATABASE, port: int = 0
) -> str:
    """The URI with another part; an empty user stands for the owner with the right password."""
    found = urlsplit(dsn)
    login = f"{user}:{password}" if user else f"{found.username}:{found.password}"
    return f"postgresql://{login}@{found.hostname}:{port or found.port}/{database}"


CASES = {
    "wrong password": ({"user": "usual", "password": "wrong"}, True),
    "unknown role": ({"user": "nobody_of_this_name"}, True),
    "role without login": ({"user": "no_login"}, True),
    "unknown database": ({"database": "no_such_database"}, True),
    "no right to connect": ({"user": "usual"}, True),
    "too many connections": ({"user": "crowded"}, False),
    "no server": ({"port": 1}, False),
}


def read_source(uri: str) -> None:
    firm = parse_firm(ROW | {"source": {"kind": "postgres", "conn_id": "shop"}})
    open_source(firm, lambda conn_id: uri).check_connection()  # type: ignore[attr-defined]


def publish_to(uri: str) -> None:
    firm = parse_firm(ROW | {"publish": {"conn_id": "crm", "schema": "crm"}})
    with open_target(firm, lambda conn_id: uri).transaction(TABLES):
        pass


def open_warehouse(uri: str) -> None:
    with Warehouse(uri) as warehouse:
        warehouse.firms.firm_row("acme")


@pytest.mark.parametrize("connect", [read_source, publish_to, open_warehouse])
@pytest.mark.parametrize("case", CASES)
def test_a_refused_login_is_permanent_and_a_busy_or_absent_server_is_not(logins, connect, case):
    changes, expected = CASES[case]

    with pytest.raises(Exception, match=r".") as caught:
        connect(given(logins, **changes))

    assert is_permanent(caught.value) == expected, caught.value


def test_a_query_of_a_server_that_ends_the_session_is_not_permanent(logins):
    with psycopg.connect(logins) as connection, psycopg.connect(logins, autocommit=True) as other:
        other.execute("select pg_terminate_backend(%s)", [connection.info.backend_pid])
        with pytest.raises(psycopg.OperationalError) as caught:
            connection.execute("select 1")
        connection.close()

    assert not is_permanent(caught.value)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"dsn": "127.0.0.1:1/orcl"}, True),  # no user and no password
        ({"user": "acme", "dsn": "127.0.0.1:1/orcl"}, True),  # no password
        ({"user": "acme", "password": "x", "dsn": "no_such_name"}, True),
        ({"user": "acme", "password": "x", "dsn": "127.0.0.1:1/orcl"}, False),  # no server
    ],
)
def test_an_oracle_login_without_password_or_name_is_permanent(options, expected, tmp_path):
    with pytest.raises(oracledb.Error) as caught:
        oracledb.connect(**options, config_dir=str(tmp_path))

    assert is_permanent(caught.value) == expected, caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ORA-01017: invalid credential or not authorized; logon denied", True),
        ("ORA-28000: The account is locked.", True),
        ("ORA-12514: Cannot connect to database. Service orcl is not registered", False),
        ("ORA-03113: end-of-file on communication channel", False),
    ],
)
def test_the_codes_of_oracle_that_refuse_a_login_are_permanent(text, expected):
    assert is_permanent(oracledb.DatabaseError(text)) == expected


def test_only_a_driver_can_report_a_refused_login():
    assert not is_permanent(RuntimeError('password authentication failed for user "a"'))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (FirmError("a field"), True),
        (QualityError("a rule"), True),
        (AsOfError("a day"), True),
        (AmountError("a total"), True),
        (MissingConnectionError("none"), True),
        (UnansweredConnectionError("perhaps"), False),
        (OSError("disk"), False),
    ],
)
def test_verdicts_are_permanent(error, expected):
    assert is_permanent(error) == expected
