"""Ask an AI model a question from a smart contract, and know on chain how far the answer can be trusted."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vouch.client import Answer, Asked, Client, NodeAnswer, SyncClient, TrustGap

__all__ = ["Answer", "Asked", "Client", "NodeAnswer", "SyncClient", "TrustGap"]


def __getattr__(name: str) -> Any:
    # Loaded on first use: a node or relayer that imports vouch.protocol must not pay for the client.
    if name in __all__:
        from vouch import client

        return getattr(client, name)
    raise AttributeError(f"module 'vouch' has no attribute {name!r}")
