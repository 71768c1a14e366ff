"""A quorum of real nodes in the relayer's world: the operator's own, and two co-signers who come and go."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coincurve import PrivateKey

from tests.e2e.relayer_world import World, world
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.quorum import QUORUM, Policy
from vouch.protocol.request import Request
from vouch.protocol.seal import address_of, sign_claim
from vouch.relayer.config import CosignerEndpoint, QuorumConfig, RelayerConfig
from vouch.relayer.job import Job, TxKind
from vouch.relayer.store import Store
from vouch.runtimes.base import Runtime
from vouch.runtimes.echo import EchoRuntime
from vouch.web.ports import free_port

ETHER = 10**18
EXPOSURE, BOND = ETHER, ETHER // 100
SIGNERS = tuple(PrivateKey(bytes([n]) * 32) for n in (7, 8))
"""Keys of the two co-signers, who need no account on the chain."""
KEYS = {
    1: "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    6: "92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
}
"""Of Anvil's accounts that sign claims in tests."""


class Contrary(EchoRuntime):
    """The echo model in its manifest, another one in fact."""

    async def run(self, data: bytes, /) -> bytes:
        return data + b"?"


@dataclass
class Trio:
    """Two of three: the operator, whose node is at `url`, and two others at fixed ports."""

    w: World
    url: str
    ports: tuple[int, int]

    @property
    def policy(self) -> Policy:
        return Policy.of(2, [self.w.operator, *(address_of(key.public_key) for key in SIGNERS)])

    def member(
        self, index: int, runtime: Runtime | None = None
    ) -> contextlib.AbstractAsyncContextManager[str]:
        """One of the others; down outside of the block."""
        return self.w.node(
            runtime or EchoRuntime(),
            port=self.ports[index],
            name=f"member{index}",
            key=SIGNERS[index],
            cosign=True,
        )

    @asynccontextmanager
    async def members(self, *runtimes: Runtime) -> AsyncIterator[None]:
        """Both others."""
        async with AsyncExitStack() as stack:
            for index in range(2):
                runtime = runtimes[index] if index < len(runtimes) else None
                await stack.enter_async_context(self.member(index, runtime))
            yield

    @property
    def urls(self) -> tuple[str, ...]:
        """All three, the operator's own node first."""
        return self.url, *(f"http://127.0.0.1:{port}" for port in self.ports)

    def config(self, name: str = "relayer", threshold: int = 2, **changes: Any) -> RelayerConfig:
        quorum = QuorumConfig(threshold, tuple(map(CosignerEndpoint, self.urls)))
        return self.w.config(self.url, name=name, **{"quorum": quorum} | changes)

    def quorum_by_name(self) -> QuorumConfig:
        """The same quorum, whose members need not be asked who they are."""
        names = [self.w.operator, *(address_of(key.public_key) for key in SIGNERS)]
        pairs = zip(self.urls, names, strict=True)
        return QuorumConfig(2, tuple(CosignerEndpoint(url, None, name) for url, name in pairs))

    async def ask(self, question: bytes = b"how risky?", **changes: Any) -> bytes:
        """A question on the quorum route, by default with a gap of 100 s and no window."""
        return await self.w.ask(question, **self.gap(**changes))

    def terms(self, question: bytes, **changes: Any) -> Request:
        return self.w.terms(self.w.sender(4).address, question, **self.gap(**changes))

    def gap(self, **changes: Any) -> dict[str, Any]:
        plain = {"route": QUORUM, "trust": self.policy.trust, "exposure": EXPOSURE, "bond": BOND}
        return plain | {"prove_within": 100} | changes

    async def exposed(self) -> int:
        """What of the operator's stake is locked."""
        return (await self.w.nodes.stake_of(self.w.operator)).exposed

    async def later(self, seconds: int) -> None:
        """So much time passes on the chain."""
        await self.w.rpc.call("evm_increaseTime", seconds)
        await self.w.rpc.call("evm_mine")

    async def challenge(self, job: Job) -> str:
        """Account 5 demands the proof of a delivered job; returns its address."""
        challenger = self.w.sender(5)
        output_hash = hash_of(job)
        await challenger.transact(self.w.hub.challenge(job.terms, self.w.operator, output_hash))
        return challenger.address

    def signature(self, terms: Request, output: bytes, account: int) -> bytes:
        """What `deliver` takes of an account that answers."""
        where = (self.w.anvil.chain_id, self.w.hub.address)
        operator = self.w.anvil.accounts[account].address
        claim = Claim(terms.id(*where), terms.model_id, terms.input_hash, keccak(output), operator)
        return sign_claim(PrivateKey(bytes.fromhex(KEYS[account])), claim, *where).proof

    def digest(self, job: Job) -> bytes:
        """What the members sign."""
        claim = Claim(job.id, job.terms.model_id, job.terms.input_hash, hash_of(job), self.w.operator)
        return claim.digest(self.w.anvil.chain_id, self.w.hub.address)


def hash_of(job: Job) -> bytes:
    """Of the output that was delivered."""
    assert job.answer is not None
    return keccak(job.answer.output)


def kinds(store: Store, request: bytes) -> list[TxKind]:
    """What the relayer sent for a request, in order."""
    return [tx.kind for tx in store.transactions(request)]


async def says(store: Store, request: bytes, text: str) -> bool:
    """A step of the request's history says so."""
    return any(text in step.reason for step in store.steps(request))


@asynccontextmanager
async def trio(folder: Path, *, stake: int = 10 * ETHER, **anvil: Any) -> AsyncIterator[Trio]:
    """A world whose operator has a stake and a node that co-signs too; the other members are still down."""
    async with world(folder, **anvil) as w:
        if stake:
            await w.sender(1).transact(w.nodes.stake(stake))
        async with w.node(cosign=True) as url:
            yield Trio(w, url, (free_port(), free_port()))
