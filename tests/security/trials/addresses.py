"""S9: URLs, names and redirects that lead into our own network; none is dialled. Names are looked up in here: no query leaves."""

from __future__ import annotations

import random
import socket
import ssl
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING
from urllib.parse import quote

import trustme

from ar_workers.channels.egress import Egress
from ar_workers.domain.errors import Denied, NotSent
from ar_workers.simulator.server import Reply, Server
from tests.channels.addresses import INNER, OUTER, REFUSED_BY_CHARACTER, REFUSED_BY_FORM
from tests.channels.dialled import DIALLED
from tests.channels.posting import NAME, Ear, a_post, an_egress
from tests.security.trials.outcome import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.security.trials.outcome import Outcome

V4 = [each for each in INNER if ":" not in each]
V6 = [each for each in INNER if ":" in each]
FULL_WIDTH = str.maketrans("0123456789.", "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\u3002")
#: One of so many is told to a server of ours: a name that moves, and a redirect.
SERVED = 10


def trial(folder: Path, seed: int, how_many: int) -> Outcome:
    return dialled(lambda resolve: Egress(resolve=resolve), folder, seed, how_many)


def dialled(an_egress_by: Callable[..., Egress], folder: Path, seed: int, how_many: int) -> Outcome:
    """First each known form, then made-up ones. What got through was dialled, or was not refused."""
    chance = random.Random(f"addresses/{seed}")
    names: dict[str, list[str]] = {}
    egress = an_egress_by(lambda host, _: names.get(host) or _as_libc_reads_it(host) or [chance.choice(INNER)])
    listed = [*REFUSED_BY_FORM, *REFUSED_BY_CHARACTER]
    through: list[str] = []
    served = how_many // SERVED
    for number in range(how_many - served):
        names.clear()
        url = listed[number] if number < len(listed) else _made_up(chance, names)
        through += _refused(egress, url, names)
    found = _told_to_a_server(chance, folder, served)
    note = f"{served:,} of them names that move after the first look, and redirects"
    return counted(how_many, how_many - len(through) - len(found), through + found, note)


def _refused(egress: Egress, url: str, names: dict[str, list[str]]) -> list[str]:
    DIALLED.clear()
    try:
        a_post(egress, url)
        return [f"{url!r} {names}: was answered"]
    except Denied:
        wrong = "dialled" if DIALLED else ""
    except (NotSent, RuntimeError) as error:  # RuntimeError is that of the tests' own guard against connections
        wrong = f"was not refused: {error}"
    return [f"{url!r} {names}: {wrong} {DIALLED}"] if wrong else []


def _as_libc_reads_it(host: str) -> list[str]:
    try:
        return [socket.inet_ntoa(socket.inet_aton(host))]
    except (OSError, ValueError):
        return []


def _made_up(chance: random.Random, names: dict[str, list[str]]) -> str:
    """A URL whose host is an inner address in disguise, or a name that leads to some."""
    if chance.random() < 0.4:
        host = f"{chance.choice(('hooks', 'a-b', 'x1'))}{chance.randrange(10**6)}.acme.example"
        found = [chance.choice(INNER), *chance.choices(INNER + OUTER, k=chance.randrange(3))]
        chance.shuffle(found)
        names[host] = found
    else:
        host = chance.choice((_disguised_v4, _disguised_v6))(chance)
    user = chance.choice(("", "", "", "", "kim@", "acme.example@", "kim:secret@", "acme.example%40", "acme.example#@", "acme.example\\@"))
    scheme = chance.choice(("https", "https", "https", "https", "HTTPS", "http", "https\t"))
    port = chance.choice(("", "", "", ":443", ":0443", ":80", ":", ":6379", ":65979"))
    path = chance.choice(("/", "", "/hook?x=1", "/a\r\nHost: x", "/#x", "/@acme.example"))
    return f"{scheme}://{user}{host}{port}{path}"


