"""Who may see which firm: Airflow's session and its permission to read the firm's DAG.

A firm's key is the end of its DAG's id, so Airflow's own permission of the DAG decides. This is the only
file of the console that imports Airflow, inside functions: a change of Airflow's interface ends here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from include.settings import SettingsError

PREFIX = "firm_"
CONN_ID = "firmament_console"


class Permissions(Protocol):
    """What the API asks about the user of a request. Each method gives a FastAPI dependency."""

    def signed_in(self) -> Callable[..., Any]:
        """Refuse a request without a session (401)."""

    def reads_firm(self) -> Callable[..., Any]:
        """Refuse a user who may not read the DAG ``dag_id`` of the path (401, 403)."""

    def firms(self) -> Callable[..., set[str]]:
        """The keys of the firms whose DAGs the user may read (401 without a session)."""


class AirflowPermissions:
    """The permissions of the auth manager that this Airflow is configured with."""

    def signed_in(self) -> Callable[..., Any]:
        """Any signed-in user."""
        from airflow.api_fastapi.core_api.security import requires_authenticated

        return requires_authenticated()

    def reads_firm(self) -> Callable[..., Any]:
        """A user who may read the DAG in the path."""
        from airflow.api_fastapi.core_api.security import requires_access_dag

        return requires_access_dag("GET")

    def firms(self) -> Callable[..., set[str]]:
        """The firms of the DAGs that the user may read."""
        from airflow.api_fastapi.app import get_auth_manager
        from airflow.api_fastapi.core_api.security import get_user
        from fastapi import Depends

        def firms_of(user: Any = Depends(get_user)) -> set[str]:  # noqa: B008 FastAPI's own notation
            return firm_keys(get_auth_manager().get_authorized_dag_ids(user=user, method="GET"))

        return firms_of


def firm_keys(dag_ids: set[str]) -> set[str]:
    """The keys of the firms that these DAGs are of."""
    return {dag_id.removeprefix(PREFIX) for dag_id in dag_ids if dag_id.startswith(PREFIX)}


def console_dsn() -> str:
    """The warehouse's URL for the console; SettingsError without the connection ``firmament_console``."""
    from include.connections import connection_uri

    try:
        return connection_uri(CONN_ID)
    except SettingsError as error:
        raise SettingsError(f"the console has no login to the warehouse: {error}") from None
