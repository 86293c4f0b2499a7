"""Erase customers: record their suppression hashes, and delete or anonymise their rows.

An erasure takes a lock that a firm's steps share: it waits for running steps and blocks new ones.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from include import faults
from include.slices import Slice
from include.warehouse.erased_ids import STEP_LOCK, suppression_hash
from include.warehouse.errors import UnknownFirm
from include.warehouse.loading import FIRM_LOCK
from include.warehouse.relations import Relation
from include.warehouse.session import Part, Row
from include.warehouse.summaries import remove_for_erasure

PATIENCE = "15min"
ANONYMOUS = "(anonymous)"
ANONYMISED = ("analytics.fact_sales",)  # totals must not change: the sales stay, with the anonymous customer


@dataclass(frozen=True)
class Rewritten:
    """A slice of a handoff that an erasure rewrote; what was loaded of the old bytes stays valid."""

    dataset: str
    slice: Slice
    old_sha256: str
    new_sha256: str
    token: int
    rows: int


class Erasures(Part):
    """The warehouse's part of an erasure."""

    def hold_firm(self, firm_key: str) -> None:
        """Wait until no step of the firm runs, and block new ones while this session is open."""
        with self._session.clear_errors(f"waiting for the steps of {firm_key} to end"):
            self._session.connection.execute(f"set lock_timeout = '{PATIENCE}'")
            self._session.connection.execute(
                "select pg_advisory_lock(%s, hashtext(%s))", [STEP_LOCK, firm_key]
            )
            self._session.connection.execute("reset lock_timeout")

    def record_erasure(self, firm_key: str, customer_id: str, actor: str) -> str:
        """Record the suppression hash and who requested the erasure; return the hash."""
        with (
            self._session.clear_errors(f"suppression hash of {firm_key}"),
            self._session.connection.transaction(),
        ):
            self._session.connection.execute(
                "insert into control.erasure_salts (firm_key, salt) values (%s, %s) on conflict do nothing",
                [firm_key, secrets.token_bytes(32)],
            )
            row = self._session.connection.execute(
                "select salt from control.erasure_salts where firm_key = %s", [firm_key]
            ).fetchone()
            if row is None:
                raise UnknownFirm(f"no firm {firm_key!r}")
            digest = suppression_hash(bytes(row["salt"]), customer_id)
            self._session.connection.execute(
                "insert into control.erasures (firm_key, customer_hash, requested_by) values (%s, %s, %s) "
                "on conflict (firm_key, customer_hash) do update set erased_at = null",
                [firm_key, digest, actor],
            )
            self._audit(actor, "erase", firm_key, digest)
        return digest

    def finish(self, firm_key: str, digest: str, actor: str) -> None:
        """Record that the final search found nothing of the customer."""
        with (
            self._session.clear_errors(f"suppression hash of {firm_key}"),
            self._session.connection.transaction(),
        ):
            self._session.connection.execute(
                "update control.erasures set erased_at = clock_timestamp() "
                "where firm_key = %s and customer_hash = %s",
                [firm_key, digest],
            )
            self._audit(actor, "erased", firm_key, digest)

    def firm_sk(self, firm_key: str) -> int | None:
        """The firm's key in the facts; None if nothing of the firm was ever loaded."""
        rows = self._session.rows("select firm_sk from analytics.dim_firm where firm_key = %s", [firm_key])
        return int(rows[0]["firm_sk"]) if rows else None

    def customer_sk(self, firm_key: str, customer_id: str) -> int | None:
        """The customer's key in the facts."""
        rows = self._session.rows(
            "select customer_sk from analytics.dim_customer join analytics.dim_firm using (firm_sk) "
            "where firm_key = %s and customer_id = %s and not is_anonymous",
            [firm_key, customer_id],
        )
        return int(rows[0]["customer_sk"]) if rows else None

    def contacts(self, customer_sk: int | None) -> list[str | None]:
        """The contact values that the warehouse holds of a customer."""
        rows = self._session.rows(
            "select full_name, email, phone from pii.customer_contact where customer_sk = %s", [customer_sk]
        )
        return [value for row in rows for value in row.values()]

    def shared(self, firm_key: str, customer_id: str, values: Sequence[str]) -> set[str]:
        """The values that another customer has too."""
        rows = self._session.rows(
            "select asked.value from unnest(%s::text[]) as asked (value) where exists ("
            "select from pii.customer_contact join analytics.dim_customer using (customer_sk) "
            "join analytics.dim_firm on dim_firm.firm_sk = dim_customer.firm_sk "
            "where firm_key = %s and customer_id <> %s "
            "and lower(asked.value) in (lower(full_name), lower(email), lower(phone)))",
            [list(values), firm_key, customer_id],
        )
        return {row["value"] for row in rows}

    def held_by_others(
        self, relation: Relation, column: str, values: Collection[str], firm_key: str, firm_sk: int | None
    ) -> set[str]:
        """The values that a row of another firm has in this column."""
        others = relation.of_others(firm_key, firm_sk)
        if others is None:
            return set()
        query = sql.SQL(
            "select distinct {0}::text as value from {1} where {2} and {0}::text = any({3})"
        ).format(sql.Identifier(column), relation.identifier, others, sql.Literal(sorted(values)))
        return {row["value"] for row in self._session.rows(query.as_string(self._session.connection))}

    def relations(self) -> list[Relation]:
        """Every table and view of the warehouse except partitions, which are read through their parents."""
        rows = self._session.rows(
            "select n.nspname as schema, c.relname as name, c.relkind::text as kind, "
            "json_object_agg(a.attname, format_type(a.atttypid, null) order by a.attnum) as columns "
            "from pg_catalog.pg_class as c join pg_catalog.pg_namespace as n on n.oid = c.relnamespace "
            "join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped "
            "where n.nspname in ('analytics', 'mart', 'control', 'pii', 'parts') "
            "and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition group by 1, 2, 3 order by 1, 2"
        )
        return [Relation(**row) for row in rows]

    def forget_rows(
        self,
        firm_key: str,
        customer_id: str,
        rewritten: Sequence[Rewritten],
        is_free_text: Callable[[str, str], bool],
        without: Callable[[Any], Any],
        search_terms: Sequence[str],
    ) -> dict[str, int]:
        """Remove the customer from every table in one transaction; return rows changed by table."""
        firm_sk, customer_sk = self.firm_sk(firm_key), self.customer_sk(firm_key, customer_id)
        relations = [relation for relation in self.relations() if relation.kind in ("r", "p")]
        changed: dict[str, int] = {}
        doing = f"forgetting a customer of {firm_key}"
        with self._session.clear_errors(doing), self._session.transaction(doing) as connection:
            if firm_sk is not None:
                connection.execute("select pg_advisory_xact_lock(%s, %s)", [FIRM_LOCK, firm_sk])
                remove_for_erasure(connection, firm_sk)
            for relation in relations:
                count = _redact(connection, relation, firm_key, firm_sk, is_free_text, without, search_terms)
                if customer_sk is not None and firm_sk is not None:
                    count += _forget(connection, relation, firm_sk, customer_sk)
                if "customer_id" in relation.columns and relation.full_name != "analytics.dim_customer":
                    count += connection.execute(
                        sql.SQL("delete from {} where customer_id = %s and {}").format(
                            relation.identifier, relation.of_firm(firm_key, firm_sk)
                        ),
                        [customer_id],
                    ).rowcount
                if count:
                    changed[relation.full_name] = count
            if customer_sk is not None:
                # Contacts and the outbox go with it: their keys cascade.
                connection.execute("delete from analytics.dim_customer where customer_sk = %s", [customer_sk])
                changed["analytics.dim_customer"] = 1
            for part in rewritten:
                for table in ("loads", "quality"):
                    _carry_over(connection, table, firm_key, part)
            faults.point("erase.before_commit")
        faults.point("erase.after_commit")
        return changed

    def clean(self, tables: Sequence[str]) -> None:
        """Vacuum the tables and renew their statistics, which contain values of rows."""
        with self._session.clear_errors("vacuum after erasing"):
            for name in tables:
                schema, _, table = name.partition(".")
                self._session.connection.execute(
                    sql.SQL("vacuum (analyze) {}").format(sql.Identifier(schema, table))
                )

    def _audit(self, actor: str, change: str, firm_key: str, digest: str) -> None:
        self._session.connection.execute(
            "insert into control.audit (actor, change_made, firm_key, changed_to) values (%s, %s, %s, %s)",
            [actor, change, firm_key, Jsonb({"customer_hash": digest})],
        )


