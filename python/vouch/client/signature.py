"""Whether an operator stands behind a claim."""

from vouch.attestation.seal import sealer
from vouch.client.errors import BadAnswer
from vouch.protocol.claim import Claim
from vouch.protocol.enclave import ENCLAVE
from vouch.protocol.errors import VouchError
from vouch.protocol.seal import SIGNED, Seal, recover_signer

SIZE = 65

_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


def check_signature(signature: bytes, claim: Claim, chain_id: int, hub: str) -> None:
    """Raises BadAnswer unless the claim's operator signed it, in the one form that the hub takes.

    A signature in another form would be worthless on chain, as an answer and as evidence.
    """
    shown, form = f"0x{signature.hex()}", "65 bytes r ‖ s ‖ v of the claim, low s, v 27 or 28"
    if len(signature) != SIZE or int.from_bytes(signature[32:64], "big") > _HALF_ORDER:
        raise BadAnswer("signature", shown, form)
    try:
        signer = recover_signer(Seal(SIGNED, signature), claim, chain_id, hub)
    except ValueError as error:  # another v, or no point of the curve
        raise BadAnswer("signature", shown, form) from error
    if signer != claim.operator:
        raise BadAnswer("signer of the claim", signer, claim.operator)


def check_seal(seal: Seal, claim: Claim, chain_id: int, hub: str) -> None:
    """Raises BadAnswer unless the claim's operator signed, or on the enclave route some key did.

    Whose key that is, and other routes' seals, are for their verifiers.
    """
    if seal.route == SIGNED:
        check_signature(seal.proof, claim, chain_id, hub)
    elif seal.route == ENCLAVE:
        try:
            sealer(bytes(seal), claim, chain_id, hub)
        except VouchError as error:
            raise BadAnswer("seal", str(error), "an enclave's signature of the claim") from error
