"""Which enclave's key made a seal."""

from coincurve import PublicKey

from vouch.protocol.claim import Claim
from vouch.protocol.enclave import P256Seal, parse_seal
from vouch.protocol.errors import VouchError
from vouch.protocol.seal import Seal, address_of


class NotItsSignature(VouchError):
    """No key, or not the one that the seal names, signed this claim."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"the enclave seal is no signature of this claim by {key}")


def sealer(seal: bytes, claim: Claim, chain_id: int, hub: str) -> str:
    """Id of the key that signed the claim; of a secp256k1 seal of another claim, an id that nobody has.

    Raises NotAnEnclaveSeal, WrongSealLength, NotCanonical, BadSeal, NotAKey, NotItsSignature.
    """
    parsed, digest = parse_seal(Seal.parse(seal)), claim.digest(chain_id, hub)
    if isinstance(parsed, P256Seal):
        _check_p256(parsed, digest)
        return parsed.identity.id
    signature = parsed.r + parsed.s + bytes([parsed.v - 27])
    try:
        return address_of(PublicKey.from_signature_and_message(signature, digest, hasher=None))
    except ValueError as bad:
        raise NotItsSignature("anybody") from bad


def _check_p256(seal: P256Seal, digest: bytes) -> None:
    # few relayers need it, and it takes a while to import
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.hashes import SHA256

    x, y, r, s = (int.from_bytes(part, "big") for part in (seal.x, seal.y, seal.r, seal.s))
    key = seal.identity.id
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    # The digest is what P256VERIFY gets: nothing is hashed on the way.
    algorithm = ec.ECDSA(utils.Prehashed(SHA256()))
    try:
        public.verify(utils.encode_dss_signature(r, s), digest, algorithm)
    except InvalidSignature:
        raise NotItsSignature(key) from None
