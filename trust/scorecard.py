"""The scorecard of fault injection: name, n, bad, target and seconds, printed and saved as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Line:
    """One row of the scorecard: ``n`` cases, ``bad`` of them violations; ``target`` is the required ``n``."""

    name: str
    n: int
    bad: int
    target: int
    seconds: float
    note: str = ""

    @property
    def is_met(self) -> bool:
        """Whether ``n`` reaches the target without a violation."""
        return self.bad == 0 and self.n >= self.target


def show(line: Line) -> str:
    """The line as text."""
    mark = "ok" if line.is_met else "MISSED"
    text = f"{mark:6} {line.name}: {line.n:,} (target {line.target:,}), {line.bad} bad, {line.seconds:.1f} s"
    return f"{text}; {line.note}" if line.note else text


def save(path: Path, lines: Iterable[Line]) -> None:
    """Replace these lines in the file, and keep those of other lanes."""
    kept = {row["name"]: row for row in json.loads(path.read_text())} if path.exists() else {}
    kept |= {line.name: asdict(line) | {"seconds": round(line.seconds, 1)} for line in lines}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(list(kept.values()), indent=1) + "\n")


def verdict(lines: Sequence[Line]) -> int:
    """The exit status: 0 when every target is met."""
    return 0 if lines and all(line.is_met for line in lines) else 1
