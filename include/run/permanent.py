"""Decide which errors are permanent: a retry cannot succeed, so a task ends at once and its alert is sent.

Everything else is retried: a server that is down, a lost connection, a full disk, an Airflow without its
database.

libpq gives no SQLSTATE when a login fails. Its message has the server's text, in the server's language
(``lc_messages``); only English is recognised. In another language such a login is retried.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from include.connections import MissingConnectionError
from include.datasets import AmountError
from include.firms import FirmError
from include.quality import QualityError
from include.schedule import AsOfError

VERDICTS = (AsOfError, FirmError, QualityError, AmountError, MissingConnectionError)
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


def is_permanent(error: BaseException) -> bool:
    """Whether a retry would end in the same error: wrong data, a wrong row, or a refused login."""
    return isinstance(error, VERDICTS) or any(_is_refused_login(one) for one in _chain(error))


def _is_refused_login(error: BaseException) -> bool:
    """Whether a driver of Postgres or Oracle reports that the server refused the login."""
    if type(error).__module__.partition(".")[0] not in DRIVERS:
        return False
    if getattr(error, "sqlstate", None) in SQLSTATES:
        return True
    return bool(POSTGRES.search(str(error)) or ORACLE.search(str(error)))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and those that it was raised from or while handling."""
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or found.__context__
