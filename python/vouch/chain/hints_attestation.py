"""What to do about the errors of the contracts behind the enclave route, as in `vouch.chain.hints`."""

from collections.abc import Mapping
from types import MappingProxyType

_DOCUMENT = "this is no attestation document as AWS makes them; see `vouch attest explain FILE`"
_CERTIFICATE = "no certificate of AWS's chains looks like that; see `vouch attest explain FILE`"
_FORM = {
    _DOCUMENT: """
        DuplicateField DuplicatePcr IndefiniteLength MissingField NonMinimal NotUtf8 OutOfBounds ReservedInfo
        TrailingBytes Truncated UnexpectedType UnknownField UnprotectedHeaderNotEmpty WrongArrayLength
        WrongBundleLength WrongDigest WrongPcrCount WrongPcrIndex WrongPcrLength WrongProtectedHeader
        ZeroTimestamp
    """,
    _CERTIFICATE: """
        BadOid Before1970 CompressedKey DuplicateExtension EmptyBitString EmptyInteger EmptyName
        IntegerTooLong LengthTooLong LongTag MissingKeyUsage NeedsUtcTime NegativeInteger NoSuchTime
        NonCanonicalNamedBits NonMinimalInteger NonMinimalLength NotDigits NotTrue NotUtc
        PathLenTooLong PathLenWithoutCa RestrictingExtension TooManyExtensions TooManyNamedBits
        UnknownCriticalExtension UnusedBits WrongKeyAlgorithm WrongKeySize WrongKeyUsage WrongSerial
        WrongSignatureAlgorithm WrongTag WrongVersion
    """,
}

ATTESTATION_HINTS: Mapping[str, str] = MappingProxyType(
    {
        **{name: hint for hint, names in _FORM.items() for name in names.split()},
        # chain of certificates
        "WrongRoot": "it comes from another cloud than the deployment trusts: AWS's, or a dev one's",
        "WrongIssuer": "the certificates are not in order, or not of one chain; give them root first",
        "WrongSignature": "make the hints anew with `vouch attest hints`; if they are right, it is forged",
        "WrongHintsCount": "one entry for each certificate after the root, then one for the document",
        "HintsMissing": "this certificate was never verified here; give its hints, too",
        "NotAnAuthority": "a certificate in the middle of the chain may not sign certificates",
        "NotASigner": "the last certificate may not sign documents",
        "PathTooLong": "there are more authorities in the chain than those above allow",
        "CertificateNotYetValid": "wait until this time (unix seconds), or see whether the clocks agree",
        "CertificateExpired": "a leaf lasts three hours; let the enclave make a new document",
        "CertificateIsRevoked": "the guard revoked a certificate of the chain; attest on another machine",
        "ChainTooShort": "give the root and at least one certificate more",
        "AlreadyRevoked": "there is nothing left to do",
        # keys
        "DebugImage": "run the enclave without --debug-mode; nobody can trust one that can be read",
        "PcrMissing": "PCR 0, 1 and 2 must have 48 bytes each",
        "NotFresh": "let the enclave make a new document; if it did, see whether its clock is right",
        "NotAKey": "the public key must be DER of an uncompressed point on secp256k1 or P-256",
        "MissingPrecompile": "this chain has no P256VERIFY; start the enclave with a secp256k1 key",
        "WrongNonce": "the nonce is a block's number (8 bytes) and its hash (32)",
        "UnknownBlock": "let the enclave make a new document, with one of the last 256 blocks in its nonce",
        "WrongUserData": "user data begins with chain id, EnclaveKeys' address and the operator's, 72 bytes",
        "WrongChain": "the document is for another chain; ask the enclave for one for this chain",
        "WrongContract": "the document is for another EnclaveKeys; ask the enclave for one for this",
        "KeyTaken": "the key belongs to another operator or image; restart the enclave to get another key",
        "KeyIsRevoked": "a revoked key never comes back; restart the enclave to get another one",
        "UnknownKey": "no such key was let in; see `vouch attest key`",
        "NotTheOperator": "only the key's operator may end it just so",
        "NoEquivocation": "show two claims about one request with different outputs",
        "TwoKeys": "the two seals are of different keys, so neither contradicted itself",
        "WrongCertificates": "give the certificates of the key's last KeyRegistered event, all of them",
        "NotYetRevocable": "wait until this time (unix seconds); 0: the guard did not revoke it",
        # seals
        "NotItsSignature": "another claim was signed, or s is not the lower of the two possible values",
        "UnknownEnclaveKey": "no such key was let in, or another claim was signed; register the key first",
        "WrongImage": "the enclave runs another image than the request's trust names",
        "EnclaveKeyExpired": "the enclave must attest its key again; the relayer does that by itself",
        "EnclaveKeyRevoked": "the key was revoked; restart the enclave to get another one",
    }
)
