"""A connection that only Airflow has: a command in a plain shell finds it as a task does."""

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import psycopg
import pytest

from include.connections import remember_services
from include.firms import parse_firm
from include.incidents.causes import cause_of_error
from include.incidents.opening import Failure, record
from include.registry import read_registry, sync_firms
from include.runbook import rerun_command
from include.settings import PROJECT, Settings
from include.source_errors import SourceError
from include.steps import steps_for
from include.warehouse import Warehouse
from tests.sources.shop import LINE, ORDER


@pytest.fixture(scope="module")
def metastore(postgres_server, tmp_path_factory):
    """A home whose Airflow has a real metastore, described by nothing but the home's own file."""
    home = tmp_path_factory.mktemp("firmament")
    (home / "airflow").mkdir()
    database = postgres_server.dsn("metastore")
    with psycopg.connect(postgres_server.dsn("postgres"), autocommit=True) as server:
        server.execute("create database metastore")
    services = {
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database.replace("postgresql://", "postgresql+psycopg2://"),
        "AIRFLOW__CORE__FERNET_KEY": "mVnUbR1l3NNmKq1ZJ2nCYtRjCvFvHq0cFqkxwB8lJ1Q=",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    airflow(services, "db", "migrate")
    remember_services(Settings.read({"FIRMAMENT_HOME": str(home)}), services)
    return home, services


def airflow(services: dict[str, str], *words: str) -> None:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    done = subprocess.run(
        [sys.executable, "-m", "airflow", *words],
        env={**plain, **services},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def plain_shell(command: str, home: Path, tmp_path: Path, **environ: str) -> subprocess.CompletedProcess:
    """Run a command as an on-call person does: project folder, PATH and HOME, where the home is, no more."""
    kept = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "FIRMAMENT_HOME": str(home),
        **environ,
    }
    words = ["env", "-i", *[f"{name}={value}" for name, value in kept.items()], "sh", "-c", command]
    return subprocess.run(words, cwd=PROJECT, env={}, capture_output=True, text=True, check=False)


@pytest.fixture
def shop_in_the_metastore(metastore, shop, migrated_dsn):
    """A firm whose source's connection is in the metastore alone."""
    home, services = metastore
    shop.create()
    shop.run(ORDER + "('o1', 'a', '2026-11-03Z')", LINE + "('o1', '1', 'p', 1, 5, 0)")
    airflow(services, "connections", "add", "kept_shop", "--conn-uri", shop.dsn)
    row = {
        "firm_key": "acme",
        "name": "Acme",
        "source": {"kind": "postgres", "conn_id": "kept_shop", "schema": "shop"},
        "timezone": "UTC",
        "currency": "GBP",
        "working_day_period": 1,
        "churn_threshold_days": 60,
        "modules": ["rfm"],
    }
    with Warehouse(migrated_dsn) as warehouse:
        warehouse.firms.save_firm(parse_firm(row), "a test")
        sync_firms(warehouse.firms, home / "registry.json")
    yield home, migrated_dsn
    airflow(services, "connections", "delete", "kept_shop")


def test_the_printed_rerun_finds_a_connection_that_only_the_metastore_has(shop_in_the_metastore, tmp_path):
    home, dsn = shop_in_the_metastore
    printed = rerun_command("acme", "2026-11-21", from_step=steps_for(("rfm",))[0].name)

    done = plain_shell(
        f"{printed} && python -m include doctor acme", home, tmp_path, FIRMAMENT_WAREHOUSE_DSN=dsn
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "extract_transactions" in done.stdout
    assert "postgres: sales since 2026-11" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_command_of_a_message_reruns_a_firm_whose_connection_only_the_metastore_has(
    shop_in_the_metastore, tmp_path, monkeypatch
):
    home, dsn = shop_in_the_metastore
    monkeypatch.setenv("FIRMAMENT_HOME", str(home))
    monkeypatch.setenv("FIRMAMENT_WAREHOUSE_DSN", dsn)
    (firm,) = read_registry(home / "registry.json")
    cause = cause_of_error(SourceError("cannot connect"), firm)
    failure = Failure(
        firm, "SourceError: cannot connect", "http://log", date(2026, 11, 21), "extract.products"
    )
    assert record(cause, failure, Settings.read())
    listed = plain_shell("python -m include incidents", home, tmp_path, FIRMAMENT_WAREHOUSE_DSN=dsn)
    command = listed.stdout.rpartition("fix: ")[2].strip()

    done = plain_shell(command, home, tmp_path, FIRMAMENT_WAREHOUSE_DSN=dsn)
    after = plain_shell("python -m include incidents", home, tmp_path, FIRMAMENT_WAREHOUSE_DSN=dsn)

    assert (listed.returncode, "source kept_shop cannot be reached" in listed.stdout) == (1, True)
    assert command == "python -m include incidents resolve 1 --rerun"
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Airflow's API does not answer, so the snapshots run in this process" in done.stdout
    assert "acme as of 2026-11-21: " in done.stdout
    assert (after.returncode, after.stdout) == (0, "no incident is open\n")


def test_a_printed_airflow_command_reaches_this_installations_airflow(metastore, tmp_path):
    home, _ = metastore
    added = plain_shell(
        "python -m include airflow connections add printed --conn-uri postgres://u:p@h/d", home, tmp_path
    )
    got = plain_shell("python -m include airflow connections get printed -o plain", home, tmp_path)

    assert added.returncode == 0, added.stderr
    assert "postgres" in got.stdout


def test_a_secrets_backend_has_priority(metastore, tmp_path):
    home, services = metastore
    kept = tmp_path / "connections.json"
    kept.write_text(json.dumps({"kept_shop": "postgres://user_1:secret@elsewhere/shop"}))
    remember_services(
        Settings.read({"FIRMAMENT_HOME": str(home)}),
        {
            **services,
            "AIRFLOW__SECRETS__BACKEND": "airflow.secrets.local_filesystem.LocalFilesystemBackend",
            "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps({"connections_file_path": str(kept)}),
        },
    )
    ask = "from include.connections import connection_uri; print(connection_uri('kept_shop'))"

    done = plain_shell(f'python -c "{ask}"', home, tmp_path)
    remember_services(Settings.read({"FIRMAMENT_HOME": str(home)}), services)

    assert "postgresql://user_1:secret@elsewhere/shop" in done.stdout, done.stderr


def test_an_exported_variable_wins_over_the_metastore(shop_in_the_metastore, tmp_path):
    home, _ = shop_in_the_metastore
    ask = "from include.connections import connection_uri; print(connection_uri('kept_shop'))"

    done = plain_shell(
        f'python -c "{ask}"', home, tmp_path, AIRFLOW_CONN_KEPT_SHOP="postgres://user_1:secret@mine/shop"
    )

    assert "postgresql://user_1:secret@mine/shop" in done.stdout, done.stderr
