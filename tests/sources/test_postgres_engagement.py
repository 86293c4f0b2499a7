"""Campaigns, events and leads read from a shop's schema."""

import csv
import gzip
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest

from include.datasets.engagement import ACTIVITY_TYPES, ASSIGNMENTS, DIRECTORY, INTERACTIONS, LEADS
from include.datasets.extracted import LOYALTY_MOVEMENTS
from include.periods import Month
from include.simulator.writing import copy
from tests.sources.conftest import everything, reasons, usable

HELPDESK = Path(__file__).parents[3] / "shared" / "data" / "helpdesk"
EVENT = (
    "insert into interactions (interaction_id, activity_type, occurred_at, {}) values ('{}', '{}', '{}', {})"
)


def event(key: str, kind: str = "ticket", at: str = "2026-11-03 10:00Z", **more: object) -> str:
    columns = ", ".join(more) or "event_count"
    values = ", ".join(str(value) for value in more.values()) or "1"
    return EVENT.format(columns, key, kind, at, values)


def test_an_event_is_canonical_and_its_day_is_in_the_firms_zone(shop):
    shop.create()
    shop.run(
        event(
            "e1", "nps", "2026-11-03 23:30-05:00", customer_id="'00123'", channel_code="'mail'", nps_score=0,
            campaign_id="'c1'", cost_amount="0.0001", sentiment_score=-1, activity_subtype="'order'",
        )
    )  # fmt: skip

    (row,) = everything(shop.source(), INTERACTIONS)

    assert {name: value for name, value in row.items() if value is not None} == {
        "interaction_id": "e1",
        "activity_type": "nps",
        "activity_subtype": "order",
        "occurred_at": datetime(2026, 11, 4, 4, 30, tzinfo=UTC),
        "order_date": date(2026, 11, 4),
        "customer_id": "00123",
        "channel_code": "mail",
        "campaign_id": "c1",
        "event_count": 1,
        "cost_amount": Decimal("0.0001"),
        "sentiment_score": -1.0,
        "nps_score": 0,
    }


def test_every_type_of_activity_is_read(shop):
    shop.create()
    shop.run(*(event(kind, kind) for kind in ACTIVITY_TYPES))

    rows = everything(shop.source(), INTERACTIONS)

    assert sorted(row["activity_type"] for row in usable(rows)) == sorted(ACTIVITY_TYPES)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (event("e", "dance"), "unknown_type"),
        (event("e", event_count=-1), "negative_amount"),
        (event("e", cost_amount="'NaN'"), "bad_number"),
        (event("e", session_duration_mins="'infinity'"), "bad_number"),
        (event("e", session_duration_mins=-1), "negative_amount"),
        (event("e", nps_score=11), "score_out_of_range"),
        (event("e", sentiment_score="-1.01"), "score_out_of_range"),
        (event("e", sentiment_score="'NaN'"), "score_out_of_range"),
        (event(""), "missing_id"),
        (event("e", at="1899-01-01Z"), "bad_date"),
    ],
)
def test_an_event_that_cannot_be_used_is_counted_by_reason(shop, wrong, reason):
    shop.create()
    shop.run(event("good"), wrong)

    rows = everything(shop.source(), INTERACTIONS)

    assert reasons(rows) == [reason]
    assert [row["interaction_id"] for row in usable(rows)] == ["good"]


def test_no_event_on_or_after_as_of_is_seen(shop):
    shop.create()
    shop.run(event("before", at="2026-11-20 23:59:59Z"), event("after", at="2026-11-21 00:00Z"))

    rows = everything(shop.source(), INTERACTIONS)

    assert [row["interaction_id"] for row in rows] == ["before"]
    assert shop.source().first_month(INTERACTIONS) == Month.parse("2026-11")


def test_the_directory_has_campaigns_known_before_as_of_channels_and_programmes(shop):
    shop.create()
    shop.run(
        "insert into campaigns values ('c1', 'Spring', 'retention', 'mail', 'champions', '2026-03-01',"
        " '2026-04-01', 100.5, 'done', '2026-02-01Z')",
        "insert into campaigns (campaign_id, created_at) values ('later', '2026-11-21Z'), ('always', null)",
        "insert into campaigns (campaign_id, start_date, end_date)"
        " values ('odd', '2026-03-02', '2026-03-01')",
        "insert into channels values ('mail', 'E-mail', 'marketing', 'digital', true, 0.01)",
        "insert into channels (channel_code, cost_per_interaction) values ('dear', -1)",
        "insert into programmes values ('club', 'Club', '')",
    )

    rows = everything(shop.source(), DIRECTORY)

    result = {(row["kind"], row["code"]): row for row in usable(rows)}
    assert set(result) == {
        ("campaign", "c1"), ("campaign", "always"), ("channel", "mail"), ("programme", "club"),
    }  # fmt: skip
    spring, mail = result["campaign", "c1"], result["channel", "mail"]
    assert (spring["entry_name"], spring["budget_amount"], spring["end_date"]) == (
        "Spring", Decimal("100.5"), date(2026, 4, 1),
    )  # fmt: skip
    assert (mail["category"], mail["is_online"], mail["cost_per_interaction"]) == (
        "digital", True, Decimal("0.01"),
    )  # fmt: skip
    assert result["programme", "club"]["entry_type"] is None
    assert reasons(rows) == ["ends_before_start", "negative_amount"]


