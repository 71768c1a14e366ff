"""What a watcher says: one line per judged answer, and one for everything it does or would do."""

from collections import Counter
from collections.abc import Callable, Container
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Kind(StrEnum):
    """What a line is about."""

    SAME = "same"
    """The delivered output is ours, or within the manifest's tolerance of it."""
    CLOSE = "close"
    """It differs by no more than the slack that the operator of the watcher allows; never challenged."""
    DIFFERENT = "different"
    """It is not what the model says."""
    UNJUDGED = "unjudged"
    """There is nothing to compare it with; never challenged."""
    CHALLENGE = "challenge"
    REJECT = "reject"
    EXPIRE = "expire"
    SETTLE = "settle"
    REPORT = "report"
    """The five things it does; the text says whether it did, would do, or leaves it."""
    WON = "won"
    LOST = "lost"
    """How a challenge of ours ended."""
    BEATEN = "beaten"
    """Somebody else did it first, and nothing but gas can be lost."""
    GONE = "gone"
    """A fork took back what was judged."""
    TROUBLE = "trouble"
    """Something stands in the way that a person may have to look at."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. `text` holds no control characters."""

    kind: Kind
    request: bytes
    text: str


Say: TypeAlias = Callable[[Finding], None]


class Teller:
    """Says things once: the same line about the same request is not repeated."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._last: dict[bytes, dict[Kind, str]] = {}
        self.counts: Counter[Kind] = Counter()
        """Lines so far, by kind."""

    def tell(self, kind: Kind, request: bytes, text: str) -> None:
        """One line, unless it was the last of its kind about this request."""
        said = self._last.setdefault(request, {})
        if said.get(kind) != text:
            said[kind] = text
            self.counts[kind] += 1
            self._say(Finding(kind, request, text))

    def forget(self, request: bytes) -> None:
        """What was said about a request does not count any more."""
        self._last.pop(request, None)

    def tidy(self, keep: Container[bytes]) -> None:
        """Forgets all requests that are not in `keep`."""
        for request in [request for request in self._last if request not in keep]:
            del self._last[request]
