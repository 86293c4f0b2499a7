"""No class of the package grows into one that does everything."""

import ast
from pathlib import Path

import pytest

from include.handoff.folder import FileStore
from include.handoff.s3 import S3Store
from include.handoff.store_calls import Store
from include.run.in_memory_records import InMemoryRecords, NoWarehouse
from include.run.records import Loader, Records
from include.warehouse.loading import FactLoader
from include.warehouse.records import StepRecords

PROJECT = Path(__file__).parent.parent
MOST_METHODS = 12


def classes() -> dict[tuple[str, str], tuple[ast.ClassDef, dict[str, tuple[str, str]]]]:
    """Every class by module and name, with the names that its module defines or imports."""
    found = {}
    for path in sorted((PROJECT / "include").rglob("*.py")):
        module = ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")
        tree = ast.parse(path.read_text())
        names = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                names |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
            elif isinstance(node, ast.ClassDef):
                names[node.name] = (module, node.name)
        found |= {
            (module, node.name): (node, names) for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
        }
    return found


CLASSES = classes()


def public_methods(key: tuple[str, str]) -> set[str]:
    """A class's public methods and properties, those of its bases in the package included."""
    node, names = CLASSES[key]
    found = {
        item.name
        for item in node.body
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and not item.name.startswith("_")
    }
    for base in node.bases:
        target = names.get(base.id) if isinstance(base, ast.Name) else None
        if target in CLASSES and target != key:
            found |= public_methods(target)
    return found


@pytest.mark.parametrize("key", sorted(CLASSES), ids=".".join)
def test_no_class_has_more_than_twelve_public_methods(key):
    methods = public_methods(key)

    assert len(methods) <= MOST_METHODS, f"{key}: {sorted(methods)}; split it into objects by subject"


def test_inherited_methods_count():
    methods = public_methods(("include.publishing.webhook", "Changes"))

    assert {"rows", "transaction", "due"} <= methods


@pytest.mark.parametrize(
    ("protocol", "implementations"),
    [
        (Store, [FileStore, S3Store]),
        (Records, [StepRecords, InMemoryRecords]),
        (Loader, [FactLoader, NoWarehouse]),
    ],
)
def test_a_protocol_names_what_its_implementations_have(protocol, implementations):
    methods = {name for name in vars(protocol) if not name.startswith("_") and callable(vars(protocol)[name])}

    assert methods
    for implementation in implementations:
        assert [name for name in sorted(methods) if not hasattr(implementation, name)] == []
