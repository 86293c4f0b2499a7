"""Options of the commands that read a sales file, and the question that a file may leave open."""

from __future__ import annotations

import dataclasses
import shlex
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from include.cli.console import console
from include.command_errors import BadInputError

if TYPE_CHECKING:
    from include.intake import Options, Question, Reading

MAP_HELP = "A column of the file: customer_id=Client, or customer_id=#3. Repeatable."
Columns = Annotated[list[str] | None, typer.Option("--map", help=MAP_HELP)]
DateOrder = Annotated[str, typer.Option(help="Order of dates: dmy, mdy or ymd.")]
DecimalMark = Annotated[str, typer.Option(help="Decimal mark of amounts: . or ,")]
Amount = Annotated[str, typer.Option(help="What the amount is: net or gross, lines or order, or none.")]
Price = Annotated[str, typer.Option(help="What a price is: unit, or total of its line.")]
RepeatedOrders = Annotated[
    str, typer.Option(help="Which file counts when files differ on an order: last (by name), or all of them.")
]
Encoding = Annotated[str, typer.Option(help="Encoding of the text, such as cp1254.")]
Delimiter = Annotated[str, typer.Option(help="Delimiter of the fields: ; or tab.")]
Sheet = Annotated[str, typer.Option(help="Sheet of a workbook.")]
Header = Annotated[bool | None, typer.Option(help="Whether the file has a header line.")]


def options_of(
    *,
    columns: list[str] | None,
    date_order: str,
    decimal_mark: str,
    currency: str,
    timezone: str,
    amount: str,
    price: str,
    encoding: str,
    delimiter: str,
    sheet: str,
    header: bool | None,
    repeated_orders: str,
) -> Options:
    """The options as typed; BadInputError names an option with an impossible value."""
    from include.intake import Options

    return Options(
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
        repeated_orders=_one_of("--repeated-orders", repeated_orders, ("last", "all")),
    )


def understood(file: Path, options: Options, *, may_ask: bool = True) -> Reading:
    """Inspect a file; with a terminal, an open question is a choice."""
    return settled(file, options, may_ask=may_ask)[0]


def settled(file: Path, options: Options, *, may_ask: bool = True) -> tuple[Reading, Options]:
    """Inspect a file; the reading, and the options with the choices that were made at the terminal."""
    from include.intake import inspect

    with console.status(f"reading {file.name}") if console.is_terminal else nullcontext():
        reading = inspect(file, options)
    while reading.answer.question and may_ask and sys.stdin.isatty() and sys.stdout.isatty():
        options = _chosen(reading.answer.question, options)
        reading = inspect(file, options)
    return reading, options


def mapping_of(columns: list[str]) -> dict[str, str]:
    """The pairs of --map; BadInputError for a text that is no pair."""
    pairs = [column.partition("=") for column in columns]
    if bad := [name for name, equals, of in pairs if not (name and equals and of)]:
        raise BadInputError(f"--map {bad[0]}: write OURS=THEIRS, such as customer_id=Client")
    mapping = {name: of for name, _, of in pairs}
    if len(mapping) < len(pairs):
        raise BadInputError("--map: a column is mapped twice; map each once")
    return mapping


def with_choice(options: Options, question: Question, value: str) -> Options:
    """The options that settle a question with one of its choices."""
    fields: dict[str, Any] = {
        "date_order": {"date_order": value},
        "decimal_mark": {"decimal_mark": value},
        "several_currencies": {"currency": value},
        "repeated_orders": {"repeated_orders": value},
    }.get(question.code, {"amount": value})
    if value == "--amount none":
        fields = {"amount": "none"}
    elif value == "--price total":
        fields = {"price": "total"}
    elif "=" in value:
        pairs = [value] if question.code != "no_header" else [p for p in shlex.split(value) if "=" in p]
        fields = {"mapping": {**options.mapping, **mapping_of(pairs)}}
    return dataclasses.replace(options, **fields)


def _chosen(question: Question, options: Options) -> Options:
    """The options with the choice that was made at the terminal."""
    console.print(question.text, style="yellow", markup=False, highlight=False)
    values = list(question.choices)
    if not values:
        raise BadInputError(f"Decide with {question.option}")
    for i, value in enumerate(values):
        console.print(f"  {i + 1}  {value}  {question.choices[value]}", markup=False, highlight=False)
    number = typer.prompt("Number", type=int)
    if not 1 <= number <= len(values):
        raise BadInputError(f"{number} is not one of 1 to {len(values)}")
    return with_choice(options, question, values[number - 1])


def _one_of(option: str, value: str, allowed: tuple[str, ...]) -> str | None:
    if value and value not in allowed:
        raise BadInputError(f"{option} {value}: use one of {' '.join(allowed)}")
    return value or None


def _zone(name: str) -> str | None:
    from include.firms import is_time_zone

    if name and not is_time_zone(name):
        raise BadInputError(f"--timezone {name}: no such zone; write Europe/Istanbul")
    return name or None
