"""Rule results: compare counts and measured numbers with a rule's limits, and select rules to recheck.

A rule is rechecked by Great Expectations when it is broken beyond a limit, or when it has used at least 90 %
of what a limit allows: of the share of rows, or of the deviation from the usual value of a measure (1 for a
ratio). A limit at the usual value itself leaves nothing to use, so only a number beyond it is rechecked.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from include.quality import measures
from include.quality.measures import Measurement
from include.quality.report import Result, Slice
from include.quality.rules import MeasureRule, RowRule, limits
from include.quality.specs import limit_specs

NEAR = 0.9 - 1e-9  # of what a limit allows, less the rounding of floats


@dataclass
class Tally:
    """Rows of a slice, and those that break one rule."""

    rows: int = 0
    broken: int = 0
    samples: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Rows that break the rule, as a share of all."""
        return self.broken / self.rows if self.rows else 0.0


def counted(rule: RowRule, part: Slice, tally: Tally) -> Result:
    """The result of a rule on rows over a whole slice."""
    stops = rule.fail_above is not None and tally.share > rule.fail_above
    passed = not stops and tally.share <= rule.warn_above
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
    """The result of a measured number, which is beyond the limits of the levels ``is_over``."""
    stops = "critical" in is_over and measured.may_fail
    can_stop = rule.fail_below is not None or rule.fail_above is not None
    ratio = f" (ratio {measured.value:.3g})" if _is_ratio(rule) and measures.is_number(measured.value) else ""
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


def levels_over(rule: MeasureRule, value: float | None) -> set[str]:
    """The levels whose limits the number is beyond; none without a number."""
    if value is None or value != value:
        return set()
    return {
        spec.level
        for spec in limit_specs(rule)
        if _is_below(value, spec.arguments["min_value"]) or _is_above(value, spec.arguments["max_value"])
    }


def is_share_near(rule: RowRule, share: float) -> bool:
    """Whether a share of broken rows is beyond a limit, or has used most of it."""
    if share > rule.warn_above or (rule.fail_above is not None and share > rule.fail_above):
        return True
    return any(share >= NEAR * limit for limit in (rule.warn_above, rule.fail_above) if limit)


def is_value_near(rule: MeasureRule, value: float | None) -> bool:
    """Whether a measured number is beyond a limit, or has used most of what the limit allows."""
    if value is None or value != value:
        return False
    if levels_over(rule, value):
        return True
    usual = 1.0 if _is_ratio(rule) else 0.0
    allowed = (rule.warn_below, rule.warn_above, rule.fail_below, rule.fail_above)
    spans = [limit - usual for limit in allowed if limit is not None and limit != usual]
    return any((value - usual) / span >= NEAR for span in spans)


def _is_below(value: float, limit: float | None) -> bool:
    return limit is not None and value < limit


def _is_above(value: float, limit: float | None) -> bool:
    return limit is not None and value > limit


def _is_ratio(rule: MeasureRule) -> bool:
    return rule.measure.endswith("_ratio")
