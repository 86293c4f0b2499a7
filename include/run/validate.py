"""The validate step: the gate between what was extracted and everything made of it."""

from __future__ import annotations

from include.run.context import Context


class GateError(RuntimeError):
    """A dataset failed its quality gate. The same data fails again, so it is not retried."""


def validate(context: Context) -> tuple[int, str]:
    """Check the slices that have not passed yet; GateError stops the firm."""
    from include import quality

    dataset, *others = context.step.reads
    passed = context.warehouse.passed(context.firm.firm_key, dataset.name)
    slices, rows, shas = [], 0, {}
    for slot in context.slots(dataset):
        manifest = context.handoff.manifest(slot)
        if manifest is None or (str(slot.slice), manifest.sha256) in passed:
            continue
        manifest, files = context.handoff.fetch(slot)
        slices.append(quality.Slice(str(slot.slice), manifest.rows, files, read_as_of=manifest.as_of))
        shas[str(slot.slice)] = manifest.sha256
        rows += manifest.rows
    history = context.warehouse.history(context.firm.firm_key, dataset.name)
    if not slices and dataset.by == "as_of":  # events are asked for silence even when none is new
        return 0, "nothing new to check"
    if not rows and not any(earlier["rows"] for earlier in history):
        return 0, "the firm has none, and never had"
    report = quality.check(
        dataset,
        firm=context.firm,
        as_of=context.as_of,
        slices=slices,
        references={other.name: context.files(other) for other in others},
        history=history,
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
