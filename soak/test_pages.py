"""The pages of ten files in a browser, at 390 and 1440 px, in both languages: complete and readable.

Screenshots are kept in the folder of FIRMAMENT_SCREENSHOTS, if it is set. Skipped without playwright, a
browser (Debian's package chromium) or the files.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from include.cli import app
from include.settings import PROJECT

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DATA = PROJECT.parent / "shared" / "data"
FILES = {
    "online": "files/base_online",
    "shopify": "files/shopify_orders",
    "turkish": "files/turkish",
    "woocommerce": "files/woocommerce",
    "one_row": "files/one_row",
    "short": "cases/short/sales.csv",
    "subscriptions": "cases/subs/sales.csv",
    "returns": "cases/returns/sales.csv",
    "dormant": "cases/dormant/sales.csv",
    "cdnow": "cdnow/cdnow_sample_2357.csv.gz",
    "online_retail": "online_retail_i/online_retail_i.parquet",
}
WIDTHS = (390, 1440)
FAULTS = """() => {
  const faults = [], width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) faults.push('the page scrolls sideways');
  for (const element of document.querySelectorAll('body *')) {
    const box = element.getBoundingClientRect();
    if (!box.width || element.closest('.scroll, .hidden, thead')) continue;
    if (box.right > width + 1 || box.left < -1)
      faults.push(`cut off: ${element.tagName} ${element.textContent.slice(0, 60)}`);
  }
  for (const figure of document.querySelectorAll('figure')) {
    const charts = [...figure.querySelectorAll('svg')].filter(s => s.getBoundingClientRect().width);
    if (!figure.querySelector('figcaption').textContent.trim()) faults.push('a picture without a sentence');
    if (!charts.length && !figure.querySelector('table')) faults.push('a figure without a picture');
    for (const svg of charts) {
      const frame = svg.getBoundingClientRect();
      if (!svg.querySelector('.mark-rect path[d]:not([d=""]), .mark-line path[d]'))
        faults.push('an empty chart');
      for (const text of svg.querySelectorAll('text')) {
        const box = text.getBoundingClientRect();
        if (box.width && (box.left < frame.left - 1 || box.right > frame.right + 1))
          faults.push(`cut off in a chart: ${text.textContent}`);
      }
    }
  }
  for (const cell of document.querySelectorAll('.rows td.n data'))
    if (cell.getClientRects().length > 1) faults.push(`a number on two lines: ${cell.textContent}`);
  for (const link of document.querySelectorAll('nav a'))
    if (!document.querySelector(link.getAttribute('href'))) faults.push(`a dead link: ${link.textContent}`);
  return faults;
}"""


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    if CHROMIUM is None:
        pytest.skip("no browser: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        options = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=options)
        yield opened
        opened.close()


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("language", ["en", "tr"])
@pytest.mark.parametrize("name", FILES)
def test_a_page_shows_everything_on_a_phone_and_on_a_desk(
    browser: Any, name: str, language: str, tmp_path: Path
) -> None:
    """Nothing is cut off, no chart is empty, each picture has a sentence, no link of the page is dead."""
    file = DATA / FILES[name]
    if not file.exists():
        pytest.skip(f"no file {file}")
    if file.is_dir():
        (file,) = [path for path in file.iterdir() if path.is_file()]
    words = ["try", str(file), "--out", str(tmp_path), "--language", language]
    result = CliRunner().invoke(app, words, env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    (page,) = [path for path in tmp_path.glob("*.html") if not path.name.endswith("-data.html")]

    faults = {}
    for width in WIDTHS:
        tab = browser.new_page(viewport={"width": width, "height": 900})
        tab.goto(page.as_uri())
        faults[width] = tab.evaluate(FAULTS)
        if folder := os.environ.get("FIRMAMENT_SCREENSHOTS"):
            tab.screenshot(path=Path(folder) / f"{name}-{language}-{width}.png", full_page=True)
        tab.close()

    assert faults == {width: [] for width in WIDTHS}
    assert page.stat().st_size < 1_500_000
