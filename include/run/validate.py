"""The validate step: the quality gate between what was extracted and everything computed from it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from include.handoff.documents import write_documents
from include.run import ledger
from include.run.context import Context
from include.run.inputs import Inputs

if TYPE_CHECKING:
    from include.datasets import Dataset
    from include.quality import Extracted, Report, Unchanged

FOLDER = "quality"  # of a firm's handoffs: one Great Expectations validation result per slice and as_of


def validate(context: Context) -> tuple[int, str]:
    """Check the slices that have not passed yet; QualityError when one breaks a critical rule.

    Great Expectations runs the whole suite on the first extraction of a dataset, on a training date, and
    where the context says ``check_all``, which also checks the slices that have passed.
    """
    from include import quality

    dataset, *others = context.step.reads
    firm_key = context.firm.firm_key
    passed = context.records.quality.passed(firm_key, dataset.name)
    profiles = context.records.quality.profiles(firm_key, dataset.name) if dataset.by == "month" else {}
    slices, rows, shas = [], 0, {}
    unchanged: dict[str, Unchanged] | None = {} if dataset.by == "month" else None
    for found in ledger.current(context, dataset, context.slots(dataset)):
        slot = found.slot
        if (str(slot.slice), found.sha256) in passed and not context.check_all:
            if unchanged is not None:
                profile = quality.Profile.parse(profiles.get((str(slot.slice), found.sha256)))
                unchanged[str(slot.slice)] = quality.Unchanged(found.rows, profile)
            continue
        manifest, files = context.handoff.fetch(slot)
        slices.append(quality.Slice(str(slot.slice), manifest.rows, files, read_as_of=manifest.as_of))
        shas[str(slot.slice)] = manifest.sha256
        rows += manifest.rows
    history = context.records.quality.history(firm_key, dataset.name)
    if not slices and dataset.by == "as_of":  # silence of events is measured even when none is new
        return 0, "nothing new to check"
    if not rows and not any(earlier["rows"] for earlier in history):
        return 0, "the firm has none, and never had"
    is_first = not passed and not history
    is_training_date = context.as_of == context.training_date
    report = quality.check(
        dataset,
        firm=context.firm,
        as_of=context.as_of,
        slices=slices,
        references={other.name: Inputs(context).files(other) for other in others},
        history=history,
        unchanged=unchanged,
        extracted=_extracted(context, dataset),
        whole_suite=context.check_all or is_training_date or is_first,
        scratch=context.scratch,
    )
    _record(context, report, shas)
    if failure := report.failure():
        raise quality.QualityError(failure)
    warnings = sum(not result.passed for result in report.results)
    return rows, f"checked {len(slices)} slices" + (f", {warnings} warnings" if warnings else "")


def _extracted(context: Context, dataset: Dataset) -> dict[str, Extracted]:
    """What the source of each month of the run gave: rows, money and rejected rows by reason."""
    from include.quality import Extracted

    if dataset.by != "month":
        return {}
    firm_key = context.firm.firm_key
    rejected: dict[str, dict[str, tuple[int, Decimal]]] = {}
    for row in context.records.quality.rejections(firm_key, dataset.name):
        by_reason = rejected.setdefault(row["slice"], {})
        by_reason[row["reason"]] = (row["rows"], row["net_amount"] or Decimal(0))
    months = {str(slot.slice) for slot in context.slots(dataset)}
    return {
        text: Extracted(row.source_rows, row.source_amount, rejected.get(text, {}))
        for row in context.records.slices.of(firm_key, dataset.name)
        if (text := str(row.slice)) in months and row.source_rows is not None
    }


def _record(context: Context, report: Report, shas: Mapping[str, str]) -> None:
    """Write the validation documents, then the results: every recorded result has its document."""
    write_documents(
        context.handoff.root,
        context.firm.firm_key,
        FOLDER,
        context.as_of,
        {
            "-".join(filter(None, (report.dataset, part))): document
            for part, document in report.documents.items()
        },
        token=context.token,
        scratch=context.scratch,
    )
    context.records.quality.record(
        context.firm.firm_key,
        context.as_of,
        context.token,
        [
            {"dataset": report.dataset, "sha256": shas.get(result.slice, ""), **result._asdict()}
            for result in report.results
        ],
    )
