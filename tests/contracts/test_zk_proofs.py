"""Real proofs, real verifier contracts: what is accepted, and how forgeries fare."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.contracts.batches import check as check_leaf
from tests.contracts.circuits import FIELDS
from tests.support import circuits, zk
from tests.support.contract import Contract
from tests.support.world import World, refused
from vouch.chain.batch_verifier import BatchVerifier
from vouch.chain.errors import ChainError
from vouch.chain.hexes import to_bytes
from vouch.chain.transaction import Call
from vouch.protocol.batch import BATCHED, BatchSeal, trust_in
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.merkle import MerkleTree
from vouch.protocol.request import Request
from vouch.protocol.seal import Seal
from vouch.protocol.status import Status
from vouch.protocol.zk import FIELD, ZK, BatchItem, Row, ZkBatch, ZkSeal, context
from vouch.prover.files import CircuitFiles
from vouch.prover.proving import prove
from vouch.prover.publish import Published, publish

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

BASE = 0x30644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD47
"""Modulus q of BN254's base field (EIP-196)."""
VALUES = (5, -700, 30_000)


@dataclass(frozen=True)
class Folders:
    """Two models of one shape, each with weights that everybody knows and with secret ones."""

    first: CircuitFiles
    second: CircuitFiles
    secret: CircuitFiles
    other_secret: CircuitFiles


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    def place(name: str) -> Path:
        return tmp_path_factory.mktemp(name) / "circuit"

    return Folders(
        await circuits.folder(place("first"), 1, 2),
        await circuits.folder(place("second"), 1, seed=2),
        await circuits.folder(place("secret"), 1, secret=True),
        await circuits.folder(place("other"), 1, secret=True, seed=2),
    )


class Model:
    """A published model whose runs can be proven."""

    def __init__(self, world: World, files: CircuitFiles, published: Sequence[Published]) -> None:
        self.world, self.files = world, files
        self.trust = {each.batch: each.circuit_id for each in published}
        self.verifier = {each.batch: each.verifier for each in published}
        self.chain_id, self.hub = world.deployment.chain_id, world.hub.address

    @classmethod
    async def put(cls, world: World, files: CircuitFiles) -> "Model":
        deployment = replace(world.deployment, name="dev")
        sender = world._senders[world.owner.address]
        return cls(world, files, await publish(world.rpc, sender, deployment, files))

    def run(self, *values: int) -> circuits.Row:
        return circuits.row(self.files.model, *values)

    def claim(self, row: circuits.Row, request: bytes = keccak(b"request")) -> Claim:
        given, output = map(keccak, row)
        return Claim(request, self.files.model_id, given, output, self.world.operator.address)

    async def proof(self, rows: Sequence[circuits.Row], claim: Claim) -> bytes:
        digest = context(claim.digest(self.chain_id, self.hub))
        made = await prove(
            self.files, len(rows), rows, digest, srs=zk.string(), toolchain=zk.toolchain(), threads=1
        )
        return made.data

    def packed(self, row: circuits.Row) -> Row:
        return self.files.of(1).circuit.row(*row)

    async def seal(self, row: circuits.Row, claim: Claim) -> Seal:
        return ZkSeal(self.packed(row), await self.proof([row], claim)).seal

    async def check(self, seal: Seal | bytes, claim: Claim, batch: int = 1) -> None:
        adapter = Contract(self.world.rpc, "ZkVerifier", self.world.deployment.verifiers["ZKUH"])
        told = tuple(getattr(claim, name) for name in FIELDS)
        call = adapter.call("verify", bytes(seal), self.trust[batch], told)
        assert await self.world.try_at(await self.world.now() + 1, call) == b""

    async def accepts(self, proof: bytes, public: Sequence[int]) -> bool:
        """What the generated contract says, without the adapter in front."""
        code = Contract(self.world.rpc, "IHonkVerifier", self.verifier[1])
        call = code.call("verify", proof, [value.to_bytes(32, "big") for value in public])
        try:
            answer = await self.world.rpc.call("eth_call", call.to_rpc(), "latest")
        except ChainError:
            return False
        return int.from_bytes(to_bytes(answer), "big") == 1


