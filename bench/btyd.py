"""Purchase-count and spend models compared with lifetimes 0.11.3, on one simulated firm.

A million customers with CDNOW's parameters, aged 1 to 104 weeks: about 329,000 distinct histories and 16,000
distinct (frequency, age); Pareto/NBD on a hundred thousand. Both sides read the same arrays and predict from
the same parameters, and each comparison first checks that the results agree. Both run on one core and are
measured in CPU time, because wall-clock time depends on other processes.
"""

import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.rows import Row, pair, peak_mb

CUSTOMERS = 1_000_000
PARETO_CUSTOMERS = 100_000
PEAK_LIMIT_MB = 250.0
MONTHLY_RATE = 0.01
BATCH = 65_536  # the engine's batch size
CLOCK = time.process_time


def rows() -> Iterator[Row]:
    """The comparisons, each with its required ratio."""
    peer = _lifetimes()
    firm = simulate(CUSTOMERS)
    yield from _counts(firm, peer)
    yield from _value(firm, peer)
    yield from _pareto(simulate(PARETO_CUSTOMERS), peer)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "firm.parquet"
        pq.write_table(firm, file)
        del firm
        ours, theirs = (_in_process(side, file) for side in ("ours", "lifetimes"))
    yield Row(
        name=f"fit, expected purchases and 12-month value, {CUSTOMERS:,} customers, own process",
        ours_s=ours["seconds"],
        peer=f"lifetimes ({theirs['peak_mb']:.0f} MB)",
        peer_s=theirs["seconds"],
        ratio_median=theirs["seconds"] / ours["seconds"],
        ratio_min=theirs["seconds"] / ours["seconds"],
        peak_mb=ours["peak_mb"],
        limit=PEAK_LIMIT_MB,
        share_of_limit=ours["peak_mb"] / PEAK_LIMIT_MB,
    )


def simulate(customers: int) -> pa.Table:
    """A firm drawn from BG/NBD and Gamma-Gamma, in whole days, one row per customer."""
    rng = np.random.default_rng(customers)
    age = rng.integers(7, 105 * 7, customers)
    rate = rng.gamma(0.243, 1 / 4.414, customers) / 7
    chance = rng.beta(0.793, 2.426, customers)
    now, last = np.zeros(customers), np.zeros(customers, dtype=np.int64)
    frequency, active = np.zeros(customers, dtype=np.int64), np.arange(customers)
    while len(active):
        now[active] += rng.exponential(1 / np.maximum(rate[active], 1e-12))
        active = active[now[active] <= age[active]]
        day = np.ceil(now[active]).astype(np.int64)
        frequency[active] += day > last[active]  # a second order on one day is no new purchase
        last[active] = day
        active = active[rng.random(len(active)) >= chance[active]]
    x = np.maximum(frequency, 1)
    spend = rng.gamma(6.25 * x, 1 / rng.gamma(3.74, 1 / 15.44, customers)) / x
    return pa.table(
        {
            "frequency": frequency,
            "recency_days": last,
            "age_days": age,
            "mean_spend": np.where(frequency > 0, np.maximum(np.round(spend, 2), 0.01), 0.0),
        }
    )


def _lifetimes() -> SimpleNamespace:
    """The peer; its import sets a deprecated pandas option and divides by zero, so warnings are off."""
    warnings.filterwarnings("ignore", module="lifetimes")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lifetimes
    return lifetimes


def _arrays(firm: pa.Table) -> list[np.ndarray]:
    return [firm[name].to_numpy() for name in ("frequency", "recency_days", "age_days", "mean_spend")]


def _agree(what: str, ours: float, theirs: float, *, within: float) -> None:
    if not abs(ours / theirs - 1) <= within:
        raise AssertionError(f"btyd: {what}: ours {ours:.6g}, lifetimes {theirs:.6g}")


