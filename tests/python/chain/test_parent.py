import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vouch.chain.parent import end_with_parent

PARENT = """
import subprocess, sys, time
from vouch.chain.parent import end_with_parent
child = subprocess.Popen(["sleep", "60"], preexec_fn=end_with_parent())
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children that their parent is gone")
def test_a_child_ends_with_a_parent_that_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        child = int(parent.stdout.readline())
    os.kill(child, 0)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    while _runs(child):
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        said = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return said.rpartition(")")[2].split()[0] != "Z"


def test_what_else_the_child_does() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", "import os; print(os.getcwd())"],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=end_with_parent(lambda: os.chdir("/")),
    )
    out, _ = child.communicate()
    assert out.strip() == ("/" if sys.platform == "linux" else str(Path.cwd()))
