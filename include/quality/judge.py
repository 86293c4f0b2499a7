"""Great Expectations: one quiet in-memory context, to which frames and expectations are handed.

The import takes seconds, so it waits until a task needs it; no DAG file may come here. What only its
statistical tests and its drawings need, half of those seconds, is loaded when one of them is used: never.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from include.quality.report import SHOWN

if TYPE_CHECKING:
    import pandas as pd

FORMAT = {"result_format": "SUMMARY", "partial_unexpected_count": SHOWN}
ALL_PLACES = {"result_format": "COMPLETE", "partial_unexpected_count": SHOWN}
SELDOM_USED = ("scipy.stats", "altair")


class EvaluationError(RuntimeError):
    """Great Expectations could not evaluate a rule: the error is in our code or a file, not in the data."""


@dataclass(frozen=True)
class Question:
    """One expectation to put to a frame; ``name`` and ``level`` come back with the answer."""

    name: str
    expectation: str
    arguments: dict[str, Any]
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
    """A Great Expectations context for one check; made at the first question, used for every slice."""

    def __init__(self) -> None:
        """Nothing yet: a check that has nothing to ask does not pay for the import."""
        self._batch: Any = None

    def _open(self) -> None:
        # Read when the library is imported: no usage reports from a firm's machine.
        os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
        with warnings.catch_warnings(), _unused(*SELDOM_USED):
            warnings.simplefilter("ignore")  # its own, on import: sre_constants, marshmallow
            import great_expectations as gx
            from great_expectations.data_context.types.base import (
                DataContextConfig,
                InMemoryStoreBackendDefaults,
            )
            from great_expectations.expectations.registry import get_expectation_impl

            # Its default makes a folder for a web site that nobody removes.
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
        self._kind = get_expectation_impl
        source = context.data_sources.add_pandas("slices")
        self._batch = source.add_dataframe_asset("slice").add_batch_definition_whole_dataframe("whole")

    def _made(self, question: Question) -> Any:
        kind: Any = self._kind(question.expectation)
        meta = {"name": question.name, "level": question.level}
        return kind(**question.arguments, severity=question.level, meta=meta)

    def ask(
        self, frame: pd.DataFrame, questions: Sequence[Question], *, all_places: bool = False
    ) -> Iterator[Answer]:
        """Put the questions to the frame; EvaluationError when one of them could not be evaluated.

        An answer's places are the first few, unless ``all_places`` are asked for.
        """
        if not questions:
            return
        if self._batch is None:
            self._open()
        expectations: list[Any] = [self._made(q) for q in questions]
        suite = self._suite("rules", expectations=expectations)
        batch = self._batch.get_batch(batch_parameters={"dataframe": frame})
        told = batch.validate(suite, result_format=ALL_PLACES if all_places else FORMAT)
        places = "unexpected_index_list" if all_places else "partial_unexpected_index_list"
        if len(told.results) != len(questions):
            raise EvaluationError(f"{len(questions)} expectations were asked, {len(told.results)} answered")
        for item in told.results:
            assert item.expectation_config is not None
            meta: dict[str, Any] = item.expectation_config.meta or {}
            found = item.result
            if not found:
                raise EvaluationError(
                    f"{meta['name']} could not be evaluated: {str(item.exception_info)[:500]}"
                )
            yield Answer(
                name=meta["name"],
                level=meta["level"],
                passed=bool(item.success),
                rows=found.get("element_count", len(frame)),
                broken=found.get("unexpected_count", 0),
                places=tuple(found.get(places) or ()),
                values=tuple(found.get("partial_unexpected_list") or ()),
                details=found.get("details") or {},
            )


class _Unused(ModuleType):
    """Stands for a module until something of it is asked for, and then asks the module."""

    def __getattr__(self, name: str) -> Any:
        """What the module has; nothing of what Python asks of any module, or a look around would load it."""
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)


@contextmanager
def _unused(*names: str) -> Iterator[None]:
    """Whoever imports one of these modules meanwhile has it loaded only when something of it is used."""
    put = {name: _Unused(name) for name in names if name not in sys.modules}
    sys.modules.update(put)
    try:
        yield
    finally:
        for name in put:
            del sys.modules[name]
