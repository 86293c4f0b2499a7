"""Great Expectations runs on what fails or comes close to a limit, and is not imported for anything else."""

import logging
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from include import quality
from include.quality import Report, conditions
from include.quality.rule_results import is_share_near, is_value_near, levels_over
from include.quality.rules import MeasureRule, RowRule
from tests.quality.firms import (
    CUSTOMERS,
    TRANSACTIONS,
    Firm,
    customer,
    failures,
    line,
    month,
    part,
    references,
)

CLEAN = """
import sys
from datetime import date
from pathlib import Path
from include.datasets import catalogue
from include.quality import Slice, check
from types import SimpleNamespace
files = {name: [Path(path)] for name, path in zip(("slice", "customers", "products"), sys.argv[1:4])}
report = check(
    catalogue()["transactions"],
    firm=SimpleNamespace(firm_key="acme", timezone="Europe/London"),
    as_of=date(2026, 11, 1),
    slices=[Slice("2026-10", 124, files.pop("slice"))], references=files, history=[],
)
assert len(report.results) == 32 and not report.warnings and not report.critical, report.results
assert {d["meta"]["built_from"] for d in report.documents.values()} == {"aggregates"}
print(sorted({"great_expectations", "pandas"} & set(sys.modules)))
"""


def gate(folder: Path, rows: list[dict[str, object]], **options: Any) -> Report:
    """The gate's report on customers, as it runs every night."""
    return quality.check(
        CUSTOMERS,
        firm=Firm(),
        as_of=date(2026, 11, 1),
        slices=[part(folder, CUSTOMERS, "2026-11-01", rows)],
        references={},
        history=[],
        **options,
    )


def rechecked(report: Report) -> set[str]:
    """Names of the rules that Great Expectations has run on."""
    return {
        result["expectation_config"]["meta"]["name"]
        for document in report.documents.values()
        for result in document["results"]
        if result["expectation_config"]["meta"]["built_from"] == "great_expectations"
    }


def customers(bad: int, *, of: int = 1000) -> list[dict[str, object]]:
    """Customers, some of whom have an address without an @."""
    return [customer(f"c{n}", **({"email": "nobody"} if n < bad else {})) for n in range(of)]


def test_a_clean_slice_imports_neither_great_expectations_nor_pandas(tmp_path: Path):
    slice_ = part(tmp_path, TRANSACTIONS, "2026-10", month(2026, 10))
    files = [slice_.files[0], *(paths[0] for paths in references(tmp_path).values())]

    done = subprocess.run(
        [sys.executable, "-c", CLEAN, *map(str, files)], check=False, capture_output=True, text=True
    )

    assert (done.stdout.strip(), done.stderr) == ("[]", "")


@pytest.mark.parametrize(
    ("bad", "is_rechecked", "is_failed"),
    [(0, False, False), (44, False, False), (45, True, False), (50, True, False), (51, True, True)],
)
def test_a_rule_is_rechecked_from_ninety_percent_of_its_limit_on(
    tmp_path: Path, bad: int, is_rechecked: bool, is_failed: bool
):
    report = gate(tmp_path, customers(bad))

    assert rechecked(report) == ({"email_has_an_at"} if is_rechecked else set())
    assert failures(report) == ({"email_has_an_at": False} if is_failed else {})


def test_rows_that_break_a_rule_within_its_limit_are_sampled_without_a_recheck(tmp_path: Path):
    report = gate(tmp_path, customers(7))

    (result,) = [r for r in report.results if r.expectation == "email_has_an_at"]
    assert result.passed
    assert result.observed == "7 of 1,000 rows break it"
    assert result.samples[:2] == tuple(f"email=(personal data) customer_id='c{n}'" for n in (0, 1))
    assert len(result.samples) == 5


def test_the_whole_suite_rechecks_every_rule(tmp_path: Path):
    report = gate(tmp_path, customers(0), whole_suite=True)

    names = {r.expectation for r in report.results}
    assert rechecked(report) == names
    assert {"columns_present", "types_as_declared", "customer_id_given", "grain_unique", "volume"} < names


def test_what_great_expectations_finds_is_used_and_a_difference_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    everything = {**conditions.CONDITIONS, "expect_column_values_to_match_regex": lambda *_: "true"}
    monkeypatch.setattr(conditions, "CONDITIONS", everything)

    with caplog.at_level(logging.WARNING):
        report = gate(tmp_path, customers(3))

    (result,) = [r for r in report.results if r.expectation == "email_has_an_at"]
    assert result.passed
    assert result.observed == "3 of 1,000 rows break it"
    assert "the aggregates found 1000, Great Expectations found 3, which is used" in caplog.text


