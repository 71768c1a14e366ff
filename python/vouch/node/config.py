"""Everything a node is told before it starts."""

from dataclasses import dataclass, field
from pathlib import Path

from coincurve import PrivateKey

from vouch.protocol.seal import address_of
from vouch.runtimes.base import Runtime


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """Built by whoever starts the node.

    key: the operator's key, which signs claims; None makes a plain inference server.
    models: served name and runtime; names are unique, and so are model ids.
    journal: SQLite file of all claims signed with the key. Without it two answers to one request get signed.
    hubs: (chain id, checksummed hub) pairs to sign for; empty means any.
    cosign: sign other operators' answers too, where the own copy of the model gives them.
    token: bearer token that every request but the health checks must carry.
    """

    models: tuple[tuple[str, Runtime], ...]
    journal: Path
    key: PrivateKey | None = field(default=None, repr=False)
    host: str = "127.0.0.1"
    port: int = 8080
    hubs: tuple[tuple[int, str], ...] = ()
    cosign: bool = False
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

    @property
    def operator(self) -> str | None:
        """Checksummed address of the key."""
        return None if self.key is None else address_of(self.key.public_key)
