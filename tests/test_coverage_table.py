"""``docs/coverage.md``: every place and test that it names is there, and no number is missing or twice."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "docs" / "coverage.md"
INVENTORY = ROOT.parent / "shared" / "requirements.md"
SQL_FOLDERS = ("schema/", "load/", "query/", "view/", "score/", "publish/", "check/")


class Row(NamedTuple):
    """One requirement."""

    number: int
    what: str
    where: str
    proof: str

    @property
    def is_done(self) -> bool:
        return not self.where.startswith("not done: ")

    @property
    def places(self) -> list[str]:
        return re.findall(r"`([^`]+)`", self.where)

    @property
    def tests(self) -> list[str]:
        return re.findall(r"`([^`]+\.py::[^`]+)`", self.proof)


def rows() -> list[Row]:
    found = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if re.match(r"\| \d+ \|", line):
            number, what, where, proof = (cell.strip() for cell in line.strip().strip("|").split("|"))
            found.append(Row(int(number), what, where, proof))
    return found


def numbers() -> list[int]:
    """The numbers that the table says it has."""
    (line,) = re.findall(r"^Numbers: (.+)\.$", TABLE.read_text(encoding="utf-8"), re.M)
    spans = [span.partition("-") for span in line.split(", ")]
    return [n for first, _, last in spans for n in range(int(first), int(last or first) + 1)]


@cache
def collected_in(path: Path) -> frozenset[str]:
    """Names of a file's tests, as pytest collects them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    )


def is_place(name: str) -> bool:
    folder = ROOT / "include" / "sql" if name.startswith(SQL_FOLDERS) else ROOT
    return (folder / name).exists()


def test_the_table_has_each_of_its_numbers_once():
    listed = [row.number for row in rows()]

    assert listed == sorted(set(listed))
    assert listed == numbers()


def test_every_row_is_proven_or_says_why_it_is_not_done():
    for row in rows():
        if row.is_done:
            assert row.places, row.number
            assert row.tests, row.number
        else:
            assert len(row.where) > 40, row.number
            assert not row.tests, row.number


def test_every_place_exists():
    missing = [(row.number, place) for row in rows() if row.is_done for place in row.places]
    missing = [(number, place) for number, place in missing if not is_place(place)]

    assert missing == []


def test_every_test_is_there_to_be_collected():
    missing = []
    for row in rows():
        for name in row.tests:
            path, _, test = name.partition("::")
            if not (ROOT / "tests" / path).is_file() or test not in collected_in(ROOT / "tests" / path):
                missing.append((row.number, name))

    assert missing == []


def test_the_table_has_every_requirement_that_is_core_or_next():
    if not INVENTORY.exists():
        pytest.skip("the inventory of requirements is not beside this tree: completeness is not compared")
    inventory = re.findall(r"^\| (\d+) \|.*\| (P\d) \|$", INVENTORY.read_text(encoding="utf-8"), re.M)

    wanted = [int(number) for number, priority in inventory if priority in ("P0", "P1")]

    assert len(inventory) == 202
    assert set(wanted) <= set(numbers()) <= {int(number) for number, _ in inventory}


def test_a_name_that_is_not_there_would_be_found():
    assert not is_place("view/vw_nothing.sql")
    assert is_place("view/vw_nps.sql")
    assert "test_nothing" not in collected_in(Path(__file__))
    assert "test_every_place_exists" in collected_in(Path(__file__))
