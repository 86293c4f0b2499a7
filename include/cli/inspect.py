"""``inspect``: what a sales file holds, how it was read, and what is in question."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from include.cli.console import console
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

if TYPE_CHECKING:
    from include.intake import Answer


def inspect(
    file: Annotated[Path, typer.Argument(help="A sales file of any format, a folder or an archive of them.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
    columns: Columns = None,
    date_order: DateOrder = "",
    decimal_mark: DecimalMark = "",
    currency: Annotated[str, typer.Option(help="The currency to keep where a file has several.")] = "",
    timezone: Annotated[str, typer.Option(help="Zone of the days where times carry an offset.")] = "",
    amount: Amount = "",
    price: Price = "",
    encoding: Encoding = "",
    delimiter: Delimiter = "",
    sheet: Sheet = "",
    header: Header = None,
    repeated_orders: RepeatedOrders = "",
) -> None:
    """Say what a sales file holds. Exit code 0: read, 2: refused, 3: a question is open.

    Example: python -m include inspect orders_export.csv --json
    """
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
    answer = understood(file, options, may_ask=not as_json).answer
    if as_json:
        typer.echo(json.dumps(answer.record(), ensure_ascii=False, indent=2))
    else:
        show(answer)
        if answer.mapping and not answer.refusal and not answer.question:
            console.print(map_line(answer.mapping), markup=False, highlight=False, soft_wrap=True)
            console.print(yaml_of(answer.mapping), markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(answer.exit_code)


def show(answer: Answer) -> None:
    """Print the answer as a table: figures, rows, questions, and the mapping ready to use."""
    if answer.refusal:
        console.print(
            f"{answer.refusal.what}\n{answer.refusal.fix}", style="red", markup=False, highlight=False
        )
    elif answer.question:
        console.print(answer.question.text, style="yellow", markup=False, highlight=False)
        for value, meaning in answer.question.choices.items():
            console.print(f"  {value}  {meaning}", markup=False, highlight=False)
        console.print(f"Decide with {answer.question.option}", markup=False, highlight=False)
    else:
        table = Table(show_header=False, box=None, pad_edge=False)
        for name, value in _facts(answer):
            table.add_row(name, value)
        console.print(table, markup=False, highlight=False)
    show_findings(answer)


def show_findings(answer: Answer) -> None:
    """Print the rejected rows and the warnings; the notes too if the file was read."""
    for reason, rejected in sorted(answer.rejected.items()):
        first = f", such as {rejected.sample[0][:100]}" if rejected.sample else ""
        console.print(
            f"  left out: {rejected.count} {reason}, {rejected.money:,.2f}{first}",
            markup=False,
            highlight=False,
        )
    for message in answer.findings.warnings:
        console.print(f"! {message.text}", style="yellow", markup=False, highlight=False)
    for message in answer.findings.notes if answer.outcome == "read" else ():
        console.print(f"  {message.text}", style="dim", markup=False, highlight=False)


def map_line(mapping: dict[str, str]) -> str:
    """The mapping as options of the command line."""
    return " ".join(f"--map {shlex.quote(f'{name}={of}')}" for name, of in mapping.items())


def yaml_of(mapping: dict[str, str]) -> str:
    """The mapping as ``source.mapping`` of a firm's row."""
    import yaml

    return str(yaml.safe_dump({"mapping": mapping}, allow_unicode=True, sort_keys=False)).rstrip()


def _facts(answer: Answer) -> list[tuple[str, str]]:
    unit = f" {answer.currency}" if answer.currency else ""
    return [
        ("File", answer.file),
        ("Platform", answer.platform or "unknown: columns by name and content"),
        (
            "A row is",
            {"order": "an order", "line": "a line of an order"}.get(answer.row_is or "", "a payment"),
        ),
        (
            "Rows",
            f"{answer.rows_read:,} read, {answer.rows_used:,} used, {answer.guest_rows:,} without customer",
        ),
        ("Period", f"{answer.first_day} to {answer.last_day}"),
        ("Customers", f"{answer.customers:,}"),
        ("Orders", f"{answer.orders:,}"),
        ("Net amount", f"{answer.net_amount:,.2f}{unit}"),
    ]
