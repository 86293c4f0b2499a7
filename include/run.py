"""Running the pipeline: one step, or a firm's steps in order, for Airflow and the command line alike.

What a step does follows from its kind and its row in ``steps.py``; where its rows lie follows from
(firm, dataset, slice). So any step can be rerun alone, as often as one likes.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from include.datasets import Dataset
from include.datasets.extracted import rejected_of
from include.engines import Engine, open_engine
from include.extraction import Intake
from include.faults import point
from include.firms import Firm, parse_firm
from include.handoff import Handoff, Manifest, Slot
from include.periods import Month, months_between, months_to_read
from include.settings import Settings
from include.sources import Source, open_source
from include.steps import Step
from include.warehouse import LoadSlice, Warehouse

QUERIES = Path(__file__).parent / "sql" / "query"


class GateError(RuntimeError):
    """A dataset did not pass its quality gate; yesterday's snapshot stands."""


@dataclass(frozen=True)
class Outcome:
    """What one step did: rows written, wall seconds, peak memory of its process, a line for people."""

    step: str
    rows: int
    seconds: float
    peak_mb: float
    note: str = ""


@dataclass
class Context:
    """Everything one step works with."""

    step: Step
    firm: Firm
    as_of: date
    token: int
    full: bool
    handoff: Handoff
    warehouse: Warehouse
    engine: Engine
    scratch: Path
    settings: Settings

    @property
    def params(self) -> dict[str, object]:
        """The ``:name`` parameters a query may ask for."""
        firm = self.firm
        return {
            "as_of": self.as_of,
            "timezone": firm.timezone,
            "churn_threshold_days": firm.churn_threshold_days,
            "min_spend": firm.min_spend,
            "min_orders": firm.min_orders,
            "rfm_window_days": firm.rfm.window_days,
        }

    def slot(self, dataset: Dataset, part: date | Month | None = None) -> Slot:
        """Where a dataset's slice of this firm lies; this run's as_of unless told otherwise."""
        return Slot(self.firm.firm_key, dataset, part or self.as_of)

    def files(self, dataset: Dataset) -> tuple[list[Manifest], list[Path]]:
        """Verified local files of all of a dataset's slices as of this run."""
        manifests, paths = [], []
        for slot in self.handoff.slots(self.firm.firm_key, dataset, self.as_of):
            manifest, found = self.handoff.fetch(slot)
            manifests.append(manifest)
            paths += found
        return manifests, paths

    def table(self, dataset: Dataset) -> pa.Table:
        """A small dataset whole: fitted parameters, a histogram, a decision table."""
        return pa.Table.from_batches(self.handoff.read(self.slot(dataset)), schema=dataset.schema)

    def write(self, batches: Iterator[pa.RecordBatch], made_from: Sequence[Manifest]) -> Manifest:
        """Commit what this step writes."""
        dataset = self.step.writes
        assert dataset is not None, f"{self.step.name} writes no dataset"
        return self.handoff.write(
            self.slot(dataset),
            map(dataset.conform, batches),
            token=self.token,
            as_of=self.as_of,
            made_from=made_from,
        )


def run_step(step: Step, firm_key: str, as_of: date, *, full: bool = False) -> Outcome:
    """Run one step of a firm as of a day; record how it went; raise what went wrong."""
    settings = Settings.read()
    started = time.monotonic()
    with Warehouse(settings.warehouse_dsn()) as warehouse, _scratch(settings) as scratch:
        token = warehouse.draw_token(firm_key, step.name, as_of.isoformat())

        def finish(status: str, rows: int, message: str) -> Outcome:
            seconds, peak_mb = time.monotonic() - started, _peak_mb()
            warehouse.finish_step(
                firm_key=firm_key,
                as_of=as_of,
                step=step.name,
                token=token,
                rows=rows,
                seconds=seconds,
                peak_mb=peak_mb,
                status=status,
                message=message,
            )
            return Outcome(step.name, rows, seconds, peak_mb, message)

        try:
            firm = parse_firm(warehouse.firm_row(firm_key))
            engine = open_engine(
                firm.engine, memory_mb=settings.memory_mb, threads=os.cpu_count() or 1, scratch=scratch
            )
            handoff = Handoff(settings.root, scratch=scratch)
            context = Context(step, firm, as_of, token, full, handoff, warehouse, engine, scratch, settings)
            rows, note = KINDS[step.kind](context)
        except BaseException as error:
            finish("failed", 0, type(error).__name__)
            raise
        return finish("done", rows, note)


