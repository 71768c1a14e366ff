"""Trees, proofs and roots are the same in Python, in npm's @openzeppelin/merkle-tree and in BatchVerifier."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.toolchain import paths
from tests.support.contract import Contract
from tests.support.strategies import claims, hashes
from vouch.chain.anvil import Anvil
from vouch.chain.deployment import Deployment
from vouch.chain.reverts import Reverted
from vouch.chain.rpc import Rpc
from vouch.protocol.batch import Batch, BatchSeal
from vouch.protocol.claim import Claim
from vouch.protocol.merkle import MerkleTree, root_of

ORACLE = Path(__file__).parent / "merkle_oracle.cjs"

many = settings(max_examples=25, deadline=None)


class Tree(NamedTuple):
    """What npm's library says: the root, and a proof for each value in the order given."""

    root: bytes
    proofs: list[tuple[bytes, ...]]


Oracle = Callable[[Sequence[bytes]], Awaitable[Tree]]
Roots = Callable[[BatchSeal, Claim], Awaitable[bytes]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def oracle() -> AsyncIterator[Oracle]:
    """One process for all examples."""
    pipe = asyncio.subprocess.PIPE
    node = await asyncio.create_subprocess_exec(
        str(paths.BIN / "node"), str(ORACLE), stdin=pipe, stdout=pipe, limit=1 << 24
    )

    async def ask(values: Sequence[bytes]) -> Tree:
        assert node.stdin is not None
        assert node.stdout is not None
        node.stdin.write(json.dumps(["0x" + value.hex() for value in values]).encode() + b"\n")
        await node.stdin.drain()
        line = await node.stdout.readline()
        assert line, "the oracle has ended: is @openzeppelin/merkle-tree installed?"
        answer = json.loads(line)
        proofs = [tuple(bytes.fromhex(step[2:]) for step in proof) for proof in answer["proofs"]]
        return Tree(bytes.fromhex(answer["root"][2:]), proofs)

    yield ask
    assert node.stdin is not None
    node.stdin.close()
    assert await node.wait() == 0


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def on_chain(anvil: Anvil, deployment: Deployment) -> AsyncIterator[Roots]:
    """The root that the contract computes, as it says in its refusal: nothing is sealed here."""
    async with Rpc(anvil.http_url) as rpc:
        verifier = Contract(rpc, "BatchVerifier", deployment.verifiers["BTCH"])

        async def root(seal: BatchSeal, claim: Claim) -> bytes:
            fields = (claim.request_id, claim.model_id, claim.input_hash, claim.output_hash, claim.operator)
            with pytest.raises(Reverted) as caught:
                await verifier.read("verify", bytes(seal.seal), seal.trust, fields)
            error = caught.value.error
            assert error.name == "RootNotSealed", str(error)
            assert (error.args["operator"], error.args["policy"]) == (claim.operator, seal.trust)
            return bytes(error.args["root"])

        yield root


@many
@given(values=st.lists(hashes, min_size=1, max_size=70))
async def test_trees(oracle: Oracle, values: list[bytes]) -> None:
    theirs, ours = await oracle(values), MerkleTree.of(values)
    assert ours.root == theirs.root
    for value, proof in zip(values, theirs.proofs, strict=True):
        assert root_of(value, proof) == ours.root
        if values.count(value) == 1:  # of equal leaves, either proof is right
            assert ours.proof(value) == proof
        assert root_of(value, ours.proof(value)) == ours.root


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 8, 9, 127, 128, 129, 1000])
async def test_sizes(oracle: Oracle, size: int) -> None:
    values = [i.to_bytes(32, "big") for i in range(size)]
    theirs, ours = await oracle(values), MerkleTree.of(values)
    assert ours.root == theirs.root
    assert [ours.proof(value) for value in values] == theirs.proofs


@many
@given(made=st.lists(claims, min_size=1, max_size=12), route=st.binary(min_size=4, max_size=4), trust=hashes)
async def test_the_contract_finds_the_same_root(
    on_chain: Roots, deployment: Deployment, made: list[Claim], route: bytes, trust: bytes
) -> None:
    """For every claim of a batch, whatever route and trust the root may have been sealed with."""
    domain = (deployment.chain_id, deployment.hub)
    for claim in made:
        own = [one for one in made if one.operator == claim.operator]
        batch = Batch.of(own, *domain)
        seal = BatchSeal.parse(batch.seal(claim, route, trust))
        assert await on_chain(seal, claim) == batch.tree.root == seal.root(claim, *domain)


@many
@given(
    claim=claims,
    other=claims,
    proof=st.lists(hashes, max_size=40),
    place=st.integers(0, 39),
    bit=st.integers(0, 255),
)
async def test_other_proofs_lead_elsewhere(
    on_chain: Roots,
    deployment: Deployment,
    claim: Claim,
    other: Claim,
    proof: list[bytes],
    place: int,
    bit: int,
) -> None:
    """One bit of a proof, one step more or less, or another claim: another root, the same on both sides."""
    domain = (deployment.chain_id, deployment.hub)
    steps = tuple(proof)
    seal = BatchSeal(b"SIGN", bytes(32), steps)
    root = seal.root(claim, *domain)
    assert await on_chain(seal, claim) == root
    changed = [(*steps, root)]
    if steps:
        place %= len(steps)
        flipped = (int.from_bytes(steps[place], "big") ^ 1 << bit).to_bytes(32, "big")
        changed += [steps[1:], steps[:-1], (*steps[:place], flipped, *steps[place + 1 :])]
    for forged in changed:
        wrong = BatchSeal(b"SIGN", bytes(32), forged)
        assert await on_chain(wrong, claim) == wrong.root(claim, *domain) != root
    if other != claim:
        assert await on_chain(seal, other) == seal.root(other, *domain) != root
