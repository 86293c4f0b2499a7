"""Find the cause of a failure: (place, kind, resource). Failures of the same cause are one incident."""

from __future__ import annotations

import re
import traceback
from dataclasses import dataclass
from pathlib import Path

from include.firms import FirmShape
from include.incidents.kinds import KINDS, UNKNOWN, Kind
from include.refused_logins import chain, is_refused_login

OURS = Path(__file__).resolve().parents[1]
AIRFLOWS_OWN = re.compile(r"^airflow\.(sdk\.)?exceptions$")


class TaskLost(Exception):  # noqa: N818 - not raised: the cause of a task that left no error
    """The task ended without an error message: killed, out of memory, or its heartbeat was lost."""


class RunTimedOut(Exception):  # noqa: N818 - not raised: the cause of a run that Airflow ended
    """The run exceeded its time limit and was ended."""


@dataclass(frozen=True)
class Cause:
    """What an incident is about; at most one incident of a cause is open."""

    kind: Kind
    resource: str

    @property
    def place(self) -> str:
        """The part at fault."""
        return self.kind.place


def cause_of_error(error: BaseException, firm: FirmShape | None) -> Cause:
    """The cause of an exception that ended a task of ``firm``; None: of the installation's own DAG."""
    errors = list(chain(error))
    classes = frozenset(name for one in errors for cls in type(one).__mro__ for name in _names(cls))
    text = "\n".join(str(one) for one in errors)
    refused = is_refused_login(error)
    for kind in KINDS.values():
        if found := kind.matches(classes, text, refused_login=refused):
            named = found[1] if isinstance(found, re.Match) and found.re.groups else ""
            return Cause(kind, resource_of(kind, firm, text, named=named))
    return Cause(UNKNOWN, _class_and_function(errors))


def resource_of(kind: Kind, firm: FirmShape | None, text: str, *, named: str = "") -> str:
    """What is at fault, as ``Kind.resource`` says."""
    if kind.resource == "named":
        return named or "unknown"
    key = firm.firm_key if firm is not None else "installation"
    if kind.resource == "firm":
        return key
    if kind.resource == "dataset":
        return f"{key}/{_dataset(text)}"
    if kind.resource == "source":
        place = firm.pool.removeprefix("source_") if firm is not None else ""
        # Firms with files share a pool, but not a folder.
        return place if firm is not None and place != firm.source_kind else key
    if kind.resource == "target":
        found = re.search(r"[Cc]onnection '?([\w.-]+)'?", text)
        return found[1] if found else key
    return kind.resource


def _names(cls: type) -> tuple[str, str]:
    return cls.__name__, f"{cls.__module__.partition('.')[0]}.{cls.__name__}"


def _dataset(text: str) -> str:
    """The dataset that an error begins with, such as ``transactions 2026-11: grain_unique``."""
    found = re.match(r"([a-z_]+)\b", text.strip().splitlines()[0] if text.strip() else "")
    return found[1] if found else "data"


def _class_and_function(errors: list[BaseException]) -> str:
    """The class of the innermost error that is not Airflow's, and the innermost of our functions."""
    own = [error for error in errors if not AIRFLOWS_OWN.match(type(error).__module__)] or errors
    error = own[-1]
    for one in (error, *errors):
        for frame in reversed(traceback.extract_tb(one.__traceback__)):
            path = Path(frame.filename)
            if path.is_relative_to(OURS):
                return f"{type(error).__name__} in {path.relative_to(OURS).as_posix()}:{frame.name}"
    return type(error).__name__
