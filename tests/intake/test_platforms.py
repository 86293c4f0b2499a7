"""One made-up file per platform: recognised, and read to the cent."""

import re

import pytest
import yaml

from include.intake import inspect
from include.intake.platforms import PLATFORMS as ROWS
from tests.intake.conftest import PLATFORMS

EXPECTED = yaml.safe_load((PLATFORMS / "expected.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_platforms_export_is_read_to_the_cent(name):
    expected = EXPECTED[name]
    (path,) = PLATFORMS.glob(f"{name}.*")

    answer = inspect(path).answer

    if "refusal" in expected:
        assert (answer.outcome, answer.refusal.code) == ("refused", expected["refusal"])
    else:
        record = answer.record()
        figures = {key: value for key, value in expected.items() if key not in ("source", "platform")}
        assert record["platform"] == expected.get("platform", name)
        assert {key: record[key] for key in figures} == figures, record


def test_every_platform_has_a_file():
    assert {row.name for row in ROWS} == {of.get("platform", name) for name, of in EXPECTED.items()}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_platforms_file_cites_the_source_of_its_header(name):
    assert re.match(r"[a-z.-]+\.[a-z]{2,}\b", EXPECTED[name]["source"])
