"""Parquet, JSON and JSON lines as tables of text. Numbers keep a decimal point, times ISO 8601."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.bounded_duckdb import open_database
from include.data_files.expansion import check_expansion, check_footer
from include.data_files.folder import File
from include.intake.answer import Refused
from include.intake.tables import Builder, Table
from include.source_errors import SourceError

MAX_JSON = 1 << 30
LISTS = ("orders", "data", "items", "results", "records", "rows", "value", "transactions")
HELD = ("lines", "line_items", "items", "order_lines", "products")
ORDERS_OF_CUSTOMER = ("orders", "purchases", "invoices", "transactions")
PANDAS_INDEX = "__index_level_"


def read_parquet(path: Path, scratch: Path) -> list[Table]:
    """The table of a parquet file, after a check against decompression bombs."""
    file = File(path, path.stat().st_size, 0)
    try:
        check_footer(file)
        names = pq.read_schema(path).names
        with open_database(spill=scratch, threads=2, files=[path]) as database:
            check_expansion(database.read_parquet(str(path)), names, file)
        table = pq.read_table(path)
    except SourceError as error:
        raise Refused("expands_too_much", str(error), "Write the file again as plain csv") from error
    except (pa.ArrowException, duckdb.Error, OSError) as error:
        raise Refused(
            "damaged_file",
            f"{path.name} is not a readable parquet file: {_first_line(error)}",
            "Export it again",
        ) from error
    header = tuple(name for name in table.column_names if not name.startswith(PANDAS_INDEX))
    columns = [text_of(table.column(name).combine_chunks()) for name in header]
    typed = frozenset(i for i, name in enumerate(header) if not _is_text(table.schema.field(name).type))
    return [Table(path.name, header, columns, typed)]


def text_of(column: pa.Array) -> pa.Array:
    """A typed column as text: whole floats as whole numbers, instants with their offset."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return text_of(column.dictionary_decode())
    if pa.types.is_floating(kind):
        column = column.cast(pa.float64())
        finite = pc.and_(pc.is_finite(column), pc.less(pc.abs(column), 9e15))
        whole = pc.and_(finite, pc.equal(column, pc.floor(pc.if_else(finite, column, None))))
        ints = pc.if_else(whole, column, None).cast(pa.int64()).cast(pa.string())
        texts = pc.if_else(pc.is_nan(column), None, column).cast(pa.string())
        return pc.coalesce(ints, texts)
    if pa.types.is_timestamp(kind):
        if kind.tz:
            utc = column.cast(pa.timestamp("us", "UTC"), safe=False)
            return pc.binary_join_element_wise(
                pc.strftime(utc, "%Y-%m-%d %H:%M:%S"), pa.scalar("+00:00"), pa.scalar("")
            ).cast(pa.string())
        return pc.strftime(column.cast(pa.timestamp("us"), safe=False), "%Y-%m-%d %H:%M:%S").cast(pa.string())
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or pa.types.is_binary(kind):
        return column.cast(pa.string())
    return column.cast(pa.string())


def _is_text(kind: pa.DataType) -> bool:
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(
        pa.types.is_string(inner) or pa.types.is_large_string(inner) or pa.types.is_string_view(inner)
    )


def read_json(path: Path) -> list[Table]:
    """The records of a JSON file: a list, an object that contains one, or one object per line."""
    if path.stat().st_size > MAX_JSON:
        raise Refused("too_large", f"{path.name} is larger than 1 GB", "Export it as csv or parquet")
    try:
        text = _decoded(path.read_bytes())
        try:
            records = _list_of(_by_row(json.loads(text)))
        except json.JSONDecodeError:
            records = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise Refused(
            "damaged_file", f"{path.name} is no valid JSON: {_first_line(error)}", "Export it again"
        ) from error
    if not records:
        raise Refused("no_rows", f"{path.name} has no records", "Export a period with sales")
    rows = [flat for record in records if isinstance(record, dict) for flat in _lines_of(record)]
    if not rows:
        raise Refused("no_rows", f"{path.name} has no list of objects", "Export one object per order or line")
    header = tuple(dict.fromkeys(key for row in rows for key in row))
    builder = Builder(len(header))
    builder.extend([_text(row.get(name)) for name in header] for row in rows)
    typed = frozenset(
        i for i, name in enumerate(header) if not any(isinstance(row.get(name), str) for row in rows)
    )
    return [Table(path.name, header, builder.columns(), typed)]


