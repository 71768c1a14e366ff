# constructor .......... zero owner → OwnableInvalidOwner
# add
# ├── not by the owner . OwnableUnauthorizedAccount
# ├── zero route ....... ZeroRoute
# ├── taken, even if withdrawn ... RouteTaken
# ├── no code there .... VerifierHasNoCode
# └── otherwise ........ named for ever
# tombstone
# ├── not by the owner . OwnableUnauthorizedAccount
# ├── never added ...... UnknownRoute
# ├── twice ............ RouteIsTombstoned
# └── otherwise ........ withdrawn for good
# verify
# ├── under 4 bytes .... SealTooShort
# ├── unknown route .... UnknownRoute
# ├── withdrawn ........ RouteIsTombstoned
# └── otherwise ........ what its verifier says
# ownership ............ moves in two steps

import pytest

from tests.support.contract import Contract
from tests.support.world import World, refused
from vouch.chain.abi import event
from vouch.protocol.request import NATIVE
from vouch.protocol.seal import SIGNED

CLAIM_ARGS = ("request_id", "model_id", "input_hash", "output_hash", "operator")


def contract(world: World) -> Contract:
    return Contract(world.rpc, "VerifierRouter", world.router.address)


def verifier(world: World) -> str:
    return world.deployment.verifiers["SIGN"]


async def test_add(world: World) -> None:
    receipt = await world.send(world.router.add(b"NEW1", verifier(world), "Attested"))
    assert event("VerifierRouter", "RouteAdded").decode(receipt.logs[0]) == {
        "route": b"NEW1",
        "verifier": verifier(world),
        "name": "Attested",
    }
    assert await world.router.verifier_of(b"NEW1") == verifier(world)
    assert await world.router.name_of(b"NEW1") == "Attested"
    assert await world.router.is_live(b"NEW1")


async def test_unknown_route(world: World) -> None:
    await refused(world.router.verifier_of(b"NONE"), "UnknownRoute", route=b"NONE")
    assert await world.router.name_of(b"NONE") == ""
    assert not await world.router.is_live(b"NONE")


async def test_only_the_owner(world: World) -> None:
    for call in (world.router.add(b"NEW1", verifier(world), "x"), world.router.tombstone(SIGNED)):
        await refused(
            world.send(call, world.stranger),
            "OwnableUnauthorizedAccount",
            account=world.stranger.address,
        )


async def test_zero_route(world: World) -> None:
    await refused(world.send(world.router.add(bytes(4), verifier(world), "x")), "ZeroRoute")


@pytest.mark.parametrize("tombstoned", [False, True])
async def test_a_route_is_never_repointed(world: World, tombstoned: bool) -> None:
    if tombstoned:
        await world.send(world.router.tombstone(SIGNED))
    await refused(
        world.send(world.router.add(SIGNED, world.hub.address, "x")),
        "RouteTaken",
        route=SIGNED,
        verifier=verifier(world),
    )


async def test_verifier_without_code(world: World) -> None:
    for address in (NATIVE, world.rival.address):
        await refused(
            world.send(world.router.add(b"NEW1", address, "x")), "VerifierHasNoCode", verifier=address
        )


async def test_tombstone(world: World) -> None:
    await refused(world.send(world.router.tombstone(b"NONE")), "UnknownRoute", route=b"NONE")
    receipt = await world.send(world.router.tombstone(SIGNED))
    assert event("VerifierRouter", "RouteTombstoned").decode(receipt.logs[0]) == {"route": SIGNED}
    await refused(world.router.verifier_of(SIGNED), "RouteIsTombstoned", route=SIGNED)
    assert not await world.router.is_live(SIGNED)
    assert await world.router.name_of(SIGNED) == "Signed"
    await refused(world.send(world.router.tombstone(SIGNED)), "RouteIsTombstoned", route=SIGNED)


async def test_verify(world: World) -> None:
    terms = await world.terms()
    claim = world.claim(terms)
    values = tuple(getattr(claim, name) for name in CLAIM_ARGS)
    seal = world.seal(terms)
    router = contract(world)
    assert await router.read("verify", seal, bytes(32), values) == ()
    await refused(
        router.read("verify", seal[:-1], bytes(32), values), "WrongSealLength", received=68, expected=69
    )
    trust = b"\x01" * 32
    await refused(
        router.read("verify", seal, trust, values),
        "UntrustedOperator",
        operator=world.operator.address,
        trust=trust,
    )
    for size in range(4):
        await refused(router.read("verify", seal[:size], bytes(32), values), "SealTooShort", length=size)
    # Four bytes name a route; that nothing follows is the verifier's to judge.
    await refused(
        router.read("verify", seal[:4], bytes(32), values), "WrongSealLength", received=4, expected=69
    )
    await refused(router.read("verify", b"NONE" + seal[4:], bytes(32), values), "UnknownRoute", route=b"NONE")
    await world.send(world.router.tombstone(SIGNED))
    await refused(router.read("verify", seal, bytes(32), values), "RouteIsTombstoned", route=SIGNED)


async def test_ownership_moves_in_two_steps(world: World) -> None:
    router = contract(world)
    await refused(
        world.send(router.call("transferOwnership", world.stranger.address), world.stranger),
        "OwnableUnauthorizedAccount",
        account=world.stranger.address,
    )
    await world.send(router.call("transferOwnership", world.rival.address))
    assert await world.router.owner() == world.owner.address
    await refused(
        world.send(router.call("acceptOwnership"), world.stranger),
        "OwnableUnauthorizedAccount",
        account=world.stranger.address,
    )
    await world.send(router.call("acceptOwnership"), world.rival)
    assert await world.router.owner() == world.rival.address
    await refused(
        world.send(world.router.tombstone(SIGNED)),
        "OwnableUnauthorizedAccount",
        account=world.owner.address,
    )
    await world.send(world.router.tombstone(SIGNED), world.rival)


async def test_zero_owner(world: World) -> None:
    await refused(world.create("VerifierRouter", NATIVE), "OwnableInvalidOwner", owner=NATIVE)
