"""For erasure: list the files of a firm's slots, and delete every version but the current one."""

from __future__ import annotations

from include.handoff.manifest import FILE, decode, empty_manifest, encode
from include.handoff.protocol import ROUNDS, UnknownOutcome, token_of
from include.handoff.store_calls import (
    Blob,
    Conflict,
    Delete,
    Get,
    List,
    Pause,
    Put,
    Steps,
    Store,
    Unknown,
)


def purge(slot: str) -> Steps:
    """Delete every attempt but the current one, of any age, and fence its writer first; how many files.

    A reader of the previous version restarts once, as after any new version.
    """
    path = f"{slot}/{FILE}"
    for turn in range(ROUNDS):
        if turn:
            yield Pause(turn)
        listing = yield List(slot)
        blob: Blob | None = yield Get(path)
        found = decode(blob.data, path) if blob else empty_manifest(slot)
        names = {entry.path: entry.path.removeprefix(f"{slot}/").partition("/")[0] for entry in listing}
        removable = [
            entry
            for entry, name in names.items()
            if name != found.attempt and (token_of(name) or name.startswith(".tmp-"))
        ]
        highest = max((token_of(names[entry]) for entry in removable), default=0)
        if highest > found.min_token:
            try:
                yield Put(path, encode(found.fenced(highest)), blob and blob.etag)
            except (Conflict, Unknown):
                continue
        for entry in removable:
            yield Delete(entry)
        return len(removable)
    raise UnknownOutcome(
        f"{slot}: old versions could not be removed, other writers keep writing to it; try again"
    )


def files_of(store: Store, firm_key: str) -> dict[str, list[str]]:
    """The files of a firm's slots, by slot."""
    slots: dict[str, list[str]] = {}
    for entry in store.list(firm_key):
        parts = entry.path.split("/")
        if len(parts) > 3:  # firm / dataset / slice / file
            slots.setdefault("/".join(parts[:3]), []).append(entry.path)
    return dict(sorted(slots.items()))