def test_events_of_a_lead_on_or_after_as_of_are_not_read(shop):
    shop.create()
    shop.run(
        "insert into leads (lead_id, customer_id, created_at, first_contact_at, converted_at, sales_cost)"
        " values"
        " ('won', 'a', '2026-11-01Z', '2026-11-02Z', '2026-11-20Z', 5),"
        " ('soon', 'b', '2026-11-01Z', '2026-11-21Z', '2026-11-21Z', 5),"
        " ('later', 'c', '2026-11-21Z', null, null, 5),"
        " ('odd', 'd', '2026-11-05Z', null, '2026-11-04Z', 5),"
        " ('dear', 'e', '2026-11-05Z', null, null, -5)"
    )

    rows = everything(shop.source(), LEADS)

    result = {
        row["lead_id"]: (row["customer_id"], row["first_contact_date"], row["converted_date"])
        for row in usable(rows)
    }
    assert result == {
        "won": ("a", date(2026, 11, 2), date(2026, 11, 20)),
        "soon": (None, None, None),
    }
    assert reasons(rows) == ["converted_before_created", "negative_amount"]


def test_a_shop_without_these_tables_offers_none_of_them(shop):
    shop.create()
    shop.run("drop table interactions", "drop table programmes", "drop table leads")

    source = shop.source()

    assert [source.offers(d) for d in (INTERACTIONS, DIRECTORY, LEADS, LOYALTY_MOVEMENTS)] == [
        False, False, False, True,
    ]  # fmt: skip


def test_every_step_of_the_real_tickets_of_2013_is_read(shop):
    if not HELPDESK.is_dir():
        pytest.skip("the help desk's events are not beside this checkout")
    with gzip.open(HELPDESK / "helpdesk_events.csv.gz", "rt") as file:
        rows = [row for row in csv.DictReader(file) if row["timestamp_utc"] >= "2013"]
    table = pa.table(
        {
            "interaction_id": [str(n) for n in range(len(rows))],
            "activity_type": ["ticket"] * len(rows),
            "activity_subtype": [row["activity"] for row in rows],
            "activity_reference": [row["case_id"] for row in rows],
            "occurred_at": [row["timestamp_utc"] for row in rows],
        }
    )
    shop.create()
    with psycopg.connect(shop.dsn) as connection:
        connection.execute(f"set search_path to {shop.schema}")
        copy(connection, "interactions", table)

    found = everything(shop.source("UTC"), INTERACTIONS, date(2014, 2, 1))

    read = [(row["activity_reference"], row["activity_subtype"], row["occurred_at"]) for row in usable(found)]
    assert sorted(read) == sorted(
        (row["case_id"], row["activity"], datetime.fromisoformat(row["timestamp_utc"])) for row in rows
    )
    assert max(at for _, _, at in read) == datetime(2014, 1, 3, 13, 20, 58, tzinfo=UTC)


ASSIGNED = (
    "insert into assignments (assignment_id, customer_id, action_code, assigned_at, is_control,"
    " control_share, cost_amount) values "
)


def test_an_assignment_is_canonical_and_its_day_is_in_the_firms_zone(shop):
    shop.create()
    shop.run(ASSIGNED + "('a1', '007', 'spring', '2026-11-03 23:30-05:00', true, 0.1, 0.25)")

    (row,) = everything(shop.source(), ASSIGNMENTS)

    assert {name: value for name, value in row.items() if value is not None} == {
        "assignment_id": "a1",
        "customer_id": "007",
        "action_code": "spring",
        "occurred_at": datetime(2026, 11, 4, 4, 30, tzinfo=UTC),
        "order_date": date(2026, 11, 4),
        "is_control": True,
        "control_share": 0.1,
        "cost_amount": Decimal("0.25"),
    }


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ("('', 'a', 'x', '2026-11-03', true, null, null)", "missing_id"),
        ("('1', '', 'x', '2026-11-03', true, null, null)", "missing_customer"),
        ("('1', 'a', '', '2026-11-03', true, null, null)", "unknown_type"),
        ("('1', 'a', 'x', '2026-11-03', null, null, null)", "missing_group"),
        ("('1', 'a', 'x', '2026-11-03', true, 1, null)", "bad_number"),
        ("('1', 'a', 'x', '2026-11-03', true, 0.1, -1)", "negative_amount"),
        ("('1', 'a', 'x', '2026-11-03', true, 0.1, 'NaN')", "bad_number"),
    ],
)
def test_an_assignment_that_cannot_be_used_is_rejected_with_its_reason(shop, values, reason):
    shop.create()
    shop.run("alter table assignments alter column is_control drop not null", ASSIGNED + values)

    assert reasons(everything(shop.source(), ASSIGNMENTS)) == [reason]


def test_a_shop_without_that_table_offers_no_assignments(shop):
    shop.create()
    shop.run("drop table assignments")

    assert not shop.source().offers(ASSIGNMENTS)
