"""What a node refuses and why; the HTTP status says whether asking again makes sense."""

from vouch.protocol.errors import VouchError
from vouch.runtimes.base import ArtefactChanged, ArtefactUnreadable, RuntimeUnavailable
from vouch.web.errors import RETRY_AFTER_SECONDS, WebError


class NodeError(WebError):
    """Base of the node's own refusals."""


class InputTooLarge(NodeError):
    """The model input exceeds the node's limit, in bytes."""

    status = 413

    def __init__(self, received: int, limit: int) -> None:
        self.received, self.limit = received, limit
        super().__init__(f"input has {received} bytes, this node takes {limit}")


class UnknownModel(NodeError):
    """The node does not serve this model."""

    status = 404

    def __init__(self, received: str, served: list[str]) -> None:
        self.received, self.served = received, served
        super().__init__(f"model {received} is not served here; served: {', '.join(served) or 'none'}")


class WrongKind(NodeError):
    """The model does not speak this endpoint's protocol."""

    status = 404

    def __init__(self, model: str, received: str, expected: str) -> None:
        self.model, self.received, self.expected = model, received, expected
        super().__init__(f"model {model} is of kind {received}, this endpoint serves kind {expected}")


class OtherOperator(NodeError):
    """The terms name another operator."""

    status = 403

    def __init__(self, received: str, expected: str) -> None:
        self.received, self.expected = received, expected
        super().__init__(f"the terms name operator {received}, this node answers for {expected}")


class UnknownHub(NodeError):
    """The node was told to sign only for certain hubs, and this is none of them."""

    status = 403

    def __init__(self, chain_id: int, hub: str) -> None:
        self.chain_id, self.hub = chain_id, hub
        super().__init__(f"this node does not sign for hub {hub} on chain {chain_id}")


class UnsupportedRoute(NodeError):
    """The terms ask for a seal of a route that this endpoint does not sign for."""

    status = 422

    def __init__(self, received: bytes, supported: tuple[bytes, ...]) -> None:
        self.received, self.supported = received, supported
        names = " and ".join(repr(route) for route in supported)
        super().__init__(f"the terms ask for a seal of route {received!r}, this endpoint signs for {names}")


class InputMismatch(NodeError):
    """The input is not the one that the terms name."""

    status = 422

    def __init__(self, received: bytes, expected: bytes) -> None:
        self.received, self.expected = received, expected
        super().__init__(f"keccak256(input) is 0x{received.hex()}, the terms say 0x{expected.hex()}")


class OutputTooLarge(NodeError):
    """The answer exceeds the manifest's limit, in bytes."""

    status = 422

    def __init__(self, received: int, limit: int) -> None:
        self.received, self.limit = received, limit
        super().__init__(f"output has {received} bytes, the manifest allows {limit}")


class NoOperatorKey(NodeError):
    """The node has no key to sign claims with."""

    status = 503

    def __init__(self) -> None:
        super().__init__("this node has no operator key, so it cannot sign claims: start it with one")


class NotCosigning(NodeError):
    """The node was not told to vouch for others."""

    status = 403

    def __init__(self) -> None:
        super().__init__(
            "this node signs its own answers only; its operator can start it with --cosign, "
            "so that it vouches for others' answers which its own copy of the model gives too"
        )


class OperatorNotAdmitted(NodeError):
    """The claim names an operator that the terms do not admit."""

    status = 422

    def __init__(self, received: str, expected: str) -> None:
        self.received, self.expected = received, expected
        super().__init__(f"the claim names operator {received}, the terms admit only {expected}")


class NotAnswered(NodeError):
    """The claim names the node's own operator, for whom only an answer is signed."""

    status = 409

    def __init__(self, operator: str) -> None:
        self.operator = operator
        super().__init__(
            f"this node's own operator is {operator}, and it has not answered this request: "
            "ask /vouch/v1/answers, whose reply has the signature"
        )


