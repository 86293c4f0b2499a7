"""Imports run one way. This is the layering, as a table: who may import whom inside ``include``."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
# What every package may import: rows, days, slices, a firm.
VALUES = {"datasets", "periods", "slices", "firms", "row_checks"}

MAY_IMPORT = {
    "version": set(),
    "modules": set(),
    "datasets": set(),
    "periods": set(),
    "slices": {"periods"},
    "currency_codes": set(),
    "firm_source": {"row_checks"},
    "firm_actions": {"firm_source", "row_checks"},
    "firm_scores": {"row_checks"},
    "firms": {"firm_actions", "firm_scores", "firm_source", "modules", "row_checks", "shards"},
    "row_checks": set(),
    "faults": set(),
    "command_errors": {"erasure", "firms", "settings", "warehouse"},
    "firm_checks": {"firms", "models", "settings", "sources"},
    "processes": set(),
    "private_files": set(),
    "benchmarks": {"firms", "metrics", "models", "periods", "settings", "warehouse"},
    "metrics": {"sql_text"},
    "models": {"metrics"},
    "simulator": {"sql_text"},
    "airflow_api": set(),
    "airflow_version": set(),
    "service_accounts": {"airflow_api", "connections", "settings"},
    "pools": {"airflow_api", "firms", "service_accounts", "settings"},
    "facts": {"steps", "version"},
    "monitoring": {"incidents", "settings", "warehouse"},
    "run_notes": {"connections", "firms", "service_accounts", "settings", "steps", "warehouse"},
    "kinds": set(),
    "sql_text": set(),
    "pipeline": {"datasets", "kinds"},
    "steps": {"datasets", "pipeline"},
    "settings": {"processes"},
    "connections": {"settings"},
    "schedule": {"firms", "periods"},
    "registry": {"firms"},
    "shards": set(),
    "bounded_duckdb": {"settings"},
    "engines": {"datasets", "bounded_duckdb", "sql_text"},
    "quality": VALUES | {"bounded_duckdb"},
    "source_errors": {"firms"},
    "data_files": {"private_files", "source_errors"},
    "sources": VALUES
    | {"bounded_duckdb", "data_files", "intake", "private_files", "source_errors", "sql_text"},
    "firms_table": {"firms", "modules", "sources"},
    "intake": VALUES | {"bounded_duckdb", "data_files", "firm_source", "source_errors"},
    "handoff": {
        "datasets", "periods", "slices", "faults", "settings", "connections", "private_files", "version",
    },
    "warehouse": VALUES | {"faults", "sql_text"},
    "postgres": {"settings", "processes", "private_files"},
    "dictionary": {"datasets", "models"},
    "training": {"datasets", "engines", "models", "sql_text"},
    "refused_logins": set(),
    "runbook": {"firms", "schedule", "steps"},
    "deadlines": {"firms", "incidents", "registry", "schedule", "settings", "steps", "warehouse"},
    "watcher": {
        "airflow_api", "command_errors", "connections", "deadlines", "firms", "incidents", "periods",
        "private_files", "registry", "service_accounts", "settings", "warehouse", "pools",
    },
    "reruns": {
        "airflow_api", "firms", "incidents", "run", "service_accounts", "settings", "warehouse",
    },
    "backfill_runs": {"backfill", "firms", "periods", "run", "schedule", "settings", "warehouse"},
    "backfill": {"firms", "schedule", "steps", "version", "warehouse"},
    "incidents": {
        "connections", "firms", "private_files", "refused_logins", "registry", "run_notes", "schedule",
        "settings", "steps", "warehouse",
    },
    "publishing": {"connections", "faults", "firms", "settings", "sources", "warehouse", "sql_text"},
    "erasure": VALUES
    | {
        "connections", "private_files", "faults", "handoff", "publishing", "registry", "settings",
        "warehouse",
    },
    "report": VALUES
    | {
        "private_files", "settings", "engines", "handoff", "metrics", "models", "modules", "sql_text",
        "version",
    },
    "overview": {
        "datasets", "intake", "metrics", "models", "private_files", "report", "settings", "spreadsheet_text",
        "version",
    },
    "spreadsheet_text": set(),
    "doctor": VALUES
    | {
        "connections", "handoff", "incidents", "pools", "registry", "service_accounts", "settings", "sources",
        "warehouse", "watcher",
    },
    "stack": {
        "airflow_version", "command_errors", "connections", "private_files", "postgres", "processes",
        "service_accounts",
        "settings", "warehouse",
    },
    "run": VALUES
    | {
        "connections", "private_files",
        "engines", "faults", "handoff", "intake", "models", "modules", "publishing", "quality", "schedule",
        "refused_logins", "settings", "sources", "sql_text", "steps", "training", "version", "warehouse",
    },
    "retention": {"datasets", "handoff", "settings", "slices", "steps", "warehouse"},
    "upkeep": {
        "deadlines", "handoff", "incidents", "pools", "registry", "run", "settings", "warehouse", "watcher",
        "retention",
    },
    "console": {
        "connections", "incidents", "metrics", "modules", "periods", "schedule", "settings", "shards",
        "spreadsheet_text", "sql_text", "version", "warehouse",
    },
    "demo": {
        "airflow_api", "command_errors", "firms", "pools", "postgres", "private_files", "registry",
        "settings", "simulator", "stack", "warehouse",
    },
    "cli": VALUES
    | {
        "command_errors", "connections", "currency_codes", "private_files",
        "airflow_api", "backfill", "backfill_runs", "data_files", "doctor", "engines", "erasure",
        "firm_checks", "firms_table", "handoff", "incidents", "intake", "modules", "overview", "pools",
        "quality", "registry", "report", "reruns", "retention", "run", "runbook",
        "schedule", "service_accounts", "settings", "source_errors", "sources", "steps", "version",
        "warehouse",
    },
    "__init__": {"version"},
    "__main__": {"cli", "command_errors"},
}  # fmt: skip


def modules():
    return sorted((PROJECT / "include").rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(PROJECT / "include").parts[0].removesuffix(".py")


def imported(path: Path, *, module_level: bool) -> set[str]:
    tree = ast.parse(path.read_text())
    nodes = tree.body if module_level else ast.walk(tree)
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return names


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PROJECT)))
def test_imports_run_one_way(path):
    here = room(path)
    ours = {name.split(".")[1] for name in imported(path, module_level=False) if name.startswith("include.")}

    assert ours - {here} <= MAY_IMPORT[here], f"include/{here} may import {sorted(MAY_IMPORT[here])} alone"


def test_every_package_has_a_rule_and_every_rule_a_package():
    there = {room(path) for path in modules()}

    assert sorted(there - set(MAY_IMPORT)) == [], "these have no rule in MAY_IMPORT: add one"
    assert sorted(set(MAY_IMPORT) - there) == [], "these rules are of packages that do not exist"
    named = set().union(*MAY_IMPORT.values())
    assert sorted(named - there) == [], "rules let packages import these, which do not exist"


def test_no_two_packages_may_import_each_other():
    order = TopologicalSorter({name: sorted(imports) for name, imports in MAY_IMPORT.items()})

    assert len(list(order.static_order())) == len(MAY_IMPORT)


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PROJECT)))
def test_only_dags_and_plugins_import_airflow_at_module_level(path):
    assert not {name for name in imported(path, module_level=True) if name.split(".")[0] == "airflow"}


def measuring():
    return [
        path for folder in ("bench", "tools", "trust") for path in sorted((PROJECT / folder).rglob("*.py"))
    ]


@pytest.mark.parametrize("path", measuring(), ids=lambda p: str(p.relative_to(PROJECT)))
def test_nothing_that_measures_reaches_into_the_tests(path):
    assert "tests" not in {name.split(".")[0] for name in imported(path, module_level=False)}


def test_no_module_has_a_name_that_says_nothing():
    names = {path.stem for path in modules()}

    assert not names & {"utils", "util", "helpers", "helper", "base", "common", "misc"}


def test_no_dag_or_plugin_hides_a_standard_module():
    import sys

    names = {path.stem for folder in ("dags", "plugins") for path in (PROJECT / folder).glob("*.py")}

    assert not names & set(sys.stdlib_module_names)


def models():
    return [path for path in modules() if room(path) == "models"]


@pytest.mark.parametrize("path", models(), ids=lambda p: str(p.relative_to(PROJECT)))
def test_no_model_reads_a_clock_or_a_file(path):
    banned = {"os", "pathlib", "time", "logging", "pickle", "joblib", "requests"}
    tree = ast.parse(path.read_text())

    called = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
    names = {node.attr for node in called if isinstance(node, ast.Attribute)}
    names |= {node.id for node in called if isinstance(node, ast.Name)}

    assert not {name.split(".")[0] for name in imported(path, module_level=False)} & banned
    assert not names & {"now", "today", "utcnow", "open", "read_text", "write_text"}


def test_the_rooms_of_models_are_looked_into():
    assert {"churn", "ltv", "purchases", "insight"} <= {path.parent.name for path in models()}
