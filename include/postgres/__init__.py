"""The embedded PostgreSQL: a real server from a wheel, started and stopped by pg_ctl.

``start(folder)`` creates a cluster the first time, then starts it on 127.0.0.1 and returns a
:class:`Server`. Contents of ``folder``:

| file | holds |
| --- | --- |
| ``data/`` | the cluster |
| ``password`` | the superuser's generated password; mode 0600 |
| ``server.json`` | address and pid while it runs; mode 0600 |

The server listens only on TCP and every connection needs the password. PostgreSQL refuses to run as root,
so root starts it as the user ``nobody`` or, if ``nobody`` cannot access the files, in a user namespace.
"""

import contextlib
import json
import os
import secrets
import shutil
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from include.postgres.account import Account, PostgresError, program
from include.private_files import private_folder
from include.processes import folder_of, is_alive, started_at
from include.settings import embedded_server, write_private

HOST = "127.0.0.1"
USER = "firmament"
DATABASE = "firmament"
START_SECONDS = 60  # includes crash recovery of a large cluster
REAP_SECONDS = 3  # until init reaps a dead server and its children end
OPTIONS = {
    "max_connections": "200",  # Airflow's services with their pools, tasks and analysts
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",  # loads write in bursts
    "jit": "off",  # costs more than it gains on queries of this size
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m[%p]",
    "lc_messages": "C",
}

__all__ = [
    "PostgresError",
    "Server",
    "create_database",
    "create_database_at",
    "drop_database",
    "free_port",
    "program",
    "running",
    "start",
    "stop",
]


@dataclass(frozen=True)
class Server:
    """A running embedded server."""

    folder: Path
    port: int
    password: str
    pid: int

    def dsn(self, database: str = DATABASE) -> str:
        """The URL of one of its databases."""
        return f"postgresql://{USER}:{self.password}@{HOST}:{self.port}/{database}"

    def __repr__(self) -> str:
        """Without the password."""
        return f"Server({self.folder}, {HOST}:{self.port}, pid {self.pid})"


