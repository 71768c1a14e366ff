"""The Solidity compiler: native through py-solc-x where it can be had, npm's WebAssembly build otherwise.

Either way it is one executable at one place (py-solc-x's own naming), so forge and ape take it alike.
Remove .toolchain/stamps/solc to try for the native one again.
"""

from pathlib import Path
from typing import Final

from scripts.toolchain import paths, shim
from scripts.toolchain.env import environment
from scripts.toolchain.progress import CommandFailed, SetupError, run, step
from scripts.toolchain.python_env import python_of
from scripts.toolchain.stamp import Stamp, digest

VERSION: Final = "0.8.37"
NATIVE_SECONDS: Final = 20.0
EXECUTABLE: Final = paths.SOLCX / f"solc-v{VERSION}"


def solc_path() -> Path:
    """The compiler's executable.

    Raises:
        SetupError: the set-up has not been run.
    """
    if not EXECUTABLE.exists():
        raise SetupError(f"no compiler at {EXECUTABLE}: run scripts/test once, it does the whole set-up")
    return EXECUTABLE


def ensure_solc() -> None:
    """Put the compiler in place; the native one is tried once, and the outcome remembered."""
    package = paths.NODE_MODULES / "solc"
    stamp = Stamp("solc")
    wanted = digest(
        VERSION, package / "package.json", Path(shim.__file__), str((paths.BIN / "node").resolve())
    )
    if stamp.read() == wanted and EXECUTABLE.exists():
        return
    with step(f"solc {VERSION}"), stamp.redo(wanted):
        EXECUTABLE.unlink(missing_ok=True)
        if not _native():
            shim.write(EXECUTABLE, node=(paths.BIN / "node").resolve(), package=package, expected=VERSION)
            print(
                "    no native solc to be had: using npm's WebAssembly build (same bytecode, slower)",
                flush=True,
            )


def _native() -> bool:
    """Whether py-solc-x brought a compiler of the right version that runs on this machine."""
    paths.SOLCX.mkdir(parents=True, exist_ok=True)
    install = f"import solcx; solcx.install_solc({VERSION!r})"
    try:
        run([python_of(paths.VENV), "-c", install], env=environment(), timeout=NATIVE_SECONDS)
        answer = run([EXECUTABLE, "--version"], timeout=NATIVE_SECONDS)
    except CommandFailed:
        EXECUTABLE.unlink(missing_ok=True)
        return False
    return f"Version: {VERSION}+" in answer
