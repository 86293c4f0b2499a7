"""Every row of a firm, in a form that two firms which sell the same have in common."""

from __future__ import annotations

from pprint import pformat

import psycopg
from psycopg.rows import dict_row

# Books of attempts: what they hold depends on which ran, and when.
NOT_COMPARED = [
    "dim_firm", "firms", "attempts", "step_runs", "quality", "loads", "runs", "audit", "models",
    "model_parts", "customer_keys", "analytic_publications", "slices",
]  # fmt: skip
# Results of functions. Which days are stored depends on the order of loads; what is not stored is computed:
# tests/warehouse/test_summaries.py compares the two.
STORED_RESULTS = ["dim_summary", "summary_%"]
UNIQUE_TO_A_RUN = {
    "firm_sk", "firm_key", "firm_id", "run_id", "token", "attempt", "manifest_token", "manifest_sha256",
    "loader_sha256", "decided_at", "recorded_at", "measured_at", "loaded_at", "published_at", "scored_at",
}  # fmt: skip
NAMES = {
    "customer_sk": ("dim_customer", "customer_id"),
    "product_sk": ("dim_product", "product_id"),
    "segment_sk": ("dim_customer_segment", "segment_code"),
}


def everything(dsn: str, key: str) -> dict[str, list[str]]:
    """Every row of a firm that anybody can read, by business key, without what tells attempts apart."""
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        names = {
            (key, row["sk"]): row["name"]
            for key, (table, name) in NAMES.items()
            for row in connection.execute(f"select {key} as sk, {name} as name from analytics.{table}")
        }

        def named(column: str, value: object) -> object:
            """A surrogate key's business key; ``rfm_segment_sk`` is a ``segment_sk``."""
            return next((names.get((of, value), value) for of in NAMES if column.endswith(of)), value)

        def plain(row: dict[str, object]) -> str:
            return repr(sorted((c, named(c, value)) for c, value in row.items() if c not in UNIQUE_TO_A_RUN))

        tables = connection.execute(
            "select format('%%I.%%I', table_schema, table_name) as name, column_name as of "
            "from information_schema.columns join information_schema.tables using (table_schema, table_name) "
            "where table_type = 'BASE TABLE' and (table_schema, column_name) in "
            "(('analytics', 'firm_sk'), ('control', 'firm_key'), (%s, 'firm_id')) "
            "and table_name <> all(%s) and table_name not like all(%s) order by 1",
            [f"crm_{key}", NOT_COMPARED, STORED_RESULTS],
        ).fetchall()
        firm = connection.execute(
            "select firm_sk from analytics.dim_firm where firm_key = %s", [key]
        ).fetchone()
        ids = {"firm_sk": firm["firm_sk"] if firm else 0, "firm_key": key, "firm_id": key}
        return {
            table["name"].replace(f"crm_{key}", "crm"): sorted(
                plain(row)
                for row in connection.execute(
                    f"select * from {table['name']} where {table['of']} = %s", [ids[table["of"]]]
                )
                if row.get("module") != "publish"  # what publishing says is about the attempt, too
            )
            for table in tables
        }


def same(found: dict[str, list[str]], wanted: dict[str, list[str]]) -> None:
    """Assert that two firms have the same rows, and show those that only one of them has."""
    unlike = {
        name: [*(f"- {row}" for row in set(had) - set(has)), *(f"+ {row}" for row in set(has) - set(had))]
        for name in {*found, *wanted}
        if (has := found.get(name, [])) != (had := wanted.get(name, []))
    }
    assert not unlike, pformat(unlike, width=400)
