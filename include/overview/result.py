"""Write the result of ``try``: the page and the lists, named after the input."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from include.intake import Answer
from include.models.actions import RULES
from include.overview.facts import Summary
from include.overview.gather import gather
from include.overview.lists import Lists, names_of, write_lists
from include.overview.page import html_of, words_of
from include.overview.sentences import sentences_of
from include.private_files import close_folder, private_folder
from include.report.reading import Reading
from include.settings import write_private

DEFAULT_FOLDER = "reports"
SUFFIXES = re.compile(
    r"(\.(csv|tsv|txt|tab|xlsx|xlsm|xlsb|xls|ods|json|jsonl|ndjson|parquet|gz|zip|bz2|xz))+$", re.IGNORECASE
)
MOST_STEM = 80


@dataclass(frozen=True)
class Result:
    """The files of a result, and what it says in short."""

    summary: Summary
    page: Path
    lists: Lists
    sentences: list[str]

    @property
    def files(self) -> list[Path]:
        """The page, then the lists."""
        lists = (self.lists.csv, self.lists.xlsx, *self.lists.actions.values())
        return [self.page, *(path for path in lists if path)]


def stem_of(file: Path) -> str:
    """The name of the input without its format, safe as the name of a file."""
    name = SUFFIXES.sub("", file.name or file.resolve().name)
    return re.sub(r"[^\w.() -]", "_", name).strip(" .")[:MOST_STEM] or "sales"


def write_result(
    reading: Reading, folder: Path, *, stem: str, answer: Answer | None = None, data_page: str | None = None
) -> Result:
    """Write the page and the lists to ``folder``; only their owner may read them."""
    if folder.name == DEFAULT_FOLDER:  # only this folder belongs to the results
        close_folder(folder)
    private_folder(folder)
    summary = gather(reading, answer=answer)
    words = words_of(summary)
    lists = names_of(
        folder,
        stem,
        customers=int(summary.figures["customers"].number),
        actions={action.code: action.customers for action in summary.actions},
    )
    for rule in RULES:  # lists of an earlier run on this file that this run does not write
        if rule.action_code not in lists.actions:
            (folder / f"{stem}-{rule.action_code}.csv").unlink(missing_ok=True)
    write_lists(reading, lists, words, segments={size.code: size.name for size in summary.segments})
    page = folder / f"{stem}.html"
    write_private(page, html_of(summary, lists, data_page=data_page))
    sentences = [
        sentence.striptags() for part in ("short", "changes") for sentence in sentences_of(part, words)
    ]
    return Result(summary, page, lists, sentences)
