"""The sections of a report: each has a sentence, charts, and the tables below them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from include.report import charts
from include.report.tables import SAME_AS_TABLE, Column, details, drawn, label, number, table
from include.report.templating import render

SHOWN_PAIRS = 100
Section = tuple[str, str, Markup, dict[str, Any]]  # its id, its title, its body, its charts by id


def _charted(
    name: str, title: str, message: str, figure: dict[str, Any], below: Markup, *, called: str = SAME_AS_TABLE
) -> Section:
    """A section of one chart, the sentence on it, and its table."""
    chart = f"{name}-chart"
    return name, title, drawn(chart, message, below, called=called), {chart: figure}


def _insight(profile: dict[str, Any]) -> Section | None:
    rows = profile["insight"]
    if not rows:
        return None
    sentences = " ".join(row["sentence"] for row in rows if row["kind"] != "recommendation")
    advice = [row["sentence"] for row in rows if row["kind"] == "recommendation"]
    return "insight", "In words", render("insight", sentences=sentences, advice=advice), {}


def _months(profile: dict[str, Any]) -> Section | None:
    rows = profile["months"]
    if not rows:
        return None
    best = max(rows, key=lambda row: row["net_amount"])
    message = (
        f"{len(rows)} months of identified customers; the best for net sales was {best['month_start'][:7]} "
        f"with {number(best['net_amount'])} {profile['firm']['currency']}. "
        "The last month ends where the report does."
    )
    below = table(
        (
            ("month", lambda row: row["month_start"][:7]),
            ("customers", "customers"),
            ("new", "new_customers"),
            (label("order_count"), "order_count"),
            ("returns", "return_count"),
            ("sales", "sale_amount"),
            ("returned", "return_amount"),
            ("net", "net_amount"),
        ),
        rows,
    )
    return _charted("months", "Sales by month", message, charts.months(profile), below)


def _segments(profile: dict[str, Any]) -> Section | None:
    rows = profile["segments"]
    if not rows:
        return None
    total = sum(row["customers"] for row in rows)
    message = (
        f"{total:,} customers; the largest segment is {rows[0]['segment_name']} with "
        f"{100 * rows[0]['customers'] / total:.0f} %."
    )
    below = table(
        (
            ("segment", "segment_name"),
            ("customers", "customers"),
            (label("total_spend"), "total_spend"),
            (label("days_since_last_order", "mean"), "avg_days_since_last_order"),
            (label("order_count", "mean"), "avg_order_count"),
            (label("churn_probability", "mean"), "avg_churn_probability"),
            (label("churn_risk_score", "mean"), "avg_churn_risk_score"),
            (label("predicted_clv_1_year"), "predicted_clv_1_year"),
        ),
        rows,
    )
    return _charted("segments", "Customers by segment", message, charts.segments(profile), below)


def _data(profile: dict[str, Any]) -> Section | None:
    if not profile["datasets"]:
        return None
    parts = []
    for dataset in profile["datasets"]:
        span = f", {dataset['first_date']} to {dataset['last_date']}" if dataset["first_date"] else ""
        refused = "; ".join(f"{n:,} {reason}" for reason, n in dataset["rejected"].items())
        message = f"{dataset['about']} {dataset['rows']:,} rows{span}. " + (
            f"Could not be used: {refused}." if refused else "Every row that was read could be used."
        )
        below = table(
            (
                ("column", "name"),
                ("meaning", "about"),
                ("missing", "missing"),
                ("missing, %", lambda row: 100 * row["missing_share"]),
            ),
            dataset["columns"],
        )
        empty = sum(column["missing_share"] > 0 for column in dataset["columns"])
        summary = f"{dataset['name']}: {empty} of {len(dataset['columns'])} columns lack values"
        parts.append(render("dataset", name=dataset["name"], message=message, below=details(summary, below)))
    return "data", "What was read", Markup("").join(parts), {}


def _target(profile: dict[str, Any]) -> Section | None:
    target = profile["target"]
    if target is None:
        return None
    days = profile["firm"]["churn_threshold_days"]
    message = (
        f"Churned means no sale in the {days} days after a past cutoff. "
        f"{len(target['cutoffs'])} cutoffs are known, with their customers' history before it."
    )
    columns: tuple[Column, ...] = (
        ("cutoff", "cutoff"),
        ("customers", "customers"),
        ("churned, %", lambda row: charts.percent(row["churn_rate"])),
    )
    banded: tuple[Column, ...] = (
        ("silence, in thresholds", lambda row: charts.SILENCE[row["silence_band"] - 1]),
        ("orders", lambda row: charts.ORDERS[row["order_band"] - 1]),
        ("customers", "customers"),
        ("churned, %", lambda row: charts.percent(row["churn_rate"])),
    )
    about = (
        f"The same customers by how long they had been silent, in multiples of {days} days, and how many "
        "orders they had."
    )
    body = drawn("cutoffs-chart", message, table(columns, target["cutoffs"])) + drawn(
        "bands-chart", about, table(banded, target["bands"])
    )
    figures = {"cutoffs-chart": charts.cutoffs(profile), "bands-chart": charts.bands(profile)}
    return "churn", "Who churned", body, figures


def _distributions(profile: dict[str, Any]) -> Section | None:
    features = profile["features"]
    if not features:
        return None
    groups: dict[str, list[str]] = {}
    for feature in features:
        groups.setdefault(feature["group"], []).append(feature["name"])
    strongest = max(features, key=lambda f: abs(f["correlation"] or 0))["name"]
    sampled, customers = profile["sampled"], profile["customers"]
    whom = (
        f"all {customers:,} customers" if sampled == customers else f"{sampled:,} of {customers:,} customers"
    )
    body = render(
        "distributions",
        count=len(features),
        whom=whom,
        has_target=bool(profile["target"]),
        groups=groups,
        strongest=strongest,
    )
    return "distributions", "Distributions", body, {"distribution": charts.distribution()}


def _missing(profile: dict[str, Any]) -> Section | None:
    lacking = [feature for feature in profile["features"] if feature["missing"]]
    if not lacking:
        return None
    empty = sum(feature["missing_share"] == 1 for feature in lacking)
    message = (
        f"{len(lacking)} of {len(profile['features'])} features lack a value for some customers, {empty} for "
        "all customers. A missing value has a meaning, such as no gap between orders before a second order; "
        "the models use it, and none is filled in."
    )
    rows = sorted(lacking, key=lambda feature: -feature["missing_share"])
    below = table(
        (
            ("feature", "name"),
            ("meaning", "about"),
            ("missing", "missing"),
            ("missing, %", lambda row: 100 * row["missing_share"]),
        ),
        rows,
    )
    return _charted("missing", "Missing values", message, charts.missing(profile), below)


def _correlations(profile: dict[str, Any]) -> Section | None:
    if profile["matrix"] is None:
        return None
    whose = "that went most with churn" if profile["target"] else "that come first"
    shown = len(profile["matrix"]["names"])
    message = (
        f"Of {profile['pair_count']:,} pairs of features, {profile['strong_count']:,} have a rank "
        f"correlation of {profile['strong']} or more either way: they say nearly the same. Shown "
        f"are the {shown} features {whose}, less those nearly the same as one before them."
    )
    pairs = profile["pairs"][:SHOWN_PAIRS]
    below = table(
        (
            ("feature", "a"),
            ("goes with", "b"),
            ("rank correlation", "correlation"),
        ),
        pairs,
    )
    called = f"The {len(pairs)} strongest pairs"
    return _charted("correlations", "Correlations", message, charts.matrix(profile), below, called=called)


def _features(profile: dict[str, Any]) -> Section | None:
    if not profile["features"]:
        return None
    columns: tuple[Column, ...] = (
        ("feature", "name"),
        ("meaning", "about"),
        ("missing, %", lambda row: 100 * row["missing_share"]),
        ("zero, %", lambda row: charts.percent(row.get("zero_share"))),
        ("mean", lambda row: row.get("mean")),
        ("median", lambda row: row.get("p50")),
        ("1st percentile", lambda row: row.get("p01")),
        ("99th percentile", lambda row: row.get("p99")),
        ("skewness", lambda row: row.get("skewness")),
        ("with churn", "correlation"),
    )
    body = render("features", below=table(columns, profile["features"], is_linked=True))
    return "all-features", "Every feature", body, {}


def _models(profile: dict[str, Any]) -> Section | None:
    if not profile["models"]:
        return None
    return "models", "Models", render("models", models=profile["models"]), {}


def _lacks(profile: dict[str, Any]) -> Section | None:
    body = render("not_computed", lacking=profile["not_computed"])
    return "not-computed", "Not computed", body, {}


SECTIONS: tuple[Callable[[dict[str, Any]], Section | None], ...] = (
    _insight,
    _months,
    _segments,
    _target,
    _distributions,
    _missing,
    _correlations,
    _features,
    _data,
    _models,
    _lacks,
)
