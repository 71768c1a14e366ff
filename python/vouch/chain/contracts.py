"""Typed views of Vouch's contracts, and builders of the transactions that change them.

Views are coroutines and raise Reverted (by the contract's own error name), NoContract, RpcError or
RpcUnavailable. Builders are pure and return a Call; whoever sends it pays.

Money is in token units (wei for the native token, whose address is NATIVE), times are unix seconds, ids and
hashes 32 bytes, addresses checksummed hex.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from vouch.chain.models import BoundCircuit, Model, ModelRegistry
from vouch.chain.transaction import Call
from vouch.chain.view import Block, NoContract, View
from vouch.protocol.claim import Claim
from vouch.protocol.request import NATIVE, Request
from vouch.protocol.status import Assurance, Gap, Status

__all__ = [
    "BoundCircuit",
    "Call",
    "Fulfilment",
    "Hub",
    "Model",
    "ModelRegistry",
    "NoContract",
    "Node",
    "NodeRegistry",
    "Price",
    "SignedOutput",
    "Stake",
    "VerifierRouter",
]


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """One answer as fulfil and fulfilMany take it."""

    request: Request
    operator: str
    output: bytes
    seal: bytes


@dataclass(frozen=True, slots=True)
class SignedOutput:
    """keccak256 of an output that an operator put its name to, and its 65-byte signature of the claim."""

    output_hash: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Node:
    """Registration of an operator: since when (zero: not registered), and its node's base URL."""

    since: int
    endpoint: str


@dataclass(frozen=True, slots=True)
class Price:
    """An operator's offer: token units per request and per unit of callback gas."""

    offered: bool
    base: int
    per_callback_gas: int


@dataclass(frozen=True, slots=True)
class Stake:
    """Token units behind an operator, how much of it is locked for open results, and what is on its way out
    with the time it is free (zero: none)."""

    bonded: int
    exposed: int
    unbonding: int
    release_at: int

    @property
    def free(self) -> int:
        """What can be locked for further results, or unbonded."""
        return self.bonded - self.exposed


class Hub(View):
    """`IInferenceHub`."""

    ABI = "InferenceHub"

    async def status_of(self, request_id: bytes, *, block: Block = "latest") -> Status:
        return Status(await self._read("statusOf", request_id, block=block))

    async def assurance_of(self, request_id: bytes, *, block: Block = "latest") -> Assurance:
        status, *rest = await self._read("assuranceOf", request_id, block=block)
        return Assurance(Status(status), *rest)

    async def gap_of(self, terms: Request, *, block: Block = "latest") -> Gap:
        status, *rest = await self._read("gapOf", terms.to_abi(), block=block)
        return Gap(Status(status), *rest)

    async def is_answer(self, request_id: bytes, operator: str, output_hash: bytes) -> bool:
        """True if this operator's output was delivered or settled, and not retracted since."""
        return bool(await self._read("isAnswer", request_id, operator, output_hash))

    async def credit_of(self, account: str, token: str = NATIVE, *, block: Block = "latest") -> int:
        return int(await self._read("creditOf", token, account, block=block))

    async def estimate(self, terms: Request) -> int:
        """Least fee the named operator takes (zero if none is named); reverts if the terms are wrong."""
        return int(await self._read("estimate", terms.to_abi()))

    async def id_of(self, terms: Request) -> bytes:
        return bytes(await self._read("idOf", terms.to_abi()))

    async def digest_of(self, claim: Claim) -> bytes:
        fields = (claim.request_id, claim.model_id, claim.input_hash, claim.output_hash, claim.operator)
        return bytes(await self._read("digestOf", fields))

    async def router(self) -> str:
        """Address of the VerifierRouter."""
        return str(await self._read("ROUTER"))

    async def models(self) -> str:
        """Address of the ModelRegistry."""
        return str(await self._read("MODELS"))

    async def nodes(self) -> str:
        """Address of the NodeRegistry."""
        return str(await self._read("NODES"))

    async def max_output(self) -> int:
        """Bytes of the largest output."""
        return int(await self._read("MAX_OUTPUT"))

    async def max_callback_gas(self) -> int:
        return int(await self._read("MAX_CALLBACK_GAS"))

    def request(self, terms: Request, input_: bytes, *, value: int | None = None) -> Call:
        """Asks; the sender must be terms.consumer. A native fee goes along, unless `value` says otherwise."""
        if value is None:
            value = terms.fee if terms.token == NATIVE else 0
        return self._call("request", terms.to_abi(), input_, value=value)

    def fulfil(self, terms: Request, operator: str, output: bytes, seal: bytes) -> Call:
        return self._call("fulfil", terms.to_abi(), operator, output, seal)

    def fulfil_many(self, items: Sequence[Fulfilment]) -> Call:
        return self._call(
            "fulfilMany", [(item.request.to_abi(), item.operator, item.output, item.seal) for item in items]
        )

    def deliver(self, terms: Request, operator: str, output: bytes, signature: bytes) -> Call:
        """Publishes a result without its proof; `signature` is the operator's 65 bytes over the claim."""
        return self._call("deliver", terms.to_abi(), operator, output, signature)

    def settle(self, terms: Request, operator: str, output: bytes, seal: bytes = b"") -> Call:
        """Settles what was delivered; without a seal after a window that nobody used."""
        return self._call("settle", terms.to_abi(), operator, output, seal)

    def challenge(
        self, terms: Request, operator: str, output_hash: bytes, *, value: int | None = None
    ) -> Call:
        """Demands the proof. A native bond goes along, unless `value` says otherwise."""
        if value is None:
            value = terms.bond if terms.token == NATIVE else 0
        return self._call("challenge", terms.to_abi(), operator, output_hash, value=value)

    def reject(self, terms: Request, operator: str, output_hash: bytes) -> Call:
        """Ends a delivered request whose proof is late."""
        return self._call("reject", terms.to_abi(), operator, output_hash)

    def report_equivocation(
        self, terms: Request, operator: str, first: SignedOutput, second: SignedOutput
    ) -> Call:
        """Shows that the operator signed two outputs for one request."""
        pair = [(each.output_hash, each.signature) for each in (first, second)]
        return self._call("reportEquivocation", terms.to_abi(), operator, *pair)

    def expire(self, terms: Request) -> Call:
        return self._call("expire", terms.to_abi())

    def expire_delivered(self, terms: Request, operator: str, output_hash: bytes) -> Call:
        """Ends a delivered request whose route was tombstoned."""
        return self._call("expireDelivered", terms.to_abi(), operator, output_hash)

    def retry_callback(self, terms: Request, operator: str, output: bytes, callback_gas: int = 0) -> Call:
        """Runs a failed callback again, with at least the gas of the terms."""
        return self._call("retryCallback", terms.to_abi(), operator, output, callback_gas)

    def deposit(self, amount: int, account: str, token: str = NATIVE) -> Call:
        """Credits `account`; an ERC-20 token needs an allowance for the hub first."""
        return self._call("deposit", token, amount, account, value=amount if token == NATIVE else 0)

    def withdraw(self, amount: int, to: str, token: str = NATIVE) -> Call:
        return self._call("withdraw", token, amount, to)

    def transfer_credit(self, amount: int, to: str, token: str = NATIVE) -> Call:
        return self._call("transferCredit", token, amount, to)


