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


def _evidence(cell: str) -> int:
    """2 for a known name, 1 for a header whose words say our column."""
    if compact(cell) in KNOWN and not compact(cell).isdigit():
        return 2
    return int(role_of(cell) is not None)


def count_known(text: str) -> int:
    """The evidence of known column names in the best of a text's first lines."""
    best = 0
    for line in text.splitlines()[:40]:
        cells = [cell for cell in re.split(r"[,;\t|]", line) if len(cell) < LONGEST_NAME]
        best = max(best, sum(map(_evidence, cells)))
    return best
