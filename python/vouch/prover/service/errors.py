"""What a prover service refuses and why, and what its client raises."""

from collections.abc import Sequence
from pathlib import Path

from vouch.protocol.errors import VouchError
from vouch.web.errors import WebError


class BadTask(WebError):
    """A task is no task; `field` says where."""

    def __init__(self, field: str, received: str, expected: str) -> None:
        self.field, self.received, self.expected = field, received, expected
        super().__init__(f"{field} is {received}, expected {expected}")


class UnknownCircuit(WebError):
    """The service has no such circuit of the model; both ids have 32 bytes."""

    status = 404

    def __init__(self, model_id: bytes, received: bytes, served: Sequence[bytes]) -> None:
        self.model_id, self.received, self.served = model_id, received, tuple(served)
        known = ", ".join(f"0x{circuit.hex()}" for circuit in served) or "none of this model"
        super().__init__(
            f"circuit 0x{received.hex()} of model 0x{model_id.hex()} is not proven here; proven: {known}. "
            "Start the prover with the folder of this circuit"
        )


class UnknownProof(WebError):
    """No task with this id was submitted, or it is long over."""

    status = 404

    def __init__(self, received: str) -> None:
        self.received = received
        super().__init__(
            f"there is no proof {received[:80]}: it was never asked for, or was dropped for its age"
        )


class WrongInput(WebError):
    """The circuit does not prove such an input. `request_id` says of which item."""

    status = 422


class InputOutOfRange(WrongInput):
    """An input has a value that the circuit has no bits for, or another number of values."""

    def __init__(self, request_id: bytes, reason: str) -> None:
        self.request_id, self.reason = request_id, reason
        super().__init__(f"the input of request 0x{request_id.hex()}: {reason}")


class OutputMismatch(WrongInput):
    """The circuit's model gives another output; both are keccak-256 hashes of codec bytes."""

    def __init__(self, request_id: bytes, received: bytes, expected: bytes) -> None:
        self.request_id, self.received, self.expected = request_id, received, expected
        super().__init__(
            f"the output of request 0x{request_id.hex()} is 0x{received.hex()}, the circuit's model gives "
            f"0x{expected.hex()}: it was not made by this model, and no proof of it exists"
        )


class TooLarge(WebError):
    """Every proof of the circuit took more memory than the service may use; both in bytes."""

    status = 503

    def __init__(self, circuit_id: bytes, received: int, limit: int) -> None:
        self.circuit_id, self.received, self.limit = circuit_id, received, limit
        super().__init__(
            f"a proof of circuit 0x{circuit_id.hex()} takes {received / 1e6:.0f} MB, all proofs together may "
            f"take {limit / 1e6:.0f} MB: start the prover with more --max-memory"
        )


class QueueFull(WebError):
    """So many tasks wait already."""

    status = 503

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"{limit} proofs are waiting already: ask again when some are done")


class StoreUnavailable(WebError):
    """The database cannot be read or written now."""

    status = 503

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = str(path), reason
        super().__init__(f"database {path} cannot be used ({reason}): nothing is taken until it can")


class MixedStrings(VouchError):
    """The circuits were made with different reference strings."""

    def __init__(self, strings: Sequence[str]) -> None:
        self.strings = tuple(strings)
        super().__init__(
            f"the circuits were made with different reference strings ({', '.join(strings)}): "
            "start one prover for each"
        )


class CircuitNotProven(VouchError):
    """The proof that is made of each circuit at the start was not."""

    def __init__(self, circuit_id: bytes, folder: Path, reason: str) -> None:
        self.circuit_id, self.folder, self.reason = circuit_id, folder, reason
        super().__init__(
            f"circuit 0x{circuit_id.hex()} of {folder} cannot be proven here, as its first proof shows "
            f"({reason}): put that right, or start the prover without this folder"
        )


class FolderChanged(VouchError):
    """A circuit's folder has another circuit than when the service read it; None: none for so many."""

    def __init__(self, folder: Path, received: bytes | None, expected: bytes) -> None:
        self.folder, self.received, self.expected = folder, received, expected
        has = "no such circuit" if received is None else f"circuit 0x{received.hex()}"
        super().__init__(
            f"{folder} has {has} where circuit 0x{expected.hex()} was: the folder was changed; put the old "
            "one back or publish the new one, and start the prover again"
        )


class DatabaseInUse(VouchError):
    """Another process works on the database."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"another prover works on {path}: stop it, or name another --database")


class ForeignStore(VouchError):
    """The database was written by a newer version, or by another program."""

    def __init__(self, path: Path, received: int, expected: int) -> None:
        self.path, self.received, self.expected = path, received, expected
        super().__init__(
            f"{path} has schema version {received}, this version knows {expected}: upgrade vouch, "
            "or name another --database"
        )


class ProofFailed(VouchError):
    """The proving program could not make a proof; `retryable`: it may if it is tried again."""

    def __init__(self, name: str, message: str, *, retryable: bool) -> None:
        self.name, self.message, self.retryable = name, message, retryable
        super().__init__(f"{name}: {message}")


class WorkerDied(VouchError):
    """A process that was proving ended, as when the machine runs out of memory."""

    def __init__(self, code: int) -> None:
        self.code = code
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        super().__init__(f"the proving process {how}; its log says more, or the kernel's if memory ran out")


class WorkerUnavailable(VouchError):
    """No process to prove with can be started."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"no proving process can be started: {reason}")


class ProverUnavailable(VouchError):
    """The service gave no answer this time: it may later, and it forgets nothing meanwhile."""

    def __init__(self, url: str, reason: str) -> None:
        self.url, self.reason = url, reason
        super().__init__(f"prover {url}: {reason}")


class ProverRefused(VouchError):
    """The service will never prove this, or knows no such task; `name` is the refusal's."""

    def __init__(self, url: str, name: str, message: str) -> None:
        self.url, self.name, self.message = url, name, message
        super().__init__(f"prover {url} refused: {name}: {message}")
