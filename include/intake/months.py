"""Words in dates: months, halves of the day, weekdays and zones, in the languages of exports."""

from __future__ import annotations

from include.intake.tables import compact
from include.intake.vocabulary import WORDS, listed

MONTHS = {compact(word): i + 1 for i, words in enumerate(WORDS["months"]) for word in listed(words)}
HALVES = {compact(word): hours for key, hours in (("am", 0), ("pm", 12)) for word in listed(WORDS[key])}
WEEKDAYS = frozenset(listed(WORDS["weekdays"]))
FILLERS = frozenset(listed(WORDS["fillers"]))
ZONES: dict[str, int] = WORDS["zones"]
