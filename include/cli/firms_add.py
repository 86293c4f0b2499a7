"""``firms add``, ``firms accept`` and ``firms show``: a firm's row, checked, previewed and saved."""

from __future__ import annotations

import getpass
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from include.cli.console import console, open_warehouse
from include.cli.each_firm import EachFirm
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
)
from include.cli.firm_reading import changes, check_currency, preview, with_forms
from include.cli.registry_sync import sync_registry
from include.command_errors import BadInputError

if TYPE_CHECKING:
    from include.firms import Firm
    from include.warehouse import Warehouse

NoCheck = Annotated[bool, typer.Option("--no-check", help="Save without trying the connections.")]


def firms_add(
    file: Annotated[
        Path | None, typer.Option("--file", help="A YAML file with one firm or a list, or a folder of them.")
    ] = None,
    no_check: NoCheck = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and preview; save nothing.")] = False,
    from_file: Annotated[
        Path | None, typer.Option("--from", help="Write the YAML file for the firm of this sales file.")
    ] = None,
    key: Annotated[str, typer.Option(help="With --from: the firm's key; default: the folder's name.")] = "",
    timezone: Annotated[str, typer.Option(help="With --from: time zone of the shop.")] = "",
    currency: Annotated[str, typer.Option(help="With --from: currency; default: the file's.")] = "",
    columns: Columns = None,
    date_order: DateOrder = "",
    decimal_mark: DecimalMark = "",
    amount: Amount = "",
    price: Price = "",
    encoding: Encoding = "",
    delimiter: Delimiter = "",
    sheet: Sheet = "",
    header: Header = None,
    repeated_orders: RepeatedOrders = "",
) -> None:
    """Check firms, show what a run would read and what changes, and add or change them.

    A field missing from the file takes its default. Each firm is checked before it is saved: source kind,
    layout, folder, connections, schema. A refused firm is named, and the others are saved. With --from
    nothing is saved: a YAML file is written, --file or KEY.yaml. Exit code 3: a sales file leaves a question.

    Example: python -m include firms add --from orders.csv && python -m include firms add --file orders.yaml
    """
    if from_file is not None:
        from include.cli.firm_from_file import write_firm

        options = options_of(
            columns=columns, date_order=date_order, decimal_mark=decimal_mark, currency=currency,
            timezone=timezone, amount=amount, price=price, encoding=encoding, delimiter=delimiter,
            sheet=sheet, header=header, repeated_orders=repeated_orders,
        )  # fmt: skip
        write_firm(from_file, options, key=key, out=file)
        return
    if file is None:
        raise BadInputError("give --file FIRM.yaml, or --from SALES_FILE to write one")
    from include.cli.firm_file import read_firms

    found, each = read_firms(file), EachFirm()
    for key, reason in found.refused:
        each.refuse(key, reason)
    with open_warehouse() as warehouse:
        for firm in found.firms:
            with each.firm(firm.firm_key):
                _check(firm, file, no_check=no_check)
                ready = _previewed(firm, warehouse, no_check=no_check)
                if not dry_run:
                    _save(ready, warehouse)
        if dry_run:
            console.print("nothing was saved")
        elif each.done:
            sync_registry(warehouse)
    each.finish("would be saved" if dry_run else "saved")


def firms_accept(firm: Annotated[str, typer.Argument(help="The firm's key.")]) -> None:
    """Accept files that are written in a new way: add their form to the firm's row.

    Needed when a run stops because a file has another header, date order, number style, currency or amount,
    and the file is right. Files of the earlier form are read as before.

    Example: python -m include firms accept acme
    """
    from include.firms import parse_firm

    with open_warehouse() as warehouse:
        saved = parse_firm(warehouse.firms.firm_row(firm))
        new = with_forms(saved, None, renew=True)
        if new == saved:
            console.print(f"{firm}: every file is written as its row says", markup=False)
            return
        check_currency(new)
        preview(new)
        for line in changes(saved, new):
            console.print(f"  changes     {line}", markup=False, highlight=False, soft_wrap=True)
        _save(new, warehouse)


def firms_show(firm: Annotated[str, typer.Argument(help="The firm's key.")]) -> None:
    """Print a firm's row as YAML, to edit and to give to ``firms add --file``.

    Example: python -m include firms show acme > acme.yaml
    """
    from include.firms import parse_firm

    with open_warehouse() as warehouse:
        typer.echo(yaml_of(parse_firm(warehouse.firms.firm_row(firm))), nl=False)


def yaml_of(firm: Firm) -> str:
    """A firm's row as YAML, without fields that have their default."""
    import yaml

    row: dict[str, Any] = firm.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude_defaults=True
    )
    return str(yaml.safe_dump(row, allow_unicode=True, sort_keys=False, width=110))


def _check(firm: Firm, file: Path, *, no_check: bool) -> None:
    from include.connections import connection_uri
    from include.firm_checks import CheckError, check_firm

    with console.status(f"{firm.firm_key}: checking"):
        try:
            check_firm(firm, connection_uri, connects=not no_check)
        except CheckError as error:
            raise BadInputError(
                f"{error.args[0]}\n{firm.firm_key} was not saved. To save without trying connections: "
                f"python -m include firms add --file {file} --no-check"
            ) from None


def _previewed(firm: Firm, warehouse: Warehouse, *, no_check: bool) -> Firm:
    """Print what the firm's source gives and what changes; the firm with the forms of its files."""
    from include.firms import FirmError, parse_firm
    from include.warehouse import UnknownFirm

    row = saved = None
    with suppress(UnknownFirm, FirmError):
        row = warehouse.firms.firm_row(firm.firm_key)
        saved = parse_firm(row)
    title = "new" if row is None else "changes the saved firm"
    console.print(f"{firm.firm_key} ({firm.name}): {title}", markup=False, highlight=False)
    with console.status(f"{firm.firm_key}: reading"):
        firm = with_forms(firm, saved)
        check_currency(firm)
        if not no_check:
            preview(firm)
    for line in changes(saved, firm) if saved else ():
        console.print(f"  changes     {line}", markup=False, highlight=False, soft_wrap=True)
    return firm


def _save(firm: Firm, warehouse: Warehouse) -> None:
    warehouse.firms.save_firm(firm, actor=getpass.getuser())
    console.print(f"saved {firm.firm_key} ({firm.name})", markup=False)
