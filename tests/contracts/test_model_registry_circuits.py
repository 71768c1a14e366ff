# bindCircuit
# ├── the manifest was never published ........................ UnknownModel
# ├── it names other circuits, or none ........................ WrongCircuits
# ├── bits not 1..64, no rows, no values, commitment >= r,
# │   commitment without secret or the other way round ........ BadCircuit
# ├── verifier's code or the figures give another id .......... UnknownCircuit
# └── otherwise ............................................... bound by anyone; stays while its code does
# circuitOf ................................................... not bound → UnknownCircuit

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.circuits import CODE_HASH, Proven, manifest_of, proven
from tests.support.strategies import hashes
from tests.support.world import World, refused
from vouch.chain.abi import event
from vouch.chain.contracts import BoundCircuit
from vouch.chain.hexes import to_bytes
from vouch.protocol.keccak import keccak
from vouch.protocol.manifest import Manifest
from vouch.protocol.packing import Packing
from vouch.protocol.zk import FIELD, Circuit

CIRCUIT = Circuit(CODE_HASH, 0, 1, Packing(3, 16), Packing(1, 20))
NOWHERE = "0x" + "0c" * 20


async def published(world: World, *ids: bytes) -> tuple[Manifest, BoundCircuit]:
    manifest = manifest_of(*ids)
    await world.send(world.models.publish("m", bytes(manifest)))
    verifier = await world.create("PublicInputsVerifier")
    return manifest, BoundCircuit.of(CIRCUIT, verifier.address)


async def test_binding(world: World) -> None:
    made = await proven(world)
    bound = await world.models.circuit_of(made.model_id, made.trust)
    assert bound == BoundCircuit(made.verifier.address, 1, False, 3, 16, 1, 20, 0)
    assert bound.circuit(CODE_HASH) == made.circuit


async def test_it_is_said_once(world: World) -> None:
    manifest, bound = await published(world, CIRCUIT.id)
    call = world.models.bind_circuit(bytes(manifest), manifest.zk, bound)
    (log,) = (await world.send(call, world.stranger)).logs
    assert event("ModelRegistry", "CircuitBound").decode(log) == {
        "modelId": manifest.model_id,
        "circuitId": CIRCUIT.id,
        "verifier": bound.verifier,
    }
    assert not (await world.send(call, world.rival)).logs


async def test_values_of_64_bits(world: World) -> None:
    wide = Circuit(CODE_HASH, 0, 1, Packing(3, 64), Packing(1, 64))
    manifest = manifest_of(wide.id)
    await world.send(world.models.publish("m", bytes(manifest)))
    bound = BoundCircuit.of(wide, (await world.create("PublicInputsVerifier")).address)
    await world.send(world.models.bind_circuit(bytes(manifest), [wide.id], bound))
    assert await world.models.circuit_of(manifest.model_id, wide.id) == bound


async def test_a_manifest_that_is_nothing_else(world: World) -> None:
    """Nobody can read it, and nothing is outside of it that could be bound."""
    data = b',"zk":"' + CIRCUIT.id.hex().encode() + b'"}'
    await world.send(world.models.publish("m", data))
    bound = BoundCircuit.of(CIRCUIT, (await world.create("PublicInputsVerifier")).address)
    await world.send(world.models.bind_circuit(data, [CIRCUIT.id], bound))
    assert await world.models.circuit_of(keccak(data), CIRCUIT.id) == bound


@pytest.mark.parametrize("commitment", [1, FIELD - 1])
async def test_secret_weights(world: World, commitment: int) -> None:
    made = await proven(world, commitment=commitment, batch=16)
    bound = await world.models.circuit_of(made.model_id, made.trust)
    assert (bound.secret, bound.commitment, bound.batch) == (True, commitment, 16)
    assert bound.circuit(CODE_HASH).id == made.trust


@pytest.mark.parametrize("count", [1, 2, 5])
async def test_one_of_several(world: World, count: int) -> None:
    others = [keccak(b"%d" % i) for i in range(count - 1)]
    for place in range(count):
        ids = (*others[:place], CIRCUIT.id, *others[place:])
        manifest, bound = await published(world, *ids)
        await world.send(world.models.bind_circuit(bytes(manifest), ids, bound))
        assert await world.models.circuit_of(manifest.model_id, CIRCUIT.id) == bound
        with pytest.raises(Exception, match="UnknownCircuit"):
            await world.models.circuit_of(manifest.model_id, keccak(b"0"))


async def test_unpublished(world: World) -> None:
    manifest = bytes(manifest_of(CIRCUIT.id))
    bound = BoundCircuit.of(CIRCUIT, (await world.create("PublicInputsVerifier")).address)
    await refused(
        world.send(world.models.bind_circuit(manifest, [CIRCUIT.id], bound)),
        "UnknownModel",
        modelId=keccak(manifest),
    )


