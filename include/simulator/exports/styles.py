# ruff: noqa: RUF001, RUF003 signs of other scripts are what is tested
"""How people write the same number, date and id: one random style a file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
MONTHS = {
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    "long": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    "tr": [
        "Ocak",
        "Şubat",
        "Mart",
        "Nisan",
        "Mayıs",
        "Haziran",
        "Temmuz",
        "Ağustos",
        "Eylül",
        "Ekim",
        "Kasım",
        "Aralık",
    ],
    "de": [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],
    "fr": [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    "es": [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ],
}
SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "TRY": "₺"}


@dataclass
class NumberStyle:
    """Marks, sign and currency of amounts."""

    group: str
    mark: str
    lakh: bool = False
    negative: str = "-"  # -, −, (), trailing or '-
    before: str = ""
    after: str = ""
    arabic: bool = False
    digits: int = 2

    def write(self, value: Decimal) -> str:
        """A number as text."""
        text = f"{abs(value):.{self.digits}f}"
        whole, _, part = text.partition(".")
        grouped = _grouped(whole, self.group, lakh=self.lakh) if self.group else whole
        text = grouped + (self.mark + part if part else "")
        text = f"{self.before}{text}{self.after}"
        if value < 0:
            text = {
                "-": f"-{text}",
                "−": f"−{text}",
                "()": f"({text})",
                "trailing": f"{text}-",
                "'-": f"'-{text}",
            }[self.negative]
        return text.translate(ARABIC) if self.arabic else text


def _grouped(whole: str, mark: str, *, lakh: bool) -> str:
    head, last = whole[:-3], whole[-3:]
    size = 2 if lakh else 3
    parts: list[str] = []
    while head:
        parts.insert(0, head[-size:])
        head = head[:-size]
    return mark.join([*parts, last])


def random_numbers(random: Random, currency: str, *, whole: bool) -> NumberStyle:
    """A style of numbers."""
    group, mark, lakh = random.choice(
        [
            ("", ".", False),
            ("", ".", False),
            (",", ".", False),
            ("", ",", False),
            (".", ",", False),
            (" ", ",", False),
            ("\u00a0", ",", False),
            ("\u202f", ",", False),
            ("'", ".", False),
            ("’", ".", False),
            (",", ".", True),
            ("٬", "٫", False),
        ]
    )
    style = NumberStyle(group, mark, lakh)
    style.arabic = mark == "٫"
    style.negative = random.choice(["-", "-", "−", "()", "trailing", "'-"]) if not style.arabic else "-"
    if not style.arabic and random.random() < 0.3:
        sign = random.choice([SIGNS[currency], currency])
        blank = random.choice(["", " ", "\u00a0"]) if sign != currency else " "
        if random.random() < 0.5:
            style.before = sign + blank
        else:
            style.after = blank + sign
    style.digits = 0 if whole and random.random() < 0.5 else 2
    return style


DATE_STYLES = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d %H:%M:%S +0300",
    "%Y/%m/%d %H:%M",
    "%d/%m/%Y",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y",
    "%m/%d/%Y %I:%M %p",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d-%m-%Y",
    "%m/%d/%y %H:%M",
    "%d/%m/%y",
    "%d.%m.%y",
    "word en",
    "word long",
    "word tr",
    "word de",
    "word fr",
    "word es",
    "serial",
    "epoch",
    "epoch ms",
    "%Y%m%d",
    "single",
    "chinese",
    "rfc",
    "mixed",
)


def random_dates(random: Random) -> str:
    """A style of dates: a format of ``strftime`` or a name that ``write_date`` knows."""
    return random.choice(DATE_STYLES)


def write_date(moment: datetime, style: str) -> str:
    """A moment in a style of ``DATE_STYLES``."""
    if style.startswith("%"):
        return moment.strftime(style)
    if style == "word en":
        return f"{MONTHS['en'][moment.month - 1]} {moment.day}, {moment.year} {moment:%I:%M} {moment:%p}"
    if style == "word long":
        return f"{MONTHS['long'][moment.month - 1]} {moment.day}, {moment.year}"
    if style.startswith("word "):
        return f"{moment.day} {MONTHS[style[5:]][moment.month - 1]} {moment.year}"
    if style == "serial":
        span = moment - datetime(1899, 12, 30)  # noqa: DTZ001 local, as serials are
        return f"{span / timedelta(days=1):.6f}"
    if style.startswith("epoch"):
        seconds = int((moment - datetime(1970, 1, 1)).total_seconds())  # noqa: DTZ001
        return str(seconds * (1000 if style.endswith("ms") else 1))
    if style == "single":
        return f"{moment.year}-{moment.month}-{moment.day} {moment.hour}:{moment:%M}"
    if style == "chinese":
        return f"{moment.year}年{moment.month}月{moment.day}日"
    if style == "rfc":
        return f"{moment:%a, %d} {MONTHS['en'][moment.month - 1]} {moment:%Y %H:%M:%S} +0000"
    return moment.strftime("%d.%m.%Y %H:%M" if moment.minute % 2 else "%d.%m.%Y")
