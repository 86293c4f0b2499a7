"""Where handoffs are kept: a folder (``file://``) or a bucket (``s3://``), behind the same nine calls.

| call | promise |
| --- | --- |
| ``get(path)`` | a small file's bytes and tag, or None |
| ``put(path, data, expected)`` | replaces it only if its tag is ``expected`` (None: absent), all or nothing |
| ``land(path, content)`` | writes a part file, hashing what it writes; on failure nothing stays |
| ``sync(folder)`` | what was landed there outlives a power cut |
| ``fetch(path)`` | a local file of those bytes, and their hash |
| ``release(landed)`` | the local file is needed no more |
| ``list(folder)``, ``delete(path)`` | for the collector |
| ``pause(round)`` | waits a moment, longer each round |

Paths are relative to the root and made of our own names; anything that could leave it is refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from include.handoff.calls import StoreError
from include.handoff.folder import FileStore
from include.handoff.s3 import S3Store


def open_store(root: str, *, scratch: Path) -> Any:
    """The store at ``root``: ``file:///folder`` or ``s3://conn_id@bucket/prefix``."""
    parts = urlsplit(root)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return FileStore(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.hostname:
        return S3Store(parts.netloc, parts.path.strip("/"), scratch=scratch)
    raise StoreError(f"root {root!r} must be file:///folder or s3://conn_id@bucket/prefix")
