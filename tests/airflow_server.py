"""A real HTTP server that answers as Airflow's API does."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answers = dict[str, list[tuple[int, object]]]
Asked = list[tuple[str, object, str]]


@contextmanager
def airflow_server() -> Iterator[tuple[str, Answers, Asked]]:
    """A server that gives the answers it was told to, in order, and remembers what it was asked."""
    answers: Answers = {"POST /auth/token": [(201, {"access_token": "t0"})]}
    asked: Asked = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            call = f"{self.command} {self.path}"
            asked.append((call, json.loads(body or b"null"), self.headers.get("Authorization") or ""))
            waiting = answers.get(call) or [(404, {"detail": "not found"})]
            status, content = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        do_GET = do_POST = do_PATCH = answer  # noqa: N815 the names that http.server looks for

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", answers, asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
