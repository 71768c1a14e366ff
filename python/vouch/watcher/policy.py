"""Which answers are worth a bond, and which duties are worth their gas."""

from dataclasses import dataclass
from enum import Enum, auto

from vouch.protocol.request import NATIVE, Request
from vouch.protocol.seal import SIGNED
from vouch.protocol.status import Gap, Gate, Status
from vouch.watcher.case import Case
from vouch.watcher.config import Believed
from vouch.watcher.words import clock, money

REJECT_GAS = 150_000
"""Roughly what a rejection takes beside the consumer's callback."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the person who runs this watcher decided; `tokens` are those that are worth something."""

    believed: Believed
    tokens: frozenset[str]
    principled: bool = False
    settle: bool = False

    def objection(self, terms: Request, gap: Gap, now: int, *, live: bool) -> str:
        """Why a wrong answer cannot, or shall not, be challenged; empty if it can.

        now: the newest block's time, unix seconds; our own clock may be ahead, and a window would be missed.
        """
        if terms.window == 0:
            by = f"it must be proven by {clock(gap.prove_by)} anyway, and is rejected if it is not"
            return f"the terms have no window, so nothing can be challenged: {by}"
        if now > gap.challenge_by:
            return f"too late, the window closed at {clock(gap.challenge_by)}"
        if not live:
            return "its route is dead, so nobody can prove anything: the request expires"
        if terms.route == SIGNED:
            return (
                "on the route SIGN the operator's own signature is the proof, so a challenge is lost at once"
            )
        if terms.trust not in self.believed:
            name = terms.route.decode("ascii", "replace")
            return (
                f"whoever proves it on route {name!r} is not among those we believe, and an operator that "
                f"makes the proof itself keeps our bond: --believe 0x{terms.trust.hex()}, or --quorum"
            )
        return ""

    def worth(self, reward: int, token: str, cost: int) -> bool:
        """Whether token units are worth gas of `cost` wei."""
        if self.principled:
            return True
        return reward > cost if token == NATIVE else reward > 0 and token in self.tokens

    def poor(self, what: str, reward: int, token: str, cost: int) -> str:
        """Says that something is not `worth` it."""
        return (
            f"{what} would bring {money(reward, token)} and may cost {money(cost)} of gas: left to others "
            "(--principled does it anyway)"
        )


def later_gas(terms: Request) -> int:
    """Gas that follows a successful challenge: the rejection, with the callback that it may run."""
    return REJECT_GAS + (terms.callback_gas if terms.gate is Gate.ON_DELIVERY else 0)


class Duty(Enum):
    """What silence asks for."""

    REJECT = auto()
    """The proof is late."""
    EXPIRE = auto()
    """The route is dead, and our bond is in it."""
    SETTLE = auto()
    """Nobody challenged."""


def concerns(case: Case, *, settle: bool) -> bool:
    """Whether a deadline of this case can make a duty at all."""
    if not case.open:
        return False
    if case.challenge is not None or case.terms.window == 0:
        return True
    return settle


def due(gap: Gap, now: int, account: str | None, *, live: bool, settle: bool) -> Duty | None:
    """The duty that is there now (unix seconds), whether it is worth it or not."""
    if not gap.status.open:
        return None
    if not live:
        return Duty.EXPIRE if account is not None and gap.challenger == account else None
    if gap.prove_by and now > gap.prove_by:
        return Duty.REJECT
    if settle and gap.status is Status.DELIVERED and gap.challenge_by and now > gap.challenge_by:
        return Duty.SETTLE
    return None


def reward(bond: int, gap: Gap, duty: Duty, account: str | None) -> int:
    """Token units that a duty brings us, our own bond included; `bond` is that of the terms."""
    ours = account is not None and gap.challenger == account
    match duty:
        case Duty.REJECT:
            if gap.status is Status.CHALLENGED:
                return 2 * bond if ours else 0
            return bond
        case Duty.EXPIRE:
            return bond if ours else 0
        case Duty.SETTLE:
            return 0
