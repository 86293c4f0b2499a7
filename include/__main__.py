"""``python -m include``: the command line."""

import os
import sys

from include import command_errors

# Read when numpy and scikit-learn are imported. The matrices are small: threads that wait for work cost
# ``try`` a second of CPU, and other sums in the last bits.
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")


def main() -> int:
    """Import the commands and run one; Ctrl-C may come while they are imported."""
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    from include.cli import PROGRAM, app

    app(prog_name=PROGRAM)
    return 0


if __name__ == "__main__":
    sys.exit(command_errors.guarded(main, program="python -m include"))
