"""The outbox of changes: what changed for each customer, sent to the firm's webhook until it is taken.

A change is written down in the transaction that makes its snapshot the one that later changes are compared
with, so none is lost and none is made twice. Delivery is at least once, in order for each customer; every
try bears the same id. A message is signed as the Standard Webhooks specification has it
(https://www.standardwebhooks.com): HMAC-SHA256 over id, time and body.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import logging
import time
from datetime import UTC, date, timedelta
from typing import Any, NamedTuple

import httpx
import tenacity

from include import faults, sql_text
from include.connections import connection
from include.firms import Firm, FirmError, parse_firm
from include.settings import Settings, SettingsError
from include.warehouse import Warehouse
from include.warehouse.session import Row, Session

DELIVERY_LOCK = 7_303  # advisory lock class: one sender per firm, or order would be lost
BATCH = 500
SECONDS = 10.0  # what a webhook gets to answer in
TRIES = 4
WAIT = tenacity.wait_exponential_jitter(multiplier=0.5, max=8.0)
LONGEST_PAUSE = timedelta(hours=1)
KEPT = timedelta(days=90)  # how long a delivered change can be looked up
MOST_REFUSALS = 20  # in a row: then nothing is wrong with a change, but with the address
FOR_NOW = frozenset({408, 425, 429})

log = logging.getLogger(__name__)


class Endpoint(NamedTuple):
    """Where a firm's changes go, and the key they are signed with."""

    url: str
    key: bytes


class Deaf(Exception):  # noqa: N818
    """The webhook cannot be reached, or says that it cannot answer now."""


class Changes(Session):
    """``control.outbox``: changes written down, and what became of them."""

    def write_down(self, firm_key: str, as_of: date) -> int:
        """Write down what a snapshot changed; 0 for a snapshot older than the one compared with."""
        doing = f"outbox of {firm_key}"
        with self.clear_errors(doing), self.transaction(doing) as connection:
            found = connection.execute(
                "select firm_sk from analytics.dim_firm where firm_key = %s for no key update", [firm_key]
            ).fetchone()
            if found is None:
                return 0  # nothing of the firm has ever been loaded
            params = {"firm_key": firm_key, "firm_sk": found["firm_sk"], "as_of": as_of, "kept": KEPT}
            newest = connection.execute(
                "select as_of from control.outbox_snapshots where firm_sk = %(firm_sk)s", params
            ).fetchone()
            if newest is not None and newest["as_of"] > as_of:
                return 0
            changes = sql_text.for_psycopg(sql_text.read("publish", "changes"), params)
            written = connection.execute(*changes).rowcount
            connection.execute(*sql_text.for_psycopg(sql_text.read("publish", "state"), params))
            connection.execute(
                "delete from control.outbox "
                "where firm_sk = %(firm_sk)s and delivered_at < clock_timestamp() - %(kept)s",
                params,
            )
            faults.point("outbox.before_commit")
        return written

    def sender(self, firm_key: str) -> int | None:
        """Become the firm's only sender; its key, or None where there is another or nothing to send."""
        found = self.rows(
            "select firm_sk from analytics.dim_firm where firm_key = %s "
            "and pg_try_advisory_lock(%s, firm_sk)",
            [firm_key, DELIVERY_LOCK],
        )
        return int(found[0]["firm_sk"]) if found else None

    def due(self, firm_sk: int) -> list[Row]:
        """Changes to send, oldest first; none of a customer whose earlier change has to wait."""
        return self.rows(
            "select event_number, event_id::text as event_id, customer_sk, customer_id, outbox.as_of, "
            "changes, outbox.created_at, attempts from control.outbox "
            "join analytics.dim_customer using (customer_sk) "
            "where outbox.firm_sk = %(firm_sk)s and delivered_at is null and due_at <= clock_timestamp() "
            "and not exists (select from control.outbox as earlier "
            "where earlier.firm_sk = outbox.firm_sk and earlier.customer_sk = outbox.customer_sk "
            "and earlier.event_number < outbox.event_number and earlier.delivered_at is null "
            "and earlier.due_at > clock_timestamp()) "
            "order by event_number limit %(batch)s",
            {"firm_sk": firm_sk, "batch": BATCH},
        )

    def delivered(self, event_number: int) -> None:
        """The webhook took it."""
        with self.clear_errors("marking a change as delivered"):
            self.connection.execute(
                "update control.outbox set delivered_at = clock_timestamp(), attempts = attempts + 1, "
                "last_error = null where event_number = %s",
                [event_number],
            )

    def put_off(self, event: Row, error: str) -> None:
        """The webhook did not take it: try again later, each time after twice as long."""
        pause = min(timedelta(minutes=1) * 2 ** min(int(event["attempts"]), 10), LONGEST_PAUSE)
        with self.clear_errors("putting a change off"):
            self.connection.execute(
                "update control.outbox set attempts = attempts + 1, last_error = %s, "
                "due_at = clock_timestamp() + %s where event_number = %s",
                [error, pause, event["event_number"]],
            )

    def waiting(self, firm_sk: int) -> int:
        """How many changes the webhook has not taken."""
        asked = "select count(*) as waiting from control.outbox where firm_sk = %s and delivered_at is null"
        return int(self.rows(asked, [firm_sk])[0]["waiting"])

    def firms_waiting(self) -> list[str]:
        """Firms with changes that are due."""
        asked = (
            "select distinct firm_key from control.outbox join analytics.dim_firm using (firm_sk) "
            "where delivered_at is null and due_at <= clock_timestamp() order by firm_key"
        )
        return [row["firm_key"] for row in self.rows(asked)]


