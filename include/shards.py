"""Spread firms by a hash of their keys: over the DAG files, and over the minutes in which their runs start.

Standard library alone: Airflow parses every DAG file every half minute, and the file of an empty shard should
cost next to nothing.
"""

import hashlib
import json
from pathlib import Path


def shard_of(firm_key: str, shards: int) -> int:
    """The shard of a firm, from 1: the same in every process, whatever happens to other firms."""
    return int.from_bytes(hashlib.sha256(firm_key.encode()).digest()[:4]) % shards + 1


def start_minute(firm_key: str, given: int | None = None) -> int:
    """The minute at which a firm's runs start, 0 to 59: the one given, else one that its key decides.

    So the firms of one ``schedule_hour`` do not start all at once.
    """
    if given is not None:
        return given
    return int.from_bytes(hashlib.sha256(firm_key.encode()).digest()[4:8]) % 60


def is_empty(registry: Path, number: int, *, of: int) -> bool:
    """Whether the registry is readable and has no firm in the shard."""
    try:
        firms = json.loads(registry.read_text(encoding="utf-8"))["firms"]
        return all(shard_of(firm["firm_key"], of) != number for firm in firms)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False  # the builder reports what is wrong
