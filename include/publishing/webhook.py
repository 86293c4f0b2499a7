"""Customer changes for the firm's webhook: enqueued in ``control.outbox``, sent until acknowledged.

A change is enqueued in the transaction that also replaces the state that later changes are compared with,
so no change is lost or enqueued twice. Delivery is at least once, in order for each customer; every attempt
has the same id. Messages are signed by the Standard Webhooks specification
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

DELIVERY_LOCK = 7_303  # advisory lock class: one sender per firm keeps the order
BATCH = 500
SECONDS = 10.0  # time-out of one request
TRIES = 4
WAIT = tenacity.wait_exponential_jitter(multiplier=0.5, max=8.0)
LONGEST_PAUSE = timedelta(hours=1)
KEPT = timedelta(days=90)  # delivered changes are deleted after this
MOST_REFUSALS = 20  # in a row: the address is wrong, not the changes
TEMPORARY = frozenset({408, 425, 429})

log = logging.getLogger(__name__)


class Endpoint(NamedTuple):
    """The webhook's URL, and the key that signs messages."""

    url: str
    key: bytes


class WebhookUnavailable(Exception):  # noqa: N818
    """The webhook is unreachable, or answered that it is temporarily unavailable."""


class Changes(Session):
    """``control.outbox``: enqueued changes and their delivery."""

    def enqueue(self, firm_key: str, as_of: date) -> int:
        """Enqueue what a snapshot changed; how many. 0 if a newer snapshot was enqueued before."""
        doing = f"outbox of {firm_key}"
        with self.clear_errors(doing), self.transaction(doing) as connection:
            found = connection.execute(
                "select firm_sk from analytics.dim_firm where firm_key = %s for no key update", [firm_key]
            ).fetchone()
            if found is None:
                return 0  # no data of the firm was ever loaded
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

    def claim_delivery(self, firm_key: str) -> int | None:
        """Claim the firm's delivery; its surrogate key, or None if another session has the claim."""
        found = self.rows(
            "select firm_sk from analytics.dim_firm where firm_key = %s "
            "and pg_try_advisory_lock(%s, firm_sk)",
            [firm_key, DELIVERY_LOCK],
        )
        return int(found[0]["firm_sk"]) if found else None

    def due(self, firm_sk: int) -> list[Row]:
        """Changes to send, oldest first; a change waits for earlier ones of its customer."""
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
        """Mark a change as delivered."""
        with self.clear_errors("marking a change as delivered"):
            self.connection.execute(
                "update control.outbox set delivered_at = clock_timestamp(), attempts = attempts + 1, "
                "last_error = null where event_number = %s",
                [event_number],
            )

    def reschedule(self, event: Row, error: str) -> None:
        """Record the error and send the change again later; the pause doubles with each attempt."""
        pause = min(timedelta(minutes=1) * 2 ** min(int(event["attempts"]), 10), LONGEST_PAUSE)
        with self.clear_errors("rescheduling a change"):
            self.connection.execute(
                "update control.outbox set attempts = attempts + 1, last_error = %s, "
                "due_at = clock_timestamp() + %s where event_number = %s",
                [error, pause, event["event_number"]],
            )

    def waiting(self, firm_sk: int) -> int:
        """How many changes are not delivered."""
        query = "select count(*) as waiting from control.outbox where firm_sk = %s and delivered_at is null"
        return int(self.rows(query, [firm_sk])[0]["waiting"])

    def firms_waiting(self) -> list[str]:
        """Firms with changes that are due."""
        query = (
            "select distinct firm_key from control.outbox join analytics.dim_firm using (firm_sk) "
            "where delivered_at is null and due_at <= clock_timestamp() order by firm_key"
        )
        return [row["firm_key"] for row in self.rows(query)]


def deliver(firm: Firm, settings: Settings, *, wait: tenacity.wait.wait_base | None = None) -> str:
    """Send due changes to the firm's webhook; a summary of what was sent and what waits."""
    if firm.publish is None or firm.publish.webhook is None:
        return "the firm's row names no webhook"
    to = endpoint(firm)
    with Changes(settings.warehouse_dsn()) as box:
        firm_sk = box.claim_delivery(firm.firm_key)
        if firm_sk is None:
            return "another process is sending this firm's changes"
        with httpx.Client(timeout=SECONDS, follow_redirects=False) as client:
            sent, problem = _send_all(box, firm, firm_sk, client, to, wait or WAIT)
        waiting = box.waiting(firm_sk)
    if not waiting:
        return f"{sent} delivered"
    log.warning("%s changes of firm %s wait: the webhook %s", waiting, firm.firm_key, problem or "is not due")
    return f"{sent} delivered, {waiting} wait" + (f": the webhook {problem}" if problem else "")


