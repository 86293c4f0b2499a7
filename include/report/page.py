"""A profile as one HTML page: its charts, its tables, and everything they need, in one file.

The page's own policy forbids it to load anything, so that it says the same offline and in ten years.
"""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

from plotly.offline import get_plotlyjs

from include.report.sections import SECTIONS
from include.report.tables import number

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
    links = "".join(f'<a href="#{name}">{escape(title)}</a>' for name, title, _, _ in sections)
    bodies = "".join(
        f'<section id="{name}"><h2>{escape(title)}</h2>{body}</section>' for name, title, body, _ in sections
    )
    # "<" would let a text of the data end the script that holds it.
    carried = json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="generator" content="Firmament {profile["version"]}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(firm["name"])} as of {as_of}: data and features</title>
<style>{_file("page.css")}</style>
</head>
<body>
<header>
<h1>{escape(firm["name"])}: data and features</h1>
<p class="soft">As of {as_of}, excluding that day. Days are days in {escape(firm["timezone"])},
money is in {escape(firm["currency"])}. No customer is named on this page, and a rate or an average of
fewer than {profile["small_group"]} customers is left out.</p>
{_figures(profile)}
<nav aria-label="Sections">{links}</nav>
</header>
<main>{bodies}</main>
<footer>Made by Firmament {profile["version"]} from the firm's own records; the JSON beside it has the same
figures.</footer>
<script type="application/json" id="report">{carried}</script>
<script>{get_plotlyjs()}</script>
<script>{_file("page.js")}</script>
</body>
</html>
"""


def _figures(profile: dict[str, Any]) -> str:
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
    inner = "".join(f"<div><b>{escape(value)}</b><span>{escape(what)}</span></div>" for value, what in cards)
    return f'<div class="figures">{inner}</div>'


def _file(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
