"""What can go wrong while circuits are built and runs proven. "Not now" and "never" are different errors."""

from collections.abc import Sequence
from pathlib import Path

from vouch.protocol.errors import VouchError


class ProverError(VouchError):
    """Root of the errors of this package."""


class ToolchainMissing(ProverError):
    """Node.js, the npm packages or bb are not there, or of other versions than this package needs."""

    def __init__(self, home: Path, reason: str) -> None:
        self.home, self.reason = str(home), reason
        super().__init__(f"no zk toolchain in {home} ({reason}): run `vouch zk setup`")


class InstallFailed(ProverError):
    """The toolchain could not be installed; `output` is what the installer wrote."""

    def __init__(self, what: str, reason: str, output: str = "") -> None:
        self.what, self.reason, self.output = what, reason, output
        tail = "\n".join(f"    {line}" for line in output.strip().splitlines()[-15:])
        super().__init__(f"{what} cannot be installed: {reason}" + (f"\n{tail}" if tail else ""))


class ProgramFailed(ProverError):
    """A program of the toolchain refused its work; the same again gives the same."""

    def __init__(self, program: str, code: int, output: str) -> None:
        self.program, self.code, self.output = program, code, output
        super().__init__(f"{program} ended with code {code}: {output.strip()[-2000:] or 'no output'}")


class ProgramKilled(ProverError):
    """A program of the toolchain was ended from outside (out of memory, a signal); it may work later."""

    def __init__(self, program: str, reason: str) -> None:
        self.program, self.reason = program, reason
        super().__init__(f"{program} did not come to its end: {reason}; try again")


class StringTooShort(ProverError):
    """The reference string is not there, or has fewer points than are needed."""

    def __init__(self, folder: Path, points: int, wanted: int) -> None:
        self.folder, self.points, self.wanted = str(folder), points, wanted
        command = "vouch zk setup --dev-srs" if folder.name == "dev-srs" else "vouch zk setup"
        super().__init__(
            f"the reference string in {folder} has {points} points, {wanted} are needed: "
            f"run `{command}` with a larger --gates"
            if points
            else f"there is no reference string in {folder}: run `{command}`"
        )


class StringDamaged(ProverError):
    """The files of a reference string are not what their description says."""

    def __init__(self, folder: Path, reason: str) -> None:
        self.folder, self.reason = str(folder), reason
        super().__init__(
            f"the reference string in {folder} cannot be used: {reason}; remove the folder and run "
            "`vouch zk setup` again"
        )


class StringUnavailable(ProverError):
    """No mirror gave the canonical reference string; asking again may work, and goes on where it stopped."""

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__(
            f"the canonical reference string cannot be fetched ({'; '.join(reasons)}): check the connection "
            "and run the same again, or use the insecure development string (--dev-srs) for tests"
        )


class ContractTooLarge(ProverError):
    """The verifier contract is larger than a chain takes (EIP-170)."""

    def __init__(self, size: int, limit: int) -> None:
        self.size, self.limit = size, limit
        super().__init__(
            f"the verifier contract has {size} bytes of code, a chain takes {limit}: build a circuit with "
            "fewer public inputs (a smaller batch) or without secret weights"
        )


class UnexpectedVerifier(ProverError):
    """bb wrote another verifier contract than this package knows how to complete."""

    def __init__(self, what: str, received: int, expected: int) -> None:
        self.what, self.received, self.expected = what, received, expected
        super().__init__(
            f"bb's verifier contract has {what} {received} times instead of {expected}: is bb another "
            "version than `vouch zk setup` installs?"
        )


class BadCircuitFiles(ProverError):
    """A circuit folder is incomplete, damaged, or mixed from two builds."""

    def __init__(self, path: Path, received: str, expected: str) -> None:
        self.path, self.received, self.expected = str(path), received, expected
        super().__init__(f"{path}: {received}, expected {expected}; build it again with `vouch zk compile`")


class WrongString(ProverError):
    """The circuit's contract checks against another reference string than the one given."""

    def __init__(self, received: str, expected: str) -> None:
        self.received, self.expected = received, expected
        super().__init__(f"the reference string is {received}, this circuit was built for {expected}")


class OutputMismatch(ProverError):
    """The output to be proven is not what the model gives for this input; row counts from 0."""

    def __init__(self, row: int, received: Sequence[int], expected: Sequence[int]) -> None:
        self.row, self.received, self.expected = row, tuple(received), tuple(expected)
        super().__init__(
            f"row {row}: the claimed output is {_short(received)}, the model gives {_short(expected)}"
        )


class UnknownBatch(ProverError):
    """The circuit folder has no circuit for this many inferences per proof."""

    def __init__(self, received: int, expected: Sequence[int]) -> None:
        self.received, self.expected = received, tuple(expected)
        super().__init__(
            f"no circuit proves {received} inferences at once: these are built: {list(expected)}"
        )


class ContextOutOfRange(ProverError):
    """A context is a field element: take `vouch.protocol.zk.context`."""

    def __init__(self, received: int) -> None:
        self.received = received
        super().__init__(f"the context {received:#x} is no field element: reduce the claim's digest first")


class PublicInputsDiffer(ProverError):
    """bb proved other public inputs than it was asked to: the proof is thrown away."""

    def __init__(self, index: int, received: int | None, expected: int | None) -> None:
        self.index, self.received, self.expected = index, received, expected
        super().__init__(f"public input {index} of the proof is {received}, expected {expected}")


class InsecureCircuit(ProverError):
    """A circuit over the development string does not belong on a deployment for real."""

    def __init__(self, deployment: str) -> None:
        self.deployment = deployment
        super().__init__(
            "with this circuit's insecure development string (dev-srs) anyone can prove anything, and the "
            f"deployment is called {deployment!r}: compile it without --dev-srs, or use a deployment whose "
            "name says dev"
        )


class WrongCode(ProverError):
    """A contract was created, and has other code than it should."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__(f"{address} has not the verifier's code: is the chain's EVM older than osaka?")


def _short(values: Sequence[int]) -> str:
    shown = ", ".join(str(value) for value in values[:8])
    return f"[{shown}{', ...' if len(values) > 8 else ''}]"
