"""Where Vouch is on a chain: one JSON file per chain, `deployments/<chainId>.json`."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from vouch.chain.contracts import Hub
from vouch.chain.errors import ChainError, RpcError
from vouch.chain.hexes import checksum
from vouch.chain.rpc import Rpc

FORMAT = 1


class NoDeployment(ChainError):
    """There is no deployment file for this chain."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            f"no deployment at {path}: run `vouch deploy`, or point VOUCH_DEPLOYMENTS to its folder"
        )


class BadDeployment(ChainError):
    """A deployment file cannot be read as one."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{path} is no deployment file ({reason}): deploy again, or restore it")


class StaleDeployment(ChainError):
    """The chain does not have what the deployment file says; a restarted devnet is the usual reason."""

    def __init__(self, name: str, address: str, reason: str) -> None:
        self.name, self.address, self.reason = name, address, reason
        super().__init__(
            f"{name} at {address}: {reason}; the file is of another chain, so run `vouch deploy` again"
        )


@dataclass(frozen=True, slots=True)
class Deployment:
    """Addresses of one deployment (checksummed hex).

    `verifiers` and `examples` map names (a route's letters, a contract's name) to addresses; `publisher` is
    the account whose model names are meant where only a name is given; `block` is the first block that can
    hold a log of it. `enclaves` has the contracts behind the enclave route by their names (NitroReader,
    Sha384Hash, P384, NitroAttestation, EnclaveKeys), and is empty in a deployment without that route.
    """

    chain_id: int
    hub: str
    router: str
    models: str
    nodes: str
    verifiers: Mapping[str, str]
    publisher: str
    block: int
    name: str = "vouch"
    examples: Mapping[str, str] = field(default_factory=dict)
    enclaves: Mapping[str, str] = field(default_factory=dict)

    def save(self, folder: Path | None = None) -> Path:
        """Writes the file (whole or not at all) and returns its path."""
        path = path_of(self.chain_id, folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}.tmp")
        fresh.write_text(json.dumps({"format": FORMAT, **asdict(self)}, indent=2, sort_keys=True) + "\n")
        fresh.replace(path)
        return path

    @classmethod
    def load(cls, chain_id: int, folder: Path | None = None) -> Self:
        """Reads the file, which `verify` compares with the chain. Raises NoDeployment, BadDeployment."""
        path = path_of(chain_id, folder)
        try:
            found = json.loads(path.read_text())
        except FileNotFoundError as missing:
            raise NoDeployment(path) from missing
        except (OSError, ValueError) as unreadable:
            raise BadDeployment(path, str(unreadable)) from unreadable
        try:
            made = cls._parse(found)
        except (KeyError, TypeError, ValueError, AttributeError) as bad:
            raise BadDeployment(path, f"{type(bad).__name__}: {bad}") from bad
        if made.chain_id != chain_id:
            raise BadDeployment(path, f"it is of chain {made.chain_id}, not {chain_id}")
        return made

    @classmethod
    def _parse(cls, found: dict[str, Any]) -> Self:
        if (version := found.pop("format", None)) != FORMAT:
            raise ValueError(f"format {version}, this version reads {FORMAT}")
        for key in ("hub", "router", "models", "nodes", "publisher"):
            found[key] = checksum(found[key])
        for key in ("verifiers", "examples", "enclaves"):
            found[key] = {name: checksum(address) for name, address in found.get(key, {}).items()}
        if not isinstance(found["chain_id"], int) or not isinstance(found["block"], int):
            raise TypeError("chain_id and block are numbers")
        return cls(**found)

    async def verify(self, rpc: Rpc) -> Self:
        """Itself, once every contract is found on the chain and the hub names the same registries.

        Raises:
            StaleDeployment: another chain id, no code at an address, or a hub with other registries.
            RpcUnavailable, RpcError: as Rpc.call.
        """
        addresses = {
            "InferenceHub": self.hub,
            "VerifierRouter": self.router,
            "ModelRegistry": self.models,
            "NodeRegistry": self.nodes,
            **self.verifiers,
            **self.examples,
            **self.enclaves,
        }
        chain_id, *codes = await rpc.batch(
            [("eth_chainId", []), *(("eth_getCode", [a, "latest"]) for a in addresses.values())]
        )
        for answer in (chain_id, *codes):
            if isinstance(answer, RpcError):
                raise answer
        if int(chain_id, 16) != self.chain_id:
            reason = f"the chain's id is {int(chain_id, 16)}, not {self.chain_id}"
            raise StaleDeployment("InferenceHub", self.hub, reason)
        for (name, address), code in zip(addresses.items(), codes, strict=True):
            if code in ("0x", "", None):
                raise StaleDeployment(name, address, "there is no contract")
        hub = Hub(rpc, self.hub)
        told = {
            "VerifierRouter": (self.router, await hub.router()),
            "ModelRegistry": (self.models, await hub.models()),
            "NodeRegistry": (self.nodes, await hub.nodes()),
        }
        for name, (ours, theirs) in told.items():
            if ours != theirs:
                raise StaleDeployment(name, ours, f"the hub uses {theirs}")
        return self


def folder_of(folder: Path | None = None) -> Path:
    """The given folder, else $VOUCH_DEPLOYMENTS, else ./deployments."""
    return folder if folder is not None else Path(os.environ.get("VOUCH_DEPLOYMENTS") or "deployments")


def path_of(chain_id: int, folder: Path | None = None) -> Path:
    """Path of a chain's file."""
    return folder_of(folder) / f"{chain_id}.json"


async def load(rpc: Rpc, folder: Path | None = None) -> Deployment:
    """The deployment of the chain that `rpc` reaches, verified.

    Raises:
        NoDeployment, BadDeployment, StaleDeployment, RpcUnavailable, RpcError.
    """
    chain_id = int(await rpc.call("eth_chainId"), 16)
    return await Deployment.load(chain_id, folder).verify(rpc)
