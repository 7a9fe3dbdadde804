"""`python -m bench`: ours beside bare Celery, interleaved, medians, ratios first."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import redis
from celery import Celery, group

from ar_workers.bootstrap import doorbell_at, ledger_at
from ar_workers.cli.redis_server import RedisServer
from ar_workers.domain.endpoints import OS, Endpoint, Vendor
from ar_workers.domain.events import ThreatPublished
from ar_workers.domain.indicators import IOC, Domain, File, FileHash, Process, RegistryKey
from ar_workers.domain.threats import Severity, Threat
from ar_workers.pipeline.ingest import ingest
from bench.noop import MARKS

ROUNDS, THREATS, RATE, SECONDS = (
    int(os.environ.get(f"BENCH_{name}", default)) for name, default in (("ROUNDS", 5), ("THREATS", 1000), ("RATE", 20), ("SECONDS", 20))
)
APPS = {"ours": "bench.noop:app", "bare": "bench.noop:bare"}


def an_event(number: int) -> ThreatPublished:
    """One endpoint to isolate and six indicators, like the ones that the bare side's seven tasks stand for."""
    agent = f"agent-{number}"
    path = rf"C:\Users\u{number}\evil.exe"

    def ioc(indicator, where=None):
        return IOC(indicator=indicator, confirmed_malicious=True, safe_to_act=True, agent_id=where)

    return ThreatPublished(
        id=f"event-{number}",
        customer="acme",
        occurred_at=datetime.now(UTC),
        threat=Threat(id=f"THREAT-{number}", severity=Severity.HIGH, classification="Ransomware", url="https://ar.example/t"),
        endpoints=(Endpoint(edr=Vendor.CROWDSTRIKE, agent_id=agent, hostname=agent, os=OS.WINDOWS, groups=frozenset({"Remediate"})),),
        iocs=(
            ioc(FileHash(sha256=f"{number:064x}".replace("0", "a", 1))),
            ioc(FileHash(sha256=f"{number:064x}".replace("0", "b", 1))),
            ioc(Domain(domain=f"evil{number}.example")),
            ioc(Process(pid=4711, image_path=path), agent),
            ioc(File(path=path), agent),
            ioc(RegistryKey(key=rf"HKCU\Software\Evil{number}"), agent),
        ),
    )


@contextlib.contextmanager
def workers(side: str, url: str, *, marks: bool):
    """Two worker processes of four threads each, over all queues, for either side; ready when this returns."""
    environment = {**os.environ, "AR_REDIS_URL": url, "BENCH_MARKS": "1" if marks else "0"}
    queues = "respond,isolation,ioc,notify,housekeeping" if side == "ours" else "isolation,ioc"
    with tempfile.TemporaryDirectory() as folder:
        logs = [Path(folder) / f"{number}.log" for number in range(2)]
        command = [sys.executable, "-m", "celery", "-A", APPS[side], "worker", "-P", "threads", "-c", "4", "-Q", queues, "-l", "INFO"]
        running = [
            subprocess.Popen([*command, "-n", f"{side}{number}@%h"], env=environment, stdout=log.open("wb"), stderr=subprocess.STDOUT)
            for number, log in enumerate(logs)
        ]
        try:
            while not all(b" ready." in log.read_bytes() for log in logs):
                assert all(each.poll() is None for each in running), logs[0].read_text()
                time.sleep(0.05)
            yield
        finally:
            for each in running:
                each.terminate()
            for each in running:
                each.wait(30)


def bare_workflow(app: Celery, number: int) -> None:
    """What stock Celery makes of a threat: nine empty tasks."""

    def task(name, queue):
        return app.signature(f"bare.{name}", args=(number,), immutable=True, options={"queue": queue})

    (task("isolate", "isolation") | group([task("act", "ioc") for _ in range(6)], app=app)).apply_async()
    for _ in range(2):
        task("deliver", "ioc").apply_async()


def is_done(side: str, client: redis.Redis) -> bool:
    """Ours: every row is settled. Bare: nothing is queued and nothing unacknowledged."""
    if side == "ours":
        return client.zcard("ar:{acme}:due") == 0
    return not (client.llen("isolation") or client.llen("ioc") or client.hlen("unacked"))


def throughput(side: str) -> float:
    """Threats per second, from the first publishing until everything is done."""
    with tempfile.TemporaryDirectory() as folder, RedisServer(Path(folder)) as server, redis.Redis.from_url(server.url) as client:
        os.environ["AR_REDIS_URL"] = server.url
        events = [an_event(number) for number in range(THREATS)]
        ledger, doorbell = ledger_at(server.url), doorbell_at(server.url)
        app = Celery("bare", broker=server.url, set_as_current=False)
        with workers(side, server.url, marks=False):
            started = time.perf_counter()
            if side == "ours":
                for start in range(0, THREATS, 200):
                    ingest(ledger, doorbell, events[start : start + 200])
            else:
                for number in range(THREATS):
                    bare_workflow(app, number)
            while not is_done(side, client):
                time.sleep(0.02)
            took = time.perf_counter() - started
    return THREATS / took


def latency(side: str) -> list[float]:
    """Milliseconds from the accepted event to the isolate request, at a steady rate."""
    with (
        tempfile.TemporaryDirectory() as folder,
        RedisServer(Path(folder)) as server,
        redis.Redis.from_url(server.url, decode_responses=True) as client,
    ):
        os.environ["AR_REDIS_URL"] = server.url
        ledger, doorbell = ledger_at(server.url), doorbell_at(server.url)
        app = Celery("bare", broker=server.url, set_as_current=False)
        accepted = {}
        with workers(side, server.url, marks=True):
            begun = time.perf_counter()
            for number in range(RATE * SECONDS):
                time.sleep(max(0.0, begun + number / RATE - time.perf_counter()))
                key = f"agent-{number}" if side == "ours" else str(number)
                if side == "ours":
                    event = an_event(number)
                    accepted[key] = time.time()
                    ingest(ledger, doorbell, [event])
                else:
                    accepted[key] = time.time()
                    bare_workflow(app, number)
            time.sleep(2)
            reached = client.hgetall(MARKS[side])
    assert len(reached) == len(accepted)
    return sorted((float(at) - accepted[key]) * 1000 for key, at in reached.items())


def main() -> None:
    """Interleave the sides, so that a slow minute of the machine hits both."""
    rates: dict[str, list[float]] = {"ours": [], "bare": []}
    for number in range(ROUNDS):
        for side, found in rates.items():
            found.append(throughput(side))
        print(f"round {number + 1}: ours {rates['ours'][-1]:.0f}, bare Celery {rates['bare'][-1]:.0f} threats/s", flush=True)
    ours, bare = (statistics.median(rates[side]) for side in ("ours", "bare"))
    print(
        f"\nthroughput: {ours / bare:.2f} x bare Celery ({ours:.0f} against {bare:.0f} threats/s, {THREATS} threats, medians of {ROUNDS})"
    )
    delays: dict[str, list[list[float]]] = {"ours": [], "bare": []}
    for _ in range(max(1, ROUNDS // 2)):
        for side, found in delays.items():
            found.append(latency(side))
    for share, name in ((0.5, "p50"), (0.99, "p99")):
        ours, bare = (statistics.median(each[int(len(each) * share)] for each in delays[side]) for side in ("ours", "bare"))
        print(f"{name} from accepted event to isolate request at {RATE} threats/s: {ours / bare:.2f} x ({ours:.1f} against {bare:.1f} ms)")


if __name__ == "__main__":
    main()
