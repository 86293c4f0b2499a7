"""The accounts with which Firmament calls Airflow's REST API, and the connections that hold their passwords.

Each account has the lowest role of Airflow's simple auth manager that suffices. ``make up`` and
``docker-compose.yaml`` create both accounts and connections. In another Airflow, create an account and add
the connection: type ``http``, host the URL of the API server, login and password of the account.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from include.airflow_api import TIMEOUT_SECONDS, AirflowApi
from include.connections import connection, connection_in_environment
from include.settings import SettingsError


@dataclass(frozen=True)
class ServiceAccount:
    """An account of Airflow's API: its login, its role, and the id of the connection that holds both."""

    login: str
    role: str
    conn_id: str

    @property
    def variable(self) -> str:
        """The environment variable of its connection."""
        return f"AIRFLOW_CONN_{self.conn_id.upper()}"

    def as_connection(self, url: str, password: str) -> str:
        """Its connection as JSON, for the environment variable."""
        fields = {"conn_type": "http", "host": url, "login": self.login, "password": password}
        return json.dumps(fields)


RUNS = ServiceAccount("firmament_runs", "user", "firmament_airflow")  # writes the notes of runs
POOLS = ServiceAccount("firmament_pools", "op", "firmament_airflow_pools")  # adds missing pools
ACCOUNTS = (RUNS, POOLS)


def sign_in(account: ServiceAccount, *, timeout: float = TIMEOUT_SECONDS) -> AirflowApi:
    """The API, signed in to by the account; MissingConnectionError when its connection does not exist."""
    fields = connection_in_environment(account.conn_id) or {}
    if "://" in str(fields.get("host")) and fields.get("login") and fields.get("password"):
        return AirflowApi(fields["host"], fields["login"], fields["password"], timeout=timeout)
    found = connection(account.conn_id)
    host = str(found.host or "")
    if "://" not in host:  # a URI as the connection's value loses the scheme
        host = f"{found.schema or 'http'}://{host}"
        if found.port:
            host += f":{found.port}"
    if not (found.host and found.login and found.password):
        raise SettingsError(
            f"connection {account.conn_id!r} needs a host (the URL of Airflow's API server), a login and a "
            "password"
        )
    return AirflowApi(host, found.login, found.password, timeout=timeout)
