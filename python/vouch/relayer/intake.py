"""What a follower reads goes into the store; the jobs that it makes or changes come out here."""

from collections.abc import Sequence

from vouch.chain.blocks import BlockRef
from vouch.chain.events import HubLog
from vouch.relayer.errors import ReorganisedTooDeep
from vouch.relayer.job import Job
from vouch.relayer.store import Store


class Intake:
    """The store as a follower's ledger: cursor and everything read up to it, one transaction per step."""

    def __init__(self, store: Store, keep_blocks: int) -> None:
        self._store, self._keep = store, keep_blocks
        self._work: dict[bytes, Job] = {}

    def work(self) -> list[Job]:
        """The jobs that need work since the last call; not those that have come to nothing meanwhile."""
        jobs, self._work = self._work, {}
        ended = {job for job in jobs if self._store.status(job).ended}
        return [job for job in jobs.values() if job.status.ended or job.id not in ended]

    def recent_blocks(self) -> list[BlockRef]:
        """As the store remembers them."""
        return self._store.recent_blocks()

    def take(self, blocks: Sequence[BlockRef], logs: Sequence[HubLog]) -> None:
        """Takes in the next blocks."""
        self._add(self._store.advance(blocks, logs, self._keep))

    def rewind(self, fork: BlockRef | None) -> None:
        """Undoes what came after `fork`. Raises ReorganisedTooDeep if that is None: the store cannot."""
        if fork is None:
            raise ReorganisedTooDeep(self._store.recent_blocks()[-1].number)
        self._add(self._store.rewind(fork.number))

    def _add(self, jobs: list[Job]) -> None:
        self._work |= {job.id: job for job in jobs}
