"""Requests on a quorum's route, where the answer can come before its proof.

The client asks; the test delivers and ends them, since no relayer is needed for that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, Unpack

from vouch.chain.account import LocalKey
from vouch.chain.contracts import Hub, NodeRegistry, VerifierRouter
from vouch.chain.deployment import Deployment
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.chain.transaction import Call, Receipt
from vouch.client import Asked, Client, NodeAnswer
from vouch.client.settlement import claim_of
from vouch.client.terms import Options
from vouch.protocol.claim import Claim
from vouch.protocol.quorum import QUORUM, Policy, QuorumSeal
from vouch.protocol.request import NATIVE
from vouch.protocol.seal import Seal
from vouch.protocol.status import Assurance, Status

# No sum of some of them, and of the fee, is a sum of others: every payment shows what it is made of.
EXPOSURE = 7 * 10**15
BOND = 3 * 10**12
CHAIN_ID = 31337
STAKE = 10**17
GAS = 1_000_000


@dataclass(frozen=True)
class Gaps:
    """The operator with a stake, a quorum that the client trusts, and a stranger: sends what anybody may."""

    rpc: Rpc
    deployment: Deployment
    operator: LocalKey
    policy: Policy
    member: LocalKey
    stranger: TxSender
    owner: TxSender

    @classmethod
    async def open(
        cls, rpc: Rpc, deployment: Deployment, operator: LocalKey, accounts: Sequence[LocalKey]
    ) -> Self:
        """On a chain where the operator is registered, with money for its stake."""
        await TxSender(rpc, operator).transact(NodeRegistry(rpc, deployment.nodes).stake(STAKE))
        return cls(
            rpc=rpc,
            deployment=deployment,
            operator=operator,
            policy=Policy.of(1, [accounts[7].address, operator.address]),
            member=accounts[7],
            stranger=TxSender(rpc, accounts[8]),
            owner=TxSender(rpc, accounts[0]),
        )

    @property
    def hub(self) -> Hub:
        return Hub(self.rpc, self.deployment.hub)

    async def ask(self, client: Client, text: str = "hello", **options: Unpack[Options]) -> Asked:
        """Asks for a quorum's proof, insured, unless `options` say otherwise."""
        plain: dict[str, Any] = {"exposure": EXPOSURE, "bond": BOND}
        plain |= {"route": QUORUM, "trust": self.policy.trust}
        return await client.request("echo", text, **plain | dict(options))

    def claim(self, asked: Asked, output: bytes) -> Claim:
        return claim_of(asked, self.operator.address, output)

    def signature(self, asked: Asked, output: bytes, key: LocalKey | None = None) -> bytes:
        claim = self.claim(asked, output)
        return (key or self.operator).sign_claim(claim, CHAIN_ID, self.hub.address).proof

    def delivery(self, asked: Asked, output: bytes = b"hello") -> Call:
        operator = self.operator.address
        return self.hub.deliver(asked.request, operator, output, self.signature(asked, output))

    async def send(self, call: Call, at: int | None = None) -> Receipt:
        """By the stranger, in a block of exactly this time if one is given."""
        if at is None:
            return await self.stranger.transact(call)
        await self.rpc.call("evm_setNextBlockTimestamp", at)
        return await self.stranger.transact(call, gas=GAS, simulate=False)

    async def deliver(self, asked: Asked, output: bytes = b"hello") -> Receipt:
        return await self.send(self.delivery(asked, output))

    def seal(self, asked: Asked, output: bytes = b"hello") -> Seal:
        """Of the other member of the quorum."""
        signed = self.member.sign_claim(self.claim(asked, output), CHAIN_ID, self.hub.address)
        made = QuorumSeal.collect(
            self.policy, self.claim(asked, output), CHAIN_ID, self.hub.address, [signed]
        )
        return made.seal

    async def prove(self, asked: Asked, output: bytes = b"hello", at: int | None = None) -> Receipt:
        seal = bytes(self.seal(asked, output))
        return await self.send(self.hub.settle(asked.request, self.operator.address, output, seal), at)

    async def reject(self, asked: Asked, output: bytes = b"hello", at: int | None = None) -> Receipt:
        claim = self.claim(asked, output)
        return await self.send(self.hub.reject(asked.request, claim.operator, claim.output_hash), at)

    async def tombstone(self) -> None:
        """The quorum's verifier is withdrawn: nothing can be proven with it any more."""
        await self.owner.transact(VerifierRouter(self.rpc, self.deployment.router).tombstone(QUORUM))

    def pulled(self, asked: Asked, output: bytes, key: LocalKey | None = None) -> NodeAnswer:
        """What a node would give on being asked directly."""
        claim = self.claim(asked, output)
        return NodeAnswer(
            asked.request, output.decode(), output, claim, None, self.signature(asked, output, key), 1.0
        )

    async def mine(self, at: int) -> None:
        await self.rpc.call("evm_mine", at)

    async def time(self) -> int:
        """Of the newest block, unix seconds."""
        return int((await self.rpc.call("eth_getBlockByNumber", "latest", False))["timestamp"], 16)

    async def credit(self, account: str) -> int:
        return await self.hub.credit_of(account, NATIVE)

    async def exposed(self) -> int:
        """What of the operator's stake is locked."""
        nodes = NodeRegistry(self.rpc, self.deployment.nodes)
        return (await nodes.stake_of(self.operator.address)).exposed

    async def record(self, asked: Asked) -> Assurance:
        return await self.hub.assurance_of(asked.id)

    async def status(self, asked: Asked) -> Status:
        return (await self.record(asked)).status
