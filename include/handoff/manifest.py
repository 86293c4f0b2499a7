"""The manifest of a slot: the one file that says which part files make up a dataset's slice.

Readers trust manifests and never listings. A manifest is sealed with a hash of its own text, so a
damaged one is refused; a *void* one (no attempt) holds nothing but a fence: the
token up to which no writer may commit any more.
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
    """A handoff cannot be written or read; the message says what, where and how to mend it."""


class Corrupt(HandoffError):  # noqa: N818 - an outcome, named as the design names it
    """A file is not what was written; the message names it."""


@dataclass(frozen=True)
class Part:
    """One parquet file: its name under the slot, and what it must measure."""

    name: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a slot holds, and where it came from.

    ``token`` orders writers; ``fence`` is a token up to which attempts have been given up, so that
    none of them may commit; ``attempt`` and ``previous`` are the folders of this version's parts
    and of the last one's;
    ``made_from`` names the manifests read, as ``path#token#sha256``; ``code_version`` is the version and the
    hash of the code that wrote it (``include/version.py``), the hash alone before 0.9.0.
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
    def floor(self) -> int:
        """The highest token that this slot has seen."""
        return max(self.token, self.fence)

    @property
    def is_void(self) -> bool:
        """Whether it holds a fence and no data."""
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
    """A manifest for these parts; hashed over the parts' hashes, or the sources' when there are none."""
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


def void(path: str) -> Manifest:
    """A manifest that holds nothing yet."""
    return Manifest(path, 0, date.min, 0, 0, (), "", "", (), "", attempt="")


def encode(manifest: Manifest) -> bytes:
    """The manifest as JSON whose first key seals every byte after it."""
    fields = {
        **vars(manifest),
        "as_of": manifest.as_of.isoformat(),
        "parts": [vars(part) for part in manifest.parts],
    }
    rest = json.dumps(fields).encode()[1:]
    return OPENING + hashlib.sha256(rest).hexdigest().encode() + CLOSING + rest


def decode(text: bytes, path: str) -> Manifest:
    """The manifest in ``text``; Corrupt names ``path`` when it is not what was sealed."""
    try:
        rest = text[len(OPENING) + 64 + len(CLOSING) :]
        if text != OPENING + hashlib.sha256(rest).hexdigest().encode() + CLOSING + rest:
            raise ValueError("its seal does not match its text")
        fields = json.loads(b"{" + rest)
        fields["as_of"] = date.fromisoformat(fields["as_of"])
        fields["parts"] = tuple(Part(**part) for part in fields["parts"])
        fields["made_from"] = tuple(fields["made_from"])
        return Manifest(**fields)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Corrupt(
            f"{path}: damaged ({error}); delete this file and rerun the step that writes it"
        ) from None