class NodeRegistry(View):
    """`INodeRegistry`."""

    ABI = "NodeRegistry"

    async def node_of(self, operator: str) -> Node:
        return Node(*await self._read("nodeOf", operator))

    async def is_registered(self, operator: str) -> bool:
        return bool(await self._read("isRegistered", operator))

    async def price_of(self, operator: str, model_id: bytes, token: str = NATIVE) -> Price:
        return Price(*await self._read("priceOf", operator, model_id, token))

    async def quote(self, operator: str, model_id: bytes, callback_gas: int, token: str = NATIVE) -> int:
        """Token units for one request; reverts with PriceNotOffered."""
        return int(await self._read("quote", operator, model_id, token, callback_gas))

    async def stake_of(self, operator: str, token: str = NATIVE) -> Stake:
        return Stake(*await self._read("stakeOf", operator, token))

    async def free_stake_of(self, operator: str, token: str = NATIVE) -> int:
        """Token units that can be locked for further results, or unbonded."""
        return int(await self._read("freeStakeOf", operator, token))

    async def unbond_delay(self) -> int:
        """Seconds between unbond and withdrawStake."""
        return int(await self._read("UNBOND_DELAY"))

    def register(self, endpoint: str) -> Call:
        return self._call("register", endpoint)

    def retire(self) -> Call:
        return self._call("retire")

    def set_price(self, model_id: bytes, base: int, per_callback_gas: int = 0, token: str = NATIVE) -> Call:
        return self._call("setPrice", model_id, token, base, per_callback_gas)

    def remove_price(self, model_id: bytes, token: str = NATIVE) -> Call:
        return self._call("removePrice", model_id, token)

    def stake(self, amount: int, token: str = NATIVE) -> Call:
        return self._call("stake", token, amount, value=amount if token == NATIVE else 0)

    def unbond(self, amount: int, token: str = NATIVE) -> Call:
        return self._call("unbond", token, amount)

    def withdraw_stake(self, to: str, token: str = NATIVE) -> Call:
        return self._call("withdrawStake", token, to)


class VerifierRouter(View):
    """`IVerifierRouter`."""

    ABI = "VerifierRouter"

    async def owner(self) -> str:
        return str(await self._read("owner"))

    async def verifier_of(self, route: bytes) -> str:
        """Address behind a live route; reverts with UnknownRoute or RouteIsTombstoned."""
        return str(await self._read("verifierOf", route))

    async def name_of(self, route: bytes) -> str:
        """What a result on this route is worth, in one word; empty for an unknown route."""
        return str(await self._read("nameOf", route))

    async def verifier_for(self, route: bytes, trust: bytes) -> str:
        """The same for a request; reverts also if its trust rests on a route that is not live (a batch)."""
        return str(await self._read("verifierFor", route, trust))

    async def is_live(self, route: bytes) -> bool:
        return bool(await self._read("isLive", route))

    async def can_verify(self, route: bytes, trust: bytes) -> bool:
        """Whether a seal for a request with this route and trust can still be taken."""
        return bool(await self._read("canVerify", route, trust))

    def add(self, route: bytes, verifier: str, name: str) -> Call:
        return self._call("add", route, verifier, name)

    def tombstone(self, route: bytes) -> Call:
        return self._call("tombstone", route)
