"""Figures and how they are written: money, counts, shares and days in the language of the page.

A figure is a value with a unit. ``Writer`` formats it by the rules of the language (Unicode CLDR, by Babel).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import format_compact_decimal, format_currency, format_decimal, get_currency_precision

from include.models.firm import NO_CURRENCY

Unit = Literal["count", "money", "share", "days", "tenths", "day", "month", "quarter", "year", "text"]
Grain = Literal["month", "quarter", "year"]
MINUS, NBSP = "\u2212", "\u00a0"
WHOLE_FROM = 1000  # money from here on is written without cents


@dataclass(frozen=True)
class Figure:
    """A value and its unit. A share is 0 to 1; money is in the file's currency."""

    value: Decimal | int | float | date | str
    unit: Unit

    @property
    def number(self) -> float:
        """The value as a number, for conditions; days count as ordinals, texts as 1."""
        if isinstance(self.value, date):
            return float(self.value.toordinal())
        return 1.0 if isinstance(self.value, str) else float(self.value)

    @property
    def exact(self) -> str:
        """The value for programs: a number with a decimal point, or an ISO date."""
        if isinstance(self.value, Decimal):
            return f"{self.value:f}"
        return self.value.isoformat() if isinstance(self.value, date) else str(self.value)


class Writer:
    """Write figures in one language and currency."""

    def __init__(self, language: str, currency: str) -> None:
        """``currency`` is an ISO 4217 code; ``NO_CURRENCY`` writes money as plain numbers."""
        self.language, self.currency = language, currency
        self._locale = Locale.parse(language)

    def write(self, figure: Figure) -> str:
        """The figure as people read it."""
        value = figure.value
        if isinstance(value, str):
            return value
        if isinstance(value, date):
            return self.day(value) if figure.unit == "day" else self.period(value, figure.unit)
        if figure.unit == "money":
            return self.money(value)
        if figure.unit == "share":
            return self.share(float(value))
        if figure.unit == "tenths":
            return self.decimal(Decimal(str(round(10 * float(value)))))
        return self.decimal(Decimal(str(value)))

    def money(self, value: Decimal | int | float) -> str:
        """Money with the digits of its currency; from 1,000 on without them."""
        amount = Decimal(str(value))
        digits = 0 if abs(amount) >= WHOLE_FROM else get_currency_precision(self.currency)
        amount = amount.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
        if self.currency == NO_CURRENCY:
            return _minus(format_decimal(amount, f"#,##0{_fraction(digits)}", locale=self._locale))
        pattern = self._locale.currency_formats["standard"].pattern.replace("0.00", f"0{_fraction(digits)}")
        text = format_currency(amount, self.currency, pattern, locale=self._locale, currency_digits=False)
        return _minus(text.replace(self.currency, f"{self.currency}{NBSP}"))  # a code, not a symbol

    def compact(self, value: Decimal | int | float) -> str:
        """A short number without currency: 1.2K, 3M; Turkish 1,2 B, 3 Mn."""
        amount = float(value)
        digits = 0 if abs(amount) >= 100 and abs(amount) < WHOLE_FROM else 1
        text = format_compact_decimal(amount, locale=self._locale, fraction_digits=digits)
        return _minus(text).replace(" ", NBSP)

    def share(self, value: float) -> str:
        """A share as percent with one decimal: 12.5%, %12,5. A positive share below 0.1 % as <0.1%."""
        if 0 < value < 0.001:
            return "<" + self.share(0.001)
        text = self.decimal(Decimal(str(100 * value)), digits=1)
        pattern = self._locale.percent_formats[None].pattern
        return f"%{text}" if pattern.startswith("%") else f"{text}%"

    def decimal(self, value: Decimal | int | float, *, digits: int = 1) -> str:
        """A number with at most ``digits`` decimals."""
        amount = Decimal(str(value)).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
        text = format_decimal(amount, f"#,##0.{'#' * digits}", locale=self._locale)
        return _minus(text)

    def day(self, value: date) -> str:
        """A day in words: March 1, 2025; 1 Mart 2025."""
        return format_date(value, "long", locale=self._locale).replace(" ", NBSP)

    def period(self, start: date, grain: str) -> str:
        """The month, quarter or year that begins on a day: Apr 2025, Q2 2025, 2025."""
        skeleton = {"month": "yMMM", "quarter": "yQQQ", "year": "y"}[grain]
        return format_skeleton(skeleton, start, locale=self._locale).replace(" ", NBSP)

    def is_one(self, value: Decimal | int | float) -> bool:
        """Whether the value takes a singular noun."""
        return self._locale.plural_form(float(value)) == "one"


def _fraction(digits: int) -> str:
    return "." + "0" * digits if digits else ""


def _minus(text: str) -> str:
    return text.replace("-", MINUS)
