"""Opens the store of handoffs: a folder (``file://``) or a bucket (``s3://``)."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from include.handoff.folder import FileStore
from include.handoff.s3 import S3Store
from include.handoff.store_calls import Store, StoreError


def open_store(root: str, *, scratch: Path) -> Store:
    """The store at ``root``: ``file:///folder`` or ``s3://conn_id@bucket/prefix``."""
    parts = urlsplit(root)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return FileStore(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.hostname:
        return S3Store(parts.netloc, parts.path.strip("/"), scratch=scratch)
    raise StoreError(f"root {root!r} must be file:///folder or s3://conn_id@bucket/prefix")
