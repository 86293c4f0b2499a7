"""Mutation test: change a module's code in one place at a time, and count the changes that its tests detect.

``python -m tools.mutation MODULE... [--mutants 200] [--seed 8] [--tree FOLDER] [--json FILE]`` copies the
tree to a temporary folder, draws places at random with a fixed seed, and runs the module's tests once for
each. A mutant is *killed* if a test fails or does not end; else it *survives*, and is printed with its place.
The score is the share of the mutants that are killed. ``--tree`` names another checkout, to compare two
versions.

Mutants are run one after the other, each in a fork of a process that has imported the libraries. All share
one PostgreSQL server. Annotations, docstrings and messages are not mutated.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import importlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).resolve().parent.parent
COPIED = ("include", "tests", "dags", "plugins", "tools", "trust", "bench", "docs", "examples", ".ci")
PRELOADED = (
    *("duckdb", "great_expectations", "lightgbm", "numpy", "pandas", "psycopg", "pyarrow.dataset"),
    *("pyarrow.parquet", "pydantic", "pytest", "scipy.stats", "sklearn.isotonic", "sqlglot"),
)


class Scope(NamedTuple):
    """What is mutated, and the tests that must detect it; patterns that match nothing are left out."""

    sources: tuple[str, ...]
    tests: tuple[str, ...]


SCOPES = {
    "handoff": Scope(
        ("include/handoff/*.py",),
        tuple(f"tests/handoff/test_{name}.py" for name in ("handoff", "parts", "stores", "documents")),
    ),
    "loading": Scope(
        ("include/warehouse/loading.py", "include/warehouse/staging.py", "include/warehouse/load_text.py"),
        tuple(
            f"tests/warehouse/test_{name}.py"
            for name in (
                "loading",
                "snapshot_loading",
                "snapshot_reloading",
                "loading_races",
                "model_loading",
            )
        ),
    ),
    "gate": Scope(
        tuple(
            f"include/quality/{name}.py"
            for name in (
                *(
                    "aggregates",
                    "columns",
                    "conditions",
                    "gate",
                    "judge",
                    "measures",
                    "recheck",
                    "recheck_rows",
                ),
                *("report", "rows", "rule_results", "rules", "slice_check", "specs", "verdicts", "witnesses"),
            )
        ),
        tuple(
            f"tests/quality/test_{name}.py"
            for name in (
                "measures",
                "report",
                "aggregates",
                "rows",
                "recheck",
                "witnesses",
                "validation_result",
            )
        ),
    ),
    "promotion": Scope(
        (
            *("include/run/promotion.py", "include/models/promotion.py", "include/models/gate.py"),
            "include/models/*/promotion.py",
        ),
        (
            *("tests/models/test_promotion_and_drift.py", "tests/models/test_gate.py"),
            *("tests/run/test_promotion.py", "tests/models/churn/test_promotion.py"),
            "tests/models/ltv/test_promotion.py",
        ),
    ),
}
SHARED_SERVER = '''

@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """The server of the whole mutation test."""
    server = postgres.running(Path(os.environ["MUTATION_SERVER"]))
    assert server is not None
    yield server
'''
START = """
import sys
from pathlib import Path
from include import postgres
options = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "128MB"}
postgres.start(Path(sys.argv[1]), options=options)
"""
STOP = """
import sys
from pathlib import Path
from include import postgres
postgres.stop(Path(sys.argv[1]), mode="immediate")
"""


@dataclass(frozen=True)
class Mutant:
    """One change: the file, the line, and the code before and after."""

    path: str
    line: int
    before: str
    after: str


COMPARED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
COMPUTED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult}
JOINED = {ast.And: ast.Or, ast.Or: ast.And}


def changed(node: ast.AST) -> ast.AST | None:
    """The node with one change, or None for a node that is not mutated."""
    new = copy.deepcopy(node)
    if isinstance(new, ast.Compare) and type(new.ops[0]) in COMPARED:
        new.ops[0] = COMPARED[type(new.ops[0])]()
    elif isinstance(new, ast.BinOp) and type(new.op) in COMPUTED and not _is_text(new):
        new.op = COMPUTED[type(new.op)]()
    elif isinstance(new, ast.BoolOp):
        new.op = JOINED[type(new.op)]()
    elif isinstance(new, ast.UnaryOp) and isinstance(new.op, ast.Not):
        return new.operand
    elif isinstance(new, ast.Constant) and isinstance(new.value, bool):
        new.value = not new.value
    elif isinstance(new, ast.Constant) and isinstance(new.value, int):
        new.value += 1
    elif isinstance(new, ast.If | ast.IfExp):
        new.test = ast.UnaryOp(ast.Not(), new.test)
    elif isinstance(new, ast.Expr) and isinstance(new.value, ast.Call):
        return ast.copy_location(ast.Pass(), new)
    elif isinstance(new, ast.Return) and new.value is not None and not _is_none(new.value):
        new.value = ast.Constant(None)
    else:
        return None
    return new


def _is_text(node: ast.BinOp) -> bool:
    return any(isinstance(side, ast.JoinedStr) or _is_str(side) for side in (node.left, node.right))


def _is_str(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def places(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a module that can be mutated, without annotations, messages and type-checking blocks."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Raise | ast.JoinedStr | ast.Import | ast.ImportFrom):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if changed(node) is not None:
            yield node
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "type_params"):
                continue
            children = value if isinstance(value, list) else [value]
            waiting += [child for child in children if isinstance(child, ast.AST)]


def mutants(root: Path, scope: Scope) -> list[tuple[Mutant, str]]:
    """Every mutant of the sources, with the text of its file, in the order of files and lines."""
    found = []
    paths = sorted({path for pattern in scope.sources for path in root.glob(pattern)})
    for path in paths:
        tree = ast.parse(path.read_text())
        for node in list(places(tree)):
            new = changed(node)
            assert new is not None
            before, after = ast.unparse(node).splitlines()[0], ast.unparse(new).splitlines()[0]
            text = ast.unparse(_Replacer(node, new).visit(copy.deepcopy(_marked(tree, node))))
            found.append(
                (Mutant(str(path.relative_to(root)), getattr(node, "lineno", 0), before, after), text)
            )
    return sorted(found, key=lambda one: (one[0].path, one[0].line, one[0].before, one[0].after))


def _marked(tree: ast.AST, node: ast.AST) -> ast.AST:
    for one in ast.walk(tree):
        one.__dict__.pop("is_mutated", None)
    node.is_mutated = True  # type: ignore[attr-defined]
    return tree


class _Replacer(ast.NodeTransformer):
    """Replaces the marked node."""

    def __init__(self, node: ast.AST, new: ast.AST) -> None:
        self.new = new

    def visit(self, node: ast.AST) -> ast.AST:
        if getattr(node, "is_mutated", False):
            return ast.copy_location(copy.deepcopy(self.new), node)
        visited: ast.AST = self.generic_visit(node)
        return visited


def run_tests(tests: list[str], seconds: float) -> bool:
    """Whether all tests pass, in a fork of this process; False also when they do not end in time."""
    child = os.fork()
    if child == 0:
        os.setsid()
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        import pytest

        code = 3
        with contextlib.suppress(BaseException):
            code = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]))
        os._exit(code)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.05)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def measure(root: Path, name: str, count: int, seed: int) -> dict[str, object]:
    """Run the mutants of one module in the copy ``root``, which is the working folder."""
    scope = SCOPES[name]
    tests = [test for pattern in scope.tests for test in sorted(map(str, Path().glob(pattern)))]
    started = time.monotonic()
    if not run_tests(tests, 3600):
        raise SystemExit(f"{name}: {tests} fail without a mutant")
    limit = 4 * (time.monotonic() - started) + 30
    everything = mutants(root, scope)
    chosen = random.Random(seed).sample(everything, min(count, len(everything)))
    survivors = []
    for number, (mutant, text) in enumerate(chosen, start=1):
        path = root / mutant.path
        original = path.read_text()
        path.write_text(text)
        try:
            if run_tests(tests, limit):
                survivors.append(mutant)
                print(
                    f"survived: {mutant.path}:{mutant.line}: {mutant.before}  ->  {mutant.after}", flush=True
                )
        finally:
            path.write_text(original)
        print(f"{name}: {number} of {len(chosen)}, {number - len(survivors)} killed", flush=True)
    killed = len(chosen) - len(survivors)
    return {
        "module": name,
        "seed": seed,
        "places": len(everything),
        "mutants": len(chosen),
        "killed": killed,
        "score": round(killed / len(chosen), 3),
        "survivors": [asdict(mutant) for mutant in survivors],
    }


def copied(tree: Path, folder: Path) -> Path:
    """A copy of a checkout, whose tests use the shared server."""
    root = folder / "copy"
    root.mkdir()
    for name in COPIED:
        if (tree / name).is_dir():
            shutil.copytree(tree / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in tree.iterdir():
        if path.is_file() and not path.name.startswith(".git"):
            shutil.copy(path, root / path.name)
    with (root / "tests" / "conftest.py").open("a") as file:
        file.write(SHARED_SERVER)
    return root


def main() -> int:
    """Measure the modules, print the scores and write them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("modules", nargs="+", choices=sorted(SCOPES))
    parser.add_argument("--mutants", type=int, default=200)
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--tree", type=Path, default=PROJECT)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="firmament-mutation-"))
    folder.chmod(0o755)  # root's PostgreSQL runs as another user
    found = []
    try:
        root = copied(options.tree.resolve(), folder)
        os.chdir(root)
        sys.path = [str(root), *(path for path in sys.path if Path(path or ".").resolve() != PROJECT)]
        sys.dont_write_bytecode = True
        os.environ |= {"MUTATION_SERVER": str(folder / "postgres"), "PYTHONDONTWRITEBYTECODE": "1"}
        subprocess.run([sys.executable, "-c", START, str(folder / "postgres")], cwd=root, check=True)
        try:
            for library in PRELOADED:
                importlib.import_module(library)
            for name in options.modules:
                found.append(measure(root, name, options.mutants, options.seed))
                if options.json:
                    options.json.write_text(json.dumps(found, indent=1) + "\n")
        finally:
            subprocess.run([sys.executable, "-c", STOP, str(folder / "postgres")], cwd=root, check=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for one in found:
        print(f"{one['module']}: {one['killed']} of {one['mutants']} killed, score {one['score']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
