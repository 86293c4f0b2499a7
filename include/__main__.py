"""``python -m include``: the command line."""

import sys

from include import command_errors


def main() -> int:
    """Import the commands and run one; Ctrl-C may come while they are imported."""
    from include.cli import PROGRAM, app

    app(prog_name=PROGRAM)
    return 0


if __name__ == "__main__":
    sys.exit(command_errors.guarded(main, program="python -m include"))
