import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from include.firms import FirmError, FirmShape, parse_firm
from include.registry import known_firms, last_good, read_registry, sync_firms, write_registry


def row(key: str, **changes: object) -> dict[str, object]:
    whole = {
        "firm_key": key,
        "name": key.title(),
        "source": {"kind": "csv", "uri": "file:///data", "layout": "cdnow"},
        "timezone": "Europe/London",
        "currency": "GBP",
        "working_day_period": 1,
        "churn_threshold_days": 90,
    }
    return {**whole, **changes}


class Rows:
    def __init__(self, *rows: dict[str, object]) -> None:
        self.rows = list(rows)

    def firm_rows(self) -> list[dict[str, object]]:
        return self.rows


def shapes(*keys: str) -> list[FirmShape]:
    return [parse_firm(row(key)).shape for key in keys]


def keys(path: Path) -> list[str]:
    return [shape.firm_key for shape in read_registry(path)]


def test_written_firms_are_read_sorted(tmp_path: Path) -> None:
    path = tmp_path / "new" / "registry.json"

    write_registry(path, shapes("b", "a"))

    assert read_registry(path) == tuple(shapes("a", "b"))


def test_an_unchanged_firm_stays_byte_identical(tmp_path: Path) -> None:
    path = tmp_path / "registry.json"
    write_registry(path, shapes("a", "b"))
    before = path.read_bytes()

    write_registry(path, reversed(shapes("a", "b")))

    assert path.read_bytes() == before


def test_the_file_has_only_fields_that_determine_the_dag(tmp_path: Path) -> None:
    path = tmp_path / "registry.json"
    source = {"kind": "postgres", "conn_id": "acme_db", "schema": "shop"}

    sync_firms(Rows(row("a", source=source, min_spend=12.5)), path)

    text = path.read_text()
    assert "min_spend" not in text
    assert "churn_threshold_days" not in text
    assert set(json.loads(text)["firms"][0]) == set(FirmShape.model_fields)


def test_before_the_first_sync_there_are_no_firms(tmp_path: Path) -> None:
    assert read_registry(tmp_path / "registry.json") == ()


CORRUPTIONS = {
    "empty": lambda text: "",
    "half": lambda text: text[: len(text) // 2],
    "a changed value": lambda text: text.replace("Europe/London", "Europe/Berlin"),
    "a firm cut out": lambda text: json.dumps({**json.loads(text), "firms": json.loads(text)["firms"][:1]}),
    "no checksum": lambda text: json.dumps({"firms": json.loads(text)["firms"]}),
    "not a registry": lambda text: "[]",
    "bytes": lambda text: text.replace("Europe", "\x00\x00\x00"),
}


@pytest.mark.parametrize("how", CORRUPTIONS)
def test_a_corrupt_registry_is_an_error_and_the_last_good_one_is_used(tmp_path: Path, how: str) -> None:
    path = tmp_path / "registry.json"
    write_registry(path, shapes("a", "b"))
    path.write_text(CORRUPTIONS[how](path.read_text()))

    standing = known_firms(path)

    assert [shape.firm_key for shape in standing] == ["a", "b"]
    with pytest.raises(FirmError, match=r"is corrupt \(.*python -m include firms sync"):
        read_registry(path)


def test_a_deleted_registry_is_an_error_and_the_last_good_one_is_used(tmp_path: Path) -> None:
    path = tmp_path / "registry.json"
    write_registry(path, shapes("a"))
    path.unlink()

    standing = known_firms(path)

    assert [shape.firm_key for shape in standing] == ["a"]
    with pytest.raises(FirmError, match="it is missing"):
        read_registry(path)


def test_with_both_copies_corrupt_reading_fails(tmp_path: Path) -> None:
    path = tmp_path / "registry.json"
    write_registry(path, shapes("a"))
    path.write_text("")
    last_good(path).write_text("")

    with pytest.raises(FirmError, match="corrupt"):
        known_firms(path)


def test_a_sync_repairs_a_corrupt_registry(tmp_path: Path) -> None:
    path = tmp_path / "registry.json"
    write_registry(path, shapes("a"))
    path.write_text("")

    sync_firms(Rows(row("a"), row("b")), path)

    assert keys(path) == ["a", "b"]


def test_a_firm_that_lacks_only_a_threshold_keeps_its_dag(tmp_path: Path) -> None:
    path = tmp_path / "registry.json"
    lacking = row("b", churn_threshold_days=None, currency="pounds", schedule_hour=7)

    report = sync_firms(Rows(row("a"), lacking), path)

    assert report.kept == ("a", "b")
    assert report.invalid == {}
    assert read_registry(path)[1].schedule_hour == 7
    report.check()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("timezone", None),
        ("timezone", "Europe/Atlantis"),
        ("working_day_period", None),
        ("working_day_period", -1),
        ("schedule_hour", 24),
        ("name", None),
        ("source", None),
        ("source", {"kind": "drop table", "uri": "file:///data"}),
        ("alerts", {"webhook": "https://hooks.example/secret"}),
    ],
)
def test_an_invalid_row_is_omitted_and_the_rest_is_written(tmp_path: Path, field: str, value: object) -> None:
    path = tmp_path / "registry.json"

    report = sync_firms(Rows(row("a"), row("b", **{field: value})), path)

    assert keys(path) == ["a"]
    assert field in report.invalid["b"]
    with pytest.raises(FirmError, match="1 of 2 firms have no DAG"):
        report.check()


def test_a_sync_that_would_drop_more_than_a_fifth_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "registry.json"
    write_registry(path, shapes("a", "b", "c", "d", "e"))

    with pytest.raises(FirmError, match=r"2 of 5 firms.*--force"):
        sync_firms(Rows(row("a"), row("b"), row("c")), path)

    assert keys(path) == ["a", "b", "c", "d", "e"]


def test_firms_that_became_invalid_count_as_dropped(tmp_path: Path) -> None:
    path = tmp_path / "registry.json"
    write_registry(path, shapes("a", "b", "c", "d", "e"))
    rows = [row(key, timezone=None) for key in "ab"] + [row(key) for key in "cde"]

    with pytest.raises(FirmError, match="2 of 5"):
        sync_firms(Rows(*rows), path)

    assert len(keys(path)) == 5


def test_force_drops_them_all(tmp_path: Path) -> None:
    path = tmp_path / "registry.json"
    write_registry(path, shapes("a", "b", "c", "d", "e"))

    report = sync_firms(Rows(), path, force=True)

    assert report.dropped == ("a", "b", "c", "d", "e")
    assert keys(path) == []


def test_a_fifth_may_be_dropped_and_any_number_of_fewer_than_five(tmp_path: Path) -> None:
    five, four = tmp_path / "five.json", tmp_path / "four.json"
    write_registry(five, shapes("a", "b", "c", "d", "e"))
    write_registry(four, shapes("a", "b", "c", "d"))

    sync_firms(Rows(*[row(key) for key in "abcd"]), five)
    sync_firms(Rows(), four)

    assert keys(five) == ["a", "b", "c", "d"]
    assert keys(four) == []


def test_the_limit_on_dropped_firms_applies_while_the_registry_is_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "registry.json"
    write_registry(path, shapes("a", "b", "c", "d", "e"))
    path.write_text("{")

    with pytest.raises(FirmError, match="5 of 5"):
        sync_firms(Rows(), path)

    assert len(known_firms(path)) == 5


def test_a_field_that_only_the_warehouse_has_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "registry.json"
    extra = row("a", updated_at=datetime(2026, 1, 1, tzinfo=UTC))

    report = sync_firms(Rows(extra), path)

    assert report.kept == ("a",)
