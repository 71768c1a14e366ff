"""How a prover service is: whether it takes tasks, and whether it gets them proven."""

from typing import Any

from vouch.prover.service.errors import StoreUnavailable
from vouch.prover.service.queue import ProofQueue
from vouch.prover.service.store import Store


class Health:
    """Of one queue and its store."""

    def __init__(self, queue: ProofQueue, store: Store) -> None:
        self._queue, self._store = queue, store

    def report(self) -> dict[str, Any]:
        """JSON-ready; `ok` is false while the database cannot be written or no process can be started."""
        tasks: dict[str, int] = {}
        trouble = self._queue.store_trouble
        try:
            self._store.check_writable()
            tasks = {str(state): count for state, count in self._queue.counts().items()}
        except StoreUnavailable as error:
            trouble = str(error)
        workers = self._queue.pool_trouble
        return {"ok": not (trouble or workers), "database": trouble, "workers": workers, "tasks": tasks}
