"""The client: ask a model through the hub, wait, get the answer with its claim and seal."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, Unpack

from vouch.chain.account import LocalKey
from vouch.chain.deployment import Deployment
from vouch.chain.reverts import Reverted
from vouch.chain.rpc import Rpc
from vouch.chain.sender import Unfunded
from vouch.chain.transaction import Call, Receipt
from vouch.client.account import open_account
from vouch.client.answer import Answer, Asked, NodeAnswer
from vouch.client.ask import ask_node
from vouch.client.connection import Connection, connect
from vouch.client.defaults import transact_late
from vouch.client.disputes import Disputes
from vouch.client.errors import InsufficientFunds, NoAccount
from vouch.client.models import Inputs, Published
from vouch.client.operators import Offer
from vouch.client.settlement import find_asked, read_again, read_answer, read_standing
from vouch.client.terms import Options, Prepared, prepare
from vouch.client.waiting import answered, end_of
from vouch.protocol.manifest import Manifest
from vouch.protocol.request import NATIVE, Request
from vouch.protocol.status import Assurance, Status


class Client(Disputes):
    """Asks models through one deployment of the hub.

        async with Client("http://127.0.0.1:8545", "~/key.json") as client:
            answer = await client.infer("risk", {"x": [0.3, 0.1, 0.5, 0.2, 0.9]})

    rpc: URL (http, https, ws, wss, path of an IPC socket), or an open Rpc, which stays open.
    account: key, 64 hex digits, or a file with hex or an encrypted keystore (with `password`). None can only
    read.
    deployment: addresses; default: deployments/<chain id>.json, or in the folder `deployments` or
    $VOUCH_DEPLOYMENTS.
    poll: most seconds between two looks at the chain while waiting.

    It connects with the first call; `close` (or leaving `async with`) disconnects. Calls may run at the same
    time. Besides what they name, all raise RpcUnavailable and RpcError, and whichever comes first raises
    NoDeployment, BadDeployment and StaleDeployment.
    """

    def __init__(
        self,
        rpc: str | Rpc,
        account: str | Path | LocalKey | None = None,
        *,
        password: str | None = None,
        deployment: Deployment | None = None,
        deployments: str | Path | None = None,
        poll: float = 1.0,
    ) -> None:
        self._rpc, self._deployment = rpc, deployment
        self._folder = None if deployments is None else Path(deployments)
        self._key = None if account is None else open_account(account, password)
        self._poll = poll
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._connection: Connection | None = None

    async def __aenter__(self) -> Self:
        await self.connection()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Disconnects; the next call connects again."""
        self._connection = None
        await self._stack.aclose()

    async def connection(self) -> Connection:
        """The open connection, for what this class has no call for."""
        async with self._opening:
            if self._connection is None:
                async with AsyncExitStack() as stack:
                    self._connection = await connect(
                        stack, self._rpc, self._key, self._deployment, self._folder
                    )
                    self._stack = stack.pop_all()
            return self._connection

    @property
    def address(self) -> str:
        """The account's address. Raises NoAccount."""
        if self._key is None:
            raise NoAccount("to speak of")
        return self._key.address

    # Ask and wait

    async def infer(
        self, model: str | bytes, inputs: Inputs, *, timeout: float | None = None, **options: Unpack[Options]
    ) -> Answer:
        """Asks and waits: arrays by tensor name (or text) in, the decoded answer out.

        Where the terms leave a trust gap it may be provisional: `answer.settled()` waits for the end.

        Raises as `request` and `wait`.
        """
        return await self.wait(await self.request(model, inputs, **options), timeout=timeout)

    async def prepare(
        self, model: str | bytes, inputs: Inputs, consumer: str | None = None, **options: Unpack[Options]
    ) -> Prepared:
        """Terms and input bytes of a question, without asking it. Raises as `vouch.client.terms.prepare`."""
        return await prepare(await self.connection(), consumer or self.address, model, inputs, options)

    async def request(self, model: str | bytes, inputs: Inputs, **options: Unpack[Options]) -> Asked:
        """Puts a question on chain; `wait` gets the answer.

        Raises as `prepare`, and InsufficientFunds, NoAccount.
        """
        chain = await self.connection()
        prepared = await self.prepare(model, inputs, **options)
        terms = prepared.request
        receipt = await self._transact(chain.hub.request(terms, prepared.input), "to ask with")
        return Asked(
            id=terms.id(chain.chain_id, chain.hub.address),
            request=terms,
            input=prepared.input,
            manifest=prepared.manifest,
            tx_hash=receipt.tx_hash,
            block=receipt.block_number,
            gas=receipt.gas_used,
        )

    async def wait(self, asked: Asked | bytes | str, *, timeout: float | None = None) -> Answer:
        """The answer, once the request has one; `asked` may also be a request's id (32 bytes or 0x hex).

        Returns as soon as the answer is out: settled, or delivered with its proof to come (`answer.gap`).
        When nobody answers in time, this expires the request, so that the fee comes back.

        Raises RequestExpired, RequestRejected, UnknownRequest, BadAnswer; TimeoutError after `timeout`
        seconds, which leaves the request as it is.
        """
        async with asyncio.timeout(timeout):
            if not isinstance(asked, Asked):
                asked = await self.find(asked)
            chain = await self.connection()
            while True:
                await answered(chain, asked, self._poll)
                standing = await read_standing(chain, asked)
                if standing.answered:
                    return await read_answer(chain, asked, standing, self)

    async def find(self, request_id: bytes | str) -> Asked:
        """What was asked under an id, by anyone. Raises UnknownRequest, UnknownModel."""
        if isinstance(request_id, str):
            request_id = bytes.fromhex(request_id.removeprefix("0x"))
        return await find_asked(await self.connection(), request_id)

    async def end_of(self, asked: Asked) -> None:
        """Waits until a request is settled, as `answer.settled()` does.

        Raises RequestExpired, RequestRejected, UnknownRequest.
        """
        await end_of(await self.connection(), asked, self._poll)

    async def refresh(self, answer: Answer) -> Answer:
        """`answer.refresh()`."""
        return await read_again(await self.connection(), answer, self)

    async def settled(self, answer: Answer) -> Answer:
        """`answer.settled()`."""
        while True:
            await end_of(await self.connection(), answer.asked, self._poll, answer)
            final = await self.refresh(answer)
            # A reorganisation can undo an end between the two.
            if final.status is Status.SETTLED:
                return final

    # Money and leftovers

    async def expire(self, request: Request) -> Receipt:
        """Ends a request that nobody answered in time; its fee becomes credit. Raises Reverted."""
        chain = await self.connection()
        return await transact_late(chain, chain.hub.expire(request), "to send with")

    async def retry_callback(self, answer: Answer, callback_gas: int = 0) -> Receipt:
        """Runs a consumer's failed callback again. Raises Reverted (NothingToRetry, CallbackReverted)."""
        hub = (await self.connection()).hub
        call = hub.retry_callback(answer.request, answer.operator, answer.output_bytes, callback_gas)
        return await self._transact(call, "to send with")

    async def credit(self, token: str = NATIVE) -> int:
        """The account's credit in the hub, in token units."""
        return await (await self.connection()).hub.credit_of(self.address, token)

    async def deposit(self, amount: int, token: str = NATIVE) -> Receipt:
        """Adds credit; an ERC-20 token needs an allowance for the hub first.

        Raises Reverted, InsufficientFunds.
        """
        hub = (await self.connection()).hub
        return await self._transact(hub.deposit(amount, self.address, token), "to deposit from")

    async def withdraw(
        self, amount: int | None = None, token: str = NATIVE, to: str | None = None
    ) -> Receipt | None:
        """Pays credit out, all of it unless an amount is given; None if there is none. Raises Reverted."""
        hub = (await self.connection()).hub
        amount = await self.credit(token) if amount is None else amount
        if amount == 0:
            return None
        return await self._transact(hub.withdraw(amount, to or self.address, token), "to withdraw to")

    # Models and operators

    async def models(self) -> list[Published]:
        """Every published name."""
        return await (await self.connection()).models.listed()

    async def resolve(self, reference: str | bytes) -> bytes:
        """Model id of "name", "0xpublisher/name" or an id. Raises UnknownModel."""
        return await (await self.connection()).models.resolve(reference)

    async def manifest(self, reference: str | bytes) -> Manifest:
        """The manifest behind a name or id. Raises UnknownModel, BadManifest."""
        models = (await self.connection()).models
        return await models.manifest(await models.resolve(reference))

    async def offers(self, reference: str | bytes, token: str = NATIVE) -> list[Offer]:
        """Who offers a model, cheapest first. Raises UnknownModel."""
        chain = await self.connection()
        return await chain.operators.offers(await chain.models.resolve(reference), token)

    async def publish(self, manifest: Manifest, name: str | None = None) -> Published:
        """Publishes a manifest under a name of the account, unless it is there already. Raises Reverted."""
        chain = await self.connection()
        name, model_id = name or manifest.name, manifest.model_id
        made = Published(name, self.address, model_id, manifest)
        try:
            if await chain.registry.resolve(self.address, name) == model_id:
                return made
        except Reverted as refused:
            if refused.error.name != "UnknownName":
                raise
        receipt = await self._transact(chain.registry.publish(name, bytes(manifest)), "to publish with")
        return Published(name, self.address, model_id, manifest, receipt.gas_used)

    # Pull mode, and what answers ask

    async def ask_node(
        self,
        url: str,
        model: str | bytes,
        inputs: Inputs,
        *,
        consumer: str | None = None,
        bearer: str | None = None,
        **options: Unpack[Options],
    ) -> NodeAnswer:
        """Output, claim and seal straight from a node, checked here; the hub can verify them too.

        consumer: who will show them to the hub; default: the account. bearer: the node's token.
        Raises as `prepare`, and NodeRefused, NodeUnreachable, BadAnswer.
        """
        prepared = await self.prepare(model, inputs, consumer, **options)
        chain = await self.connection()
        return await ask_node(url, prepared, chain.chain_id, chain.hub.address, bearer)

    async def assurance_of(self, request_id: bytes) -> Assurance:
        """The hub's record of a request."""
        return await (await self.connection()).hub.assurance_of(request_id)

    async def _transact(self, call: Call, purpose: str) -> Receipt:
        chain = await self.connection()
        try:
            return await chain.sender(purpose).transact(call)
        except Unfunded as refused:
            balance = int(await chain.rpc.call("eth_getBalance", self.address, "latest"), 16)
            price = int(await chain.rpc.call("eth_gasPrice"), 16)
            raise InsufficientFunds(self.address, balance, call.value + 100_000 * price) from refused
