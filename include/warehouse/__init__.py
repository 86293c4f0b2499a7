"""The warehouse adapter: all that reads and writes Postgres on the pipeline's side.

``migrate`` makes the schema; ``Warehouse`` keeps the firms' rows, hands out fencing tokens, loads
slices in one transaction each, and keeps the books of every run.
"""

from include.warehouse.bookkeeping import Bookkeeping
from include.warehouse.erasures import Erasures
from include.warehouse.errors import (
    Fenced,
    LoadRefused,
    MigrationError,
    UnknownFirm,
    UnknownOutcome,
    WarehouseError,
)
from include.warehouse.firm_rows import FirmRows
from include.warehouse.loading import Loaded, Loading, LoadSlice
from include.warehouse.migrations import migrate
from include.warehouse.models import Models
from include.warehouse.readings import Readings
from include.warehouse.scoring import Scoring


class Warehouse(FirmRows, Bookkeeping, Readings, Loading, Scoring, Models, Erasures):
    """A firm's analytics in Postgres, at a DSN. Use it as a context manager, in one process and thread."""


__all__ = [
    "Fenced",
    "LoadRefused",
    "LoadSlice",
    "Loaded",
    "MigrationError",
    "UnknownFirm",
    "UnknownOutcome",
    "Warehouse",
    "WarehouseError",
    "migrate",
]
