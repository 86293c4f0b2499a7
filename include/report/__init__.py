"""A firm's data and features, profiled: one HTML page that needs no network, and the same as JSON.

``gather`` reads the firm's handoffs by the engine, ``charts`` draws, ``page`` writes. No row of a
customer leaves the engine but a sample of features without ids, and no id or contact detail is shown.
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
    """Where a report was written."""

    html: Path
    json: Path


def write(profile: dict[str, Any], folder: Path) -> Written:
    """Write the page and the JSON beside it, named by firm and day."""
    if folder.name == DEFAULT_FOLDER:  # a folder that another command made is not ours to close
        close_folder(folder)
    private_folder(folder)
    stem = f"{profile['firm']['firm_key']}_{profile['as_of']}_report"
    written = Written(folder / f"{stem}.html", folder / f"{stem}.json")
    write_private(written.json, json.dumps(profile, indent=1, allow_nan=False))
    write_private(written.html, html_of(profile))
    return written
