"""A devnet as the scenes of a demo see it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from vouch.chain.contracts import Hub, NodeRegistry
from vouch.chain.sender import TxSender
from vouch.cli.devnet import Devnet
from vouch.protocol.status import Status


@dataclass(frozen=True, slots=True)
class Played(ABC):
    """The running net, and who has money in it."""

    net: Devnet

    @property
    @abstractmethod
    def parties(self) -> Mapping[str, str]:
        """Everybody who has money in the scenes: addresses by name."""

    @property
    def hub(self) -> Hub:
        return Hub(self.net.rpc, self.net.deployment.hub)

    @property
    def nodes(self) -> NodeRegistry:
        return NodeRegistry(self.net.rpc, self.net.deployment.nodes)

    def sender(self, account: str) -> TxSender:
        return TxSender(self.net.rpc, self.net.accounts[account])

    async def now(self) -> int:
        """Time of the newest block, unix seconds."""
        return int((await self.net.rpc.call("eth_getBlockByNumber", "latest", False))["timestamp"], 16)

    async def has(self, request: bytes, status: Status) -> bool:
        """Whether a request stands there now."""
        return await self.hub.status_of(request) is status
