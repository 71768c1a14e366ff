"""What can go wrong while watching, beside the chain's and the runtimes' own errors."""

from pathlib import Path

from vouch.protocol.errors import VouchError


class ForeignDatabase(VouchError):
    """The database was written for another chain, hub, account or program version."""

    def __init__(self, path: Path, received: str, expected: str) -> None:
        self.path, self.received, self.expected = path, received, expected
        super().__init__(
            f"{path} belongs to {received}, not to {expected}: name another database, or move this one away"
        )


class NotNow(VouchError):
    """Something could not be done this time, and may work later: nothing follows from it."""


class CannotJudge(VouchError):
    """An answer cannot be compared with one of ours, now or later; the message says why."""


class NoModels(VouchError):
    """A file or folder that was named holds no model."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{path} {reason}: name an .onnx file, or a folder with some")
