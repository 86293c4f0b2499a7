"""The rows of modules agree with the steps, the datasets and the settings that they name."""

from dataclasses import replace
from pathlib import Path

import pytest

from include import datasets
from include.datasets import catalogue
from include.firms import Firm, parse_firm
from include.models.firm import ChurnSettings, LtvSettings
from include.models.ltv.fitting import MAIN_HORIZONS
from include.modules import MODULES, NAMES, OPTIONAL_MODULES, ROWS, TRAINED, Training, setting, trained_as
from include.steps import STEPS, Step, query, steps_for
from include.training.ltv import HORIZONS
from tests.test_firms import ROW

PROJECT = Path(__file__).parent.parent


def disagreements(steps: tuple[Step, ...]) -> list[str]:
    """Where the modules of steps and the registered modules differ, in plain words."""
    used = {step.module for step in steps if step.module}
    return [
        *(
            f"include/steps.py: step {step.name} belongs to module {step.module!r}, which is not in ROWS of "
            "include/modules.py: no firm can switch it on, so it never runs"
            for step in steps
            if step.module and step.module not in NAMES
        ),
        *(
            f"include/modules.py: module {name!r} has no step in include/steps.py"
            for name in NAMES
            if name not in used
        ),
    ]


def test_every_module_of_a_step_is_registered_and_every_registered_module_has_steps():
    assert disagreements(STEPS) == []


def test_a_step_of_an_unregistered_module_is_reported_in_plain_words():
    planted = query(catalogue()["customer_days"], reads=(), module="weather")

    found = disagreements((*STEPS, planted))

    assert found == [
        "include/steps.py: step customer_days belongs to module 'weather', which is not in ROWS of "
        "include/modules.py: no firm can switch it on, so it never runs"
    ]


def test_a_firm_with_every_module_runs_every_step():
    assert {step.name for step in steps_for(NAMES)} == {step.name for step in STEPS}


def test_a_module_is_on_by_default_or_optional_and_an_optional_one_needs_a_dataset():
    assert sorted(NAMES) == sorted({*MODULES, *OPTIONAL_MODULES})
    assert [module.name for module in ROWS if module.is_optional and module.needs not in catalogue()] == []
    assert [module.name for module in ROWS if module.needs and not module.is_optional] == []


def test_the_snapshot_of_a_module_is_loaded_by_one_of_its_steps():
    loaded = {(step.module, step.table) for step in STEPS if step.kind_name == "load"}

    assert [row.name for row in ROWS if row.snapshot and (row.name, row.snapshot) not in loaded] == []


def test_every_dataset_kept_by_anchor_is_trained_by_the_module_whose_steps_write_it():
    anchored = {step.writes.name: step for step in STEPS if step.writes and step.writes.by == "anchor"}

    assert {name for name, dataset in catalogue().items() if dataset.by == "anchor"} == set(anchored)
    for name, step in anchored.items():
        assert trained_as(name) is TRAINED[step.module]
    with pytest.raises(LookupError, match=r"'rfm' is kept by anchor.*include/modules\.py"):
        trained_as("rfm")


@pytest.mark.parametrize("name", TRAINED)
def test_the_settings_of_a_training_are_fields_of_a_firm(name):
    training, firm = TRAINED[name], parse_firm(ROW)

    for of in (*training.rows_settings, *training.fit_settings, *training.added_settings):
        field, _, inner = of.partition(".")
        assert field in Firm.model_fields, of
        assert not inner or inner in type(getattr(firm, field)).model_fields, of
        setting(firm, of)
    assert set(training.added_settings) <= {*training.rows_settings, *training.fit_settings}
    assert training.horizon_days(firm) > 0


def test_horizons_are_those_that_training_uses():
    assert TRAINED["ltv"].horizon == max(days for days, _ in MAIN_HORIZONS)
    assert {days for days, _ in MAIN_HORIZONS} <= set(HORIZONS)
    assert TRAINED["churn"].horizon_days(parse_firm(ROW | {"churn_threshold_days": 41})) == 41


def test_every_file_of_datasets_is_in_the_catalogue():
    files = {path.stem for path in Path(datasets.__file__).parent.glob("*.py")} - {"__init__", "contract"}

    assert files == {module.__name__.rpartition(".")[2] for module in datasets.MODULES}


def test_no_other_file_lists_modules_by_hand():
    listed = [
        f"{path.relative_to(PROJECT)}:{number}"
        for folder in ("include", "dags", "plugins")
        for path in (PROJECT / folder).rglob("*.py")
        if path.name not in ("modules.py", "steps.py") or path.parent.name == "run"
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if sum(f'"{name}"' in line for name in NAMES) > 1 and "row of control.firms" not in line
    ]

    # Fields of a firm's row that bear the name of a module; tests/warehouse/test_firm_rows.py compares them.
    assert [place for place in listed if not place.startswith("include/warehouse/firm_rows.py")] == []


