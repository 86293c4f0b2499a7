"""Handoffs in a bucket: ``s3://conn_id@bucket/prefix``, the form of Airflow's ObjectStoragePath.

The connection is an Airflow connection of type ``aws`` (``AIRFLOW_CONN_<ID>`` or Airflow's own): login
and password are the key, and its extra may set ``endpoint_url`` and ``region_name``. Without a key,
the machine's own role is used; with a ``role_arn`` in the extra, Airflow's S3Hook connects.

A conditional PUT decides which writer commits, so the server must support it: SeaweedFS does from 4.48 (in
4.16 every concurrent writer succeeded). ObjectStoragePath cannot send ``If-Match``; hence botocore's client.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from include.connections import connection
from include.handoff.local_files import CHUNK_BYTES, PAUSE_SECONDS, checked, failed, pause, write_new_file
from include.handoff.store_calls import Blob, Conflict, Content, Entry, Gone, PartStats, StoreError, Unknown
from include.private_files import open_private, private_folder
from include.settings import SettingsError

TRIES = 4  # of one download, and, by botocore, of one request
CONNECT_SECONDS, READ_SECONDS = 10, 60
LOST_RACE = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
REFUSED = {
    "AccessDenied",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "SignatureDoesNotMatch",
    "401",
    "403",
}
ABSENT = {"NoSuchKey", "404"}


def _is_interrupted(error: BaseException) -> bool:
    """Whether a download broke off, which botocore does not retry by itself."""
    from botocore.exceptions import IncompleteReadError, ReadTimeoutError, ResponseStreamingError

    return isinstance(error, (IncompleteReadError, ReadTimeoutError, ResponseStreamingError))


# botocore repeats a request, but not a download that broke off after its first byte.
DOWNLOADS = Retrying(
    retry=retry_if_exception(_is_interrupted),
    stop=stop_after_attempt(TRIES),
    wait=wait_random_exponential(multiplier=PAUSE_SECONDS, max=64 * PAUSE_SECONDS),
    reraise=True,
)


class S3Store:
    """Handoffs under a prefix of a bucket."""

    def __init__(self, place: str, prefix: str, *, scratch: Path) -> None:
        """``place`` is ``conn_id@bucket`` or a bucket; downloads and uploads pass through ``scratch``."""
        self._conn_id, _, self._bucket = place.rpartition("@")
        self._prefix = f"{checked(prefix)}/" if prefix else ""
        self._scratch = scratch
        self._clients: dict[int, Any] = {}

    def get(self, path: str) -> Blob | None:
        """A small object's bytes and its ETag, or None."""
        with self._explained("read", path):
            try:
                blob: Blob = DOWNLOADS(self._read, path)
            except Exception as error:
                if _code(error) in ABSENT:
                    return None
                raise
            return blob

    def put(self, path: str, data: bytes, expected: str | None) -> str:
        """Replace the object if its ETag has not changed since it was read."""
        condition = {"IfNoneMatch": "*"} if expected is None else {"IfMatch": expected}
        try:
            answer = self._client.put_object(Bucket=self._bucket, Key=self._key(path), Body=data, **condition)
        except Exception as error:
            code = _code(error)
            # With If-Match, a deleted object answers 404.
            if code in LOST_RACE or (expected is not None and code in ABSENT):
                raise Conflict(path) from error
            if code in REFUSED or code == "NoSuchBucket":
                self._fail("write", path, error)
            # After any other failure it is unknown whether the request was carried out.
            raise Unknown(f"{path}: {error}") from error
        return str(answer["ETag"])

    def write_part(self, path: str, content: Content) -> PartStats:
        """Write a part to scratch, measuring it, then upload it in one request."""
        copy = self._scratch / f".upload-{uuid.uuid4().hex}"
        try:
            private_folder(self._scratch)
            stats = write_new_file(content, copy)
            with self._explained("write", path), copy.open("rb") as file:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=self._key(path),
                    Body=file,
                    Metadata={"sha256": stats.sha256},
                )
        except OSError as error:
            raise failed("write", copy, error) from error
        finally:
            with contextlib.suppress(OSError):
                copy.unlink(missing_ok=True)
        return stats._replace(file=None)

    def sync(self, folder: str) -> None:
        """Do nothing: an object is durable once its PUT has been answered."""

    def fetch(self, path: str) -> PartStats:
        """Download the object to scratch, measuring it."""
        # A separate folder per copy: releasing one reader's copy must not remove another's.
        copy = self._scratch / "fetched" / uuid.uuid4().hex / checked(path).rpartition("/")[2]
        try:
            private_folder(copy.parent)
            with self._explained("read", path):
                try:
                    stats: PartStats = DOWNLOADS(self._download, path, copy)
                except Exception as error:
                    copy.unlink(missing_ok=True)
                    if _code(error) in ABSENT:
                        raise Gone(path) from error
                    raise
                return stats
        except OSError as error:
            raise failed("write", copy, error) from error

    def release(self, fetched: PartStats) -> None:
        """Remove a downloaded copy."""
        fetched.file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            fetched.file.parent.rmdir()

    def list(self, folder: str = "") -> list[Entry]:
        """Every object below ``folder``."""
        below = self._prefix + (f"{checked(folder)}/" if folder else "")
        entries = []
        with self._explained("list", folder):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=below):
                for item in page.get("Contents", ()):
                    entries.append(Entry(item["Key"].removeprefix(self._prefix), item["LastModified"]))
        return entries

    def delete(self, path: str) -> None:
        """Remove an object."""
        with self._explained("delete", path):
            self._client.delete_object(Bucket=self._bucket, Key=self._key(path))

    def pause(self, turn: int) -> None:
        """Wait a moment."""
        pause(turn)

    @property
    def _client(self) -> Any:
        # A forked child must not use its parent's sockets.
        if os.getpid() not in self._clients:
            self._clients = {os.getpid(): _connect(self._conn_id)}
        return self._clients[os.getpid()]

    def _key(self, path: str) -> str:
        return self._prefix + checked(path)

    def _read(self, path: str) -> Blob:
        answer = self._client.get_object(Bucket=self._bucket, Key=self._key(path))
        return Blob(answer["Body"].read(), answer["ETag"])

    def _download(self, path: str, copy: Path) -> PartStats:
        digest, count = hashlib.sha256(), 0
        body = self._client.get_object(Bucket=self._bucket, Key=self._key(path))["Body"]
        with contextlib.closing(body), open_private(copy, "wb") as file:
            while chunk := body.read(CHUNK_BYTES):
                digest.update(chunk)
                file.write(chunk)
                count += len(chunk)
        return PartStats(0, count, digest.hexdigest(), copy)

    @contextlib.contextmanager
    def _explained(self, verb: str, path: str) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

        try:
            yield
        except (BotoCoreError, ClientError, HTTPClientError) as error:
            self._fail(verb, path, error)

    def _fail(self, verb: str, path: str, error: Exception) -> NoReturn:
        code, where = _code(error), f"s3://{self._bucket}/{self._key(path) if path else self._prefix}"
        who = f"connection {self._conn_id!r}" if self._conn_id else "this machine's own role"
        if code in REFUSED:
            advice = f"{who} was refused ({code}): check its key and what it is allowed to do"
        elif code == "NoSuchBucket":
            advice = (
                f"bucket {self._bucket!r} does not exist at {who}'s endpoint; create it or fix FIRMAMENT_ROOT"
            )
        else:
            advice = f"{error}; check that {who}'s endpoint is up, then rerun the step"
        raise StoreError(f"cannot {verb} {where}: {advice}") from error


def _connect(conn_id: str) -> Any:
    """A client for an Airflow connection; '' is the machine's own role."""
    import boto3
    from botocore.config import Config

    try:
        place = connection(conn_id) if conn_id else None
    except SettingsError as error:
        raise StoreError(str(error)) from error
    extra = place.extra_dejson if place else {}
    if "role_arn" in extra:
        from airflow.providers.amazon.aws.hooks.s3 import S3Hook

        return S3Hook(aws_conn_id=conn_id).get_conn()
    return boto3.client(
        "s3",
        aws_access_key_id=(place and place.login) or None,
        aws_secret_access_key=(place and place.password) or None,
        aws_session_token=extra.get("aws_session_token"),
        endpoint_url=extra.get("endpoint_url") or None,
        region_name=extra.get("region_name") or None,
        verify=str(extra.get("verify", "true")).lower() not in ("false", "0"),
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": TRIES},
            s3={"addressing_style": "path" if extra.get("endpoint_url") else "auto"},
        ),
    )


def _code(error: Exception) -> str:
    answer: dict[str, Any] = getattr(error, "response", None) or {}
    return str(answer.get("Error", {}).get("Code", ""))
