"""Delete all rows of a firm, and count what is left."""

from __future__ import annotations

from psycopg import sql
from psycopg.types.json import Jsonb

from include.warehouse.relations import Relation
from include.warehouse.session import Part, Row

NAMES_FIRM = ("firm_sk", "firm_key")
PATIENCE = "30s"  # dropping a partition waits for the readers of its table


class FirmPurge(Part):
    """All rows of one firm in the schemas of the warehouse."""

    def delete(
        self, firm_key: str, firm_sk: int | None, relations: list[Relation], actor: str
    ) -> dict[str, int]:
        """Delete the firm's rows from every table, in one transaction; rows by table.

        Partitions are dropped. Facts go before dimensions, and ``dim_firm`` last, as foreign keys demand.
        ``control.audit`` keeps one row: who purged which firm, and when.
        """
        connection = self._session.connection
        deleted: dict[str, int] = {}
        with self._session.clear_errors(f"purge of {firm_key}"), connection.transaction():
            connection.execute(f"set local lock_timeout = '{PATIENCE}'")
            # The trigger control.refuse_change lets nothing else delete from a table that only grows.
            connection.execute("set local firmament.purge = 'yes'")
            deleted |= self._incidents(firm_key)
            for relation in sorted(self._tables(relations), key=_order):
                if relation.kind == "p":
                    count = self._drop(relation, firm_sk)
                else:
                    query = sql.SQL("delete from {} where {}").format(
                        relation.identifier, relation.of_firm(firm_key, firm_sk)
                    )
                    is_other = "firm_key" not in relation.columns and firm_sk is None
                    count = 0 if is_other else connection.execute(query).rowcount
                deleted[relation.full_name] = deleted.get(relation.full_name, 0) + count
            deleted["control.benchmark_decisions"] = connection.execute(
                "update control.benchmark_decisions set firm_keys = array_remove(firm_keys, %s) "
                "where %s = any(firm_keys)",
                [firm_key, firm_key],
            ).rowcount
            connection.execute(
                "insert into control.audit (actor, change_made, firm_key, changed_to) "
                "values (%s, 'purge', %s, %s)",
                [actor, firm_key, Jsonb({"rows": sum(deleted.values())})],
            )
        return {name: count for name, count in deleted.items() if count}

    def left(self, firm_key: str, firm_sk: int | None, relations: list[Relation]) -> dict[str, int]:
        """Rows of the firm that are left, by table, without the audit row of the purge."""
        found = {}
        for relation in self._tables(relations):
            if "firm_key" not in relation.columns and firm_sk is None:
                continue
            condition = relation.of_firm(firm_key, firm_sk)
            if relation.full_name == "control.audit":
                condition = sql.SQL("{} and change_made <> 'purge'").format(condition)
            query = sql.SQL("select count(*) as found from {} where {}").format(
                relation.identifier, condition
            )
            (row,) = self._session.rows(query.as_string(self._session.connection))
            found[relation.full_name] = int(row["found"])
        parts = self._session.rows(
            "select count(*) as found from pg_catalog.pg_class as c "
            "join pg_catalog.pg_namespace as n on n.oid = c.relnamespace "
            "where n.nspname = 'parts' and c.relkind = 'r' and c.relname ~ %s",
            [f"_f{firm_sk}$"],
        )
        return found | {"parts": int(parts[0]["found"]) if firm_sk is not None else 0}

    def _tables(self, relations: list[Relation]) -> list[Relation]:
        return [
            relation
            for relation in relations
            if relation.kind in ("r", "p")
            and relation.schema != "parts"
            and not set(NAMES_FIRM).isdisjoint(relation.columns)
        ]

    def _drop(self, relation: Relation, firm_sk: int | None) -> int:
        """Drop the firm's partition of a fact; how many rows it had."""
        part = sql.Identifier("parts", f"{relation.name}_f{firm_sk}")
        name = part.as_string(self._session.connection)
        (row,) = self._session.rows("select to_regclass(%s) is not null as is_there", [name])
        if not row["is_there"]:
            return 0
        counted = sql.SQL("select count(*) as found from {}").format(part)
        (row,) = self._session.rows(counted.as_string(self._session.connection))
        self._session.connection.execute(sql.SQL("drop table {}").format(part))
        return int(row["found"])

    def _incidents(self, firm_key: str) -> dict[str, int]:
        """Delete the firm's failures, the incidents of no other firm, and messages that name the firm."""
        connection = self._session.connection
        entries: list[Row] = connection.execute(
            "delete from control.incident_firms where firm_key = %s returning incident_id", [firm_key]
        ).fetchall()
        ids = sorted({row["incident_id"] for row in entries})
        alone = connection.execute(
            "delete from control.incidents where incident_id = any(%s) and not exists ("
            "select from control.incident_firms where incident_firms.incident_id = incidents.incident_id)",
            [ids],
        ).rowcount
        connection.execute("delete from control.incident_messages where incident_id = any(%s)", [ids])
        connection.execute(
            "update control.incidents set error = 'removed with its firm' "
            "where incident_id = any(%s) and position(%s in error) > 0",
            [ids, firm_key],
        )
        return {"control.incident_firms": len(entries), "control.incidents": alone}


def _order(relation: Relation) -> tuple[int, str]:
    """Facts, then what facts refer to, then the firm."""
    place = 2 if relation.name == "dim_firm" else 1 if relation.name.startswith("dim_") else 0
    return place, relation.full_name
