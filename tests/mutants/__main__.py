"""`python -m tests.mutants`: break the code in small ways, and say which breakage no test notices.

Two kinds: a kept list of defects of the ledger's scripts, and a sample, by seed, of those that can be written into the Python of
`domain/`, `automations/`, `pipeline/` and `seals/` (`python.py` says why it is our own). A line of Python is tried with the tests that run it; one that
is run by importing it, with those that mirror its module and then with all of these packages; a script with its own tests, the ledger's, and
the pipeline's and those of security. What lives is printed with its reason, if one is known (`WHY`); the exit status is 1 if of either kind more than a tenth live,
or one of the kept list without a reason.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path, PurePath

from . import python, scripts
from .trials import ROOT, Trial, copies, survivors, tests_by_line

MOST_ALIVE = 0.1
NEAR = ("tests/domain", "tests/automations", "tests/pipeline", "tests/seals", "tests/security")
ELSEWHERE = ("tests", "tests/channels", "tests/cli", "tests/edr", "tests/feeds", "tests/sources")
#: Those on fakeredis, which is quick. What is wrong with a script is not looked for in how a client finds its server, or by a linter.
QUICK = ("-k", "not [redis and not [cluster")
LEDGER = ("tests/ledger", *QUICK, *(f"--ignore=tests/ledger/test_{name}.py" for name in ("clients", "servers", "room", "lua")))
Mutant = python.Mutant | scripts.Mutant


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=["python", "scripts"], help="of one kind only")
    parser.add_argument("--only", default="", help="those of files with this in their path")
    parser.add_argument("--sample", type=int, default=250, help="so many of the Python's (250); 0 for all")
    parser.add_argument("--seed", type=int, default=1, help="which of them")
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    kinds: dict[str, Sequence[Mutant]] = {
        "scripts": [each for each in scripts.MUTANTS if chosen.only in each.path],
        "python": _sample([each for each in python.all_mutants() if chosen.only in each.path], chosen.sample, chosen.seed),
    }
    tried = {kind: mutants for kind, mutants in kinds.items() if mutants and chosen.kind in {None, kind}}
    if not tried:
        parser.error(f"no mutant of {chosen.only!r}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        ends_well = [_holds(kind, mutants, chosen.jobs) for kind, mutants in tried.items()]
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(not all(ends_well))


def _sample(mutants: list[python.Mutant], number: int, seed: int) -> list[python.Mutant]:
    """Those of one file together: what it needs is compiled then."""
    if not number or number >= len(mutants):
        return mutants
    return sorted(random.Random(seed).sample(mutants, number))


def _holds(kind: str, mutants: Sequence[Mutant], jobs: int) -> bool:
    alive = _alive(kind, mutants, jobs)
    reasons = python.WHY | scripts.WHY
    for each in alive:
        _say(f"lives: {each.name}: {reasons.get(each.key, 'no reason is known')}")
    _say(f"{kind}: {len(mutants)} mutants, {len(alive)} alive")
    is_explained = kind == "python" or all(each.key in reasons for each in alive)
    return is_explained and len(alive) <= MOST_ALIVE * len(mutants)


def _alive(kind: str, mutants: Sequence[Mutant], jobs: int) -> list[Mutant]:
    alive: list[Mutant] = []
    with copies(jobs) as folders:
        stages = _stages_of_python(folders[0]) if kind == "python" else _stages_of_script
        trials = (Trial(each, stages(each)) for each in mutants)
        for number, (trial, noticed) in enumerate(survivors(trials, folders), 1):
            _say(f"{number}/{len(mutants)} {noticed or 'LIVES'} <- {trial.mutant.name}")
            if not noticed:
                alive.append(trial.mutant)
    return alive


def _stages_of_script(mutant: scripts.Mutant) -> list[Sequence[str]]:
    nearest = [f"tests/ledger/test_{name}.py" for name in scripts.NEAREST[mutant.script]]
    return [[*nearest, *QUICK], LEDGER, ["tests/pipeline", "tests/security"]]


def _stages_of_python(folder: Path) -> Callable[[python.Mutant], list[Sequence[str]]]:
    """Which tests are asked of a line: the nearest first."""
    _say("which tests run which line ...")
    lines = tests_by_line(folder, NEAR, python.PACKAGES)

    def stages(mutant: python.Mutant) -> list[Sequence[str]]:
        path = PurePath(mutant.path)
        own, mirror = f"tests/{path.parts[1]}", f"tests/{path.parts[1]}/test_{path.stem}.py"
        tests = lines.get(mutant.path, {}).get(mutant.number)
        if tests is None:
            return [_elsewhere(path) or [own]]
        if tests:
            return [sorted(tests, key=lambda test: (not test.startswith(f"{mirror}::"), not test.startswith(f"{own}/"), test))]
        others = [each for each in NEAR if each != own]
        return [*([[mirror]] if (ROOT / mirror).exists() else []), [own], others]

    return stages


def _elsewhere(path: PurePath) -> list[str]:
    """Other tests that import the module, for a line that none of the near ones runs."""
    name = f"{path.parts[1]}.{path.stem} import"
    found = [each for folder in ELSEWHERE for each in (ROOT / folder).glob("test_*.py") if name in each.read_text()]
    return [each.relative_to(ROOT).as_posix() for each in sorted(found)]


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
