"""A firm is checked before it is saved: each permanent mistake is refused, and nothing is stored."""

from __future__ import annotations

import socket
import time

import psycopg
import pytest
import yaml
from psycopg.conninfo import conninfo_to_dict
from typer.testing import CliRunner

from include.cli import app
from include.firm_checks import CheckError, check_firm
from include.firms import parse_firm
from include.simulator.writing import create_shop
from include.sources import SOURCES
from tests.test_firms import ROW


@pytest.fixture
def add(migrated_dsn, tmp_path, monkeypatch):
    """``firms add`` with a row; the exit code, what it said, and which firms are then saved."""
    monkeypatch.setenv("FIRMAMENT_HOME", str(tmp_path))
    monkeypatch.setenv("FIRMAMENT_WAREHOUSE_DSN", migrated_dsn)
    (tmp_path / "drop").mkdir()

    def run(source: dict, *words: str, **changes: object) -> tuple[int, str, list[str]]:
        file = tmp_path / "firms.yaml"
        file.write_text(yaml.safe_dump(ROW | {"source": source} | changes))
        result = CliRunner().invoke(
            app, ["firms", "add", "--file", str(file), *words], env={"COLUMNS": "400"}
        )
        with psycopg.connect(migrated_dsn) as connection:
            saved = [key for (key,) in connection.execute("select firm_key from control.firms").fetchall()]
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert len(result.stderr.splitlines()) <= 5
        return result.exit_code, result.output, saved

    return run


@pytest.fixture
def shop(warehouse_dsn, monkeypatch):
    """A connection ``acme_shop`` to a database with an empty shop in the schema ``shop``."""
    with psycopg.connect(warehouse_dsn) as connection:
        create_shop(connection, "shop")
        connection.execute("create schema bare")
    monkeypatch.setenv("AIRFLOW_CONN_ACME_SHOP", warehouse_dsn)
    return {"kind": "postgres", "conn_id": "acme_shop", "schema": "shop"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rfm": {"segment_parents": {"champion": "best"}}}, "['champion'] are no segments"),
        (
            {"rfm": {"segments": [{"segment_code": "a", "segment_name": "A", "cells": "5 5 5"}]}},
            "124 of 125 cells",
        ),
        ({"ltv": {"tier_bounds": [20, 40, 30, 90]}}, "ltv.tier_bounds must be four rising percentiles"),
        ({"ltv": {"tier_benefits": {"diamond": "a ring"}}}, "['diamond'] are no tiers; there are ['basic'"),
        ({"ltv": {"tier_benefits": {"gold": ""}}}, "the texts of ['gold'] must have 1 to 300 characters"),
    ],
)
def test_tiers_and_segments_that_cannot_be_are_refused(add, tmp_path, changes, message):
    (tmp_path / "drop" / "sales.csv").write_text("customer_id,date,cds,spend\n")
    source = {"kind": "csv", "uri": (tmp_path / "drop").as_uri(), "layout": "cdnow"}

    code, output, saved = add(source, **changes)

    assert (code, saved) == (2, [])
    assert message in output


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"kind": "postgress", "conn_id": "x"}, "kind 'postgress' is unknown, did you mean 'postgres'?"),
        ({"kind": "csv", "uri": "DROP", "layout": "cdnoww"}, "'cdnoww' is unknown, did you mean 'cdnow'?"),
        ({"kind": "csv", "uri": "DROP/none", "layout": "cdnow"}, "is not a folder"),
        ({"kind": "csv", "uri": "s3://bucket/x", "layout": "cdnow"}, "must begin with file://"),
        ({"kind": "csv", "conn_id": "x", "layout": "cdnow"}, "does not use ['conn_id']"),
        ({"kind": "csv", "uri": "DROP", "layout": "cdnow", "schema": "x"}, "does not use ['schema']"),
        ({"kind": "csv", "uri": "DROP", "layout": "mapped", "mapping": {"custmer_id": "C"}}, "custmer_id"),
        ({"kind": "postgres", "uri": "DROP"}, "does not use ['uri']"),
        (
            {"kind": "oracle", "conn_id": "x"},
            "needs source.conn_id, an Airflow connection, and source.schema",
        ),
        ({"kind": "odoo", "conn_id": "x", "mapping": {"compny": "1"}}, "unknown options ['compny']"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_row_that_can_never_run_is_not_saved(add, tmp_path, source, message):
    place = {
        k: v.replace("DROP", (tmp_path / "drop").as_uri()) for k, v in source.items() if isinstance(v, str)
    }

    code, told, saved = add(source | place)
    unchecked, _, still = add(source | place, "--no-check")  # leaves out the connections alone

    assert (code, unchecked, saved, still) == (2, 2, [], [])
    assert message in told


def test_every_kind_of_source_has_its_check(tmp_path):
    rows = {
        "csv": {"uri": tmp_path.as_uri(), "layout": "cdnow"},
        "postgres": {"conn_id": "x"},
        "odoo": {"conn_id": "x"},
        "oracle": {"conn_id": "x", "schema": "s"},
    }

    assert set(rows) == set(SOURCES)
    for kind, place in rows.items():
        check_firm(parse_firm(ROW | {"source": {"kind": kind, **place}}), str, connects=False)


def test_a_firm_whose_source_opens_is_saved(add, shop):
    code, message, saved = add(shop)

    assert (code, saved) == (0, ["acme"]), message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"conn_id": "nowhere"}, "source.conn_id: no connection 'nowhere'"),
        ({"schema": "shopp"}, "schema 'shopp': no such schema; there are"),
        ({"schema": "bare"}, "schema 'bare': missing tables ['customers'"),
        ({"kind": "odoo"}, "missing tables ['sale_order'"),
    ],
    ids=str,
)
def test_a_source_that_does_not_answer_as_the_row_says_is_not_saved_unless_asked_to(
    add, shop, changes, message
):
    code, told, saved = add(shop | changes)
    unchecked, _, still = add(shop | changes, "--no-check")

    assert (code, saved) == (2, [])
    assert message in told
    assert "--no-check" in told
    assert (unchecked, still) == (0, ["acme"])


