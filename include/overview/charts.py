"""Charts of the page: Vega-Lite specifications drawn as SVG on this computer, without a browser or a script.

Each chart is drawn twice, for a wide and for a narrow screen, so that its text has a readable size on both.
All texts and tick labels are written beforehand in the language of the page.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import vl_convert
from markupsafe import Markup

from include.overview.facts import ChanceBand, Part, SegmentSize, Summary
from include.overview.words import Words

BLUE, ORANGE, GREY, INK, GRID = "#0072B2", "#E69F00", "#6B7280", "#1F2933", "#E4E7EB"
FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
WIDE, NARROW = 720, 320
VERSION = "6.4"
TICKS = 5
Spec = dict[str, Any]


class Drawing(NamedTuple):
    """A chart for wide and for narrow screens."""

    wide: Markup
    narrow: Markup


def months(summary: Summary, words: Words) -> Drawing:
    """Bars of net sales by month, quarter or year."""
    labels = {i: words.writer.period(m.start, summary.month_grain) for i, m in enumerate(summary.months)}
    amounts = [float(month.net_sales) for month in summary.months]
    rows: list[Spec] = [{"at": at, "sales": amount} for at, amount in enumerate(amounts)]

    def spec(width: int) -> Spec:
        every = math.ceil(len(rows) / (12 if width == WIDE else 5))
        shown = list(labels)[::every]
        return {
            "height": 220,
            "mark": {"type": "bar", "color": BLUE},
            "encoding": {
                "x": {
                    "field": "at",
                    "type": "ordinal",
                    "axis": _axis(
                        values=shown,
                        labels=labels,
                        labelAngle=-40 if width == WIDE or every > 1 else 0,
                        labelOverlap=False,
                        ticks=False,
                    ),
                },
                "y": {"field": "sales", "type": "quantitative", **_amounts(amounts, words)},
            },
        }

    title = words.plain("chart.months", grain=words.plain(f"month.{summary.month_grain}"))
    return _draw(spec, rows, title)


def has_shares(sizes: Sequence[SegmentSize]) -> bool:
    """Whether each segment's sales are a share of all: where returns make a part negative, none is."""
    return sum(size.net_sales for size in sizes) > 0 and all(size.net_sales >= 0 for size in sizes)


def segments(sizes: Sequence[SegmentSize], words: Words) -> Drawing:
    """Two bars per segment: share of customers and share of sales."""
    customers = sum(size.customers for size in sizes)
    sales = float(sum(size.net_sales for size in sizes))
    kinds = [words.plain("chart.segments_customers"), words.plain("chart.segments_sales")]
    rows: list[Spec] = []
    for size in sizes:
        shares = [size.customers / customers, float(size.net_sales) / sales if has_shares(sizes) else None]
        rows += [
            {"segment": size.name, "kind": kind, "share": share, "label": words.writer.share(share)}
            for kind, share in zip(kinds, shares, strict=True)
            if share is not None
        ]
    values = [row["share"] for row in rows]
    low, high = min(0.0, *values), max(values)

    def spec(width: int) -> Spec:
        y = {
            "field": "segment",
            "type": "nominal",
            "sort": None,
            "axis": {
                "title": None,
                "labelExpr": "split(datum.label, ' ')" if width == NARROW else "datum.label",
                "labelLimit": 400,
                "ticks": False,
                "domain": False,
            },
        }
        x = {
            "field": "share",
            "type": "quantitative",
            "scale": {"domain": [low, high * 1.18]},
            "axis": None,
        }
        offset = {"field": "kind", "type": "nominal", "sort": kinds}
        colour = {
            "field": "kind",
            "type": "nominal",
            "scale": {"domain": kinds, "range": [BLUE, ORANGE]},
            "legend": {"title": None, "orient": "top"},
        }
        text = {"type": "text", "align": "left", "dx": 4, "color": INK, "fontSize": 11}
        return {
            "height": {"step": 15 if width == WIDE else 18},
            "encoding": {"y": y, "x": x, "yOffset": offset},
            "layer": [
                {"mark": {"type": "bar"}, "encoding": {"color": colour}},
                {"mark": text, "encoding": {"text": {"field": "label"}}},
            ],
        }

    return _draw(spec, rows, words.plain("chart.segments"))


