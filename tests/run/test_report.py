"""``report`` of a firm that was really run."""

import json
from datetime import timedelta

from typer.testing import CliRunner

from include.cli import app
from tests.run.test_pipeline import AS_OF, sales


def report(shop, *words: str) -> tuple[int, str]:
    out = ["--out", str(shop.home / "out")]
    result = CliRunner().invoke(app, ["report", "acme", *words, *out], env={"COLUMNS": "300"})
    return result.exit_code, result.output


def test_a_report_shows_what_the_run_left_and_what_was_not_run(shop):
    shop.add("acme", modules=["rfm", "insight"])
    shop.sell("acme", sales(30))
    shop.run("acme", AS_OF)

    code, message = report(shop, "--as-of", str(AS_OF))

    stem = f"acme_{AS_OF}_report"
    told = json.loads((shop.home / "out" / f"{stem}.json").read_text())
    assert code == 0, message
    assert f"{stem}.html" in message
    assert "not computed: model churn" in message
    assert sum(row["customers"] for row in told["segments"]) == 30
    assert sum(row["order_count"] for row in told["months"]) == len(sales(30))
    assert told["insight"][0]["sentence"].startswith("30 customers bought from Acme before March 1, 2025")
    assert told["insight"][0]["sentence"] in (shop.home / "out" / f"{stem}.html").read_text()
    assert list((shop.home / "home" / "scratch").iterdir()) == []


def test_a_run_of_a_shop_without_sales_has_a_report(shop):
    shop.add("acme", modules=["rfm", "insight"])
    shop.sell("acme", [])
    shop.run("acme", AS_OF)

    code, message = report(shop, "--as-of", str(AS_OF))

    told = json.loads((shop.home / "out" / f"acme_{AS_OF}_report.json").read_text())
    assert code == 0, message
    assert told["segments"] == told["features"] == []
    assert "no identified customer bought before" in message


def test_a_day_that_was_not_run_is_reported_with_the_command_that_runs_it(shop):
    shop.add("acme")
    day = AS_OF - timedelta(days=1)

    code, message = report(shop, "--as-of", str(day))
    unknown, why = report(shop, "--as-of", "yesterday")

    assert (code, unknown) == (2, 2)
    assert (
        f"acme has no data as of {day}; run it first: python -m include run acme --as-of {day}"
        in " ".join(message.split())
    )
    assert "yesterday" in why
    assert not (shop.home / "out").exists()
