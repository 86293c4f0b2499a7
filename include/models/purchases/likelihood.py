"""Maximum likelihood for models with a few positive parameters.

Data are grouped: one row per distinct (frequency, recency_days, age_days) with its number of customers, so
the cost depends on the distinct rows. The search runs on the log-parameters inside a box, with Newton steps,
an exact Hessian and a trust region (Nocedal & Wright, *Numerical Optimization*, 2nd ed., ch. 4). An optimum
on the box or on a flat ridge is flagged, not rejected.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Evaluation = tuple[float, Floats, Floats]
"""Log-likelihood, gradient and Hessian at one point."""

DAYS_PER_WEEK = 7.0
"""Inputs are in days. The models use weeks, as the papers do: alpha and beta are in weeks."""

COARSE_ROWS = 4_000
ROUGH = 1e-2  # tolerance in log-likelihood units of a search that only finds a start for the next
NEAR = 0.25  # in every log-parameter: a search this close to a known peak stops
MEDIUM_ROWS = 20_000
LOWEST, HIGHEST = 1e-4, 1e4
FLAT_CURVATURE = 1e-2  # below it a log-parameter is unidentified (standard error above 10)
MAX_ITERATIONS = 200


@dataclass(frozen=True)
class Rows:
    """Distinct purchase histories in the papers' symbols; times in weeks, ``n`` customers each."""

    x: Floats
    t_x: Floats
    T: Floats
    n: Floats

    def thin(self, rows: int) -> "Rows":
        """About ``rows`` of the rows, evenly spaced; deterministic."""
        step = max(1, len(self.x) // rows)
        return Rows(self.x[::step], self.t_x[::step], self.T[::step], self.n[::step])


@dataclass(frozen=True)
class Optimum:
    """Result of a search. ``covariance`` is that of the log-parameters, row by row."""

    params: Floats
    log_likelihood: float
    covariance: tuple[float, ...]
    is_boundary: bool
    is_converged: bool


def group(frequency: NDArray, recency_days: NDArray, age_days: NDArray) -> pa.Table:
    """One row per distinct (frequency, recency_days, age_days), sorted, with its ``customers``.

    The same as a ``group by`` in SQL, for arrays of whole days.
    """
    x, t_x, T = (np.asarray(v, dtype=np.int64) for v in (frequency, recency_days, age_days))
    width = int(max(T.max(initial=0), t_x.max(initial=0))) + 1
    key = (x * width + t_x) * width + T
    key.sort()
    first = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1]))) if len(key) else key
    key, customers = key[first], np.diff(np.append(first, len(key)))
    return pa.table(
        {
            "frequency": key // (width * width),
            "recency_days": key // width % width,
            "age_days": key % width,
            "customers": customers,
        }
    )


def numbers(table: pa.Table | pa.RecordBatch, name: str, model: str) -> Floats:
    """One column as floats, shape (rows,); ValueError for a missing column, a null, nan or infinity."""
    if name not in table.schema.names:
        raise ValueError(f"{model}: missing column {name!r}; it has {table.schema.names}")
    column = table.column(name)
    if column.null_count:
        raise ValueError(f"{model}: {column.null_count} nulls in {name!r}; filter them out in SQL")
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    values = np.asarray(column, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"{model}: {name!r} holds values that are not finite")
    return values


def histories(table: pa.Table | pa.RecordBatch, model: str) -> tuple[Floats, Floats, Floats]:
    """x, t_x and T in weeks, shape (rows,); ValueError unless x is whole and 0 <= t_x <= T."""
    x = numbers(table, "frequency", model)
    t_x = numbers(table, "recency_days", model) / DAYS_PER_WEEK
    T = numbers(table, "age_days", model) / DAYS_PER_WEEK
    wrong = (x < 0) | (x != np.floor(x)) | (t_x < 0) | (t_x > T) | ((x == 0) & (t_x > 0))
    if wrong.any():
        raise ValueError(
            f"{model}: {int(wrong.sum())} rows break 0 <= recency_days <= age_days, frequency whole "
            "and recency_days 0 when frequency is 0; see customer_summary"
        )
    return x, t_x, T


