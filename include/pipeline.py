"""Steps and stages: their types, the functions that make a row, and the order that follows from the rows.

The rows themselves are in ``steps.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from typing import TypeVar

from include.datasets import Dataset
from include.kinds import COMPUTE, EXTRACT, KINDS, LOAD, Kind

Row = TypeVar("Row", "Step", "Stage")
LONGEST_STAGE_MINUTES = 360
COMPACT_TASKS = {
    EXTRACT: "Reads the firm's own system: whole months that may have changed.",
    COMPUTE: "Runs the quality gate, computes features, trains models and predicts.",
    LOAD: "Loads dimensions and facts, compares earlier predictions with what happened, and publishes.",
}


@dataclass(frozen=True)
class Step:
    """One unit of work of a stage.

    ``does`` is the sentence an engineer on call reads; ``module`` is the module of the firm that switches the
    step on (None: always on); ``stage`` is filled in by :func:`stage`. ``remembers`` is a dataset
    whose earlier snapshots the step reads: a query as the table ``past_<dataset>``, a model as its argument
    ``past``.
    """

    name: str
    kind_name: str
    does: str
    reads: tuple[Dataset, ...] = ()
    writes: Dataset | None = None
    model: str | None = None
    table: str | None = None
    after: tuple[str, ...] = ()
    module: str | None = None
    stage: str = ""
    remembers: Dataset | None = None

    @property
    def kind(self) -> Kind:
        """The row of the step's kind."""
        return KINDS[self.kind_name]

    @property
    def names(self) -> tuple[str, str, str]:
        """What a command or an incident may call it: its own name, its stage's, its compact task's."""
        return self.name, self.stage, self.kind.compact_task


@dataclass(frozen=True)
class Stage:
    """One task of a firm's DAG, or one task per step (``is_split``): the steps that belong together."""

    name: str
    does: str
    steps: tuple[Step, ...]
    is_split: bool = False

    @property
    def retries(self) -> int:
        """The highest number of retries among its steps."""
        return max(step.kind.retries for step in self.steps)

    @property
    def retry_delay_seconds(self) -> int:
        """The longest first delay among its steps."""
        return max(step.kind.retry_delay_seconds for step in self.steps)

    @property
    def timeout_minutes(self) -> int:
        """The sum over its steps, at most :data:`LONGEST_STAGE_MINUTES`."""
        return min(LONGEST_STAGE_MINUTES, sum(step.kind.timeout_minutes for step in self.steps))

    def part(self, step: Step) -> Stage:
        """The stage with one of its steps alone."""
        return replace(self, steps=(step,))


def extract(dataset: Dataset, *, module: str | None = None) -> Step:
    """Read ``dataset`` from the firm's own system."""
    return Step(
        name=f"extract_{dataset.name}",
        kind_name="extract",
        does=f"Reads {dataset.name} from the firm's own system: whole months that may have changed.",
        writes=dataset,
        module=module,
    )


def validate(dataset: Dataset, *, reads: tuple[Dataset, ...] = (), module: str | None = None) -> Step:
    """The quality gate of ``dataset``: bad data stops the firm. Every reader of it waits for its gate."""
    return Step(
        name=f"validate_{dataset.name}",
        kind_name="validate",
        does=f"Checks {dataset.name} by the rules of docs/quality.md; bad data stops this firm alone.",
        reads=(dataset, *reads),
        module=module,
    )


def query(
    dataset: Dataset,
    *,
    reads: tuple[Dataset, ...],
    module: str | None = None,
    remembers: Dataset | None = None,
) -> Step:
    """Compute ``dataset`` by ``sql/query/<dataset>.sql`` on the firm's engine."""
    step = _computing("query", dataset.name, f"Computes {dataset.name}", dataset, reads, module)
    return replace(step, remembers=remembers)


def features(dataset: Dataset, *, reads: tuple[Dataset, ...], module: str) -> Step:
    """Compute ``dataset`` by the chain of feature queries that training runs too."""
    return _computing("features", dataset.name, f"Computes {dataset.name}", dataset, reads, module)


def sample(dataset: Dataset, *, reads: tuple[Dataset, ...], module: str) -> Step:
    """Rows to train on, by ``training/<module>.py``: past cutoffs' features, beside what then happened."""
    does = f"Computes {dataset.name}, once per anchor"
    return _computing("sample", dataset.name, does, dataset, reads, module)


def fit(model: str, *, reads: tuple[Dataset, ...], writes: Dataset, module: str) -> Step:
    """Fit ``models/<model>`` on small tables; the parameters are the dataset it writes."""
    name = f"fit_{model.replace('.', '_')}"
    return _computing("fit", name, f"Fits {model}", writes, reads, module, model)


def compute(
    model: str,
    *,
    reads: tuple[Dataset, ...] = (),
    writes: Dataset,
    module: str,
    remembers: Dataset | None = None,
) -> Step:
    """Compute ``writes`` by ``models/<model>``, which fits nothing: rules, a decision table, text."""
    step = _computing("compute", writes.name, f"Computes {writes.name}", writes, reads, module, model)
    return replace(step, remembers=remembers)


def predict(model: str, *, reads: tuple[Dataset, ...], writes: Dataset, module: str) -> Step:
    """Apply ``models/<model>`` batch by batch; the first of ``reads`` is the one streamed."""
    return _computing("predict", f"predict_{model}", f"Applies {model}", writes, reads, module, model)


