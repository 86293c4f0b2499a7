"""Three runs of one month meet fifty times, and the one that began last is what stands each time.

The whole of it, all steps, is in ``test_side_by_side.py`` once. Here it is the two places where runs meet, a
slot of the handoff and a table's slice, with rows that tell whose they are.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from pathlib import Path
from threading import Barrier

import psycopg

from include import handoff, warehouse
from include.datasets.extracted import TRANSACTIONS
from include.firms import parse_firm
from include.handoff import Handoff, Slot
from include.periods import Month
from include.slices import Slice
from include.warehouse import LoadSlice, Warehouse
from tests.warehouse.shop import ACME, batch, sale

ROUNDS, RUNS = 50, 3
AS_OF = date(2026, 11, 21)
SLOT = Slot("acme", TRANSACTIONS, Slice(Month(2026, 11)))


def lines(token: int) -> list[dict]:
    """A run's own reading of the month: as many lines as ever, each of them worth its token."""
    return [sale(f"o{n}", date(2026, 11, 1 + n), f"c{n}", token) for n in range(5)]


class Run:
    """One of the runs, with its own session and its own eyes on the handoff."""

    def __init__(self, dsn: str, root: Path, number: int, start: Barrier) -> None:
        self.warehouse = Warehouse(dsn)
        self.handoff = Handoff(f"file://{root / 'handoff'}", scratch=root / f"scratch-{number}")
        self.start = start

    def once(self) -> tuple[int, bool]:
        """Extract, then load what was read; the token, and whether the extract stands."""
        token = self.warehouse.runs.draw_token("acme", "extract_transactions", "2026-11")
        rows = batch(TRANSACTIONS, lines(token))
        self.start.wait(60)
        try:
            self.handoff.write(SLOT, [rows], token=token, as_of=AS_OF)
            stands = True
        except handoff.Fenced:
            stands = False
        self.start.wait(60)
        # Whether or not it was overtaken: it may have learnt of that too late.
        with suppress(warehouse.Fenced):
            self.warehouse.loader.load(
                "fact_sales",
                firm_key="acme",
                as_of=AS_OF,
                dataset=TRANSACTIONS,
                slices=[LoadSlice(SLOT.slice, token, f"sha of {token}", [rows])],
                token=token,
                step="load_fact_sales",
            )
        return token, stands


def test_of_three_runs_at_once_the_one_that_began_last_wins_in_each_of_fifty_rounds(migrated_dsn, tmp_path):
    with Warehouse(migrated_dsn) as one:
        one.firms.save_firm(parse_firm(ACME), actor="test")
    start = Barrier(RUNS)
    runs = [Run(migrated_dsn, tmp_path, number, start) for number in range(RUNS)]
    stands = "select array_agg(distinct net_amount::int), count(*) from analytics.fact_sales"

    last, slots, tables, overtaken = [], [], [], 0
    with ThreadPoolExecutor(RUNS) as pool, psycopg.connect(migrated_dsn, autocommit=True) as connection:
        for _ in range(ROUNDS):
            ended = dict(pool.map(Run.once, runs))
            last.append(max(ended))
            overtaken += not all(ended.values())
            slots.append(
                {int(n) for one in runs[0].handoff.read(SLOT) for n in one.column("net_amount").to_pylist()}
            )
            tables += connection.execute(stands).fetchall()
    for run in runs:
        run.warehouse.close()

    assert slots == [{token} for token in last]
    assert tables == [([token], 5) for token in last]
    assert overtaken > 0  # they did meet
