"""Two firms in a warehouse, and the console served over HTTP to users who may see one of them or both.

Only the permissions are of the tests: a header names the user. tests/dags/test_real_airflow.py runs
the same application under Airflow's own permissions.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest
import uvicorn
from fastapi import HTTPException, Request

from include.console.app import create_app
from include.console.reader import Reader
from include.console.security import PREFIX
from include.stack.environment import as_login
from include.warehouse.access import CONSOLE, Access
from tests.sql.view.test_every_view import OLD, SUMMER, fill
from tests.warehouse.shop import Shop

FIRMS_OF = {"ann": {"acme"}, "zoe": {"zeta"}, "both": {"acme", "zeta"}, "none": set()}
PASSWORD = "console's password"
MARKUP = '<img src=x onerror="alert(1)">'


class HeaderPermissions:
    """The user that the header names may see the firms of FIRMS_OF."""

    def signed_in(self) -> Callable[..., Any]:
        return _firms_of

    def reads_firm(self) -> Callable[..., Any]:
        def reads(request: Request, dag_id: str) -> None:
            if dag_id.removeprefix(PREFIX) not in _firms_of(request):
                raise HTTPException(403, "Forbidden")

        return reads

    def firms(self) -> Callable[..., set[str]]:
        return _firms_of


def _firms_of(request: Request) -> set[str]:
    user = request.headers.get("x-user")
    if user is None:
        raise HTTPException(401, "Not authenticated")
    return FIRMS_OF[user]


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The address of a server of the application."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 10
        while not server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def owner(module_migrated_dsn) -> Iterator[str]:
    """A warehouse with two snapshots of two firms; a customer's id of acme is markup."""
    shops = [Shop(module_migrated_dsn, key) for key in ("acme", "zeta")]
    for number, shop in enumerate(shops, start=3):
        shop.amount = number
        fill(shop, SUMMER, number)
        fill(shop, OLD, number + 1, segment="lost")
    with Access(module_migrated_dsn) as access:
        access.open_console(PASSWORD)
    yield module_migrated_dsn
    for shop in shops:
        shop.warehouse.close()


@pytest.fixture(scope="module")
def console_dsn(owner) -> str:
    """The warehouse's URL for the console."""
    return as_login(owner, CONSOLE, PASSWORD.replace("'", "%27").replace(" ", "%20"))


@pytest.fixture
def reader(console_dsn) -> Iterator[Reader]:
    """A reader with one connection, which every user shares."""
    reader = Reader(lambda: console_dsn, connections=1)
    yield reader
    reader.close()


@pytest.fixture(scope="module")
def ask(console_dsn) -> Iterator[Callable[..., httpx.Response]]:
    """Ask the API as a user: ``ask("ann", "firms")``."""
    reader = Reader(lambda: console_dsn)
    with served(create_app(HeaderPermissions(), reader)) as url, httpx.Client(base_url=url) as client:

        def ask(user: str | None, path: str, headers: dict[str, str] | None = None, **params: Any):
            given = {"x-user": user} if user else {}
            return client.get(f"/api/v1/{path}", params=params, headers=given | (headers or {}))

        yield ask
    reader.close()


def as_console(dsn: str, firms: str | None, query: str) -> list[tuple]:
    """Rows that the console's login sees with a setting."""
    with psycopg.connect(dsn) as connection:
        if firms is not None:
            connection.execute("select set_config('firmament.firms', %s, true)", [firms])
        return connection.execute(query).fetchall()
