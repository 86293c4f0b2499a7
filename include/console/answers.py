"""Answers of the API: JSON, their ETag, and the pages of long lists."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from fastapi import Request, Response

from include.console.problems import ProblemError
from include.version import code_version

PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Cookie, Authorization"}


def as_json(body: Any, *, headers: Mapping[str, str] | None = None) -> Response:
    """A body as JSON: days and instants in ISO 8601, decimals as numbers, NaN as null."""
    text = json.dumps(_plain(body), default=_text, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Response(text, 200, {**PRIVATE, **(headers or {})}, "application/json")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        if not value.is_finite():
            return None
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _text(value: object) -> str:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def etag(request: Request, firm_key: str, as_of: date, loaded: Mapping[str, Any]) -> str:
    """The tag of what an address answers of one snapshot: it changes with every load of the firm."""
    parts = [
        code_version(), firm_key, as_of.isoformat(), str(loaded["loads"]), str(loaded["loaded_at"]),
        str(loaded["manifests"]), request.url.path, request.url.query,
    ]  # fmt: skip
    return 'W/"' + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32] + '"'


def is_known(request: Request, tag: str) -> bool:
    """Whether the client has this answer already."""
    known = [one.strip() for one in request.headers.get("if-none-match", "").split(",")]
    return tag in known or "*" in known


def unchanged(tag: str) -> Response:
    """The client's copy is current."""
    return Response(status_code=304, headers={**PRIVATE, "ETag": tag})


class Answers:
    """The latest answers of this process by their ETag, so that a slow view is read once per load.

    An answer depends on the firm and its data alone, which are in the tag; the permission to read the firm is
    checked before the cache is asked.
    """

    def __init__(self, *, most: int = 200, largest: int = 300_000) -> None:
        self._most, self._largest = most, largest
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def find(self, tag: str) -> Response | None:
        """The answer of a tag, if it is here."""
        with self._lock:
            body = self._kept.get(tag)
            if body is None:
                return None
            self._kept.move_to_end(tag)
        return Response(body, 200, {**PRIVATE, "ETag": tag}, "application/json")

    def keep(self, tag: str, answer: Response) -> None:
        """Remember an answer, and forget the one that was asked for longest ago."""
        if len(answer.body) > self._largest:
            return
        with self._lock:
            self._kept[tag] = bytes(answer.body)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)


def cursor(*parts: object) -> str:
    """Where the next page of a list begins, as text without meaning to the client."""
    return base64.urlsafe_b64encode(json.dumps(_plain_keys(parts)).encode()).decode().rstrip("=")


def _plain_keys(parts: Sequence[object]) -> list[object]:
    return [str(part) if isinstance(part, (Decimal, float, date, datetime)) else part for part in parts]


def read_cursor(text: str | None, *kinds: type) -> list[Any]:
    """The values of a cursor; None for each on the first page. ProblemError for what is no cursor."""
    if not text:
        return [None] * len(kinds)
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(found, list) or len(found) != len(kinds):
            raise ValueError
        values = [kind(one) for kind, one in zip(kinds, found, strict=True)]
        if any("\x00" in one for one in values if isinstance(one, str)) or math.nan in values:
            raise ValueError
    except (ValueError, TypeError, ArithmeticError, binascii.Error, RecursionError):
        raise ProblemError(
            422, "after: not a cursor of this list", "Ask for the first page, without `after`."
        ) from None
    return values
