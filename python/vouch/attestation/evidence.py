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
    signed = signatures(document)
    if not 0 <= skip < len(signed):
        raise ValueError(f"skip is {skip}; the document has {len(signed) - 1} certificates after its root")
    made = [b""] * skip
    for index in range(skip + 1, len(signed) + 1):
        try:
            made.append(prove(signed[index - 1]))
        except NoSuchPoint as failure:
            raise NotTrusted("WrongSignature", index) from failure
        if progress is not None:
            progress(index - skip, len(signed) - skip)
    return made


def signatures(document: Document) -> tuple[Signed, ...]:
    """What has to be proven, in the order of the hints. Raises NotACertificate, as `hints`."""
    chain = [parse(der, index) for index, der in enumerate(document.certificates)]
    signed = [(child.tbs, child.signature) for child in chain[1:]]
    signed.append((document.to_be_signed, document.signature))
    return tuple(
        Signed.from_bytes(sha384(message).digest(), parent.key, signature)
        for parent, (message, signature) in zip(chain, signed, strict=True)
    )
