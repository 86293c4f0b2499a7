"""What a message says: one failure, in words that hold no secret, contact data or row value."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

LONGEST_LINE = 300
MASKS = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"(?<=://)[^\s/@]+@", "***@"),
        (r"(?i)\b(password|passwd|secret|token|api_?key)(\W{1,3})[^\s,;&]+", r"\1\2***"),
        (r"[\w.+-]+@[\w-]+(\.[\w-]+)+", "(e-mail)"),
        (r"\+?\d[\d ()./]{7,}\d", "(number)"),
    )
)


@dataclass(frozen=True)
class Failure:
    """What somebody who is woken needs to know. ``cause`` is one for all steps that failed of one thing."""

    firm_key: str
    step: str
    as_of: str
    error: str
    log_url: str
    rerun: str
    cause: str

    @property
    def title(self) -> str:
        """The one line that a list of messages shows."""
        return f"Firmament: {self.firm_key} failed at {self.step}, as of {self.as_of}"

    @property
    def text(self) -> str:
        """The whole message, as plain text."""
        return f"{self.title}\n{self.error}\nLog: {self.log_url}\nRerun: {self.rerun}"


def cause_of(*parts: str) -> str:
    """The id of a cause: messages that bear the same one tell the same thing."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def first_line(error: BaseException) -> str:
    """What a message may quote of an error: one line, without secrets, contact data or row values."""
    told = _told(error).strip()
    line = f"{type(error).__name__}: {told.splitlines()[0]}" if told else type(error).__name__
    for pattern, instead in MASKS:
        line = pattern.sub(instead, line)
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"


def _told(error: BaseException) -> str:
    """The error's text; of a database's error, also inside another, the code and primary message alone."""
    told = str(error)
    cause: BaseException | None = error
    seen: set[int] = set()
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        code, diagnosis = getattr(cause, "sqlstate", None), getattr(cause, "diag", None)
        if code and diagnosis is not None and str(cause) in told:
            primary = str(getattr(diagnosis, "message_primary", None) or "")
            if str(code).startswith("22"):  # bad values are quoted even in the primary message
                from include.warehouse.errors import without_value

                primary = without_value(primary)
            # The rest, detail and context, quotes rows.
            told = told.replace(str(cause), f"{code} {primary}".strip())
        cause = cause.__cause__ or cause.__context__
    return told
