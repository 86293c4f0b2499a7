"""The README and the other pages at the root name files, links, targets and commands that exist."""

import re
from pathlib import Path

import psycopg
import pytest
import yaml
from jsonschema import Draft202012Validator
from typer.main import get_command

from include.cli import app
from include.firms import MODULES, parse_firm
from include.pipeline import stage_upstream, stages_of
from include.settings import PROJECT
from include.steps import STAGES
from include.warehouse import migrate
from tools.firm_schema import firm_schema

PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/upgrade.md")
PATH = re.compile(r"`((?:include|dags|plugins|tools|tests|docs|examples|trust|bench|\.github)/[\w./-]*)`")
TEXT_FILES = (".py", ".sql", ".yaml", ".md")  # and not the compiled files beside them
PLACEHOLDER = re.compile(r"(^|[/_])(x|NNN)([/._]|$)")  # include/sources/x.py: a file to write
REQUIRED = {
    "firm_key": "acme",
    "name": "Acme",
    "source": {"kind": "csv", "uri": "file:///data/acme", "layout": "cdnow"},
    "timezone": "UTC",
    "currency": "EUR",
    "working_day_period": 1,
    "churn_threshold_days": 90,
}
README = (PROJECT / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return README.split(f"## {title}\n")[1].split("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """The rows of a table, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_exists(page):
    text = (PROJECT / page).read_text(encoding="utf-8")

    paths = {path for path in PATH.findall(text) if not PLACEHOLDER.search(path)}

    assert [path for path in sorted(paths) if not (PROJECT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_to_a_file(page):
    folder = (PROJECT / page).parent
    links = re.findall(r"\]\((?!https?:)([^)#]+)", (PROJECT / page).read_text(encoding="utf-8"))

    assert [link for link in links if not (folder / link).exists()] == []


def test_the_stages_and_their_order_are_those_of_the_code():
    upstream = stage_upstream(stages_of(tuple(MODULES), STAGES))
    found = rows(section("The flow").split("There are six")[0])

    assert [
        (name, ", ".join(f"`{other}`" for other in others)) for name, others in sorted(upstream.items())
    ] == sorted((row[0].strip("`"), row[1]) for row in found)


def text_files(path: str) -> list[Path]:
    place = PROJECT / path
    return [place] if place.is_file() else [file for file in place.rglob("*") if file.suffix in TEXT_FILES]


def test_every_symptom_leads_to_a_file():
    found = rows(section("Where to look"))

    assert len(found) >= 20
    assert [row for row in found if len(row) != 2 or not PATH.search(row[1])] == []


@pytest.mark.parametrize(
    "word", ["months_to_read", "rejected_reason", "delimiter", ":timezone"], ids=lambda word: word
)
def test_a_name_in_brackets_is_in_a_file_of_its_row(word):
    (row,) = [row for row in rows(section("Where to look")) if f"`{word}`" in row[1]]
    texts = [file.read_text(encoding="utf-8") for path in PATH.findall(row[1]) for file in text_files(path)]

    assert any(word in text for text in texts)


@pytest.mark.parametrize("page", [*PAGES, "examples/firms/small-shop-csv-cdnow.yaml"])
def test_every_command_of_a_page_exists(page):
    text = (PROJECT / page).read_text(encoding="utf-8")
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    commands = get_command(app).commands

    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.M))
    assert set(re.findall(r"(?:`|^|# or: )make ([a-z-]+)", text, re.M)) <= targets
    assert set(re.findall(r"python -m include ([a-z]+)", text)) <= set(commands)
    for group, word in re.findall(r"python -m include (firms|models|access) ([a-z]+)", text):
        assert word in commands[group].commands
    for module in re.findall(r"python -m (tools\.\w+)", text):
        assert (PROJECT / f"{module.replace('.', '/')}.py").exists()


@pytest.mark.parametrize("page", ["README.md", "docs/actions.md", "docs/publishing.md", "docs/sources.md"])
def test_every_firm_and_setting_that_a_page_shows_is_valid(page):
    blocks = re.findall(r"^```yaml\n(.*?)^```", (PROJECT / page).read_text(encoding="utf-8"), re.M | re.S)
    rows = [REQUIRED | yaml.safe_load(block) for block in blocks]

    errors = [error.message for row in rows for error in Draft202012Validator(firm_schema()).iter_errors(row)]
    firms = [parse_firm(row) for row in rows]

    assert errors == []
    assert firms


def test_every_view_and_table_of_the_readme_is_in_the_warehouse(migrated_dsn):
    migrate(migrated_dsn)
    text = section("What an analyst can query")
    named = set(re.findall(r"`((?:control|analytics|mart|pii)\.\w+|vw_\w+)`", text))
    named |= {f"mart.{name}" for name in re.findall(r"from mart\.(\w+)", text)}
    wanted = {name if "." in name else f"mart.{name}" for name in named}

    with psycopg.connect(migrated_dsn) as connection:
        found = connection.execute(
            "select n.nspname || '.' || c.relname from pg_class c "
            "join pg_namespace n on n.oid = c.relnamespace "
            "union select n.nspname || '.' || p.proname from pg_proc p "
            "join pg_namespace n on n.oid = p.pronamespace"
        ).fetchall()
    assert wanted - {name for (name,) in found} == set()
    assert len(wanted) >= 30
