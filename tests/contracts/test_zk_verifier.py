# verify
# ├── no circuit of the claim's model has the id `trust` .......... UnknownCircuit
# ├── the verifier's code is gone or another one .................. VerifierChanged
# ├── the circuit proves several inferences ....................... WrongBatch
# ├── the seal is shorter than the packed values .................. NotAZkSeal
# ├── packed bits that stand for nothing (x + r, too) ............. NotCanonical
# ├── packed inputs are not the claim's ........................... InputMismatch
# ├── packed outputs are not the claim's .......................... OutputMismatch
# ├── the verifier does not say true for inputs ‖ outputs ‖
# │   [commitment] ‖ digest mod r ................................. ProofRejected, or its own error
# └── otherwise ................................................... returns nothing

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contracts.circuits import FIELDS, Proven, proven, words
from tests.support.world import World, refused
from vouch.chain.errors import ChainError
from vouch.protocol.keccak import keccak
from vouch.protocol.packing import Packing
from vouch.protocol.seal import Seal
from vouch.protocol.zk import FIELD, ZkSeal

INPUTS, OUTPUTS = [1, -2, 30_000], [-70_000]


async def test_a_proof(world: World) -> None:
    made = await proven(world)
    claim = made.claim(INPUTS, OUTPUTS)
    await made.check(made.seal(INPUTS, OUTPUTS, claim), claim)


async def test_only_the_batch_has_roots(world: World) -> None:
    """A claim of no request is a root's, but not if it names a model."""
    made = await proven(world)
    claim = replace(made.claim(INPUTS, OUTPUTS), request_id=bytes(32))
    await made.check(made.seal(INPUTS, OUTPUTS, claim), claim)


async def test_secret_weights(world: World) -> None:
    made = await proven(world, commitment=FIELD - 1)
    claim = made.claim(INPUTS, OUTPUTS)
    seal = made.seal(INPUTS, OUTPUTS, claim)
    assert len(bytes(seal)) == 4 + 32 * 2 + 32 * 4
    await made.check(seal, claim)
    row = made.row(INPUTS, OUTPUTS)
    without = made.proof([row], claim)[:64] + made.proof([row], claim)[96:]
    await rejected(made, ZkSeal(row, without).seal, claim)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_the_public_inputs_are_pythons(world: World, data: st.DataObject) -> None:
    """The stand-in takes one proof only: exactly the words that vouch.protocol.zk makes."""
    shapes = st.builds(Packing, st.integers(1, 40), st.integers(1, 64))
    input_, output = data.draw(shapes), data.draw(shapes)
    name = data.draw(st.text("abcdef", min_size=8, max_size=8))
    made = await proven(world, input_=input_, output=output, name=name)
    inputs, outputs = (data.draw(values(packing)) for packing in (input_, output))
    claim = made.claim(inputs, outputs, data.draw(st.integers(0, 1 << 64)))
    await made.check(made.seal(inputs, outputs, claim), claim)


def values(packing: Packing) -> st.SearchStrategy[list[int]]:
    limit = 1 << (packing.bits - 1)
    one = st.one_of(st.integers(-limit, limit - 1), st.sampled_from([-limit, limit - 1, -1, 0]))
    return st.lists(one, min_size=packing.count, max_size=packing.count)


@pytest.mark.parametrize("field", FIELDS)
async def test_another_claim(world: World, field: str) -> None:
    made = await proven(world)
    claim = made.claim(INPUTS, OUTPUTS)
    seal = made.seal(INPUTS, OUTPUTS, claim)
    value: Any = world.rival.address if field == "operator" else keccak(b"other")
    other = replace(claim, **{field: value})
    with pytest.raises(ChainError):
        await made.check(seal, other)
    if field in ("request_id", "operator"):
        await rejected(made, seal, other)


async def rejected(made: Proven, seal: Seal, claim: Any) -> None:
    await refused(made.check(seal, claim), "ProofRejected", verifier=made.verifier.address)


async def test_another_chain_or_hub(world: World) -> None:
    made = await proven(world)
    claim = made.claim(INPUTS, OUTPUTS)
    row = made.row(INPUTS, OUTPUTS)
    for chain_id, hub in ((1, world.hub.address), (world.deployment.chain_id, world.rival.address)):
        context = int.from_bytes(claim.digest(chain_id, hub), "big") % FIELD
        public = made.circuit.public_inputs([row], context)
        await rejected(made, ZkSeal(row, words(public)).seal, claim)