def deliver(firm: Firm, settings: Settings, *, wait: tenacity.wait.wait_base | None = None) -> str:
    """Send what is due to the firm's webhook; what was sent and what waits, in words."""
    if firm.publish is None or firm.publish.webhook is None:
        return "the firm's row names no webhook"
    to = endpoint(firm)
    with Changes(settings.warehouse_dsn()) as box:
        firm_sk = box.sender(firm.firm_key)
        if firm_sk is None:
            return "another sender is at work"
        with httpx.Client(timeout=SECONDS, follow_redirects=False) as client:
            sent, trouble = _send_all(box, firm, firm_sk, client, to, wait or WAIT)
        waiting = box.waiting(firm_sk)
    if not waiting:
        return f"{sent} delivered"
    log.warning("%s of firm %s wait: the webhook %s", waiting, firm.firm_key, trouble or "was not asked yet")
    return f"{sent} delivered, {waiting} wait" + (f": the webhook {trouble}" if trouble else "")


def deliver_due(settings: Settings) -> dict[str, str]:
    """Send what is due of every firm; what became of each firm's. A firm that fails stops no other."""
    told = {}
    with Warehouse(settings.warehouse_dsn()) as warehouse, Changes(settings.warehouse_dsn()) as box:
        for firm_key in box.firms_waiting():
            try:
                told[firm_key] = deliver(parse_firm(warehouse.firm_row(firm_key)), settings)
            except (FirmError, SettingsError, KeyError) as error:
                told[firm_key] = str(error)
                log.warning("Changes of firm %s were not sent: %s", firm_key, error)
    return told


def endpoint(firm: Firm) -> Endpoint:
    """The address and key of the firm's webhook: an Airflow connection of type http, its password the key."""
    conn_id = firm.publish.webhook if firm.publish else None
    if conn_id is None:
        raise FirmError(f"firm {firm.firm_key}: publish names no webhook")
    place = connection(conn_id)
    secret = place.password or ""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith("whsec_") or len(key) < 16:
        raise FirmError(
            f"firm {firm.firm_key}: the password of connection {conn_id} must be whsec_ and the base64 of "
            "16 random bytes or more; see docs/publishing.md"
        )
    host = place.host or ""
    if "://" in host:  # Airflow accepts a whole address as host
        return Endpoint(host, key)
    path = (place.schema or "").strip("/")
    scheme = path if path in ("http", "https") else place.conn_type
    port = f":{place.port}" if place.port else ""
    return Endpoint(f"{scheme}://{host}{port}/{'' if path == scheme else path}", key)


def signature(key: bytes, event_id: str, timestamp: int, body: bytes) -> str:
    """The value of the header ``webhook-signature``."""
    digest = hmac.new(key, f"{event_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def message(firm_key: str, event: Row) -> bytes:
    """The body of a change: the same bytes on every try."""
    fields = {name: {"before": pair[0], "after": pair[1]} for name, pair in event["changes"].items()}
    told: dict[str, Any] = {
        "type": "customer.changed",
        "timestamp": event["created_at"].astimezone(UTC).isoformat(),
        "data": {
            "firm": firm_key,
            "customer_id": event["customer_id"],
            "as_of": event["as_of"].isoformat(),
            "changes": fields,
        },
    }
    return json.dumps(told, ensure_ascii=False, sort_keys=True).encode()


def _send_all(
    box: Changes, firm: Firm, firm_sk: int, client: httpx.Client, to: Endpoint, wait: tenacity.wait.wait_base
) -> tuple[int, str]:
    sent, refusals, trouble = 0, 0, ""
    while events := box.due(firm_sk):
        held: set[int] = set()
        for event in events:
            if event["customer_sk"] in held:
                continue
            try:
                refused = _send(client, to, firm.firm_key, event, wait)
            except Deaf as error:
                box.put_off(event, str(error))
                return sent, str(error)
            faults.point("outbox.before_mark")
            if refused is None:
                box.delivered(event["event_number"])
                sent, refusals = sent + 1, 0
                continue
            box.put_off(event, refused)
            held.add(event["customer_sk"])
            refusals, trouble = refusals + 1, refused
            if refusals == MOST_REFUSALS:
                return sent, trouble
    return sent, trouble


def _send(
    client: httpx.Client, to: Endpoint, firm_key: str, event: Row, wait: tenacity.wait.wait_base
) -> str | None:
    """None when it was taken, else how it was refused; Deaf after the last try at a webhook that is down."""
    body = message(firm_key, event)

    @tenacity.retry(
        stop=tenacity.stop_after_attempt(TRIES),
        wait=wait,
        retry=tenacity.retry_if_exception_type(Deaf),
        reraise=True,
    )
    def post() -> int:
        at = int(time.time())
        headers = {
            "content-type": "application/json",
            "webhook-id": event["event_id"],
            "webhook-timestamp": str(at),
            "webhook-signature": signature(to.key, event["event_id"], at, body),
        }
        try:
            status = client.post(to.url, content=body, headers=headers).status_code
        except httpx.HTTPError as error:
            # The error's own text may hold the address, and a webhook's address is a secret.
            raise Deaf(f"cannot be reached ({type(error).__name__})") from None
        if status >= 500 or status in FOR_NOW:
            raise Deaf(f"answered {status}")
        return status

    status = post()
    return None if 200 <= status < 300 else f"answered {status}"
