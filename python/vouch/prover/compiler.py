"""Noir's compiler (noir_wasm) in a Node.js process of its own, bounded in time and memory."""

import asyncio
import hashlib
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import as_file, files
from pathlib import Path
from time import monotonic
from typing import Any, Final

from vouch.prover.errors import ProgramFailed, ProverError
from vouch.prover.lock import Progress, silent
from vouch.prover.process import run
from vouch.prover.toolchain import Toolchain

TIME_LIMIT: Final = 3600.0
"""Seconds."""
MEMORY: Final = 4096
"""MiB for JavaScript's objects; the compiler itself, as WebAssembly, has 4 GiB at most."""
_MANIFEST: Final = '[package]\nname = "circuit"\ntype = "bin"\nauthors = [""]\n\n[dependencies]\n'
_KEYS: Final = ("noir_version", "abi", "bytecode")


class NotCompiled(ProverError):
    """Noir refuses the program; `output` is its reason."""

    def __init__(self, output: str) -> None:
        self.output = output
        super().__init__(f"Noir does not compile the circuit:\n{output.strip()[-4000:]}")


def expected_seconds(products: int) -> float:
    """About how long so many multiplications by a weight (`noir.Layout.products`) take on an idle core."""
    return 1 + products / 2300


async def compile_noir(
    source: str,
    toolchain: Toolchain,
    progress: Progress = silent,
    *,
    expected: float | None = None,
    limit: float = TIME_LIMIT,
) -> dict[str, Any]:
    """The program: noir_version, abi, bytecode (base64) and source_sha256. Equal sources give equal programs.

    progress hears every second how long it has taken and, with `expected` seconds, how long it may take.

    Raises:
        NotCompiled, ProgramKilled (it ran out of time or memory), ToolchainMissing.
    """
    started = monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="vouch-noir-") as folder,
        as_file(files("vouch.prover") / "js" / "compile.mjs") as script,
    ):
        project, output = Path(folder) / "project", Path(folder) / "program.json"
        (project / "src").mkdir(parents=True)
        (project / "Nargo.toml").write_text(_MANIFEST)
        (project / "src" / "main.nr").write_text(source)
        node = (toolchain.node, f"--max-old-space-size={MEMORY}")
        async with _ticking(progress, expected, started):
            try:
                # No bound on its address space: WebAssembly reserves far more than it uses.
                await run(
                    [*node, script, toolchain.modules, project, output], home=toolchain.home, timeout=limit
                )
            except ProgramFailed as failed:
                raise NotCompiled(failed.output.replace(f"{project}/src/", "")) from failed
        program = json.loads(output.read_bytes())
    progress(f"Noir compiled the circuit in {monotonic() - started:.0f} s")
    made = {key: program[key] for key in _KEYS}
    return made | {"source_sha256": hashlib.sha256(source.encode()).hexdigest()}


@asynccontextmanager
async def _ticking(progress: Progress, expected: float | None, started: float) -> AsyncIterator[None]:
    ticker = asyncio.create_task(_tick(progress, expected, started), name="noir-progress")
    try:
        yield
    finally:
        ticker.cancel()
        await asyncio.wait([ticker])
    if not ticker.cancelled():
        ticker.result()


async def _tick(progress: Progress, expected: float | None, started: float) -> None:
    while True:
        await asyncio.sleep(1)
        took, known = monotonic() - started, expected or 0.0
        about = f" of about {known:.0f} s" if took < known else f", {known:.0f} s on an idle core"
        progress(f"Noir compiles the circuit: {took:.0f} s{about if known else ''}")
