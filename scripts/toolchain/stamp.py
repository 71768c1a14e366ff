"""Stamps: small files that say "this step was finished, with exactly these inputs"."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.toolchain import paths


def digest(*inputs: str | Path) -> str:
    """Hash of texts and of the contents of files, in order; a missing file counts as its own value.

    The checkout's place is part of it: a virtual environment does not survive being moved.
    """
    state = hashlib.sha256(str(paths.ROOT).encode())
    for item in inputs:
        if isinstance(item, Path):
            content = item.read_bytes() if item.is_file() else b"\0missing"
            state.update(b"\0file\0" + item.name.encode() + b"\0" + hashlib.sha256(content).digest())
        else:
            state.update(b"\0text\0" + item.encode())
    return state.hexdigest()


@dataclass(frozen=True, slots=True)
class Stamp:
    """The record of one finished step, at `folder/name`."""

    name: str
    folder: Path = paths.STAMPS

    @property
    def path(self) -> Path:
        return self.folder / self.name

    def read(self) -> str | None:
        """The digest of the last finished run, or None when it never finished."""
        try:
            return self.path.read_text().strip()
        except FileNotFoundError:
            return None

    @contextmanager
    def redo(self, wanted: str) -> Iterator[None]:
        """Drop the stamp, run the body, and write `wanted` only if the body came to its end."""
        self.path.unlink(missing_ok=True)
        yield
        self.write(wanted)

    def write(self, value: str) -> None:
        """Write atomically: a reader sees the old stamp or the new one, never half of one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        fresh.write_text(value + "\n")
        fresh.replace(self.path)
