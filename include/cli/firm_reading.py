"""How the files of a firm are read (layout ``auto``), what its source gives, and what a new row changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import typer

from include.cli.console import console
from include.command_errors import BAD_INPUT, QUESTION, BadInputError, show
from include.source_errors import SourceError

if TYPE_CHECKING:
    from include.firms import Firm

SAMPLE = 160  # characters


def with_forms(firm: Firm, saved: Firm | None, *, renew: bool = False) -> Firm:
    """The firm with ``source.understood``: as given, else as saved before, else as its files are now.

    With ``renew`` a form is added for each file that no form fits. Exit 3 when a file leaves a question,
    BadInputError when one cannot be read.
    """
    from include.data_files.folder import check_some, data_files, folder_of
    from include.intake import Asks
    from include.sources.layouts import is_auto
    from include.sources.understood_files import ENDINGS, question_text, read_forms

    if not is_auto(firm):
        return firm
    if firm.source.understood is None and saved is not None and _reads_the_same(firm, saved):
        firm = _with(firm, saved.source.understood)
    if firm.source.understood and not renew:
        return firm
    where = f"firm {firm.firm_key}, csv source"
    folder = folder_of(str(firm.source.uri), where=where)
    files = data_files(folder, ENDINGS)
    check_some(files, folder, ENDINGS, where=where)
    try:
        forms = read_forms(files, firm)
    except Asks as asks:
        show(f"{where}: {question_text(asks)}")
        raise typer.Exit(QUESTION) from None
    except SourceError as error:
        raise BadInputError(f"{where}: {error.args[0]}") from None
    if not forms:
        raise BadInputError(f"{where}: no file of {folder} has a row; add the firm when there are sales")
    return _with(firm, forms)


def check_currency(firm: Firm) -> None:
    """BadInputError when the files state another currency than the firm's row."""
    for form in firm.source.understood or ():
        if form.currency and form.currency != firm.currency:
            raise BadInputError(
                f"firm {firm.firm_key}, currency: the row says {firm.currency}, its files say "
                f"{form.currency}; set currency: {form.currency}"
            )


def preview(firm: Firm) -> None:
    """Print what a run would read of the firm's files; BadInputError when it could not."""
    from include.sources import open_source
    from include.sources.summary import summarise

    if firm.source.kind != "csv":
        return
    tomorrow = datetime.now(UTC).astimezone(ZoneInfo(firm.timezone)).date() + timedelta(days=1)
    with TemporaryDirectory(prefix="firmament-preview-") as scratch:
        try:
            found = summarise(open_source(firm, str, scratch=Path(scratch)), tomorrow)
        except SourceError as error:
            raise BadInputError(error.args[0]) from None
    for form in firm.source.understood or ():
        _line(f"  understood  {described(form)}")
    if not found.rows:
        _line("  reads       no rows yet")
        return
    _line(
        f"  reads       {found.rows:,} rows, {found.used:,} used: {found.customers:,} customers, "
        f"{found.orders:,} orders, {found.net_amount:,.2f} {firm.currency}, {found.first_day} to "
        f"{found.last_day}"
    )
    for reason, rejected in sorted(found.rejected.items()):
        _line(
            f"  left out    {rejected.rows:,} {reason}, {rejected.amount:,.2f} {firm.currency}, such as "
            f"{rejected.sample[:SAMPLE]}"
        )


def described(form: Any) -> str:
    """A form in one line."""
    styles = {
        "dates": form.date_order,
        "decimal mark": form.decimal_mark,
        "currency": form.currency,
        "amount": form.amount,
    }
    columns = ", ".join(f"{ours}={theirs}" for ours, theirs in form.columns.items())
    listed = "; ".join(f"{name} {value}" for name, value in styles.items() if value)
    return f"{form.platform or 'columns by name'}: {columns}; {listed}"


def changes(saved: Firm, firm: Firm) -> list[str]:
    """What a new row changes in a firm: one line per field, with the old and the new value."""
    old, new = (dict(_fields(one.model_dump(mode="json", by_alias=True))) for one in (saved, firm))
    return [
        f"{name}: {_shown(old.get(name))} -> {_shown(new.get(name))}"
        for name in dict.fromkeys((*old, *new))
        if old.get(name) != new.get(name)
    ]


def _fields(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _fields(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for number, inner in enumerate(value):
            yield from _fields(inner, f"{name}[{number}]")
    else:
        yield name, value


def _shown(value: Any) -> str:
    return "nothing" if value in (None, [], {}) else str(value)[:200]


def _reads_the_same(firm: Firm, saved: Firm) -> bool:
    """Whether both rows read the same folder under the same options."""
    left_out: dict[str, Any] = {"understood": True, "options": {"repeated_orders"}}
    old, new = (one.source.model_dump(exclude=left_out, exclude_none=True) for one in (saved, firm))
    return {name: value for name, value in old.items() if value} == {n: v for n, v in new.items() if v}


def _with(firm: Firm, forms: Any) -> Firm:
    return firm.model_copy(update={"source": firm.source.model_copy(update={"understood": forms})})


def _line(text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


__all__ = ["BAD_INPUT", "changes", "check_currency", "described", "preview", "with_forms"]
