"""Unreadable files are reported by name, and no row is dropped without being counted."""

import gzip
import random

import pytest

from include.datasets.extracted import TRANSACTIONS
from include.sources import SourceError
from tests.sources.conftest import everything
from tests.sources.retail import HEADER, LINE

MESSAGE = (
    r"csv source, .*/drop/sales\.csv: .*CSV Error on Line: \d+ \| "
    "(Expected Number of Columns|Value with unterm|Invalid unicode|Maximum line size)"
)


@pytest.mark.parametrize(
    "text",
    [
        HEADER + LINE + "536365,85123A,HEART\n",
        HEADER + LINE + LINE.strip() + ",extra\n",
        HEADER + LINE.replace("HEART", '"HEART'),
        HEADER + LINE.replace("HEART", '"HE"ART'),
        HEADER + LINE.replace("HEART", "H\x80ART").replace("\x80", "\udc80"),
        HEADER + LINE.replace("HEART", "H" * 3_000_000),
    ],
    ids=["few fields", "many fields", "open quote", "odd quote", "not utf-8", "one endless line"],
)
def test_a_broken_file_is_an_error_that_names_it_and_no_row_is_dropped(drop, text):
    drop.write("sales.csv", text.encode("utf-8", "surrogateescape"))

    with pytest.raises(SourceError, match=MESSAGE) as caught:
        everything(drop.source("online_retail"), TRANSACTIONS)

    # The row contains personal data.
    assert "ART" not in str(caught.value)
    assert "85123A" not in str(caught.value)


def test_a_broken_file_among_others_is_reported_with_its_name(drop):
    drop.write("january.csv", HEADER + LINE)
    drop.write("february.csv.gz", gzip.compress((HEADER + LINE.replace("HEART", '"HE\nA"RT')).encode()))

    with pytest.raises(SourceError, match=r"drop/february\.csv\.gz: .*CSV Error on Line: 2 \| \w") as caught:
        everything(drop.source("online_retail"), TRANSACTIONS)

    assert "RT" not in str(caught.value)


@pytest.mark.parametrize("keep", [0.5, 0.99])
def test_a_truncated_gz_is_an_error_that_names_it(drop, keep):
    whole = gzip.compress((HEADER + LINE * 2000).encode())
    drop.write("sales.csv.gz", whole[: int(len(whole) * keep)])

    with pytest.raises(SourceError, match=r"sales.csv.gz is truncated"):
        everything(drop.source("online_retail"), TRANSACTIONS)


def test_a_gz_with_a_flipped_bit_is_an_error_that_names_it(drop):
    lines = "".join(LINE.replace("HEART", f"{random.Random(i).random()}") for i in range(2000))
    whole = bytearray(gzip.compress((HEADER + lines).encode()))
    whole[len(whole) // 2] ^= 1
    drop.write("sales.csv.gz", bytes(whole))

    with pytest.raises(SourceError, match=r"sales.csv.gz is (damaged|truncated|not utf-8)|CSV Error"):
        everything(drop.source("online_retail"), TRANSACTIONS)


def test_a_gz_of_several_members_is_read_whole(drop):
    drop.write("sales.csv.gz", gzip.compress((HEADER + LINE).encode()) + gzip.compress(LINE.encode()))

    assert len(everything(drop.source("online_retail"), TRANSACTIONS)) == 2


def test_a_decompression_bomb_is_refused_before_it_fills_the_disk(drop):
    drop.write("sales.csv.gz", gzip.compress(HEADER.encode() + b"0" * 50_000_000))

    with pytest.raises(SourceError, match="expands more than 200 times"):
        everything(drop.source("online_retail"), TRANSACTIONS)


def test_an_invalid_parquet_file_is_an_error_that_names_the_folder(drop):
    drop.write("sales.parquet", b"PAR1 nothing PAR1")

    with pytest.raises(SourceError, match=r"sales.parquet"):
        everything(drop.source("online_retail"), TRANSACTIONS)


def test_a_missing_column_is_named_with_its_file(drop):
    drop.write("sales.csv", HEADER.replace("UnitPrice,", "") + "1,1,TEA,1,2026-11-03 08:26,1,X\n")

    with pytest.raises(SourceError, match=r"file sales.csv: no column 'UnitPrice' or 'Price'; the file has"):
        everything(drop.source("online_retail"), TRANSACTIONS)


def test_a_duplicate_column_is_an_error(drop):
    drop.write("sales.csv", HEADER.replace("Country", "Price") + LINE)

    with pytest.raises(SourceError, match="column 'UnitPrice' occurs 2 times"):
        everything(drop.source("online_retail"), TRANSACTIONS)


def test_a_file_without_even_a_header_is_an_error(drop):
    drop.write("sales.csv", "")

    with pytest.raises(SourceError, match=r"sales.csv is empty"):
        drop.source("online_retail").first_month(TRANSACTIONS)


def test_files_without_a_readable_date_are_an_error(drop):
    drop.write("sales.csv", HEADER + LINE.replace("2026-11-03", "?"))

    with pytest.raises(SourceError, match=r"none of the rows .* set mapping.date_format"):
        drop.source("online_retail").first_month(TRANSACTIONS)
