"""The file behind a model, and whether it is still the one that the manifest names."""

import hashlib
import threading
from pathlib import Path
from typing import Self

from vouch.protocol.manifest import Manifest
from vouch.runtimes.base import ArtefactChanged, ArtefactUnreadable


class ArtefactFile:
    """Looked at before each use, by a stat and a hash only if that differs: a swap is noticed at once.

    signature: what `stat` says of the very bytes that were loaded; found: their SHA-256.
    """

    def __init__(self, path: Path, manifest: Manifest, signature: tuple[int, int, int], found: str) -> None:
        self.path, self._signature, self._found = path, signature, found
        self._expected = manifest.artefact.sha256 or "no file"
        self._checking = threading.Lock()

    @classmethod
    def load(cls, path: Path, manifest: Manifest) -> tuple[Self, bytes]:
        """The file and the bytes whose hash was checked. Raises ArtefactUnreadable, ArtefactChanged."""
        try:
            signature = _stat(path)
            data = path.read_bytes()
        except OSError as error:
            raise ArtefactUnreadable(path, error.strerror or str(error)) from error
        file = cls(path, manifest, signature, hashlib.sha256(data).hexdigest())
        file._compare()
        return file, data

    def verify(self) -> None:
        """Raises ArtefactUnreadable, ArtefactChanged."""
        with self._checking:
            try:
                if (now := _stat(self.path)) != self._signature:
                    with self.path.open("rb") as file:
                        self._found = hashlib.file_digest(file, "sha256").hexdigest()
                    self._signature = now
            except OSError as error:
                raise ArtefactUnreadable(self.path, error.strerror or str(error)) from error
            self._compare()

    def _compare(self) -> None:
        if self._found != self._expected:
            raise ArtefactChanged(str(self.path), self._found, self._expected)


def _stat(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino
