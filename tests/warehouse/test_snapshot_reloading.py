"""A snapshot of RFM that is loaded anew, between one before and one after it."""

from datetime import date

from tests.warehouse.shop import scored

FIRST, THEN, LAST = date(2026, 11, 7), date(2026, 11, 14), date(2026, 11, 21)


def test_a_snapshot_loaded_anew_keeps_the_one_before_it_and_is_the_one_before_the_next(shop):
    for as_of, score, segment in ((FIRST, "111", "lost"), (THEN, "333", "promising"), (LAST, "555", "loyal")):
        shop.rfm(as_of, scored("ann", as_of, score=score, segment=segment))

    shop.rfm(THEN, scored("ann", THEN, score="555", segment="loyal"))

    rows = shop.ask(
        "select fact.as_of, previous_rfm_score, rfm_score_change, segment_changed, previous.segment_code "
        "from analytics.fact_customer_rfm as fact left join analytics.dim_customer_segment as previous "
        "on previous.segment_sk = fact.previous_segment_sk order by 1"
    )
    assert rows == [
        (FIRST, None, None, None, None),
        (THEN, "111", "111->555", True, "lost"),
        (LAST, "555", "555->555", False, "loyal"),
    ]
