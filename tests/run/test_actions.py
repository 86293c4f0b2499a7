"""Actions of a firm that was really run."""

from tests.run.test_pipeline import AS_OF, sales


def test_where_value_is_not_known_nobody_is_offered_anything(shop):
    shop.add("acme", modules=["rfm", "actions"])
    shop.sell("acme", sales(5))

    shop.run("acme", AS_OF)

    assert shop.query("select count(*) from analytics.fact_action") == [(0,)]
    assert shop.query("select count(*) from analytics.dim_snapshot where fact_name = 'fact_action'") == [(1,)]
