"""What becomes of kept connections once an answer has not come."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from ar_workers.domain.errors import OutcomeUnknown
from ar_workers.http import HttpSession


class Keeping(BaseHTTPRequestHandler):
    """Answers on one connection after the other, and hangs up without a word where it is asked to."""

    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.server.connections += 1

    def do_GET(self):
        if self.path == "/silent":
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        """Says nothing."""


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Keeping) as server:
        server.connections, server.daemon_threads = 0, True
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_after_an_answer_that_never_came_every_thread_connects_anew(server):
    http = HttpSession(f"http://127.0.0.1:{server.server_address[1]}")
    with ThreadPoolExecutor(1) as other:
        for _ in range(3):
            http.call("GET", "/")
            other.submit(http.call, "GET", "/").result()
        assert server.connections == 2
        with pytest.raises(OutcomeUnknown):
            http.call("GET", "/silent")
        other.submit(http.call, "GET", "/").result()
        assert server.connections == 3
        http.call("GET", "/")
        assert server.connections == 4
