"""``report``: profile a firm's data and features in one self-contained HTML page."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from include.cli.console import as_of_of, check_out_folder, console, open_warehouse, refuse


def report(
    firm: Annotated[str, typer.Argument(help="The firm's key.")],
    as_of: Annotated[str, typer.Option(help="The as_of of a completed run: 2026-11-21.")],
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("reports"),
) -> None:
    """Profile a firm's data and features: one HTML page, and the same figures as JSON.

    Example: python -m include report acme --as-of 2026-11-21
    """
    from include.engines import open_engine
    from include.firms import parse_firm
    from include.handoff import Handoff
    from include.private_files import private_folder
    from include.report import write
    from include.report.profile import gather, was_run
    from include.report.reading import Reading
    from include.run import WRITERS
    from include.settings import Settings

    settings = Settings.read()
    check_out_folder(out)
    with open_warehouse() as warehouse:
        row = parse_firm(warehouse.firms.firm_row(firm))
    day = as_of_of(as_of, row.timezone)
    parent = private_folder(settings.home / "scratch")
    with TemporaryDirectory(dir=parent) as folder, console.status(f"{firm} as of {day}"):
        scratch = Path(folder)
        engine = open_engine(
            row.engine, memory_mb=settings.memory_mb, threads=os.cpu_count() or 1, scratch=scratch
        )
        handoff = Handoff(settings.root, scratch=scratch, writers=WRITERS)
        reading = Reading(row, day, handoff, engine)
        if not was_run(reading):
            refuse(
                f"{firm} has no data as of {day}; run it first: python -m include run {firm} --as-of {day}"
            )
        profile = gather(reading)
    written = write(profile, out)
    for item in profile["not_computed"]:
        console.print(f"not computed: {item['what']}: {item['why']}", style="dim", markup=False)
    console.print(f"{written.html}\n{written.json}", highlight=False, soft_wrap=True)
