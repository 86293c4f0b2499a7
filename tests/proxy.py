"""A small TCP proxy that loses replies: the request is carried out, and the client hears nothing."""

import contextlib
import socket
import threading
from collections.abc import Callable


class LossyProxy:
    """Listens on 127.0.0.1 and forwards to ``port``; drops the reply to requests that ``loses`` picks.

    ``loses`` is given the request's first line. ``dropped`` counts; once ``is_dead`` is set, every
    connection ends at once.
    """

    def __init__(self, port: int, loses: Callable[[str], bool]) -> None:
        self._target = port
        self._loses = loses
        self.dropped = 0
        self.is_dead = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._clients: list[socket.socket] = []
        self._start(self._accept)

    def close(self) -> None:
        """Stop listening and wait for what is under way."""
        self.is_dead = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for client in self._clients:
            with contextlib.suppress(OSError):  # closed already
                client.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=5)

    def _start(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._clients.append(client)
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        """One connection: requests one after the other, each with its answer."""
        with client, socket.create_connection(("127.0.0.1", self._target)) as server:
            client.settimeout(20)
            server.settimeout(20)
            try:
                while not self.is_dead:
                    request = _message(client, server, answers_continue=True)
                    if request is None:
                        return
                    line = request.partition(b"\r\n")[0].decode()
                    if self._loses(line):
                        _answer(server, None)  # carried out, and never heard of
                        self.dropped += 1
                        return
                    _answer(server, client, head_only=line.startswith("HEAD"))
            except (TimeoutError, OSError):
                return


def _message(
    source: socket.socket, to: socket.socket | None, *, answers_continue: bool = False
) -> bytes | None:
    """Pass on one HTTP request; its head, or None at the end of the connection."""
    data = _head(source)
    if data is None:
        return None
    head, _, body = data.partition(b"\r\n\r\n")
    if to:
        to.sendall(head + b"\r\n\r\n")
    if answers_continue and b"100-continue" in head.lower():
        source.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    _body(source, to, head, body)
    return head


def _answer(source: socket.socket, to: socket.socket | None, *, head_only: bool = False) -> None:
    """Pass on one HTTP answer, or swallow it."""
    while True:
        data = _head(source)
        if data is None:
            return
        head, _, body = data.partition(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 100"):  # the proxy has said so already
            continue
        if to:
            to.sendall(head + b"\r\n\r\n")
        if not head_only and not head.startswith((b"HTTP/1.1 204", b"HTTP/1.1 304")):
            _body(source, to, head, body)
        return


def _head(source: socket.socket) -> bytes | None:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = source.recv(1)
        if not chunk:
            return None
        data += chunk
    return data


def _body(source: socket.socket, to: socket.socket | None, head: bytes, body: bytes) -> None:
    lines = [line.lower() for line in head.split(b"\r\n")]
    if any(line.startswith(b"transfer-encoding:") and b"chunked" in line for line in lines):
        while not body.endswith(b"0\r\n\r\n"):
            chunk = source.recv(1 << 16)
            if not chunk:
                break
            body += chunk
        if to:
            to.sendall(body)
        return
    length = next((int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:")), 0)
    left = length - len(body)
    if to:
        to.sendall(body)
    while left > 0:
        chunk = source.recv(min(left, 1 << 16))
        if not chunk:
            return
        left -= len(chunk)
        if to:
            to.sendall(chunk)
