"""Whether an operator's stake covers a delivery, without asking the chain each time."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from vouch.chain.blocks import BlockRef
from vouch.chain.contracts import NodeRegistry, Stake
from vouch.relayer.job import Job
from vouch.relayer.store import Store


@dataclass(frozen=True, slots=True)
class _Known:
    """What the registry said, when (monotonic seconds), and how far the chain was read then."""

    stake: Stake
    asked: float
    cursor: BlockRef | None


class Stakes:
    """Stakes less what own deliveries are about to lock; believed for `ttl` seconds, within one block.

    most: token units of a stake that may be locked at a time; None: all of it.
    """

    def __init__(self, registry: NodeRegistry, store: Store, ttl: float, most: int | None) -> None:
        self._registry, self._store, self._ttl, self._most = registry, store, ttl, most
        self._known: dict[tuple[str, str], _Known] = {}

    async def why_uncovered(self, job: Job, operator: str, queued: Callable[[], Iterable[Job]]) -> str:
        """Why the operator's stake is not enough for a delivery; empty if it is.

        `queued` gives the deliveries that are decided and not signed yet: it is asked last, since others are
        decided while the registry is asked. Raises RpcError, RpcUnavailable.
        """
        if job.at_stake == 0:
            return ""
        token = job.terms.token
        stake = await self._of(operator, token)
        under_way = {each.id: each for each in (*self._store.deliveries_under_way(), *queued())}
        under_way.pop(job.id, None)
        soon = sum(
            each.at_stake
            for each in under_way.values()
            if each.terms.token == token and each.answer is not None and each.answer.operator == operator
        )
        free = stake.free - soon
        if job.at_stake > free:
            return f"it takes {job.at_stake} of the stake of {operator}, {max(free, 0)} is free"
        if self._most is not None and stake.exposed + soon + job.at_stake > self._most:
            locked = stake.exposed + soon
            return (
                f"it takes {job.at_stake} beside the {locked} that is locked, at most {self._most} shall be"
            )
        return ""

    async def _of(self, operator: str, token: str) -> Stake:
        """Never older than the newest block that was read: what that locked is not under way any more."""
        key = (operator, token)
        while True:
            cursor, known = self._store.cursor(), self._known.get(key)
            if known and known.cursor == cursor and time.monotonic() - known.asked <= self._ttl:
                return known.stake
            asked = time.monotonic()
            stake = await self._registry.stake_of(operator, token)
            if len(self._known) > 10_000:  # anyone can ask for any token
                self._known.clear()
            self._known[key] = _Known(stake, asked, cursor)
            if self._store.cursor() == cursor:
                return stake
