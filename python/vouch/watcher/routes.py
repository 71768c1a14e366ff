"""Which routes are alive, remembered for a moment."""

import time

from vouch.chain.contracts import VerifierRouter


class Routes:
    """Liveness at most `ttl` seconds old; a tombstone is for ever."""

    def __init__(self, router: VerifierRouter, ttl: float = 2.0) -> None:
        self._router, self._ttl = router, ttl
        self._known: dict[bytes, tuple[float, bool]] = {}

    async def is_live(self, route: bytes) -> bool:
        """Raises RpcUnavailable, RpcError."""
        known = self._known.get(route)
        if known is not None and time.monotonic() - known[0] < self._ttl:
            return known[1]
        asked = time.monotonic()
        live = await self._router.is_live(route)
        if len(self._known) > 1000:  # terms may name any four letters
            self._known.clear()
        self._known[route] = (asked, live)
        return live
