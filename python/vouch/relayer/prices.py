"""Prices from the node registry, remembered for a while."""

import time

from vouch.chain.contracts import NodeRegistry, Price


class Prices:
    """What operators ask, at most `ttl` seconds old."""

    def __init__(self, registry: NodeRegistry, ttl: float) -> None:
        self._registry, self._ttl = registry, ttl
        self._known: dict[tuple[str, bytes, str], tuple[float, Price]] = {}

    async def of(self, operator: str, model_id: bytes, token: str, *, max_age: float | None = None) -> Price:
        """An operator's offer, at most `max_age` seconds old if given.

        Raises RpcError, RpcUnavailable.
        """
        key = (operator, model_id, token)
        age = self._ttl if max_age is None else max_age
        if (known := self._known.get(key)) is not None and time.monotonic() - known[0] <= age:
            return known[1]
        asked = time.monotonic()
        price = await self._registry.price_of(operator, model_id, token)
        if len(self._known) > 10_000:  # anyone can ask for any token
            self._known.clear()
        self._known[key] = (asked, price)
        return price
