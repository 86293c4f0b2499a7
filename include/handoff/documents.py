"""Small JSON documents beside a firm's handoffs, such as the validation results of the quality gate.

A document is stored at ``{firm}/{folder}/as_of=2026-11-21/{name}.json``. The last attempt wins: a document of
an older token never replaces a newer one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from include.handoff.protocol import ROUNDS, UnknownOutcome
from include.handoff.store_calls import Blob, Conflict, Get, Pause, Put, Steps, Unknown, perform
from include.handoff.stores import open_store


def write_documents(
    root: str,
    firm_key: str,
    folder: str,
    as_of: date,
    documents: Mapping[str, Mapping[str, Any]],
    *,
    token: int,
    scratch: Path,
) -> None:
    """Write each document under its name, with the token in its ``meta``."""
    store = open_store(root, scratch=scratch)
    for name, document in documents.items():
        path = f"{firm_key}/{folder}/as_of={as_of}/{name}.json"
        text = json.dumps({**document, "meta": {**document["meta"], "token": token}}, indent=1)
        perform(_replace(path, text.encode(), token), store)


def _replace(path: str, data: bytes, token: int) -> Steps:
    for turn in range(ROUNDS):
        if turn:
            yield Pause(turn)
        found: Blob | None = yield Get(path)
        if found and (found.data == data or _token_of(found.data) > token):
            return
        try:
            yield Put(path, data, found and found.etag)
        except (Conflict, Unknown):
            continue
        return
    raise UnknownOutcome(f"{path} could not be written, other writers keep writing it; rerun the step")


def _token_of(data: bytes) -> int:
    try:
        return int(json.loads(data)["meta"]["token"])
    except (ValueError, TypeError, KeyError):
        return 0  # damaged: replace it
