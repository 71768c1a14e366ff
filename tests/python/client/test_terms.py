"""What a caller may say about the trust gap, and what has no sense."""

from typing import Any

import pytest

from tests.python.client.conftest import PRICE, World
from tests.python.client.gaps import STAKE, Gaps
from vouch.chain.contracts import NodeRegistry
from vouch.chain.sender import TxSender
from vouch.client.errors import BadTerm, GapTooLong
from vouch.protocol.request import ANYONE
from vouch.protocol.status import Gate

YEAR = 366 * 24 * 3600


async def test_without_a_word_there_is_no_gap(world: World) -> None:
    async with world.client() as client:
        terms = (await client.prepare("echo", "x")).request
    assert (terms.window, terms.prove_within, terms.exposure, terms.bond) == (0, 0, 0, 0)
    assert terms.gate is Gate.ON_SETTLEMENT


async def test_what_is_said_is_in_the_terms(world: World, gaps: Gaps) -> None:
    async with world.client() as client:
        prepared = await client.prepare(
            "echo", "x", window=90, prove_within=30, exposure=5, bond=3, on_delivery=True
        )
    terms = prepared.request
    assert (terms.window, terms.prove_within, terms.exposure, terms.bond) == (90, 30, 5, 3)
    assert terms.gate is Gate.ON_DELIVERY


async def test_a_challenged_operator_gets_time_to_prove(world: World) -> None:
    async with world.client() as client:
        assert (await client.prepare("echo", "x", window=90)).request.prove_within == 300
        with pytest.raises(BadTerm, match="needs time to prove"):
            await client.prepare("echo", "x", window=90, prove_within=0)


async def test_a_little_time_is_not_none(world: World) -> None:
    async with world.client() as client:
        terms = (await client.prepare("echo", "x", window=0.1, prove_within=1.5)).request
    assert (terms.window, terms.prove_within) == (1, 2)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"exposure": 5}, "exposure is 5: nothing is at stake without a trust gap"),
        ({"bond": 5}, "bond is 5: nothing is at stake without a trust gap"),
        ({"exposure": -1, "prove_within": 5}, "exposure is -1: .* zero or more"),
        ({"bond": 1.5, "prove_within": 5}, "bond is 1.5: give a whole number"),
        ({"exposure": 1 << 256, "prove_within": 5}, "exposure is .* whole number"),
        ({"prove_within": -1}, "prove_within is -1: give seconds"),
        ({"window": -0.5}, "window is -0.5: give seconds"),
        ({"window": float("nan")}, "window is nan: give seconds"),
        ({"window": float("inf")}, "window is inf: give seconds"),
        ({"prove_within": "60"}, "prove_within is '60': give seconds"),
        ({"prove_within": 1 << 32}, "no milliseconds"),
    ],
)
async def test_terms_without_sense(world: World, options: Any, said: str) -> None:
    async with world.client() as client:
        with pytest.raises(BadTerm, match=said):
            await client.prepare("echo", "x", **options)


@pytest.mark.parametrize("name", ["window", "prove_within"])
async def test_the_hubs_limit_for_a_gap(world: World, name: str) -> None:
    longest: Any = {name: YEAR}
    longer: Any = {name: YEAR + 1}
    async with world.client() as client:
        await client.prepare("echo", "x", **longest)
        with pytest.raises(GapTooLong, match="milliseconds") as caught:
            await client.prepare("echo", "x", **longer)
    assert (caught.value.received, caught.value.max) == (YEAR + 1, YEAR)


async def test_an_operator_that_can_insure_is_preferred(world: World, gaps: Gaps) -> None:
    """But it is no condition: one without a stake can still bring answer and proof together."""
    cheap = TxSender(world.rpc, world.anvil.accounts[6])
    registry = NodeRegistry(world.rpc, world.deployment.nodes)
    await cheap.transact(registry.register("http://127.0.0.1:9"))
    await cheap.transact(registry.set_price(world.echo.model_id, PRICE // 2))
    async with world.client() as client:
        offers = await client.offers("echo")
        assert [(offer.operator, offer.free_stake) for offer in offers] == [
            (cheap.address, 0),
            (world.operator.address, STAKE),
        ]
        plain = (await client.prepare("echo", "x", prove_within=9)).request
        insured = (await client.prepare("echo", "x", prove_within=9, exposure=STAKE - 1, bond=1)).request
        too_much = (await client.prepare("echo", "x", prove_within=9, exposure=STAKE, bond=1)).request
        named = await client.prepare("echo", "x", prove_within=9, exposure=1, operator=cheap.address)
        anyone = await client.prepare("echo", "x", prove_within=9, exposure=1, operator=ANYONE)
    assert (plain.operator, plain.fee) == (cheap.address, PRICE // 2)
    assert (insured.operator, insured.fee) == (world.operator.address, PRICE)
    assert too_much.operator == named.request.operator == cheap.address
    assert (anyone.request.operator, anyone.request.fee) == (ANYONE, PRICE)


async def test_locked_stake_is_not_free(world: World, gaps: Gaps) -> None:
    async with world.client() as client:
        asked = await gaps.ask(client, prove_within=9, exposure=STAKE // 2, bond=0)
        await gaps.deliver(asked)
        (offer,) = await client.offers("echo")
    assert offer.free_stake == STAKE - STAKE // 2
