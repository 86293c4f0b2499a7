"""Start or find the stack's two databases, the warehouse and Airflow's metadata, and migrate them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from include import postgres
from include.settings import Settings
from include.stack.state import StackError, number

Say = Callable[[str], None]


def warehouse_server(settings: Settings) -> str:
    """The warehouse's URL; starts the embedded server unless the environment names another."""
    for name in ("FIRMAMENT_WAREHOUSE_DSN", "AIRFLOW_CONN_FIRMAMENT_WAREHOUSE"):
        if settings.environ.get(name):
            if problem := warehouse_problem(settings):
                raise StackError(f"warehouse: the server of {name} is unreachable: {problem}")
            return settings.warehouse_dsn()
    port = number(settings, "FIRMAMENT_POSTGRES_PORT")
    return postgres.start(settings.postgres, port=port, log=settings.logs / "postgres.log").dsn()


def warehouse_problem(settings: Settings) -> str:
    """Why the warehouse is unreachable; an empty text if it is reachable."""
    import psycopg

    try:
        with psycopg.connect(settings.warehouse_dsn(), connect_timeout=5) as connection:
            connection.execute("select 1")
    except (LookupError, psycopg.Error) as error:
        return str(error).strip()
    return ""


def migrate_warehouse(dsn: str) -> None:
    """Bring the warehouse's schema up to date."""
    from include.warehouse import migrate

    migrate(dsn)


def open_console(dsn: str, password: str, say: Say) -> None:
    """Let the console log in to the warehouse; where this role may not, say what an administrator must do."""
    from include.warehouse.access import Access, AccessError

    try:
        with Access(dsn) as access:
            access.open_console(password)
    except AccessError as error:
        say(f"the console cannot log in: {error}")


def same_server_url(dsn: str, database: str) -> str:
    """The URL of another database of the same server."""
    parts = urlsplit(dsn)
    return urlunsplit(parts._replace(path=f"/{database}"))


def metadata_needs(settings: Settings, environ: dict[str, str]) -> str:
    """The text to show while Airflow's own tables are migrated; empty if this version has done it."""
    revision = _metadata_revision(environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"], create=True)
    stamp = _stamp(settings)
    if revision and stamp.exists() and stamp.read_text() == f"{version('apache-airflow')} {revision}":
        return ""
    return "creating Airflow's metadata" if revision is None else "migrating Airflow's metadata"


def note_metadata(settings: Settings, environ: dict[str, str]) -> None:
    """Write the stamp file that says which version has migrated Airflow's tables."""
    revision = _metadata_revision(environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"])
    _stamp(settings).write_text(f"{version('apache-airflow')} {revision}")


def _stamp(settings: Settings) -> Path:
    return settings.home / "airflow" / "migrated"


def _metadata_revision(url: str, *, create: bool = False) -> str | None:
    """The revision of Airflow's tables, None without tables; creates the database if asked to."""
    import psycopg

    if not url.startswith("postgresql"):
        return None  # not PostgreSQL: `airflow db migrate` checks it
    dsn = "postgresql://" + url.partition("://")[2]
    name = urlsplit(dsn).path.strip("/")
    if create:
        try:
            postgres.create_database_at(same_server_url(dsn, "postgres"), name, private=True)
        except psycopg.Error as error:
            with contextlib.suppress(psycopg.Error), psycopg.connect(dsn):
                return _metadata_revision(url)  # it exists, and this user may not create databases
            raise StackError(
                f"Airflow's metadata: the warehouse's server has no database {name!r} and it cannot "
                f"be created ({str(error).strip()}); create it, or set AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
            ) from error
    with psycopg.connect(dsn) as connection:
        try:
            row = connection.execute("select version_num from alembic_version").fetchone()
        except psycopg.errors.UndefinedTable:
            return None
    return str(row[0]) if row else None
