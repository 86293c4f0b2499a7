"""Run the benchmarks: ``python -m bench [NAME...]``, where a name is a module of this folder.

Rows of other modules in docs/bench.json stay unchanged.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.rows import Row

HERE = Path(__file__).parent
OUTPUT = HERE.parent / "docs" / "bench.json"
NOT_BENCHMARKS = {"__init__", "__main__", "rows"}


def modules() -> list[str]:
    """The names of the benchmark modules."""
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NOT_BENCHMARKS)


def collect(names: list[str], console: Console) -> Iterator[dict]:
    """Rows of the named modules, prefixed with the module's name; prints each when it is done."""
    for module in names:
        for row in import_module(f"bench.{module}").rows():
            console.print(f"{module}: {row.name} done", style="dim", highlight=False)
            yield {**asdict(row), "name": f"{module}: {row.name}"}


def write(found: list[dict], names: list[str]) -> list[dict]:
    """Replace the rows of ``names`` in docs/bench.json, keep the others; return them all."""
    kept = json.loads(OUTPUT.read_text()) if OUTPUT.exists() else []
    kept = [row for row in kept if row["name"].split(": ")[0] in set(modules()) - set(names)]
    rows = sorted([*kept, *found], key=lambda row: row["name"].split(": ")[0])
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(rows, indent=1) + "\n")
    return rows


def table(rows: list[dict]) -> Table:
    """The rows as a table for the terminal."""
    columns = list(Row.__dataclass_fields__)
    printed = Table(*columns)
    for row in rows:
        cells = [
            f"{row[name]:.3g}" if isinstance(row[name], float) else str(row[name] or "") for name in columns
        ]
        missed = row["share_of_limit"] is not None and row["share_of_limit"] > 1
        printed.add_row(*cells, style="red" if missed else None)
    return printed


def main(asked: list[str]) -> int:
    """Run, print and write; 1 when a row misses its limit."""
    unknown = sorted(set(asked) - set(modules()))
    if unknown:
        print(f"bench: no benchmark named {unknown}; there are {modules()}", file=sys.stderr)
        return 2
    console, names = Console(width=None if sys.stdout.isatty() else 170), asked or modules()
    found = list(collect(names, console))
    write(found, names)
    console.print(table(found))
    return int(any((row["share_of_limit"] or 0) > 1 for row in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
