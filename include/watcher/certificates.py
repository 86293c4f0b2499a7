"""Check of certificates: those that Airflow's API, the store of handoffs and the warehouse show.

Once an hour a process connects to each server, as its clients do, and reads the certificate. A server that
does not answer is left to other checks. The certificate is not verified here: clients do that.
"""

from __future__ import annotations

import json
import logging
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import psycopg

from include.connections import services_setting
from include.service_accounts import RUNS
from include.settings import Settings, SettingsError
from include.watcher.finding import Finding

CERTIFICATE_KINDS = ("certificate_expires",)
NOTICE = timedelta(days=14)
EVERY_SECONDS, TIMEOUT_SECONDS = 3600.0, 5.0
SSL_REQUEST = struct.pack("!ii", 8, 80877103)  # PostgreSQL's: the server answers S when it speaks TLS

log = logging.getLogger(__name__)
_last: dict[str, tuple[float, list[Finding]]] = {}


def certificate_findings(settings: Settings, *, now: datetime) -> list[Finding]:
    """Certificates that have expired or expire within two weeks; looked up once an hour."""
    key = str(settings.home)
    looked_up_at, found = _last.get(key, (-EVERY_SECONDS, []))
    if time.monotonic() - looked_up_at >= EVERY_SECONDS:
        found = list(_findings(settings, now))
        _last[key] = (time.monotonic(), found)
    return found


def _findings(settings: Settings, now: datetime) -> Iterator[Finding]:
    for name, host, port, is_postgres in servers(settings):
        try:
            expires_at = expiry(host, port, is_postgres=is_postgres)
        except (OSError, ValueError) as error:
            log.info("The certificate of %s:%s could not be read: %s", host, port, error)
            continue
        if expires_at is not None and expires_at - now < NOTICE:
            verb = "expired" if expires_at < now else "expires"
            says = f"the certificate of {name} {verb} on {expires_at:%Y-%m-%d %H:%M} UTC"
            yield Finding("certificate_expires", f"{host}:{port}", says, name)


def servers(settings: Settings) -> Iterator[tuple[str, str, int, bool]]:
    """The servers that this installation reaches by TLS: name, host, port, whether it is PostgreSQL."""
    addresses = {
        "Airflow's API": _host_of(services_setting(RUNS.variable)),
        "the store of handoffs": _endpoint_of(settings.root),
    }
    for name, address in addresses.items():
        parts = urlsplit(address)
        if parts.scheme == "https" and parts.hostname:
            yield name, parts.hostname, parts.port or 443, False
    try:
        found = psycopg.conninfo.conninfo_to_dict(settings.warehouse_dsn())
    except (SettingsError, psycopg.Error):
        return
    host = str(found.get("host") or "")
    if host and not host.startswith("/") and found.get("sslmode") != "disable":
        yield "the warehouse", host, int(found.get("port") or 5432), True


def expiry(host: str, port: int, *, is_postgres: bool) -> datetime | None:
    """When a server's certificate expires; None for a PostgreSQL server without TLS."""
    from cryptography import x509

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((host, port), TIMEOUT_SECONDS) as plain:
        if is_postgres:
            plain.sendall(SSL_REQUEST)
            if plain.recv(1) != b"S":
                return None
        with context.wrap_socket(plain, server_hostname=host) as secure:
            shown = secure.getpeercert(binary_form=True) or b""
    return x509.load_der_x509_certificate(shown).not_valid_after_utc.astimezone(UTC)


def _host_of(text: str) -> str:
    """The address in an Airflow connection that is JSON."""
    try:
        return str(json.loads(text).get("host") or "")
    except (ValueError, AttributeError):
        return ""


def _endpoint_of(root: str) -> str:
    """The endpoint of the store's connection, when it is in the environment or the services' file."""
    conn_id = urlsplit(root).username or ""
    text = services_setting(f"AIRFLOW_CONN_{conn_id.upper()}") if conn_id else ""
    if not text.startswith("{"):
        return "".join(parse_qs(urlsplit(text).query).get("endpoint_url", []))
    try:
        extra = json.loads(text).get("extra") or {}
        return str((json.loads(extra) if isinstance(extra, str) else extra).get("endpoint_url") or "")
    except (ValueError, AttributeError):
        return ""
