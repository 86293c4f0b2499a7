"""Shards of the registry: which DAG file builds which firm.

Standard library alone: Airflow parses every DAG file every half minute, and the file of an empty shard should
cost next to nothing.
"""

import hashlib
import json
from pathlib import Path


def shard_of(firm_key: str, shards: int) -> int:
    """The shard of a firm, from 1: the same in every process, whatever happens to other firms."""
    return int.from_bytes(hashlib.sha256(firm_key.encode()).digest()[:4]) % shards + 1


def is_empty(registry: Path, number: int, *, of: int) -> bool:
    """Whether the registry is readable and has no firm in the shard."""
    try:
        firms = json.loads(registry.read_text(encoding="utf-8"))["firms"]
        return all(shard_of(firm["firm_key"], of) != number for firm in firms)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False  # the builder reports what is wrong