async def unproven(attempt: Any) -> None:
    """The verifier's own refusal, whichever of its checks comes first."""
    with pytest.raises(ChainError) as caught:
        await attempt
    reasons = ("SumcheckFailed", "ShpleminiFailed", "ValueGe", "ProofLength", "reverted")
    assert any(reason in str(caught.value) for reason in reasons), str(caught.value)


@pytest.mark.parametrize("which", ["first", "secret"])
async def test_a_proof_is_accepted_for_its_claim_only(world: World, folders: Folders, which: str) -> None:
    model = await Model.put(world, getattr(folders, which))
    row = model.run(*VALUES)
    claim = model.claim(row)
    seal = await model.seal(row, claim)
    await model.check(seal, claim)
    await unproven(model.check(seal, replace(claim, request_id=keccak(b"other"))))
    await unproven(model.check(seal, replace(claim, operator=world.rival.address)))
    forged = replace(claim, output_hash=keccak(b"other"))
    with pytest.raises(ChainError, match="OutputMismatch"):
        await model.check(seal, forged)


async def test_every_public_input_counts(world: World, folders: Folders) -> None:
    """Changed by one, negated, zero, another one's, or written as x + r."""
    for files in (folders.first, folders.secret):
        model = await Model.put(world, files)
        row = model.run(*VALUES)
        claim = model.claim(row)
        proof = await model.proof([row], claim)
        digest = context(claim.digest(model.chain_id, model.hub))
        public = list(files.of(1).circuit.public_inputs([model.packed(row)], digest))
        assert await model.accepts(proof, public)
        for index, value in enumerate(public):
            for other in (value + 1, FIELD - value, 0, public[index - 1], value + FIELD):
                forged = [*public[:index], other, *public[index + 1 :]]
                assert not await model.accepts(proof, forged), (index, other)
        assert not await model.accepts(proof, public[:-1])
        assert not await model.accepts(proof, [*public, 0])


async def test_another_output_of_the_same_run(world: World, folders: Folders) -> None:
    """A claim of a wrong output, with the packed words to match it, and a true proof of the right one."""
    model = await Model.put(world, folders.first)
    data, output = model.run(*VALUES)
    lie = output[:-1] + bytes([output[-1] ^ 1])
    claim = model.claim((data, lie))
    proof = await model.proof([(data, output)], claim)
    await unproven(model.check(ZkSeal(model.packed((data, lie)), proof).seal, claim))


async def test_a_proof_of_another_model(world: World, folders: Folders) -> None:
    """The same shape, other weights: under the other's id, and in the other's name."""
    first, second = await Model.put(world, folders.first), await Model.put(world, folders.second)
    row = second.run(*VALUES)
    claim = replace(second.claim(row), model_id=first.files.model_id)
    seal = ZkSeal(second.packed(row), await second.proof([row], claim)).seal
    await unproven(first.check(seal, claim))
    with pytest.raises(ChainError, match="UnknownCircuit"):
        await second.check(seal, claim)


async def test_secret_weights_are_those_that_were_committed_to(world: World, folders: Folders) -> None:
    """One verifying key serves all weights of a shape: the commitment is what tells them apart."""
    mine, other = await Model.put(world, folders.secret), await Model.put(world, folders.other_secret)
    assert folders.secret.of(1).vk == folders.other_secret.of(1).vk
    assert mine.trust != other.trust
    row = other.run(*VALUES)
    claim = replace(other.claim(row), model_id=mine.files.model_id)
    proof = await other.proof([row], claim)
    await unproven(mine.check(ZkSeal(other.packed(row), proof).seal, claim))
    digest = context(claim.digest(mine.chain_id, mine.hub))
    public = other.files.of(1).circuit.public_inputs([other.packed(row)], digest)
    assert await other.accepts(proof, public)
    assert not await mine.accepts(proof, mine.files.of(1).circuit.public_inputs([other.packed(row)], digest))


async def test_no_word_of_a_proof_can_be_another(world: World, folders: Folders) -> None:
    """One more, one less, zero, + r and + q: a proof has one form."""
    model = await Model.put(world, folders.first)
    row = model.run(*VALUES)
    claim = model.claim(row)
    proof = await model.proof([row], claim)
    digest = context(claim.digest(model.chain_id, model.hub))
    public = model.files.of(1).circuit.public_inputs([model.packed(row)], digest)
    assert await model.accepts(proof, public)
    accepted = []
    for start in range(0, len(proof), 32):
        word = int.from_bytes(proof[start : start + 32], "big")
        for other in {word + 1, word - 1, 0, word + FIELD, word + BASE} - {word}:
            if 0 <= other < 1 << 256:
                forged = proof[:start] + other.to_bytes(32, "big") + proof[start + 32 :]
                if await model.accepts(forged, public):
                    accepted.append((start, word, other))
    assert accepted == []
    assert not await model.accepts(proof[:-32], public)
    assert not await model.accepts(proof + bytes(32), public)


