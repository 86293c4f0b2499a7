"""The gate: every rule of a dataset put to every slice, by Great Expectations, in bounded memory."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from include.datasets import Dataset, catalogue
from include.periods import Month, start_of_day
from include.quality import measures, rows
from include.quality.columns import judged
from include.quality.judge import Judge, Question
from include.quality.measures import Measurement, Past, Profile
from include.quality.report import SHOWN, Report, Result, Slice
from include.quality.rules import MeasureRule, RowRule, Rule, adjusted, limits, suite

MEMORY = "512MB"  # for DuckDB's part of the work; it spills beyond


def check(
    dataset: Dataset,
    *,
    firm: Any,
    as_of: date,
    slices: Sequence[Slice],
    references: Mapping[str, list[Path]],
    history: Sequence[Mapping[str, object]],
) -> Report:
    """Every rule of ``dataset`` on every slice; ``references`` are the files of the datasets it points at.

    ``history`` holds earlier slices: ``slice``, ``rows``, ``as_of`` and, where an earlier check left
    one, ``profile`` (what that check reported as the observed value of its result ``profile``).
    ``firm.quality`` may move limits.
    """
    rules = adjusted(suite(dataset), dataset, getattr(firm, "quality", None) or {})
    scratch = tempfile.mkdtemp(prefix="firmament-quality-")
    try:
        check = _Check(dataset, firm, as_of, rules, references, Past.of(history), Judge(), Path(scratch))
        results = [result for part in sorted(slices, key=lambda s: s.key) for result in check.slice(part)]
        results += check.freshness()
        check.connection.close()
        return Report(dataset.name, firm.firm_key, as_of, tuple(results))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@dataclass
class _Tally:
    """Rows seen and broken for one rule, over the chunks of a slice."""

    rows: int = 0
    broken: int = 0
    samples: list[str] = field(default_factory=list)


@dataclass
class _Check:
    dataset: Dataset
    firm: Any
    as_of: date
    rules: tuple[Rule, ...]
    references: Mapping[str, list[Path]]
    past: Past
    judge: Judge
    scratch: Path
    profiles: dict[str, Profile] = field(default_factory=dict)

    def __post_init__(self) -> None:
        import duckdb

        self.profiles |= self.past.profiles
        self.connection = duckdb.connect(
            config={"memory_limit": MEMORY, "threads": 2, "temp_directory": str(self.scratch)}
        )
        self.connection.execute("set enable_progress_bar = false")

    def slice(self, part: Slice) -> Iterator[Result]:
        """Results of one slice: columns first, then rows, then what is measured on the whole."""
        found = rows.found_columns(part.files)
        yield from judged(part, found, self.dataset, self.rules, self.judge)
        usable = {f.name for f in self.dataset.schema if found.get(f.name) == str(f.type)}
        profile = self.profiles[part.key] = Profile()
        if part.rows and part.files:
            yield from self._rows(part, usable, profile)
        else:
            yield Result("rows", "", part.text, False, True, "no rows: nothing to check", "Rows, or none.")
        yield from self._measures(part, usable)
        if self.dataset.by == "month":
            what = "Kept for later checks to compare with."
            yield Result("profile", "", part.text, False, True, profile.text(), what)

    def freshness(self) -> Iterator[Result]:
        """Silence up to as_of, over all slices known; once a check, whether or not anything changed."""
        if self.dataset.by != "month" or not measures.is_tail_known(self.profiles, self.past, self.as_of):
            return
        known = measures.recent(self.profiles, self.as_of)
        silence = measures.silence_ratio(
            known,
            as_of=self.as_of,
            period_days=getattr(self.firm, "working_day_period", 1),
            is_first=not self.past.rows,
        )
        rules = [r for r in self.rules if isinstance(r, MeasureRule) and r.measure == "silence_ratio"]
        # The dataset as a whole, not a slice: a slice that passed must not be thought unchecked.
        yield from self._measured("", [(rule, silence) for rule in rules])

    def _rows(self, part: Slice, usable: set[str], profile: Profile) -> Iterator[Result]:
        wanted, unknown = [], {}
        for rule in self.rules:
            if not isinstance(rule, RowRule) or not usable.issuperset(_needs(rule)):
                continue
            if rule.of and rule.of.startswith(rows.UNKNOWN):
                missing = self._unknown(part, rule)
                if missing is None:
                    name = rule.of.removeprefix(rows.UNKNOWN)
                    observed = f"{name} is empty: nothing to compare with"
                    yield Result(rule.name, rule.column, part.text, False, True, observed, rule.about)
                    continue
                unknown[rule.of] = missing
            wanted.append(rule)
        tallies = {rule.name: _Tally() for rule in wanted}
        columns = list(dict.fromkeys(rule.looked_at for rule in wanted))
        key = {rule.of: rule.column for rule in wanted if rule.of in unknown and rule.of is not None}
        amount = self._amount_column(usable)
        read = {c for r in wanted for c in _needs(r)} | (usable & {*self.dataset.grain, "order_date", "kind"})
        read |= {amount} if amount else set()
        moments = self._moments(part)
        questions = [_question(rule, moments) for rule in wanted]
        by_name = {rule.name: rule for rule in wanted}
        for table in rows.chunks(part.files, [n for n in self.dataset.schema.names if n in read]):
            self._remember(table, amount, profile)
            frame = rows.frame(table, columns, key=key, unknown=unknown, zone=self.firm.timezone)
            for answer in self.judge.ask(frame, questions):
                tally, rule = tallies[answer.name], by_name[answer.name]
                tally.rows += answer.rows
                tally.broken += answer.broken
                if answer.broken and len(tally.samples) < SHOWN:
                    told = rows.samples(table, rule.column, rule.of, answer.places, self.dataset)
                    tally.samples += told[: SHOWN - len(tally.samples)]
        for rule in wanted:
            yield _counted(rule, part, tallies[rule.name])

    def _measures(self, part: Slice, usable: set[str]) -> Iterator[Result]:
        known_before = max(self.as_of, part.read_as_of or self.as_of)
        found: list[tuple[MeasureRule, Measurement]] = []
        for rule in self.rules:
            if not isinstance(rule, MeasureRule) or rule.measure == "silence_ratio":
                continue
            if rule.measure == "repeated_keys":
                if not part.rows or not part.files or not usable.issuperset(self.dataset.grain):
                    continue
                count, told = rows.repeated(part, self.dataset.grain, self.connection)
                measured = Measurement(count, f"{count:,} repeated keys", samples=tuple(told))
            elif rule.measure == "volume_ratio":
                measured = measures.volume_ratio(part, self.past, known_before, self.dataset)
            elif rule.measure == "kept_ratio":
                measured = measures.kept_ratio(part, self.past, known_before)
            else:
                measured = measures.amount_ratio(part, self.profiles)
            found.append((rule, measured))
        yield from self._measured(part.text, found)

    def _measured(self, text: str, found: Sequence[tuple[MeasureRule, Measurement]]) -> Iterator[Result]:
        """Numbers put to their two pairs of limits."""
        import pandas as pd

        frame = pd.DataFrame({rule.measure: [measured.value] for rule, measured in found}, dtype="float64")
        questions = [
            Question(
                rule.name,
                rule.expectation,
                {"column": rule.measure, "min_value": low, "max_value": high},
                level,
            )
            for rule, _ in found
            for level, low, high in (
                ("critical", rule.fail_below, rule.fail_above),
                ("warning", rule.warn_below, rule.warn_above),
            )
            if low is not None or high is not None
        ]
        broken = {(a.name, a.level) for a in self.judge.ask(frame, questions) if not a.passed}
        for rule, measured in found:
            stops = (rule.name, "critical") in broken and measured.may_fail
            passed = not broken & {(rule.name, "critical"), (rule.name, "warning")}
            can_stop = rule.fail_below is not None or rule.fail_above is not None
            ratio = f" (ratio {measured.value:.3g})" if _is_ratio(rule, measured) else ""
            yield Result(
                rule.name,
                rule.column,
                text,
                is_critical=stops or (passed and can_stop),
                passed=passed,
                observed=measured.observed + ratio,
                expected=f"{rule.about} {limits(rule)}".strip(),
                samples=measured.samples,
            )

    def _unknown(self, part: Slice, rule: RowRule) -> pa.Array | None:
        name = str(rule.of).removeprefix(rows.UNKNOWN)
        files = self.references.get(name) or []
        if not rows.row_count(files):
            return None
        (referred,) = catalogue()[name].grain
        return rows.unknown_values(part, rule.column, files, referred, self.connection)

    def _amount_column(self, usable: set[str]) -> str | None:
        for rule in self.rules:
            if isinstance(rule, MeasureRule) and rule.measure == "amount_ratio" and rule.column in usable:
                return rule.column
        return None

    def _remember(self, table: pa.Table, amount: str | None, profile: Profile) -> None:
        if self.dataset.by != "month":
            return
        if "order_date" in table.column_names:
            profile.days.update(day for day in pc.unique(table["order_date"]).to_pylist() if day)
        if amount:
            sales = table.filter(pc.equal(table["kind"], "sale")) if "kind" in table.column_names else table
            profile.add_amounts(sales[amount].cast(pa.float64()).drop_null().to_numpy())

    def _moments(self, part: Slice) -> dict[str, datetime]:
        """What the texts among a rule's bounds mean for this slice."""
        known_before = max(self.as_of, part.read_as_of or self.as_of)
        moments = {
            "as_of": _midnight(known_before),
            "as_of_instant": start_of_day(known_before, self.firm.timezone),
        }
        if self.dataset.by == "month":
            month = Month.parse(part.key)
            moments |= {
                "month_first": _midnight(month.first),
                "month_end": _midnight(min(month.end, known_before)),
            }
        return moments


