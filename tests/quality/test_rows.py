"""Rules on rows: clean data passes, and each rule catches the fault it is there for."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from include.quality import Slice, rows
from tests.quality.firms import (
    CUSTOMERS,
    LOYALTY_MOVEMENTS,
    PRODUCTS,
    TRANSACTIONS,
    Firm,
    check,
    customer,
    failures,
    line,
    month,
    movement,
    part,
    references,
    report_on,
)

OCTOBER = month(2026, 10)
DAY = date(2026, 10, 9)


def spoilt(**changes: object) -> list[dict[str, object]]:
    """October with its fortieth line changed."""
    return [*OCTOBER[:39], OCTOBER[39] | changes, *OCTOBER[40:]]


def test_a_clean_month_breaks_no_rule(tmp_path: Path):
    report = report_on(tmp_path, ("2026-10", OCTOBER))

    assert failures(report) == {}
    assert report.failure() is None


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"transaction_id": None}, "transaction_id_given"),
        ({"net_amount": None}, "net_amount_given"),
        ({"kind": "refund"}, "kind_known"),
        ({"transaction_id": ""}, "transaction_id_usable"),
        ({"line_id": "1\x00"}, "line_id_usable"),
        ({"occurred_at": datetime(2026, 11, 1, 0, tzinfo=UTC)}, "occurred_before_as_of"),
        ({"occurred_at": datetime(1899, 12, 31, 12, tzinfo=UTC)}, "occurred_before_as_of"),
        ({"occurred_at": datetime(9999, 12, 31, 12, tzinfo=UTC)}, "occurred_before_as_of"),
        ({"order_date": date(2026, 9, 30)}, "day_in_month"),
        ({"order_date": date(2026, 11, 1)}, "day_in_month"),
        ({"quantity": Decimal(-1)}, "quantity_not_negative"),
        ({"gross_amount": Decimal(-5)}, "gross_not_negative"),
        ({"discount_amount": Decimal("-0.5")}, "discount_not_negative"),
    ],
)
def test_one_bad_row_stops_the_firm(tmp_path: Path, changes: dict[str, object], rule: str):
    report = report_on(tmp_path, ("2026-10", spoilt(**changes)))

    assert failures(report)[rule] is True


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"quantity": Decimal(10**9)}, "quantity_sane"),
        ({"net_amount": Decimal("4.55")}, "net_adds_up"),
        ({"discount_amount": Decimal(6), "net_amount": Decimal(-1)}, "net_not_negative"),
        ({"occurred_at": datetime(2026, 10, 9, 23, 30, tzinfo=UTC)}, "day_is_local"),
        ({"product_id": "ghost"}, "product_known"),
        ({"customer_id": "ghost"}, "customer_known"),
    ],
)
def test_some_faults_only_warn_while_they_are_few_and_stop_when_many(
    tmp_path: Path, changes: dict[str, object], rule: str
):
    noon = {"order_date": DAY, "occurred_at": datetime(2026, 10, 9, 12, tzinfo=UTC)}

    few = report_on(tmp_path, ("2026-10", spoilt(**noon | changes)))
    many = report_on(tmp_path, ("2026-10", [row | noon | changes for row in OCTOBER]))

    assert failures(few) == {rule: False}
    assert failures(many)[rule] is True


def test_a_cent_of_rounding_is_no_difference(tmp_path: Path):
    report = report_on(tmp_path, ("2026-10", spoilt(net_amount=Decimal("4.51"))))

    assert failures(report) == {}


def test_days_are_days_where_the_firm_is(tmp_path: Path):
    late = line(39, date(2026, 10, 10), occurred_at=datetime(2026, 10, 9, 23, 30, tzinfo=UTC))

    report = report_on(tmp_path, ("2026-10", [*OCTOBER[:39], late, *OCTOBER[40:]]))

    assert failures(report) == {}


def test_a_firm_that_has_no_products_is_not_blamed_for_it(tmp_path: Path):
    report = report_on(tmp_path, ("2026-10", OCTOBER), products=0)

    (result,) = [r for r in report.results if r.expectation == "product_known"]
    assert result.passed
    assert result.observed == "products is empty: nothing to compare with"


def test_the_share_of_the_complete_journeys_unknown_products_only_warns(tmp_path: Path):
    # 4,836 of 1,469,307 lines have no product row: a third of a percent, here 1 in 310.
    rows_ = [line(n, DAY, product_id="ghost" if n == 0 else "p0") for n in range(310)]

    report = report_on(tmp_path, ("2026-10", rows_), as_of=date(2026, 10, 10))

    assert failures(report) == {"product_known": False}


def test_one_percent_of_duplicates_stops_the_firm_and_names_them(tmp_path: Path):
    copies = [row for n, row in enumerate(OCTOBER) for _ in range(2 if n % 100 == 50 else 1)]

    report = report_on(tmp_path, ("2026-10", copies))

    (result,) = report.critical
    assert (result.expectation, result.observed) == ("grain_unique", "1 repeated keys")
    assert result.samples == ("transaction_id='t000050' line_id='1' kind='sale' (2 times)",)


def test_a_key_repeated_in_another_file_is_found(tmp_path: Path):
    one = part(tmp_path, TRANSACTIONS, "2026-10", OCTOBER)
    two = part(tmp_path / "..", TRANSACTIONS, f"{tmp_path.name}-2", OCTOBER[:1])

    report = check(
        TRANSACTIONS,
        firm=Firm(),
        as_of=date(2026, 11, 1),
        slices=[Slice("2026-10", one.rows + 1, [*one.files, *two.files])],
        references=references(tmp_path),
        history=[],
    )

    assert failures(report) == {"grain_unique": True}


def test_broken_rows_are_counted_over_all_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rows.chunks, "__defaults__", (30,))
    bad = [row | {"quantity": Decimal(-1)} if n % 30 == 7 else row for n, row in enumerate(OCTOBER)]

    report = report_on(tmp_path, ("2026-10", bad))

    (result,) = report.critical
    assert result.observed == "4 of 124 rows break it"
    assert [s.split()[1] for s in result.samples] == [
        f"transaction_id='t0000{n:02d}'" for n in (7, 37, 67, 97)
    ]


@pytest.mark.parametrize("size", [1, 7, 65_536])
def test_chunks_hold_every_row_once_and_at_most_the_rows_asked_for(tmp_path: Path, size: int):
    files = part(tmp_path, TRANSACTIONS, "2026-10", OCTOBER).files * 2

    tables = list(rows.chunks(files, ["transaction_id"], size))

    assert max(t.num_rows for t in tables) <= size
    assert sum(t.num_rows for t in tables) == 2 * len(OCTOBER)


@pytest.mark.parametrize(
    ("schema", "rule", "observed"),
    [
        (TRANSACTIONS.schema.remove(7), "columns_present", "missing ['quantity']"),
        (
            TRANSACTIONS.schema.set(7, pa.field("quantity", pa.string())),
            "types_as_declared",
            "quantity is string, not decimal128(18, 4)",
        ),
        (
            TRANSACTIONS.schema.set(7, pa.field("Quantity", pa.string())),
            "columns_present",
            "missing ['quantity']",
        ),
        (
            TRANSACTIONS.schema.set(3, pa.field("occurred_at", pa.timestamp("us"))),
            "types_as_declared",
            "occurred_at is timestamp[us], not timestamp[us, tz=UTC]",
        ),
    ],
)
def test_a_drifted_column_stops_the_firm_by_name(tmp_path: Path, schema: pa.Schema, rule: str, observed: str):
    text = [
        {k: str(v) if k == "quantity" and schema.get_field_index(k) >= 0 else v for k, v in r.items()}
        for r in OCTOBER
    ]
    plain = [r | {"quantity": OCTOBER[0]["quantity"]} for r in OCTOBER]
    given = text if observed.startswith("quantity is") else plain

    report = check(
        TRANSACTIONS,
        firm=Firm(),
        as_of=date(2026, 11, 1),
        slices=[part(tmp_path, TRANSACTIONS, "2026-10", given, schema)],
        references=references(tmp_path),
        history=[],
    )

    first = report.critical[0]
    assert (first.expectation, first.observed) == (rule, observed)


def test_an_added_column_only_warns_and_reordering_does_nothing(tmp_path: Path):
    reordered = pa.schema([*reversed(list(TRANSACTIONS.schema)), pa.field("till", pa.string())])

    report = check(
        TRANSACTIONS,
        firm=Firm(),
        as_of=date(2026, 11, 1),
        slices=[part(tmp_path, TRANSACTIONS, "2026-10", OCTOBER, reordered)],
        references=references(tmp_path),
        history=[],
    )

    (result,) = report.warnings
    assert (result.expectation, result.observed) == ("columns_known", "unexpected ['till']")
    assert not report.critical


@pytest.mark.parametrize(
    ("changes", "rule", "stops"),
    [
        ({"customer_id": None}, "customer_id_given", True),
        ({"customer_id": ""}, "customer_id_usable", True),
        ({"joined_date": date(2026, 11, 1)}, "joined_before_as_of", True),
        ({"birth_date": date(1066, 10, 14)}, "born_before_as_of", False),
        ({"email": "ada at example"}, "email_has_an_at", False),
    ],
)
def test_customers_are_checked(tmp_path: Path, changes: dict[str, object], rule: str, stops: bool):
    good = [customer(f"c{n}") for n in range(9)]

    clean = report_on(tmp_path, ("2026-11-01", good), dataset=CUSTOMERS)
    report = report_on(tmp_path, ("2026-11-01", [*good, customer("c9", **changes)]), dataset=CUSTOMERS)

    assert failures(clean) == {}
    assert failures(report) == {rule: stops}


def test_personal_data_is_in_no_sample(tmp_path: Path):
    bad = [customer("c1", email="secret", birth_date=date(1066, 10, 14), full_name="Harold")]

    report = report_on(tmp_path, ("2026-11-01", bad), dataset=CUSTOMERS)

    told = str(report.results)
    assert "email=(personal data) customer_id='c1'" in told
    assert not [word for word in ("secret", "1066", "Harold") if word in told]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [({"product_id": None}, "product_id_given"), ({"unit_cost": Decimal(-1)}, "cost_not_negative")],
)
def test_products_are_checked(tmp_path: Path, changes: dict[str, object], rule: str):
    good = [dict.fromkeys(PRODUCTS.schema.names) | {"product_id": f"p{n}"} for n in range(9)]

    clean = report_on(tmp_path, ("2026-11-01", good), dataset=PRODUCTS)
    report = report_on(tmp_path, ("2026-11-01", [*good[:8], good[8] | changes]), dataset=PRODUCTS)

    assert failures(clean) == {}
    assert failures(report) == {rule: True}


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"movement_id": ""}, "movement_id_usable"),
        ({"points_earned": Decimal(-1)}, "earned_not_negative"),
        ({"points_used": Decimal(-1)}, "used_not_negative"),
        ({"customer_id": "ghost"}, "customer_known"),
        ({"order_date": date(2026, 9, 9)}, "day_in_month"),
        ({"occurred_at": datetime(2026, 12, 1, tzinfo=UTC)}, "occurred_before_as_of"),
    ],
)
def test_loyalty_movements_are_checked(tmp_path: Path, changes: dict[str, object], rule: str):
    good = [movement(n, date(2026, 10, 20 + n)) for n in range(10)]

    clean = report_on(tmp_path, ("2026-10", good), dataset=LOYALTY_MOVEMENTS, as_of=date(2026, 10, 30))
    spoilt_ = [*good[:9], good[9] | changes]
    report = report_on(tmp_path, ("2026-10", spoilt_), dataset=LOYALTY_MOVEMENTS, as_of=date(2026, 10, 30))

    assert failures(clean) == {}
    assert failures(report)[rule] is True


def test_a_month_read_later_than_as_of_may_hold_later_days(tmp_path: Path):
    whole = part(tmp_path, TRANSACTIONS, "2026-10", OCTOBER)
    early = {"firm": Firm(), "as_of": date(2026, 10, 10), "references": references(tmp_path), "history": []}

    told = check(
        TRANSACTIONS, slices=[Slice(whole.text, whole.rows, whole.files, date(2026, 11, 1))], **early
    )
    untold = check(TRANSACTIONS, slices=[whole], **early)

    assert failures(told) == {}
    assert failures(untold)["day_in_month"] is True
