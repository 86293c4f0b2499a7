"""``python -m trust [LANE ...]``: inject faults, print a scorecard and write ``docs/trust.json``.

A lane is a module of this package with a function ``measure`` that yields lines.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from pathlib import Path

import trust
from trust.protocol_search import steps_of
from trust.scorecard import Line, save, show, verdict

SCORECARD = Path(__file__).resolve().parent.parent / "docs" / "trust.json"


def lanes() -> dict[str, object]:
    """Every module with a function ``measure``."""
    names = sorted(found.name for found in pkgutil.iter_modules(trust.__path__) if found.name != "__main__")
    modules = {name: importlib.import_module(f"trust.{name}") for name in names}
    return {name: module.measure for name, module in modules.items() if hasattr(module, "measure")}


def main() -> int:
    """Run the lanes named, or all."""
    every = lanes()
    parser = argparse.ArgumentParser(prog="python -m trust", description=__doc__.split("\n\n")[0])
    parser.add_argument("lane", nargs="*", choices=[*every, []], help="default: all")
    parser.add_argument("--seed", type=int, help="print the steps of one protocol schedule and stop")
    wanted = parser.parse_args()
    if wanted.seed is not None:
        print("\n".join(steps_of(wanted.seed)))
        return 0
    lines: list[Line] = []
    for name in wanted.lane or every:
        for line in every[name]():  # type: ignore[operator]
            print(show(line), flush=True)
            lines.append(line)
    save(SCORECARD, lines)
    return verdict(lines)


if __name__ == "__main__":
    sys.exit(main())
