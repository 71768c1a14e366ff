# challenge (which call is for which state: test_inference_hub_states)
# ├── terms that were never asked ........................ UnknownRequest
# ├── another operator or output than delivered .......... WrongAnswer
# ├── window is zero ..................................... NoWindow
# ├── after challengeBy .................................. WindowPassed
# ├── money
# │   ├── ERC-20 bond with native value .................. UnexpectedValue
# │   ├── value and credit do not cover the bond ......... InsufficientCredit
# │   ├── value is the bond .............................. credit untouched
# │   ├── value below the bond ........................... the rest from credit
# │   └── value above the bond ........................... surplus becomes credit
# └── otherwise, by anybody
#     ├── the result stays, and its proof is due from now on
#     └── Challenged is logged, who and when is kept

from dataclasses import replace

import pytest

from tests.contracts.gaps import (
    BOND,
    EXPOSURE,
    PROVE_WITHIN,
    books,
    challenge_slots,
    challenged,
    currency,
    delivered,
)
from tests.support.world import FEE, OUTPUT, World, refused
from vouch.chain.events import ChallengedLog
from vouch.protocol.keccak import keccak
from vouch.protocol.request import NATIVE
from vouch.protocol.status import Gap, Status


@pytest.mark.parametrize("native", [True, False])
async def test_challenges(world: World, native: bool) -> None:
    gap = await delivered(world, token=await currency(world, native=native))
    before, was = await books(world, gap.terms.token), await world.hub.assurance_of(world.id(gap.terms))
    time = gap.delivered_at + 9
    call = world.hub.challenge(*world.result(gap.terms))
    assert call.value == (BOND if native else 0)
    receipt = await world.send_at(time, call, world.rival)

    (log,) = world.logs(receipt)
    assert isinstance(log, ChallengedLog)
    assert (log.id, log.challenger) == (world.id(gap.terms), world.rival.address)
    assert len(receipt.logs) == 1
    assert await before.moved() == ({"hub": BOND} if native else {"rival": -BOND})
    assert await world.hub.assurance_of(world.id(gap.terms)) == replace(was, status=Status.CHALLENGED)
    assert await challenge_slots(world, gap.terms) == int(world.rival.address, 16) | time << 160
    assert await world.hub.gap_of(gap.terms) == Gap(
        Status.CHALLENGED, 0, time + PROVE_WITHIN, EXPOSURE, world.rival.address
    )
    assert await world.hub.is_answer(world.id(gap.terms), world.operator.address, keccak(OUTPUT))


async def test_window(world: World) -> None:
    gap = await delivered(world)
    call, last = world.hub.challenge(*world.result(gap.terms)), gap.challenge_by
    await world.try_at(gap.delivered_at, call, world.rival)
    await world.try_at(last, call, world.rival)
    late = world.try_at(last + 1, call, world.rival)
    await refused(late, "WindowPassed", challengeBy=last, now_=last + 1)


async def test_without_a_window(world: World) -> None:
    """Its proof is due anyway."""
    gap = await delivered(world, window=0)
    attempt = world.send(world.hub.challenge(*world.result(gap.terms)), world.rival)
    await refused(attempt, "NoWindow")


async def test_twice(world: World) -> None:
    gap = await challenged(world)
    for by in (world.rival, world.stranger):
        attempt = world.send(world.hub.challenge(*world.result(gap.terms)), by)
        await refused(attempt, "WrongStatus", id=world.id(gap.terms), status=Status.CHALLENGED)
    assert (await world.hub.gap_of(gap.terms)).challenger == world.rival.address


async def test_another_answer(world: World) -> None:
    """After a reorg that put another result in its place, nobody has challenged that one by mistake."""
    gap = await delivered(world)
    expected = (await world.hub.assurance_of(world.id(gap.terms))).answer
    for key, output in ((world.operator, b"other"), (world.rival, OUTPUT)):
        words = world.id(gap.terms) + bytes(12) + bytes.fromhex(key.address[2:]) + keccak(output)
        attempt = world.send(world.hub.challenge(*world.result(gap.terms, output, key=key)), world.rival)
        await refused(attempt, "WrongAnswer", received=keccak(words)[:18], expected=expected)