def start(
    folder: Path,
    *,
    port: int | None = None,
    log: Path | None = None,
    options: Mapping[str, str] | None = None,
) -> Server:
    """Start the server of ``folder``, or return the running one.

    Without ``port`` the previous port is used if it is free, else any free port. ``options`` are server
    settings that override :data:`OPTIONS`.
    """
    folder = folder.resolve()
    if (server := running(folder)) is not None:
        return server
    private_folder(folder.parent)
    # PostgreSQL does not run as root: another user must be able to enter the folder.
    folder.mkdir(exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
    if (pid := _postmaster(folder)) is not None:  # it runs, but server.json is missing
        return _note(folder, pid)
    account = Account.of(folder)
    if not (folder / "data" / "PG_VERSION").exists():
        _create_cluster(folder, account)
    log = log or folder / "log"
    private_folder(log.parent)
    log.touch(0o600)
    port = _choose_port(folder, port)
    arguments = {
        **OPTIONS,
        **(options or {}),
        "listen_addresses": HOST,
        "port": str(port),
        "unix_socket_directories": "",
    }
    settings = " ".join(f"-c {name}={value or chr(39) * 2}" for name, value in arguments.items())
    logged = log.stat().st_size
    done = account.run(
        "pg_ctl", "start", "-w", "-t", str(START_SECONDS), "-s",
        "-D", str(folder / "data"), "-o", settings,
        output=log,
    )  # fmt: skip
    if done.returncode:
        with log.open(errors="replace") as lines:
            lines.seek(logged)
            message = lines.read()
        raise PostgresError(
            f"PostgreSQL in {folder} did not start on {HOST}:{port}:\n"
            f"{_tail(message)}\nIts log is {log}. To use another port, set FIRMAMENT_POSTGRES_PORT"
        )
    pid = _postmaster(folder)
    if pid is None:
        raise PostgresError(f"PostgreSQL in {folder} started and ended at once; see {log}")
    server = _note(folder, pid)
    create_database(server, DATABASE)
    return server


def running(folder: Path) -> Server | None:
    """The running server of ``folder``, or None."""
    folder = folder.resolve()
    state = embedded_server(folder)
    if state is None or not (folder / "data" / "postmaster.pid").exists():
        return None
    password = (folder / "password").read_text()
    return Server(folder, int(str(state["port"])), password, int(str(state["pid"])))


def stop(folder: Path, *, mode: str = "fast", seconds: float = 60) -> bool:
    """Stop the server of ``folder`` and wait until it has ended; False if none was running.

    ``mode`` is pg_ctl's: ``fast`` ends sessions and writes a checkpoint, ``immediate`` is like a crash.
    """
    folder = folder.resolve()
    if not (folder / "data" / "postmaster.pid").exists():
        (folder / "server.json").unlink(missing_ok=True)
        return False
    done = Account.of(folder).run(
        "pg_ctl", "stop", "-w", "-s", "-t", str(int(seconds)), "-m", mode,
        "-D", str(folder / "data"),
    )  # fmt: skip
    if done.returncode and running(folder) is not None:
        if mode == "immediate":
            raise PostgresError(f"PostgreSQL in {folder} did not stop: {_tail(done.stderr)}")
        return stop(folder, mode="immediate", seconds=seconds)
    (folder / "server.json").unlink(missing_ok=True)
    return done.returncode == 0


def create_database(server: Server, name: str, *, template: str | None = None) -> str:
    """Create the database if it is missing, as a copy of ``template``; its URL."""
    create_database_at(server.dsn("postgres"), name, template=template)
    return server.dsn(name)


def create_database_at(dsn: str, name: str, *, template: str | None = None, private: bool = False) -> None:
    """Create a database on the server of ``dsn`` if it is missing, as a copy of ``template``.

    With ``private`` only its owner and superusers may connect, also if the database already existed.
    """
    import psycopg
    from psycopg import sql

    with psycopg.connect(dsn, autocommit=True) as connection:
        with contextlib.suppress(psycopg.errors.DuplicateDatabase):
            # Copy the template's files: the default, page by page through the WAL, takes five times as long.
            made = sql.SQL("create database {} template {} strategy file_copy")
            connection.execute(made.format(sql.Identifier(name), sql.Identifier(template or "template1")))
        if private:
            closed = sql.SQL("revoke connect, temporary on database {} from public")
            connection.execute(closed.format(sql.Identifier(name)))


def drop_database(server: Server, name: str) -> None:
    """Drop the database and end its sessions."""
    import psycopg
    from psycopg import sql

    with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def _create_cluster(folder: Path, account: Account) -> None:
    data = folder / "data"
    if data.exists():  # left by an interrupted creation
        shutil.rmtree(data)
    data.mkdir(mode=0o700)
    account.own(data)
    password = folder / "password"
    write_private(password, secrets.token_hex(16))
    account.own(password)
    # C.UTF-8 is built into the server since 17: the same order and case rules on every machine.
    version = int(account.run("postgres", "--version").stdout.split()[2].split(".")[0])
    locale = ["--locale-provider=builtin", "--locale=C.UTF-8", "--lc-collate=C", "--lc-ctype=C"]
    done = account.run(
        "initdb", "--pgdata", str(data), "--username", USER, "--pwfile", str(password),
        "--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions",
        *(locale if version >= 17 else ["--locale=C"]),
    )  # fmt: skip
    if done.returncode:
        shutil.rmtree(data, ignore_errors=True)
        raise PostgresError(f"initdb failed in {data}:\n{_tail(done.stderr or done.stdout)}")


def _note(folder: Path, pid: int) -> Server:
    """Write the server's address and pid to server.json, for other processes."""
    port = int((folder / "data" / "postmaster.pid").read_text().splitlines()[3])
    server = Server(folder, port, (folder / "password").read_text(), pid)
    state = {"dsn": server.dsn(), "port": port, "pid": pid, "started": started_at(pid)}
    write_private(folder / "server.json", json.dumps(state))
    return server


def _postmaster(folder: Path) -> int | None:
    """The pid of the cluster's server; a stale lock file is removed.

    PostgreSQL treats any process with the pid of its lock file as a server: a zombie that no init reaps or,
    after a reboot, an unrelated process.
    """
    lock = folder / "data" / "postmaster.pid"
    deadline = time.monotonic() + REAP_SECONDS
    while True:
        try:
            pid = int(lock.read_text().split()[0])
            os.kill(pid, 0)
            home = folder_of(pid) if is_alive(pid) else None
        except (FileNotFoundError, IndexError, ValueError, ProcessLookupError):
            return None
        except PermissionError:
            return None  # another user's process; PostgreSQL checks this too
        if home == lock.parent:
            return pid
        if home is not None or time.monotonic() > deadline:
            lock.unlink()
            return None
        time.sleep(0.05)


def _choose_port(folder: Path, wanted: int | None) -> int:
    if wanted:
        return wanted
    remembered = folder / "port"
    last = int(remembered.read_text()) if remembered.exists() else 0
    port = free_port(last)
    write_private(remembered, str(port))
    return port


def free_port(wanted: int = 0) -> int:
    """``wanted`` if nothing listens on it, else any free port of 127.0.0.1."""
    for port in (wanted, 0) if wanted else (0,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise PostgresError(f"no free port on {HOST}")


def _tail(text: str, lines: int = 15) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])