def rows(groups: pa.Table, model: str) -> Rows:
    """Sort the groups canonically, so the result does not depend on the order of the input."""
    x, t_x, T = histories(groups, model)
    n = numbers(groups, "customers", model)
    keep = n > 0
    if not keep.any():
        raise ValueError(f"{model}: no customers to fit")
    if not keep.all():
        x, t_x, T, n = x[keep], t_x[keep], T[keep], n[keep]
    d_x, d_last, d_age = np.diff(x), np.diff(t_x), np.diff(T)
    ahead = (d_x > 0) | (d_x == 0) & ((d_last > 0) | (d_last == 0) & (d_age > 0))
    if not ahead.all():
        order = np.lexsort((T, t_x, x))
        x, t_x, T, n = x[order], t_x[order], T[order], n[order]
        new = np.concatenate(([True], (np.diff(x) != 0) | (np.diff(t_x) != 0) | (np.diff(T) != 0)))
        first = np.flatnonzero(new)
        x, t_x, T, n = x[first], t_x[first], T[first], np.add.reduceat(n, first)
    return Rows(x, t_x, T, n)


def margin(keys: Floats, *weights: Floats, unit: float = 1.0) -> tuple[NDArray, ...]:
    """Distinct keys, and the sum of each weight per key; fast if keys are multiples of ``unit``."""
    steps = keys / unit
    whole = np.rint(steps).astype(np.int64)
    if whole.max() < 1_000_000 and np.abs(steps - whole).max() < 1e-9:  # no need to sort
        distinct = np.flatnonzero(np.bincount(whole))
        return (distinct * unit, *(np.bincount(whole, weights=w)[distinct] for w in weights))
    distinct, where = np.unique(keys, return_inverse=True)
    return (distinct, *(np.bincount(where, weights=w, minlength=len(distinct)) for w in weights))


def maximise_in_stages(
    likelihood: Callable[[Rows], Callable[[Floats], Evaluation]],
    data: Rows,
    starts: Sequence[Sequence[float]],
    *,
    upper: Sequence[float],
) -> Optimum:
    """Search from every start on few rows, from the best on more rows, then on all rows.

    Subsamples only provide the start of the last search, which uses every row.
    """
    coarse = likelihood(data.thin(COARSE_ROWS)) if len(data.x) > 2 * COARSE_ROWS else None
    full = likelihood(data)
    if coarse is None:
        every = [maximise(full, np.log(start), upper=upper) for start in starts]
        return max(every, key=lambda optimum: optimum.log_likelihood)
    found: list[Optimum] = []
    for start in starts:
        peaks = [np.log(optimum.params) for optimum in found]
        found.append(maximise(coarse, np.log(start), upper=upper, enough=ROUGH, peaks=peaks))
    best = max(found, key=lambda optimum: optimum.log_likelihood)
    if len(data.x) > 2 * MEDIUM_ROWS:
        medium = likelihood(data.thin(MEDIUM_ROWS))
        best = maximise(medium, np.log(best.params), upper=upper, enough=ROUGH)
    return maximise(full, np.log(best.params), upper=upper)


