"""What time it is on the chain."""

import time
from collections import deque
from statistics import median

_KEPT = 15
"""Times between blocks that are remembered; odd, so that the median is one of them."""


class ChainClock:
    """Unix seconds as the next block will see them, from the newest block's time and our own clocks."""

    def __init__(self) -> None:
        self._time, self._seen = 0, time.monotonic()
        self._between: deque[int] = deque(maxlen=_KEPT)

    def observe(self, block_time: int) -> None:
        """Takes in the time of the newest block."""
        if block_time != self._time:
            if 0 < self._time < block_time:
                self._between.append(block_time - self._time)
            self._time, self._seen = block_time, time.monotonic()

    def at_least(self) -> int:
        """Certainly this late; a deadline before it has passed."""
        return self._time + int(time.monotonic() - self._seen)

    def probably(self) -> int:
        """A quiet chain's newest block may be old, and then our own clock is the better guess."""
        return max(self.at_least(), int(time.time()))

    @property
    def newest(self) -> int:
        """Time of the newest block; the next one's is later."""
        return self._time

    @property
    def block_time(self) -> float | None:
        """Seconds from one block to the next, typically; None before the second one was seen."""
        return median(self._between) if self._between else None

    @property
    def quiet_for(self) -> float:
        """Seconds without a new block."""
        return time.monotonic() - self._seen