@pytest.mark.parametrize("change", [{"bond": 0}, {"window": 10**6}, {"token": "0x" + "11" * 20}])
async def test_other_terms(world: World, change: dict[str, object]) -> None:
    gap = await delivered(world)
    other = replace(gap.terms, **change)  # type: ignore[arg-type]  # each value fits its field
    attempt = world.send(world.hub.challenge(*world.result(other), value=0), world.rival)
    await refused(attempt, "UnknownRequest", id=world.id(other))


@pytest.mark.parametrize(
    ("credit", "value", "left"),
    [
        pytest.param(0, BOND, 0, id="value is the bond"),
        pytest.param(7, BOND, 7, id="credit stays if the value is the bond"),
        pytest.param(0, BOND + 5, 5, id="surplus becomes credit"),
        pytest.param(7, BOND + 5, 12, id="surplus is added to credit"),
        pytest.param(BOND, 0, 0, id="all from credit"),
        pytest.param(BOND + 9, 0, 9, id="from credit with a rest"),
        pytest.param(BOND - 1, 1, 0, id="from both, exactly"),
        pytest.param(BOND, 1, 1, id="from both, with a rest"),
    ],
)
async def test_native_bond(world: World, credit: int, value: int, left: int) -> None:
    gap = await delivered(world)
    if credit:
        await world.send(world.hub.deposit(credit, world.rival.address))
    before = await books(world)
    await world.send(world.hub.challenge(*world.result(gap.terms), value=value), world.rival)
    changes = {"rival": left - credit, "hub": value}
    assert await before.moved() == {name: change for name, change in changes.items() if change}


@pytest.mark.parametrize(("credit", "value"), [(0, 0), (0, BOND - 1), (BOND - 1, 0), (BOND - 2, 1)])
async def test_native_bond_not_covered(world: World, credit: int, value: int) -> None:
    gap = await delivered(world)
    if credit:
        await world.send(world.hub.deposit(credit, world.rival.address))
    attempt = world.send(world.hub.challenge(*world.result(gap.terms), value=value), world.rival)
    await refused(attempt, "InsufficientCredit", token=NATIVE, available=credit + value, wanted=BOND)


async def test_an_operators_mark_is_no_bond(world: World) -> None:
    """The bit that says "operator" shares a word with the credit."""
    gap = await delivered(world)
    attempt = world.send(world.hub.challenge(*world.result(gap.terms), value=0), world.operator)
    await refused(attempt, "InsufficientCredit", token=NATIVE, available=0, wanted=BOND)


async def test_stake_is_no_bond(world: World) -> None:
    gap = await delivered(world)
    await world.send(world.nodes.stake(10 * BOND), world.rival)
    attempt = world.send(world.hub.challenge(*world.result(gap.terms), value=0), world.rival)
    await refused(attempt, "InsufficientCredit", token=NATIVE, available=0, wanted=BOND)


async def test_without_a_bond(world: World) -> None:
    gap = await delivered(world, bond=0)
    before = await books(world)
    await world.send(world.hub.challenge(*world.result(gap.terms), value=3), world.rival)
    assert await before.moved() == {"rival": 3, "hub": 3}
    assert (await world.hub.gap_of(gap.terms)).challenger == world.rival.address


async def test_erc20_bond_with_native_value(world: World) -> None:
    gap = await delivered(world, token=await currency(world, native=False))
    for value in (1, BOND):
        call = world.hub.challenge(*world.result(gap.terms), value=value)
        await refused(world.send(call, world.rival), "UnexpectedValue", received=value, expected=0)


async def test_native_credit_is_no_erc20_bond(world: World) -> None:
    gap = await delivered(world, token=await currency(world, native=False))
    await world.send(world.hub.deposit(BOND, world.stranger.address))
    attempt = world.send(world.hub.challenge(*world.result(gap.terms)), world.stranger)
    await refused(attempt, "InsufficientCredit", token=gap.terms.token, available=0, wanted=BOND)


async def test_on_a_withdrawn_route(world: World) -> None:
    """It stops the default, and the way out gives the bond back."""
    gap = await delivered(world)
    await world.send(world.router.tombstone(b"SIGN"))
    before = await books(world)
    await world.send(world.hub.challenge(*world.result(gap.terms)), world.rival)
    await world.send(world.hub.expire_delivered(*world.result(gap.terms)), world.stranger)
    assert await before.moved() == {
        "owner": FEE,
        "rival": BOND,
        "operator's exposed": -(EXPOSURE + BOND),
        "hub": BOND,
    }