def chances(bands: Sequence[ChanceBand], words: Words) -> Drawing:
    """Bars of customers by chance of leaving."""
    rows = [
        {
            "band": words.plain(f"chance.{band.band}"),
            "customers": band.customers,
            "label": words.writer.decimal(band.customers),
        }
        for band in bands
    ]
    most = max(band.customers for band in bands)

    def spec(width: int) -> Spec:
        del width
        y = {
            "field": "band",
            "type": "nominal",
            "sort": None,
            "axis": {"title": None, "labelLimit": 400, "ticks": False, "domain": False},
        }
        x = {
            "field": "customers",
            "type": "quantitative",
            "scale": {"domain": [0, most * 1.25]},
            "axis": None,
        }
        return {
            "height": {"step": 34},
            "encoding": {"y": y, "x": x},
            "layer": [
                {"mark": {"type": "bar", "color": BLUE, "height": 22}},
                {
                    "mark": {"type": "text", "align": "left", "dx": 4, "color": INK},
                    "encoding": {"text": {"field": "label"}},
                },
            ],
        }

    return _draw(spec, rows, words.plain("chart.chances"))


def concentration(parts: Sequence[Part], words: Words) -> Drawing:
    """Lorenz curve, highest values first: share of the customers against their share of the value."""
    customers = sum(part.customers for part in parts)
    total = float(sum(part.amount for part in parts))
    rows: list[Spec] = [{"x": 0.0, "y": 0.0, "even": 0.0}]
    seen, held = 0, 0.0
    for part in parts:
        seen, held = seen + part.customers, held + float(part.amount)
        rows.append({"x": seen / customers, "y": held / total, "even": seen / customers})
    ticks = [0, 0.25, 0.5, 0.75, 1]

    def axis(field: str, title: str) -> Spec:
        return {
            "field": field,
            "type": "quantitative",
            "scale": {"domain": [0, 1]},
            "axis": _axis(
                values=ticks, labels={t: words.writer.share(t) for t in ticks}, title=title, grid=True
            ),
        }

    def spec(width: int) -> Spec:
        del width
        y = axis("y", words.plain("chart.concentration_y"))
        return {
            "height": 240,
            "encoding": {"x": axis("x", words.plain("chart.concentration_x"))},
            "layer": [
                {"mark": {"type": "line", "color": BLUE, "strokeWidth": 3}, "encoding": {"y": y}},
                {
                    "mark": {"type": "line", "color": GREY, "strokeDash": [5, 4]},
                    "encoding": {"y": {**y, "field": "even"}},
                },
                {
                    "data": {"values": [{"x": 0.6, "y": 0.5, "label": words.plain("chart.even")}]},
                    "mark": {"type": "text", "align": "left", "color": GREY, "dy": 4},
                    "encoding": {"y": y, "text": {"field": "label"}},
                },
            ],
        }

    return _draw(spec, rows, words.plain("chart.concentration"))


def _amounts(values: Sequence[float], words: Words) -> Spec:
    """Scale and axis of amounts, with ticks at round values and labels in the language of the page."""
    low, high = min(0.0, *values), max(0.0, *values)
    step = nice_step((high - low) or 1.0, TICKS)
    ticks = [step * i for i in range(math.floor(low / step), math.ceil(high / step) + 1)]
    return {
        "scale": {"domain": [ticks[0], ticks[-1]], "nice": False},
        "axis": _axis(
            values=ticks, labels={tick: words.writer.compact(tick) for tick in ticks}, grid=True, ticks=False
        ),
    }


def nice_step(span: float, count: int) -> float:
    """The smallest step of 1, 2 or 5 times a power of ten that divides the span into at most ``count``."""
    size = 10.0 ** math.floor(math.log10(span / count))
    return next(size * factor for factor in (1, 2, 5, 10, 20) if size * factor * count >= span)


def _axis(*, values: Sequence[float], labels: dict[Any, str], title: str | None = None, **more: Any) -> Spec:
    """An axis whose labels were written beforehand."""
    known, texts = json.dumps(list(labels)), json.dumps(list(labels.values()), ensure_ascii=False)
    return {
        "values": list(values),
        "labelExpr": f"{texts}[indexof({known}, datum.value)]",
        "title": title,
        "grid": False,
        "domain": False,
        **more,
    }


def _draw(spec: Any, rows: list[Spec], title: str) -> Drawing:
    wide, narrow = (_svg({"width": width, **spec(width)}, rows, title) for width in (WIDE, NARROW))
    return Drawing(wide, narrow)


def _svg(spec: Spec, rows: list[Spec], title: str) -> Markup:
    whole = {
        "data": {"values": rows},
        "description": title,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": {"left": 4, "right": 12, "top": 6, "bottom": 6},
        "background": "transparent",
        "config": {
            "font": FONT,
            "view": {"stroke": None},
            "axis": {"labelColor": INK, "titleColor": INK, "gridColor": GRID, "labelFontSize": 12,
                     "titleFontSize": 12, "titleFontWeight": "normal"},
            "legend": {"labelColor": INK, "labelFontSize": 12},
            "text": {"fontSize": 12},
        },
        **spec,
    }  # fmt: skip
    svg = vl_convert.vegalite_to_svg(whole, vl_version=VERSION, allowed_base_urls=[])
    return Markup(svg)
