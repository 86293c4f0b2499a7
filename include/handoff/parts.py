"""Write sorted batches to parquet parts of bounded size, and read them; both check the contract.

The bytes of a part depend only on the rows: batches are regrouped into row groups of one size, so a rerun
that receives the same rows in other batches writes the same files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.datasets import ContractError, Dataset
from include.handoff.manifest import Corrupt, Part
from include.private_files import open_private

GROUP_ROWS = 1 << 17
PART_ROWS = 4_000_000
PART_BYTES = 128 << 20
BATCH_ROWS = 1 << 16


class Parquet:
    """One part file: takes the remaining row groups until it is full."""

    def __init__(self, name: str, schema: pa.Schema, groups: Iterator[pa.Table]) -> None:
        """Write row groups from ``groups`` until the part is full."""
        self.name = name
        self._schema = schema
        self._groups = groups

    def write_to(self, writer: Any) -> int:
        """Write the part and return its rows."""
        rows = 0
        # Not a context manager: after an exception, it would close the file and so make half a table valid.
        parquet = pq.ParquetWriter(
            pa.PythonFile(writer, mode="w"),
            self._schema,
            compression="zstd",
            compression_level=1,
            write_page_checksum=True,
        )
        for group in self._groups:
            parquet.write_table(group, row_group_size=GROUP_ROWS)
            rows += group.num_rows
            if rows >= PART_ROWS or writer.tell() >= PART_BYTES:
                break
        parquet.close()
        return rows


def parts(dataset: Dataset, batches: Iterable[pa.RecordBatch]) -> Iterator[Parquet]:
    """The dataset's part files, at least one; write each before requesting the next."""
    groups = _Peekable(_groups(dataset, _in_order(dataset, batches)))
    number = 0
    while number == 0 or groups.has_more():
        yield Parquet(f"part-{number:05d}.parquet", dataset.schema, groups)
        number += 1


def read_part(
    dataset: Dataset, path: Path, part: Part, *, where: str, fingerprint: str = ""
) -> Iterator[pa.RecordBatch]:
    """The rows of a part whose bytes have been verified, checked against the contract.

    ``fingerprint`` is the contract under which the part was written, if it is not the current one.
    """
    written_as = fingerprint or dataset.fingerprint
    try:
        # Reading ahead holds much of a part in memory; churn reads 250 columns of a million rows.
        with pq.ParquetFile(path, pre_buffer=False) as file:
            rows = 0
            for stored in file.iter_batches(batch_size=BATCH_ROWS):
                batch = dataset.from_earlier(written_as, stored)
                dataset.check(batch)
                rows += batch.num_rows
                yield batch.select(dataset.schema.names)
            if not rows:
                none = pa.RecordBatch.from_pylist([], schema=file.schema_arrow)
                dataset.check(dataset.from_earlier(written_as, none))
    except (pa.ArrowInvalid, OSError) as error:
        raise Corrupt(f"{where}: not a parquet file ({error}); rerun the step that writes it") from error
    if rows != part.rows:
        raise Corrupt(
            f"{where}: {rows} rows where its manifest says {part.rows}; rerun the step that writes it"
        )


def convert_part(
    dataset: Dataset, path: Path, part: Part, target: Path, *, where: str, fingerprint: str
) -> None:
    """Write a part of an earlier contract to ``target`` under the current contract, a batch at a time."""
    with open_private(target, "wb") as file, pq.ParquetWriter(file, dataset.schema) as writer:
        for batch in read_part(dataset, path, part, where=where, fingerprint=fingerprint):
            writer.write_batch(batch)


class _Peekable:
    """An iterator that knows whether there is more."""

    def __init__(self, items: Iterator[pa.Table]) -> None:
        self._items = items
        self._ahead: list[pa.Table] = []

    def __iter__(self) -> _Peekable:
        return self

    def __next__(self) -> pa.Table:
        return self._ahead.pop() if self._ahead else next(self._items)

    def has_more(self) -> bool:
        if not self._ahead:
            self._ahead.extend(item for item in [next(self._items, None)] if item is not None)
        return bool(self._ahead)


def _groups(dataset: Dataset, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Tables of exactly ``GROUP_ROWS`` rows, the last one shorter."""
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        while count + batch.num_rows >= GROUP_ROWS:
            cut = GROUP_ROWS - count
            yield _table(dataset, [*waiting, batch.slice(0, cut)])
            batch, waiting, count = batch.slice(cut), [], 0
        if batch.num_rows:
            waiting.append(batch)
            count += batch.num_rows
    if waiting:
        yield _table(dataset, waiting)


def _table(dataset: Dataset, batches: list[pa.RecordBatch]) -> pa.Table:
    # One chunk per column: a writer ends a page at the end of a chunk, so other chunks give other bytes.
    return pa.Table.from_batches(batches, schema=dataset.schema).combine_chunks()


def _in_order(dataset: Dataset, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches in contract shape; ContractError if the grain is not strictly increasing."""
    last: pa.RecordBatch | None = None
    for batch in batches:
        dataset.check(batch)
        if not batch.num_rows:
            continue
        columns = [batch.column(name) for name in dataset.schema.names]
        shaped = pa.RecordBatch.from_arrays(columns, schema=dataset.schema)
        keys = shaped.select(list(dataset.grain))
        _check_rising(dataset, keys if last is None else _joined(last, keys))
        last = keys.slice(keys.num_rows - 1)
        yield shaped


def _joined(last: pa.RecordBatch, keys: pa.RecordBatch) -> pa.RecordBatch:
    columns = [pa.concat_arrays([last.column(i), keys.column(i)]) for i in range(keys.num_columns)]
    return pa.RecordBatch.from_arrays(columns, schema=keys.schema)


def _check_rising(dataset: Dataset, keys: pa.RecordBatch) -> None:
    for name in dataset.grain:
        if nulls := keys.column(name).null_count:
            raise ContractError(f"{dataset.name}.{name}: {nulls} nulls in a column of the grain")
    rises: Any = None
    for column in reversed(keys.columns):
        before, after = column.slice(0, len(column) - 1), column.slice(1)
        greater = pc.greater(after, before)
        rises = greater if rises is None else pc.or_(greater, pc.and_(pc.equal(after, before), rises))
    if rises is None or pc.all(rises, min_count=0).as_py():
        return
    at = pc.index(rises, pa.scalar(False)).as_py()
    first, second = (tuple(keys.slice(at + i, 1).to_pylist()[0].values()) for i in (0, 1))
    what = "is there twice" if first == second else f"comes after {first}: not sorted"
    raise ContractError(
        f"{dataset.name}: one row per {', '.join(dataset.grain)} in rising order, but {second} {what}"
    )
