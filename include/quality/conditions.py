"""SQL conditions for expectation specs: true exactly for the values that Great Expectations calls unexpected.

Great Expectations ignores null values, and pandas reads a NaN as null, so a condition is never true for
either, except in the rules about null itself. Decimals are compared with a fractional bound as doubles, as
in pandas, so such a bound must lie between two decimals: each library rounds to a double in its own way.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime

import pyarrow as pa

from include.quality.errors import EvaluationError
from include.quality.specs import Spec

# What Python's \s matches in text. RE2's own \s knows ASCII only.
SPACES = r"\t-\r\x1c-\x20\x85\xa0\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
_PORTABLE = re.compile(r"\\x[0-9a-fA-F]{2}|\\[^a-zA-Z0-9]|[^\\.$^()|]")


def unexpected(spec: Spec, column: str, kind: pa.DataType) -> str:
    """The condition that the value of the SQL expression ``column`` breaks the spec."""
    compile_ = CONDITIONS.get(spec.expectation)
    if compile_ is None:
        raise EvaluationError(
            f"{spec.name}: {spec.expectation} has no SQL condition; add one to CONDITIONS in "
            f"include/quality/conditions.py (there are {', '.join(sorted(CONDITIONS))})"
        )
    return compile_(spec, column, kind)


def comparable(column: str, kind: pa.DataType) -> str:
    """The column as an SQL expression in which a NaN is null."""
    return f"case when not isnan({column}) then {column} end" if pa.types.is_floating(kind) else column


def literal(value: object) -> str:
    """A Python value as an SQL literal."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"cast('{value!r}' as double)"
    if isinstance(value, datetime):
        return f"timestamptz '{value.isoformat(sep=' ')}'"
    if isinstance(value, date):
        return f"date '{value.isoformat()}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    raise EvaluationError(f"{value!r} has no SQL literal; bounds are numbers, text, days and instants")


def re2(pattern: str) -> str:
    r"""A Python pattern as RE2 understands it, with the same matches; EvaluationError where it cannot be.

    The two differ in ``\s`` (all of Unicode in Python), in ``$`` (which also matches before a final newline
    in Python) and in constructs that no rule needs.
    """
    body = pattern.removeprefix("^")
    is_ended = body.endswith("$") and not body.endswith(r"\$")
    body = body.removesuffix("$") if is_ended else body
    done, at, in_class = [], 0, False
    while at < len(body):
        if body.startswith(r"\s", at):
            done.append(SPACES if in_class else f"[{SPACES}]")
            at += 2
            continue
        if in_class and body[at] in ".$^()|":  # literal in a class, or its negation
            token = body[at]
        elif found := _PORTABLE.match(body, at):
            token = found.group()
        else:
            raise EvaluationError(
                f"pattern {pattern!r} uses {body[at : at + 2]!r}, which has another meaning in RE2"
            )
        in_class = token == "[" or (in_class and token != "]")
        done.append(token)
        at += len(token)
    start = "^" if pattern.startswith("^") else ""
    return start + "".join(done) + (r"\n?\z" if is_ended else "")


def _between(spec: Spec, column: str, kind: pa.DataType) -> str:
    sides = []
    for name, strict, keeps, breaks in (
        ("min_value", "strict_min", "<", "<="),
        ("max_value", "strict_max", ">", ">="),
    ):
        bound = spec.arguments.get(name)
        if bound is None:
            continue
        if pa.types.is_date(kind) and isinstance(bound, datetime):
            bound = bound.date()
        # A decimal against a whole number compares the same either way, and faster as a decimal.
        is_double = pa.types.is_decimal(kind) and isinstance(bound, float)
        value = f"cast({column} as double)" if is_double else column
        sides.append(f"{value} {breaks if spec.arguments.get(strict) else keeps} {literal(bound)}")
    return f"({' or '.join(sides)})" if sides else "false"


def _in_set(spec: Spec, column: str, kind: pa.DataType) -> str:
    return f"{column} not in ({', '.join(map(literal, spec.arguments['value_set']))})"


def _matches(spec: Spec, column: str, kind: pa.DataType) -> str:
    return f"not regexp_matches({column}, {literal(re2(spec.arguments['regex']))})"


CONDITIONS: dict[str, Callable[[Spec, str, pa.DataType], str]] = {
    "expect_column_values_to_be_between": _between,
    "expect_column_values_to_be_null": lambda spec, column, kind: f"{column} is not null",
    "expect_column_values_to_not_be_null": lambda spec, column, kind: f"{column} is null",
    "expect_column_values_to_be_in_set": _in_set,
    "expect_column_values_to_match_regex": _matches,
}
