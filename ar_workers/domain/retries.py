"""When to try again, and when to give up: one decision, as a value, per verb and class of error."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from .errors import AuthRefused, Denied, EndpointNotFound, EndpointOffline, NotSent, OutcomeUnknown, Throttled, Unsupported, VendorFault
from .model import Value
from .verbs import VERBS

if TYPE_CHECKING:
    from collections.abc import Callable

DELIVERY_LIFE = timedelta(hours=24)
#: A text message or a call that comes late is noise.
_SHORT_LIVED = {"sms": timedelta(minutes=15), "voice": timedelta(minutes=15)}
#: So long a provider usually takes at most to say that a text has arrived, or how a call ended: seconds, and a minute of ringing.
USUAL_END = timedelta(minutes=5)
_END_LOOKS = tuple(timedelta(seconds=each) for each in (5, 10, 20, 40, 60))
#: Workers that died with the row in hand before it is set aside as poison: more than a storm of kills makes likely by chance.
MOST_CRASHES = 10
#: After more than so many it waits, longer each time: one that ends workers takes those beside it along no more.
_FREE_CRASHES = 3
_CRASH_FIRST, _CRASH_CAP = timedelta(seconds=2), timedelta(minutes=1)

_FIRST, _CAP = timedelta(seconds=1), timedelta(minutes=5)
#: Where no answer comes at all the breaker keeps the others away: a longer wait would only last on when it is back.
_AWAY_CAP = timedelta(seconds=30)
_OFFLINE_FIRST, _OFFLINE_CAP = timedelta(seconds=30), timedelta(minutes=15)
_LOOK_FIRST, _LOOK_CAP = timedelta(milliseconds=500), timedelta(minutes=5)
#: A vendor that names a longer wait than this is read as broken (an epoch taken for seconds).
LONGEST_RETRY_AFTER = timedelta(hours=1)
#: A receiver that is down is tried by one at a time (its breaker), so that the steps need not be long.
DELIVERY_STEPS = tuple(timedelta(seconds=each) for each in (5, 30, 120, 300))


class Hindrance(StrEnum):
    """What often passes by itself: it fails an order only if it lasts."""

    NONE = ""
    #: The EDR refuses to show what became of an order that it may have carried out: 401 or 403.
    REFUSED = "refused"
    #: The file is locked or cannot be read.
    LOCKED = "locked"


#: How long each may last. A token is revoked and a key changed within seconds, but roles take minutes to reach all of a vendor's
#: servers. A scan or a backup holds a file for minutes; each further try is one more script on somebody's machine.
PATIENCE = {Hindrance.REFUSED: timedelta(minutes=10), Hindrance.LOCKED: timedelta(hours=1)}
#: Between looks that are refused: vendors lock an account, or its address, for some refused calls a minute.
_REFUSED_FIRST, _REFUSED_CAP = timedelta(seconds=2), timedelta(minutes=1)


class Retry(Value):
    """Try again after this long."""

    after: timedelta


class GiveUp(Value):
    """Do not try again."""

    reason: str


def life_of(verb: str) -> timedelta:
    """How long the intent is kept before it fails loudly."""
    return VERBS[verb].life


def delivery_life(channel: str) -> timedelta:
    """How long a delivery is tried before it fails loudly."""
    return _SHORT_LIVED.get(channel, DELIVERY_LIFE)


def after_error(error: Exception, attempts: int, random: Callable[[], float]) -> Retry | GiveUp:
    """What to do after the `attempts`-th failed try. Full jitter: a uniform share of a doubling, capped wait."""
    match error:
        case Denied() | AuthRefused() | EndpointNotFound() | Unsupported():
            return GiveUp(reason=str(error))
        case EndpointOffline():
            return Retry(after=_jitter(_OFFLINE_FIRST, _OFFLINE_CAP, attempts, random))
        case Throttled(retry_after=retry_after) | VendorFault(retry_after=retry_after) if retry_after:
            return Retry(after=min(retry_after, LONGEST_RETRY_AFTER) + _jitter(_FIRST, _FIRST, 0, random))
        case NotSent() | OutcomeUnknown():
            return Retry(after=_jitter(_FIRST, _AWAY_CAP, attempts, random))
        case _:
            return Retry(after=usual_wait(attempts, random))


def usual_wait(attempts: int, random: Callable[[], float]) -> timedelta:
    """How long to wait after the `attempts`-th failed try where nothing speaks for another wait."""
    return _jitter(_FIRST, _CAP, attempts, random)


def after_crash(crashes: int, random: Callable[[], float]) -> Retry | GiveUp:
    """What to do with a row whose `crashes`-th worker was lost with it in hand."""
    if crashes >= MOST_CRASHES:
        return GiveUp(reason=f"set aside: {crashes} workers were lost with it in hand")
    if crashes <= _FREE_CRASHES:
        return Retry(after=timedelta())
    return Retry(after=min(_CRASH_CAP, _CRASH_FIRST * int(2 ** (crashes - _FREE_CRASHES - 1))) * (0.5 + random() / 2))


def after_refused_look(attempts: int, random: Callable[[], float]) -> timedelta:
    """How long to wait before an EDR that refused to show an order is asked again: never less than half of a doubling, capped wait."""
    return min(_REFUSED_CAP, _REFUSED_FIRST * int(2 ** min(attempts, 20))) * (0.5 + random() / 2)


def look_again(looks: int) -> timedelta:
    """How long to wait before the EDR is looked at again for an order that it accepted."""
    return min(_LOOK_CAP, _LOOK_FIRST * 1.5 ** min(looks, 20))


def look_for_end(looks: int) -> timedelta:
    """How long to wait before a provider is asked again what became of a message that it accepted."""
    return _END_LOOKS[min(looks, len(_END_LOOKS) - 1)]


def delivery_retry(attempts: int, retry_after: timedelta | None, random: Callable[[], float]) -> timedelta:
    """How long a refused delivery waits: what the provider asks for or the next step, whichever is longer."""
    step = DELIVERY_STEPS[min(attempts, len(DELIVERY_STEPS) - 1)]
    return max(min(retry_after, LONGEST_RETRY_AFTER) if retry_after else timedelta(), step * (0.5 + random() / 2))


def _jitter(first: timedelta, cap: timedelta, attempts: int, random: Callable[[], float]) -> timedelta:
    return min(cap, first * int(2 ** min(attempts, 20))) * random()
