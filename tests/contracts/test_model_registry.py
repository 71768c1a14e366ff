# publish
# ├── name empty or over 64 bytes .............. BadNameSize
# ├── manifest empty or over 16,384 bytes ...... BadManifestSize
# └── otherwise ................................ the id is its hash; first publisher stays, name moves
# modelOf ........................................ never published → UnknownModel
# resolve ........................................ no such name of this publisher → UnknownName

import pytest
from eth_hash.auto import keccak

from tests.support.world import MANIFEST, MODEL, World, refused
from vouch.chain.contracts import Model
from vouch.chain.events import PublishedLog, receipt_logs
from vouch.chain.transaction import MAX_TX_GAS

MAX_MANIFEST = 16_384


async def test_publish(world: World) -> None:
    owner = world.owner.address
    assert not await world.models.exists(MODEL)
    call = world.models.publish("risk", MANIFEST)
    assert await world.try_at(await world.now() + 1, call) == MODEL
    receipt = await world.send(call)
    (log,) = receipt_logs(receipt, world.models.address, [PublishedLog])
    assert isinstance(log, PublishedLog)
    assert (log.model_id, log.publisher, log.name, log.manifest) == (MODEL, owner, "risk", MANIFEST)
    assert await world.models.exists(MODEL)
    assert await world.models.model_of(MODEL) == Model(owner, receipt.block_number)
    assert await world.models.resolve(owner, "risk") == MODEL


async def test_the_first_publisher_stays(world: World) -> None:
    first = await world.send(world.models.publish("mine", MANIFEST))
    second = await world.send(world.models.publish("yours", MANIFEST), world.stranger)
    assert second.block_number > first.block_number
    assert await world.models.model_of(MODEL) == Model(world.owner.address, first.block_number)
    assert await world.models.resolve(world.stranger.address, "yours") == MODEL
    (log,) = receipt_logs(second, world.models.address, [PublishedLog])
    assert isinstance(log, PublishedLog)
    assert log.publisher == world.stranger.address


async def test_a_name_moves_with_its_publisher_only(world: World) -> None:
    newer = b'{"vouch":1,"name":"newer"}'
    await world.send(world.models.publish("risk", MANIFEST))
    await world.send(world.models.publish("risk", newer), world.stranger)
    assert await world.models.resolve(world.owner.address, "risk") == MODEL
    await world.send(world.models.publish("risk", newer))
    assert await world.models.resolve(world.owner.address, "risk") == keccak(newer)
    assert await world.models.exists(MODEL)


@pytest.mark.parametrize("size", [0, 65])
async def test_name_size(world: World, size: int) -> None:
    await refused(world.send(world.models.publish("n" * size, MANIFEST)), "BadNameSize", size=size, max=64)
    await world.send(world.models.publish("n" * 64, MANIFEST))
    await world.send(world.models.publish("n", MANIFEST))


@pytest.mark.parametrize("size", [0, MAX_MANIFEST + 1])
async def test_manifest_size(world: World, size: int) -> None:
    await refused(
        world.send(world.models.publish("m", b"m" * size), gas=MAX_TX_GAS),
        "BadManifestSize",
        size=size,
        max=MAX_MANIFEST,
    )
    largest = b"m" * MAX_MANIFEST
    await world.send(world.models.publish("m", largest))
    assert await world.models.exists(keccak(largest))
    await world.send(world.models.publish("m", b"m"))


async def test_unknown(world: World) -> None:
    await refused(world.models.model_of(MODEL), "UnknownModel", modelId=MODEL)
    await world.send(world.models.publish("risk", MANIFEST))
    for publisher, name in ((world.owner.address, "risky"), (world.stranger.address, "risk")):
        await refused(world.models.resolve(publisher, name), "UnknownName", publisher=publisher, name=name)
