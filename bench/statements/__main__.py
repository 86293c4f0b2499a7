"""Check the statements about simulated firms: ``python -m bench.statements [FIRMS]``.

Writes ``docs/statements.json``. The lane ``make truth`` may call ``summarise(measure(200))``.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.statements.check import Found, check
from bench.statements.firms import plans, simulate

PAGE = Path(__file__).parents[2] / "docs" / "statements.json"
FIRMS = 200


def summarise(found: list[Found]) -> dict[str, Any]:
    """Figures of all firms; a lane prints and stores them."""
    names = sorted({name for one in found for name in one.predictions})
    predictions = {}
    for name in names:
        said = [one.predictions[name] for one in found if name in one.predictions]
        predictions[name] = {"firms": len(said), "held_pct": round(100 * sum(said) / len(said), 1)}
    effects = [one.null_effect_found for one in found if one.null_effect_found is not None]
    return {
        "firms": len(found),
        "sentences": sum(one.sentences for one in found),
        "false": Counter(text.partition(":")[0] for one in found for text in one.false),
        "without_evidence": Counter(text.partition(":")[0] for one in found for text in one.without_evidence),
        "predictions": predictions,
        "null_effects": {"firms": len(effects), "found": sum(effects)},
    }


def measure(count: int = FIRMS) -> list[Found]:
    """Check ``count`` firms, one after another."""
    found = []
    for number, plan in enumerate(plans(count), start=1):
        started = time.monotonic()
        with TemporaryDirectory() as folder:
            one = check(simulate(*plan), Path(folder))
        found.append(one)
        print(f"{number}/{count} {time.monotonic() - started:.1f} s {one}", flush=True)
    return found


if __name__ == "__main__":
    result = summarise(measure(int(sys.argv[1]) if len(sys.argv) > 1 else FIRMS))
    PAGE.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))
