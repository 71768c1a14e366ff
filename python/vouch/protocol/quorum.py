"""M of N named accounts sign one claim (`contracts/verifiers/QuorumVerifier.sol`, with the seals' layout)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Self

from eth_abi.abi import encode
from eth_utils.address import to_canonical_address, to_checksum_address

from vouch.protocol.claim import Claim
from vouch.protocol.errors import VouchError
from vouch.protocol.keccak import keccak
from vouch.protocol.request import NATIVE
from vouch.protocol.seal import SIGNED, Seal, recover_signer

QUORUM = b"QRUM"
"""Route of `QuorumVerifier`; assurance "Quorum"."""
MAX_SIGNERS = 64

_HEADER = 14
_ADDRESS = 20
_SIGNATURE = 65
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


class BadPolicy(VouchError):
    """No such quorum: 1 <= threshold <= signers <= 64."""

    def __init__(self, threshold: int, signers: int) -> None:
        self.threshold, self.signers = threshold, signers
        super().__init__(
            f"{threshold} of {signers} is no quorum: ask for at least one signature, at most all, "
            f"of at most {MAX_SIGNERS} signers"
        )


class SignersNotAscending(VouchError):
    """The list is not sorted, or names an account twice or the zero account."""

    def __init__(self, index: int, previous: str, signer: str) -> None:
        self.index, self.previous, self.signer = index, previous, signer
        super().__init__(
            f"signer {index} ({signer}) does not come after {previous}: sort the list and name nobody twice"
        )


class WrongSealLength(VouchError):
    """The bytes are shorter or longer than their first 14 say."""

    def __init__(self, received: int, expected: int) -> None:
        self.received, self.expected = received, expected
        super().__init__(f"this quorum seal has {received} bytes where its header asks for {expected}")


class NotAQuorumSeal(VouchError):
    """The seal belongs to another route."""

    def __init__(self, received: bytes, expected: bytes = QUORUM) -> None:
        self.received, self.expected = received, expected
        super().__init__(f"a seal of route {received!r} is no quorum seal ({expected!r})")


class TooFewSignatures(VouchError):
    """Fewer signed than the policy asks for."""

    def __init__(self, received: int, threshold: int) -> None:
        self.received, self.threshold = received, threshold
        super().__init__(f"{received} signatures of {threshold}: collect {threshold - received} more")


class NoSuchSigner(VouchError):
    """A bit stands for nobody on the list."""

    def __init__(self, bitmap: int, signers: int) -> None:
        self.bitmap, self.signers = bitmap, signers
        super().__init__(f"the bits {bitmap:#x} name more than the {signers} signers of the list")


class NotASigner(VouchError):
    """A signature is not by anybody on the list, or not of this claim."""

    def __init__(self, recovered: str) -> None:
        self.recovered = recovered
        super().__init__(
            f"{recovered} is not on the quorum's list: leave its signature out, or compare the claims"
        )


class WrongPolicy(VouchError):
    """The consumer trusts another policy."""

    def __init__(self, received: bytes, expected: bytes) -> None:
        self.received, self.expected = received, expected
        super().__init__(f"the seal's policy is 0x{received.hex()}, the terms trust 0x{expected.hex()}")


class WrongSignature(VouchError):
    """A signature is not that of the signer it stands for (`recovered` is zero if it is none at all)."""

    def __init__(self, recovered: str, expected: str) -> None:
        self.recovered, self.expected = recovered, expected
        super().__init__(f"the signature in {expected}'s place is {recovered}'s, or of another claim")


@dataclass(frozen=True, slots=True)
class Policy:
    """How many of whom: checksummed addresses, strictly ascending by value.

    Raises BadPolicy and SignersNotAscending, as the contract would refuse the seal.
    """

    threshold: int
    signers: tuple[str, ...]

    def __post_init__(self) -> None:
        if not 1 <= self.threshold <= len(self.signers) <= MAX_SIGNERS:
            raise BadPolicy(self.threshold, len(self.signers))
        for index, (previous, signer) in enumerate(pairwise((NATIVE, *self.signers))):
            if to_canonical_address(signer) <= to_canonical_address(previous):
                raise SignersNotAscending(index, previous, signer)

    @classmethod
    def of(cls, threshold: int, signers: Iterable[str]) -> Self:
        """From addresses in any order and spelling. Raises BadPolicy, SignersNotAscending (a duplicate)."""
        return cls(threshold, tuple(sorted(map(to_checksum_address, signers), key=to_canonical_address)))

    @property
    def trust(self) -> bytes:
        """What a request names to ask for it, 32 bytes: keccak256(abi.encode(threshold, signers))."""
        return keccak(encode(["uint256", "address[]"], [self.threshold, self.signers]))


@dataclass(frozen=True, slots=True)
class QuorumSeal:
    """The policy, and the signatures (65 bytes r ‖ s ‖ v) by signer."""

    policy: Policy
    signatures: Mapping[str, bytes]

    @classmethod
    def collect(cls, policy: Policy, claim: Claim, chain_id: int, hub: str, seals: Iterable[Seal]) -> Self:
        """From the "Signed" seals of one claim, in any order; no more of them than needed, each costs gas.

        Raises:
            NotASigner: one was signed by a stranger, or signs another claim.
            TooFewSignatures: not enough different signers.
            BadSeal, ValueError: one is no signature.
        """
        signatures: dict[str, bytes] = {}
        for seal in seals:
            signer = recover_signer(seal, claim, chain_id, hub)
            if signer not in policy.signers:
                raise NotASigner(signer)
            signatures[signer] = seal.proof
        if len(signatures) < policy.threshold:
            raise TooFewSignatures(len(signatures), policy.threshold)
        needed = dict(list(signatures.items())[: policy.threshold])
        return cls(policy, MappingProxyType(needed))

    @classmethod
    def parse(cls, seal: Seal) -> Self:
        """Raises NotAQuorumSeal, WrongSealLength, BadPolicy, NoSuchSigner, TooFewSignatures,
        SignersNotAscending."""
        if seal.route != QUORUM:
            raise NotAQuorumSeal(seal.route)
        data = bytes(seal)
        if len(data) < _HEADER:
            raise WrongSealLength(len(data), _HEADER)
        threshold, n, bitmap = data[4], data[5], int.from_bytes(data[6:_HEADER], "big")
        if not 1 <= threshold <= n <= MAX_SIGNERS:
            raise BadPolicy(threshold, n)
        if bitmap >> n:
            raise NoSuchSigner(bitmap, n)
        if bitmap.bit_count() < threshold:
            raise TooFewSignatures(bitmap.bit_count(), threshold)
        start = _HEADER + _ADDRESS * n
        size = start + _SIGNATURE * bitmap.bit_count()
        if len(data) != size:
            raise WrongSealLength(len(data), size)
        signers = tuple(to_checksum_address(data[i : i + _ADDRESS]) for i in range(_HEADER, start, _ADDRESS))
        signed = (signer for i, signer in enumerate(signers) if bitmap >> i & 1)
        signatures: dict[str, bytes] = {
            who: data[start + _SIGNATURE * i :][:_SIGNATURE] for i, who in enumerate(signed)
        }
        return cls(Policy(threshold, signers), MappingProxyType(signatures))

    @property
    def seal(self) -> Seal:
        signers = self.policy.signers
        bitmap = sum(1 << i for i, signer in enumerate(signers) if signer in self.signatures)
        header = bytes([self.policy.threshold, len(signers)]) + bitmap.to_bytes(8, "big")
        accounts = b"".join(map(to_canonical_address, signers))
        signed = (self.signatures[signer] for signer in signers if signer in self.signatures)
        return Seal(QUORUM, header + accounts + b"".join(signed))

    def check(self, trust: bytes, claim: Claim, chain_id: int, hub: str) -> None:
        """What the contract checks of a seal that parses.

        Raises:
            WrongPolicy: the terms trust another one.
            WrongSignature: somebody else's, another claim's, none at all, or the form with high s.
        """
        if self.policy.trust != trust:
            raise WrongPolicy(self.policy.trust, trust)
        for signer, signature in self.signatures.items():
            recovered = _recovered(signature, claim, chain_id, hub)
            if recovered != signer:
                raise WrongSignature(recovered, signer)


def _recovered(signature: bytes, claim: Claim, chain_id: int, hub: str) -> str:
    """Whose signature it is, as ecrecover says it: zero for nonsense, here also for high s."""
    if signature[64] not in (27, 28) or int.from_bytes(signature[32:64], "big") > _HALF_ORDER:
        return NATIVE
    try:
        return recover_signer(Seal(SIGNED, signature), claim, chain_id, hub)
    except ValueError:  # no point of the curve
        return NATIVE