def deliver_due(settings: Settings) -> dict[str, str]:
    """Send due changes of every firm; a summary for each. A firm that fails does not stop the others."""
    results = {}
    with Warehouse(settings.warehouse_dsn()) as warehouse, Changes(settings.warehouse_dsn()) as box:
        for firm_key in box.firms_waiting():
            try:
                results[firm_key] = deliver(parse_firm(warehouse.firms.firm_row(firm_key)), settings)
            except (FirmError, SettingsError, KeyError) as error:
                results[firm_key] = str(error)
                log.warning("Cannot send changes of firm %s: %s", firm_key, error)
    return results


def endpoint(firm: Firm) -> Endpoint:
    """The URL and key of the firm's webhook: an Airflow connection of type http, its password the key."""
    conn_id = firm.publish.webhook if firm.publish else None
    if conn_id is None:
        raise FirmError(f"firm {firm.firm_key}: publish names no webhook")
    target = connection(conn_id)
    secret = target.password or ""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith("whsec_") or len(key) < 16:
        raise FirmError(
            f"firm {firm.firm_key}: the password of connection {conn_id} must be whsec_ and the base64 of "
            "16 random bytes or more; see docs/publishing.md"
        )
    host = target.host or ""
    if "://" in host:  # Airflow accepts a whole address as host
        return Endpoint(host, key)
    path = (target.schema or "").strip("/")
    scheme = path if path in ("http", "https") else target.conn_type
    port = f":{target.port}" if target.port else ""
    return Endpoint(f"{scheme}://{host}{port}/{'' if path == scheme else path}", key)


def signature(key: bytes, event_id: str, timestamp: int, body: bytes) -> str:
    """The value of the header ``webhook-signature`` (Standard Webhooks, symmetric v1)."""
    digest = hmac.new(key, f"{event_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def message(firm_key: str, event: Row) -> bytes:
    """The body of a change: the same bytes in every attempt."""
    fields = {name: {"before": pair[0], "after": pair[1]} for name, pair in event["changes"].items()}
    body: dict[str, Any] = {
        "type": "customer.changed",
        "timestamp": event["created_at"].astimezone(UTC).isoformat(),
        "data": {
            "firm": firm_key,
            "customer_id": event["customer_id"],
            "as_of": event["as_of"].isoformat(),
            "changes": fields,
        },
    }
    return json.dumps(body, ensure_ascii=False, sort_keys=True).encode()


def _send_all(
    box: Changes, firm: Firm, firm_sk: int, client: httpx.Client, to: Endpoint, wait: tenacity.wait.wait_base
) -> tuple[int, str]:
    sent, refusals, problem = 0, 0, ""
    while events := box.due(firm_sk):
        held: set[int] = set()
        for event in events:
            if event["customer_sk"] in held:
                continue
            try:
                refused = _send(client, to, firm.firm_key, event, wait)
            except WebhookUnavailable as error:
                box.reschedule(event, str(error))
                return sent, str(error)
            faults.point("outbox.before_mark")
            if refused is None:
                box.delivered(event["event_number"])
                sent, refusals = sent + 1, 0
                continue
            box.reschedule(event, refused)
            held.add(event["customer_sk"])
            refusals, problem = refusals + 1, refused
            if refusals == MOST_REFUSALS:
                return sent, problem
    return sent, problem


def _send(
    client: httpx.Client, to: Endpoint, firm_key: str, event: Row, wait: tenacity.wait.wait_base
) -> str | None:
    """Send one change: None if acknowledged, else the refusal. WebhookUnavailable after the last attempt."""
    body = message(firm_key, event)

    @tenacity.retry(
        stop=tenacity.stop_after_attempt(TRIES),
        wait=wait,
        retry=tenacity.retry_if_exception_type(WebhookUnavailable),
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
            # The error's own text may contain the URL, and a webhook's URL is a secret.
            raise WebhookUnavailable(f"cannot be reached ({type(error).__name__})") from None
        if status >= 500 or status in TEMPORARY:
            raise WebhookUnavailable(f"answered {status}")
        return status

    status = post()
    return None if 200 <= status < 300 else f"answered {status}"
