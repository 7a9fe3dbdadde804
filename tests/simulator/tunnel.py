"""An HTTP proxy as companies have one: it opens tunnels, here all of them to one server, whatever name is asked for."""

from __future__ import annotations

import socketserver
import threading
from contextlib import contextmanager
from socket import SHUT_WR, create_connection

PIECE = 65_536


class _Tunnel(socketserver.StreamRequestHandler):
    def handle(self):
        words = self.rfile.readline().split()
        while self.rfile.readline().strip():
            pass
        if words[:1] != [b"CONNECT"]:
            self.wfile.write(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n")
            return
        self.server.asked.append(words[1].decode())
        with create_connection(self.server.target, timeout=5) as there:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(there, self.connection), daemon=True)
            back.start()
            _pump(self.connection, there)
            back.join()


def _pump(source, sink):
    try:
        while piece := source.recv(PIECE):
            sink.sendall(piece)
        sink.shutdown(SHUT_WR)
    except OSError:
        """One side has gone."""


class _Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


@contextmanager
def tunnel_to(port):
    """The proxy; `asked` are the names and ports that were asked for."""
    with _Proxy(("127.0.0.1", 0), _Tunnel) as proxy:
        proxy.target, proxy.asked = ("127.0.0.1", port), []
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
