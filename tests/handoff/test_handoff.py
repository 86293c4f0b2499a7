"""Handoffs on both stores: a reader gets exactly what a writer wrote, or the write leaves nothing."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.datasets import ContractError, Dataset
from include.datasets.contract import COUNT, CUSTOMER_ID, column
from include.handoff import LONGEST_STEP, Fenced, Handoff, HandoffError, Slot, local_token, parts
from include.handoff.manifest import Corrupt, Part
from include.periods import Month
from include.slices import Slice
from include.version import __version__
from tests.things import AS_OF, EVENTS, SLOT, THINGS, batch, rows

LATER = datetime.now(UTC) + timedelta(days=9)
OLD = timedelta(hours=30)


@pytest.fixture
def handoff(handoff_root, tmp_path) -> Handoff:
    return Handoff(handoff_root, scratch=tmp_path / "scratch", writers={"things": "predict_things"})


def stored(handoff: Handoff) -> list[str]:
    """Every file in the store."""
    return [entry.path for entry in handoff._store.list()]


def test_what_was_written_is_read(handoff):
    given = [batch(("a", 1, 10), ("a", 2, 20)), batch(("b", 1, 30))]

    manifest = handoff.write(SLOT, given, token=1, as_of=AS_OF)

    assert rows(handoff.read(SLOT)) == [("a", 1, 10), ("a", 2, 20), ("b", 1, 30)]
    assert (manifest.rows, manifest.token, manifest.as_of) == (3, 1, AS_OF)
    assert handoff.manifest(SLOT) == manifest
    assert manifest.bytes == sum(path.stat().st_size for path in handoff.fetch(SLOT)[1])


def test_no_rows_are_a_table_too(handoff):
    handoff.write(SLOT, [], token=1, as_of=AS_OF)

    _, (path,) = handoff.fetch(SLOT)

    assert rows(handoff.read(SLOT)) == []
    assert pq.read_schema(path).names == THINGS.schema.names


def test_a_newer_token_replaces_and_an_older_one_is_fenced(handoff):
    handoff.write(SLOT, [batch(("a", 1, 2))], token=2, as_of=AS_OF)

    with pytest.raises(Fenced, match="token 1 is fenced, token 2 is current"):
        handoff.write(SLOT, [batch(("a", 1, 1))], token=1, as_of=AS_OF)
    assert rows(handoff.read(SLOT)) == [("a", 1, 2)]

    newest = handoff.write(SLOT, [batch(("a", 1, 3))], token=3, as_of=AS_OF)
    assert rows(handoff.read(SLOT)) == [("a", 1, 3)]
    assert newest.previous.startswith("attempt=2-")
    assert not [path for path in stored(handoff) if "attempt=1-" in path]


def test_a_retry_with_the_same_token_and_rows_recognises_its_own_manifest(handoff):
    first = handoff.write(SLOT, [batch(("a", 1, 1))], token=1, as_of=AS_OF)

    again = handoff.write(SLOT, [batch(("a", 1, 1))], token=1, as_of=AS_OF)

    assert again == first
    with pytest.raises(HandoffError, match="used for two different contents"):
        handoff.write(SLOT, [batch(("a", 1, 2))], token=1, as_of=AS_OF)


def test_equal_rows_in_other_batches_give_equal_bytes(handoff, monkeypatch):
    monkeypatch.setattr(parts, "GROUP_ROWS", 3)
    monkeypatch.setattr(parts, "PART_ROWS", 6)
    every = [("a", number, number) for number in range(20)]

    whole = handoff.write(SLOT, [batch(*every)], token=1, as_of=AS_OF)
    single = handoff.write(SLOT, [batch(row) for row in every], token=2, as_of=AS_OF)

    assert whole.sha256 == single.sha256
    assert [part.rows for part in whole.parts] == [6, 6, 6, 2]
    assert rows(handoff.read(SLOT)) == every


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (batch(("b", 1, 1), ("b", 1, 2)), r"\('b', 1\) is there twice"),
        (batch(("b", 2, 1), ("b", 1, 2)), r"\('b', 1\) comes after \('b', 2\): not sorted"),
        (batch(("a", 1, 5)), r"\('a', 1\) is there twice"),
        (batch(("b", 1, 1)).drop_columns(["number"]), r"missing columns \['number'\]"),
        (batch(("b", 1, 1)).append_column("extra", pa.array([1])), r"unknown columns \['extra'\]"),
        (pa.RecordBatch.from_pydict({"customer_id": ["b"], "number": ["1"], "net_amount": [None]}), "type"),
        (
            pa.RecordBatch.from_arrays(
                [
                    pa.array(["b", None]),
                    pa.array([1, 2]),
                    pa.array([None, None], THINGS.schema.field("net_amount").type),
                ],
                names=THINGS.schema.names,
            ),
            "customer_id: 1 nulls in a required column",
        ),
    ],
    ids=["repeated", "unsorted", "repeated across batches", "missing", "unknown", "type", "null"],
)
def test_a_breach_of_contract_on_write_leaves_nothing(handoff, bad, says):
    handoff.write(SLOT, [batch(("z", 1, 1))], token=1, as_of=AS_OF)
    before = stored(handoff)

    with pytest.raises(ContractError, match=rf"things.*{says}"):
        handoff.write(SLOT, [batch(("a", 1, 1)), bad], token=2, as_of=AS_OF)

    assert stored(handoff) == before
    assert rows(handoff.read(SLOT)) == [("z", 1, 1)]


def test_rows_written_under_another_contract_are_refused_on_read(handoff):
    lax = pa.schema([CUSTOMER_ID, column("number", COUNT, "May be null."), THINGS.schema.field("net_amount")])
    handoff.write(
        Slot("acme", Dataset("things", "A thing.", ("customer_id",), lax), Slice(AS_OF)),
        [pa.RecordBatch.from_pydict({"customer_id": ["a"], "number": [None], "net_amount": [1]}, schema=lax)],
        token=1,
        as_of=AS_OF,
    )

    with pytest.raises(HandoffError, match=r"another contract of things .*--from predict_things"):
        next(handoff.read(SLOT))


def test_a_breach_of_contract_in_a_part_is_refused_on_read(tmp_path):
    table = pa.table({"customer_id": ["a", None], "number": [1, 2]})
    pq.write_table(
        table.append_column("net_amount", pa.array([None, None], pa.decimal128(18, 4))), tmp_path / "p"
    )

    with pytest.raises(ContractError, match="customer_id: 1 nulls"):
        list(parts.read_part(THINGS, tmp_path / "p", Part("p", 2, 0, ""), where="acme/p"))
    with pytest.raises(Corrupt, match="acme/p: 2 rows where its manifest says 3"):
        list(parts.read_part(_nullable(), tmp_path / "p", Part("p", 3, 0, ""), where="acme/p"))


def _nullable() -> Dataset:
    return Dataset("things", "", ("number",), pa.schema([f.with_nullable(True) for f in THINGS.schema]))


@pytest.mark.parametrize("position", [0, 0.03, 0.2, 0.5, 0.8, 0.97, -1])
@pytest.mark.parametrize("name", ["part-00000.parquet", "_manifest.json"])
def test_a_flipped_bit_is_refused_and_the_file_named(handoff, position, name):
    handoff.write(SLOT, [batch(("a", 1, 10))], token=1, as_of=AS_OF)
    path = next(path for path in stored(handoff) if path.endswith(name))

    def flip(data: bytes) -> bytes:
        at = len(data) - 1 if position == -1 else int(position * len(data))
        return data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]

    change(handoff, path, flip)

    with pytest.raises(Corrupt, match=name):
        list(handoff.read(SLOT))


@pytest.mark.parametrize("keep", [0, 1, 100, -1])
@pytest.mark.parametrize("name", ["part-00000.parquet", "_manifest.json"])
def test_a_truncated_file_is_refused_and_named(handoff, keep, name):
    handoff.write(SLOT, [batch(("a", 1, 10))], token=1, as_of=AS_OF)
    path = next(path for path in stored(handoff) if path.endswith(name))

    change(handoff, path, lambda data: data[:keep])

    with pytest.raises(Corrupt, match=name):
        handoff.fetch(SLOT)


def change(handoff: Handoff, path: str, how) -> None:
    """Alter a stored file behind the store's back."""
    store = handoff._store
    if hasattr(store, "root"):
        target = store.root / path
        target.write_bytes(how(target.read_bytes()))
    else:
        place = {"Bucket": store._bucket, "Key": store._key(path)}
        data = store._client.get_object(**place)["Body"].read()
        store._client.put_object(**place, Body=how(data))


