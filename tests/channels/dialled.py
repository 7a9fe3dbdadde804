"""What was dialled: every address that anything in this process connects to, or tries to."""

from __future__ import annotations

import sys

DIALLED: list[object] = []


def _remember(event, arguments):
    if event == "socket.connect":
        DIALLED.append(arguments[1])


sys.addaudithook(_remember)
