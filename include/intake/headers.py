"""The names of our columns in exported files, in the languages of exports.

Names are compared without case, accents, blanks and punctuation. Earlier names take precedence.
"""

from __future__ import annotations

import re

from include.intake.tables import compact
from include.intake.vocabulary import listed, load

NAMES: dict[str, str] = load("names")
SYNONYMS: dict[str, tuple[str, ...]] = {
    role: tuple(dict.fromkeys(map(compact, listed(names)))) for role, names in NAMES.items()
}
KNOWN = frozenset(name for names in SYNONYMS.values() for name in names)

# Parts of a header that make a column a candidate if no whole name is known.
PARTS: dict[str, tuple[str, ...]] = {role: listed(parts) for role, parts in load("parts").items()}
NOT_PARTS = PARTS.pop("never")


def count_known(text: str) -> int:
    """The most known column names in one of a text's first lines."""
    best = 0
    for line in text.splitlines()[:40]:
        cells = [compact(cell) for cell in re.split(r"[,;\t|]", line)]
        best = max(best, sum(cell in KNOWN and not cell.isdigit() for cell in cells))
    return best
