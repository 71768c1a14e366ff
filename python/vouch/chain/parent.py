"""Programs that die with the process that started them, even if it is killed."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def end_with_parent(also: Callable[[], None] | None = None) -> Callable[[], None] | None:
    """What the child runs before it becomes the program (`preexec_fn`), then `also`; None but on Linux."""
    if sys.platform != "linux":
        return None
    libc, parent = ctypes.CDLL(None, use_errno=True), os.getpid()

    def prepare() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        if also is not None:
            also()

    return prepare
