"""What one relayer is told; made by the command line, never read from the environment here."""

from dataclasses import dataclass, field

from vouch.chain.config import ServiceConfig
from vouch.protocol.quorum import MAX_SIGNERS, BadPolicy


@dataclass(frozen=True, slots=True)
class NodeEndpoint:
    """Base URL of one node and the bearer token it asks for, if any."""

    url: str
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CosignerEndpoint(NodeEndpoint):
    """A node whose operator is in the quorum."""

    signer: str | None = None
    """Its operator, checksummed; None: what it says itself."""


@dataclass(frozen=True, slots=True)
class QuorumConfig:
    """Whose signatures make the seals of the quorum route: so many of the co-signers' operators.

    Our own operator counts only if its node is one of them. Raises BadPolicy.
    """

    threshold: int
    cosigners: tuple[CosignerEndpoint, ...]

    def __post_init__(self) -> None:
        if not 1 <= self.threshold <= len(self.cosigners) <= MAX_SIGNERS:
            raise BadPolicy(self.threshold, len(self.cosigners))


@dataclass(frozen=True, slots=True)
class EnclaveConfig:
    """Where enclaves' keys are let in, and when ours are attested anew."""

    keys: str
    """The EnclaveKeys contract."""
    register: bool = True
    """False: somebody else sends the documents (`vouch attest`)."""
    margin: float = 1200.0
    """Seconds before its expiry that a key is attested anew at the latest."""
    fraction: float = 0.25
    """Part of a certificate's life that is left then at least."""
    depth: int = 2
    """Blocks on top of the one that a document names, so that a small fork does not make it worthless; one at
    least, because a simulation on the newest block does not know that block's hash."""
    retry_first: float = 2.0
    """Seconds before the first retry of a registration; doubles from there."""
    retry_most: float = 300.0


@dataclass(frozen=True, slots=True)
class ZkConfig:
    """The service that makes the proofs of the zk route (`vouch prover`), and how much time they get."""

    url: str
    token: str | None = field(default=None, repr=False)
    """Bearer token that the service asks for, if any."""
    slack: float = 1.5
    """What an estimate is multiplied with."""
    margin: float = 15.0
    """Seconds between a proof and its deadline, for the transaction that brings it."""
    poll: float = 1.0
    """Longest pause in seconds between two looks at a proof under way."""
    timeout: float = 10.0
    """Seconds for one answer of the service; none of them waits for a proof."""
    dev: bool = False
    """Whether proofs over the insecure development string may be sent: to deployments for tests only."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the relayer takes on, in the units named."""

    dispatches: int = 32
    """Requests that are at a node at the same time."""
    unconfirmed: int = 4
    """Own transactions that wait for a block; answers that come meanwhile share the next one."""
    alone: int = 12
    """The same for deliveries and settlements, which share none. Chain nodes hold 16 an account at least."""
    batch_items: int = 50
    """Most answers in one transaction."""
    batch_gas: int = 15_500_000
    """Most gas of one transaction; the protocol's cap is 16,777,216 (EIP-7825)."""
    callback_gas: int = 15_000_000
    """Most callback gas that is accepted (the hub's own limit)."""
    attempts: int = 5
    """Transactions that may revert for one request before it counts as failed."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Times in seconds."""

    poll: float = 1.0
    """Between two looks at the chain while the websocket is silent."""
    node_timeout: float = 60.0
    """For one answer of a node."""
    retry_first: float = 0.1
    """Before the first retry of a node; doubles from there, with jitter."""
    retry_most: float = 5.0
    """Longest pause between two tries."""
    margin: float = 3.0
    """Left before deliverBy for the transaction itself; later requests are refused."""
    rebroadcast: float = 5.0
    """After which an unmined transaction is offered to the chain again."""
    replace: float = 60.0
    """After which an unmined transaction is replaced by one with a higher fee."""
    prices: float = 30.0
    """For which a price of the node registry is believed."""
    nodes: float = 30.0
    """Between two looks at what the nodes serve."""
    stakes: float = 2.0
    """For which a stake of the node registry is believed."""
    quiet: float = 15.0
    """Without a new block after which the chain counts as one that makes blocks only when asked to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayerConfig(ServiceConfig):
    """Everything a relayer needs besides its key; `confirmations` are those of requests."""

    nodes: tuple[NodeEndpoint, ...]
    keep_blocks: int = 256
    """Block hashes remembered: the deepest reorganisation that is followed."""
    keep_days: float = 30.0
    """For which inputs and outputs of finished requests are kept; terms and history stay for ever."""
    gas_floor: float = 0.0
    """Part of the expected gas cost that a native fee must cover on top of the price."""
    simulate: bool = True
    """Try a transaction on the newest state first, so that a race that is lost costs no gas."""
    expire_own: bool = True
    """Give fees back for requests that named our operator and were not answered in time."""
    quorum: QuorumConfig | None = None
    """None: requests on the quorum route are refused."""
    enclaves: EnclaveConfig | None = None
    """None: requests on the enclave route are refused."""
    zk: ZkConfig | None = None
    """None: requests on the zk route are refused."""
    min_prove_within: int = 60
    """Seconds that terms must leave for the proof, or the proof is brought first."""
    max_window: int = 86_400
    """Most seconds that stake is locked for a challenge that may come, or the proof is brought first."""
    max_exposure: int | None = None
    """Most of an operator's stake that is locked at a time, in each token's units; None: all that is free."""
    limits: Limits = field(default_factory=Limits)
    patience: Patience = field(default_factory=Patience)
