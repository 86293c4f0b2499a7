"""Where Airflow's interface shows the console: in the navigation, on each DAG, and on the home page."""

from __future__ import annotations

from typing import Any

from include.console.files import FOLDER, address_of

BUNDLE = "console.js"
# Airflow shows the name, and finds the component under it as a property of the window. It imports a bundle
# once per address, so the bundle sets each of these names (include/console/web/main.tsx).
NAV, DAG, HOME = "Firmament", "Customer analytics", "Firmament home"


def react_apps() -> list[dict[str, Any]]:
    """The entries; none while the bundle is not built."""
    if not (FOLDER / BUNDLE).exists():
        return []
    shared = {
        "bundle_url": address_of(BUNDLE),
        "icon": address_of("icon.svg"),
        "icon_dark_mode": address_of("icon_dark.svg"),
    }
    return [
        {**shared, "name": NAV, "url_route": "firmament", "destination": "nav", "nav_top_level": True},
        {**shared, "name": DAG, "url_route": "firmament-firm", "destination": "dag"},
        {**shared, "name": HOME, "url_route": "firmament-home", "destination": "dashboard"},
    ]