def _extract(context: Context) -> tuple[int, str]:
    dataset = context.step.writes
    assert dataset is not None
    cache = context.settings.home / "cache" / context.firm.firm_key
    source = open_source(context.firm, context.settings.connection_uri, scratch=cache)
    if dataset.by == "as_of":
        manifest = _take_in(context, source, dataset, None)
        return manifest.rows, "" if source.offers(dataset) else "the source has none"
    first = source.first_month(dataset) if source.offers(dataset) else None
    kept = _kept_months(context, dataset, first)
    wanted = (
        months_to_read(
            first,
            context.as_of,
            {month: manifest.as_of for month, manifest in kept.items()},
            lookback_days=context.firm.lookback_days,
            full=context.full,
        )
        if first
        else []
    )
    rows = 0
    for month in wanted:
        kept[month] = _take_in(context, source, dataset, month)
        rows += kept[month].rows
        point("extract.after_month")
    context.handoff.write_index(
        context.firm.firm_key, dataset, context.as_of, dict(sorted(kept.items())), token=context.token
    )
    if not source.offers(dataset):
        return 0, "the source has none"
    return rows, f"read {len(wanted)} of {len(kept)} months"


def _kept_months(context: Context, dataset: Dataset, first: Month | None) -> dict[Month, Manifest]:
    """Months that stand already, under today's contract."""
    if first is None:
        return {}
    found = {
        month: context.handoff.manifest(context.slot(dataset, month))
        for month in months_between(first, context.as_of)
    }
    return {
        month: manifest
        for month, manifest in found.items()
        if manifest is not None and manifest.fingerprint == dataset.fingerprint
    }


def _take_in(context: Context, source: Source, dataset: Dataset, month: Month | None) -> Manifest:
    """Read one slice from the source and replace it, counting what could not be used."""
    slot = context.slot(dataset, month)
    with TemporaryDirectory(dir=context.scratch) as folder:
        intake = Intake(dataset, Path(folder))
        if source.offers(dataset):
            intake.read(source.extract(dataset, month=month, as_of=context.as_of))
        else:
            intake.read(())
        manifest = context.handoff.write(
            slot, intake.tidy(context.engine), token=context.token, as_of=context.as_of
        )
        rejected = context.slot(rejected_of(dataset), month)
        if intake.rejections.rows or context.handoff.manifest(rejected) is not None:
            context.handoff.write(
                rejected, intake.rejected(context.engine), token=context.token, as_of=context.as_of
            )
        context.warehouse.record_rejections(
            context.firm.firm_key,
            dataset.name,
            str(slot.slice),
            context.as_of,
            context.token,
            intake.rejections.records(with_samples=not dataset.pii),
        )
    return manifest


