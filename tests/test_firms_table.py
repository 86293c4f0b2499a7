import re

import oracledb
import psycopg
import pytest

from include.firms import parse_firm
from include.firms_table import FirmsTableError, import_firms
from include.warehouse import Warehouse

ROW = "insert into crm.firms values "


@pytest.fixture
def crm(module_migrated_dsn):
    """A FIRMS table in a schema of the warehouse's own database, and an import from it."""

    class Crm:
        def run(self, *statements: str) -> None:
            with psycopg.connect(module_migrated_dsn) as connection:
                for statement in statements:
                    connection.execute(statement)

        def sync(self, **changes):
            settings = {"timezone": "Europe/Istanbul", "currency": "TRY", "schema": "crm"} | changes
            with Warehouse(module_migrated_dsn) as warehouse:
                return import_firms(warehouse.firms, lambda conn_id: module_migrated_dsn, "crm", **settings)

        def firms(self) -> dict:
            with Warehouse(module_migrated_dsn) as warehouse:
                return {row["firm_key"]: row for row in warehouse.firms.firm_rows()}

        def save(self, row: dict) -> None:
            with Warehouse(module_migrated_dsn) as warehouse:
                warehouse.firms.save_firm(parse_firm(row), "test")

    made = Crm()
    made.run(
        "create schema crm",
        "create table crm.firms (firm_id numeric, firm_name text, schema_name text, is_active numeric,"
        " working_day_period numeric, churn_threshold numeric, is_rfm numeric, is_clv numeric)",
    )
    yield made
    made.run("drop schema crm cascade", "delete from control.firms")


def test_a_row_of_the_table_becomes_a_firm(crm):
    crm.run(ROW + "(7, 'Acme', 'ACME_DWH', 1, 7, 120, 1, 0)")

    done = crm.sync()

    assert done.saved == ["firm_7"]
    firm = parse_firm(crm.firms()["firm_7"])
    assert (firm.name, firm.working_day_period, firm.churn_threshold_days) == ("Acme", 7, 120)
    assert (firm.source.kind, firm.source.conn_id, firm.source.db_schema) == ("postgres", "crm", "acme_dwh")
    assert (firm.timezone, firm.currency, firm.is_paused) == ("Europe/Istanbul", "TRY", False)
    assert "rfm" in firm.modules
    assert "ltv" not in firm.modules


def test_an_inactive_firm_is_paused_and_a_second_import_changes_nothing(crm):
    crm.run(ROW + "(7, 'Acme', 'acme', 0, 1, 90, 1, 1)")

    first, second = crm.sync(), crm.sync()

    assert crm.firms()["firm_7"]["is_paused"] is True
    assert (first.saved, second.saved, second.unchanged) == (["firm_7"], [], ["firm_7"])


def test_fields_that_the_table_lacks_stay(crm):
    crm.run(ROW + "(7, 'Acme', 'acme', 1, 1, 90, 1, 1)")
    crm.sync()
    crm.save({**crm.firms()["firm_7"], "owner": "ann", "currency": "EUR", "lookback_days": 60})
    crm.run("update crm.firms set churn_threshold = 45")

    crm.sync()

    row = crm.firms()["firm_7"]
    assert (row["owner"], row["currency"], row["lookback_days"]) == ("ann", "EUR", 60)
    assert row["churn_threshold_days"] == 45


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ("8, 'B', 'b', 1, 1, null, 1, 1", r"CHURN_THRESHOLD None must be a whole number"),
        ("8, 'B', 'b', 1, 1.5, 90, 1, 1", r"WORKING_DAY_PERIOD .* must be a whole number"),
        ("8, 'B', 'b', 1, 1, 0, 1, 1", r"churn_threshold_days"),
        ("8, 'B', 'b; drop table x', 1, 1, 90, 1, 1", r"SCHEMA_NAME 'b; drop table x' must be letters"),
        ("8, 'B', null, 1, 1, 90, 1, 1", r"SCHEMA_NAME None"),
        ("8, 'B', 'b', 2, 1, 90, 1, 1", r"IS_ACTIVE .* must be 1 or 0"),
        ("8, 'B', 'b', null, 1, 90, 1, 1", r"IS_ACTIVE None"),
        ("8, 'B', 'b', 1, 1, 90, 5, 1", r"IS_RFM .* must be 1 or 0"),
        ("null, 'B', 'b', 1, 1, 90, 1, 1", r"FIRM_ID ''"),
        ("7, 'B', 'b', 1, 1, 90, 1, 1", r"more than once"),
    ],
)
def test_an_invalid_row_is_refused_without_affecting_others(crm, values, why):
    crm.run(ROW + f"(7, 'Acme', 'acme', 1, 1, 90, 1, 1), ({values})")

    done = crm.sync()

    assert done.saved == ["firm_7"]
    (reason,) = done.refused.values()
    assert re.search(why, reason)
    assert list(crm.firms()) == ["firm_7"]


def test_a_firm_missing_from_the_table_is_reported_and_stays(crm):
    crm.run(ROW + "(7, 'Acme', 'acme', 1, 1, 90, 1, 1), (8, 'Beta', 'beta', 1, 1, 90, 1, 1)")
    crm.sync()
    crm.run("delete from crm.firms where firm_id = 8")

    done = crm.sync()

    assert done.gone == ["firm_8"]
    assert set(crm.firms()) == {"firm_7", "firm_8"}


def test_a_table_that_is_missing_or_lacks_columns_is_an_error(crm):
    crm.run("alter table crm.firms drop column is_active")

    with pytest.raises(FirmsTableError, match=r"FIRMS has no columns \['IS_ACTIVE'\]"):
        crm.sync()
    with pytest.raises(FirmsTableError, match=r"nowhere\.firms"):
        crm.sync(schema="nowhere")


def test_the_table_may_be_in_oracle(module_migrated_dsn, crm):
    class Connection:
        current_schema = None
        is_closed = False

        def cursor(self):
            return self

        def __enter__(self):
            return self

        def __exit__(self, *error):
            return None

        def execute(self, text):
            if self.current_schema != "CRM":
                raise oracledb.DatabaseError("ORA-00942: table or view does not exist")

        description = (
            ("FIRM_ID",),
            ("SCHEMA_NAME",),
            ("IS_ACTIVE",),
            ("WORKING_DAY_PERIOD",),
            ("CHURN_THRESHOLD",),
        )

        def fetchall(self):
            return [(7.0, "ACME_DWH", "Y", 1, 90)]

        def close(self):
            self.is_closed = True

    connection = Connection()
    settings = {"timezone": "UTC", "currency": "GBP", "connect": lambda conn_id: connection}

    with Warehouse(module_migrated_dsn) as warehouse:
        done = import_firms(warehouse.firms, lambda _: "oracle://u:p@h/x", "ora", schema="crm", **settings)
        connection.current_schema = None
        with pytest.raises(FirmsTableError, match="ORA-00942"):
            import_firms(warehouse.firms, lambda _: "oracle://u:p@h/x", "ora", **settings)

    assert done.saved == ["firm_7"]
    assert crm.firms()["firm_7"]["source"] == {"kind": "oracle", "conn_id": "ora", "schema": "acme_dwh"}
    assert connection.is_closed