def _computing(
    kind_name: str,
    name: str,
    does: str,
    writes: Dataset,
    reads: tuple[Dataset, ...],
    module: str | None,
    model: str | None = None,
) -> Step:
    """A step that computes one dataset from others; the dataset's description completes what it does."""
    return Step(
        name=name,
        kind_name=kind_name,
        does=f"{does}: {writes.about}",
        reads=reads,
        writes=writes,
        model=model,
        module=module,
    )


def load(dataset: Dataset, table: str, *, after: tuple[str, ...] = (), module: str | None = None) -> Step:
    """Stage ``dataset``, check it, and commit it to ``table`` by ``sql/load/<table>.sql``."""
    return Step(
        name=f"load_{table}",
        kind_name="load",
        does=f"Loads {table} from {dataset.name}: staged, checked and committed in one transaction.",
        reads=(dataset,),
        table=table,
        after=after,
        module=module,
    )


def score(module: str, *, reads: tuple[Dataset, ...], after: tuple[str, ...]) -> Step:
    """Compare what ``module`` predicted with what then happened, by ``sql/score/<module>.sql``."""
    return Step(
        name=f"score_{module}",
        kind_name="score",
        does=f"Scores {module}: what earlier snapshots predicted against what happened in their windows.",
        reads=reads,
        table="fact_scorecard",
        after=after,
        module=module,
    )


def publish(*, after: tuple[str, ...]) -> Step:
    """Write results back into the firm's own database, and send the changes to its webhook."""
    return Step(
        name="publish",
        kind_name="publish",
        does="Writes ANALYTIC_* and CHURN_* tables into the firm's own database, and calls its webhook.",
        after=after,
        module="publish",
    )


def stage(name: str, does: str, *steps: Step, is_split: bool = False) -> Stage:
    """A stage of these steps, in an order in which they can run."""
    return Stage(name, does, tuple(replace(step, stage=name) for step in steps), is_split)


def steps_of(modules: tuple[str, ...], stages: tuple[Stage, ...]) -> tuple[Step, ...]:
    """The steps of a firm with these modules, stage by stage, in an order in which they can run."""
    return tuple(step for stage in stages_of(modules, stages) for step in stage.steps)


def stages_of(modules: tuple[str, ...], stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """The stages of a firm with these modules, in an order in which they can run; none is empty."""
    kept = [replace(stage, steps=_switched_on(stage.steps, modules)) for stage in stages]
    kept = [stage for stage in kept if stage.steps]
    every = tuple(step for stage in kept for step in stage.steps)
    waits = {step.name: upstream(step, every) for step in every}
    ordered = [replace(stage, steps=_in_order(stage.steps, waits)) for stage in kept]
    return _in_order(ordered, _stage_waits(kept, waits))


def compact(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """The same steps as at most three tasks: extract, compute, load. Each step keeps its own stage.

    No step that computes waits for a load, so these cuts respect the order of the stages.
    """
    steps = [step for stage in stages for step in stage.steps]
    found = [
        Stage(name, does, tuple(step for step in steps if step.kind.compact_task == name))
        for name, does in COMPACT_TASKS.items()
    ]
    return tuple(stage for stage in found if stage.steps)


def stage_upstream(stages: tuple[Stage, ...]) -> dict[str, tuple[str, ...]]:
    """The stages that each stage waits for directly: an edge that other edges imply is left out."""
    every = tuple(step for stage in stages for step in stage.steps)
    waits = _stage_waits(stages, {step.name: upstream(step, every) for step in every})
    above: dict[str, set[str]] = {}
    for stage in _in_order(stages, waits):
        above[stage.name] = set(waits[stage.name]).union(*(above[name] for name in waits[stage.name]))
    return {
        name: tuple(sorted(set(direct) - set().union(*(above[other] for other in direct))))
        for name, direct in waits.items()
    }


def _switched_on(steps: Iterable[Step], modules: tuple[str, ...]) -> tuple[Step, ...]:
    return tuple(step for step in steps if step.module is None or step.module in modules)


def _stage_waits(
    stages: Iterable[Stage], step_waits: Mapping[str, Iterable[str]]
) -> dict[str, tuple[str, ...]]:
    home = {step.name: stage.name for stage in stages for step in stage.steps}
    found: dict[str, set[str]] = {stage.name: set() for stage in stages}
    for step, names in step_waits.items():
        found[home[step]] |= {home[name] for name in names} - {home[step]}
    return {name: tuple(sorted(others)) for name, others in found.items()}


def _in_order(rows: Iterable[Row], waits: Mapping[str, Iterable[str]]) -> tuple[Row, ...]:
    """The rows in an order in which each follows those it waits for; ValueError names a cycle."""
    by_name = {row.name: row for row in rows}
    sorter = TopologicalSorter({name: [w for w in waits[name] if w in by_name] for name in by_name})
    try:
        return tuple(by_name[name] for name in sorter.static_order())
    except CycleError as error:
        raise ValueError(f"steps.py: these wait for one another: {error.args[1]}") from None


def upstream(step: Step, steps: tuple[Step, ...]) -> tuple[str, ...]:
    """Names of the steps that ``step`` waits for: writers of what it reads, their gates, and ``after``."""
    wanted = {d.name for d in step.reads}
    names = []
    for other in steps:
        if other is step:
            continue
        writes_it = other.writes is not None and other.writes.name in wanted
        is_its_gate = (
            other.kind_name == "validate"
            and other.reads[0].name in wanted
            and not (step.kind_name == "validate" and step.reads[0] is other.reads[0])
        )
        if writes_it or is_its_gate or other.table in step.after:
            names.append(other.name)
    return tuple(sorted(names))
