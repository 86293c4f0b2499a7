"""Rewrite each handoff slice that holds an erased customer, and delete superseded versions."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include import faults
from include.datasets import Dataset, catalogue
from include.datasets.extracted import rejected_of
from include.erasure.search_terms import SearchTerms, is_free_text, names_customer
from include.handoff import Handoff, Manifest, Slot
from include.handoff.protocol import current, forget, read
from include.handoff.purge import files_of, purge
from include.handoff.store_calls import perform
from include.handoff.stores import open_store
from include.slices import Slice
from include.warehouse.erasures import Rewritten

ERASURE = "erasure#"  # in a manifest's made_from: then the token, and the hash of the bytes before


class Provenance(NamedTuple):
    """What a rewritten slice was made from, as a manifest refers to it."""

    reference: str


@dataclass
class Purged:
    """Counts of what was rewritten and removed."""

    slices: int = 0
    removed: int = 0
    old_files: int = 0
    rewritten: list[Rewritten] = field(default_factory=list)


def purge_customer(
    root: str, firm_key: str, terms: SearchTerms, *, token: int, scratch: Path, dry: bool = False
) -> Purged:
    """Remove the customer from every slice of the firm, and add the contacts found there to ``terms``.

    With ``dry`` nothing is changed, and ``slices`` counts those that hold the customer.
    """
    store = open_store(root, scratch=scratch)
    handoff = Handoff(root, scratch=scratch)
    done = Purged()
    for path in files_of(store, firm_key):
        _, name, unit = path.split("/")
        found = perform(current(path), store)
        if found is not None and found.parts:
            done.rewritten += _earlier(name, unit, found)
            fetched = perform(read(path), store)[1]
            # No short-circuit: each file can add contacts to the search terms.
            has_match = sum(file_matches(copy.file, terms) for copy in fetched) > 0
            for copy in fetched:
                store.release(copy)
            if has_match:
                done.slices += 1
                dataset = _dataset(name)
                if not dry and (dataset is None or not dataset.can_read(found.fingerprint)):
                    # Written under an old contract, which no step reads.
                    done.removed += perform(forget(path), store)
                elif not dry and dataset is not None:
                    slot = Slot(firm_key, dataset, Slice.of_folder(unit))
                    new = handoff.write(
                        slot,
                        (
                            without_customer(batch, dataset, terms)
                            for batch in handoff.read(slot, expected=found)
                        ),
                        token=token,
                        as_of=found.as_of,
                        made_from=[
                            *map(Provenance, found.made_from),
                            Provenance(f"{ERASURE}{token}#{found.sha256}"),
                        ],
                    )
                    done.rewritten += _earlier(name, unit, new)
        if not dry:
            done.old_files += perform(purge(path), store)
            faults.point("erase.after_slice")
    return done


def _earlier(name: str, unit: str, found: Manifest) -> list[Rewritten]:
    """Earlier erasures that rewrote this slice; a killed one may not have updated the warehouse."""
    return [
        Rewritten(name, Slice.of_folder(unit), text.rpartition("#")[2], found.sha256, found.token, found.rows)
        for text in found.made_from
        if text.startswith(ERASURE)
    ]


def file_matches(file: Path, terms: SearchTerms) -> bool:
    """Whether a parquet file holds the customer; contacts in its rows are added to ``terms``."""
    has_match = False
    with pq.ParquetFile(file, pre_buffer=False) as parquet:
        schema = parquet.schema_arrow
        ids = [name for name in schema.names if names_customer(name)]
        texts = [f.name for f in schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]
        for batch in parquet.iter_batches(columns=sorted({*ids, *texts})):
            for name in ids:
                mask = pc.fill_null(pc.equal(batch.column(name).cast(pa.string()), terms.customer_id), False)
                if pc.any(mask, min_count=0).as_py():
                    has_match = True
                    for contact in ("full_name", "email", "phone"):
                        if contact in texts:
                            terms.add(batch.column(contact).filter(mask).to_pylist())
            has_match = has_match or any(_matches_column(batch.column(name), name, terms) for name in texts)
    return has_match


def _matches_column(column: pa.Array, name: str, terms: SearchTerms) -> bool:
    """Whether a row of a text column contains one of the search terms."""
    if names_customer(name):
        return False  # file_matches compares these columns with the id
    distinct = pc.unique(column.cast(pa.string()))
    for substring in terms.substrings:
        is_id = substring == terms.customer_id.lower()
        if is_id and not is_free_text(name) and not terms.is_distinctive:
            continue
        near = distinct.filter(
            pc.fill_null(pc.match_substring(distinct, substring, ignore_case=True), False)
        ).to_pylist()
        if any(
            (terms.matches_document if is_free_text(name) else terms.matches_text)(value) for value in near
        ):
            return True
    return False


def without_customer(batch: pa.RecordBatch, dataset: Dataset, terms: SearchTerms) -> pa.RecordBatch:
    """Remove the customer's rows.

    Where the contract allows a null customer, as for sales, the row stays and its customer becomes null, so
    that totals do not change.
    """
    columns = {name: batch.column(name) for name in batch.schema.names}
    for name in filter(names_customer, batch.schema.names):
        mine = pc.fill_null(pc.equal(columns[name], terms.customer_id), False)
        if dataset.schema.field(name).nullable:
            columns[name] = pc.if_else(mine, pa.scalar(None, columns[name].type), columns[name])
        else:
            keep = pc.invert(mine)
            columns = {other: column.filter(keep) for other, column in columns.items()}
    if "source_row" in columns:
        matches = [
            None if text is not None and terms.matches_document(text) else text
            for text in columns["source_row"].to_pylist()
        ]
        columns["source_row"] = pa.array(matches, columns["source_row"].type)
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=dataset.schema)


def search_files(root: str, firm_key: str, terms: SearchTerms, *, scratch: Path) -> tuple[int, list[str]]:
    """Search every parquet file of the firm's handoffs, also those in no manifest: count, and matches."""
    store = open_store(root, scratch=scratch)
    count, found = 0, []
    for files in files_of(store, firm_key).values():
        for path in files:
            if path.endswith(".parquet"):
                copy: Any = store.fetch(path)
                count += 1
                if file_matches(copy.file, terms):
                    found.append(path)
                store.release(copy)
    return count, found


def _dataset(name: str) -> Dataset | None:
    known = catalogue()
    if name in known:
        return known[name]
    extracted = known.get(name.removesuffix("_rejected"))
    return rejected_of(extracted) if extracted and name.endswith("_rejected") else None
