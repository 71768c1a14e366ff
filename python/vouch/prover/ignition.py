"""The canonical reference string: of the ceremony "Ignition", fetched from its public mirrors.

The mirrors hold one file of compressed points in chunks of 4 MiB, and the hash of each chunk is pinned here:
what comes is either the ceremony's string or refused.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from vouch.prover import bn254
from vouch.prover.errors import StringDamaged, StringTooShort, StringUnavailable
from vouch.prover.lock import Progress, alone_async, silent
from vouch.prover.srs import CANONICAL, ReferenceString, StringFiles

_COMPRESSED: Final = 32
_PART: Final = "chunk.part"
_ATTEMPTS: Final = 2
"""How often each mirror is asked for a chunk; each attempt goes on where the last one stopped."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the string comes from.

    mirrors: URLs of the file of compressed points.
    chunks: SHA-256 of its chunks in hex, from the first on.
    chunk_points: points in each of them.
    """

    mirrors: tuple[str, ...]
    chunks: tuple[str, ...]
    chunk_points: int

    @property
    def points(self) -> int:
        return len(self.chunks) * self.chunk_points


IGNITION: Final = Source(
    (
        "https://crs.aztec-cdn.foundation/g1_compressed.dat",
        "https://crs.aztec-labs.com/g1_compressed.dat",
    ),
    (
        "fad8203ae1fd103658d4bb33b2b4cf126a28352b5de4684737cff23cc15fb94b",
        "652de4632b48f5856eaa29ab88dc11a0c35fdb738f02fb87b7e9355cc0717436",
        "1bd8f89c08d1c5000e9dc6a4ecabcfa28b2417676f5700b520c9cf448979ef4c",
        "4a3d5598c4995247b20f8948fb57d4180f71a31182f67e0f3304afe1a0e1f904",
        "3ed6cef0be438d9dd5e5c90d0d381e27ded2dbccbe02f9073136da70a6fb84ea",
        "11032b437a436c1af221ce67af4bc0037c5be7f976bc7b39f77c3f140b0858d4",
        "f925cbcbd122b8a8890b04483cb92f9cb970ce7eb5e4008aa89ff106fbadffe3",
        "edf6b390165207e1c85bc7c4a7654465f7799715765e2161b67c68149f9e7e5f",
    ),
    131_072,
)


async def fetch_canonical(
    home: Path,
    points: int,
    progress: Progress = silent,
    *,
    source: Source = IGNITION,
    timeout: float = 60.0,
) -> ReferenceString:
    """The canonical string with at least so many points; fetched where they are not there, chunk by chunk.

    What was fetched once stays, also when it is stopped in the middle of a chunk.

    timeout: seconds that a mirror may be silent.

    Raises:
        StringUnavailable: no mirror gave the right bytes; the message has the reason for each.
        StringTooShort: more points than the pinned chunks have.
        StringDamaged: what lies in the folder is not what was fetched.
    """
    folder = home / CANONICAL
    if points > source.points:
        raise StringTooShort(folder, source.points, points)
    files = StringFiles(folder, CANONICAL)
    async with alone_async(home / f"{CANONICAL}.lock", progress):
        string = files.check()
        if string.points >= points:
            return string
        if string.points % source.chunk_points:
            raise StringDamaged(folder, f"{string.points} points are no whole number of chunks")
        limits = aiohttp.ClientTimeout(total=None, sock_connect=timeout, sock_read=timeout)
        async with aiohttp.ClientSession(timeout=limits) as session:
            while string.points < points:
                chunk = string.points // source.chunk_points
                progress(
                    f"canonical string: fetching chunk {chunk + 1} of {-(-points // source.chunk_points)}"
                )
                data = await _Chunk(session, folder, source, chunk).fetch()
                progress(f"canonical string: unpacking {source.chunk_points:,} points")
                string = files.append(await asyncio.to_thread(_points, data, folder))
                (folder / _PART).unlink()
        return string


class _Chunk:
    """One chunk on its way; what has come of it lies in a file."""

    def __init__(self, session: aiohttp.ClientSession, folder: Path, source: Source, index: int) -> None:
        self._session, self._source, self._index = session, source, index
        self._size = source.chunk_points * _COMPRESSED
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / _PART

    async def fetch(self) -> bytes:
        """Its bytes, with the right hash. Raises StringUnavailable."""
        reasons = []
        for mirror in self._source.mirrors * _ATTEMPTS:
            try:
                await self._continue(mirror)
            except (aiohttp.ClientError, TimeoutError, _Refused) as error:
                reasons.append(f"{mirror}: {str(error) or type(error).__name__}")
                continue
            data = self._path.read_bytes()
            received, expected = hashlib.sha256(data).hexdigest(), self._source.chunks[self._index]
            if received == expected:
                return data
            # Bytes of two mirrors may have met in it: begin anew.
            self._path.unlink()
            reasons.append(f"{mirror}: chunk {self._index} has SHA-256 {received}, expected {expected}")
        raise StringUnavailable(reasons)

    async def _continue(self, mirror: str) -> None:
        """Fetch what is missing. Raises _Refused and aiohttp's errors."""
        have = self._path.stat().st_size if self._path.exists() else 0
        if have > self._size:
            self._path.unlink()
            have = 0
        if have == self._size:
            return
        start = self._index * self._size
        wanted = {"Range": f"bytes={start + have}-{start + self._size - 1}", "Accept-Encoding": "identity"}
        async with self._session.get(mirror, headers=wanted) as response:
            if response.status != 206:
                raise _Refused(f"it answers {response.status} instead of the part asked for")
            with self._path.open("ab") as file:
                async for part in response.content.iter_any():
                    have += len(part)
                    if have > self._size:
                        raise _Refused("it sends more than was asked for")
                    file.write(part)
        if have < self._size:
            raise _Refused(f"it sent {have} of {self._size} bytes")


class _Refused(Exception):
    """A mirror's answer is of no use."""


def _points(data: bytes, folder: Path) -> Sequence[bn254.Point]:
    words = (int.from_bytes(data[at : at + _COMPRESSED], "big") for at in range(0, len(data), _COMPRESSED))
    try:
        return [bn254.decompress(word) for word in words]
    except ValueError as error:
        raise StringDamaged(folder, str(error)) from error
