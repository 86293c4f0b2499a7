"""A trained model as rows: named parts of text, each with its hash. No pickle, no executable content.

A model with a missing or altered part is rejected when read.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

TEXTS = {"trees"}  # stored as text; every other part is JSON
_SCHEMA = pa.schema([pa.field(name, pa.string(), nullable=False) for name in ("part", "body", "sha256")])


class TamperedModel(RuntimeError):  # noqa: N818 - a result, not an error of the program
    """A model is incomplete or altered and must not be used; the message names the command that fixes it."""


def write(parts: Mapping[str, Any]) -> pa.Table:
    """Rows (part, body, sha256), sorted by part. The header lists the other parts; NaN becomes null."""
    named = {**parts, "header": {**parts["header"], "parts": sorted(set(parts) - {"header"})}}
    bodies = {name: _text(name, part) for name, part in sorted(named.items())}
    rows = [{"part": name, "body": body, "sha256": _hash(name, body)} for name, body in bodies.items()]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def read(
    model: pa.Table, *, module: str, dataset: str, fix: str, error: type[TamperedModel]
) -> dict[str, Any]:
    """The decoded parts by name, and ``version``; raises ``error`` if a part is missing or altered."""
    rows = model.to_pylist()
    for row in rows:
        if row["sha256"] != _hash(row["part"], row["body"]):
            raise error(
                f"{dataset}: part {row['part']!r} does not match its sha256, so the model is rejected; {fix}"
            )
    parts = {row["part"]: row["body"] if row["part"] in TEXTS else json.loads(row["body"]) for row in rows}
    if "header" not in parts:
        raise error(f"{dataset}: part 'header' is missing; {fix}")
    if missing := sorted(set(parts["header"]["parts"]) - set(parts)):
        raise error(f"{dataset}: parts {missing} are missing; {fix}")
    parts["version"] = f"{module}-{parts['header']['anchor']}-{digest(model)[:12]}"
    return parts


def digest(model: pa.Table) -> str:
    """Hash of the hashes of all parts; identifies the model."""
    text = "".join(sorted(row["sha256"] for row in model.to_pylist()))
    return hashlib.sha256(text.encode()).hexdigest()


def _text(name: str, part: Any) -> str:
    return part if name in TEXTS else json.dumps(_known(part), sort_keys=True, default=str, allow_nan=False)


def _known(part: Any) -> Any:
    """``part`` with None for NaN and infinity, which JSON cannot represent."""
    if isinstance(part, Mapping):
        return {name: _known(value) for name, value in part.items()}
    if isinstance(part, list | tuple):
        return [_known(value) for value in part]
    return None if isinstance(part, float) and not math.isfinite(part) else part


def _hash(name: str, body: str) -> str:
    return hashlib.sha256(f"{name}\n{body}".encode()).hexdigest()
