"""The manifest of a slot lists the part files of a dataset's slice.

Readers trust manifests, never listings. A manifest begins with a checksum of its own text (key ``seal``), so
a damaged one is refused. An *empty* manifest (no attempt) holds only a fence: the token up to which no writer
may commit any more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from include.version import version_of

FILE = "_manifest.json"
OPENING, CLOSING = b'{"seal": "', b'", '  # around a sha256 in hex


class HandoffError(RuntimeError):
    """A handoff cannot be written or read; the message says what failed, where, and how to fix it."""


class Corrupt(HandoffError):  # noqa: N818 - an outcome, named as the design names it
    """A file differs from what was written; the message names it."""


@dataclass(frozen=True)
class Part:
    """One parquet file: its name under the slot, rows, bytes and hash."""

    name: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """The contents of a slot and their lineage.

    ``token`` orders writers. ``fence`` is the token up to which attempts have been abandoned: none of them
    may commit. ``attempt`` and ``previous`` are the folders of the parts of this version and of the previous
    one. ``made_from`` names the manifests read, as ``path#token#sha256``. ``code_version`` is the version and
    the hash of the code that wrote it (``include/version.py``); before 0.9.0, only the hash.
    """

    path: str
    token: int
    as_of: date
    rows: int
    bytes: int
    parts: tuple[Part, ...]
    sha256: str
    fingerprint: str
    made_from: tuple[str, ...]
    code_version: str
    attempt: str
    previous: str = ""
    fence: int = 0

    @property
    def min_token(self) -> int:
        """The highest token known to this slot: a writer with a lower one may not commit."""
        return max(self.token, self.fence)

    @property
    def is_empty(self) -> bool:
        """Whether it holds only a fence and no data."""
        return not self.attempt

    @property
    def version(self) -> str | None:
        """The version of Firmament that wrote it; None before 0.9.0."""
        return version_of(self.code_version)

    @property
    def reference(self) -> str:
        """How another manifest's ``made_from`` names this one."""
        return f"{self.path}#{self.token}#{self.sha256}"

    def fenced(self, token: int) -> Manifest:
        """The same data, closed to writers up to and including ``token``."""
        return replace(self, fence=max(self.fence, token))


def draft(
    path: str,
    *,
    token: int,
    as_of: date,
    attempt: str,
    parts: Sequence[Part],
    fingerprint: str,
    made_from: Sequence[str],
    code_version: str,
) -> Manifest:
    """A manifest for these parts. Its hash covers the hashes of the parts or, without parts, the sources."""
    lines = [part.sha256 for part in parts] or list(made_from)
    return Manifest(
        path=path,
        token=token,
        as_of=as_of,
        rows=sum(part.rows for part in parts),
        bytes=sum(part.bytes for part in parts),
        parts=tuple(parts),
        sha256=hashlib.sha256("\n".join(lines).encode()).hexdigest(),
        fingerprint=fingerprint,
        made_from=tuple(made_from),
        code_version=code_version,
        attempt=attempt,
    )


def empty_manifest(path: str) -> Manifest:
    """A manifest without data."""
    return Manifest(path, 0, date.min, 0, 0, (), "", "", (), "", attempt="")


def encode(manifest: Manifest) -> bytes:
    """The manifest as JSON; its first key, ``seal``, is the checksum of every byte after it."""
    fields = {
        **vars(manifest),
        "as_of": manifest.as_of.isoformat(),
        "parts": [vars(part) for part in manifest.parts],
    }
    rest = json.dumps(fields).encode()[1:]
    return OPENING + hashlib.sha256(rest).hexdigest().encode() + CLOSING + rest


def decode(text: bytes, path: str) -> Manifest:
    """The manifest in ``text``; Corrupt names ``path`` if the checksum does not match."""
    try:
        rest = text[len(OPENING) + 64 + len(CLOSING) :]
        if text != OPENING + hashlib.sha256(rest).hexdigest().encode() + CLOSING + rest:
            raise ValueError("its checksum does not match its text")
        fields = json.loads(b"{" + rest)
        fields["as_of"] = date.fromisoformat(fields["as_of"])
        fields["parts"] = tuple(Part(**part) for part in fields["parts"])
        fields["made_from"] = tuple(fields["made_from"])
        return Manifest(**fields)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Corrupt(
            f"{path}: damaged ({error}); delete this file and rerun the step that writes it"
        ) from None
