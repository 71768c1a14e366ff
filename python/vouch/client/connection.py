"""One open connection to a deployment: what every call of the client goes through."""

import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from vouch.chain.account import LocalKey
from vouch.chain.contracts import Hub, ModelRegistry, NodeRegistry, VerifierRouter
from vouch.chain.deployment import Deployment, load
from vouch.chain.errors import RpcError
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.client.errors import NoAccount
from vouch.client.models import Models
from vouch.client.operators import Operators


@dataclass(frozen=True, slots=True)
class Connection:
    """Views of one deployment, and the sender if there is an account."""

    rpc: Rpc
    deployment: Deployment
    hub: Hub
    router: VerifierRouter
    models: Models
    registry: ModelRegistry
    operators: Operators
    key: LocalKey | None
    _sender: TxSender | None

    @property
    def chain_id(self) -> int:
        return self.deployment.chain_id

    def sender(self, purpose: str) -> TxSender:
        """Raises NoAccount."""
        if self._sender is None:
            raise NoAccount(purpose)
        return self._sender

    async def time(self, block: int | None = None) -> int:
        """Timestamp of a block, by default of the newest, unix seconds."""
        number = "latest" if block is None else hex(block)
        return int((await self.rpc.call("eth_getBlockByNumber", number, False))["timestamp"], 16)

    async def now(self) -> int:
        """Unix seconds of a block made now: a development chain's newest one may be old, or warped."""
        try:
            pending = await self.rpc.call("eth_getBlockByNumber", "pending", False)
        except RpcError:
            pending = None
        if pending is not None:
            return int(pending["timestamp"], 16)
        # Not every provider shows that block; a public chain has a fresh newest one, and a true clock.
        return max(await self.time(), int(time.time()))


async def connect(
    stack: AsyncExitStack,
    rpc: str | Rpc,
    key: LocalKey | None,
    deployment: Deployment | None,
    folder: Path | None,
) -> Connection:
    """Opens what is not open yet; `stack` closes it.

    Raises NoDeployment, BadDeployment or StaleDeployment, RpcUnavailable.
    """
    if isinstance(rpc, str):
        rpc = await stack.enter_async_context(Rpc(rpc))
    if deployment is None:
        deployment = await load(rpc, folder)
    registry = ModelRegistry(rpc, deployment.models)
    return Connection(
        rpc=rpc,
        deployment=deployment,
        hub=Hub(rpc, deployment.hub),
        router=VerifierRouter(rpc, deployment.router),
        models=Models(rpc, registry, deployment.publisher, deployment.block),
        registry=registry,
        operators=Operators(rpc, NodeRegistry(rpc, deployment.nodes), deployment.block),
        key=key,
        _sender=None if key is None else TxSender(rpc, key, chain_id=deployment.chain_id),
    )
