"""Fees of requests that named us and got no answer go back once deliverBy has passed."""

import asyncio

from vouch.chain.clock import ChainClock
from vouch.chain.errors import RpcError
from vouch.relayer.errands import Errand, Refusal, name_of
from vouch.relayer.job import TxKind
from vouch.relayer.sender import Sender
from vouch.relayer.store import Store


class Refunds:
    """Looks for them every `pause` seconds."""

    def __init__(self, store: Store, sender: Sender, clock: ChainClock, pause: float) -> None:
        self._store, self._sender, self._clock, self._pause = store, sender, clock, pause

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            for job in self._store.refundable(self._clock.probably()):
                self._sender.errand(Errand(TxKind.EXPIRE, job, self._refused))
            await asyncio.sleep(self._pause)

    def _refused(self, errand: Errand, refusal: Refusal) -> None:
        # It ended already and its log comes, or the chain's clock is behind ours.
        job = errand.job
        passing = isinstance(refusal, RpcError) or name_of(refusal) in ("WrongStatus", "DeliverByNotPassed")
        if not passing and "no refund" not in job.reason:
            self._store.move(job.id, job.status, f"{job.reason}; no refund: {refusal}")
