"""R14: how often hypothesis drives a ledger against its model, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.errors import FlakyFailure
from hypothesis.stateful import run_state_machine_as_test

from tests.chaos.machine import LedgerMachine
from tests.chaos.report import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from ar_workers.ports import Ledger

STEPS = 40


def driven(new_ledger: Callable[[], Ledger], name: str, number: int, *, examples: int) -> Outcome:
    """So many runs of some dozens of steps each; the first broken promise ends them."""
    taken = [0]

    class Machine(LedgerMachine):
        def check_invariants(self, *args: object, **options: object) -> None:
            taken[0] += 1
            super().check_invariants(*args, **options)

    Machine.new_ledger = staticmethod(new_ledger)
    options = settings(
        max_examples=examples, stateful_step_count=STEPS, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck), report_multiple_bugs=False, print_blob=False,
    )  # fmt: skip
    evidence = ""
    try:
        run_state_machine_as_test(seed(number)(Machine), settings=options)
    except (AssertionError, FlakyFailure) as error:
        first = [str(error.__context__)] if error.__context__ else []  # the step that failed, if the teardown failed, too
        evidence = "\n".join([*first, str(error), *getattr(error, "__notes__", [])])
    counts = {"runs": examples, "steps": taken[0], "breaks": int(bool(evidence))}
    return Outcome("R14", f"model check, {name}", number, "0 broken promises", not evidence, counts, evidence)
