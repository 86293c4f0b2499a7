"""One command for several firms: a refused firm is named and the others are done; the exit code says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer

from include.cli.console import console
from include.command_errors import BAD_INPUT, BadInputError, printable, show

if TYPE_CHECKING:
    from include.warehouse import Warehouse

Keys = Annotated[list[str] | None, typer.Argument(metavar="FIRM...", help="The firms' keys.")]
Every = Annotated[bool, typer.Option("--all", help="Every firm.")]
NAMED = 20  # refused firms that the last line names


@dataclass
class EachFirm:
    """What came of each firm. Use ``with each.firm(KEY)`` around the work, and ``finish`` at the end."""

    done: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)  # key and reason
    codes: set[int] = field(default_factory=set)

    @contextmanager
    def firm(self, key: str) -> Iterator[None]:
        """Count the firm as done, or keep why it is refused and let the command go on."""
        from include.firms import FirmError
        from include.warehouse import UnknownFirm

        try:
            yield
        except (BadInputError, FirmError, UnknownFirm) as error:
            self.refuse(key, str(error))
        except typer.Exit as ended:  # its message has been shown
            self.refuse(key, "", code=ended.exit_code)
        else:
            self.done.append(key)

    def refuse(self, key: str, reason: str, *, code: int = BAD_INPUT) -> None:
        """Count a firm as refused."""
        self.refused.append((key, reason))
        self.codes.add(code)

    def finish(self, what: str) -> None:
        """Print each refusal, and how many firms were done; exit as the refusals say."""
        total = len(self.done) + len(self.refused)
        if total == 1 and self.refused:
            show(self.refused[0][1])
        elif total > 1:
            for key, reason in self.refused:
                _line(f"refused {key}: {' '.join(printable(reason).split())}")
            line = f"{what}: {len(self.done)} of {total} firms"
            if self.refused:
                more = len(self.refused) - NAMED
                names = [key for key, _ in self.refused[:NAMED]] + ([f"{more} more"] if more > 0 else [])
                show(f"{line}; refused: {', '.join(names)}")
            else:
                _line(line)
        if self.refused:
            raise typer.Exit(self.codes.pop() if len(self.codes) == 1 else BAD_INPUT)


def chosen_keys(warehouse: Warehouse, keys: Sequence[str] | None, *, every: bool) -> list[str]:
    """The keys of a command, each once, or those of every firm; BadInputError for neither or both."""
    if bool(keys) == every:
        raise BadInputError("name one or more firms, or give --all; see them: python -m include firms list")
    if every:
        return [str(row["firm_key"]) for row in warehouse.firms.firm_rows()]
    return list(dict.fromkeys(keys or ()))


def _line(text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
