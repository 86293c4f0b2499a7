"""A small dataset for the handoff tests: rows written out, one row per customer and number."""

import os
import warnings
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal

import pyarrow as pa

from include.datasets.contract import COUNT, CUSTOMER_ID, MONEY, Dataset, column
from include.handoff import Slot
from include.slices import Slice

AS_OF = date(2026, 11, 21)
SCHEMA = pa.schema(
    [
        CUSTOMER_ID,
        column("number", COUNT, "A number.", required=True),
        column("net_amount", MONEY, "An amount."),
    ]
)
THINGS = Dataset(name="things", about="A thing.", grain=("customer_id", "number"), schema=SCHEMA)
EVENTS = Dataset(name="events", about="An event.", grain=THINGS.grain, schema=SCHEMA, by="month")
SLOT = Slot("acme", THINGS, Slice(AS_OF))

Row = tuple[str, int, int]


def batch(*rows: Row) -> pa.RecordBatch:
    """One batch of (customer_id, number, net_amount)."""
    columns = {
        "customer_id": [row[0] for row in rows],
        "number": [row[1] for row in rows],
        "net_amount": [Decimal(row[2]) for row in rows],
    }
    return pa.RecordBatch.from_pydict(columns, schema=SCHEMA)


def rows(batches: Iterable[pa.RecordBatch]) -> list[Row]:
    """What :func:`batch` was given."""
    return [
        (row["customer_id"], row["number"], int(row["net_amount"])) for b in batches for row in b.to_pylist()
    ]


def forked(work: Callable[[], None], *, fault: str = "") -> int:
    """Start ``work`` in a child of this warm process and return its pid; its status is 0 when it returned.

    A child that raises ends with 1 and, for an error named ``Fenced``, with 3.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # pyarrow's threads do survive a fork
        pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        os.environ["FIRMAMENT_FAULT"] = fault
        work()
        status = 0
    except BaseException as error:
        status = 3 if type(error).__name__ == "Fenced" else 1
        print(f"child: {type(error).__name__}: {error}", flush=True)
    finally:
        os._exit(status)


def ended(pid: int) -> int:
    """Wait for a child: its exit status, negative when a signal ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
