"""What a circuit is worth, as far as one can see: its folder built anew, and what a chain has of it."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vouch.chain.contracts import ModelRegistry, VerifierRouter
from vouch.chain.deployment import Deployment
from vouch.chain.hexes import to_bytes, to_hex
from vouch.chain.rpc import Rpc
from vouch.protocol.keccak import keccak
from vouch.protocol.zk import ZK
from vouch.prover.build import build
from vouch.prover.files import CircuitFiles
from vouch.prover.lock import Progress, silent
from vouch.prover.publish import DEV_NAME, bound_verifier
from vouch.prover.srs import DEV, ReferenceString
from vouch.prover.toolchain import Toolchain

_SRS: Final = keccak(b"srs()")[:4]
_PARTS: Final = ("source", "program", "vk", "solidity", "verifier", "gates", "plan")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what it is, whether it is as it should be, and what was seen."""

    what: str
    good: bool
    seen: str


async def rebuilt(
    files: CircuitFiles, *, srs: ReferenceString, toolchain: Toolchain, progress: Progress = silent
) -> tuple[Finding, ...]:
    """Every part of every circuit, compared with one built anew from nothing but the integer model.

    Secret weights get another salt, and with it another id: only what the verifier's code comes from is
    compared then. Raises as `build`.
    """
    with tempfile.TemporaryDirectory(prefix="vouch-audit-") as folder:
        fresh = await build(
            files.model,
            Path(folder) / "circuit",
            name=files.manifest.name,
            srs=srs,
            toolchain=toolchain,
            batches=tuple(files.circuits),
            secret=files.secret is not None,
            progress=progress,
        )
    findings = []
    for batch, built in sorted(files.circuits.items()):
        again = fresh.of(batch)
        other = [part for part in _PARTS if getattr(built, part) != getattr(again, part)]
        if files.secret is None and built.circuit.id != again.circuit.id:
            other.append("id")
        seen = f"differs in {', '.join(other)}" if other else f"code hash {to_hex(built.circuit.code_hash)}"
        findings.append(Finding(f"circuit for {batch}, built anew", not other, seen))
    return tuple(findings)


async def on_chain(rpc: Rpc, deployment: Deployment, files: CircuitFiles) -> tuple[Finding, ...]:
    """Route, manifest, and each circuit's verifier. Raises RpcError, RpcUnavailable."""
    models, router = ModelRegistry(rpc, deployment.models), VerifierRouter(rpc, deployment.router)
    live = await router.is_live(ZK)
    known = await models.exists(files.model_id)
    findings = [
        Finding(f"route {ZK.decode()}", live, await router.name_of(ZK) if live else "no live verifier"),
        Finding("manifest", known, to_hex(files.model_id) if known else "not published"),
    ]
    for batch, built in sorted(files.circuits.items()):
        verifier = await bound_verifier(rpc, models, files.model_id, built) if known else None
        name = f"verifier for {batch}"
        if verifier is None:
            findings.append(Finding(name, False, "not bound, or its code is gone: vouch zk publish"))
            continue
        findings.append(Finding(name, True, f"{verifier}, trust {to_hex(built.circuit.id)}"))
        answer = to_bytes(await rpc.call("eth_call", {"to": verifier, "data": to_hex(_SRS)}, "latest"))
        string = answer.rstrip(b"\0").decode("ascii", "replace")
        good = string == files.srs and (string != DEV or DEV_NAME in deployment.name)
        findings.append(Finding(f"reference string for {batch}", good, string or "not said"))
    return tuple(findings)
