"""Options of ``inspect``: each answers one question about a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Options:
    """The options that a user sets for a file. Without an option, the file's content decides."""

    mapping: Mapping[str, str] = field(default_factory=dict)  # our column -> header, or #1 for the first
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    has_header: bool | None = None
    date_order: str | None = None  # dmy, mdy or ymd
    decimal_mark: str | None = None  # . or ,
    currency: str | None = None
    timezone: str | None = None
    amount: str | None = None  # net or gross: whether discounts are already off; none: count orders only
    price: str | None = None  # unit or total
    repeated_orders: str | None = None  # of orders that differ between files: last file by name, or all
