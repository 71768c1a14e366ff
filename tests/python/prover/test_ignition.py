import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from tests.support.server import listening
from vouch.prover import bn254, srs
from vouch.prover.errors import StringTooShort, StringUnavailable
from vouch.prover.ignition import IGNITION, Source, fetch_canonical
from vouch.prover.lock import alone
from vouch.prover.srs import CANONICAL, G1_FILE, ReferenceString

CHUNK = 64
"""Points in a chunk here; the real ones have 131,072."""
SIZE = CHUNK * 32
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture(scope="module")
def points(string: ReferenceString) -> bytes:
    """Three chunks of points as the disk has them."""
    return (string.folder / G1_FILE).read_bytes()[: 3 * CHUNK * 64]


@pytest.fixture(scope="module")
def compressed(points: bytes) -> bytes:
    """The same as the mirrors have them."""
    words = [int.from_bytes(points[at : at + 32], "big") for at in range(0, len(points), 32)]
    pairs = zip(words[::2], words[1::2], strict=True)
    return b"".join(bn254.compress(pair).to_bytes(32, "big") for pair in pairs)


class Mirror:
    """A file that is served in parts; `faults` are used up one a request."""

    def __init__(self, data: bytes) -> None:
        self.data, self.ranges = data, list[str]()
        self.faults: list[Answer] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.ranges.append(request.headers["Range"])
        if self.faults:
            return await self.faults.pop(0)(request)
        part = request.http_range
        return web.Response(status=206, body=self.data[part.start : part.stop])

    async def cut(self, request: web.Request) -> web.StreamResponse:
        """Half of what was asked for, then the connection breaks."""
        part = request.http_range
        response = web.StreamResponse(status=206, headers={"Content-Length": str(part.stop - part.start)})
        await response.prepare(request)
        await response.write(self.data[part.start : (part.start + part.stop) // 2])
        assert request.transport is not None
        request.transport.close()
        return response

    async def wrong(self, request: web.Request) -> web.StreamResponse:
        """One bit of it changed."""
        part = request.http_range
        body = bytearray(self.data[part.start : part.stop])
        body[-1] ^= 1
        return web.Response(status=206, body=bytes(body))

    async def whole(self, request: web.Request) -> web.StreamResponse:
        return web.Response(body=self.data)

    async def more(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=206, body=self.data)

    async def less(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=206, body=self.data[:7])

    async def silent(self, request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        raise AssertionError("nobody waits that long")


@asynccontextmanager
async def served(*mirrors: Mirror) -> AsyncIterator[Source]:
    app = web.Application()
    for index, mirror in enumerate(mirrors):
        app.router.add_get(f"/{index}", mirror.answer)
    data = mirrors[0].data
    hashes = tuple(hashlib.sha256(data[at : at + SIZE]).hexdigest() for at in range(0, len(data), SIZE))
    async with listening(app) as url:
        yield Source(tuple(f"{url}/{index}" for index in range(len(mirrors))), hashes, CHUNK)


async def test_what_comes_is_the_string(tmp_path: Path, compressed: bytes, points: bytes) -> None:
    async with served(Mirror(compressed)) as source:
        string = await fetch_canonical(tmp_path, 2 * CHUNK, source=source)
    assert (string.folder / G1_FILE).read_bytes() == points[: 2 * CHUNK * 64]
    assert (string.points, string.name) == (2 * CHUNK, "aztec-ignition")
    assert srs.open(tmp_path, CANONICAL) == string
    assert string.g2 == srs.g2_of(CANONICAL)


async def test_only_what_is_missing_is_fetched(tmp_path: Path, compressed: bytes, points: bytes) -> None:
    mirror = Mirror(compressed)
    async with served(mirror) as source:
        await fetch_canonical(tmp_path, 1, source=source)
        await fetch_canonical(tmp_path, CHUNK, source=source)
        assert mirror.ranges == [f"bytes=0-{SIZE - 1}"]
        string = await fetch_canonical(tmp_path, 3 * CHUNK, source=source)
    assert mirror.ranges[1:] == [f"bytes={SIZE}-{2 * SIZE - 1}", f"bytes={2 * SIZE}-{3 * SIZE - 1}"]
    assert (string.folder / G1_FILE).read_bytes() == points


async def test_a_cut_connection_goes_on_where_it_was(
    tmp_path: Path, compressed: bytes, points: bytes
) -> None:
    mirror = Mirror(compressed)
    mirror.faults = [mirror.cut]
    async with served(mirror) as source:
        string = await fetch_canonical(tmp_path, CHUNK, source=source)
    assert mirror.ranges == [f"bytes=0-{SIZE - 1}", f"bytes={SIZE // 2}-{SIZE - 1}"]
    assert (string.folder / G1_FILE).read_bytes() == points[: CHUNK * 64]


async def test_a_later_run_goes_on_where_the_last_one_was(
    tmp_path: Path, compressed: bytes, points: bytes
) -> None:
    mirror = Mirror(compressed)
    mirror.faults = [mirror.cut, mirror.cut]
    async with served(mirror) as source:
        with pytest.raises(StringUnavailable, match="run the same again"):
            await fetch_canonical(tmp_path, CHUNK, source=source)
        string = await fetch_canonical(tmp_path, CHUNK, source=source)
    assert mirror.ranges[-1] == f"bytes={SIZE * 3 // 4}-{SIZE - 1}"
    assert (string.folder / G1_FILE).read_bytes() == points[: CHUNK * 64]


async def test_a_corrupted_chunk_is_thrown_away(tmp_path: Path, compressed: bytes, points: bytes) -> None:
    bad, good = Mirror(compressed), Mirror(compressed)
    bad.faults = [bad.wrong]
    async with served(bad, good) as source:
        string = await fetch_canonical(tmp_path, CHUNK, source=source)
    assert good.ranges == [f"bytes=0-{SIZE - 1}"]
    assert (string.folder / G1_FILE).read_bytes() == points[: CHUNK * 64]


async def test_mirrors_that_all_lie_are_refused(tmp_path: Path, compressed: bytes) -> None:
    mirror = Mirror(compressed)
    mirror.faults = [mirror.wrong, mirror.wrong]
    async with served(mirror) as source:
        with pytest.raises(
            StringUnavailable, match=r"chunk 0 has SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}"
        ):
            await fetch_canonical(tmp_path, CHUNK, source=source)
    assert not (tmp_path / CANONICAL / G1_FILE).exists()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("whole", "it answers 200 instead of the part asked for"),
        ("more", "it sends more than was asked for"),
        ("less", f"it sent 7 of {SIZE} bytes"),
        ("silent", "timeout"),
    ],
)
async def test_a_useless_answer_is_named(tmp_path: Path, compressed: bytes, fault: str, reason: str) -> None:
    mirror = Mirror(compressed)
    mirror.faults = [getattr(mirror, fault)] * 2
    async with served(mirror) as source:
        with pytest.raises(StringUnavailable, match=f"(?i){reason}"):
            await fetch_canonical(tmp_path, CHUNK, source=source, timeout=0.2)


async def test_without_a_network_it_says_what_to_do(tmp_path: Path) -> None:
    nowhere = Source(("http://127.0.0.1:9/g1", "http://127.0.0.1:9/again"), ("00" * 32,), CHUNK)
    with pytest.raises(StringUnavailable, match="check the connection and run the same again") as caught:
        await fetch_canonical(tmp_path, CHUNK, source=nowhere)
    assert [reason.split(": ")[0] for reason in caught.value.reasons] == list(nowhere.mirrors) * 2


async def test_more_than_is_pinned_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StringTooShort, match="has 1048576 points, 1048577 are needed"):
        await fetch_canonical(tmp_path, (1 << 20) + 1)
    assert IGNITION.points == 1 << 20


async def test_it_waits_for_another_process(tmp_path: Path, compressed: bytes) -> None:
    said: list[str] = []
    waits = asyncio.Event()

    def progress(line: str) -> None:
        said.append(line)
        waits.set()

    mirror = Mirror(compressed)
    async with served(mirror) as source:
        with alone(tmp_path / f"{CANONICAL}.lock"):
            fetching = asyncio.create_task(fetch_canonical(tmp_path, 1, progress, source=source))
            await waits.wait()
            assert "waiting for another process" in said[0]
            assert mirror.ranges == []
        await fetching
    assert len(mirror.ranges) == 1
