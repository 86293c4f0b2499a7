"""Who may see which firm: three groups, row-level security, and the logins that are let in.

The console has a login of its own, ``firmament_console``, which sees the firms that its transaction names.

``secure`` makes good whatever a new table or view lacks; every migration ends with it. It asks
``sql/access/*.sql``, each of which selects the statements still to be executed, and so none when all
is well. The groups belong to the server, everything else to the database.
"""

from __future__ import annotations

import logging
import re

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from include import sql_text
from include.warehouse.errors import UnknownFirm, WarehouseError
from include.warehouse.session import Row, Session

ROLES = ("platform", "analyst", "outreach")
CONSOLE = "firmament_console"  # the login of the console
EVERY_FIRM = "*"  # what the role platform is granted
LOCK = 7_308  # advisory lock class: one change of grants at a time
LOGIN = re.compile(r"[a-z_][a-z0-9_.@-]{0,62}")

log = logging.getLogger(__name__)


class AccessError(WarehouseError):
    """Access cannot be granted so; the message says what to do."""


def secure(connection: psycopg.Connection[Row]) -> list[str]:
    """Close every firm's tables and open them to the groups; the statements that were executed.

    A role that may not create groups still closes the tables: only their owner reads them then.
    """
    done = []
    for name in ("roles", "policies", "grants"):
        if name not in sql_text.names("access"):
            continue
        for row in connection.execute(sql_text.read("access", name)).fetchall():
            try:
                with connection.transaction():
                    connection.execute("set local lock_timeout = '30s'")
                    connection.execute(row["to_do"])
            except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
                continue  # another database of this server made the group at the same moment
            except psycopg.errors.InsufficientPrivilege:
                if name != "roles":
                    raise
                log.warning("%s", how_to_make_groups(connection))
                break
            done.append(row["to_do"])
    return done + limit_logins(connection)


def limit_logins(connection: psycopg.Connection[Row]) -> list[str]:
    """Let only logins with a grant connect, analysts with a time limit; the statements that were executed."""
    done = []
    if "logins" in sql_text.names("access"):
        for row in connection.execute(sql_text.read("access", "logins")).fetchall():
            try:
                with connection.transaction():
                    connection.execute(row["to_do"])
            except psycopg.errors.InsufficientPrivilege:
                log.warning("this role may not: let an administrator run: %s", row["to_do"])
                continue
            done.append(row["to_do"])
    return done


def how_to_make_groups(connection: psycopg.Connection[Row]) -> str:
    """The statements a server administrator must run if this role may not create roles."""
    row = connection.execute("select current_user::text as owner").fetchone()
    owner = row["owner"] if row else "the warehouse's owner"
    made = "; ".join(f"create role firmament_{role} nologin" for role in ROLES)
    made += f"; create role {CONSOLE} login"
    granted = ", ".join(f"firmament_{role}" for role in ROLES)
    return (
        f'role "{owner}" may not create roles, so no other role can read the warehouse. Let an administrator '
        f'run: {made}; grant {granted} to "{owner}" with admin option; and then: python -m include migrate'
    )


