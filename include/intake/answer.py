"""The result of inspecting a file: read, asks or refused, with its figures, warnings and mapping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from include.intake.messages import Message, Value
from include.source_errors import SourceError

EXIT = {"read": 0, "refused": 2, "asks": 3}


@dataclass(frozen=True)
class Question:
    """A question that the values do not decide: the column, the choices, and the option that sets one."""

    code: str
    text: str
    column: str | None
    choices: Mapping[str, str]  # value of the option -> what it means
    option: str  # such as --date-order

    def record(self) -> dict[str, Any]:
        """The question as JSON."""
        return {
            "code": self.code,
            "text": self.text,
            "column": self.column,
            "choices": [{"value": value, "meaning": text} for value, text in self.choices.items()],
            "option": self.option,
        }


class Asks(Exception):  # noqa: N818 a question is not an error
    """Reading stops until an option answers a question."""

    def __init__(self, question: Question) -> None:
        """Store the question."""
        super().__init__(question.text)
        self.question = question


class Refused(SourceError):  # noqa: N818 beside Asks
    """The file cannot be read. The message says what failed, where, and which command fixes it."""

    def __init__(self, code: str, what: str, fix: str) -> None:
        """``code`` is one of ``codes.py``; ``fix`` names the command or setting."""
        super().__init__(f"{what}\n{fix}")
        self.code, self.what, self.fix = code, what, fix


@dataclass
class Rejected:
    """Rows rejected for one reason: count, money, and a sample."""

    count: int = 0
    money: Decimal = Decimal(0)
    sample: list[str] = field(default_factory=list)


@dataclass
class Findings:
    """Warnings and notes collected while a file is read, each once."""

    warnings: list[Message] = field(default_factory=list)
    notes: list[Message] = field(default_factory=list)

    def warn(self, code: str, variant: str = "", **values: Value) -> None:
        """Add a warning about something that may change a figure."""
        self.add(self.warnings, Message(code, variant, values))

    def note(self, code: str, variant: str = "", **values: Value) -> None:
        """Add a note about how the file was read."""
        self.add(self.notes, Message(code, variant, values))

    def copied(self) -> Findings:
        """The findings so far."""
        return Findings(list(self.warnings), list(self.notes))

    def reset(self, earlier: Findings) -> None:
        """Go back to earlier findings: the rows are read again."""
        self.warnings[:], self.notes[:] = earlier.warnings, earlier.notes

    @staticmethod
    def add(messages: list[Message], message: Message) -> None:
        """Add a message that is not in the list."""
        if message not in messages:
            messages.append(message)


@dataclass
class Answer:
    """The result of reading a file."""

    file: str
    outcome: str = "read"
    platform: str | None = None
    customers: int | None = None
    orders: int | None = None
    net_amount: Decimal | None = None
    first_day: date | None = None
    last_day: date | None = None
    currency: str | None = None
    rows_read: int = 0
    rows_used: int = 0
    guest_rows: int = 0
    row_is: str | None = None  # order, line or payment
    rejected: dict[str, Rejected] = field(default_factory=dict)
    findings: Findings = field(default_factory=Findings)
    question: Question | None = None
    refusal: Refused | None = None
    mapping: dict[str, str] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0 read, 2 refused, 3 asks."""
        return EXIT[self.outcome]

    def record(self) -> dict[str, Any]:
        """The answer as JSON: money as numbers with two decimals, days as ISO dates."""
        return {
            "file": self.file,
            "outcome": self.outcome,
            "platform": self.platform,
            "row_is": self.row_is,
            "customers": self.customers,
            "orders": self.orders,
            "net_amount": _money(self.net_amount),
            "first_day": self.first_day.isoformat() if self.first_day else None,
            "last_day": self.last_day.isoformat() if self.last_day else None,
            "currency": self.currency,
            "rows": {
                "read": self.rows_read,
                "used": self.rows_used,
                "guests": self.guest_rows,
                "rejected": {
                    reason: {"count": r.count, "money": _money(r.money), "sample": r.sample}
                    for reason, r in sorted(self.rejected.items())
                },
            },
            "warnings": [message.record() for message in self.findings.warnings],
            "notes": [message.record() for message in self.findings.notes],
            "question": self.question.record() if self.question else None,
            "refusal": (
                {"code": self.refusal.code, "text": self.refusal.what, "fix": self.refusal.fix}
                if self.refusal
                else None
            ),
            "mapping": self.mapping,
        }


def _money(amount: Decimal | None) -> float | None:
    return None if amount is None else float(round(amount, 2))
