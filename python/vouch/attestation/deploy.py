"""Adding the enclave route to a deployment: P-384, attestation documents, keys, verifier."""

from dataclasses import replace
from typing import Final

from vouch.attestation.p384.tables import HIGH_TABLE, LOW_TABLE, creation_code
from vouch.attestation.verify import AWS_ROOT
from vouch.chain.contracts import VerifierRouter
from vouch.chain.deploy import create
from vouch.chain.deployment import Deployment
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.chain.transaction import Call, Receipt
from vouch.protocol.enclave import ENCLAVE
from vouch.protocol.errors import VouchError

LEVEL: Final = "Attested"
MAX_AGE: Final = 900
"""Seconds that a document may be old when its key is registered."""
SKEW: Final = 60
"""Seconds that it may be ahead of the chain."""
REVOCATION_DELAY: Final = 24 * 3600
"""Seconds between a certificate's revocation and the end of the keys that came with it."""


class DevRootUnnamed(VouchError):
    """A deployment that trusts another root than AWS's must say so in its name."""

    def __init__(self, name: str, fingerprint: bytes) -> None:
        self.name, self.fingerprint = name, fingerprint
        super().__init__(
            f"the root {fingerprint.hex()} is not AWS's, so anybody who has its key can attest anything: "
            f"name the deployment so that people see it, for example {name}-dev"
        )


async def deploy_enclaves(
    rpc: Rpc,
    sender: TxSender,
    deployment: Deployment,
    *,
    root: bytes = AWS_ROOT,
    guard: str | None = None,
    max_age: int = MAX_AGE,
    skew: int = SKEW,
    revocation_delay: int = REVOCATION_DELAY,
) -> Deployment:
    """The deployment with the route ENCL.

    Args:
        sender: of the router's owner.
        root: SHA-256 of the root certificate's DER.
        guard: who may revoke certificates; default: the sender.
        max_age, skew, revocation_delay: seconds.

    Raises:
        DevRootUnnamed: another root than AWS's, in a deployment without "dev" in its name.
        Others as TxSender.transact.
    """
    if root != AWS_ROOT and "dev" not in deployment.name:
        raise DevRootUnnamed(deployment.name, root)
    tables = [
        _address(await sender.transact(Call(None, creation_code(table)))) for table in (LOW_TABLE, HIGH_TABLE)
    ]
    reader = _address(await create(sender, "NitroReader"))
    hash_ = _address(await create(sender, "Sha384Hash"))
    p384 = _address(await create(sender, "P384", *tables))
    attestation = _address(
        await create(sender, "NitroAttestation", reader, hash_, p384, root, guard or sender.address)
    )
    keys = _address(
        await create(sender, "EnclaveKeys", attestation, deployment.hub, max_age, skew, revocation_delay)
    )
    verifier = _address(await create(sender, "EnclaveVerifier", deployment.hub, keys))
    await sender.transact(VerifierRouter(rpc, deployment.router).add(ENCLAVE, verifier, LEVEL))
    return replace(
        deployment,
        verifiers={**deployment.verifiers, ENCLAVE.decode(): verifier},
        enclaves={
            "NitroReader": reader,
            "Sha384Hash": hash_,
            "P384": p384,
            "NitroAttestation": attestation,
            "EnclaveKeys": keys,
        },
    )


def _address(receipt: Receipt) -> str:
    assert receipt.contract is not None, "a successful creation has an address"
    return receipt.contract
