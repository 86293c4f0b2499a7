"""The console as one ASGI application that is built at its first request."""

from __future__ import annotations

import logging
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = logging.getLogger(__name__)


class LazyApp:
    """An ASGI application that imports and builds the real one when it is first called."""

    def __init__(self, build: Callable[[], App]) -> None:
        self._build = build
        self._app: App | None = None
        self._lock = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._loaded()(scope, receive, send)

    def _loaded(self) -> App:
        with self._lock:
            if self._app is None:
                self._app = self._build()
            return self._app


def _build() -> App:
    from include.console.app import create_app
    from include.console.reader import Reader
    from include.console.security import AirflowPermissions, console_dsn

    return create_app(AirflowPermissions(), Reader(console_dsn))


CONSOLE = LazyApp(_build)
