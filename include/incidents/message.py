"""The text of an incident's messages, and their form as JSON for a webhook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from include.incidents.kinds import DOCTOR, Kind, kind_named

MOST_FIRMS = 10  # named in a message
Row = Mapping[str, Any]


def message_of(incident: Row, entries: Sequence[Row], *, message_kind: str) -> dict[str, Any]:
    """A message about the failures ``entries`` of an incident: ``title`` and ``text``, and their parts.

    ``message_kind`` is opened, grown or closed. An incident without a number could not be recorded.
    """
    kind = kind_named(incident["kind"])
    number = incident["incident_id"]
    firms = list(dict.fromkeys(entry["firm_key"] for entry in entries if entry["firm_key"]))
    first = entries[0]
    command = command_of(kind, incident, entries) if number else DOCTOR
    is_over = message_kind == "closed"
    title = _title(kind, incident, firms, message_kind)
    lines = [title, incident["error"]]
    if len(firms) > 1:
        lines.append(f"Firms: {_listed(firms)}")
    if is_over:
        lines += _over(incident, entries)
    else:
        lines += [
            *_task(first),
            f"Log: {first['log_url']}",
            f"To do: {_filled(kind.advice, incident, entries)} ({kind.section})",
            f"Fix: {command}",
        ]
    lines.append(f"Incident {number}" if number else "Not recorded yet: the warehouse is down")
    return {
        "title": title,
        "text": "\n".join(lines),
        "incident": number,
        "event": message_kind,
        "severity": incident["severity"],
        "kind": incident["kind"],
        "place": incident["place"],
        "resource": incident["resource_name"],
        "firm": first["firm_key"],
        "firms": firms,
        "stage": first["task_id"],
        "as_of": str(first["as_of"] or ""),
        "error": incident["error"],
        "log_url": first["log_url"],
        "runbook": kind.section,
        "command": "" if is_over else command,
    }


def command_of(kind: Kind, incident: Row, entries: Sequence[Row]) -> str:
    """The command that fixes an incident for all its firms."""
    return _filled(kind.command, incident, entries)


def duration_text(span: timedelta) -> str:
    """A duration in the largest unit that fits, such as ``25 min``."""
    seconds = int(span.total_seconds())
    for unit, size in (("days", 172_800), ("h", 7_200), ("min", 60)):
        if seconds >= size:
            return f"{seconds // {'days': 86_400, 'h': 3_600, 'min': 60}[unit]} {unit}"
    return f"{seconds} s"


def _filled(text: str, incident: Row, entries: Sequence[Row]) -> str:
    first = entries[0]
    return text.format(
        id=incident["incident_id"] or "ID",
        firm=first["firm_key"] or "FIRM",
        as_of=first["as_of"] or "DATE",
        resource=incident["resource_name"],
    )


def _title(kind: Kind, incident: Row, firms: Sequence[str], message_kind: str) -> str:
    """``Firmament [error]: source acme_shop cannot be reached: 3 firms``."""
    mark = "over" if message_kind == "closed" else incident["severity"]
    what = kind.title.format(resource=incident["resource_name"])
    hit = f"{len(firms)} firms" if len(firms) > 1 else f"firm {firms[0]}" if firms else ""
    if len(firms) == 1 and firms[0] in what:
        hit = ""
    more = "still open, " if message_kind == "grown" else ""
    return f"Firmament [{mark}]: {more}{what}" + (f": {hit}" if hit else "")


def _task(first: Row) -> list[str]:
    parts = [f"task {first['task_id']}"] if first["task_id"] else []
    if first["as_of"]:
        parts.append(f"as_of {first['as_of']}")
    return [f"At: {', '.join(parts)}"] if parts else []


def _listed(firms: Sequence[str]) -> str:
    more = len(firms) - MOST_FIRMS
    return ", ".join(firms[:MOST_FIRMS]) + (f" and {more} more" if more > 0 else "")


def _over(incident: Row, entries: Sequence[Row]) -> list[str]:
    """How long it was open, and the snapshots that a later success left missing."""
    closed_at: datetime = incident["closed_at"]
    lines = [
        f"Open for {duration_text(closed_at - incident['opened_at'])}, closed by {incident['closed_by']}"
    ]
    missing = sorted({(e["firm_key"], str(e["as_of"])) for e in entries if e["is_snapshot_missing"]})
    for firm, day in missing[:MOST_FIRMS]:
        lines.append(f"Still missing: python -m include backfill {firm} --from {day} --to {day}")
    if len(missing) > MOST_FIRMS:
        show = f"python -m include incidents show {incident['incident_id']}"
        lines.append(f"and {len(missing) - MOST_FIRMS} more: {show}")
    return lines
