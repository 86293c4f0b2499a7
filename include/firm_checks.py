"""Check a firm before it is saved: mistakes that no retry can heal are refused at once.

``parse_firm`` checks the fields alone. Here the table of segments is checked as a whole, and the row is
compared with the world: the source's kind and layout, its folder, and, unless the caller leaves it out, that
each connection is configured and the source opens.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from include.firms import Firm, FirmError
from include.models import segments
from include.settings import SettingsError
from include.sources import SourceError, check_connection, check_source

SECONDS = 15.0


class CheckError(FirmError):
    """A firm was not saved: its source or a connection does not answer as the row says."""


def check_firm(
    firm: Firm,
    connection_uri: Callable[[str], str],
    *,
    connects: bool = True,
    seconds: float = SECONDS,
) -> None:
    """FirmError when the firm could never run; ``connects=False`` leaves out what needs a connection."""
    check_source(firm)
    try:
        segments.table_of(firm)
    except segments.SegmentTableError as error:
        raise FirmError(f"firm {firm.firm_key}: {error}") from None
    if not connects:
        return
    for field, conn_id in _connections(firm):
        try:
            connection_uri(conn_id)
        except SettingsError as error:
            raise CheckError(f"firm {firm.firm_key}, {field}: {error.args[0]}") from None
    try:
        _within(seconds, lambda: check_connection(firm, connection_uri))
    except SourceError as error:
        raise CheckError(error.args[0]) from None
    except TimeoutError:
        raise CheckError(
            f"firm {firm.firm_key}: its source did not answer within {seconds:.0f} seconds; "
            "is the address right, and may this host reach it?"
        ) from None


def _connections(firm: Firm) -> list[tuple[str, str]]:
    """Every Airflow connection that the row names, and the field it is named in."""
    named: dict[str, str | None] = {"source.conn_id": firm.source.conn_id}
    if firm.publish is not None:
        named |= {"publish.conn_id": firm.publish.conn_id, "publish.webhook": firm.publish.webhook}
    alerts = firm.alerts
    named |= {"alerts.webhook": alerts.webhook, "alerts.slack": alerts.slack, "alerts.smtp": alerts.smtp}
    return [(field, conn_id) for field, conn_id in named.items() if conn_id is not None]


def _within(seconds: float, check: Callable[[], None]) -> None:
    """Run the check in a thread; TimeoutError when it takes longer. A driver's own limits are longer."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            check()
        except BaseException as error:  # raised again in the caller's thread
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True, name="check-source")
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError
    if outcome:
        raise outcome[0]
