"""When the validate step and the ``validate`` command run Great Expectations, and what they leave behind."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from include.cli import app
from include.quality import QualityError
from tests.run.test_pipeline import sales

DATASETS = ("transactions", "customers", "products", "loyalty_movements")
STEPS = tuple(f"{verb}_{dataset}" for verb in ("extract", "validate") for dataset in DATASETS)
LOADS = ("load_dim_product", "load_dim_customer", "load_fact_sales")
TRAINING_DATE = date(2025, 4, 1)  # of every third month


def days(last: date, *, first: date = date(2025, 1, 1)) -> list[tuple]:
    """Ten sales a day."""
    return [
        (f"o{n:03}-{i}", first + timedelta(days=n), f"c{(n + i) % 40:03}", 5 + i)
        for n in range((last - first).days + 1)
        for i in range(10)
    ]


def built_from(shop: Any, as_of: date, dataset: str = "transactions") -> dict[str, str]:
    """What counted in each slice of a dataset that was checked as of a day."""
    return {
        name.removeprefix(dataset).strip("-") or "whole": document["meta"]["built_from"]
        for name, document in documents(shop, as_of).items()
        if name.startswith(dataset)
    }


def documents(shop: Any, as_of: date) -> dict[str, Any]:
    """The validation results of a day, by the names of their files."""
    folder: Path = shop.home / "home" / "handoffs" / "acme" / "quality" / f"as_of={as_of}"
    return {file.stem: json.loads(file.read_text()) for file in folder.glob("*.json")}


def load(shop: Any, as_of: date) -> None:
    """Extract, check and load a day, so that the next has a past."""
    shop.run("acme", as_of, only=(*STEPS, *LOADS))


def test_the_whole_suite_runs_at_first_and_on_training_dates_and_aggregates_otherwise(shop):
    shop.add("acme")
    shop.sell("acme", days(TRAINING_DATE + timedelta(days=9)))
    first, second = TRAINING_DATE - timedelta(days=2), TRAINING_DATE - timedelta(days=1)

    for day in (first, second, TRAINING_DATE, TRAINING_DATE + timedelta(days=1)):
        load(shop, day)

    assert set(built_from(shop, first)) == {"2025-01", "2025-02", "2025-03", "whole"}
    assert set(built_from(shop, first).values()) == {"great_expectations"}
    assert built_from(shop, second) == {"2025-03": "aggregates", "whole": "aggregates"}
    assert set(built_from(shop, TRAINING_DATE).values()) == {"great_expectations"}
    assert set(built_from(shop, TRAINING_DATE + timedelta(days=1)).values()) == {"aggregates"}


def test_a_stopped_firm_has_its_document_and_its_verdicts(shop):
    shop.add("acme")
    shop.sell("acme", sales(30))
    load(shop, date(2025, 3, 2))
    shop.sell("acme", [])

    with pytest.raises(QualityError):
        load(shop, date(2025, 3, 3))

    stopped = {
        result["expectation_config"]["meta"]["name"]
        for document in documents(shop, date(2025, 3, 3)).values()
        for result in document["results"]
        if result["expectation_config"]["meta"]["verdict"] == "stops the firm"
    }
    on_record = shop.query(
        "select distinct expectation from control.quality "
        "where as_of = '2025-03-03' and is_critical and not passed"
    )
    assert stopped == {name for (name,) in on_record} != set()


def test_the_command_checks_what_is_new_and_with_full_every_slice(shop):
    shop.add("acme")
    shop.sell("acme", days(date(2025, 3, 9)))
    as_of = date(2025, 3, 10)
    load(shop, as_of)

    gate = CliRunner().invoke(app, ["validate", "acme", "--as-of", str(as_of)])
    full = CliRunner().invoke(app, ["validate", "acme", "--as-of", str(as_of), "--full"])

    assert (gate.exit_code, full.exit_code) == (0, 0), gate.output + full.output
    assert "validate_transactions  0 rows  checked 0 slices" in gate.output
    assert "validate_transactions  680 rows  checked 3 slices" in full.output
    assert "handoffs/acme/quality/as_of=2025-03-10/" in full.output
    assert built_from(shop, as_of) == dict.fromkeys(
        ("2025-01", "2025-02", "2025-03", "whole"), "great_expectations"
    )


def test_the_command_names_the_datasets_that_break_a_rule_and_checks_the_others(shop):
    shop.add("acme")
    shop.sell("acme", days(date(2025, 3, 9)))
    as_of = date(2025, 3, 10)
    load(shop, as_of)
    limits = {"warn_below": None, "fail_below": None, "warn_above": 0.1, "fail_above": 0.1}
    shop.query(
        "update control.firms set quality = %s where firm_key = 'acme' returning firm_key",
        json.dumps({"transactions": {"volume": limits}}),
    )

    found = CliRunner().invoke(app, ["validate", "acme", "--as-of", str(as_of), "--full"])

    assert found.exit_code == 1
    assert "validate_transactions: transactions 2025-02: volume" in found.output
    assert "validate_loyalty_movements" in found.output
    assert "1 of the firm's datasets break a critical rule: validate_transactions" in found.output


def test_the_command_says_how_to_extract_a_day_that_was_not(shop):
    shop.add("acme")

    found = CliRunner().invoke(app, ["validate", "acme", "--as-of", "2025-03-10"])

    assert found.exit_code == 1
    assert "python -m include run acme --as-of 2025-03-10 --from extract_" in found.output
