"""Run Great Expectations on a pandas frame, in one quiet in-memory context.

The import takes about 2.5 CPU seconds, so it happens at the first spec that is run. No DAG file may import
this at module level.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from include.quality.errors import EvaluationError
from include.quality.report import SHOWN
from include.quality.specs import Spec

if TYPE_CHECKING:
    import pandas as pd

FORMAT = {"result_format": "COMPLETE", "partial_unexpected_count": SHOWN}


@dataclass(frozen=True)
class ExpectationResult:
    """What Great Expectations found for one spec: whether it holds, and the rows that break it."""

    name: str
    level: str
    passed: bool
    rows: int
    unexpected: int
    places: tuple[int, ...]
    details: dict[str, Any]


class ExpectationRunner:
    """A Great Expectations context for one check; it opens when the first spec is run."""

    def __init__(self) -> None:
        """Open nothing yet: most checks never need Great Expectations."""
        self._batch: Any = None

    def _open(self) -> None:
        # Read when the library is imported: no usage reports from a firm's machine.
        os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its own, on import: sre_constants, marshmallow
            import great_expectations as gx
            from great_expectations.data_context.types.base import (
                DataContextConfig,
                InMemoryStoreBackendDefaults,
            )
            from great_expectations.expectations.registry import get_expectation_impl

            # Its default makes a temporary folder for Data Docs and never removes it.
            stores = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
            config = DataContextConfig(store_backend_defaults=stores)
            context: Any = gx.get_context(mode="ephemeral", project_config=config)
        for name in [n for n in logging.root.manager.loggerDict if n.split(".")[0] == "great_expectations"]:
            logging.getLogger(name).setLevel(logging.WARNING)  # some of its modules set their own level
        context.variables.progress_bars = {
            "globally": False,
            "metric_calculations": False,
            "profilers": False,
        }
        self._suite = gx.ExpectationSuite
        self._implementation = get_expectation_impl
        source = context.data_sources.add_pandas("slices")
        self._batch = source.add_dataframe_asset("slice").add_batch_definition_whole_dataframe("whole")

    def _expectation(self, spec: Spec) -> Any:
        implementation: Any = self._implementation(spec.expectation)
        meta = {"name": spec.name, "level": spec.level}
        return implementation(**spec.arguments, severity=spec.level, meta=meta)

    def run(self, frame: pd.DataFrame, specs: Sequence[Spec]) -> Iterator[ExpectationResult]:
        """Evaluate the specs on the frame; EvaluationError when one of them cannot be evaluated."""
        if not specs:
            return
        if self._batch is None:
            self._open()
        suite = self._suite("rules", expectations=[self._expectation(spec) for spec in specs])
        batch = self._batch.get_batch(batch_parameters={"dataframe": frame})
        found = batch.validate(suite, result_format=FORMAT)
        if len(found.results) != len(specs):
            raise EvaluationError(
                f"Great Expectations returned {len(found.results)} results for {len(specs)} expectations"
            )
        for item in found.results:
            assert item.expectation_config is not None
            meta: dict[str, Any] = item.expectation_config.meta or {}
            result = item.result
            if not result:
                raise EvaluationError(
                    f"{meta['name']} could not be evaluated: {str(item.exception_info)[:500]}"
                )
            yield ExpectationResult(
                name=meta["name"],
                level=meta["level"],
                passed=bool(item.success),
                rows=result.get("element_count", len(frame)),
                unexpected=result.get("unexpected_count", 0),
                places=tuple(result.get("unexpected_index_list") or ()),
                details=result.get("details") or {},
            )
