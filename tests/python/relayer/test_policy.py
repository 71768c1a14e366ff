"""What is taken, what is refused, and by which name."""

import pytest

from tests.python.relayer.making import OPERATOR, make_terms
from vouch.chain.contracts import Price
from vouch.protocol.status import Gate
from vouch.relayer.errors import Refused
from vouch.relayer.policy import Policy

POLICY = Policy(callback_gas=100_000, margin=3.0, gas_floor=0.5, defend_within=30)
OTHER = "0x00000000000000000000000000000000000000EE"
TOKEN = "0x00000000000000000000000000000000000000aB"


def test_operators() -> None:
    POLICY.check_operator(make_terms(), [])
    POLICY.check_operator(make_terms(operator=OPERATOR), [OTHER, OPERATOR])
    with pytest.raises(Refused, match=f"OtherOperator: the terms name {OTHER}, we are {OPERATOR}"):
        POLICY.check_operator(make_terms(operator=OTHER), [OPERATOR])


def test_limits() -> None:
    POLICY.check_terms(make_terms(callback_gas=100_000, deliver_by=103), 100)
    with pytest.raises(Refused, match="CallbackGasTooHigh: 100001"):
        POLICY.check_terms(make_terms(callback_gas=100_001), 100)
    with pytest.raises(Refused, match="TooLate: 2 s are left"):
        POLICY.check_terms(make_terms(deliver_by=102), 100)


@pytest.mark.parametrize(
    "gap",
    [
        {"prove_within": 29, "exposure": 1},
        {"prove_within": 29, "bond": 1},
        {"prove_within": 29, "window": 1_000, "bond": 1},
        {"prove_within": 0, "window": 1, "exposure": 1},
    ],
)
def test_a_gap_that_nobody_can_defend(gap: dict[str, int]) -> None:
    with pytest.raises(Refused, match=r"GapTooShort: .* we need 30 s to prove it, proveWithin is "):
        POLICY.check_terms(make_terms(**gap), 100)
    POLICY.check_terms(make_terms(**gap | {"prove_within": 30}), 100)
    POLICY.check_terms(make_terms(**gap | {"exposure": 0, "bond": 0}), 100)


def test_without_a_gap_nothing_can_be_delivered_behind_our_back() -> None:
    POLICY.check_terms(make_terms(exposure=1, bond=1), 100)


def test_trust() -> None:
    ours = bytes.fromhex(OPERATOR[2:]).rjust(32, b"\0")
    assert POLICY.is_trusted(make_terms(), OPERATOR)
    assert POLICY.is_trusted(make_terms(trust=ours), OPERATOR)
    assert not POLICY.is_trusted(make_terms(trust=ours), OTHER)
    assert POLICY.is_trusted(make_terms(trust=ours, route=b"ZKML"), OTHER)  # another verifier's business


def test_fees() -> None:
    prices = {OPERATOR: Price(True, 700, 3), OTHER: Price(True, 900, 0)}
    # 700 + 3 * 100 and 900 + 0, with half of the gas cost on top.
    assert POLICY.takers(make_terms(fee=1_000, callback_gas=100), prices, 0) == [OPERATOR, OTHER]
    assert POLICY.takers(make_terms(fee=999, callback_gas=100), prices, 0) == [OTHER]
    assert POLICY.takers(make_terms(fee=1_000, callback_gas=100), prices, 200) == [OTHER]
    with pytest.raises(Refused, match=r"FeeTooLow: the fee is 1000, we ask 1001 \(900 and 101 for gas\)"):
        POLICY.takers(make_terms(fee=1_000, callback_gas=100), prices, 202)


def test_two_callbacks_cost_twice_one() -> None:
    prices = {OPERATOR: Price(True, 700, 3)}
    twice = {"callback_gas": 100, "gate": Gate.ON_DELIVERY, "prove_within": 60}
    assert POLICY.takers(make_terms(fee=1_300, **twice), prices, 0) == [OPERATOR]
    with pytest.raises(Refused, match="FeeTooLow: the fee is 1299, we ask 1300"):
        POLICY.takers(make_terms(fee=1_299, **twice), prices, 0)


def test_gas_is_asked_for_in_the_native_token_only() -> None:
    prices = {OPERATOR: Price(True, 1_000, 0)}
    assert POLICY.takers(make_terms(fee=1_000, token=TOKEN), prices, 10**18) == [OPERATOR]


def test_a_price_that_is_not_offered_is_no_price() -> None:
    with pytest.raises(Refused, match="PriceNotOffered"):
        POLICY.takers(make_terms(), {OPERATOR: Price(False, 0, 0)}, 0)
