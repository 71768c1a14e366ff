"""Barretenberg's program `bb`: verifying keys, proofs, and verifier contracts.

Files in, files out: a circuit is Noir's compiled program as JSON, a witness its gzipped stack. `secret`
chooses the flavour that hides the private inputs (bb's "evm"); proofs without it are smaller, quicker and
always the same.
"""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vouch.prover.errors import ProgramFailed
from vouch.prover.process import Finished, Usage, run
from vouch.prover.srs import ReferenceString
from vouch.prover.toolchain import Toolchain

_MARGIN: Final = 32
"""Rows that bb adds to a circuit (zero rows, and those that hide the witness), and some more."""
_WORD: Final = 32


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof with the public inputs that bb proved, as field elements, and what making it used."""

    data: bytes
    public: tuple[int, ...]
    usage: Usage


@dataclass(frozen=True, slots=True)
class Bb:
    """bb of one toolchain, with one reference string.

    threads: how many it may use; None leaves it to bb (all cores).
    memory: bytes of address space it may take, None for no bound.
    timeout: seconds that one run may take, None for no bound.

    All raise ProgramFailed, ProgramKilled, ToolchainMissing; those that need points StringTooShort.
    """

    toolchain: Toolchain
    srs: ReferenceString
    threads: int | None = None
    memory: int | None = None
    timeout: float | None = None

    async def gates(self, program: Path, *, secret: bool = False) -> int:
        """How many gates the circuit has."""
        done = await self._run("gates", "-b", program, "-t", _flavour(secret))
        try:
            (circuit,) = json.loads(done.output[done.output.index("{") :])["functions"]
            return int(circuit["circuit_size"])
        except (ValueError, KeyError) as error:
            raise ProgramFailed("bb gates", 0, done.output) from error

    async def write_vk(self, program: Path, *, gates: int, secret: bool = False) -> bytes:
        """The verifying key of a circuit with so many gates."""
        self.srs.require(points_for(gates))
        with tempfile.TemporaryDirectory(prefix="vouch-bb-") as folder:
            await self._run("write_vk", *self._string, "-b", program, "-o", folder, "-t", _flavour(secret))
            return (Path(folder) / "vk").read_bytes()

    async def prove(self, program: Path, witness: bytes, vk: bytes, *, secret: bool = False) -> Proof:
        """A proof for a witness in bb's format (gzip and all)."""
        self.srs.require(1 << log_size(vk))
        with tempfile.TemporaryDirectory(prefix="vouch-bb-") as name:
            folder = Path(name)
            (folder / "witness.gz").write_bytes(witness)
            (folder / "vk.in").write_bytes(vk)
            words = ("-w", folder / "witness.gz", "-k", folder / "vk.in", "-o", folder)
            done = await self._run("prove", *self._string, "-b", program, *words, "-t", _flavour(secret))
            proof, public = (folder / "proof").read_bytes(), (folder / "public_inputs").read_bytes()
        fields = [int.from_bytes(public[at : at + _WORD], "big") for at in range(0, len(public), _WORD)]
        return Proof(proof, tuple(fields), done.usage)

    async def write_solidity(self, vk: bytes, *, secret: bool = False) -> str:
        """The source of the optimised verifier contract; its reference string is always the canonical one."""
        with tempfile.TemporaryDirectory(prefix="vouch-bb-") as name:
            folder = Path(name)
            (folder / "vk").write_bytes(vk)
            words = ("-k", folder / "vk", "-o", folder / "Verifier.sol", "-t", _flavour(secret))
            await self._run("write_solidity_verifier", *words, "--optimized")
            return (folder / "Verifier.sol").read_text()

    @property
    def _string(self) -> tuple[str, Path]:
        return "-c", self.srs.folder.absolute()

    async def _run(self, *words: str | Path) -> Finished:
        env = {} if self.threads is None else {"HARDWARE_CONCURRENCY": str(self.threads)}
        return await run(
            [self.toolchain.bb, *words],
            home=self.toolchain.home,
            env=env,
            memory=self.memory,
            timeout=self.timeout,
        )


def points_for(gates: int) -> int:
    """How many points of a reference string a circuit of so many gates needs."""
    return 1 << (gates + _MARGIN - 1).bit_length()


def log_size(vk: bytes) -> int:
    """The binary logarithm of the circuit's size with padding: the first word of a verifying key."""
    log = int.from_bytes(vk[:_WORD], "big")
    if len(vk) < 4 * _WORD or not 1 <= log <= 28:
        raise ProgramFailed("bb", 0, f"a verifying key of {len(vk)} bytes for 2**{log} gates")
    return log


def _flavour(secret: bool) -> str:
    return "evm" if secret else "evm-no-zk"
