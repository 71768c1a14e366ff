"""The hints with which `NitroAttestation` checks a document's signatures: one for each, root apart."""

from collections.abc import Callable
from hashlib import sha384

from vouch.attestation.document import Document
from vouch.attestation.errors import NotTrusted
from vouch.attestation.p384 import Signed, prove
from vouch.attestation.p384.errors import NoSuchPoint
from vouch.attestation.verify import parse

Progress = Callable[[int, int], None]
"""Called with how many signatures are done, and of how many."""


def hints(document: Document, *, skip: int = 0, progress: Progress | None = None) -> list[bytes]:
    """One entry per certificate after the root, then the document's; the first `skip` are empty.

    Skip the certificates that the contract has verified before (`isVerified`), at most all of them. Only
    signatures are looked at: whether the rest holds says `vouch.attestation.verify`.

    Raises:
        NotACertificate: a certificate is not of the form that the contract takes; `index` says which.
        NotTrusted: WrongSignature, so there is nothing to give hints for.
        ValueError: `skip` is no number of certificates after the root.
    """
    count = len(document.certificates)
    if not 0 <= skip < count:
        raise ValueError(f"skip is {skip}; the document has {count - 1} certificates after its root")
    made = [b""] * skip
    parent = parse(document.certificates[skip], skip)
    for index in range(skip + 1, count + 1):
        if index < count:
            child = parse(document.certificates[index], index)
            made.append(_hint(index, child.tbs, parent.key, child.signature))
            parent = child
        else:
            made.append(_hint(index, document.to_be_signed, parent.key, document.signature))
        if progress is not None:
            progress(index - skip, count - skip)
    return made


def _hint(index: int, message: bytes, key: bytes, signature: bytes) -> bytes:
    try:
        return prove(Signed.from_bytes(sha384(message).digest(), key, signature))
    except NoSuchPoint as failure:
        raise NotTrusted("WrongSignature", index) from failure
