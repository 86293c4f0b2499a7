"""A COMMIT whose reply is lost: the outcome is looked up, never guessed."""

import contextlib
import select
import socket
import threading
from datetime import date

import pytest

from include.warehouse import UnknownOutcome, Warehouse, WarehouseError, session
from tests.warehouse.shop import Shop, sale

NOV = date(2026, 11, 3)


class CommitProxy:
    """Forwards to Postgres; at the armed COMMIT drops the request or its reply, then the connection."""

    def __init__(self, port: int, *, carries_out: bool, refuses_afterwards: bool = False) -> None:
        self._target, self._carries_out, self._refuses = port, carries_out, refuses_afterwards
        self.is_armed = False
        self.fired = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.fired and self._refuses:
                client.close()
                continue
            threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with (
            client,
            socket.create_connection(("127.0.0.1", self._target)) as server,
            contextlib.suppress(OSError),
        ):
            while True:
                ready, _, _ = select.select([client, server], [], [], 20)
                for source in ready:
                    data = source.recv(1 << 16)
                    if not data:
                        return
                    if source is client and self.is_armed and b"COMMIT" in data:
                        self.is_armed = False
                        self.fired += 1
                        if self._carries_out:
                            server.sendall(data)
                            server.recv(1 << 16)  # the reply that nobody hears
                        return
                    (server if source is client else client).sendall(data)


def behind(shop: Shop, server, **how) -> tuple[Shop, CommitProxy]:
    """The same shop, reached through a proxy."""
    proxy = CommitProxy(server.port, **how)
    far = object.__new__(Shop)
    far.__dict__.update(shop.__dict__)
    far.warehouse = Warehouse(shop.dsn.replace(f":{server.port}/", f":{proxy.port}/"))
    load = far.warehouse.session.transaction

    @contextlib.contextmanager
    def armed(doing):
        proxy.is_armed = not proxy.fired  # a load's summaries follow in transactions of their own
        with load(doing) as connection:
            yield connection

    far.warehouse.session.transaction = armed
    return far, proxy


def test_a_commit_that_took_effect_is_recognised(shop, postgres_server):
    far, proxy = behind(shop, postgres_server, carries_out=True)

    done = far.sales("2026-11", sale("1", NOV))

    assert proxy.fired == 1
    assert done.rows == 1
    assert shop.ask("select count(*) from analytics.fact_sales") == [(1,)]
    far.warehouse.close()
    proxy.close()


def test_a_commit_that_never_arrived_is_an_error_and_changes_nothing(shop, postgres_server):
    far, proxy = behind(shop, postgres_server, carries_out=False)

    with pytest.raises(WarehouseError, match="nothing was changed"):
        far.sales("2026-11", sale("1", NOV))

    assert proxy.fired == 1
    assert shop.ask("select count(*) from analytics.fact_sales") == [(0,)]
    far.warehouse.close()
    proxy.close()


def test_a_commit_without_an_answer_is_unknown_and_its_retry_is_right(shop, postgres_server, monkeypatch):
    monkeypatch.setattr(session, "SETTLE_SECONDS", 1.0)
    far, proxy = behind(shop, postgres_server, carries_out=True, refuses_afterwards=True)

    with pytest.raises(UnknownOutcome, match="run the step again"):
        far.sales("2026-11", sale("1", NOV), sha256="bytes")
    retried = shop.sales("2026-11", sale("1", NOV), sha256="bytes")

    assert retried.skipped_slices == 1
    assert shop.ask("select count(*) from analytics.fact_sales") == [(1,)]
    far.warehouse.close()
    proxy.close()
