"""What is remembered of a job while it is looked after; nothing of it has to survive a restart."""

import asyncio
import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Watch:
    """Set `wake` to have the job looked at.

    due: chain time (unix seconds) after which to look again.
    alarm: chain time after which a proof that is not there yet is a danger.
    errand: a transaction of the job is queued or under way.
    proof_first: why it is not delivered before its proof is there; empty: not decided, or it is.
    said: the last reason that was stored.
    """

    wake: asyncio.Event = field(default_factory=asyncio.Event)
    due: int | None = None
    alarm: int | None = None
    errand: bool = False
    proof_first: str = ""
    said: str = ""
    _pause: float = 0.0
    _retry_at: float | None = None

    def news(self) -> None:
        """Something has happened to the job."""
        self._pause, self.alarm = 0.0, None
        self.wake.set()

    def retry(self, first: float, most: float) -> None:
        """To be looked at after a pause in seconds, which doubles each time."""
        self._pause = min(max(2 * self._pause, first), most)
        self._retry_at = time.monotonic() + self._pause

    def tick(self, now: int) -> None:
        """The chain was looked at, and it is this late there."""
        if self.due is not None and now > self.due:
            self.due = None
            self.wake.set()
        if self._retry_at is not None and time.monotonic() >= self._retry_at:
            self._retry_at = None
            self.wake.set()
