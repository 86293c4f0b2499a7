import csv
import gzip
import importlib.util
from collections import defaultdict
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml

TREE = Path(__file__).parents[2]
CALIBRATION_END = date(1997, 10, 1)  # exclusive


@pytest.fixture(scope="session")
def golden() -> dict:
    return yaml.safe_load((TREE / "tests/golden/cdnow.yaml").read_text())


@pytest.fixture(scope="session")
def cdnow_lines() -> list[tuple[str, date, float]]:
    """Customer, day and amount of every line of the 1/10 sample, from either copy of it."""
    lifetimes = importlib.util.find_spec("lifetimes")
    shipped = Path(lifetimes.origin).parent / "datasets/CDNOW_sample.txt" if lifetimes else None
    shared = TREE / "../shared/data/cdnow/cdnow_sample_2357.csv.gz"
    if shipped and shipped.exists():
        lines = [line.split() for line in shipped.read_text().splitlines() if line.strip()]
        return [
            (line[1], date(int(line[2][:4]), int(line[2][4:6]), int(line[2][6:])), float(line[4]))
            for line in lines
        ]
    if shared.exists():
        with gzip.open(shared, "rt") as file:
            lines = list(csv.DictReader(file))
        return [
            (line["customer_id"], date.fromisoformat(line["date"]), float(line["spend"])) for line in lines
        ]
    return pytest.skip("CDNOW is neither in the lifetimes wheel nor in ../shared/data/cdnow")


@pytest.fixture(scope="session")
def cdnow(cdnow_lines) -> pa.Table:
    """One row per customer: frequency, recency_days, age_days, mean_spend (of repeats), holdout_purchases."""
    spend = defaultdict(lambda: defaultdict(float))
    for customer, day, amount in cdnow_lines:
        spend[customer][day] += amount
    rows = []
    for customer in sorted(spend):
        seen = sorted(day for day in spend[customer] if day < CALIBRATION_END)
        repeats = [spend[customer][day] for day in seen[1:]]
        rows.append(
            {
                "customer_id": customer,
                "frequency": len(repeats),
                "recency_days": (seen[-1] - seen[0]).days,
                "age_days": (CALIBRATION_END - seen[0]).days - 1,
                "mean_spend": float(np.mean(repeats)) if repeats else 0.0,
                "holdout_purchases": len(spend[customer]) - len(seen),
            }
        )
    return pa.Table.from_pylist(rows)


@pytest.fixture(scope="session")
def cdnow_groups(cdnow) -> pa.Table:
    keys = ["frequency", "recency_days", "age_days"]
    grouped = cdnow.group_by(keys).aggregate([("customer_id", "count")])
    return grouped.rename_columns([*keys, "customers"])
