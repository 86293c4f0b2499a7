"""Realistic example files give the expected results without any option."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from include.cli.file_options import mapping_of
from include.intake import Options, inspect
from include.intake.codes import QUESTIONS, REFUSALS, WARNINGS
from tests.intake.conftest import EXAMPLES, examples

OUTCOMES = {"reads": "read", "read": "read", "asks": "asks", "refuses": "refused", "warns": "read"}
# Their input does not hold what the case says; each is refused, or read as it is, which the next test shows.
EMPTY = {
    "json": "the file is []",
    "xlsx": "the file is nine bytes",
    "xlsx_renamed": "the archive holds no sheet",
    "parquet_sci": "two of its amounts are -0.0 and 1e-07",
}
CASES = [
    pytest.param(
        case,
        id=case["case"],
        marks=[pytest.mark.xfail(strict=True, reason=EMPTY[case["case"]])] if case["case"] in EMPTY else [],
    )
    for case in examples()
]
absent = pytest.mark.skipif(not CASES, reason=f"the example files are not in {EXAMPLES}")


@absent
@pytest.mark.parametrize("case", CASES)
def test_an_example_file_gives_its_expected_result(case):
    answer = inspect(EXAMPLES / case["file"]).answer

    assert answer.outcome in {OUTCOMES[outcome] for outcome in case["outcome"].split("_or_")}
    if case["outcome"] == "warns":
        assert answer.findings.warnings
    if answer.outcome == "read":
        for name, expected in case.get("figures", {}).items():
            assert figure(answer, name) == expected, name


@absent
@pytest.mark.parametrize(
    ("name", "code"), [("json", "no_rows"), ("xlsx", "damaged_file"), ("xlsx_renamed", "damaged_file")]
)
def test_an_empty_file_is_refused_with_its_cause(name, code):
    (case,) = [case for case in examples() if case["case"] == name]

    answer = inspect(EXAMPLES / case["file"]).answer

    assert (answer.outcome, answer.refusal.code) == ("refused", code)


@absent
@pytest.mark.parametrize("case", [case for case in examples() if case["case"] not in EMPTY], ids=str)
def test_the_printed_mapping_reads_the_file_alike(case):
    first = inspect(EXAMPLES / case["file"]).answer
    if first.outcome != "read":
        pytest.skip("the file is not read")
    mapping = mapping_of([f"{name}={of}" for name, of in first.mapping.items()])

    again = inspect(EXAMPLES / case["file"], Options(mapping=mapping)).answer

    assert again.record() == first.record()


@absent
@pytest.mark.parametrize(
    ("name", "outcome", "code"),
    [("shopify_orders", "read", 0), ("decimal_comma_3", "asks", 3), ("dup_header", "refused", 2)],
)
def test_the_command_prints_the_answer_and_exits_with_its_code(name, outcome, code):
    (case,) = [case for case in examples() if case["case"] == name]
    command = [sys.executable, "-m", "include", "inspect", str(EXAMPLES / case["file"]), "--json"]

    result = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
    )

    assert result.returncode == code, result.stderr
    assert json.loads(result.stdout)["outcome"] == outcome


@absent
def test_every_code_that_the_examples_give_is_documented():
    given = {"warnings": set(), "questions": set(), "refusals": set()}

    for case in examples():
        answer = inspect(EXAMPLES / case["file"]).answer
        given["warnings"] |= {message.code for message in answer.findings.warnings}
        given["questions"] |= {answer.question.code} if answer.question else set()
        given["refusals"] |= {answer.refusal.code} if answer.refusal else set()

    assert given["warnings"] <= set(WARNINGS)
    assert given["questions"] <= set(QUESTIONS)
    assert given["refusals"] <= set(REFUSALS)


def figure(answer, name: str):
    """A figure of an answer as cases write it."""
    if name == "net":
        return float(round(answer.net_amount, 2))
    return str(answer.last_day) if name == "last_day" else getattr(answer, name)
