"""Documents beside the handoffs: the newest attempt wins, and the collector leaves them alone."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from include.handoff import Handoff, StoreError
from include.handoff.documents import write_documents
from include.handoff.purge import files_of
from include.handoff.stores import open_store

AS_OF = date(2026, 11, 1)


def write(home: Path, text: str, *, token: int, name: str = "transactions-2026-10") -> None:
    """One document that says ``text``."""
    write_documents(
        home.as_uri(),
        "acme",
        "quality",
        AS_OF,
        {name: {"says": text, "meta": {"built_from": "aggregates"}}},
        token=token,
        scratch=home / "scratch",
    )


def written(home: Path, name: str = "transactions-2026-10") -> dict[str, object]:
    """What the document's file holds."""
    found: dict[str, object] = json.loads((home / f"acme/quality/as_of=2026-11-01/{name}.json").read_text())
    return found


def test_a_document_is_written_with_its_token(tmp_path: Path):
    write(tmp_path, "first", token=7)

    assert written(tmp_path) == {"says": "first", "meta": {"built_from": "aggregates", "token": 7}}


def test_a_newer_attempt_replaces_a_document_and_an_older_one_does_not(tmp_path: Path):
    write(tmp_path, "first", token=7)
    write(tmp_path, "newest", token=9)
    write(tmp_path, "late", token=8)

    assert written(tmp_path)["says"] == "newest"


def test_a_damaged_document_is_replaced(tmp_path: Path):
    write(tmp_path, "first", token=9)
    (tmp_path / "acme/quality/as_of=2026-11-01/transactions-2026-10.json").write_text("{")

    write(tmp_path, "again", token=8)

    assert written(tmp_path)["says"] == "again"


def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path):
    with pytest.raises(StoreError, match="is no name for a file"):
        write(tmp_path, "x", token=1, name="../transactions")


def test_the_collector_and_an_erasure_leave_documents_where_they_are(tmp_path: Path):
    write(tmp_path, "kept", token=1)

    removed = Handoff(tmp_path.as_uri(), scratch=tmp_path / "scratch").collect(
        older_than=timedelta(days=2), now=datetime.now(UTC) + timedelta(days=9)
    )

    assert removed == 0
    assert written(tmp_path)["says"] == "kept"
    slots = files_of(open_store(tmp_path.as_uri(), scratch=tmp_path), "acme")
    assert list(slots) == ["acme/quality/as_of=2026-11-01"]
