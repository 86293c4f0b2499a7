"""Attempts of a stage: which run they belong to, and which steps an automatic retry may skip.

A step is skipped only when all of this holds:

- the attempt is an automatic retry of an Airflow task, or ``--resume`` on the command line;
- the step's inputs are datasets: an extract, whose source may have been corrected, always runs;
- an earlier attempt of the same run has done the step;
- the step would read the same manifests, under the same settings and the same code;
- the output of the earlier attempt still exists.

A cleared task, ``--from``, ``--only`` and ``--full`` always compute.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from include.datasets.extracted import rejected_of
from include.handoff import Handoff
from include.run.context import Context

NOTHING = "none"  # the reference of a slot without a manifest


@dataclass(frozen=True)
class Attempt:
    """One attempt of a stage: the run it belongs to, its number there, and whether done steps are skipped."""

    run_id: str
    number: int = 1
    may_skip: bool = False

    @classmethod
    def of_task(cls, run_id: str, *, try_number: int, max_tries: int, retries: int) -> Attempt:
        """The attempt of an Airflow task.

        Airflow counts tries on after a task was cleared and raises ``max_tries`` by the task's retries, so
        the first try after that is number ``max_tries - retries + 1``. Later ones are automatic retries.
        """
        return cls(run_id, try_number, may_skip=try_number > max_tries - retries + 1)


def inputs_of(handoff: Handoff, context: Context) -> list[str]:
    """References of the manifests that the step read, sorted, without those of its own output."""
    written, remembered = context.step.writes, context.step.remembers
    own = {written.name, rejected_of(written).name} if written is not None else set()
    is_remembered = remembered is not None and written is not None and remembered.name == written.name
    result = context.slot(written).path if is_remembered and written is not None else None
    return sorted(
        reference or f"{path}#{NOTHING}"
        for path, reference in handoff.consulted.items()
        if path.split("/")[1] not in own or (is_remembered and path != result)
    )


def settings_digest(firm_row: Mapping[str, Any], decision: object) -> str:
    """A hash of the firm's row and of the model decision that is in force."""
    text = json.dumps([firm_row, str(decision)], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def done_before(
    earlier: Mapping[str, Any] | None, handoff: Handoff, *, settings_sha256: str, code_version: str
) -> bool:
    """Whether the earlier attempt, a row of ``control.step_runs``, did the same work and left its output."""
    if earlier is None or earlier["output_manifest"] is None:
        return False
    if (earlier["settings_sha256"], earlier["code_version"]) != (settings_sha256, code_version):
        return False
    wanted = [*(earlier["input_manifests"] or ()), earlier["output_manifest"]]
    return all(_is_current(handoff, reference) for reference in wanted)


def _is_current(handoff: Handoff, reference: str) -> bool:
    path, _, rest = reference.partition("#")
    found = handoff.at(path)
    return found is None if rest == NOTHING else found is not None and found.reference == reference
