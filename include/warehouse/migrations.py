"""Migrations: numbered SQL files, each applied once and recorded; then the views."""

from __future__ import annotations

import hashlib
import re
from graphlib import CycleError, TopologicalSorter

import psycopg

from include import sql_text
from include.warehouse.access import secure
from include.warehouse.comments import write_comments
from include.warehouse.errors import MigrationError, explain
from include.warehouse.session import Row, connect

LOCK = 7_300  # advisory lock class: one migration at a time
VIEWS = "views"
_MADE = re.compile(r"^create or replace (view|function) (mart\.\w+)", re.M)


def migrate(dsn: str) -> list[str]:
    """Bring a database up to date; the names of what was applied, none when it was up to date already.

    Each migration is one transaction. An applied file that has changed since is refused.
    """
    done = []
    with connect(dsn) as connection:
        connection.execute("select pg_advisory_lock(%s, 0)", [LOCK])
        try:
            _run(connection, "000_migrations", sql_text.read("schema", "000_migrations"))
            found = connection.execute("select file_name, sha256 from control.migrations").fetchall()
            applied = {row["file_name"]: row["sha256"] for row in found}
            if ahead := sorted(set(applied) - set(sql_text.names("schema")) - {VIEWS}):
                raise MigrationError(
                    f"the database is newer than this code: it has {ahead}; update Firmament"
                )
            for name in sql_text.names("schema")[1:]:
                if _apply(connection, name, applied.get(name)):
                    done.append(name)
            if _apply_views(connection, applied.get(VIEWS)):
                done.append(VIEWS)
            with connection.transaction():
                write_comments(connection)
            secure(connection)
        finally:
            connection.execute("select pg_advisory_unlock(%s, 0)", [LOCK])
    return done


def pending(dsn: str) -> list[str]:
    """Names of the migrations and views that a database waits for; nothing is changed."""
    with connect(dsn) as connection:
        known = connection.execute(
            "select to_regclass('control.migrations') is not null as is_there"
        ).fetchone()
        found = (
            connection.execute("select file_name, sha256 from control.migrations").fetchall()
            if known == {"is_there": True}
            else []
        )
    applied = {row["file_name"]: row["sha256"] for row in found}
    waiting = [name for name in sql_text.names("schema")[1:] if name not in applied]
    return waiting + ([VIEWS] if applied.get(VIEWS) != _views_digest() else [])


def _apply(connection: psycopg.Connection[Row], name: str, applied: str | None) -> bool:
    text = sql_text.read("schema", name)
    digest = hashlib.sha256(text.encode()).hexdigest()
    if applied == digest:
        return False
    if applied is not None:
        raise MigrationError(
            f"sql/schema/{name}.sql has changed since it was applied; restore it and add a new numbered file"
        )
    with connection.transaction():
        _run(connection, name, text)
        _record(connection, name, digest)
    return True


def _views_digest() -> str:
    return hashlib.sha256("\n".join(sql_text.read("view", n) for n in view_order()).encode()).hexdigest()


def _apply_views(connection: psycopg.Connection[Row], applied: str | None) -> bool:
    names, digest = view_order(), _views_digest()
    if applied == digest:
        return False
    with connection.transaction():
        connection.execute("set local lock_timeout = '30s'")
        try:
            with connection.transaction():
                _create_views(connection, names)
        except (psycopg.errors.InvalidTableDefinition, psycopg.errors.InvalidFunctionDefinition):
            # Columns were removed or changed, which `create or replace` does not do.
            _drop_views(connection, names)
            _create_views(connection, names)
        _record(connection, VIEWS, digest)
    return True


def _create_views(connection: psycopg.Connection[Row], names: list[str]) -> None:
    for name in names:
        try:
            with connection.transaction():
                connection.execute(sql_text.read("view", name))
        except (psycopg.errors.InvalidTableDefinition, psycopg.errors.InvalidFunctionDefinition):
            raise
        except psycopg.Error as error:
            raise MigrationError(f"sql/view/{name}.sql: {explain(error)}") from None


def _drop_views(connection: psycopg.Connection[Row], names: list[str]) -> None:
    """Drop the views of the files, never with cascade: an analyst's own view may depend on them."""
    for name in reversed(names):
        for kind, made in reversed(_MADE.findall(sql_text.read("view", name))):
            try:
                connection.execute(f"drop {kind} if exists {made}")
            except psycopg.errors.DependentObjectsStillExist as error:
                raise MigrationError(
                    f"{made} has changed its columns and other objects use it: {error.diag.message_detail}; "
                    "drop those, migrate, and create them again"
                ) from None


def view_order() -> list[str]:
    """The files of sql/view, each after those whose views or functions it reads."""
    texts = {name: sql_text.read("view", name) for name in sql_text.names("view")}
    home = {made: name for name, text in texts.items() for _, made in _MADE.findall(text)}
    reads = {
        name: {home[word] for word in re.findall(r"mart\.\w+", text) if home.get(word, name) != name}
        for name, text in texts.items()
    }
    try:
        return list(TopologicalSorter({name: sorted(reads[name]) for name in sorted(texts)}).static_order())
    except CycleError as error:
        raise MigrationError(f"these views read one another: {error.args[1]}") from None


def _run(connection: psycopg.Connection[Row], name: str, text: str) -> None:
    try:
        connection.execute(text)
    except psycopg.Error as error:
        raise MigrationError(f"sql/schema/{name}.sql: {explain(error)}; nothing of it was applied") from None


def _record(connection: psycopg.Connection[Row], name: str, digest: str) -> None:
    connection.execute(
        "insert into control.migrations (file_name, sha256) values (%s, %s) "
        "on conflict (file_name) do update set sha256 = excluded.sha256, applied_at = excluded.applied_at",
        [name, digest],
    )
