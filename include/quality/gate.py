"""The gate: check every rule of a dataset on every slice, and report results and validation documents.

One SQL statement per slice evaluates all rules (``aggregates``). Great Expectations then runs on the rules
that fail or come close to a limit (``rule_results``), or on all rules for a whole-suite check; its count is
used.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from include.datasets import Dataset, catalogue
from include.quality import measures, rows
from include.quality.aggregates import Aggregates, SliceSql, source
from include.quality.measures import Measurement, Past, Profile, Unchanged
from include.quality.recheck import recheck
from include.quality.rejected import Extracted, rejected_share
from include.quality.report import Report, Slice
from include.quality.rule_results import Tally, levels_over
from include.quality.rules import UNKNOWN, ColumnsRule, MeasureRule, RowRule, Rule, adjusted, suite
from include.quality.slice_check import SliceCheck
from include.quality.specs import moments_of, row_spec

if TYPE_CHECKING:
    import duckdb

MEMORY_SHARE = 0.5  # of FIRMAMENT_MEMORY_MB; the rest is for the frames of Great Expectations
THREADS = 2
OF_EXTRACTION = ("silence_ratio", "rejected_rows", "rejected_money")  # not measured on a slice's files


def check(
    dataset: Dataset,
    *,
    firm: Any,
    as_of: date,
    slices: Sequence[Slice],
    references: Mapping[str, list[Path]],
    history: Sequence[Mapping[str, object]],
    unchanged: Mapping[str, Unchanged] | None = None,
    extracted: Mapping[str, Extracted] | None = None,
    whole_suite: bool = False,
    scratch: Path | None = None,
) -> Report:
    """Check ``dataset`` on the slices; ``references`` are the files of the datasets it refers to.

    ``history`` holds earlier slices: ``slice``, ``rows``, ``as_of`` and, where an earlier check left
    one, ``profile`` (the observed value of that check's result ``profile``). ``unchanged`` are the slices
    of the run that passed before and are not checked again; silence is measured on them and on ``slices``
    (None: on ``slices`` and the history). ``extracted`` says what the source of each slice of the run gave.
    ``firm.quality`` may move limits. With ``whole_suite`` Great Expectations runs on every rule, however
    clear the aggregates are.
    """
    rules = adjusted(suite(dataset), dataset, getattr(firm, "quality", None) or {})
    folder = Path(tempfile.mkdtemp(prefix="firmament-quality-", dir=scratch))
    try:
        parts = sorted(slices, key=lambda s: s.text)
        paths = [path for part in parts for path in part.files]
        paths += [path for files in references.values() for path in files]
        connection = open_slices(paths, spill=folder)
        try:
            gate = _Gate(dataset, firm, as_of, rules, references, Past.of(history), connection)
            gate.unchanged, gate.extracted = unchanged, extracted or {}
            checks = gate.checked(parts, whole_suite=whole_suite)
        finally:
            connection.close()
        results = tuple(result for one in checks for result in one.results(dataset, gate.profiles))
        documents = {
            one.part.text: one.document(dataset, firm_key=firm.firm_key, as_of=as_of)
            for one in checks
            if one.part.text or one.measured
        }
        return Report(dataset.name, firm.firm_key, as_of, results, documents)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def open_slices(paths: Iterable[Path], *, spill: Path) -> duckdb.DuckDBPyConnection:
    """The DuckDB of one check; it may read only these files."""
    from include.bounded_duckdb import open_database, share_of_memory

    return open_database(spill=spill, threads=THREADS, memory_mb=share_of_memory(MEMORY_SHARE), files=paths)


class _Gate:
    """One check of one dataset."""

    def __init__(
        self,
        dataset: Dataset,
        firm: Any,
        as_of: date,
        rules: Sequence[Rule],
        references: Mapping[str, list[Path]],
        past: Past,
        connection: duckdb.DuckDBPyConnection,
    ) -> None:
        """Prepare the check; ``past`` is what earlier checks kept, ``connection`` a DuckDB."""
        self.dataset, self.firm, self.as_of, self.past = dataset, firm, as_of, past
        self.row_rules = [rule for rule in rules if isinstance(rule, RowRule)]
        self.measure_rules = [rule for rule in rules if isinstance(rule, MeasureRule)]
        self.column_rules = [rule for rule in rules if isinstance(rule, ColumnsRule)]
        self.references = references
        self.connection = connection
        self.profiles: dict[str, Profile] = dict(past.profiles)
        self.unchanged: Mapping[str, Unchanged] | None = None
        self.extracted: Mapping[str, Extracted] = {}
        self._checked: set[str] = set()
        self._tables: dict[str, str] = {}
        self._sql: dict[str, SliceSql] = {}

    def checked(self, parts: Sequence[Slice], *, whole_suite: bool) -> list[SliceCheck]:
        """Every slice, then the dataset as a whole: aggregates first, Great Expectations where needed."""
        checks = [self._aggregated(part) for part in parts]
        # The dataset as a whole is no slice: a slice that passed must not count as unchecked.
        whole = SliceCheck(Slice("", 0, []), [])
        whole.measured = [*self._silence(), *self._rejected(self.extracted.values(), dated_only=False)]
        checks.append(whole)
        for one in checks:
            one.over = {rule.name: levels_over(rule, measured.value) for rule, measured in one.measured}
        zone = self.firm.timezone
        recheck(checks, self.dataset, zone=zone, unknown=self._unknown, whole_suite=whole_suite)
        self._sample(checks)
        return checks

    def _aggregated(self, part: Slice) -> SliceCheck:
        """A slice with the counts and measures of one SQL statement."""
        one = SliceCheck(part, self.column_rules if part.files else [], rows.found_columns(part.files))
        one.usable = {f.name for f in self.dataset.schema if one.found.get(f.name) == str(f.type)}
        profile = self.profiles[part.text] = Profile()
        self._checked.add(part.text)
        is_repeated = None  # whether some key may occur twice; None: the slice has no keys
        if one.has_rows:
            self._choose_rules(one)
            found = self._run(one)
            one.tallies = {name: Tally(found.rows, c.unexpected) for name, c in found.counts.items()}
            one.counts = found.counts
            if self.dataset.by == "month":
                profile.days |= found.days
                profile.bins.update(found.bins)
            if found.distinct_keys is not None:
                is_repeated = found.distinct_keys < found.rows
        one.measured = list(self._measures(one, is_repeated=is_repeated))
        return one

    def _choose_rules(self, one: SliceCheck) -> None:
        """The rules whose columns the slice has, each with its spec."""
        known_before = max(self.as_of, one.part.read_as_of or self.as_of)
        moments = moments_of(one.part, self.dataset, self.firm.timezone, known_before)
        for rule in self.row_rules:
            if not one.usable.issuperset(rows.needs(rule)):
                continue
            if rule.is_reference and self._table(rule) is None:
                one.incomparable.append((rule, str(rule.of).removeprefix(UNKNOWN)))
                continue
            one.rules.append(rule)
            one.specs[rule.name] = row_spec(rule, moments)

    def _table(self, rule: RowRule) -> str | None:
        """The table of the keys that a rule refers to; None when there are none."""
        name = str(rule.of).removeprefix(UNKNOWN)
        files = self.references.get(name) or []
        if not rows.row_count(files):
            return None
        if name not in self._tables:
            (key,) = catalogue()[name].grain
            self._tables[name] = f"keys_of_{name}"
            self.connection.execute(
                f"create temp table {self._tables[name]} as select distinct cast({key} as varchar) as key "
                f"from {source(files)} where {key} is not null"
            )
        return self._tables[name]

    def _run(self, one: SliceCheck) -> Aggregates:
        tables = {str(rule.of): self._table(rule) or "" for rule in one.rules if rule.is_reference}
        sql = SliceSql(self.dataset, one.part, self.firm.timezone, one.rules, one.specs, tables)
        self._sql[one.part.text] = sql
        grain = self.dataset.grain if one.usable.issuperset(self.dataset.grain) else ()
        statement = sql.statement(
            grain=grain,
            day=self._usable(one, "order_date"),
            amount=self._amount_column(one.usable),
            kind=self._usable(one, "kind"),
        )
        (row,) = self.connection.execute(statement).fetchall()
        return sql.read(row)

    def _usable(self, one: SliceCheck, name: str) -> str | None:
        return name if self.dataset.by == "month" and name in one.usable else None

    def _amount_column(self, usable: set[str]) -> str | None:
        if self.dataset.by != "month":
            return None
        amounts = (rule.column for rule in self.measure_rules if rule.measure == "amount_ratio")
        return next((column for column in amounts if column in usable), None)

    def _measures(
        self, one: SliceCheck, *, is_repeated: bool | None
    ) -> Iterator[tuple[MeasureRule, Measurement]]:
        """The numbers of a slice."""
        part, known_before = one.part, max(self.as_of, one.part.read_as_of or self.as_of)
        for rule in self.measure_rules:
            if rule.measure in OF_EXTRACTION:
                continue
            if rule.measure == "repeated_keys":
                if is_repeated is None:
                    continue
                # Distinct hashes prove distinct keys; with fewer, count the keys themselves.
                grain = self.dataset.grain
                count, found = rows.repeated(part, grain, self.connection) if is_repeated else (0, [])
                measured = Measurement(count, f"{count:,} repeated keys", samples=tuple(found))
            elif rule.measure == "volume_ratio":
                measured = measures.volume_ratio(part, self.past, known_before, self.dataset)
            elif rule.measure == "kept_ratio":
                measured = measures.kept_ratio(part, self.past, known_before)
            else:
                measured = measures.amount_ratio(part, self.profiles)
            yield rule, measured
        if given := self.extracted.get(part.text):
            yield from self._rejected([given], dated_only=True)

    def _rejected(
        self, found: Iterable[Extracted], *, dated_only: bool
    ) -> Iterator[tuple[MeasureRule, Measurement]]:
        """The share of rows, and of money, that cannot be used."""
        found = list(found)
        for rule in self.measure_rules if found else ():
            if rule.measure in ("rejected_rows", "rejected_money"):
                of_money = rule.measure == "rejected_money"
                yield rule, rejected_share(found, of_money=of_money, dated_only=dated_only)

    def _silence(self) -> Iterator[tuple[MeasureRule, Measurement]]:
        """Days without events up to as_of, over all slices known; measured even when no slice changed."""
        profiles, volumes = self.profiles, {key: rows for key, (rows, _) in self.past.rows.items()}
        if self.unchanged is not None:
            # What was loaded before may hold slices that this run does not use, and lack some that it does.
            known = {key: one.profile for key, one in self.unchanged.items()}
            profiles = known | {key: self.profiles[key] for key in self._checked}
            volumes = {key: one.rows for key, one in self.unchanged.items()}
        if self.dataset.by != "month" or not measures.is_tail_known(profiles, volumes, self.as_of):
            return
        silence = measures.silence_ratio(
            measures.recent(profiles, self.as_of),
            as_of=self.as_of,
            period_days=getattr(self.firm, "working_day_period", 1),
            is_first=not self.past.rows,
        )
        for rule in self.measure_rules:
            if rule.measure == "silence_ratio":
                yield rule, silence

    def _sample(self, checks: Sequence[SliceCheck]) -> None:
        """Fetch the first rows that break a rule, for the rules that some row breaks."""
        for one in checks:
            grain = [name for name in self.dataset.grain if name in one.usable]
            for rule in one.rules:
                if one.tallies[rule.name].broken:
                    statement = self._sql[one.part.text].samples(rule, grain=grain)
                    table = self.connection.sql(statement).to_arrow_table()
                    one.tallies[rule.name].samples = rows.samples(table, self.dataset)

    def _unknown(self, part: Slice, rule: RowRule) -> Any:
        """Values of the rule's column in the slice that are no key of the dataset it refers to."""
        found = self.connection.sql(
            f'select distinct "{rule.column}" as key from {source(part.files)} '
            f'where "{rule.column}" not in (select key from {self._table(rule)})'
        )
        return found.to_arrow_table()["key"].combine_chunks()