def test_months_share_frames_and_each_keeps_its_own_bounds(tmp_path: Path):
    strays = {"2026-08": 2, "2026-10": 3}
    slices = []
    for number in range(1, 11):
        key = f"2026-{number:02d}"
        rows = [
            row | ({"order_date": date(2025, 1, 1)} if n < strays.get(key, 0) else {})
            for n, row in enumerate(month(2026, number))
        ]
        slices.append(part(tmp_path, TRANSACTIONS, key, rows))

    report = quality.check(
        TRANSACTIONS,
        firm=Firm(),
        as_of=date(2026, 11, 1),
        slices=slices,
        references=references(tmp_path),
        history=[],
        whole_suite=True,
    )

    observed = {
        r.slice: r.observed for r in report.results if r.expectation == "day_in_month" and not r.passed
    }
    assert observed == {"2026-08": "2 of 124 rows break it", "2026-10": "3 of 124 rows break it"}


@pytest.mark.parametrize(
    ("rule", "value", "over", "is_near"),
    [
        # Ratios: 1 is usual. The distance from 1 is compared with what the limit allows.
        ({"warn_below": 0.95, "measure": "kept_ratio"}, 1.0, set(), False),
        ({"warn_below": 0.95, "measure": "kept_ratio"}, 0.956, set(), False),
        ({"warn_below": 0.95, "measure": "kept_ratio"}, 0.954, set(), True),
        ({"warn_below": 0.95, "measure": "kept_ratio"}, 0.95, set(), True),
        ({"warn_below": 0.95, "measure": "kept_ratio"}, 0.949, {"warning"}, True),
        ({"warn_above": 3, "fail_above": 10, "measure": "volume_ratio"}, 2.7, set(), False),
        ({"warn_above": 3, "fail_above": 10, "measure": "volume_ratio"}, 2.85, set(), True),
        ({"warn_above": 3, "fail_above": 10, "measure": "volume_ratio"}, 3.0, set(), True),
        ({"warn_above": 3, "fail_above": 10, "measure": "volume_ratio"}, 10.5, {"warning", "critical"}, True),
        # A limit at the usual value allows nothing: the usual value is no reason for a recheck.
        ({"warn_above": 1, "fail_above": 3, "measure": "silence_ratio"}, 1.0, set(), False),
        ({"warn_above": 1, "fail_above": 3, "measure": "silence_ratio"}, 1.1, {"warning"}, True),
        ({"fail_above": 0, "measure": "repeated_keys"}, 0, set(), False),
        ({"fail_above": 0, "measure": "repeated_keys"}, 1, {"critical"}, True),
        ({"warn_above": 1, "measure": "silence_ratio"}, None, set(), False),
        ({"warn_above": 1, "measure": "silence_ratio"}, float("nan"), set(), False),
    ],
)
def test_a_number_is_held_to_its_limits(
    rule: dict[str, Any], value: float | None, over: set[str], is_near: bool
):
    measure = MeasureRule("rule", "", about="", **rule)

    assert levels_over(measure, value) == over
    assert is_value_near(measure, value) is is_near


@pytest.mark.parametrize(
    ("warn", "fail", "share", "is_near"),
    [
        (0.0, 0.0, 0.0, False),
        (0.0, 0.0, 0.0001, True),
        (0.05, None, 0.044, False),
        (0.05, None, 0.045, True),
        (0.05, 0.01, 0.02, True),
        (0.5, 0.01, 0.0091, True),
    ],
)
def test_a_share_is_near_its_limit_from_nine_tenths_on(
    warn: float, fail: float | None, share: float, is_near: bool
):
    rule = RowRule("rule", "c", "expect", "", warn_above=warn, fail_above=fail)

    assert is_share_near(rule, share) is is_near


def test_a_clean_month_after_others_needs_no_recheck(tmp_path: Path):
    days = [f"2026-{m:02d}-{d:02d}" for m in range(1, 11) for d in range(1, 29)]
    history = [
        {
            "slice": f"2026-{m:02d}",
            "rows": 124,
            "as_of": date(2026, 11, 1),
            "profile": {"days": [day for day in days if day[5:7] == f"{m:02d}"], "usual_amount": 4.5},
        }
        for m in range(1, 11)
    ]

    report = quality.check(
        TRANSACTIONS,
        firm=Firm(),
        as_of=date(2026, 11, 21),
        slices=[
            part(tmp_path, TRANSACTIONS, "2026-11", [line(n, date(2026, 11, 1 + n // 4)) for n in range(80)])
        ],
        references=references(tmp_path),
        history=history,
    )

    assert failures(report) == {}
    assert rechecked(report) == set()
