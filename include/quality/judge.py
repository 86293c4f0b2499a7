"""Great Expectations: one quiet in-memory context, to which frames and expectations are handed.

The import takes 5 to 8 seconds, so it waits until a task needs it; no DAG file may come here.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from include.quality.report import SHOWN

if TYPE_CHECKING:
    import pandas as pd

FORMAT = {"result_format": "SUMMARY", "partial_unexpected_count": SHOWN}


class GateError(RuntimeError):
    """The gate itself could not judge: a fault of ours or of the files, not of the firm's data."""


@dataclass(frozen=True)
class Question:
    """One expectation to put to a frame; ``name`` and ``level`` come back with the answer."""

    name: str
    expectation: str
    arguments: dict[str, object]
    level: str = "critical"


@dataclass(frozen=True)
class Answer:
    """What Great Expectations said: rows looked at, rows that broke it and where the first of them are."""

    name: str
    level: str
    passed: bool
    rows: int
    broken: int
    places: tuple[int, ...]
    values: tuple[object, ...]
    details: dict[str, Any]


class Judge:
    """A Great Expectations context for one check; made once, used for every slice."""

    def __init__(self) -> None:
        """Import the library and open the context."""
        # Read when the library is imported: no usage reports from a firm's machine.
        os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
        logging.getLogger("great_expectations").setLevel(logging.WARNING)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its own, on import: sre_constants, marshmallow
            import great_expectations as gx
            from great_expectations.expectations.registry import get_expectation_impl

            context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {
            "globally": False,
            "metric_calculations": False,
            "profilers": False,
        }
        self._suite = gx.ExpectationSuite
        self._kind = get_expectation_impl
        source = context.data_sources.add_pandas("slices")
        self._batch = source.add_dataframe_asset("slice").add_batch_definition_whole_dataframe("whole")

    def ask(self, frame: pd.DataFrame, questions: Sequence[Question]) -> Iterator[Answer]:
        """Put the questions to the frame; GateError when one of them could not be evaluated."""
        if not questions:
            return
        expectations = [
            self._kind(q.expectation)(
                **q.arguments, severity=q.level, meta={"name": q.name, "level": q.level}
            )
            for q in questions
        ]
        suite = self._suite("rules", expectations=expectations)
        batch = self._batch.get_batch(batch_parameters={"dataframe": frame})
        told = batch.validate(suite, result_format=FORMAT)
        if len(told.results) != len(questions):
            raise GateError(f"{len(questions)} expectations were asked, {len(told.results)} answered")
        for item in told.results:
            meta, found = item.expectation_config.meta, item.result
            if not found:
                raise GateError(f"{meta['name']} could not be evaluated: {str(item.exception_info)[:500]}")
            yield Answer(
                name=meta["name"],
                level=meta["level"],
                passed=bool(item.success),
                rows=found.get("element_count", len(frame)),
                broken=found.get("unexpected_count", 0),
                places=tuple(found.get("partial_unexpected_index_list") or ()),
                values=tuple(found.get("partial_unexpected_list") or ()),
                details=found.get("details") or {},
            )
