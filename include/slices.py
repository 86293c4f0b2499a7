"""A slice of a dataset: a month of events, or the day of a snapshot or of a training."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from include.periods import Month

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Slice:
    """A month, an as_of or a training date. Its text, ``2026-11`` or ``2026-11-21``, names it everywhere.

    ``control`` and messages have the text. Folders of handoffs have the unit before it, ``month=2026-11`` or
    ``as_of=2026-11-21``; a training date has the unit ``as_of``.
    """

    value: date | Month

    @classmethod
    def parse(cls, text: str) -> Slice:
        """Read ``2026-11`` or ``2026-11-21``; ValueError for anything else."""
        return cls(date.fromisoformat(text) if DAY.fullmatch(text) else Month.parse(text))

    @classmethod
    def of_folder(cls, name: str) -> Slice:
        """Read the name of a slice's folder, such as ``month=2026-11``; ValueError for anything else."""
        unit, _, text = name.partition("=")
        found = cls.parse(text)
        if found.folder != name:
            raise ValueError(f"{name!r} is not a slice's folder; {unit} does not go with {text}")
        return found

    @classmethod
    def of_path(cls, path: str) -> Slice:
        """The slice of a slot's path, ``acme/transactions/month=2026-11``."""
        return cls.of_folder(path.rpartition("/")[2])

    def __str__(self) -> str:
        """``2026-11`` or ``2026-11-21``."""
        return str(self.value)

    @property
    def folder(self) -> str:
        """``month=2026-11`` or ``as_of=2026-11-21``."""
        return f"{'as_of' if self.month is None else 'month'}={self}"

    @property
    def month(self) -> Month | None:
        """The month; None of a day."""
        return self.value if isinstance(self.value, Month) else None

    @property
    def first_day(self) -> date:
        """The month's first day, or the day."""
        return self.value.first if isinstance(self.value, Month) else self.value

    @property
    def earliest_as_of(self) -> date:
        """The earliest as_of at which all of it is known: the day after the month, or the day."""
        return self.value.end if isinstance(self.value, Month) else self.value
