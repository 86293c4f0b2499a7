"""A firm's data and features, profiled: one HTML page that needs no network, and the same as JSON.

``gather`` reads the firm's handoffs by the engine, ``charts`` draws, ``page`` writes. No row of a
customer leaves the engine but a sample of features without ids, and no id or contact detail is shown.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.report.page import html_of


@dataclass(frozen=True)
class Written:
    """Where a report was written."""

    html: Path
    json: Path


def write(profile: dict[str, Any], folder: Path) -> Written:
    """Write the page and the JSON beside it, named by firm and day."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{profile['firm']['firm_key']}_{profile['as_of']}_report"
    written = Written(folder / f"{stem}.html", folder / f"{stem}.json")
    written.json.write_text(json.dumps(profile, indent=1, allow_nan=False), encoding="utf-8")
    written.html.write_text(html_of(profile), encoding="utf-8")
    return written
