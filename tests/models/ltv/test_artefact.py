"""Value artefacts with a missing or altered part are refused; the message names the fix."""

import json

import pyarrow as pa
import pytest

from include.models.ltv import artefact as ltv_artefact

HEADER = {"anchor": "2025-07-01", "method": "bgnbd"}


def rows():
    return ltv_artefact.write({"header": HEADER, "counts": {"r": 1.0}, "trees": "tree"}).to_pylist()


@pytest.mark.parametrize("part", ["counts", "trees", "header"])
def test_a_missing_part_is_refused(part):
    short = pa.Table.from_pylist([row for row in rows() if row["part"] != part])

    with pytest.raises(
        ltv_artefact.ValueArtefactError, match=f"{part}.*missing; run the firm from step value_histories"
    ):
        ltv_artefact.read(short)


@pytest.mark.parametrize("part", ["counts", "trees", "header"])
def test_an_altered_part_is_refused(part):
    altered = [{**row, "body": json.dumps({})} if row["part"] == part else row for row in rows()]

    with pytest.raises(
        ltv_artefact.ValueArtefactError,
        match=f"'{part}' does not match its sha256, so the model is rejected; run",
    ):
        ltv_artefact.read(pa.Table.from_pylist(altered))


def test_the_version_is_of_exactly_these_parts():
    one, same = (ltv_artefact.read(pa.Table.from_pylist(rows()))["version"] for _ in range(2))
    other = ltv_artefact.write({"header": HEADER, "counts": {"r": 2.0}, "trees": "tree"})

    assert one == same
    assert one.startswith("ltv-2025-07-01-")
    assert ltv_artefact.read(other)["version"] != one
