"""How every command reports an error: at most five lines, an exit code, and the trace in a log file.

| exit code | means |
| --- | --- |
| 0 | the command did what was asked |
| 1 | it failed: the warehouse, a source, a disk, a fault of ours |
| 2 | the arguments, a file or a firm's row cannot be used |
| 3 | a sales file leaves a question; an option answers it |
| 130 | Ctrl-C |

An error that the code raises for people is shown as it is. Any other exception is a fault that a person
cannot read, so its trace goes to a log file and the terminal shows where that is.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from include.settings import Settings, SettingsError

FAILED, BAD_INPUT, QUESTION, INTERRUPTED = 1, 2, 3, 130
MOST_LINES = 5
MOST_COLUMNS = 1000


class BadInputError(ValueError):
    """An argument or a file cannot be used; the message says which and what to type instead."""


def report(error: BaseException, *, program: str = "python -m include") -> int:
    """Print an error on stderr and return the exit code. Never raises, never prints a trace."""
    if isinstance(error, KeyboardInterrupt):
        show("interrupted")
        return INTERRUPTED
    if is_for_people(error):
        show(_message(error))
        return BAD_INPUT if _is_bad_input(error) else FAILED
    text = "".join(traceback.format_exception(error))
    kind = type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        summary = f"{error.filename}: {error.strerror}" if error.filename is not None else error.strerror
    else:
        summary = f"{kind}: {_message(error)}" if _message(error) else kind
    first = summary.strip().splitlines()[0] if summary.strip() else kind
    show(f"{program} failed: {first[:300]}\nThe trace is in {_log(text)}")
    return FAILED


def is_for_people(error: BaseException) -> bool:
    """Whether the code of this project raised the error on purpose, with a message for people."""
    return type(error).__module__.startswith("include.")


def show(message: str) -> None:
    """Print a message on stderr: at most five lines, all of it in a log file when it is longer."""
    lines = [line.rstrip() for line in printable(message).splitlines() if line.strip()]
    if len(lines) > MOST_LINES or any(len(line) > MOST_COLUMNS for line in lines):
        kept = [line[:MOST_COLUMNS] for line in lines[: MOST_LINES - 1]]
        lines = [*kept, f"The whole message is in {_log(printable(message))}"]
    red = ("\x1b[31m", "\x1b[0m") if sys.stderr.isatty() and "NO_COLOR" not in os.environ else ("", "")
    text = red[0] + "\n".join(lines) + red[1] + "\n"
    with contextlib.suppress(OSError, ValueError):  # stderr may be closed
        encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
        sys.stderr.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stderr.flush()


def printable(text: str) -> str:
    """The text with control characters and lone surrogates written as escapes; line ends stay."""
    return "".join(
        char
        if char == "\n" or ((char.isprintable() or char == " ") and not "\ud800" <= char <= "\udfff")
        else char.encode("unicode_escape").decode("ascii")
        for char in text.replace("\r\n", "\n").replace("\t", " ")
    )


def check_arguments(arguments: Sequence[str]) -> None:
    """BadInputError for an argument with a NUL or with bytes that are not text: no system takes these."""
    for number, argument in enumerate(arguments, start=1):
        if "\0" in argument:
            raise BadInputError(f"argument {number} contains a NUL character: {argument[:80]!r}")
        try:
            argument.encode("utf-8")
        except UnicodeEncodeError:
            raise BadInputError(f"argument {number} is not UTF-8 text: {argument[:80]!r}") from None


def print_anything() -> None:
    """Let stdout and stderr escape what their encoding lacks: a firm's text may be of any script."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")


def guarded(main: Callable[[], int], *, program: str) -> int:
    """Run the whole of a command; its exit code, also for an exception that nothing else handles."""
    print_anything()
    try:
        check_arguments(sys.argv[1:])
        return main()
    except (Exception, KeyboardInterrupt) as error:
        return report(error, program=program)


def _message(error: BaseException) -> str:
    # str() of a KeyError is the repr of its message.
    first = error.args[0] if isinstance(error, LookupError) and error.args else None
    return first if isinstance(first, str) else str(error)


def _is_bad_input(error: BaseException) -> bool:
    from include.erasure import EraseError
    from include.firms import FirmError
    from include.warehouse import UnknownFirm
    from include.warehouse.access import AccessError

    return isinstance(error, BadInputError | FirmError | UnknownFirm | AccessError | EraseError)


def _log(text: str) -> Path | str:
    """Write the text to a log file that only its owner may read; where it is."""
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-"
    folders: list[Path | None] = [None]  # the system's folder for temporary files
    with contextlib.suppress(OSError, SettingsError, RuntimeError):
        settings = Settings.read()
        if settings.home.is_dir():
            settings.logs.mkdir(exist_ok=True)
            folders.insert(0, settings.logs)
    for folder in folders:
        with contextlib.suppress(OSError):
            prefix = f"error-{name}" if folder else f"firmament-error-{name}"
            handle, path = tempfile.mkstemp(prefix=prefix, suffix=".log", dir=folder)
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
            return Path(path)
    return "no file: neither the logs folder nor the temporary folder can be written to"