async def asked(world: World, model: Model, row: circuits.Row, **changes: Any) -> Request:
    terms = await world.terms(
        model_id=model.files.model_id,
        route=ZK,
        trust=model.trust[1],
        input_hash=keccak(row[0]),
        **changes,
    )
    await world.send(world.hub.request(terms, row[0]))
    return terms


async def test_a_request_is_settled_once(world: World, folders: Folders) -> None:
    """Neither the same proof again nor another one of the same claim settles or pays a second time."""
    model = await Model.put(world, folders.secret)
    await world.send(world.nodes.register("https://node.example"), world.operator)
    row = model.run(*VALUES)
    terms = await asked(world, model, row)
    claim = Claim(world.id(terms), terms.model_id, terms.input_hash, keccak(row[1]), world.operator.address)
    # proofs of the flavour with secrets are drawn at random: two of them differ
    seals = [await model.seal(row, claim) for _ in range(2)]
    assert bytes(seals[0]) != bytes(seals[1])
    for seal in seals:
        await model.check(seal, claim)

    def settle(seal: Seal) -> Call:
        return world.hub.fulfil(terms, world.operator.address, row[1], bytes(seal))

    await world.send(settle(seals[0]), world.stranger)
    paid = await world.credit(world.operator)
    assert paid == terms.fee
    for seal in seals:
        with pytest.raises(ChainError, match="WrongStatus"):
            await world.send(settle(seal), world.stranger)
    assert await world.credit(world.operator) == paid
    assert await world.hub.status_of(world.id(terms)) is Status.SETTLED


async def test_a_delivered_answer_is_settled_by_its_proof(world: World, folders: Folders) -> None:
    model = await Model.put(world, folders.first)
    await world.send(world.nodes.register("https://node.example"), world.operator)
    row = model.run(*VALUES)
    terms = await asked(world, model, row, prove_within=3600)
    await world.deliver(terms, row[1])
    claim = world.claim(terms, row[1])
    seal = await model.seal(row, claim)
    wrong = await model.seal(row, replace(claim, request_id=keccak(b"other")))
    with pytest.raises(ChainError):
        await world.send(world.settlement(terms, row[1], seal=bytes(wrong)), world.stranger)
    await world.send(world.settlement(terms, row[1], seal=bytes(seal)), world.stranger)
    assert await world.hub.status_of(world.id(terms)) is Status.SETTLED


async def test_a_batch(world: World, folders: Folders) -> None:
    """Two runs, one proof, one root; then each claim with its inclusion proof."""
    model = await Model.put(world, folders.first)
    runs = [model.run(1, 2, 3), model.run(*VALUES)]
    circuit = folders.first.of(2).circuit
    items = [BatchItem(keccak(b"%d" % i), circuit.row(*row)) for i, row in enumerate(runs)]
    place = model.chain_id, model.hub
    batch = ZkBatch.of(circuit, model.files.model_id, world.operator.address, items, *place)
    rows = [runs[items.index(item)] for item in batch.items]
    seal = batch.seal(await model.proof(rows, batch.claim))
    await model.check(seal, batch.claim, 2)
    await unproven(model.check(batch.seal(await model.proof(rows[::-1], batch.claim)), batch.claim, 2))
    await refused(model.check(seal, batch.claim, 1), "WrongBatch", received=2, expected=1)

    roots = BatchVerifier(world.rpc, world.deployment.verifiers[BATCHED.decode()])
    call = roots.seal_root(batch.root, batch.operator, model.trust[2], seal)
    await world.send(call, world.stranger)
    tree = MerkleTree.of(claim.digest(*place) for claim in batch.claims)
    for claim in batch.claims:
        steps = tree.proof(claim.digest(*place))
        leaf = BatchSeal(ZK, model.trust[2], steps).seal
        await check_leaf(world, leaf, claim, trust_in(ZK, model.trust[2]))