class Access(Session):
    """Logins that are let in, firm by firm; every change leaves a row in ``control.audit``."""

    def grant(self, firm_key: str, login: str, role: str, actor: str) -> bool:
        """Let a login see a firm; whether the login had to be made, without a password."""
        self._check(firm_key, login, role)
        with self.clear_errors(f"access of {login} to {firm_key}"), self.connection.transaction():
            self._check_groups()
            is_new = self._make(login)
            for group in _groups(role):
                self._join(group, login)
            self.connection.execute(
                "insert into control.access (login_name, firm_key, role_name, granted_by) "
                "values (%s, %s, %s, %s) on conflict do nothing",
                [login, firm_key, role, actor],
            )
            self._replan()
            limit_logins(self.connection)
            self._write_down(actor, f"grant {role}", firm_key, login)
        return is_new

    def revoke(self, firm_key: str, login: str, actor: str, role: str | None = None) -> int:
        """Take from a login what it was granted of a firm, at once; how many roles that were."""
        with self.clear_errors(f"access of {login} to {firm_key}"), self.connection.transaction():
            gone = self.connection.execute(
                "delete from control.access where login_name = %s and firm_key = %s "
                "and role_name = coalesce(%s, role_name) returning role_name",
                [login, firm_key, role],
            ).fetchall()
            left = self.connection.execute(
                "select role_name from control.access where login_name = %s", [login]
            ).fetchall()
            kept = {group for row in left for group in _groups(row["role_name"])}
            for row in gone:
                for group in sorted(set(_groups(row["role_name"])) - kept):
                    self.connection.execute(
                        sql.SQL("revoke {} from {}").format(sql.Identifier(group), sql.Identifier(login))
                    )
                self._write_down(actor, f"revoke {row['role_name']}", firm_key, login)
            if gone and not left:
                self._disconnect(login)
        return len(gone)

    def open_console(self, password: str) -> None:
        """Give the console's login this password; only its hash is sent to the server."""
        self._check_groups()
        hashed = self.connection.pgconn.encrypt_password(
            password.encode(), CONSOLE.encode(), b"scram-sha-256"
        ).decode()
        statement = sql.SQL("alter role {} login password {}").format(
            sql.Identifier(CONSOLE), sql.Literal(hashed)
        )
        try:
            self.connection.execute(statement)
        except psycopg.errors.InsufficientPrivilege:
            raise AccessError(
                f"this role may not set the password of {CONSOLE}; let an administrator run in psql: "
                f"\\password {CONSOLE}, with the password of the connection {CONSOLE}"
            ) from None
        limit_logins(self.connection)

    def granted(self) -> list[Row]:
        """Every grant: ``login_name, firm_key, role_name, granted_at, granted_by``."""
        return self.rows(
            "select login_name, firm_key, role_name, granted_at, granted_by from control.access "
            "order by firm_key, login_name, role_name"
        )

    def _check(self, firm_key: str, login: str, role: str) -> None:
        if role not in ROLES:
            raise AccessError(f"there is no such role; there are {', '.join(ROLES)}")
        if (role == "platform") != (firm_key == EVERY_FIRM):
            raise AccessError(
                f"the role platform is granted of every firm, written '{EVERY_FIRM}', and only it"
            )
        if not LOGIN.fullmatch(login) or login.startswith(("pg_", "firmament_")):
            raise AccessError(
                "a login is up to 63 lower case letters, digits and _.@-, "
                "and begins with neither pg_ nor firmament_"
            )
        known = self.rows("select firm_key from control.firms where firm_key = %s", [firm_key])
        if firm_key != EVERY_FIRM and not known:
            raise UnknownFirm(f"no firm {firm_key!r}; see them: python -m include firms list")

    def _disconnect(self, login: str) -> None:
        """Take the right to connect from a login without a grant; its open sessions stay."""
        for row in self.connection.execute(
            "select format('revoke connect on database %%I from %%I', datname, %s::text) as to_do "
            "from pg_catalog.pg_database where datname = current_database() "
            "and pg_has_role(current_user, datdba, 'usage')",
            [login],
        ).fetchall():
            self.connection.execute(row["to_do"])

    def _replan(self) -> None:
        """Invalidate the cached plans of every session: a plan has the login's firms as constants.

        Any change of a function invalidates the plans that call it. A revoked firm needs no new plan: the
        policies also test the firm when a statement starts.
        """
        self.connection.execute("select pg_advisory_xact_lock(%s, 0)", [LOCK])
        for function in ("visible_firms(text)", "visible_firm_keys()"):
            self.connection.execute(f"alter function control.{function} cost 100")

    def _check_groups(self) -> None:
        if self.connection.execute(sql_text.read("access", "roles")).fetchall():
            raise AccessError(how_to_make_groups(self.connection))

    def _join(self, group: str, login: str) -> None:
        try:
            with self.connection.transaction():
                self.connection.execute(
                    sql.SQL("grant {} to {}").format(sql.Identifier(group), sql.Identifier(login))
                )
        except psycopg.errors.InsufficientPrivilege:
            raise AccessError(
                f"this role may not grant {group}; let an administrator run: grant {group} to {login}; "
                f'or, once for all logins: grant {group} to "{self._owner()}" with admin option'
            ) from None

    def _owner(self) -> str:
        row = self.connection.execute("select current_user::text as owner").fetchone()
        return str(row["owner"]) if row else "the owner"

    def _make(self, login: str) -> bool:
        """See that the login is there and that row-level security binds it."""
        found = self.connection.execute(
            "select rolsuper or rolbypassrls as is_above, rolcanlogin, "
            "exists (select from pg_catalog.pg_class where oid = 'analytics.dim_firm'::regclass "
            "and pg_has_role(r.oid, relowner, 'member')) as is_owner, "
            "pg_has_role(r.oid, 'pg_read_all_data', 'member') as reads_all "
            "from pg_catalog.pg_roles as r where rolname = %s",
            [login],
        ).fetchone()
        if found is None:
            try:
                with self.connection.transaction():
                    self.connection.execute(sql.SQL("create role {} login").format(sql.Identifier(login)))
            except psycopg.errors.InsufficientPrivilege:
                raise AccessError(
                    f"there is no login {login} and this role may not make one; let an administrator run: "
                    f'create role "{login}" login; and then grant again'
                ) from None
            return True
        if found["is_above"] or found["is_owner"] or found["reads_all"]:
            raise AccessError(
                f"{login} is a superuser, bypasses row-level security, reads all data or owns the warehouse: "
                "it would see every firm. Grant an ordinary login"
            )
        if not found["rolcanlogin"]:
            raise AccessError(
                f"{login} is a group, not a login; rows are shown by the login: grant each member"
            )
        return False

    def _write_down(self, actor: str, change: str, firm_key: str, login: str) -> None:
        self.connection.execute(
            "insert into control.audit (actor, change_made, firm_key, changed_to) values (%s, %s, %s, %s)",
            [actor, change, firm_key, Jsonb({"login": login})],
        )


def _groups(role: str) -> tuple[str, ...]:
    """An outreach login sees what an analyst sees, and contacts."""
    return ("firmament_analyst", "firmament_outreach") if role == "outreach" else (f"firmament_{role}",)
