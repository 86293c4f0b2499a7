"""The folder of a csv source: which folders are allowed, and what is cached."""

import gzip
import os

import pytest

from include.datasets.extracted import CUSTOMERS, LOYALTY_MOVEMENTS, PRODUCTS, TRANSACTIONS
from include.firms import FirmError
from include.sources import SourceError, open_source
from tests.sources.conftest import everything, firm, month
from tests.sources.retail import HEADER, LINE


def test_an_empty_folder_is_an_error_and_a_bare_header_is_not(drop):
    with pytest.raises(SourceError, match=r"drop has no file that ends with \.csv\.gz, \.csv, \.parquet"):
        drop.source("online_retail").first_month(TRANSACTIONS)

    drop.write("sales.csv", HEADER)

    assert drop.source("online_retail").first_month(TRANSACTIONS) is None
    assert everything(drop.source("online_retail"), CUSTOMERS) == []


def test_the_same_file_twice_is_an_error(drop):
    drop.write("sales.csv", HEADER + LINE)
    drop.write("sales.csv.gz", gzip.compress((HEADER + LINE).encode()))

    with pytest.raises(SourceError, match=r"sales.csv and sales.csv.gz .* the same file twice"):
        drop.source("online_retail").first_month(TRANSACTIONS)


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    row = {"kind": "csv", "uri": (tmp_path / "gone").as_uri(), "layout": "cdnow"}

    with pytest.raises(SourceError, match="gone is not a folder"):
        open_source(firm(row), lambda conn_id: "", scratch=tmp_path).first_month(TRANSACTIONS)


@pytest.mark.parametrize(
    "uri", ["file:///etc/passwd", "file://elsewhere/etc", "s3://bucket/x", "file:///a%00b"]
)
def test_only_a_local_folder_may_be_a_source(tmp_path, uri):
    with pytest.raises((SourceError, FirmError)):
        open_source(
            firm({"kind": "csv", "uri": uri, "layout": "cdnow"}), lambda conn_id: "", scratch=tmp_path
        ).first_month(TRANSACTIONS)


def test_an_operator_can_say_which_folders_may_be_sources(drop, tmp_path, monkeypatch):
    drop.write("sales.csv", HEADER + LINE)
    monkeypatch.setenv("FIRMAMENT_SOURCE_ROOTS", str(tmp_path / "dro"))
    with pytest.raises(SourceError, match="FIRMAMENT_SOURCE_ROOTS"):
        drop.source("online_retail").first_month(TRANSACTIONS)

    monkeypatch.setenv("FIRMAMENT_SOURCE_ROOTS", f"/nowhere{os.pathsep}{tmp_path}")

    assert drop.source("online_retail").first_month(TRANSACTIONS) == month("2026-11")


def test_a_link_to_a_file_outside_the_folder_is_refused(drop, tmp_path):
    (tmp_path / "secret.csv").write_text(HEADER + LINE)
    source = drop.source("online_retail")
    (drop.folder / "sales.csv").symlink_to(tmp_path / "secret.csv")

    with pytest.raises(SourceError, match="outside its folder"):
        source.first_month(TRANSACTIONS)


def test_an_unknown_layout_is_named_with_those_there_are(drop):
    with pytest.raises(SourceError, match=r"layout 'excel' is unknown; there are \['cdnow', 'online_retail'"):
        drop.source("excel")


def test_a_file_is_parsed_once_until_it_changes(drop, tmp_path):
    drop.write("sales.csv", HEADER + LINE)
    first = everything(drop.source("online_retail"), TRANSACTIONS)
    staged = sorted((tmp_path / "scratch").rglob("*.parquet"))
    stamps = [path.stat().st_mtime_ns for path in staged]
    again = everything(drop.source("online_retail"), TRANSACTIONS)
    unchanged = [path.stat().st_mtime_ns for path in staged]

    drop.write("sales.csv", HEADER + LINE + LINE.replace("HEART", "LANTERN"))

    assert staged
    assert again == first
    assert stamps == unchanged
    assert len(everything(drop.source("online_retail"), TRANSACTIONS)) == 2


def test_only_the_staged_lines_are_left_in_scratch(drop, tmp_path):
    drop.write("sales.csv.gz", gzip.compress((HEADER + LINE).encode()))
    everything(drop.source("online_retail"), TRANSACTIONS)

    left = [path for path in (tmp_path / "scratch").rglob("*") if path.is_file() and path.name != "lock"]

    assert [path.suffix for path in left] == [".parquet"]


def test_a_dataset_that_the_layout_lacks_is_not_offered(drop):
    retail, cdnow = drop.source("online_retail"), drop.source("cdnow")

    assert [retail.offers(d) for d in (TRANSACTIONS, CUSTOMERS, PRODUCTS, LOYALTY_MOVEMENTS)] == [
        True
    ] * 3 + [False]
    assert not cdnow.offers(PRODUCTS)
