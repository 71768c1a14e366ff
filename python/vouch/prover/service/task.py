"""What a prover service is asked, and what it says about it; the same words on both sides of HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from eth_utils.address import to_canonical_address

from vouch.protocol.keccak import keccak
from vouch.protocol.zk import MAX_BATCH
from vouch.prover.service.errors import BadTask

_DOMAIN = keccak(b"vouch.proof.v1")


class ProofState(StrEnum):
    """Where a task is. FAILED is no verdict on the claim: submitting the task again tries again."""

    QUEUED = "queued"
    PROVING = "proving"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in (ProofState.DONE, ProofState.FAILED, ProofState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Item:
    """One inference: the request it answers (32 bytes), input and output as codec bytes, as on chain."""

    request_id: bytes
    input: bytes
    output: bytes


@dataclass(frozen=True, slots=True)
class ProofTask:
    """Claims of one operator on one hub, to be sealed on the zk route by one proof.

    A circuit that proves one inference seals the claim of one item; a circuit that proves several seals the
    root of a batch of at most so many items (`vouch.protocol.zk.ZkBatch.of` with `items` as they are here:
    sorted by request id). Addresses are checksummed, ids have 32 bytes.

    prove_by: unix seconds after which the seal is of no use, if that is known; it only decides who is first.
    Raises BadTask.
    """

    chain_id: int
    hub: str
    operator: str
    model_id: bytes
    circuit_id: bytes
    items: tuple[Item, ...]
    prove_by: int | None = None

    def __post_init__(self) -> None:
        ids = [item.request_id for item in self.items]
        if not 1 <= len(ids) <= MAX_BATCH:
            raise BadTask("items", f"{len(ids)} items", f"1 to {MAX_BATCH}")
        if len(set(ids)) != len(ids):
            raise BadTask("items", "one request twice", "each request once")
        for name, value in (("modelId", self.model_id), ("circuitId", self.circuit_id)):
            if len(value) != 32:
                raise BadTask(name, f"{len(value)} bytes", "32 bytes")
        if any(len(request_id) != 32 for request_id in ids):
            raise BadTask("items", "a request id of another size", "request ids of 32 bytes")
        # A relayer that lost its memory must come to the same task again.
        object.__setattr__(self, "items", tuple(sorted(self.items, key=lambda item: item.request_id)))

    @property
    def id(self) -> str:
        """keccak-256 of everything but `prove_by`, 64 hex digits."""
        head = (
            _DOMAIN,
            self.chain_id.to_bytes(32, "big"),
            to_canonical_address(self.hub),
            to_canonical_address(self.operator),
            self.model_id,
            self.circuit_id,
        )
        rows = (i.request_id + keccak(i.input) + keccak(i.output) for i in self.items)
        return keccak(b"".join((*head, *rows))).hex()


@dataclass(frozen=True, slots=True)
class ProofStatus:
    """How far a task is.

    place: how many tasks are proven first; 0 unless queued. eta_seconds: until the seal is there, as far as
    anybody can tell; None while nobody can. seal: once done. reason: why it failed, or what it waits for.
    cpu_seconds and peak_bytes: what the proof took; 0 until then.
    """

    id: str
    state: ProofState
    place: int = 0
    eta_seconds: float | None = None
    seal: bytes | None = None
    reason: str = ""
    cpu_seconds: float = 0.0
    peak_bytes: int = 0


@dataclass(frozen=True, slots=True)
class ProverInfo:
    """What a prover service proves: model id → circuit id → inferences at once.

    srs: name of the reference string; proofs over "dev-srs" convince nobody. queued: tasks that wait.
    eta: circuit id → seconds until a task that is submitted now would be done; seconds: circuit id → what one
    proof takes by itself, as measured. Both absent while nobody knows, so from a failed attempt to the next
    proof, and eta also while nothing can be proven at all.
    """

    models: Mapping[bytes, Mapping[bytes, int]]
    srs: str
    queued: int
    eta: Mapping[bytes, float] = field(default_factory=dict)
    seconds: Mapping[bytes, float] = field(default_factory=dict)

    def knows(self, model_id: bytes, circuit_id: bytes) -> bool:
        """True if the circuit is one of the model's."""
        return circuit_id in self.models.get(model_id, {})
