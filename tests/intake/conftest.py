"""Where the example files are, and what they must come to."""

import json
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "shared" / "data" / "files"
PLATFORMS = Path(__file__).parent / "platforms"


def examples() -> list[dict]:
    """The cases of the example files; none where they are absent."""
    listed = EXAMPLES / "cases.json"
    return json.loads(listed.read_text(encoding="utf-8")) if listed.is_file() else []


@pytest.fixture
def write(tmp_path):
    """Write a text file and give its path."""

    def written(text: str, name: str = "orders.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return written
