"""What is worth a bond, and what is worth its gas."""

from dataclasses import replace

import pytest

from tests.python.watcher.making import (
    HUB,
    RIVAL,
    WE,
    case_of,
    challenged,
    delivered,
    gap,
    make_terms,
    requested,
    settled,
)
from vouch.protocol.request import NATIVE
from vouch.protocol.seal import SIGNED
from vouch.protocol.status import Gate, Status
from vouch.watcher.config import Believed
from vouch.watcher.policy import REJECT_GAS, Duty, Policy, concerns, due, later_gas, reward

TERMS = make_terms()
OPEN = gap(challenge_by=1_000)
POLICY = Policy(Believed(frozenset({TERMS.trust})), frozenset({NATIVE, HUB}))


def test_a_lie_in_its_window_under_a_believed_trust_is_challenged_up_to_the_last_second() -> None:
    assert POLICY.objection(TERMS, OPEN, 1_000, live=True) == ""


@pytest.mark.parametrize(
    ("changes", "now", "live", "why"),
    [
        ({"window": 0}, 10, True, "no window, so nothing can be challenged"),
        ({}, 1_001, True, "too late, the window closed at 1970-01-01 00:16:40 UTC"),
        ({}, 10, False, "its route is dead"),
        ({"route": SIGNED}, 10, True, "a challenge is lost at once"),
        ({"trust": b"\4" * 32}, 10, True, f"--believe 0x{'04' * 32}"),
    ],
)
def test_why_it_is_not(changes: dict[str, object], now: int, live: bool, why: str) -> None:
    assert why in POLICY.objection(make_terms(**changes), OPEN, now, live=live)


def test_whoever_believes_everybody_still_does_not_challenge_a_signature() -> None:
    credulous = replace(POLICY, believed=Believed(anyone=True))
    assert credulous.objection(make_terms(trust=b"\4" * 32), OPEN, 10, live=True) == ""
    assert credulous.objection(make_terms(route=SIGNED), OPEN, 10, live=True) != ""


def test_a_reward_must_exceed_its_gas() -> None:
    assert POLICY.worth(101, NATIVE, 100)
    assert not POLICY.worth(100, NATIVE, 100)
    assert POLICY.worth(1, HUB, 10**18)  # a token that somebody chose to name
    assert not POLICY.worth(0, HUB, 1)
    assert not POLICY.worth(10**30, RIVAL, 1)  # anybody can make a token
    assert replace(POLICY, principled=True).worth(0, RIVAL, 10**18)


def test_the_rejection_that_follows_runs_the_callback_only_at_one_gate() -> None:
    assert later_gas(make_terms(callback_gas=7)) == REJECT_GAS
    assert later_gas(make_terms(callback_gas=7, gate=Gate.ON_DELIVERY)) == REJECT_GAS + 7


def test_which_cases_have_deadlines_for_us() -> None:
    asked = requested(1, TERMS)
    waiting = case_of(asked)
    out = case_of(asked, delivered(2, TERMS))
    demanded = case_of(asked, delivered(2, TERMS), challenged(3, TERMS))
    over = case_of(asked, delivered(2, TERMS), settled(3, TERMS))
    strict = make_terms(window=0)
    must = case_of(requested(1, strict), delivered(2, strict))
    assert [concerns(case, settle=False) for case in (waiting, out, demanded, over, must)] == [
        False,
        False,
        True,
        False,
        True,
    ]
    assert [concerns(case, settle=True) for case in (waiting, out, over)] == [False, True, False]


CHALLENGED = Status.CHALLENGED


@pytest.mark.parametrize(
    ("state", "now", "live", "settle", "duty"),
    [
        (gap(prove_by=100), 100, True, True, None),
        (gap(prove_by=100), 101, True, True, Duty.REJECT),
        (gap(CHALLENGED, prove_by=100, by=RIVAL), 101, True, False, Duty.REJECT),
        (gap(prove_by=100), 101, False, True, None),
        (gap(CHALLENGED, prove_by=100, by=WE), 50, False, False, Duty.EXPIRE),
        (gap(CHALLENGED, prove_by=100, by=RIVAL), 101, False, False, None),
        (gap(challenge_by=100), 100, True, True, None),
        (gap(challenge_by=100), 101, True, True, Duty.SETTLE),
        (gap(challenge_by=100), 101, True, False, None),
        (gap(Status.SETTLED, prove_by=1, challenge_by=1), 101, True, True, None),
        (gap(Status.REQUESTED), 101, True, True, None),
    ],
)
def test_what_is_due(state: object, now: int, live: bool, settle: bool, duty: Duty | None) -> None:
    assert due(state, now, WE, live=live, settle=settle) is duty  # type: ignore[arg-type]


def test_what_it_brings() -> None:
    assert reward(100, gap(prove_by=1), Duty.REJECT, WE) == 100
    assert reward(100, gap(CHALLENGED, prove_by=1, by=WE), Duty.REJECT, WE) == 200
    assert reward(100, gap(CHALLENGED, prove_by=1, by=RIVAL), Duty.REJECT, WE) == 0
    assert reward(100, gap(CHALLENGED, prove_by=1, by=WE), Duty.EXPIRE, WE) == 100
    assert reward(100, gap(challenge_by=1), Duty.SETTLE, WE) == 0
    assert reward(100, gap(CHALLENGED, by=""), Duty.REJECT, None) == 0