def test_a_dataset_by_month_is_what_its_list_of_months_says(handoff):
    october, november = Month(2026, 10), Month(2026, 11)
    manifests = {
        month: handoff.write(Slot("acme", EVENTS, Slice(month)), [batch(("a", n, n))], token=n, as_of=AS_OF)
        for n, month in enumerate((november, october), start=1)
    }

    listed = handoff.write_month_list("acme", EVENTS, AS_OF, manifests, token=3)

    assert [slot.slice.month for slot in handoff.slots("acme", EVENTS, AS_OF)] == [october, november]
    assert listed.made_from == (manifests[october].reference, manifests[november].reference)
    with pytest.raises(HandoffError, match="is a list of months"):
        handoff.fetch(Slot("acme", EVENTS, Slice(AS_OF)))
    with pytest.raises(Fenced):
        handoff.write_month_list("acme", EVENTS, AS_OF, {}, token=2)


def test_an_absent_dataset_names_the_step_to_rerun(handoff):
    with pytest.raises(HandoffError, match=r"things/as_of=2026-11-21 has not been written; .*predict_things"):
        handoff.slots("acme", THINGS, AS_OF)
    with pytest.raises(HandoffError, match="rerun the step that writes events"):
        handoff.fetch(Slot("acme", EVENTS, Slice(Month(2026, 11))))

    assert handoff.manifest(SLOT) is None


