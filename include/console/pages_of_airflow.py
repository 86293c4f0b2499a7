"""Where Airflow's interface shows the console: in the navigation, on each DAG, and on the home page."""

from __future__ import annotations

from typing import Any

from include.console.files import FOLDER, address_of

BUNDLE = "console.js"
# Airflow imports a bundle once per address and then looks for its component under the registered name, a
# property of the window. The bundle sets each of these names.
NAV, DAG, HOME = "FirmamentConsole", "FirmamentFirm", "FirmamentHome"


def react_apps() -> list[dict[str, Any]]:
    """The entries; none while the bundle is not built."""
    if not (FOLDER / BUNDLE).exists():
        return []
    shared = {"bundle_url": address_of(BUNDLE)}
    return [
        {**shared, "name": NAV, "url_route": "firmament", "destination": "nav", "category": "browse"},
        {**shared, "name": DAG, "url_route": "firmament-firm", "destination": "dag"},
        {**shared, "name": HOME, "url_route": "firmament-home", "destination": "dashboard"},
    ]
