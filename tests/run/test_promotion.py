"""Which model scores a day: the promotion at a training date, and an override."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from include.datasets.churn import CHURN_TRAINING
from include.engines import open_engine
from include.firms import parse_firm
from include.handoff import Handoff
from include.models.churn import artefact as churn_artefact
from include.models.promotion import MARGIN
from include.run import promotion
from include.run.context import Context
from include.run.in_memory_records import InMemoryRecords, ModelsInMemory, NoWarehouse
from include.settings import Settings
from include.steps import STEPS
from tests.test_firms import ROW

AS_OF, ANCHOR, EARLIER = date(2025, 8, 20), date(2025, 7, 1), date(2025, 4, 1)
FIT = next(
    step for step in STEPS if step.module == "churn" and step.writes and step.writes.name == "churn_model"
)
LOAD = next(step for step in STEPS if step.module is None and step.table == "fact_sales")


class Overridden(ModelsInMemory):
    """A person decided from 10 August on that the model of a day scores."""

    anchor = date(2024, 10, 1)

    def decision(self, firm_key: str, module: str, *, as_of: date, anchor: date) -> dict[str, Any] | None:
        if (firm_key, module, anchor) != ("acme", "churn", ANCHOR) or as_of < date(2025, 8, 10):
            return None
        return {
            "anchor": self.anchor,
            "from_as_of": date(2025, 8, 10),
            "decided_by": "ann",
            "decided_at": datetime(2025, 8, 9, tzinfo=UTC),
            "why": "a campaign",
        }


@pytest.fixture
def context(tmp_path):
    handoff = Handoff((tmp_path / "handoffs").as_uri(), scratch=tmp_path)
    context = Context(
        FIT, parse_firm(ROW), AS_OF, 1, False, handoff, InMemoryRecords(), NoWarehouse(),
        open_engine("duckdb", memory_mb=64, threads=1, scratch=tmp_path), tmp_path, Settings.read(),
    )  # fmt: skip
    handoff.write(context.slot(CHURN_TRAINING), [], token=1, as_of=AS_OF, made_from=[])
    return context


def model(anchor: date, *, is_sufficient: bool = True):
    """A model whose leakage check failed, unless it is sufficient."""
    header = {"anchor": anchor.isoformat(), "method": "bgnbd", "is_sufficient": is_sufficient}
    metrics = [{"candidate": "bgnbd", "population": "all", "is_champion": True, "brier": 0.2}]
    check = {"check": "future_information", "passed": is_sufficient}
    return churn_artefact.write({"header": header, "metrics": metrics, "sentinel": [check]})


def results(context) -> dict[date, dict[str, Any]]:
    rows = context.records.models.promotion_result("acme", "churn", ANCHOR)
    return {row["contender_anchor"]: row for row in rows}


def test_a_model_contends_with_the_one_that_did_not_see_the_days_it_is_compared_on(context):
    assert promotion.earlier_anchors(ANCHOR, window_days=90, every_months=3) == (EARLIER,)
    assert promotion.earlier_anchors(ANCHOR, window_days=92, every_months=3) == (date(2025, 1, 1),)
    assert promotion.contending(context) == (ANCHOR, EARLIER)
    assert promotion.needed(context) == (EARLIER, ANCHOR)


def test_a_preview_trains_no_earlier_model_and_its_own_scores(context):
    context = replace(context, is_preview=True)

    promotion.evaluate_promotion(context, CHURN_TRAINING, {ANCHOR: model(ANCHOR)})

    assert promotion.needed(context) == (ANCHOR,)
    assert list(results(context)) == [ANCHOR]
    scorer, why = promotion.scoring(context)
    assert scorer == ANCHOR
    assert why == f"the model of {ANCHOR} scores: there is no earlier model to compare with"


def test_a_step_of_no_trained_module_needs_its_own_training_date(context):
    assert promotion.needed(replace(context, step=LOAD)) == (ANCHOR,)
    with pytest.raises(TypeError, match="belongs to no module"):
        promotion.contending(replace(context, step=LOAD))


def test_without_a_promotion_result_the_model_of_the_training_date_scores(context):
    assert promotion.scoring(context) == (ANCHOR, "")


def test_a_model_whose_leakage_check_failed_does_not_score(context):
    models = {ANCHOR: model(ANCHOR, is_sufficient=False), EARLIER: model(EARLIER)}

    promotion.evaluate_promotion(context, CHURN_TRAINING, models)

    assert {day: row["is_scoring"] for day, row in results(context).items()} == {ANCHOR: False, EARLIER: True}
    scorer, why = promotion.scoring(context)
    assert scorer == EARLIER
    assert why.startswith(f"the model of {ANCHOR} is not promoted, a leakage check failed")


def test_a_result_has_the_version_and_the_method_of_each_model(context):
    models = {ANCHOR: model(ANCHOR), EARLIER: model(EARLIER)}

    promotion.evaluate_promotion(context, CHURN_TRAINING, models)

    found = results(context)
    assert [row["model_version"] for row in found.values()] == [
        churn_artefact.read(models[day])["version"] for day in found
    ]
    assert found[ANCHOR]["is_scoring"]
    assert found[ANCHOR] | {"model_version": "", "reason": ""} == {
        "contender_anchor": ANCHOR,
        "model_version": "",
        "method": "bgnbd",
        "is_scoring": True,
        "error": 0.2,
        "error_name": "Brier score",
        "margin": MARGIN,
        "cutoff": None,
        "reason": "",
    }


def test_a_promotion_is_evaluated_again_only_for_other_models(context):
    models = {ANCHOR: model(ANCHOR, is_sufficient=False), EARLIER: model(EARLIER)}
    promotion.evaluate_promotion(context, CHURN_TRAINING, models)
    for row in context.records.models.promotion_result("acme", "churn", ANCHOR):
        row["reason"] = "kept"

    promotion.evaluate_promotion(context, CHURN_TRAINING, models)
    kept = {row["reason"] for row in results(context).values()}
    promotion.evaluate_promotion(context, CHURN_TRAINING, models | {ANCHOR: model(ANCHOR)})

    assert kept == {"kept"}
    assert "kept" not in {row["reason"] for row in results(context).values()}


def test_an_override_scores_from_its_day_on_and_its_model_is_needed(context):
    context = replace(context, records=InMemoryRecords(models=Overridden()))
    before = replace(context, as_of=date(2025, 8, 10) - timedelta(days=1))

    assert promotion.needed(context) == (Overridden.anchor, EARLIER, ANCHOR)
    assert promotion.scoring(context) == (
        Overridden.anchor,
        "the model of 2024-10-01 scores from 2025-08-10 on, by a decision of ann on 2025-08-09: a campaign",
    )
    assert promotion.needed(before) == (EARLIER, ANCHOR)
    assert promotion.scoring(before) == (ANCHOR, "")
