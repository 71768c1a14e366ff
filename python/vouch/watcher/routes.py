"""Which routes are alive, remembered for a moment."""

import time

from vouch.chain.contracts import VerifierRouter


class Routes:
    """Liveness at most `ttl` seconds old; a tombstone is for ever."""

    def __init__(self, router: VerifierRouter, ttl: float = 2.0) -> None:
        self._router, self._ttl = router, ttl
        self._known: dict[tuple[bytes, bytes], tuple[float, bool]] = {}

    async def is_live(self, route: bytes, trust: bytes) -> bool:
        """Whether a seal for such terms can still be taken. Raises RpcUnavailable, RpcError."""
        known = self._known.get((route, trust))
        if known is not None and time.monotonic() - known[0] < self._ttl:
            return known[1]
        asked = time.monotonic()
        live = await self._router.can_verify(route, trust)
        if len(self._known) > 1000:  # terms may name anything
            self._known.clear()
        self._known[route, trust] = (asked, live)
        return live
