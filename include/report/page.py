"""A profile as one HTML page: its charts, its tables, and everything they need, in one file.

The page's own policy forbids it to load anything, so that it says the same offline and in ten years.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from markupsafe import Markup
from plotly.offline import get_plotlyjs

from include.report.sections import SECTIONS
from include.report.tables import number
from include.report.templating import render

HERE = Path(__file__).parent
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "form-action 'none'; base-uri 'none'"
)


def html_of(profile: dict[str, Any]) -> str:
    """The page."""
    firm, as_of = profile["firm"], profile["as_of"]
    sections = [section for make in SECTIONS if (section := make(profile)) is not None]
    shown = {name: chart for _, _, _, drawn in sections for name, chart in drawn.items()}
    data = {
        "charts": shown,
        "features": [
            {key: feature.get(key) for key in ("name", "about", "edges", "counts", "churn_rates")}
            | {"p50": feature.get("p50"), "missing": feature["missing"]}
            for feature in profile["features"]
        ],
    }
    # "<" would let a text of the data end the script that holds it.
    carried = json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    page = render(
        "page",
        version=profile["version"],
        policy=Markup(POLICY),
        firm=firm,
        as_of=as_of,
        small_group=profile["small_group"],
        figures=_figures(profile),
        sections=sections,
        # Our own files and the escaped data, which HTML's escapes would break.
        style=Markup(_file("page.css")),
        script=Markup(_file("page.js")),
        plotly=Markup(get_plotlyjs()),
        data=Markup(carried),
    )
    return f"{page}\n"


def _figures(profile: dict[str, Any]) -> list[tuple[str, str]]:
    """The few numbers at the top."""
    months = profile["months"]
    cards: list[tuple[str, str]] = []
    if months:
        cards = [
            (f"{sum(row['new_customers'] for row in months):,}", "customers who ever bought"),
            (f"{sum(row['order_count'] for row in months):,}", "orders of identified customers"),
            (number(sum(row["net_amount"] for row in months)), f"net sales, {profile['firm']['currency']}"),
            (f"{len(months)}", "months"),
        ]
    if profile["features"]:
        cards.append((f"{len(profile['features'])}", "features"))
    if profile["target"]:
        last = profile["target"]["cutoffs"][-1]
        if last["churn_rate"] is not None:
            cards.append((f"{100 * last['churn_rate']:.1f} %", f"churned after {last['cutoff']}"))
    return cards


def _file(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
