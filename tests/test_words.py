"""Removed words stay removed: code, SQL and docs use the field's standard terms.

``REMOVED`` maps each removed word to its replacement. ``NOT_CONVERTED`` lists the paths that still contain
removed words; a path without any must leave the list. Migrations are never edited, so they are skipped.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SEARCHED = ("include", "dags", "plugins", "docs", "README.md")
SUFFIXES = {".py", ".sql", ".md"}
SKIPPED = (
    "include/sql/schema",  # migrations are checksummed
    "docs/renames.md",  # lists old names
)

REMOVED = {
    r"rivals?": "baseline",
    r"canar(?:y|ies)": "leakage check",
    r"sentinels?": "leakage check",
    r"contenders?": "candidate",
    r"verdicts?": "result",
    r"champion_of": "select_model",
    r"try_out": "backtest",
    r"hold_gate": "evaluate_promotion",
    r"staircases?": "isotonic curve",
    r"own_rate": "naive rate",
    r"doubts?": "parameter standard error",
    r"stretch(?:ed|es)?": "conformal factor",
    r"lessons?": "training window",
    r"rungs?": "fallback level",
    r"spar(?:ing|ed)": "erasure filter",
    r"tombstones?": "suppression hash",
    r"witness(?:es)?": "value probe",
    r"suspects?": "rule to recheck",
    r"put_off": "reschedule",
    r"write_down": "enqueue",
    r"recount": "reconcile",
    r"overtaken": "late-arriving",
    r"undertakes?": "claim",
    r"Deaf": "WebhookUnavailable",
    r"look-back": "lookback window",
    r"mend(?:s|ed)?": "fix",
    r"anew": "again",
    r"_?said": "message, or the text itself",
    r"told": "reported, or the message itself",
    r"whoever": "the noun that acts",
    r"(?:some|every|any)body": "the noun that acts: a user, every customer",
    r"nobody": "no customer, no user",
    r"(?:stands|standing)": "is current, is up to date",
}

PERSISTED = (
    # names and texts that are stored: renaming them would make older artefacts unreadable or change facts
    '"sentinel"',
    '"verdict"',
    '"stretch"',
    '"doubts"',
    "own_rate",
    '"nobody"',
    "`nobody`",
    "nobody new came",
    "Stored as `stretch`",
)

NOT_CONVERTED: tuple[str, ...] = (
    "include/sql/check/",
    "include/sql/load/",
)


@cache
def findings() -> dict[str, list[str]]:
    """Removed words by file: line, word and replacement."""
    found: dict[str, list[str]] = {}
    for path in sorted(file for name in SEARCHED for file in _files(ROOT / name)):
        relative = path.relative_to(ROOT).as_posix()
        if not relative.startswith(SKIPPED) and (lines := removed_in(path.read_text(encoding="utf-8"))):
            found[relative] = lines
    return found


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return [file for file in path.rglob("*") if file.suffix in SUFFIXES]


def removed_in(text: str) -> list[str]:
    """The removed words of a text; a word is delimited by characters that no identifier contains."""
    for stored in PERSISTED:
        text = text.replace(stored, "")
    return [
        f"line {number}: {word!r}, write {replacement!r}"
        for number, line in enumerate(text.splitlines(), start=1)
        for pattern, replacement in REMOVED.items()
        for word in re.findall(rf"\b{pattern}\b", line)
    ]


def test_converted_files_contain_no_removed_word():
    found = {path: lines for path, lines in findings().items() if not path.startswith(NOT_CONVERTED)}

    assert found == {}


@pytest.mark.parametrize("path", NOT_CONVERTED)
def test_a_path_without_removed_words_leaves_the_list(path):
    assert any(name.startswith(path) for name in findings())


def test_a_removed_word_is_found_and_a_stored_name_is_not():
    assert removed_in('x = "sentinel_checks"\nthe sentinel blocks') == [
        "line 2: 'sentinel', write 'leakage check'"
    ]
    assert removed_in('parts["sentinel"]  # total_doubt_1_year') == []


NOT_IN_NAMES = re.compile(
    r"_(?:nobody|somebody|whoever|whichever|told|tells?|said|stands?|mends?|leads_nowhere|no_more)(?:_|$)"
)
THE_USER_NOBODY = {
    "test_root_runs_the_server_as_nobody",
    "test_root_uses_a_user_namespace_if_nobody_cannot_access_the_folder",
}


def test_names_of_tests_contain_no_removed_word():
    names = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^\s*(?:async )?def (test_\w+)", path.read_text(), re.M)
    }

    assert sorted(name for name in names - THE_USER_NOBODY if NOT_IN_NAMES.search(name)) == []
