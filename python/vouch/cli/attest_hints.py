"""The hints of a document, kept in a file while they are made: the next run goes on from there."""

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from vouch.attestation.document import Document
from vouch.attestation.errors import NotTrusted
from vouch.attestation.evidence import signatures
from vouch.attestation.p384 import Signed, prove, verify
from vouch.attestation.p384.errors import NoSuchPoint, Refused
from vouch.chain.hexes import to_hex
from vouch.cli.attest_input import unhex
from vouch.protocol.errors import VouchError

FORMAT = 1
Progress = Callable[[str], None]


class BadHints(VouchError):
    """A file of hints cannot be read as one."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} is no file of hints ({why}): remove it, or write to another one")


@dataclass(slots=True)
class HintBook:
    """Hints of a document's signatures: those of the certificates after the root, then the document's own.

    They are made when they are asked for, unless they are there. With a `path` each is written at once.
    """

    document: Document
    signatures: tuple[Signed, ...]
    progress: Progress
    path: Path | None = None
    made: dict[int, bytes] = field(default_factory=dict)

    @classmethod
    def open(cls, document: Document, progress: Progress, path: Path | None = None) -> Self:
        """With the hints of the file, if there is one, that fit the document's signatures.

        Raises BadHints, NotACertificate.
        """
        book = cls(document, signatures(document), progress, path)
        for index, hint in enumerate(_saved(path), start=1):
            if index <= book.count and _fits(book.signatures[index - 1], hint):
                book.made[index] = hint
        if book.made:
            progress(f"{len(book.made)} of {book.count} hints are in {path} already")
        return book

    @property
    def count(self) -> int:
        """How many signatures there are; the last one is the document's."""
        return len(self.signatures)

    def name(self, index: int) -> str:
        """What the signature number `index`, from 1 on, is of."""
        return "the document" if index == self.count else f"certificate {index} of {self.count - 1}"

    async def hint(self, index: int) -> bytes:
        """Raises NotTrusted (WrongSignature) if there is nothing to give hints for."""
        if index not in self.made:
            try:
                # Half a second of arithmetic each.
                self.made[index] = await asyncio.to_thread(prove, self.signatures[index - 1])
            except NoSuchPoint as failure:
                raise NotTrusted("WrongSignature", index) from failure
            self._save()
            self.progress(f"hints made for {self.name(index)}: {len(self.made[index]):,} bytes")
        return self.made[index]

    async def hints(self, skip: int = 0) -> list[bytes]:
        """All, as the contracts want them; the first `skip` are empty. Raises as `hint`."""
        return [b""] * skip + [await self.hint(index) for index in range(skip + 1, self.count + 1)]

    def _save(self) -> None:
        if self.path is None:
            return
        hints = [to_hex(self.made.get(index, b"")) for index in range(1, self.count + 1)]
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        draft.write_text(json.dumps({"format": FORMAT, "hints": hints}, indent=1) + "\n")
        draft.replace(self.path)


def _saved(path: Path | None) -> list[bytes]:
    if path is None:
        return []
    try:
        found: Any = json.loads(path.read_text())
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as failure:
        raise BadHints(path, str(failure)) from failure
    if (
        not isinstance(found, dict)
        or found.get("format") != FORMAT
        or not isinstance(found.get("hints"), list)
    ):
        raise BadHints(path, f"it has no hints of format {FORMAT}")
    hints = [unhex(text) if isinstance(text, str) else None for text in found["hints"]]
    if None in hints:
        raise BadHints(path, "its hints are not all hex")
    return [hint or b"" for hint in hints]


def _fits(signed: Signed, hint: bytes) -> bool:
    try:
        verify(signed, hint)
    except Refused:
        return False
    return True
