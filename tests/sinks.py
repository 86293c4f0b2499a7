"""Local places that messages are sent to: a web hook and a mail server, both real, both on 127.0.0.1."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_string, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar


class Hook:
    """A web hook that keeps what it was sent, and answers with ``status``."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/hook"
        self.status = 200
        self.received: list[dict[str, Any]] = []

    @property
    def texts(self) -> list[str]:
        return [str(message["text"]) for message in self.received]


@contextmanager
def web_hook() -> Iterator[Hook]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.received.append(json.loads(body))
            self.send_response(hook.status)
            if hook.status == 307:
                self.send_header("Location", hook.url)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook = Hook(server.server_address[1])
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield hook
        finally:
            server.shutdown()


class Mailbox:
    """A mail server that keeps what it was sent."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.received: list[EmailMessage] = []


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    class Handler(socketserver.StreamRequestHandler):
        answers: ClassVar = {"DATA": b"354 go on\r\n", "QUIT": b"221 bye\r\n", "EHLO": b"250 localhost\r\n"}

        def handle(self) -> None:
            self.wfile.write(b"220 localhost\r\n")
            for line in self.rfile:
                verb = line[:4].decode().upper()
                self.wfile.write(self.answers.get(verb, b"250 ok\r\n"))
                if verb == "QUIT":
                    return
                if verb == "DATA":
                    lines = iter(self.rfile.readline, b".\r\n")
                    text = b"".join(lines).decode()
                    mailbox.received.append(message_from_string(text, policy=policy.default))  # type: ignore[arg-type]
                    self.wfile.write(b"250 kept\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        mailbox = Mailbox(server.server_address[1])
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield mailbox
        finally:
            server.shutdown()
