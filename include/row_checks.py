"""Checks of any row of settings: numbers that are numbers, text that can be stored, known field names."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

Place = tuple[str | int, ...]
LARGEST_AMOUNT = 9e13  # decimal(18, 4), the contract's type of an amount
MOST_VALUES = 20_000  # in one row; YAML aliases can make a small file a huge row
DEEPEST = 20


def _no_truth_value(value: object) -> object:
    if isinstance(value, bool):
        # YAML reads yes, no, on and off as truth values, which pydantic takes for 1 and 0.
        raise ValueError("must be a number, not yes or no")
    return value


Whole = Annotated[int, BeforeValidator(_no_truth_value)]
Real = Annotated[float, BeforeValidator(_no_truth_value)]


class Strict(BaseModel):
    """A model that refuses fields it does not know, and infinity and nan for numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def faults_of(row: object) -> Iterator[tuple[Place, str]]:
    """Where a row holds what cannot be stored as JSON or text, and what is wrong with it."""
    seen = 0
    waiting: list[tuple[Place, object]] = [((), row)]
    while waiting:
        place, value = waiting.pop()
        seen += 1
        if seen > MOST_VALUES or len(place) > DEEPEST:
            yield (), f"holds more than {MOST_VALUES} values or is nested deeper than {DEEPEST} levels"
            return
        if isinstance(value, dict):
            for key, inner in value.items():
                if isinstance(key, str) and not _problem(key):
                    waiting.append(((*place, key), inner))
                else:
                    yield place, "a field's name must be text without control characters"
        elif isinstance(value, list | tuple):
            waiting += [((*place, number), inner) for number, inner in enumerate(value)]
        elif problem := _problem(value):
            yield place, problem


def _problem(value: object) -> str:
    """What is wrong with one value, which stays out of the message: it may be a secret."""
    if isinstance(value, str) and ("\0" in value or any("\ud800" <= char <= "\udfff" for char in value)):
        return "must be text without NUL and without lone surrogates"
    if isinstance(value, float) and not math.isfinite(value):
        return "must be a finite number"
    if isinstance(value, int) and abs(value) >= 2**63:
        return "must be a number of at most 18 digits"
    return ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``, did you mean 'x'?`` when one of the known words is close to the given one; else nothing."""
    (*close,) = difflib.get_close_matches(str(word), list(known), n=1)
    return f", did you mean {close[0]!r}?" if close else ""


def faults_in(error: ValidationError, model: type[BaseModel]) -> Iterator[tuple[Place, str]]:
    """Each field that pydantic refused and why; for an unknown field, which known one is close to it."""
    for one in error.errors():
        if one["type"] == "extra_forbidden":
            *place, name = one["loc"]
            yield one["loc"], f"there is no such field{did_you_mean(str(name), fields_at(model, place))}"
        else:
            yield one["loc"], one["msg"].removeprefix("Value error, ")


def fields_at(model: type[BaseModel], place: Iterable[str | int]) -> list[str]:
    """The fields that the model knows where an error was found, as people write them."""
    for part in place:
        if isinstance(part, int):
            continue
        field = next((f for n, f in model.model_fields.items() if part in (n, f.alias)), None)
        inner = _model_in(field.annotation) if field is not None else None
        if inner is None:
            return []
        model = inner
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
