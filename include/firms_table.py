"""Import firms from an external table: one row of FIRMS becomes one row of ``control.firms``.

The table is read completely from an Oracle or Postgres connection. Its values replace those of the firm's
row; other fields (owner, alerts, RFM settings, ...) stay. An invalid row is refused with a reason and does
not affect the others. Nothing is removed: a firm missing from the table is reported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

import psycopg
from psycopg import sql

from include.firms import MODULES, NAME, Firm, FirmError, parse_firm
from include.modules import NAMES as EVERY_MODULE

REQUIRED = ("firm_id", "schema_name", "is_active", "working_day_period", "churn_threshold")
NAMES = ("firm_name", "name")
OVERRIDES = ("timezone", "currency", "language")  # optional in the table, required in a firm's row
FLAG = re.compile(r"(?:is_|has_|run_|use_)?(?P<module>[a-z]+?)(?:_enabled|_active|_module|_flag)?")
ALIASES = {"clv": "ltv"}
YES, NO = {"1", "y", "yes", "t", "true"}, {"0", "n", "no", "f", "false"}
ACTOR = "firms import"


class FirmsTableError(RuntimeError):
    """The table cannot be read; the message says what is missing and where."""


class FirmStore(Protocol):
    """The store of firms: ``firms`` of ``include.warehouse.Warehouse``."""

    def firm_rows(self, include_removed: bool = False) -> list[dict[str, Any]]:
        """The firms' rows."""

    def save_firm(self, firm: Firm, actor: str) -> None:
        """Add or change one firm."""


@dataclass
class Imported:
    """Result of an import, by firm key; ``refused`` has the reasons."""

    saved: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)  # imported earlier, and no longer in the table


def import_firms(
    registry: FirmStore,
    connection_uri: Callable[[str], str],
    conn_id: str,
    *,
    timezone: str,
    currency: str,
    schema: str | None = None,
    connect: Callable[[str], Any] | None = None,
    check: Callable[[Firm], None] = lambda firm: None,
) -> Imported:
    """Save the firms of a FIRMS table; the same Airflow connection becomes each firm's source.

    ``timezone`` and ``currency`` are defaults for tables without these columns. ``connect`` opens an Oracle
    connection by its id (default: Airflow's hook). ``check`` raises FirmError for a firm that must not be
    saved; unchanged firms are not checked.
    """
    kind = connection_uri(conn_id).partition("://")[0].partition("+")[0]
    if kind == "postgresql":
        rows = _rows_in_postgres(connection_uri(conn_id), conn_id, schema or "public")
    elif kind == "oracle":
        rows = _rows_in_oracle(connection_uri, conn_id, schema, connect)
    else:
        raise FirmsTableError(f"connection {conn_id} is of type {kind!r}; it must be oracle or postgresql")
    defaults = {"timezone": timezone, "currency": currency}
    source = {"kind": "postgres" if kind == "postgresql" else kind, "conn_id": conn_id}
    return save_rows(registry, rows, source=source, defaults=defaults, check=check)


def save_rows(
    registry: FirmStore,
    rows: Iterable[Mapping[str, object]],
    *,
    source: Mapping[str, object],
    defaults: Mapping[str, str],
    check: Callable[[Firm], None] = lambda firm: None,
) -> Imported:
    """Save each row that changes a firm; refuse a key that occurs twice."""
    known = {row["firm_key"]: row for row in registry.firm_rows()}
    done, seen = Imported(), set()
    for number, row in enumerate(rows, start=1):
        label = f"row {number}"
        try:
            label = _key(row)
            if label in seen:
                raise FirmError(f"firm {label}: FIRM_ID occurs more than once in the table; keep one row")
            seen.add(label)
            now = known.get(label, {})
            firm = parse_firm(_merged(row, label, now, source, defaults))
            if now and _plain(firm) == _plain_row(now):
                done.unchanged.append(label)
                continue
            check(firm)
        except FirmError as error:
            done.refused[label] = str(error)
            continue
        registry.save_firm(firm, ACTOR)
        done.saved.append(label)
    done.gone = sorted(
        key
        for key, row in known.items()
        if key not in seen and key.startswith("firm_") and row["source"].get("conn_id") == source["conn_id"]
    )
    return done