async def test_another_circuit_or_model(world: World) -> None:
    """Trust names a circuit of the very model: neither another model's nor a stranger's counts."""
    made = await proven(world)
    other = await proven(world, output=Packing(1, 21), name="other")
    claim = made.claim(INPUTS, OUTPUTS)
    seal = made.seal(INPUTS, OUTPUTS, claim)
    for trust in (other.trust, bytes(32), keccak(b"x")):
        await refused(
            made.check(seal, claim, trust), "UnknownCircuit", modelId=made.model_id, circuitId=trust
        )
    foreign = replace(claim, model_id=other.model_id)
    await refused(made.check(seal, foreign), "UnknownCircuit", modelId=other.model_id, circuitId=made.trust)


@pytest.mark.parametrize("code", ["0x", "0x00", "0x6001600052602060" + "00f3"])
async def test_the_verifier_changed(world: World, code: str) -> None:
    """Also to code that says true to everything."""
    made = await proven(world)
    claim = made.claim(INPUTS, OUTPUTS)
    seal = made.seal(INPUTS, OUTPUTS, claim)
    await made.check(seal, claim)
    await world.rpc.call("anvil_setCode", made.verifier.address, code)
    # no code at an address that has sent something: the hash of nothing
    now = replace(made.circuit, code_hash=keccak(bytes.fromhex(code[2:])))
    await refused(
        made.check(seal, claim),
        "VerifierChanged",
        verifier=made.verifier.address,
        received=now.id,
        expected=made.trust,
    )


async def test_a_circuit_for_several(world: World) -> None:
    made = await proven(world, batch=2)
    claim = made.claim(INPUTS, OUTPUTS)
    row = made.row(INPUTS, OUTPUTS)
    seal = ZkSeal(row, made.proof([row, row], claim)).seal
    await refused(made.check(seal, claim), "WrongBatch", received=1, expected=2)


@pytest.mark.parametrize("size", [4, 35, 36, 67])
async def test_short_seals(world: World, size: int) -> None:
    made = await proven(world)
    claim = made.claim(INPUTS, OUTPUTS)
    seal = bytes(made.seal(INPUTS, OUTPUTS, claim))[:size]
    await refused(made.check(seal, claim), "NotAZkSeal", length=size, least=68)


async def test_no_proof_at_all(world: World) -> None:
    made = await proven(world)
    claim = made.claim(INPUTS, OUTPUTS)
    for proof in (b"", b"\0", made.proof([made.row(INPUTS, OUTPUTS)], claim) + b"\0"):
        await rejected(made, ZkSeal(made.row(INPUTS, OUTPUTS), proof).seal, claim)


@pytest.mark.parametrize(("start", "bits"), [(4, 48), (36, 20)])
async def test_aliases(world: World, start: int, bits: int) -> None:
    """The same residue modulo r, or any bit that no value stands for, in inputs and in outputs."""
    made = await proven(world)
    claim = made.claim(INPUTS, OUTPUTS)
    seal = bytes(made.seal(INPUTS, OUTPUTS, claim))
    word = int.from_bytes(seal[start : start + 32], "big")
    for alias in (word + FIELD, word | 1 << bits, word | 1 << 252, word | 1 << 255):
        forged = seal[:start] + alias.to_bytes(32, "big") + seal[start + 32 :]
        await refused(made.check(forged, claim), "NotCanonical", element=alias)


async def test_of_several_bad_elements_the_first_is_named(world: World) -> None:
    made = await proven(world, input_=Packing(5, 64))
    inputs = [1, 2, 3, 4, 5]
    claim = made.claim(inputs, OUTPUTS)
    seal = bytes(made.seal(inputs, OUTPUTS, claim))
    assert made.circuit.input.fields == 2
    forged = seal[:4] + (FIELD + 1).to_bytes(32, "big") + (FIELD + 2).to_bytes(32, "big") + seal[68:]
    await refused(made.check(forged, claim), "NotCanonical", element=FIELD + 1)


async def test_other_values(world: World) -> None:
    made = await proven(world)
    claim = made.claim(INPUTS, OUTPUTS)
    seal = made.seal([*INPUTS[:2], 5], OUTPUTS, claim)
    hashed = keccak(words([*INPUTS[:2], 5]))
    await refused(made.check(seal, claim), "InputMismatch", received=hashed, expected=claim.input_hash)
    seal = made.seal(INPUTS, [5], claim)
    hashed = keccak(words([5]))
    await refused(made.check(seal, claim), "OutputMismatch", received=hashed, expected=claim.output_hash)


async def test_each_word_of_the_proof(world: World) -> None:
    made = await proven(world, commitment=5)
    claim = made.claim(INPUTS, OUTPUTS)
    seal = bytes(made.seal(INPUTS, OUTPUTS, claim))
    for place in range(68, len(seal)):
        forged = seal[:place] + bytes([seal[place] ^ 1]) + seal[place + 1 :]
        await rejected(made, Seal.parse(forged), claim)