def fingerprints(training: Training, **changes: object) -> tuple[str, str]:
    firm = parse_firm(ROW | changes)
    return training.fingerprint(firm, training.rows), training.fingerprint(firm, training.model)


CHANGES = {
    "timezone": {"timezone": "Europe/Paris"},
    "churn_threshold_days": {"churn_threshold_days": 91},
    "churn.most_cutoffs": {"churn": {"most_cutoffs": 8}},
    "churn.sample_customers": {"churn": {"sample_customers": 1_001}},
    "churn.decision_threshold": {"churn": {"decision_threshold": 0.51}},
    "churn.min_customers": {"churn": {"min_customers": 501}},
    "churn.min_repeat_buyers": {"churn": {"min_repeat_buyers": 51}},
    "churn.min_events": {"churn": {"min_events": 51}},
    "rfm.window_days": {"rfm": {"window_days": 366}},
    "ltv.annual_discount_rate": {"ltv": {"annual_discount_rate": 0.11}},
    "ltv.margin_share": {"ltv": {"margin_share": 0.31}},
    "ltv.min_customers": {"ltv": {"min_customers": 501}},
    "ltv.min_repeat_buyers": {"ltv": {"min_repeat_buyers": 201}},
}
UNREAD = {
    "min_spend": 5, "min_orders": 2, "retrain_months": 1, "language": "tr", "lookback_days": 1,
    "rfm": {"new_days": 29, "quantiles": (0.1, 0.2, 0.3, 0.4), "segment_parents": {"lost": "gone"}},
    "ltv": {"tier_bounds": (10, 20, 30, 40), "tier_benefits": {"gold": "free delivery"}},
    "name": "Other", "schedule_hour": 1,
    "churn": {"category_bounds": (20, 50, 75), "band_bounds": (0.5, 0.9), "min_tenure_days": 30},
    "actions": {"budget": 1},
}  # fmt: skip


PROTOCOLS = {"churn": ChurnSettings, "ltv": LtvSettings}  # the type checker lets a model read no other field
PREDICTED = {
    "churn.category_bounds",
    "churn.band_bounds",
    "churn.min_tenure_days",
    "ltv.tier_bounds",
}  # read when a day is scored, and not in training


@pytest.mark.parametrize("name", TRAINED)
def test_every_setting_that_a_model_may_read_is_trained_on_or_stated_as_read_by_predict_alone(name):
    training = TRAINED[name]
    trained_on = {*training.rows_settings, *training.fit_settings}

    forgotten = {f"{name}.{field}" for field in PROTOCOLS[name].__annotations__} - trained_on - PREDICTED

    assert not forgotten, (
        f"models of {name} may read {sorted(forgotten)}: add them to fit_settings or rows_settings in "
        "include/modules.py, or to PREDICTED in tests/test_modules.py if only predict reads them"
    )


@pytest.mark.parametrize("name", TRAINED)
def test_a_changed_setting_retrains_exactly_what_depends_on_it(name):
    training = TRAINED[name]
    rows, model = fingerprints(training)

    for of, change in CHANGES.items():
        changed_rows, changed_model = fingerprints(training, **change)
        assert (changed_rows != rows) == (of in training.rows_settings), of
        assert (changed_model != model) == (of in (*training.rows_settings, *training.fit_settings)), of
    assert {*training.rows_settings, *training.fit_settings} <= set(CHANGES), (
        "add the setting, with another value, to CHANGES in tests/test_modules.py"
    )


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize("field", UNREAD)
def test_a_changed_setting_that_no_training_reads_retrains_nothing(name, field):
    before = fingerprints(TRAINED[name])

    assert fingerprints(TRAINED[name], **{field: UNREAD[field]}) == before


def test_a_setting_added_to_a_training_retrains_only_once_it_is_changed():
    before = TRAINED["ltv"]
    after = replace(
        before,
        fit_settings=(*before.fit_settings, "rfm.active_days"),
        added_settings={"rfm.active_days": 90},
    )
    at_default, changed = parse_firm(ROW), parse_firm(ROW | {"rfm": {"active_days": 91}})

    found = [
        training.fingerprint(firm, before.model)
        for training in (before, after)
        for firm in (at_default, changed)
    ]

    assert found[0] == found[1] == found[2] != found[3]
    assert after.is_as_first_released(at_default)
    assert not after.is_as_first_released(changed)
