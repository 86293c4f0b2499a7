"""The services' environment: the same variables here and in ``docker-compose.yaml``.

Airflow's variables (``AIRFLOW__*``, ``AIRFLOW_CONN_*``) keep their meaning, and the caller's values override
the defaults below, except those that connect the services to each other (addresses and folders of this
stack).
"""

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from include.postgres import HOST
from include.private_files import private_folder
from include.service_accounts import ACCOUNTS, POOLS, RUNS
from include.settings import PROJECT, Settings, write_private

PREFIXES = ("AIRFLOW", "FIRMAMENT_", "PYTHONPATH")
ADMIN = "admin"
CONSOLE = "firmament_console"  # the console's login in PostgreSQL, and the id of its Airflow connection
USERS_VARIABLE = "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"
CONSOLE_VARIABLE = f"AIRFLOW_CONN_{CONSOLE.upper()}"
SERVICE_USERS = tuple(f"{account.login}:{account.role}" for account in ACCOUNTS)

# A task's token must be valid as long as the longest step: it cannot be renewed after an outage of the API
# server, and the task would be killed.
TASK_TOKEN_SECONDS = 12 * 3600


def service_environment(
    settings: Settings, *, warehouse: str, metadata: str, port: int, keys: Mapping[str, str]
) -> dict[str, str]:
    """The variables that the embedded stack and the compose file set."""
    address = f"http://{HOST}:{port}"
    return {
        "FIRMAMENT_HOME": str(settings.home),
        "FIRMAMENT_ROOT": settings.root,
        "FIRMAMENT_REGISTRY": str(settings.registry),
        "AIRFLOW_CONN_FIRMAMENT_WAREHOUSE": as_airflow_uri(warehouse),
        CONSOLE_VARIABLE: as_airflow_uri(as_login(warehouse, CONSOLE, keys[CONSOLE])),
        RUNS.variable: RUNS.as_connection(address, keys[RUNS.login]),
        POOLS.variable: POOLS.as_connection(address, keys[POOLS.login]),
        "AIRFLOW_HOME": str(settings.home / "airflow"),
        "PYTHONPATH": str(PROJECT),
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__API__SECRET_KEY": keys["secret_key"],
        "AIRFLOW__API_AUTH__JWT_SECRET": keys["jwt_secret"],
        "AIRFLOW__CORE__FERNET_KEY": keys["fernet_key"],
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # A pass over 1,000 firms takes 13 CPU seconds: Airflow's default of 30 s would use half a core. A new
        # firm's DAG appears within this time.
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
        # A task uses one core; two more may start while the scheduler is busy.
        "AIRFLOW__CORE__PARALLELISM": str(max(2, cores()) + 2),
        USERS_VARIABLE: ",".join([f"{ADMIN}:admin", *SERVICE_USERS]),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords_file(settings)),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": as_sqlalchemy_url(metadata),
        "AIRFLOW__EXECUTION_API__JWT_EXPIRATION_TIME": str(TASK_TOKEN_SECONDS),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(settings.logs / "tasks"),
        # A task's log may quote a row. Airflow's defaults are 0o775 and 0o664.
        "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS": "0o700",
        "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS": "0o600",
        "AIRFLOW__LOGGING__NAMESPACE_LEVELS": "great_expectations=WARNING",
        # Above the number of firms, or running scheduled runs starve a backfill.
        "AIRFLOW__SCHEDULER__MAX_DAGRUNS_PER_LOOP_TO_SCHEDULE": "2000",
        # The supervisor sends a heartbeat every 5 s; a killed task is noticed in under a minute.
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }


# Variables that connect the services to each other; the caller cannot override them.
OURS_ALONE = frozenset(
    {
        "FIRMAMENT_HOME",
        "FIRMAMENT_ROOT",
        "FIRMAMENT_REGISTRY",
        "AIRFLOW_HOME",
        "AIRFLOW_CONN_FIRMAMENT_WAREHOUSE",
        *(account.variable for account in ACCOUNTS),
        "AIRFLOW__API__HOST",
        "AIRFLOW__API__PORT",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE",
    }
)


def merge(own: Mapping[str, str], caller: Mapping[str, str]) -> dict[str, str]:
    """Our defaults, overridden by the caller's environment, except for ``OURS_ALONE``."""
    merged = {**own, **{name: value for name, value in caller.items() if name not in OURS_ALONE}}
    path = [own["PYTHONPATH"], *caller.get("PYTHONPATH", "").split(os.pathsep)]
    merged["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(filter(None, path)))
    users = [user for user in merged[USERS_VARIABLE].split(",") if user not in SERVICE_USERS]
    merged[USERS_VARIABLE] = ",".join([*users, *SERVICE_USERS])
    return merged


def fingerprint(environ: Mapping[str, str]) -> str:
    """A hash of the services' settings: when it changes they must be restarted."""
    ours = {name: value for name, value in environ.items() if name.startswith(PREFIXES)}
    return hashlib.sha256(json.dumps(ours, sort_keys=True).encode()).hexdigest()


def keys(settings: Settings) -> dict[str, str]:
    """Airflow's keys and the passwords of its users, made once and kept in a file of mode 0600."""
    path = settings.home / "airflow" / "keys.json"
    found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    made = {
        "secret_key": secrets.token_hex(32),
        "jwt_secret": secrets.token_hex(64),
        "fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "admin_password": secrets.token_urlsafe(12),
        **{account.login: secrets.token_urlsafe(24) for account in ACCOUNTS},
        CONSOLE: secrets.token_urlsafe(24),
    }
    if made.keys() <= found.keys():
        return found
    private_folder(path.parent)
    write_private(path, json.dumps({**made, **found}))
    return {**made, **found}


def passwords_file(settings: Settings) -> Path:
    """The file in which Airflow's simple auth manager stores its users' passwords."""
    return settings.home / "airflow" / "passwords.json"


def write_passwords(settings: Settings, passwords: Mapping[str, str]) -> None:
    """Give the users these passwords, and leave every other user's as it is."""
    path = passwords_file(settings)
    users = json.loads(path.read_text()) if path.exists() and path.stat().st_size else {}
    if any(users.get(name) != password for name, password in passwords.items()):
        private_folder(path.parent)
        write_private(path, json.dumps({**users, **passwords}))


def service_passwords(environ: Mapping[str, str]) -> dict[str, str]:
    """The service accounts' passwords, from their connections in the environment."""
    found = {}
    for account in ACCOUNTS:
        try:
            fields = json.loads(environ.get(account.variable, ""))
            login, password = fields["login"], fields["password"]
        except (ValueError, KeyError, TypeError):
            continue  # a connection of the operator's choice, or of another auth manager
        if login == account.login:
            found[login] = password
    return found


def as_airflow_uri(dsn: str) -> str:
    """A PostgreSQL URL in the form of Airflow's connections."""
    return "postgres://" + dsn.partition("://")[2]


def as_login(dsn: str, login: str, password: str) -> str:
    """The same database's URL for another login."""
    parts = urlsplit(dsn)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{login}:{password}@{place}"))


def as_sqlalchemy_url(dsn: str) -> str:
    """A PostgreSQL URL in the form of Airflow's metadata setting."""
    scheme, _, rest = dsn.partition("://")
    return dsn if "+" in scheme else f"postgresql+psycopg2://{rest}"


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 2
