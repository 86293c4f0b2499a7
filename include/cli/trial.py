"""``try``: make a page and lists from one sales file, without Airflow, warehouse or firm's row."""

from __future__ import annotations

import json
import os
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from include.cli.console import as_of_of, check_in_file, check_out_folder, console
from include.cli.file_options import (
    Amount,
    Columns,
    DateOrder,
    DecimalMark,
    Delimiter,
    Encoding,
    Header,
    Price,
    RepeatedOrders,
    Sheet,
    options_of,
    understood,
)
from include.cli.inspect import show, show_findings
from include.cli.progress import Progress
from include.command_errors import BadInputError

if TYPE_CHECKING:
    from include.intake import Answer
    from include.overview.result import Result
    from include.report import Written


def trial(
    file: Annotated[Path, typer.Argument(help="A sales file of any format, a folder or an archive of them.")],
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("reports"),
    as_of: Annotated[str, typer.Option(help="Snapshot date, exclusive; default: after the last sale.")] = "",
    columns: Columns = None,
    currency: Annotated[str, typer.Option(help="ISO 4217 code of the amounts; default: the file's.")] = "",
    timezone: Annotated[str, typer.Option(help="Time zone of the shop: Europe/Istanbul.")] = "",
    churn_days: Annotated[
        int, typer.Option(help="Days without a purchase after which a customer is lost.")
    ] = 90,
    language: Annotated[str, typer.Option(help="Language of the page: en or tr.")] = "en",
    margin: Annotated[
        float | None, typer.Option(help="Margin on sales, from 0 to 1; assumed as 0.3 if not given.")
    ] = None,
    date_order: DateOrder = "",
    decimal_mark: DecimalMark = "",
    amount: Amount = "",
    price: Price = "",
    encoding: Encoding = "",
    delimiter: Delimiter = "",
    sheet: Sheet = "",
    header: Header = None,
    repeated_orders: RepeatedOrders = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the answer and the report's files as JSON.")
    ] = False,
) -> None:
    """Make a page for marketers and lists of customers from a sales file, without Airflow or Postgres.

    Exit code 0: the page is written, 2: the file is refused, 3: a question is open.

    Example: python -m include try sales.csv --map customer_id=Client --map occurred_at=Date
    """
    from include.engines import open_engine
    from include.overview.result import stem_of, write_result
    from include.report import write
    from include.report.profile import gather
    from include.report.reading import Reading
    from include.run import preview
    from include.run.memory import release_unused
    from include.sources import SourceError

    if not os.path.isdir(file):  # noqa: PTH112 Path.is_dir raises for a name that is too long
        check_in_file(file)
    check_out_folder(out)
    check_margin(margin)
    options = options_of(
        columns=columns,
        date_order=date_order,
        decimal_mark=decimal_mark,
        currency=currency,
        timezone=timezone,
        amount=amount,
        price=price,
        encoding=encoding,
        delimiter=delimiter,
        sheet=sheet,
        header=header,
        repeated_orders=repeated_orders,
    )
    reading = understood(file, options, may_ask=not as_json)
    answer = reading.answer
    end_unless_read(answer, as_json=as_json)
    zone = timezone or "UTC"
    steps = ["read", *preview.step_names(), "report"]
    progress = Progress(file.name, steps, console=console, writes_lines=not as_json)
    with TemporaryDirectory(prefix="firmament-try-") as name, progress.shown():
        folder = Path(name)
        try:
            firm = preview.firm_from(
                reading,
                folder,
                name=file.name,
                currency=currency or None,
                timezone=zone,
                churn_threshold_days=churn_days,
                language=language,
                ltv={"margin_share": margin} if margin is not None else None,
            )
            del reading  # the rows of a million lines would take 0.4 GB during all steps
            release_unused()
            assert answer.last_day is not None
            asked = as_of_of(as_of, zone) if as_of else answer.last_day + timedelta(days=1)
            day = preview.usable_day(firm, folder, asked)
        except SourceError as error:
            raise BadInputError(error.args[0]) from None
        if not as_json:
            show(answer)
        handoff, records = preview.compute(firm, day, folder, before=lambda step: progress.at(step.name))
        progress.at("report")
        engine = open_engine(
            firm.engine,
            memory_mb=preview.settings_in(folder).memory_mb,
            threads=os.cpu_count() or 1,
            scratch=folder / "scratch",
        )
        reading_of_run = Reading(firm, day, handoff, engine)
        stem = stem_of(file)
        data = write(gather(Reading(firm, day, handoff, engine)), out, stem=f"{stem}-data")
        result = write_result(reading_of_run, out, stem=stem, answer=answer, data_page=data.html.name)
    if as_json:
        print_json(answer, day, result, data)
        return
    for sentence in result.sentences:
        console.print(f"  {sentence}", markup=False, highlight=False)
    for module, reason in sorted(records.reasons.items()):
        if module in preview.MODULES:
            console.print(f"{module}: {reason}", style="dim", markup=False)
    for path in (*result.files, data.html, data.json):
        console.print(str(path), highlight=False, soft_wrap=True, markup=False)


def end_unless_read(answer: Answer, *, as_json: bool) -> None:
    """End the command where the file is refused or a question is open."""
    if as_json and answer.exit_code:
        typer.echo(json.dumps(answer.record(), ensure_ascii=False, indent=2))
        raise typer.Exit(answer.exit_code)
    if answer.refusal:
        show_findings(answer)
        raise BadInputError(str(answer.refusal))
    if answer.question:
        show(answer)
        raise typer.Exit(answer.exit_code)


def print_json(answer: Answer, day: date, result: Result, data: Written) -> None:
    """Print the answer and where the files are."""
    page, *lists = map(str, result.files)
    report = {
        "as_of": day.isoformat(),
        "html": page,
        "lists": lists,
        "data_html": str(data.html),
        "data_json": str(data.json),
    }
    typer.echo(json.dumps({**answer.record(), "report": report}, ensure_ascii=False, indent=2))


def check_margin(margin: float | None) -> None:
    """BadInputError unless the margin is a share of sales."""
    if margin is not None and not 0 < margin <= 1:
        example = f"{margin / 100:g} for {margin:g} %" if 1 < margin <= 100 else "0.35"
        raise BadInputError(f"--margin {margin:g} is not a share of sales; give one from 0 to 1: {example}")
