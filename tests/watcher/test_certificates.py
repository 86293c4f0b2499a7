"""Certificates of real TLS servers on this machine."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from include.service_accounts import RUNS
from include.settings import Settings
from include.watcher import certificates
from include.watcher.certificates import SSL_REQUEST, certificate_findings, expiry, servers

NOW = datetime.now(UTC).replace(microsecond=0)


def certificate(folder: Path, expires_at: datetime) -> ssl.SSLContext:
    """A server's context with a certificate that it has signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=400))
        .not_valid_after(expires_at)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@contextlib.contextmanager
def tls_server(context: ssl.SSLContext | None, *, is_postgres: bool = False) -> Iterator[int]:
    """A server that shakes hands and hangs up; without a context it has no TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    plain, _ = listening.accept()
                    with plain, contextlib.suppress(OSError):
                        if is_postgres:
                            assert plain.recv(8) == SSL_REQUEST
                            plain.sendall(b"S" if context else b"N")
                        if context:
                            with context.wrap_socket(plain, server_side=True) as secure:
                                secure.unwrap()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("FIRMAMENT_HOME", str(tmp_path))
    monkeypatch.setenv("FIRMAMENT_WAREHOUSE_DSN", "postgresql://u@/db?host=/run/none")
    return Settings.read()


@pytest.mark.parametrize(("days", "found"), [(20, []), (13, ["expires"]), (-1, ["expired"])])
def test_a_certificate_is_reported_two_weeks_before_it_expires(settings, monkeypatch, days, found):
    expires_at = NOW + timedelta(days=days)
    with tls_server(certificate(settings.home, expires_at)) as port:
        connection = {"conn_type": "http", "host": f"https://127.0.0.1:{port}"}
        monkeypatch.setenv(RUNS.variable, json.dumps(connection))

        findings = certificate_findings(settings, now=NOW)

    assert [one.resource for one in findings] == [f"127.0.0.1:{port}"] * len(found)
    assert [one.says for one in findings] == [
        f"the certificate of Airflow's API {verb} on {expires_at:%Y-%m-%d %H:%M} UTC" for verb in found
    ]


def test_a_postgres_server_shows_its_certificate_or_has_none(settings):
    expires_at = NOW + timedelta(days=5)
    with tls_server(certificate(settings.home, expires_at), is_postgres=True) as port:
        assert expiry("127.0.0.1", port, is_postgres=True) == expires_at
    with tls_server(None, is_postgres=True) as port:
        assert expiry("127.0.0.1", port, is_postgres=True) is None


def test_servers_without_tls_are_not_asked_and_a_silent_one_is_left_to_other_checks(settings, monkeypatch):
    monkeypatch.setenv(RUNS.variable, json.dumps({"host": "http://127.0.0.1:8080"}))
    assert list(servers(settings)) == []
    monkeypatch.setenv(RUNS.variable, json.dumps({"host": "https://127.0.0.1:9"}))

    assert certificate_findings(settings, now=NOW) == []


def test_the_endpoint_of_the_store_is_found_in_both_forms_of_a_connection(tmp_path, monkeypatch):
    monkeypatch.setenv("FIRMAMENT_ROOT", "s3://lake@bucket/handoffs")
    monkeypatch.setenv("FIRMAMENT_WAREHOUSE_DSN", "postgresql://u@db.example/w?sslmode=require")
    found = []
    for text in (
        "aws://k:s@/?endpoint_url=https%3A%2F%2Fs3.example%3A8333",
        json.dumps({"conn_type": "aws", "extra": {"endpoint_url": "https://s3.example:8333"}}),
    ):
        monkeypatch.setenv("AIRFLOW_CONN_LAKE", text)
        found.append(list(servers(Settings.read())))

    assert found[0] == found[1] == [
        ("the store of handoffs", "s3.example", 8333, False), ("the warehouse", "db.example", 5432, True),
    ]  # fmt: skip


@pytest.fixture(autouse=True)
def _look_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "_last", {})
