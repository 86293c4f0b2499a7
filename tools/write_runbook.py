"""Write docs/runbook.md: ``python -m tools.write_runbook``. A section for each kind of incident.

The kinds are the rows of ``include/incidents/kinds.py``. A test writes the page again and compares.
"""

from __future__ import annotations

from pathlib import Path

from include.incidents.kinds import KINDS, UNKNOWN, Kind

PAGE = Path(__file__).resolve().parent.parent / "docs" / "runbook.md"
PLACES = {
    "source": "a firm's own system",
    "target": "a firm's database or webhook for published results",
    "store": "the store of handoffs",
    "warehouse": "the warehouse",
    "airflow": "Airflow",
    "machine": "the machine",
    "firm": "one firm: its row, its data or its code path",
}
RESOURCES = {
    "source": "the connection of the source; for a firm with files, the firm",
    "target": "the connection of the target, or the firm",
    "firm": "the firm",
    "dataset": "a dataset of the firm",
    "named": "what the message names",
    "function": "the class of the error and the innermost function of this project",
}
HEAD = """\
# Runbook

Written by `python -m tools.write_runbook` from `include/incidents/kinds.py`. Do not edit this page.

Failures of one cause are one **incident**, however many firms they hit. A cause is (place, kind, resource).
Each target gets one message when an incident opens, one when it has grown tenfold, one a day while it is
still hit, and one when it is over. A message ends with the command that fixes it for all its firms. Commands
run in the project's folder; they find Airflow's connections by themselves.

```
python -m include incidents                      # open incidents, each with its command
python -m include incidents show 12              # each firm, snapshot and task of an incident, with its log
python -m include incidents resolve 12 --rerun   # run its firms again; it closes when they have passed
python -m include incidents resolve 12           # close it as it is
python -m include incidents --days 7             # also closed ones
python -m include doctor                         # check every part from outside
```

- **`--rerun`** clears the failed tasks in Airflow, so that the red run turns green. If Airflow's API does not
  answer, or with `--here`, it runs the snapshots in the shell and skips the steps that are done.
- **Severity** is that of the kind; for a firm with `alerts.tier: critical` it is one step higher, for `low`
  one lower.
- **Backfills** are recorded and send no message.
- **The warehouse is down**: failures are kept in `incidents/` of `FIRMAMENT_HOME` and recorded later. Each
  host sends one message per cause.
- **A target is down**: messages wait in `control.incident_messages` and are tried again, at least every 10
  minutes, until the target accepts them. A message that is repeated has the same `id`.
- **Closing**: an incident of failed tasks closes when all steps of each task have passed for the same
  snapshot, or for a later one; then the closing message names the snapshots that are still missing. An
  incident of a check closes when the check no longer finds it.
"""


def section(kind: Kind) -> str:
    """The section of one kind."""
    title = kind.title.replace("{resource}", "RESOURCE")
    resource = RESOURCES.get(kind.resource, f"`{kind.resource}`, so all firms are one incident")
    found = f"errors {', '.join(f'`{name}`' for name in kind.errors)}" if kind.errors else "a check"
    if kind.refused_login:
        found += " whose cause is a refused login"
    filled = {"id": "ID", "firm": "FIRM", "as_of": "DATE", "resource": "RESOURCE"}
    return f"""
## {kind.name.replace("_", "-")}

*{title[0].upper()}{title[1:]}.* Severity {kind.severity}.

- **At fault**: {PLACES[kind.place]}. The resource is {resource}.
- **Found by**: {found}.
- **To do**: {kind.advice.format(**filled)}
- **Command**: `{kind.command.format(**filled)}`
"""


def page() -> str:
    """The whole page."""
    return HEAD + "".join(section(kind) for kind in [*KINDS.values(), UNKNOWN])


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"wrote {PAGE.relative_to(Path.cwd())}")
