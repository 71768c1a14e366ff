"""Child processes that start, die, hang and stop."""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from vouch.cli import children
from vouch.cli.children import Child, ChildDied, ChildNotReady


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def eventually(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


def first_line(log: Path) -> str:
    eventually(lambda: log.exists() and "\n" in log.read_text())
    return log.read_text().splitlines()[0]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Lets `Child` run any program: the interpreter is replaced by one that ignores `-m vouch.cli.main`."""
    program = tmp_path / "python"
    program.write_text(f'#!/bin/sh\nshift 4\nexec {sys.executable} -u -c "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    return tmp_path / "log"


async def test_a_child_that_dies_is_reported_with_its_last_lines(script: Path) -> None:
    async with Child("node", ["print('one'); print('two'); raise SystemExit(3)"], {}, script) as child:
        with pytest.raises(ChildDied, match="one\ntwo") as caught:
            await child.watch()
    assert (caught.value.name, caught.value.code, caught.value.lines) == ("node", 3, ("one", "two"))
    assert await asyncio.to_thread(script.read_text) == "one\ntwo\n"


async def test_leaving_stops_it(script: Path) -> None:
    async with Child("node", ["import time; time.sleep(60)"], {}, script) as child:
        pid = child.pid
        assert not gone(pid)
    assert gone(pid)


async def test_a_stubborn_child_is_killed_with_its_children(
    script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "STOP_SECONDS", 0.3)
    stubborn = (
        "import signal, subprocess, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(subprocess.Popen(['sleep', '60']).pid)\n"
        "time.sleep(60)"
    )
    async with Child("node", [stubborn], {}, script) as child:
        pid, grandchild = child.pid, int(await asyncio.to_thread(first_line, script))
    assert gone(pid)
    await asyncio.to_thread(eventually, lambda: gone(grandchild))


async def test_ready_when_the_url_answers(script: Path) -> None:
    server = (
        "import http.server\n"
        "class H(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self): self.send_response(200 if self.path == '/ok' else 500); self.end_headers()\n"
        "s = http.server.HTTPServer(('127.0.0.1', 0), H); print(s.server_port); s.serve_forever()"
    )
    async with Child("node", [server], {}, script) as child:
        url = f"http://127.0.0.1:{await asyncio.to_thread(first_line, script)}"
        await child.ready(f"{url}/ok")
        with pytest.raises(ChildNotReady, match="HTTP 500"):
            await child.ready(f"{url}/bad", seconds=0.3)


async def test_waiting_for_a_dead_child_ends_at_once(script: Path) -> None:
    async with Child("node", ["print('no'); raise SystemExit(1)"], {}, script) as child:
        with pytest.raises(ChildDied, match="no"):
            await child.ready("http://127.0.0.1:9", seconds=20)


async def test_it_gets_its_environment(script: Path) -> None:
    async with Child("node", ["import os; print(os.environ['SOME'])"], {"SOME": "thing"}, script) as child:
        with pytest.raises(ChildDied) as caught:
            await child.watch()
    assert caught.value.lines == ("thing",)
