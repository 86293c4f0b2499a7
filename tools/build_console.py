"""Build the console's pages: ``python -m tools.build_console`` writes ``include/console/static/console.js``.

It needs node and npm. The result is committed, so that a fresh clone needs neither. A test builds it again
and compares. The names of segments, actions and churn factors come from the models, labels and formulas of
metrics from the glossary, in both languages.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from include import metrics
from include.console.files import FOLDER
from include.models.churn.factors import FACTORS
from include.models.insight.text import ACTION_NAMES, LANGUAGES, SEGMENT_NAMES
from include.settings import PROJECT

SOURCES = PROJECT / "include" / "console" / "web"
BUNDLE = FOLDER / "console.js"
NAMES = SOURCES / "words" / "names.json"
EXPLAINED = (*metrics.of_grain("customer"), *metrics.of_grain("risk category"))
OPTIONS = (
    "--bundle", "--format=esm", "--target=es2022", "--minify", "--charset=utf8", "--legal-comments=none",
    "--jsx=transform", "--jsx-factory=React.createElement", "--jsx-fragment=React.Fragment",
    "--loader:.css=text",
)  # fmt: skip
BANNER = "// Built from include/console/web by `python -m tools.build_console`. Do not edit."


class BuildError(RuntimeError):
    """The pages cannot be built here; the message says what is missing."""


def names() -> dict[str, dict[str, str]]:
    """The names that the warehouse writes in English or as a code, in each language."""
    return {
        language: {
            **{f"segment.{by[0]}": by[place] for by in SEGMENT_NAMES.values()},
            **{f"action.{code}": by[place] for code, by in ACTION_NAMES.items()},
            **{f"factor.{factor.code}": factor.text[language] for factor in FACTORS},
            **{f"metric.{metric.name}": metric.label(language) for metric in EXPLAINED},
            **{f"formula.{metric.name}": metric.definition(language) for metric in EXPLAINED},
        }
        for place, language in enumerate(LANGUAGES)
    }


def build(modules: Path) -> str:
    """The bundle as text; ``modules`` is a folder that keeps the packages of node between builds."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        raise BuildError("node and npm are not installed")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOURCES / name, modules / name)
    esbuild = modules / "node_modules" / "esbuild" / "bin" / "esbuild"
    if not esbuild.exists():
        _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], modules)
    return _run([node, str(esbuild), str(SOURCES / "main.tsx"), *OPTIONS, f"--banner:js={BANNER}"], SOURCES)


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise BuildError(f"{Path(command[0]).name} failed:\n{done.stderr.strip()[-2000:]}")
    return done.stdout


def main() -> int:
    """Write the names and the bundle; the exit status."""
    NAMES.write_text(json.dumps(names(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    try:
        with tempfile.TemporaryDirectory() as folder:
            text = build(Path(folder))
    except BuildError as error:
        print(f"build_console: {error}", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    BUNDLE.write_text(text, encoding="utf-8")
    print(f"wrote {BUNDLE.relative_to(PROJECT)}, {len(text) / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
