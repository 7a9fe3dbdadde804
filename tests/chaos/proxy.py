"""`python -m tests.chaos.proxy PORT TARGET MODE_FILE`: a TCP proxy that does to connections what its mode file says.

pass                 hand everything on
cut                  close what is open and what comes, politely
blackhole            take connections and bytes, and hand nothing on in either direction
halfopen             hand on what the client says, and nothing of the answers
delay SECONDS        hand everything on, later
reset SHARE [SEED]   end this share of the pieces of traffic by RST
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import sys
from pathlib import Path

PIECE = 65_536
LOOK = 0.05
_ABORT = struct.pack("ii", 1, 0)


class Proxy:
    """Hands bytes on between loopback ports, as the mode of the moment wants it."""

    def __init__(self, target: int, mode_file: Path) -> None:
        self._target, self._mode_file = target, mode_file
        self._open: set[asyncio.StreamWriter] = set()
        self._chance = random.Random(0)
        self._words = ["pass"]

    async def watch(self) -> None:
        """Read the mode again and again; a cut ends what is open."""
        while True:
            with contextlib.suppress(OSError):
                words = self._mode_file.read_text().split() or ["pass"]
                if words != self._words:
                    self._change(words)
            await asyncio.sleep(LOOK)

    def _change(self, words: list[str]) -> None:
        self._words = words
        if words[0] == "reset":
            self._chance = random.Random(words[2] if len(words) > 2 else 0)
        if words[0] == "cut":
            for writer in list(self._open):
                writer.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        if self._words[0] == "cut":
            writer.close()
            return
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            _reset(writer)
            return
        self._open |= {writer, back}
        tasks = [
            asyncio.create_task(self._pump(reader, back, writer)),
            asyncio.create_task(self._pump(there, writer, writer, answers=True)),
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        self._open -= {writer, back}
        for each in (writer, back):
            each.close()

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, client: asyncio.StreamWriter, *, answers: bool = False
    ) -> None:
        with contextlib.suppress(OSError):
            while piece := await source.read(PIECE):
                mode = self._words[0]
                if mode == "blackhole" or (mode == "halfopen" and answers):
                    continue
                if mode == "delay":
                    await asyncio.sleep(float(self._words[1]))
                if mode == "reset" and self._chance.random() < float(self._words[1]):
                    _reset(client)
                    return
                sink.write(piece)
                await sink.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    found = writer.get_extra_info("socket")
    if found is not None:
        with contextlib.suppress(OSError):
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
    writer.transport.abort()


async def run(port: int, target: int, mode_file: Path) -> None:
    proxy = Proxy(target, mode_file)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", port)
    async with server:
        await asyncio.gather(server.serve_forever(), proxy.watch())


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
