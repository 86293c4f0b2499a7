"""Profile report of a firm's data and features: one HTML page that works offline, and the same data as JSON.

``profile.gather`` reads the firm's handoffs with the engine, ``charts`` builds the charts, ``page`` writes
the page. Only aggregates and a sample of features without ids leave the engine. No id or contact detail is
shown.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.private_files import close_folder, private_folder
from include.report.page import html_of
from include.settings import write_private

DEFAULT_FOLDER = "reports"


@dataclass(frozen=True)
class Written:
    """Paths of a written report."""

    html: Path
    json: Path


def write(profile: dict[str, Any], folder: Path, *, stem: str = "") -> Written:
    """Write the page and the JSON file, readable by the owner only; named by firm and as_of, or ``stem``."""
    if folder.name == DEFAULT_FOLDER:  # only this folder belongs to the report
        close_folder(folder)
    private_folder(folder)
    stem = stem or f"{profile['firm']['firm_key']}_{profile['as_of']}_report"
    written = Written(folder / f"{stem}.html", folder / f"{stem}.json")
    write_private(written.json, json.dumps(profile, indent=1, allow_nan=False))
    write_private(written.html, html_of(profile))
    return written
