"""What every service is told that follows one hub, sends by itself, and says how it is."""

from dataclasses import dataclass
from pathlib import Path

from vouch.chain.fees import MAX_FEE


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceConfig:
    """Made by the command line, never read from the environment here."""

    rpc_url: str
    hub: str
    database: Path
    ws_url: str | None = None
    """Wakes the service up; without it, polling does."""
    start_block: int = 0
    """First block of a fresh database: the hub's own block is a good choice."""
    confirmations: int = 0
    """Blocks on top of what is acted upon."""
    max_fee: int = MAX_FEE
    """Most wei per gas; above it transactions wait."""
    status_host: str = "127.0.0.1"
    status_port: int | None = None
    """Port of the status server (0: any free one); None: no server."""
