"""What a contract test needs: the contracts, accounts with roles, and short words for what they do."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.support.contract import Contract, creation
from tests.support.terms import FEE as FEE  # tests of contracts have both words from here
from tests.support.terms import INPUT as INPUT
from tests.support.terms import make_terms
from vouch.chain.account import LocalKey
from vouch.chain.contracts import (
    Fulfilment,
    Hub,
    ModelRegistry,
    NodeRegistry,
    SignedOutput,
    VerifierRouter,
)
from vouch.chain.deployment import Deployment
from vouch.chain.errors import RpcError
from vouch.chain.events import HUB_EVENTS, MalformedLog, TypedLog, receipt_logs
from vouch.chain.hexes import to_bytes
from vouch.chain.reverts import Reverted, reverted
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.chain.transaction import MAX_TX_GAS, Call, Receipt
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.request import NATIVE, Request
from vouch.protocol.seal import SIGNED

OUTPUT = b"output"
MANIFEST = b'{"vouch":1,"name":"m"}'
MODEL = keccak(MANIFEST)


class World:
    """One clean chain.

    `owner` (account 0) owns the deployment and is the consumer of `terms()`, `operator` (1) is registered,
    `rival` (2) is not, but could be, and `stranger` (3) has no part in anything.
    """

    def __init__(
        self,
        rpc: Rpc,
        deployment: Deployment,
        accounts: tuple[LocalKey, ...],
        sender_of: Callable[[LocalKey], TxSender],
    ) -> None:
        self.rpc, self.deployment = rpc, deployment
        self.hub = Hub(rpc, deployment.hub)
        self.nodes = NodeRegistry(rpc, deployment.nodes)
        self.models = ModelRegistry(rpc, deployment.models)
        self.router = VerifierRouter(rpc, deployment.router)
        self.owner, self.operator, self.rival, self.stranger = accounts[:4]
        self._senders = {key.address: sender_of(key) for key in accounts[:4]}

    async def now(self) -> int:
        """Unix seconds of the next block, or a little less."""
        return int((await self.rpc.call("eth_getBlockByNumber", "pending", False))["timestamp"], 16)

    async def terms(self, **changes: Any) -> Request:
        """Terms that can be asked and fulfilled now."""
        here = {"consumer": self.owner.address, "deliver_by": await self.now() + 3600, "model_id": MODEL}
        return make_terms(**here | changes)

    def id(self, terms: Request) -> bytes:
        return terms.id(self.deployment.chain_id, self.deployment.hub)

    async def send(self, call: Call, by: LocalKey | None = None, gas: int | None = None) -> Receipt:
        """Mined, by the owner unless said otherwise. Raises Reverted before anything is sent."""
        return await self._senders[(by or self.owner).address].transact(call, gas=gas)

    async def send_at(self, time: int, call: Call, by: LocalKey | None = None) -> Receipt:
        """Mined in a block of exactly this time."""
        await self.rpc.call("evm_setNextBlockTimestamp", time)
        sender = self._senders[(by or self.owner).address]
        return await sender.transact(call, gas=MAX_TX_GAS, simulate=False)

    async def try_at(self, time: int, call: Call, by: LocalKey | None = None) -> bytes:
        """What the call returns in a block of exactly this time; raises Reverted."""
        tx = call.to_rpc((by or self.owner).address, MAX_TX_GAS)
        try:
            return to_bytes(await self.rpc.call("eth_call", tx, "latest", {}, {"time": hex(time)}))
        except RpcError as refused:
            raise (reverted(refused) or refused) from refused

    async def create(self, name: str, *args: Any, value: int = 0) -> Contract:
        call = creation(name, *args)
        receipt = await self.send(replace(call, value=value))
        assert receipt.contract is not None
        return Contract(self.rpc, name, receipt.contract)

    async def ask(
        self, terms: Request, consumer: Contract | None = None, value: int | None = None
    ) -> Receipt:
        """Asks about INPUT; an account asks itself, a contract by its function `ask`."""
        if consumer is None:
            return await self.send(self.hub.request(terms, INPUT, value=value))
        sent = terms.fee if value is None else value
        return await self.send(consumer.call("ask", terms.to_abi(), INPUT, value=sent))

    def claim(self, terms: Request, output: bytes = OUTPUT, operator: str | None = None) -> Claim:
        return Claim(
            self.id(terms),
            terms.model_id,
            terms.input_hash,
            keccak(output),
            operator or self.operator.address,
        )

    def seal(
        self, terms: Request, output: bytes = OUTPUT, *, key: LocalKey | None = None, route: bytes = SIGNED
    ) -> bytes:
        """Signed by the operator or by the account given; for any route whose verifier checks signatures."""
        return route + self.sign(terms, output, key=key)

    def sign(self, terms: Request, output: bytes = OUTPUT, *, key: LocalKey | None = None) -> bytes:
        """The operator's (or the account's) name under its own output: r ‖ s ‖ v over the claim."""
        signer = key or self.operator
        claim = self.claim(terms, output, signer.address)
        return signer.sign_claim(claim, self.deployment.chain_id, self.deployment.hub).proof

    def signed(self, terms: Request, output: bytes, *, key: LocalKey | None = None) -> SignedOutput:
        return SignedOutput(keccak(output), self.sign(terms, output, key=key))

    def result(
        self, terms: Request, output: bytes = OUTPUT, *, key: LocalKey | None = None
    ) -> tuple[Request, str, bytes]:
        """What was delivered, as challenge, reject and expireDelivered name it."""
        return terms, (key or self.operator).address, keccak(output)

    def answer(self, terms: Request, output: bytes = OUTPUT, *, key: LocalKey | None = None) -> Fulfilment:
        signer = key or self.operator
        return Fulfilment(
            terms, signer.address, output, self.seal(terms, output, key=signer, route=terms.route)
        )

    def fulfilment(self, terms: Request, output: bytes = OUTPUT, *, key: LocalKey | None = None) -> Call:
        item = self.answer(terms, output, key=key)
        return self.hub.fulfil(item.request, item.operator, item.output, item.seal)

    async def fulfil(
        self, terms: Request, output: bytes = OUTPUT, *, key: LocalKey | None = None, gas: int | None = None
    ) -> Receipt:
        """Sent by the stranger, since anybody may."""
        return await self.send(self.fulfilment(terms, output, key=key), self.stranger, gas)

    def delivery(self, terms: Request, output: bytes = OUTPUT, *, key: LocalKey | None = None) -> Call:
        signer = key or self.operator
        return self.hub.deliver(terms, signer.address, output, self.sign(terms, output, key=key))

    async def deliver(
        self, terms: Request, output: bytes = OUTPUT, *, key: LocalKey | None = None, gas: int | None = None
    ) -> Receipt:
        """Sent by the stranger, since anybody may."""
        return await self.send(self.delivery(terms, output, key=key), self.stranger, gas)

    def settlement(
        self,
        terms: Request,
        output: bytes = OUTPUT,
        *,
        key: LocalKey | None = None,
        seal: bytes | None = None,
    ) -> Call:
        """With the right seal, or with the one given: b"" for none."""
        if seal is None:
            seal = self.seal(terms, output, key=key, route=terms.route)
        return self.hub.settle(terms, (key or self.operator).address, output, seal)

    def logs(self, receipt: Receipt) -> list[TypedLog | MalformedLog]:
        """What the hub logged, decoded."""
        return receipt_logs(receipt, self.hub.address, HUB_EVENTS)

    async def credit(self, account: LocalKey | Contract | str, token: str = NATIVE) -> int:
        address = account if isinstance(account, str) else account.address
        return await self.hub.credit_of(address, token)

    async def balance(self, address: str) -> int:
        return int(await self.rpc.call("eth_getBalance", address, "latest"), 16)

    async def token(self, amount: int = 10**18) -> Contract:
        """An honest ERC-20 token, `amount` of it owned and approved to the hub by the owner."""
        token = await self.create("HostileToken")
        await self.send(token.call("mint", self.owner.address, amount))
        await self.send(token.call("approve", self.hub.address, amount))
        return token


async def refused(attempt: Awaitable[object], error: str, /, **args: Any) -> None:
    """Awaits something that a contract must revert with exactly this error."""
    with pytest.raises(Reverted) as caught:
        await attempt
    assert caught.value.error.name == error, str(caught.value)
    assert dict(caught.value.error.args) == args
