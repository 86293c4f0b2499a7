"""Write as_of and the outcome of an Airflow run into the run's note, which the list of runs shows.

A task cannot write its run's note through the Task SDK, so the note goes through Airflow's REST API, by the
service account of connection ``firmament_airflow``. Without that connection no note is written. A note that
cannot be written is a warning in the log and never fails a task.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from include.connections import MissingConnectionError
from include.firms import FirmShape
from include.service_accounts import RUNS, sign_in
from include.settings import Settings
from include.steps import steps_for
from include.warehouse.progress import Progress

TIMEOUT_SECONDS = 10.0  # a note must not hold up a task for long
FAILED = " · failed at "
SUMMARY = "customer_summary"  # its step writes one row per customer
TRIES = 3

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunNote:
    """The note of one run of a firm's DAG."""

    dag_id: str
    run_id: str
    as_of: str

    def started(self) -> None:
        """Note that the run has begun."""
        self._write(f"as_of {self.as_of} · running")

    def failed(self, stage: str, error: str) -> None:
        """Note the stage that failed and the first line of its error."""
        self._write(f"as_of {self.as_of}{FAILED}{stage}: {error}")

    def ended(self, firm: FirmShape) -> None:
        """Note what the run has done so far. Called at the end of each stage that no other waits for.

        Two such stages may end together, and the later answer may be written first: the summary is read
        again after it was written.
        """
        try:
            before = ""
            for _ in range(TRIES):
                text, is_whole = self._summary(firm)
                if text in ("", before):
                    return
                self._write(text, keep_failure=not is_whole)
                before = text
        except Exception as error:
            _warn(self, error)

    def _summary(self, firm: FirmShape) -> tuple[str, bool]:
        """The line, and whether every step has ended; no line while a step has failed."""
        steps = steps_for(firm.modules)
        with Progress(Settings.read().warehouse_dsn()) as progress:
            found = progress.steps_of_run(firm.firm_key, self.as_of, self.run_id)
        ended = {step.name: found[step.name] for step in steps if step.name in found}
        statuses = [row["status"] for row in ended.values()]
        if "failed" in statuses:
            return "", False
        if len(ended) < len(steps):
            return f"as_of {self.as_of} · running, {len(ended)} of {len(steps)} steps ended", False
        parts = [f"{_counted(statuses.count('done'), 'step')} done"]
        if skipped := statuses.count("skipped"):
            parts[0] += f", {skipped} skipped"
        if SUMMARY in ended:
            parts.append(_counted(ended[SUMMARY]["row_count"] or 0, "customer"))
        return " · ".join([f"as_of {self.as_of}", *parts]), True

    def _write(self, text: str, *, keep_failure: bool = False) -> None:
        try:
            api = sign_in(RUNS, timeout=TIMEOUT_SECONDS)
            if keep_failure and FAILED in api.note(self.dag_id, self.run_id):
                return
            api.set_note(self.dag_id, self.run_id, text)
        except MissingConnectionError:
            log.debug("No note of %s: there is no connection %r", self.run_id, RUNS.conn_id)
        except Exception as error:
            _warn(self, error)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _warn(note: RunNote, error: Exception) -> None:
    log.warning(
        "The note of run %s was not written (%s: %s); check connection %r",
        note.run_id, type(error).__name__, error, RUNS.conn_id,
    )  # fmt: skip
