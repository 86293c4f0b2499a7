"""The charts of a report as plotly figures in JSON; the page shows each with its data as a table."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

# Okabe and Ito's palette, readable with colour blindness.
BLUE, SKY, ORANGE, VERMILLION, GREY = "#0072B2", "#56B4E9", "#E69F00", "#D55E00", "#8A8F98"
INK, GRID = "#1F2933", "#E4E7EB"
RIGHT = {"rangemode": "tozero", "showgrid": False, "tickmode": "auto"}
SILENCE = ("under ¼", "¼ to ½", "½ to 1", "1 to 2", "over 2")
ORDERS = ("1", "2", "3-4", "5-9", "10+")
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


def months(profile: dict[str, Any]) -> dict[str, Any]:
    """Sales and returns of each month, and the customers who bought."""
    rows = profile["months"]
    at = [row["month_start"] for row in rows]
    currency = profile["firm"]["currency"]
    figure = go.Figure(
        [
            go.Bar(
                x=at, y=[row["sale_amount"] for row in rows], name=f"Sales ({currency})", marker_color=BLUE
            ),
            go.Bar(
                x=at,
                y=[-row["return_amount"] for row in rows],
                name=f"Returns ({currency})",
                marker_color=ORANGE,
            ),
            _line(at, rows, "customers", "Customers who bought", INK, "solid"),
            _line(at, rows, "new_customers", "of them new", VERMILLION, "dot"),
        ]
    )
    figure.update_layout(
        barmode="relative",
        hovermode="x unified",
        yaxis={"title": currency},
        yaxis2={"title": "customers", "overlaying": "y", "side": "right", **RIGHT},
    )
    figure.update_xaxes(hoverformat="%B %Y")
    return _plain(figure, height=380)


def _line(at: list[str], rows: list[dict[str, Any]], name: str, label: str, color: str, dash: str) -> Any:
    return go.Scatter(
        x=at,
        y=[row[name] for row in rows],
        name=label,
        yaxis="y2",
        mode="lines+markers",
        line={"color": color, "dash": dash, "width": 2},
        marker={"size": 5},
    )


def missing(profile: dict[str, Any], *, most: int = 30) -> dict[str, Any]:
    """Features with missing values, most first."""
    lacking = sorted((f for f in profile["features"] if f["missing"]), key=lambda f: -f["missing_share"])
    shown = lacking[:most][::-1]
    figure = go.Figure(
        go.Bar(
            x=[100 * f["missing_share"] for f in shown],
            y=[f["name"] for f in shown],
            customdata=[[f["about"], f["missing"]] for f in shown],
            orientation="h",
            marker_color=BLUE,
            hovertemplate="<b>%{y}</b><br>%{customdata[0]}<br>%{x:.1f} % missing"
            " (%{customdata[1]:,} customers)<extra></extra>",
        )
    )
    figure.update_xaxes(title="customers without a value, %", range=[0, 100])
    figure.update_yaxes(showgrid=False)
    return _plain(figure, height=110 + 20 * len(shown))


def matrix(profile: dict[str, Any]) -> dict[str, Any]:
    """Rank correlation matrix of the selected features."""
    found = profile["matrix"]
    names = found["names"]
    figure = go.Figure(
        go.Heatmap(
            z=found["values"],
            x=names,
            y=names,
            zmin=-1,
            zmax=1,
            colorscale=[[0, VERMILLION], [0.5, "#FFFFFF"], [1, BLUE]],
            hovertemplate="%{y}<br>%{x}<br>%{z:.2f}<extra></extra>",
            colorbar={"title": "rank<br>correlation", "thickness": 12},
            xgap=1,
            ygap=1,
        )
    )
    figure.update_xaxes(tickangle=-60, showgrid=False)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return _plain(figure, height=240 + 20 * len(names))


def cutoffs(profile: dict[str, Any]) -> dict[str, Any]:
    """Churn rate by past cutoff."""
    rows = profile["target"]["cutoffs"]
    figure = go.Figure(
        go.Scatter(
            x=[row["cutoff"] for row in rows],
            y=[percent(row["churn_rate"]) for row in rows],
            customdata=[row["customers"] for row in rows],
            mode="lines+markers",
            line={"color": VERMILLION, "width": 2},
            marker={"size": 7},
            hovertemplate="%{x|%d %B %Y}<br>%{y:.1f} % of %{customdata:,} customers<extra></extra>",
        )
    )
    figure.update_yaxes(title="churned, %", rangemode="tozero")
    figure.update_xaxes(title="cutoff", tickvals=[row["cutoff"] for row in rows], tickformat="%d %b %Y")
    return _plain(figure, height=300)


def bands(profile: dict[str, Any]) -> dict[str, Any]:
    """Churn rate by days since the last order and by number of orders."""
    cells = {(row["silence_band"], row["order_band"]): row for row in profile["target"]["bands"]}

    def grid(name: str) -> list[list[Any]]:
        return [[cells.get((s, o), {}).get(name) for o in range(1, 6)] for s in range(1, 6)]

    rates = [[percent(rate) for rate in row] for row in grid("churn_rate")]
    counts = grid("customers")
    small = profile["small_group"]
    texts = [
        [_cell(rate, count, small) for rate, count in zip(*pair, strict=True)]
        for pair in zip(rates, counts, strict=True)
    ]
    figure = go.Figure(
        go.Heatmap(
            z=rates,
            x=list(ORDERS),
            y=list(SILENCE),
            text=texts,
            texttemplate="%{text}",
            zmin=0,
            zmax=100,
            colorscale=[[0, "#FFFFFF"], [1, ORANGE]],  # light, so that text is readable in every cell
            textfont={"color": INK},
            colorbar={"title": "churned,<br>%", "thickness": 12},
            hovertemplate="silence %{y} of the threshold, %{x} orders<br>%{text}<extra></extra>",
            hoverongaps=False,
            xgap=2,
            ygap=2,
        )
    )
    figure.update_xaxes(title="orders so far", type="category", showgrid=False)
    figure.update_yaxes(
        title="silence, in churn thresholds", type="category", showgrid=False, autorange="reversed"
    )
    return _plain(figure, height=380)


def _cell(rate: float | None, count: int | None, small: int) -> str:
    if not count:
        return ""
    return f"under {small}" if rate is None else f"{rate:.0f} %<br>of {count:,}"


def segments(profile: dict[str, Any]) -> dict[str, Any]:
    """Customers by segment, coloured by the mean churn risk score; grey where the score is not shown."""
    rows = profile["segments"][::-1]
    scored = [row for row in rows if row["avg_churn_risk_score"] is not None]
    unscored = [row for row in rows if row["avg_churn_risk_score"] is None]
    # Two traces: plotly refuses a list of colours that holds None.
    bars = []
    if scored:
        marker = {
            "color": [row["avg_churn_risk_score"] for row in scored],
            "colorscale": "Cividis",
            "cmin": 0,
            "colorbar": {"title": "mean churn<br>risk score", "thickness": 12},
            "line": {"color": INK, "width": 0.5},
        }
        bars.append(_segment_bars(scored, marker, "mean risk score"))
    if unscored:
        label = "no mean risk score" if scored else "customers"
        bars.append(_segment_bars(unscored, {"color": GREY if scored else BLUE}, label))
    figure = go.Figure(bars)
    figure.update_layout(barmode="overlay", showlegend=False)
    figure.update_xaxes(title="customers")
    figure.update_yaxes(
        showgrid=False, categoryorder="array", categoryarray=[row["segment_name"] for row in rows]
    )
    return _plain(figure, height=120 + 28 * len(rows))


def _segment_bars(rows: list[dict[str, Any]], marker: dict[str, Any], label: str) -> Any:
    return go.Bar(
        x=[row["customers"] for row in rows],
        y=[row["segment_name"] for row in rows],
        name=label,
        orientation="h",
        marker=marker,
        hovertemplate="<b>%{y}</b><br>%{x:,} customers<extra></extra>",
    )


def distribution() -> dict[str, Any]:
    """An empty figure in which the page draws the selected feature."""
    figure = go.Figure(
        [
            go.Bar(name="customers now", marker_color=SKY, hovertemplate="%{customdata}<extra></extra>"),
            go.Scatter(
                name="of such customers then churned, %",
                yaxis="y2",
                mode="lines+markers",
                connectgaps=False,
                line={"color": VERMILLION, "width": 2},
                hovertemplate="%{y:.1f} % then churned<extra></extra>",
            ),
        ]
    )
    figure.update_layout(
        bargap=0.04,
        yaxis={"title": "customers"},
        yaxis2={
            "title": "churned, %",
            "overlaying": "y",
            "side": "right",
            **RIGHT,
        },
    )
    return _plain(figure, height=360)


def percent(share: float | None) -> float | None:
    """Convert a share (0 to 1) to percent; None stays None."""
    return None if share is None else 100 * share


def _plain(figure: go.Figure, *, height: int) -> dict[str, Any]:
    figure.update_layout(
        template="none",
        height=height,
        margin={"l": 10, "r": 10, "t": 36, "b": 10},
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": GREY, "activecolor": INK},
        font={"family": FONT, "size": 13, "color": INK},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        colorway=[BLUE, ORANGE, VERMILLION, SKY, GREY],
        separators=".,",
    )
    figure.update_xaxes(automargin=True, gridcolor=GRID, zerolinecolor=GRID)
    figure.update_yaxes(automargin=True, gridcolor=GRID, zerolinecolor=GREY)
    plain: dict[str, Any] = figure.to_plotly_json()
    return plain
