"""What an EDR is asked at a checkup: one harmless read per permission, and how its answer is judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from ..domain.checkups import Check, ok, red, warn
from ..domain.errors import ARError, AuthRefused, Throttled
from ..domain.text import whole
from ..http import clocks_seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

#: More than a Date header's second and a slow line explain.
_NOTICEABLE, _HARMFUL = timedelta(seconds=5), timedelta(seconds=60)
_SIGN_IN = "credentials"


@dataclass(frozen=True)
class Probe:
    """`needs` is a permission by the vendor's own name, `serves` what it is for; without a `look` only acting would show it.

    A text that `look` returns is shown. The errors in `proven_by` come only after the permission was checked: what has a
    made-up id is "not found" for those who may look for it.
    """

    needs: str
    serves: str
    look: Callable[[], object] | None = None
    proven_by: tuple[type[ARError], ...] = ()


def examine(sign_in: Callable[[], object], probes: Iterable[Probe], *, grant: str) -> Iterator[Check]:
    """Every finding, one by one. After refused credentials nothing more is asked: vendors lock accounts for less.

    `grant` says where the vendor's permissions are given.
    """
    clocks: list[timedelta] = []
    first = _judged(_SIGN_IN, sign_in, clocks, fix="check id, secret, expiry and base_url", proven_by=())
    yield first
    if first.light == "red":
        yield from _clock(clocks)
        return
    for probe in probes:
        yield _untestable(probe) if probe.look is None else _seen(probe, probe.look, clocks, grant)
    yield from _clock(clocks)


def _untestable(probe: Probe) -> Check:
    return warn(probe.needs, f"not testable without acting: {probe.serves} needs it")


def _seen(probe: Probe, look: Callable[[], object], clocks: list[timedelta], grant: str) -> Check:
    return _judged(probe.needs, look, clocks, fix=f"{grant}: {probe.serves} needs it", proven_by=probe.proven_by)


def _judged(name: str, look: Callable[[], object], clocks: list[timedelta], *, fix: str, proven_by: tuple[type[ARError], ...]) -> Check:
    with clocks_seen() as found:
        try:
            said = look()
        except ARError as error:
            return _refused(name, error, fix, proven_by)
        finally:
            clocks += found
    return ok(name, said if isinstance(said, str) else "")


def _refused(name: str, error: ARError, fix: str, proven_by: tuple[type[ARError], ...]) -> Check:
    words = whole(str(error))
    if isinstance(error, Throttled):
        return warn(name, f"cannot be told now: {words}", "try again later")
    if name == _SIGN_IN and isinstance(error, AuthRefused) and not error.is_unauthenticated:
        return ok(name, "taken; what they may do is told below")
    if isinstance(error, proven_by):
        return ok(name)
    return red(name, words, fix if isinstance(error, AuthRefused) or name == _SIGN_IN else "")


def _clock(clocks: list[timedelta]) -> Iterator[Check]:
    """By the reply that was nearest to us: the others took longer on the way."""
    if not clocks:
        yield warn("clock", "no reply told the vendor's time")
        return
    skew = min(clocks, key=abs)
    words = f"the vendor's clock is {abs(skew.total_seconds()):.0f} s {'ahead of' if skew > timedelta() else 'behind'} ours"
    fix = "let this machine keep its time by NTP"
    if abs(skew) > _HARMFUL:
        yield red("clock", words, fix)
    elif abs(skew) > _NOTICEABLE:
        yield warn("clock", words, fix)
    else:
        yield ok("clock", "within a few seconds of the vendor's")
