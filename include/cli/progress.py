"""Progress of a command: its step, the share that is done, and the time left.

On a terminal it is one line that is replaced; otherwise each step is a line on stderr, so that stdout holds
nothing but the result.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape

# Seconds of CPU of the steps that take long, for 100,000 lines; every other step takes about ONE.
SECONDS = {
    "read": 3.0,
    "extract_transactions": 3.0,
    "validate_transactions": 3.0,
    "fit_churn": 4.0,
    "predict_churn": 1.5,
    "fit_ltv": 1.5,
    "report": 2.0,
}
ONE = 0.3


class Progress:
    """The steps of one command. ``at`` is called before each step."""

    def __init__(
        self, title: str, steps: Sequence[str], *, console: Console, writes_lines: bool = True
    ) -> None:
        """``steps``: names in their order. ``writes_lines``: without a terminal, write a line per step."""
        self.title, self.steps, self.writes_lines = title, list(steps), writes_lines
        self._begun = time.monotonic()
        self._status = console.status(escape(title)) if console.is_terminal else None

    def at(self, step: str, detail: str = "") -> None:
        """Show the step that begins now; ``detail``: what a long step says of itself."""
        text = self.text(step, time.monotonic() - self._begun)
        if self._status is not None:
            more = f"  [dim]{escape(detail)}[/dim]" if detail else ""
            self._status.update(escape(text) + more)
        elif self.writes_lines and not detail:
            sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {text}\n")
            sys.stderr.flush()

    def text(self, step: str, elapsed: float) -> str:
        """Step, share and time left, after ``elapsed`` seconds."""
        number = self.steps.index(step) if step in self.steps else len(self.steps)
        weights = [SECONDS.get(name, ONE) for name in self.steps]
        share = sum(weights[:number]) / max(sum(weights), ONE)
        left = f", {_duration(elapsed / share * (1 - share))} left" if share > 0 and elapsed > 1 else ""
        at = f"{number + 1}/{len(self.steps)} " if step in self.steps else ""
        return f"{self.title}: {at}{step}, {share:.0%} done{left}"

    @contextmanager
    def shown(self) -> Iterator[Progress]:
        """Show the progress while the block runs."""
        if self._status is None:
            yield self
            return
        with self._status:
            yield self


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"about {max(round(seconds), 1)} s"
    return f"about {round(seconds / 60)} min"
