"""The names of our columns in exported files, in the languages of exports.

Names are compared without case, accents, blanks and punctuation. Earlier names take precedence.
"""

from __future__ import annotations

import re

from include.intake.concepts import role_of
from include.intake.tables import compact
from include.intake.vocabulary import listed, load

NAMES: dict[str, str] = load("names")
SYNONYMS: dict[str, tuple[str, ...]] = {
    role: tuple(dict.fromkeys(map(compact, listed(names)))) for role, names in NAMES.items()
}
KNOWN = frozenset(name for names in SYNONYMS.values() for name in names)


LONGEST_NAME = 80


def _is_known(cell: str) -> bool:
    return (compact(cell) in KNOWN and not compact(cell).isdigit()) or role_of(cell) is not None


def count_known(text: str) -> int:
    """The most known column names in one of a text's first lines."""
    best = 0
    for line in text.splitlines()[:40]:
        cells = [cell for cell in re.split(r"[,;\t|]", line) if len(cell) < LONGEST_NAME]
        best = max(best, sum(_is_known(cell) for cell in cells))
    return best
