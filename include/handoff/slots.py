"""Where a slice of a firm's dataset is stored, and what names its versions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from include.datasets import Dataset
from include.handoff.manifest import HandoffError
from include.slices import Slice

FIRM_KEY = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True)
class Slot:
    """The address of one slice of one firm's dataset."""

    firm_key: str
    dataset: Dataset
    slice: Slice

    @property
    def path(self) -> str:
        """``acme/transactions/month=2026-11`` or ``acme/rfm/as_of=2026-11-21``."""
        if not FIRM_KEY.fullmatch(self.firm_key):
            raise HandoffError(f"{self.firm_key!r} is not a firm's key: lower case letters, digits, _")
        return f"{self.firm_key}/{self.dataset.name}/{self.slice.folder}"


class Referenced(Protocol):
    """An input of a dataset: a manifest, or the settings of a firm."""

    @property
    def reference(self) -> str:
        """``path#token#sha256``."""


class Version(Protocol):
    """The version of a slot that a reader expects, by its manifest."""

    @property
    def token(self) -> int:
        """The token of the attempt that wrote it."""
        ...

    @property
    def reference(self) -> str:
        """``path#token#sha256``."""
        ...
