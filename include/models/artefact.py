"""A trained model as rows: named parts of text, each with its hash. No pickle, nothing that runs.

A part that is missing or was altered is refused: a model that is not what was trained scores nobody.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

TEXTS = {"trees"}  # kept as they are; every other part is JSON
_SCHEMA = pa.schema([pa.field(name, pa.string(), nullable=False) for name in ("part", "body", "sha256")])


class TamperedModel(RuntimeError):  # noqa: N818 - an outcome, named as what it is
    """A model's rows are missing a part or are not what was written; it must not score anybody."""


def write(parts: Mapping[str, Any]) -> pa.Table:
    """One row per part, by name; the header gains the list of the others. NaN is written as null."""
    named = {**parts, "header": {**parts["header"], "parts": sorted(set(parts) - {"header"})}}
    bodies = {name: _text(name, part) for name, part in sorted(named.items())}
    rows = [{"part": name, "body": body, "sha256": _hash(name, body)} for name, body in bodies.items()]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def read(
    model: pa.Table, *, module: str, dataset: str, mend: str, error: type[TamperedModel]
) -> dict[str, Any]:
    """The parts, decoded, with ``version``; ``error`` when one is missing or was tampered with."""
    rows = model.to_pylist()
    for row in rows:
        if row["sha256"] != _hash(row["part"], row["body"]):
            raise error(f"{dataset}: part {row['part']!r} is not what was written; refused. {mend}")
    parts = {row["part"]: row["body"] if row["part"] in TEXTS else json.loads(row["body"]) for row in rows}
    if "header" not in parts:
        raise error(f"{dataset}: part 'header' is missing; {mend}")
    if missing := sorted(set(parts["header"]["parts"]) - set(parts)):
        raise error(f"{dataset}: parts {missing} are missing; {mend}")
    parts["version"] = f"{module}-{parts['header']['anchor']}-{digest(model)[:12]}"
    return parts


def digest(model: pa.Table) -> str:
    """A hash of the hashes of all parts: of exactly this model."""
    text = "".join(sorted(row["sha256"] for row in model.to_pylist()))
    return hashlib.sha256(text.encode()).hexdigest()


def _text(name: str, part: Any) -> str:
    return part if name in TEXTS else json.dumps(_known(part), sort_keys=True, default=str, allow_nan=False)


def _known(part: Any) -> Any:
    """``part`` with None for every number that is none: JSON has no NaN and no infinity."""
    if isinstance(part, Mapping):
        return {name: _known(value) for name, value in part.items()}
    if isinstance(part, list | tuple):
        return [_known(value) for value in part]
    return None if isinstance(part, float) and not math.isfinite(part) else part


def _hash(name: str, body: str) -> str:
    return hashlib.sha256(f"{name}\n{body}".encode()).hexdigest()
