"""A Chromium that is signed in to a running Airflow, and notes what must not happen on a page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
PAGE_SECONDS = 60

# A section is ready when it is not busy; it then has content or says why it has none.
READY = """() => document.querySelector('.fm') &&
  !document.querySelector('.fm [aria-busy=true], .fm .fm-loading')"""
FAULTS = """() => {
  const faults = [], root = document.querySelector('.fm');
  if (root.scrollWidth > root.clientWidth + 1) faults.push('the page scrolls sideways');
  for (const alert of root.querySelectorAll('.fm-error')) faults.push(`a problem: ${alert.textContent}`);
  for (const section of root.querySelectorAll('.fm-section')) {
    const text = section.textContent.replace(section.querySelector('h2').textContent, '').trim();
    if (!text) faults.push(`an empty section: ${section.textContent}`);
  }
  for (const element of root.querySelectorAll('*')) {
    const box = element.getBoundingClientRect();
    if (!box.width || element.closest('.fm-scroll, .fm-hidden, pre, style, thead')) continue;
    if (box.right > document.documentElement.clientWidth + 1 || box.left < -1)
      faults.push(`cut off: ${element.tagName} ${element.textContent.slice(0, 60)}`);
  }
  for (const table of root.querySelectorAll('.fm-scroll:has(.fm-table), .fm-scroll:has(.fm-scores)'))
    if (table.scrollWidth > table.clientWidth + 1)
      faults.push(`a table is cut off: ${table.querySelector('caption').textContent}`);
  for (const element of root.querySelectorAll('a, button, select, input, summary')) {
    const box = element.getBoundingClientRect();
    const label = element.closest('label')?.textContent;
    const name = element.getAttribute('aria-label') || element.textContent || label;
    if (!name?.trim()) faults.push(`no name: ${element.outerHTML.slice(0, 80)}`);
    if (box.width && box.height < 23) faults.push(`too small: ${element.outerHTML.slice(0, 80)}`);
  }
  // Comments of columns and SQL have words of their own.
  const plain = root.cloneNode(true);
  plain.querySelectorAll('.fm-receipt').forEach((receipt) => receipt.remove());
  for (const text of plain.textContent.match(/undefined|NaN|\\[object|Invalid Date|\\{\\w+\\}/g) ?? [])
    faults.push(`a value without a text: ${text}`);
  return faults;
}"""


@dataclass
class Visitor:
    """A tab, the errors of its console, and the addresses of other hosts that it asked for."""

    page: Any
    url: str
    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note errors and requests from now on."""
        host = urlsplit(self.url).netloc
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        self.page.on(
            "request",
            lambda request: (
                None
                if urlsplit(request.url).netloc == host or request.url.startswith(("data:", "blob:"))
                else self.strangers.append(request.url)
            ),
        )

    def open(self, place: str) -> None:
        """Open a place of the console, such as ``?firm=firm_acme&view=customers``."""
        self.page.goto(f"{self.url}/plugin/firmament{place}")
        self.ready()

    def ready(self) -> None:
        """Wait until every section has its answer."""
        self.page.wait_for_function(READY, timeout=PAGE_SECONDS * 1000)

    def faults(self) -> list[str]:
        """What is wrong with the page that is shown."""
        return [*self.page.evaluate(FAULTS), *self.errors, *self.strangers]


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless Chromium; the test is skipped without playwright or a browser."""
    driver = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no browser: apt-get install chromium")
    with driver.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visit(
    browser: Any, url: str, token: str, *, width: int = 1440, theme: str = "light"
) -> Iterator[Visitor]:
    """A tab of a user whose session is ``token``, in one theme of Airflow."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
    context.add_cookies([{"name": "_token", "value": token, "url": url}])
    context.add_init_script(f"localStorage.setItem('theme', '{theme}')")
    try:
        visitor = Visitor(context.new_page(), url)
        visitor.watch()
        yield visitor
    finally:
        context.close()
