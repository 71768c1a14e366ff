# settle (which call is for which state: test_inference_hub_states)
# ├── terms that were never asked ........................ UnknownRequest
# ├── another operator or output than delivered .......... WrongAnswer
# ├── with a seal
# │   ├── one is due (no window, or challenged)
# │   │   ├── up to proveBy .............................. settles
# │   │   └── after proveBy .............................. ProveByPassed
# │   ├── none is due .................................... settles, in the window and ever after
# │   ├── of another route, or too short to have one ..... WrongRoute
# │   ├── the route was withdrawn ........................ RouteIsTombstoned
# │   └── the verifier refuses ........................... its own error
# ├── without a seal
# │   ├── one is due ..................................... SealRequired
# │   ├── up to challengeBy .............................. WindowNotPassed
# │   └── after challengeBy .............................. settles, even on a withdrawn route
# └── what settles, sent by anybody
#     ├── credits the operator, registered or not, with the fee and a challenger's bond
#     ├── frees its stake
#     ├── is recorded as Settled, when, and proven only if a seal was checked
#     └── logs Settled, and Unchallenged after it where no seal was checked

from dataclasses import replace

import pytest

from tests.contracts.gaps import (
    BOND,
    EXPOSURE,
    PROVE_WITHIN,
    Open,
    books,
    challenge_slots,
    challenged,
    currency,
    delivered,
    tombstoned,
)
from tests.contracts.test_inference_hub_fulfil import PROVEN
from tests.contracts.test_inference_hub_request import slot
from tests.support.world import FEE, OUTPUT, World, refused
from vouch.chain.events import SettledLog, UnchallengedLog
from vouch.chain.reverts import Reverted
from vouch.chain.transaction import Receipt
from vouch.protocol.keccak import keccak
from vouch.protocol.seal import SIGNED
from vouch.protocol.status import Status


def said_settled(world: World, gap: Open, receipt: Receipt, *, proven: bool) -> None:
    """The logs are these and no others."""
    settled, *rest = world.logs(receipt)
    assert isinstance(settled, SettledLog)
    given = (world.id(gap.terms), world.operator.address, OUTPUT)
    assert (settled.id, settled.operator, settled.output) == given
    if not proven:
        (unchallenged,) = rest
        assert isinstance(unchallenged, UnchallengedLog)
        assert unchallenged.id == world.id(gap.terms)
    assert len(receipt.logs) == (1 if proven else 2)


async def recorded(world: World, gap: Open, time: int, *, proven: bool) -> None:
    """The whole slot, and what other contracts read of it."""
    operator = bytes(12) + bytes.fromhex(world.operator.address[2:])
    answer = keccak(world.id(gap.terms) + operator + keccak(OUTPUT))[:18]
    head = Status.SETTLED | int.from_bytes(SIGNED, "big") << 16 | (PROVEN if proven else 0)
    packed = head | gap.delivered_at << 48 | time << 80 | int.from_bytes(answer, "big") << 112
    assert await slot(world, gap.terms) == packed
    assurance = await world.hub.assurance_of(world.id(gap.terms))
    assert (assurance.status, assurance.proven, assurance.answer) == (Status.SETTLED, proven, answer)
    assert (assurance.delivered_at, assurance.settled_at) == (gap.delivered_at, time)


@pytest.mark.parametrize("native", [True, False])
async def test_proven_where_it_must_be(world: World, native: bool) -> None:
    gap = await delivered(world, window=0, token=await currency(world, native=native))
    before = await books(world, gap.terms.token)
    receipt = await world.send_at(gap.prove_by, world.settlement(gap.terms), world.stranger)
    said_settled(world, gap, receipt, proven=True)
    assert await before.moved() == {"operator": FEE, "operator's exposed": -(EXPOSURE + BOND)}
    await recorded(world, gap, gap.prove_by, proven=True)


@pytest.mark.parametrize("native", [True, False])
async def test_proven_after_a_challenge(world: World, native: bool) -> None:
    gap = await challenged(world, token=await currency(world, native=native))
    before = await books(world, gap.terms.token)
    receipt = await world.send_at(gap.prove_by, world.settlement(gap.terms), world.stranger)
    said_settled(world, gap, receipt, proven=True)
    assert await before.moved() == {"operator": FEE + BOND, "operator's exposed": -(EXPOSURE + BOND)}
    await recorded(world, gap, gap.prove_by, proven=True)
    assert await challenge_slots(world, gap.terms) == 0