class NotReproducible(NodeError):
    """Another run of this model says nothing about an output."""

    status = 422

    def __init__(self, model: str) -> None:
        self.model = model
        super().__init__(
            f"model {model} is not deterministic and its manifest gives no tolerance that an output could be "
            "checked with (text has none), so two honest runs may differ and this node cannot vouch for an "
            "output: ask for a model that is deterministic, or one of tensors with a tolerance"
        )


class Disagrees(NodeError):
    """The node's own copy of the model gives another output; both are keccak-256 hashes."""

    status = 409

    def __init__(self, received: bytes, expected: bytes, difference: str) -> None:
        self.received, self.expected, self.difference = received, expected, difference
        super().__init__(
            f"the output is 0x{received.hex()}, this node's copy of the model gives 0x{expected.hex()}: "
            f"{difference}"
        )


class AlreadySigned(NodeError):
    """The node has signed another output of the same operator for the same request; both are hashes."""

    status = 409

    def __init__(self, operator: str, received: bytes, expected: bytes) -> None:
        self.operator, self.received, self.expected = operator, received, expected
        super().__init__(
            f"the output is 0x{received.hex()}, but this node has signed 0x{expected.hex()} as operator "
            f"{operator}'s answer to this request, and it signs no second one"
        )


class NotInEnclave(NodeError):
    """The node has no enclave that could attest anything."""

    status = 404

    def __init__(self) -> None:
        super().__init__(
            "this node does not run in an enclave, so it has no key to attest: start it in one with "
            "--enclave nitro, or for trying things out with --enclave dev --dev-authority FOLDER"
        )


class OtherImage(NodeError):
    """The terms trust another enclave image; both are image ids, 32 bytes."""

    status = 422

    def __init__(self, received: bytes, expected: bytes) -> None:
        self.received, self.expected = received, expected
        super().__init__(
            f"the terms trust the enclave image 0x{received.hex()}, this node's is 0x{expected.hex()}: "
            "its seal would never count"
        )


class OtherCircuit(NodeError):
    """The terms trust a circuit that does not prove the model; all are circuit ids, 32 bytes."""

    status = 422

    def __init__(self, received: bytes, expected: tuple[bytes, ...]) -> None:
        self.received, self.expected = received, expected
        circuits = ", ".join(f"0x{circuit.hex()}" for circuit in expected) or "no circuit"
        super().__init__(
            f"the terms trust the circuit 0x{received.hex()}, the model is proven by {circuits}: "
            "no proof would ever count"
        )


class NotAttested(NodeError):
    """The enclave's hardware (or what stands for it) gave no document, or one about something else."""

    status = 503

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"no attestation document: {reason}")


class NotSealed(NodeError):
    """The operator's answer is not what the model gave inside of this enclave; both are keccak-256 hashes."""

    status = 409

    def __init__(self, received: bytes, expected: bytes) -> None:
        self.received, self.expected = received, expected
        super().__init__(
            f"this node's operator has signed the output 0x{received.hex()}, the model gave "
            f"0x{expected.hex()} inside of this enclave, and no earlier enclave's seal is known"
        )


class Overloaded(NodeError):
    """All places are taken."""

    status = 503

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(
            f"{limit} questions are being answered already; ask again in {RETRY_AFTER_SECONDS} s"
        )


class JournalUnavailable(NodeError):
    """The journal cannot be read or written, so no claim may be signed."""

    status = 503

    def __init__(self, path: str, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"journal {path} cannot be used ({reason}): nothing is signed until it can")


class JournalTooNew(NodeError):
    """The journal was written by a newer version."""

    def __init__(self, path: str, received: int, expected: int) -> None:
        self.path, self.received, self.expected = path, received, expected
        super().__init__(
            f"journal {path} has schema {received}, this version knows {expected}: upgrade vouch"
        )


def status_of(error: VouchError) -> int:
    """HTTP status: 503 when the same question may be answered later, 4xx when it never will."""
    if isinstance(error, WebError):
        return error.status
    if isinstance(error, RuntimeUnavailable | ArtefactChanged | ArtefactUnreadable):
        return 503
    return 422
