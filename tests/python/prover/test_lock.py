import asyncio
import subprocess
import sys
import threading
from pathlib import Path

from vouch.prover.lock import alone, alone_async

HOLD = """
import pathlib, sys
from vouch.prover.lock import alone
with alone(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_waits_and_says_so(tmp_path: Path) -> None:
    path, said = tmp_path / "home" / "lock", list[str]()
    waits, entered = threading.Event(), threading.Event()

    def progress(line: str) -> None:
        said.append(line)
        waits.set()

    def enter() -> None:
        with alone(path, progress):
            entered.set()

    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdin=pipe, stdout=pipe) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        thread = threading.Thread(target=enter)
        thread.start()
        assert waits.wait(20)
        assert not entered.is_set()
        # The lock ends with its process, whatever ended that.
        holder.kill()
        assert entered.wait(20)
        thread.join()
    assert said == [f"waiting for another process that works in {tmp_path / 'home'}"]


async def test_waiting_leaves_the_loop_to_others(tmp_path: Path) -> None:
    path, said = tmp_path / "lock", list[str]()

    async def enter() -> str:
        async with alone_async(path, said.append):
            return "entered"

    with alone(path):
        waiting = asyncio.create_task(enter())
        while not said:  # noqa: ASYNC110 - nobody sets an event
            await asyncio.sleep(0)
        assert not waiting.done()
    assert await waiting == "entered"


def test_nobody_waits_for_a_free_lock(tmp_path: Path) -> None:
    said: list[str] = []
    for _ in range(2):
        with alone(tmp_path / "lock", said.append):
            pass
    assert said == []
