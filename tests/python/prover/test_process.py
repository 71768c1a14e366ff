import asyncio
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from vouch.prover.errors import ProgramFailed, ProgramKilled, ToolchainMissing
from vouch.prover.process import Finished, run

HOME = Path("home")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds and follows memory so")


async def python(code: str, *, memory: int | None = None, timeout: float | None = None) -> Finished:
    return await run([sys.executable, "-c", code], home=HOME, memory=memory, timeout=timeout)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def written(path: Path) -> str:
    return path.read_text() if path.exists() else ""


async def appears(path: Path) -> str:
    while not (text := written(path)):  # noqa: ASYNC110 - nobody sets an event
        await asyncio.sleep(0.01)
    return text


async def test_output_and_what_it_used() -> None:
    done = await python(
        "import sys; print('out', flush=True); print('err', file=sys.stderr); sum(range(10**7))"
    )
    assert done.output == "out\nerr\n"
    assert done.usage.seconds > 0
    assert done.usage.cpu_seconds > 0


@LINUX
async def test_memory_is_the_programs_own_not_ours() -> None:
    ours = bytearray(os.urandom(1)) * 300_000_000
    small = await python("import time; time.sleep(0.1)")
    large = await python("import time; x = bytearray(b'x') * 150_000_000; time.sleep(0.1)")
    assert small.usage.peak_bytes < len(ours) // 2
    assert (
        small.usage.peak_bytes + 140_000_000 < large.usage.peak_bytes < small.usage.peak_bytes + 200_000_000
    )


async def test_a_refusal_has_the_programs_words() -> None:
    with pytest.raises(ProgramFailed, match="ended with code 3: no good") as caught:
        await python("import sys; print('no good'); sys.exit(3)")
    assert caught.value.code == 3


async def test_a_signal_is_no_refusal() -> None:
    with pytest.raises(ProgramKilled, match="SIGKILL ended it: no output; try again"):
        await python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")


@LINUX
async def test_memory_is_bounded() -> None:
    with pytest.raises(ProgramKilled, match=r"ran out of memory \(it may take 400 MiB\)"):
        await python(
            "try: bytearray(10**9)\nexcept MemoryError: raise SystemExit('out of memory')", memory=400 << 20
        )


async def test_time_is_bounded() -> None:
    with pytest.raises(ProgramKilled, match=r"no end after 0\.2 s"):
        await python("import time; time.sleep(60)", timeout=0.2)


async def test_a_cancelled_program_is_gone_when_run_ends(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    code = (
        f"import os, pathlib, time; pathlib.Path({str(told)!r}).write_text(str(os.getpid())); time.sleep(60)"
    )
    running = asyncio.create_task(python(code))
    pid = int(await appears(told))
    assert alive(pid)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not alive(pid)
    for thread in threading.enumerate():
        if thread.name.startswith("wait for"):
            thread.join(30)  # it has told of the end, and returns
            assert not thread.is_alive()


@LINUX
async def test_it_dies_with_us(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    child = (
        f"import os, pathlib, time; pathlib.Path({str(told)!r}).write_text(str(os.getpid())); time.sleep(60)"
    )
    parent = (
        "import asyncio, pathlib, sys; from vouch.prover.process import run; "
        f"asyncio.run(run([sys.executable, '-c', {child!r}], home=pathlib.Path()))"
    )
    ours = subprocess.Popen([sys.executable, "-c", parent])  # noqa: ASYNC220 (it is to be killed, not awaited)
    pid = int(await appears(told))
    ours.send_signal(signal.SIGKILL)
    ours.wait()
    async with asyncio.timeout(10):
        while alive(pid):  # noqa: ASYNC110 - nobody sets an event
            await asyncio.sleep(0.01)


async def test_a_missing_program_says_what_to_run() -> None:
    with pytest.raises(
        ToolchainMissing, match=r"/no/such/bb cannot be started: No such file.*`vouch zk setup`"
    ):
        await run(["/no/such/bb"], home=HOME)
