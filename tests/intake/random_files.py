"""Random files of known truth through ``inspect``: how many are read wrong, read, asked about, refused.

``python -m tests.intake.random_files 2000 [SEED]`` prints the four shares and each wrong file.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
import zipfile
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from include.cli.inspect import with_choice
from include.intake import Options, inspect
from tests.intake.layouts import KINDS, Rows
from tests.intake.styles import NumberStyle, random_dates, random_numbers, write_date
from tests.intake.truth import Truth, random_truth
from tests.intake.workbook import write_xlsx

ENCODINGS = {
    "en": ("utf-8", "utf-8-sig", "utf-16", "cp1252"), "ours": ("utf-8", "utf-8-sig"), "tr": ("utf-8", "utf-8-sig", "cp1254", "utf-16"),
    "de": ("utf-8", "utf-8-sig", "cp1252", "utf-16"), "fr": ("utf-8", "utf-8-sig", "cp1252"), "es": ("utf-8", "utf-8-sig", "cp1252"),
    "zh": ("utf-8", "utf-8-sig", "gb18030"), "ru": ("utf-8", "utf-8-sig", "cp1251"),
}  # fmt: skip


@dataclass
class Made:
    """A random file, how it was made, and its truth."""

    path: Path
    truth: Truth
    about: str
    missing: str = ""  # customer, date or amount: the column that was left out


def make(seed: int, folder: Path) -> Made:
    """One random file; equal seeds give equal files."""
    random = Random(seed)
    name = random.choice(list(KINDS))
    kind = KINDS[name]
    language = random.choice(list(ENCODINGS)) if kind.languages else "en"
    whole = random.random() < 0.15
    truth = random_truth(
        random,
        whole=whole,
        with_returns=kind.returns and random.random() < 0.6,
        with_states=kind.states and random.random() < 0.7,
        with_guests=kind.guests and random.random() < 0.4,
        with_refunds=kind.refunds and random.random() < 0.7,
        single_lines=name in ("no_order_id",),
    )
    _fit(truth, name)
    dates, _, _ = random_dates(random)
    numbers = random_numbers(random, truth.currency, whole=whole)
    rows = kind.make(truth, random, language)
    missing = ""
    if random.random() < 0.04 and name in ("orders", "uci"):
        missing = random.choice(["customer", "date", "amount"])
        names = list(rows[0])
        drop = {
            "orders": {"customer": [2], "date": [1], "amount": [3]},
            "uci": {"customer": [6], "date": [4], "amount": [3, 5]},
        }
        rows = [{n: row[n] for i, n in enumerate(names) if i not in drop[name][missing]} for row in rows]
    form = random.choice(["csv"] * 8 + ["gz", "zip", "json", "jsonl", "parquet", "xlsx", "xlsx", "folder"])
    if kind.plain:
        numbers = NumberStyle(random.choice(["", ","]), ".")
        numbers.before = random.choice(["", "$"]) if name == "square" and truth.currency == "USD" else ""
    if form == "folder" and (len(rows) < 8 or name in ("head", "shopify")):
        form = "csv"
    written = _Writer(random, numbers, dates, language)
    path = written.write(rows, folder, form)
    return Made(
        path,
        truth,
        f"seed {seed}: {name} {language} {form} {dates} {numbers} {written.about} {missing}",
        missing,
    )


def _fit(truth: Truth, name: str) -> None:
    """Take out of the truth what a layout cannot tell."""
    if name == "no_order_id":
        seen: set[object] = set()
        kept = []
        for order in truth.orders:
            key = (order.customer, order.at.date())
            if key not in seen:
                kept.append(order)
            seen.add(key)
        truth.orders = kept
    for order in truth.orders:
        if name in ("woocommerce", "magento") and order.state == "partly":
            order.state, order.refund = "paid", Decimal(0)


class _Writer:
    def __init__(self, random: Random, numbers: NumberStyle, dates: str, language: str) -> None:
        self.random, self.numbers, self.dates, self.language = random, numbers, dates, language
        self.about = ""

    def write(self, rows: Rows, folder: Path, form: str) -> Path:
        """The rows in a format, under a random name."""
        if form == "folder":
            cut = len(rows) // 2
            place = folder / "exports"
            place.mkdir()
            encoding, delimiter = self._dialect()
            for i, part in enumerate((rows[:cut], rows[cut:])):
                text = self._csv(part, delimiter, plain=True)
                (place / f"part{i}.csv").write_bytes(text.encode(encoding))
            if self.random.random() < 0.3:
                (place / "part1 (1).csv").write_bytes((place / "part1.csv").read_bytes())
            self.about = f"{encoding} {delimiter!r}"
            return place
        if form in ("json", "jsonl", "parquet", "xlsx"):
            return getattr(self, f"_{form}")(rows, folder)
        encoding, delimiter = self._dialect()
        data = self._csv(rows, delimiter).encode(encoding)
        self.about += f" {encoding} {delimiter!r}"
        path = folder / self.random.choice(["orders.csv", "export.CSV", "data.txt", "sales"])
        if form == "gz":
            data = gzip.compress(data)
            path = folder / "orders.csv.gz"
        if form == "zip":
            path = folder / "export.zip"
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("orders.csv", data)
            return path
        path.write_bytes(data)
        return path

    def _dialect(self) -> tuple[str, str]:
        encoding = self.random.choice(ENCODINGS[self.language])
        extra = (
            self.numbers.before
            + self.numbers.after
            + self.numbers.group
            + self.numbers.negative
            + self.numbers.mark
        )
        if any(ord(c) > 127 for c in extra) and not encoding.startswith("utf"):
            encoding = "utf-8"
        if self.dates in ("chinese", "word tr", "word fr", "word de") and encoding not in ("gb18030",):
            encoding = "utf-8"
        if self.dates not in ("chinese",) and encoding == "gb18030" and self.dates.startswith("word"):
            encoding = "utf-8"
        return encoding, self.random.choice([",", ",", ";", ";", "\t", "|"])

    def _cell(self, name: str, value: object) -> str:
        if isinstance(value, datetime):
            return write_date(value, self.dates)
        if isinstance(value, Decimal):
            if name in (
                "Quantity",
                "Lineitem quantity",
                "Qty",
                "Adet",
                "Menge",
                "Quantité",
                "Cantidad",
                "数量",
                "Количество",
                "quantity",
            ):
                return str(int(value))
            return self.numbers.write(value)
        return str(value)

    def _text(self, rows: Rows) -> list[list[str]]:
        return [[self._cell(name, value) for name, value in row.items()] for row in rows]

    def _csv(self, rows: Rows, delimiter: str, *, plain: bool = False) -> str:
        random, out = self.random, io.StringIO()
        end = random.choice(["\n", "\r\n", "\r\n", "\r"]) if not plain else "\n"
        quoting = random.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
        if not plain:
            if random.random() < 0.1:
                out.write(f"sep={delimiter}{end}")
            if random.random() < 0.15:
                out.write(f"Sales report{end}{end}")
                self.about += " preamble"
        writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end)
        writer.writerow(list(rows[0]))
        writer.writerows(self._text(rows))
        if not plain and random.random() < 0.15:
            self.about += " footer"
            writer.writerow(
                [
                    random.choice(["Total", "TOPLAM", "Summe"]),
                    *[""] * (len(rows[0]) - 2),
                    self.numbers.write(Decimal("1234.50")),
                ]
            )
        if random.random() < 0.2:
            out.write(end * 2)
        return out.getvalue()

    def _json(self, rows: Rows, folder: Path) -> Path:
        path = folder / "orders.json"
        cells = [{n: self._typed(v) for n, v in row.items()} for row in rows]
        path.write_text(
            json.dumps(self.random.choice([cells, {"orders": cells}]), ensure_ascii=False), encoding="utf-8"
        )
        return path

    def _jsonl(self, rows: Rows, folder: Path) -> Path:
        path = folder / "orders.jsonl"
        lines = [json.dumps({n: self._typed(v) for n, v in row.items()}, ensure_ascii=False) for row in rows]
        path.write_text("\n".join(lines), encoding="utf-8")
        return path

    def _typed(self, value: object) -> object:
        if isinstance(value, datetime):
            return value.isoformat()
        return float(value) if isinstance(value, Decimal) else value

    def _parquet(self, rows: Rows, folder: Path) -> Path:
        path = folder / "o.parquet"
        names = list(rows[0])
        columns = {}
        for name in names:
            values = [row[name] for row in rows]
            if any(isinstance(v, Decimal) for v in values):
                columns[name] = pa.array(
                    [float(v) if isinstance(v, Decimal) else None for v in values], pa.float64()
                )
            elif any(isinstance(v, datetime) for v in values):
                columns[name] = pa.array(
                    [v if isinstance(v, datetime) else None for v in values], pa.timestamp("us")
                )
            else:
                columns[name] = pa.array([str(v) for v in values])
        pq.write_table(pa.table(columns), path)
        return path

    def _xlsx(self, rows: Rows, folder: Path) -> Path:
        path = folder / self.random.choice(["orders.xlsx", "orders.xls"])
        body = [list(rows[0]), *[list(row.values()) for row in rows]]
        if self.random.random() < 0.3:
            body = [["Sales report"], [], *body]
        cut = len(rows) // 2
        if (
            self.random.random() < 0.2
            and cut > 4
            and body[0] != ["Sales report"]
            and "" not in [r[0] for r in body]
        ):
            write_xlsx(path, {"2024": body[: cut + 1], "2025": [body[0], *body[cut + 1 :]]})
        else:
            write_xlsx(path, {"Orders": body})
        return path


def judge(made: Made) -> tuple[str, str]:
    """wrong, read, asks or refused, and what differs."""
    answer = inspect(made.path, Options()).answer
    if answer.outcome == "refused":
        assert answer.refusal is not None
        return (
            "refused" if made.missing else "refused without cause"
        ), f"{answer.refusal.code}: {answer.refusal.what}"
    if answer.outcome == "asks":
        question = answer.question
        assert question is not None
        if made.missing:
            return "asks", ""
        readings = [
            inspect(made.path, with_choice(Options(), question, value)).answer for value in question.choices
        ]
        figures = {
            (a.net_amount, a.first_day, a.last_day, a.customers, a.question and a.question.code)
            for a in readings
        }
        if len(figures) < 2:
            return "asks without cause", question.text
        if not any(a.outcome == "asks" or not differs(a, made.truth) for a in readings):
            return "asks without the truth", f"{question.text} {question.choices}"
        return "asks", ""
    if made.missing:
        return "wrong", f"{made.missing} is missing, yet it was read: {answer.mapping}"
    if wrong := differs(answer, made.truth):
        return "wrong", f"{wrong} {[m.text for m in answer.findings.warnings]} {answer.mapping}"
    return "read", ""


def differs(answer: object, truth: Truth) -> str:
    """The figures of an answer that are not the truth's."""
    wrong = []
    for name, value in truth.figures().items():
        got = getattr(answer, name)
        if got is None or (
            abs(got - value) > Decimal("0.005") if isinstance(value, Decimal) else got != value
        ):
            wrong.append(f"{name} {got} for {value}")
    return "; ".join(wrong)


def run(count: int, seed: int = 0) -> tuple[Counter[str], list[str]]:
    """Judge files of ``count`` seeds; how many of each outcome, and the bad ones."""
    outcomes: Counter[str] = Counter()
    bad = []
    for number in range(seed, seed + count):
        with TemporaryDirectory(prefix="firmament-random-") as folder:
            made = make(number, Path(folder))
            outcome, why = judge(made)
        outcomes[outcome] += 1
        if outcome not in ("read", "asks", "refused"):
            bad.append(f"{outcome}: {made.about}\n    {why}")
    return outcomes, bad


def shares(outcomes: Counter[str]) -> str:
    """The four shares as one line."""
    total = sum(outcomes.values())
    parts = {
        "wrong": outcomes["wrong"], "read without a question": outcomes["read"],
        "asks": sum(n for o, n in outcomes.items() if o.startswith("asks")),
        "refused": sum(n for o, n in outcomes.items() if o.startswith("refused")),
    }  # fmt: skip
    return f"{total} files: " + ", ".join(f"{name} {n / total:.1%}" for name, n in parts.items())


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    counted, wrong_files = run(*(given or [150]))
    print("\n".join(wrong_files))
    print(shares(counted))
    print(dict(counted))
