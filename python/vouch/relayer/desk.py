"""What is common to everything that looks after answers without a seal."""

import logging

from vouch.chain.clock import ChainClock
from vouch.relayer.config import Patience
from vouch.relayer.errands import Errand, Refused
from vouch.relayer.job import Job, TxKind
from vouch.relayer.sender import Sender
from vouch.relayer.store import Store
from vouch.relayer.watch import Watch

_log = logging.getLogger(__name__)


class Desk:
    """Words for the store and for people, errands for the sender, and what time it is."""

    def __init__(self, store: Store, sender: Sender, clock: ChainClock, patience: Patience) -> None:
        self.store, self.sender, self.clock, self._patience = store, sender, clock, patience
        self.risks: dict[bytes, str] = {}
        """By request, why stake may be lost."""

    def now(self) -> int:
        """Chain time; while the chain makes no blocks, or none was read yet, that of the next one."""
        quiet = self.clock.newest == 0 or self.clock.quiet_for > self._patience.quiet
        return self.clock.probably() if quiet else self.clock.newest

    def say(self, job: Job, watch: Watch, reason: str) -> None:
        """Stores what the job waits for, once."""
        if watch.said != reason:
            watch.said = reason
            self.store.note(job.id, job.status, reason)

    def risk(self, job: Job, watch: Watch, why: str) -> None:
        """Says loudly that the operator may lose stake."""
        if self.risks.get(job.id) != why:
            self.risks[job.id] = why
            _log.warning(
                "request 0x%s: %d token units of stake are at risk: %s", job.id.hex(), job.at_stake, why
            )
            self.say(job, watch, f"stake at risk: {why}")

    def send(self, kind: TxKind, job: Job, watch: Watch, refused: Refused, *, ahead: bool = False) -> None:
        """`refused` is told if the newest state does not take the transaction."""
        watch.errand = True
        self.sender.errand(Errand(kind, job, refused, ahead))

    def retry(self, watch: Watch) -> None:
        """Looks again after a pause, which grows."""
        watch.retry(self._patience.retry_first, self._patience.retry_most)
