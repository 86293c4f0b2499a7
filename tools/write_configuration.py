"""Write docs/configuration.md and docs/firm.schema.json: ``python -m tools.write_configuration``.

The page lists every environment variable that the code reads, every variable of docker-compose.yaml, and
every field of a firm with its type, default, limits and readers. A test writes both again and compares.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from include import sql_text
from include.modules import ROWS
from include.run.context import QUERY_SETTINGS
from tools.firm_fields import FIELDS
from tools.firm_schema import fields, firm_schema

PROJECT = Path(__file__).resolve().parent.parent
PAGE = PROJECT / "docs" / "configuration.md"
SCHEMA = PROJECT / "docs" / "firm.schema.json"
FOLDERS = ("include", "dags", "plugins")
DESCRIBED_IN = ("include/settings.py", "include/stack/__init__.py")  # docstrings with tables of variables
VARIABLE = re.compile(r"(AIRFLOW_CONN_)?FIRMAMENT_[A-Z0-9_]+")
ROW = re.compile(r"^\| ``(\w+)`` \| (.+?) \| (.+?) \|$", re.M)
WORDS = {"string": "text", "boolean": "true or false", "object": "mapping"}
NOT_READERS = {"include/firms.py", "include/modules.py", "include/firms_table.py"}  # they hold all fields
HEAD = """\
# Configuration

Written by `python -m tools.write_configuration` from the code. Do not edit this page: change
`include/settings.py`, `include/firms.py` or `tools/firm_fields.py`, and run the command again.

An installation is configured by environment variables. A firm is configured by one row of `control.firms`,
which `python -m include firms add --file FIRM.yaml` writes. [`firm.schema.json`](firm.schema.json) is the
JSON schema of that file; [`examples/firms/`](../examples/firms) has a file for each kind of source and of
shop. Passwords are in neither: they are in Airflow connections, which a firm's row names by id.

## Environment variables

| variable | meaning | when it is not set | read by (in `include/`, or `plugins`) |
| --- | --- | --- | --- |
"""
COMPOSE_HEAD = """
## Variables of docker-compose.yaml

Put them into a file `.env` beside it. Those without a default must be set.

| variable | default | used for |
| --- | --- | --- |
"""
FIRM_HEAD = """
## A firm

"Required" means that the file must give it. A field that is left out takes its default, also when a firm is
changed: the file is the whole row. "Read by" names the parts of `include/` that use the field (found by its
name in the code), and the models that are trained again when it changes.

