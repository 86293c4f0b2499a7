"""A shop's own tables in Postgres, with customers whose personal data is easy to find again."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

import psycopg
from psycopg import sql

from include import sql_text


class Person(NamedTuple):
    """What a test looks for of a customer."""

    customer_id: str
    full_name: str
    email: str
    phone: str


def person(number: int) -> Person:
    """A customer of the shop."""
    return Person(
        f"C47{number:02}",
        f"Canan Kanarya{number:02}",
        f"canan{number:02}@post.test",
        f"+90 555 47114{number:02}",
    )


def fill(dsn: str, schema: str, *, customers: int, as_of: date) -> None:
    """Make the shop's tables and sell each customer one to three things in the months before ``as_of``."""
    with psycopg.connect(dsn) as connection:
        place = sql.Identifier(schema)
        connection.execute(sql.SQL("create schema {}; set search_path = {}").format(place, place))
        connection.execute(sql_text.read("extract", "postgres", "shop"))
        connection.execute("insert into products values ('p1', 'Tea', 'Food', 'Drinks', 'Leaf', 2)")
        connection.execute("alter table customers add column address text")
        connection.execute(
            "insert into campaigns (campaign_id, campaign_name) values ('spring', 'Spring');"
            "insert into channels (channel_code, cost_per_interaction) values ('desk', 2);"
            "insert into programmes (programme_id, programme_name) values ('club', 'Club')"
        )
        for number in range(customers):
            connection.execute(
                "insert into customers (customer_id, full_name, email, phone, birth_date, city, created_at, "
                "address) values (%s, %s, %s, %s, '1911-02-03', 'Izmir', '2026-01-01', %s)",
                [*person(number), f"Kanarya Street {number:02}"],
            )
            connection.execute(
                "insert into loyalty_movements (movement_id, customer_id, occurred_at, points_earned) "
                "values (%s, %s, '2026-11-02', 5)",
                [f"m{number}", person(number).customer_id],
            )
            connection.execute(
                "insert into interactions (interaction_id, activity_type, occurred_at, customer_id, "
                "channel_code, campaign_id, nps_score) "
                "select kind || %(number)s, kind, %(at)s, %(who)s, 'desk', "
                "case when kind = 'redemption' then 'spring' end, case when kind = 'nps' then 9 end "
                "from unnest(array['nps', 'complaint', 'redemption']) as kind",
                {"number": number, "at": as_of - timedelta(days=9), "who": person(number).customer_id},
            )
            connection.execute(
                "insert into leads (lead_id, customer_id, channel_code, created_at, converted_at, "
                "marketing_cost) values (%s, %s, 'desk', '2026-01-01', '2026-01-01', 3)",
                [f"l{number}", person(number).customer_id],
            )
            connection.execute(
                "insert into assignments (assignment_id, customer_id, action_code, assigned_at, is_control) "
                "values (%s, %s, 'card', %s, %s)",
                [f"a{number}", person(number).customer_id, as_of - timedelta(days=9), number % 2 == 0],
            )
            for order in range(1 + number % 3):
                key = f"o{number}-{order}"
                connection.execute(
                    "insert into orders (order_id, customer_id, ordered_at) values (%s, %s, %s)",
                    [key, person(number).customer_id, as_of - timedelta(days=1 + number % 25 + 30 * order)],
                )
                connection.execute(
                    "insert into order_lines (order_id, line_no, product_id, quantity, gross_amount, "
                    "cost_amount) values (%s, '1', 'p1', 1, %s, 1)",
                    [key, 10 + number],
                )
