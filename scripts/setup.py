"""Set-up of a checkout: python3 -m scripts.setup demo|fast|test|zk|llm|deep [...]

Uses nothing outside the standard library, so it runs on a machine with only Python and its venv module.
Each step leaves a stamp with the hash of its inputs, so a second run does nothing.
"""

import fcntl
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from scripts.toolchain import paths
from scripts.toolchain.node import ensure_packages
from scripts.toolchain.progress import SetupError
from scripts.toolchain.python_env import (
    ensure_ape,
    ensure_deep,
    ensure_development,
    ensure_llm,
    ensure_runtime,
    require_venv,
)
from scripts.toolchain.solc import ensure_solc
from scripts.toolchain.zk import ensure_zk

Step = Callable[[], None]

PROFILES: Mapping[str, Sequence[Step]] = {
    "demo": (ensure_runtime, ensure_packages),
    "fast": (ensure_development, ensure_packages, ensure_solc, ensure_zk),
    "test": (ensure_development, ensure_packages, ensure_solc, ensure_zk, ensure_ape),
    "zk": (ensure_runtime, ensure_zk),
    "llm": (ensure_llm,),
    "deep": (ensure_deep,),
}


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the checkout's set-up lock, so that two set-ups at once do not build over each other."""
    paths.TOOLCHAIN.mkdir(exist_ok=True)
    with (paths.TOOLCHAIN / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("  another set-up of this checkout is running: waiting for it ...", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main(profiles: Sequence[str]) -> int:
    unknown = [name for name in profiles if name not in PROFILES]
    if unknown or not profiles:
        print(f"usage: python3 -m scripts.setup {'|'.join(PROFILES)} [...]", file=sys.stderr)
        return 2
    begin = time.monotonic()
    try:
        require_venv()
        with _alone():
            for name in profiles:
                for ensure in PROFILES[name]:
                    ensure()
    except SetupError as failure:
        print(f"\nset-up failed: {failure}", file=sys.stderr)
        return 1
    elapsed = time.monotonic() - begin
    if elapsed > 1:
        print(f"  set-up complete in {elapsed:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
