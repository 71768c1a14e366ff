"""The contracts' errors in words: name -> sentence, with the error's values in order."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        # CBOR and DER alike
        "Truncated": "at byte {0} the bytes end too early: give all of them",
        "IndefiniteLength": "at byte {0} a length is left open, which is not accepted there",
        "TrailingBytes": "at byte {0} there is more than belongs there: cut it off",
        # CBOR
        "UnexpectedType": "at byte {0} is CBOR of major type {1} where {2} belongs",
        "ReservedInfo": "at byte {0} is a CBOR head with {1}, which has no meaning",
        "NonMinimal": "at byte {0} a CBOR number is written longer than needed",
        # COSE_Sign1
        "WrongArrayLength": "at byte {0} is an array of {1} where COSE_Sign1 has 4 parts",
        "WrongProtectedHeader": "the protected header is {0}, not 0xa1013822 (ES384 alone)",
        "UnprotectedHeaderNotEmpty": "the unprotected header at byte {0} has {1} entries; nobody signed them",
        "WrongSignatureLength": "the document's signature has {0} bytes, not 96",
        # the payload
        "UnknownField": "at byte {0} is a field that attestation documents do not have: {1}",
        "DuplicateField": "at byte {0} a field comes for the second time: {1}",
        "MissingField": "a field is missing: {0}",
        "NotUtf8": "the module_id at byte {0} is no UTF-8 text",
        "WrongDigest": "the digest at byte {0} is {1}, not SHA384",
        "ZeroTimestamp": "the timestamp at byte {0} is zero",
        "WrongLength": "at byte {0} are {1} bytes where {2} to {3} belong",
        "WrongPcrCount": "at byte {0} are {1} PCRs where 1 to 32 belong",
        "WrongPcrIndex": "at byte {0} is PCR {1}; the last there may be is 31",
        "DuplicatePcr": "at byte {0} PCR {1} comes for the second time",
        "WrongPcrLength": "at byte {0} is a PCR of {1} bytes, not 32, 48 or 64",
        "WrongBundleLength": "at byte {0} are {1} certificates in the bundle where 1 to 8 belong",
        # DER
        "WrongTag": "at byte {0} is an element with tag {1:#04x} where {2:#04x} belongs",
        "LongTag": "at byte {0} is a tag of several bytes, which no certificate needs",
        "NonMinimalLength": "at byte {0} a length is written longer than needed",
        "LengthTooLong": "at byte {0} an element has 65,536 bytes or more",
        "WrongSize": "at byte {0} is an element of {1} bytes, not {2}",
        "NotTrue": "at byte {0} is {1:#04x} where only TRUE (0xff) may be written",
        "EmptyInteger": "at byte {0} is an integer without bytes",
        "NegativeInteger": "at byte {0} is a negative integer",
        "NonMinimalInteger": "at byte {0} an integer is written longer than needed",
        "IntegerTooLong": "at byte {0} is an integer of {1} bytes; {2} is the most",
        "EmptyBitString": "at byte {0} is a bit string without bits",
        "UnusedBits": "at byte {0} is a bit string with {1} unused bits",
        "TooManyNamedBits": "at byte {0} are {1} bytes of named bits; 2 is the most",
        "NonCanonicalNamedBits": "at byte {0} named bits do not end with one that is set",
        "BadOid": "at byte {0} is no object identifier",
        "NotDigits": "at byte {0} are no two digits of a time",
        "NotUtc": "the time at byte {0} does not end with Z",
        "NoSuchTime": "at byte {0} is a time that no calendar has",
        "NeedsUtcTime": "the time at byte {0} is of {1}; before 2050 it has to be a UTCTime",
        "Before1970": "the time at byte {0} is of {1}; 1970 is the first year",
        # X.509
        "WrongVersion": "the version is {0}, not 2 (which means 3)",
        "WrongSerial": "the serial number {0} is not from 1 to 2**160 - 1",
        "WrongSignatureAlgorithm": "the signature's algorithm is {0}, not ecdsa-with-SHA384",
        "EmptyName": "the name at byte {0} is empty",
        "WrongKeyAlgorithm": "the key's algorithm is {0}, not ECDSA over P-384",
        "WrongKeySize": "the key has {0} bytes, not 97",
        "CompressedKey": "the key's point begins with {0}, not with 4 (uncompressed)",
        "TooManyExtensions": "there are more than {0} extensions",
        "DuplicateExtension": "the extension {0} comes for the second time",
        "RestrictingExtension": "the extension {0} narrows what the certificate is for, unchecked here",
        "UnknownCriticalExtension": "the critical extension {0} is not understood here",
        "PathLenWithoutCa": "at byte {0} is a path length, though this is no authority",
        "PathLenTooLong": "the path length {0} is above {1}",
        "WrongKeyUsage": "the key usage {0:#b} is empty or has bits without a meaning",
        "MissingKeyUsage": "there is no key usage",
        # the chain
        "WrongRoot": "the chain starts with the root {0}, not with {1}",
        "WrongSignature": "signature {0} was not made by the key above it, or what it signs was changed",
        "WrongIssuer": "certificate {0} names another issuer than the one above it",
        "NotAnAuthority": "certificate {0} may not sign certificates, and did",
        "NotASigner": "certificate {0} may not sign documents, and did",
        "PathTooLong": "certificate {0} is one authority more than those above it allow",
        "CertificateNotYetValid": "certificate {0} is valid from {1} on",
        "CertificateExpired": "certificate {0} has expired; {1} was its last second",
    }
)
