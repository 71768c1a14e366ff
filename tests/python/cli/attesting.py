"""Documents for tests of `vouch attest`: of one machine, by one authority, always the same."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vouch.attestation.dev import DevAuthority
from vouch.attestation.dev_machine import DevInstance
from vouch.attestation.document import Document, parse
from vouch.node.enclave import DEV_PCRS
from vouch.node.enclave_key import SealingKey, make_key
from vouch.protocol.enclave import Curve, image_id

IMAGE = image_id(*(DEV_PCRS[number] for number in range(3)))


@dataclass
class Machine:
    """An enclave's machine: its documents have one chain of certificates, made at `at` (unix seconds)."""

    authority: DevAuthority
    at: int
    key: SealingKey = field(default_factory=lambda: make_key(Curve.SECP256K1))

    def __post_init__(self) -> None:
        self.instance: DevInstance = self.authority.instance(at=self.at)

    def document(self, **changes: Any) -> Document:
        """Of the development image, for `key`, unless told otherwise."""
        fields: dict[str, Any] = {
            "pcrs": DEV_PCRS,
            "public_key": self.key.identity.spki,
            "at_ms": 1000 * self.at,
        }
        return parse(self.instance.document(**fields | changes))

    def file(self, folder: Path, **changes: Any) -> str:
        """The document in a file; its path."""
        path = folder / "enclave.doc"
        path.write_bytes(self.document(**changes).raw)
        return str(path)


def machine(folder: Path | None = None, *, at: int) -> Machine:
    """By a fresh authority, kept in a folder if one is given."""
    return Machine(DevAuthority.create(folder=folder), at)