def test_a_connection_of_an_alert_or_of_publishing_must_be_configured(add, shop):
    for changes in ({"alerts": {"slack": "ops"}}, {"publish": {"webhook": "hook"}}):
        code, told, saved = add(shop, **changes)

        assert (code, saved) == (2, [])
        assert "no connection" in told


def test_one_wrong_firm_of_a_file_is_named_and_the_other_saved(add, tmp_path, migrated_dsn):
    good = ROW | {"source": {"kind": "csv", "uri": (tmp_path / "drop").as_uri(), "layout": "cdnow"}}
    bad = good | {"firm_key": "zeta", "source": good["source"] | {"layout": "cdnoww"}}
    (tmp_path / "two.yaml").write_text(yaml.safe_dump([bad, good]))

    words = ["firms", "add", "--no-check", "--file", str(tmp_path / "two.yaml")]
    message = CliRunner().invoke(app, words, env={"COLUMNS": "400"})

    assert message.exit_code == 2
    assert "saved: 1 of 2 firms; refused: zeta" in message.output
    assert "did you mean 'cdnow'" in message.output
    with psycopg.connect(migrated_dsn) as connection:
        assert connection.execute("select firm_key from control.firms").fetchall() == [(ROW["firm_key"],)]


def test_a_server_that_accepts_and_is_silent_is_given_up_soon():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        dsn = f"postgresql://127.0.0.1:{silent.getsockname()[1]}/shop"
        started = time.monotonic()

        with pytest.raises(CheckError, match="did not answer within 1 seconds"):
            check_firm(parse_firm(ROW), lambda conn_id: dsn, seconds=1)

    assert time.monotonic() - started < 5


def test_the_password_of_a_connection_that_is_refused_is_not_shown(add, shop, warehouse_dsn, monkeypatch):
    port = conninfo_to_dict(warehouse_dsn).get("port")
    monkeypatch.setenv("AIRFLOW_CONN_ACME_SHOP", f"postgresql://ada:hunter2@127.0.0.1:{port}/nothing")

    code, told, saved = add(shop)

    assert (code, saved) == (2, [])
    assert "cannot connect" in told
    assert "hunter2" not in told