@pytest.mark.parametrize("native", [True, False])
async def test_unchallenged(world: World, native: bool) -> None:
    gap = await delivered(world, token=await currency(world, native=native))
    before = await books(world, gap.terms.token)
    call, time = world.settlement(gap.terms, seal=b""), gap.challenge_by + 1
    receipt = await world.send_at(time, call, world.stranger)
    said_settled(world, gap, receipt, proven=False)
    assert await before.moved() == {"operator": FEE, "operator's exposed": -(EXPOSURE + BOND)}
    await recorded(world, gap, time, proven=False)
    assert await world.hub.is_answer(world.id(gap.terms), world.operator.address, keccak(OUTPUT))


@pytest.mark.parametrize("after", [0, 1, 600, 601, 10**7])
async def test_a_seal_that_nobody_asked_for(world: World, after: int) -> None:
    """In the window and after it, whatever proveWithin says: it was never due."""
    gap = await delivered(world)
    time = gap.delivered_at + after
    await world.try_at(time, world.settlement(gap.terms))
    if after:
        receipt = await world.send_at(time, world.settlement(gap.terms), world.stranger)
        said_settled(world, gap, receipt, proven=True)
        await recorded(world, gap, time, proven=True)


async def test_window_is_open(world: World) -> None:
    gap = await delivered(world)
    call, last = world.settlement(gap.terms, seal=b""), gap.challenge_by
    for time in (gap.delivered_at, gap.delivered_at + PROVE_WITHIN + 1, last):
        await refused(world.try_at(time, call), "WindowNotPassed", challengeBy=last, now_=time)
    await world.try_at(last + 1, call)


async def test_too_late_where_it_must_be_proven(world: World) -> None:
    gap = await delivered(world, window=0)
    call, last = world.settlement(gap.terms), gap.prove_by
    assert last == gap.delivered_at + PROVE_WITHIN
    await world.try_at(last, call)
    await refused(world.try_at(last + 1, call), "ProveByPassed", proveBy=last, now_=last + 1)


async def test_too_late_after_a_challenge(world: World) -> None:
    """Counted from the challenge, wherever the window ends."""
    gap = await challenged(world)
    call, last = world.settlement(gap.terms), gap.prove_by
    assert last == gap.challenged_at + PROVE_WITHIN != gap.delivered_at + PROVE_WITHIN
    await world.try_at(last, call)
    await refused(world.try_at(last + 1, call), "ProveByPassed", proveBy=last, now_=last + 1)
    later = gap.challenge_by + 1
    await refused(world.try_at(later, call), "ProveByPassed", proveBy=last, now_=later)


async def test_a_challenge_in_the_last_second_gives_all_of_the_time(world: World) -> None:
    gap = await delivered(world)
    challenge = world.hub.challenge(*world.result(gap.terms))
    await world.send_at(gap.challenge_by, challenge, world.rival)
    last = gap.challenge_by + PROVE_WITHIN
    await world.try_at(last, world.settlement(gap.terms))
    await refused(
        world.try_at(last + 1, world.settlement(gap.terms)), "ProveByPassed", proveBy=last, now_=last + 1
    )


async def test_no_time_to_prove_is_the_second_of_the_challenge(world: World) -> None:
    gap = await challenged(world, prove_within=0)
    at = gap.challenged_at
    await world.try_at(at, world.settlement(gap.terms))
    late = world.try_at(at + 1, world.settlement(gap.terms))
    await refused(late, "ProveByPassed", proveBy=at, now_=at + 1)


async def test_without_the_seal_that_is_due(world: World) -> None:
    """Not before it is late and not after, not even when the window is over."""
    first, second = await delivered(world, window=0), await challenged(world, salt=2)
    for gap in (first, second):
        call = world.settlement(gap.terms, seal=b"")
        for time in (gap.prove_by, gap.prove_by + 1, gap.delivered_at + 10**6):
            await refused(world.try_at(time, call), "SealRequired", proveBy=gap.prove_by)


@pytest.mark.parametrize("seal", [b"S", b"SIG", b"NONE" + bytes(65)])
async def test_seal_of_another_route(world: World, seal: bytes) -> None:
    gap = await delivered(world)
    route = seal[:4] if len(seal) > 3 else bytes(4)
    attempt = world.send(world.settlement(gap.terms, seal=seal))
    await refused(attempt, "WrongRoute", received=route, expected=SIGNED)


