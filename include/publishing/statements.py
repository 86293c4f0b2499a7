"""SQL statements for a published table, with ``:name`` binds, valid in Postgres and Oracle.

Values are always binds. Table and column names come from ``tables.py``; the firm's schema is set in the
session and never written into a statement.
"""

from __future__ import annotations

from collections.abc import Iterable

from include.publishing.tables import LONG, Table


def create(table: Table, *, long_type: str) -> str:
    """Create the table with its primary key."""
    columns = "".join(
        f"    {name} {long_type if kind == LONG else kind}{' not null' if name in table.key else ''},\n"
        for name, kind in table.columns.items()
    )
    return f"create table {table.name} (\n{columns}    primary key ({', '.join(table.key)})\n)"


def lock(table: Table) -> str:
    """Lock the table for one writer; readers do not wait."""
    return f"lock table {table.name} in exclusive mode"


def published(ledger: Table) -> str:
    """Select a table's newest snapshot and the attempt that wrote this run's rows."""
    return (
        "select\n"
        "    max(run_date) as newest,\n"
        "    max(case when run_id = :run_id then attempt end) as attempt\n"
        f"from {ledger.name}\n"
        "where firm_id = :firm_id and table_name = :table_name"
    )


def insert(table: Table) -> str:
    """Insert one row."""
    return (
        f"insert into {table.name} ({', '.join(table.columns)})\n"
        f"values ({', '.join(f':{name}' for name in table.columns)})"
    )


def delete(table: Table, columns: Iterable[str]) -> str:
    """Delete the rows with these column values."""
    return f"delete from {table.name}\nwhere {' and '.join(f'{name} = :{name}' for name in columns)}"


def delete_earlier(table: Table) -> str:
    """Delete the firm's rows of other runs."""
    return f"delete from {table.name}\nwhere firm_id = :firm_id and run_id <> :run_id"


def merge(table: Table) -> str:
    """Insert one row, or update the row with its key. The casts give a null its type."""
    given = ",\n".join(
        f"        cast(:{name} as {kind.replace('400', '4000')}) as {name}"
        for name, kind in table.columns.items()
    )
    same = " and ".join(f"{table.name}.{name} = given.{name}" for name in table.key)
    rest = [name for name in table.columns if name not in table.key]
    return (
        f"merge into {table.name}\n"
        f"using (\n    select\n{given}\n    from dual\n) given\n"
        f"on ({same})\n"
        f"when matched then update set {', '.join(f'{name} = given.{name}' for name in rest)}\n"
        f"when not matched then insert ({', '.join(table.columns)})\n"
        f"values ({', '.join(f'given.{name}' for name in table.columns)})"
    )
