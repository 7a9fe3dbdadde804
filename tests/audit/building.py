"""Chains of many moves, and what a worker for housekeeping does with a ledger."""

from __future__ import annotations

from datetime import UTC, datetime

from ar_workers.audit.chain import ChainFolder
from ar_workers.domain.audit import Move, Moves
from tests.keys import SEALS

NOW = int(datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp() * 1000)


def moves(count, first=0):
    """Such as the ledger tells."""
    texts = ("new -> pending", "pending -> performed", "performed -> done: seen contained")
    found = [
        Move(number, NOW + number, f"THREAT-{number // 12}", f"acme:isolate:{number // 3}", texts[number % 3], "worker w", "contained")
        for number in range(first, first + count)
    ]
    return Moves(first, NOW + first + count, found)


def a_chain(folder, count=10, customer="acme", seals=SEALS):
    """A folder with one chain of so many moves, sealed."""
    chains = ChainFolder(folder, seals)
    assert chains.append(customer, moves(count)) == []
    return chains


def flipped(data, chance):
    place = chance.randrange(len(data))
    return data[:place] + bytes([data[place] ^ (1 << chance.randrange(8))]) + data[place + 1 :]


def deleted(data, chance):
    lines = data.splitlines(keepends=True)
    del lines[chance.randrange(len(lines))]
    return b"".join(lines)


def swapped(data, chance):
    lines = data.splitlines(keepends=True)
    one, other = chance.sample(range(len(lines)), 2)
    lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def cut(data, chance):
    return data[: chance.randrange(len(data))]


def cut_at_a_line(data, chance):
    lines = data.splitlines(keepends=True)
    return b"".join(lines[: chance.randrange(len(lines))])


def said_twice(data, chance):
    lines = data.splitlines(keepends=True)
    place = chance.randrange(len(lines))
    return b"".join([*lines[:place], lines[place], *lines[place:]])


#: How the file of a chain may have been changed: its bytes and a chance -> other bytes.
CHANGES = (flipped, deleted, swapped, cut, cut_at_a_line, said_twice)
