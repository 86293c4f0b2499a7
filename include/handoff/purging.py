"""What erasing needs of the handoffs beside writing: every slot of a firm, and slots without a past."""

from __future__ import annotations

from include.handoff.calls import (
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
    perform,
)
from include.handoff.manifest import FILE, decode, encode, void
from include.handoff.protocol import ROUNDS, UnknownOutcome, token_of


def purge(slot: str) -> Steps:
    """Delete every attempt but the current one, however young, its writer fenced first; how many files.

    A reader that still has the version before begins again, once, as after any new version.
    """
    path = f"{slot}/{FILE}"
    for turn in range(ROUNDS):
        if turn:
            yield Pause(turn)
        listing = yield List(slot)
        blob: Blob | None = yield Get(path)
        found = decode(blob.data, path) if blob else void(slot)
        names = {entry.path: entry.path.removeprefix(f"{slot}/").partition("/")[0] for entry in listing}
        doomed = [
            entry
            for entry, name in names.items()
            if name != found.attempt and (token_of(name) or name.startswith(".tmp-"))
        ]
        highest = max((token_of(names[entry]) for entry in doomed), default=0)
        if highest > found.floor:
            try:
                yield Put(path, encode(found.fenced(highest)), blob and blob.etag)
            except (Conflict, Unknown):
                continue
        for entry in doomed:
            yield Delete(entry)
        return len(doomed)
    raise UnknownOutcome(f"{slot}: old versions could not be removed, others keep writing to it; try again")


def files_of(store: Store, firm_key: str) -> dict[str, list[str]]:
    """The files of a firm's slots, by slot."""
    slots: dict[str, list[str]] = {}
    for entry in store.list(firm_key):
        parts = entry.path.split("/")
        if len(parts) > 3:  # firm / dataset / slice / file
            slots.setdefault("/".join(parts[:3]), []).append(entry.path)
    return dict(sorted(slots.items()))


__all__ = ["files_of", "perform", "purge"]
