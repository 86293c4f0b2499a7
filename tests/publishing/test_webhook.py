"""Webhook changes: delivered at least once, in order for each customer, signed."""

import base64
import hashlib
import hmac
import json
import os
import re
import signal
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
import tenacity

from include.firms import FirmError, parse_firm
from include.publishing import webhook
from include.settings import Settings
from tests.publishing.conftest import NEW, OLD, snapshot
from tests.things import ended, forked
from tests.warehouse.shop import ACME

KEY = bytes(range(24))
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"
QUOTED = quote(SECRET, safe="")
FIRM = parse_firm(ACME | {"publish": {"webhook": "acme_hook"}})
AT_ONCE = tenacity.wait_none()
LATER = NEW.replace(day=11)
DOCS = Path(__file__).parents[2] / "docs" / "publishing.md"


class Receiver:
    """A webhook that keeps what it took; ``answers`` are used up first, then it answers 204."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.taken: list[dict] = []

    def answer(self, headers: dict[str, str], body: bytes) -> int:
        self.requests.append((headers, body))
        change = json.loads(body)
        status = self.answers.pop(0) if self.answers else 204
        if status == 204:
            self.taken.append(change | {"id": headers["webhook-id"]})
        return status

    @property
    def ids(self) -> list[str]:
        return [change["id"] for change in self.taken]


@contextmanager
def listening(receiver: Receiver, port: int = 0):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(receiver.answer({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


@pytest.fixture(autouse=True)
def _no_hook_is_left():
    yield
    os.environ.pop("AIRFLOW_CONN_ACME_HOOK", None)


@pytest.fixture
def firm(analysed):
    """The shop after its first snapshot was written down: nothing has changed yet."""
    analysed.receiver = Receiver()
    analysed.box = webhook.Changes(analysed.dsn)
    assert analysed.box.enqueue("acme", OLD) == 0
    yield analysed
    analysed.box.close()


def settings(shop, port) -> Settings:
    os.environ["AIRFLOW_CONN_ACME_HOOK"] = f"http://:{QUOTED}@127.0.0.1:{port}/in"
    return Settings.read({"FIRMAMENT_WAREHOUSE_DSN": shop.dsn})


def deliver(shop, port) -> str:
    return webhook.deliver(FIRM, settings(shop, port), wait=AT_ONCE)


def now(shop) -> None:
    """Let the pause after a failure be over."""
    with psycopg.connect(shop.dsn) as connection:
        connection.execute("update control.outbox set due_at = clock_timestamp()")


def test_only_changed_fields_are_sent(firm):
    written = firm.box.enqueue("acme", NEW)
    with listening(firm.receiver) as port:
        note = deliver(firm, port)

    assert (written, note) == (1, "1 delivered")
    ((headers, body),) = firm.receiver.requests
    assert json.loads(body)["data"] == {
        "firm": "acme",
        "customer_id": "bob",
        "as_of": "2026-05-10",
        "changes": {
            "rfm_score": {"before": "445", "after": "145"},
            "rfm_segment": {"before": "Loyal", "after": "Lost"},
            "churn_risk_category": {"before": "Low", "after": "Critical"},
        },
    }
    assert headers["content-type"] == "application/json"


def test_a_snapshot_enqueued_again_or_out_of_order_sends_nothing(firm):
    first = firm.box.enqueue("acme", NEW)

    again = firm.box.enqueue("acme", NEW)
    older = firm.box.enqueue("acme", OLD)

    assert (first, again, older) == (1, 0, 0)


def test_a_corrected_snapshot_sends_its_corrections(firm):
    firm.box.enqueue("acme", NEW)
    snapshot(firm, NEW, bob=("145", "lost", "High", 0.5))

    written = firm.box.enqueue("acme", NEW)

    assert written == 1
    assert firm.ask("select changes from control.outbox order by event_number desc limit 1") == [
        ({"churn_risk_category": ["Critical", "High"]},)
    ]


def test_a_new_customer_has_null_values_before(firm):
    with psycopg.connect(firm.dsn) as connection:
        connection.execute(
            "delete from control.outbox_state where customer_sk = "
            "(select customer_sk from analytics.dim_customer where customer_id = 'ann')"
        )

    firm.box.enqueue("acme", NEW)

    (ann,) = firm.ask(
        "select changes from control.outbox join analytics.dim_customer using (customer_sk) "
        "where customer_id = 'ann'"
    )
    assert ann[0] == {
        "rfm_score": [None, "555"],
        "rfm_segment": [None, "Champions"],
        "churn_risk_category": [None, "Low"],
    }


def test_a_message_is_signed_over_id_time_and_body_with_the_firms_key(firm):
    firm.box.enqueue("acme", NEW)
    with listening(firm.receiver) as port:
        deliver(firm, port)

    ((headers, body),) = firm.receiver.requests
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(KEY, signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


def test_the_code_in_the_docs_accepts_only_correctly_signed_messages(firm):
    firm.box.enqueue("acme", NEW)
    with listening(firm.receiver) as port:
        deliver(firm, port)
    ((headers, body),) = firm.receiver.requests
    (snippet,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.S)
    scope: dict = {}
    exec(snippet, scope)
    at = int(headers["webhook-timestamp"])

    assert scope["is_ours"](headers, body, SECRET, now=at + 60)
    assert not scope["is_ours"](headers, body.replace(b"bob", b"ann"), SECRET, now=at)
    assert not scope["is_ours"](headers | {"webhook-id": "other"}, body, SECRET, now=at)
    assert not scope["is_ours"](headers, body, f"whsec_{base64.b64encode(bytes(24)).decode()}", now=at)
    assert not scope["is_ours"](headers, body, SECRET, now=at + 3600)


def test_a_receiver_that_fails_a_few_times_gets_the_change_with_one_id(firm):
    firm.receiver.answers = [500, 503, 429]
    firm.box.enqueue("acme", NEW)

    with listening(firm.receiver) as port:
        note = deliver(firm, port)

    assert note == "1 delivered"
    assert len(firm.receiver.requests) == 4
    assert len({headers["webhook-id"] for headers, _ in firm.receiver.requests}) == 1
    assert len({body for _, body in firm.receiver.requests}) == 1


def test_a_receiver_that_was_unavailable_gets_every_change_once_and_in_order(firm):
    firm.box.enqueue("acme", NEW)
    with listening(Receiver()) as port:
        pass
    down = deliver(firm, port)
    snapshot(firm, LATER, bob=("555", "champions", "Low", 0.125), ann="loyal")
    firm.box.enqueue("acme", LATER)
    waits = deliver(firm, port)
    now(firm)

    with listening(firm.receiver, port):
        back = deliver(firm, port)
        idle = deliver(firm, port)

    assert down == "0 delivered, 1 wait: the webhook cannot be reached (ConnectError)"
    assert waits.startswith("0 delivered, 3 wait")
    assert (back, idle) == ("3 delivered", "0 delivered")
    assert [(one["data"]["customer_id"], one["data"]["as_of"]) for one in firm.receiver.taken] == [
        ("bob", "2026-05-10"),
        ("ann", "2026-05-11"),
        ("bob", "2026-05-11"),
    ]
    assert len(set(firm.receiver.ids)) == 3


def test_a_customers_later_change_waits_for_the_earlier_and_others_do_not(firm):
    firm.box.enqueue("acme", NEW)
    snapshot(firm, LATER, bob=("555", "champions", "Low", 0.125), ann="loyal")
    firm.box.enqueue("acme", LATER)
    firm.receiver.answers = [422]

    with listening(firm.receiver) as port:
        refused = deliver(firm, port)
        early = deliver(firm, port)
        now(firm)
        late = deliver(firm, port)

    assert refused == "1 delivered, 2 wait: the webhook answered 422"
    assert early == "0 delivered, 2 wait"
    assert late == "2 delivered"
    assert [(one["data"]["customer_id"], one["data"]["as_of"]) for one in firm.receiver.taken] == [
        ("ann", "2026-05-11"),
        ("bob", "2026-05-10"),
        ("bob", "2026-05-11"),
    ]


def test_a_sender_killed_before_it_records_the_answer_sends_the_same_id_again(firm):
    firm.box.enqueue("acme", NEW)
    with listening(firm.receiver) as port:
        status = ended(forked(lambda: deliver(firm, port), fault="outbox.before_mark:1:kill9"))
        note = deliver(firm, port)

    assert status == -signal.SIGKILL
    assert note == "1 delivered"
    assert len(firm.receiver.ids) == 2
    assert len(set(firm.receiver.ids)) == 1


def test_a_killed_enqueue_leaves_nothing_and_a_rerun_enqueues_all(firm):
    status = ended(forked(lambda: _enqueue(firm), fault="outbox.before_commit:1:kill9"))
    half = firm.ask("select count(*) from control.outbox")

    written = firm.box.enqueue("acme", NEW)

    assert status == -signal.SIGKILL
    assert half == [(0,)]
    assert written == 1


def test_two_senders_never_send_at_the_same_time(firm):
    firm.box.enqueue("acme", NEW)
    assert firm.box.claim_delivery("acme") is not None

    with listening(firm.receiver) as port:
        note = deliver(firm, port)

    assert note == "another process is sending this firm's changes"
    assert firm.receiver.requests == []


def test_a_redirect_counts_as_a_refusal_and_is_not_followed(firm):
    firm.box.enqueue("acme", NEW)
    firm.receiver.answers = [307]

    with listening(firm.receiver) as port:
        note = deliver(firm, port)

    assert note == "0 delivered, 1 wait: the webhook answered 307"


def test_a_key_that_is_missing_or_short_is_refused_without_being_shown(shop, monkeypatch):
    for secret in ("", ":hunter2@", ":whsec_aGk=@"):
        monkeypatch.setenv("AIRFLOW_CONN_ACME_HOOK", f"https://{secret}hooks.example.com/in")
        with pytest.raises(FirmError, match="connection acme_hook must be whsec_") as caught:
            webhook.endpoint(FIRM)
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "url"),
    [
        ("https://:{0}@hooks.example.com/in/here", "https://hooks.example.com/in/here"),
        ("http://:{0}@hooks.example.com:8443/https", "https://hooks.example.com:8443/"),
        ("http://:{0}@https%3A%2F%2Fhooks.example.com%2Fin", "https://hooks.example.com/in"),
    ],
)
def test_every_form_of_an_airflow_http_connection_gives_the_right_url(uri, url, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_ACME_HOOK", uri.format(QUOTED))

    found = webhook.endpoint(FIRM)

    assert found == (url, KEY)


def _enqueue(shop) -> None:
    with webhook.Changes(shop.dsn) as box:
        box.enqueue("acme", NEW)


def test_upkeep_sends_waiting_changes_and_reports_why_others_wait(firm):
    firm.box.enqueue("acme", NEW)
    quiet = webhook.deliver_due(settings(firm, 1))
    firm.warehouse.firms.save_firm(FIRM, actor="test")
    del os.environ["AIRFLOW_CONN_ACME_HOOK"]
    lost = webhook.deliver_due(Settings.read({"FIRMAMENT_WAREHOUSE_DSN": firm.dsn}))

    with listening(firm.receiver) as port:
        sent = webhook.deliver_due(settings(firm, port))

    assert quiet == {"acme": "the firm's row names no webhook"}
    assert lost["acme"].startswith("no connection 'acme_hook'")
    assert sent == {"acme": "1 delivered"}
    assert webhook.deliver_due(settings(firm, 1)) == {}
