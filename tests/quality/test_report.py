"""The message that reaches whoever is on call, limits of a firm's own, and what stays unimported."""

import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from include.datasets import catalogue
from include.quality import EvaluationError
from include.quality.expectations import ExpectationRunner
from include.quality.rules import LimitError, MeasureRule, RowRule, suite
from include.quality.specs import Spec
from tests.quality.firms import Firm, failures, month, report_on

OCTOBER = month(2026, 10)


def bad(count: int) -> list[dict[str, object]]:
    """October with negative quantities in its first lines."""
    return [row | {"quantity": Decimal(-1)} if n < count else row for n, row in enumerate(OCTOBER)]


def test_the_message_says_what_where_and_how_to_fix_it(tmp_path: Path):
    report = report_on(tmp_path, ("2026-10", bad(2)))

    first, *rest = str(report.failure()).splitlines()
    assert first == (
        "transactions 2026-10: quantity_not_negative on quantity: 2 of 124 rows break it; "
        "expected: Zero or more. (stops at one row); for example "
        "quantity=-1.0000 transaction_id='t000000' line_id='1' kind='sale'; "
        "quantity=-1.0000 transaction_id='t000001' line_id='1' kind='sale'"
    )
    assert "python -m include run acme --as-of 2026-11-01 --from extract_transactions" in rest[0]
    assert "quality: transactions: quantity_not_negative" in rest[1]


def test_at_most_five_samples_are_shown_and_the_first_line_is_the_worst(tmp_path: Path):
    report = report_on(tmp_path, ("2026-10", [row | {"kind": "gift"} for row in bad(100)]))

    first, second, *_ = str(report.failure()).splitlines()
    assert first.count("kind='gift'") == 5
    assert second.startswith("also transactions 2026-10: quantity_not_negative")


def test_a_firm_moves_a_limit_without_code(tmp_path: Path):
    lenient = Firm(
        quality={"transactions": {"quantity_not_negative": {"fail_above": 0.05, "warn_above": 0.01}}}
    )

    usual = report_on(tmp_path, ("2026-10", bad(2)))
    within = report_on(tmp_path, ("2026-10", bad(1)), firm=lenient)
    warned = report_on(tmp_path, ("2026-10", bad(2)), firm=lenient)
    beyond = report_on(tmp_path, ("2026-10", bad(20)), firm=lenient)

    assert failures(usual) == {"quantity_not_negative": True}
    assert failures(within) == {}
    assert failures(warned) == {"quantity_not_negative": False}
    assert failures(beyond) == {"quantity_not_negative": True}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"transactions": {"quantty": {"fail_above": 1}}}, "no rule ['quantty'] has limits; there are "),
        ({"transactions": {"volume": {"fail_over": 1}}}, "quality.transactions.volume must give some of"),
        ({"transactions": {"volume": {"fail_above": "10"}}}, "volume.fail_above must be a number or null"),
        (
            {"transactions": {"volume": {"fail_above": 0.01}}},
            "fail_below 0.1 is greater than fail_above 0.01",
        ),
        ({"transactions": ["volume"]}, "quality.transactions must map rule names to limits"),
    ],
)
def test_a_limit_that_cannot_be_used_is_named(tmp_path: Path, settings: dict[str, object], told: str):
    with pytest.raises(LimitError) as caught:
        report_on(tmp_path, ("2026-10", OCTOBER), firm=Firm(quality=settings))

    assert told in str(caught.value)


def test_results_become_rows_that_a_warehouse_can_keep(tmp_path: Path):
    report = report_on(tmp_path, ("2026-10", bad(1)))

    row = next(r for r in report.results if not r.passed)._asdict()
    assert row["expectation"] == "quantity_not_negative"
    assert row["is_critical"] is True
    assert row["samples"] == ("quantity=-1.0000 transaction_id='t000000' line_id='1' kind='sale'",)


def test_a_rule_that_cannot_be_evaluated_is_no_pass():
    import pandas as pd

    spec = Spec("typo", "expect_column_values_to_not_be_null", {"column": "missing"})

    with pytest.raises(EvaluationError, match="typo could not be evaluated"):
        list(ExpectationRunner().run(pd.DataFrame({"there": [1]}), [spec]))


@pytest.mark.parametrize("name", ["transactions", "customers", "products", "loyalty_movements"])
def test_every_rule_has_a_name_of_its_own_and_a_column_of_the_contract(name: str):
    dataset = catalogue()[name]
    rules = suite(dataset)

    names = [rule.name for rule in rules]
    assert sorted(names) == sorted(set(names))
    for rule in rules:
        if isinstance(rule, RowRule | MeasureRule) and rule.column:
            assert set(rule.column.split(", ")) <= set(dataset.schema.names)


def test_the_gate_can_be_imported_without_great_expectations_or_pandas():
    code = (
        "import sys, include.quality; "
        "sys.exit(bool({'great_expectations', 'pandas', 'duckdb'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], check=False)

    assert done.returncode == 0


def test_nothing_of_great_expectations_is_logged_or_drawn(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    report_on(tmp_path, ("2026-10", OCTOBER), as_of=date(2026, 11, 1))

    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
