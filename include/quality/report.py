"""What the gate found: one result per rule and slice, and one message when a firm must stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

SHOWN = 5


@dataclass(frozen=True)
class Slice:
    """A slice of a dataset to be checked: its text, rows and verified local files.

    ``read_as_of`` is the as_of at which it was extracted, where that is later than the run's: a
    backfill finds months that already hold what happened after its own as_of.
    """

    text: str
    rows: int
    files: list[Path]
    read_as_of: date | None = None


class Result(NamedTuple):
    """One rule on one slice, or on the dataset as a whole (the slice is empty).

    ``is_critical`` says whether a failure of this degree stops the firm.
    """

    expectation: str
    column: str
    slice: str
    is_critical: bool
    passed: bool
    observed: str
    expected: str
    samples: tuple[str, ...] = ()

    def sentence(self) -> str:
        """What was expected, what was seen, and where."""
        where = f" on {self.column}" if self.column else ""
        samples = f"; for example {'; '.join(self.samples)}" if self.samples else ""
        expected = self.expected.rstrip(".")
        part = f"{self.slice}: " if self.slice else ""
        return f"{part}{self.expectation}{where}: {self.observed}; expected: {expected}{samples}"


@dataclass(frozen=True)
class Report:
    """Every result of one check of one dataset of one firm.

    ``documents`` holds the same as Great Expectations validation results, by slice.
    """

    dataset: str
    firm_key: str
    as_of: date
    results: tuple[Result, ...]
    documents: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def critical(self) -> tuple[Result, ...]:
        """Failures that stop the firm."""
        return tuple(r for r in self.results if r.is_critical and not r.passed)

    @property
    def warnings(self) -> tuple[Result, ...]:
        """Failures that are reported and stop nothing."""
        return tuple(r for r in self.results if not r.is_critical and not r.passed)

    def _line(self, result: Result) -> str:
        part = " " if result.slice else ": "
        return f"{self.dataset}{part}{result.sentence()}"

    def failure(self) -> str | None:
        """The message of a failed check, or None. Its first line says what is wrong."""
        if not self.critical:
            return None
        first, *others = self.critical
        lines = [self._line(first)]
        lines += [f"also {self._line(result)}" for result in others[:SHOWN]]
        if len(others) > SHOWN:
            lines.append(f"and {len(others) - SHOWN} more; all of them are in control.quality")
        lines.append(
            f"Nothing downstream of {self.dataset} ran; the previous snapshot is still current. "
            f"Correct the source, then: python -m include run {self.firm_key} "
            f"--as-of {self.as_of} --from extract_{self.dataset}"
        )
        lines.append(
            f"If the data is right as it is, move a limit in the firm's row, under quality: {self.dataset}: "
            f"{first.expectation}; docs/quality.md lists the limits"
        )
        return "\n".join(lines)
