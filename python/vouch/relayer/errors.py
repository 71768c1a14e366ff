"""What can go wrong on the way from a request to its answer."""

from pathlib import Path

from vouch.protocol.errors import VouchError


class Refused(VouchError):
    """The relayer does not take the request; `name` is what the store and `vouch status` show first."""

    def __init__(self, name: str, detail: str) -> None:
        self.name, self.detail = name, detail
        super().__init__(f"{name}: {detail}")


class NotYet(VouchError):
    """Something that a decision needs cannot be reached now."""


class NodeUnavailable(VouchError):
    """A node gave no answer this time: try again, or ask another."""

    def __init__(self, url: str, reason: str) -> None:
        self.url, self.reason = url, reason
        super().__init__(f"node {url}: {reason}")


class NodeRefused(VouchError):
    """A node will never answer this request; another one may."""

    def __init__(self, url: str, name: str, message: str) -> None:
        self.url, self.name, self.message = url, name, message
        super().__init__(f"node {url} refused: {name}: {message}")


class WrongNodeAnswer(VouchError):
    """A node's answer belongs to another request, or its operator did not sign it; no gas is spent on it."""

    def __init__(self, url: str, field: str, received: str, expected: str) -> None:
        self.url, self.field, self.received, self.expected = url, field, received, expected
        super().__init__(f"node {url}: {field} is {received}, not {expected}")


class UselessDocument(VouchError):
    """The chain would not let a key in with this attestation document: no gas is spent on it."""

    def __init__(self, url: str, reason: str) -> None:
        self.url, self.reason = url, reason
        super().__init__(f"node {url}: its attestation document is of no use: {reason}")


class NothingNew(VouchError):
    """A fresh document's certificates end when those on chain do; times in unix seconds."""

    def __init__(self, url: str, expiry: int, life: int) -> None:
        self.url, self.expiry, self.life = url, expiry, life
        super().__init__(f"node {url}: its enclave's certificates still end at {expiry}")


class ReorganisedTooDeep(VouchError):
    """The chain replaced more blocks than are remembered."""

    def __init__(self, oldest: int) -> None:
        self.oldest = oldest
        super().__init__(
            f"no block since {oldest} is left on the chain: raise keep_blocks, or start a new database"
        )


class ForeignDatabase(VouchError):
    """The database was written for another chain, hub or program version."""

    def __init__(self, path: Path, received: str, expected: str) -> None:
        self.path, self.received, self.expected = path, received, expected
        super().__init__(
            f"{path} belongs to {received}, not to {expected}: name another database, or move this one away"
        )


class OldDatabase(VouchError):
    """An older program wrote the database, and a reader may not change it."""

    def __init__(self, path: Path, received: int, expected: int) -> None:
        self.path, self.received, self.expected = path, received, expected
        super().__init__(
            f"{path} has schema version {received}, not {expected}: "
            "start `vouch relayer` on it once, which brings it up to date and loses nothing"
        )
