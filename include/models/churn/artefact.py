"""The churn model as rows: named parts of text, each with its hash. No pickle, nothing that runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

MEND = "train it anew: run the firm from step churn_training with --full"


class ArtefactError(RuntimeError):
    """A model's rows are missing a part or are not what was written; it must not score anybody."""


def write(parts: Mapping[str, object]) -> pa.Table:
    """One row per part, by name; what is not text already is written as JSON with sorted keys."""
    rows = [
        {"part": name, "body": body, "sha256": _hash(name, body)}
        for name, body in sorted((name, _text(value)) for name, value in parts.items())
    ]
    return pa.Table.from_pylist(
        rows,
        schema=pa.schema(
            [
                pa.field("part", pa.string(), nullable=False),
                pa.field("body", pa.string(), nullable=False),
                pa.field("sha256", pa.string(), nullable=False),
            ]
        ),
    )


def read(model: pa.Table) -> dict[str, Any]:
    """The parts, JSON decoded, with ``version``; ArtefactError when one is missing or was tampered with."""
    bodies = {row["part"]: row["body"] for row in model.to_pylist()}
    for row in model.to_pylist():
        if row["sha256"] != _hash(row["part"], row["body"]):
            raise ArtefactError(f"churn_model: part {row['part']!r} is not what was written; refused. {MEND}")
    if "header" not in bodies:
        raise ArtefactError(f"churn_model: part 'header' is missing; {MEND}")
    header = json.loads(bodies["header"])
    if missing := sorted(set(header["parts"]) - set(bodies)):
        raise ArtefactError(f"churn_model: parts {missing} are missing; {MEND}")
    parts = {name: body if name == "trees" else json.loads(body) for name, body in bodies.items()}
    parts["version"] = version_of(model)
    return parts


def version_of(model: pa.Table) -> str:
    """A name for exactly this model: its anchor and a hash of all its parts."""
    text = "".join(sorted(row["sha256"] for row in model.to_pylist()))
    header = next(json.loads(row["body"]) for row in model.to_pylist() if row["part"] == "header")
    return f"churn-{header['anchor']}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def _hash(name: str, body: str) -> str:
    return hashlib.sha256(f"{name}\n{body}".encode()).hexdigest()
