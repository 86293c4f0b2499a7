"""Read the warehouse for one user: the firms that the user may see, and no others.

Each request is one read-only transaction. It begins with the setting ``firmament.firms``, which the row-level
security of the role ``firmament_console`` reads and which ends with the transaction. So a pooled connection
carries nothing from one user to the next, whatever happened in between.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row, tuple_row
from psycopg.types.numeric import FloatLoader
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from include import sql_text
from include.console.answers import Answers
from include.console.problems import WarehouseDownError
from include.settings import SettingsError
from include.warehouse.errors import explain

CONNECTIONS = 8
WAIT_SECONDS = 5
STATEMENT_SECONDS = 30
BATCH_ROWS = 5000  # of an export
FIRM_KEY = re.compile(r"[a-z][a-z0-9_]{0,62}")
START = "Start it with `make up`, or see what is wrong: python -m include doctor"
OPEN = "Let the console log in: python -m include access console (docs/console.md)"
MIGRATE = "Update the schema: python -m include migrate"
BEGIN = "select set_config('firmament.firms', %s, true), set_config('statement_timeout', %s, true)"
REFUSALS = ("authentication failed", "does not exist", "permission denied")

Row = dict[str, Any]


@dataclass(frozen=True)
class Statement:
    """A statement that a request ran: its SQL with the values in place, its rows and columns."""

    name: str  # of include/sql/console/
    sql: str
    row_count: int
    columns: tuple[str, ...]


class Session:
    """The statements of one request."""

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._connection = connection
        self._cursors: list[psycopg.ServerCursor[Any]] = []
        self.statements: list[Statement] = []

    def close(self) -> None:
        """Close the cursors of the server."""
        for cursor in self._cursors:
            cursor.close()

    def rows(self, name: str, **params: object) -> list[Row]:
        """The rows of ``include/sql/console/<name>.sql``."""
        cursor = self._connection.execute(*_bound(name, params))
        rows = cursor.fetchall()
        columns = tuple(column.name for column in cursor.description or ())
        self.statements.append(Statement(name, self._sql(name, params), len(rows), columns))
        return rows

    def row(self, name: str, **params: object) -> Row | None:
        """The only row of a statement; None without one."""
        found = self.rows(name, **params)
        return found[0] if found else None

    def batches(self, name: str, **params: object) -> Batches:
        """All rows of a statement, through a cursor of the server, so that this process keeps few."""
        cursor = self._connection.cursor(name="export", row_factory=tuple_row)
        self._cursors.append(cursor)
        cursor.adapters.register_loader("numeric", FloatLoader)
        cursor.execute(self._sql(name, params))
        return Batches(cursor)

    def _sql(self, name: str, params: dict[str, object]) -> str:
        return psycopg.ClientCursor(self._connection).mogrify(*_bound(name, params))


class Batches:
    """The rows of a statement, some thousands at a time, with the names and types of their columns."""

    def __init__(self, cursor: psycopg.ServerCursor[Any]) -> None:
        self._cursor = cursor
        self.columns = [(column.name, column.type_code) for column in cursor.description or ()]

    def __iter__(self) -> Iterator[list[tuple[Any, ...]]]:
        """Rows as tuples; ProblemError when the warehouse fails on the way."""
        with _as_problems():
            while rows := self._cursor.fetchmany(BATCH_ROWS):
                yield rows


def _bound(name: str, params: dict[str, object]) -> tuple[str, dict[str, object]]:
    return sql_text.for_psycopg(sql_text.read("console", name), params)


class Reader:
    """Connections to the warehouse as ``firmament_console``, shared by the requests of this process."""

    def __init__(self, dsn: Callable[[], str], *, connections: int = CONNECTIONS) -> None:
        """``dsn`` gives the warehouse's URL when the first connection is opened."""
        self._dsn = dsn
        self.answers = Answers()
        self._lock = threading.Lock()
        self._pool = QueuePool(
            self._connect,
            pool_size=connections, max_overflow=0, timeout=WAIT_SECONDS, use_lifo=True,
        )  # fmt: skip

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.dispose()

    @contextmanager
    def of(self, firms: Collection[str], *, seconds: int | None = None) -> Iterator[Session]:
        """A transaction that sees these firms; WarehouseDownError when the warehouse does not answer.

        A statement ends after ``seconds``, by default ``STATEMENT_SECONDS``.
        """
        if wrong := [key for key in firms if not FIRM_KEY.fullmatch(key)]:
            raise ValueError(f"no keys of firms: {wrong}")
        with _as_problems():
            held = self._checked_out(",".join(sorted(firms)), seconds or STATEMENT_SECONDS)
            session = Session(held.dbapi_connection)
            try:
                yield session
            except psycopg.Error:
                held.invalidate()
                raise
            finally:
                with suppress(psycopg.Error):
                    session.close()
                held.close()  # rolls back, which ends the setting

    def _checked_out(self, firms: str, seconds: int) -> Any:
        """A connection in a transaction of these firms; a connection that broke while idle is replaced."""
        for attempt in range(CONNECTIONS + 1):
            held = self._pool.connect()
            try:
                held.execute("discard plans")
                held.execute(BEGIN, [firms, f"{seconds}s"])
                return held
            except psycopg.OperationalError:
                held.invalidate()
                held.close()
                if attempt == CONNECTIONS:
                    raise
        raise AssertionError("unreachable")

    def _connect(self) -> Any:  # SQLAlchemy names the types of its own drivers only
        return psycopg.connect(
            self._dsn(),
            row_factory=dict_row,
            cursor_factory=psycopg.ClientCursor,
            connect_timeout=WAIT_SECONDS,
            application_name="firmament console",
            options="-c default_transaction_read_only=on -c search_path= -c timezone=UTC -c jit=off",
        )


@contextmanager
def _as_problems() -> Iterator[None]:
    """Say what is wrong with the warehouse and what to do, without values of rows."""
    try:
        yield
    except SettingsError as error:
        raise WarehouseDownError(str(error), OPEN) from None
    except PoolTimeout:
        raise WarehouseDownError("every connection of the console is in use", "Try again.") from None
    except psycopg.errors.QueryCanceled:
        raise WarehouseDownError(
            "the warehouse took too long, so the statement was ended", "Narrow the filter, or try again."
        ) from None
    except (
        psycopg.errors.UndefinedTable,
        psycopg.errors.UndefinedColumn,
        psycopg.errors.UndefinedFunction,
    ) as error:
        raise WarehouseDownError(f"the warehouse has an older schema: {explain(error)}", MIGRATE) from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise WarehouseDownError(f"the console may not read: {explain(error)}", MIGRATE) from None
    except psycopg.OperationalError as error:
        text = explain(error)
        is_refused = any(words in text for words in REFUSALS)
        raise WarehouseDownError(
            f"the warehouse cannot be reached: {text}", OPEN if is_refused else START
        ) from None
