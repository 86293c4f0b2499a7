"""A connection to the warehouse that is opened when first needed and again after it broke."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg.rows import dict_row

from include.warehouse.errors import UnknownOutcome, WarehouseError, explain

Row = dict[str, Any]
SETTLE_SECONDS = 20.0

log = logging.getLogger(__name__)


def connect(dsn: str) -> psycopg.Connection[Row]:
    """A connection in autocommit, with names always qualified and instants in UTC."""
    connection = None
    try:
        connection = psycopg.connect(
            dsn,
            autocommit=True,
            row_factory=dict_row,
            cursor_factory=psycopg.ClientCursor,
            connect_timeout=10,
            application_name="firmament",
        )
        connection.execute("set search_path = ''; set timezone = 'UTC'; set client_min_messages = warning")
    except psycopg.Error as error:
        if connection is not None:
            connection.close()
        raise WarehouseError(
            f"the warehouse cannot be reached: {explain(error)}; start it with `make up`, "
            "or set FIRMAMENT_WAREHOUSE_DSN"
        ) from None
    return connection


class Session:
    """What all parts of the warehouse share: its address and one connection."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._connection: psycopg.Connection[Row] | None = None

    def __enter__(self) -> Self:
        """The warehouse itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self.close()

    def __repr__(self) -> str:
        """Without the address, which holds a password."""
        return f"{type(self).__name__}()"

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def connection(self) -> psycopg.Connection[Row]:
        """The open connection."""
        if self._connection is None or self._connection.closed:
            self._connection = connect(self.dsn)
        return self._connection

    def rows(self, query: str, params: Row | Sequence[Any] | None = None) -> list[Row]:
        """The rows of one query."""
        with self.clear_errors("a query of the warehouse"):
            return self.connection.execute(query, params).fetchall()

    @contextmanager
    def clear_errors(self, doing: str) -> Iterator[None]:
        """Say what failed without the values of rows that PostgreSQL's own text holds."""
        try:
            yield
        except psycopg.Error as error:
            raise WarehouseError(f"{doing}: {explain(error)}") from None

    @contextmanager
    def transaction(self, doing: str) -> Iterator[psycopg.Connection[Row]]:
        """One transaction whose outcome is known: a commit whose reply was lost is looked up."""
        connection = self.connection
        number: str | None = None
        committing = False
        try:
            with connection.transaction():
                yield connection
                row = connection.execute("select pg_current_xact_id_if_assigned()::text as xid").fetchone()
                number = row["xid"] if row else None
                committing = True
        except psycopg.OperationalError as error:
            if not committing or number is None or error.sqlstate in ("40001", "40P01"):
                raise
            self._settle(number, doing)

    def _settle(self, number: str, doing: str) -> None:
        """Return if the transaction has committed; raise if it has not or if its status is unknown."""
        self.close()
        deadline = time.monotonic() + SETTLE_SECONDS
        status = None
        while time.monotonic() < deadline:
            try:
                with connect(self.dsn) as asked:
                    row = asked.execute("select pg_xact_status(%s::xid8) as status", [number]).fetchone()
                status = row["status"] if row else None
            except (WarehouseError, psycopg.Error):
                status = None
            if status == "committed":
                log.warning("%s: the reply to COMMIT was lost; the transaction had committed", doing)
                return
            if status == "aborted":
                raise WarehouseError(
                    f"{doing}: the connection was lost before the commit; nothing was changed"
                )
            time.sleep(0.2)
        raise UnknownOutcome(
            f"{doing}: the connection was lost during COMMIT and transaction {number} is "
            f"{status or 'not to be asked about'}; run the step again, it recognises what is loaded"
        )


class Part:
    """One part of the warehouse: the calls that belong together, over a session that the parts share."""

    def __init__(self, session: Session) -> None:
        """Read and write through ``session``."""
        self._session = session
