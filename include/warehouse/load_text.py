"""The text of a load, ``sql/load/<table>.sql``, with the contract's columns filled in.

A load of a snapshot names the columns that it derives. The others stand in the Dataset alone: the comment
``/*, every column of rfm but customer_id, segment_code */`` ends the columns of the insert, and
``/*, the same columns of stg_rfm */`` its select. Both are replaced by the columns' names.
"""

from __future__ import annotations

import re

from include import sql_text
from include.datasets import Dataset

_NAMES = re.compile(r"\n */\*, every column of (\w+)(?: but ([\w, ]+))? \*/")
_VALUES = re.compile(r"\n */\*, the same columns of (\w+) \*/")


class LoadTextError(ValueError):
    """A load's comments about columns do not fit its dataset; the message names the file."""


def load_text(table: str, dataset: Dataset) -> str:
    """The statements that load ``dataset`` into ``table``."""
    return with_columns(sql_text.read("load", table), dataset, f"sql/load/{table}.sql")


def with_columns(text: str, dataset: Dataset, where: str) -> str:
    """The text of a load with its comments about columns replaced by the columns; unchanged without them."""
    named, valued = _NAMES.findall(text), _VALUES.findall(text)
    if not named and not valued:
        return text
    if len(named) != 1 or valued != [f"stg_{dataset.name}"] or named[0][0] != dataset.name:
        raise LoadTextError(
            f"{where}: write '/*, every column of {dataset.name} but ... */' and "
            f"'/*, the same columns of stg_{dataset.name} */' once each"
        )
    left_out = named[0][1].split(", ") if named[0][1] else []
    if unknown := sorted(set(left_out) - set(dataset.schema.names)):
        raise LoadTextError(f"{where}: {dataset.name} has no columns {unknown}; see include/datasets/")
    columns = [name for name in dataset.schema.names if name not in left_out]
    text = _NAMES.sub("".join(f",\n    {name}" for name in columns), text)
    return _VALUES.sub("".join(f",\n    stg_{dataset.name}.{name}" for name in columns), text)
