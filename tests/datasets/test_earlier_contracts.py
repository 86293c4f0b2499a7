"""Slices of earlier contracts are read as today's: by rows, as files, and all of a 6ebb6e7 installation's."""

import re
import tarfile
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from include.datasets import ContractError, Dataset, Earlier, catalogue
from include.datasets.contract import COUNT, CUSTOMER_ID, FIRM_TOTAL, TEXT, column
from include.datasets.extracted import rejected_of
from include.datasets.insight import FIRM_METRICS
from include.engines.duckdb import DuckDb
from include.handoff import Handoff, HandoffError, Slot
from include.slices import Slice
from tests.things import AS_OF, SLOT, THINGS, batch
from tests.warehouse.old_warehouse import FOLDER

RELEASED = yaml.safe_load(Path(__file__).with_name("released_fingerprints.yaml").read_text())
DATASETS = catalogue() | {rejected_of(row).name: rejected_of(row) for row in catalogue().values()}
CHANGED = Dataset(
    name="things",
    about="A thing whose contract changed: net_amount is wider, number is position, kind is new.",
    grain=("customer_id", "position"),
    schema=pa.schema(
        [
            CUSTOMER_ID,
            column("position", COUNT, "A number.", required=True),
            column("kind", TEXT, "New.", required=True),
            column("amount", FIRM_TOTAL, "An amount."),
        ]
    ),
    earlier=(
        Earlier(
            THINGS.fingerprint,
            renamed={"number": "position", "net_amount": "amount"},
            added={"kind": "plain"},
        ),
    ),
)


def slices(root: Path) -> list[str]:
    """The paths of all slots: ``north/rfm/as_of=2025-08-15``."""
    return sorted(path.parent.relative_to(root).as_posix() for path in root.rglob("_manifest.json"))


def slot_of(path: str) -> Slot:
    firm_key, name, unit = path.split("/")
    kind, _, text = unit.partition("=")
    return Slot(firm_key, DATASETS[name], Slice.of_folder(f"{kind}={text}"))


