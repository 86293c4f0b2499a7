"""Erase one customer of a firm from all data, then search for what is left.

The command can be killed at any point and run again. It records the suppression hash first, so that no
later extract loads the customer; then it purges handoffs, copies, logs and the firm's own tables. The
warehouse comes last, in one transaction, because it supplies the search terms. ``erased_at`` is set only
when the search finds nothing.
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
from include.erasure.search_terms import SearchTerms, is_free_text, names_customer
from include.firms import parse_firm
from include.private_files import private_folder, private_umask
from include.settings import Settings
from include.warehouse import UnknownFirm, Warehouse
from include.warehouse.erasures import ANONYMOUS
from include.warehouse.relations import Relation


class EraseError(RuntimeError):
    """Erasure was refused and nothing changed; the message says why."""


@dataclass(frozen=True)
class ErasureReport:
    """Rows and files changed, by place, and the result of the search afterwards."""

    changed: dict[str, int]
    searched: list[Searched]
    shared: int  # contact values that another customer has too: not searched for

    @property
    def found(self) -> list[str]:
        """Places that still hold the customer."""
        return [place for part in self.searched for place in part.found]


def erase(
    settings: Settings, firm_key: str, customer_id: str, *, actor: str, also: Sequence[str] = ()
) -> ErasureReport:
    """Erase a customer of a firm. ``also`` are further values to search for, such as an old address.

    Waits until no step of the firm runs. EraseError when the customer is unknown.
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
            raise EraseError(f"{customer_id!r} is not a customer id")
        warehouse.erasures.hold_firm(firm_key)
        customer_sk = warehouse.erasures.customer_sk(firm_key, customer_id)
        terms = SearchTerms(customer_id, warehouse.erasures.contacts(customer_sk))
        _check_known(warehouse, settings, firm_key, customer_sk, terms, scratch)

        digest = warehouse.erasures.record_erasure(firm_key, customer_id, actor)
        faults.point("erase.after_suppression")
        # No step of the firm runs now, so this token is higher than that of any step.
        token = warehouse.session.rows(
            "insert into control.attempts (firm_key, step, slice) values (%s, 'erase', '') returning token",
            [firm_key],
        )[0]["token"]
        purged = handoffs.purge_customer(settings.root, firm_key, terms, token=token, scratch=scratch)
        terms.add(also)
        shared = warehouse.erasures.shared(firm_key, customer_id, sorted(terms.contacts))
        terms.remove(shared)
        changed = {
            "slices of handoffs": purged.slices,
            "old files of handoffs": purged.old_files + purged.removed,
            "copies of the firm's files": places.remove_copies(settings, firm_key),
            "lines of logs": places.mask_texts(settings, terms, others),
            "rows of the firm's own tables": _published(rows[firm_key], customer_id),
        }
        tables = warehouse.erasures.forget_rows(
            firm_key, customer_id, purged.rewritten, is_free_text, terms.redacted, terms.substrings
        )
        changed |= tables
        warehouse.erasures.clean(
            [
                relation.full_name
                for relation in warehouse.erasures.relations()
                if relation.kind in ("r", "p") and (relation.full_name in tables or _has_values(relation))
            ]
        )
        report = ErasureReport(
            changed,
            places.search(warehouse, settings, firm_key, terms, customer_sk, scratch, others),
            len(shared),
        )
        if not report.found:
            warehouse.erasures.finish(firm_key, digest, actor)
        return report


def _has_values(relation: Relation) -> bool:
    """Whether the table's statistics may contain personal data, also after an interrupted erasure."""
    return relation.schema == "pii" or any(
        names_customer(column) or (relation.schema == "control" and is_free_text(column, kind))
        for column, kind in relation.columns.items()
    )


def _check_known(
    warehouse: Warehouse,
    settings: Settings,
    firm_key: str,
    customer_sk: int | None,
    terms: SearchTerms,
    scratch: Path,
) -> None:
    """Reject unknown customer ids with EraseError: a mistyped id must not count as an erasure."""
    erased = warehouse.records.erased(firm_key)
    if customer_sk is not None or (erased is not None and erased.has(terms.customer_id)):
        return
    if not handoffs.purge_customer(settings.root, firm_key, terms, token=0, scratch=scratch, dry=True).slices:
        raise EraseError(
            f"{firm_key} has no such customer, neither in the warehouse nor in a handoff; nothing was changed"
        )


def _published(row: dict[str, object], customer_id: str) -> int:
    """Delete the customer from the tables published to the firm's own schema; rows deleted."""
    firm = parse_firm({name: value for name, value in row.items() if name != "removed_at"})
    if firm.publish is None or firm.publish.conn_id is None:
        return 0
    from include.publishing import open_target

    return open_target(firm, connection_uri).delete_customer(firm.firm_key, customer_id)
