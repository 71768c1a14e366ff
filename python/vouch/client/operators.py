"""Who offers a model, and at what price."""

import asyncio
from dataclasses import dataclass

from vouch.chain.contracts import NodeRegistry
from vouch.chain.events import TypedLog, get_logs
from vouch.chain.rpc import Rpc
from vouch.client.errors import NoOperator


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSetLog(TypedLog):
    """An operator offered a model, or changed its price."""

    SOURCE = ("NodeRegistry", "PriceSet")
    operator: str
    modelId: bytes  # noqa: N815 - named as in the ABI
    token: str
    base: int
    perCallbackGas: int  # noqa: N815


@dataclass(frozen=True, slots=True)
class Offer:
    """What an operator asks, in token units: per request, and per unit of callback gas.

    free_stake: how much it can lock for answers that are not proven yet, in token units. An operator without
    enough for a request's exposure + bond brings answer and proof at the same time.
    """

    operator: str
    endpoint: str
    base: int
    per_callback_gas: int
    free_stake: int

    def fee(self, callback_gas: int) -> int:
        """Price of one request; callback_gas: of all its callbacks (`Request.callbacks`) together."""
        return self.base + self.per_callback_gas * callback_gas


class Operators:
    """The node registry as a client sees it."""

    def __init__(self, rpc: Rpc, registry: NodeRegistry, first_block: int) -> None:
        self._rpc, self._registry, self._first_block = rpc, registry, first_block

    async def offers(self, model_id: bytes, token: str) -> list[Offer]:
        """Offers of all operators that are registered now, cheapest base price first."""
        last = int(await self._rpc.call("eth_blockNumber"), 16)
        logs = await get_logs(self._rpc, self._registry.address, self._first_block, last, (PriceSetLog,))
        names = {
            log.operator: None
            for log in logs
            if isinstance(log, PriceSetLog) and log.modelId == model_id and log.token == token
        }
        found = await asyncio.gather(*(self._offer(operator, model_id, token) for operator in names))
        return sorted(
            (o for o in found if o is not None), key=lambda o: (o.base, o.per_callback_gas, o.operator)
        )

    async def cheapest(self, model_id: bytes, token: str, callback_gas: int, stake: int = 0) -> Offer:
        """The offer with the lowest fee for a request, of those with so much free stake if there is one.

        Raises NoOperator.
        """
        offers = await self.offers(model_id, token)
        if not offers:
            raise NoOperator(model_id, token)
        return min(offers, key=lambda offer: (offer.free_stake < stake, offer.fee(callback_gas)))

    async def _offer(self, operator: str, model_id: bytes, token: str) -> Offer | None:
        node, price, stake = await asyncio.gather(
            self._registry.node_of(operator),
            self._registry.price_of(operator, model_id, token),
            self._registry.free_stake_of(operator, token),
        )
        if not node.since or not price.offered:
            return None
        return Offer(operator, node.endpoint, price.base, price.per_callback_gas, stake)
