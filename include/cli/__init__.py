"""The command line: ``python -m include``. A command is a function here; what it does lies elsewhere."""

from __future__ import annotations

import typer

from include.cli.access import access
from include.cli.backfill import backfill
from include.cli.erase import erase
from include.cli.firms import firms
from include.cli.installation import doctor, dsn, migrate
from include.cli.models import models
from include.cli.report import report
from include.cli.run import run
from include.cli.trial import trial
from include.private_files import private_umask

app = typer.Typer(help="Firmament: customer analytics for each firm, as of any date.", no_args_is_help=True)


@app.callback()
def privately(context: typer.Context) -> None:
    """Let a command write files for their owner alone, whatever the umask of the shell."""
    context.with_resource(private_umask())


for command in (run, backfill, report, dsn, migrate, doctor, erase):
    app.command()(command)
app.command("try")(trial)
for group, name in ((firms, "firms"), (models, "models"), (access, "access")):
    app.add_typer(group, name=name)
