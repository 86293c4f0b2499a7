"""What a lane of attacks found: lines of name, n, bad, target and seconds, printed and kept as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Line:
    """One row of the scorecard: ``n`` attacks of which ``bad`` were not survived; ``target`` is for ``n``."""

    name: str
    n: int
    bad: int
    target: int
    seconds: float
    note: str = ""

    @property
    def is_met(self) -> bool:
        """Whether enough was tried and nothing went wrong."""
        return self.bad == 0 and self.n >= self.target


def show(line: Line) -> str:
    """The line as a person reads it."""
    mark = "ok" if line.is_met else "MISSED"
    text = f"{mark:6} {line.name}: {line.n:,} (target {line.target:,}), {line.bad} bad, {line.seconds:.1f} s"
    return f"{text}; {line.note}" if line.note else text


def save(path: Path, lines: Iterable[Line]) -> None:
    """Replace these lines in the file and keep those of lanes that were not run."""
    kept = {row["name"]: row for row in json.loads(path.read_text())} if path.exists() else {}
    kept |= {line.name: asdict(line) | {"seconds": round(line.seconds, 1)} for line in lines}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(list(kept.values()), indent=1) + "\n")


def verdict(lines: Sequence[Line]) -> int:
    """The exit status: 0 when every target is met."""
    return 0 if lines and all(line.is_met for line in lines) else 1
