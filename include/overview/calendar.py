"""Sales over time and cohorts: the length of the periods follows from the history of the file."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from include.datasets.computed import CUSTOMER_DAYS, CUSTOMER_SUMMARY
from include.overview.facts import Cohort, Month
from include.overview.figures import Figure, Grain
from include.report.reading import Reading

WINDOWS = (90, 30, 14)  # days of the latest window; the file must cover twice as many
MONTHS_OF: dict[Grain, int] = {"month": 1, "quarter": 3, "year": 12}
MOST_BARS = 40
MOST_COHORTS = 12
SMALL_COHORT = 30  # rates of fewer customers are noise
Figures = dict[str, Figure]


def window_of(figures: Figures) -> int | None:
    """Days of the latest window; None where the file is too short to compare two windows."""
    history = figures["history_days"].number if "history_days" in figures else 0
    return next((days for days in WINDOWS if history >= 2 * days), None)


def start_of(day: date, grain: Grain) -> date:
    """First day of the month, quarter or year of a day."""
    months = MONTHS_OF[grain]
    return date(day.year, 1 + (day.month - 1) // months * months, 1)


def following(start: date, grain: Grain, count: int = 1) -> date:
    """First day of the period ``count`` periods after the one that begins on ``start``."""
    months = start.year * 12 + start.month - 1 + count * MONTHS_OF[grain]
    return date(months // 12, months % 12 + 1, 1)


def grain_of(first: date, last: date, *, most: int) -> Grain:
    """The shortest period of which at most ``most`` cover the days; years if none does."""
    for grain, months in MONTHS_OF.items():
        span = (last.year - first.year) * 12 + last.month - first.month
        if span // months + 1 <= most:
            return grain
    return "year"


def months_of(reading: Reading, figures: Figures) -> tuple[Grain, tuple[Month, ...]]:
    """Sales by month, or by quarter or year of a long file; periods without sales are zero."""
    rows = reading.query("page_months", CUSTOMER_DAYS, CUSTOMER_SUMMARY)
    if not rows:
        return "month", ()
    last = reading.as_of - timedelta(days=1)
    grain = grain_of(rows[0]["month_start"], last, most=MOST_BARS)
    found: dict[date, Month] = {}
    start = start_of(rows[0]["month_start"], grain)
    while start <= last:
        found[start] = Month(start, 0, Decimal(0), 0)
        start = following(start, grain)
    for row in rows:
        start = start_of(row["month_start"], grain)
        before = found[start]
        found[start] = Month(
            start,
            before.orders + int(row["orders"]),
            before.net_sales + row["net_sales"],
            before.new_customers + int(row["new_customers"]),
        )
    months = tuple(found.values())
    best = max(months, key=lambda month: month.net_sales)
    figures["month_count"] = Figure(len(months), "count")
    figures["best_month"] = Figure(best.start, grain)
    figures["best_month_sales"] = Figure(best.net_sales, "money")
    if following(months[-1].start, grain) > reading.as_of:
        figures["last_month_open"] = Figure(1, "count")
    return grain, months


def cohorts_of(reading: Reading, figures: Figures) -> tuple[Grain, tuple[Cohort, ...]]:
    """The latest cohorts by period of the first purchase; fewer than three periods make no triangle."""
    if "first_day" not in figures:
        return "month", ()
    first, last = figures["first_day"].value, reading.as_of - timedelta(days=1)
    assert isinstance(first, date)
    grain = grain_of(first, last, most=MOST_COHORTS + 2)
    rows = reading.query("page_cohorts", CUSTOMER_DAYS, CUSTOMER_SUMMARY, grain=grain)
    counts: dict[date, dict[int, int]] = {}
    for row in rows:
        counts.setdefault(row["cohort_start"], {})[int(row["age"])] = int(row["customers"])
    start, end = start_of(last, grain), start_of(first, grain)
    starts: list[date] = []
    while start >= end and len(starts) < MOST_COHORTS:
        starts.append(start)
        start = following(start, grain, -1)
    if len(starts) < 3:
        return grain, ()
    cohorts = tuple(_cohort(day, counts.get(day, {}), grain, reading.as_of) for day in reversed(starts))
    _return_rate(cohorts, figures)
    figures["cohort_count"] = Figure(len(cohorts), "count")
    if starts[-1] == end:
        figures["first_cohort_shown"] = Figure(1, "count")
    return grain, tuple(cohort for cohort in cohorts if cohort.customers)


def _cohort(start: date, counts: dict[int, int], grain: Grain, as_of: date) -> Cohort:
    size = counts.get(0, 0)
    rates: list[float | None] = []
    is_open: list[bool] = []
    for age in range(MOST_COHORTS):
        begins = following(start, grain, age)
        is_known = begins < as_of and size > 0
        rates.append(counts.get(age, 0) / size if is_known else None)
        is_open.append(is_known and following(start, grain, age + 1) > as_of)
    return Cohort(start, size, tuple(rates), tuple(is_open))


def _return_rate(cohorts: tuple[Cohort, ...], figures: Figures) -> None:
    """Share of the cohorts' customers who bought again in the next period, over complete periods."""
    closed = [c for c in cohorts if c.customers and c.rates[1] is not None and not c.is_open[1]]
    customers = sum(cohort.customers for cohort in closed)
    if customers >= SMALL_COHORT:
        back = sum(round((cohort.rates[1] or 0) * cohort.customers) for cohort in closed)
        figures["return_customers"] = Figure(customers, "count")
        figures["return_rate"] = Figure(back / customers, "share")
