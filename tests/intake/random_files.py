"""Random files of known truth through ``inspect``: how many are read wrong, read, asked about, refused.

``python -m tests.intake.random_files 2000 [SEED]`` prints the four shares and each wrong file.
"""

from __future__ import annotations

import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from include.cli.file_options import with_choice
from include.intake import Answer, Options, inspect
from include.simulator.exports import RandomFile, Shop, random_file


def judge(made: RandomFile) -> tuple[str, str]:
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
        readings = final_answers(made.path, Options(), answer)
        figures = {(a.net_amount, a.first_day, a.last_day, a.customers) for a in readings}
        if len(figures) < 2:
            return "asks without cause", question.text
        wanted = [made.shop.only(code) for code in made.shop.currencies()] or [made.shop]
        if not any(not differs(a, shop) for shop in wanted for a in readings):
            return "asks without the truth", f"{question.text} {question.choices}"
        return "asks", ""
    if made.shop.currencies():
        return "wrong", f"amounts in {made.shop.currencies()} were added"
    if made.missing:
        return "wrong", f"{made.missing} is missing, yet it was read: {answer.mapping}"
    if wrong := differs(answer, made.shop):
        return "wrong", f"{wrong} {[m.text for m in answer.findings.warnings]} {answer.mapping}"
    return "read", ""


def final_answers(path: Path, options: Options, answer: Answer, depth: int = 3) -> list[Answer]:
    """The answers after every choice of every question."""
    if answer.question is None or not depth:
        return [answer]
    chosen = [with_choice(options, answer.question, value) for value in answer.question.choices]
    return [a for o in chosen for a in final_answers(path, o, inspect(path, o).answer, depth - 1)]


def differs(answer: object, shop: Shop) -> str:
    """The figures of an answer that are not the truth's."""
    wrong = []
    for name, value in shop.figures().items():
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
            made = random_file(number, Path(folder))
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
