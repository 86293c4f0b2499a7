"""Connections: what Airflow resolves in a task, a command resolves too, in the plainest of shells."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
from airflow.sdk.execution_time import task_runner
from airflow.sdk.execution_time.comms import DagRunStateResult, ErrorResponse
from psycopg.conninfo import conninfo_to_dict

from include.connections import (
    MissingConnectionError,
    UnansweredConnectionError,
    _not_found,
    apply_remembered_settings,
    connection,
    connection_uri,
    remember_services,
)
from include.settings import PROJECT, Settings, SettingsError


@pytest.mark.parametrize(
    ("value", "uri"),
    [
        ("postgres://user_1:p%40ss@h:5/d", "postgresql://user_1:p%40ss@h:5/d"),
        ("postgresql+psycopg2://user_1:secret@h:5/d", "postgresql://user_1:secret@h:5/d"),
        (
            '{"conn_type": "postgres", "login": "user_1", "password": "p@ss/word!", "host": "h", '
            '"port": 5, "schema": "d", "extra": {"sslmode": "require"}}',
            "postgresql://user_1:p%40ss%2Fword%21@h:5/d?sslmode=require",
        ),
        ('{"conn_type": "postgres", "host": "h"}', "postgresql://h"),
    ],
)
def test_a_variable_holds_a_uri_or_json(monkeypatch, value, uri):
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", value)

    assert connection_uri("shop") == uri


def test_options_of_airflows_postgres_hook_are_not_given_to_libpq(monkeypatch, postgres_server):
    place = conninfo_to_dict(postgres_server.dsn())
    fields = {
        "conn_type": "postgres", "login": place["user"], "password": place["password"], "host": place["host"],
        "port": int(place["port"]), "schema": place["dbname"],
        "extra": {"cursor": "dictcursor", "sqlalchemy_query": {"a": "b"}, "keepalives_idle": 30},
    }  # fmt: skip
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps(fields))

    uri = connection_uri("shop")

    with psycopg.connect(uri) as found:
        assert found.execute("select 1").fetchone() == (1,)
    assert conninfo_to_dict(uri) == place | {"keepalives_idle": "30"}


def test_a_postgres_that_takes_iam_tokens_gets_one_in_place_of_a_password(monkeypatch):
    key = {"login": "AKIAEXAMPLE", "password": "secret", "extra": {"region_name": "eu-west-1"}}
    monkeypatch.setenv("AIRFLOW_CONN_CLOUD", json.dumps({"conn_type": "aws", **key}))
    extra = {"iam": True, "aws_conn_id": "cloud", "sslmode": "require"}
    fields = {"conn_type": "postgres", "login": "reader", "host": "db.example.com", "schema": "shop"}
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps({**fields, "extra": extra}))

    found = conninfo_to_dict(connection_uri("shop"))

    token = found.pop("password")
    assert found == {
        "user": "reader", "host": "db.example.com", "port": "5432", "dbname": "shop", "sslmode": "require",
    }  # fmt: skip
    assert token.startswith("db.example.com:5432/?Action=connect&DBUser=reader")
    assert "X-Amz-Signature=" in token


def test_an_extra_may_be_nested(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", '{"conn_type": "aws", "extra": {"config_kwargs": {"a": 1}}}')

    assert connection("lake").extra_dejson == {"config_kwargs": {"a": 1}}


def test_a_broken_connection_is_named_without_its_secret(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", '{"password": "hunter2"')

    with pytest.raises(SettingsError, match="AIRFLOW_CONN_SHOP is neither") as error:
        connection("shop")

    assert "hunter2" not in str(error.value)


def test_an_unknown_connection_says_how_to_add_it():
    with pytest.raises(SettingsError, match=r"no connection 'absent'.*airflow connections add absent"):
        connection("absent")


def test_without_an_airflow_nothing_is_written_to_the_users_home(tmp_path):
    home, user = tmp_path / "firmament", tmp_path / "user"
    user.mkdir()
    script = "from include.connections import connection; connection('shop')"
    environ = {"HOME": str(user), "PYTHONPATH": str(PROJECT), "FIRMAMENT_HOME": str(home)}

    done = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=False
    )

    assert "no connection 'shop'" in done.stderr
    assert list(user.iterdir()) == []
    assert not list(home.rglob("*.db"))


def test_the_settings_of_the_services_are_for_their_owner_alone(tmp_path):
    (tmp_path / "airflow").mkdir()

    remember_services(Settings.read({"FIRMAMENT_HOME": str(tmp_path)}), {"AIRFLOW__CORE__FERNET_KEY": "k"})

    assert (tmp_path / "airflow" / "services.json").stat().st_mode & 0o777 == 0o600


def remember(home, **exported):
    (home / "airflow").mkdir()
    remember_services(Settings.read({"FIRMAMENT_HOME": str(home), **exported}), {"AIRFLOW__API__PORT": "1"})


def plain_shell(command, home, **exported):
    return subprocess.run(
        [sys.executable, "-m", "include", *command.split()],
        cwd=PROJECT,
        env={"FIRMAMENT_HOME": str(home), **exported},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", ["FIRMAMENT_WAREHOUSE_DSN", "AIRFLOW_CONN_FIRMAMENT_WAREHOUSE"])
def test_a_command_has_the_settings_that_make_up_was_started_with(tmp_path, name):
    remember(tmp_path, **{name: "postgresql://remembered/w"})

    plain = plain_shell("dsn", tmp_path)
    exported = plain_shell("dsn", tmp_path, FIRMAMENT_WAREHOUSE_DSN="postgresql://exported/w")
    as_connection = plain_shell("dsn", tmp_path, AIRFLOW_CONN_FIRMAMENT_WAREHOUSE="postgres://exported/w")

    assert plain.stdout.strip() == "postgresql://remembered/w?sslmode=require"
    assert (
        exported.stdout.strip() == as_connection.stdout.strip() == "postgresql://exported/w?sslmode=require"
    )


def test_a_command_writes_to_the_root_of_make_up_and_not_to_the_default(tmp_path, migrated_dsn):
    home, root = tmp_path / "home", tmp_path / "store"
    home.mkdir()
    remember(home, FIRMAMENT_ROOT=root.as_uri())

    done = plain_shell("doctor", home, FIRMAMENT_WAREHOUSE_DSN=migrated_dsn)

    assert f"{root.as_uri()}: one of" in done.stdout, done.stdout + done.stderr
    assert not (home / "handoffs").exists()


def test_neither_the_home_nor_a_fault_nor_a_password_is_remembered(tmp_path, monkeypatch):
    remember(
        tmp_path,
        FIRMAMENT_FAULT="step.before_work:1:raise",
        FIRMAMENT_AIRFLOW_PASSWORD="p",
        FIRMAMENT_MEMORY_MB="9",
    )
    path = tmp_path / "airflow" / "services.json"
    kept = json.loads(path.read_text())
    path.write_text(json.dumps({**kept, "FIRMAMENT_HOME": "/elsewhere"}))
    monkeypatch.setattr(os, "environ", {"FIRMAMENT_HOME": str(tmp_path)})

    apply_remembered_settings()

    assert kept == {"AIRFLOW__API__PORT": "1", "FIRMAMENT_MEMORY_MB": "9"}
    assert os.environ == {"FIRMAMENT_HOME": str(tmp_path), "FIRMAMENT_MEMORY_MB": "9"}


def test_a_broken_file_of_settings_stops_the_command(tmp_path):
    remember(tmp_path)
    (tmp_path / "airflow" / "services.json").write_text("{")

    done = plain_shell("dsn", tmp_path)

    assert done.returncode == 1
    assert "services.json cannot be read" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "command",
    ["dsn", "migrate", "firms list", "try {sales} --out {out}"],
)
def test_commands_on_the_warehouse_alone_import_no_airflow(command, migrated_dsn, tmp_path):
    sales = tmp_path / "sales.csv"
    lines = [f"o{n},c{n % 7},2026-0{1 + n % 9}-03,{5 + n % 4}.50" for n in range(60)]
    sales.write_text("transaction_id,customer_id,occurred_at,net_amount\n" + "\n".join(lines) + "\n")
    words = command.format(sales=sales, out=tmp_path / "out").split()
    script = (
        "import atexit, sys; from include.cli import app; "
        "atexit.register(lambda: print('LOADED', 'airflow' in sys.modules)); "
        f"app({words!r})"
    )

    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=PROJECT,
        env={**os.environ, "FIRMAMENT_WAREHOUSE_DSN": migrated_dsn, "FIRMAMENT_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "LOADED False" in done.stdout


class Supervisor:
    """The channel from a task to its supervisor: it gives one answer to each kind of request."""

    def __init__(self, **answers: object) -> None:
        self.answers = answers

    def send(self, msg: object) -> object:
        answer = self.answers[type(msg).__name__]
        if isinstance(answer, BaseException):
            raise answer
        return answer


NOT_FOUND = ErrorResponse(error=ErrorType.CONNECTION_NOT_FOUND)
DOWN = AirflowRuntimeError(ErrorResponse(error=ErrorType.API_SERVER_ERROR))


@pytest.mark.parametrize(
    ("answers", "backend", "error"),
    [
        ({"GetConnection": NOT_FOUND, "GetDagRunState": DagRunStateResult(state="running")}, "", True),
        ({"GetConnection": NOT_FOUND, "GetDagRunState": DOWN}, "", False),  # no database: also answers 404
        ({"GetConnection": DOWN}, "", False),
        (
            {"GetConnection": NOT_FOUND, "GetDagRunState": DagRunStateResult(state="running")},
            "a.Vault",
            False,
        ),
    ],
    ids=["missing", "no metastore", "no API server", "own secrets backend"],
)
def test_a_task_is_sure_that_a_connection_is_missing_only_if_airflows_database_answers(
    monkeypatch, answers, backend, error
):
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", Supervisor(**answers), raising=False)
    if backend:
        monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND", backend)
    instance = SimpleNamespace(
        dag_id="firm_acme", run_id="one", get_dagrun_state=task_runner.RuntimeTaskInstance.get_dagrun_state
    )
    monkeypatch.setattr("airflow.sdk.get_current_context", lambda: {"ti": instance})

    found = _not_found("nowhere")

    assert type(found) is (MissingConnectionError if error else UnansweredConnectionError)
