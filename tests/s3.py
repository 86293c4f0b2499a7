"""A real S3 server for tests: SeaweedFS from its wheel, real signatures, on free ports of 127.0.0.1."""

import json
import os
import signal
import socket
import subprocess
import sysconfig
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from urllib.parse import quote

import pytest

KEY, SECRET, BUCKET = "firmament", "a-secret/with+odd=signs", "handoffs"
START_SECONDS = 60


@dataclass(frozen=True)
class S3Server:
    """A running server and the one bucket in it."""

    port: int
    pid: int
    bucket: str = BUCKET

    def connection(self, *, secret: str = SECRET, key: str = KEY, port: int | None = None) -> str:
        """The URI of an Airflow connection to it."""
        endpoint = quote(f"http://127.0.0.1:{port or self.port}", safe="")
        return (
            f"aws://{quote(key, safe='')}:{quote(secret, safe='')}@/"
            f"?endpoint_url={endpoint}&region_name=us-east-1"
        )

    def client(self):
        """A plain client, to look behind the store's back."""
        import boto3

        return boto3.client(
            "s3",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="us-east-1",
        )


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """A real S3 server, shared by a session's tests."""
    folder = Path(tempfile.mkdtemp(prefix="firmament-s3-"))
    ports = free_ports(8)
    process = start(folder, ports)
    try:
        server = S3Server(port=ports[0], pid=process.pid)
        wait_for(server, process, folder / "weed.log")
        yield server
    finally:
        # SIGTERM takes it 20 s, and nothing it holds is worth keeping.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        rmtree(folder, ignore_errors=True)


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on, all different."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def start(folder: Path, ports: list[int]) -> subprocess.Popen:
    """Start the server with one identity; its log is ``weed.log``."""
    identity = {
        "name": KEY,
        "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    (folder / "data").mkdir()
    names = ("s3.port", "master.port", "volume.port", "filer.port")
    twins = ("s3.port.grpc", "master.port.grpc", "volume.port.grpc", "filer.port.grpc")
    weed = Path(sysconfig.get_path("scripts")) / "weed"
    with (folder / "weed.log").open("wb") as log:
        return subprocess.Popen(
            [
                str(weed),
                "server",
                f"-dir={folder / 'data'}",
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                *(f"-{name}={port}" for name, port in zip(names + twins, ports, strict=True)),
                "-filer",
                "-s3",
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
                f"-s3.config={folder / 's3.json'}",
                "-volume.max=8",
                "-master.volumeSizeLimitMB=1024",
            ],
            stdout=log,
            stderr=log,
            cwd=folder,
            start_new_session=True,
        )


def wait_for(server: S3Server, process: subprocess.Popen, log: Path) -> None:
    """Return once an object can be written, or fail with what the server said."""
    from botocore.exceptions import BotoCoreError, ClientError

    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            client = server.client()
            names = [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]
            if BUCKET not in names:
                client.create_bucket(Bucket=BUCKET)
            client.put_object(Bucket=BUCKET, Key="ready", Body=b"yes")
            return
        except (BotoCoreError, ClientError) as error:
            if process.poll() is not None or time.monotonic() > deadline:
                text = log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"the S3 server did not start: {error}\n{text}") from error
            time.sleep(0.1)


@pytest.fixture(params=["file", "s3"])
def handoff_root(request, tmp_path, monkeypatch) -> str:
    """An empty root for handoffs: a folder, then a prefix of a real S3 server's bucket."""
    if request.param == "file":
        return (tmp_path / "handoffs").as_uri()
    server = request.getfixturevalue("s3_server")
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", server.connection())
    return f"s3://lake@{server.bucket}/test-{uuid.uuid4().hex[:12]}"