def test_a_manifest_says_what_it_was_made_from(handoff):
    source = handoff.write(SLOT, [batch(("a", 1, 1))], token=1, as_of=AS_OF)

    made = handoff.write(
        Slot("acme", THINGS, Slice(date(2026, 11, 22))), [], token=2, as_of=AS_OF, made_from=[source]
    )

    assert made.made_from == (f"acme/things/as_of=2026-11-21#1#{source.sha256}",)
    assert made.version == __version__
    assert re.fullmatch(re.escape(__version__) + r"\+[0-9a-f]{12}", made.code_version)


def test_the_collector_keeps_current_previous_and_young_attempts(handoff):
    for token in (1, 2, 3):
        handoff.write(SLOT, [batch(("a", 1, token))], token=token, as_of=AS_OF)

    assert handoff.collect(older_than=OLD, now=datetime.now(UTC)) == 0
    assert handoff.collect(older_than=OLD, now=LATER) == 1

    attempts = {path.split("/")[-2].split("-")[0] for path in stored(handoff) if "attempt=" in path}
    assert attempts == {"attempt=2", "attempt=3"}
    assert rows(handoff.read(SLOT)) == [("a", 1, 3)]
    for too_young in (timedelta(hours=1), LONGEST_STEP):
        with pytest.raises(ValueError, match="a step may run that long"):
            handoff.collect(older_than=too_young, now=LATER)


def test_a_damaged_slot_does_not_keep_others_from_being_collected(handoff):
    other = Slot("bravo", THINGS, Slice(AS_OF))
    for token in (1, 2, 3):
        handoff.write(SLOT, [], token=token, as_of=AS_OF)
        handoff.write(other, [], token=token, as_of=AS_OF)
    change(handoff, f"{SLOT.path}/_manifest.json", lambda data: data[:50])

    with pytest.raises(Corrupt, match="acme/things"):
        handoff.collect(older_than=OLD, now=LATER)

    assert not [path for path in stored(handoff) if path.startswith(f"{other.path}/attempt=1-")]


def test_a_forgotten_list_of_months_is_empty_and_closed_to_old_writers(handoff):
    handoff.write_month_list("acme", EVENTS, AS_OF, {}, token=5)

    assert handoff.forget(Slot("acme", EVENTS, Slice(AS_OF))) == 0

    with pytest.raises(HandoffError, match="has not been written"):
        handoff.slots("acme", EVENTS, AS_OF)
    with pytest.raises(Fenced):
        handoff.write_month_list("acme", EVENTS, AS_OF, {}, token=4)


def test_a_forgotten_slot_is_empty_and_closed_to_old_writers(handoff):
    handoff.write(SLOT, [batch(("a", 1, 1))], token=5, as_of=AS_OF)

    assert handoff.forget(SLOT) == 1

    assert handoff.manifest(SLOT) is None
    assert not [path for path in stored(handoff) if "attempt=" in path]
    with pytest.raises(Fenced):
        handoff.write(SLOT, [batch(("a", 1, 1))], token=5, as_of=AS_OF)
    handoff.write(SLOT, [batch(("b", 1, 1))], token=6, as_of=AS_OF)
    assert rows(handoff.read(SLOT)) == [("b", 1, 1)]


def test_local_tokens_rise(handoff_root, tmp_path):
    tokens = [local_token(handoff_root, scratch=tmp_path) for _ in range(3)]

    assert tokens == [1, 2, 3]


@pytest.mark.parametrize("key", ["../evil", "a/b", "A", "", "a" * 64, "é"])
def test_a_firm_key_cannot_lead_elsewhere(key):
    with pytest.raises(HandoffError, match="is not a firm's key"):
        _ = Slot(key, THINGS, Slice(AS_OF)).path


def test_rows_of_another_version_than_expected_are_refused(handoff):
    first = handoff.write(SLOT, [batch(("a", 1, 1))], token=1, as_of=AS_OF)
    reading = handoff.read(SLOT, expected=first)
    assert rows(handoff.read(SLOT, expected=first)) == [("a", 1, 1)]

    handoff.write(SLOT, [batch(("a", 1, 2))], token=2, as_of=AS_OF)

    with pytest.raises(Fenced, match="token 1 was expected and token 2 is there"):
        next(reading)


def test_reading_leaves_no_copies_behind(handoff, tmp_path):
    handoff.write(SLOT, [batch(("a", 1, 1))], token=1, as_of=AS_OF)

    list(handoff.read(SLOT))

    assert [path for path in Path(tmp_path / "scratch").rglob("*") if path.is_file()] == []
