"""The source in a firm's row: what kind of system, where it is, and how its files are written."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema, model_validator

from include.row_checks import Strict

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def _identifier(value: str) -> str:
    if not NAME.fullmatch(value):
        # The message omits the value: people paste whole URLs, with a password, instead of an id.
        raise ValueError("must be lower case letters, digits and underscores, starting with a letter")
    return value


def is_time_zone(value: str) -> bool:
    """Whether the tz database has the zone. This opens one file; listing all zones opens hundreds."""
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _zone(value: str) -> str:
    if not is_time_zone(value):
        shown = repr(value) if re.fullmatch(r"[\w+/-]{1,60}", value) else "this"
        raise ValueError(f"{shown} is not a time zone of the tz database, such as Europe/London")
    return value


Identifier = Annotated[str, AfterValidator(_identifier)]
Zone = Annotated[str, AfterValidator(_zone)]


def _currency(value: str) -> str:
    if not re.fullmatch(CURRENCY, value):
        raise ValueError("must be a code of ISO 4217, three capital letters such as EUR")
    return value


CURRENCY = "^[A-Z]{3}$"
Currency = Annotated[str, AfterValidator(_currency), WithJsonSchema({"type": "string", "pattern": CURRENCY})]


class FileOptions(Strict):
    """Layout ``auto``: what no value of the firm's files decides. Each answers a question of ``inspect``."""

    date_order: Literal["dmy", "mdy", "ymd"] | None = None
    decimal_mark: Literal[".", ","] | None = None
    currency: Currency | None = None
    amount: Literal["net", "gross", "lines", "order", "none"] | None = None
    price: Literal["unit", "total"] | None = None
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    header: bool | None = None
    repeated_orders: Literal["last", "all"] | None = None


class Understood(Strict):
    """Layout ``auto``: how files with one header are written, as decided when the firm was added."""

    header: tuple[str, ...] = Field(min_length=1)
    columns: dict[str, str] = Field(min_length=1)
    platform: Identifier | None = None
    date_order: Literal["dmy", "mdy", "ymd", "words", "numbers"] | None = None
    decimal_mark: Literal[".", ","] | None = None
    currency: Currency | None = None
    amount: str = ""


class SourceRow(Strict):
    """A firm's source: an Airflow connection id or a file location, never a secret."""

    kind: Identifier
    conn_id: Identifier | None = None
    uri: str | None = None
    db_schema: Identifier | None = Field(default=None, alias="schema")
    layout: Identifier | None = None
    mapping: dict[str, str] | None = None
    options: FileOptions | None = None
    understood: tuple[Understood, ...] | None = None

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="after")
    def _has_a_target(self) -> SourceRow:
        if (self.conn_id is None) == (self.uri is None):
            raise ValueError("give either conn_id (an Airflow connection) or uri (a folder), not both")
        if self.uri and not self.uri.startswith("file://"):
            raise ValueError("uri must begin with file://: files are read from a folder of this machine")
        return self

    @property
    def added_and_unset(self) -> set[str]:
        """Fields of later releases that the row does not set: no part of a hash of the firm's settings."""
        return {name for name in ("options", "understood") if getattr(self, name) is None}