def _merged(
    row: Mapping[str, object],
    key: str,
    now: Mapping[str, Any],
    source: Mapping[str, object],
    defaults: Mapping[str, str],
) -> dict[str, object]:
    """A firm's row for ``parse_firm``: the table's values over the existing ones."""
    given = {name: row[name] for name in OVERRIDES if row.get(name) not in (None, "")}
    name = next((row[column] for column in NAMES if row.get(column) not in (None, "")), None)
    from_table = {
        "firm_key": key,
        "name": name or now.get("name") or key,
        "source": {**now.get("source", {}), **source, "schema": _schema(row, key)},
        "working_day_period": _whole(row, key, "working_day_period"),
        "churn_threshold_days": _whole(row, key, "churn_threshold"),
        "is_paused": not _yes(row, key, "is_active"),
    }
    flags = {module: column for column in row if (module := _module(column))}
    if flags:
        before = now.get("modules", MODULES)  # a module without a flag stays as it is
        from_table["modules"] = tuple(
            module
            for module in EVERY_MODULE
            if (_yes(row, key, flags[module]) if module in flags else module in before)
        )
    return {**defaults, **now, **given, **from_table}


def _key(row: Mapping[str, object]) -> str:
    """``firm_<FIRM_ID>``; the prefix avoids clashes with keys of other firms."""
    text = _text(row.get("firm_id")).lower()
    if not NAME.fullmatch(f"firm_{text}") or not text:
        raise FirmError(f"FIRM_ID {text!r} must be letters, digits and underscores, at most 58")
    return f"firm_{text}"


def _schema(row: Mapping[str, object], key: str) -> str:
    text = _text(row.get("schema_name")).lower()
    if not NAME.fullmatch(text):
        raise FirmError(
            f"firm {key}: SCHEMA_NAME {row.get('schema_name')!r} must be letters, digits and underscores, "
            "starting with a letter"
        )
    return text


def _whole(row: Mapping[str, object], key: str, column: str) -> int:
    """A required whole number; a missing value is an error, not 0."""
    value = row.get(column)
    try:
        number = Decimal(_text(value))
        if number == number.to_integral_value():
            return int(number)
    except InvalidOperation:
        pass
    raise FirmError(f"firm {key}: {column.upper()} {value!r} must be a whole number")


def _yes(row: Mapping[str, object], key: str, column: str) -> bool:
    text = _text(row.get(column)).lower()
    if text in YES | NO:
        return text in YES
    raise FirmError(f"firm {key}: {column.upper()} {row.get(column)!r} must be 1 or 0, Y or N")


def _text(value: object) -> str:
    """A value as text; Oracle's NUMBER 7 may arrive as 7.0."""
    text = "" if value is None else str(value).strip()
    return text[:-2] if re.fullmatch(r"\d+\.0", text) else text


def _module(column: str) -> str | None:
    """The module of a flag column, such as ``rfm`` for RFM, IS_RFM or RFM_ENABLED."""
    if match := FLAG.fullmatch(column):
        module = ALIASES.get(match["module"], match["module"])
        return module if module in EVERY_MODULE else None
    return None


def _plain(firm: Firm) -> dict[str, Any]:
    return firm.model_dump(mode="json", by_alias=True, exclude_none=True)


def _plain_row(row: Mapping[str, Any]) -> dict[str, Any] | None:
    try:
        return _plain(parse_firm(dict(row)))
    except FirmError:
        return None  # the existing row is invalid, so the import replaces it


def _rows_in_postgres(uri: str, conn_id: str, schema: str) -> list[dict[str, object]]:
    try:
        with psycopg.connect(uri, connect_timeout=15) as connection:
            cursor = connection.execute(sql.SQL("select * from {}").format(sql.Identifier(schema, "firms")))
            return _dicts(cursor, f"connection {conn_id}, schema {schema!r}")
    except psycopg.Error as error:
        message = " ".join(str(error).split())
        raise FirmsTableError(f"connection {conn_id}, table {schema}.firms: {message}") from None


def _rows_in_oracle(
    connection_uri: Callable[[str], str],
    conn_id: str,
    schema: str | None,
    connect: Callable[[str], Any] | None,
) -> list[dict[str, object]]:
    import oracledb  # slow to import, and needed only for Oracle

    from include.sources.oracle import connect_with_hook

    where = f"connection {conn_id}, schema {(schema or 'of the login').upper()}"
    try:
        connection = connect(conn_id) if connect else connect_with_hook(conn_id, connection_uri)
        try:
            if schema:
                if not NAME.fullmatch(schema):
                    raise FirmsTableError(f"schema {schema!r} must be letters, digits and underscores")
                connection.current_schema = schema.upper()
            with connection.cursor() as cursor:
                cursor.execute("select * from firms")
                return _dicts(cursor, where)
        finally:
            connection.close()
    except oracledb.Error as error:
        raise FirmsTableError(f"{where}, table FIRMS: {' '.join(str(error).split())}") from None


def _dicts(cursor: Any, where: str) -> list[dict[str, object]]:
    columns = [column[0].lower() for column in cursor.description]
    if missing := [name.upper() for name in REQUIRED if name not in columns]:
        raise FirmsTableError(f"{where}: FIRMS has no columns {missing}; see docs/sources.md, 'firms'")
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
