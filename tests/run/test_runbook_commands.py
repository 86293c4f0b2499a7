"""Every command of the runbook, typed as it is printed, on a real warehouse and a real firm."""

from __future__ import annotations

import re
import shlex
from datetime import date

import pytest
from typer.testing import CliRunner

from include.cli import app
from include.incidents.causes import Cause
from include.incidents.kinds import KINDS
from include.incidents.opening import Failure, record
from include.registry import read_registry, sync_firms
from include.settings import PROJECT, Settings
from include.warehouse import Warehouse

RUNBOOK = (PROJECT / "docs" / "runbook.md").read_text()
DAY = date(2026, 11, 12)
SALES = [(f"o{n}", date(2026, 11, 1 + n % 9), f"c{n % 7}", 10 + n) for n in range(40)]
VALUES = {
    "FIRM": "acme",
    "DATE": str(DAY),
    "ID": "1",
    "RESOURCE": "shop",
    "URI": "postgres://u:p@h/d",
    "12": "1",
}
# Run elsewhere: `stack up` and `make` by tests/test_stack.py, the watcher by tests/watcher.
ELSEWHERE = {"python -m include.stack up", "python -m include.watcher --once"}
CODES = {"incidents": 1}  # one is open


def commands() -> list[str]:
    found = re.findall(r"`(python -m include[^`]*)`|^(python -m include[^#\n]*)", RUNBOOK, re.M)
    return sorted({(inline or line).strip() for inline, line in found} - ELSEWHERE)


def typed(command: str) -> str:
    """A command with its placeholders filled in, without ``python -m include``."""
    words = command.removeprefix("python -m include ")
    return re.sub(r"FIRM|DATE|ID|RESOURCE|URI|\b12\b", lambda found: VALUES[found[0]], words)


def ours() -> list[str]:
    """Our own commands; those that close the incident come last."""
    found = [typed(command) for command in commands()]
    return sorted({one for one in found if not one.startswith("airflow ")}, key=lambda one: "resolve" in one)


def airflows() -> list[str]:
    return [typed(one) for one in commands() if one.startswith("python -m include airflow ")]


def test_each_command_of_the_runbook_does_its_work(shop, tmp_path):
    shop.add("acme")
    shop.sell("acme", SALES)
    settings = Settings.read()
    with Warehouse(shop.dsn) as warehouse:
        sync_firms(warehouse.firms, settings.registry)
    (firm,) = read_registry(settings.registry)
    failure = Failure(firm, "SourceError: down", "http://log", DAY, "extract.transactions")

    # As the runbook says: the row that `firms show` prints, corrected, is what `firms add` takes.
    row = tmp_path / "F.yaml"
    row.write_text(CliRunner().invoke(app, ["firms", "show", "acme"]).stdout)
    results = {}
    for command in ours():
        # Again before each command: `run` and `backfill` repair the snapshot, which closes the incident.
        record(Cause(KINDS["source_unreachable"], "shop"), failure, settings)
        done = CliRunner().invoke(app, shlex.split(command.replace(row.name, str(row))))
        results[command] = (done.exit_code, done.output)

    assert len(results) >= 15
    wrong = {
        command: output
        for command, (code, output) in results.items()
        if code != (1 if command.startswith(("incidents --days", "doctor")) else CODES.get(command, 0))
    }
    assert {command: output[-300:] for command, output in wrong.items()} == {}
    assert "incident 1 is closed" in results["incidents resolve 1"][1]
    assert "acme as of 2026-11-12: " in results["incidents resolve 1 --rerun"][1]


@pytest.mark.parametrize("command", airflows())
def test_airflow_knows_the_commands_of_the_runbook(command: str) -> None:
    from airflow.cli.cli_parser import get_parser

    parsed = get_parser().parse_args(shlex.split(command)[1:])

    assert parsed.func


def test_make_has_the_targets_that_the_runbook_names() -> None:
    makefile = (PROJECT / "Makefile").read_text()

    for target in set(re.findall(r"`make ([a-z-]+)`", RUNBOOK)):
        assert re.search(rf"^{target}:", makefile, re.M), target
