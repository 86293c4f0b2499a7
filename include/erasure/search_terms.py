"""Search terms of one customer: its id and its contact values.

Contact values and an id that mixes letters and digits are searched for in every text. A plain number or a
short word occurs by chance (42 is also a quantity), so such an id is searched for only in customer
columns, as a value in JSON documents, and after the word "customer".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any

SHORTEST_CONTACT = 4
FREE_TEXT = re.compile(
    r"(source_row|samples|message|error|reason|observed|expected|note|explanation|changes)$"
)


def names_customer(column: str) -> bool:
    """Whether a column holds customers' ids: ``customer_id``, ``unique_customer_id``, ..."""
    return column.lower().endswith("customer_id")


def is_free_text(column: str, kind: str = "") -> bool:
    """Whether a column holds sentences or documents, which can quote any id."""
    return kind.startswith("json") or bool(FREE_TEXT.search(column))


class SearchTerms:
    """The id and contact values to search for, of one customer."""

    def __init__(self, customer_id: str, contacts: Iterable[str | None] = ()) -> None:
        self.customer_id = customer_id
        self.contacts: set[str] = set()
        self.add(contacts)

    def add(self, contacts: Iterable[str | None]) -> None:
        """Add contact values: a name, an e-mail address, a telephone number."""
        values = {" ".join(value.split()) for value in contacts if value}
        self.contacts |= {value for value in values if len(value) >= SHORTEST_CONTACT}
        self.__dict__.pop("_contact", None)

    def remove(self, contacts: Iterable[str]) -> None:
        """Remove contact values, because another customer has them too."""
        self.contacts -= set(contacts)
        self.__dict__.pop("_contact", None)

    @property
    def is_distinctive(self) -> bool:
        """Whether the id mixes letters and digits, so that every match means this customer."""
        text = self.customer_id
        return len(text) >= 4 and any(c.isalpha() for c in text) and any(c.isdigit() for c in text)

    @property
    def substrings(self) -> list[str]:
        """All terms in lower case, for a first, coarse search."""
        return sorted({self.customer_id.lower(), *(value.lower() for value in self.contacts)})

    @cached_property
    def _id(self) -> re.Pattern[str]:
        escaped = re.escape(self.customer_id)
        before = r"(?<![A-Za-z0-9])" if self.is_distinctive else r"customer\w*\W{1,4}"
        return re.compile(f"{before}{escaped}(?![A-Za-z0-9])", re.IGNORECASE)

    @cached_property
    def _contact(self) -> re.Pattern[str] | None:
        either = "|".join(re.escape(value).replace(r"\ ", r"\s+") for value in sorted(self.contacts))
        return re.compile(rf"(?<!\w)(?:{either})(?!\w)", re.IGNORECASE) if either else None

    def has_contact(self, text: str) -> bool:
        """Whether the text contains a contact value."""
        return self._contact is not None and self._contact.search(text) is not None

    def matches_text(self, text: str) -> bool:
        """Whether a sentence contains the id or a contact value."""
        return self.has_contact(text) or self._id.search(text) is not None

    def matches_document(self, value: Any) -> bool:
        """Whether a JSON document, or text that may be one, contains the id or a contact value."""
        if isinstance(value, dict):
            return any(self.matches_document(item) for item in value.values())
        if isinstance(value, list):
            return any(self.matches_document(item) for item in value)
        if not isinstance(value, str):
            return str(value) == self.customer_id and not isinstance(value, bool)
        if value == self.customer_id or self.matches_text(value):
            return True
        if value.startswith(("{", "[")):
            try:
                return self.matches_document(json.loads(value))
            except ValueError:
                return False
        return False

    def redacted(self, value: Any) -> Any:
        """Replace matching values of a document, or a whole matching text, with ``(erased)``."""
        if isinstance(value, dict):
            return {name: self.redacted(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.redacted(item) for item in value]
        return ERASED if self.matches_document(value) else value

    def masked(self, line: bytes) -> bytes:
        """Overwrite matches in a log line with asterisks; the length stays the same."""
        text = line.decode("latin-1")
        for pattern in (self._id, self._contact_in_bytes):
            if pattern is not None:
                text = pattern.sub(lambda found: "*" * len(found[0]), text)
        return text.encode("latin-1")

    @property
    def _contact_in_bytes(self) -> re.Pattern[str] | None:
        either = "|".join(re.escape(v.encode().decode("latin-1")) for v in sorted(self.contacts))
        return re.compile(either, re.IGNORECASE) if either else None


ERASED = "(erased)"
