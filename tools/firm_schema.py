"""The JSON schema of a firm's file, made of the pydantic model and of the texts in ``tools/firm_fields.py``.

Editors complete and check a YAML file by it. ``python -m include firms add`` checks more: what one field
says of another, such as "give either conn_id or uri".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from include.firms import NAME, PUBLISHED, Firm
from include.modules import NAMES
from include.sources import SOURCES
from include.sources.layouts import LAYOUTS, platform_names
from tools.firm_fields import FIELDS

CHOICES = {  # checked by code, so pydantic's own schema does not list them
    "source.kind": tuple(SOURCES),
    "source.layout": (*LAYOUTS, "mapped", "auto", *platform_names()),
    "modules": NAMES,
    "publish.tables": PUBLISHED,
}
LIMITS = {
    "ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum",
}  # fmt: skip
IDENTIFIERS = (
    "firm_key", "source.conn_id", "source.schema", "alerts.webhook", "alerts.slack", "alerts.smtp",
    "actions.rules.action_code", "actions.rules.segments", "publish.conn_id", "publish.schema",
    "publish.webhook",
)  # fmt: skip


def firm_schema() -> dict[str, Any]:
    """The schema: one firm, or a list of them, as ``firms add --file`` takes it."""
    schema = Firm.model_json_schema()
    _name_limits(schema)
    for name, field in fields(schema):
        if name not in FIELDS:
            raise SystemExit(f"the field {name} of a firm has no meaning; write one in tools/firm_fields.py")
        field["description"] = FIELDS[name]
        field.pop("title", None)
        text = next(_texts(field), None)
        if text is not None and name in CHOICES:
            text["enum"] = list(CHOICES[name])
        if text is not None and name in IDENTIFIERS:
            text["pattern"] = f"^{NAME.pattern}$"
    definitions = {name: _plain(part) for name, part in schema.pop("$defs").items()}
    firm = _plain(schema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Firms of Firmament",
        "description": "One firm, or a list of firms: python -m include firms add --file FIRM.yaml",
        "anyOf": [{"$ref": "#/$defs/Firm"}, {"type": "array", "items": {"$ref": "#/$defs/Firm"}}],
        "$defs": {"Firm": firm, **definitions},
    }


def fields(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field of a firm, by its dotted name as the YAML file writes it."""
    yield from _fields(schema, schema["$defs"], "")


def _fields(part: dict[str, Any], parts: dict[str, Any], prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, field in part["properties"].items():
        yield f"{prefix}{name}", field
        for reference in _references(field):
            yield from _fields(parts[reference], parts, f"{prefix}{name}.")


def _references(field: dict[str, Any]) -> Iterator[str]:
    for option in (field, *field.get("anyOf", [])):
        for part in (option, option.get("items", {})):
            if "$ref" in part:
                yield part["$ref"].rpartition("/")[2]


def _texts(field: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The parts of a field's schema that describe a text."""
    for option in (field, field.get("items", {}), *field.get("anyOf", [])):
        if option.get("type") == "string":
            yield option


def _name_limits(node: Any) -> None:
    """Give limits the schema's names: pydantic leaves its own on a number that may be null."""
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _name_limits(part)
    if isinstance(node, dict) and node.get("type") == "number":
        for ours, name in LIMITS.items():
            if ours in node:
                node[name] = node.pop(ours)


def _plain(part: dict[str, Any]) -> dict[str, Any]:
    """A model's schema without what pydantic says of its class."""
    return {name: value for name, value in part.items() if name not in ("title", "description")}