@pytest.fixture(scope="module")
def old_root(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("home")
    with tarfile.open(FOLDER / "home.tar.xz") as tar:
        tar.extractall(home, filter="data")
    return home / "handoffs"


@pytest.mark.parametrize("version", RELEASED)
def test_every_released_contract_is_todays_or_named_as_earlier(version):
    unreadable = [
        f"{name}: contract {fingerprint} of {version} is not readable; add Earlier({fingerprint!r}, ...) to "
        "its earlier=(...) in include/datasets/"
        for name, fingerprint in RELEASED[version].items()
        if name not in DATASETS or not DATASETS[name].can_read(fingerprint)
    ]

    assert unreadable == []


@pytest.mark.parametrize("name", [name for name, row in DATASETS.items() if row.earlier])
def test_an_earlier_contract_names_todays_columns_and_a_released_fingerprint(name):
    dataset = DATASETS[name]
    released = {version[name] for version in RELEASED.values() if name in version}

    for earlier in dataset.earlier:
        assert {*earlier.renamed.values(), *earlier.added} <= set(dataset.schema.names)
        assert earlier.fingerprint in released - {dataset.fingerprint}


WIDENED = {("firm_metrics", "9dac96aaa02032a6")}  # columns of another type then


@pytest.mark.parametrize("name", [name for name, row in DATASETS.items() if row.earlier])
def test_todays_columns_without_the_added_ones_are_those_of_the_earlier_contract(name):
    dataset = DATASETS[name]
    for earlier in dataset.earlier:
        if earlier.dropped or (name, earlier.fingerprint) in WIDENED:
            continue
        before = {now: then for then, now in earlier.renamed.items()}
        fields = [
            f.with_name(before.get(f.name, f.name)).with_nullable(
                f.nullable and f.name not in earlier.required
            )
            for f in dataset.schema
            if f.name not in earlier.added
        ]

        assert replace(dataset, schema=pa.schema(fields)).fingerprint == earlier.fingerprint, (
            f"slices of {name} under {earlier.fingerprint} cannot be read: name each new column, with its "
            "value in old rows, in added=..., and each column that may be null now in required=..., of that "
            "Earlier row in include/datasets/"
        )


def test_every_slice_of_a_6ebb6e7_installation_is_read(old_root, tmp_path):
    handoff = Handoff(old_root.as_uri(), scratch=tmp_path / "scratch")
    read, by_contract = 0, set()

    for path in slices(old_root):
        slot = slot_of(path)
        manifest = handoff.manifest(slot)
        by_contract.add((slot.dataset.name, manifest.fingerprint))
        if slot.dataset.by == "month" and slot.slice.month is None:
            months = handoff.slots(slot.firm_key, slot.dataset, slot.slice)
            assert {str(month.path) for month in months} == {r.partition("#")[0] for r in manifest.made_from}
            continue
        table = pa.Table.from_batches(handoff.read(slot, expected=manifest), schema=slot.dataset.schema)
        _, files = handoff.fetch(slot)
        assert table.num_rows == manifest.rows
        assert pa.concat_tables(map(pq.read_table, files)).equals(table), path
        read += 1

    assert read > 100
    assert ("firm_metrics", RELEASED["6ebb6e7"]["firm_metrics"]) in by_contract


def test_the_engine_reads_files_of_an_earlier_and_of_todays_contract_together(old_root, tmp_path):
    handoff = Handoff(old_root.as_uri(), scratch=tmp_path / "scratch")
    old = Slot("north", FIRM_METRICS, Slice(date(2025, 8, 15)))
    (tmp_path / "new").mkdir()
    new = Handoff((tmp_path / "new").as_uri(), scratch=tmp_path / "scratch")
    table = pa.Table.from_batches(handoff.read(old))
    wide = table.set_column(
        table.schema.get_field_index("metric_value"),
        FIRM_METRICS.schema.field("metric_value"),
        [pa.repeat(pa.scalar(Decimal("1e20"), FIRM_TOTAL), table.num_rows)],
    )
    new.write(old, wide.to_batches(), token=1, as_of=old.slice.first_day)
    files = [*handoff.fetch(old)[1], *new.fetch(old)[1]]

    engine = DuckDb(memory_mb=256, threads=1, scratch=tmp_path)
    (row,) = engine.table(
        "select count(*) as n, max(metric_value) as most from firm_metrics", [(FIRM_METRICS, files)], {}
    ).to_pylist()

    assert row == {"n": 2 * table.num_rows, "most": Decimal("1e20")}


def test_columns_are_renamed_added_and_widened(handoff_root, tmp_path):
    handoff = Handoff(handoff_root, scratch=tmp_path / "scratch")
    handoff.write(SLOT, [batch(("a", 1, 10), ("b", 2, 20))], token=1, as_of=AS_OF)
    slot = replace(SLOT, dataset=CHANGED)
    wanted = [
        {"customer_id": "a", "position": 1, "kind": "plain", "amount": Decimal(10)},
        {"customer_id": "b", "position": 2, "kind": "plain", "amount": Decimal(20)},
    ]

    rows = [row for found in handoff.read(slot) for row in found.to_pylist()]
    _, (file,) = handoff.fetch(slot)

    assert rows == wanted
    assert pq.read_table(file).to_pylist() == wanted
    assert pq.read_schema(file).types == CHANGED.schema.types
    assert not file.stat().st_mode & 0o077


def test_an_empty_slice_of_an_earlier_contract_has_todays_columns(handoff_root, tmp_path):
    handoff = Handoff(handoff_root, scratch=tmp_path / "scratch")
    handoff.write(SLOT, [], token=1, as_of=AS_OF)

    _, (file,) = handoff.fetch(replace(SLOT, dataset=CHANGED))

    assert pq.read_table(file).num_rows == 0
    assert pq.read_schema(file).types == CHANGED.schema.types


def test_a_slice_of_an_earlier_contract_is_written_under_todays(handoff_root, tmp_path):
    handoff = Handoff(handoff_root, scratch=tmp_path / "scratch")
    handoff.write(SLOT, [batch(("a", 1, 10))], token=1, as_of=AS_OF)
    slot = replace(SLOT, dataset=CHANGED)

    written = handoff.write(slot, handoff.read(slot), token=2, as_of=AS_OF)

    assert written.fingerprint == CHANGED.fingerprint != THINGS.fingerprint
    assert [row["position"] for found in handoff.read(slot) for row in found.to_pylist()] == [1]


@pytest.mark.parametrize(
    ("earlier", "says"),
    [
        (
            Earlier(THINGS.fingerprint, added={"kind": "plain"}),
            "columns ['net_amount', 'number'] of contract",
        ),
        (
            Earlier(THINGS.fingerprint, {"number": "position"}, {"kind": None}, dropped=("net_amount",)),
            "missing columns ['amount']",
        ),
        (
            Earlier(THINGS.fingerprint, {"number": "position", "net_amount": "amount"}, {"kind": None}),
            "kind: 1 nulls in a required column",
        ),
        (
            Earlier(THINGS.fingerprint, {"number": "amount", "net_amount": "position"}, {"kind": "plain"}),
            "position: cannot be read as int64",
        ),
    ],
    ids=["unnamed", "missing", "null", "lossy"],
)
def test_a_column_map_that_does_not_give_todays_contract_is_refused(earlier, says):
    dataset = replace(CHANGED, earlier=(earlier,))
    stored = batch(("a", 1, 10)).set_column(
        2, THINGS.schema.field(2), pa.array([Decimal("10.5")], pa.decimal128(18, 4))
    )

    with pytest.raises(ContractError, match=re.escape(says)):
        dataset.from_earlier(THINGS.fingerprint, stored)


def test_a_contract_that_is_not_named_is_refused(handoff_root, tmp_path):
    handoff = Handoff(handoff_root, scratch=tmp_path / "scratch", writers={"things": "predict_things"})
    handoff.write(SLOT, [batch(("a", 1, 10))], token=1, as_of=AS_OF)
    slot = replace(SLOT, dataset=replace(CHANGED, earlier=()))

    with pytest.raises(HandoffError, match=r"another contract of things .*--from predict_things"):
        list(handoff.read(slot))
    with pytest.raises(ContractError, match="is unknown; name it in earlier"):
        slot.dataset.from_earlier(THINGS.fingerprint, batch(("a", 1, 10)))
