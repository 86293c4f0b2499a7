"""Whole lists as files: every row, in each format, safe to open, and never a part that looks whole."""

from __future__ import annotations

import csv
import io

import httpx
import psycopg
import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from include.console import export_files, export_routes, reader
from include.console.app import HEADERS, create_app
from include.console.export_routes import LISTS
from include.console.reader import Reader
from tests.console.conftest import HeaderPermissions, served
from tests.sql.view.test_every_view import OLD

PAGED = {"history", "timeline"}  # they need a customer
EARLIER = {"migrations"}  # it needs a snapshot before


def parsed(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))


def test_every_list_is_a_file_in_every_format_with_the_same_rows(ask):
    for name in LISTS:
        files = {
            kind: ask("ann", f"firms/firm_acme/exports/{name}.{kind}", customer_id="ann")
            for kind in export_files.MEDIA_TYPES
        }

        assert {one.status_code for one in files.values()} == {200}, (name, files["csv"].text)
        assert all(
            answer.headers[header] == text for answer in files.values() for header, text in HEADERS.items()
        )
        table = pq.read_table(io.BytesIO(files["parquet"].content))
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(files["xlsx"].content)).get_sheet_by_name("rows")
        rows = parsed(files["csv"].content)
        assert len(rows) == table.num_rows == len(sheet.to_python()) - 1, name
        assert list(sheet.to_python()[0]) == table.column_names
        if rows:
            assert list(rows[0]) == table.column_names
        assert table.schema.metadata[b"firmament.firm"] == b"acme"
        assert table.schema.metadata[b"firmament.as_of"] == OLD.isoformat().encode()
        assert files["csv"].headers["content-disposition"].endswith(f'acme-{name}-{OLD}.csv"')
        assert "sort_key" not in table.column_names


def test_an_export_has_what_the_pages_have_with_the_same_filters(ask):
    chosen = {"risk": "High", "sort": "customer_id", "order": "asc"}
    pages = ask("ann", "firms/firm_acme/customers", **chosen, limit=500).json()["rows"]

    table = pq.read_table(
        io.BytesIO(ask("ann", "firms/firm_acme/exports/customers.parquet", **chosen).content)
    )
    text = parsed(ask("ann", "firms/firm_acme/exports/customers.csv", **chosen).content)

    shown = [
        {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()}
        for row in table.to_pylist()
    ]
    assert shown == pages
    assert [row["customer_id"] for row in text] == [row["customer_id"] for row in pages]
    spent = [row["total_spend"] for row in pages]
    assert [float(row["total_spend"]) if row["total_spend"] else None for row in text] == spent
    assert any(spent)


def test_a_text_that_is_a_formula_stays_a_text(ask, owner):
    formula = '=HYPERLINK("http://example.com")'
    with psycopg.connect(owner) as connection:
        connection.execute(
            "update analytics.fact_action set explanation = %s where firm_sk = "
            "(select firm_sk from analytics.dim_firm where firm_key = 'acme')",
            [formula],
        )

    (row, *_) = parsed(ask("ann", "firms/firm_acme/exports/actions-customers.csv").content)
    book = ask("ann", "firms/firm_acme/exports/actions-customers.xlsx").content
    raw = pq.read_table(io.BytesIO(ask("ann", "firms/firm_acme/exports/actions-customers.parquet").content))

    assert row["explanation"] == f"'{formula}"
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_name("rows").to_python()
    assert sheet[1][sheet[0].index("explanation")] == formula
    assert b"<f>" not in book
    assert raw.column("explanation").to_pylist()[0] == formula


def test_no_export_for_another_firms_user_or_without_a_session(ask):
    path = "firms/firm_acme/exports/customers.csv"

    assert ask(None, path).status_code == 401
    assert ask("zoe", path).status_code == 403
    assert "zeta" not in ask("ann", path).text


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("exports/passwords.csv", {}, 404),
        ("exports/customers.exe", {}, 422),
        ("exports/timeline.csv", {}, 422),
        ("exports/customers.csv", {"as_of": "2020-01-01"}, 404),
    ],
)
def test_an_export_that_cannot_be_made_is_a_problem(ask, path, params, status):
    answer = ask("ann", f"firms/firm_acme/{path}", **params)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_a_workbook_that_would_be_cut_is_refused_and_gives_its_place_back(ask, monkeypatch):
    monkeypatch.setattr(export_files, "MOST_XLSX_ROWS", 3)

    refused = [ask("ann", "firms/firm_acme/exports/customers.xlsx") for _ in range(4)]
    whole = ask("ann", "firms/firm_acme/exports/customers.csv")

    assert {answer.status_code for answer in refused} == {413}
    assert "parquet" in refused[0].json()["action"]
    assert len(parsed(whole.content)) > 3


def test_a_transfer_that_fails_on_the_way_does_not_look_complete(console_dsn, owner, monkeypatch):
    """The warehouse ends the connection after the first rows: the client sees a broken transfer."""
    monkeypatch.setattr(reader, "BATCH_ROWS", 1)
    made = reader.Batches.__iter__

    def broken(batches):
        for number, rows in enumerate(made(batches)):
            if number == 2:
                with psycopg.connect(owner, autocommit=True) as connection:
                    connection.execute(
                        "select pg_terminate_backend(pid) from pg_stat_activity "
                        "where application_name = 'firmament console' and state like 'idle in%'"
                    )
            yield rows

    monkeypatch.setattr(reader.Batches, "__iter__", broken)
    own = Reader(lambda: console_dsn, connections=1)
    with served(create_app(HeaderPermissions(), own)) as url:
        for _ in range(export_routes.EXPORTS_AT_ONCE + 1):
            with pytest.raises(httpx.RemoteProtocolError):
                httpx.get(f"{url}/api/v1/firms/firm_acme/exports/customers.csv", headers={"x-user": "ann"})
        monkeypatch.setattr(reader.Batches, "__iter__", made)
        after = httpx.get(f"{url}/api/v1/firms/firm_acme/exports/customers.csv", headers={"x-user": "ann"})
    own.close()

    assert after.status_code == 200


def test_a_client_that_leaves_gives_back_its_connection(console_dsn, monkeypatch):
    monkeypatch.setattr(reader, "BATCH_ROWS", 1)
    own = Reader(lambda: console_dsn, connections=1)
    path = "/api/v1/firms/firm_acme/exports/customers.csv"
    with served(create_app(HeaderPermissions(), own)) as url:
        for _ in range(export_routes.EXPORTS_AT_ONCE + 1):
            with httpx.stream("GET", url + path, headers={"x-user": "ann"}) as answer:
                assert answer.status_code == 200
                next(answer.iter_raw())
        assert httpx.get(url + path, headers={"x-user": "ann"}).status_code == 200
    own.close()
