"""The Airflow plugin of the console: an API, and pages in Airflow's own interface.

Every Airflow service imports this file, so it imports neither FastAPI nor a driver: the API server loads them
at the console's first request. An error here must not take Airflow down: it is logged, and Airflow starts
without the console.
"""

from __future__ import annotations

import logging
from typing import Any

from airflow.plugins_manager import AirflowPlugin

log = logging.getLogger(__name__)


def registered() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The FastAPI applications and the React applications; none of a console that cannot be imported."""
    try:
        from include.console.asgi import CONSOLE
        from include.console.files import PREFIX
        from include.console.pages_of_airflow import react_apps

        return [{"app": CONSOLE, "url_prefix": PREFIX, "name": "Firmament console"}], react_apps()
    except Exception:
        log.exception("Airflow starts without Firmament's console")
        return [], []


class ConsolePlugin(AirflowPlugin):
    """The registration itself."""

    name = "firmament_console"
    fastapi_apps, react_apps = registered()
