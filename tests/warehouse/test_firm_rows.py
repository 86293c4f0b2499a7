"""The firms' rows: saved, paused, removed, and audited; a half-filled one is kept and refused later."""

import psycopg
import pytest

from include.firms import Firm, FirmError, parse_firm
from include.warehouse import UnknownFirm
from include.warehouse.firm_rows import FIELDS
from include.warehouse.session import Session
from tests.warehouse.shop import ACME


def test_a_saved_firm_is_read_back_the_same(shop):
    firm = parse_firm(
        ACME
        | {"source": {"kind": "postgres", "conn_id": "erp", "schema": "sales"}, "min_spend": 15.25}
        | {"rfm": {"window_days": 180}, "alerts": {"webhook": "hook"}, "modules": ("rfm",)}
    )

    shop.warehouse.firms.save_firm(firm, actor="ann")

    assert parse_firm(shop.warehouse.firms.firm_row("acme")) == firm


def test_a_firms_own_bounds_of_quality_are_read_back_with_what_is_switched_off(shop):
    bounds = {"transactions": {"volume": {"min_ratio": 0.25, "max_ratio": None}}}

    shop.warehouse.firms.save_firm(parse_firm(ACME | {"quality": bounds}), actor="ann")

    assert parse_firm(shop.warehouse.firms.firm_row("acme")).quality == bounds


def test_every_field_of_a_firm_has_its_column():
    assert set(FIELDS) == set(Firm.model_fields)


def test_a_row_with_a_missing_threshold_can_exist_and_is_refused_with_its_name(shop):
    with psycopg.connect(shop.dsn) as connection:
        connection.execute("insert into control.firms (firm_key, name) values ('half', 'Half')")

    rows = {row["firm_key"]: row for row in shop.warehouse.firms.firm_rows()}

    with pytest.raises(FirmError, match="churn_threshold_days"):
        parse_firm(rows["half"])
    assert parse_firm(rows["acme"]).name == "Acme"


def test_a_paused_firm_says_so_and_resumes(shop):
    shop.warehouse.firms.pause_firm("acme", True, actor="ann")
    paused = shop.warehouse.firms.firm_row("acme")["is_paused"]

    shop.warehouse.firms.pause_firm("acme", False, actor="ann")

    assert (paused, shop.warehouse.firms.firm_row("acme")["is_paused"]) == (True, False)


def test_a_removed_firm_is_gone_from_the_list_and_may_come_back(shop):
    shop.warehouse.firms.remove_firm("acme", actor="ann")
    after = (
        shop.warehouse.firms.firm_rows(),
        [r["firm_key"] for r in shop.warehouse.firms.firm_rows(include_removed=True)],
    )

    shop.warehouse.firms.save_firm(parse_firm(ACME), actor="ann")

    assert after == ([], ["acme"])
    assert shop.warehouse.firms.firm_row("acme")["name"] == "Acme"


def test_every_change_is_audited(shop):
    shop.warehouse.firms.pause_firm("acme", True, actor="ann")
    shop.warehouse.firms.pause_firm("acme", False, actor="bob")
    shop.warehouse.firms.remove_firm("acme", actor="cid")

    rows = shop.ask("select actor, change_made, firm_key from control.audit order by audit_id")

    assert rows == [
        ("test", "save", "acme"),
        ("ann", "pause", "acme"),
        ("bob", "resume", "acme"),
        ("cid", "remove", "acme"),
    ]


@pytest.mark.parametrize("change", ["firm_row", "pause", "remove"])
def test_an_unknown_firm_is_an_error_that_says_where_to_look(shop, change):
    calls = {
        "firm_row": lambda: shop.warehouse.firms.firm_row("nobody"),
        "pause": lambda: shop.warehouse.firms.pause_firm("nobody", True, actor="ann"),
        "remove": lambda: shop.warehouse.firms.remove_firm("nobody", actor="ann"),
    }

    with pytest.raises(UnknownFirm, match="no firm 'nobody'; see them: python -m include firms list"):
        calls[change]()


@pytest.mark.parametrize("key", ["Acme", "1a", "a-b", "a;drop table x", "../a", "", "a" * 64])
def test_a_key_that_is_no_identifier_cannot_exist(shop, key):
    with psycopg.connect(shop.dsn) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute("insert into control.firms (firm_key) values (%s)", [key])


def test_a_firm_is_read_without_reading_the_others(shop, monkeypatch):
    for key in ("bravo", "corso"):
        shop.warehouse.firms.save_firm(parse_firm(ACME | {"firm_key": key}), actor="ann")
    counts = []
    read = Session.rows

    def counting(self, query, params=None):
        rows = read(self, query, params)
        counts.append(len(rows))
        return rows

    monkeypatch.setattr(Session, "rows", counting)

    row = shop.warehouse.firms.firm_row("bravo")

    assert (row["firm_key"], counts) == ("bravo", [1])
