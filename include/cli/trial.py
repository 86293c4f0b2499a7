"""``try``: make a report from one sales file, without Airflow, warehouse or firm's row."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from include.cli.console import as_of_of, check_in_file, check_out_folder, console
from include.command_errors import BadInputError


def trial(
    file: Annotated[Path, typer.Argument(help="Sales: a .csv, .csv.gz or .parquet file.")],
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("reports"),
    as_of: Annotated[str, typer.Option(help="Snapshot date, exclusive; default: after the last sale.")] = "",
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", help="A column of the file: customer_id=Client, once for each."),
    ] = None,
    currency: Annotated[str, typer.Option(help="ISO 4217 code of the amounts.")] = "USD",
    timezone: Annotated[str, typer.Option(help="Time zone of the shop: Europe/Istanbul.")] = "UTC",
    churn_days: Annotated[
        int, typer.Option(help="Days without a purchase after which a customer is lost.")
    ] = 90,
    language: Annotated[str, typer.Option(help="Language of the sentences: en or tr.")] = "en",
) -> None:
    """Make one self-contained report from a sales file, without Airflow or Postgres; only the report is kept.

    Example: python -m include try sales.csv --map customer_id=Client --map occurred_at=Date
    """
    from include.engines import open_engine
    from include.report import write
    from include.report.profile import gather
    from include.report.reading import Reading
    from include.run import trial
    from include.sources import SourceError

    check_in_file(file)
    check_out_folder(out)
    mapping = _mapping(columns or [])
    with TemporaryDirectory(prefix="firmament-try-") as name, console.status(str(file)) as status:
        folder = Path(name)
        try:
            firm = trial.firm_of(
                file,
                folder,
                mapping=mapping,
                currency=currency,
                timezone=timezone,
                churn_threshold_days=churn_days,
                language=language,
            )
            asked = as_of_of(as_of, timezone) if as_of else None
            day = trial.usable_day(firm, folder, asked)
        except SourceError as error:
            raise BadInputError(error.args[0]) from None
        handoff, records = trial.compute(
            firm, day, folder, before=lambda step: status.update(f"{file.name}: {step.name}")
        )
        engine = open_engine(
            firm.engine,
            memory_mb=trial.settings_in(folder).memory_mb,
            threads=os.cpu_count() or 1,
            scratch=folder / "scratch",
        )
        profile = gather(Reading(firm, day, handoff, engine))
        written = write(profile, out)
    for row in profile["insight"]:
        console.print(f"  {row['sentence']}", markup=False, highlight=False)
    for module, reason in sorted(records.reasons.items()):
        if module in trial.MODULES:
            console.print(f"{module}: {reason}", style="dim", markup=False)
    console.print(f"{written.html}\n{written.json}", highlight=False, soft_wrap=True)


def _mapping(columns: list[str]) -> dict[str, str] | None:
    pairs = [column.partition("=") for column in columns]
    if bad := [name for name, equals, of in pairs if not (name and equals and of)]:
        raise BadInputError(f"--map {bad[0]}: write OURS=THEIRS, such as customer_id=Client")
    mapping = {name: of for name, _, of in pairs}
    if len(mapping) < len(pairs):
        raise BadInputError("--map: a column is mapped twice; map each once")
    if mapping and "customer_id" not in mapping:
        raise BadInputError(
            "--map names no column for the customer, and every figure is about customers: "
            "add --map customer_id=THEIRS"
        )
    return mapping or None