def _disguised_v4(chance: random.Random) -> str:
    number = int(IPv4Address(chance.choice(V4)))
    parts = number.to_bytes(4, "big")

    def one(value: int, width: int = 0) -> str:
        return chance.choice((str(value), hex(value), f"0{value:o}", f"0x{value:0{width or 2}x}", f"{value:03d}", hex(value).upper()))

    text = chance.choice(
        (
            ".".join(map(str, parts)),
            ".".join(map(str, parts)),
            ".".join(map(one, parts)),
            one(number, 8),
            f"{one(parts[0])}.{one(number & 0xFFFFFF, 6)}",
            f"{one(parts[0])}.{one(parts[1])}.{one(number & 0xFFFF, 4)}",
            str(number + 2**32),
            quote(".".join(map(str, parts))).replace(".", "%2e"),
            ".".join(map(str, parts)).translate(FULL_WIDTH),
        )
    )
    return text + chance.choice(("", "", "", ".", "%00", " ", ".."))


def _disguised_v6(chance: random.Random) -> str:
    inner = IPv4Address(chance.choice(V4))
    high, low = int(inner) >> 16, int(inner) & 0xFFFF
    address = chance.choice(
        (
            chance.choice(V6),
            f"::ffff:{inner}",
            f"::ffff:{high:x}:{low:x}",
            f"::{inner}",
            f"64:ff9b::{inner}",
            f"64:ff9b:1::{high:x}:{low:x}",
            f"2002:{high:x}:{low:x}::{chance.randrange(2**16):x}",
            f"fe80::{chance.getrandbits(16):x}",
            f"fd{chance.getrandbits(8):02x}::{chance.getrandbits(16):x}",
            f"2001:0:{chance.getrandbits(16):x}::{high ^ 0xFFFF:x}:{low ^ 0xFFFF:x}",
        )
    )
    found = ip_address(address)
    assert isinstance(found, IPv6Address)
    text = chance.choice((address, address.upper(), found.exploded, found.compressed))
    return f"[{text}{chance.choice(('', '', '', '%25eth0', '%lo'))}]{chance.choice(('', '', '', '.', 'x'))}"


def _told_to_a_server(chance: random.Random, folder: Path, how_many: int) -> list[str]:
    """The first look finds our server, which is allowed and redirects inwards; every later look finds what is inside."""
    through: list[str] = []
    with _a_server(folder) as (ear, authority):
        answers: list[str] = []
        egress = an_egress(authority, ear.port, resolve=lambda *_: [answers.pop(0)])
        for _ in range(how_many):
            inner = chance.choice([each for each in INNER if not each.startswith("127.")])
            literal = f"[{inner}]" if ":" in inner else inner
            ear.reply = Reply(chance.choice((301, 302, 303, 307, 308)), b"", {"Location": f"https://{literal}:{ear.port}/"})
            status = _told(egress, ear, answers, inner)
            through += [] if status >= 300 and DIALLED == [("127.0.0.1", ear.port)] else [f"{inner}: {status} {DIALLED}"]
            through += _refused(egress, f"https://{NAME}:{ear.port}/", {NAME: [inner]})
    return through


def _told(egress: Egress, ear: Ear, answers: list[str], inner: str) -> int:
    """The status. On a machine that is busy with other things a connection may take too long, which says nothing: then it is tried again."""
    for left in (2, 1, 0):
        DIALLED.clear()
        answers[:] = ["127.0.0.1", inner, inner]
        try:
            return a_post(egress, f"https://{NAME}:{ear.port}/").status
        except NotSent:
            if not left:
                raise
    raise AssertionError("there is a last try")


@contextmanager
def _a_server(folder: Path) -> Iterator[tuple[Ear, tuple[trustme.CA, Path]]]:
    ca, path = trustme.CA(), folder / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(NAME).configure_cert(tls)
    ear = Ear()
    server = Server(ear, tls=tls)
    server.start()
    ear.port = server.port
    try:
        yield ear, (ca, path)
    finally:
        server.stop()