def maximise(
    evaluate: Callable[[Floats], Evaluation],
    start: Floats,
    *,
    upper: Sequence[float],
    enough: float = 1e-8,
    peaks: Sequence[Floats] = (),
) -> Optimum:
    """Maximise ``evaluate(params)`` over positive parameters, from the log-parameters ``start``.

    ``evaluate`` gives derivatives with respect to the parameters themselves; the chain rule to
    logarithms is applied here. The search stops when the expected gain of the next step is below
    ``enough``, or within ``NEAR`` of one of ``peaks``.
    """
    low, high = np.full(len(start), np.log(LOWEST)), np.log(np.asarray(upper))
    at = np.clip(start, low, high)
    value, slope, curve = _in_logs(evaluate, at)
    radius, converged = 1.0, False
    for _ in range(MAX_ITERATIONS):
        step = _step_inside(at, slope, curve, radius, low, high)
        gain = float(slope @ step + 0.5 * step @ curve @ step)
        if gain < max(enough, 1e-14 * abs(value)):
            # The gain is below rounding error: take the last Newton step unchecked (quadratic convergence).
            at = at + step if gain > 0 and np.abs(step).max() < 1e-2 else at
            converged = True
            break
        new_value, new_slope, new_curve = _in_logs(evaluate, at + step)
        ratio = (new_value - value) / gain if np.isfinite(new_value) else -1.0
        if ratio < 0.25:
            radius = 0.25 * float(np.linalg.norm(step))
        elif ratio > 0.75:
            radius = min(4.0, max(radius, 2.0 * float(np.linalg.norm(step))))
        if ratio > 1e-4:
            at, value, slope, curve = at + step, new_value, new_slope, new_curve
        elif radius < 1e-9:
            break
        if any(np.abs(at - peak).max() < NEAR for peak in peaks):
            break
    covariance, is_flat = _covariance(-curve, (at > low + 1e-6) & (at < high - 1e-6))
    return Optimum(np.exp(at), float(value), tuple(covariance.ravel().tolist()), is_flat, converged)


def _in_logs(evaluate: Callable[[Floats], Evaluation], at: Floats) -> Evaluation:
    theta = np.exp(at)
    value, slope, curve = evaluate(theta)
    slope = slope * theta
    return value, slope, curve * np.outer(theta, theta) + np.diag(slope)


def _step_inside(
    at: Floats, slope: Floats, curve: Floats, radius: float, low: Floats, high: Floats
) -> Floats:
    """Trust-region step with parameters fixed at an active bound, shortened at the first new bound."""
    held = ((at <= low) & (slope < 0)) | ((at >= high) & (slope > 0))
    step = np.zeros_like(at)
    while not held.all():
        free = ~held
        step = np.zeros_like(at)
        step[free] = _step(slope[free], -curve[np.ix_(free, free)], radius)
        leaving = ((at <= low) & (step < 0)) | ((at >= high) & (step > 0))
        if not leaving.any():
            break
        held |= leaving
        step = np.zeros_like(at)
    room = np.where(step > 0, high - at, at - low)
    moving = step != 0
    share = np.min(room[moving] / np.abs(step[moving]), initial=1.0)
    return np.clip(at + share * step, low, high) - at


def _step(slope: Floats, bend: Floats, radius: float) -> Floats:
    """Maximiser of slope.d - d.bend.d / 2 with length at most ``radius``."""
    values, axes = np.linalg.eigh(bend)
    roots, along = values.tolist(), (axes.T @ slope).tolist()  # few numbers: Python floats are faster

    def length(shift: float) -> float:
        return math.hypot(*(g / max(root + shift, 1e-300) for g, root in zip(along, roots, strict=True)))

    floor = max(0.0, -roots[0])
    shift = 0.0
    if roots[0] <= 0 or length(0.0) > radius:
        small, large = 1e-14 * max(1.0, abs(roots[-1])), math.hypot(*along) / radius + 1e-300
        large = max(large, small)
        while large - small > 1e-3 * large:  # bisect the logarithm of the distance from the pole
            middle = math.sqrt(small * large)
            small, large = (middle, large) if length(floor + middle) > radius else (small, middle)
        shift = floor + large
    step = axes @ np.array([g / max(root + shift, 1e-300) for g, root in zip(along, roots, strict=True)])
    longest = float(np.linalg.norm(step))
    return step if longest <= radius else step * (radius / longest)


def _covariance(bend: Floats, inside: NDArray[np.bool_]) -> tuple[Floats, bool]:
    """Inverse information matrix of the parameters off the boundary, and whether any is on it."""
    covariance = np.zeros_like(bend)
    is_boundary = not bool(inside.all())
    if inside.any():
        roots, axes = np.linalg.eigh(bend[np.ix_(inside, inside)])
        is_boundary = is_boundary or float(roots[0]) < FLAT_CURVATURE
        known = roots >= FLAT_CURVATURE
        part = (axes[:, known] / roots[known]) @ axes[:, known].T
        covariance[np.ix_(inside, inside)] = (part + part.T) / 2
    return covariance, is_boundary