def _decoded(data: bytes) -> str:
    """The text of JSON in UTF-8, UTF-16 or UTF-32 (RFC 4627), else in cp1252."""
    try:
        return data.decode(json.detect_encoding(data)).removeprefix("\ufeff")
    except UnicodeDecodeError:
        return data.decode("cp1252")


def _by_row(found: Any) -> Any:
    """Objects of tables that JSON holds by column, or as lists: the forms that pandas writes."""
    if isinstance(found, list) and len(found) > 1 and all(isinstance(row, list) for row in found):
        first, *others = found
        return _named(first, others) if all(isinstance(name, str) for name in first) else found
    if not isinstance(found, dict):
        return found
    for names, rows in (("columns", "data"), ("columns", "rows"), ("header", "rows"), ("fields", "rows")):
        if isinstance(found.get(names), list) and isinstance(found.get(rows), list):
            named = [name.get("name") if isinstance(name, dict) else name for name in found[names]]
            if found[rows] and all(isinstance(row, list) for row in found[rows]):
                return _named(named, found[rows])
    columns = list(found.values())
    sizes = {len(column) for column in columns if isinstance(column, dict | list)}
    if len(columns) > 1 and len(sizes) == 1 and max(sizes) > 1:
        if all(isinstance(column, dict) and column.keys() == columns[0].keys() for column in columns):
            return _named(list(found), [[column[key] for column in columns] for key in columns[0]])
        if all(isinstance(c, list) and not any(isinstance(v, dict | list) for v in c) for c in columns):
            return _named(list(found), list(map(list, zip(*columns, strict=True))))
    return found


def _named(header: list[Any], rows: list[list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(map(str, header), row, strict=False)) for row in rows]


def _list_of(found: Any) -> list[Any]:
    if isinstance(found, list):
        return found
    if isinstance(found, dict):
        for name in (*LISTS, *found):
            if isinstance(inner := found.get(name), list) and inner and isinstance(inner[0], dict):
                # One order with its lines is itself a record.
                return [found] if name in HELD and len(found) > 2 else inner
        for inner in found.values():
            if isinstance(inner, dict) and (rows := _list_of(inner)) and rows != [inner]:
                return rows
        return [found]
    return []


def _lines_of(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A record's fields; one row per line if it has a list of lines, or per order of a customer."""
    for name in ORDERS_OF_CUSTOMER:
        orders = record.get(name)
        if isinstance(orders, list) and all(isinstance(order, dict) for order in orders):
            customer = {f"customer_{key}": value for key, value in record.items() if key != name}
            for order in orders:
                yield from _lines_of({**customer, **order})
            return
    for name in HELD:
        lines = record.get(name)
        if isinstance(lines, list) and lines and isinstance(lines[0], dict):
            head = dict(_flat({key: value for key, value in record.items() if key != name}))
            head |= _sums(record, name)
            for line in lines:
                yield {**head, **dict(_flat({f"line_{key}": value for key, value in line.items()}))}
            return
    yield dict(_flat(record))


def _sums(record: dict[str, Any], lines: str) -> dict[str, Any]:
    """The sum of the amounts of an order's refunds, which are a list: ``refunds_total``."""
    refunds = record.get("refunds")
    if lines == "refunds" or not isinstance(refunds, list):
        return {}
    amounts = [row.get("total") or row.get("amount") or 0 for row in refunds if isinstance(row, dict)]
    try:
        return {"refunds_total": str(sum((abs(Decimal(str(amount))) for amount in amounts), Decimal(0)))}
    except InvalidOperation:
        return {}


def _flat(record: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{key}_")
        elif not isinstance(value, list):
            yield f"{before}{key}", value


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 9e15:
        return str(int(value))
    return str(value)


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", 1)[0][:160]