def _needs(rule: RowRule) -> tuple[str, ...]:
    return rows.NEEDS.get(rule.of or "", (rule.column,))


def _question(rule: RowRule, moments: Mapping[str, datetime]) -> Question:
    bounds = dict(rule.bounds)
    for name in ("min_value", "max_value"):
        value = bounds.get(name)
        if isinstance(value, str):
            bounds[name] = moments[value]
        elif isinstance(value, date):
            bounds[name] = _midnight(value)
    return Question(rule.name, rule.expectation, {"column": rule.looked_at, **bounds})


def _counted(rule: RowRule, part: Slice, tally: _Tally) -> Result:
    share = tally.broken / tally.rows if tally.rows else 0.0
    stops = rule.fail_above is not None and share > rule.fail_above
    passed = not stops and share <= rule.warn_above
    return Result(
        rule.name,
        rule.column,
        part.text,
        is_critical=stops or (passed and rule.fail_above is not None),
        passed=passed,
        observed=f"{tally.broken:,} of {tally.rows:,} rows break it"
        if tally.broken
        else f"{tally.rows:,} rows keep it",
        expected=f"{rule.about} {limits(rule)}",
        samples=tuple(tally.samples),
    )


def _is_ratio(rule: MeasureRule, measured: Measurement) -> bool:
    return rule.measure.endswith("_ratio") and measures.is_number(measured.value)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
