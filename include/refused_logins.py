"""Recognise that a database server refused a login, from the errors of its driver.

libpq gives no SQLSTATE when a login fails. Its message has the server's text, in the server's language
(``lc_messages``); only English is recognised. In another language such a login is retried.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

SQLSTATES = (
    "28P01",  # wrong password
    "28000",  # the role does not exist or may not log in
    "3D000",  # no such database
)
POSTGRES = re.compile(
    r"password authentication failed|no password supplied|SASL authentication failed|no pg_hba\.conf entry"
    r"|role \".*\" does not exist|role \".*\" is not permitted to log in|database \".*\" does not exist"
    r"|permission denied for database"
)
ORACLE = re.compile(
    r"\b("
    r"ORA-01005|ORA-01017|DPY-3001|DPY-4000|DPY-4001"  # no or a wrong password, no user
    r"|ORA-01045|ORA-28000|ORA-28001"  # may not open a session, account locked, password expired
    r"|ORA-12154|DPY-4026|DPY-4027"  # the name of the database cannot be resolved
    r")\b"
)
DRIVERS = ("psycopg", "adbc_driver_manager", "oracledb")


def is_refused_login(error: BaseException) -> bool:
    """Whether a driver of Postgres or Oracle, somewhere in the chain, reports that the login was refused."""
    return any(_is_refused(one) for one in chain(error))


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and those that it was raised from or while handling."""
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or found.__context__


def _is_refused(error: BaseException) -> bool:
    if type(error).__module__.partition(".")[0] not in DRIVERS:
        return False
    if getattr(error, "sqlstate", None) in SQLSTATES:
        return True
    return bool(POSTGRES.search(str(error)) or ORACLE.search(str(error)))
