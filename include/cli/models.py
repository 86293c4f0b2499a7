"""``models``: list the models that score a firm, and override the selection (rollback)."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from include.cli.console import console, open_warehouse, refuse

if TYPE_CHECKING:
    from include.firms import Firm
    from include.warehouse import Warehouse

models = typer.Typer(help="List a firm's models, and override which one scores.", no_args_is_help=True)


@contextmanager
def _opened(firm_key: str) -> Iterator[tuple[Warehouse, Firm]]:
    """The open warehouse and the firm's row."""
    from include.firms import parse_firm

    with open_warehouse() as warehouse:
        yield warehouse, parse_firm(warehouse.firms.firm_row(firm_key))


@models.command("list")
def models_list(firm: Annotated[str, typer.Argument(help="The firm's key.")]) -> None:
    """Show a firm's models by training date (anchor), which one scores, and manual overrides.

    Example: python -m include models list acme
    """
    with _opened(firm) as (warehouse, row):
        table = Table(title=f"Models of {row.name}", title_justify="left")
        for heading in ("module", "anchor", "scores", "version", "method", "challenger", "why"):
            table.add_column(heading)
        for model in warehouse.records.models.models(firm):
            result = warehouse.records.models.promotion_result(firm, model["module"], model["anchor"])
            scoring = [row["contender_anchor"] for row in result if row["is_scoring"]]
            table.add_row(
                model["module"],
                str(model["anchor"]),
                "itself" if scoring == [model["anchor"]] else f"{scoring[0]}" if scoring else "",
                model["model_version"],
                model["method"],
                model["challenger"] or "",
                model["promotion_reason"] or model["reason"],
            )
        console.print(table)
        for decided in warehouse.records.models.decisions(firm):
            console.print(
                f"{decided['module']}: the model of {decided['anchor']} scores instead of that of "
                f"{decided['replaces_anchor']} from {decided['from_as_of']} on; {decided['decided_by']}, "
                f"{decided['decided_at']:%Y-%m-%d %H:%M} UTC: {decided['why']}",
                highlight=False,
            )


@models.command("rollback")
def models_rollback(
    firm: Annotated[str, typer.Argument(help="The firm's key.")],
    module: Annotated[str, typer.Argument(help="churn or ltv.")],
    from_as_of: Annotated[str, typer.Option("--from", help="First as_of of the override: 2026-11-21.")],
    why: Annotated[str, typer.Option(help="The reason, stored with the override.")],
    to: Annotated[
        str | None, typer.Option(help="Anchor of the model to use; default: the previous model.")
    ] = None,
) -> None:
    """Let an earlier model score from a day to the next anchor.

    The override is stored with user, time and reason, and applies to every later run for those days. To undo
    it, override again with --to.

    Example: python -m include models rollback acme churn --from 2026-11-21 --why "scores drifted"
    """
    from include.modules import TRAINED
    from include.periods import anchor_of, parse_as_of

    if not why.strip():
        refuse("--why is empty: give the reason of the override")
    with _opened(firm) as (warehouse, row):
        try:
            day = parse_as_of(from_as_of)
            wanted = parse_as_of(to) if to else None
        except ValueError as error:
            refuse(error)
        period = anchor_of(day, every_months=row.retrain_months)
        if module not in TRAINED:
            refuse(f"module {module!r} has no trained model; there are {' and '.join(TRAINED)}")
        known = {
            model["anchor"]: model
            for model in warehouse.records.models.models(firm)
            if model["module"] == module
        }
        if not known:
            refuse(
                f"{firm} has no {module} model; run the firm first: "
                f"python -m include run {firm} --as-of {day}"
            )
        scoring = _scoring(warehouse, firm, module, day, period)
        chosen = wanted or max((anchor for anchor in known if anchor < scoring), default=None)
        if chosen is None or chosen not in known or chosen > period:
            on_record = ", ".join(map(str, sorted(anchor for anchor in known if anchor <= period)))
            refuse(
                f"{module} of {firm} has no model {f'of anchor {chosen}' if chosen else f'before {scoring}'} "
                f"for {day}; there are those of {on_record}. To train an earlier one, run an earlier "
                f"day: python -m include run {firm} --as-of {period - timedelta(days=1)}"
            )
        warehouse.records.models.decide(
            firm,
            module,
            replaces_anchor=period,
            from_as_of=day,
            anchor=chosen,
            decided_by=getpass.getuser(),
            why=why.strip(),
        )
    step = TRAINED[module].rows
    console.print(
        f"from {day} to the next anchor the {module} model of {chosen} ({known[chosen]['method']}) scores "
        f"instead of that of {scoring}; to score a day again: "
        f"python -m include run {firm} --as-of {day} --from {step}",
        highlight=False,
    )


def _scoring(warehouse: Warehouse, firm: str, module: str, day: date, period: date) -> date:
    """Anchor of the model that currently scores the day."""
    decided: Any = warehouse.records.models.decision(firm, module, as_of=day, anchor=period)
    if decided is not None:
        return date.fromisoformat(str(decided["anchor"]))
    for row in warehouse.records.models.promotion_result(firm, module, period):
        if row["is_scoring"]:
            return date.fromisoformat(str(row["contender_anchor"]))
    return period