async def test_seal_that_the_verifier_refuses(world: World) -> None:
    """The verifier sees this request's claim: any other seal is refused, after the window as well."""
    gap = await delivered(world)
    other = await world.terms(salt=99)
    chain_id, hub = world.deployment.chain_id, world.deployment.hub
    by_rival = SIGNED + world.rival.sign_claim(world.claim(gap.terms), chain_id, hub).proof
    for time in (gap.delivered_at + 1, gap.challenge_by + 1):
        for seal, error in (
            (SIGNED, "WrongSealLength"),
            (by_rival, "WrongSigner"),
            (world.seal(other), "WrongSigner"),
            (world.seal(gap.terms, b"other"), "WrongSigner"),
        ):
            with pytest.raises(Reverted, match=error):
                await world.try_at(time, world.settlement(gap.terms, seal=seal))
    trust = bytes(12) + bytes.fromhex(world.rival.address[2:])
    mistrusted = await delivered(world, salt=2, trust=trust)
    attempt = world.send(world.settlement(mistrusted.terms))
    await refused(attempt, "UntrustedOperator", operator=world.operator.address, trust=trust)


async def test_withdrawn_route(world: World) -> None:
    """No seal can be checked any more; what nobody challenged needs none."""
    gap = await tombstoned(world, await delivered(world))
    attempt = world.send(world.settlement(gap.terms))
    await refused(attempt, "RouteIsTombstoned", route=SIGNED)
    call = world.settlement(gap.terms, seal=b"")
    last = gap.challenge_by
    await refused(world.try_at(last, call), "WindowNotPassed", challengeBy=last, now_=last)
    before = await books(world)
    await world.send_at(gap.challenge_by + 1, call, world.stranger)
    assert await before.moved() == {"operator": FEE, "operator's exposed": -(EXPOSURE + BOND)}


@pytest.mark.parametrize("seal", [None, b""])
async def test_another_answer(world: World, seal: bytes | None) -> None:
    """Even with a valid seal: what was delivered is what settles, and nobody else is paid for it."""
    gap = await delivered(world)
    await world.send(world.nodes.register("http://rival"), world.rival)
    expected = (await world.hub.assurance_of(world.id(gap.terms))).answer
    for key, output in ((world.operator, b"other"), (world.rival, OUTPUT)):
        words = world.id(gap.terms) + bytes(12) + bytes.fromhex(key.address[2:]) + keccak(output)
        attempt = world.try_at(gap.challenge_by + 1, world.settlement(gap.terms, output, key=key, seal=seal))
        await refused(attempt, "WrongAnswer", received=keccak(words)[:18], expected=expected)


@pytest.mark.parametrize(
    "change",
    [{"fee": FEE + 1}, {"bond": BOND + 1}, {"exposure": 1}, {"window": 1}, {"token": "0x" + "11" * 20}],
)
async def test_other_terms(world: World, change: dict[str, object]) -> None:
    gap = await delivered(world)
    other = replace(gap.terms, **change)  # type: ignore[arg-type]  # each value fits its field
    for seal in (None, b""):
        attempt = world.try_at(gap.challenge_by + 1, world.settlement(other, seal=seal))
        await refused(attempt, "UnknownRequest", id=world.id(other))


@pytest.mark.parametrize("seal", [None, b""])
async def test_who_retired_is_paid_for_what_it_delivered(world: World, seal: bytes | None) -> None:
    gap = await delivered(world)
    await world.send(world.nodes.retire(), world.operator)
    before = await books(world)
    await world.send_at(gap.challenge_by + 1, world.settlement(gap.terms, seal=seal), world.stranger)
    assert await before.moved() == {"operator": FEE, "operator's exposed": -(EXPOSURE + BOND)}
    assert not await world.nodes.is_registered(world.operator.address)
    later = await world.terms(salt=2)
    await world.ask(later)
    await refused(world.fulfil(later), "UnregisteredOperator", operator=world.operator.address)


async def test_payment_keeps_an_operators_mark(world: World) -> None:
    gap = await challenged(world)
    await world.send(world.settlement(gap.terms), world.stranger)
    later = await world.terms(salt=2)
    await world.ask(later)
    await world.fulfil(later)
    assert await world.credit(world.operator) == 2 * FEE + BOND


async def test_each_settlement_frees_its_own_part(world: World) -> None:
    one, two = await delivered(world), await delivered(world, salt=2, exposure=11, bond=5)
    await world.send(world.settlement(two.terms), world.stranger)
    stake = await world.nodes.stake_of(world.operator.address)
    assert (stake.exposed, stake.free) == (EXPOSURE + BOND, 16)
    await world.send(world.settlement(one.terms), world.stranger)
    stake = await world.nodes.stake_of(world.operator.address)
    assert (stake.exposed, stake.free) == (0, EXPOSURE + BOND + 16)
    await world.send(world.nodes.unbond(stake.free), world.operator)
