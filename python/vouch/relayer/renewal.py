"""When an enclave's key, whose certificates live for hours, is attested anew."""

from dataclasses import dataclass
from typing import Final

LIFE: Final = 3 * 3600
"""Seconds that AWS's leaf certificates live: what is expected until a document was seen."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """The earlier of two moments: `margin` seconds before the expiry, and when `fraction` of a life is left.

    Half of a life is always used first, or certificates with short lives would be renewed all the time.
    """

    margin: float
    fraction: float

    def due_at(self, expiry: int, life: int) -> int:
        """Unix seconds; `life` is how many seconds a fresh document's certificates are good for."""
        before = min(max(self.margin, self.fraction * life), life / 2)
        return expiry - round(before)


@dataclass(slots=True)
class Backoff:
    """Pauses in seconds that double from `first` to `most`, on a clock that the caller reads."""

    first: float
    most: float
    pause: float = 0.0
    until: float = 0.0

    def failed(self, now: float) -> None:
        """Another try in a while."""
        self.pause = min(max(2 * self.pause, self.first), self.most)
        self.until = now + self.pause

    def later(self, now: float, pause: float) -> None:
        """Nothing failed, but another try makes sense only after this pause."""
        self.pause, self.until = 0.0, now + pause

    def clear(self) -> None:
        """It worked, or it is about something else now."""
        self.pause = self.until = 0.0
