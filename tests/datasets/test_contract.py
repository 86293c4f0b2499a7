from decimal import Decimal

import pyarrow as pa
import pytest

from include.datasets import ContractError, catalogue
from include.datasets.contract import MONEY
from include.datasets.extracted import PRODUCTS


def table(**changes):
    columns = {name: pa.nulls(1, PRODUCTS.schema.field(name).type) for name in PRODUCTS.schema.names}
    columns["product_id"] = pa.array(["a"])
    return pa.RecordBatch.from_pydict(columns | changes)


def test_a_table_that_keeps_the_contract_passes():
    PRODUCTS.check(table())


def test_a_missing_column_is_named():
    with pytest.raises(ContractError, match=r"products: missing columns \['brand'\]"):
        PRODUCTS.check(table().drop_columns(["brand"]))


def test_an_unknown_column_is_named():
    with pytest.raises(ContractError, match=r"unknown columns \['colour'\]"):
        PRODUCTS.check(table(colour=pa.array(["red"])))


def test_a_wrong_type_is_named():
    with pytest.raises(ContractError, match=r"products\.unit_cost: type is double"):
        PRODUCTS.check(table(unit_cost=pa.array([1.5])))


def test_a_null_in_a_required_column_is_counted():
    with pytest.raises(ContractError, match=r"products\.product_id: 1 nulls"):
        PRODUCTS.check(table(product_id=pa.nulls(1, pa.string())))


def test_conform_casts_only_what_loses_nothing():
    exact = table(unit_cost=pa.array([Decimal("1.50")], pa.decimal128(10, 2)))
    lossy = table(unit_cost=pa.array([Decimal("1.234567")], pa.decimal128(20, 6)))

    assert PRODUCTS.conform(exact).column("unit_cost").type == MONEY
    with pytest.raises(ContractError, match=r"products.unit_cost: cannot be read as decimal128\(18, 4\)"):
        PRODUCTS.conform(lossy)


def test_the_fingerprint_changes_with_a_type_and_not_with_a_comment():
    renamed = pa.schema([field.with_metadata({"about": "other"}) for field in PRODUCTS.schema])
    narrower = PRODUCTS.schema.set(5, pa.field("unit_cost", pa.float64()))

    same = type(PRODUCTS)("products", "", ("product_id",), renamed)
    other = type(PRODUCTS)("products", "", ("product_id",), narrower)

    assert same.fingerprint == PRODUCTS.fingerprint
    assert other.fingerprint != PRODUCTS.fingerprint


@pytest.mark.parametrize("dataset", catalogue().values(), ids=lambda d: d.name)
def test_every_column_says_what_it_means_and_the_grain_is_required(dataset):
    assert all(dataset.about_column(name) for name in dataset.schema.names)
    assert all(not dataset.schema.field(name).nullable for name in dataset.grain)


def test_two_columns_with_one_name_have_one_type():
    types = {}
    of_a_firm = {("firm_metrics", "metric_value")}  # in rfm_values it is a value of one customer
    for dataset in catalogue().values():
        for field in dataset.schema:
            if (dataset.name, field.name) in of_a_firm:
                continue
            assert types.setdefault(field.name, field.type) == field.type, field.name
