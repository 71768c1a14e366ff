"""What a devnet with an enclave has more: an authority of its own, and the route that trusts it."""

from pathlib import Path

from vouch.chain.account import LocalKey
from vouch.chain.deployment import Deployment
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender

# What attests is imported where it is used: a devnet without an enclave starts without it.


def authority(folder: Path) -> Path:
    """Where a devnet keeps its authority."""
    return folder / "authority"


async def deploy(rpc: Rpc, owner: LocalKey, deployment: Deployment, folder: Path) -> Deployment:
    """Adds the enclave route for the folder's authority, which is made if it is not there."""
    from vouch.attestation.deploy import deploy_enclaves
    from vouch.cli.authority import opened

    root = opened(authority(folder)).fingerprint
    return await deploy_enclaves(rpc, TxSender(rpc, owner), deployment, root=root)


def image() -> bytes:
    """Id of the image that a development enclave is said to run."""
    from vouch.node.enclave import DEV_PCRS
    from vouch.protocol.enclave import image_id

    return image_id(*(DEV_PCRS[number] for number in range(3)))
