"""What a rule asks of a slice, and what the answers come to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

from include.datasets import Dataset
from include.periods import Month, start_of_day
from include.quality import measures, rows
from include.quality.judge import Question
from include.quality.measures import Measurement
from include.quality.report import Result, Slice
from include.quality.rules import MeasureRule, RowRule, limits


@dataclass
class Tally:
    """Rows seen and broken for one rule, over the chunks of a slice."""

    rows: int = 0
    broken: int = 0
    samples: list[str] = field(default_factory=list)


def moments_of(part: Slice, dataset: Dataset, zone: str, known_before: date) -> dict[str, datetime]:
    """What the texts among a rule's bounds mean for this slice, of which nothing later is known."""
    moments = {
        "as_of": _midnight(known_before),
        "as_of_instant": start_of_day(known_before, zone),
    }
    if dataset.by == "month":
        month = Month.parse(part.key)
        moments |= {
            "month_first": _midnight(month.first),
            "month_end": _midnight(min(month.end, known_before)),
        }
    return moments


def bounds_of(rule: MeasureRule) -> Iterator[Question]:
    """The questions whether a number is within a rule's limits: those that stop, those that warn."""
    for level, low, high in (
        ("critical", rule.fail_below, rule.fail_above),
        ("warning", rule.warn_below, rule.warn_above),
    ):
        if low is not None or high is not None:
            arguments = {"column": rule.name, "min_value": low, "max_value": high}
            yield Question(rule.name, rule.expectation, arguments, level)


def needs(rule: RowRule) -> tuple[str, ...]:
    """The columns that a rule's answer depends on."""
    return rows.NEEDS.get(rule.of or "", (rule.column,))


def question(rule: RowRule, moments: Mapping[str, datetime]) -> Question:
    """A rule on rows as a question to Great Expectations, its bounds put for one slice."""
    bounds = dict(rule.bounds)
    for name in ("min_value", "max_value"):
        value = bounds.get(name)
        if isinstance(value, str):
            bounds[name] = moments[value]
        elif isinstance(value, date):
            bounds[name] = _midnight(value)
    return Question(rule.name, rule.expectation, {"column": rule.looked_at, **bounds})


def counted(rule: RowRule, part: Slice, tally: Tally) -> Result:
    """What the rows broken over a whole slice come to."""
    share = tally.broken / tally.rows if tally.rows else 0.0
    stops = rule.fail_above is not None and share > rule.fail_above
    passed = not stops and share <= rule.warn_above
    return Result(
        rule.name,
        rule.column,
        part.text,
        is_critical=stops or (passed and rule.fail_above is not None),
        passed=passed,
        observed=f"{tally.broken:,} of {tally.rows:,} rows break it"
        if tally.broken
        else f"{tally.rows:,} rows keep it",
        expected=f"{rule.about} {limits(rule)}",
        samples=tuple(tally.samples),
    )


def limited(rule: MeasureRule, text: str, measured: Measurement, *, is_over: set[str]) -> Result:
    """What a number comes to, which is over the limits of these levels."""
    stops = "critical" in is_over and measured.may_fail
    can_stop = rule.fail_below is not None or rule.fail_above is not None
    ratio = f" (ratio {measured.value:.3g})" if _is_ratio(rule, measured) else ""
    return Result(
        rule.name,
        rule.column,
        text,
        is_critical=stops or (not is_over and can_stop),
        passed=not is_over,
        observed=measured.observed + ratio,
        expected=f"{rule.about} {limits(rule)}".strip(),
        samples=measured.samples,
    )


def _is_ratio(rule: MeasureRule, measured: Measurement) -> bool:
    return rule.measure.endswith("_ratio") and measures.is_number(measured.value)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
