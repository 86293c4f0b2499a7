"""``python -m include``: the command line."""

from include.cli import app

app(prog_name="python -m include")