def _counts(firm: pa.Table, peer: SimpleNamespace) -> Iterator[Row]:
    from include.models.purchases import bgnbd
    from include.models.purchases.likelihood import group

    x, t_x, T, _ = _arrays(firm)
    groups = group(x, t_x, T)
    g_x, g_t, g_age, n = (groups[name].to_numpy() for name in groups.column_names)
    fits: dict[str, object] = {}

    def fit_ours() -> None:
        fits["ours"] = bgnbd.fit(group(x, t_x, T))

    def fit_theirs() -> None:
        fits["theirs"] = peer.BetaGeoFitter().fit(x, t_x, T)

    yield pair(
        f"BG/NBD fit, {len(x):,} customers",
        fit_ours,
        "lifetimes",
        fit_theirs,
        rounds=3,
        limit=50,
        clock=CLOCK,
    )
    ours, theirs = fits["ours"], fits["theirs"]
    _agree("BG/NBD r", ours.r, theirs.params_["r"], within=0.01)
    _agree("BG/NBD a", ours.a, theirs.params_["a"], within=0.02)
    yield pair(
        f"BG/NBD fit, both fed {len(n):,} grouped rows",
        lambda: bgnbd.fit(groups),
        "lifetimes",
        lambda: peer.BetaGeoFitter().fit(g_x, g_t, g_age, weights=n),
        rounds=3,
        limit=30,
        clock=CLOCK,
    )
    for days in (90, 365):  # the peer's 2F1 is faster near 0
        yield _expected(ours, theirs, (x, t_x, T), days)


def _expected(ours, theirs, columns: tuple[np.ndarray, ...], days: int) -> Row:
    from include.models.purchases import model as purchases

    def expected_ours() -> np.ndarray:
        return purchases.expected_from_days(ours, *columns, horizon_days=days)

    def expected_theirs() -> np.ndarray:
        return theirs.conditional_expected_number_of_purchases_up_to_time(days, *columns)

    _agree(
        "expected purchases", float(np.sum(expected_ours())), float(np.sum(expected_theirs())), within=0.01
    )
    return pair(
        f"expected purchases in {days} days, {len(columns[0]):,} customers",
        expected_ours,
        "lifetimes",
        expected_theirs,
        rounds=9,
        limit=15,
        clock=CLOCK,
    )


def _value(firm: pa.Table, peer: SimpleNamespace) -> Iterator[Row]:
    from include.models.purchases import bgnbd, gammagamma
    from include.models.purchases.likelihood import group

    x, t_x, T, m = _arrays(firm)
    counts, again = bgnbd.fit(group(x, t_x, T)), x > 0
    spends = pa.table({"frequency": x[again], "mean_spend": m[again], "customers": np.ones(again.sum())})
    buyers, means = x[again], m[again]
    ours, theirs = gammagamma.fit(spends), peer.GammaGammaFitter().fit(buyers, means)
    _agree("Gamma-Gamma p", ours.p, theirs.params_["p"], within=0.02)
    yield pair(
        f"Gamma-Gamma fit, {len(buyers):,} repeat buyers of {len(x):,} customers",
        lambda: gammagamma.fit(spends),
        "lifetimes",
        lambda: peer.GammaGammaFitter().fit(buyers, means),
        rounds=5,
        limit=30,
        clock=CLOCK,
    )
    # the peer is given our parameters (its unit is the day), so that only the prediction is compared
    model = peer.BetaGeoFitter()
    model.params_ = {"r": counts.r, "alpha": counts.alpha * 7, "a": counts.a, "b": counts.b}
    model.predict = model.conditional_expected_number_of_purchases_up_to_time
    theirs.params_ = {"p": ours.p, "q": ours.q, "v": ours.gamma}

    def value_theirs() -> float:
        months = theirs.customer_lifetime_value(
            model, *(firm[name].to_pandas() for name in firm.column_names), 12, MONTHLY_RATE, "D"
        )
        return float(months.sum())

    # paying at the end of each 30-day month, as the peer does, discounts by half a month more
    _agree("12-month value", _value_ours(counts, ours, firm), value_theirs() * 1.005, within=0.02)
    yield pair(
        f"12-month value, {len(x):,} customers",
        lambda: _value_ours(counts, ours, firm),
        "lifetimes",
        value_theirs,
        rounds=3,
        limit=100,
        clock=CLOCK,
    )