def _validate(context: Context) -> tuple[int, str]:
    from include import quality  # Great Expectations takes seconds to import

    dataset, *others = context.step.reads
    passed = context.warehouse.passed(context.firm.firm_key, dataset.name)
    slices, rows, shas = [], 0, {}
    for slot in context.handoff.slots(context.firm.firm_key, dataset, context.as_of):
        manifest = context.handoff.manifest(slot)
        if manifest is None or (str(slot.slice), manifest.sha256) in passed:
            continue
        manifest, files = context.handoff.fetch(slot)
        slices.append(quality.Slice(str(slot.slice), manifest.rows, files, read_as_of=manifest.as_of))
        shas[str(slot.slice)] = manifest.sha256
        rows += manifest.rows
    if not slices and dataset.by == "as_of":  # events are asked for silence even when none is new
        return 0, "nothing new to check"
    report = quality.check(
        dataset,
        firm=context.firm,
        as_of=context.as_of,
        slices=slices,
        references={other.name: context.files(other)[1] for other in others},
        history=context.warehouse.history(context.firm.firm_key, dataset.name),
    )
    context.warehouse.record_quality(
        context.firm.firm_key,
        context.as_of,
        context.token,
        [
            {"dataset": dataset.name, "sha256": shas.get(result.slice, ""), **result._asdict()}
            for result in report.results
        ],
    )
    if failure := report.failure():
        raise GateError(failure)
    warnings = sum(not result.passed for result in report.results)
    return rows, f"checked {len(slices)} slices" + (f", {warnings} warnings" if warnings else "")


def _query(context: Context) -> tuple[int, str]:
    assert context.step.writes is not None
    sql = (QUERIES / f"{context.step.writes.name}.sql").read_text(encoding="utf-8")
    inputs, made_from = [], []
    for dataset in context.step.reads:
        manifests, paths = context.files(dataset)
        inputs.append((dataset, paths))
        made_from += manifests
    return context.write(context.engine.query(sql, inputs, context.params), made_from).rows, ""


def _fit(context: Context) -> tuple[int, str]:
    step = context.step
    model = _model(step)
    tables = [context.table(dataset) for dataset in step.reads]
    fitted = model.fit(*tables, firm=context.firm, as_of=context.as_of)
    manifest = context.write(iter(fitted.to_batches()), _manifests(context, step.reads))
    if not hasattr(model, "status"):
        return manifest.rows, ""
    is_sufficient, reason = model.status(fitted, firm=context.firm)
    context.warehouse.set_module_status(
        context.firm.firm_key, context.as_of, step.module, is_sufficient, reason
    )
    return manifest.rows, reason


def _predict(context: Context) -> tuple[int, str]:
    model = _model(context.step)
    streamed, *fitted = context.step.reads
    params = model.prepare(*map(context.table, fitted), firm=context.firm, as_of=context.as_of)
    batches = (
        model.predict(batch, params, firm=context.firm, as_of=context.as_of)
        for batch in context.handoff.read(context.slot(streamed))
    )
    return context.write(batches, _manifests(context, context.step.reads)).rows, ""


def _load(context: Context) -> tuple[int, str]:
    (dataset,) = context.step.reads
    assert context.step.table is not None
    slices = []
    for slot in context.handoff.slots(context.firm.firm_key, dataset, context.as_of):
        manifest = context.handoff.manifest(slot)
        assert manifest is not None, f"{slot.path} was listed a moment ago"
        slices.append(LoadSlice(str(slot.slice), manifest.token, manifest.sha256, context.handoff.read(slot)))
    loaded = context.warehouse.load(
        context.step.table,
        firm_key=context.firm.firm_key,
        as_of=context.as_of,
        dataset=dataset,
        slices=slices,
        token=context.token,
        step=context.step.name,
    )
    skipped = loaded.skipped_slices
    return loaded.rows, f"{skipped} of {len(slices)} slices stood already" if skipped else ""


KINDS: dict[str, Callable[[Context], tuple[int, str]]] = {
    "extract": _extract,
    "validate": _validate,
    "query": _query,
    "fit": _fit,
    "predict": _predict,
    "load": _load,
}


def _model(step: Step) -> Any:
    return import_module(f"include.models.{step.model}")


def _manifests(context: Context, datasets: Sequence[Dataset]) -> list[Manifest]:
    found = [context.handoff.manifest(context.slot(dataset)) for dataset in datasets]
    return [manifest for manifest in found if manifest is not None]


@contextmanager
def _scratch(settings: Settings) -> Iterator[Path]:
    parent = settings.home / "scratch"
    parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=parent) as folder:
        yield Path(folder)


def _peak_mb() -> float:
    """Peak resident memory of this process, in megabytes (Linux counts kilobytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
