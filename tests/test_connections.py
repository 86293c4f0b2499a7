"""Connections: what Airflow resolves in a task, a command resolves too, in the plainest of shells."""

import os
import subprocess
import sys

import pytest

from include.connections import connection, connection_uri, remember_services
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
