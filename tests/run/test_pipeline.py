import os
import random
import re
import shutil
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from include.firms import MODULES, FirmError
from include.quality import QualityError
from include.sources import SourceError
from tests.file_modes import open_to_others

AS_OF = date(2025, 3, 1)
RETAIL = Path(__file__).parents[3] / "shared" / "data" / "online_retail_i" / "online_retail_i.parquet"


def sales(customers: int, *, until: date = AS_OF, seed: int = 1) -> list[tuple]:
    """Some orders for each customer in the sixty days before ``until``."""
    rng = random.Random(seed)
    rows = [
        (f"o{c:03}-{n}", until - timedelta(days=rng.randint(1, 60)), f"c{c:03}", rng.randint(1, 200))
        for c in range(customers)
        for n in range(rng.randint(1, 6))
    ]
    return sorted(rows, key=lambda row: row[1])


def test_the_same_run_twice_leaves_identical_facts(shop):
    shop.add("acme")
    shop.sell("acme", sales(40))
    shop.run("acme", AS_OF)
    before = shop.facts("acme")

    shop.run("acme", AS_OF, full=True)

    assert len(before["rfm"]) == 40
    assert shop.facts("acme") == before


def test_rows_dated_on_or_after_as_of_change_nothing(shop):
    shop.add("acme")
    shop.sell("acme", sales(30))
    shop.run("acme", AS_OF)
    before = shop.facts("acme")
    shop.sell(
        "acme", [("late", AS_OF, "c000", 999), ("later", AS_OF + timedelta(9), "new", 5)], name="more.csv"
    )

    shop.run("acme", AS_OF, full=True)

    assert shop.facts("acme") == before


@pytest.mark.parametrize("customers", [0, 1, 2])
def test_a_firm_of_a_handful_runs_and_says_what_it_cannot_compute(shop, customers):
    shop.add("tiny", modules=list(MODULES))
    shop.sell("tiny", sales(customers))

    shop.run("tiny", AS_OF)

    assert {row[1] for row in shop.facts("tiny")["rfm"]} == {f"c{n:03}" for n in range(customers)}
    assert {row[3] for row in shop.facts("tiny")["rfm"]} <= {"unscored"}
    lacks = {
        "rfm": "fewer than 20|no customer has a sale",
        "churn": "fewer than 3 cutoffs",
        "ltv": "of 500 customers",
    }
    for module, lack in lacks.items():
        is_sufficient, reason = said(shop, "tiny", module)
        assert not is_sufficient
        assert re.search(lack, reason), reason
    # Risk falls back to a rule, which says so; a value that cannot be stood behind is not given.
    assert shop.query("select count(*), count(predicted_clv_1_year) from analytics.fact_customer_ltv") == [
        (customers, 0)
    ]
    assert shop.query("select count(*) from analytics.fact_customer_churn_risk where method = 'rules'") == [
        (customers,)
    ]


def test_twenty_customers_are_scored_and_the_models_say_what_they_lack(shop):
    shop.add("small", modules=list(MODULES))
    shop.sell("small", sales(20))

    notes = shop.run("small", AS_OF)

    assert [bool(row[2]) for row in shop.facts("small")["rfm"]] == [True] * 20
    assert said(shop, "small", "rfm")[0]
    for module, lack in {"churn": "fewer than 3 cutoffs", "ltv": "of 500 customers"}.items():
        is_sufficient, reason = said(shop, "small", module)
        assert not is_sufficient
        assert lack in reason
        assert reason in notes[f"fit_{module}"]


def said(shop, key: str, module: str) -> tuple[bool, str]:
    """What a module says of its data."""
    (told,) = shop.query(
        "select is_sufficient, reason from control.module_status where firm_key = %s and module = %s",
        key,
        module,
    )
    return told


def test_a_bad_batch_stops_the_firm_and_the_last_snapshot_stays(shop):
    shop.add("acme")
    shop.sell("acme", sales(30))
    shop.run("acme", AS_OF)
    before = shop.facts("acme")
    shop.sell("acme", [])

    with pytest.raises(QualityError, match=r"python -m include run acme --as-of 2025-03-02 --from extract_"):
        shop.run("acme", AS_OF + timedelta(days=1))

    assert shop.facts("acme") == before


