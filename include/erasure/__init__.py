"""Forgetting one customer of a firm, everywhere, and proving it.

The order makes it safe to be killed anywhere and run again: the tombstone first, so that nothing brings
the customer back; then handoffs, copies, logs and the firm's own tables; the warehouse, in one transaction,
last, as it knows what to look for. Only a search that finds nothing sets ``erased_at``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from include import faults
from include.connections import connection_uri
from include.erasure import handoffs, places
from include.erasure.places import Searched
from include.erasure.traces import Traces, is_free_text, names_customer
from include.firms import parse_firm
from include.private_files import private_folder, private_umask
from include.settings import Settings
from include.warehouse import UnknownFirm, Warehouse
from include.warehouse.erasures import ANONYMOUS
from include.warehouse.relations import Relation


class EraseError(RuntimeError):
    """Nothing was erased; the message says why."""


@dataclass(frozen=True)
class Report:
    """What erasing changed, by place, and what the search found afterwards."""

    changed: dict[str, int]
    searched: list[Searched]
    shared: int  # contact values that are another customer's too, and so were not searched for

    @property
    def found(self) -> list[str]:
        """Where a trace is left: nowhere, if all is well."""
        return [place for part in self.searched for place in part.found]


def erase(
    settings: Settings, firm_key: str, customer_id: str, *, actor: str, also: Sequence[str] = ()
) -> Report:
    """Forget a customer of a firm. ``also`` are values to search for beside those that are known.

    EraseError when nobody knows such a customer; waits for steps of the firm that are running.
    """
    dsn = settings.warehouse_dsn()
    parent = private_folder(settings.home / "scratch")
    with (
        private_umask(),
        Warehouse(dsn) as warehouse,
        tempfile.TemporaryDirectory(dir=parent, prefix="erase-") as folder,
    ):
        scratch = Path(folder)
        rows = {row["firm_key"]: row for row in warehouse.firms.firm_rows(include_removed=True)}
        if firm_key not in rows:
            raise UnknownFirm(f"no firm {firm_key!r}; see them: python -m include firms list")
        others = rows.keys() - {firm_key}
        if not customer_id.strip() or customer_id == ANONYMOUS:
            raise EraseError("that is no customer's id")
        warehouse.erasures.hold_firm(firm_key)
        customer_sk = warehouse.erasures.customer_sk(firm_key, customer_id)
        traces = Traces(customer_id, warehouse.erasures.contacts(customer_sk))
        _check_known(warehouse, settings, firm_key, customer_sk, traces, scratch)

        digest = warehouse.erasures.bury(firm_key, customer_id, actor)
        faults.point("erase.after_tombstone")
        # Drawn when no step runs: higher than every token that any of them holds.
        token = warehouse.session.rows(
            "insert into control.attempts (firm_key, step, slice) values (%s, 'erase', '') returning token",
            [firm_key],
        )[0]["token"]
        swept = handoffs.sweep(settings.root, firm_key, traces, token=token, scratch=scratch)
        traces.add(also)
        shared = warehouse.erasures.shared(firm_key, customer_id, sorted(traces.contacts))
        traces.leave_out(shared)
        changed = {
            "slices of handoffs": swept.slices,
            "old files of handoffs": swept.old_files + swept.removed,
            "copies of the firm's files": places.remove_copies(settings, firm_key),
            "lines of logs": places.mask_texts(settings, traces, others),
            "rows of the firm's own tables": _published(rows[firm_key], customer_id),
        }
        tables = warehouse.erasures.forget_rows(
            firm_key, customer_id, swept.rewritten, is_free_text, traces.without, traces.needles
        )
        changed |= tables
        warehouse.erasures.clean(
            [
                relation.full_name
                for relation in warehouse.erasures.relations()
                if relation.kind in ("r", "p") and (relation.full_name in tables or _has_values(relation))
            ]
        )
        report = Report(
            changed,
            places.search(warehouse, settings, firm_key, traces, customer_sk, scratch, others),
            len(shared),
        )
        if not report.found:
            warehouse.erasures.finish(firm_key, digest, actor)
        return report


def _has_values(relation: Relation) -> bool:
    """Whether statistics of the table may hold what people are known by, even after an erasure cut short."""
    return relation.schema == "pii" or any(
        names_customer(column) or (relation.schema == "control" and is_free_text(column, kind))
        for column, kind in relation.columns.items()
    )


def _check_known(
    warehouse: Warehouse,
    settings: Settings,
    firm_key: str,
    customer_sk: int | None,
    traces: Traces,
    scratch: Path,
) -> None:
    """A slip of the pen must not pass for an erasure."""
    forgotten = warehouse.records.erased(firm_key)
    if customer_sk is not None or (forgotten is not None and forgotten.has(traces.customer_id)):
        return
    if not handoffs.sweep(settings.root, firm_key, traces, token=0, scratch=scratch, dry=True).slices:
        raise EraseError(
            f"{firm_key} has no such customer, neither in the warehouse nor in a handoff; nothing was changed"
        )


def _published(row: dict[str, object], customer_id: str) -> int:
    """Take the customer out of what was written back into the firm's own schema."""
    firm = parse_firm({name: value for name, value in row.items() if name != "removed_at"})
    if firm.publish is None or firm.publish.conn_id is None:
        return 0
    from include.publishing import open_target

    return open_target(firm, connection_uri).forget(firm.firm_key, customer_id)
