"""The benchmark of views runs on a few rows: no query fails or names a partition of another firm."""

from bench.views.generate import Scale, fill
from bench.views.measure import measure


def test_every_query_is_measured_and_none_reads_another_firm(migrated_dsn):
    scale = Scale(customers=40, lines=300, firms=2, detailed=2, summarised=3)
    fill(migrated_dsn, scale)
    (earlier, as_of), oldest = scale.days(2), scale.days(3)[0]

    found = {row.name: row for row in measure(migrated_dsn, as_of, earlier, oldest, rounds=1)}

    assert [row for row in found.values() if row.error or row.other_firms] == []
    assert len(found) > 100
    filled = {
        f"cohort_value, {oldest}",
        f"cohort_value, {as_of}",
        "console: customer_list",
        "vw_customer_360",
    }
    assert [name for name in filled if found[name].rows == 0] == []
