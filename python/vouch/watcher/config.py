"""What one watcher is told; made by the command line, never read from the environment here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vouch.chain.config import ServiceConfig


@dataclass(frozen=True, slots=True)
class Budget:
    """How much of one token may be put up, in its units."""

    max_bond: int
    """For one request."""
    max_at_risk: int
    """For all open challenges together, and what was lost by earlier ones counts too."""


@dataclass(frozen=True, slots=True)
class Models:
    """Where models come from.

    onnx: (name, file) pairs; the name is assumed for a model whose manifest is not on the chain (None: the
    file's own).
    manifests: further manifest files, for models that are not on the chain either.
    texts: (manifest file, URL of an OpenAI-compatible server).
    """

    onnx: tuple[tuple[str | None, Path], ...] = ()
    manifests: tuple[Path, ...] = ()
    texts: tuple[tuple[Path, str], ...] = ()
    api_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Believed:
    """Whose proofs are worth a bond: the values that terms name as `trust`, 32 bytes each.

    An operator that can make the "proof" itself wins every challenge: without a list nothing is challenged.
    """

    trusts: frozenset[bytes] = frozenset()
    anyone: bool = False

    def __contains__(self, trust: bytes) -> bool:
        return self.anyone or trust in self.trusts


@dataclass(frozen=True, slots=True)
class Patience:
    """Times in seconds."""

    poll: float = 1.0
    """Between two looks at the chain while the websocket is silent."""
    run: float = 120.0
    """For one run of a model."""
    ask: float = 10.0
    """For one answer of an operator's node."""
    retry_first: float = 0.5
    """Before something is tried again; doubles from there."""
    retry_most: float = 30.0
    """Longest pause between two tries."""
    rest: float = 15.0
    """Before what the chain refused is tried again, unless a new block comes first."""
    tidy: float = 10.0
    """Between two cleanings up."""
    check_up: float = 5.0
    """After which an unmined transaction is offered to the chain again."""
    replace: float = 30.0
    """After which an unmined transaction is replaced by one with a higher fee."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchConfig(ServiceConfig):
    """Everything a watcher needs besides its key.

    `confirmations` are those of deliveries: zero is safe, a challenge names what it challenges.
    """

    models: Models = field(default_factory=Models)
    keep_blocks: int = 256
    """Blocks that a finished request is remembered for, in case a fork opens it again."""
    budgets: Mapping[str, Budget] = field(default_factory=dict)
    """By token address; a token that is missing here is worth nothing to this watcher."""
    believed: Believed = field(default_factory=Believed)
    slack: float = 0.0
    """Differences up to this part of an element (or of 1, if that is more) are told, and never challenged:
    other hardware than the nodes' adds in another order. A lie inside of it goes unchallenged. Only for
    models whose manifest states no tolerance; one that is stated decides alone."""
    settle: bool = False
    """Settle what nobody challenged, too; it brings nothing."""
    principled: bool = False
    """Act even where the reward does not cover the gas."""
    ask_nodes: bool = False
    """Ask the operator's node the same question after each delivery."""
    dry_run: bool = False
    """Judge and say what would be done; send nothing."""
    concurrency: int = 2
    """Models that run at the same time."""
    tries: int = 6
    """Times that a model is asked before an answer counts as unjudged."""
    patience: Patience = field(default_factory=Patience)
