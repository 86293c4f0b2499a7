"""Opens the store of handoffs: a folder (``file://``) or a bucket (``s3://``)."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from include.handoff.folder import FileStore
from include.handoff.s3 import S3Store
from include.handoff.store_calls import Store, StoreError

ONE_HOST = "LocalExecutor"


class HostError(StoreError):
    """Handoffs are in a folder of one host, and Airflow's tasks run on several. A retry cannot succeed."""


def check_hosts(root: str, executor: str, *, is_shared: bool) -> None:
    """HostError when ``root`` is a folder and the executor runs tasks on several hosts.

    ``executor`` is Airflow's setting: one name, or several separated by commas. A folder that all hosts mount
    is allowed with FIRMAMENT_SHARED_FOLDER=1 (``is_shared``).
    """
    names = [re.split(r"[.:=]", name.strip())[-1] for name in re.split("[,;]", executor)]
    others = sorted({name for name in names if name} - {ONE_HOST})
    if root.startswith("file:") and others and not is_shared:
        raise HostError(
            f"FIRMAMENT_ROOT={root} is a folder of one host, but {', '.join(others)} runs tasks on several; "
            "set FIRMAMENT_ROOT=s3://conn_id@bucket/prefix, or, if all hosts mount the folder, "
            "FIRMAMENT_SHARED_FOLDER=1"
        )


def open_store(root: str, *, scratch: Path) -> Store:
    """The store at ``root``: ``file:///folder`` or ``s3://conn_id@bucket/prefix``."""
    parts = urlsplit(root)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return FileStore(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.hostname:
        return S3Store(parts.netloc, parts.path.strip("/"), scratch=scratch)
    raise StoreError(f"root {root!r} must be file:///folder or s3://conn_id@bucket/prefix")
