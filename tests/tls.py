"""A door before a server that speaks no TLS, as the embedded one: whoever begins with TLS gets it, and everybody else what is behind.

Sentinels and the nodes of a cluster go through the same door as clients, and without TLS: they tell clients the address that they know.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from contextlib import contextmanager, suppress

import trustme

#: Leads to this machine and is not known to: what our rules take for another machine.
FAR = "127.1"
_HANDSHAKE = b"\x16"


class Authority:
    """Signs for this machine, by the names that tests have for it."""

    def __init__(self, folder):
        self.ca = trustme.CA()
        self.file = folder / "ca.pem"
        self.ca.cert_pem.write_to_path(self.file)

    def context(self, *names):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*(names or (FAR, "127.0.0.1"))).configure_cert(context)
        return context


@contextmanager
def a_door(target, context):
    """Its port, on loopback."""
    loop = asyncio.new_event_loop()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    thread = threading.Thread(target=loop.run_until_complete, args=(_serve(loop, listener, target, context),), daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        loop.call_soon_threadsafe(lambda: [task.cancel() for task in asyncio.all_tasks(loop)])
        thread.join()
        listener.close()
        loop.close()


async def _serve(loop, listener, target, context):
    with suppress(asyncio.CancelledError):
        async with asyncio.TaskGroup() as guests:
            while True:
                guest, _ = await loop.sock_accept(listener)
                guests.create_task(_between(loop, guest, target, context))
    for _ in range(5):  # until what was closed is gone
        await asyncio.sleep(0)


async def _between(loop, guest, target, context):
    guest.setblocking(False)
    inside, outside = asyncio.StreamReader(), asyncio.StreamReader()
    ends = []
    try:
        tls = context if await _first(loop, guest) == _HANDSHAKE else None
        ends.append((await loop.connect_accepted_socket(lambda: asyncio.StreamReaderProtocol(outside), guest, ssl=tls))[0])
        ends.append((await loop.create_connection(lambda: asyncio.StreamReaderProtocol(inside), "127.0.0.1", target))[0])
        await asyncio.gather(_pump(outside, ends[1]), _pump(inside, ends[0]))
    except OSError:
        """One side has gone, or does not like our certificate."""
    finally:
        for end in ends:
            end.abort()
        guest.close()


async def _first(loop, guest):
    is_there = loop.create_future()
    loop.add_reader(guest, lambda: is_there.done() or is_there.set_result(None))
    try:
        await is_there
    finally:
        loop.remove_reader(guest)
    return guest.recv(1, socket.MSG_PEEK)


async def _pump(source, sink):
    try:
        while piece := await source.read(65_536):
            sink.write(piece)
    finally:
        sink.close()
