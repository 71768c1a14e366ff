"""Which routes of delivered results were tombstoned: no proof can come on them any more, and none is owed."""

import logging

from vouch.chain.contracts import VerifierRouter
from vouch.chain.errors import ChainError

_log = logging.getLogger(__name__)


class Routes:
    """Asked about from time to time; what a transaction's simulation says counts at once."""

    def __init__(self, router: VerifierRouter, *watched: bytes) -> None:
        self._router, self._watched = router, watched
        self._dead: set[bytes] = set()

    def is_dead(self, route: bytes) -> bool:
        return route in self._dead

    def set_dead(self, route: bytes, *, dead: bool) -> None:
        """What a simulation said."""
        (self._dead.add if dead else self._dead.discard)(route)

    async def look(self) -> bool:
        """Asks the router about the watched routes; True if something changed."""
        before = frozenset(self._dead)
        for route in self._watched:
            try:
                self.set_dead(route, dead=not await self._router.is_live(route))
            except ChainError as error:
                _log.warning("whether a route is live is not known: %s", error)
        return before != self._dead
