"""What a dApp's backend imports: ask a model, get the answer with its claim and seal."""

from vouch.client.answer import Answer, Asked, NodeAnswer
from vouch.client.client import Client
from vouch.client.gap import TrustGap
from vouch.client.sync import SyncClient

__all__ = ["Answer", "Asked", "Client", "NodeAnswer", "SyncClient", "TrustGap"]
