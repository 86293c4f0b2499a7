"""``inspect``: what a sales file holds, how it was read, and what is in doubt."""

from __future__ import annotations

import dataclasses
import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from include.cli.console import console, refuse

if TYPE_CHECKING:
    from include.intake import Answer, Options, Question


def inspect(
    file: Annotated[Path, typer.Argument(help="A sales file of any format, a folder or an archive of them.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--map", help="A column of the file: customer_id=Client, or customer_id=#3. Repeatable."
        ),
    ] = None,
    date_order: Annotated[str, typer.Option(help="Order of dates: dmy, mdy or ymd.")] = "",
    decimal_mark: Annotated[str, typer.Option(help="Decimal mark of amounts: . or ,")] = "",
    currency: Annotated[str, typer.Option(help="The currency to keep where a file has several.")] = "",
    timezone: Annotated[str, typer.Option(help="Zone of the days where times carry an offset.")] = "",
    amount: Annotated[
        str, typer.Option(help="What the amount is: net or gross of discounts, lines, order, or none.")
    ] = "",
    price: Annotated[str, typer.Option(help="What a price is: unit or total of its line.")] = "",
    encoding: Annotated[str, typer.Option(help="Encoding of the text, such as cp1254.")] = "",
    delimiter: Annotated[str, typer.Option(help="Delimiter of the fields: ; or tab.")] = "",
    sheet: Annotated[str, typer.Option(help="Sheet of a workbook.")] = "",
    header: Annotated[bool | None, typer.Option(help="Whether the file has a header line.")] = None,
) -> None:
    """Say what a sales file holds. Exit code 0: read, 2: refused, 3: a question is open.

    Example: python -m include inspect orders_export.csv --json
    """
    from include.intake import Options
    from include.intake import inspect as understand

    options = Options(
        mapping=mapping_of(columns or []),
        date_order=_one_of("--date-order", date_order, ("dmy", "mdy", "ymd")),
        decimal_mark=_one_of("--decimal-mark", decimal_mark, (".", ",")),
        currency=currency.upper() or None,
        timezone=_zone(timezone),
        amount=_one_of("--amount", amount, ("net", "gross", "lines", "order", "none")),
        price=_one_of("--price", price, ("unit", "total")),
        encoding=encoding or None,
        delimiter=delimiter or None,
        sheet=sheet or None,
        has_header=header,
    )
    answer = understand(file, options).answer
    while answer.question and not as_json and sys.stdin.isatty() and sys.stdout.isatty():
        options = _chosen(answer.question, options)
        answer = understand(file, options).answer
    if as_json:
        typer.echo(json.dumps(answer.record(), ensure_ascii=False, indent=2))
    else:
        show(answer)
    raise typer.Exit(answer.exit_code)


def mapping_of(columns: list[str]) -> dict[str, str]:
    """The pairs of --map; stops where one is none."""
    pairs = [column.partition("=") for column in columns]
    if bad := [name for name, equals, of in pairs if not (name and equals and of)]:
        refuse(f"--map {bad[0]}: write OURS=THEIRS, such as customer_id=Client")
    return {name: of for name, _, of in pairs}


def show(answer: Answer) -> None:
    """Print the answer as a table: figures, rows, doubts, and the mapping ready to use."""
    if answer.refusal:
        console.print(
            f"{answer.refusal.what}\n{answer.refusal.fix}", style="red", markup=False, highlight=False
        )
        return
    if answer.question:
        console.print(answer.question.text, style="yellow", markup=False, highlight=False)
        for value, meaning in answer.question.choices.items():
            console.print(f"  {value}  {meaning}", markup=False, highlight=False)
        console.print(f"Decide with {answer.question.option}", markup=False, highlight=False)
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in _facts(answer):
        table.add_row(name, value)
    console.print(table, markup=False, highlight=False)
    for reason, rejected in sorted(answer.rejected.items()):
        first = f", such as {rejected.sample[0][:100]}" if rejected.sample else ""
        console.print(
            f"  left out: {rejected.count} {reason}, {rejected.money:,.2f}{first}",
            markup=False,
            highlight=False,
        )
    for message in answer.findings.warnings:
        console.print(f"! {message.text}", style="yellow", markup=False, highlight=False)
    for message in answer.findings.notes:
        console.print(f"  {message.text}", style="dim", markup=False, highlight=False)
    console.print(map_line(answer.mapping), markup=False, highlight=False, soft_wrap=True)
    console.print(yaml_of(answer.mapping), markup=False, highlight=False, soft_wrap=True)


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
        ("Platform", answer.platform or "not a known one: columns by name and content"),
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


def _one_of(option: str, value: str, allowed: tuple[str, ...]) -> str | None:
    if value and value not in allowed:
        refuse(f"{option} {value}: use one of {' '.join(allowed)}")
    return value or None


def _zone(name: str) -> str | None:
    from include.firms import is_time_zone

    if name and not is_time_zone(name):
        refuse(f"--timezone {name}: no such zone; write Europe/Istanbul")
    return name or None


def _chosen(question: Question, options: Options) -> Options:
    """The options with the choice that somebody made at the terminal."""
    console.print(question.text, style="yellow", markup=False, highlight=False)
    values = list(question.choices)
    if not values:
        refuse(f"Decide with {question.option}")
    for i, value in enumerate(values):
        console.print(f"  {i + 1}  {value}  {question.choices[value]}", markup=False, highlight=False)
    number = typer.prompt("Number", type=int)
    if not 1 <= number <= len(values):
        refuse(f"{number} is none of 1 to {len(values)}")
    return with_choice(options, question, values[number - 1])


def with_choice(options: Options, question: Question, value: str) -> Options:
    """The options that settle a question with one of its choices."""
    fields: dict[str, Any] = {
        "date_order": {"date_order": value},
        "decimal_mark": {"decimal_mark": value},
        "several_currencies": {"currency": value},
    }.get(question.code, {"amount": value})
    if value == "--amount none":
        fields = {"amount": "none"}
    elif "=" in value:
        pairs = [part for part in shlex.split(value) if "=" in part]
        fields = {"mapping": {**options.mapping, **mapping_of(pairs)}}
    return dataclasses.replace(options, **fields)
