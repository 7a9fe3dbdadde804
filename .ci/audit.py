"""Ask for known vulnerabilities of what the locks name: `.venv-supply/bin/python .ci/audit.py`.

Exit status: 0 all were asked about and none has any; 1 some have; 3 some could not be asked about, and no other has any.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from locks import pins

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from locks import Pin

ROOT = Path(__file__).parents[1]
PIP_AUDIT = (sys.executable, "-m", "pip_audit")
#: In the order in which they are asked: the next one only if one does not know all.
SERVICES = ("pypi", "osv")
FOUND, NOT_ASKED = 1, 3
#: Seconds for all packages of a lock at one service.
DEADLINE = 600


class Answer(NamedTuple):
    """What a service says of a lock: vulnerabilities in words, and the packages that it said nothing of."""

    found: frozenset[str]
    unknown: frozenset[str]


def read(report: Any, wanted: Iterable[Pin]) -> Answer:
    """Pip-audit itself ends well, with "no known vulnerabilities", where its service knew none of the packages."""
    answered = {each["name"]: each["vulns"] for each in report["dependencies"] if "skip_reason" not in each}
    versions = {pin.name: pin.version for pin in wanted}
    return Answer(
        found=frozenset(
            f"{name} {versions.get(name, '')}: {one['id']}, mended in {', '.join(one['fix_versions']) or 'no version yet'}"
            for name, known in answered.items()
            for one in known
        ),
        unknown=frozenset(versions.keys() - answered.keys()),
    )


def ask(auditor: Sequence[str], service: str, wanted: Sequence[Pin]) -> Answer:
    """One service about all pins, on whatever platform they are installed. It answers with nothing where it cannot be reached."""
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "requirements.txt"
        plain.write_text("".join(f"{pin.name}=={pin.version}\n" for pin in wanted))
        options = ("--vulnerability-service", service, "--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json")
        try:
            said = subprocess.run([*auditor, "-r", str(plain), *options], capture_output=True, text=True, check=False, timeout=DEADLINE)
            return read(json.loads(said.stdout), wanted)
        except (ValueError, KeyError, TypeError, subprocess.TimeoutExpired):
            return Answer(frozenset(), frozenset(pin.name for pin in wanted))


def audit(lock: Path, auditor: Sequence[str]) -> int:
    """Say what is known of one lock; the exit status that it is worth."""
    wanted = tuple(pins(lock.read_text()))
    found: set[str] = set()
    left = wanted
    for service in SERVICES:
        answer = ask(auditor, service, left)
        found |= answer.found
        left = tuple(pin for pin in left if pin.name in answer.unknown)
        if not left:
            break
    for each in sorted(found):
        print(f"{lock.name}: VULNERABLE: {each}")
    if left:
        print(f"{lock.name}: NOT AUDITED: neither {' nor '.join(SERVICES)} could be asked about {len(left)} of {len(wanted)} packages")
    elif not found:
        print(f"{lock.name}: {len(wanted)} packages, no known vulnerability")
    return FOUND if found else NOT_ASKED if left else 0


def main(locks: Sequence[Path], auditor: Sequence[str] = PIP_AUDIT) -> int:
    """All locks, also after one in which something was found."""
    statuses = {audit(lock, auditor) for lock in locks}
    return next((status for status in (FOUND, NOT_ASKED) if status in statuses), 0)


if __name__ == "__main__":
    sys.exit(main(sorted(ROOT.glob("requirements-*.lock"))))