def _forget(connection: psycopg.Connection[Row], relation: Relation, firm_sk: int, customer_sk: int) -> int:
    """Delete the customer's rows of a fact, or assign them to the anonymous customer."""
    if "customer_sk" not in relation.columns or relation.full_name == "analytics.dim_customer":
        return 0
    where = sql.SQL("customer_sk = {} and {}").format(sql.Literal(customer_sk), relation.of_firm("", firm_sk))
    if relation.full_name not in ANONYMISED:
        return connection.execute(
            sql.SQL("delete from {} where {}").format(relation.identifier, where)
        ).rowcount
    connection.execute(
        "insert into analytics.dim_customer (firm_sk, customer_id, is_anonymous) values (%s, %s, true) "
        "on conflict (firm_sk, customer_id) do nothing",
        [firm_sk, ANONYMOUS],
    )
    anonymous = sql.SQL(
        "(select customer_sk from analytics.dim_customer where firm_sk = {} and customer_id = {})"
    ).format(sql.Literal(firm_sk), sql.Literal(ANONYMOUS))
    return connection.execute(
        sql.SQL("update {} set customer_sk = {} where {}").format(relation.identifier, anonymous, where)
    ).rowcount


def _redact(
    connection: psycopg.Connection[Row],
    relation: Relation,
    firm_key: str,
    firm_sk: int | None,
    is_free_text: Callable[[str, str], bool],
    without: Callable[[Any], Any],
    search_terms: Sequence[str],
) -> int:
    """Redact the customer in text and JSON columns of ``control``."""
    count = 0
    for column, kind in relation.columns.items():
        if relation.schema != "control" or not is_free_text(column, kind) or kind not in ("text", "jsonb"):
            continue
        name = sql.Identifier(column)
        found = connection.execute(
            sql.SQL(
                "select ctid::text as place, {} as held from {} where {} and exists ("
                "select from unnest(%s::text[]) as term where strpos(lower({}::text), term) > 0)"
            ).format(name, relation.identifier, relation.of_firm(firm_key, firm_sk), name),
            [list(search_terms)],
        ).fetchall()
        for row in found:
            if (redacted := without(row["held"])) != row["held"]:
                connection.execute(
                    sql.SQL("update {} set {} = %s where ctid = %s::tid").format(relation.identifier, name),
                    [Jsonb(redacted) if kind == "jsonb" else redacted, row["place"]],
                )
                count += 1
    return count


def _carry_over(connection: psycopg.Connection[Row], table: str, firm_key: str, part: Rewritten) -> None:
    """Let a load or check of the old bytes count for the new: the same rows without the customer's."""
    loaded = ", token = greatest(token, %(token)s), manifest_token = %(token)s" if table == "loads" else ""
    connection.execute(
        f"update control.{table} set manifest_sha256 = %(new)s{loaded} "
        "where firm_key = %(firm)s and dataset = %(dataset)s and slice = %(slice)s "
        "and manifest_sha256 = %(old)s",
        {
            "new": part.new_sha256, "old": part.old_sha256, "token": part.token,
            "firm": firm_key, "dataset": part.dataset, "slice": str(part.slice),
        },
    )  # fmt: skip
