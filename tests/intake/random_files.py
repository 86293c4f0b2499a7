"""Random files of known truth through ``inspect``: how many are read wrong, read, asked about, refused.

``python -m tests.intake.random_files 2000 [SEED]`` prints the four shares and each wrong file.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from include.cli.file_options import with_choice
from include.intake import Options, inspect
from tests.intake.layouts import KINDS
from tests.intake.styles import NumberStyle, random_dates, random_numbers
from tests.intake.truth import Truth, random_truth
from tests.intake.writers import ENCODINGS, Writer


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
    if name == "discounted":
        numbers.digits = 2
    rows = kind.make(truth, random, language)
    missing = ""
    if random.random() < 0.3 and name in ("orders", "uci"):
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
    if form == "folder" and (len(rows) < 8 or name in ("head", "shopify", "odoo")):
        form = "csv"
    written = Writer(random, numbers, dates, language)
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
        "wrong": outcomes["wrong"],
        "read without a question": outcomes["read"],
        "asks": sum(n for o, n in outcomes.items() if o.startswith("asks")),
        "refused": sum(n for o, n in outcomes.items() if o.startswith("refused")),
    }
    return f"{total} files: " + ", ".join(f"{name} {n / total:.1%}" for name, n in parts.items())


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    counted, wrong_files = run(*(given or [150]))
    print("\n".join(wrong_files))
    print(shares(counted))
    print(dict(counted))
