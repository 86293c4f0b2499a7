"""A value model as promotion candidate: its error on the window that all candidates are compared on."""

from datetime import date

import pyarrow as pa
import pytest

from bench import sales
from include.datasets.value import VALUE_HISTORIES
from include.models.ltv import artefact as ltv_artefact
from include.models.ltv import model as ltv
from include.models.ltv import promotion
from tests.models.churn import cases
from tests.models.ltv.cases import firm

ANCHOR, CUTOFF, BETWEEN = date(2025, 7, 1), date(2025, 4, 2), date(2025, 5, 1)
FIRM = firm()


@pytest.fixture(scope="module")
def histories(tmp_path_factory):
    """The training rows of a day, by the day."""
    folder = tmp_path_factory.mktemp("shop")
    shop = cases.shop(folder)
    return {day: sales.value_histories(shop, folder, anchor=day) for day in (ANCHOR, CUTOFF, BETWEEN)}


@pytest.fixture(scope="module")
def models(histories):
    return {day: ltv.fit(table, firm=FIRM, as_of=day) for day, table in histories.items()}


def candidate(models, histories, day, **header):
    """The model of a day; an earlier one as if its history had been long enough for a backtest of its own."""
    parts = {name: part for name, part in ltv_artefact.read(models[day]).items() if name != "version"}
    parts["header"] = parts["header"] | {"is_sufficient": True} | header
    model = ltv_artefact.write(parts)
    return promotion.candidate(model, histories[ANCHOR], anchor=ANCHOR, firm=FIRM)


def test_the_window_is_the_latest_whose_spend_is_known(histories):
    assert promotion.cutoff_of(histories[ANCHOR]) == CUTOFF
    assert promotion.window_of(histories[ANCHOR]).horizon_days == 90
    assert promotion.window_of(VALUE_HISTORIES.schema.empty_table()) is None
    assert promotion.cutoff_of(VALUE_HISTORIES.schema.empty_table()) is None


def test_the_anchors_own_model_is_measured_by_its_backtest(models, histories):
    parts = ltv_artefact.read(models[ANCHOR])
    method = parts["header"]["method"]
    (error,) = [
        row["metrics"]["error"]
        for row in parts["backtest"]
        if (row["candidate"], row["cutoff"]) == (method, CUTOFF.isoformat())
    ]

    found = candidate(models, histories, ANCHOR)

    assert (found.anchor, found.method) == (ANCHOR, method)
    assert found.version == promotion.version_of(models[ANCHOR]) == parts["version"]
    assert (found.error, found.is_sound, found.is_blocked) == (error, True, False)


def test_an_earlier_model_predicts_the_window_and_its_error_is_near_that_of_the_backtest(models, histories):
    own, earlier = (candidate(models, histories, day) for day in (ANCHOR, CUTOFF))

    # The backtest trains on the same days as the earlier model, and selects among more candidates.
    assert earlier.anchor == CUTOFF
    assert earlier.error == pytest.approx(own.error, rel=0.2)


def test_a_model_that_was_trained_on_part_of_the_window_has_no_error(models, histories):
    assert candidate(models, histories, BETWEEN).error is None


def test_trees_that_were_trained_for_another_horizon_have_no_error(models, histories):
    assert candidate(models, histories, CUTOFF, method="trees", horizon_days=30).error is None


def test_rules_have_no_error(histories):
    few = firm(min_customers=10_000)
    model = ltv.fit(histories[ANCHOR], firm=few, as_of=ANCHOR)

    found = promotion.candidate(model, histories[ANCHOR], anchor=ANCHOR, firm=few)

    assert (found.is_sound, found.error) == (False, None)


def test_without_a_window_no_model_has_an_error(models):
    nothing = pa.Table.from_batches([], schema=VALUE_HISTORIES.schema)

    assert promotion.candidate(models[ANCHOR], nothing, anchor=ANCHOR, firm=FIRM).error is None
