from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from bench.sales import of_lines, write_parquet
from include import dictionary
from include.datasets.engagement import INTERACTIONS
from include.datasets.extracted import TRANSACTIONS
from include.datasets.features import CUSTOMER_FEATURES, FEATURE_QUERIES, GROUPS
from include.models.churn.trees import usable_features
from tests.models.churn import cases

AS_OF = date(2025, 5, 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("features")


@pytest.fixture(scope="module")
def shop(folder):
    return cases.shop(folder, customers=120)


@pytest.fixture(scope="module")
def features(shop, folder):
    return cases.features(shop, folder, as_of=AS_OF)


def test_there_are_at_least_167_features_each_of_one_group():
    names = [name for group in GROUPS for name in group.schema.names if name != "customer_id"]

    assert len(names) >= 167
    assert len(names) == len(set(names))
    assert CUSTOMER_FEATURES.schema.names == ["customer_id", *names]


def test_each_query_reads_only_what_earlier_queries_write():
    known = {read.name for _, reads in FEATURE_QUERIES for read in reads} - {
        d.name for d, _ in FEATURE_QUERIES
    }

    for dataset, reads in FEATURE_QUERIES:
        assert {read.name for read in reads} <= known
        known.add(dataset.name)


def test_the_dictionary_is_current():
    written = dictionary.PAGE.read_text(encoding="utf-8")

    assert written == dictionary.render(), "write it anew: python -m include.dictionary"


def test_every_customer_with_a_sale_has_one_row_in_order(features, shop):
    lines = pq.read_table(shop[TRANSACTIONS][0])
    buyers = pc.unique(lines.filter(pc.less(lines["order_date"], AS_OF))["customer_id"])

    assert features["customer_id"].to_pylist() == sorted(buyers.to_pylist())


def test_nothing_on_or_after_as_of_is_seen(features, shop, folder):
    blind = cases.features(shop, folder / "blind", as_of=AS_OF, until=AS_OF)

    assert blind.equals(features)


def test_events_beside_sales_are_features_where_the_firm_has_them(shop, folder):
    day = {"activity_type": "session", "occurred_at": datetime(2025, 4, 30, tzinfo=UTC), "event_count": 2}
    events = [
        {**day, "interaction_id": "e1", "customer_id": "c0001", "order_date": date(2025, 4, 30)},
        {**day, "interaction_id": "e2", "customer_id": "c0001", "order_date": AS_OF},
        {**day, "interaction_id": "e3", "customer_id": "nobody who bought", "order_date": date(2025, 4, 30)},
    ]
    table = pa.Table.from_pylist(events, schema=INTERACTIONS.schema)
    path = write_parquet(INTERACTIONS, table.to_batches(), folder)

    features = cases.features({**shop, INTERACTIONS: [path]}, folder / "events", as_of=AS_OF)

    visits = dict(
        zip(features["customer_id"].to_pylist(), features["visit_count_30_days"].to_pylist(), strict=True)
    )
    assert visits.pop("c0001") == 2
    assert set(visits.values()) == {0}
    assert {"visit_count_30_days", "days_since_last_visit"} <= set(usable_features(features))
    assert not {"message_count_30_days", "last_nps_score"} & set(usable_features(features))


def test_the_order_of_the_rows_changes_no_bit(features, shop, folder):
    lines = pq.read_table(shop[TRANSACTIONS][0])
    backwards = lines.take(pa.array(range(lines.num_rows - 1, -1, -1)))
    turned = of_lines(backwards, folder / "turned")

    found = cases.features(turned, folder / "turned", as_of=AS_OF)

    assert found.equals(features)


def test_shares_lie_between_0_and_1_and_weekdays_add_up(features):
    shares = [name for name in features.schema.names if name.endswith("_share")]
    weekdays = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

    for name in set(shares) - {"return_amount_share", "points_used_share"}:
        values = features[name].drop_null()
        assert len(values) == 0 or 0 <= pc.min(values).as_py() <= pc.max(values).as_py() <= 1 + 1e-12, name
    totals = [
        sum(row) for row in zip(*(features[f"{day}_share"].to_pylist() for day in weekdays), strict=True)
    ]
    assert totals == pytest.approx([1.0] * len(totals))
