"""What a node is asked, and what it refuses before any model runs."""

from dataclasses import dataclass

from vouch.node.config import NodeConfig
from vouch.node.errors import InputMismatch, InputTooLarge, UnknownHub, UnsupportedRoute
from vouch.protocol.keccak import keccak
from vouch.protocol.request import Request


@dataclass(frozen=True, slots=True)
class Question:
    """Terms as a hub knows them, with the input they name."""

    chain_id: int
    hub: str
    terms: Request
    input: bytes

    @property
    def request_id(self) -> bytes:
        return self.terms.id(self.chain_id, self.hub)

    def check(self, config: NodeConfig, routes: tuple[bytes, ...]) -> None:
        """Raises UnknownHub, UnsupportedRoute, InputTooLarge, InputMismatch."""
        if config.hubs and (self.chain_id, self.hub) not in config.hubs:
            raise UnknownHub(self.chain_id, self.hub)
        if self.terms.route not in routes:
            raise UnsupportedRoute(self.terms.route, routes)
        if len(self.input) > config.max_input_bytes:
            raise InputTooLarge(len(self.input), config.max_input_bytes)
        if (received := keccak(self.input)) != self.terms.input_hash:
            raise InputMismatch(received, self.terms.input_hash)
