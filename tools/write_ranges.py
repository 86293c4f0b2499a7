"""Write requirements-ranges.in: ``python -m tools.write_ranges``; ``--resolve`` tries it beside Airflow.

``requirements.txt`` locks what is tested. An Airflow of your own has versions of its own: there the ranges
apply. A range goes from the pinned minor version to the next major one, and Airflow's from the oldest version
that is supported to the pinned minor version. ``--resolve`` (``make ranges``) compiles the ranges beside the
oldest and the pinned Airflow, with the lowest and with the highest versions of all others. It needs a package
index. It proves that the versions can be installed together, and not that tests pass with them.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from include.airflow_version import OLDEST

PROJECT = Path(__file__).resolve().parent.parent
PAGE = PROJECT / "requirements-ranges.in"
AIRFLOW = "apache-airflow"
PIN = re.compile(r"^([\w-]+)(\[\w+\])?==(\d+)\.(\d+)[\w.]*\s*(;[^#]*)?", re.M)
HEAD = """\
# Ranges for an Airflow of your own, written by `python -m tools.write_ranges` from requirements.in.
# `make ranges` resolves them beside the oldest and the pinned Airflow. Tests run with requirements.txt.
"""


def ranges(text: str) -> str:
    """The file for the pins in ``text``, the content of requirements.in."""
    lines = []
    for name, extra, major, minor, marker in PIN.findall(text):
        if name == AIRFLOW:
            bounds = f">={'.'.join(map(str, OLDEST))},<{major}.{int(minor) + 1}"
        else:
            bounds = f">={major}.{minor},<{int(major) + 1}"
        lines.append(f"{name}{extra}{bounds}{' ' + marker.strip() if marker else ''}\n")
    return HEAD + "".join(lines)


def pinned_airflow() -> str:
    """The version of Airflow in requirements.in."""
    (found,) = re.findall(rf"^{AIRFLOW}==(\S+)", (PROJECT / "requirements.in").read_text(), re.M)
    return str(found)


def resolve() -> int:
    """Compile the ranges beside each Airflow; 1 when one of them has no solution."""
    failed = 0
    for airflow in (".".join(map(str, OLDEST)), pinned_airflow()):
        for strategy in ("lowest-direct", "highest"):
            with tempfile.NamedTemporaryFile("w", suffix=".in") as constraint:
                constraint.write(f"{AIRFLOW}=={airflow}\n")
                constraint.flush()
                done = subprocess.run(
                    [
                        sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal",
                        "--python-version", "3.11", "--resolution", strategy,
                        "--constraints", constraint.name, str(PAGE),
                    ],
                    capture_output=True, text=True, check=False,
                )  # fmt: skip
            count = len(re.findall(r"^[\w-]+==", done.stdout, re.M))
            print(f"Airflow {airflow}, {strategy}: {f'{count} packages' if count else done.stderr.strip()}")
            failed |= done.returncode != 0
    return int(failed)


def main(arguments: list[str]) -> int:
    """Write the file, or resolve it."""
    if arguments == ["--resolve"]:
        return resolve()
    PAGE.write_text(ranges((PROJECT / "requirements.in").read_text()))
    print(f"wrote {PAGE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
