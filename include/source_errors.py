"""Errors of a firm's own system: a source that cannot be read, and a row that names a wrong one."""

from __future__ import annotations

from include.firms import FirmError


class SourceError(RuntimeError):
    """A firm's system cannot be read; the message says what failed, where, and how to fix it."""


class SourceRowError(SourceError, FirmError):
    """The source in the firm's row is wrong: someone must change the row or the system.

    A task does not retry it (``include/run/permanent.py``).
    """
