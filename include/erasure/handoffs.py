"""Handoffs without a customer: each slice that holds one is written anew, and its past removed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include import faults
from include.datasets import Dataset, catalogue
from include.datasets.extracted import rejected_of
from include.erasure.traces import Traces, is_free_text, names_customer
from include.handoff import Handoff, Manifest, Slot
from include.handoff.protocol import current, forget, read
from include.handoff.purging import files_of, perform, purge
from include.handoff.stores import open_store
from include.periods import Month
from include.warehouse.erasures import Rewritten

ERASURE = "erasure#"  # in a manifest's made_from: then the token, and the hash of the bytes before


class Source(NamedTuple):
    """What a rewritten slice was made from, in a manifest's words."""

    reference: str


@dataclass
class Swept:
    """What rewriting did."""

    slices: int = 0
    removed: int = 0
    old_files: int = 0
    rewritten: list[Rewritten] = field(default_factory=list)


def sweep(root: str, firm_key: str, traces: Traces, *, token: int, scratch: Path, dry: bool = False) -> Swept:
    """Take the customer out of every slice of the firm; ``traces`` learns the contacts that it finds.

    With ``dry`` nothing is changed, and ``slices`` counts those that hold the customer.
    """
    store = open_store(root, scratch=scratch)
    handoff = Handoff(root, scratch=scratch)
    done = Swept()
    for path in files_of(store, firm_key):
        _, name, unit = path.split("/")
        found = perform(current(path), store)
        if found is not None and found.parts:
            done.rewritten += _earlier(name, unit, found)
            fetched = perform(read(path), store)[1]
            # Every file is read to its end: contacts are learnt from each.
            has_trace = sum(holds(landed.file, traces) for landed in fetched) > 0
            for landed in fetched:
                store.release(landed)
            if has_trace:
                done.slices += 1
                dataset = _dataset(name)
                if not dry and (dataset is None or not dataset.can_read(found.fingerprint)):
                    # Written under a contract that no step reads any more.
                    done.removed += perform(forget(path), store)
                elif not dry and dataset is not None:
                    slot = Slot(firm_key, dataset, _slice(unit))
                    new = handoff.write(
                        slot,
                        (without(batch, dataset, traces) for batch in handoff.read(slot, expected=found)),
                        token=token,
                        as_of=found.as_of,
                        made_from=[*map(Source, found.made_from), Source(f"{ERASURE}{token}#{found.sha256}")],
                    )
                    done.rewritten += _earlier(name, unit, new)
        if not dry:
            done.old_files += perform(purge(path), store)
            faults.point("erase.after_slice")
    return done


def _earlier(name: str, unit: str, found: Manifest) -> list[Rewritten]:
    """How this slice was rewritten by an erasure before, whose end may not have reached the warehouse."""
    return [
        Rewritten(
            name, unit.partition("=")[2], text.rpartition("#")[2], found.sha256, found.token, found.rows
        )
        for text in found.made_from
        if text.startswith(ERASURE)
    ]


def holds(file: Path, traces: Traces) -> bool:
    """Whether a parquet file has a trace of the customer; contacts beside its id are learnt on the way."""
    has_trace = False
    with pq.ParquetFile(file, pre_buffer=False) as parquet:
        schema = parquet.schema_arrow
        ids = [name for name in schema.names if names_customer(name)]
        texts = [f.name for f in schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]
        for batch in parquet.iter_batches(columns=sorted({*ids, *texts})):
            for name in ids:
                mask = pc.fill_null(pc.equal(batch.column(name).cast(pa.string()), traces.customer_id), False)
                if pc.any(mask, min_count=0).as_py():
                    has_trace = True
                    for contact in ("full_name", "email", "phone"):
                        if contact in texts:
                            traces.add(batch.column(contact).filter(mask).to_pylist())
            has_trace = has_trace or any(_tells(batch.column(name), name, traces) for name in texts)
    return has_trace


def _tells(column: pa.Array, name: str, traces: Traces) -> bool:
    """Whether a column of text tells of the customer in some row."""
    if names_customer(name):
        return False  # asked above
    distinct = pc.unique(column.cast(pa.string()))
    for needle in traces.needles:
        is_id = needle == traces.customer_id.lower()
        if is_id and not is_free_text(name) and not traces.is_telling:
            continue
        near = distinct.filter(
            pc.fill_null(pc.match_substring(distinct, needle, ignore_case=True), False)
        ).to_pylist()
        if any((traces.in_document if is_free_text(name) else traces.in_text)(value) for value in near):
            return True
    return False


def without(batch: pa.RecordBatch, dataset: Dataset, traces: Traces) -> pa.RecordBatch:
    """The rows without the customer's.

    Where the contract lets a row have no customer, as a sale may, the row stays and has none: totals hold.
    """
    columns = {name: batch.column(name) for name in batch.schema.names}
    for name in filter(names_customer, batch.schema.names):
        mine = pc.fill_null(pc.equal(columns[name], traces.customer_id), False)
        if dataset.schema.field(name).nullable:
            columns[name] = pc.if_else(mine, pa.scalar(None, columns[name].type), columns[name])
        else:
            keep = pc.invert(mine)
            columns = {other: column.filter(keep) for other, column in columns.items()}
    if "source_row" in columns:
        told = [
            None if text is not None and traces.in_document(text) else text
            for text in columns["source_row"].to_pylist()
        ]
        columns["source_row"] = pa.array(told, columns["source_row"].type)
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=dataset.schema)


def found_in(root: str, firm_key: str, traces: Traces, *, scratch: Path) -> tuple[int, list[str]]:
    """Every parquet file of the firm's handoffs, whether or not a manifest names it: how many, which hold."""
    store = open_store(root, scratch=scratch)
    count, found = 0, []
    for files in files_of(store, firm_key).values():
        for path in files:
            if path.endswith(".parquet"):
                landed: Any = store.fetch(path)
                count += 1
                if holds(landed.file, traces):
                    found.append(path)
                store.release(landed)
    return count, found


def _dataset(name: str) -> Dataset | None:
    known = catalogue()
    if name in known:
        return known[name]
    extracted = known.get(name.removesuffix("_rejected"))
    return rejected_of(extracted) if extracted and name.endswith("_rejected") else None


def _slice(unit: str) -> date | Month:
    kind, _, text = unit.partition("=")
    return Month.parse(text) if kind == "month" else date.fromisoformat(text)