| field | meaning | type and limits | default | read by |
| --- | --- | --- | --- | --- |
"""


def main() -> None:
    """Write both files."""
    PAGE.write_text(page(), encoding="utf-8")
    SCHEMA.write_text(schema_text(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(PROJECT)} and {SCHEMA.relative_to(PROJECT)}")


def schema_text() -> str:
    """The JSON schema as it is written."""
    return json.dumps(firm_schema(), indent=2, ensure_ascii=False) + "\n"


def page() -> str:
    """The page as it is written."""
    return "".join(
        (
            HEAD,
            *(_line(row) for row in _variable_rows()),
            COMPOSE_HEAD,
            *(_line(row) for row in _compose_rows()),
            FIRM_HEAD,
            *(_line(row) for row in _field_rows()),
        )
    )


def documented() -> dict[str, tuple[str, str]]:
    """Each environment variable with its meaning and its default, from the tables in docstrings."""
    found = {}
    for name in DESCRIBED_IN:
        text = ast.get_docstring(ast.parse((PROJECT / name).read_text(encoding="utf-8"))) or ""
        for variable, meaning, default in ROW.findall(text):
            if variable in found:
                raise SystemExit(f"{name}: {variable} is described twice; keep one row")
            found[variable] = (meaning.replace("``", "`"), default.replace("``", "`"))
    return found


def read_variables() -> dict[str, set[str]]:
    """Each environment variable that the code names as a text of its own, and the files that do.

    A name that ends in ``_`` is a prefix, which the code completes.
    """
    found: dict[str, set[str]] = {}
    for path, tree in _trees():
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            if VARIABLE.fullmatch(text):
                found.setdefault(text, set()).add(path)
    return found


def readers() -> dict[str, list[str]]:
    """The parts of the code that read each field of a firm, by its dotted name."""
    found: dict[str, set[str]] = {name: set() for name in FIELDS}
    for path, tree in _trees():
        if path in NOT_READERS:
            continue
        chains = {tuple(chain) for node in ast.walk(tree) if (chain := _chain(node))}
        attributes = {name for chain in chains for name in chain[1:]}
        pairs = {pair for chain in chains for pair in pairwise(chain)}
        of_firm = {field for holder, field in pairs if holder.lstrip("_") in ("firm", "shape")}
        for name in FIELDS:
            *groups, field = name.replace(".schema", ".db_schema").split(".")
            is_read = field in of_firm if not groups else (groups[-1], field) in pairs
            # A group may have another name where it is used: ``place = firm.publish``.
            if is_read or (groups and groups[0] in of_firm and field in attributes):
                found[name].add(_part(path))
    for name in QUERY_SETTINGS.values():
        found[name].add("sql/query")
    of_firm_row = re.findall(r"firms\.(\w+) -> '(\w+)'", sql_text.read("load", "dim_firm"))
    for group, field in of_firm_row:
        found[f"{group}.{field}"].add("sql/load")
    return {name: sorted(parts) for name, parts in found.items()}


def _variable_rows() -> Iterator[tuple[str, ...]]:
    read = read_variables()
    for name, (meaning, default) in sorted(documented().items()):
        files = {
            path
            for known, paths in read.items()
            for path in paths
            if known == name or (known.endswith("_") and name.startswith(known))
        }
        parts = sorted({_part(path) for path in files})
        yield f"`{name}`", meaning, default, ", ".join(f"`{part}`" for part in parts)


def compose_variables() -> dict[str, tuple[str | None, list[str]]]:
    """Each variable of docker-compose.yaml: its default (None: required) and the settings that use it."""
    found: dict[str, tuple[str | None, list[str]]] = {}
    for line in (PROJECT / "docker-compose.yaml").read_text(encoding="utf-8").splitlines():
        for name, rest in re.findall(r"\$\{(FIRMAMENT_\w+)(:[?-][^}]*)\}", line):
            default, used = found.setdefault(name, (rest[2:] if rest.startswith(":-") else None, []))
            key = re.match(r"\s*([A-Z]\w+):", line)
            used.append(f"`{key[1]}`" if key else "a published port" if default else "the S3 server's key")
    return found


def _compose_rows() -> Iterator[tuple[str, ...]]:
    for name, (default, used) in sorted(compose_variables().items()):
        shown = "required" if default is None else f"`{default}`"
        yield f"`{name}`", shown, ", ".join(dict.fromkeys(used))


def _field_rows() -> Iterator[tuple[str, ...]]:
    schema = firm_schema()
    firm = {**schema["$defs"]["Firm"], "$defs": schema["$defs"]}
    read, trained = readers(), trained_on()
    required = set(_required(firm, schema["$defs"], ""))
    for name, field in fields(firm):
        readers_text = ", ".join([*(f"`{part}`" for part in read[name]), *trained.get(name, [])])
        default = "required" if name in required else _default(field)
        yield f"`{name}`", FIELDS[name], _type(field), default, readers_text


def trained_on() -> dict[str, list[str]]:
    """The models that are trained again when a field changes, from ``include/modules.py``."""
    found: dict[str, list[str]] = {}
    for module in ROWS:
        if module.training is None:
            continue
        for name in (*module.training.rows_settings, *module.training.fit_settings):
            found.setdefault(name, []).append(f"trains {module.name} again")
    return found


def _required(part: dict[str, Any], parts: dict[str, Any], prefix: str) -> Iterator[str]:
    for name in part.get("required", []):
        yield f"{prefix}{name}"
    for name, field in part["properties"].items():
        for option in (field, field.get("items", {}), *field.get("anyOf", [])):
            if "$ref" in option:
                yield from _required(parts[option["$ref"].rpartition("/")[2]], parts, f"{prefix}{name}.")


def _type(field: dict[str, Any]) -> str:
    """A field's type and limits in words."""
    if "anyOf" in field:
        options = [_type(option) for option in field["anyOf"] if option.get("type") != "null"]
        return ", ".join([" or ".join(options), *_limits(field)])
    if "$ref" in field:
        return "a group of fields"
    if "enum" in field:
        return "one of " + ", ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    if field.get("type") == "array":
        if "prefixItems" in field:
            return f"{len(field['prefixItems'])} numbers"
        return f"list: {_type(field['items'])}"
    return ", ".join([WORDS.get(field["type"], field["type"]), *_limits(field)])


def _limits(field: dict[str, Any]) -> Iterator[str]:
    for key, words in (
        ("minimum", "at least {}"), ("exclusiveMinimum", "above {}"), ("maximum", "at most {}"),
        ("exclusiveMaximum", "below {}"), ("minLength", "at least {} characters"),
        ("maxLength", "at most {} characters"), ("pattern", "pattern `{}`"),
    ):  # fmt: skip
        if key in field:
            limit = field[key]
            yield words.format(f"{limit:,.0f}" if isinstance(limit, float) and limit > 1 else limit)


def _default(field: dict[str, Any]) -> str:
    value = field.get("default")
    if isinstance(value, dict):
        return "as below"
    return "empty" if value in (None, [], {}) else f"`{json.dumps(value)}`"


def _trees() -> Iterator[tuple[str, ast.Module]]:
    for folder in FOLDERS:
        for path in sorted((PROJECT / folder).rglob("*.py")):
            yield str(path.relative_to(PROJECT)), ast.parse(path.read_text(encoding="utf-8"))


def _chain(node: ast.AST) -> list[str]:
    """``self.firm.rfm.window_days`` as its names; empty for what is no name."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "getattr":
        holder, name = _chain(node.args[0]), node.args[1]
        return [*holder, str(name.value)] if holder and isinstance(name, ast.Constant) else []
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not names:
        return []
    return [*([node.id] if isinstance(node, ast.Name) else []), *reversed(names)]


def _part(path: str) -> str:
    """The package or module that a file belongs to: ``models/churn``, ``run``, ``schedule``."""
    folder, *rest = Path(path).with_suffix("").parts
    if folder != "include":
        return folder
    return "/".join(rest[:2]) if rest[0] == "models" else rest[0]


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


if __name__ == "__main__":
    main()
