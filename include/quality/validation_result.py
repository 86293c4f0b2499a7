"""Write what the gate found as a Great Expectations validation result, from which Data Docs can be built.

The JSON has the form that ``ExpectationSuiteValidationResult.to_json_dict`` returns, so Great Expectations
reads it back. ``meta.built_from`` says what counted: ``aggregates`` or ``great_expectations``, on each
expectation and on the whole. It holds no values of rows: samples are in ``control.quality``, where an
erasure removes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from importlib.metadata import version
from typing import Any

from include.quality.report import Result
from include.quality.specs import Spec

AGGREGATES = "aggregates"
GREAT_EXPECTATIONS = "great_expectations"


@dataclass(frozen=True)
class Evaluated:
    """One spec that was evaluated, with its counts and the gate's result."""

    spec: Spec
    rule_result: Result
    success: bool
    built_from: str
    rows: int = 1
    missing: int = 0
    unexpected: int = 0
    observed: Mapping[str, Any] = field(default_factory=dict)


def document(
    evaluated: Sequence[Evaluated], *, dataset: str, firm_key: str, as_of: date, slice_text: str
) -> dict[str, Any]:
    """The validation result of one slice, or of the dataset as a whole (the slice is empty)."""
    kept = sum(one.success for one in evaluated)
    all_of_gx = all(one.built_from == GREAT_EXPECTATIONS for one in evaluated)
    identifiers = {"firm": firm_key, "slice": slice_text or "all", "as_of": as_of.isoformat()}
    return {
        "success": kept == len(evaluated),
        "results": [_result(one) for one in evaluated],
        "suite_name": f"{firm_key}.{dataset}",
        "suite_parameters": {},
        "statistics": {
            "evaluated_expectations": len(evaluated),
            "successful_expectations": kept,
            "unsuccessful_expectations": len(evaluated) - kept,
            "success_percent": 100.0 * kept / len(evaluated) if evaluated else None,
        },
        "meta": {
            "great_expectations_version": version("great-expectations"),
            "built_from": GREAT_EXPECTATIONS if all_of_gx else AGGREGATES,
            "run_id": {
                "run_name": f"{firm_key} as of {as_of}",
                "run_time": datetime.combine(as_of, time.min, tzinfo=UTC).isoformat(),
            },
            "active_batch_definition": {
                "datasource_name": "firmament",
                "data_connector_name": "handoff",
                "data_asset_name": dataset,
                "batch_identifiers": identifiers,
            },
        },
        "id": None,
    }


def _result(one: Evaluated) -> dict[str, Any]:
    present = one.rows - one.missing
    counts: dict[str, Any] = {
        "element_count": one.rows,
        "missing_count": one.missing,
        "missing_percent": _percent(one.missing, one.rows),
        "unexpected_count": one.unexpected,
        "unexpected_percent": _percent(one.unexpected, present),
        "unexpected_percent_total": _percent(one.unexpected, one.rows),
        "unexpected_percent_nonmissing": _percent(one.unexpected, present),
        "partial_unexpected_list": [],
    }
    return {
        "success": one.success,
        "expectation_config": {
            "type": one.spec.expectation,
            "kwargs": {name: _plain(value) for name, value in one.spec.arguments.items()},
            "meta": {
                "name": one.spec.name,
                "built_from": one.built_from,
                "verdict": _outcome(one.rule_result),
                "expected": one.rule_result.expected,
                "observed": "" if one.rule_result.samples else one.rule_result.observed,
            },
            "severity": one.spec.level,
        },
        "result": dict(one.observed) or counts,
        "meta": {},
        "exception_info": {
            "raised_exception": False,
            "exception_traceback": None,
            "exception_message": None,
        },
    }


def _outcome(result: Result) -> str:
    if result.passed:
        return "passed"
    return "stops the firm" if result.is_critical else "warning"


def _percent(part: int, whole: int) -> float | None:
    return 100.0 * part / whole if whole else None


def _plain(value: object) -> object:
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
