"""Which steps of a firm a run takes."""

import pytest

from include.run.firm import chosen_steps
from include.steps import steps_for

MODULES = ("rfm", "ltv")


def names(**chosen: object) -> list[str]:
    return [step.name for step in chosen_steps(MODULES, **chosen)]


def test_a_run_may_take_some_steps_or_begin_at_one():
    every = [step.name for step in steps_for(MODULES)]

    assert names() == every
    assert names(from_step="fit_rfm") == every[every.index("fit_rfm") :]
    assert names(only=("load_fact_sales", "extract_products")) == [
        name for name in every if name in ("load_fact_sales", "extract_products")
    ]


@pytest.mark.parametrize("chosen", [{"from_step": "fit_churn"}, {"only": ("no_such_step",)}])
def test_a_step_that_the_firm_has_not_is_named(chosen):
    with pytest.raises(KeyError, match=r"no step '(fit_churn|no_such_step)'"):
        names(**chosen)