def test_what_a_run_leaves_can_be_read_by_its_owner_alone(shop):
    shop.add("acme")
    shop.sell("acme", sales(30))
    home = shop.home / "home"
    for name in ("handoffs", "cache", "scratch", "logs"):  # as an earlier version left them
        (home / name / "old").mkdir(parents=True)
        (home / name / "old" / "names.txt").write_text("Ada")
    before = os.umask(0o022)

    try:
        shop.run("acme", AS_OF)
        kept = os.umask(0o022)
    finally:
        os.umask(before)

    assert open_to_others(home) == ({(".", 0o011)} if os.geteuid() == 0 else set())
    assert kept == 0o022
    assert {path.parts[len(home.parts)] for path in home.rglob("*.parquet")} == {"handoffs", "cache"}


def test_bad_rows_are_rejected_by_reason_and_the_rest_is_loaded(shop):
    shop.add("acme")
    rows = sales(30)
    shop.sell("acme", [*rows, ("x1", "2025-02-30", "c001", 5), ("x2", "2025-02-03", "c001", "much"), rows[0]])

    shop.run("acme", AS_OF)

    rejected = dict(
        shop.query("select reason, sum(row_count) from control.rejections where firm_key = 'acme' group by 1")
    )
    assert rejected == {"bad_date": 1, "bad_number": 1, "exact_duplicate": 1}
    assert len(shop.facts("acme")["sales"]) == len(rows)


def test_a_folder_that_is_not_there_is_named(shop):
    folder = shop.add("acme")
    folder.rmdir()

    with pytest.raises(SourceError, match=str(folder)):
        shop.run("acme", AS_OF)


def test_a_missing_column_is_named_with_the_file(shop):
    folder = shop.add("acme")
    (folder / "sales.csv").write_text("order,line,at,customer,product,quantity\no1,1,2025-01-01,c,p,1\n")

    with pytest.raises(SourceError, match=r"sales\.csv.*amount"):
        shop.run("acme", AS_OF)


def test_a_firm_without_a_threshold_fails_alone_and_says_which(shop):
    shop.add("lacking")
    shop.add("sound")
    for key in ("lacking", "sound"):
        shop.sell(key, sales(25))
    shop.query("update control.firms set churn_threshold_days = null where firm_key = 'lacking' returning 1")

    with pytest.raises(FirmError, match=r"firm lacking: churn_threshold_days: Field required.*firms add"):
        shop.run("lacking", AS_OF)

    shop.run("sound", AS_OF)
    assert len(shop.facts("sound")["rfm"]) == 25


def test_a_backfill_over_kept_months_reads_the_source_for_nothing(shop):
    shop.add("acme")
    shop.sell("acme", sales(25))
    shop.run("acme", AS_OF)

    notes = shop.run("acme", AS_OF - timedelta(days=20))

    assert notes["extract_transactions"].startswith("read 0 of ")


@pytest.mark.skipif(not RETAIL.exists(), reason="needs ../shared/data/online_retail_i")
def test_online_retail_meets_its_published_figures(shop):
    folder = shop.add(
        "retail",
        timezone="Europe/London",
        currency="GBP",
        source={
            "kind": "csv",
            "uri": (shop.home / "drops" / "retail").as_uri(),
            "layout": "online_retail",
        },
    )
    shutil.copy(RETAIL, folder)

    shop.run("retail", date(2011, 12, 10))

    identified = "from analytics.fact_sales join analytics.dim_customer using (firm_sk, customer_sk)"
    ((lines, invoices, customers, gross),) = shop.query(
        "select count(*), count(distinct transaction_id), count(distinct customer_sk), sum(gross_amount) "
        f"{identified} where not is_anonymous and kind = 'sale'"
    )
    assert (lines, invoices, customers, gross) == (397_884, 18_532, 4_338, Decimal("8911407.9040"))
    ((net,),) = shop.query(f"select sum(net_amount) {identified} where not is_anonymous")
    assert net == Decimal("8300065.8140")
    ((loaded,),) = shop.query("select count(*) from analytics.fact_sales")
    ((rejected,),) = shop.query("select sum(row_count) from control.rejections")
    assert loaded + rejected == 541_909
    top = shop.query(
        f"select customer_id, sum(net_amount) {identified} where not is_anonymous "
        "group by 1 order by 2 desc limit 10"
    )
    assert top[0] == ("14646", Decimal("279489.0200"))
    assert [customer for customer, _ in top] == [
        "14646", "18102", "17450", "14911", "12415", "14156", "17511", "16684", "13694", "15311",
    ]  # fmt: skip
