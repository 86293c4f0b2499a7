"""One made-up file per platform: recognised, and read to the cent."""

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
        assert record["platform"] == expected.get("platform", name)
        assert {key: record[key] for key in expected} == expected, record


def test_every_platform_has_a_file():
    assert {row.name for row in ROWS} == {of.get("platform", name) for name, of in EXPECTED.items()}