def _value_ours(counts, spends, firm: pa.Table) -> float:
    from include.models.ltv.value import discounted_purchases

    x, t_x, T, m = _arrays(firm)
    x = x.astype(np.float64)
    worth = discounted_purchases(
        counts,
        x,
        t_x / 7,
        T / 7,
        horizon_days=360,
        annual_discount_rate=(1 + MONTHLY_RATE) ** (365 / 30) - 1,
    )
    return float(np.sum(worth * spends.expected_spend(x, m)))


def _pareto(firm: pa.Table, peer: SimpleNamespace) -> Iterator[Row]:
    from include.models.purchases import paretonbd
    from include.models.purchases.likelihood import group

    x, t_x, T, _ = _arrays(firm)
    found: list[float] = []

    def fit_theirs() -> None:
        theirs = peer.ParetoNBDFitter().fit(x, t_x, T, maxiter=10_000)
        found.append(-theirs._negative_log_likelihood_ * len(x))

    row = pair(
        f"Pareto/NBD fit, {len(x):,} customers",
        lambda: paretonbd.fit(group(x, t_x, T)),
        "lifetimes",
        fit_theirs,
        rounds=2,
        limit=30,
        clock=CLOCK,
    )
    if not np.isfinite(found).all():
        raise AssertionError("btyd: the peer's Pareto/NBD gave no finite number")
    yield row


def _in_process(side: str, file: Path) -> dict[str, float]:
    """Run the job in a new interpreter, so that peak memory is only that of the job and its imports."""
    command = [sys.executable, "-W", "ignore", "-m", "bench.btyd", side, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def _job_ours(file: Path) -> None:
    from include.models.purchases import bgnbd, gammagamma
    from include.models.purchases import model as purchases
    from include.models.purchases.likelihood import group

    columns = ["frequency", "recency_days", "age_days"]
    x, t_x, T = (pq.read_table(file, columns=[name])[name].to_numpy() for name in columns)
    counts = bgnbd.fit(group(x, t_x, T))
    del x, t_x, T
    spends = pq.read_table(file, columns=["frequency", "mean_spend"], filters=[("frequency", ">", 0)])
    spends = gammagamma.fit(spends.append_column("customers", pa.array(np.ones(spends.num_rows))))
    for batch in pq.ParquetFile(file).iter_batches(batch_size=BATCH):
        part = pa.Table.from_batches([batch])
        x, t_x, T, _ = _arrays(part)
        purchases.expected_from_days(counts, x, t_x, T, horizon_days=90)
        _value_ours(counts, spends, part)


def _job_theirs(file: Path) -> None:
    peer, firm = _lifetimes(), pq.read_table(file).to_pandas()
    model = peer.BetaGeoFitter().fit(firm.frequency, firm.recency_days, firm.age_days)
    again = firm[firm.frequency > 0]
    spends = peer.GammaGammaFitter().fit(again.frequency, again.mean_spend)
    columns = firm.frequency, firm.recency_days, firm.age_days
    model.conditional_expected_number_of_purchases_up_to_time(90, *columns)
    spends.customer_lifetime_value(model, *columns, firm.mean_spend, 12, MONTHLY_RATE, "D")


if __name__ == "__main__":
    started = time.perf_counter()
    {"ours": _job_ours, "lifetimes": _job_theirs}[sys.argv[1]](Path(sys.argv[2]))
    print(json.dumps({"seconds": time.perf_counter() - started, "peak_mb": peak_mb()}))
