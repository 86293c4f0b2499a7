"""Logins of a test's own: made by ``access grant`` or by hand, with a password, and gone afterwards."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql


class Logins:
    """Roles that log in to one database of a server."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.made: list[str] = []

    def name(self, who: str) -> str:
        """A login's name that no other test uses; it is dropped in the end if it comes to be."""
        self.made.append(f"{who}_{secrets.token_hex(4)}")
        return self.made[-1]

    def make(self, who: str, options: str = "login") -> str:
        """A role with these options, such as ``login createrole``."""
        name = self.name(who)
        self.execute(sql.SQL("create role {} " + options).format(sql.Identifier(name)))
        return name

    def dsn_of(self, login: str, *, database: str | None = None) -> str:
        """The URL with which the login comes in; it is given a password here."""
        password = secrets.token_hex(8)
        self.execute(
            sql.SQL("alter role {} password {}").format(sql.Identifier(login), sql.Literal(password))
        )
        parts = urlsplit(self.dsn)
        path = f"/{database}" if database else parts.path
        return urlunsplit(
            parts._replace(netloc=f"{login}:{password}@{parts.hostname}:{parts.port}", path=path)
        )

    def execute(self, statement: sql.Composable | str) -> None:
        """One statement as the superuser."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(statement)

    def drop(self) -> None:
        """Drop every role that was made."""
        for name in self.made:
            with psycopg.connect(self.dsn, autocommit=True) as connection:
                if connection.execute("select from pg_roles where rolname = %s", [name]).fetchone():
                    role = sql.Identifier(name)
                    connection.execute(sql.SQL("drop owned by {} cascade").format(role))
                    connection.execute(sql.SQL("drop role {}").format(role))
