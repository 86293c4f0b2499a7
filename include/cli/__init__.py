"""The command line: ``python -m include``. Each command is a function of a module in this package."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from include import command_errors
from include.cli.access import access
from include.cli.airflow import airflow
from include.cli.backfill import backfill
from include.cli.erase import erase
from include.cli.firms import firms
from include.cli.incidents import incidents
from include.cli.inspect import inspect
from include.cli.installation import doctor, dsn, migrate
from include.cli.models import models
from include.cli.report import report
from include.cli.retention import retention
from include.cli.run import run
from include.cli.trial import trial
from include.cli.validate import validate
from include.connections import apply_remembered_settings
from include.private_files import private_umask
from include.version import code_version

PROGRAM = "python -m include"


class Commands(TyperGroup):
    """All commands. The one place where an exception becomes an exit code and a short message."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command and end the process with its exit code (`include/command_errors.py`)."""
        options: Any = {"prog_name": prog_name, "complete_var": complete_var, **extra}
        if not standalone_mode:
            return super().main(args, standalone_mode=False, **options)
        command_errors.print_anything()
        try:
            command_errors.check_arguments(sys.argv[1:] if args is None else list(args))
            code = super().main(args, standalone_mode=False, **options)
        except typer.Abort:
            code = command_errors.INTERRUPTED
        except TyperException as error:
            code = _report_usage(error)
        except (Exception, KeyboardInterrupt) as error:
            code = command_errors.report(error, program=PROGRAM)
        if code == command_errors.INTERRUPTED:
            command_errors.show("interrupted")
        sys.exit(code or 0)


def _report_usage(error: TyperException) -> int:
    """Show what is wrong with the arguments and how to see the right ones."""
    context: Any = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(context.get_help())
    else:
        path = context.command_path if context is not None else PROGRAM
        message = getattr(error, "format_message", error.__str__)()
        command_errors.show(f"{message}\nSee the arguments: {path} --help")
    return command_errors.BAD_INPUT


app = typer.Typer(
    cls=Commands,
    help="Firmament: customer analytics for each firm, as of any date.",
    epilog=(
        "Exit codes: 0: done, 1: failed (warehouse, source, disk), 2: an argument, a file or a firm's row "
        "cannot be used, 3: inspect or try has a question about a file, 130: Ctrl-C."
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def print_version(is_asked: bool) -> None:
    """Print the version and end the command."""
    if is_asked:
        typer.echo(f"Firmament {code_version()}")
        raise typer.Exit


@app.callback()
def privately(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Run a command with the settings of `make up`, and let it write files for their owner alone."""
    apply_remembered_settings()
    context.with_resource(private_umask())


for command in (run, backfill, validate, report, inspect, dsn, migrate, doctor, erase, retention):
    app.command()(command)
app.command("try")(trial)
app.command("airflow", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(airflow)
for group, name in ((firms, "firms"), (models, "models"), (access, "access"), (incidents, "incidents")):
    app.add_typer(group, name=name)
