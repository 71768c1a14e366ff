"""Everything a node is told before it starts."""

from dataclasses import dataclass, field
from pathlib import Path

from coincurve import PrivateKey

from vouch.node.enclave import Enclave
from vouch.protocol.enclave import ENCLAVE
from vouch.protocol.quorum import QUORUM
from vouch.protocol.seal import SIGNED, address_of
from vouch.protocol.zk import ZK
from vouch.runtimes.base import Runtime


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """Built by whoever starts the node.

    key: the operator's key, which signs claims; None makes a plain inference server.
    models: served name and runtime; names are unique, and so are model ids.
    journal: SQLite file of all claims signed with the key. Without it two answers to one request get signed.
    hubs: (chain id, checksummed hub) pairs to sign for; empty means any.
    cosign: sign other operators' answers too, where the own copy of the model gives them.
    enclave: what the node runs in, if it does; its key seals the operator's answers on the enclave route.
    token: bearer token that every request but the health checks must carry.
    """

    models: tuple[tuple[str, Runtime], ...]
    journal: Path
    key: PrivateKey | None = field(default=None, repr=False)
    host: str = "127.0.0.1"
    port: int = 8080
    hubs: tuple[tuple[int, str], ...] = ()
    cosign: bool = False
    enclave: Enclave | None = None
    token: str | None = field(default=None, repr=False)
    max_body_bytes: int = 4 * 1024 * 1024
    max_input_bytes: int = 1024 * 1024
    concurrency: int = 64
    shutdown_seconds: float = 10.0

    def __post_init__(self) -> None:
        names = [name for name, _ in self.models]
        ids = [runtime.manifest.model_id for _, runtime in self.models]
        for kind, values in (("name", names), ("model id", [f"0x{i.hex()}" for i in ids])):
            if twice := {value for value in values if values.count(value) > 1}:
                raise ValueError(f"{kind} {', '.join(sorted(twice))} is served twice")
        if self.cosign and self.key is None:
            raise ValueError("a node without a key cannot co-sign")
        if self.enclave is not None and self.key is None:
            raise ValueError("an enclave's key is bound to an operator, and a node without a key has none")

    @property
    def operator(self) -> str | None:
        """Checksummed address of the key."""
        return None if self.key is None else address_of(self.key.public_key)

    @property
    def routes(self) -> tuple[bytes, ...]:
        """Whose claims are signed: the operator's signature is the whole seal, or one of a quorum's, or the
        enclave's seal stands beside it, or a proof that a prover makes will."""
        enclave = () if self.enclave is None else (ENCLAVE,)
        proven = (ZK,) if any(runtime.manifest.zk for _, runtime in self.models) else ()
        return SIGNED, QUORUM, *enclave, *proven
