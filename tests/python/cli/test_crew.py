"""Processes that are started, killed, replaced and stopped."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.terminal import alive
from vouch.cli import children
from vouch.cli import crew as crew_module
from vouch.cli.children import Child, ChildDied, ChildNotReady
from vouch.cli.crew import crew
from vouch.cli.devnet import local_url

SERVER = (
    "import http.server, os, sys\n"
    "class H(http.server.BaseHTTPRequestHandler):\n"
    "    def do_GET(self):\n"
    "        self.send_response(200); self.end_headers(); self.wfile.write(b'%d' % os.getpid())\n"
    "http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), H).serve_forever()"
)
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str], Child]:
    """Makes children that run SERVER at a URL: the interpreter is replaced by one that ignores `-m ...`."""
    program = tmp_path / "python"
    program.write_text(f'#!/bin/sh\nshift 4\nexec {sys.executable} -u -c "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    return lambda name, url: Child(name, [SERVER, url.rpartition(":")[2]], {}, tmp_path / f"{name}.log")


async def pid_at(url: str, seconds: float = 60) -> int:
    timeout = aiohttp.ClientTimeout(total=seconds)
    async with aiohttp.ClientSession(timeout=timeout) as http, http.get(url) as reply:
        return int(await reply.text())


async def test_all_end_with_the_block(server: Callable[[str, str], Child]) -> None:
    one, two = local_url(), local_url()
    async with crew() as made:
        await made.start(server("one", one), one)
        await made.start(server("two", two), two)
        pids = [await pid_at(one), await pid_at(two)]
        assert all(map(alive, pids))
    assert not any(map(alive, pids))


async def test_one_that_dies_ends_the_block_and_the_others(server: Callable[[str, str], Child]) -> None:
    one, two = local_url(), local_url()
    pids = []

    async def body() -> None:
        async with crew() as made:
            await made.start(server("one", one), one)
            await made.start(server("two", two), two)
            pids.append(await pid_at(one))
            os.kill(await pid_at(two), signal.SIGKILL)
            await asyncio.sleep(30)

    with pytest.raises(ExceptionGroup) as caught:
        await body()
    (died,) = caught.value.exceptions
    assert isinstance(died, ChildDied)
    assert (died.name, died.code) == ("two", -9)
    assert not alive(pids[0])


async def test_a_killed_one_does_not_end_the_block_and_can_be_replaced(
    server: Callable[[str, str], Child],
) -> None:
    url = local_url()
    async with crew() as made:
        await made.start(server("one", url), url)
        first = await pid_at(url)
        await made.kill("one")
        assert not alive(first)
        await asyncio.sleep(0.1)
        await made.start(server("one", url), url)
        assert await pid_at(url) != first


async def test_killing_does_not_wait_for_a_stubborn_one(
    server: Callable[[str, str], Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "STOP_SECONDS", 60.0)
    monkeypatch.setattr(sys.modules[__name__], "SERVER", STUBBORN + SERVER)
    url = local_url()
    async with asyncio.timeout(30), crew() as made:
        await made.start(server("one", url), url)
        pid = await pid_at(url)
        await made.kill("one")
        assert not alive(pid)


async def test_one_that_is_never_ready_is_stopped(
    server: Callable[[str, str], Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = local_url()
    monkeypatch.setattr(crew_module, "READY_SECONDS", 0.5)
    async with crew() as made:
        with pytest.raises(ChildNotReady):
            await made.start(server("one", url), f"{local_url()}/")
        with pytest.raises(aiohttp.ClientConnectorError):
            await pid_at(url)
