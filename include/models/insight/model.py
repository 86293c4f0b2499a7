"""Insight: sentences about a firm, selected by rules on its metrics, in every language.

Every number in a sentence is the value of a metric; the row lists those metrics. The sentences are data in
``text.py``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

import pyarrow as pa
from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent

from include.models.firm import NO_CURRENCY, FirmSettings
from include.models.insight.text import (
    ACTION_NAMES,
    LANGUAGES,
    SEGMENT_NAMES,
    SENTENCES,
    Sentence,
    When,
)

_SLOT = re.compile(r"\{(\w+)(?::(size))?(?:\|([^|}]+)\|([^|}]+))?\}")
_MIN_PERCENT = Decimal("0.1")  # a smaller share would be rounded to 0 %
EACH_ACTION = "each action"
_WHOLE_COUNT_FROM = 10  # an expected count from here on, too
_WHOLE_FROM = 1000  # money from here on is written in whole units


class Metric(NamedTuple):
    """A metric's value and its unit."""

    unit: str
    value: Decimal


Metrics = Mapping[tuple[str, str], Metric]


class _MissingMetricError(Exception):
    """A sentence cites a metric without a value; the sentence is left out."""


def compute(metrics: pa.Table, *, firm: FirmSettings, as_of: date) -> pa.Table:
    """Rows of firm_insight: the sentences whose conditions hold, by language, in reading order."""
    found = {
        (row["metric"], row["member"]): Metric(row["unit"], row["metric_value"])
        for row in metrics.to_pylist()
        if row["metric_value"] is not None
    }
    rows = [row for language in LANGUAGES for row in _sentences(found, language, firm=firm, as_of=as_of)]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def _sentences(
    metrics: Metrics, language: str, *, firm: FirmSettings, as_of: date
) -> Iterator[dict[str, object]]:
    place = 0
    for sentence, member in _candidates(metrics):
        if not all(_holds(condition, member, metrics) for condition in sentence.when):
            continue
        words = {
            "firm": firm.name,
            "as_of": format_date(as_of, "long", locale=language),
            "member": _name_of(member, language, firm),
        }
        try:
            text, cited = _write(sentence, member, words, metrics, language, firm.currency)
        except _MissingMetricError:
            continue
        place += 1
        yield {
            "language_code": language,
            "place": place,
            "is_firm_language": language == firm.language,
            "kind": sentence.kind,
            "rule_code": sentence.rule,
            "sentence": text,
            "cited_metrics": json.dumps(cited, ensure_ascii=False),
        }


def _candidates(metrics: Metrics) -> Iterator[tuple[Sentence, str]]:
    """Each sentence and its member; a sentence about each action once per action, the most useful first."""
    for sentence in SENTENCES:
        if sentence.member == EACH_ACTION:
            benefit = {member: m.value for (name, member), m in metrics.items() if name == "action_benefit"}
            for action in sorted(benefit, key=lambda code: (-benefit[code], code)):
                yield sentence, action
        else:
            yield sentence, _member(sentence.member, metrics)


def _write(
    sentence: Sentence, member: str, words: Mapping[str, str], metrics: Metrics, language: str, currency: str
) -> tuple[str, list[dict[str, str]]]:
    cited: list[dict[str, str]] = []

    def fill(slot: re.Match[str]) -> str:
        name, size, one, other = slot.groups()
        if name in words:
            return words[name]
        of = member if (name, member) in metrics else ""
        if (name, of) not in metrics:
            raise _MissingMetricError
        metric = metrics[name, of]
        if size:
            metric = Metric(metric.unit, abs(metric.value))
        shown = show(metric.value, metric.unit, language=language, currency=currency)
        cited.append({"metric": name, "member": of, "shown": shown})
        if one is None:
            return shown
        return f"{shown} {one if _is_singular(metric.value, language) else other}"

    template = sentence.tr if language == "tr" else sentence.en
    return _SLOT.sub(fill, template), cited


def show(value: Decimal, unit: str, *, language: str, currency: str) -> str:
    """Format a value for a language: 12.5%, %12,5, $1,234; <0.1% for a positive share below 0.1 %."""
    if unit == "percent":
        if 0 < value < _MIN_PERCENT:
            return "<" + show(_MIN_PERCENT, unit, language=language, currency=currency)
        pattern = Locale.parse(language).percent_formats[None].pattern.replace("#,##0", "#,##0.0")
        text = format_percent(_round(value / 100, "0.001"), pattern, locale=language)
    elif unit == "money" and currency == NO_CURRENCY:
        step = "1" if abs(value) >= _WHOLE_FROM else "0.01"
        text = format_decimal(_round(value, step), "#,##0" if step == "1" else "#,##0.00", locale=language)
    elif unit == "money":
        whole = abs(value) >= _WHOLE_FROM
        pattern = Locale.parse(language).currency_formats["standard"].pattern
        text = format_currency(
            _round(value, "1") if whole else _half_up(value, currency),
            currency,
            pattern.replace("0.00", "0") if whole else None,
            locale=language,
            currency_digits=not whole,
        )
    else:
        step = "1" if abs(value) >= _WHOLE_COUNT_FROM else "0.1"
        text = format_decimal(_round(value, step), "#,##0.#", locale=language)
    return text.replace("-", "\u2212")


def _half_up(value: Decimal, currency: str) -> Decimal:
    from babel.numbers import get_currency_precision

    return _round(value, str(Decimal(1).scaleb(-get_currency_precision(currency))))


def _round(value: Decimal, step: str) -> Decimal:
    return value.quantize(Decimal(step), rounding=ROUND_HALF_UP)


def _is_singular(value: Decimal, language: str) -> bool:
    return Locale.parse(language).plural_form(_round(value, "0.1").normalize()) == "one"


def _holds(condition: When, member: str, metrics: Metrics) -> bool:
    of = member if condition.member == EACH_ACTION else _member(condition.member, metrics)
    metric = metrics.get((condition.metric, of))
    if metric is None:
        return False
    value = float(metric.value)
    return (condition.low is None or value >= condition.low) and (
        condition.high is None or value < condition.high
    )


def _member(wanted: str, metrics: Metrics) -> str:
    if wanted != "largest":
        return wanted
    sizes = {
        member: metric.value
        for (name, member), metric in metrics.items()
        if name == "segment_customers" and member != "unscored"
    }
    return max(sorted(sizes), key=lambda member: sizes[member], default="")


def _name_of(code: str, language: str, firm: FirmSettings) -> str:
    own: Iterable[Mapping[str, Any]] = firm.rfm.segments or ()
    for row in own:
        if row.get("segment_code") == code:
            return str(row["segment_name"])
    names = SEGMENT_NAMES.get(code) or ACTION_NAMES.get(code)
    return names[LANGUAGES.index(language)] if names else code.replace("_", " ").title()


_SCHEMA = pa.schema(
    {
        "language_code": pa.string(),
        "place": pa.int32(),
        "is_firm_language": pa.bool_(),
        "kind": pa.string(),
        "rule_code": pa.string(),
        "sentence": pa.string(),
        "cited_metrics": pa.string(),
    }
)
