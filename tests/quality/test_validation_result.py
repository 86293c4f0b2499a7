"""Validation results are Great Expectations' own: it reads them, and builds Data Docs from them."""

import json
import re
import warnings
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from include import quality
from include.quality.document import PAGE
from tests.quality.firms import CUSTOMERS, TRANSACTIONS, Firm, customer, line, month, part, references

BAD = [
    row | {"quantity": Decimal(-1), "kind": "gift"} if n < 3 else row for n, row in enumerate(month(2026, 10))
]


def documents(folder: Path, rows: list[dict[str, object]], **options: Any) -> dict[str, Any]:
    """The validation results of October and of the dataset as a whole, as they are read from a file."""
    report = quality.check(
        TRANSACTIONS,
        firm=Firm(),
        as_of=date(2026, 11, 1),
        slices=[part(folder, TRANSACTIONS, "2026-10", rows)],
        references=references(folder),
        history=[],
        **options,
    )
    read: dict[str, Any] = json.loads(json.dumps(report.documents))
    return read


def by_name(document: dict[str, Any]) -> dict[str, Any]:
    """The results of a document by the rule's name and level."""
    return {
        f"{r['expectation_config']['meta']['name']} {r['expectation_config']['severity']}": r
        for r in document["results"]
    }


def test_a_clean_slice_is_marked_as_built_from_aggregates(tmp_path: Path):
    found = documents(tmp_path, month(2026, 10))

    assert set(found) == {"2026-10", ""}
    assert [d["meta"]["built_from"] for d in found.values()] == ["aggregates", "aggregates"]
    assert found["2026-10"]["success"] is True
    assert found["2026-10"]["statistics"]["unsuccessful_expectations"] == 0
    result = by_name(found["2026-10"])["occurred_before_as_of critical"]
    assert result["expectation_config"]["kwargs"] == {
        "column": "occurred_at",
        "min_value": "1990-01-01T00:00:00+00:00",
        "max_value": "2026-11-01T00:00:00+00:00",
        "strict_max": True,
    }


def test_a_rechecked_rule_is_marked_and_counts_are_those_of_great_expectations(tmp_path: Path):
    found = by_name(documents(tmp_path, BAD)["2026-10"])

    failed = {name for name, result in found.items() if not result["success"]}
    assert failed == {"quantity_not_negative critical", "kind_known critical"}
    built = {name: r["expectation_config"]["meta"]["built_from"] for name, r in found.items()}
    assert {name for name, how in built.items() if how == "great_expectations"} == failed
    counts = found["kind_known critical"]["result"]
    assert (counts["element_count"], counts["unexpected_count"], counts["missing_count"]) == (124, 3, 0)
    assert counts["unexpected_percent"] == pytest.approx(100 * 3 / 124)
    assert found["kind_known critical"]["expectation_config"]["meta"]["verdict"] == "stops the firm"


def test_counts_and_percentages_are_those_that_great_expectations_writes(tmp_path: Path):
    import great_expectations as gx
    import pandas as pd

    found = by_name(documents(tmp_path, BAD)["2026-10"])["quantity_not_negative critical"]
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    asset = context.data_sources.add_pandas("s").add_dataframe_asset("a")
    frame = pd.DataFrame({"quantity": [float(row["quantity"]) for row in BAD]})
    batch = asset.add_batch_definition_whole_dataframe("w").get_batch(batch_parameters={"dataframe": frame})
    expectation = gx.expectations.ExpectColumnValuesToBeBetween(column="quantity", min_value=0)

    theirs = batch.validate(expectation, result_format="BASIC").to_json_dict()

    assert set(found) <= {*theirs, "meta"}
    compared = set(found["result"]) - {"partial_unexpected_list"}
    assert {k: found["result"][k] for k in compared} == {k: theirs["result"][k] for k in compared}
    assert set(found["expectation_config"]) == set(theirs["expectation_config"])


def test_no_value_of_a_row_is_in_a_document(tmp_path: Path):
    people = [customer("c-secret", email="hidden", full_name="Harold"), customer("", email="hidden")]
    sales = [line(n, date(2026, 10, 1), customer_id="ghost", transaction_id="t-secret") for n in range(3)]

    report = quality.check(
        CUSTOMERS,
        firm=Firm(),
        as_of=date(2026, 11, 1),
        slices=[part(tmp_path, CUSTOMERS, "2026-11-01", people)],
        references={},
        history=[],
    )
    text = json.dumps(
        [report.documents, documents(tmp_path, sales), documents(tmp_path, sales, whole_suite=True)]
    )

    assert not report.documents["2026-11-01"]["success"]
    assert "unexpected_count" in text
    assert [word for word in ("secret", "hidden", "Harold", "ghost") if word in text] == []


@pytest.mark.parametrize("whole_suite", [False, True])
def test_data_docs_open_from_the_documents_as_the_page_says(
    tmp_path: Path, whole_suite: bool, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "acme" / "quality" / "as_of=2026-11-01"
    folder.mkdir(parents=True)
    for key, document in documents(tmp_path, BAD, whole_suite=whole_suite).items():
        (folder / f"transactions-{key}.json").write_text(json.dumps(document))
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.chdir(tmp_path)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(code.replace("/data/handoffs/", f"{tmp_path}/"), str(PAGE), "exec"), {})

    index = (tmp_path / "data_docs" / "index.html").read_text()
    assert "acme.transactions" in index
    pages = list((tmp_path / "data_docs" / "validations").rglob("*.html"))
    text = "".join(page.read_text() for page in pages)
    assert len(pages) == 2
    assert "quantity" in text
    assert "3 unexpected values found" in text
