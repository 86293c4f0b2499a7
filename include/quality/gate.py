"""The gate: every rule of a dataset put to every slice, by Great Expectations, in bounded memory."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from include.datasets import Dataset, catalogue
from include.quality import measures, rows
from include.quality.columns import judged
from include.quality.judge import Judge, Question
from include.quality.measures import Measurement, Past, Profile
from include.quality.report import SHOWN, Report, Result, Slice
from include.quality.rules import MeasureRule, RowRule, Rule, adjusted, suite
from include.quality.verdicts import Tally, bounds_of, counted, limited, moments_of, needs, question
from include.quality.witnesses import Witnesses

MEMORY_SHARE = 0.5  # of FIRMAMENT_MEMORY_MB; the rest is for the frames that are checked
THREADS = 2


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
        files = [file for part in slices for file in part.files]
        past = Past.of(history)
        check = _Check(dataset, firm, as_of, rules, references, past, Judge(), Path(scratch), files)
        results = tuple(check.results(sorted(slices, key=lambda s: s.key)))
        check.connection.close()
        return Report(dataset.name, firm.firm_key, as_of, results)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@dataclass
class _Look:
    """What is known of one slice before its rows and numbers are judged."""

    part: Slice
    columns: list[Result] = field(default_factory=list)
    usable: set[str] = field(default_factory=set)
    rules: list[RowRule] = field(default_factory=list)
    unknown: dict[str, pa.Array] = field(default_factory=dict)
    incomparable: list[Result] = field(default_factory=list)
    rows: int = 0
    measured: list[tuple[MeasureRule, Measurement]] = field(default_factory=list)


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
    files: Sequence[Path]
    profiles: dict[str, Profile] = field(default_factory=dict)
    judged: dict[tuple[tuple[str, str], ...] | None, list[Result]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        from include.bounded_duckdb import open_database, share_of_memory

        self.profiles |= self.past.profiles
        self.connection = open_database(
            memory_mb=share_of_memory(MEMORY_SHARE),
            threads=THREADS,
            spill=self.scratch,
            files=[*self.files, *(file for files in self.references.values() for file in files)],
        )

    def results(self, parts: Sequence[Slice]) -> Iterator[Result]:
        """Results slice by slice: columns first, then rows, then what is measured on the whole."""
        witnesses = Witnesses(self.judge)
        looks = [self._look(part, witnesses) for part in parts]
        suspects = witnesses.suspects()
        # The dataset as a whole is no slice: a slice that passed must not be thought unchecked.
        whole = _Look(Slice("", 0, []), measured=self._silence())
        measured = self._measured([*looks, whole])
        for look, told in zip(looks, measured, strict=False):
            yield from look.columns
            if look.part.rows and look.part.files:
                yield from look.incomparable
                yield from self._rows(look, {name for key, name in suspects if key == look.part.key})
            else:
                what = "no rows: nothing to check"
                yield Result("rows", "", look.part.text, False, True, what, "Rows, or none.")
            yield from told
            if self.dataset.by == "month":
                what = "Kept for later checks to compare with."
                profile = self.profiles[look.part.key].text()
                yield Result("profile", "", look.part.text, False, True, profile, what)
        yield from measured[-1]

    def _look(self, part: Slice, witnesses: Witnesses) -> _Look:
        found = rows.found_columns(part.files)
        look = _Look(part, self._columns(part, found))
        look.usable = {f.name for f in self.dataset.schema if found.get(f.name) == str(f.type)}
        profile = self.profiles[part.key] = Profile()
        if part.rows and part.files:
            self._choose(look)
            questions = self._questions(look, look.rules)
            amount = self._amount_column(look.usable)
            kept = {"order_date", "kind", *([amount] if amount else [])} & look.usable
            for table in self._chunks(look, look.rules, kept):
                look.rows += table.num_rows
                self._remember(table, amount, profile)
                witnesses.add(part.key, questions, self._looked_at(look, look.rules, table))
        look.measured = list(self._measures(look))
        return look

    def _columns(self, part: Slice, found: Mapping[str, str]) -> list[Result]:
        """Results on the columns; slices mostly have the same, and those are judged once."""
        key = tuple(found.items()) if part.files else None
        if key not in self.judged:
            self.judged[key] = list(judged(part, found, self.dataset, self.rules, self.judge))
        return [result._replace(slice=part.text) for result in self.judged[key]]

    def _choose(self, look: _Look) -> None:
        """The rules that can be put to the slice's rows, and what its references do not hold."""
        for rule in self.rules:
            if not isinstance(rule, RowRule) or not look.usable.issuperset(needs(rule)):
                continue
            if rule.of and rule.of.startswith(rows.UNKNOWN):
                missing = self._unknown(look.part, rule)
                if missing is None:
                    name = rule.of.removeprefix(rows.UNKNOWN)
                    observed = f"{name} is empty: nothing to compare with"
                    look.incomparable.append(
                        Result(rule.name, rule.column, look.part.text, False, True, observed, rule.about)
                    )
                    continue
                look.unknown[rule.of] = missing
            look.rules.append(rule)

    def _questions(self, look: _Look, rules: Sequence[RowRule]) -> list[Question]:
        known = max(self.as_of, look.part.read_as_of or self.as_of)
        moments = moments_of(look.part, self.dataset, self.firm.timezone, known)
        return [question(rule, moments) for rule in rules]

    def _chunks(self, look: _Look, rules: Sequence[RowRule], kept: set[str]) -> Iterator[pa.Table]:
        read = {column for rule in rules for column in needs(rule)} | kept
        return rows.chunks(look.part.files, [name for name in self.dataset.schema.names if name in read])

    def _looked_at(
        self, look: _Look, rules: Sequence[RowRule], table: pa.Table
    ) -> dict[str, pa.ChunkedArray]:
        return rows.looked_at(
            table,
            list(dict.fromkeys(rule.looked_at for rule in rules)),
            key={rule.of: rule.column for rule in rules if rule.of in look.unknown and rule.of is not None},
            unknown=look.unknown,
            zone=self.firm.timezone,
        )

    def _rows(self, look: _Look, suspects: set[str]) -> Iterator[Result]:
        """Results of the rules on rows; those that are suspect are put to every row."""
        tallies = {rule.name: Tally(look.rows) for rule in look.rules}
        asked = {rule.name: rule for rule in look.rules if rule.name in suspects}
        questions = self._questions(look, list(asked.values()))
        grain = look.usable.intersection(self.dataset.grain)
        for table in self._chunks(look, list(asked.values()), grain) if asked else ():
            frame = rows.frame(self._looked_at(look, list(asked.values()), table))
            for answer in self.judge.ask(frame, questions):
                tally, rule = tallies[answer.name], asked[answer.name]
                tally.broken += answer.broken
                if answer.broken and len(tally.samples) < SHOWN:
                    told = rows.samples(table, rule.column, rule.of, answer.places, self.dataset)
                    tally.samples += told[: SHOWN - len(tally.samples)]
        for rule in look.rules:
            yield counted(rule, look.part, tallies[rule.name])

    def _measures(self, look: _Look) -> Iterator[tuple[MeasureRule, Measurement]]:
        part = look.part
        known_before = max(self.as_of, part.read_as_of or self.as_of)
        for rule in self.rules:
            if not isinstance(rule, MeasureRule) or rule.measure == "silence_ratio":
                continue
            if rule.measure == "repeated_keys":
                if not part.rows or not part.files or not look.usable.issuperset(self.dataset.grain):
                    continue
                count, told = rows.repeated(part, self.dataset.grain, self.connection)
                measured = Measurement(count, f"{count:,} repeated keys", samples=tuple(told))
            elif rule.measure == "volume_ratio":
                measured = measures.volume_ratio(part, self.past, known_before, self.dataset)
            elif rule.measure == "kept_ratio":
                measured = measures.kept_ratio(part, self.past, known_before)
            else:
                measured = measures.amount_ratio(part, self.profiles)
            yield rule, measured

    def _silence(self) -> list[tuple[MeasureRule, Measurement]]:
        """Silence up to as_of, over all slices known; once a check, whether or not anything changed."""
        if self.dataset.by != "month" or not measures.is_tail_known(self.profiles, self.past, self.as_of):
            return []
        silence = measures.silence_ratio(
            measures.recent(self.profiles, self.as_of),
            as_of=self.as_of,
            period_days=getattr(self.firm, "working_day_period", 1),
            is_first=not self.past.rows,
        )
        return [
            (rule, silence)
            for rule in self.rules
            if isinstance(rule, MeasureRule) and rule.measure == "silence_ratio"
        ]

    def _measured(self, looks: Sequence[_Look]) -> list[list[Result]]:
        """Numbers put to their two pairs of limits: a row a slice, all of them at once.

        A rule with no number anywhere, as most are for a firm without a past, is kept unasked.
        """
        import pandas as pd

        rules = {rule.name: rule for look in looks for rule, told in look.measured if told.value is not None}
        numbers = [{rule.name: measured.value for rule, measured in look.measured} for look in looks]
        frame = pd.DataFrame(
            {name: [row.get(name) for row in numbers] for name in rules},
            index=range(len(looks)),
            dtype="float64",
        )
        questions = [asked for rule in rules.values() for asked in bounds_of(rule)]
        broken = {
            (place, answer.name, answer.level)
            for answer in self.judge.ask(frame, questions, all_places=True)
            for place in answer.places
        }
        return [
            [
                limited(
                    rule,
                    look.part.text,
                    measured,
                    is_over={level for level in ("critical", "warning") if (at, rule.name, level) in broken},
                )
                for rule, measured in look.measured
            ]
            for at, look in enumerate(looks)
        ]

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
