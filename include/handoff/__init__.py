"""Handoffs: one step writes a dataset to object storage, the next step reads it; no fault corrupts it.

``{root}/{firm}/{dataset}/as_of=2026-11-21/`` (or ``month=2026-11``) is a *slot*. It holds one
``_manifest.json`` and the part files of attempts, ``attempt={token}-{nonce}/part-00000.parquet``. A
writer writes parts under its own attempt, then commits the manifest if no newer token has committed.
Readers trust only manifests and verify each file's size and hash. ``protocol.py`` explains why.

    handoff = Handoff("file:///data/handoffs", scratch=Path("/tmp/step"))
    handoff.write(Slot("acme", RFM, Slice(as_of)), batches, token=token, as_of=as_of)
    for batch in handoff.read(Slot("acme", RFM, Slice(as_of))): ...
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from include.datasets import Dataset
from include.handoff import parts, protocol
from include.handoff.manifest import FILE, Corrupt, HandoffError, Manifest, Part, draft
from include.handoff.protocol import Fenced, UnknownOutcome
from include.handoff.slots import Referenced, Slot, Version
from include.handoff.store_calls import StoreError, perform
from include.handoff.stores import open_store
from include.periods import Month
from include.private_files import private_folder
from include.slices import Slice
from include.version import code_version

__all__ = [
    "Corrupt",
    "Fenced",
    "Handoff",
    "HandoffError",
    "Manifest",
    "Part",
    "Referenced",
    "Slot",
    "StoreError",
    "UnknownOutcome",
    "Version",
    "local_token",
]

LONGEST_STEP = timedelta(hours=24)  # no step, reader or writer, runs longer


class Handoff:
    """Reads and writes the slots under one root."""

    def __init__(
        self,
        root: str,
        *,
        scratch: Path,
        writers: Mapping[str, str] | None = None,
        verify_once: bool = False,
    ) -> None:
        """``root`` is ``file:///…`` or ``s3://conn_id@bucket/prefix``; ``scratch`` is a private folder.

        ``writers`` names the step that writes each dataset, for messages. With ``verify_once`` the files of a
        manifest are fetched and verified once and kept in ``scratch`` for later reads.
        """
        self.root = root
        self._scratch = scratch
        self._store = open_store(root, scratch=scratch)
        self._writers = writers or {}
        self._verify_once = verify_once
        self._kept: dict[str, list[Any]] = {}
        self.consulted: dict[str, str | None] = {}

    def write(
        self,
        slot: Slot,
        batches: Iterable[pa.RecordBatch],
        *,
        token: int,
        as_of: date,
        made_from: Sequence[Referenced] = (),
    ) -> Manifest:
        """Replace the slot's data with ``batches``, which are sorted by the grain; all or nothing.

        Raises ContractError for rows that violate the contract, Fenced when a newer token has committed,
        and UnknownOutcome when the store does not confirm whether the commit happened.
        """
        if token < 1:
            raise HandoffError(f"{slot.path}: token {token} is not a drawn token")
        attempt = protocol.attempt_name(token, uuid.uuid4().hex[:12])

        def manifest(written_parts: Sequence[Part]) -> Manifest:
            return draft(
                slot.path,
                token=token,
                as_of=as_of,
                attempt=attempt,
                parts=written_parts,
                fingerprint=slot.dataset.fingerprint,
                made_from=[source.reference for source in made_from],
                code_version=code_version(),
            )

        contents = parts.parts(slot.dataset, batches)
        written: Manifest = perform(protocol.write(slot.path, attempt, contents, manifest), self._store)
        return written

    def write_month_list(
        self,
        firm_key: str,
        dataset: Dataset,
        as_of: date,
        months: Mapping[Month, Referenced],
        *,
        token: int,
    ) -> Manifest:
        """Record which months make up a by-month dataset as of a date: a manifest without parts."""
        slot = Slot(firm_key, dataset, Slice(as_of))
        listed = draft(
            slot.path,
            token=token,
            as_of=as_of,
            attempt=protocol.attempt_name(token, "index"),
            parts=(),
            fingerprint=dataset.fingerprint,
            made_from=[months[month].reference for month in sorted(months)],
            code_version=code_version(),
        )
        written: Manifest = perform(protocol.commit(slot.path, listed), self._store)
        return written

    def manifest(self, slot: Slot) -> Manifest | None:
        """The slot's manifest, or None if the slot is empty."""
        return self.at(slot.path)

    def at(self, path: str) -> Manifest | None:
        """The manifest of the slot at ``path``, or None. ``consulted`` records its reference by path."""
        found: Manifest | None = perform(protocol.current(path), self._store)
        self.consulted[path] = found.reference if found else None
        return found

    def slots(self, firm_key: str, dataset: Dataset, as_of: date) -> list[Slot]:
        """The slots of the dataset as of a date: one snapshot, or the months of its list, in order."""
        slot = Slot(firm_key, dataset, Slice(as_of))
        found = self.manifest(slot)
        if found is None:
            raise self._absent(slot)
        if dataset.by != "month":
            return [slot]
        paths = (reference.partition("#")[0] for reference in found.made_from)
        return [Slot(firm_key, dataset, Slice.of_path(path)) for path in paths]

    def latest_tokens(self, firm_key: str, dataset: Dataset) -> dict[Slice, int]:
        """By slice that has a manifest, the highest token among its attempts' files; by one listing.

        0 without such a file: an empty slice has none.
        """
        tokens: dict[Slice, int] = {}
        written = set()
        for entry in self._store.list(f"{firm_key}/{dataset.name}"):
            _, _, folder, *below = entry.path.split("/")
            try:
                part = Slice.of_folder(folder)
            except ValueError:
                continue  # a stray file
            name = below[0] if below else ""
            tokens[part] = max(tokens.get(part, 0), protocol.token_of(name))
            if name == FILE:
                written.add(part)
        return {part: token for part, token in tokens.items() if part in written}

    def fetch(self, slot: Slot) -> tuple[Manifest, list[Path]]:
        """The slot's manifest and local parquet files, whose size and hash have just been verified.

        Files of an earlier contract are converted: the returned files always have the current columns.
        """
        found, copies = self._verified(slot)
        if found.fingerprint == slot.dataset.fingerprint:
            return found, [part.file for part in copies]
        return found, self._converted(slot, found, copies)

    def read(self, slot: Slot, *, expected: Version | None = None) -> Iterator[pa.RecordBatch]:
        """The slot's rows, from verified files, checked against the contract.

        Reading starts when the first batch is requested. With ``expected``, Fenced is raised then if the slot
        holds another version: a newer run has replaced it.
        """
        found, copies = self._verified(slot)
        if expected and found.reference != expected.reference:
            raise Fenced(
                f"{slot.path}: token {expected.token} was expected and token {found.token} is there; "
                "another run has replaced it since, rerun this step"
            )
        for part, copy in zip(found.parts, copies, strict=True):
            where = f"{slot.path}/{part.name}"
            yield from parts.read_part(
                slot.dataset, copy.file, part, where=where, fingerprint=found.fingerprint
            )
            if not self._verify_once:
                self._store.release(copy)

    def collect(self, *, older_than: timedelta, now: datetime) -> int:
        """Remove the files of attempts that no reader or writer needs any more; returns how many.

        The current and the previous version are kept, and all files younger than ``older_than``,
        which must be longer than any step runs.
        """
        if older_than <= LONGEST_STEP:
            raise ValueError(f"older_than must be more than {LONGEST_STEP}: a step may run that long")
        paths = {re.sub(r"((?:[^/]+/){2}[^/]+)/.*", r"\1", e.path) for e in self._store.list()}
        count, damage = 0, []
        for path in sorted(path for path in paths if path.count("/") == 2):
            try:
                count += perform(protocol.collect(path, older_than=older_than, now=now), self._store)
            except Corrupt as error:  # one damaged slot must not block the collection of the others
                damage.append(str(error))
        if damage:
            raise Corrupt("; ".join(damage))
        return count

    def forget(self, slot: Slot) -> int:
        """Remove the slot's data for good and fence its active writers; returns how many files."""
        count: int = perform(protocol.forget(slot.path), self._store)
        return count

    def _verified(self, slot: Slot) -> tuple[Manifest, list[Any]]:
        if slot.dataset.by == "month" and slot.slice.month is None:
            raise HandoffError(f"{slot.path} is a list of months; read each of slots(...) instead")
        found, copies = self._fetched(slot.path)
        if found is None:
            raise self._absent(slot)
        if not slot.dataset.can_read(found.fingerprint):
            raise HandoffError(
                f"{slot.path} was written under another contract of {slot.dataset.name} "
                f"({found.fingerprint}, now {slot.dataset.fingerprint}); {self._fix(slot)}"
            )
        return found, copies

    def _converted(self, slot: Slot, found: Manifest, copies: Sequence[Any]) -> list[Path]:
        """Copies of the slot's files in ``scratch``, under the current contract."""
        folder = private_folder(self._scratch / "converted" / uuid.uuid4().hex)
        files: list[Path] = []
        for part, copy in zip(found.parts, copies, strict=True):
            files.append(folder / f"part-{len(files):05d}.parquet")
            parts.convert_part(
                slot.dataset,
                copy.file,
                part,
                files[-1],
                where=f"{slot.path}/{part.name}",
                fingerprint=found.fingerprint,
            )
            if not self._verify_once:
                self._store.release(copy)
        return files

    def _fetched(self, path: str) -> tuple[Manifest | None, list[Any]]:
        if self._verify_once:
            found = self.at(path)
            if found is not None and found.reference in self._kept:
                return found, self._kept[found.reference]
        found, copies = perform(protocol.read(path), self._store)
        self.consulted[path] = found.reference if found else None
        if self._verify_once and found is not None:
            self._kept[found.reference] = copies
        return found, copies

    def _absent(self, slot: Slot) -> HandoffError:
        return HandoffError(f"{slot.path} has not been written; {self._fix(slot)}")

    def _fix(self, slot: Slot) -> str:
        step = self._writers.get(slot.dataset.name)
        if step is None:
            return f"rerun the step that writes {slot.dataset.name}"
        day = slot.slice.earliest_as_of
        return f"rerun its step: python -m include run {slot.firm_key} --as-of {day} --from {step}"


def local_token(root: str, *, scratch: Path | None = None) -> int:
    """The next token of a counter stored beside the handoffs, for use without Postgres."""
    store = open_store(root, scratch=scratch or Path.cwd())
    token: int = perform(protocol.draw("_tokens"), store)
    return token
