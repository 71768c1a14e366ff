"""The one place that says which environment variables the project's programs get.

As a program it runs another one in that environment: python -m scripts.toolchain.env COMMAND [ARGUMENT ...]
"""

import os
import sys

from scripts.toolchain import paths


def environment() -> dict[str, str]:
    """This process's variables, with the project's own programs and compiler in front."""
    path = [str(paths.BIN), str(paths.VENV / "bin"), os.environ.get("PATH", os.defpath)]
    inherited = dict(os.environ)
    if inherited.pop("PYTHONDONTWRITEBYTECODE", ""):
        # Every program that a test starts would compile all that it imports, for seconds each time.
        inherited.setdefault("PYTHONPYCACHEPREFIX", str(paths.BYTECODE))
    return inherited | {
        "PATH": os.pathsep.join(path),
        "SOLCX_BINARY_PATH": str(paths.SOLCX),
        "VOUCH_ABI_PATH": str(paths.ROOT / "tests" / "abi"),
        "VOUCH_ZK_HOME": str(paths.ZK),
        "FOUNDRY_DISABLE_NIGHTLY_WARNING": "1",
        "PYTHONUNBUFFERED": "1",
    }


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python -m scripts.toolchain.env COMMAND [ARGUMENT ...]")
    os.execvpe(sys.argv[1], sys.argv[1:], environment())
