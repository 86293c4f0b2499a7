"""Every page of the console in a browser: two themes, two languages, 390 and 1440 px, with the demo's firms.

The demo is made in a folder of its own, which takes some minutes. FIRMAMENT_SOAK_HOME names the home of a
demo that is running already. Screenshots are kept in the folder of FIRMAMENT_SCREENSHOTS, if it is set.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from include import stack
from include.airflow_api import AirflowApi
from include.settings import PROJECT, Settings
from include.stack.environment import ADMIN, keys
from tests.console.browser import chromium, visit

PAGES = {
    "firms": "?",
    "firm": "?firm=firm_journey",
    "firm-cdnow": "?firm=firm_cdnow",
    "customers": "?firm=firm_journey&view=customers",
    "customers-filtered": "?firm=firm_journey&view=customers&risk=Critical&sort=churn_probability",
    "customers-none": "?firm=firm_journey&view=customers&search=no-such-customer",
    "customer": "?firm=firm_journey&view=customer&customer=1031",
    "customer-earlier": "?firm=firm_journey&view=customer&customer=1031&as_of=2017-10-01",
    "at-risk": "?firm=firm_journey&view=at-risk",
    "actions": "?firm=firm_journey&view=actions",
    "products": "?firm=firm_journey&view=products",
    "quality": "?firm=firm_journey&view=quality",
    "models": "?firm=firm_cdnow&view=models",
    "operations": "?firm=firm_journey&view=operations",
}
TALLEST = 8000  # px of a screenshot


@pytest.fixture(scope="session")
def demo() -> Iterator[tuple[str, str]]:
    """The address of an Airflow with the demo's firms, and a token of its admin."""
    given = os.environ.get("FIRMAMENT_SOAK_HOME")
    home = given or tempfile.mkdtemp(prefix="firmament-soak-")
    Path(home).chmod(0o755)
    environ = {
        name: text for name, text in os.environ.items() if not name.startswith(("AIRFLOW", "FIRMAMENT"))
    }
    settings = Settings.read({**environ, "FIRMAMENT_HOME": home})
    if given is None:
        subprocess.run(
            [sys.executable, "-m", "include.demo"], cwd=PROJECT, check=True, env=dict(settings.environ)
        )
    try:
        url = stack.env(settings)["AIRFLOW__API__BASE_URL"]
        api = AirflowApi(url, ADMIN, keys(settings)["admin_password"])
        signed_in = {"username": ADMIN, "password": keys(settings)["admin_password"]}
        yield url, api.call("POST", "/auth/token", signed_in)["access_token"]
    finally:
        if given is None:
            stack.down(settings)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    with chromium() as opened:
        yield opened


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("language", ["en", "tr"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_whole_and_free_of_errors(
    demo: tuple[str, str], browser: Any, theme: str, language: str, width: int
) -> None:
    """Nothing is cut off or empty, no error is in the browser's console, no other host is asked."""
    url, token = demo
    faults = {}
    with visit(browser, url, token, width=width, theme=theme) as tab:
        for name, place in PAGES.items():
            tab.open(f"{place}&lang={language}")
            faults[name] = tab.faults()
            if folder := os.environ.get("FIRMAMENT_SCREENSHOTS"):
                height = int(tab.page.evaluate("document.querySelector('.fm').scrollHeight")) + 40
                tab.page.set_viewport_size({"width": width, "height": min(height, TALLEST)})
                path = Path(folder) / f"console-{name}-{theme}-{language}-{width}.png"
                tab.page.screenshot(path=path)
                tab.page.set_viewport_size({"width": width, "height": 900})

    assert faults == {name: [] for name in PAGES}


def test_another_day_changes_the_figures(demo: tuple[str, str], browser: Any) -> None:
    """The day in the address decides what is shown, and the day can be chosen on the page."""
    url, token = demo
    with visit(browser, url, token) as tab:
        tab.open("?firm=firm_journey&lang=en")
        latest = tab.page.locator(".fm-figure").all_inner_texts()
        tab.page.get_by_label("As of").select_option("2017-10-01")
        tab.page.wait_for_url("**as_of=2017-10-01*")
        tab.ready()
        earlier = tab.page.locator(".fm-figure").all_inner_texts()

    assert len(latest) == len(earlier) == 8
    assert latest != earlier
