"""Decide which errors are permanent: a retry cannot succeed, so a task ends at once and its alert is sent.

Everything else is retried: a server that is down, a lost connection, a full disk, an Airflow without its
database.
"""

from __future__ import annotations

from include.connections import MissingConnectionError
from include.datasets import AmountError
from include.firms import FirmError
from include.handoff.stores import HostError
from include.quality import QualityError
from include.refused_logins import is_refused_login
from include.schedule import AsOfError

VERDICTS = (AsOfError, FirmError, QualityError, AmountError, MissingConnectionError, HostError)


def is_permanent(error: BaseException) -> bool:
    """Whether a retry would end in the same error: wrong data, a wrong row, or a refused login."""
    return isinstance(error, VERDICTS) or is_refused_login(error)
