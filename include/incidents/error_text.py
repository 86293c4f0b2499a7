"""The first line of an error as messages show it: without secrets, contact data or row values."""

from __future__ import annotations

import re

LONGEST_LINE = 300
MASKS = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"(?<=://)[^\s/@]+@", "***@"),
        (
            r"(?i)\b(password|passwd|secret|token|api_?key)(\W{1,3})(?!authentication failed)[^\s,;&]+",
            r"\1\2***",
        ),
        (r"[\w.+-]+@[\w-]+(\.[\w-]+)+", "(e-mail)"),
        # A telephone number; an IP address, with or without a port or network, is none.
        (r"(?<![\d.])(?!\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?(?!\.?\d))\+?\d[\d ()./]{7,}\d", "(number)"),
    )
)


def first_line(error: BaseException) -> str:
    """The first line of an error, without secrets, contact data or row values."""
    full_text, kind = _error_text(error).strip(), type(error).__name__
    line = full_text.splitlines()[0] if full_text else kind
    if full_text and not _is_airflows(error):
        line = f"{kind}: {line}"
    for pattern, instead in MASKS:
        line = pattern.sub(instead, line)
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"


def _is_airflows(error: BaseException) -> bool:
    """Whether the class is Airflow's own: its name says how the task ends, not what failed."""
    return type(error).__module__.partition(".")[0] == "airflow"


def _error_text(error: BaseException) -> str:
    """The error's text; for a database error, also a nested one, only its code and primary message."""
    full_text = str(error)
    cause: BaseException | None = error
    seen: set[int] = set()
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        code, diagnosis = getattr(cause, "sqlstate", None), getattr(cause, "diag", None)
        if code and diagnosis is not None and str(cause) in full_text:
            primary = str(getattr(diagnosis, "message_primary", None) or "")
            if str(code).startswith("22"):  # data errors quote values even in the primary message
                from include.warehouse.errors import without_value

                primary = without_value(primary)
            # Detail and context quote rows.
            full_text = full_text.replace(str(cause), f"{code} {primary}".strip())
        cause = cause.__cause__ or cause.__context__
    return full_text
