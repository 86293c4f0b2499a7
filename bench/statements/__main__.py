"""Check the statements about simulated firms: ``python -m bench.statements [FIRMS]``.

A run over all firms writes ``docs/statements.json``. ``bars(found)`` gives the bars that the lane
``make truth`` puts into its own file.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.statements.check import Found, check
from bench.statements.firms import Case, plans, simulate

PAGE = Path(__file__).parents[2] / "docs" / "statements.json"
FIRMS = 200
LEAST_HELD, MOST_NULL = 0.9, 0.05


def summarise(found: list[Found]) -> dict[str, Any]:
    """Figures of all firms."""
    return {
        "firms": len(found),
        "kinds": dict(Counter(one.kind for one in found)),
        "sentences": sum(one.sentences for one in found),
        "false": dict(Counter(text.partition(":")[0] for one in found for text in one.false)),
        "without_evidence": dict(
            Counter(text.partition(":")[0] for one in found for text in one.without_evidence)
        ),
        "bars": bars(found),
    }


def bars(found: list[Found]) -> dict[str, dict[str, Any]]:
    """Each bar with its figure, the standard error where it is a share, and whether it holds."""
    false = sum(len(one.false) for one in found)
    unfounded = sum(len(one.without_evidence) for one in found)
    rows = {
        "sentences with a false number": {"figure": false, "of": len(found), "holds": not false},
        "sentences without their evidence": {"figure": unfounded, "of": len(found), "holds": not unfounded},
    }
    for name in sorted({name for one in found for name in one.predictions}):
        held = [one.predictions[name] for one in found if name in one.predictions]
        rows[f"{name}: the simulator's expectation is held, at least 90 %"] = _share(
            sum(held), len(held), lambda share, error: share >= LEAST_HELD
        )
    effects = [one.null_effect_found for one in found if one.null_effect_found is not None]
    if effects:
        rows["a null effect is found, at most 5 % or above by less than its error"] = _share(
            sum(effects), len(effects), lambda share, error: share <= MOST_NULL + error
        )
    return rows


def _share(hits: int, rows: int, holds: Callable[[float, float], bool]) -> dict[str, Any]:
    share = hits / rows
    error = math.sqrt(share * (1 - share) / rows)
    return {"figure": share, "error": error, "of": rows, "holds": holds(share, error)}


def measure(count: int = FIRMS, *, processes: int | None = None) -> list[Found]:
    """Check ``count`` firms, one in each process."""
    found = []
    started = time.monotonic()
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes or os.cpu_count() or 1) as pool:
        for number, one in enumerate(pool.imap(_found, plans(count)), start=1):
            found.append(one)
            print(f"{number}/{count} {time.monotonic() - started:.0f} s {one}", flush=True)
    return found


def _found(case: Case) -> Found:
    with TemporaryDirectory() as folder:
        return check(simulate(case), Path(folder))


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else FIRMS
    result = summarise(measure(count))
    if count >= FIRMS:
        PAGE.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))
    sys.exit(int(not all(bar["holds"] for bar in result["bars"].values())))