async def test_other_circuits_than_the_manifest_names(world: World) -> None:
    other = keccak(b"other")
    manifest, bound = await published(world, CIRCUIT.id, other)
    for ids in ([], [CIRCUIT.id], [other], [other, CIRCUIT.id], [CIRCUIT.id, other, other]):
        call = world.models.bind_circuit(bytes(manifest), ids, bound)
        await refused(world.send(call), "WrongCircuits", modelId=manifest.model_id)
    await world.send(world.models.bind_circuit(bytes(manifest), [CIRCUIT.id, other], bound))


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        bytes(manifest_of()),
        bytes(manifest_of(CIRCUIT.id))[:-1],
        bytes(manifest_of(CIRCUIT.id)) + b" ",
        bytes(manifest_of(CIRCUIT.id)) + b"}",
        b'{"a":1,"zkk":"' + CIRCUIT.id.hex().encode() + b'"}',
        b'{"a":1,"zk":"0x' + CIRCUIT.id.hex().encode() + b'"}',
        b'{"a":1,"zk":"' + CIRCUIT.id.hex().upper().encode() + b'"}',
        b'{"a":"\\,\\"zk\\":\\"' + CIRCUIT.id.hex().encode() + b'"}',
        b'{"a":{"b":1,"zk":"' + CIRCUIT.id.hex().encode() + b'"}}',
        b'"zk":"' + CIRCUIT.id.hex().encode() + b'"}',
        b'{"a":1,"zk":""}',
    ],
)
async def test_where_the_ids_have_to_be(world: World, data: bytes) -> None:
    await world.send(world.models.publish("m", data))
    bound = BoundCircuit.of(CIRCUIT, (await world.create("PublicInputsVerifier")).address)
    for ids in ([CIRCUIT.id], []):
        call = world.models.bind_circuit(data, ids, bound)
        await refused(world.send(call), "WrongCircuits", modelId=keccak(data))


@given(ids=st.lists(hashes, min_size=1, max_size=4, unique=True))
def test_the_last_bytes_of_a_manifest(ids: list[bytes]) -> None:
    """Python writes them where the contract reads them."""
    manifest = manifest_of(*ids)
    assert bytes(manifest).endswith(b',"zk":"' + b"".join(ids).hex().encode() + b'"}')
    assert Manifest.parse(bytes(manifest)) == manifest


@pytest.mark.parametrize(
    "changes",
    [
        {"batch": 0},
        {"input_count": 0},
        {"output_count": 0},
        {"input_bits": 0},
        {"output_bits": 0},
        {"input_bits": 65},
        {"output_bits": 65},
        {"secret": True},
        {"commitment": 1},
        {"secret": True, "commitment": FIELD},
    ],
)
async def test_figures_that_make_no_circuit(world: World, changes: dict[str, Any]) -> None:
    manifest, bound = await published(world, CIRCUIT.id)
    call = world.models.bind_circuit(bytes(manifest), manifest.zk, replace(bound, **changes))
    await refused(world.send(call), "BadCircuit", modelId=manifest.model_id)


@pytest.mark.parametrize(
    "changes",
    [
        {"batch": 2},
        {"input_count": 4},
        {"output_count": 2},
        {"input_bits": 17},
        {"output_bits": 64},
        {"secret": True, "commitment": 7},
    ],
)
async def test_other_figures(world: World, changes: dict[str, Any]) -> None:
    manifest, bound = await published(world, CIRCUIT.id)
    wrong = replace(bound, **changes)
    expected = wrong.circuit(CODE_HASH).id
    call = world.models.bind_circuit(bytes(manifest), manifest.zk, wrong)
    await refused(world.send(call), "UnknownCircuit", modelId=manifest.model_id, circuitId=expected)


async def test_other_code(world: World) -> None:
    manifest, bound = await published(world, CIRCUIT.id)
    for verifier, code in ((NOWHERE, bytes(32)), (world.hub.address, await code_hash(world))):
        call = world.models.bind_circuit(bytes(manifest), manifest.zk, replace(bound, verifier=verifier))
        circuit = replace(CIRCUIT, code_hash=code).id
        await refused(world.send(call), "UnknownCircuit", modelId=manifest.model_id, circuitId=circuit)


async def code_hash(world: World) -> bytes:
    return keccak(to_bytes(await world.rpc.call("eth_getCode", world.hub.address, "latest")))


async def test_a_bound_circuit_stays_while_its_code_is_there(world: World) -> None:
    made = await proven(world)
    second = await world.create("PublicInputsVerifier")
    await rebind(made, second.address)
    assert (await bound_of(made)).verifier == made.verifier.address
    await world.rpc.call("anvil_setCode", made.verifier.address, "0x00")
    await rebind(made, second.address)
    assert (await bound_of(made)).verifier == second.address


async def rebind(made: Proven, verifier: str) -> None:
    bound = BoundCircuit.of(made.circuit, verifier)
    await made.world.send(made.world.models.bind_circuit(bytes(made.manifest), made.manifest.zk, bound))


async def bound_of(made: Proven) -> BoundCircuit:
    return await made.world.models.circuit_of(made.model_id, made.trust)


async def test_circuits_belong_to_their_model(world: World) -> None:
    made = await proven(world)
    other = manifest_of(keccak(b"other")).model_id
    for model, circuit in ((other, made.trust), (made.model_id, keccak(b"x")), (bytes(32), bytes(32))):
        await refused(
            world.models.circuit_of(model, circuit), "UnknownCircuit", modelId=model, circuitId=circuit
        )
