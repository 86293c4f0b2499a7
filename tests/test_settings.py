"""Where things are, and what is said when they are nowhere."""

import json
import os
import subprocess
import sys

import pytest

from include.settings import PROJECT, Settings, SettingsError


def test_every_path_is_under_the_project_unless_a_variable_sets_it():
    settings = Settings.read({})

    assert settings.home == PROJECT / ".firmament"
    assert settings.root == f"file://{PROJECT}/.firmament/handoffs"
    assert settings.registry == PROJECT / ".firmament" / "registry.json"


def test_the_environment_moves_each_thing(tmp_path):
    environ = {
        "FIRMAMENT_HOME": str(tmp_path),
        "FIRMAMENT_ROOT": "s3://store@bucket/handoffs",
        "FIRMAMENT_REGISTRY": str(tmp_path / "elsewhere.json"),
    }

    settings = Settings.read(environ)

    assert settings.home == tmp_path
    assert settings.root == "s3://store@bucket/handoffs"
    assert settings.registry == tmp_path / "elsewhere.json"


def test_an_empty_variable_counts_as_not_set():
    settings = Settings.read({"FIRMAMENT_HOME": "", "FIRMAMENT_ROOT": "", "FIRMAMENT_REGISTRY": ""})

    assert (settings.home, settings.root) == (Settings.read({}).home, Settings.read({}).root)
    assert settings.registry == Settings.read({}).registry


def test_the_warehouse_variable_goes_before_the_connection():
    environ = {
        "FIRMAMENT_WAREHOUSE_DSN": "postgresql://a@one/db",
        "AIRFLOW_CONN_FIRMAMENT_WAREHOUSE": "postgres://a@two/db",
    }

    assert Settings.read(environ).warehouse_dsn() == "postgresql://a@one/db?sslmode=require"


def test_the_connection_serves_where_the_variable_is_not_set(tmp_path):
    environ = {
        "FIRMAMENT_HOME": str(tmp_path),
        "AIRFLOW_CONN_FIRMAMENT_WAREHOUSE": "postgres://a:p@two:5433/db",
    }

    assert Settings.read(environ).warehouse_dsn() == "postgresql://a:p@two:5433/db?sslmode=require"


def test_the_embedded_server_serves_where_nothing_is_set(postgres_server, tmp_path):
    (tmp_path / "postgres").symlink_to(postgres_server.folder)

    dsn = Settings.read({"FIRMAMENT_HOME": str(tmp_path)}).warehouse_dsn()

    assert dsn == postgres_server.dsn()


def test_no_warehouse_is_an_error_that_names_the_command(tmp_path):
    with pytest.raises(SettingsError, match="make up"):
        Settings.read({"FIRMAMENT_HOME": str(tmp_path)}).warehouse_dsn()


def test_the_state_of_a_dead_server_is_not_believed(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (tmp_path / "postgres").mkdir()
    state = {"dsn": "postgresql://gone", "pid": ended.pid, "port": 1}
    (tmp_path / "postgres" / "server.json").write_text(json.dumps(state))

    with pytest.raises(SettingsError, match="no embedded server runs"):
        Settings.read({"FIRMAMENT_HOME": str(tmp_path)}).warehouse_dsn()


def test_a_live_process_that_only_has_the_servers_old_pid_is_not_believed(tmp_path):
    (tmp_path / "postgres").mkdir()
    state = {"dsn": "postgresql://gone", "pid": os.getpid(), "port": 1, "started": "before the reboot"}
    (tmp_path / "postgres" / "server.json").write_text(json.dumps(state))

    with pytest.raises(SettingsError, match="no embedded server runs"):
        Settings.read({"FIRMAMENT_HOME": str(tmp_path)}).warehouse_dsn()


def test_the_warehouse_connection_may_be_json():
    value = (
        '{"conn_type": "postgres", "login": "u", "password": "p@ss", "host": "h", "port": 5, "schema": "d"}'
    )

    dsn = Settings.read({"AIRFLOW_CONN_FIRMAMENT_WAREHOUSE": value}).warehouse_dsn()

    assert dsn == "postgresql://u:p%40ss@h:5/d?sslmode=require"


def test_a_broken_warehouse_connection_is_named_without_its_secret():
    settings = Settings.read({"AIRFLOW_CONN_FIRMAMENT_WAREHOUSE": '{"password": "hunter2"'})

    with pytest.raises(SettingsError, match="AIRFLOW_CONN_FIRMAMENT_WAREHOUSE is neither") as error:
        settings.warehouse_dsn()

    assert "hunter2" not in str(error.value)


def test_passwords_are_not_in_the_repr():
    settings = Settings.read({"FIRMAMENT_WAREHOUSE_DSN": "postgresql://u:hunter2@h/d"})

    assert "hunter2" not in repr(settings)


def test_importing_the_settings_loads_the_standard_library_alone():
    script = "import sys, include.settings; print(*sys.modules)"

    done = subprocess.run(
        [sys.executable, "-S", "-c", script], cwd=PROJECT, capture_output=True, text=True, check=True
    )

    names = {name.partition(".")[0] for name in done.stdout.split()}
    assert names - set(sys.stdlib_module_names) - {"__main__", "include"} == set()


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://u@127.0.0.1:5432/d", "postgresql://u@localhost/d", "postgresql://u@[::1]/d",
        "postgresql:///d?host=/run/postgresql", "postgresql://u@h/d?sslmode=verify-full",
        "postgresql://u@h/d?connect_timeout=3&sslmode=disable", "host=h dbname=d",
    ],
)  # fmt: skip
def test_a_local_warehouse_and_one_with_an_sslmode_keep_their_url(dsn):
    assert Settings.read({"FIRMAMENT_WAREHOUSE_DSN": dsn}).warehouse_dsn() == dsn


def test_tls_is_required_of_a_warehouse_on_another_host_unless_it_is_allowed_without():
    dsn = "postgresql://u@h/d?connect_timeout=3"

    assert Settings.read({"FIRMAMENT_WAREHOUSE_DSN": dsn}).warehouse_dsn() == f"{dsn}&sslmode=require"
    for name, text in {"FIRMAMENT_ALLOW_PLAINTEXT": "1", "PGSSLMODE": "prefer"}.items():
        assert Settings.read({"FIRMAMENT_WAREHOUSE_DSN": dsn, name: text}).warehouse_dsn() == dsn
