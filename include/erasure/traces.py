"""What counts as a trace of a customer: the id where an id stands, and contact values anywhere.

An id that is a plain number or a short word stands in many places by chance: 42 is a quantity too. Such
an id is looked for in columns of customers, as a value of a JSON document, and beside the word customer;
one that mixes letters and digits, anywhere.
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
    """Whether a column holds sentences or documents, where any id might stand."""
    return kind.startswith("json") or bool(FREE_TEXT.search(column))


class Traces:
    """What to look for of one customer."""

    def __init__(self, customer_id: str, contacts: Iterable[str | None] = ()) -> None:
        self.customer_id = customer_id
        self.contacts: set[str] = set()
        self.add(contacts)

    def add(self, contacts: Iterable[str | None]) -> None:
        """Look for these values too: a name, an e-mail, a telephone number."""
        values = {" ".join(value.split()) for value in contacts if value}
        self.contacts |= {value for value in values if len(value) >= SHORTEST_CONTACT}
        self.__dict__.pop("_contact", None)

    def leave_out(self, contacts: Iterable[str]) -> None:
        """Look for these no more: they are another customer's too."""
        self.contacts -= set(contacts)
        self.__dict__.pop("_contact", None)

    @property
    def is_telling(self) -> bool:
        """Whether the id means this customer wherever it stands."""
        text = self.customer_id
        return len(text) >= 4 and any(c.isalpha() for c in text) and any(c.isdigit() for c in text)

    @property
    def needles(self) -> list[str]:
        """Lower-case text, some of which is in whatever holds a trace."""
        return sorted({self.customer_id.lower(), *(value.lower() for value in self.contacts)})

    @cached_property
    def _id(self) -> re.Pattern[str]:
        told = re.escape(self.customer_id)
        before = r"(?<![A-Za-z0-9])" if self.is_telling else r"customer\w*\W{1,4}"
        return re.compile(f"{before}{told}(?![A-Za-z0-9])", re.IGNORECASE)

    @cached_property
    def _contact(self) -> re.Pattern[str] | None:
        told = "|".join(re.escape(value).replace(r"\ ", r"\s+") for value in sorted(self.contacts))
        return re.compile(rf"(?<!\w)(?:{told})(?!\w)", re.IGNORECASE) if told else None

    def has_contact(self, text: str) -> bool:
        """Whether a contact value stands in the text."""
        return self._contact is not None and self._contact.search(text) is not None

    def in_text(self, text: str) -> bool:
        """Whether a sentence tells of the customer."""
        return self.has_contact(text) or self._id.search(text) is not None

    def in_document(self, value: Any) -> bool:
        """Whether a JSON document, or text that may be one, tells of the customer."""
        if isinstance(value, dict):
            return any(self.in_document(item) for item in value.values())
        if isinstance(value, list):
            return any(self.in_document(item) for item in value)
        if not isinstance(value, str):
            return str(value) == self.customer_id and not isinstance(value, bool)
        if value == self.customer_id or self.in_text(value):
            return True
        if value.startswith(("{", "[")):
            try:
                return self.in_document(json.loads(value))
            except ValueError:
                return False
        return False

    def without(self, value: Any) -> Any:
        """A document with what tells of the customer taken out; a text whole."""
        if isinstance(value, dict):
            return {name: self.without(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.without(item) for item in value]
        return ERASED if self.in_document(value) else value

    def masked(self, line: bytes) -> bytes:
        """A line of a log with the traces starred out, as long as before."""
        text = line.decode("latin-1")
        for pattern in (self._id, self._contact_in_bytes):
            if pattern is not None:
                text = pattern.sub(lambda found: "*" * len(found[0]), text)
        return text.encode("latin-1")

    @property
    def _contact_in_bytes(self) -> re.Pattern[str] | None:
        told = "|".join(re.escape(v.encode().decode("latin-1")) for v in sorted(self.contacts))
        return re.compile(told, re.IGNORECASE) if told else None


ERASED = "(erased)"
