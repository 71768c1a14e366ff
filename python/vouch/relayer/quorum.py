"""The quorum that our co-signers make: which trust value it has, and whether it can be had now."""

import logging

from vouch.protocol.quorum import Policy, QuorumSeal
from vouch.protocol.request import Request
from vouch.relayer.config import QuorumConfig
from vouch.relayer.cosigners import CosignerPool
from vouch.relayer.errors import NotYet, Refused
from vouch.relayer.gas import SIGNATURE_SEAL
from vouch.relayer.job import NodeAnswer
from vouch.relayer.peers import Node
from vouch.relayer.store import Store

_log = logging.getLogger(__name__)


class Quorum:
    """What was configured and learned. Earlier quorums stay known, for what was delivered under them."""

    def __init__(self, config: QuorumConfig | None, pool: CosignerPool, store: Store) -> None:
        self._config, self.pool, self._store = config, pool, store
        self.policy: Policy | None = None
        """None: there is no quorum, or some co-signer was never reached."""

    def learn(self) -> None:
        """Takes in what the co-signers say; an address that was reached once keeps its signer when down.

        Raises BadPolicy, SignersNotAscending (two addresses with one operator).
        """
        if self._config is None:
            return
        signers = [self.signer(node) for node in self.pool.nodes]
        if not all(signers):
            return
        policy = Policy.of(self._config.threshold, signers)
        if policy == self.policy:
            return
        if self.policy is not None:
            _log.warning(
                "a co-signer changed its operator: the quorum is another one now, with another trust"
            )
        for node, signer in zip(self.pool.nodes, signers, strict=True):
            self._store.remember_signer(node.url, signer)
        self._store.remember_policy(policy)
        self.policy = policy
        _log.info("%s", self.line)

    def signer(self, node: Node) -> str:
        """Who signs there; empty if nobody knows yet."""
        return self.pool.named[node.url] or node.operator or self._store.signer(node.url) or ""

    @property
    def line(self) -> str:
        """The quorum for people, with what consumers have to name to ask for it."""
        if self._config is None:
            return "no quorum (--cosigner)"
        if self.policy is None:
            missing = ", ".join(node.url for node in self.pool.nodes if not self.signer(node))
            return f"quorum not known until {missing} was reached once"
        policy = self.policy
        signers = ", ".join(policy.signers)
        return f"quorum {policy.threshold} of {len(policy.signers)} ({signers}), trust 0x{policy.trust.hex()}"

    def check(self, terms: Request) -> None:
        """Raises Refused(UntrustedPolicy) if the terms trust another one, NotYet while ours is not known."""
        if self._config is not None and self.policy is None:
            raise NotYet(self.line)
        if self.policy is None or self.policy.trust != terms.trust:
            raise Refused("UntrustedPolicy", f"the terms trust 0x{terms.trust.hex()}, we have {self.line}")

    def known(self, trust: bytes) -> Policy | None:
        """The quorum that a trust value stands for, ours of today or of earlier; None: never ours."""
        if self.policy is not None and self.policy.trust == trust:
            return self.policy
        return self._store.policy(trust)

    @property
    def seal_size(self) -> int:
        """Bytes that a seal will have."""
        if self.policy is None:
            return SIGNATURE_SEAL
        return len(bytes(QuorumSeal(self.policy, {}).seal)) + 65 * self.policy.threshold

    def node_of(self, signer: str) -> Node | None:
        """Where somebody signs, as far as that is configured."""
        return next((node for node in self.pool.nodes if self.signer(node) == signer), None)

    def why_out_of_reach(self, terms: Request, answer: NodeAnswer) -> str:
        """Why a proof may not be had now, by what the co-signers said last; empty if it can."""
        policy = self.known(terms.trust)
        if policy is None:
            return "no quorum of ours has that trust value"
        troubles = {}
        for signer in policy.signers:
            if signer != answer.operator or answer.signature is None:
                troubles[signer] = self._trouble(signer, terms.model_id)
        ready = len(policy.signers) - sum(map(bool, troubles.values()))
        if ready >= policy.threshold:
            return ""
        told = "; ".join(f"{signer}: {trouble}" for signer, trouble in troubles.items() if trouble)
        return f"{ready} of {policy.threshold} signers are ready ({told})"

    def _trouble(self, signer: str, model_id: bytes) -> str:
        node = self.node_of(signer)
        if node is None:
            return "no co-signer of that operator is configured"
        if node.trouble or node.info is None:
            return f"{node.url}: {node.trouble}"
        if node.operator != signer:
            return f"{node.url} is {node.operator}'s"
        if not node.info.cosigns:
            return f"{node.url} does not co-sign (--cosign)"
        if model_id not in node.info.models:
            return f"{node.url} does not serve the model"
        if model_id not in node.info.reproducible:
            return f"{node.url} does not say that another run can confirm an output of the model"
        return ""
