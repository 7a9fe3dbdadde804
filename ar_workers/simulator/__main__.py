"""`python -m ar_workers.simulator`: the pretend world as a process of its own."""

from __future__ import annotations

import argparse
import json
import signal
import threading
from pathlib import Path

from .control import Control
from .server import Server
from .simulation import Simulation
from .world import World


def main() -> None:
    arguments = _arguments()
    ports: dict[str, int] = json.loads(arguments.ports)
    simulation = Simulation(
        World.from_file(arguments.world),
        speed=arguments.speed,
        journal=arguments.journal,
        ports=ports,
        authority=arguments.authority,
        seed=arguments.seed,
    )
    leave = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: leave.set())
    control = Server(Control(simulation), port=ports.get("control", 0))
    with simulation:
        control.start()
        _tell(arguments.ready_file, {**simulation.addresses(), "control": control.url})
        leave.wait()
        control.stop()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ar_workers.simulator", description="Pretend vendors and inboxes on loopback ports.")
    parser.add_argument("--world", type=Path, required=True, help="JSON document of tenants, endpoints and options")
    parser.add_argument("--speed", type=float, default=1.0, help="how many times as fast as the wall its clock runs")
    parser.add_argument("--journal", type=Path, help="NDJSON file of every request, effect and message")
    parser.add_argument("--ready-file", type=Path, help="written, with all addresses, once everything listens")
    parser.add_argument("--ports", default="{}", help='fixed ports as JSON, such as {"crowdstrike": 9001}')
    parser.add_argument("--authority", type=Path, help="folder that keeps the certificate authority over restarts")
    parser.add_argument("--seed", type=int, default=0, help="of faults that strike by chance")
    return parser.parse_args()


def _tell(ready: Path | None, addresses: dict[str, object]) -> None:
    """The addresses to whoever started it; the pretend secrets go into the file only, never into a log."""
    print(json.dumps({name: each for name, each in addresses.items() if name != "inboxes"}, indent=2), flush=True)  # noqa: T201
    if ready:
        partial = ready.with_suffix(".partial")
        partial.write_text(json.dumps(addresses, indent=2))
        partial.rename(ready)


if __name__ == "__main__":
    main()
