"""The list of erased customers, by which steps filter what they extract.

A suppression hash is a keyed hash of the customer id, so the list contains no id.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

import psycopg

from include.warehouse.session import Row, Session

STEP_LOCK = 7_304  # advisory lock class: shared by steps of a firm, exclusive to an erasure


@dataclass(frozen=True)
class ErasedIds:
    """The suppression hashes of a firm's erased customers."""

    salt: bytes
    hashes: frozenset[str]

    def has(self, customer_id: str) -> bool:
        """Whether this customer was erased."""
        return suppression_hash(self.salt, customer_id) in self.hashes


def suppression_hash(salt: bytes, customer_id: str) -> str:
    """The keyed hash of a customer's id."""
    return hmac.new(salt, customer_id.encode(), hashlib.sha256).hexdigest()


def share_with_steps(connection: psycopg.Connection[Row], firm_key: str) -> None:
    """Take the shared lock of a step: no customer of the firm is erased while this session is open."""
    connection.execute("select pg_advisory_lock_shared(%s, hashtext(%s))", [STEP_LOCK, firm_key])


def erased_ids(session: Session, firm_key: str) -> ErasedIds | None:
    """The hashes of the firm's erased customers; None where there are none."""
    rows = session.rows(
        "select salt, array_agg(customer_hash) as hashes from control.erasures "
        "join control.erasure_salts using (firm_key) where firm_key = %s group by salt",
        [firm_key],
    )
    return ErasedIds(bytes(rows[0]["salt"]), frozenset(rows[0]["hashes"])) if rows else None
