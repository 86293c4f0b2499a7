"""The value model as rows: named parts of text, each with its hash. No pickle, nothing that runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

TEXTS = {"trees"}  # kept as they are; every other part is JSON
MEND = "fit it anew: run the firm from step value_histories with --full"


class ValueArtefactError(RuntimeError):
    """A value model's rows are missing a part or are not what was written; it must not value anybody."""


def write(parts: Mapping[str, Any]) -> pa.Table:
    """One row per part, by name; the header gains the list of parts."""
    named = {**parts, "header": {**parts["header"], "parts": sorted(parts)}}
    bodies = {
        name: part if name in TEXTS else json.dumps(part, sort_keys=True) for name, part in named.items()
    }
    rows = [{"part": n, "body": body, "sha256": _hash(n, body)} for n, body in sorted(bodies.items())]
    fields = [pa.field(name, pa.string(), nullable=False) for name in ("part", "body", "sha256")]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


def read(model: pa.Table) -> dict[str, Any]:
    """The parts, decoded, with ``version``; ValueArtefactError when one is missing or was tampered with."""
    bodies = {row["part"]: row["body"] for row in model.to_pylist()}
    hashes = {row["part"]: row["sha256"] for row in model.to_pylist()}
    for name, body in bodies.items():
        if hashes[name] != _hash(name, body):
            raise ValueArtefactError(f"value_model: part {name!r} is not what was written; refused. {MEND}")
    parts = {name: body if name in TEXTS else json.loads(body) for name, body in bodies.items()}
    if missing := sorted(set(parts.get("header", {"parts": ["header"]})["parts"]) - set(parts)):
        raise ValueArtefactError(f"value_model: parts {missing} are missing; {MEND}")
    whole = hashlib.sha256("".join(hashes[name] for name in sorted(hashes)).encode()).hexdigest()
    parts["version"] = f"ltv-{parts['header']['anchor']}-{whole[:12]}"
    return parts


def _hash(name: str, body: str) -> str:
    return hashlib.sha256(f"{name}\n{body}".encode()).hexdigest()
