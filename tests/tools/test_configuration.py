"""The configuration page, the JSON schema and the example firms follow the code."""

import json

import pytest
import yaml
from jsonschema import Draft202012Validator

from include.datasets import catalogue
from include.firms import FirmError, parse_firm
from include.modules import NAMES, TRAINED
from include.quality.rules import adjusted, suite
from include.settings import PROJECT
from include.sources import SOURCES, SourceError, open_source
from include.sources.layouts import LAYOUTS, layout_of
from tools.firm_fields import FIELDS
from tools.firm_schema import fields, firm_schema
from tools.write_configuration import (
    PAGE,
    SCHEMA,
    documented,
    page,
    read_variables,
    readers,
    schema_text,
)

WRITE = "run: python -m tools.write_configuration"
EXAMPLES = sorted((PROJECT / "examples" / "firms").glob("*.yaml"))


def example(path) -> dict[str, object]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_the_page_and_the_schema_are_what_the_code_says():
    assert PAGE.read_text(encoding="utf-8") == page(), WRITE
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), WRITE


def test_every_variable_that_the_code_reads_is_described_and_no_other():
    read, described = read_variables(), documented()

    prefixes = tuple(name for name in read if name.endswith("_"))
    unknown = {name for name in read if name not in described and name not in prefixes}
    assert unknown == set(), "describe it in the docstring of include/settings.py"
    unread = {name for name in described if name not in read and not name.startswith(prefixes)}
    assert unread == set(), "nothing reads it: remove its row"
    assert prefixes == ("FIRMAMENT_ALERT_",)
    assert len(described) >= 15


def test_every_field_of_a_firm_is_described_and_no_other():
    names = [name for name, _ in fields(firm_schema()["$defs"]["Firm"] | {"$defs": firm_schema()["$defs"]})]

    assert sorted(names) == sorted(FIELDS), "describe it in tools/firm_fields.py"


def test_every_field_of_a_firm_is_read_by_something():
    unread = [name for name, parts in readers().items() if not parts]
    assert unread == [], f"no code reads the fields {unread} of a firm: remove them from include/firms.py"


def test_the_page_says_which_model_a_setting_trains_again():
    rows = {line.split("`")[1]: line for line in page().splitlines() if line.startswith("| `")}

    for module, training in TRAINED.items():
        for name in (*training.rows_settings, *training.fit_settings):
            assert f"trains {module} again" in rows[name]
    assert "again" not in rows["rfm.quantiles"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_firm_fits_the_schema_and_the_code(path):
    row = example(path)

    errors = [error.message for error in Draft202012Validator(firm_schema()).iter_errors(row)]
    firm = parse_firm(row)

    assert errors == []
    assert firm.firm_key == row["firm_key"]
    for name, rules in firm.quality.items():
        assert adjusted(suite(catalogue()[name]), catalogue()[name], {name: rules})
    if firm.source.kind == "csv":
        assert layout_of(firm).name == firm.source.layout
    else:  # the connection's id is asked for, so the kind and its options are accepted
        asked = []
        with pytest.raises(SourceError, match="no such connection"):
            open_source(firm, refuse(asked)).first_month(catalogue()["transactions"])
        assert asked == [firm.source.conn_id]


def refuse(asked: list[str]):
    def connection_uri(conn_id: str) -> str:
        asked.append(conn_id)
        raise SourceError("no such connection")

    return connection_uri


def test_there_is_an_example_for_each_kind_of_source_layout_and_rhythm():
    firms = [parse_firm(example(path)) for path in EXAMPLES]

    assert {firm.source.kind for firm in firms} == set(SOURCES), "examples/firms/ lacks a kind"
    assert {firm.source.layout for firm in firms} - {None} == {*LAYOUTS, "mapped", "auto"}
    assert {firm.working_day_period for firm in firms} == {0, 1, 7}
    assert {firm.language for firm in firms} == {"en", "tr"}
    assert len({firm.firm_key for firm in firms}) == len(EXAMPLES) >= 6


ACME = {
    "firm_key": "acme",
    "name": "Acme",
    "source": {"kind": "csv", "uri": "file:///x", "layout": "cdnow"},
    "timezone": "UTC",
    "currency": "EUR",
    "working_day_period": 1,
    "churn_threshold_days": 30,
}


@pytest.mark.parametrize(
    "changes",
    [
        {"firm_key": "Acme"},
        {"currency": "eur"},
        {"working_day_period": 367},
        {"churn_threshold_days": 0},
        {"colour": "red"},
        {"modules": ["rfm", "magic"]},
        {"churn": {"decision_threshold": 1}},
        {"actions": {"budget": -1}},
        {"rfm": {"quantiles": [0.2, 0.4, 0.6]}},
        {"publish": {"conn_id": "x", "schema": "y", "tables": ["other"]}},
        {
            "actions": {
                "rules": [{"action_code": "a", "unit_cost": 1, "expected_lift": 2, "explanation": "b"}]
            }
        },
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_the_schema_refuses_the_code_refuses_too(changes):
    schema = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))

    assert schema.is_valid(ACME)
    assert not schema.is_valid(ACME | changes)
    with pytest.raises(FirmError):
        parse_firm(ACME | changes)


def test_the_schema_takes_one_firm_or_a_list_and_knows_every_module():
    schema = Draft202012Validator(firm_schema())

    assert schema.is_valid([ACME, ACME | {"firm_key": "other", "modules": list(NAMES)}])
    assert not schema.is_valid("acme")
